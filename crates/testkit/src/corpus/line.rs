//! What a telephone line does to sound: codecs, losses, levels, clocks.

use super::sounds::samples_of_ms;
use rand::{RngExt, rngs::StdRng};
use seiketsu_audio::{
    g711::{self, MULAW_SILENCE},
    resample::{Ratio, Resampler},
};
use seiketsu_domain::AudioFormat;
use std::ops::Range;

/// Samples of a telephone frame: 20 ms.
pub(super) const FRAME: usize = 160;
const FRAME_US: u64 = 20_000;

/// The way from the caller's mouth to the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Line {
    /// mu-law, nothing else.
    Direct,
    /// Five in a hundred frames lost, in runs, and filled with digital silence.
    Lost,
    /// The same losses, filled with what came before, fading.
    Concealed,
    /// mu-law decoded and brought to 16 kHz.
    Wideband,
    /// 15 dB softer than usual.
    Low,
    /// 15 dB louder than usual, beyond what the codec can hold.
    Clipped,
    /// The first 60 ms of the caller's speech are missing.
    ClippedStart,
    /// Frames come late and in bursts.
    Bursts,
    /// The caller's clock is 200 ppm fast.
    Fast,
    /// The caller's clock is 200 ppm slow.
    Slow,
    /// Pauses are not sent: the far end puts comfort noise of its own level in their place.
    ComfortNoise,
    /// Pauses are not sent: they arrive as digital silence.
    DigitalSilence,
}

impl Line {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Direct,
        Self::Lost,
        Self::Concealed,
        Self::Wideband,
        Self::Low,
        Self::Clipped,
        Self::ClippedStart,
        Self::Bursts,
        Self::Fast,
        Self::Slow,
        Self::ComfortNoise,
        Self::DigitalSilence,
    ];

    /// The gain of this line.
    pub(super) fn gain_db(self) -> f32 {
        match self {
            Self::Low => -15.0,
            Self::Clipped => 15.0,
            Self::Direct
            | Self::Lost
            | Self::Concealed
            | Self::Wideband
            | Self::ClippedStart
            | Self::Bursts
            | Self::Fast
            | Self::Slow
            | Self::ComfortNoise
            | Self::DigitalSilence => 0.0,
        }
    }
}

impl Line {
    /// How fast the caller's clock runs against the server's.
    pub(super) fn clock_ppm(self) -> i32 {
        match self {
            Self::Fast => 200,
            Self::Slow => -200,
            Self::Direct
            | Self::Lost
            | Self::Concealed
            | Self::Wideband
            | Self::Low
            | Self::Clipped
            | Self::ClippedStart
            | Self::Bursts
            | Self::ComfortNoise
            | Self::DigitalSilence => 0,
        }
    }
}

/// Audio as it arrives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrival {
    /// When, in microseconds since the line was opened.
    pub at_us: u64,
    /// The sound.
    pub audio: Vec<u8>,
}

/// Sends 8 kHz samples over the line; returns what arrives and in which format. `voiced` says where the caller sounds.
pub(super) fn send(
    line: Line,
    mut samples: Vec<i16>,
    voiced: &[Range<usize>],
    rng: &mut StdRng,
) -> (AudioFormat, Vec<Arrival>) {
    if let (Line::ClippedStart, Some(first)) = (line, voiced.first()) {
        let end = (first.start + samples_of_ms(60)).min(samples.len());
        samples[first.start..end].fill(0);
    }
    if matches!(line, Line::ComfortNoise | Line::DigitalSilence) {
        suppress_pauses(line, &mut samples, voiced, rng);
    }
    let mut codes = Vec::with_capacity(samples.len());
    g711::mulaw_encode(&samples, &mut codes);
    if matches!(line, Line::Lost | Line::Concealed) {
        lose(line, &mut codes, rng);
    }
    let (format, bytes, frame) = if line == Line::Wideband {
        let (mut decoded, mut wide) = (Vec::new(), Vec::new());
        g711::mulaw_decode(&codes, &mut decoded);
        Resampler::new(Ratio::Up2).process(&decoded, &mut wide);
        (AudioFormat::Pcm16k, wide.iter().flat_map(|sample| sample.to_le_bytes()).collect(), FRAME * 4)
    } else {
        (AudioFormat::Mulaw8k, codes, FRAME)
    };
    // 50 ppm of 20 ms are one microsecond.
    let frame_us = FRAME_US.saturating_add_signed(-i64::from(line.clock_ppm() / 50));
    let mut held_back = 0;
    let mut latest = 0;
    let arrivals = bytes.chunks(frame).enumerate().map(|(n, audio)| {
        let mut at_us = (n as u64 + 1) * frame_us;
        if line == Line::Bursts {
            if held_back == 0 && rng.random_range(0..25) == 0 {
                held_back = rng.random_range(2..=8);
            }
            if held_back > 0 {
                held_back -= 1;
                at_us += held_back * FRAME_US;
            }
            at_us = at_us.max(latest);
            latest = at_us;
        }
        Arrival { at_us, audio: audio.to_vec() }
    });
    (format, arrivals.collect())
}

/// Pauses are replaced from 200 ms after the caller's last sound on.
fn suppress_pauses(line: Line, samples: &mut [i16], voiced: &[Range<usize>], rng: &mut StdRng) {
    let hang_over = samples_of_ms(200);
    // Comfort noise is generated from a rough description and often does not meet the level of the real noise.
    let amplitude = if line == Line::ComfortNoise { rng.random_range(4..60_i16) } else { 0 };
    let mut at = 0;
    let ends = voiced.iter().map(|range| (range.start, range.end + hang_over));
    for (start, end) in ends.chain([(samples.len(), samples.len())]) {
        if at < start {
            let pause = samples.get_mut(at..start).unwrap_or_default();
            pause.fill_with(|| if amplitude == 0 { 0 } else { rng.random_range(-amplitude..=amplitude) });
        }
        at = at.max(end);
    }
}

/// Loses one frame in twenty, in runs of one to four.
fn lose(line: Line, codes: &mut [u8], rng: &mut StdRng) {
    let mut run = 0;
    let mut before = [MULAW_SILENCE; FRAME];
    let mut gain = 1.0_f32;
    for frame in codes.chunks_exact_mut(FRAME) {
        if run == 0 && rng.random_range(0..50) == 0 {
            run = rng.random_range(1..=4);
            gain = 1.0;
        }
        if run == 0 {
            before.copy_from_slice(frame);
            continue;
        }
        run -= 1;
        if line == Line::Concealed {
            for (code, old) in frame.iter_mut().zip(before) {
                *code = g711::mulaw_from_linear((f32::from(g711::mulaw_to_linear(old)) * gain) as i16);
            }
            gain *= 0.5;
        } else {
            frame.fill(MULAW_SILENCE);
        }
    }
}
