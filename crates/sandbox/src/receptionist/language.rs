//! The languages of the receptionist: what each has to say, and how what is heard in it becomes what is understood.

use super::{
    chinese, english,
    moves::{Asked, Line, Say, Tool},
    phrases::{Tone, assemble},
    spanish,
};
use jiff::civil::Date;
use std::borrow::Cow;

/// A language that the receptionist speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Language {
    English,
    Spanish,
    Chinese,
}

/// Everything a language has to say.
pub(super) struct Words {
    pub(super) statement: fn(&Line, Tone) -> String,
    pub(super) question: fn(&Asked, Tone, &[Line]) -> String,
    pub(super) announcement: fn(&Doing<'_>) -> Option<String>,
    /// Short sentences with which an answer may begin whose own first sentence is long.
    pub(super) openers: &'static [&'static str],
    /// What stands between two sentences.
    pub(super) gap: &'static str,
    /// How the receptionist says that a tool has not answered yet.
    pub(super) still_looking: &'static [&'static str],
    /// What the platform says when nobody took a call.
    pub(super) nobody_took: &'static str,
    /// The word by which a greeting is known to ask whether the call may be recorded.
    pub(super) recording: &'static [&'static str],
}

/// What is about to be done, to be announced.
#[derive(Debug, Clone, Copy)]
pub(super) struct Doing<'a> {
    pub(super) tool: Tool,
    pub(super) area: Option<&'a str>,
    pub(super) day: Option<Date>,
    pub(super) today: Option<Date>,
    /// Goes up by one with each announcement of a call.
    pub(super) number: usize,
}

impl Language {
    /// As the system prompt asks for it.
    pub(super) fn of(system: &str) -> Self {
        let asks = |line: &str| system.lines().any(|text| text.trim().trim_start_matches("- ") == line);
        if asks("Speak Spanish.") {
            Self::Spanish
        } else if asks("Speak Chinese.") {
            Self::Chinese
        } else {
            Self::English
        }
    }

    pub(super) fn words(self) -> &'static Words {
        match self {
            Self::English => &english::WORDS,
            Self::Spanish => &spanish::WORDS,
            Self::Chinese => &chinese::WORDS,
        }
    }

    /// What was said, in the words that are understood: English as it is, another language as a gloss of it.
    pub(super) fn gloss(self, text: &str) -> Cow<'_, str> {
        match self {
            Self::English => Cow::Borrowed(text),
            Self::Spanish => Cow::Owned(spanish::gloss(text)),
            Self::Chinese => Cow::Owned(chinese::gloss(text)),
        }
    }

    /// An answer in words.
    pub(super) fn render(self, say: &Say, tone: Tone) -> String {
        assemble(say, tone, self.words())
    }

    /// Whether the agent's words only said that a tool is still at work.
    pub(super) fn says_still_looking(self, text: &str) -> bool {
        self.words().still_looking.iter().any(|sentence| text.contains(sentence))
    }

    /// Whether these are the platform's words after nobody took a call.
    pub(super) fn says_nobody_took(self, text: &str) -> bool {
        text.contains(self.words().nobody_took)
    }

    /// Whether a greeting asks if the call may be recorded.
    pub(super) fn asks_to_record(self, text: &str) -> bool {
        let mut sentences = text.split_inclusive(['.', '!', '?', '。', '！', '？']);
        sentences.any(|sentence| {
            let sentence = sentence.to_lowercase();
            sentence.ends_with(['?', '？'])
                && self.words().recording.iter().any(|word| sentence.contains(word))
        })
    }
}
