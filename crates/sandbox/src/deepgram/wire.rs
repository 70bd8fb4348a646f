//! The parameters of `/v1/listen`, its control messages, and what it reports.

use crate::recogniser::{Encoding, HeardWord, Transcript};
use serde::Deserialize;
use serde_json::{Value, json};

/// What is asked of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListenOptions {
    /// Given back in the results.
    pub model: String,
    /// Encoding of the audio.
    pub encoding: Encoding,
    /// 8,000, 16,000 or 24,000.
    pub sample_rate_hz: u32,
    /// Report what was understood so far.
    pub interim_results: bool,
    /// The silence that ends an utterance; none if it is not to be waited for.
    pub endpointing_ms: Option<u32>,
    /// The pause between words that is reported as the end of an utterance.
    pub utterance_end_ms: Option<u32>,
    /// Report the start of speech.
    pub vad_events: bool,
}

/// A parameter that the vendor does not accept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid query parameter {name}={value}: {expected}")]
pub struct ParameterError {
    name: &'static str,
    value: String,
    expected: &'static str,
}

impl ListenOptions {
    /// Reads the query of the address; what makes no difference to the sandbox is ignored.
    pub fn parse(query: &[(String, String)]) -> Result<Self, ParameterError> {
        let find =
            |name: &str| query.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        let encoding = match find("encoding") {
            Some("mulaw") => Encoding::Mulaw,
            Some("alaw") => Encoding::Alaw,
            Some("linear16") => Encoding::Linear16,
            other => return Err(invalid("encoding", other, "one of mulaw, alaw, linear16")),
        };
        let sample_rate_hz = match (encoding, find("sample_rate")) {
            (_, Some("8000")) => 8_000,
            (Encoding::Linear16, Some("16000")) => 16_000,
            (Encoding::Linear16, Some("24000")) => 24_000,
            (_, other) => {
                return Err(invalid("sample_rate", other, "8000; with linear16 also 16000 or 24000"));
            }
        };
        if let Some(other) = find("channels").filter(|&channels| channels != "1") {
            return Err(invalid("channels", Some(other), "1"));
        }
        let flag = |name: &'static str| match find(name) {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            other => Err(invalid(name, other, "true or false")),
        };
        let interim_results = flag("interim_results")?;
        let endpointing_ms = match find("endpointing") {
            None | Some("true") => Some(10),
            Some("false") => None,
            Some(text) => match text.parse() {
                Ok(ms) => Some(ms),
                Err(_) => return Err(invalid("endpointing", Some(text), "true, false or milliseconds")),
            },
        };
        let utterance_end_ms = match find("utterance_end_ms").map(|text| (text, text.parse::<u32>())) {
            None => None,
            Some((_, Ok(ms))) if ms >= 1_000 && interim_results => Some(ms),
            Some((text, _)) => {
                let expected = "at least 1000 milliseconds, together with interim_results=true";
                return Err(invalid("utterance_end_ms", Some(text), expected));
            }
        };
        Ok(Self {
            model: find("model").unwrap_or("base").to_owned(),
            encoding,
            sample_rate_hz,
            interim_results,
            endpointing_ms,
            utterance_end_ms,
            vad_events: flag("vad_events")?,
        })
    }
}

fn invalid(name: &'static str, value: Option<&str>, expected: &'static str) -> ParameterError {
    ParameterError { name, value: value.unwrap_or_default().chars().take(100).collect(), expected }
}

/// What a client says besides audio.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(tag = "type")]
pub enum ControlMessage {
    /// The stream is still wanted.
    KeepAlive,
    /// Give the words of everything sent so far.
    Finalize,
    /// No more audio.
    CloseStream,
}

fn seconds(ms: u64) -> f64 {
    ms as f64 / 1e3
}

/// A `Results` message.
pub fn results(transcript: &Transcript, model: &str, request_id: &str) -> Value {
    let confidence = transcript.confidence.value();
    let word = |word: &HeardWord| {
        json!({
            "word": word.text, "start": seconds(word.start_ms), "end": seconds(word.end_ms), "confidence": confidence,
        })
    };
    json!({
        "type": "Results",
        "channel_index": [0, 1],
        "duration": seconds(transcript.end_ms.saturating_sub(transcript.start_ms)),
        "start": seconds(transcript.start_ms),
        "is_final": transcript.is_final,
        "speech_final": transcript.speech_final,
        "from_finalize": transcript.from_finalize,
        "channel": { "alternatives": [{
            "transcript": transcript.text(),
            "confidence": confidence,
            "words": transcript.words.iter().map(word).collect::<Vec<_>>(),
        }] },
        "metadata": {
            "request_id": request_id,
            "model_info": { "name": model, "version": "sandbox", "arch": model },
            "model_uuid": request_id,
        },
    })
}

/// A `SpeechStarted` message.
pub fn speech_started(at_ms: u64) -> Value {
    json!({ "type": "SpeechStarted", "channel": [0, 1], "timestamp": seconds(at_ms) })
}

/// An `UtteranceEnd` message.
pub fn utterance_end(last_word_end_ms: u64) -> Value {
    json!({ "type": "UtteranceEnd", "channel": [0, 1], "last_word_end": seconds(last_word_end_ms) })
}

/// The `Metadata` message that ends a stream.
pub fn metadata(request_id: &str, created: &str, audio_ms: u64) -> Value {
    json!({
        "type": "Metadata", "transaction_key": "deprecated", "request_id": request_id, "created": created,
        "duration": seconds(audio_ms), "channels": 1,
    })
}

/// An `Error` message on an open stream.
pub fn error(variant: &str, description: &str) -> Value {
    json!({ "type": "Error", "variant": variant, "description": description, "message": description })
}

/// The body of a handshake that is turned away.
pub fn refusal(code: &str, message: &str, request_id: &str) -> Value {
    json!({ "err_code": code, "err_msg": message, "request_id": request_id })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recogniser::Confidence;
    use proptest::prelude::*;

    fn parse(query: &str) -> Result<ListenOptions, ParameterError> {
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        ListenOptions::parse(
            &pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect::<Vec<_>>(),
        )
    }

    #[test]
    fn the_options_of_a_phone_call_are_read() {
        let options = parse(
            "model=nova-3&encoding=mulaw&sample_rate=8000&channels=1&interim_results=true&endpointing=300\
             &utterance_end_ms=1000&vad_events=true&smart_format=false&keyterm=maple&keyterm=oak",
        );
        let expected = ListenOptions {
            model: "nova-3".into(),
            encoding: Encoding::Mulaw,
            sample_rate_hz: 8_000,
            interim_results: true,
            endpointing_ms: Some(300),
            utterance_end_ms: Some(1_000),
            vad_events: true,
        };
        assert_eq!(options, Ok(expected));
    }

    #[test]
    fn the_vendors_defaults_hold() {
        let options = parse("encoding=linear16&sample_rate=24000").unwrap();
        assert_eq!(options.endpointing_ms, Some(10));
        assert_eq!(
            (options.interim_results, options.vad_events, options.utterance_end_ms),
            (false, false, None)
        );
        assert_eq!(
            parse("encoding=linear16&sample_rate=16000&endpointing=false").unwrap().endpointing_ms,
            None
        );
    }

    #[test]
    fn what_the_vendor_refuses_is_refused_by_name() {
        for (query, name) in [
            ("sample_rate=8000", "encoding"),
            ("encoding=opus&sample_rate=48000", "encoding"),
            ("encoding=mulaw", "sample_rate"),
            ("encoding=mulaw&sample_rate=16000", "sample_rate"),
            ("encoding=mulaw&sample_rate=8000&channels=2", "channels"),
            ("encoding=mulaw&sample_rate=8000&endpointing=soon", "endpointing"),
            ("encoding=mulaw&sample_rate=8000&vad_events=1", "vad_events"),
            ("encoding=mulaw&sample_rate=8000&utterance_end_ms=1000", "utterance_end_ms"),
            ("encoding=mulaw&sample_rate=8000&interim_results=true&utterance_end_ms=500", "utterance_end_ms"),
        ] {
            assert_eq!(parse(query).unwrap_err().name, name, "{query}");
        }
    }

    #[test]
    fn a_result_has_the_vendors_shape() {
        let transcript = Transcript {
            words: vec![HeardWord { text: "yes".into(), start_ms: 120, end_ms: 500 }],
            start_ms: 100,
            end_ms: 560,
            confidence: Confidence::Sure,
            is_final: true,
            speech_final: true,
            from_finalize: false,
        };
        let expected = json!({
            "type": "Results", "channel_index": [0, 1], "start": 0.1, "duration": 0.46,
            "is_final": true, "speech_final": true, "from_finalize": false,
            "channel": { "alternatives": [{ "transcript": "yes", "confidence": 1.0,
                "words": [{ "word": "yes", "start": 0.12, "end": 0.5, "confidence": 1.0 }] }] },
            "metadata": { "request_id": "id", "model_uuid": "id",
                "model_info": { "name": "nova-3", "version": "sandbox", "arch": "nova-3" } },
        });
        assert_eq!(results(&transcript, "nova-3", "id"), expected);
    }

    #[test]
    fn the_other_messages_have_the_vendors_shapes() {
        assert_eq!(
            speech_started(1_230),
            json!({ "type": "SpeechStarted", "channel": [0, 1], "timestamp": 1.23 })
        );
        assert_eq!(
            utterance_end(2_500),
            json!({ "type": "UtteranceEnd", "channel": [0, 1], "last_word_end": 2.5 })
        );
        let expected = json!({ "type": "Metadata", "transaction_key": "deprecated", "request_id": "id",
            "created": "2026-11-24T10:15:00Z", "duration": 1.5, "channels": 1 });
        assert_eq!(metadata("id", "2026-11-24T10:15:00Z", 1_500), expected);
    }

    #[test]
    fn the_three_control_messages_are_understood_and_no_other() {
        let control = |text| serde_json::from_str::<ControlMessage>(text);
        assert_eq!(control(r#"{"type":"KeepAlive"}"#).unwrap(), ControlMessage::KeepAlive);
        assert_eq!(control(r#"{"type":"Finalize","channel":0}"#).unwrap(), ControlMessage::Finalize);
        assert_eq!(control(r#"{"type":"CloseStream"}"#).unwrap(), ControlMessage::CloseStream);
        assert!(control(r#"{"type":"Configure"}"#).is_err());
    }

    proptest! {
        #[test]
        fn no_control_text_and_no_query_make_the_parsers_panic(text in ".{0,100}", value in ".{0,40}") {
            let _ = serde_json::from_str::<ControlMessage>(&text);
            let _ = ListenOptions::parse(&[("encoding".into(), "mulaw".into()), ("sample_rate".into(), value)]);
        }
    }
}
