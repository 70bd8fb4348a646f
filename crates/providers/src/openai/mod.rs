//! OpenAI's chat completions, streamed, and every server that speaks the same protocol; beside them, as second choices,
//! its [`transcription`] and its [`speech`].

mod client;
mod endpoint;
pub mod speech;
pub mod transcription;
pub mod wire;

pub use client::{OpenAi, OpenAiConfig};
