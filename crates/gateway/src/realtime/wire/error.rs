//! What is said about an event that is refused. The session stays open.

use super::fields::clip;
use serde::{Serialize, Serializer, ser::SerializeStruct};

/// Why an event was refused, in the service's own words; clients compare them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Code {
    /// Not JSON, not an object, or without a `type`.
    InvalidEvent,
    /// A field that is needed is missing.
    MissingRequiredParameter,
    /// A field is of another JSON type than it should be.
    InvalidType,
    /// A field is of the right type and cannot have this value, `type` itself included.
    InvalidValue,
    /// A field is fine in itself but not in this session.
    InvalidParameter,
    /// A text, audio as base64 included, is too long.
    StringAboveMaxLength,
    /// A list is too long.
    ArrayAboveMaxLength,
    /// A whole number is too small.
    IntegerBelowMinValue,
    /// A whole number is too large.
    IntegerAboveMaxValue,
    /// A number is too small.
    DecimalBelowMinValue,
    /// A number is too large.
    DecimalAboveMaxValue,
    /// `input_audio_buffer.commit` without (enough) audio.
    CommitEmpty,
    /// `response.cancel` while there is nothing to cancel.
    CancelNotActive,
    /// `response.create` while the conversation has a response under way.
    AlreadyActive,
    /// `conversation.item.create` behind an item that does not exist.
    CreateInvalidPreviousItem,
    /// `conversation.item.retrieve` of an item that does not exist.
    RetrieveInvalidItem,
    /// `conversation.item.truncate` of an item that does not exist.
    TruncateInvalidItem,
    /// `conversation.item.delete` of an item that does not exist.
    DeleteInvalidItem,
    /// The client sends faster than it may.
    RateLimitExceeded,
    /// The session has reached its greatest length.
    SessionExpired,
    /// Something went wrong on our side.
    ServerError,
}

impl Code {
    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::InvalidEvent => "invalid_event",
            Self::MissingRequiredParameter => "missing_required_parameter",
            Self::InvalidType => "invalid_type",
            Self::InvalidValue => "invalid_value",
            Self::InvalidParameter => "invalid_parameter",
            Self::StringAboveMaxLength => "string_above_max_length",
            Self::ArrayAboveMaxLength => "array_above_max_length",
            Self::IntegerBelowMinValue => "integer_below_min_value",
            Self::IntegerAboveMaxValue => "integer_above_max_value",
            Self::DecimalBelowMinValue => "decimal_below_min_value",
            Self::DecimalAboveMaxValue => "decimal_above_max_value",
            Self::CommitEmpty => "input_audio_buffer_commit_empty",
            Self::CancelNotActive => "response_cancel_not_active",
            Self::AlreadyActive => "conversation_already_has_active_response",
            Self::CreateInvalidPreviousItem => "item_create_invalid_previous_item_id",
            Self::RetrieveInvalidItem => "item_retrieve_invalid_item_id",
            Self::TruncateInvalidItem => "item_truncate_invalid_item_id",
            Self::DeleteInvalidItem => "item_delete_invalid_item_id",
            Self::RateLimitExceeded => "rate_limit_exceeded",
            Self::SessionExpired => "session_expired",
            Self::ServerError => "server_error",
        }
    }

    /// The `type` that goes with it: whose mistake it is.
    pub const fn kind(self) -> &'static str {
        match self {
            Self::ServerError => "server_error",
            Self::InvalidEvent
            | Self::MissingRequiredParameter
            | Self::InvalidType
            | Self::InvalidValue
            | Self::InvalidParameter
            | Self::StringAboveMaxLength
            | Self::ArrayAboveMaxLength
            | Self::IntegerBelowMinValue
            | Self::IntegerAboveMaxValue
            | Self::DecimalBelowMinValue
            | Self::DecimalAboveMaxValue
            | Self::CommitEmpty
            | Self::CancelNotActive
            | Self::AlreadyActive
            | Self::CreateInvalidPreviousItem
            | Self::RetrieveInvalidItem
            | Self::TruncateInvalidItem
            | Self::DeleteInvalidItem
            | Self::RateLimitExceeded
            | Self::SessionExpired => "invalid_request_error",
        }
    }
}

/// A refusal, complete but for the id of the event that carries it. Serialised it is the `error` of that event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {message}", .code.name())]
pub struct EventError {
    /// Which kind.
    pub code: Code,
    /// For people. What it quotes of the client's text is short.
    pub message: String,
    /// The field that is to blame, as `session.tools[2].name`.
    pub param: Option<String>,
    /// What the client called its event, if that could be read.
    pub event_id: Option<String>,
}

impl EventError {
    /// About the event as a whole.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), param: None, event_id: None }
    }

    /// About one field of it.
    #[must_use]
    pub fn at(self, param: impl Into<String>) -> Self {
        Self { param: Some(param.into()), ..self }
    }

    /// About the event of that name.
    #[must_use]
    pub fn caused_by(self, event_id: Option<String>) -> Self {
        Self { event_id, ..self }
    }

    /// A commit of less audio than makes an utterance.
    pub fn commit_empty(least_ms: u64, present_ms: u64) -> Self {
        Self::new(
            Code::CommitEmpty,
            format!(
                "Buffer too small: a commit needs {least_ms} ms of audio, and there are {present_ms} ms."
            ),
        )
    }

    /// A cancellation of nothing. (Some clients know this one by how its message begins.)
    pub fn cancel_not_active() -> Self {
        Self::new(Code::CancelNotActive, "Cancellation failed: there is no active response.")
    }

    /// A second response at the same time.
    pub fn already_active(response_id: &str) -> Self {
        Self::new(
            Code::AlreadyActive,
            format!("The conversation already has an active response, '{response_id}'; wait for its end."),
        )
    }

    /// An item that is named in `param` and does not exist. `code` says what was to be done with it.
    pub fn no_such_item(code: Code, param: &str, item_id: &str) -> Self {
        Self::new(code, format!("There is no item with the id '{}'.", clip(item_id))).at(param)
    }
}

impl Serialize for EventError {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut body = serializer.serialize_struct("EventError", 5)?;
        body.serialize_field("type", self.code.kind())?;
        body.serialize_field("code", self.code.name())?;
        body.serialize_field("message", &self.message)?;
        body.serialize_field("param", &self.param)?;
        body.serialize_field("event_id", &self.event_id)?;
        body.end()
    }
}
