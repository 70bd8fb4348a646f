//! The request of a chat completion, and the rules the vendor holds it to.

use crate::receptionist::{Prompt, PromptMessage, ToolCallMade};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// A chat completion as it is asked for. Fields that do not change what the sandbox does are accepted and ignored.
#[derive(Debug, Clone, Deserialize)]
pub struct ChatRequest {
    /// Any name; it is given back.
    pub model: String,
    /// The conversation.
    pub messages: Vec<RequestMessage>,
    /// Tools that may be asked for.
    #[serde(default)]
    pub tools: Vec<RequestTool>,
    /// Whether they may or must be asked for.
    pub tool_choice: Option<RequestChoice>,
    /// The sandbox only streams.
    #[serde(default)]
    pub stream: bool,
    /// What else the stream is to contain.
    pub stream_options: Option<StreamOptions>,
    /// The longest answer, in tokens.
    pub max_completion_tokens: Option<u32>,
    /// Its older name.
    pub max_tokens: Option<u32>,
}

/// Options of a stream.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
pub struct StreamOptions {
    /// One more chunk with the usage.
    #[serde(default)]
    pub include_usage: bool,
}

/// A message, before anything is known about it.
#[derive(Debug, Clone, Deserialize)]
pub struct RequestMessage {
    role: String,
    content: Option<Content>,
    #[serde(default)]
    tool_calls: Vec<RequestToolCall>,
    tool_call_id: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum Content {
    Text(String),
    Parts(Vec<ContentPart>),
}

#[derive(Debug, Clone, Deserialize)]
struct ContentPart {
    text: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
struct RequestToolCall {
    id: String,
    function: RequestFunctionCall,
}

#[derive(Debug, Clone, Deserialize)]
struct RequestFunctionCall {
    name: String,
    arguments: String,
}

/// A tool as it is offered.
#[derive(Debug, Clone, Deserialize)]
pub struct RequestTool {
    function: RequestFunction,
}

#[derive(Debug, Clone, Deserialize)]
struct RequestFunction {
    name: String,
}

/// A choice among the tools.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum RequestChoice {
    /// For all of them.
    Word(ChoiceWord),
    /// This one must be asked for.
    Function {
        /// Which.
        function: ChosenFunction,
    },
}

/// What may be said of all tools.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ChoiceWord {
    /// They may be asked for.
    Auto,
    /// They may not.
    None,
    /// One must be.
    Required,
}

/// The tool that must be asked for.
#[derive(Debug, Clone, Deserialize)]
pub struct ChosenFunction {
    name: String,
}

/// What a model does with its tools.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// What it likes.
    Free,
    /// It asks for one, for this one if it knows no better.
    Must(String),
}

/// A request that the vendor would answer with 400.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// Not JSON, or not of this shape.
    #[error("we could not parse the JSON body of your request: {0}")]
    Malformed(String),
    /// Nothing to answer.
    #[error("`messages` must not be empty")]
    NoMessages,
    /// Only streams.
    #[error("this server answers with streams only; set `stream` to true")]
    NotAStream,
    /// A role that does not exist.
    #[error("messages[{index}].role: `{role}` is not one of system, developer, user, assistant, tool")]
    Role {
        /// Where.
        index: usize,
        /// What it says.
        role: String,
    },
    /// A message without what its role needs.
    #[error("messages[{index}].{field} is missing")]
    Missing {
        /// Where.
        index: usize,
        /// What.
        field: &'static str,
    },
    /// A tool message that answers nothing.
    #[error("messages[{index}]: a message with role `tool` must answer one of the preceding `tool_calls`")]
    OrphanToolMessage {
        /// Where.
        index: usize,
    },
    /// A choice among tools that are not there.
    #[error("tool_choice: there is no tool to choose, or none with this name")]
    NoSuchTool,
    /// Tool calls that nobody answered.
    #[error(
        "messages[{index}]: `tool_calls` must be followed by a tool message for each `tool_call_id`: {missing}"
    )]
    UnansweredToolCalls {
        /// The message that should not be there yet.
        index: usize,
        /// Which are not answered.
        missing: String,
    },
}

impl ChatRequest {
    /// Reads a request body.
    pub fn parse(body: &[u8]) -> Result<Self, RequestError> {
        let request: Self =
            serde_json::from_slice(body).map_err(|error| RequestError::Malformed(error.to_string()))?;
        if request.messages.is_empty() {
            return Err(RequestError::NoMessages);
        }
        if !request.stream {
            return Err(RequestError::NotAStream);
        }
        Ok(request)
    }

    /// The longest answer, in tokens.
    pub fn token_limit(&self) -> usize {
        self.max_completion_tokens.or(self.max_tokens).map_or(usize::MAX, |limit| limit as usize)
    }

    /// What the receptionist is asked, and whether it has to ask for a tool.
    pub fn into_prompt(self) -> Result<(Prompt, Choice), RequestError> {
        let mut system = Vec::new();
        let mut messages = Vec::new();
        let mut open = BTreeSet::new();
        let count = self.messages.len();
        for (index, message) in self.messages.into_iter().enumerate() {
            if message.role != "tool" && !open.is_empty() {
                return Err(unanswered(index, &open));
            }
            let text = message.content.map(Content::into_text);
            let content =
                |text: Option<String>| text.ok_or(RequestError::Missing { index, field: "content" });
            match message.role.as_str() {
                "system" | "developer" => system.push(content(text)?),
                "user" => messages.push(PromptMessage::User(content(text)?)),
                "assistant" => {
                    if text.is_none() && message.tool_calls.is_empty() {
                        return Err(RequestError::Missing { index, field: "content" });
                    }
                    open.extend(message.tool_calls.iter().map(|call| call.id.clone()));
                    let tool_calls = message.tool_calls.into_iter().map(RequestToolCall::into_made).collect();
                    messages.push(PromptMessage::Assistant { text, tool_calls });
                }
                "tool" => {
                    let id =
                        message.tool_call_id.ok_or(RequestError::Missing { index, field: "tool_call_id" })?;
                    if !open.remove(&id) {
                        return Err(RequestError::OrphanToolMessage { index });
                    }
                    messages.push(PromptMessage::Tool { id, content: content(text)? });
                }
                _ => return Err(RequestError::Role { index, role: message.role }),
            }
        }
        if !open.is_empty() {
            return Err(unanswered(count, &open));
        }
        let mut tools: Vec<String> = self.tools.into_iter().map(|tool| tool.function.name).collect();
        let choice = match self.tool_choice {
            Some(_) if tools.is_empty() => return Err(RequestError::NoSuchTool),
            None | Some(RequestChoice::Word(ChoiceWord::Auto)) => Choice::Free,
            Some(RequestChoice::Word(ChoiceWord::None)) => {
                tools.clear();
                Choice::Free
            }
            Some(RequestChoice::Word(ChoiceWord::Required)) => Choice::Must(tools[0].clone()),
            Some(RequestChoice::Function { function: ChosenFunction { name } }) => {
                tools.retain(|tool| *tool == name);
                Choice::Must(tools.first().cloned().ok_or(RequestError::NoSuchTool)?)
            }
        };
        Ok((Prompt { system: system.join("\n"), messages, tools }, choice))
    }
}

fn unanswered(index: usize, open: &BTreeSet<String>) -> RequestError {
    let missing = open.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
    RequestError::UnansweredToolCalls { index, missing }
}

impl Content {
    fn into_text(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Parts(parts) => parts.into_iter().filter_map(|part| part.text).collect(),
        }
    }
}

impl RequestToolCall {
    fn into_made(self) -> ToolCallMade {
        ToolCallMade { id: self.id, name: self.function.name, arguments: self.function.arguments }
    }
}

/// The vendor's error body.
pub fn error_body(kind: &str, code: Option<&str>, message: &str) -> Value {
    json!({ "error": { "message": message, "type": kind, "param": null, "code": code } })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn prompt(messages: &Value) -> Result<Prompt, RequestError> {
        let body = json!({ "model": "gpt-4.1-mini", "stream": true, "messages": messages });
        ChatRequest::parse(body.to_string().as_bytes())?.into_prompt().map(|(prompt, _)| prompt)
    }

    #[test]
    fn a_conversation_with_tools_is_read_as_it_was_held() {
        let body = json!({
            "model": "gpt-4.1-mini", "stream": true, "stream_options": { "include_usage": true },
            "temperature": 0.3, "max_completion_tokens": 200,
            "tools": [{ "type": "function", "function": { "name": "search_listings", "parameters": {} } }],
            "messages": [
                { "role": "system", "content": "You are Ava." },
                { "role": "user", "content": [{ "type": "text", "text": "a house " }, { "type": "text", "text": "please" }] },
                { "role": "assistant", "content": null, "tool_calls": [
                    { "id": "call_1", "type": "function", "function": { "name": "search_listings", "arguments": "{}" } }
                ] },
                { "role": "tool", "tool_call_id": "call_1", "content": "{\"listings\":[]}" },
            ],
        });
        let request = ChatRequest::parse(body.to_string().as_bytes()).unwrap();
        assert_eq!(request.token_limit(), 200);
        assert!(request.stream_options.is_some_and(|options| options.include_usage));
        let (prompt, _) = request.into_prompt().unwrap();
        assert_eq!(prompt.system, "You are Ava.");
        assert_eq!(prompt.tools, ["search_listings"]);
        assert!(matches!(&prompt.messages[0], PromptMessage::User(text) if text == "a house please"));
        assert!(
            matches!(&prompt.messages[1], PromptMessage::Assistant { text: None, tool_calls } if tool_calls[0].id == "call_1")
        );
        assert!(matches!(&prompt.messages[2], PromptMessage::Tool { id, .. } if id == "call_1"));
    }

    #[test]
    fn what_the_vendor_refuses_is_refused_and_says_where() {
        let call = json!({ "role": "assistant", "tool_calls": [
            { "id": "call_1", "type": "function", "function": { "name": "x", "arguments": "{}" } }] });
        let user = json!({ "role": "user", "content": "hi" });
        let answer = json!({ "role": "tool", "tool_call_id": "call_1", "content": "{}" });
        assert!(prompt(&json!([user, call, answer, user])).is_ok());
        for (messages, expected) in [
            (json!([]), RequestError::NoMessages),
            (json!([user, answer]), RequestError::OrphanToolMessage { index: 1 }),
            (json!([call, answer, answer]), RequestError::OrphanToolMessage { index: 2 }),
            (json!([call, user]), RequestError::UnansweredToolCalls { index: 1, missing: "call_1".into() }),
            (json!([user, call]), RequestError::UnansweredToolCalls { index: 2, missing: "call_1".into() }),
            (json!([{ "role": "user" }]), RequestError::Missing { index: 0, field: "content" }),
            (json!([{ "role": "assistant" }]), RequestError::Missing { index: 0, field: "content" }),
            (
                json!([{ "role": "tool", "content": "" }]),
                RequestError::Missing { index: 0, field: "tool_call_id" },
            ),
            (
                json!([{ "role": "poet", "content": "" }]),
                RequestError::Role { index: 0, role: "poet".into() },
            ),
        ] {
            assert_eq!(prompt(&messages).unwrap_err(), expected, "{messages}");
        }
    }

    #[test]
    fn only_streams_are_served() {
        let body = json!({ "model": "m", "messages": [{ "role": "user", "content": "hi" }] }).to_string();
        assert_eq!(ChatRequest::parse(body.as_bytes()).unwrap_err(), RequestError::NotAStream);
    }

    proptest! {
        #[test]
        fn no_body_makes_the_parser_panic(body in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = ChatRequest::parse(&body);
        }
    }
}
