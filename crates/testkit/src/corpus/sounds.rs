//! Sounds that are no speech: noises of rooms, cars and lines, coughs, breaths and clicks.

use super::{RATE_HZ, Voice, Voices, words};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use seiketsu_domain::Language;
use std::f32::consts::TAU;

/// What is heard behind the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Noise {
    /// Equal power at all frequencies: hiss.
    White,
    /// Power falling by 3 dB an octave: wind, rain, a street.
    Pink,
    /// Six other people talking at once.
    Babble,
    /// Engine and tyres.
    Car,
    /// Plucked chords.
    Music,
}

impl Noise {
    /// All kinds.
    pub const ALL: [Self; 5] = [Self::White, Self::Pink, Self::Babble, Self::Car, Self::Music];
}

/// Noise of this length with an RMS of 1.
pub(super) fn noise(kind: Noise, samples: usize, voices: &Voices, rng: &mut StdRng) -> Vec<f32> {
    let mut out = match kind {
        Noise::White => (0..samples).map(|_| gauss(rng)).collect(),
        Noise::Pink => pink(samples, rng),
        Noise::Babble => babble(samples, voices, rng),
        Noise::Car => car(samples, rng),
        Noise::Music => music(samples, rng),
    };
    scale_to(&mut out, 1.0);
    out
}

/// Root mean square.
pub(super) fn rms(samples: &[f32]) -> f32 {
    (samples.iter().map(|sample| sample * sample).sum::<f32>() / samples.len().max(1) as f32).sqrt()
}

/// Multiplies so that the RMS becomes this; silence stays silence.
pub(super) fn scale_to(samples: &mut [f32], target: f32) {
    let have = rms(samples);
    if have > 0.0 {
        for sample in samples {
            *sample *= target / have;
        }
    }
}

/// Four uniform numbers added up, variance 1: near enough to a normal distribution for noise.
fn gauss(rng: &mut StdRng) -> f32 {
    let sum: f32 = (0..4).map(|_| rng.random_range(-1.0..1.0_f32)).sum();
    sum * 0.75_f32.sqrt()
}

/// White noise through a sum of one-pole filters an octave and a half apart.
fn pink(samples: usize, rng: &mut StdRng) -> Vec<f32> {
    const POLES: [f32; 5] = [0.999, 0.996, 0.98, 0.92, 0.7];
    let mut state = [0.0_f32; POLES.len()];
    (0..samples)
        .map(|_| {
            let white = gauss(rng);
            for (state, pole) in state.iter_mut().zip(POLES) {
                *state = pole * *state + white * (1.0 - pole).sqrt();
            }
            state.iter().sum::<f32>() + 0.3 * white
        })
        .collect()
}

fn babble(samples: usize, voices: &Voices, rng: &mut StdRng) -> Vec<f32> {
    let mut out = vec![0.0; samples];
    for speaker in 0..6 {
        let language = [Language::En, Language::Es, Language::En][speaker % 3];
        let mut at = 0;
        let voice = Voice::of(language, rng);
        let loudness = rng.random_range(0.4..1.0_f32);
        while at < samples {
            let text = words::parts(super::Kind::Sentence, language, rng).remove(0);
            let spoken = voices.speak(&text, &voice);
            // The first sentence of each is under way already.
            let skip = if at == 0 { rng.random_range(0..spoken.len()) } else { 0 };
            for (out, sample) in out[at..].iter_mut().zip(&spoken[skip..]) {
                *out += f32::from(*sample) * loudness;
            }
            at += spoken.len() - skip + rng.random_range(0..RATE_HZ as usize / 3);
        }
    }
    out
}

/// Harmonics of an engine that slowly changes its speed, and low-passed noise.
fn car(samples: usize, rng: &mut StdRng) -> Vec<f32> {
    let base_hz = rng.random_range(35.0..70.0_f32);
    let sway_hz = rng.random_range(0.1..0.4_f32);
    let (mut phase, mut low, mut lower) = (0.0_f32, 0.0, 0.0);
    (0..samples)
        .map(|n| {
            let t = n as f32 / RATE_HZ as f32;
            phase = (phase + base_hz * (1.0 + 0.05 * (TAU * sway_hz * t).sin()) / RATE_HZ as f32).fract();
            let engine: f32 = (1..=8).map(|k| (TAU * phase * k as f32).sin() / k as f32).sum();
            low = 0.8 * low + 0.2 * gauss(rng);
            lower = 0.97 * lower + 0.03 * low;
            0.25 * engine + 0.6 * low + 6.0 * lower
        })
        .collect()
}

/// A chord of three plucked notes twice a second, with a bass under it.
fn music(samples: usize, rng: &mut StdRng) -> Vec<f32> {
    const ROOTS_HZ: [f32; 4] = [261.6, 220.0, 349.2, 392.0];
    const CHORD: [f32; 3] = [1.0, 1.26, 1.498];
    let (beat, first) = (RATE_HZ as usize / 2, rng.random_range(0..4_usize));
    (0..samples)
        .map(|n| {
            let (bar, t) = (n / beat, (n % beat) as f32 / RATE_HZ as f32);
            let root = ROOTS_HZ[(first + bar / 2) % ROOTS_HZ.len()];
            let pluck: f32 = CHORD
                .iter()
                .flat_map(|step| {
                    [(1.0, 1.0_f32), (2.0, 0.5), (3.0, 0.25)].map(|(k, gain)| (root * step * k, gain))
                })
                .map(|(hz, gain)| gain * (TAU * hz * t).sin())
                .sum();
            pluck * (-4.0 * t).exp() + 0.8 * (TAU * root / 2.0 * t).sin()
        })
        .collect()
}

/// One to three coughs, peak about 1: a burst, then breath through an open throat, sometimes with voice at the end.
pub(super) fn cough(rng: &mut StdRng) -> Vec<f32> {
    let mut out = Vec::new();
    for n in 0..rng.random_range(1..=3) {
        if n > 0 {
            out.extend(vec![0.0; samples_of_ms(rng.random_range(60..160))]);
        }
        let burst = samples_of_ms(rng.random_range(25..60));
        out.extend((0..burst).map(|n| 0.4 * gauss(rng) * (1.0 - 0.6 * n as f32 / burst as f32)));
        let open = samples_of_ms(rng.random_range(120..260));
        let (throat_hz, voiced) = (rng.random_range(500.0..900.0_f32), rng.random_range(0..3) == 0);
        let (mut a, mut b) = (0.0, 0.0);
        let pitch_hz = rng.random_range(90.0..220.0_f32);
        for n in 0..open {
            let t = n as f32 / RATE_HZ as f32;
            // A resonance of the throat.
            let radius = 0.96_f32;
            let input = gauss(rng);
            let value =
                input + 2.0 * radius * (TAU * throat_hz / RATE_HZ as f32).cos() * a - radius * radius * b;
            (b, a) = (a, value);
            let tail = if voiced && n * 2 > open { 0.3 * (TAU * pitch_hz * t).sin() } else { 0.0 };
            let fade = 1.0 - n as f32 / open as f32;
            out.push((0.06 * value + tail) * fade);
        }
    }
    out
}

/// Breathing into the mouthpiece.
pub(super) fn breath(rng: &mut StdRng) -> Vec<f32> {
    let length = samples_of_ms(rng.random_range(250..900));
    let mut low = 0.0;
    (0..length)
        .map(|n| {
            let white = gauss(rng);
            low = 0.5 * low + 0.5 * white;
            (std::f32::consts::PI * n as f32 / length as f32).sin() * (0.7 * low + 0.3 * white) * 0.3
        })
        .collect()
}

/// Three to eight clicks of the line, of keys or of a handset that is put down, over a second or two.
pub(super) fn clicks(rng: &mut StdRng) -> Vec<f32> {
    let mut out = vec![0.0; samples_of_ms(rng.random_range(800..2_000))];
    for _ in 0..rng.random_range(3..=8) {
        let at = rng.random_range(0..out.len());
        let length = rng.random_range(4..60_usize);
        let loudness = rng.random_range(0.2..1.0_f32);
        for (n, sample) in out[at..].iter_mut().take(length).enumerate() {
            *sample += loudness * gauss(rng).signum() * (1.0 - n as f32 / length as f32);
        }
    }
    out
}

pub(super) fn samples_of_ms(ms: usize) -> usize {
    ms * RATE_HZ as usize / 1_000
}

/// A generator of its own for one aspect of a scene, so that changing one aspect leaves the others alone.
pub(super) fn rng_of(seed: u64, aspect: u64) -> StdRng {
    StdRng::seed_from_u64(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ aspect)
}
