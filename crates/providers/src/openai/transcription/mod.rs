//! OpenAI's transcription of whole utterances (`/v1/audio/transcriptions`), and every server that speaks the same
//! protocol.

mod client;
mod utterance;
pub mod wire;

pub use client::{Transcription, TranscriptionConfig};
