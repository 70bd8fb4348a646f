//! An utterance as words that can be claimed one by one, so that no word is understood twice.

use std::ops::Range;

/// Words of one utterance that are looked at; a longer one is cut.
const MAX_TOKENS: usize = 160;
/// Characters of one word that are kept.
const MAX_TOKEN_CHARS: usize = 32;

/// The words of an utterance, lower case, with a note of those that have been understood already.
#[derive(Debug, Clone, Default)]
pub(super) struct Tokens {
    words: Vec<String>,
    /// The words again, joined by spaces: most phrases are in no utterance, and this says so quickly.
    text: String,
    /// Which beginnings of words occur at all: rules out most phrases without a search.
    beginnings: Beginnings,
    claimed: Vec<bool>,
}

impl Tokens {
    /// Splits text. Recognised speech has neither punctuation nor capitals, typed text has both: `10am`, `$450,000` and
    /// `2:30` become what a recogniser would have written.
    pub(super) fn new(text: &str) -> Self {
        let mut words: Vec<String> = Vec::new();
        for chunk in text.split(char::is_whitespace) {
            if words.len() >= MAX_TOKENS {
                break;
            }
            split_chunk(chunk, &mut words);
        }
        words.truncate(MAX_TOKENS);
        let claimed = vec![false; words.len()];
        let text = words.join(" ");
        let mut beginnings = Beginnings::default();
        for word in &words {
            beginnings.insert(word);
        }
        Self { words, text, beginnings, claimed }
    }

    pub(super) fn len(&self) -> usize {
        self.words.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// The word at this place whether claimed or not; empty beyond the end.
    pub(super) fn word(&self, at: usize) -> &str {
        self.words.get(at).map_or("", String::as_str)
    }

    /// The word before this place; empty at the start.
    pub(super) fn before(&self, at: usize) -> &str {
        at.checked_sub(1).map_or("", |before| self.word(before))
    }

    /// The word at this place if nobody has claimed it, otherwise nothing.
    pub(super) fn free(&self, at: usize) -> Option<&str> {
        match self.claimed.get(at) {
            Some(false) => Some(self.word(at)),
            Some(true) | None => None,
        }
    }

    /// Whether all words of the range exist and are unclaimed.
    pub(super) fn all_free(&self, range: Range<usize>) -> bool {
        range.end <= self.len() && range.into_iter().all(|at| !self.claimed[at])
    }

    pub(super) fn claim(&mut self, range: Range<usize>) {
        let end = range.end.min(self.len());
        for at in range.start.min(end)..end {
            self.claimed[at] = true;
        }
    }

    /// Whether the words of `phrase` stand here, claimed or not. Returns how many they are.
    pub(super) fn phrase_at(&self, at: usize, phrase: &str) -> Option<usize> {
        let mut length = 0;
        for word in phrase.split(' ') {
            if self.word(at + length) != word {
                return None;
            }
            length += 1;
        }
        Some(length)
    }

    /// The first of these phrases (separated by commas, longer ones first) that stands here, and how many words it has.
    pub(super) fn any_at(&self, at: usize, phrases: &str) -> Option<usize> {
        let word = self.word(at);
        phrases_of(phrases)
            .filter(|phrase| phrase.starts_with(word))
            .find_map(|phrase| self.phrase_at(at, phrase))
    }

    /// Where the first of these phrases (separated by commas) is found, claimed or not.
    pub(super) fn find(&self, phrases: &str) -> Option<Range<usize>> {
        if !self.has(phrases) {
            return None;
        }
        (0..self.len()).find_map(|at| self.any_at(at, phrases).map(|length| at..at + length))
    }

    /// Whether any of these phrases (separated by commas) is in it, claimed or not.
    pub(super) fn has(&self, phrases: &str) -> bool {
        let is_edge = |at: Option<&u8>| at.is_none_or(|byte| *byte == b' ');
        let bytes = self.text.as_bytes();
        phrases_of(phrases).any(|phrase| {
            self.beginnings.may_contain(phrase)
                && self.text.match_indices(phrase).any(|(at, _)| {
                    is_edge(at.checked_sub(1).and_then(|before| bytes.get(before)))
                        && is_edge(bytes.get(at + phrase.len()))
                })
        })
    }
}

/// The phrases of a list.
fn phrases_of(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').map(str::trim_ascii_start)
}

/// A set of the first two bytes of words, with rare false positives.
#[derive(Debug, Clone, Copy, Default)]
struct Beginnings([u64; 4]);

impl Beginnings {
    fn place(text: &str) -> (usize, u64) {
        let mut bytes = text.bytes();
        let (first, second) = (bytes.next().unwrap_or(b' '), bytes.next().unwrap_or(b' '));
        let hash = first.wrapping_mul(31).wrapping_add(second);
        (usize::from(hash >> 6), 1 << (hash & 63))
    }

    fn insert(&mut self, word: &str) {
        let (at, bit) = Self::place(word);
        self.0[at] |= bit;
    }

    fn may_contain(&self, phrase: &str) -> bool {
        let (at, bit) = Self::place(phrase);
        self.0[at] & bit != 0
    }
}

fn split_chunk(chunk: &str, words: &mut Vec<String>) {
    let is_email = chunk.contains('@');
    let chars: Vec<char> = chunk.chars().take(4 * MAX_TOKEN_CHARS).flat_map(char::to_lowercase).collect();
    let mut word = String::new();
    let flush = |word: &mut String, words: &mut Vec<String>| {
        let kept = word.trim_matches('\'');
        if !kept.is_empty() {
            words.push(kept.chars().take(MAX_TOKEN_CHARS).collect());
        }
        word.clear();
    };
    for (at, &char) in chars.iter().enumerate() {
        let previous = at.checked_sub(1).map_or(' ', |before| chars[before]);
        let next = chars.get(at + 1).copied().unwrap_or(' ');
        let between_digits = previous.is_ascii_digit() && next.is_ascii_digit();
        match char {
            '\'' | '\u{2019}' => word.push('\''),
            ':' | '.' if between_digits => word.push(char),
            ',' if between_digits => {}
            '.' if is_email => {
                flush(&mut word, words);
                words.push("dot".to_owned());
            }
            '@' => {
                flush(&mut word, words);
                words.push("at".to_owned());
            }
            '$' => {
                flush(&mut word, words);
                words.push("$".to_owned());
            }
            _ if char.is_alphabetic() || char.is_ascii_digit() => {
                let after_number =
                    previous.is_ascii_digit() && !char.is_ascii_digit() && !is_ordinal_suffix(&chars[at..]);
                if after_number || (char.is_ascii_digit() && previous.is_alphabetic()) {
                    flush(&mut word, words);
                }
                word.push(char);
            }
            _ => flush(&mut word, words),
        }
    }
    flush(&mut word, words);
}

/// `28th` stays one word, `28am` does not.
fn is_ordinal_suffix(rest: &[char]) -> bool {
    let ends = rest.get(2).is_none_or(|after| !after.is_alphanumeric());
    let suffix: String = rest.iter().take(2).collect();
    ends && matches!(suffix.as_str(), "st" | "nd" | "rd" | "th")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        Tokens::new(text).words
    }

    #[test]
    fn typed_text_becomes_what_a_recogniser_writes() {
        assert_eq!(words("Hi, I'm Anna-Lee!"), ["hi", "i'm", "anna", "lee"]);
        assert_eq!(words("at 10am or 2:30PM"), ["at", "10", "am", "or", "2:30", "pm"]);
        assert_eq!(words("$450,000, 3BR"), ["$", "450000", "3", "br"]);
        assert_eq!(words("the 28th, 1.2m"), ["the", "28th", "1.2", "m"]);
        assert_eq!(words("anna@example.com"), ["anna", "at", "example", "dot", "com"]);
        assert_eq!(words("  …  "), Vec::<String>::new());
    }

    #[test]
    fn a_claimed_word_is_not_free_again() {
        let mut tokens = Tokens::new("three bed house");
        tokens.claim(0..2);
        assert_eq!((tokens.free(1), tokens.free(2), tokens.free(3)), (None, Some("house"), None));
    }

    #[test]
    fn endless_input_is_cut() {
        assert_eq!(Tokens::new(&"word ".repeat(100_000)).len(), MAX_TOKENS);
        assert!(Tokens::new(&"x".repeat(100_000)).word(0).len() <= MAX_TOKEN_CHARS);
    }
}
