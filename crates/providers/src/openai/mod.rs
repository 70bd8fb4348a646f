//! OpenAI's chat completions, streamed, and every server that speaks the same protocol.

mod client;
pub mod wire;

pub use client::{OpenAi, OpenAiConfig};
