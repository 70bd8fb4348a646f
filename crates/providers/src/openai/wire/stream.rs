//! What comes back.

use super::{
    MAX_ARGUMENTS_BYTES, MAX_STREAM_BYTES, MAX_TOOL_CALLS,
    sse::{DataLines, LineTooLong},
};
use crate::{Failure, FailureKind, FinishReason, GenerationEvent, TokenUsage, Vendor};
use serde::Deserialize;
use serde_json::Value;
use std::{collections::BTreeMap, mem};

/// Why a stream cannot be read any further.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StreamError {
    /// A line, the arguments of a tool call, the number of tool calls or the whole stream is beyond its limit.
    #[error("{0} beyond the limit")]
    TooMuch(&'static str),
    /// Not a chunk.
    #[error("not a completion chunk: {0}")]
    NotAChunk(String),
    /// A tool call that never got a name or an id.
    #[error("a tool call without id or name")]
    NamelessToolCall,
    /// The vendor said that it was done without having said why it stopped.
    #[error("the stream ended without a finish reason")]
    NoFinishReason,
    /// The vendor reported an error in the middle of the stream.
    #[error("{0}")]
    Vendor(Failure),
}

impl From<LineTooLong> for StreamError {
    fn from(_: LineTooLong) -> Self {
        Self::TooMuch("a line")
    }
}

impl From<StreamError> for Failure {
    fn from(error: StreamError) -> Self {
        match error {
            StreamError::Vendor(failure) => failure,
            StreamError::TooMuch(_)
            | StreamError::NotAChunk(_)
            | StreamError::NamelessToolCall
            | StreamError::NoFinishReason => Self::new(Vendor::OpenAi, FailureKind::Garbage, error),
        }
    }
}

/// Reads a streamed chat completion, in pieces of any size.
///
/// That there will be tool calls comes out at once. They themselves do when the model has stopped, because the pieces of parallel ones may be interleaved; if it was cut
/// off (by length or filter) they are incomplete and do not come out at all.
#[derive(Debug, Default)]
pub struct StreamParser {
    lines: DataLines,
    state: State,
    bytes: usize,
}

#[derive(Debug, Default)]
struct State {
    tool_calls: BTreeMap<u32, PartialToolCall>,
    finish: Option<FinishReason>,
    usage: Option<TokenUsage>,
    done: bool,
}

#[derive(Debug, Default)]
struct PartialToolCall {
    id: String,
    name: String,
    arguments: String,
}

impl StreamParser {
    /// A parser at the start of a stream.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads more of the stream and appends what it says to `events`. After an error, or once
    /// [`StreamParser::is_done`], the rest of the stream means nothing.
    pub fn push(&mut self, bytes: &[u8], events: &mut Vec<GenerationEvent>) -> Result<(), StreamError> {
        self.bytes = self.bytes.saturating_add(bytes.len());
        if self.bytes > MAX_STREAM_BYTES {
            return Err(StreamError::TooMuch("the stream"));
        }
        let state = &mut self.state;
        self.lines.push(bytes, |data| if state.done { Ok(()) } else { state.data(data, events) })
    }

    /// Whether [`GenerationEvent::Finished`] has come out.
    pub const fn is_done(&self) -> bool {
        self.state.done
    }

    /// The end of a stream that broke off. If the model had already said why it stopped, nothing but the accounting is
    /// missing, and the answer counts as complete.
    pub fn end(&mut self) -> Option<GenerationEvent> {
        self.state.conclude().ok()
    }
}

impl State {
    fn data(&mut self, data: &[u8], events: &mut Vec<GenerationEvent>) -> Result<(), StreamError> {
        if data.trim_ascii() == b"[DONE]" {
            events.push(self.conclude()?);
            return Ok(());
        }
        let chunk: Chunk =
            serde_json::from_slice(data).map_err(|error| StreamError::NotAChunk(error.to_string()))?;
        if let Some(error) = chunk.error {
            return Err(StreamError::Vendor(vendors_error(&error)));
        }
        if let Some(usage) = chunk.usage {
            self.usage = Some(TokenUsage {
                input_tokens: usage.prompt_tokens,
                output_tokens: usage.completion_tokens,
            });
        }
        // Only one answer was asked for; chunks with usage have none.
        let Some(choice) = chunk.choices.into_iter().find(|choice| choice.index == 0) else {
            return Ok(());
        };
        let delta = choice.delta.unwrap_or_default();
        // A refusal is what the model says instead of an answer: the caller has to hear it.
        events.extend(
            [delta.content, delta.refusal]
                .into_iter()
                .flatten()
                .filter(|text| !text.is_empty())
                .map(GenerationEvent::Text),
        );
        for piece in delta.tool_calls.unwrap_or_default() {
            if self.tool_calls.is_empty() {
                events.push(GenerationEvent::ToolCallBegun);
            }
            self.tool_call(piece)?;
        }
        if let Some(reason) = choice.finish_reason
            && self.finish.is_none()
        {
            self.finish(&reason, events)?;
        }
        Ok(())
    }

    fn tool_call(&mut self, piece: ToolCallPiece) -> Result<(), StreamError> {
        if !self.tool_calls.contains_key(&piece.index) && self.tool_calls.len() >= MAX_TOOL_CALLS {
            return Err(StreamError::TooMuch("the number of tool calls"));
        }
        let call = self.tool_calls.entry(piece.index).or_default();
        if let Some(id) = piece.id
            && call.id.is_empty()
        {
            call.id = id;
        }
        let function = piece.function.unwrap_or_default();
        if let Some(name) = function.name
            && call.name.is_empty()
        {
            call.name = name;
        }
        if let Some(arguments) = function.arguments {
            if call.arguments.len() + arguments.len() > MAX_ARGUMENTS_BYTES {
                return Err(StreamError::TooMuch("the arguments of a tool call"));
            }
            call.arguments.push_str(&arguments);
        }
        Ok(())
    }

    fn finish(&mut self, reason: &str, events: &mut Vec<GenerationEvent>) -> Result<(), StreamError> {
        let calls = mem::take(&mut self.tool_calls);
        let reason = match reason {
            "length" => FinishReason::Length,
            "content_filter" => FinishReason::ContentFilter,
            // Some servers call the end of tool calls a stop; and a reason not known here is at least an end.
            _ if calls.is_empty() => FinishReason::Stop,
            _ => FinishReason::ToolCalls,
        };
        if reason == FinishReason::ToolCalls {
            for PartialToolCall { id, name, arguments } in calls.into_values() {
                if id.is_empty() || name.is_empty() {
                    return Err(StreamError::NamelessToolCall);
                }
                events.push(GenerationEvent::ToolCall { request: id, name, arguments });
            }
        }
        self.finish = Some(reason);
        Ok(())
    }

    fn conclude(&mut self) -> Result<GenerationEvent, StreamError> {
        let reason = self.finish.take().ok_or(StreamError::NoFinishReason)?;
        self.done = true;
        Ok(GenerationEvent::Finished { reason, usage: self.usage })
    }
}

#[derive(Deserialize)]
struct Chunk {
    #[serde(default)]
    choices: Vec<Choice>,
    usage: Option<Usage>,
    error: Option<Value>,
}

#[derive(Deserialize)]
struct Choice {
    #[serde(default)]
    index: u32,
    delta: Option<Delta>,
    finish_reason: Option<String>,
}

#[derive(Deserialize, Default)]
struct Delta {
    content: Option<String>,
    refusal: Option<String>,
    tool_calls: Option<Vec<ToolCallPiece>>,
}

#[derive(Deserialize)]
struct ToolCallPiece {
    #[serde(default)]
    index: u32,
    id: Option<String>,
    function: Option<FunctionPiece>,
}

#[derive(Deserialize, Default)]
struct FunctionPiece {
    name: Option<String>,
    arguments: Option<String>,
}

#[derive(Deserialize)]
struct Usage {
    #[serde(default)]
    prompt_tokens: u64,
    #[serde(default)]
    completion_tokens: u64,
}

/// An error that the vendor reports in the middle of a stream.
pub(in crate::openai) fn vendors_error(error: &Value) -> Failure {
    let field = |name: &str| error.get(name).and_then(Value::as_str).unwrap_or_default();
    let kind = match (field("type"), field("code")) {
        (_, "rate_limit_exceeded" | "insufficient_quota")
        | ("rate_limit_error" | "tokens" | "requests", _) => FailureKind::RateLimited { retry_after: None },
        (_, "invalid_api_key") | ("authentication_error", _) => FailureKind::Unauthorized,
        ("invalid_request_error", _) => FailureKind::BadRequest,
        _ => FailureKind::VendorFault,
    };
    let words = match field("message") {
        "" => error.to_string(),
        message => message.to_owned(),
    };
    Failure::new(Vendor::OpenAi, kind, words)
}

#[cfg(test)]
#[path = "stream_tests.rs"]
mod tests;
