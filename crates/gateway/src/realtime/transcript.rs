//! The words of an utterance, told while it is being heard.
//!
//! What a client was told it cannot be told to forget: deltas are only ever added. A word is told once the recogniser will
//! not change it any more, or has guessed it twice in a row (the agreement of two hypotheses, as in Liu et al., "Low-Latency
//! Sequence-to-Sequence Speech Recognition and Translation by Partial Hypothesis Selection", 2020). Should it change
//! nevertheless, no more is told before the whole transcript, which is right in any case.

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Transcript {
    told: String,
    guess: String,
}

impl Transcript {
    /// A newer guess at all of the utterance so far; returns what there is to add.
    pub(super) fn hears(&mut self, settled: &str, unsettled: &str) -> Option<String> {
        let parts = [settled, unsettled].into_iter().filter(|part| !part.is_empty());
        let guess = parts.collect::<Vec<_>>().join(" ");
        let agreed = agreement(&guess, &self.guess).max(settled.len());
        let known = guess[..agreed].trim_end().to_owned();
        self.guess = guess;
        self.add(&known)
    }

    /// All of it is known; returns what there is to add.
    pub(super) fn ends(mut self, text: &str) -> Option<String> {
        self.add(text)
    }

    fn add(&mut self, known: &str) -> Option<String> {
        let more = known.strip_prefix(self.told.as_str()).filter(|more| !more.is_empty())?.to_owned();
        self.told.push_str(&more);
        Some(more)
    }
}

/// How many bytes of whole words both begin with.
fn agreement(a: &str, b: &str) -> usize {
    let same = a.chars().zip(b.chars()).take_while(|(a, b)| a == b).map(|(a, _)| a.len_utf8()).sum();
    let ends = |text: &str, at: usize| text[at..].chars().next().is_none_or(|next| !next.is_alphanumeric());
    let is_whole = |at: usize| {
        let unspaced = a[..at].chars().next_back().is_some_and(is_ideograph);
        unspaced || (ends(a, at) && ends(b, at))
    };
    (0..=same).rev().find(|at| a.is_char_boundary(*at) && is_whole(*at)).unwrap_or(0)
}

/// Written without blanks between words.
fn is_ideograph(c: char) -> bool {
    matches!(c, '\u{3040}'..='\u{9fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(guesses: &[(&str, &str)], text: &str) -> Vec<String> {
        let mut transcript = Transcript::default();
        let mut told: Vec<String> =
            guesses.iter().filter_map(|(settled, rest)| transcript.hears(settled, rest)).collect();
        told.extend(transcript.ends(text));
        told
    }

    #[test]
    fn a_word_is_told_once_it_was_guessed_twice_or_settled_and_all_of_them_are_the_transcript() {
        let guesses = [("", "do"), ("", "do you ha"), ("", "do you have"), ("do you have", "homes")];
        let all = told(&guesses, "do you have homes with a garden");
        assert_eq!(all, ["do", " you", " have", " homes with a garden"]);
        assert_eq!(told(&[("", "我们"), ("", "我们有三")], "我们有三套"), ["我们", "有三套"]);
    }

    #[test]
    fn half_a_word_is_not_told() {
        assert_eq!(told(&[("", "a house"), ("", "a household")], "a household"), ["a", " household"]);
        assert_eq!(
            told(&[("", "I want"), ("", "I want, please")], "I want, please."),
            ["I want", ", please."]
        );
    }

    #[test]
    fn nothing_more_is_told_once_the_recogniser_has_changed_its_mind() {
        let guesses = [("", "four homes"), ("", "four homes in"), ("for homes in", "")];
        assert_eq!(told(&guesses, "for homes in Austin"), ["four homes"]);
        assert_eq!(told(&[], ""), [""; 0]);
    }
}
