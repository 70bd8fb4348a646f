//! `/v1/audio/speech`: a second voice, spoken by espeak-ng as well, that nobody takes for the first.
//!
//! As the vendor: the language is that of the text, `pcm` is 24 kHz without a header in a chunked body, `sse` the same in
//! events. Speech starts with 180 ms of silence, as real voices do. `speed` and `instructions` make no difference.

use super::{server, stream};
use crate::{
    EspeakVoice, Fault, RequestKind,
    conduct::Treatment,
    injected::{Delayed, InjectedStage},
    line::Line,
    sandbox::Shared,
    voice::{self, OutputFormat, PIECE_MS},
};
use axum::{
    Router,
    body::Bytes,
    extract::{ConnectInfo, State},
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
    routing::post,
};
use seiketsu_audio::subcarrier;
use seiketsu_domain::Language;
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;

/// The longest text the vendor takes, in characters.
const MAX_INPUT_CHARS: usize = 4_096;

/// The vendor's voices.
const VOICES: [&str; 13] = [
    "alloy", "ash", "ballad", "cedar", "coral", "echo", "fable", "marin", "nova", "onyx", "sage", "shimmer",
    "verse",
];

/// A text to speak. Fields that do not change what the sandbox does are accepted and ignored.
#[derive(Debug, Clone, Deserialize)]
pub struct SpeechRequest {
    model: String,
    input: String,
    voice: String,
    response_format: Option<String>,
    stream_format: Option<String>,
}

/// How the audio is wrapped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wrapping {
    Bare,
    Events,
}

impl SpeechRequest {
    /// Reads a request body; what the vendor would refuse is refused in its words.
    fn parse(body: &[u8]) -> Result<(Self, Wrapping), String> {
        let request: Self = serde_json::from_slice(body)
            .map_err(|error| format!("We could not parse the JSON body of your request: {error}"))?;
        if request.model.is_empty() {
            return Err("you must provide a model parameter".to_owned());
        }
        if request.input.is_empty() || request.input.chars().count() > MAX_INPUT_CHARS {
            return Err(format!("input has to have between 1 and {MAX_INPUT_CHARS} characters"));
        }
        if !VOICES.contains(&request.voice.as_str()) {
            return Err(format!("voice has to be one of {}", VOICES.join(", ")));
        }
        // The vendor's default is an MP3, which nobody who asks for a phone call wants.
        if request.response_format.as_deref() != Some("pcm") {
            return Err("this server gives response_format `pcm` only".to_owned());
        }
        let wrapping = match request.stream_format.as_deref() {
            None | Some("audio") => Wrapping::Bare,
            Some("sse") => Wrapping::Events,
            Some(_) => return Err("stream_format has to be `audio` or `sse`".to_owned()),
        };
        Ok((request, wrapping))
    }
}

pub(crate) fn router() -> Router<Arc<Shared>> {
    Router::new().route("/v1/audio/speech", post(speak))
}

async fn speak(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(line): ConnectInfo<Line>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if !server::authorised(&shared, &headers) {
        return server::unauthorised();
    }
    let (request, wrapping) = match SpeechRequest::parse(&body) {
        Ok(parsed) => parsed,
        Err(message) => return server::invalid(&message),
    };
    let conduct = &shared.conduct;
    let asked_at = conduct.clock().monotonic();
    let Treatment { delay, interval, fault, retry_after, .. } = conduct.next(RequestKind::Speech);
    let held = || conduct.clock().monotonic().saturating_sub(asked_at);
    let wait = async || {
        tokio::time::sleep(delay.saturating_sub(held())).await;
        let delayed =
            Delayed { stage: InjectedStage::FirstByte, key: &request.input, delay, held: held(), fault };
        conduct.record(RequestKind::Speech, &delayed);
    };
    match fault {
        Some(Fault::Refuse) => {
            wait().await;
            return server::overloaded();
        }
        Some(Fault::RateLimit) => {
            wait().await;
            return server::limited(retry_after);
        }
        Some(Fault::Stall | Fault::HalfOpen | Fault::Disconnect | Fault::Garbage) | None => {}
    }
    let voice = EspeakVoice::of_second_cast(&request.voice, language_of(&request.input));
    let spoken = match shared.espeak.speak(&request.input, &voice).await {
        Ok(spoken) => spoken,
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "the sandbox's second voice failed");
            return server::overloaded();
        }
    };
    wait().await;
    let audio = voice::encode(&spoken.pcm_8k, OutputFormat::Pcm24k);
    let pieces = audio.chunks(PIECE_MS as usize * OutputFormat::Pcm24k.bytes_per_ms());
    let (content_type, parts) = match wrapping {
        Wrapping::Bare => ("audio/pcm", pieces.map(Bytes::copy_from_slice).collect()),
        Wrapping::Events => ("text/event-stream", events(pieces, &request.input)),
    };
    ([(header::CONTENT_TYPE, content_type)], stream::body(parts, interval, fault, line)).into_response()
}

fn events<'a>(pieces: impl Iterator<Item = &'a [u8]>, input: &str) -> Vec<Bytes> {
    let event = |data: serde_json::Value| Bytes::from(format!("data: {data}\n\n"));
    let delta = |piece: &[u8]| json!({ "type": "speech.audio.delta", "audio": base64_simd::STANDARD.encode_to_string(piece) });
    let mut events: Vec<Bytes> = pieces.map(|piece| event(delta(piece))).collect();
    let (input_tokens, output_tokens) = (super::chunks::token_count(input), events.len());
    events.push(event(json!({
        "type": "speech.audio.done",
        "usage": { "input_tokens": input_tokens, "output_tokens": output_tokens,
            "total_tokens": input_tokens + output_tokens },
    })));
    events
}

/// Words that almost every Spanish sentence has some of.
const SPANISH: [&str; 24] = [
    "el", "la", "los", "las", "un", "una", "de", "del", "que", "es", "está", "en", "por", "para", "con",
    "su", "gracias", "hola", "sí", "usted", "le", "se", "tiene", "hay",
];

/// The same for English.
const ENGLISH: [&str; 24] = [
    "the", "a", "an", "of", "and", "to", "in", "on", "at", "is", "it", "it's", "for", "with", "you", "your",
    "i", "we", "have", "has", "yes", "what", "thanks", "hello",
];

/// The language that a text is most likely in.
fn language_of(text: &str) -> Language {
    if text.chars().any(subcarrier::is_written_without_spaces) {
        return Language::Zh;
    }
    let lower = text.to_lowercase();
    let words = || lower.split(|character: char| !character.is_alphabetic() && character != '\'');
    let count = |known: &[&str]| words().filter(|word| known.contains(word)).count();
    let marked = lower.contains(['¿', '¡', 'ñ', 'á', 'é', 'í', 'ó', 'ú']);
    if marked || count(&SPANISH) > count(&ENGLISH) { Language::Es } else { Language::En }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(body: &serde_json::Value) -> Result<Wrapping, String> {
        SpeechRequest::parse(body.to_string().as_bytes()).map(|(_, wrapping)| wrapping)
    }

    #[test]
    fn what_the_platform_asks_for_is_understood() {
        let full = json!({ "model": "gpt-4o-mini-tts", "input": "Of course.", "voice": "coral",
            "response_format": "pcm", "speed": 1.0, "instructions": "Speak calmly." });
        assert_eq!(parse(&full), Ok(Wrapping::Bare));
        let events = json!({ "model": "gpt-4o-mini-tts", "input": "Hi", "voice": "ash", "response_format": "pcm",
            "stream_format": "sse" });
        assert_eq!(parse(&events), Ok(Wrapping::Events));
    }

    #[test]
    fn what_the_vendor_refuses_is_refused_with_a_reason() {
        let with = |key: &str, value: serde_json::Value| {
            let mut body = json!({ "model": "m", "input": "Hi", "voice": "ash", "response_format": "pcm" });
            body[key] = value;
            parse(&body).unwrap_err()
        };
        assert!(with("input", json!("")).contains("input"));
        assert!(with("input", json!("a".repeat(5_000))).contains("4096"));
        assert!(with("voice", json!("rachel")).contains("voice"));
        assert!(with("response_format", json!("mp3")).contains("pcm"));
        assert!(with("stream_format", json!("xml")).contains("stream_format"));
        assert!(with("model", json!(7)).contains("JSON"));
    }

    #[test]
    fn the_language_is_that_of_the_text() {
        for (text, language) in [
            ("Of course. It has three bedrooms.", Language::En),
            ("The viewing is at La Mesa Drive.", Language::En),
            ("Claro, la casa tiene tres habitaciones.", Language::Es),
            ("¿Cuándo?", Language::Es),
            ("好的，请稍等。", Language::Zh),
            ("", Language::En),
        ] {
            assert_eq!(language_of(text), language, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_parser_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = SpeechRequest::parse(&bytes);
        }
    }
}
