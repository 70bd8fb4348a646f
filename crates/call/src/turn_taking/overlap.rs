//! What was said while the agent was speaking.

use super::{begins_with, split, words};
use seiketsu_domain::Language;

/// See [`overlap`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overlap {
    /// No words.
    Nothing,
    /// The caller shows that they listen ("mm-hm", "yeah", "okay"). It may also be an answer: when depends on where in
    /// the agent's sentence it was said, which is not decided here.
    Murmur,
    /// The agent's own words, come back over the line.
    Echo,
    /// The caller wants the floor.
    Words,
}

/// A run of so many of the agent's own words is an echo; fewer could be the caller repeating one.
const ECHOED_WORDS: usize = 3;

/// Tells what `text`, heard while the agent was saying `agent`, is.
pub fn overlap(text: &str, agent: &str, language: Language) -> Overlap {
    let heard = split(text);
    if heard.is_empty() {
        return Overlap::Nothing;
    }
    if is_murmur(&heard, language) {
        return Overlap::Murmur;
    }
    if heard.len() >= ECHOED_WORDS && is_echo(&heard, &split(agent)) {
        return Overlap::Echo;
    }
    Overlap::Words
}

fn is_murmur(heard: &[String], language: Language) -> bool {
    let murmurs: Vec<Vec<String>> = words::MURMURS.of(language).iter().map(|murmur| split(murmur)).collect();
    let mut rest = heard;
    while !rest.is_empty() {
        let longest = murmurs.iter().map(|murmur| begins_with(rest, murmur)).max().unwrap_or(0);
        if longest == 0 {
            return false;
        }
        rest = &rest[longest..];
    }
    true
}

/// Whether the words are, in order, words of the agent; one in four may have been misheard.
fn is_echo(heard: &[String], agent: &[String]) -> bool {
    let allowed = heard.len() / 4;
    agent
        .windows(heard.len())
        .any(|said| said.iter().zip(heard).filter(|(said, heard)| said != heard).count() <= allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    const AGENT: &str = "We have three homes in Riverside, the first one is on Maple Street.";

    #[test]
    fn murmurs_do_not_want_the_floor() {
        for text in [
            "mm-hm",
            "Mm-hmm.",
            "yeah",
            "Okay.",
            "uh-huh",
            "yeah okay",
            "oh I see",
            "all right, got it",
            "Yes.",
        ] {
            assert_eq!(overlap(text, AGENT, Language::En), Overlap::Murmur, "{text}");
        }
        assert_eq!(overlap("ajá, muy bien", AGENT, Language::Es), Overlap::Murmur);
        assert_eq!(overlap("嗯，好的", AGENT, Language::Zh), Overlap::Murmur);
    }

    #[test]
    fn words_want_the_floor_also_after_a_murmur() {
        for text in [
            "wait",
            "no",
            "stop",
            "yeah but what does it cost",
            "okay, and the second one",
            "Riverside?",
            "hold on",
        ] {
            assert_eq!(overlap(text, AGENT, Language::En), Overlap::Words, "{text}");
        }
        assert_eq!(overlap("espera", AGENT, Language::Es), Overlap::Words);
        assert_eq!(overlap("等一下", AGENT, Language::Zh), Overlap::Words);
        assert_eq!(overlap("不", AGENT, Language::Zh), Overlap::Words);
    }

    #[test]
    fn the_agents_own_words_are_an_echo_also_with_a_word_misheard() {
        for text in ["three homes in riverside", "the first one is on maple", "we have tree homes in"] {
            assert_eq!(overlap(text, AGENT, Language::En), Overlap::Echo, "{text}");
        }
        assert_eq!(
            overlap("three homes", AGENT, Language::En),
            Overlap::Words,
            "two words may be the caller's"
        );
        assert_eq!(overlap("three homes are too many", AGENT, Language::En), Overlap::Words);
        assert_eq!(overlap("three homes in riverside", "", Language::En), Overlap::Words);
    }

    #[test]
    fn nothing_is_nothing() {
        assert_eq!(overlap(" … ", AGENT, Language::En), Overlap::Nothing);
    }
}
