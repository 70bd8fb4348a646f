//! Yes and no to being recorded. Decided here and not by the model: the law asks for the caller's own word.

use super::{begins_with, split, words};
use seiketsu_domain::Language;

/// The answer to "May I record this call?"; `None` when the caller answered something else, which is no assent.
///
/// A refusal anywhere counts; an agreement only at the beginning, where it answers the question. Where the two stand
/// together ("yeah, no", "absolutely not", "claro que no") it is a refusal: whoever is not sure is not recorded.
pub fn assent(text: &str, language: Language) -> Option<bool> {
    let mut heard = split(text);
    // "No problem" and "no hay problema" agree, and are tried before the bare "no".
    let agrees = |heard: &[String]| longest(heard, words::YES.of(language));
    let refuses = |heard: &[String]| longest(heard, words::NO.of(language));
    while heard
        .first()
        .is_some_and(|first| matches!(first.as_str(), "um" | "uh" | "well" | "oh" | "eh" | "pues" | "呃"))
    {
        heard.remove(0);
    }
    let (yes, no) = (agrees(&heard), refuses(&heard));
    if yes > no {
        let mut rest = &heard[yes..];
        while !rest.is_empty() {
            // "Yes, no problem": what agrees is tried before what refuses.
            let (agreed, refused) = (agrees(rest), refuses(rest));
            if refused > agreed {
                return Some(false);
            }
            rest = &rest[agreed.max(1)..];
        }
        // "Yes, but stop recording": the whole of it is a no.
        return Some(!withdraws_words(&heard[yes..], language));
    }
    if no > 0 {
        return Some(false);
    }
    withdraws_words(&heard, language).then_some(false)
}

/// Whether the caller asks that recording be stopped.
pub fn withdraws(text: &str, language: Language) -> bool {
    withdraws_words(&split(text), language)
}

fn withdraws_words(heard: &[String], language: Language) -> bool {
    contains(heard, words::RECORDING.of(language)) && contains(heard, words::STOP.of(language))
}

fn longest(heard: &[String], phrases: &[&str]) -> usize {
    phrases.iter().map(|phrase| begins_with(heard, &split(phrase))).max().unwrap_or(0)
}

fn contains(heard: &[String], phrases: &[&str]) -> bool {
    (0..heard.len()).any(|at| longest(&heard[at..], phrases) > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_yes_is_a_yes() {
        for text in [
            "yes",
            "Yeah, sure.",
            "okay",
            "um, that's fine",
            "no problem",
            "Of course, I need a house",
            "go ahead",
            "yes, no problem",
            "sure, why not",
            "okay I don't mind",
        ] {
            assert_eq!(assent(text, Language::En), Some(true), "{text}");
        }
        assert_eq!(assent("sí, claro", Language::Es), Some(true));
        assert_eq!(assent("no hay problema", Language::Es), Some(true));
        assert_eq!(assent("可以", Language::Zh), Some(true));
        assert_eq!(assent("没问题", Language::Zh), Some(true));
        assert_eq!(assent("好的，没问题", Language::Zh), Some(true));
        assert_eq!(assent("sí, no hay problema", Language::Es), Some(true));
    }

    #[test]
    fn a_no_is_a_no_wherever_it_stands() {
        for text in [
            "no",
            "No thanks.",
            "I'd rather not",
            "please don't",
            "well, no",
            "yes but don't record me",
            "you may not record this",
            "I do not want this recorded",
        ] {
            assert_eq!(assent(text, Language::En), Some(false), "{text}");
        }
        assert_eq!(assent("prefiero que no", Language::Es), Some(false));
        assert_eq!(assent("不要录音", Language::Zh), Some(false));
        assert_eq!(assent("不可以", Language::Zh), Some(false));
        for text in [
            "yeah, no",
            "absolutely not",
            "of course not",
            "certainly not",
            "okay, but I'd rather not",
            "you can not",
            "not really",
        ] {
            assert_eq!(assent(text, Language::En), Some(false), "{text}");
        }
        for text in ["claro que no", "bueno, no", "sí, pero prefiero que no"] {
            assert_eq!(assent(text, Language::Es), Some(false), "{text}");
        }
        for text in ["好像不行", "可以不录吗", "好像没必要"] {
            assert_eq!(assent(text, Language::Zh), Some(false), "{text}");
        }
    }

    #[test]
    fn anything_else_is_neither() {
        for text in ["I am looking for a house", "what", "who is this", ""] {
            assert_eq!(assent(text, Language::En), None, "{text}");
        }
    }

    #[test]
    fn assent_can_be_withdrawn_later() {
        assert!(withdraws("please stop recording", Language::En));
        assert!(withdraws("I don't want to be recorded any more", Language::En));
        assert!(!withdraws("do you record this?", Language::En));
        assert!(!withdraws("I like the house", Language::En));
        assert!(withdraws("no me grabe", Language::Es));
        assert!(withdraws("别录音", Language::Zh));
    }
}
