//! The parameters of `/v1/speech-to-text/realtime`, what a client sends, and what the vendor reports.

use crate::recogniser::{Confidence, Encoding, Transcript};
use serde::Deserialize;
use serde_json::{Value, json};

/// What is asked of a stream.
#[derive(Debug, Clone, PartialEq)]
pub struct Session {
    /// Given back.
    pub model_id: String,
    /// The parameter as it came.
    pub audio_format: String,
    /// Encoding of the audio.
    pub encoding: Encoding,
    /// 8,000, 16,000 or 24,000.
    pub sample_rate_hz: u32,
    /// The silence that commits, in seconds; none if the client commits.
    pub vad_silence_threshold_secs: Option<f64>,
    /// Times of the words as well.
    pub include_timestamps: bool,
    /// ISO 639, if given.
    pub language_code: Option<String>,
}

/// A parameter that the vendor does not accept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid query parameter {name}={value}: {expected}")]
pub struct ParameterError {
    name: &'static str,
    value: String,
    expected: &'static str,
}

impl Session {
    /// Reads the query of the address; what makes no difference to the sandbox is ignored.
    pub fn parse(query: &[(String, String)]) -> Result<Self, ParameterError> {
        let find =
            |name: &str| query.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        let invalid = |name, expected| ParameterError {
            name,
            value: find(name).unwrap_or_default().chars().take(100).collect(),
            expected,
        };
        let Some(model_id) = find("model_id").filter(|id| !id.is_empty()) else {
            return Err(invalid("model_id", "the name of a model"));
        };
        let audio_format = find("audio_format").unwrap_or("pcm_16000");
        let (encoding, sample_rate_hz) = match audio_format {
            "ulaw_8000" => (Encoding::Mulaw, 8_000),
            "pcm_8000" => (Encoding::Linear16, 8_000),
            "pcm_16000" => (Encoding::Linear16, 16_000),
            "pcm_24000" => (Encoding::Linear16, 24_000),
            _ => {
                return Err(invalid("audio_format", "one of ulaw_8000, pcm_8000, pcm_16000, pcm_24000"));
            }
        };
        let vad_silence_threshold_secs = match find("commit_strategy") {
            None | Some("manual") => None,
            Some("vad") => {
                let seconds = find("vad_silence_threshold_secs").map_or(Ok(1.5), str::parse::<f64>);
                match seconds {
                    Ok(seconds) if (0.3..=3.0).contains(&seconds) => Some(seconds),
                    Ok(_) | Err(_) => {
                        return Err(invalid("vad_silence_threshold_secs", "between 0.3 and 3"));
                    }
                }
            }
            Some(_) => return Err(invalid("commit_strategy", "manual or vad")),
        };
        let include_timestamps = match find("include_timestamps") {
            None | Some("false") => false,
            Some("true") => true,
            Some(_) => return Err(invalid("include_timestamps", "true or false")),
        };
        Ok(Self {
            model_id: model_id.to_owned(),
            audio_format: audio_format.to_owned(),
            encoding,
            sample_rate_hz,
            vad_silence_threshold_secs,
            include_timestamps,
            language_code: find("language_code").map(str::to_owned),
        })
    }
}

/// What a client sends.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "message_type")]
pub enum ClientMessage {
    /// More audio, or none, and whether what was said is to be committed.
    #[serde(rename = "input_audio_chunk")]
    InputAudioChunk {
        /// Base64.
        #[serde(default)]
        audio_base_64: String,
        /// Commit.
        #[serde(default)]
        commit: bool,
    },
}

/// The `session_started` message.
pub fn session_started(session: &Session, session_id: &str) -> Value {
    json!({
        "message_type": "session_started",
        "session_id": session_id,
        "config": {
            "model_id": session.model_id,
            "audio_format": session.audio_format,
            "sample_rate": session.sample_rate_hz,
            "language_code": session.language_code,
            "include_timestamps": session.include_timestamps,
            "vad_commit_strategy": session.vad_silence_threshold_secs.is_some(),
            "vad_silence_threshold_secs": session.vad_silence_threshold_secs,
        },
    })
}

/// A `partial_transcript` message.
pub fn partial(transcript: &Transcript) -> Value {
    json!({ "message_type": "partial_transcript", "text": transcript.text() })
}

/// A `committed_transcript` message.
pub fn committed(transcript: &Transcript) -> Value {
    json!({ "message_type": "committed_transcript", "text": transcript.text() })
}

/// A `committed_transcript_with_timestamps` message.
pub fn committed_with_timestamps(transcript: &Transcript, language_code: &str) -> Value {
    let seconds = |ms: u64| ms as f64 / 1e3;
    let logprob = transcript.confidence.log_probability();
    let entry = |text: &str, kind: &str, start_ms: u64, end_ms: u64| {
        json!({
            "text": text, "start": seconds(start_ms), "end": seconds(end_ms), "type": kind, "logprob": logprob,
            "speaker_id": null,
        })
    };
    let mut words = Vec::new();
    for (index, word) in transcript.words.iter().enumerate() {
        if let Some(before) = index.checked_sub(1).and_then(|before| transcript.words.get(before)) {
            words.push(entry(" ", "spacing", before.end_ms, word.start_ms));
        }
        words.push(entry(&word.text, "word", word.start_ms, word.end_ms));
    }
    if words.is_empty() && transcript.confidence == Confidence::Flagged {
        words.push(entry("(inaudible)", "audio_event", transcript.start_ms, transcript.end_ms));
    }
    json!({
        "message_type": "committed_transcript_with_timestamps",
        "text": transcript.text(),
        "language_code": language_code,
        "words": words,
    })
}

/// One of the vendor's errors.
pub fn error(kind: &str, message: &str) -> Value {
    json!({ "message_type": kind, "error": message })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recogniser::HeardWord;
    use proptest::prelude::*;

    fn parse(query: &str) -> Result<Session, ParameterError> {
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        Session::parse(&pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect::<Vec<_>>())
    }

    fn transcript(words: &[&str], confidence: Confidence) -> Transcript {
        let word = |(text, at): (&&str, u64)| HeardWord {
            text: (*text).to_owned(),
            start_ms: at * 500,
            end_ms: at * 500 + 400,
        };
        Transcript {
            words: words.iter().zip(0..).map(word).collect(),
            start_ms: 0,
            end_ms: 1_000,
            confidence,
            is_final: true,
            speech_final: false,
            from_finalize: true,
        }
    }

    #[test]
    fn the_options_of_a_phone_call_are_read() {
        let session = parse(
            "model_id=scribe_v2_realtime&audio_format=ulaw_8000&commit_strategy=manual&language_code=es\
             &include_timestamps=true&no_verbatim=true",
        )
        .unwrap();
        assert_eq!((session.encoding, session.sample_rate_hz), (Encoding::Mulaw, 8_000));
        assert_eq!((session.vad_silence_threshold_secs, session.include_timestamps), (None, true));
        assert_eq!(session.language_code.as_deref(), Some("es"));
    }

    #[test]
    fn the_vendors_defaults_hold_and_what_it_refuses_is_refused_by_name() {
        let session = parse("model_id=scribe_v2_realtime&commit_strategy=vad").unwrap();
        assert_eq!((session.sample_rate_hz, session.vad_silence_threshold_secs), (16_000, Some(1.5)));
        for (query, name) in [
            ("audio_format=ulaw_8000", "model_id"),
            ("model_id=m&audio_format=opus_48000", "audio_format"),
            ("model_id=m&commit_strategy=sometimes", "commit_strategy"),
            ("model_id=m&commit_strategy=vad&vad_silence_threshold_secs=9", "vad_silence_threshold_secs"),
            ("model_id=m&include_timestamps=1", "include_timestamps"),
        ] {
            assert_eq!(parse(query).unwrap_err().name, name, "{query}");
        }
    }

    #[test]
    fn an_audio_chunk_is_understood_with_and_without_its_optional_fields() {
        let parse = |text| serde_json::from_str::<ClientMessage>(text).unwrap();
        let full = r#"{"message_type":"input_audio_chunk","audio_base_64":"//8=","commit":true,"sample_rate":8000,"previous_text":"hi"}"#;
        assert_eq!(
            parse(full),
            ClientMessage::InputAudioChunk { audio_base_64: "//8=".into(), commit: true }
        );
        let bare = r#"{"message_type":"input_audio_chunk","audio_base_64":""}"#;
        assert_eq!(
            parse(bare),
            ClientMessage::InputAudioChunk { audio_base_64: String::new(), commit: false }
        );
        assert!(serde_json::from_str::<ClientMessage>(r#"{"message_type":"flush"}"#).is_err());
    }

    #[test]
    fn transcripts_have_the_vendors_shapes() {
        let sure = transcript(&["yes", "please"], Confidence::Sure);
        insta::assert_snapshot!(partial(&sure), @r#"{"message_type":"partial_transcript","text":"yes please"}"#);
        insta::assert_snapshot!(committed(&sure), @r#"{"message_type":"committed_transcript","text":"yes please"}"#);
        let expected = json!({
            "message_type": "committed_transcript_with_timestamps", "text": "yes please", "language_code": "en",
            "words": [
                { "text": "yes", "start": 0.0, "end": 0.4, "type": "word", "logprob": 0.0, "speaker_id": null },
                { "text": " ", "start": 0.4, "end": 0.5, "type": "spacing", "logprob": 0.0, "speaker_id": null },
                { "text": "please", "start": 0.5, "end": 0.9, "type": "word", "logprob": 0.0, "speaker_id": null },
            ],
        });
        assert_eq!(committed_with_timestamps(&sure, "en"), expected);
    }

    #[test]
    fn damaged_audio_shows_in_every_word_and_without_words_as_an_event() {
        let logprob = |confidence, words: &[&str]| {
            committed_with_timestamps(&transcript(words, confidence), "en")["words"][0]["logprob"].as_f64()
        };
        assert!(logprob(Confidence::Flagged, &["yes"]).unwrap() < -1.2);
        assert!(logprob(Confidence::Flagged, &[]).unwrap() < -1.2);
        assert_eq!(logprob(Confidence::Nothing, &[]), None);
    }

    proptest! {
        #[test]
        fn no_text_and_no_query_make_the_parsers_panic(text in ".{0,200}", value in ".{0,40}") {
            let _ = serde_json::from_str::<ClientMessage>(&text);
            let _ = Session::parse(&[("model_id".into(), "m".into()), ("audio_format".into(), value)]);
        }
    }
}
