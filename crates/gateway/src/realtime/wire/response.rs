//! A response: one answer of the agent, with everything it is made of.

use super::{
    audio::Format,
    item::Item,
    settings::{MaxTokens, Metadata, Modality},
};
use serde::{Serialize, Serializer};

/// A response, under way or at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// Names it, `resp_…`.
    pub id: String,
    /// How far it is, or how it ended.
    pub status: ResponseStatus,
    /// The items that it has brought forth so far.
    pub output: Vec<Item>,
    /// In which conversation; none if it stays out of it.
    pub conversation_id: Option<String>,
    /// What it is made of.
    pub modality: Modality,
    /// How long it may become.
    pub max_output_tokens: MaxTokens,
    /// How its audio is coded.
    pub format: Format,
    /// The agent's voice.
    pub voice: String,
    /// What it has cost, once it has ended.
    pub usage: Option<Usage>,
    /// What the client wants to find again.
    pub metadata: Option<Metadata>,
}

/// How far a response is, or how it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResponseStatus {
    /// More is coming.
    InProgress,
    /// All of it was given out.
    Completed,
    /// Somebody ended it.
    Cancelled(CancelReason),
    /// It ended early by itself.
    Incomplete(IncompleteReason),
    /// It could not be given.
    Failed {
        /// A name for programs.
        code: String,
        /// A sentence for people.
        message: String,
    },
}

/// Who ended a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CancelReason {
    /// The caller, by speaking.
    TurnDetected,
    /// The client.
    ClientCancelled,
}

/// Why a response ended early.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum IncompleteReason {
    /// It has become as long as it may.
    MaxOutputTokens,
    /// The model's vendor did not want to say more.
    ContentFilter,
}

/// What a response has cost. The sums are made when it is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// What the model has read.
    pub input: InputTokens,
    /// What it has said.
    pub output: OutputTokens,
}

/// Tokens that the model has read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct InputTokens {
    /// Text.
    pub text: u64,
    /// Sound.
    pub audio: u64,
    /// As much of the text as it had read before.
    pub cached_text: u64,
    /// As much of the sound as it had heard before.
    pub cached_audio: u64,
}

/// Tokens that the model has said.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OutputTokens {
    /// Text.
    pub text: u64,
    /// Sound.
    pub audio: u64,
}

impl ResponseStatus {
    /// The name on the wire.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::InProgress => "in_progress",
            Self::Completed => "completed",
            Self::Cancelled(_) => "cancelled",
            Self::Incomplete(_) => "incomplete",
            Self::Failed { .. } => "failed",
        }
    }

    /// What is told beyond the name.
    fn details(&self) -> Option<DetailsWire<'_>> {
        let kind = self.name();
        let reason = match self {
            Self::InProgress | Self::Completed => return None,
            Self::Cancelled(CancelReason::TurnDetected) => "turn_detected",
            Self::Cancelled(CancelReason::ClientCancelled) => "client_cancelled",
            Self::Incomplete(IncompleteReason::MaxOutputTokens) => "max_output_tokens",
            Self::Incomplete(IncompleteReason::ContentFilter) => "content_filter",
            Self::Failed { code, message } => {
                let error = FailureWire { kind: "server_error", code, message };
                return Some(DetailsWire { kind, reason: None, error: Some(error) });
            }
        };
        Some(DetailsWire { kind, reason: Some(reason), error: None })
    }
}

impl Serialize for Response {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        ResponseWire {
            object: "realtime.response",
            id: &self.id,
            status: self.status.name(),
            status_details: self.status.details(),
            output: &self.output,
            conversation_id: self.conversation_id.as_deref(),
            output_modalities: self.modality,
            max_output_tokens: self.max_output_tokens,
            audio: AudioWire { output: OutputWire { format: self.format, voice: &self.voice } },
            usage: self.usage,
            metadata: self.metadata.as_ref(),
        }
        .serialize(serializer)
    }
}

impl Serialize for Usage {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { input, output } = self;
        let input_tokens = input.text.saturating_add(input.audio);
        let output_tokens = output.text.saturating_add(output.audio);
        UsageWire {
            total_tokens: input_tokens.saturating_add(output_tokens),
            input_tokens,
            output_tokens,
            input_token_details: InputWire {
                text_tokens: input.text,
                audio_tokens: input.audio,
                image_tokens: 0,
                cached_tokens: input.cached_text.saturating_add(input.cached_audio),
                cached_tokens_details: CachedWire {
                    text: input.cached_text,
                    audio: input.cached_audio,
                    image: 0,
                },
            },
            output_token_details: OutputTokensWire { text_tokens: output.text, audio_tokens: output.audio },
        }
        .serialize(serializer)
    }
}

#[derive(Serialize)]
struct ResponseWire<'a> {
    object: &'static str,
    id: &'a str,
    status: &'static str,
    status_details: Option<DetailsWire<'a>>,
    output: &'a [Item],
    conversation_id: Option<&'a str>,
    output_modalities: Modality,
    max_output_tokens: MaxTokens,
    audio: AudioWire<'a>,
    usage: Option<Usage>,
    metadata: Option<&'a Metadata>,
}

#[derive(Serialize)]
struct DetailsWire<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<FailureWire<'a>>,
}

#[derive(Serialize)]
struct FailureWire<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    code: &'a str,
    message: &'a str,
}

#[derive(Serialize)]
struct AudioWire<'a> {
    output: OutputWire<'a>,
}

#[derive(Serialize)]
struct OutputWire<'a> {
    format: Format,
    voice: &'a str,
}

#[derive(Serialize)]
struct UsageWire {
    total_tokens: u64,
    input_tokens: u64,
    output_tokens: u64,
    input_token_details: InputWire,
    output_token_details: OutputTokensWire,
}

#[derive(Serialize)]
struct InputWire {
    text_tokens: u64,
    audio_tokens: u64,
    image_tokens: u64,
    cached_tokens: u64,
    cached_tokens_details: CachedWire,
}

#[derive(Serialize)]
struct CachedWire {
    #[serde(rename = "text_tokens")]
    text: u64,
    #[serde(rename = "audio_tokens")]
    audio: u64,
    #[serde(rename = "image_tokens")]
    image: u64,
}

#[derive(Serialize)]
struct OutputTokensWire {
    text_tokens: u64,
    audio_tokens: u64,
}
