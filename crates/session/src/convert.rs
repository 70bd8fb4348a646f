//! Speech of a vendor that does not have the door's format, brought to it.

use crate::activity::decode;
use bytes::Bytes;
use seiketsu_audio::{
    g711,
    resample::{Ratio, Resampler},
};
use seiketsu_domain::AudioFormat;

/// Converts one synthesis, piece by piece, without a seam.
#[derive(Debug)]
pub(crate) struct Converter {
    from: AudioFormat,
    to: AudioFormat,
    steps: Vec<Resampler>,
    /// The first half of a sample that was cut in two.
    half: Option<u8>,
}

impl Converter {
    /// None if there is nothing to convert.
    pub(crate) fn between(from: AudioFormat, to: AudioFormat) -> Option<Self> {
        if from == to {
            return None;
        }
        let ratios: &[Ratio] = match (from.sample_rate_hz(), to.sample_rate_hz()) {
            (24_000, 16_000) => &[Ratio::Down3, Ratio::Up2],
            (24_000, 8_000) => &[Ratio::Down3],
            (16_000, 8_000) => &[Ratio::Down2],
            (16_000, 24_000) => &[Ratio::Down2, Ratio::Up3],
            (8_000, 16_000) => &[Ratio::Up2],
            (8_000, 24_000) => &[Ratio::Up3],
            _ => &[],
        };
        let steps = ratios.iter().map(|ratio| Resampler::new(*ratio)).collect();
        Some(Self { from, to, steps, half: None })
    }

    /// The next piece in the other format. May be empty.
    pub(crate) fn convert(&mut self, audio: &[u8]) -> Bytes {
        let mut samples = Vec::with_capacity(audio.len());
        self.decode(audio, &mut samples);
        for step in &mut self.steps {
            let mut stepped = Vec::with_capacity(samples.len());
            step.process(&samples, &mut stepped);
            samples = stepped;
        }
        let mut encoded = Vec::with_capacity(samples.len());
        match self.to {
            AudioFormat::Mulaw8k => g711::mulaw_encode(&samples, &mut encoded),
            AudioFormat::Alaw8k => g711::alaw_encode(&samples, &mut encoded),
            AudioFormat::Pcm16k | AudioFormat::Pcm24k => {
                encoded.extend(samples.iter().flat_map(|sample| sample.to_le_bytes()));
            }
        }
        encoded.into()
    }

    fn decode(&mut self, mut audio: &[u8], samples: &mut Vec<i16>) {
        match self.from {
            AudioFormat::Mulaw8k | AudioFormat::Alaw8k => {}
            AudioFormat::Pcm16k | AudioFormat::Pcm24k => {
                if let (Some(low), [high, rest @ ..]) = (self.half, audio) {
                    samples.push(i16::from_le_bytes([low, *high]));
                    self.half = None;
                    audio = rest;
                }
                if audio.len() % 2 == 1 {
                    self.half = audio.last().copied();
                }
            }
        }
        decode(self.from, audio, samples);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use seiketsu_audio::level;
    use std::f32::consts::TAU;

    fn tone(rate_hz: u32) -> Vec<u8> {
        let sample = |at: u32| (8_000.0 * (TAU * 440.0 * at as f32 / rate_hz as f32).sin()) as i16;
        (0..rate_hz).flat_map(|at| sample(at).to_le_bytes()).collect()
    }

    fn samples(format: AudioFormat, audio: &[u8]) -> Vec<i16> {
        let mut samples = Vec::new();
        decode(format, audio, &mut samples);
        samples
    }

    #[test]
    fn a_second_of_one_format_is_a_second_of_any_other_and_as_loud() {
        use AudioFormat::{Alaw8k, Mulaw8k, Pcm16k, Pcm24k};
        assert!(Converter::between(Mulaw8k, Mulaw8k).is_none());
        for from in [Pcm24k, Pcm16k] {
            let audio = tone(from.sample_rate_hz());
            let loud = level::rms_dbfs(&samples(from, &audio));
            for to in [Mulaw8k, Alaw8k, Pcm16k, Pcm24k] {
                let Some(mut converter) = Converter::between(from, to) else { continue };
                let converted = converter.convert(&audio);
                assert_eq!(to.duration_us(converted.len()), 1_000_000, "{from:?} to {to:?}");
                let level = level::rms_dbfs(&samples(to, &converted));
                assert!((level - loud).abs() < 0.5, "{from:?} to {to:?}: {level} instead of {loud} dBFS");
            }
        }
    }

    #[test]
    fn pieces_of_any_length_sound_like_the_whole() {
        let audio = tone(24_000);
        let whole = Converter::between(AudioFormat::Pcm24k, AudioFormat::Mulaw8k).unwrap().convert(&audio);
        for length in [1, 7, 333, 4_801] {
            let mut converter = Converter::between(AudioFormat::Pcm24k, AudioFormat::Mulaw8k).unwrap();
            let pieces: Vec<u8> =
                audio.chunks(length).flat_map(|piece| converter.convert(piece).to_vec()).collect();
            assert_eq!(pieces, whole, "pieces of {length} bytes");
        }
    }
}
