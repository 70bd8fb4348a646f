//! What a client says.

use super::{
    MAX_EVENT_BYTES, MAX_EVENT_ID_BYTES,
    error::{Code, EventError},
    fields::{self, Field, Fields, Read},
    item::{InputItem, NewItem},
    settings::{MAX_INSTRUCTIONS_BYTES, MaxTokens, Metadata, Modality, Tool, ToolChoice, read_metadata},
    update::SessionUpdate,
};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// The most items in the context of one response.
const MAX_INPUT_ITEMS: usize = 256;
/// Beyond this no place in an item and no length of audio is meant in earnest.
const MAX_AUDIO_END_MS: u64 = 24 * 60 * 60 * 1_000;

/// An event from a client.
#[derive(Debug, Clone, PartialEq)]
pub struct Received {
    /// What the client calls it; an error about it says so.
    pub event_id: Option<String>,
    /// What it is.
    pub event: ClientEvent,
}

/// What a client can say.
#[derive(Debug, Clone, PartialEq)]
pub enum ClientEvent {
    /// `session.update`.
    UpdateSession(Box<SessionUpdate>),
    /// `input_audio_buffer.append`: audio in the session's input format, perhaps none.
    AppendAudio(Bytes),
    /// `input_audio_buffer.commit`.
    CommitAudio,
    /// `input_audio_buffer.clear`.
    ClearAudio,
    /// `output_audio_buffer.clear`, which makes no sense over WebSocket.
    ClearOutputAudio,
    /// `conversation.item.create`.
    CreateItem {
        /// The item.
        item: NewItem,
        /// Where it goes.
        position: Position,
    },
    /// `conversation.item.retrieve`.
    RetrieveItem {
        /// Which.
        item_id: String,
    },
    /// `conversation.item.truncate`.
    TruncateItem {
        /// Which.
        item_id: String,
        /// Which part of it.
        content_index: usize,
        /// How much of its audio was heard.
        audio_end_ms: u64,
    },
    /// `conversation.item.delete`.
    DeleteItem {
        /// Which.
        item_id: String,
    },
    /// `response.create`.
    CreateResponse(Box<ResponseRequest>),
    /// `response.cancel`.
    CancelResponse {
        /// Which; without it, the one of the conversation.
        response_id: Option<String>,
    },
}

/// Where an item goes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Position {
    /// Behind everything.
    #[default]
    Last,
    /// Before everything.
    First,
    /// Behind the item with that id.
    After(String),
}

/// What a response shall have of its own. What is missing is as in the session.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ResponseRequest {
    /// What the model is told.
    pub instructions: Option<String>,
    /// What it is made of.
    pub output: Option<Modality>,
    /// The tools.
    pub tools: Option<Vec<Tool>>,
    /// Whether they may or must be asked for.
    pub tool_choice: Option<ToolChoice>,
    /// How long it may become.
    pub max_output_tokens: Option<MaxTokens>,
    /// Sent back with it.
    pub metadata: Option<Metadata>,
    /// Whether it stays out of the conversation (`"conversation": "none"`).
    pub out_of_band: bool,
    /// The whole context, instead of the conversation.
    pub input: Option<Vec<InputItem>>,
}

/// Reads one event.
pub fn parse(text: &str) -> Result<Received, EventError> {
    let envelope = Envelope::read(text)?;
    let event_id = envelope.event_id()?;
    match envelope.event(text) {
        Ok(event) => Ok(Received { event_id, event }),
        Err(error) => Err(error.caused_by(event_id)),
    }
}

/// As much of an event as is the same for all, and the audio, which is too long to be copied for nothing.
#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow, rename = "type")]
    kind: Option<&'a RawValue>,
    #[serde(borrow)]
    event_id: Option<&'a RawValue>,
    #[serde(borrow)]
    audio: Option<&'a RawValue>,
}

#[derive(Clone, Copy)]
enum Kind {
    UpdateSession,
    AppendAudio,
    CommitAudio,
    ClearAudio,
    ClearOutputAudio,
    CreateItem,
    RetrieveItem,
    TruncateItem,
    DeleteItem,
    CreateResponse,
    CancelResponse,
}

const KINDS: [(&str, Kind); 11] = [
    ("session.update", Kind::UpdateSession),
    ("input_audio_buffer.append", Kind::AppendAudio),
    ("input_audio_buffer.commit", Kind::CommitAudio),
    ("input_audio_buffer.clear", Kind::ClearAudio),
    ("output_audio_buffer.clear", Kind::ClearOutputAudio),
    ("conversation.item.create", Kind::CreateItem),
    ("conversation.item.retrieve", Kind::RetrieveItem),
    ("conversation.item.truncate", Kind::TruncateItem),
    ("conversation.item.delete", Kind::DeleteItem),
    ("response.create", Kind::CreateResponse),
    ("response.cancel", Kind::CancelResponse),
];

impl<'a> Envelope<'a> {
    fn read(text: &'a str) -> Read<Self> {
        // A list would pass for a structure otherwise.
        if !text.trim_start().starts_with('{') {
            return Err(EventError::new(Code::InvalidEvent, "The event is not a JSON object."));
        }
        serde_json::from_str(text).map_err(|error| {
            EventError::new(Code::InvalidEvent, format!("The event is not valid JSON: {error}."))
        })
    }

    fn event_id(&self) -> Read<Option<String>> {
        let Some(raw) = self.event_id else { return Ok(None) };
        let Some(id) = string(raw) else {
            return Err(EventError::new(Code::InvalidType, "'event_id' must be text.").at("event_id"));
        };
        if id.len() > MAX_EVENT_ID_BYTES {
            let message = format!("'event_id' may have at most {MAX_EVENT_ID_BYTES} bytes.");
            return Err(EventError::new(Code::StringAboveMaxLength, message).at("event_id"));
        }
        Ok(Some(id.into_owned()))
    }

    fn kind(&self) -> Read<Kind> {
        let Some(raw) = self.kind else {
            return Err(EventError::new(Code::InvalidEvent, "'type' is missing.").at("type"));
        };
        let Some(name) = string(raw) else {
            return Err(EventError::new(Code::InvalidType, "'type' must be text.").at("type"));
        };
        let found = KINDS.iter().find(|(known, _)| *known == name);
        found.map(|(_, kind)| *kind).ok_or_else(|| {
            let names: Vec<_> = KINDS.iter().map(|(name, _)| format!("'{name}'")).collect();
            let message = format!("'type' cannot be '{}', only {}.", fields::clip(&name), names.join(", "));
            EventError::new(Code::InvalidValue, message).at("type")
        })
    }

    fn event(&self, text: &str) -> Read<ClientEvent> {
        let read = |read: fn(Fields) -> Read<ClientEvent>| {
            if text.len() > MAX_EVENT_BYTES {
                let message = format!("An event of this type may have at most {MAX_EVENT_BYTES} bytes.");
                return Err(EventError::new(Code::InvalidEvent, message));
            }
            let map = serde_json::from_str(text).map_err(|error| {
                EventError::new(Code::InvalidEvent, format!("The event is not valid JSON: {error}."))
            })?;
            read(Fields::of_event(map))
        };
        match self.kind()? {
            Kind::AppendAudio => self.audio().map(ClientEvent::AppendAudio),
            Kind::CommitAudio => Ok(ClientEvent::CommitAudio),
            Kind::ClearAudio => Ok(ClientEvent::ClearAudio),
            Kind::ClearOutputAudio => Ok(ClientEvent::ClearOutputAudio),
            Kind::UpdateSession => read(|mut event| {
                let update = SessionUpdate::read(event.need("session")?)?;
                Ok(ClientEvent::UpdateSession(Box::new(update)))
            }),
            Kind::CreateItem => read(|mut event| {
                let position =
                    event.read("previous_item_id", Field::id)?.map_or(Position::Last, Position::of);
                Ok(ClientEvent::CreateItem { item: NewItem::read(event.need("item")?)?, position })
            }),
            Kind::RetrieveItem => {
                read(|mut event| Ok(ClientEvent::RetrieveItem { item_id: event.need("item_id")?.id()? }))
            }
            Kind::TruncateItem => read(|mut event| {
                Ok(ClientEvent::TruncateItem {
                    item_id: event.need("item_id")?.id()?,
                    content_index: event.need("content_index")?.integer(0..=u64::from(u32::MAX))? as usize,
                    audio_end_ms: event.need("audio_end_ms")?.integer(0..=MAX_AUDIO_END_MS)?,
                })
            }),
            Kind::DeleteItem => {
                read(|mut event| Ok(ClientEvent::DeleteItem { item_id: event.need("item_id")?.id()? }))
            }
            Kind::CreateResponse => read(|mut event| {
                let request = ResponseRequest::read(event.nested("response")?)?;
                Ok(ClientEvent::CreateResponse(Box::new(request)))
            }),
            Kind::CancelResponse => read(|mut event| {
                Ok(ClientEvent::CancelResponse { response_id: event.read("response_id", Field::id)? })
            }),
        }
    }

    fn audio(&self) -> Read<Bytes> {
        let raw = self.audio.ok_or_else(|| fields::missing("audio".to_owned()))?;
        let Some(text) = string(raw) else {
            return Err(EventError::new(Code::InvalidType, "'audio' must be text.").at("audio"));
        };
        fields::decode(&text)
            .map_err(|(code, message)| EventError::new(code, format!("'audio' {message}.")).at("audio"))
    }
}

impl Position {
    fn of(previous: String) -> Self {
        if previous == "root" { Self::First } else { Self::After(previous) }
    }
}

impl ResponseRequest {
    fn read(mut fields: Fields) -> Read<Self> {
        let out_of_band =
            fields.read("conversation", |field| field.one_of(&[("auto", false), ("none", true)]))?;
        Ok(Self {
            instructions: fields.read("instructions", |field| field.string(MAX_INSTRUCTIONS_BYTES))?,
            output: fields.read("output_modalities", Modality::read)?,
            tools: fields.read("tools", Tool::read_all)?,
            tool_choice: fields.read("tool_choice", ToolChoice::read)?,
            max_output_tokens: fields.read("max_output_tokens", MaxTokens::read)?,
            metadata: fields.read("metadata", read_metadata)?,
            out_of_band: out_of_band.unwrap_or(false),
            input: fields.read("input", |field| {
                field.list(MAX_INPUT_ITEMS)?.into_iter().map(InputItem::read).collect()
            })?,
        })
    }
}

/// The text of a JSON string, borrowed where it has no escapes.
fn string(raw: &RawValue) -> Option<Cow<'_, str>> {
    #[derive(Deserialize)]
    #[serde(transparent)]
    struct Text<'a>(#[serde(borrow)] Cow<'a, str>);
    serde_json::from_str(raw.get()).ok().map(|Text(text)| text)
}
