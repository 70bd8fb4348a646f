//! Tools that a client brings along and a receptionist has never heard of.
//!
//! A general model would understand what such a tool is for. This one goes by its name: it is called, without arguments,
//! when the caller says each word of it ("what is the office weather" calls `office_weather`), and the caller is told
//! every text and number that comes back.

use super::{Prompt, PromptMessage, Reply, moves::Tool};
use serde_json::{Value, json};

/// The most that is told of an answer, in characters.
const TOLD: usize = 200;

/// The answer, if this concerns such a tool.
pub(super) fn reply(prompt: &Prompt) -> Option<Reply> {
    match prompt.messages.last()? {
        PromptMessage::User(text) => {
            let words: Vec<String> = text.split_whitespace().map(bare).collect();
            let strangers = prompt.tools.iter().filter(|name| Tool::from_name(name).is_none());
            let name = strangers.into_iter().find(|name| is_named(name, &words))?;
            Some(Reply { text: None, tool_calls: vec![(name.clone(), json!({}))] })
        }
        PromptMessage::Tool { id, content } => {
            let calls = prompt.messages.iter().filter_map(|message| match message {
                PromptMessage::Assistant { tool_calls, .. } => Some(tool_calls),
                PromptMessage::User(_) | PromptMessage::Tool { .. } => None,
            });
            let call = calls.flatten().rfind(|call| call.id == *id)?;
            if Tool::from_name(&call.name).is_some() {
                return None;
            }
            Some(Reply { text: Some(told(content)), tool_calls: Vec::new() })
        }
        PromptMessage::Assistant { .. } => None,
    }
}

fn is_named(tool: &str, words: &[String]) -> bool {
    let mut parts = tool.split(['_', '-']).filter(|part| !part.is_empty()).peekable();
    parts.peek().is_some() && parts.all(|part| words.iter().any(|word| *word == part.to_lowercase()))
}

fn bare(word: &str) -> String {
    word.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

fn told(content: &str) -> String {
    let mut texts = Vec::new();
    match serde_json::from_str(content) {
        Ok(value) => collect(&value, &mut texts),
        Err(_) => texts.push(content.to_owned()),
    }
    let all: String = texts.join(", ").chars().take(TOLD).collect();
    if all.is_empty() { "That is done.".to_owned() } else { format!("I have it here. {all}.") }
}

fn collect(value: &Value, texts: &mut Vec<String>) {
    match value {
        Value::String(text) => texts.push(text.clone()),
        Value::Number(number) => texts.push(number.to_string()),
        Value::Array(values) => values.iter().for_each(|value| collect(value, texts)),
        Value::Object(fields) => fields.values().for_each(|value| collect(value, texts)),
        Value::Null | Value::Bool(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::{super::ToolCallMade, *};

    fn prompt(messages: Vec<PromptMessage>) -> Prompt {
        let tools = vec!["search_listings".to_owned(), "office_weather".to_owned()];
        Prompt { system: String::new(), messages, tools }
    }

    fn user(text: &str) -> PromptMessage {
        PromptMessage::User(text.to_owned())
    }

    #[test]
    fn a_tool_is_called_by_its_name_and_no_other_way() {
        let called = |text: &str| reply(&prompt(vec![user(text)])).map(|reply| reply.tool_calls);
        assert_eq!(
            called("What is the weather at the office?").unwrap(),
            [("office_weather".to_owned(), json!({}))]
        );
        assert_eq!(called("what is the weather"), None);
        assert_eq!(called("search listings"), None, "that one it knows");
    }

    #[test]
    fn what_comes_back_is_told() {
        let call = |name: &str| PromptMessage::Assistant {
            text: None,
            tool_calls: vec![ToolCallMade {
                id: "1".to_owned(),
                name: name.to_owned(),
                arguments: "{}".to_owned(),
            }],
        };
        let result = PromptMessage::Tool {
            id: "1".to_owned(),
            content: r#"{"sky":"sunny","degrees":21,"wind":null}"#.to_owned(),
        };
        let messages = vec![user("office weather"), call("office_weather"), result.clone()];
        assert_eq!(reply(&prompt(messages)).unwrap().text.unwrap(), "I have it here. 21, sunny.");
        assert_eq!(reply(&prompt(vec![user("a home"), call("search_listings"), result])), None);
    }
}
