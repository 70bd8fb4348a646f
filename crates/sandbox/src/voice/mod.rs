//! The sandbox's voice: espeak-ng, with what it says hidden in the audio as well.
//!
//! espeak-ng runs as a program of its own (it is GPL-licensed; nothing of it is linked). Its speech is brought to the
//! telephone's rate and the words are embedded by the sub-carrier, so that a recogniser of the sandbox, or a test, can
//! read them back from the sound.

mod espeak;
mod names;
mod sound;
mod wav;

pub use espeak::{Espeak, EspeakError, Spoken};
pub use names::EspeakVoice;
pub use sound::OutputFormat;
#[cfg(test)]
pub(crate) use sound::SAMPLES_PER_MS;
pub(crate) use sound::{LEAD_MS, PIECE_MS, encode};
pub use wav::WavError;
pub(crate) use wav::parse as parse_wav;
