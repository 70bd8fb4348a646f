//! The forms in which audio travels.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Encoding and rate of a mono audio stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AudioFormat {
    /// G.711 mu-law, 8 kHz: the telephone's own.
    Mulaw8k,
    /// G.711 A-law, 8 kHz.
    Alaw8k,
    /// Signed 16-bit little-endian samples, 16 kHz.
    Pcm16k,
    /// Signed 16-bit little-endian samples, 24 kHz.
    Pcm24k,
}

impl AudioFormat {
    /// Bytes of one millisecond.
    pub const fn bytes_per_ms(self) -> usize {
        match self {
            Self::Mulaw8k | Self::Alaw8k => 8,
            Self::Pcm16k => 32,
            Self::Pcm24k => 48,
        }
    }

    /// Samples per second.
    pub const fn sample_rate_hz(self) -> u32 {
        match self {
            Self::Mulaw8k | Self::Alaw8k => 8_000,
            Self::Pcm16k => 16_000,
            Self::Pcm24k => 24_000,
        }
    }

    /// Bytes of so many microseconds, whole samples.
    pub const fn bytes_in_us(self, us: u64) -> usize {
        let per_sample = self.bytes_per_ms() * 1_000 / self.sample_rate_hz() as usize;
        (us * self.sample_rate_hz() as u64 / 1_000_000) as usize * per_sample
    }

    /// How long so many bytes play, in microseconds.
    pub const fn duration_us(self, bytes: usize) -> u64 {
        bytes as u64 * 1_000 / self.bytes_per_ms() as u64
    }
}
