//! What is sent.

use crate::{Failure, FailureKind, GenerationRequest, Vendor};
use seiketsu_domain::{Message, ToolChoice, ToolSpec};
use serde::Serialize;

/// What the model is told of a tool whose result never came. The vendor refuses a conversation with an unanswered
/// request, and one lost result must not silence the rest of a call.
const NO_RESULT: &str = r#"{"error":"the result did not arrive; offer another way"}"#;

/// The JSON body of a request.
pub fn request_body(request: &GenerationRequest) -> Result<Vec<u8>, Failure> {
    let body = Body {
        model: &request.model.model,
        messages: chat(&request.system, &request.messages),
        tools: request.tools.iter().map(tool).collect(),
        tool_choice: Some(&request.tool_choice).filter(|_| !request.tools.is_empty()).and_then(choice),
        temperature: request.model.temperature,
        max_completion_tokens: request.model.max_tokens,
        stream: true,
        stream_options: StreamOptions { include_usage: true },
    };
    serde_json::to_vec(&body).map_err(|error| Failure::new(Vendor::OpenAi, FailureKind::BadRequest, error))
}

#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    messages: Vec<ChatMessage<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<Tool<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_choice: Option<Choice<'a>>,
    temperature: f32,
    max_completion_tokens: u32,
    stream: bool,
    stream_options: StreamOptions,
}

#[derive(Serialize)]
struct StreamOptions {
    include_usage: bool,
}

#[derive(Serialize)]
#[serde(tag = "role", rename_all = "lowercase")]
enum ChatMessage<'a> {
    System {
        content: &'a str,
    },
    User {
        content: &'a str,
    },
    Assistant {
        content: Option<&'a str>,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        tool_calls: Vec<ToolCall<'a>>,
    },
    Tool {
        tool_call_id: &'a str,
        content: &'a str,
    },
}

#[derive(Serialize)]
struct ToolCall<'a> {
    id: &'a str,
    r#type: &'static str,
    function: Function<'a>,
}

#[derive(Serialize)]
struct Function<'a> {
    name: &'a str,
    arguments: &'a str,
}

#[derive(Serialize)]
struct Tool<'a> {
    r#type: &'static str,
    function: &'a ToolSpec,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Choice<'a> {
    Word(&'static str),
    Function { r#type: &'static str, function: Named<'a> },
}

#[derive(Serialize)]
struct Named<'a> {
    name: &'a str,
}

/// None for what the vendor does without being told.
fn choice(choice: &ToolChoice) -> Option<Choice<'_>> {
    match choice {
        ToolChoice::Auto => None,
        ToolChoice::None => Some(Choice::Word("none")),
        ToolChoice::Required => Some(Choice::Word("required")),
        ToolChoice::Named(name) => Some(Choice::Function { r#type: "function", function: Named { name } }),
    }
}

fn tool(spec: &ToolSpec) -> Tool<'_> {
    Tool { r#type: "function", function: spec }
}

/// The conversation as the vendor wants it: requests for tools belong to the assistant's message before them, and each
/// is answered directly behind it, by the first result of its name that follows.
fn chat<'a>(system: &'a str, messages: &'a [Message]) -> Vec<ChatMessage<'a>> {
    let mut chat = vec![ChatMessage::System { content: system }];
    let mut rest = messages;
    while let [first, tail @ ..] = rest {
        rest = tail;
        match first {
            Message::Caller { text } => chat.push(ChatMessage::User { content: text.expose() }),
            // Placed with their requests, below; a result of nothing has no place at all.
            Message::ToolResult { .. } => {}
            Message::Agent { text } => {
                let requests = leading_requests(rest);
                rest = &rest[requests.len()..];
                push_assistant(&mut chat, Some(text.expose()), requests, rest);
            }
            Message::ToolRequest { .. } => {
                let requests = &messages[messages.len() - tail.len() - 1..];
                let requests = leading_requests(requests);
                rest = &tail[requests.len() - 1..];
                push_assistant(&mut chat, None, requests, rest);
            }
        }
    }
    chat
}

fn leading_requests(messages: &[Message]) -> &[Message] {
    let end = messages.iter().take_while(|message| matches!(message, Message::ToolRequest { .. })).count();
    &messages[..end]
}

fn push_assistant<'a>(
    chat: &mut Vec<ChatMessage<'a>>,
    text: Option<&'a String>,
    requests: &'a [Message],
    later: &'a [Message],
) {
    let content = text.map(String::as_str).filter(|text| !text.is_empty());
    let mut tool_calls = Vec::with_capacity(requests.len());
    let mut results = Vec::with_capacity(requests.len());
    for message in requests {
        let Message::ToolRequest { request, name, arguments } = message else { continue };
        let function = Function { name, arguments: arguments.expose() };
        tool_calls.push(ToolCall { id: request, r#type: "function", function });
        results.push(ChatMessage::Tool { tool_call_id: request, content: result_of(request, later) });
    }
    if content.is_some() || !tool_calls.is_empty() {
        chat.push(ChatMessage::Assistant { content, tool_calls });
        chat.append(&mut results);
    }
}

fn result_of<'a>(wanted: &str, later: &'a [Message]) -> &'a str {
    later
        .iter()
        .find_map(|message| match message {
            Message::ToolResult { request, content } if request == wanted => Some(content.expose().as_str()),
            Message::Caller { .. }
            | Message::Agent { .. }
            | Message::ToolRequest { .. }
            | Message::ToolResult { .. } => None,
        })
        .unwrap_or(NO_RESULT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use seiketsu_domain::{ModelChoice, Pii};
    use serde_json::{Value, json};

    fn caller(text: &str) -> Message {
        Message::Caller { text: Pii::new(text.to_owned()) }
    }
    fn agent(text: &str) -> Message {
        Message::Agent { text: Pii::new(text.to_owned()) }
    }
    fn asks(request: &str, name: &str) -> Message {
        let arguments = Pii::new(r#"{"area":"Riverside"}"#.to_owned());
        Message::ToolRequest { request: request.to_owned(), name: name.to_owned(), arguments }
    }
    fn result(request: &str) -> Message {
        Message::ToolResult {
            request: request.to_owned(),
            content: Pii::new(format!("\"result of {request}\"")),
        }
    }

    fn body(messages: Vec<Message>, tools: Vec<ToolSpec>) -> Value {
        let model = ModelChoice { model: "gpt-4.1-mini".to_owned(), temperature: 0.7, max_tokens: 300 };
        let request = GenerationRequest {
            model,
            system: "You are Ada.".to_owned(),
            messages,
            tools,
            tool_choice: ToolChoice::Auto,
        };
        serde_json::from_slice(&request_body(&request).unwrap()).unwrap()
    }

    /// One letter per message: system, user, assistant (with the number of its tool calls), tool.
    fn shape(messages: Vec<Message>) -> String {
        let body = body(messages, vec![]);
        let of_message = |message: &Value| match message["role"].as_str().unwrap() {
            "assistant" => format!("a{}", message["tool_calls"].as_array().map_or(0, Vec::len)),
            "tool" => format!("t:{}", message["tool_call_id"].as_str().unwrap()),
            role => role[..1].to_owned(),
        };
        body["messages"].as_array().unwrap().iter().map(of_message).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_whole_conversation_looks_like_this_on_the_wire() {
        let parameters = json!({"type": "object", "properties": {"area": {"type": "string"}}});
        let tool = ToolSpec {
            name: "search_listings".to_owned(),
            description: "Finds listings.".to_owned(),
            parameters,
        };
        let messages = vec![
            agent("Hello, this is Ada, an AI."),
            caller("a house in riverside"),
            agent("Let me look."),
            asks("call_1", "search_listings"),
            result("call_1"),
            agent("There is one on Maple Street."),
        ];
        insta::assert_json_snapshot!(body(messages, vec![tool]), @r#"
        {
          "max_completion_tokens": 300,
          "messages": [
            {
              "content": "You are Ada.",
              "role": "system"
            },
            {
              "content": "Hello, this is Ada, an AI.",
              "role": "assistant"
            },
            {
              "content": "a house in riverside",
              "role": "user"
            },
            {
              "content": "Let me look.",
              "role": "assistant",
              "tool_calls": [
                {
                  "function": {
                    "arguments": "{\"area\":\"Riverside\"}",
                    "name": "search_listings"
                  },
                  "id": "call_1",
                  "type": "function"
                }
              ]
            },
            {
              "content": "\"result of call_1\"",
              "role": "tool",
              "tool_call_id": "call_1"
            },
            {
              "content": "There is one on Maple Street.",
              "role": "assistant"
            }
          ],
          "model": "gpt-4.1-mini",
          "stream": true,
          "stream_options": {
            "include_usage": true
          },
          "temperature": 0.7,
          "tools": [
            {
              "function": {
                "description": "Finds listings.",
                "name": "search_listings",
                "parameters": {
                  "properties": {
                    "area": {
                      "type": "string"
                    }
                  },
                  "type": "object"
                }
              },
              "type": "function"
            }
          ]
        }
        "#);
    }

    #[test]
    fn numbers_keep_their_short_form() {
        let model = ModelChoice { model: "m".to_owned(), temperature: 0.7, max_tokens: 1 };
        let tool_choice = ToolChoice::Required;
        let request =
            GenerationRequest { model, system: String::new(), messages: vec![], tools: vec![], tool_choice };
        let text = String::from_utf8(request_body(&request).unwrap()).unwrap();
        assert!(text.contains(r#""temperature":0.7,"#), "{text}");
        assert!(!text.contains("tool"), "{text}");
    }

    #[test]
    fn a_choice_is_told_only_where_it_is_not_the_vendors_own() {
        let told = |tool_choice: ToolChoice| {
            let model = ModelChoice { model: "m".to_owned(), temperature: 0.7, max_tokens: 1 };
            let tools =
                vec![ToolSpec { name: "f".to_owned(), description: String::new(), parameters: json!({}) }];
            let request =
                GenerationRequest { model, system: String::new(), messages: vec![], tools, tool_choice };
            let body: Value = serde_json::from_slice(&request_body(&request).unwrap()).unwrap();
            body.get("tool_choice").cloned()
        };
        assert_eq!(told(ToolChoice::Auto), None);
        assert_eq!(told(ToolChoice::None), Some(json!("none")));
        assert_eq!(told(ToolChoice::Required), Some(json!("required")));
        let named = json!({ "type": "function", "function": { "name": "f" } });
        assert_eq!(told(ToolChoice::Named("f".to_owned())), Some(named));
    }

    #[test]
    fn parallel_requests_become_one_message_and_sequential_ones_two() {
        let parallel =
            vec![caller("x"), asks("a", "f"), asks("b", "g"), result("a"), result("b"), agent("y")];
        assert_eq!(shape(parallel), "s u a2 t:a t:b a0");
        let sequential = vec![asks("a", "f"), result("a"), asks("b", "g"), result("b")];
        assert_eq!(shape(sequential), "s a1 t:a a1 t:b");
    }

    #[test]
    fn a_result_is_put_behind_its_request_even_if_the_caller_spoke_in_between() {
        assert_eq!(shape(vec![asks("a", "f"), caller("hurry"), result("a")]), "s a1 t:a u");
        let swapped = vec![asks("a", "f"), asks("b", "g"), result("b"), result("a")];
        assert_eq!(shape(swapped), "s a2 t:a t:b");
    }

    #[test]
    fn a_request_without_result_is_answered_and_a_result_without_request_left_out() {
        let body = body(vec![asks("a", "f"), result("z"), caller("hello")], vec![]);
        assert_eq!(body["messages"][2]["content"], NO_RESULT);
        assert_eq!(body["messages"].as_array().unwrap().len(), 4);
    }

    #[test]
    fn a_reused_request_id_takes_the_result_that_follows_it() {
        let mut second = result("a");
        if let Message::ToolResult { content, .. } = &mut second {
            *content = Pii::new("\"second\"".to_owned());
        }
        let body = body(vec![asks("a", "f"), result("a"), asks("a", "f"), second], vec![]);
        assert_eq!(body["messages"][2]["content"], "\"result of a\"");
        assert_eq!(body["messages"][4]["content"], "\"second\"");
    }

    #[test]
    fn words_nobody_heard_are_not_sent() {
        assert_eq!(shape(vec![agent(""), caller("x")]), "s u");
        assert_eq!(shape(vec![agent(""), asks("a", "f"), result("a")]), "s a1 t:a");
    }
}
