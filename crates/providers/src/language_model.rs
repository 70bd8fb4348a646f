//! The language model: what the platform asks of any of them.

use crate::Failure;
use async_trait::async_trait;
use seiketsu_domain::{Message, ModelChoice, ToolChoice, ToolSpec};
use std::fmt::Debug;
use tokio::sync::mpsc;

/// One run of the model.
#[derive(Debug, Clone, PartialEq)]
pub struct GenerationRequest {
    /// Which model, how.
    pub model: ModelChoice,
    /// What it is told to be and do.
    pub system: String,
    /// The conversation so far.
    pub messages: Vec<Message>,
    /// What it may ask for.
    pub tools: Vec<ToolSpec>,
    /// Whether it has to. Without a tool nothing is said about it.
    pub tool_choice: ToolChoice,
}

/// Why the model stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FinishReason {
    /// It had said what it wanted to say.
    Stop,
    /// The limit of tokens.
    Length,
    /// It waits for the results of tools.
    ToolCalls,
    /// The vendor cut it off.
    ContentFilter,
}

/// What a run consumed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TokenUsage {
    /// Tokens read.
    pub input_tokens: u64,
    /// Tokens written.
    pub output_tokens: u64,
}

/// What comes out of a run. The first event that is not [`GenerationEvent::Failed`] is the first token;
/// [`GenerationEvent::Finished`] or [`GenerationEvent::Failed`] is the last one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GenerationEvent {
    /// A piece of text; never empty.
    Text(String),
    /// A request for a tool begins: what was said before it is complete. It comes once before the first
    /// [`GenerationEvent::ToolCall`] of a run, and is followed by none if the vendor cuts the run off.
    ToolCallBegun,
    /// A request for a tool, complete.
    ToolCall {
        /// The model's id for the request.
        request: String,
        /// Name of the tool.
        name: String,
        /// Arguments as the model wrote them; perhaps not even JSON.
        arguments: String,
    },
    /// The run is over.
    Finished {
        /// Why.
        reason: FinishReason,
        /// What it consumed, where the vendor said so.
        usage: Option<TokenUsage>,
    },
    /// The run broke.
    Failed(Failure),
}

/// A run in progress. Dropping it cancels the request.
#[derive(Debug)]
pub struct Generation {
    /// Bounded; a slow reader slows the vendor down.
    pub events: mpsc::Receiver<GenerationEvent>,
}

/// A vendor that generates text.
#[async_trait]
pub trait LanguageModel: Send + Sync + Debug {
    /// Starts a run without waiting for the vendor: whatever goes wrong with connection, request or answer arrives as
    /// [`GenerationEvent::Failed`]; an error is a request that could not even be put together. Does not retry.
    async fn generate(&self, request: GenerationRequest) -> Result<Generation, Failure>;

    /// Opens a connection so that the next run does not pay for it. Best effort.
    async fn warm(&self);
}
