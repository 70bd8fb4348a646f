//! ElevenLabs' speech over one WebSocket per session (`multi-stream-input`).

mod client;
mod contexts;
pub mod wire;

pub use client::{ElevenLabs, ElevenLabsConfig};
