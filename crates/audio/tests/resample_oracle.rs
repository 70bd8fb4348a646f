//! The polyphase resamplers against rubato's FFT resampler.

mod support;

use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{Fft, FixedSync, Resampler as _};
use seiketsu_audio::resample::{Ratio, Resampler};

fn rates(ratio: Ratio) -> (usize, usize) {
    match ratio {
        Ratio::Up2 => (8_000, 16_000),
        Ratio::Up3 => (8_000, 24_000),
        Ratio::Down2 => (16_000, 8_000),
        Ratio::Down3 => (24_000, 8_000),
    }
}

fn tone(hz: f64, rate: usize, seconds: f64) -> Vec<i16> {
    (0..(rate as f64 * seconds) as usize)
        .map(|n| ((n as f64 * hz / rate as f64 * std::f64::consts::TAU).sin() * 10_000.0).round() as i16)
        .collect()
}

fn ours(ratio: Ratio, pcm: &[i16]) -> Vec<f64> {
    let mut out = Vec::new();
    Resampler::new(ratio).process(pcm, &mut out);
    out.into_iter().map(f64::from).collect()
}

#[expect(clippy::unwrap_used, reason = "test support outside of a test function")]
fn oracle(ratio: Ratio, pcm: &[i16]) -> Vec<f64> {
    let (from, to) = rates(ratio);
    let input: Vec<f64> = pcm.iter().map(|&sample| f64::from(sample)).collect();
    let mut resampler = Fft::<f64>::new(from, to, 1_024, 1, FixedSync::Both).unwrap();
    let buffer = InterleavedSlice::new(&input, 1, input.len()).unwrap();
    resampler.process_all(&buffer, input.len(), None).unwrap().take_data()
}

/// RMS of the settled middle.
fn rms(samples: &[f64]) -> f64 {
    let middle = &samples[samples.len() / 4..samples.len() * 3 / 4];
    (middle.iter().map(|sample| sample * sample).sum::<f64>() / middle.len() as f64).sqrt()
}

fn db(ratio: f64) -> f64 {
    20.0 * ratio.log10()
}

#[test]
fn the_pass_band_is_as_flat_as_the_oracles() {
    for ratio in Ratio::ALL {
        for hz in (100..=3_400).step_by(100) {
            let pcm = tone(f64::from(hz), rates(ratio).0, 0.4);
            let difference = db(rms(&ours(ratio, &pcm)) / rms(&oracle(ratio, &pcm)));
            assert!(difference.abs() < 0.1, "{ratio:?} at {hz} Hz: {difference:.3} dB");
        }
    }
}

#[test]
fn samples_equal_the_oracles_after_the_stated_delay() {
    for ratio in Ratio::ALL {
        let (from, to) = rates(ratio);
        // Four tones at once, up to the top of the telephone band.
        let tones: Vec<Vec<i16>> =
            [311.0, 1_207.0, 2_353.0, 3_389.0].iter().map(|&hz| tone(hz, from, 0.5)).collect();
        let pcm: Vec<i16> = (0..tones[0].len()).map(|n| tones.iter().map(|tone| tone[n] / 4).sum()).collect();
        let delay = Resampler::DELAY_SAMPLES * (to / 8_000);
        let (ours, oracle) = (ours(ratio, &pcm), oracle(ratio, &pcm));
        let error: Vec<f64> = ours[delay..].iter().zip(&oracle).map(|(a, b)| a - b).collect();
        let level = db(rms(&error) / rms(&oracle));
        assert!(level < -45.0, "{ratio:?}: {level:.1} dB");
    }
}

#[test]
fn nothing_above_the_telephone_band_folds_back_into_it() {
    for (ratio, top) in [(Ratio::Down2, 8_000), (Ratio::Down3, 12_000)] {
        for hz in (4_600..top).step_by(100) {
            let pcm = tone(f64::from(hz), rates(ratio).0, 0.2);
            let level = db(rms(&ours(ratio, &pcm)) / (10_000.0 / 2.0f64.sqrt()));
            assert!(level < -47.0, "{ratio:?} at {hz} Hz: {level:.1} dB");
        }
    }
}

#[test]
fn upsampling_leaves_no_mirror_images() {
    for ratio in [Ratio::Up2, Ratio::Up3] {
        for hz in (200..=3_400).step_by(200) {
            let pcm = tone(f64::from(hz), 8_000, 0.4);
            let out = ours(ratio, &pcm);
            // What is left when the tone itself is taken out, by its best fit.
            let middle = &out[out.len() / 4..out.len() * 3 / 4];
            let rate = rates(ratio).1 as f64;
            let (mut cosine, mut sine) = (0.0, 0.0);
            let wave = |n: usize| (n as f64 * f64::from(hz) / rate * std::f64::consts::TAU).sin_cos();
            for (n, sample) in middle.iter().enumerate() {
                let (s, c) = wave(n);
                sine += sample * s * 2.0 / middle.len() as f64;
                cosine += sample * c * 2.0 / middle.len() as f64;
            }
            let rest: f64 = middle
                .iter()
                .enumerate()
                .map(|(n, sample)| {
                    let (s, c) = wave(n);
                    (sample - sine * s - cosine * c).powi(2)
                })
                .sum();
            let level = db((rest / middle.len() as f64).sqrt() / rms(&out));
            assert!(level < -47.0, "{ratio:?} at {hz} Hz: {level:.1} dB");
        }
    }
}
