//! The words of OpenAI's realtime protocol (its general release, not the beta), as text in and text out; pure.
//!
//! Source: OpenAI's API reference, "Realtime client events" and "Realtime server events", and the types of its
//! published client libraries, which validate what they are sent. [`parse`] reads what a client says; [`ServerEvent`]
//! writes what it is told; [`Session`] is its configuration, [`Item`] a piece of the conversation, [`Response`] an
//! answer under way.
//!
//! It refuses to be: a conversation. Whether an item exists or a response is under way is not known here.
//!
//! Invariants:
//! - everything a client sends has a bound, and a refusal names the field and the client's event;
//! - fields that are not known are ignored, since clients are newer than we are; values that are not known are refused;
//! - a session is changed by all of an update or by none of it.
//!
//! To add one more event: a variant of [`ClientEvent`] and its name in `client.rs`, or a variant of [`ServerEvent`].

mod audio;
mod client;
mod error;
mod fields;
mod item;
mod response;
mod server;
mod session;
mod settings;
#[cfg(test)]
mod tests;
mod update;

pub use audio::{Eagerness, Format, NoiseReduction, SemanticVad, ServerVad, Transcription, TurnDetection};
pub use client::{ClientEvent, Position, Received, ResponseRequest, parse};
pub use error::{Code, EventError};
pub use fields::Change;
pub use item::{InputItem, Item, ItemBody, MAX_ITEM_TEXT_BYTES, MAX_PARTS, NewItem, Part, Role, Status};
pub use response::{
    CancelReason, IncompleteReason, InputTokens, OutputTokens, Response, ResponseStatus, Usage,
};
pub use server::{At, RateLimit, ResponsePart, ServerEvent, TranscriptionFailure};
pub use session::{Session, SessionKind};
pub use settings::{
    MAX_HINT_BYTES, MAX_INSTRUCTIONS_BYTES, MAX_SCHEMA_BYTES, MAX_TOOL_NAME_BYTES, MAX_TOOLS, MaxTokens,
    Metadata, Modality, Tool, ToolChoice,
};
pub use update::SessionUpdate;

/// The most audio that a client appends at once.
pub const MAX_AUDIO_BYTES: usize = 15 * 1_024 * 1_024;
/// The longest event that appends no audio. As values it takes about ten times as much.
pub const MAX_EVENT_BYTES: usize = 4 * 1_024 * 1_024;
/// The longest id of an item, a response or a tool call.
pub const MAX_ID_BYTES: usize = 128;
/// The longest id that a client gives its events.
pub const MAX_EVENT_ID_BYTES: usize = 512;
/// The most audio that is meant to be in one delta. Some clients read no frames above 1 MiB.
pub const MAX_DELTA_BYTES: usize = 64 * 1_024;
