//! What was said, as the language model and the record see it.

use crate::Pii;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One entry of a conversation. The agent's entries hold what the caller *heard*, never more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case", tag = "role")]
pub enum Message {
    /// The caller said this.
    Caller {
        /// Words as recognised.
        text: Pii<String>,
    },
    /// The agent said this, and the caller heard it.
    Agent {
        /// Words as heard.
        text: Pii<String>,
    },
    /// The model asked for a tool. Always followed by a [`Message::ToolResult`] with the same `request`.
    ToolRequest {
        /// The model's id for the request.
        request: String,
        /// Name of the tool.
        name: String,
        /// Arguments as the model wrote them.
        arguments: Pii<String>,
    },
    /// What the tool answered.
    ToolResult {
        /// The model's id for the request.
        request: String,
        /// JSON for the model.
        content: Pii<String>,
    },
}

impl Message {
    /// How much text is in it.
    pub fn text_bytes(&self) -> usize {
        match self {
            Self::Caller { text } | Self::Agent { text } => text.expose().len(),
            Self::ToolRequest { request, name, arguments } => {
                request.len() + name.len() + arguments.expose().len()
            }
            Self::ToolResult { request, content } => request.len() + content.expose().len(),
        }
    }
}
