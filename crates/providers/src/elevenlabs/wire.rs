//! The multi-context speech protocol, without sockets.
//!
//! Source: ElevenLabs' API reference, "Multi-context WebSocket". A *context* is one synthesis among several that share
//! a socket. The first message of a context carries the voice settings and must not come later; a context that is
//! closed still says everything it had been given, and ends with `isFinal`.

use crate::{AlignedChar, Failure, FailureKind, Vendor, VoiceOptions, websocket};
use base64_simd::STANDARD;
use bytes::Bytes;
use seiketsu_domain::{AudioFormat, VoiceChoice};
use serde::{Deserialize, Serialize};
use url::Url;

/// After so many seconds without a message the vendor hangs up; see [`KEEP_ALIVE`].
const INACTIVITY_TIMEOUT_S: &str = "60";

/// Keeps a socket open on which nothing is being said. It belongs to no context, so it opens none either.
pub const KEEP_ALIVE: &str = r#"{"text":""}"#;
/// Ends the session.
pub const CLOSE_SOCKET: &str = r#"{"close_socket":true}"#;

/// Where to connect to for such a session.
pub fn stream_url(base: &Url, options: &VoiceOptions) -> Result<Url, Failure> {
    let voice = &options.voice;
    let path = ["v1", "text-to-speech", &voice.voice_id, "multi-stream-input"];
    let mut url = websocket::websocket_url(Vendor::ElevenLabs, base, &path)?;
    let format = match options.format {
        AudioFormat::Mulaw8k => "ulaw_8000",
        AudioFormat::Alaw8k => "alaw_8000",
        AudioFormat::Pcm16k => "pcm_16000",
        AudioFormat::Pcm24k => "pcm_24000",
    };
    let mut query = url.query_pairs_mut();
    query
        .append_pair("model_id", &voice.model)
        .append_pair("output_format", format)
        // Speak at once: what is sent are whole phrases, so nothing is gained by waiting for more text.
        .append_pair("auto_mode", "true")
        // Each piece of audio brings its own alignment.
        .append_pair("sync_alignment", "true")
        .append_pair("inactivity_timeout", INACTIVITY_TIMEOUT_S);
    // Other models tell the language from the text and refuse to be told.
    if voice.model.ends_with("_v2_5") {
        query.append_pair("language_code", options.language.code());
    }
    drop(query);
    Ok(url)
}

/// The messages that open a context, make it say `text`, and close it behind that.
pub fn speak(context: &str, text: &str, voice: &VoiceChoice) -> Result<[String; 3], Failure> {
    #[derive(Serialize)]
    struct Open<'a> {
        text: &'static str,
        context_id: &'a str,
        voice_settings: Settings,
    }
    #[derive(Serialize)]
    struct Settings {
        stability: f32,
        similarity_boost: f32,
    }
    #[derive(Serialize)]
    struct Say<'a> {
        text: &'a str,
        context_id: &'a str,
        flush: bool,
    }
    let voice_settings = Settings { stability: voice.stability, similarity_boost: voice.similarity };
    // A word only ends with a space.
    let text = format!("{} ", text.trim());
    Ok([
        json(&Open { text: " ", context_id: context, voice_settings })?,
        json(&Say { text: &text, context_id: context, flush: true })?,
        close(context)?,
    ])
}

/// The message that closes a context.
pub fn close(context: &str) -> Result<String, Failure> {
    #[derive(Serialize)]
    struct Close<'a> {
        context_id: &'a str,
        close_context: bool,
    }
    json(&Close { context_id: context, close_context: true })
}

fn json(message: &impl Serialize) -> Result<String, Failure> {
    serde_json::to_string(message)
        .map_err(|error| Failure::new(Vendor::ElevenLabs, FailureKind::BadRequest, error))
}

/// A message of the vendor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Incoming {
    /// A piece of a context.
    Piece {
        /// Which context; empty where the vendor did not say.
        context: String,
        /// Audio without any header; may be empty.
        audio: Bytes,
        /// The characters in it; times relative to this piece.
        alignment: Vec<AlignedChar>,
        /// Nothing follows in this context.
        last: bool,
    },
    /// The vendor reports an error.
    Error {
        /// The context it belongs to; none if it is about the whole socket.
        context: Option<String>,
        /// What it is.
        failure: Failure,
    },
    /// A kind of message that is not known here.
    Unknown,
}

/// Not a message of this protocol.
#[derive(Debug, thiserror::Error)]
pub enum ParseError {
    /// Not the JSON that was expected.
    #[error("not a speech message: {0}")]
    Json(#[from] serde_json::Error),
    /// Audio that is not base64.
    #[error("audio that is not base64")]
    Base64,
}

impl From<ParseError> for Failure {
    fn from(error: ParseError) -> Self {
        Self::new(Vendor::ElevenLabs, FailureKind::Garbage, error)
    }
}

/// Reads a text message of the vendor.
pub fn parse(message: &str) -> Result<Incoming, ParseError> {
    let wire: Wire<'_> = serde_json::from_str(message)?;
    if wire.error.is_some() || wire.code.is_some_and(|code| code >= 1_000) {
        let failure = vendors_error(wire.error.as_deref(), wire.message.as_deref(), wire.code);
        return Ok(Incoming::Error { context: wire.context, failure });
    }
    let last = wire.is_final.unwrap_or(false);
    if wire.audio.is_none() && !last {
        return Ok(Incoming::Unknown);
    }
    let audio = match wire.audio {
        Some(base64) => STANDARD.decode_to_vec(base64.as_bytes()).map_err(|_| ParseError::Base64)?.into(),
        None => Bytes::new(),
    };
    let alignment = wire.alignment.map(Alignment::into_chars).unwrap_or_default();
    Ok(Incoming::Piece { context: wire.context.unwrap_or_default(), audio, alignment, last })
}

/// A close of the connection while it was in use. The vendor gives nearly every reason with the code 1008, and says in
/// words what it means.
pub fn closed_early(code: Option<u16>, reason: &str) -> Failure {
    let mut failure = websocket::closed_early(Vendor::ElevenLabs, code, reason);
    if let Some(kind) = kind_of_words(reason) {
        failure.kind = kind;
    } else if reason.contains("input_timeout") {
        failure.kind = FailureKind::Timeout;
    }
    failure
}

#[derive(Deserialize)]
struct Wire<'a> {
    #[serde(borrow)]
    audio: Option<std::borrow::Cow<'a, str>>,
    #[serde(rename = "isFinal", alias = "is_final")]
    is_final: Option<bool>,
    #[serde(rename = "contextId", alias = "context_id")]
    context: Option<String>,
    alignment: Option<Alignment>,
    error: Option<String>,
    message: Option<String>,
    code: Option<u16>,
}

#[derive(Deserialize)]
struct Alignment {
    chars: Vec<String>,
    #[serde(rename = "charStartTimesMs")]
    start_times_ms: Vec<f64>,
    // The reference writes the second form in its example, the vendor's own clients read the first.
    #[serde(rename = "charDurationsMs", alias = "charsDurationsMs")]
    durations_ms: Vec<f64>,
}

impl Alignment {
    /// Characters that have no times in this message have none at all and are left out.
    fn into_chars(self) -> Vec<AlignedChar> {
        let times = self.start_times_ms.into_iter().zip(self.durations_ms);
        let mut aligned = Vec::with_capacity(self.chars.len());
        for (text, (start_ms, duration_ms)) in self.chars.into_iter().zip(times) {
            let (start_ms, duration_ms) = (start_ms.round() as u32, duration_ms.round() as u32);
            // What the vendor counts as one character may be several of ours; they are heard together.
            aligned.extend(text.chars().map(|character| AlignedChar { character, start_ms, duration_ms }));
        }
        aligned
    }
}

fn vendors_error(error: Option<&str>, message: Option<&str>, code: Option<u16>) -> Failure {
    let error = error.unwrap_or_default();
    let message = message.unwrap_or_default();
    let by_code = websocket::closed_early(Vendor::ElevenLabs, code, "").kind;
    // An error that nothing else is known about is the vendor's own.
    let by_code = if by_code == FailureKind::Closed { FailureKind::VendorFault } else { by_code };
    let kind = kind_of_words(error).or_else(|| kind_of_words(message)).unwrap_or(by_code);
    Failure::new(Vendor::ElevenLabs, kind, format_args!("{error}: {message}"))
}

/// What the vendor's names of errors mean.
fn kind_of_words(words: &str) -> Option<FailureKind> {
    const NAMES: [(&str, FailureKind); 9] = [
        ("max_active_conversations", FailureKind::RateLimited { retry_after: None }),
        ("too_many_concurrent_requests", FailureKind::RateLimited { retry_after: None }),
        ("quota_exceeded", FailureKind::RateLimited { retry_after: None }),
        ("rate_limit", FailureKind::RateLimited { retry_after: None }),
        ("system_busy", FailureKind::VendorFault),
        ("invalid_api_key", FailureKind::Unauthorized),
        ("missing_permissions", FailureKind::Unauthorized),
        ("needs_authorization", FailureKind::Unauthorized),
        ("unauthorized", FailureKind::Unauthorized),
    ];
    NAMES.iter().find(|(name, _)| words.contains(name)).map(|(_, kind)| *kind)
}

#[cfg(test)]
#[path = "wire_tests.rs"]
mod tests;
