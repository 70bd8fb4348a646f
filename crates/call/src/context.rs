//! What the model is told of the conversation so far: what was said in finished turns, as heard.

use crate::{Limits, input::Speaker};
use seiketsu_domain::Message;

#[derive(Debug)]
struct Entry {
    /// The turn it was said in; none for what came from elsewhere.
    turn: Option<u32>,
    message: Message,
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Context(Vec<Entry>);

impl Context {
    /// What was said before this call was connected again.
    pub(crate) fn new(history: Vec<Message>) -> Self {
        Self(history.into_iter().map(|message| Entry { turn: None, message }).collect())
    }

    /// Adds what no turn has said.
    pub(crate) fn push(&mut self, message: Message) {
        self.0.push(Entry { turn: None, message });
    }

    /// A turn is over.
    pub(crate) fn close(&mut self, turn: u32, messages: &[Message]) {
        self.0.extend(messages.iter().map(|message| Entry { turn: Some(turn), message: message.clone() }));
    }

    /// What one side said in a turn is told no more. Tools keep their requests and results: one without the other means
    /// nothing to a model.
    pub(crate) fn forget(&mut self, turn: u32, speaker: Speaker) {
        self.0.retain(|entry| {
            let said_by = match entry.message {
                Message::Caller { .. } => Some(Speaker::Caller),
                Message::Agent { .. } => Some(Speaker::Agent),
                Message::ToolRequest { .. } | Message::ToolResult { .. } => None,
            };
            entry.turn != Some(turn) || said_by != Some(speaker)
        });
    }

    /// All of it.
    pub(crate) fn messages(&self) -> Vec<Message> {
        self.0.iter().map(|entry| entry.message.clone()).collect()
    }

    /// All of it, latest first, to be completed.
    pub(crate) fn latest_mut(&mut self) -> impl Iterator<Item = &mut Message> {
        self.0.iter_mut().rev().map(|entry| &mut entry.message)
    }

    /// Keeps it within its limits, whole exchanges at a time.
    pub(crate) fn keep_within(&mut self, limits: &Limits) {
        let mut bytes = 0;
        let fitting = self.0.iter().rev().take_while(|entry| {
            bytes += entry.message.text_bytes();
            bytes <= limits.context_bytes
        });
        let kept = fitting.count().min(limits.context_messages);
        let excess = self.0.len() - kept;
        if excess > 0 {
            let start = (excess..self.0.len())
                .find(|&at| matches!(self.0[at].message, Message::Caller { .. }))
                .unwrap_or(self.0.len());
            self.0.drain(..start);
        }
    }
}
