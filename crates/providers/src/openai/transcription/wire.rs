//! The transcription protocol, without sockets.
//!
//! Source: OpenAI's API reference, "Create transcription" and its streaming events; for the body RFC 7578 (form data)
//! and for the sound the WAVE form of RIFF.

use crate::{
    Failure, FailureKind, RecogniserOptions, Vendor, g711,
    openai::wire::{
        sse::{DataLines, LineTooLong},
        vendors_error,
    },
};
use seiketsu_domain::AudioFormat;
use serde::Deserialize;
use serde_json::Value;

/// The longest answer, envelope included: many times what can be said in half a minute.
pub const MAX_ANSWER_BYTES: usize = 1024 * 1024;
/// The vendor reads only so much of the hint, from its end; more of it would only cost time.
const MAX_PROMPT_BYTES: usize = 600;
/// Begins and ends each part of a body. Text parts hold no line ends, and in a part of sound nobody places this by
/// chance.
const BOUNDARY: &str = "seiketsu-5f1d0c6a94e27b38-utterance";

/// The `content-type` of [`body`].
pub const CONTENT_TYPE: &str = "multipart/form-data; boundary=seiketsu-5f1d0c6a94e27b38-utterance";

/// The body of a request: an utterance as a WAVE file, and how it is to be read.
pub fn body(model: &str, options: &RecogniserOptions, audio: &[u8]) -> Vec<u8> {
    let wave = wave(options.format, audio);
    let mut body = Vec::with_capacity(wave.len() + 2_048);
    let mut field = |name: &str, value: &str| {
        let value: String = value.chars().filter(|character| !character.is_control()).collect();
        let part =
            format!("--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
        body.extend_from_slice(part.as_bytes());
    };
    field("model", model);
    field("language", options.language.code());
    field("response_format", "json");
    field("stream", "true");
    // How sure it is of each token; other families of models refuse to be asked.
    if model.starts_with("gpt-4o") {
        field("include[]", "logprobs");
    }
    let prompt = prompt(&options.keyterms);
    if !prompt.is_empty() {
        field("prompt", &prompt);
    }
    let head = "content-disposition: form-data; name=\"file\"; filename=\"utterance.wav\"";
    body.extend_from_slice(format!("--{BOUNDARY}\r\n{head}\r\ncontent-type: audio/wav\r\n\r\n").as_bytes());
    body.extend_from_slice(&wave);
    body.extend_from_slice(format!("\r\n--{BOUNDARY}--\r\n").as_bytes());
    body
}

/// Words to expect, as text that might have come before.
fn prompt(keyterms: &[String]) -> String {
    let mut prompt = String::new();
    for term in keyterms.iter().map(|term| term.trim()).filter(|term| !term.is_empty()) {
        if prompt.len() + term.len() + 2 > MAX_PROMPT_BYTES {
            break;
        }
        if !prompt.is_empty() {
            prompt.push_str(", ");
        }
        prompt.push_str(term);
    }
    prompt
}

/// One channel of 16-bit samples with the usual header of 44 bytes.
fn wave(format: AudioFormat, audio: &[u8]) -> Vec<u8> {
    const HEADER_BYTES: u32 = 44;
    const PCM: u16 = 1;
    const CHANNELS: u16 = 1;
    const SAMPLE_BYTES: u16 = 2;
    let samples = g711::to_pcm(format, audio);
    let length = u32::try_from(samples.len()).unwrap_or(u32::MAX);
    let rate = format.sample_rate_hz();
    let mut wave = Vec::with_capacity(samples.len() + HEADER_BYTES as usize);
    wave.extend_from_slice(b"RIFF");
    wave.extend_from_slice(&length.saturating_add(HEADER_BYTES - 8).to_le_bytes());
    wave.extend_from_slice(b"WAVEfmt ");
    wave.extend_from_slice(&16_u32.to_le_bytes());
    wave.extend_from_slice(&PCM.to_le_bytes());
    wave.extend_from_slice(&CHANNELS.to_le_bytes());
    wave.extend_from_slice(&rate.to_le_bytes());
    wave.extend_from_slice(&(rate * u32::from(SAMPLE_BYTES)).to_le_bytes());
    wave.extend_from_slice(&(SAMPLE_BYTES * CHANNELS).to_le_bytes());
    wave.extend_from_slice(&(SAMPLE_BYTES * 8).to_le_bytes());
    wave.extend_from_slice(b"data");
    wave.extend_from_slice(&length.to_le_bytes());
    wave.extend_from_slice(&samples);
    wave
}

/// What an answer says.
#[derive(Debug, Clone, PartialEq)]
pub enum Heard {
    /// All words so far; the next one replaces it.
    SoFar(String),
    /// All words; the last.
    All {
        /// The words.
        text: String,
        /// How sure the vendor is of them, from 0 to 1, where it says so: the geometric mean over its tokens.
        confidence: Option<f32>,
    },
}

/// Why an answer cannot be read any further.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    /// A line or the whole answer is beyond its limit.
    #[error("an answer beyond the limit")]
    TooMuch,
    /// Not an answer of this protocol.
    #[error("not a transcription: {0}")]
    NotAnAnswer(String),
    /// The vendor reported an error in the middle of its answer.
    #[error("{0}")]
    Vendor(Failure),
}

impl From<LineTooLong> for AnswerError {
    fn from(_: LineTooLong) -> Self {
        Self::TooMuch
    }
}

impl From<serde_json::Error> for AnswerError {
    fn from(error: serde_json::Error) -> Self {
        Self::NotAnAnswer(error.to_string())
    }
}

impl From<AnswerError> for Failure {
    fn from(error: AnswerError) -> Self {
        match error {
            AnswerError::Vendor(failure) => failure,
            AnswerError::TooMuch | AnswerError::NotAnAnswer(_) => {
                Self::new(Vendor::OpenAi, FailureKind::Garbage, error)
            }
        }
    }
}

/// Reads an answer, in pieces of any size: a stream of events, or (older models cannot stream) one JSON object.
#[derive(Debug, Default)]
pub struct AnswerParser {
    form: Form,
    bytes: usize,
    events: Events,
}

#[derive(Debug, Default)]
enum Form {
    #[default]
    Unknown,
    Object(Vec<u8>),
    Lines(DataLines),
}

#[derive(Debug, Default)]
struct Events {
    words: String,
    done: bool,
}

impl AnswerParser {
    /// A parser at the start of an answer.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads more and appends what it says to `heard`. After an error, or once [`AnswerParser::is_done`], the rest means
    /// nothing.
    pub fn push(&mut self, bytes: &[u8], heard: &mut Vec<Heard>) -> Result<(), AnswerError> {
        self.bytes = self.bytes.saturating_add(bytes.len());
        if self.bytes > MAX_ANSWER_BYTES {
            return Err(AnswerError::TooMuch);
        }
        if let Form::Unknown = self.form
            && let Some(first) = bytes.iter().find(|byte| !byte.is_ascii_whitespace())
        {
            self.form =
                if *first == b'{' { Form::Object(Vec::new()) } else { Form::Lines(DataLines::default()) };
        }
        let events = &mut self.events;
        match &mut self.form {
            Form::Unknown => Ok(()),
            Form::Object(object) => {
                object.extend_from_slice(bytes);
                Ok(())
            }
            Form::Lines(lines) => lines.push(bytes, |data| events.take(data, heard)),
        }
    }

    /// Whether [`Heard::All`] has come out.
    pub const fn is_done(&self) -> bool {
        self.events.done
    }

    /// The end of the answer.
    pub fn end(&mut self, heard: &mut Vec<Heard>) -> Result<(), AnswerError> {
        if let Form::Object(object) = &self.form
            && !self.events.done
        {
            #[derive(Deserialize)]
            struct Object {
                text: Option<String>,
                logprobs: Option<Vec<Token>>,
                error: Option<Value>,
            }
            let Object { text, logprobs, error } = serde_json::from_slice(object)?;
            if let Some(error) = error {
                return Err(AnswerError::Vendor(vendors_error(&error)));
            }
            let text = text.ok_or_else(|| AnswerError::NotAnAnswer("no text".to_owned()))?;
            self.events.done = true;
            heard.push(Heard::All { text, confidence: confidence(logprobs) });
        }
        if self.events.done { Ok(()) } else { Err(AnswerError::NotAnAnswer("it ended too early".to_owned())) }
    }
}

impl Events {
    fn take(&mut self, data: &[u8], heard: &mut Vec<Heard>) -> Result<(), AnswerError> {
        if self.done || data.trim_ascii() == b"[DONE]" {
            return Ok(());
        }
        match serde_json::from_slice(data)? {
            Event::Delta { delta } => {
                self.words.push_str(&delta);
                if !self.words.trim().is_empty() {
                    heard.push(Heard::SoFar(self.words.clone()));
                }
            }
            Event::Done { text, logprobs } => {
                self.done = true;
                heard.push(Heard::All { text, confidence: confidence(logprobs) });
            }
            Event::Error { error } => return Err(AnswerError::Vendor(vendors_error(&error))),
            Event::Other => {}
        }
        Ok(())
    }
}

#[derive(Deserialize)]
#[serde(tag = "type")]
enum Event {
    #[serde(rename = "transcript.text.delta")]
    Delta { delta: String },
    #[serde(rename = "transcript.text.done")]
    Done { text: String, logprobs: Option<Vec<Token>> },
    #[serde(rename = "error")]
    Error { error: Value },
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct Token {
    logprob: f64,
}

fn confidence(tokens: Option<Vec<Token>>) -> Option<f32> {
    let tokens = tokens.filter(|tokens| !tokens.is_empty())?;
    let mean = tokens.iter().map(|token| token.logprob).sum::<f64>() / tokens.len() as f64;
    (!mean.is_nan()).then(|| mean.exp().min(1.0) as f32)
}

#[cfg(test)]
#[path = "wire_tests.rs"]
mod tests;
