//! The items that a conversation is made of.

use super::{
    MAX_ID_BYTES,
    error::{Code, EventError},
    fields::{Field, Fields, Read},
};
use bytes::Bytes;
use serde::{Serialize, Serializer};

/// The most text of one item: parts, transcripts, arguments and output together.
pub const MAX_ITEM_TEXT_BYTES: usize = 64 * 1_024;
/// The most parts of one message.
pub const MAX_PARTS: usize = 64;

/// An item of a conversation. Serialised it is what the protocol calls a `realtime.item`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Names it in its session.
    pub id: String,
    /// How far it is.
    pub status: Status,
    /// What it is.
    pub body: ItemBody,
}

/// An item as a client sends it: it may have a name, and it is complete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewItem {
    /// The name that the client wants for it.
    pub id: Option<String>,
    /// What it is.
    pub body: ItemBody,
}

/// What a client puts into the context of one response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InputItem {
    /// An item that is in no conversation.
    Item(NewItem),
    /// An item of the conversation, by its id.
    Reference(String),
}

/// How far an item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// More of it is coming.
    InProgress,
    /// All of it is there.
    Completed,
    /// It was cut short and stays so.
    Incomplete,
}

/// What an item is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ItemBody {
    /// Something said or written.
    Message {
        /// By whom.
        role: Role,
        /// In pieces.
        content: Vec<Part>,
    },
    /// The model wants a tool.
    FunctionCall {
        /// Names the call; the output repeats it.
        call_id: String,
        /// Which tool.
        name: String,
        /// An object as JSON, if the model kept to that.
        arguments: String,
    },
    /// What a tool has answered.
    FunctionCallOutput {
        /// Which call.
        call_id: String,
        /// Whatever the client wants the model to read.
        output: String,
    },
}

/// Whose message it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The caller's.
    User,
    /// The agent's.
    Assistant,
    /// The client's own, for the model.
    System,
}

/// A piece of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Part {
    /// Written by a user or by the client.
    InputText {
        /// What.
        text: String,
    },
    /// Spoken by a user.
    InputAudio {
        /// The sound, in the session's input format, if it is kept.
        #[serde(skip_serializing_if = "Option::is_none", serialize_with = "base64")]
        audio: Option<Bytes>,
        /// The words, once they are known.
        transcript: Option<String>,
    },
    /// Written by the agent.
    OutputText {
        /// What.
        text: String,
    },
    /// Spoken by the agent.
    OutputAudio {
        /// The sound, in the session's output format, if it is kept.
        #[serde(skip_serializing_if = "Option::is_none", serialize_with = "base64")]
        audio: Option<Bytes>,
        /// The words.
        transcript: Option<String>,
    },
}

impl NewItem {
    /// The item in its conversation. `fresh` makes a name for it if the client did not.
    pub fn named(self, fresh: impl FnOnce() -> String) -> Item {
        Item { id: self.id.unwrap_or_else(fresh), status: Status::Completed, body: self.body }
    }

    pub(super) fn read(field: Field) -> Read<Self> {
        let path = field.path().to_owned();
        Self::of(field.object()?, &path)
    }

    fn of(mut fields: Fields, path: &str) -> Read<Self> {
        let id = fields.read("id", Field::id)?;
        let body = match fields.need("type")?.one_of(&Kind::ALL)? {
            Kind::Message => {
                let role = fields.need("role")?.one_of(&Role::ALL)?;
                let parts = fields.need("content")?.list(MAX_PARTS)?;
                let content = parts.into_iter().map(|part| Part::read(part, role)).collect::<Read<_>>()?;
                ItemBody::Message { role, content }
            }
            Kind::FunctionCall => ItemBody::FunctionCall {
                call_id: fields.need("call_id")?.id()?,
                name: fields.need("name")?.string(MAX_ID_BYTES)?,
                arguments: fields.need("arguments")?.string(MAX_ITEM_TEXT_BYTES)?,
            },
            Kind::FunctionCallOutput => ItemBody::FunctionCallOutput {
                call_id: fields.need("call_id")?.id()?,
                output: fields.need("output")?.string(MAX_ITEM_TEXT_BYTES)?,
            },
        };
        if body.text_bytes() > MAX_ITEM_TEXT_BYTES {
            let message = format!("The text of an item may have at most {MAX_ITEM_TEXT_BYTES} bytes in all.");
            return Err(EventError::new(Code::StringAboveMaxLength, message).at(path));
        }
        Ok(Self { id, body })
    }
}

impl InputItem {
    pub(super) fn read(field: Field) -> Read<Self> {
        let path = field.path().to_owned();
        let mut fields = field.object()?;
        if fields.has_text("type", "item_reference") {
            return Ok(Self::Reference(fields.need("id")?.id()?));
        }
        NewItem::of(fields, &path).map(Self::Item)
    }
}

impl ItemBody {
    /// How much text is in it.
    pub fn text_bytes(&self) -> usize {
        match self {
            Self::Message { content, .. } => content.iter().map(|part| part.text().map_or(0, str::len)).sum(),
            Self::FunctionCall { name, arguments, .. } => name.len() + arguments.len(),
            Self::FunctionCallOutput { output, .. } => output.len(),
        }
    }
}

impl Part {
    /// Its words, written or spoken, as far as they are known.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::InputText { text } | Self::OutputText { text } => Some(text),
            Self::InputAudio { transcript, .. } | Self::OutputAudio { transcript, .. } => {
                transcript.as_deref()
            }
        }
    }

    fn read(field: Field, role: Role) -> Read<Self> {
        let mut fields = field.object()?;
        let kinds: &[_] = match role {
            Role::User => &[("input_text", PartKind::InputText), ("input_audio", PartKind::InputAudio)],
            Role::Assistant => {
                &[("output_text", PartKind::OutputText), ("output_audio", PartKind::OutputAudio)]
            }
            Role::System => &[("input_text", PartKind::InputText)],
        };
        Ok(match fields.need("type")?.one_of(kinds)? {
            PartKind::InputText => {
                Self::InputText { text: fields.need("text")?.string(MAX_ITEM_TEXT_BYTES)? }
            }
            PartKind::OutputText => {
                Self::OutputText { text: fields.need("text")?.string(MAX_ITEM_TEXT_BYTES)? }
            }
            PartKind::InputAudio => Self::InputAudio {
                audio: fields.read("audio", Field::audio)?,
                transcript: fields.read("transcript", |field| field.string(MAX_ITEM_TEXT_BYTES))?,
            },
            PartKind::OutputAudio => Self::OutputAudio {
                audio: fields.read("audio", Field::audio)?,
                transcript: fields.read("transcript", |field| field.string(MAX_ITEM_TEXT_BYTES))?,
            },
        })
    }
}

impl Role {
    const ALL: [(&'static str, Self); 3] =
        [("user", Self::User), ("assistant", Self::Assistant), ("system", Self::System)];
}

#[derive(Clone, Copy)]
enum Kind {
    Message,
    FunctionCall,
    FunctionCallOutput,
}

impl Kind {
    const ALL: [(&'static str, Self); 3] = [
        ("message", Self::Message),
        ("function_call", Self::FunctionCall),
        ("function_call_output", Self::FunctionCallOutput),
    ];
}

#[derive(Clone, Copy)]
enum PartKind {
    InputText,
    InputAudio,
    OutputText,
    OutputAudio,
}

impl Serialize for Item {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Wire<'a> {
            id: &'a str,
            object: &'static str,
            #[serde(flatten)]
            body: &'a ItemBody,
            status: Status,
        }
        Wire { id: &self.id, object: "realtime.item", body: &self.body, status: self.status }
            .serialize(serializer)
    }
}

#[expect(clippy::ref_option, reason = "serde passes fields by reference")]
fn base64<S: Serializer>(audio: &Option<Bytes>, serializer: S) -> Result<S::Ok, S::Error> {
    let audio = audio.as_deref().unwrap_or_default();
    serializer.serialize_str(&base64_simd::STANDARD.encode_to_string(audio))
}
