//! The speech protocol, without sockets.
//!
//! Source: OpenAI's API reference, "Create speech". What comes back is sound without any envelope: 16-bit little-endian
//! samples at 24 kHz, cut anywhere.

use crate::{Failure, FailureKind, Vendor};
use bytes::{Bytes, BytesMut};
use seiketsu_domain::{AudioFormat, Language};
use serde::Serialize;

/// The form in which audio comes.
pub const FORMAT: AudioFormat = AudioFormat::Pcm24k;
/// The vendor's limit of one text, in characters.
pub const MAX_TEXT_CHARS: usize = 4_096;
/// More audio than any such text takes to say: twenty minutes.
pub const MAX_AUDIO_BYTES: u64 = 20 * 60 * 1_000 * FORMAT.bytes_per_ms() as u64;

/// The vendor's voices by language. Each of them speaks every language, but not each as well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpeechVoices {
    /// English.
    pub en: String,
    /// Spanish.
    pub es: String,
    /// Chinese.
    pub zh: String,
}

impl SpeechVoices {
    /// The voice for a language.
    pub fn of(&self, language: Language) -> &str {
        match language {
            Language::En => &self.en,
            Language::Es => &self.es,
            Language::Zh => &self.zh,
        }
    }
}

impl Default for SpeechVoices {
    fn default() -> Self {
        Self { en: "coral".to_owned(), es: "nova".to_owned(), zh: "shimmer".to_owned() }
    }
}

/// The JSON body of a request.
pub fn request_body(
    model: &str,
    voice: &str,
    speed: Option<f32>,
    language: Language,
    text: &str,
) -> Result<Vec<u8>, Failure> {
    #[derive(Serialize)]
    struct Body<'a> {
        model: &'a str,
        input: &'a str,
        voice: &'a str,
        response_format: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        speed: Option<f32>,
        #[serde(skip_serializing_if = "Option::is_none")]
        instructions: Option<&'static str>,
    }
    // The first generation of models speaks as the text is written, and refuses to be told how.
    let instructions = (!model.starts_with("tts-")).then_some(match language {
        Language::En => "Speak English, friendly and unhurried, as on the telephone.",
        Language::Es => "Speak Spanish, friendly and unhurried, as on the telephone.",
        Language::Zh => "Speak Mandarin Chinese, friendly and unhurried, as on the telephone.",
    });
    let body = Body { model, input: text.trim(), voice, response_format: "pcm", speed, instructions };
    serde_json::to_vec(&body).map_err(|error| Failure::new(Vendor::OpenAi, FailureKind::BadRequest, error))
}

/// Puts samples together again that were cut on their way.
#[derive(Debug, Default)]
pub struct Samples {
    half: Option<u8>,
    bytes: u64,
}

/// More audio than any text can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("more than {} minutes of audio", MAX_AUDIO_BYTES / FORMAT.bytes_per_ms() as u64 / 60_000)]
pub struct TooLong;

impl From<TooLong> for Failure {
    fn from(error: TooLong) -> Self {
        Self::new(Vendor::OpenAi, FailureKind::Garbage, error)
    }
}

impl Samples {
    /// The whole samples that this piece completes.
    pub fn push(&mut self, piece: Bytes) -> Result<Bytes, TooLong> {
        self.bytes = self.bytes.saturating_add(piece.len() as u64);
        if self.bytes > MAX_AUDIO_BYTES {
            return Err(TooLong);
        }
        let mut whole = match self.half.take() {
            None => piece,
            Some(half) => {
                let mut joined = BytesMut::with_capacity(piece.len() + 1);
                joined.extend_from_slice(&[half]);
                joined.extend_from_slice(&piece);
                joined.freeze()
            }
        };
        if whole.len() % 2 == 1 {
            self.half = whole.split_off(whole.len() - 1).first().copied();
        }
        Ok(whole)
    }

    /// Whether there was any sound at all.
    pub const fn is_empty(&self) -> bool {
        self.bytes == 0
    }
}

#[cfg(test)]
#[path = "wire_tests.rs"]
mod tests;
