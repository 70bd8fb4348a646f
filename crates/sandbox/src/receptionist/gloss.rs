//! Words of another language as a gloss in the words that are understood.
//!
//! A gloss is no translation: it keeps facts and acts, in an order in which they are understood, and leaves names and
//! places as they were said.

use std::collections::HashMap;

/// Characters of an utterance that are looked at.
pub(super) const MAX_CHARS: usize = 1_200;

/// What is said, and what it stands for.
#[derive(Debug)]
pub(super) struct Lexicon {
    entries: HashMap<&'static str, &'static str>,
    /// Words, or characters, of the longest entry.
    longest: usize,
}

impl Lexicon {
    /// Reads lines of the form `said, also said = gloss`. `size` measures an entry in the unit that is looked up by.
    pub(super) fn parse(text: &'static str, size: impl Fn(&str) -> usize) -> Self {
        let mut entries = HashMap::new();
        let mut longest = 1;
        for (said, gloss) in text.lines().filter_map(|line| line.split_once('=')) {
            for said in said.split(',').map(str::trim).filter(|said| !said.is_empty()) {
                longest = longest.max(size(said));
                entries.insert(said, gloss.trim());
            }
        }
        Self { entries, longest }
    }

    /// The longest entry with which these units begin, joined by `gap`, and how many of them it takes.
    pub(super) fn longest_at<S: AsRef<str>>(&self, units: &[S], gap: &str) -> Option<(&'static str, usize)> {
        (1..=self.longest.min(units.len())).rev().find_map(|length| {
            let said = units[..length].iter().map(AsRef::as_ref).collect::<Vec<_>>().join(gap);
            self.entries.get(said.as_str()).map(|gloss| (*gloss, length))
        })
    }
}
