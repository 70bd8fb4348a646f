//! Tools: what a language model may ask the platform to do.

use crate::CallTime;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A tool as a language model is told about it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolSpec {
    /// `snake_case` name.
    pub name: String,
    /// What it does and when to use it.
    pub description: String,
    /// JSON Schema of the arguments.
    pub parameters: serde_json::Value,
}

/// Whether a language model may, must or must not ask for tools.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ToolChoice {
    /// It may.
    #[default]
    Auto,
    /// It must not.
    None,
    /// It must, for whichever.
    Required,
    /// It must, for the one with this name.
    Named(String),
}

/// How a tool run ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case", tag = "status", content = "content")]
pub enum ToolOutcome {
    /// It did what was asked; the JSON goes to the model.
    Done(serde_json::Value),
    /// It refused the arguments or could not do it; the JSON tells the model why, in words it can use.
    Refused(serde_json::Value),
    /// It failed; the model is told that this is not possible right now.
    Failed(String),
}

impl ToolOutcome {
    /// The text of the tool message the model gets.
    pub fn to_model(&self) -> String {
        match self {
            Self::Done(value) | Self::Refused(value) => value.to_string(),
            Self::Failed(_) => r#"{"error":"this is not possible right now; offer another way"}"#.to_owned(),
        }
    }
}

/// One execution of a tool, as recorded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolRun {
    /// Counted within the call.
    pub number: u32,
    /// The model's own id for the request.
    pub request: String,
    /// Name of the tool.
    pub name: String,
    /// Arguments as the model wrote them (not trusted, perhaps not even JSON).
    pub arguments: String,
    /// When it was asked for.
    pub asked_at: CallTime,
    /// When it ended; `None` if the call ended first.
    pub finished_at: Option<CallTime>,
    /// How it ended.
    pub outcome: Option<ToolOutcome>,
}
