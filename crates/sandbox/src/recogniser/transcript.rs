//! What was understood.

use seiketsu_audio::subcarrier;

/// A word of a transcript.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeardWord {
    /// The word.
    pub text: String,
    /// Where it starts in the audio.
    pub start_ms: u64,
    /// Where it ends.
    pub end_ms: u64,
}

/// How sure the sandbox is of a transcript.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confidence {
    /// Everything arrived as it was sent.
    Sure,
    /// The recogniser's flag: audio was lost, doubled, shuffled or damaged.
    Flagged,
    /// There was nothing that could be understood.
    Nothing,
}

impl Confidence {
    /// The number in the vendor's messages.
    pub const fn value(self) -> f64 {
        match self {
            Self::Sure => 1.0,
            Self::Flagged => 0.3,
            Self::Nothing => 0.0,
        }
    }

    /// The logarithm of it, for vendors that give that; nothing is as unlikely as the least they tell.
    pub fn log_probability(self) -> f64 {
        match self {
            Self::Sure | Self::Flagged => self.value().ln(),
            Self::Nothing => -100.0,
        }
    }
}

/// What was understood of a stretch of audio.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transcript {
    /// Words.
    pub words: Vec<HeardWord>,
    /// Where the stretch starts.
    pub start_ms: u64,
    /// Where it ends.
    pub end_ms: u64,
    /// How sure it is.
    pub confidence: Confidence,
    /// It will not change any more.
    pub is_final: bool,
    /// It ends with the silence that ends an utterance.
    pub speech_final: bool,
    /// It answers a `Finalize`.
    pub from_finalize: bool,
}

impl Transcript {
    /// The words as people write them: with spaces between, but for scripts that have none.
    pub fn text(&self) -> String {
        subcarrier::in_a_row(self.words.iter().map(|word| word.text.as_str()))
    }
}

/// A whole recording at 8 kHz, as it is understood in one go. Without sub-carrier in it there are no words.
pub(crate) fn transcribe(samples: &[i16]) -> (String, Confidence) {
    let reading = subcarrier::read(samples);
    let confidence = match (reading.flags.is_empty(), reading.text.is_empty()) {
        (false, _) => Confidence::Flagged,
        (true, true) => Confidence::Nothing,
        (true, false) => Confidence::Sure,
    };
    (subcarrier::written(&reading.text), confidence)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recording_of_nothing_has_no_words() {
        assert_eq!(transcribe(&[0; 8_000]), (String::new(), Confidence::Nothing));
    }
}
