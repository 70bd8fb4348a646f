//! What a client is told.

use super::{error::EventError, item::Item, response::Response, session::Session};
use serde::{Serialize, Serializer};

/// An event for a client. It borrows what it tells.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(tag = "type")]
pub enum ServerEvent<'a> {
    /// Something went wrong; the session stays open.
    #[serde(rename = "error")]
    Error {
        /// What.
        error: &'a EventError,
    },
    /// The first event of all.
    #[serde(rename = "session.created")]
    SessionCreated {
        /// The configuration to begin with.
        session: &'a Session,
    },
    /// An update took effect.
    #[serde(rename = "session.updated")]
    SessionUpdated {
        /// The whole configuration.
        session: &'a Session,
    },
    /// The caller begins to speak.
    #[serde(rename = "input_audio_buffer.speech_started")]
    SpeechStarted {
        /// When, in all the audio that was ever appended.
        audio_start_ms: u64,
        /// The item that this will be.
        item_id: &'a str,
    },
    /// The caller has stopped.
    #[serde(rename = "input_audio_buffer.speech_stopped")]
    SpeechStopped {
        /// When, in all the audio that was ever appended.
        audio_end_ms: u64,
        /// The item that this will be.
        item_id: &'a str,
    },
    /// The audio has become an item.
    #[serde(rename = "input_audio_buffer.committed")]
    AudioCommitted {
        /// Which.
        item_id: &'a str,
        /// Behind which.
        previous_item_id: Option<&'a str>,
    },
    /// The audio was thrown away.
    #[serde(rename = "input_audio_buffer.cleared")]
    AudioCleared,
    /// The caller was silent for so long that they are asked again.
    #[serde(rename = "input_audio_buffer.timeout_triggered")]
    IdleTimeout {
        /// From when on.
        audio_start_ms: u64,
        /// Until when.
        audio_end_ms: u64,
        /// The item that the silence is.
        item_id: &'a str,
    },
    /// The conversation has one more item, perhaps not all of it yet.
    #[serde(rename = "conversation.item.added")]
    ItemAdded {
        /// Behind which.
        previous_item_id: Option<&'a str>,
        /// As it is now.
        item: &'a Item,
    },
    /// An item of the conversation is as it will stay.
    #[serde(rename = "conversation.item.done")]
    ItemDone {
        /// Behind which.
        previous_item_id: Option<&'a str>,
        /// All of it.
        item: &'a Item,
    },
    /// The item that the client asked for.
    #[serde(rename = "conversation.item.retrieved")]
    ItemRetrieved {
        /// As it is now.
        item: &'a Item,
    },
    /// An item was cut to what was heard of it.
    #[serde(rename = "conversation.item.truncated")]
    ItemTruncated {
        /// Which.
        item_id: &'a str,
        /// Which part of it.
        content_index: usize,
        /// How much of its audio is left.
        audio_end_ms: u64,
    },
    /// An item is gone.
    #[serde(rename = "conversation.item.deleted")]
    ItemDeleted {
        /// Which.
        item_id: &'a str,
    },
    /// More of what the caller said.
    #[serde(rename = "conversation.item.input_audio_transcription.delta")]
    TranscriptionDelta {
        /// In which item.
        item_id: &'a str,
        /// In which part of it.
        content_index: usize,
        /// The words.
        delta: &'a str,
    },
    /// All that the caller said.
    #[serde(rename = "conversation.item.input_audio_transcription.completed")]
    TranscriptionCompleted {
        /// In which item.
        item_id: &'a str,
        /// In which part of it.
        content_index: usize,
        /// The words.
        transcript: &'a str,
        /// How long the audio was.
        #[serde(rename = "usage", serialize_with = "duration")]
        audio_seconds: f64,
    },
    /// What the caller said is not known.
    #[serde(rename = "conversation.item.input_audio_transcription.failed")]
    TranscriptionFailed {
        /// In which item.
        item_id: &'a str,
        /// In which part of it.
        content_index: usize,
        /// Why.
        error: TranscriptionFailure<'a>,
    },
    /// A response begins.
    #[serde(rename = "response.created")]
    ResponseCreated {
        /// As it is now.
        response: &'a Response,
    },
    /// A response has ended, in whichever way.
    #[serde(rename = "response.done")]
    ResponseDone {
        /// All of it.
        response: &'a Response,
    },
    /// A response has one more item.
    #[serde(rename = "response.output_item.added")]
    OutputItemAdded {
        /// Which response.
        response_id: &'a str,
        /// The item's place in the response.
        output_index: usize,
        /// As it is now.
        item: &'a Item,
    },
    /// An item of a response is as it will stay.
    #[serde(rename = "response.output_item.done")]
    OutputItemDone {
        /// Which response.
        response_id: &'a str,
        /// The item's place in the response.
        output_index: usize,
        /// All of it.
        item: &'a Item,
    },
    /// A message of a response has one more part.
    #[serde(rename = "response.content_part.added")]
    ContentPartAdded {
        /// Where.
        #[serde(flatten)]
        at: At<'a>,
        /// As it is now.
        part: ResponsePart<'a>,
    },
    /// A part is as it will stay.
    #[serde(rename = "response.content_part.done")]
    ContentPartDone {
        /// Where.
        #[serde(flatten)]
        at: At<'a>,
        /// All of it.
        part: ResponsePart<'a>,
    },
    /// More sound. At most [`MAX_DELTA_BYTES`](super::MAX_DELTA_BYTES) are meant to come at once.
    #[serde(rename = "response.output_audio.delta")]
    AudioDelta {
        /// Where.
        #[serde(flatten)]
        at: At<'a>,
        /// In the session's output format. Written by [`ServerEvent::to_json`] as `delta`.
        #[serde(skip)]
        audio: &'a [u8],
    },
    /// No more sound.
    #[serde(rename = "response.output_audio.done")]
    AudioDone {
        /// Where.
        #[serde(flatten)]
        at: At<'a>,
    },
    /// More words of what is spoken.
    #[serde(rename = "response.output_audio_transcript.delta")]
    TranscriptDelta {
        /// Where.
        #[serde(flatten)]
        at: At<'a>,
        /// The words.
        delta: &'a str,
    },
    /// All words of what was spoken.
    #[serde(rename = "response.output_audio_transcript.done")]
    TranscriptDone {
        /// Where.
        #[serde(flatten)]
        at: At<'a>,
        /// The words.
        transcript: &'a str,
    },
    /// More of what is written.
    #[serde(rename = "response.output_text.delta")]
    TextDelta {
        /// Where.
        #[serde(flatten)]
        at: At<'a>,
        /// The words.
        delta: &'a str,
    },
    /// All of what was written.
    #[serde(rename = "response.output_text.done")]
    TextDone {
        /// Where.
        #[serde(flatten)]
        at: At<'a>,
        /// The words.
        text: &'a str,
    },
    /// More of a tool's arguments.
    #[serde(rename = "response.function_call_arguments.delta")]
    ArgumentsDelta {
        /// Which response.
        response_id: &'a str,
        /// Which of its items.
        item_id: &'a str,
        /// The item's place in the response.
        output_index: usize,
        /// Which call.
        call_id: &'a str,
        /// More JSON.
        delta: &'a str,
    },
    /// All of a tool's arguments.
    #[serde(rename = "response.function_call_arguments.done")]
    ArgumentsDone {
        /// Which response.
        response_id: &'a str,
        /// Which of its items.
        item_id: &'a str,
        /// The item's place in the response.
        output_index: usize,
        /// Which call.
        call_id: &'a str,
        /// Which tool.
        name: &'a str,
        /// All of the JSON.
        arguments: &'a str,
    },
    /// What the client may still ask for.
    #[serde(rename = "rate_limits.updated")]
    RateLimitsUpdated {
        /// Each limit.
        rate_limits: &'a [RateLimit],
    },
}

/// Why it is not known what the caller said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename = "transcription_error")]
pub struct TranscriptionFailure<'a> {
    /// A name for programs.
    pub code: &'a str,
    /// A sentence for people.
    pub message: &'a str,
}

/// A place in a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct At<'a> {
    /// Which response.
    pub response_id: &'a str,
    /// Which of its items.
    pub item_id: &'a str,
    /// The item's place in the response.
    pub output_index: usize,
    /// Which part of the item.
    pub content_index: usize,
}

/// A part of a response's message. (The same part has another `type` inside an item.)
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ResponsePart<'a> {
    /// Written.
    Text {
        /// So far.
        text: &'a str,
    },
    /// Spoken.
    Audio {
        /// The words so far.
        transcript: &'a str,
    },
}

/// A limit on what a client may ask for.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct RateLimit {
    /// Of what: `requests` or `tokens`.
    pub name: &'static str,
    /// How many in all.
    pub limit: u64,
    /// How many are left.
    pub remaining: u64,
    /// When all of them are back.
    pub reset_seconds: f64,
}

impl ServerEvent<'_> {
    /// The event as text. `event_id` names it.
    pub fn to_json(&self, event_id: &str) -> String {
        #[derive(Serialize)]
        struct Wire<'a> {
            event_id: &'a str,
            #[serde(flatten)]
            event: &'a ServerEvent<'a>,
        }
        #[expect(
            clippy::expect_used,
            reason = "all keys are text, and numbers that are not finite become null"
        )]
        let mut text = serde_json::to_string(&Wire { event_id, event: self }).expect("events are JSON");
        if let Self::AudioDelta { audio, .. } = self {
            text.pop();
            text.reserve(audio.len().div_ceil(3) * 4 + r#","delta":""}"#.len());
            text.push_str(r#","delta":""#);
            base64_simd::STANDARD.encode_append(audio, &mut text);
            text.push_str("\"}");
        }
        text
    }
}

/// The usage of a transcription that is paid by the second.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes fields by reference")]
fn duration<S: Serializer>(seconds: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Wire {
        #[serde(rename = "type")]
        kind: &'static str,
        seconds: f64,
    }
    Wire { kind: "duration", seconds: *seconds }.serialize(serializer)
}
