//! The values that settings of a session and of a response can have.

use super::{
    error::{Code, EventError},
    fields::{Field, Read},
};
use serde::{Serialize, Serializer};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The longest instructions.
pub const MAX_INSTRUCTIONS_BYTES: usize = 16 * 1_024;
/// The most tools.
pub const MAX_TOOLS: usize = 64;
/// The longest description of one tool's parameters, and of anything else that is only kept, as JSON.
pub const MAX_SCHEMA_BYTES: usize = 16 * 1_024;
/// The longest description of a tool, hint for a recogniser or name of a model.
pub const MAX_HINT_BYTES: usize = 4 * 1_024;
/// The longest name of a tool.
pub const MAX_TOOL_NAME_BYTES: usize = 64;
/// What responses are made of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Modality {
    /// Speech, with its transcript.
    #[default]
    Audio,
    /// Text alone.
    Text,
}

impl Modality {
    pub(super) fn read(field: Field) -> Read<Self> {
        let refusal = field.refuse(Code::InvalidValue, "can be ['audio'] or ['text'], not both");
        let members = field.list(2)?;
        let mut modalities = members
            .into_iter()
            .map(|member| member.one_of(&[("audio", Self::Audio), ("text", Self::Text)]))
            .collect::<Read<Vec<_>>>()?;
        modalities.dedup();
        match modalities[..] {
            [modality] => Ok(modality),
            [] | [_, ..] => Err(refusal),
        }
    }
}

impl Serialize for Modality {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq([match self {
            Self::Audio => "audio",
            Self::Text => "text",
        }])
    }
}

/// A tool that the client runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "type", rename = "function")]
pub struct Tool {
    /// How the model asks for it.
    pub name: String,
    /// When to ask for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Its arguments, as a JSON schema.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameters: Option<Value>,
}

impl Tool {
    pub(super) fn read_all(field: Field) -> Read<Vec<Self>> {
        let tools = field.list(MAX_TOOLS)?;
        let mut names = BTreeSet::new();
        tools
            .into_iter()
            .map(|field| {
                let path = format!("{}.name", field.path());
                let tool = Self::read(field)?;
                if names.insert(tool.name.clone()) {
                    return Ok(tool);
                }
                let message = format!("There are two tools with the name '{}'.", tool.name);
                Err(EventError::new(Code::InvalidValue, message).at(path))
            })
            .collect()
    }

    fn read(field: Field) -> Read<Self> {
        let mut fields = field.object()?;
        fields.need("type")?.one_of(&[("function", ())])?;
        let name = fields.need("name")?;
        let refusal =
            name.refuse(Code::InvalidValue, "may have letters, digits, '_' and '-', and must have one");
        let name = name.string(MAX_TOOL_NAME_BYTES)?;
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
        {
            return Err(refusal);
        }
        Ok(Self {
            name,
            description: fields.read("description", |field| field.string(MAX_HINT_BYTES))?,
            parameters: fields.read("parameters", |field| field.opaque_object(MAX_SCHEMA_BYTES))?,
        })
    }
}

/// Whether the model may, must or must not ask for tools.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum ToolChoice {
    /// It may.
    #[default]
    Auto,
    /// It must not.
    None,
    /// It must.
    Required,
    /// It must ask for this one.
    Function(String),
}

impl ToolChoice {
    pub(super) fn read(field: Field) -> Read<Self> {
        if field.is_object() {
            let mut fields = field.object()?;
            fields.need("type")?.one_of(&[("function", ())])?;
            return fields.need("name")?.string(MAX_TOOL_NAME_BYTES).map(Self::Function);
        }
        field.one_of(&[("auto", Self::Auto), ("none", Self::None), ("required", Self::Required)])
    }
}

impl Serialize for ToolChoice {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Auto => serializer.serialize_str("auto"),
            Self::None => serializer.serialize_str("none"),
            Self::Required => serializer.serialize_str("required"),
            Self::Function(name) => serializer.collect_map([("type", "function"), ("name", name)]),
        }
    }
}

/// How long a response may become.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum MaxTokens {
    /// As long as the model can.
    #[default]
    Infinite,
    /// So many tokens, 1 to 4096.
    Limit(u16),
}

impl MaxTokens {
    pub(super) fn read(field: Field) -> Read<Self> {
        if field.as_str().is_some() {
            return field.one_of(&[("inf", Self::Infinite)]);
        }
        field.integer(1..=4_096).map(|tokens| Self::Limit(tokens as u16))
    }
}

impl Serialize for MaxTokens {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Infinite => serializer.serialize_str("inf"),
            Self::Limit(tokens) => serializer.serialize_u16(*tokens),
        }
    }
}

/// What a client wants to find again in a response. At most 16 pairs.
pub type Metadata = BTreeMap<String, String>;

pub(super) fn read_metadata(field: Field) -> Read<Metadata> {
    const MAX_PAIRS: usize = 16;
    let too_many = field.refuse(Code::InvalidValue, format_args!("may have at most {MAX_PAIRS} pairs"));
    let fields = field.object()?;
    if fields.len() > MAX_PAIRS {
        return Err(too_many);
    }
    fields
        .into_entries()
        .map(|(name, value)| {
            if name.len() > 256 {
                return Err(value.refuse(Code::InvalidValue, "has a name of more than 256 bytes"));
            }
            Ok((name, value.string(2_048)?))
        })
        .collect()
}
