//! One utterance of the caller, as it is being heard.

use crate::Turns;
use seiketsu_domain::CallTime;
use std::time::Duration;

/// Voice activity and recogniser disagree by so much about where speech ends; words that cover the audio up to this
/// close to the last voiced sample cover the utterance.
const COVERAGE_SLACK: Duration = Duration::from_millis(250);

/// A stretch of voice in which no words were understood is answered if it was at least this long; a cough is shorter.
const SPEECH_WORTH_ASKING: Duration = Duration::from_millis(800);

/// What has been heard since the caller's last utterance was taken.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ears {
    /// Voice is on the line right now, since then.
    pub speaking_since: Option<CallTime>,
    /// First voiced sample of the utterance.
    pub began_at: Option<CallTime>,
    /// Last voiced sample so far.
    pub ended_at: Option<CallTime>,
    /// Words that will not change.
    words: String,
    /// Words that may.
    partial: String,
    /// All words of the audio up to then are known.
    settled_until: Option<CallTime>,
    /// When the last settled words arrived.
    pub final_at: Option<CallTime>,
    /// When it was decided that the utterance is over.
    pub endpointed_at: Option<CallTime>,
    /// The voice on the line is taken for noise until it ends.
    noise: bool,
    /// Keys pressed, if nothing else was heard.
    keys: Vec<char>,
    /// The utterance before this one.
    taken: Option<Taken>,
}

/// What is remembered of an utterance that was taken.
#[derive(Debug, Clone, Copy)]
struct Taken {
    ended_at: CallTime,
    /// No words were understood in it.
    is_empty: bool,
    /// It was taken before its words were final.
    is_guess: bool,
}

/// A finished utterance.
#[derive(Debug, Clone)]
pub(crate) struct Utterance {
    pub text: String,
    pub began_at: CallTime,
    pub ended_at: CallTime,
    pub endpointed_at: CallTime,
    pub final_at: Option<CallTime>,
    /// The one key that all of it is.
    pub key: Option<char>,
    /// The recogniser has said all that it had to say about it.
    pub is_whole: bool,
    /// It began before the question whether the call may be recorded was heard.
    pub precedes_question: bool,
}

impl Utterance {
    /// Whether it is to be answered even if no words were understood.
    pub(crate) fn is_worth_asking(&self) -> bool {
        self.ended_at.since(self.began_at) >= SPEECH_WORTH_ASKING
    }

    /// Takes in what was said right before it.
    pub(crate) fn follows(&mut self, earlier: &Self, limit: usize) {
        self.text = format!("{} {}", earlier.text, self.text);
        truncate(&mut self.text, limit);
        self.began_at = self.began_at.min(earlier.began_at);
        self.is_whole &= earlier.is_whole;
        self.precedes_question |= earlier.precedes_question;
        self.key = None;
    }
}

impl Ears {
    pub(crate) fn is_speaking(&self) -> bool {
        self.speaking_since.is_some() && !self.noise
    }

    /// All words so far.
    pub(crate) fn text(&self) -> String {
        [self.words.as_str(), self.partial.as_str()]
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join(" ")
    }

    /// The words that will not change, and those that may.
    pub(crate) fn words(&self) -> (&str, &str) {
        (&self.words, &self.partial)
    }

    /// The caller is pressing keys.
    pub(crate) fn is_pressing(&self) -> bool {
        !self.keys.is_empty()
    }

    /// The one key that was pressed, if nothing else was heard.
    pub(crate) fn only_key(&self) -> Option<char> {
        match self.keys.as_slice() {
            [key] if self.words.chars().count() == 1 && self.partial.is_empty() => Some(*key),
            _ => None,
        }
    }

    /// A voice goes on for which no words come any more, after words that have settled: the line is noisy.
    pub(crate) fn words_outlast_voice(&mut self) -> bool {
        let Some(until) = self.settled_until.filter(|_| self.has_words() && self.partial.is_empty()) else {
            return false;
        };
        self.noise = true;
        self.ended_at = Some(until);
        true
    }

    /// What is on the line is no voice, whatever the detector says.
    pub(crate) fn voice_is_noise(&mut self, now: CallTime) {
        self.forget();
        if self.speaking_since.is_some() {
            self.noise = true;
            self.ended_at = Some(now);
        }
    }

    /// Whether anything of an utterance has been heard.
    pub(crate) fn has_begun(&self) -> bool {
        self.began_at.is_some()
    }

    pub(crate) fn has_words(&self) -> bool {
        !self.words.is_empty() || !self.partial.is_empty()
    }

    /// Whether what was heard so far is more than a noise.
    pub(crate) fn is_worth_asking(&self) -> bool {
        self.has_words() || self.voice_lasted() >= SPEECH_WORTH_ASKING
    }

    /// From the first voiced sample to the last so far; zero if there were only words.
    pub(crate) fn voice_lasted(&self) -> Duration {
        self.ended_at.zip(self.began_at).map_or(Duration::ZERO, |(ended, began)| ended.since(began))
    }

    pub(crate) fn voice_began(&mut self, at: CallTime, turns: Turns) {
        self.speaking_since = Some(at);
        self.noise = false;
        self.began_at.get_or_insert(at);
        if turns.end_by_voice() {
            self.endpointed_at = None; // what a client has committed stays committed
        }
    }

    pub(crate) fn voice_ended(&mut self, at: CallTime) {
        self.speaking_since = None;
        self.began_at.get_or_insert(at);
        if !std::mem::take(&mut self.noise) {
            self.ended_at = Some(at);
        }
    }

    pub(crate) fn heard_partly(&mut self, text: &str, limit: usize) {
        text.trim().clone_into(&mut self.partial);
        truncate(&mut self.partial, limit);
    }

    /// Whether words up to `until` belong to an utterance that was taken already, with the words that were known then.
    pub(crate) fn is_late(&mut self, until: CallTime, settled: bool) -> bool {
        let Some(taken) = self.taken.as_mut().filter(|taken| !taken.is_empty) else { return false };
        if taken.is_guess && self.began_at.is_none() {
            // Nobody has spoken since: these are its words, however much of the silence behind it they cover. A recogniser
            // that took over has heard that silence too.
            taken.is_guess = !settled;
            return true;
        }
        self.began_at.is_none_or(|began| until <= began) && until <= taken.ended_at + COVERAGE_SLACK
    }

    /// Whether words that may change are those of something said before the voice that is being heard. A recogniser that
    /// lags, or hears old audio again, still has some of them.
    pub(crate) fn is_old(&self, until: CallTime) -> bool {
        self.began_at.is_some_and(|began| until <= began)
    }

    /// Forgets the words that may change.
    pub(crate) fn forget_partial(&mut self) {
        self.partial.clear();
    }

    /// Words were understood in what was taken for noise: where they end is the end of speech.
    pub(crate) fn noise_has_words(&mut self) {
        self.noise = false;
    }

    /// Takes words that will not change; returns false if the limit cut them.
    pub(crate) fn heard(
        &mut self,
        text: &str,
        until: CallTime,
        settled: bool,
        now: CallTime,
        limit: usize,
    ) -> bool {
        self.partial.clear();
        let text = text.trim();
        if !text.is_empty() {
            if !self.words.is_empty() {
                self.words.push(' ');
            }
            self.words.push_str(text);
        }
        let whole = truncate(&mut self.words, limit);
        if settled {
            self.settled_until = Some(until);
            self.final_at = Some(now);
        }
        whole
    }

    /// A key counts as a word.
    pub(crate) fn pressed(&mut self, digit: char, now: CallTime, limit: usize) {
        self.began_at.get_or_insert(now);
        self.ended_at = Some(now);
        if !self.words.is_empty() {
            self.words.push(' ');
        }
        self.words.push(digit);
        self.keys.push(digit);
        self.keys.truncate(limit);
        truncate(&mut self.words, limit);
        self.settled_until = Some(now);
        self.final_at = Some(now);
    }

    /// Whether all words of the utterance are known.
    pub(crate) fn is_settled(&self) -> bool {
        match (self.settled_until, self.ended_at) {
            (Some(until), Some(ended)) => until + COVERAGE_SLACK >= ended && self.partial.is_empty(),
            (Some(_), None) => true,
            (None, _) => false,
        }
    }

    /// Words of an unfinished answer's question come before what is said now.
    pub(crate) fn put_back(&mut self, text: &str, began_at: CallTime, limit: usize) {
        let later = std::mem::take(&mut self.words);
        self.words = [text, &later].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
        truncate(&mut self.words, limit);
        self.began_at = Some(self.began_at.map_or(began_at, |at| at.min(began_at)));
    }

    /// Ends the utterance and hands it over.
    pub(crate) fn take(&mut self, now: CallTime, limit: usize) -> Utterance {
        let (speaking_since, noise, key) = (self.speaking_since, self.noise, self.only_key());
        let is_guess = !self.is_settled();
        let is_whole = !is_guess || !self.has_begun();
        let heard = std::mem::take(self);
        let mut text = [heard.words, heard.partial]
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join(" ");
        truncate(&mut text, limit);
        let ended_at = heard.ended_at.unwrap_or(now);
        self.taken = Some(Taken { ended_at, is_empty: text.is_empty(), is_guess });
        // A stretch of voice that is still going on begins the next utterance.
        self.speaking_since = speaking_since;
        self.noise = noise;
        self.began_at = speaking_since.filter(|_| !noise);
        Utterance {
            text,
            began_at: heard.began_at.unwrap_or(ended_at),
            ended_at,
            endpointed_at: heard.endpointed_at.unwrap_or(now),
            final_at: heard.final_at,
            key,
            is_whole,
            precedes_question: false,
        }
    }

    /// Forgets the utterance.
    pub(crate) fn forget(&mut self) {
        let (speaking_since, noise) = (self.speaking_since, self.noise);
        let began_at = speaking_since.filter(|_| !noise);
        *self = Self { speaking_since, noise, began_at, taken: self.taken, ..Self::default() };
    }
}

/// Cuts a string to so many characters; returns whether it was whole.
pub(crate) fn truncate(text: &mut String, limit: usize) -> bool {
    match text.char_indices().nth(limit) {
        Some((at, _)) => {
            text.truncate(at);
            false
        }
        None => true,
    }
}
