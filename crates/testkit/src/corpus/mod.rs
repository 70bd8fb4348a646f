//! A corpus of telephone sound with known truth: espeak-ng voices, noises, codecs and faults of lines, made anew from a
//! seed, the same on every machine that has the same espeak-ng.
//!
//! A [`Spec`] says what is to be heard; [`Corpus::clip`] makes it. The truth comes from the clean signal, before noise
//! and line: a 5 ms window is voiced when it is within 35 dB of the loudest one of its part. Speech that was synthesised
//! once is kept in `target/line-corpus`.
//!
//! What it is not: recordings. The voices are synthetic and their noises too; how long people pause in the middle of a
//! sentence is *assumed* here ([`Spec`] says how), so figures for cut-offs compare settings and do not predict callers.
//!
//! To add one more noise, line or kind of utterance: a variant of its enum; the compiler shows where it belongs.

mod echo;
mod line;
mod sounds;
mod voices;
mod words;

pub use echo::{EchoScene, EchoSpec};
pub use line::{Arrival, Line};
pub use sounds::Noise;
pub use voices::{Voice, Voices};

use rand::{RngExt, rngs::StdRng};
use seiketsu_audio::level;
use seiketsu_domain::{AudioFormat, Language};
use sounds::{rng_of, samples_of_ms};
use std::{ops::Range, path::Path};

/// The rate of everything before the line.
pub const RATE_HZ: u32 = 8_000;
/// The level of speech on a usual line: RMS over its voiced windows.
pub const SPEECH_DBFS: f32 = -26.0;
/// The line is open for so long before the first sound and after the last.
pub const LEAD_MS: usize = 1_500;
/// See [`LEAD_MS`].
pub const TAIL_MS: usize = 2_600;
/// Windows in which voice is looked for: 5 ms.
const WINDOW: usize = 40;
/// Softer than the loudest window by more than this is no voice.
const RANGE_DB: f32 = 35.0;
/// Voiced windows that are closer than this belong together.
const JOIN_MS: usize = 60;

/// What the caller does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A sentence without a pause of thought.
    Sentence,
    /// "Yes", "two".
    ShortAnswer,
    /// A number in groups of digits, with a pause behind each group.
    Digits,
    /// Thinks aloud: pauses and "um".
    Thinking,
    /// "... and", a pause, and on.
    Trailing,
    /// "mm-hm", "yeah": not meant to be answered while the agent talks.
    Backchannel,
    /// "Wait", "stop": meant to silence the agent.
    Interruption,
    /// Coughs.
    Cough,
    /// Breathes into the mouthpiece.
    Breath,
    /// Clicks of the line or of keys.
    Clicks,
    /// Nothing at all for six seconds.
    Nothing,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Sentence,
        Self::ShortAnswer,
        Self::Digits,
        Self::Thinking,
        Self::Trailing,
        Self::Backchannel,
        Self::Interruption,
        Self::Cough,
        Self::Breath,
        Self::Clicks,
        Self::Nothing,
    ];

    /// Whether words are spoken.
    pub fn is_speech(self) -> bool {
        match self {
            Self::Sentence
            | Self::ShortAnswer
            | Self::Digits
            | Self::Thinking
            | Self::Trailing
            | Self::Backchannel
            | Self::Interruption => true,
            Self::Cough | Self::Breath | Self::Clicks | Self::Nothing => false,
        }
    }

    /// The pause behind a part: median and bounds in milliseconds. Log-normal between them, with a sigma of 0.45.
    fn pause_ms(self) -> (f32, f32, f32) {
        match self {
            Self::Digits => (450.0, 200.0, 1_200.0),
            Self::Thinking => (550.0, 200.0, 1_800.0),
            Self::Trailing => (800.0, 400.0, 1_800.0),
            Self::Sentence
            | Self::ShortAnswer
            | Self::Backchannel
            | Self::Interruption
            | Self::Cough
            | Self::Breath
            | Self::Clicks
            | Self::Nothing => (0.0, 0.0, 0.0),
        }
    }
}

/// One clip, completely.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Spec {
    /// What the caller does.
    pub kind: Kind,
    /// In which language.
    pub language: Language,
    /// What is heard behind it, and how far below the speech it is, in dB.
    pub noise: Option<(Noise, u8)>,
    /// The way to the server.
    pub line: Line,
    /// Decides voice, words, pauses and noise.
    pub seed: u64,
}

/// Sound with known truth.
#[derive(Debug, Clone)]
pub struct Clip {
    /// The format of what arrives.
    pub format: AudioFormat,
    /// What arrives, in order.
    pub arrivals: Vec<Arrival>,
    /// Where the caller speaks, in microseconds since the line was opened; empty for sounds that are no speech.
    pub voiced_us: Vec<Range<u64>>,
    /// Where anything but the background sounds.
    pub sounds_us: Option<Range<u64>>,
    /// The whole clip.
    pub length_us: u64,
}

impl Clip {
    /// The caller's utterance, from the first voiced window to the last.
    pub fn utterance_us(&self) -> Option<Range<u64>> {
        Some(self.voiced_us.first()?.start..self.voiced_us.last()?.end)
    }
}

/// The maker of clips.
#[derive(Debug, Clone)]
pub struct Corpus {
    voices: Voices,
}

impl Default for Corpus {
    fn default() -> Self {
        Self::new()
    }
}

impl Corpus {
    /// With its cache in the workspace's `target`.
    pub fn new() -> Self {
        let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target");
        Self { voices: Voices::kept_in(target.join("line-corpus")) }
    }

    /// Makes one clip.
    pub fn clip(&self, spec: &Spec) -> Clip {
        let Spec { kind, language, noise, line, seed } = *spec;
        let (mut clean, voiced) = self.clean(kind, language, seed);
        let sounds = {
            let sounding = |sample: &f32| *sample != 0.0;
            let first = clean.iter().position(sounding);
            first.map(|first| first..clean.iter().rposition(sounding).unwrap_or(first) + 1)
        };
        if let Some((noise, snr_db)) = noise {
            let level = amplitude(SPEECH_DBFS - f32::from(snr_db));
            let background = sounds::noise(noise, clean.len(), &self.voices, &mut rng_of(seed, 3));
            for (sample, noise) in clean.iter_mut().zip(background) {
                *sample += noise * level;
            }
        }
        let gain = level::from_db(line.gain_db());
        let samples = clean.iter().map(|sample| to_sample(sample * gain)).collect();
        let (format, arrivals) = line::send(line, samples, &voiced, &mut rng_of(seed, 4));
        // A clock that runs fast brings everything earlier.
        let us_per_sample = 125.0 * (1.0 - f64::from(line.clock_ppm()) * 1e-6);
        let time = |range: &Range<usize>| {
            (range.start as f64 * us_per_sample) as u64..(range.end as f64 * us_per_sample) as u64
        };
        Clip {
            format,
            length_us: time(&(0..clean.len())).end,
            voiced_us: if kind.is_speech() { voiced.iter().map(time).collect() } else { Vec::new() },
            sounds_us: sounds.as_ref().map(time),
            arrivals,
        }
    }

    /// The caller alone, before background and line, and where it sounds.
    fn clean(&self, kind: Kind, language: Language, seed: u64) -> (Vec<f32>, Vec<Range<usize>>) {
        let mut rng = rng_of(seed, 1);
        let mut out = vec![0.0; samples_of_ms(LEAD_MS)];
        let mut voiced = Vec::new();
        let speech = amplitude(SPEECH_DBFS + rng.random_range(-3.0..3.0_f32));
        match kind {
            Kind::Cough => add_sound(sounds::cough(&mut rng), 3.0 * speech, &mut out, &mut voiced),
            Kind::Breath => add_sound(sounds::breath(&mut rng), 0.6 * speech, &mut out, &mut voiced),
            Kind::Clicks => add_sound(sounds::clicks(&mut rng), 4.0 * speech, &mut out, &mut voiced),
            Kind::Nothing => out.extend(vec![0.0; samples_of_ms(2_000)]),
            Kind::Sentence
            | Kind::ShortAnswer
            | Kind::Digits
            | Kind::Thinking
            | Kind::Trailing
            | Kind::Backchannel
            | Kind::Interruption => {
                let voice = Voice::of(language, &mut rng);
                for (n, part) in words::parts(kind, language, &mut rng).iter().enumerate() {
                    if n > 0 {
                        out.extend(vec![0.0; pause(kind, &mut rng)]);
                    }
                    let spoken = self.voices.speak(part, &voice);
                    let sounding = voiced_windows(&spoken);
                    let loud: Vec<f32> = sounding
                        .iter()
                        .flat_map(|range| &spoken[range.clone()])
                        .map(|s| f32::from(*s))
                        .collect();
                    let gain = speech / sounds::rms(&loud).max(1.0);
                    voiced
                        .extend(sounding.iter().map(|range| range.start + out.len()..range.end + out.len()));
                    out.extend(spoken.iter().map(|sample| f32::from(*sample) * gain));
                }
            }
        }
        out.extend(vec![0.0; samples_of_ms(TAIL_MS)]);
        (out, voiced)
    }
}

/// Adds a sound with this peak.
fn add_sound(sound: Vec<f32>, peak: f32, out: &mut Vec<f32>, voiced: &mut Vec<Range<usize>>) {
    let loudest = sound.iter().fold(1e-9_f32, |loudest, sample| loudest.max(sample.abs()));
    let start = out.len();
    out.extend(sound.into_iter().map(|sample| sample * peak / loudest));
    voiced.push(start..out.len());
}

/// The RMS in sample units of a level in dBFS.
fn amplitude(dbfs: f32) -> f32 {
    level::FULL_SCALE * level::from_db(dbfs)
}

fn to_sample(value: f32) -> i16 {
    value.round().clamp(-32_768.0, 32_767.0) as i16
}

fn pause(kind: Kind, rng: &mut StdRng) -> usize {
    let (median, least, most) = kind.pause_ms();
    let normal: f32 = (0..12).map(|_| rng.random_range(0.0..1.0_f32)).sum::<f32>() - 6.0;
    samples_of_ms((median * (0.45 * normal).exp()).clamp(least, most) as usize)
}

/// Where there is voice in clean speech: windows within 35 dB of the loudest one, joined over short gaps.
fn voiced_windows(speech: &[i16]) -> Vec<Range<usize>> {
    let levels: Vec<f32> = speech.chunks(WINDOW).map(level::rms_dbfs).collect();
    let threshold = levels.iter().copied().fold(f32::NEG_INFINITY, f32::max) - RANGE_DB;
    let mut out: Vec<Range<usize>> = Vec::new();
    for (n, _) in levels.iter().enumerate().filter(|(_, level)| **level > threshold) {
        let (start, end) = (n * WINDOW, ((n + 1) * WINDOW).min(speech.len()));
        match out.last_mut() {
            Some(last) if start - last.end <= samples_of_ms(JOIN_MS) => last.end = end,
            _ => out.push(start..end),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(kind: Kind) -> Spec {
        Spec { kind, language: Language::En, noise: Some((Noise::Babble, 10)), line: Line::Direct, seed: 7 }
    }

    #[test]
    fn a_seed_makes_the_same_clip_again_and_another_seed_another() {
        let corpus = Corpus::new();
        let (first, again) = (corpus.clip(&spec(Kind::Thinking)), corpus.clip(&spec(Kind::Thinking)));
        assert_eq!(first.arrivals, again.arrivals);
        assert_eq!(first.voiced_us, again.voiced_us);
        let other = corpus.clip(&Spec { seed: 8, ..spec(Kind::Thinking) });
        assert_ne!(first.arrivals, other.arrivals);
    }

    #[test]
    fn what_is_not_speech_has_no_voice_in_its_truth() {
        let corpus = Corpus::new();
        for kind in Kind::ALL {
            let clip = corpus.clip(&Spec { noise: None, ..spec(kind) });
            assert_eq!(clip.utterance_us().is_some(), kind.is_speech(), "{kind:?}");
            assert_eq!(clip.sounds_us.is_some(), kind != Kind::Nothing, "{kind:?}");
        }
    }

    #[test]
    fn outside_of_the_truth_a_clean_line_is_soft_and_at_its_edges_it_is_not() {
        let clip = Corpus::new().clip(&Spec { noise: None, ..spec(Kind::Sentence) });
        let mut samples = Vec::new();
        for arrival in &clip.arrivals {
            seiketsu_audio::g711::mulaw_decode(&arrival.audio, &mut samples);
        }
        let utterance = clip.utterance_us().expect("a sentence is an utterance");
        let (start, end) = (utterance.start as usize / 125, utterance.end as usize / 125);
        let loudest = samples.chunks(WINDOW).map(level::rms_dbfs).fold(f32::NEG_INFINITY, f32::max);
        let audible =
            |part: &[i16]| part.chunks(WINDOW).any(|part| level::rms_dbfs(part) > loudest - RANGE_DB + 3.0);
        assert!(!audible(&samples[..start]) && !audible(&samples[end..]));
        let edge = samples_of_ms(60);
        assert!(audible(&samples[start..start + edge]) && audible(&samples[end - edge..end]));
    }

    #[test]
    fn noise_is_as_far_below_the_speech_as_it_says() {
        let corpus = Corpus::new();
        for noise in Noise::ALL {
            let clip = corpus.clip(&Spec { noise: Some((noise, 10)), ..spec(Kind::Nothing) });
            let mut samples = Vec::new();
            for arrival in &clip.arrivals {
                seiketsu_audio::g711::mulaw_decode(&arrival.audio, &mut samples);
            }
            let level = level::rms_dbfs(&samples);
            assert!((level - (SPEECH_DBFS - 10.0)).abs() < 1.0, "{noise:?}: {level} dBFS");
        }
    }

    #[test]
    fn a_line_keeps_the_length_and_the_order_of_what_it_carries() {
        let corpus = Corpus::new();
        for line in Line::ALL {
            let clip = corpus.clip(&Spec { line, ..spec(Kind::Sentence) });
            let bytes: usize = clip.arrivals.iter().map(|arrival| arrival.audio.len()).sum();
            assert!(clip.format.duration_us(bytes).abs_diff(clip.length_us) < 5_000, "{line:?}");
            assert!(clip.arrivals.is_sorted_by_key(|arrival| arrival.at_us), "{line:?}");
        }
    }
}
