//! Media Streams on the wire, from the exchange's end.
//!
//! Source: Twilio, "Media Streams: WebSocket messages". Numbers are strings. What the server may send is `media`, `mark`
//! and `clear`, with exactly the fields of the documentation: an extra or missing field is Twilio's error 31951.

use crate::{FRAME_BYTES, Frame};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::{borrow::Cow, collections::BTreeMap};

/// Twilio's code for a message that cannot be decoded: a binary frame.
pub const UNDECODABLE: u32 = 31_950;
/// Twilio's code for a message that is not valid.
pub const INVALID_MESSAGE: u32 = 31_951;

/// A valid message of the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServerMessage {
    /// Play this, after what is already there.
    Media(Bytes),
    /// Say when all before this has been played.
    Mark(String),
    /// Forget what has not been played.
    Clear,
}

/// A message of the server that Twilio reports as [`INVALID_MESSAGE`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidMessage {
    /// Not JSON, or not these fields.
    #[error("not a stream message: {0}")]
    Json(String),
    /// An event the server may not send.
    #[error("unknown event `{0}`")]
    Event(String),
    /// The body does not belong to the event.
    #[error("`{event}` {problem}")]
    Body {
        /// The event.
        event: &'static str,
        /// What is wrong with its fields.
        problem: &'static str,
    },
    /// Another stream's id.
    #[error("unknown streamSid `{0}`")]
    StreamSid(String),
    /// Audio that is not base64.
    #[error("payload is not base64")]
    Base64,
}

/// Reads a message of the server.
pub fn parse(text: &str, stream_sid: &str) -> Result<ServerMessage, InvalidMessage> {
    let message: Message<'_> =
        serde_json::from_str(text).map_err(|error| InvalidMessage::Json(error.to_string()))?;
    let body = |event, problem| InvalidMessage::Body { event, problem };
    let parsed = match (&*message.event, message.media, message.mark) {
        ("media", Some(media), None) => base64_simd::STANDARD
            .decode_to_vec(media.payload.as_bytes())
            .map(|bytes| ServerMessage::Media(bytes.into()))
            .map_err(|_| InvalidMessage::Base64)?,
        ("media", None, _) => return Err(body("media", "without `media`")),
        ("media", Some(_), Some(_)) => return Err(body("media", "with `mark`")),
        ("mark", None, Some(mark)) => ServerMessage::Mark(mark.name.into_owned()),
        ("mark", _, None) => return Err(body("mark", "without `mark`")),
        ("mark", Some(_), Some(_)) => return Err(body("mark", "with `media`")),
        ("clear", None, None) => ServerMessage::Clear,
        ("clear", _, _) => return Err(body("clear", "with a body")),
        (other, _, _) => return Err(InvalidMessage::Event(other.chars().take(40).collect())),
    };
    if message.stream_sid != stream_sid {
        return Err(InvalidMessage::StreamSid(message.stream_sid.chars().take(40).collect()));
    }
    Ok(parsed)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Message<'a> {
    #[serde(borrow)]
    event: Cow<'a, str>,
    #[serde(borrow, rename = "streamSid")]
    stream_sid: Cow<'a, str>,
    #[serde(borrow)]
    media: Option<Media<'a>>,
    #[serde(borrow)]
    mark: Option<Mark<'a>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Media<'a> {
    #[serde(borrow)]
    payload: Cow<'a, str>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Mark<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
}

/// Writes the exchange's messages of one stream and counts them.
#[derive(Debug)]
pub struct StreamWriter {
    account_sid: String,
    call_sid: String,
    stream_sid: String,
    sequence: u64,
    chunk: u64,
}

impl StreamWriter {
    /// The messages of stream `stream_sid` of a call.
    pub fn new(account_sid: &str, call_sid: &str, stream_sid: String) -> Self {
        Self {
            account_sid: account_sid.to_owned(),
            call_sid: call_sid.to_owned(),
            stream_sid,
            sequence: 0,
            chunk: 0,
        }
    }

    /// The stream's id.
    pub fn stream_sid(&self) -> &str {
        &self.stream_sid
    }

    /// The first message.
    pub fn connected() -> String {
        r#"{"event":"connected","protocol":"Call","version":"1.0.0"}"#.to_owned()
    }

    /// The second message.
    pub fn start(&mut self, parameters: &BTreeMap<String, String>) -> String {
        let start = Start {
            account_sid: &self.account_sid,
            stream_sid: &self.stream_sid,
            call_sid: &self.call_sid,
            tracks: ["inbound"],
            media_format: MediaFormat { encoding: "audio/x-mulaw", sample_rate: 8_000, channels: 1 },
            custom_parameters: parameters,
        };
        let start = serde_json::json!(start);
        self.message("start", "start", &start)
    }

    /// 20 ms of what the caller said, `timestamp_ms` after the stream began.
    pub fn media(&mut self, timestamp_ms: u64, frame: &Frame) -> String {
        self.sequence += 1;
        self.chunk += 1;
        let mut text = format!(
            r#"{{"event":"media","sequenceNumber":"{}","media":{{"track":"inbound","chunk":"{}","timestamp":"{timestamp_ms}","payload":""#,
            self.sequence, self.chunk
        );
        text.reserve(FRAME_BYTES * 4 / 3 + 64);
        base64_simd::STANDARD.encode_append(frame, &mut text);
        text.push_str(r#""},"streamSid":""#);
        text.push_str(&self.stream_sid);
        text.push_str(r#""}"#);
        text
    }

    /// Everything before this mark has been played, or cleared.
    pub fn mark(&mut self, name: &str) -> String {
        self.message("mark", "mark", &serde_json::json!({ "name": name }))
    }

    /// The caller pressed a key.
    pub fn dtmf(&mut self, digit: char) -> String {
        self.message("dtmf", "dtmf", &serde_json::json!({ "track": "inbound_track", "digit": digit }))
    }

    /// The last message.
    pub fn stop(&mut self) -> String {
        let stop = serde_json::json!({ "accountSid": self.account_sid, "callSid": self.call_sid });
        self.message("stop", "stop", &stop)
    }

    fn message(&mut self, event: &str, key: &str, body: &serde_json::Value) -> String {
        self.sequence += 1;
        format!(
            r#"{{"event":"{event}","sequenceNumber":"{}","{key}":{body},"streamSid":"{}"}}"#,
            self.sequence, self.stream_sid
        )
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Start<'a> {
    account_sid: &'a str,
    stream_sid: &'a str,
    call_sid: &'a str,
    tracks: [&'a str; 1],
    media_format: MediaFormat<'a>,
    custom_parameters: &'a BTreeMap<String, String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct MediaFormat<'a> {
    encoding: &'a str,
    sample_rate: u32,
    channels: u32,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn the_three_messages_of_the_server_are_read() {
        let media = r#"{"event":"media","streamSid":"MZ1","media":{"payload":"\/w=="}}"#;
        assert_eq!(parse(media, "MZ1"), Ok(ServerMessage::Media(Bytes::from_static(&[0xFF]))));
        let mark = r#"{"event":"mark","streamSid":"MZ1","mark":{"name":"7"}}"#;
        assert_eq!(parse(mark, "MZ1"), Ok(ServerMessage::Mark("7".to_owned())));
        assert_eq!(parse(r#"{"event":"clear","streamSid":"MZ1"}"#, "MZ1"), Ok(ServerMessage::Clear));
    }

    #[test]
    fn anything_else_is_an_invalid_message() {
        for bad in [
            "",
            "[]",
            "{",
            r#"{"event":"media","streamSid":"MZ1"}"#,
            r#"{"event":"media","media":{"payload":"AA=="}}"#,
            r#"{"event":"media","streamSid":"MZ1","media":{}}"#,
            r#"{"event":"media","streamSid":"MZ1","media":{"payload":"AA==","track":"outbound"}}"#,
            r#"{"event":"media","streamSid":"MZ1","media":{"payload":"AA=="},"extra":1}"#,
            r#"{"event":"media","streamSid":"MZ1","media":{"payload":"not base64!"}}"#,
            r#"{"event":"media","streamSid":"MZ2","media":{"payload":"AA=="}}"#,
            r#"{"event":"mark","streamSid":"MZ1","mark":{}}"#,
            r#"{"event":"mark","streamSid":"MZ1","mark":{"name":7}}"#,
            r#"{"event":"clear","streamSid":"MZ1","mark":{"name":"7"}}"#,
            r#"{"event":"stop","streamSid":"MZ1"}"#,
        ] {
            assert!(parse(bad, "MZ1").is_err(), "{bad}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_message_makes_the_parser_panic(text in ".*", event in "media|mark|clear", body in ".{0,40}") {
            let _ = parse(&text, "MZ1");
            let nearly = format!(r#"{{"event":"{event}","streamSid":"MZ1","{event}":{body}}}"#);
            let _ = parse(&nearly, "MZ1");
        }
    }

    #[test]
    fn the_exchange_writes_what_twilio_documents() {
        let mut writer = StreamWriter::new("AC1", "CA1", "MZ1".to_owned());
        let value = |text: String| serde_json::from_str::<Value>(&text).unwrap();
        assert_eq!(
            value(StreamWriter::connected()),
            json!({"event":"connected","protocol":"Call","version":"1.0.0"})
        );
        let parameters = BTreeMap::from([("token".to_owned(), "a\"b".to_owned())]);
        assert_eq!(
            value(writer.start(&parameters)),
            json!({"event":"start","sequenceNumber":"1","streamSid":"MZ1","start":{
                "accountSid":"AC1","streamSid":"MZ1","callSid":"CA1","tracks":["inbound"],
                "mediaFormat":{"encoding":"audio/x-mulaw","sampleRate":8000,"channels":1},
                "customParameters":{"token":"a\"b"}}})
        );
        let payload = base64_simd::STANDARD.encode_to_string([9_u8; 160]);
        assert_eq!(
            value(writer.media(40, &[9; 160])),
            json!({"event":"media","sequenceNumber":"2","streamSid":"MZ1",
                "media":{"track":"inbound","chunk":"1","timestamp":"40","payload":payload}})
        );
        assert_eq!(
            value(writer.dtmf('#')),
            json!({"event":"dtmf","sequenceNumber":"3","streamSid":"MZ1",
                "dtmf":{"track":"inbound_track","digit":"#"}})
        );
        assert_eq!(
            value(writer.mark("a\"b")),
            json!({"event":"mark","sequenceNumber":"4","streamSid":"MZ1","mark":{"name":"a\"b"}})
        );
        assert_eq!(
            value(writer.stop()),
            json!({"event":"stop","sequenceNumber":"5","streamSid":"MZ1",
                "stop":{"accountSid":"AC1","callSid":"CA1"}})
        );
    }
}
