//! The API door: agents for any client of OpenAI's realtime protocol.
//!
//! [`wire`] has the words, [`conversation`] what they mean here, [`socket`] the connection, [`authority`] who may. A call
//! through this door is a call like any other: the same engine, the same record, the same bill.
//!
//! It refuses to be: a second engine. Where the protocol and the engine disagree about when a response begins or ends,
//! the engine is right and [`conversation`] translates.

mod answer;
mod authority;
pub(crate) mod client_secrets;
mod conversation;
#[cfg(test)]
mod conversation_tests;
mod ears;
mod input;
mod items;
mod names;
mod player;
mod secret;
mod socket;
mod told;
mod transcript;
pub mod wire;

pub use socket::{REFUSED_EVENTS, SOCKETS_CLOSED};

use crate::Gateway;
use axum::{Router, routing::get};

pub(crate) fn routes() -> Router<Gateway> {
    Router::new().route("/v1/realtime", get(socket::realtime))
}
