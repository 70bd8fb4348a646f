//! The sandbox's language model: a deterministic receptionist of a real-estate brokerage.
//!
//! It sees an OpenAI chat-completions request (system prompt, messages, names of tools) and nothing else, and answers
//! as such a model would: with text, with tool calls, or with both. No IO, no clock, no chance; the same request gets
//! the same reply.
//!
//! It refuses to be a general model. It is a stand-in with which everything around a model can be shown and tested
//! without a key, and it must earn the conversation: paraphrases, facts in any order, several at once, corrections and
//! noise all arrive as recognised speech, lower case and without punctuation.
//!
//! How it works: `memory` replays the request message by message. Each utterance is `understand`ed in the light of
//! what was asked; each tool result is filed; at each answer of the agent, `decide` is asked again what the answer
//! was, so that the state follows from the request alone and an interrupted answer (whose text is cut to what was
//! heard) does no harm. Then `decide` says what to do now, and `phrases` how to say it.
//!
//! Invariants:
//! - An id, a price, a time or a day reaches a tool or the caller only if a tool returned it or the caller said it.
//! - A home has at most one viewing in a call: a second booking of it moves the first. `save_lead` runs once in a call,
//!   and again only to pass a new request on.
//! - A tool is used only if the request offers it. One that is not a receptionist's is used by its name (`strangers.rs`).
//! - At most four rounds of tools come between an utterance and the answer to it.
//! - An answer has at most 400 characters and begins with a sentence of at most eight words.
//!
//! - Who a caller is changes nothing: the wording varies with the number of the turn, never with what was said, and what
//!   callers say of themselves is no wish.
//! - A tool that is at work is not called again; it is said to be at work, and its result is told when it is there.
//! - Nothing is said to be done before its tool has answered that it is.
//!
//! Errands (messages, people, e-mail, call backs, viewings that are moved or cancelled) live in `errands.rs` and `learn_errands.rs`.
//! Languages
//! live in a directory each: a lexicon turns what is said into a `gloss` in the English words that are understood, and
//! `language::Words` holds what is said back. So there is one understanding and one policy for all of them.
//!
//! To teach it one more thing to react to: add a `heard::Act` with its phrases in `acts.rs`, react in `decide.rs` or
//! `errands.rs` with a `moves::Line` or a `moves::Errand`, and the compiler names the languages that need words for it. To
//! teach it a language: a variant of `language::Language`, a lexicon, and its `Words`.

mod acts;
mod calendar;
mod caller;
mod chinese;
mod contact;
mod criteria;
mod decide;
mod email;
mod english;
mod english_errands;
mod errands;
mod filing;
mod find;
mod gloss;
mod heard;
mod hours;
mod keypad;
mod language;
mod learn;
mod learn_errands;
mod listing;
mod memory;
mod moves;
mod numbers;
mod phrases;
mod reference;
mod schedule;
mod spanish;
mod strangers;
mod tokens;
mod understand;
mod viewing;
mod vocabulary;
mod wanted;

#[cfg(test)]
mod tests;

pub use numbers::number_to_words;

use decide::decide;
use language::Doing;
use memory::Memory;
use moves::{Move, Tool};
use serde_json::Value;

/// A request to the model.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Prompt {
    /// What the model is told to be and do. Of it are read: "Today is …", "The caller's number is …", "Speak Spanish." or
    /// "Speak Chinese.", and the wish to hear what the model is about to do.
    pub system: String,
    /// The conversation so far.
    pub messages: Vec<PromptMessage>,
    /// Names of the tools it may call.
    pub tools: Vec<String>,
}

/// One message of the conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PromptMessage {
    /// The caller spoke.
    User(String),
    /// The model spoke, called tools, or both.
    Assistant {
        /// What it said, as far as it was heard.
        text: Option<String>,
        /// What it called.
        tool_calls: Vec<ToolCallMade>,
    },
    /// A tool answered.
    Tool {
        /// The id of the call it answers.
        id: String,
        /// What it answered, as JSON.
        content: String,
    },
}

/// A tool call of an earlier reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolCallMade {
    /// Its id in the conversation.
    pub id: String,
    /// Name of the tool.
    pub name: String,
    /// The arguments as JSON text.
    pub arguments: String,
}

/// What the model answers: text, tool calls, or both; never neither.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Reply {
    /// Words to speak.
    pub text: Option<String>,
    /// Tools to call, with their arguments.
    pub tool_calls: Vec<(String, Value)>,
}

/// Answers a request.
pub fn reply(prompt: &Prompt) -> Reply {
    if let Some(reply) = strangers::reply(prompt) {
        return reply;
    }
    let memory = Memory::of(prompt);
    let named = |calls: Vec<(Tool, Value)>| {
        calls.into_iter().map(|(tool, arguments)| (tool.name().to_owned(), arguments)).collect()
    };
    match decide(&memory) {
        Move::Call(calls) => Reply { text: announcement(&memory, &calls), tool_calls: named(calls) },
        Move::Say(say) => Reply { text: Some(memory.render(&say)), tool_calls: Vec::new() },
        Move::SayAndCall { say, calls } => {
            Reply { text: Some(memory.render(&say)), tool_calls: named(calls) }
        }
    }
}

/// A few words before tools are used, if the prompt asks for them.
fn announcement(memory: &Memory, calls: &[(Tool, Value)]) -> Option<String> {
    let (tool, arguments) = calls.iter().find(|(tool, _)| tool.is_announced())?;
    if !memory.announces || !memory.is_worth_a_word(*tool) {
        return None;
    }
    let text = |name: &str| arguments.get(name).and_then(Value::as_str);
    let doing = Doing {
        tool: *tool,
        area: text("area"),
        day: text("day").and_then(|day| day.parse().ok()),
        today: memory.today,
        number: memory.announced,
    };
    (memory.language.words().announcement)(&doing)
}
