//! How an answer is put together from statements and a question, in any language.
//!
//! Spoken answers: no digits, no markup, a short first sentence so that the voice can begin while the rest is still
//! being made.

use super::{
    language::Words,
    moves::{Line, Say},
};
use jiff::civil::Date;

/// Characters of an answer.
const MAX_CHARS: usize = 400;
/// Words of a first sentence.
const FIRST_SENTENCE_WORDS: usize = 8;
/// What ends a sentence.
const ENDS: [char; 6] = ['.', '?', '!', '。', '？', '！'];

/// What an answer may depend on besides its content.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tone {
    pub(super) today: Option<Date>,
    /// How often the question has been asked in a row.
    pub(super) variant: usize,
    /// Varies the wording from turn to turn. Nothing of what callers say or are is in it: whoever asks the same gets
    /// the same words.
    pub(super) seed: u64,
    /// It was said before and not understood: other words.
    pub(super) again: bool,
}

/// The answer in words.
pub(super) fn assemble(say: &Say, tone: Tone, words: &Words) -> String {
    let again = say.lines.contains(&Line::Again);
    let tone = Tone { again, ..tone };
    let mut sentences: Vec<String> = say.lines.iter().map(|line| (words.statement)(line, tone)).collect();
    if let Some(asked) = &say.asked {
        sentences.push((words.question)(asked, tone, &say.lines));
    }
    sentences.retain(|sentence| !sentence.is_empty());
    let text = sentences.join(words.gap);
    let first = text.split_inclusive(ENDS).next().unwrap_or_default();
    let text = if first.split_whitespace().count() > FIRST_SENTENCE_WORDS {
        format!("{}{}{text}", pick(words.openers, tone.seed), words.gap)
    } else {
        text
    };
    clamp(&text)
}

/// The part of an answer that begins with the sentence in which the voice was interrupted, if it was.
pub(super) fn rest_of(full: &str, heard: &str) -> Option<String> {
    let sentences: Vec<&str> = full.split_inclusive(ENDS).collect();
    let first = sentences.first()?;
    // Something may have been said before the answer, an acknowledgement for instance.
    let heard = match heard.find(first) {
        Some(at) => &heard[at..],
        None if full.starts_with(heard.trim()) => heard,
        None => return None,
    };
    let complete = heard.split_inclusive(ENDS).filter(|sentence| sentence.ends_with(ENDS)).count();
    let rest = sentences.get(complete..)?.concat();
    (!rest.trim().is_empty()).then(|| rest.trim().to_owned())
}

pub(super) fn pick<'a>(variants: &[&'a str], number: u64) -> &'a str {
    variants[(number % variants.len() as u64) as usize]
}

/// How a caller is addressed: by first name, or in full with a title.
pub(super) fn first_name(name: &str) -> &str {
    match name.split(' ').next() {
        Some("Dr" | "Doctor" | "Mr" | "Mrs" | "Ms" | "Miss" | "Professor") | None => name,
        Some(first) => first,
    }
}

pub(super) fn join(items: &[String], last: &str) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [rest @ .., end] => format!("{} {last} {end}", rest.join(", ")),
    }
}

/// Foreign text may be long; an answer is not.
fn clamp(text: &str) -> String {
    if text.chars().count() <= MAX_CHARS {
        return text.to_owned();
    }
    let cut: String = text.chars().take(MAX_CHARS - 1).collect();
    let at = cut
        .rfind(ENDS)
        .and_then(|at| Some(at + cut[at..].chars().next()?.len_utf8()))
        .or_else(|| cut.rfind(' '))
        .unwrap_or(cut.len());
    let kept = cut[..at].trim_end();
    if kept.ends_with(ENDS) { kept.to_owned() } else { format!("{kept}.") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rest_of_an_answer_begins_with_the_sentence_that_was_cut() {
        let full = "I found two. Twelve Maple Street, three bedrooms. Which one interests you?";
        for (heard, rest) in [
            ("I found", Some(full)),
            ("I found two.", Some("Twelve Maple Street, three bedrooms. Which one interests you?")),
            (
                "I found two. Twelve Maple",
                Some("Twelve Maple Street, three bedrooms. Which one interests you?"),
            ),
            (
                "One moment. I found two. Twelve",
                Some("Twelve Maple Street, three bedrooms. Which one interests you?"),
            ),
            (full, None),
            ("Something else", None),
        ] {
            assert_eq!(rest_of(full, heard).as_deref(), rest, "{heard}");
        }
    }
}
