//! The live transcription protocol, without sockets.
//!
//! Source: Deepgram's API reference, "Live Audio", and its pages on endpointing, utterance end and finalize.

use crate::{Failure, FailureKind, RecogniserOptions, RecognitionEvent, Vendor, websocket};
use seiketsu_domain::AudioFormat;
use serde::Deserialize;
use url::Url;

/// The vendor counts at most 500 tokens of key terms; so many bytes are never more.
const MAX_KEYTERM_BYTES: usize = 1_500;
/// The vendor's limit of key terms.
const MAX_KEYTERMS: usize = 100;
/// How long no word may come before `UtteranceEnd`; the vendor's minimum, and the safety net where noise hides silence.
const UTTERANCE_END_MS: u32 = 1_000;

/// Keeps a connection without audio open.
pub const KEEP_ALIVE: &str = r#"{"type":"KeepAlive"}"#;
/// Asks for the words of everything sent so far.
pub const FINALIZE: &str = r#"{"type":"Finalize"}"#;
/// Says that no more audio comes.
pub const CLOSE_STREAM: &str = r#"{"type":"CloseStream"}"#;

/// Where to connect to for such a stream.
pub fn listen_url(base: &Url, model: &str, options: &RecogniserOptions) -> Result<Url, Failure> {
    let mut url = websocket::websocket_url(Vendor::Deepgram, base, &["v1", "listen"])?;
    let encoding = match options.format {
        AudioFormat::Mulaw8k => "mulaw",
        AudioFormat::Alaw8k => "alaw",
        AudioFormat::Pcm16k | AudioFormat::Pcm24k => "linear16",
    };
    let mut query = url.query_pairs_mut();
    query
        .append_pair("model", model)
        .append_pair("language", options.language.code())
        .append_pair("encoding", encoding)
        .append_pair("sample_rate", &options.format.sample_rate_hz().to_string())
        .append_pair("channels", "1")
        .append_pair("interim_results", "true")
        .append_pair("endpointing", &options.endpointing_ms.to_string())
        .append_pair("utterance_end_ms", &UTTERANCE_END_MS.to_string())
        .append_pair("vad_events", "true")
        .append_pair("punctuate", "true")
        // Formatting of numbers, dates and addresses is for readers. Here a language model reads, to which words are as
        // good; and the formatter may hold a final back until it has seen the whole of a number, which costs time.
        .append_pair("smart_format", "false");
    // Older models know another parameter for this and refuse the connection over an unknown one.
    if model.starts_with("nova-3") {
        let mut budget = MAX_KEYTERM_BYTES;
        for term in options.keyterms.iter().filter(|term| !term.trim().is_empty()).take(MAX_KEYTERMS) {
            let Some(left) = budget.checked_sub(term.len()) else { break };
            budget = left;
            query.append_pair("keyterm", term.trim());
        }
    }
    drop(query);
    // The serializer writes a space as `+`, which only forms promise to read back; a `+` itself it has escaped.
    let query = url.query().map(|query| query.replace('+', "%20"));
    url.set_query(query.as_deref());
    Ok(url)
}

/// A message of the vendor.
#[derive(Debug, Clone, PartialEq)]
pub enum Incoming {
    /// Something a caller of this crate wants to know.
    Event(RecognitionEvent),
    /// The summary behind the last words of a stream.
    Metadata,
    /// The vendor reports an error.
    Error(Failure),
    /// A kind of message that is not known here; new ones are added without notice.
    Unknown,
}

/// Not a message of this protocol.
#[derive(Debug, thiserror::Error)]
#[error("not a transcription message: {0}")]
pub struct ParseError(#[from] serde_json::Error);

impl From<ParseError> for Failure {
    fn from(error: ParseError) -> Self {
        Self::new(Vendor::Deepgram, FailureKind::Garbage, error)
    }
}

/// Reads a text message of the vendor.
pub fn parse(message: &str) -> Result<Incoming, ParseError> {
    Ok(match serde_json::from_str(message)? {
        Wire::Results(results) => Incoming::Event(results.into_event()),
        Wire::UtteranceEnd { last_word_end } => {
            Incoming::Event(RecognitionEvent::UtteranceEnd { last_word_end_ms: milliseconds(last_word_end) })
        }
        Wire::SpeechStarted { timestamp } => {
            Incoming::Event(RecognitionEvent::SpeechStarted { at_ms: milliseconds(timestamp) })
        }
        Wire::Metadata {} => Incoming::Metadata,
        Wire::Error { description, message } => {
            let words = description.or(message).unwrap_or_else(|| "an error without words".to_owned());
            Incoming::Error(Failure::new(Vendor::Deepgram, FailureKind::VendorFault, words))
        }
        Wire::Unknown => Incoming::Unknown,
    })
}

/// A close of the connection while it was in use. The reason begins with a code of the vendor's own, which says more
/// than the WebSocket close code: `DATA-…` is about the audio we sent, `NET-…` about the connection.
pub fn closed_early(code: Option<u16>, reason: &str) -> Failure {
    let mut failure = websocket::closed_early(Vendor::Deepgram, code, reason);
    if reason.starts_with("DATA-") {
        failure.kind = FailureKind::BadRequest;
    } else if reason.starts_with("NET-0001") {
        // The vendor heard nothing for ten seconds although we kept sending: the way to it is broken.
        failure.kind = FailureKind::Timeout;
    }
    failure
}

#[derive(Deserialize)]
#[serde(tag = "type")]
enum Wire {
    Results(Results),
    UtteranceEnd {
        last_word_end: f64,
    },
    SpeechStarted {
        timestamp: f64,
    },
    Metadata {},
    Error {
        description: Option<String>,
        message: Option<String>,
    },
    #[serde(other)]
    Unknown,
}

#[derive(Deserialize)]
struct Results {
    channel: Channel,
    #[serde(default)]
    is_final: bool,
    #[serde(default)]
    speech_final: bool,
    #[serde(default)]
    from_finalize: bool,
    start: f64,
    duration: f64,
}

#[derive(Deserialize)]
struct Channel {
    alternatives: Vec<Alternative>,
}

#[derive(Deserialize)]
struct Alternative {
    transcript: String,
    confidence: Option<f32>,
}

impl Results {
    fn into_event(self) -> RecognitionEvent {
        let best = self.channel.alternatives.into_iter().next();
        let (text, confidence) = best.map(|best| (best.transcript, best.confidence)).unwrap_or_default();
        // Of silence the vendor says that it is sure to 0: that is no statement about words.
        let confidence = confidence.filter(|_| !text.is_empty()).map(|confidence| confidence.clamp(0.0, 1.0));
        let start_ms = milliseconds(self.start);
        let end_ms = milliseconds(self.start + self.duration).max(start_ms);
        if self.is_final {
            RecognitionEvent::Final {
                text,
                speech_final: self.speech_final,
                from_finalize: self.from_finalize,
                start_ms,
                end_ms,
                confidence,
            }
        } else {
            RecognitionEvent::Partial { text, start_ms, end_ms }
        }
    }
}

/// Whole milliseconds; what lies before the start (the vendor says -1 where there was no word) is the start.
fn milliseconds(seconds: f64) -> u64 {
    (seconds * 1_000.0).round() as u64
}

#[cfg(test)]
#[path = "wire_tests.rs"]
mod tests;
