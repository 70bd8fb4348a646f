//! Symbols to samples and back: differential BPSK with root-raised-cosine pulses on both sides.

use std::f64::consts::PI;
use std::sync::LazyLock;

use super::packet::BITS;
use super::{CARRIER_DBFS, CARRIER_HZ, SAMPLE_RATE_HZ, SLOT_SAMPLES};
use crate::{fir, level};

/// Samples of a symbol.
pub(super) const SYMBOL_SAMPLES: usize = SLOT_SAMPLES / BITS as usize;
/// Samples from a pulse's centre to its end.
pub(super) const PULSE_REACH: usize = SPAN_SYMBOLS / 2 * SYMBOL_SAMPLES;
/// The demodulator gives one output for so many samples.
pub(super) const STRIDE: usize = 4;
/// Outputs of a symbol.
pub(super) const STEPS: usize = SYMBOL_SAMPLES / STRIDE;

const SPAN_SYMBOLS: usize = 8;
const ROLL_OFF: f64 = 0.35;
const TAPS: usize = 2 * PULSE_REACH + 1;
/// Samples of a window that the one before did not have, and one more.
const NEW: usize = STRIDE + 1;
/// Silence before the stream: the first window sees only new samples, and outputs are centred on multiples of the stride.
const LEAD: usize = TAPS - NEW;
/// What companding leaves of silence; a carrier this small could not be read anyway.
const QUIET: f32 = 8.0;
/// Input is worked on in pieces of so many samples, which bounds the work buffer.
const PIECE: usize = 320;

/// Adds one run of packets to `signal`: a reference symbol, then 40 symbols each, the first at sample `start`.
///
/// `signal` must reach from one symbol and one pulse before `start` to one pulse beyond the last symbol; pulses are
/// cut off where it does not.
pub(super) fn modulate_run(packets: &[u64], start: usize, signal: &mut [f32]) {
    // A stream of +-1 symbols under pulses of energy 1 has power 1/20 at base band, half of that on a carrier.
    let scale = level::FULL_SCALE * level::from_db(CARRIER_DBFS) * (2.0 * SYMBOL_SAMPLES as f32).sqrt();
    let mut phase = 1.0f32;
    let mut centre = start.saturating_sub(SYMBOL_SAMPLES);
    let bits = packets.iter().flat_map(|packet| (0..BITS).rev().map(move |bit| packet >> bit & 1 == 1));
    // The reference symbol is the first of the run; every bit then turns the phase or leaves it.
    for turn in std::iter::once(false).chain(bits) {
        if turn {
            phase = -phase;
        }
        let from = centre.saturating_sub(PULSE_REACH);
        let to = (centre + PULSE_REACH + 1).min(signal.len());
        for (at, sample) in signal.iter_mut().enumerate().take(to).skip(from) {
            *sample += phase * scale * PULSE[at + PULSE_REACH - centre] * CARRIER[at % CARRIER.len()];
        }
        centre += SYMBOL_SAMPLES;
    }
}

/// One output of the demodulator: how the carrier turned over the last symbol.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Turn {
    /// Sample at the centre of the symbol.
    pub(super) at: i64,
    /// Positive: the phase stayed (0); negative: it turned (1).
    pub(super) cosine: f32,
    /// Magnitude of the product that `cosine` is the real part of.
    pub(super) magnitude: f32,
}

/// Matched filter and differential detector.
///
/// The carrier makes a whole number of cycles per symbol (8), so the product of the filtered signal with itself one
/// symbol ago needs no mixing down: the filter's taps carry the carrier, and its frequency cancels in the product.
#[derive(Debug, Clone)]
pub(super) struct Demodulator {
    /// Input that the filter still reaches, then the piece in work.
    line: Vec<f32>,
    /// Position in the stream of the first sample of `line`.
    line_at: i64,
    /// Position of the last sample that was louder than silence.
    loud_at: i64,
    /// Filter output of the last symbol's steps.
    past: [(f32, f32); STEPS],
    step: usize,
}

impl Demodulator {
    pub(super) fn new() -> Self {
        let mut line = Vec::with_capacity(TAPS + PIECE);
        line.resize(LEAD, 0.0);
        Self { line, line_at: -(LEAD as i64), loud_at: i64::MIN, past: [(0.0, 0.0); STEPS], step: 0 }
    }

    /// Takes the next samples and hands every output to `each`.
    pub(super) fn push(&mut self, samples: &[i16], mut each: impl FnMut(Turn)) {
        for piece in samples.chunks(PIECE) {
            self.line.extend(piece.iter().map(|&sample| f32::from(sample)));
            let mut from = 0;
            while from + TAPS <= self.line.len() {
                each(self.step(from));
                from += STRIDE;
            }
            let kept = self.line.len() - from;
            self.line.copy_within(from.., 0);
            self.line.truncate(kept);
            self.line_at += from as i64;
        }
    }

    fn step(&mut self, from: usize) -> Turn {
        let window_at = self.line_at + from as i64;
        let window = &self.line[from..from + TAPS];
        // Only what is new in this window is looked at: silence must not depend on how the stream was cut.
        if let Some(loud) = window[TAPS - NEW..].iter().rposition(|sample| sample.abs() > QUIET) {
            self.loud_at = window_at + (TAPS - NEW + loud) as i64;
        }
        let filtered = if self.loud_at < window_at {
            (0.0, 0.0) // silence costs no filtering
        } else {
            let (cosine, sine) = &*MATCHED;
            (fir::dot(window, cosine), fir::dot(window, sine))
        };
        let before = std::mem::replace(&mut self.past[self.step], filtered);
        self.step = (self.step + 1) % STEPS;
        let (re, im) = filtered;
        let (re0, im0) = before;
        let (cosine, sine) = (re * re0 + im * im0, im * re0 - re * im0);
        Turn { at: window_at + PULSE_REACH as i64, cosine, magnitude: cosine.hypot(sine) }
    }
}

/// The carrier over its whole period: 3,200 / 8,000 = 2 / 5, so five samples.
static CARRIER: LazyLock<[f32; 5]> =
    LazyLock::new(|| std::array::from_fn(|n| carrier_phase(n as f64).cos() as f32));

/// Root-raised cosine of energy 1.
static PULSE: LazyLock<[f32; TAPS]> = LazyLock::new(|| {
    let shape: [f64; TAPS] =
        std::array::from_fn(|i| root_raised_cosine((i as f64 - PULSE_REACH as f64) / SYMBOL_SAMPLES as f64));
    let energy: f64 = shape.iter().map(|tap| tap * tap).sum();
    shape.map(|tap| (tap / energy.sqrt()) as f32)
});

/// The pulse on the carrier and on the carrier a quarter turned: the matched filter of either.
static MATCHED: LazyLock<([f32; TAPS], [f32; TAPS])> = LazyLock::new(|| {
    let on = |turn: fn(f64) -> f64| std::array::from_fn(|i| PULSE[i] * turn(carrier_phase(i as f64)) as f32);
    (on(f64::cos), on(f64::sin))
});

fn carrier_phase(samples: f64) -> f64 {
    2.0 * PI * f64::from(CARRIER_HZ) / f64::from(SAMPLE_RATE_HZ) * samples
}

/// Root-raised cosine at `t` symbols from its centre (Proakis, section 9.2).
fn root_raised_cosine(t: f64) -> f64 {
    let b = ROLL_OFF;
    if t.abs() < 1e-9 {
        1.0 - b + 4.0 * b / PI
    } else if (4.0 * b * t.abs() - 1.0).abs() < 1e-9 {
        let corner = PI / (4.0 * b);
        b / 2.0f64.sqrt() * ((1.0 + 2.0 / PI) * corner.sin() + (1.0 - 2.0 / PI) * corner.cos())
    } else {
        ((PI * t * (1.0 - b)).sin() + 4.0 * b * t * (PI * t * (1.0 + b)).cos())
            / (PI * t * (1.0 - (4.0 * b * t).powi(2)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run_of(packets: &[u64]) -> Vec<i16> {
        let mut signal = vec![0.0; 1_600 + packets.len() * SLOT_SAMPLES];
        modulate_run(packets, 400, &mut signal);
        signal.iter().map(|sample| sample.round() as i16).collect()
    }

    #[test]
    fn the_carrier_has_the_level_it_is_said_to_have() {
        let pcm = run_of(&[0x96_5A3C_5A69, 0x3C_A596_C35A, 0x5A_6999_A5C3]);
        let level = level::rms_dbfs(&pcm[400..400 + 3 * SLOT_SAMPLES]);
        assert!((level - CARRIER_DBFS).abs() < 0.5, "{level}");
    }

    #[test]
    fn symbols_come_back_at_their_centres() {
        let packet = 0xE5_5A3C_9A71;
        let pcm = run_of(&[packet]);
        let mut turns = Vec::new();
        Demodulator::new().push(&pcm, |turn| turns.push(turn));
        for (symbol, bit) in (0..BITS).rev().enumerate() {
            let at = (400 + symbol * SYMBOL_SAMPLES) as i64;
            let turn = turns.iter().find(|turn| turn.at == at).unwrap();
            assert_eq!(turn.cosine < 0.0, packet >> bit & 1 == 1, "symbol {symbol}");
            assert!(turn.cosine.abs() > 0.99 * turn.magnitude);
        }
    }

    #[test]
    fn pieces_of_any_size_give_the_same_turns() {
        let pcm = run_of(&[0xE5_5A3C_9A71, 0xE5_123C_9A71]);
        let turns = |sizes: &[usize]| {
            let (mut turns, mut demodulator, mut rest) = (Vec::new(), Demodulator::new(), &pcm[..]);
            for size in sizes.iter().cycle() {
                let (piece, tail) = rest.split_at((*size).min(rest.len()));
                demodulator.push(piece, |turn| turns.push(turn));
                rest = tail;
                if rest.is_empty() {
                    return turns;
                }
            }
            turns
        };
        let whole = turns(&[pcm.len()]);
        assert_eq!(turns(&[160]), whole);
        assert_eq!(turns(&[1, 3, 7, 500, 2]), whole);
    }

    #[test]
    fn the_energy_of_the_pulse_is_in_its_band() {
        // About 2,930 to 3,470 Hz: half of 400 baud, and 35 % more, to each side, is 270 Hz.
        let (cosine, _) = &*MATCHED;
        let power = |hz: f64| {
            let (mut re, mut im) = (0.0, 0.0);
            for (i, &tap) in cosine.iter().enumerate() {
                let phase = 2.0 * PI * hz / 8_000.0 * i as f64;
                re += f64::from(tap) * phase.cos();
                im += f64::from(tap) * phase.sin();
            }
            re * re + im * im
        };
        let inside: f64 = (293..=347).map(|hz| power(f64::from(hz) * 10.0)).sum();
        let all: f64 = (0..=400).map(|hz| power(f64::from(hz) * 10.0)).sum();
        assert!(inside / all > 0.998, "{}", inside / all);
    }
}
