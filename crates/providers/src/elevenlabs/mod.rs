//! ElevenLabs: speech over one WebSocket per session (`multi-stream-input`), and in [`scribe`] its live transcription.

mod client;
mod contexts;
pub mod scribe;
pub mod wire;

pub use client::{ElevenLabs, ElevenLabsConfig};

/// Carries the key.
const API_KEY: http::HeaderName = http::HeaderName::from_static("xi-api-key");
