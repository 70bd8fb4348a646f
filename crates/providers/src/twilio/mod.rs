//! Twilio's REST API, as far as a call needs it (hanging up, sending it elsewhere), and the signature of its webhooks. The media stream is not here: there
//! the platform is the server.

mod client;
pub mod signature;

pub use client::{HangUp, Twilio, TwilioConfig};
