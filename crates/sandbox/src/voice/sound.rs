//! Speech in the form a vendor delivers it.

use seiketsu_audio::{
    g711,
    resample::{Ratio, Resampler},
};

/// The silence that real voices begin with (150 to 250 ms).
pub(crate) const LEAD_MS: u32 = 180;

/// How much audio is sent at once.
pub(crate) const PIECE_MS: u32 = 200;

/// Samples of a millisecond at 8 kHz.
pub(crate) const SAMPLES_PER_MS: usize = 8;

/// Forms of audio the sandbox gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputFormat {
    /// G.711 mu-law, 8 kHz.
    Ulaw8k,
    /// G.711 A-law, 8 kHz.
    Alaw8k,
    /// 16-bit little-endian, 8 kHz.
    Pcm8k,
    /// 16-bit little-endian, 16 kHz.
    Pcm16k,
    /// 16-bit little-endian, 24 kHz.
    Pcm24k,
}

impl OutputFormat {
    /// Bytes of one millisecond.
    pub const fn bytes_per_ms(self) -> usize {
        match self {
            Self::Ulaw8k | Self::Alaw8k => 8,
            Self::Pcm8k => 16,
            Self::Pcm16k => 32,
            Self::Pcm24k => 48,
        }
    }
}

/// Speech at 8 kHz as bytes of a format, behind [`LEAD_MS`] of silence.
pub(crate) fn encode(speech: &[i16], format: OutputFormat) -> Vec<u8> {
    let mut pcm = vec![0; LEAD_MS as usize * SAMPLES_PER_MS];
    pcm.extend_from_slice(speech);
    let upsampled = |ratio| {
        let mut out = Vec::new();
        Resampler::new(ratio).process(&pcm, &mut out);
        little_endian(&out)
    };
    match format {
        OutputFormat::Ulaw8k => {
            let mut out = Vec::with_capacity(pcm.len());
            g711::mulaw_encode(&pcm, &mut out);
            out
        }
        OutputFormat::Alaw8k => {
            let mut out = Vec::with_capacity(pcm.len());
            g711::alaw_encode(&pcm, &mut out);
            out
        }
        OutputFormat::Pcm8k => little_endian(&pcm),
        OutputFormat::Pcm16k => upsampled(Ratio::Up2),
        OutputFormat::Pcm24k => upsampled(Ratio::Up3),
    }
}

fn little_endian(samples: &[i16]) -> Vec<u8> {
    samples.iter().flat_map(|sample| sample.to_le_bytes()).collect()
}
