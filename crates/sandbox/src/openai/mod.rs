//! OpenAI: `/v1/chat/completions` as a stream, answered by the receptionist; `/v1/models`; and as fallbacks [`speech`]
//! (`/v1/audio/speech`) and [`transcription`] (`/v1/audio/transcriptions`).
//!
//! The receptionist gets the parsed request and nothing else. The request is held to the vendor's own rules (a tool
//! message answers a tool call, every tool call is answered), because a platform that breaks them fails in production.

mod chunks;
mod server;
pub mod speech;
mod stream;
pub mod transcription;
pub mod wire;

pub(crate) use server::router;
