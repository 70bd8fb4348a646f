//! ElevenLabs' live transcription (`/v1/speech-to-text/realtime`).

mod client;
mod stream;
pub mod wire;

pub use client::{Scribe, ScribeConfig};
