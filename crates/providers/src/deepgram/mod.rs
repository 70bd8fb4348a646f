//! Deepgram's live transcription (`/v1/listen`).

mod client;
pub mod wire;

pub use client::{Deepgram, DeepgramConfig};
