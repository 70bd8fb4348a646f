//! An answer cut into the vendor's chunks, each of them one token after the one before.

use crate::receptionist::Reply;
use serde_json::{Value, json};

/// Letters that make up a token at most; the vendor's average is about four, with common words whole.
const TOKEN_LETTERS: usize = 8;

/// What the vendor pads `obfuscation` to.
const OBFUSCATION_CHARS: usize = 16;

/// What every chunk of a completion says about it.
#[derive(Debug, Clone)]
pub(super) struct Heading {
    pub(super) id: String,
    pub(super) created: i64,
    pub(super) model: String,
}

/// One chunk.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Step {
    /// The JSON after `data: `.
    pub(super) data: String,
    /// Whether it carries a token, and therefore comes a token's time after the one before.
    pub(super) token: bool,
    /// What is complete with it.
    pub(super) completes: Option<Milestone>,
}

/// What a reader of the stream waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Milestone {
    FirstSentence,
    ToolCalls,
}

/// How long the prompt and the longest answer are, and whether usage is asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) prompt_tokens: usize,
    pub(super) max_tokens: usize,
    pub(super) include_usage: bool,
}

/// All chunks of an answer, without the closing `[DONE]`. `call_id` names the tool calls, in order.
pub(super) fn steps(
    heading: &Heading,
    reply: &Reply,
    limits: Limits,
    mut call_id: impl FnMut(usize) -> String,
) -> Vec<Step> {
    let text = reply.text.as_deref().unwrap_or_default();
    let first_sentence = first_sentence_len(text);
    let role = if reply.text.is_some() {
        json!({ "role": "assistant", "content": "", "refusal": null })
    } else {
        json!({ "role": "assistant", "content": null, "refusal": null })
    };
    let delta =
        |delta: &Value, token: bool, completes| Step { data: chunk(heading, delta, None), token, completes };
    let mut steps = vec![delta(&role, false, None)];
    let mut tokens = 0;
    let mut emitted = 0;
    for piece in pieces(text).take(limits.max_tokens) {
        let before = emitted;
        emitted += piece.len();
        tokens += 1;
        let completes =
            (before < first_sentence && first_sentence <= emitted).then_some(Milestone::FirstSentence);
        steps.push(delta(&json!({ "content": piece }), true, completes));
    }
    // A truncated answer asks for no tools: half an argument object is of no use to anybody.
    let truncated = emitted < text.len();
    let calls = if truncated { &[] } else { reply.tool_calls.as_slice() };
    for (index, (name, arguments)) in calls.iter().enumerate() {
        let call = json!({ "tool_calls": [{ "index": index, "id": call_id(index), "type": "function",
            "function": { "name": name, "arguments": "" } }] });
        tokens += 1;
        steps.push(delta(&call, true, None));
        for piece in pieces(&arguments.to_string()) {
            tokens += 1;
            let more = json!({ "tool_calls": [{ "index": index, "function": { "arguments": piece } }] });
            steps.push(delta(&more, true, None));
        }
    }
    if let (false, Some(last)) = (calls.is_empty(), steps.last_mut()) {
        last.completes = Some(Milestone::ToolCalls);
    }
    let reason = match (truncated, calls.is_empty()) {
        (true, _) => "length",
        (false, false) => "tool_calls",
        (false, true) => "stop",
    };
    steps.push(Step { data: chunk(heading, &json!({}), Some(reason)), token: false, completes: None });
    if limits.include_usage {
        steps.push(Step {
            data: usage(heading, limits.prompt_tokens, tokens),
            token: false,
            completes: None,
        });
    }
    steps
}

/// How many tokens a text has, by the same cut.
pub(super) fn token_count(text: &str) -> usize {
    pieces(text).count()
}

fn chunk(heading: &Heading, delta: &Value, finish_reason: Option<&str>) -> String {
    let padding = OBFUSCATION_CHARS.saturating_sub(delta["content"].as_str().map_or(0, str::len));
    json!({
        "id": heading.id, "object": "chat.completion.chunk", "created": heading.created, "model": heading.model,
        "service_tier": "default", "system_fingerprint": null,
        "choices": [{ "index": 0, "delta": delta, "logprobs": null, "finish_reason": finish_reason }],
        "usage": null,
        "obfuscation": "x".repeat(padding),
    })
    .to_string()
}

fn usage(heading: &Heading, prompt_tokens: usize, completion_tokens: usize) -> String {
    json!({
        "id": heading.id, "object": "chat.completion.chunk", "created": heading.created, "model": heading.model,
        "service_tier": "default", "system_fingerprint": null,
        "choices": [],
        "usage": {
            "prompt_tokens": prompt_tokens, "completion_tokens": completion_tokens,
            "total_tokens": prompt_tokens + completion_tokens,
            "prompt_tokens_details": { "cached_tokens": 0, "audio_tokens": 0 },
            "completion_tokens_details": { "reasoning_tokens": 0, "audio_tokens": 0,
                "accepted_prediction_tokens": 0, "rejected_prediction_tokens": 0 },
        },
        "obfuscation": "",
    })
    .to_string()
}

/// Where the first sentence ends, in bytes; a text without an end of sentence is one.
fn first_sentence_len(text: &str) -> usize {
    text.match_indices(['.', '!', '?'])
        .map(|(at, end)| at + end.len())
        .find(|&end| text[end..].chars().next().is_none_or(char::is_whitespace))
        .unwrap_or(text.len())
}

/// A text in pieces of a token each: a space belongs to the word behind it, marks stand alone.
fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (piece, after) = rest.split_at(piece_len(rest));
        rest = after;
        Some(piece)
    })
}

fn piece_len(text: &str) -> usize {
    let mut letters = 0;
    for (at, character) in text.char_indices() {
        let leading_space = at == 0 && character == ' ';
        if leading_space {
            continue;
        }
        if !character.is_alphanumeric() {
            // A mark ends the word before it; first in line (but for a space) it is a piece by itself.
            return if letters == 0 { at + character.len_utf8() } else { at };
        }
        if letters == TOKEN_LETTERS {
            return at;
        }
        letters += 1;
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn heading() -> Heading {
        Heading { id: "chatcmpl-1".into(), created: 1_795_000_000, model: "gpt-4.1-mini".into() }
    }

    fn reply(text: Option<&str>, tool_calls: &[(&str, Value)]) -> Reply {
        let tool_calls =
            tool_calls.iter().map(|(name, arguments)| ((*name).to_owned(), arguments.clone())).collect();
        Reply { text: text.map(str::to_owned), tool_calls }
    }

    fn all(reply: &Reply, max_tokens: usize) -> Vec<Step> {
        let limits = Limits { prompt_tokens: 7, max_tokens, include_usage: true };
        steps(&heading(), reply, limits, |index| format!("call_{index}"))
    }

    fn deltas(steps: &[Step]) -> Vec<Value> {
        let parsed = |step: &Step| serde_json::from_str::<Value>(&step.data).unwrap();
        steps
            .iter()
            .map(parsed)
            .filter_map(|chunk| chunk["choices"].get(0).map(|choice| choice["delta"].clone()))
            .collect()
    }

    fn finish_reason(steps: &[Step]) -> String {
        let data: Vec<Value> = steps.iter().map(|step| serde_json::from_str(&step.data).unwrap()).collect();
        data.iter()
            .find_map(|chunk| chunk["choices"][0]["finish_reason"].as_str().map(str::to_owned))
            .unwrap()
    }

    #[test]
    fn text_comes_token_by_token_behind_the_role() {
        let steps = all(&reply(Some("Sure. It's free."), &[]), 100);
        let deltas = deltas(&steps);
        assert_eq!(deltas[0], json!({ "role": "assistant", "content": "", "refusal": null }));
        let text: Vec<_> = deltas[1..].iter().filter_map(|delta| delta["content"].as_str()).collect();
        assert_eq!(text, ["Sure", ".", " It", "'", "s", " free", "."]);
        assert_eq!(finish_reason(&steps), "stop");
        let milestone = steps.iter().position(|step| step.completes == Some(Milestone::FirstSentence));
        assert_eq!(milestone, Some(2), "the full stop of the first sentence");
    }

    #[test]
    fn a_tool_call_tells_id_and_name_first_and_then_its_arguments_in_pieces() {
        let steps = all(
            &reply(None, &[("search_listings", json!({ "area": "Riverside" })), ("end_call", json!({}))]),
            100,
        );
        let deltas = deltas(&steps);
        assert_eq!(deltas[0]["content"], Value::Null);
        let first = &deltas[1]["tool_calls"][0];
        assert_eq!(
            first,
            &json!({ "index": 0, "id": "call_0", "type": "function",
            "function": { "name": "search_listings", "arguments": "" } })
        );
        let arguments = |index: u64| -> String {
            deltas
                .iter()
                .filter(|delta| delta["tool_calls"][0]["index"] == index)
                .filter_map(|delta| delta["tool_calls"][0]["function"]["arguments"].as_str())
                .collect()
        };
        assert_eq!(arguments(0), r#"{"area":"Riverside"}"#);
        assert_eq!(arguments(1), "{}");
        assert_eq!(finish_reason(&steps), "tool_calls");
        assert_eq!(steps.iter().filter(|step| step.completes == Some(Milestone::ToolCalls)).count(), 1);
    }

    #[test]
    fn the_usage_chunk_comes_last_has_no_choices_and_counts_the_tokens() {
        let steps = all(&reply(Some("One two three"), &[]), 100);
        let last: Value = serde_json::from_str(&steps.last().unwrap().data).unwrap();
        assert_eq!(last["choices"], json!([]));
        assert_eq!(last["usage"]["completion_tokens"], 3);
        assert_eq!(last["usage"]["total_tokens"], 10);
        assert_eq!(steps.iter().filter(|step| step.token).count(), 3);
    }

    #[test]
    fn an_answer_that_is_too_long_is_cut_and_says_so() {
        let steps = all(&reply(Some("One two three four"), &[("end_call", json!({}))]), 2);
        assert_eq!(finish_reason(&steps), "length");
        assert_eq!(steps.iter().filter(|step| step.token).count(), 2);
    }

    #[test]
    fn a_chunk_has_the_vendors_keys() {
        let chunk = chunk(&heading(), &json!({ "content": " free" }), None);
        let expected = json!({
            "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_795_000_000, "model": "gpt-4.1-mini",
            "service_tier": "default", "system_fingerprint": null,
            "choices": [{ "index": 0, "delta": { "content": " free" }, "logprobs": null, "finish_reason": null }],
            "usage": null, "obfuscation": "xxxxxxxxxxx",
        });
        assert_eq!(serde_json::from_str::<Value>(&chunk).unwrap(), expected);
    }

    proptest! {
        #[test]
        fn pieces_put_together_are_the_text(text in ".{0,200}") {
            prop_assert_eq!(pieces(&text).collect::<String>(), text.clone());
            prop_assert!(pieces(&text).all(|piece| !piece.is_empty()));
        }
    }
}
