//! What words say about whose turn it is. Pure functions of text and language.
//!
//! - [`overlap`]: what the caller said while the agent was speaking: nothing, a murmur, the agent's own echo, or words.
//! - [`is_unfinished`]: whether a silent caller has more to say.
//! - [`assent`]: whether the answer to "May I record this call?" is a yes or a no.
//!
//! To add a language: its lists in `words.rs`; the compiler names them.

mod assent;
mod overlap;
mod unfinished;
mod words;

pub use assent::{assent, withdraws};
pub use overlap::{Overlap, overlap};
pub use unfinished::is_unfinished;

use seiketsu_domain::Language;

/// Whether the caller asks for something to be looked up or told, rather than telling something.
pub fn is_question(text: &str, language: Language) -> bool {
    let words = split(text);
    text.trim_end().ends_with(['?', '？'])
        || words.first().is_some_and(|first| words::QUESTION_OPENERS.of(language).contains(&first.as_str()))
        || (language == Language::Zh
            && ["吗", "什么", "哪", "几", "多少", "怎么"].iter().any(|ask| text.contains(ask)))
}

/// Lower-case words without punctuation; a Chinese character is a word of its own.
pub(crate) fn split(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut open = false;
    for c in text.chars() {
        if is_ideograph(c) {
            words.push(c.to_string());
            open = false;
        } else if c.is_alphanumeric() || c == '\'' || c == '’' {
            let c = if c == '’' { '\'' } else { c };
            match words.last_mut() {
                Some(word) if open => word.extend(c.to_lowercase()),
                _ => words.push(c.to_lowercase().collect()),
            }
            open = true;
        } else {
            open = false;
        }
    }
    words
}

fn is_ideograph(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{9fff}')
}

/// Words from the beginning of `words` that are `phrase`, as a count; 0 if they are not.
fn begins_with(words: &[String], phrase: &[String]) -> usize {
    if !phrase.is_empty() && words.len() >= phrase.len() && words.iter().zip(phrase).all(|(a, b)| a == b) {
        phrase.len()
    } else {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_split_into_words_whatever_its_script() {
        assert_eq!(split("Mm-hm, that's OK."), ["mm", "hm", "that's", "ok"]);
        assert_eq!(split("好的，OK吗"), ["好", "的", "ok", "吗"]);
    }

    #[test]
    fn questions_are_told_from_statements() {
        for text in ["do you have homes in austin", "what does it cost", "and that one?"] {
            assert!(is_question(text, Language::En), "{text}");
        }
        for text in ["my name is john", "three bedrooms please"] {
            assert!(!is_question(text, Language::En), "{text}");
        }
        assert!(is_question("cuánto cuesta", Language::Es));
        assert!(!is_question("me llamo ana", Language::Es));
        assert!(is_question("这套房子多少钱", Language::Zh));
        assert!(!is_question("我想买房", Language::Zh));
    }
}
