//! OpenAI: `/v1/chat/completions` as a stream, answered by the receptionist; `/v1/models`.
//!
//! The receptionist gets the parsed request and nothing else. The request is held to the vendor's own rules (a tool
//! message answers a tool call, every tool call is answered), because a platform that breaks them fails in production.

mod chunks;
mod server;
pub mod wire;

pub(crate) use server::router;
