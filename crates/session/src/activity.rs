//! Voice activity: from the door's audio to "speech began" and "speech ended", in call time.
//!
//! Three steps, each on its own: [`Frames`] decodes and scores, [`Echo`] says which sound is the agent's own voice coming
//! back, [`Gate`] decides. Their settings were chosen with the corpus of the test kit (`examples/line_corpus`); they are
//! public so that it can measure them.

mod clock;
mod frames;
mod gate;

pub use clock::AudioClock;
pub(crate) use frames::decode;
pub use frames::{FRAME_SAMPLES, Frames};
pub use gate::{Change, FRAME_US, Frame, Gate, Settings};

use crate::echo::Echo;
use seiketsu_audio::level;
use seiketsu_call::VoiceActivity;
use seiketsu_domain::{AudioFormat, CallTime};
use std::time::Duration;

/// How long the detector needs to notice that speech has ended: an endpoint silence below this cannot be honoured.
pub const RELEASE: Duration = Duration::from_micros(FRAME_US * Settings::CALLS.release_frames as u64);

/// Turns audio into [`VoiceActivity`].
#[derive(Debug)]
pub struct Activity {
    frames: Frames,
    echo: Echo,
    gate: Gate,
    /// Position of the next frame.
    position_us: u64,
}

impl Activity {
    /// A line in this format, both ways.
    pub fn new(format: AudioFormat) -> Self {
        Self {
            frames: Frames::new(format),
            echo: Echo::new(format),
            gate: Gate::new(Settings::CALLS),
            position_us: 0,
        }
    }

    /// This is sent to the caller now, behind everything that was sent before.
    pub fn played(&mut self, audio: &[u8], now: CallTime) {
        self.echo.played(audio, now);
    }

    /// What was sent and is not played yet will not be.
    pub fn cleared(&mut self, now: CallTime) {
        self.echo.cleared(now);
    }

    /// Takes audio of any length; calls `emit` for each change.
    pub fn push(&mut self, audio: &[u8], clock: &AudioClock, mut emit: impl FnMut(VoiceActivity)) {
        let Self { frames, echo, gate, position_us } = self;
        frames.push(audio, |samples, score| {
            let voiced = gate.may_be_voiced(score);
            let echo = echo.is_echo(samples, clock.at(*position_us), voiced);
            *position_us += FRAME_US;
            match gate.frame(Frame { score, level: level::rms(samples), echo }) {
                Some(Change::Began { position_us }) => {
                    emit(VoiceActivity::Began { at: clock.at(position_us) });
                }
                Some(Change::Ended { position_us }) => {
                    emit(VoiceActivity::Ended { at: clock.at(position_us) });
                }
                None => {}
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use seiketsu_domain::Language;
    use seiketsu_testkit::corpus::{Clip, Corpus, Kind, Line, Noise, Spec};

    const LANGUAGES: [Language; 3] = [Language::En, Language::Es, Language::Zh];

    fn spec(kind: Kind, seed: u64) -> Spec {
        let language = LANGUAGES[seed as usize % LANGUAGES.len()];
        Spec { kind, language, noise: None, line: Line::Direct, seed }
    }

    /// What is reported of a line that arrives in real time, with the milliseconds at which it was.
    fn detected(clip: &Clip) -> Vec<(VoiceActivity, u64)> {
        let mut activity = Activity::new(clip.format);
        let mut clock = AudioClock::default();
        let mut changes = Vec::new();
        for arrival in &clip.arrivals {
            let now = CallTime::from_micros(arrival.at_us);
            clock.received(clip.format.duration_us(arrival.audio.len()), now);
            activity.push(&arrival.audio, &clock, |change| changes.push((change, now.as_millis())));
        }
        changes
    }

    /// The beginning of the first stretch and the end of the last, in milliseconds.
    fn whole(changes: &[(VoiceActivity, u64)]) -> (u64, u64) {
        match (changes.first(), changes.last()) {
            (
                Some((VoiceActivity::Began { at: began }, _)),
                Some((VoiceActivity::Ended { at: ended }, _)),
            ) => (began.as_millis(), ended.as_millis()),
            other => panic!("no whole utterance: {other:?}"),
        }
    }

    fn truth(clip: &Clip) -> (u64, u64) {
        let utterance = clip.utterance_us().expect("speech");
        (utterance.start / 1_000, utterance.end / 1_000)
    }

    #[test]
    fn speech_begins_and_ends_within_120_ms_of_its_first_and_last_sound() {
        let corpus = Corpus::new();
        for seed in 0..12 {
            for kind in [Kind::Sentence, Kind::ShortAnswer, Kind::Interruption] {
                let clip = corpus.clip(&spec(kind, seed));
                let changes = detected(&clip);
                let ((begins, ends), (began, ended)) = (truth(&clip), whole(&changes));
                assert!(began.abs_diff(begins) <= 120, "{kind:?} {seed}: begins at {begins}, {changes:?}");
                assert!(ended.abs_diff(ends) <= 120, "{kind:?} {seed}: ends at {ends}, {changes:?}");
                let known = changes.last().map_or(0, |(_, known)| *known);
                assert!(known - ended <= RELEASE.as_millis() as u64 + 20, "{kind:?} {seed}: {changes:?}");
            }
        }
    }

    #[test]
    fn noise_of_a_line_a_car_or_a_street_is_no_speech() {
        let corpus = Corpus::new();
        for noise in [Noise::White, Noise::Pink, Noise::Car, Noise::Music] {
            for snr_db in [20, 10] {
                let clip = corpus.clip(&Spec { noise: Some((noise, snr_db)), ..spec(Kind::Nothing, 1) });
                assert_eq!(detected(&clip), [], "{noise:?} {snr_db} dB");
            }
        }
    }

    #[test]
    fn a_short_answer_is_heard_in_every_language_on_every_line() {
        let corpus = Corpus::new();
        for (seed, line) in (20..).zip(Line::ALL) {
            for noise in [None, Some((Noise::Pink, 20))] {
                let clip = corpus.clip(&Spec { line, noise, ..spec(Kind::ShortAnswer, seed) });
                let (changes, (begins, ends)) = (detected(&clip), truth(&clip));
                let heard = |change: &(VoiceActivity, u64)| match change.0 {
                    VoiceActivity::Began { at } => (begins - 200..ends).contains(&at.as_millis()),
                    VoiceActivity::Ended { .. } => false,
                };
                assert!(changes.iter().any(heard), "{line:?} {noise:?}: {begins} to {ends}, {changes:?}");
            }
        }
    }

    #[test]
    fn noise_does_not_keep_speech_from_ending() {
        let corpus = Corpus::new();
        for noise in [Noise::White, Noise::Car, Noise::Music, Noise::Babble] {
            let clip = corpus.clip(&Spec { noise: Some((noise, 10)), ..spec(Kind::Sentence, 5) });
            let (changes, (_, ends)) = (detected(&clip), truth(&clip));
            let ended = |change: &(VoiceActivity, u64)| matches!(change, (VoiceActivity::Ended { .. }, known) if (ends - 900..ends + 500).contains(known));
            assert!(changes.iter().any(ended), "{noise:?}: ends at {ends}, {changes:?}");
        }
    }

    #[test]
    fn comfort_noise_and_digital_silence_are_both_silence() {
        let corpus = Corpus::new();
        for line in [Line::ComfortNoise, Line::DigitalSilence] {
            let clip = corpus.clip(&Spec { line, noise: Some((Noise::Pink, 30)), ..spec(Kind::Sentence, 2) });
            let ((begins, ends), (began, ended)) = (truth(&clip), whole(&detected(&clip)));
            assert!(began.abs_diff(begins) <= 100, "{line:?}: {began} for {begins}");
            // The far end sends its room for 200 ms more.
            assert!((ends - 100..ends + 300).contains(&ended), "{line:?}: {ended} for {ends}");
        }
    }

    #[test]
    fn who_speaks_from_the_first_frame_on_is_heard() {
        let mut clip = Corpus::new().clip(&spec(Kind::Sentence, 4));
        let (begins, _) = truth(&clip);
        clip.arrivals.drain(..=begins as usize / 20);
        clip.arrivals.iter_mut().zip(1..).for_each(|(arrival, n)| arrival.at_us = n * 20_000);
        assert!(
            matches!(detected(&clip).first(), Some((VoiceActivity::Began { .. }, known)) if *known <= 300)
        );
    }

    #[test]
    fn late_and_bundled_frames_do_not_split_an_utterance() {
        let corpus = Corpus::new();
        for line in [Line::Bursts, Line::Fast, Line::Slow, Line::Wideband] {
            let clip = corpus.clip(&Spec { line, ..spec(Kind::ShortAnswer, 3) });
            let changes = detected(&clip);
            assert_eq!(changes.len(), 2, "{line:?}: {changes:?}");
        }
    }
}
