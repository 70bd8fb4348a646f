//! OpenAI's speech (`/v1/audio/speech`), and every server that speaks the same protocol.

mod client;
mod requests;
pub mod wire;

pub use client::{Speech, SpeechConfig};
pub use wire::SpeechVoices;
