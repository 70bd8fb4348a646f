//! Audio as it comes over a socket.

use seiketsu_audio::{
    g711,
    resample::{Ratio, Resampler},
};

/// Encoding of the audio.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// G.711 mu-law.
    Mulaw,
    /// G.711 A-law.
    Alaw,
    /// Signed 16-bit little-endian.
    Linear16,
}

impl Encoding {
    /// Bytes of one sample.
    pub const fn bytes_per_sample(self) -> usize {
        match self {
            Self::Mulaw | Self::Alaw => 1,
            Self::Linear16 => 2,
        }
    }
}

/// Bytes as they come to samples at 8 kHz.
#[derive(Debug)]
pub(crate) struct Ear {
    encoding: Encoding,
    resampler: Option<Resampler>,
    /// The first half of a sample that was cut in two.
    half: Option<u8>,
    samples: Vec<i16>,
    resampled: Vec<i16>,
}

impl Ear {
    /// For bytes of this form; a rate other than 8,000, 16,000 or 24,000 is taken for 8,000.
    pub(crate) fn new(encoding: Encoding, sample_rate_hz: u32) -> Self {
        let resampler = match sample_rate_hz {
            24_000 => Some(Ratio::Down3),
            16_000 => Some(Ratio::Down2),
            _ => None,
        }
        .map(Resampler::new);
        Self { encoding, resampler, half: None, samples: Vec::new(), resampled: Vec::new() }
    }

    /// The next samples.
    pub(crate) fn hear(&mut self, audio: &[u8]) -> &[i16] {
        self.samples.clear();
        match self.encoding {
            Encoding::Mulaw => g711::mulaw_decode(audio, &mut self.samples),
            Encoding::Alaw => g711::alaw_decode(audio, &mut self.samples),
            Encoding::Linear16 => self.hear_linear(audio),
        }
        let Some(resampler) = &mut self.resampler else { return &self.samples };
        self.resampled.clear();
        resampler.process(&self.samples, &mut self.resampled);
        &self.resampled
    }

    fn hear_linear(&mut self, mut audio: &[u8]) {
        if let (Some(low), Some((&high, rest))) = (self.half, audio.split_first()) {
            self.samples.push(i16::from_le_bytes([low, high]));
            self.half = None;
            audio = rest;
        }
        let (pairs, rest) = audio.as_chunks::<2>();
        self.samples.extend(pairs.iter().map(|&pair| i16::from_le_bytes(pair)));
        if let [half] = rest {
            self.half = Some(*half);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn samples_cut_anywhere_are_heard_whole(
            samples in prop::collection::vec(any::<i16>(), 0..50),
            cuts in prop::collection::vec(1_usize..7, 0..50),
        ) {
            let bytes: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
            let mut ear = Ear::new(Encoding::Linear16, 8_000);
            let (mut heard, mut rest) = (Vec::new(), bytes.as_slice());
            for cut in cuts {
                let (head, tail) = rest.split_at(cut.min(rest.len()));
                heard.extend_from_slice(ear.hear(head));
                rest = tail;
            }
            heard.extend_from_slice(ear.hear(rest));
            prop_assert_eq!(heard, samples);
        }
    }
}
