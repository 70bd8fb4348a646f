//! What else is heard on a line: noises of several kinds at a given level. Seeded, without IO.
//!
//! Levels are RMS in dBFS (0 is a full-scale square wave). Speech of simulated callers is at about -31 dBFS.

use rand::{RngExt, SeedableRng, rngs::StdRng};
use seiketsu_audio::level;
use serde::{Deserialize, Serialize};
use std::f32::consts::TAU;

/// Samples by which a generator is brought to its level: two seconds.
const CALIBRATION_SAMPLES: usize = 16_000;
const RATE_HZ: f32 = 8_000.0;
/// People who talk in the background.
const VOICES: usize = 6;

/// A noise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Noise {
    /// Which.
    pub kind: NoiseKind,
    /// How loud.
    pub level_dbfs: i8,
}

/// A kind of noise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoiseKind {
    /// Equally loud at all frequencies: a bad amplifier. Covers the text sub-carrier from about -51 dBFS on.
    Hiss,
    /// Mostly below 500 Hz: a room, a car.
    Room,
    /// The mains, 60 Hz and its harmonics.
    Hum,
    /// Several people far away, in syllables, without words; below 2.5 kHz.
    Babble,
    /// A car passes every few seconds: a room that swells and ebbs by 20 dB.
    Street,
}

/// An endless noise.
#[derive(Debug)]
pub struct NoiseSource {
    kind: NoiseKind,
    rng: StdRng,
    gain: f32,
    /// Samples so far.
    at: u64,
    /// State of the low-pass filters.
    low: [f32; 4],
    voices: [Voice; VOICES],
}

/// One of the people in the background.
#[derive(Debug, Clone, Copy, Default)]
struct Voice {
    pitch_hz: f32,
    syllables_hz: f32,
    phase: f32,
}

impl NoiseSource {
    /// A noise that begins now.
    pub fn new(noise: Noise, seed: u64) -> Self {
        let mut trial = Self::raw_source(noise.kind, seed);
        let energy: f64 = (0..CALIBRATION_SAMPLES).map(|_| f64::from(trial.raw()).powi(2)).sum();
        let rms = (energy / CALIBRATION_SAMPLES as f64).sqrt() as f32;
        let gain = level::from_db(noise.level_dbfs.into()) * level::FULL_SCALE / rms.max(f32::MIN_POSITIVE);
        Self { gain, ..Self::raw_source(noise.kind, seed) }
    }

    /// As loud as it happens to be.
    fn raw_source(kind: NoiseKind, seed: u64) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let mut voices = [Voice::default(); VOICES];
        for voice in &mut voices {
            *voice = Voice {
                pitch_hz: rng.random_range(90.0..230.0),
                syllables_hz: rng.random_range(2.5..5.5),
                phase: rng.random_range(0.0..TAU),
            };
        }
        Self { kind, rng, gain: 1.0, at: 0, low: [0.0; 4], voices }
    }

    /// The next sample.
    pub fn next_sample(&mut self) -> f32 {
        self.raw() * self.gain
    }

    /// The next sample before it is brought to its level.
    fn raw(&mut self) -> f32 {
        let seconds = self.at as f32 / RATE_HZ;
        self.at += 1;
        match self.kind {
            NoiseKind::Hiss => self.white(),
            NoiseKind::Room => self.room(),
            NoiseKind::Hum => {
                [1.0_f32, 2.0, 3.0, 5.0].iter().map(|n| (TAU * 60.0 * n * seconds).sin() / n).sum()
            }
            NoiseKind::Babble => self.babble(seconds),
            NoiseKind::Street => {
                let swell = 0.5 - 0.5 * (TAU * seconds / 4.0).cos();
                self.room() * level::from_db(20.0 * (swell - 1.0))
            }
        }
    }

    fn white(&mut self) -> f32 {
        // The sum of a few uniform numbers is close enough to a normal one.
        (0..4).map(|_| self.rng.random_range(-1.0_f32..1.0)).sum()
    }

    /// White noise through four low-pass filters in a row.
    fn room(&mut self) -> f32 {
        let mut sample = self.white();
        for state in &mut self.low {
            *state += 0.25 * (sample - *state);
            sample = *state;
        }
        sample
    }

    fn babble(&mut self, seconds: f32) -> f32 {
        self.voices
            .iter()
            .map(|voice| {
                let loudness = (TAU * voice.syllables_hz * seconds + voice.phase).sin().max(0.0);
                let harmonics = (2_400.0 / voice.pitch_hz) as u32;
                let sound: f32 = (1..=harmonics)
                    .map(|n| (TAU * voice.pitch_hz * n as f32 * seconds + voice.phase).sin() / n as f32)
                    .sum();
                loudness * sound
            })
            .sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KINDS: [NoiseKind; 5] =
        [NoiseKind::Hiss, NoiseKind::Room, NoiseKind::Hum, NoiseKind::Babble, NoiseKind::Street];

    fn samples(noise: Noise, seed: u64) -> Vec<i16> {
        let mut source = NoiseSource::new(noise, seed);
        (0..40_000).map(|_| source.next_sample() as i16).collect()
    }

    #[test]
    fn every_kind_is_as_loud_as_it_is_told_to_be_and_repeats_from_its_seed() {
        for kind in KINDS {
            let noise = Noise { kind, level_dbfs: -35 };
            let pcm = samples(noise, 1);
            let loud = level::rms_dbfs(&pcm);
            assert!((loud + 35.0).abs() < 1.5, "{kind:?}: {loud}");
            assert_eq!(pcm, samples(noise, 1), "{kind:?}");
        }
    }

    #[test]
    fn all_but_hiss_leave_the_band_of_the_sub_carrier_alone() {
        let in_band = |kind| {
            let pcm = samples(Noise { kind, level_dbfs: -35 }, 2);
            // The energy at single frequencies from 3,000 to 3,400 Hz, by correlation.
            let energy: f32 = (0..9)
                .map(|step| {
                    let hz = 3_000.0 + 50.0 * step as f32;
                    let (mut sine, mut cosine) = (0.0_f32, 0.0_f32);
                    for (n, sample) in pcm.iter().enumerate().take(8_000) {
                        let angle = TAU * hz * n as f32 / RATE_HZ;
                        sine += f32::from(*sample) * angle.sin();
                        cosine += f32::from(*sample) * angle.cos();
                    }
                    sine.powi(2) + cosine.powi(2)
                })
                .sum();
            10.0 * energy.log10()
        };
        let hiss = in_band(NoiseKind::Hiss);
        for kind in KINDS.into_iter().filter(|kind| *kind != NoiseKind::Hiss) {
            assert!(in_band(kind) < hiss - 15.0, "{kind:?}: {} against {hiss}", in_band(kind));
        }
    }
}
