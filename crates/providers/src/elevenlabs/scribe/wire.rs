//! The live transcription protocol, without sockets.
//!
//! Source: ElevenLabs' API reference, "Realtime speech to text", and its guide to transcripts and commit strategies. A
//! *commit* ends a stretch of audio: its words come once more, and do not change after that.

use crate::{Failure, FailureKind, RecogniserOptions, Vendor, websocket};
use base64_simd::STANDARD;
use seiketsu_domain::AudioFormat;
use serde::{Deserialize, Serialize};
use url::Url;

/// The vendor's limit of key terms.
const MAX_KEYTERMS: usize = 50;
/// The vendor's limit of one key term.
const MAX_KEYTERM_CHARS: usize = 20;

/// A commit of less audio than this is refused, and the connection with it.
pub const MIN_COMMIT_MS: u64 = 300;

/// Where to connect to for such a stream.
///
/// Commits are *manual*: whoever drives the conversation decides when an utterance is over and asks, and a second
/// opinion about silence would only come later. Timestamps are not asked for: they come in a message of their own
/// behind the words, and which audio a commit covers is known here.
pub fn listen_url(base: &Url, model: &str, options: &RecogniserOptions) -> Result<Url, Failure> {
    let mut url = websocket::websocket_url(Vendor::ElevenLabs, base, &["v1", "speech-to-text", "realtime"])?;
    let format = match options.format {
        AudioFormat::Mulaw8k => "ulaw_8000",
        // The vendor knows no A-law; it is sent as samples.
        AudioFormat::Alaw8k => "pcm_8000",
        AudioFormat::Pcm16k => "pcm_16000",
        AudioFormat::Pcm24k => "pcm_24000",
    };
    let mut query = url.query_pairs_mut();
    query
        .append_pair("model_id", model)
        .append_pair("audio_format", format)
        .append_pair("commit_strategy", "manual")
        .append_pair("language_code", options.language.code());
    let terms = options.keyterms.iter().map(|term| term.trim());
    let terms = terms.filter(|term| (1..=MAX_KEYTERM_CHARS).contains(&term.chars().count()));
    for term in terms.take(MAX_KEYTERMS) {
        query.append_pair("keyterms", term);
    }
    drop(query);
    // The serializer writes a space as `+`, which only forms promise to read back; a `+` itself it has escaped.
    let query = url.query().map(|query| query.replace('+', "%20"));
    url.set_query(query.as_deref());
    Ok(url)
}

/// The message that carries audio, and perhaps ends a stretch with it.
pub fn chunk(audio: &[u8], format: AudioFormat, commit: bool) -> Result<String, Failure> {
    #[derive(Serialize)]
    struct Chunk {
        message_type: &'static str,
        audio_base_64: String,
        commit: bool,
        sample_rate: u32,
    }
    let chunk = Chunk {
        message_type: "input_audio_chunk",
        audio_base_64: STANDARD.encode_to_string(audio),
        commit,
        sample_rate: format.sample_rate_hz(),
    };
    serde_json::to_string(&chunk)
        .map_err(|error| Failure::new(Vendor::ElevenLabs, FailureKind::BadRequest, error))
}

/// A message of the vendor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Incoming {
    /// The session has begun; the first message.
    Started,
    /// What it makes of the audio since the last commit so far.
    Partial(String),
    /// The words of a commit.
    Committed(String),
    /// A commit came too soon after another and is not carried out.
    CommitIgnored,
    /// The vendor reports an error, and ends the session.
    Error(Failure),
    /// Timings behind a commit, or a kind of message that is not known here.
    Unknown,
}

/// Not a message of this protocol.
#[derive(Debug, thiserror::Error)]
#[error("not a transcription message: {0}")]
pub struct ParseError(#[from] serde_json::Error);

impl From<ParseError> for Failure {
    fn from(error: ParseError) -> Self {
        Self::new(Vendor::ElevenLabs, FailureKind::Garbage, error)
    }
}

/// Reads a text message of the vendor.
pub fn parse(message: &str) -> Result<Incoming, ParseError> {
    let Wire { message_type, text, error } = serde_json::from_str(message)?;
    Ok(match message_type.as_str() {
        "session_started" => Incoming::Started,
        "partial_transcript" => Incoming::Partial(required(text)?),
        "committed_transcript" => Incoming::Committed(required(text)?),
        "commit_throttled" => Incoming::CommitIgnored,
        name => match kind_of(name).or_else(|| error.is_some().then_some(FailureKind::VendorFault)) {
            Some(kind) => {
                let words = error.unwrap_or_default();
                Incoming::Error(Failure::new(Vendor::ElevenLabs, kind, format_args!("{name}: {words}")))
            }
            None => Incoming::Unknown,
        },
    })
}

/// A close of the connection while it was in use. The reason is often the name of an error.
pub fn closed_early(code: Option<u16>, reason: &str) -> Failure {
    let mut failure = websocket::closed_early(Vendor::ElevenLabs, code, reason);
    let name = reason.split(|character: char| !(character.is_ascii_lowercase() || character == '_')).next();
    if let Some(kind) = name.and_then(kind_of) {
        failure.kind = kind;
    }
    failure
}

#[derive(Deserialize)]
struct Wire {
    message_type: String,
    text: Option<String>,
    error: Option<String>,
}

fn required(text: Option<String>) -> Result<String, ParseError> {
    text.ok_or_else(|| ParseError(serde::de::Error::missing_field("text")))
}

/// What the vendor's names of errors mean.
fn kind_of(name: &str) -> Option<FailureKind> {
    Some(match name {
        "auth_error" | "unaccepted_terms" | "unaccepted_terms_error" => FailureKind::Unauthorized,
        "quota_exceeded" | "rate_limited" | "queue_overflow" => {
            FailureKind::RateLimited { retry_after: None }
        }
        "input_error" | "chunk_size_exceeded" => FailureKind::BadRequest,
        "error" | "transcriber_error" | "resource_exhausted" => FailureKind::VendorFault,
        // Not the vendor's fault and not ours: another session is simply due.
        "session_time_limit_exceeded" | "insufficient_audio_activity" | "commit_throttled" => {
            FailureKind::Closed
        }
        _ => return None,
    })
}

#[cfg(test)]
#[path = "wire_tests.rs"]
mod tests;
