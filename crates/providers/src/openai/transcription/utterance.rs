//! The audio that waits to be transcribed: from a little before the first sound, never more than half a minute.

use crate::g711;
use bytes::{Buf, Bytes, BytesMut};
use seiketsu_domain::AudioFormat;
use std::collections::VecDeque;
use tracing::warn;

/// The longest utterance that is kept; of a longer one, its end.
const LONGEST_MS: u64 = 30_000;
/// What is kept while nobody has spoken yet: the beginning of a word is quiet.
const LEAD_MS: u64 = 500;
/// Loudness is judged in stretches of this length.
const STRETCH_MS: u64 = 20;
/// So many loud stretches make speech; a shorter sound is a click.
const MIN_LOUD_STRETCHES: usize = 3;
/// The mean square of a loud stretch: -45 dB below full scale. Speech on the telephone is around -25, the noise of a
/// quiet line below -50.
const LOUD_MEAN_SQUARE: f64 = 32_768.0 * 32_768.0 * 3.162e-5;

#[derive(Debug)]
pub(super) struct Utterance {
    format: AudioFormat,
    audio: BytesMut,
    /// Whether each whole stretch of `audio` is loud.
    stretches: VecDeque<bool>,
    loud: usize,
    /// Bytes of the stream before `audio`.
    before_bytes: u64,
    /// Words were lost because nobody asked for them in time.
    lost: bool,
}

/// An utterance on its way.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Taken {
    /// Nothing where nobody spoke.
    pub(super) audio: Option<Bytes>,
    pub(super) start_ms: u64,
    pub(super) end_ms: u64,
}

impl Utterance {
    pub(super) fn new(format: AudioFormat) -> Self {
        Self {
            format,
            audio: BytesMut::new(),
            stretches: VecDeque::new(),
            loud: 0,
            before_bytes: 0,
            lost: false,
        }
    }

    pub(super) fn push(&mut self, audio: &[u8]) {
        self.audio.extend_from_slice(audio);
        let stretch = self.stretch_bytes();
        for next in self.audio[self.stretches.len() * stretch..].chunks_exact(stretch) {
            let loud = is_loud(self.format, next);
            self.stretches.push_back(loud);
            self.loud += usize::from(loud);
        }
        self.forget();
    }

    /// Takes everything so far.
    pub(super) fn take(&mut self) -> Taken {
        let spoken = self.is_speech();
        let start_ms = self.ms(self.before_bytes);
        self.before_bytes += self.audio.len() as u64;
        let end_ms = self.ms(self.before_bytes);
        let audio = self.audio.split().freeze();
        self.stretches.clear();
        self.loud = 0;
        self.lost = false;
        Taken { audio: spoken.then_some(audio), start_ms, end_ms }
    }

    fn is_speech(&self) -> bool {
        self.loud >= MIN_LOUD_STRETCHES
    }

    /// Drops what is too old: silence before speech soon, speech only at the limit.
    fn forget(&mut self) {
        let keep_ms = if self.is_speech() { LONGEST_MS } else { LEAD_MS };
        while self.stretches.len() as u64 * STRETCH_MS > keep_ms
            && let Some(loud) = self.stretches.pop_front()
        {
            let stretch = self.stretch_bytes();
            self.audio.advance(stretch);
            self.before_bytes += stretch as u64;
            self.loud -= usize::from(loud);
            if loud && self.is_speech() && !self.lost {
                self.lost = true;
                warn!(
                    limit_ms = LONGEST_MS,
                    "an utterance is longer than what is kept of it; its beginning is lost"
                );
            }
        }
    }

    const fn stretch_bytes(&self) -> usize {
        self.format.bytes_per_ms() * STRETCH_MS as usize
    }

    const fn ms(&self, bytes: u64) -> u64 {
        bytes / self.format.bytes_per_ms() as u64
    }
}

fn is_loud(format: AudioFormat, stretch: &[u8]) -> bool {
    let samples = g711::to_pcm(format, stretch);
    let square = |pair: &[u8]| f64::from(i16::from_le_bytes([pair[0], pair[1]])).powi(2);
    let sum: f64 = samples.chunks_exact(2).map(square).sum();
    sum > LOUD_MEAN_SQUARE * (samples.len() / 2) as f64
}

#[cfg(test)]
#[path = "utterance_tests.rs"]
mod tests;
