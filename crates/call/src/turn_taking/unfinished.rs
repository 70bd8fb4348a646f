//! Whether a silent caller has more to say.

use super::{split, words};
use seiketsu_domain::Language;

/// Spoken digits in a row that are the beginning of a number being spelled; fewer are a count.
const SPELLING_FROM: usize = 3;
/// A telephone number without its country code.
const PHONE_NUMBER: usize = 10;
/// Single letters in a row that are the beginning of a name being spelled.
const LETTERS_FROM: usize = 2;
/// Names that are spelled out are complete by then, and nobody waits longer.
const LETTERS_UNTIL: usize = 12;

/// Whether `text` breaks off: at a word that cannot end a sentence, in the middle of a number or a name that is being
/// spelled, or with a plea for time.
pub fn is_unfinished(text: &str, language: Language) -> bool {
    let trimmed = text.trim_end();
    if trimmed.ends_with(['…', '-', ',']) || trimmed.ends_with("...") {
        return true;
    }
    if trimmed.ends_with(['.', '?', '!', '。', '？', '！']) {
        return false; // the recogniser heard the end of a sentence in the voice
    }
    let heard = split(text);
    let Some(last) = heard.last() else { return false };
    if words::OPEN_ENDS.of(language).iter().any(|open| ends_with(&heard, &split(open)))
        || words::ASKING_FOR_TIME.of(language).iter().any(|plea| ends_with(&heard, &split(plea)))
    {
        // "I" and "a" are also letters; either way there is more to come.
        return !is_whole_answer(&heard, last) && !is_whole_question(&heard, language);
    }
    is_spelling(&heard, language)
}

/// Some words cannot end a sentence but can be all of one ("Which one?" - "And?").
fn is_whole_answer(heard: &[String], last: &str) -> bool {
    heard.len() == 1 && matches!(last, "sí" | "si")
}

/// "Who am I speaking with", "what is the first one like": a question whose subject has moved to the front ends where that
/// stood. "What about the one with" has no verb yet.
fn is_whole_question(heard: &[String], language: Language) -> bool {
    let is_one_of = |lists: &words::Lists, word: &String| lists.of(language).contains(&word.as_str());
    let Some((last, before)) = heard.split_last() else { return false };
    let mut before = before.iter().skip_while(|word| !is_one_of(&words::ASKING, word)).skip(1);
    before.any(|word| is_one_of(&words::AUXILIARIES, word)) && is_one_of(&words::STRANDED, last)
}

fn ends_with(heard: &[String], phrase: &[String]) -> bool {
    heard.len() >= phrase.len() && heard[heard.len() - phrase.len()..] == *phrase
}

fn is_spelling(heard: &[String], language: Language) -> bool {
    let spoken = words::SPOKEN_DIGITS.of(language);
    let is_digits = |word: &&String| {
        spoken.contains(&word.as_str())
            || (word.len() < PHONE_NUMBER && word.chars().all(|c| c.is_ascii_digit()))
    };
    let row: Vec<&String> = heard.iter().rev().take_while(is_digits).collect();
    let digits: usize = row
        .iter()
        .map(|word| match word.as_str() {
            "double" | "doble" => 1,
            "triple" => 2,
            digits if digits.chars().all(|c| c.is_ascii_digit()) => digits.len(),
            _ => 1,
        })
        .sum();
    // One token "450000" is an amount; a number that is being spelled comes in pieces.
    if row.len() >= 2 && (SPELLING_FROM..PHONE_NUMBER).contains(&digits) {
        return true;
    }
    let letters = heard.iter().rev().take_while(|word| word.chars().count() == 1 && word.is_ascii()).count();
    (LETTERS_FROM..LETTERS_UNTIL).contains(&letters)
        && !heard.iter().rev().take(letters).any(|word| is_digits(&word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_who_breaks_off_has_more_to_say() {
        for text in [
            "I would like a house with three bedrooms and",
            "my name is",
            "it should be near the",
            "um",
            "let me see",
            "Well, I was thinking about...",
            "hold on",
            "I want to move because",
            "what about the one with",
            "do you have one with",
            "what is the",
        ] {
            assert!(is_unfinished(text, Language::En), "{text}");
        }
        for text in ["quiero una casa con", "me llamo Ana y", "déjeme ver"] {
            assert!(is_unfinished(text, Language::Es), "{text}");
        }
        for text in ["我想要三个卧室还有", "让我想想", "嗯"] {
            assert!(is_unfinished(text, Language::Zh), "{text}");
        }
    }

    #[test]
    fn a_caller_who_has_said_it_is_answered_at_once() {
        for text in [
            "yes",
            "no",
            "tuesday",
            "I would like three bedrooms",
            "What is it like?",
            "450000",
            "two",
            "twenty one",
            "That is what I am looking for.",
            "at ten",
            "who am I speaking with",
            "okay what is the first one like",
            "which agent would it be with",
            "where are you calling from",
        ] {
            assert!(!is_unfinished(text, Language::En), "{text}");
        }
        assert!(!is_unfinished("sí", Language::Es));
        assert!(!is_unfinished("quiero tres dormitorios", Language::Es));
        assert!(!is_unfinished("我想要三个卧室", Language::Zh));
    }

    #[test]
    fn a_number_is_waited_for_until_it_is_whole() {
        for text in [
            "five one two",
            "my number is five one two five five five",
            "512 555",
            "five one two double five",
        ] {
            assert!(is_unfinished(text, Language::En), "{text}");
        }
        for text in [
            "five one two five five five zero one four two",
            "512 555 0142",
            "three bedrooms",
            "one two",
            "apartment 512",
        ] {
            assert!(!is_unfinished(text, Language::En), "{text}");
        }
        assert!(is_unfinished("cinco uno dos", Language::Es));
        assert!(is_unfinished("一三八", Language::Zh));
    }

    #[test]
    fn a_name_that_is_being_spelled_is_waited_for() {
        assert!(is_unfinished("that is s m i", Language::En));
        assert!(!is_unfinished("smith", Language::En));
    }
}
