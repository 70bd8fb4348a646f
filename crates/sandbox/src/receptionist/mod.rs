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
//! - At most four rounds of tools come between an utterance and the answer to it.
//! - An answer has at most 400 characters and begins with a sentence of at most eight words.
//!
//! To teach it one more thing to react to: add an `heard::Act` with its phrases in `acts.rs`, react in `decide.rs`
//! with a `moves::Line`, and give that its words in `phrases.rs`. To teach it a language: another `phrases`
//! function, and word lists beside those of `vocabulary.rs`.

mod acts;
mod calendar;
mod caller;
mod contact;
mod criteria;
mod decide;
mod filing;
mod find;
mod heard;
mod hours;
mod learn;
mod listing;
mod memory;
mod moves;
mod numbers;
mod phrases;
mod reference;
mod schedule;
mod tokens;
mod understand;
mod viewing;
mod vocabulary;
mod wanted;

#[cfg(test)]
mod tests;

pub use numbers::number_to_words;

use decide::decide;
use memory::Memory;
use moves::{Move, Say, Tool};
use phrases::{Tone, english};
use serde_json::Value;

/// A request to the model.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Prompt {
    /// What the model is told to be and do. Of it, only "Today is …" and "The caller's number is …" are read.
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
    let memory = Memory::of(prompt);
    let speak = |say: &Say| {
        let variant = say.asked.as_ref().map_or(0, |asked| memory.variant_of(asked));
        let tone = Tone { today: memory.today, variant, seed: seed(prompt) };
        Some(english(say, tone))
    };
    let named = |calls: Vec<(Tool, Value)>| {
        calls.into_iter().map(|(tool, arguments)| (tool.name().to_owned(), arguments)).collect()
    };
    match decide(&memory) {
        Move::Call(calls) => Reply { text: None, tool_calls: named(calls) },
        Move::Say(say) => Reply { text: speak(&say), tool_calls: Vec::new() },
        Move::SayAndCall { say, calls } => Reply { text: speak(&say), tool_calls: named(calls) },
    }
}

/// A number that varies the wording: the same for the same conversation.
fn seed(prompt: &Prompt) -> u64 {
    let spoken = prompt.messages.iter().filter_map(|message| match message {
        PromptMessage::User(text) => Some(text.as_str()),
        PromptMessage::Assistant { .. } | PromptMessage::Tool { .. } => None,
    });
    // FNV-1a.
    spoken.flat_map(str::bytes).fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
