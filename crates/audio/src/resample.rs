//! Changing the sample rate.
//!
//! Telephony needs four ratios, all integer: the telephone's 8 kHz, 16 kHz for voice activity, 24 kHz for the API
//! door. [`Resampler`] does them as polyphase FIR filters with state, so that frames join without a seam.
//! [`arbitrary`] does any ratio for a whole recording (a synthesiser's 22.05 kHz).
//!
//! The filters are Kaiser-windowed sincs of 12 samples of the slower rate to each side: pass-band to 3.4 kHz of 8,
//! 47 dB of rejection from 4.6 kHz, a delay of 1.5 ms ([`Resampler::DELAY_SAMPLES`]). Taps are 16-bit integers and
//! sums are 32-bit, which compilers turn into multiply-add instructions, and which makes the result exact and the
//! same on every machine.

use std::sync::LazyLock;

use thiserror::Error;

use crate::fir;

/// The ratios that telephony needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ratio {
    /// Twice the rate: 8 to 16 kHz.
    Up2,
    /// Three times the rate: 8 to 24 kHz.
    Up3,
    /// Half the rate: 16 to 8 kHz.
    Down2,
    /// A third of the rate: 24 to 8 kHz.
    Down3,
}

impl Ratio {
    /// All ratios.
    pub const ALL: [Self; 4] = [Self::Up2, Self::Up3, Self::Down2, Self::Down3];

    /// The ratio that leads from one rate to the other, if it is one of the four.
    pub fn between(from_hz: u32, to_hz: u32) -> Result<Self, ResampleError> {
        let is = |slow: u32, fast: u32, factor: u32| slow != 0 && slow.checked_mul(factor) == Some(fast);
        match () {
            () if is(from_hz, to_hz, 2) => Ok(Self::Up2),
            () if is(from_hz, to_hz, 3) => Ok(Self::Up3),
            () if is(to_hz, from_hz, 2) => Ok(Self::Down2),
            () if is(to_hz, from_hz, 3) => Ok(Self::Down3),
            () => Err(ResampleError::Ratio { from_hz, to_hz }),
        }
    }

    const fn factor(self) -> usize {
        match self {
            Self::Up2 | Self::Down2 => 2,
            Self::Up3 | Self::Down3 => 3,
        }
    }
}

/// Why audio cannot be brought to another rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ResampleError {
    /// No streaming filter for this pair of rates.
    #[error("no streaming resampler from {from_hz} Hz to {to_hz} Hz")]
    Ratio {
        /// Rate of the input.
        from_hz: u32,
        /// Rate wanted.
        to_hz: u32,
    },
    /// A rate that no sound card and no telephone has.
    #[error("sample rate {rate_hz} Hz is outside {MIN_RATE_HZ} to {MAX_RATE_HZ} Hz")]
    Rate {
        /// The rate in question.
        rate_hz: u32,
    },
}

/// Slowest rate that [`arbitrary`] takes.
pub const MIN_RATE_HZ: u32 = 2_000;
/// Fastest rate that [`arbitrary`] takes.
pub const MAX_RATE_HZ: u32 = 192_000;

/// Samples of the slower rate to each side of a filter's centre.
const REACH: usize = 12;
/// Taps of one phase of an upsampling filter: 25 that count, the oldest seven are zero to fill vector registers.
const PHASE_TAPS: usize = (2 * REACH + 1).next_multiple_of(16);
/// The tap of a phase that meets the sample at the filter's centre.
const PHASE_CENTRE: usize = PHASE_TAPS - 1 - REACH;
/// Input is worked on in pieces of so many samples, which bounds the work buffer.
const PIECE: usize = 480;
const ATTENUATION_DB: f64 = 50.0;

/// A polyphase filter with its state; one per stream and direction.
#[derive(Debug, Clone)]
pub struct Resampler {
    ratio: Ratio,
    /// Past input that the filter still reaches, then the piece in work.
    line: Vec<i16>,
    /// Downsampling: input samples to skip before the next output.
    skip: usize,
}

impl Resampler {
    /// Delay of the output behind the input, in samples of the slower rate.
    pub const DELAY_SAMPLES: usize = REACH;

    /// A filter at rest.
    pub fn new(ratio: Ratio) -> Self {
        let history = match ratio {
            Ratio::Up2 | Ratio::Up3 => PHASE_TAPS - 1,
            Ratio::Down2 | Ratio::Down3 => down_taps(ratio).len() - 1,
        };
        let mut line = Vec::with_capacity(history + PIECE);
        line.resize(history, 0);
        Self { ratio, line, skip: 0 }
    }

    /// The ratio it was made for.
    pub fn ratio(&self) -> Ratio {
        self.ratio
    }

    /// Takes the next samples of the stream, any number of them, and appends the output they complete.
    pub fn process(&mut self, input: &[i16], out: &mut Vec<i16>) {
        let factor = self.ratio.factor();
        let history = self.line.len();
        for piece in input.chunks(PIECE) {
            self.line.extend_from_slice(piece);
            match self.ratio {
                Ratio::Up2 | Ratio::Up3 => upsample(&self.line, up_phases(self.ratio), out),
                Ratio::Down2 | Ratio::Down3 => {
                    let taps = down_taps(self.ratio);
                    let mut at = self.skip;
                    while at < piece.len() {
                        out.push(narrow(dot(&self.line[at..at + taps.len()], taps), DOWN_SHIFT));
                        at += factor;
                    }
                    self.skip = at - piece.len();
                }
            }
            let used = self.line.len() - history;
            self.line.copy_within(used.., 0);
            self.line.truncate(history);
        }
    }
}

/// Resamples a whole recording between any two rates, without delay: output sample `n` lies at input time
/// `n * from / to`.
///
/// A Kaiser-windowed sinc of 24 zero crossings to each side, 60 dB. Where the ratio in lowest terms has more than
/// 1,024 phases, time is rounded to 1/1,024 of an input sample.
pub fn arbitrary(input: &[i16], from_hz: u32, to_hz: u32) -> Result<Vec<i16>, ResampleError> {
    const CROSSINGS: f64 = 24.0;
    const MAX_PHASES: u64 = 1_024;
    for rate_hz in [from_hz, to_hz] {
        if !(MIN_RATE_HZ..=MAX_RATE_HZ).contains(&rate_hz) {
            return Err(ResampleError::Rate { rate_hz });
        }
    }
    if from_hz == to_hz {
        return Ok(input.to_vec());
    }
    let (from, to) = (u64::from(from_hz), u64::from(to_hz));
    let phases = (to / gcd(from, to)).min(MAX_PHASES);
    // The slower side's Nyquist frequency, less half of the transition band, in cycles per input sample.
    let cutoff = 0.5 * (to as f64 / from as f64).min(1.0) * 0.94;
    let half = (CROSSINGS / (2.0 * cutoff)).ceil();
    let width = 2 * half as usize + 1;
    let beta = fir::kaiser_beta(60.0);
    let mut bank = vec![0.0f32; width * phases as usize];
    for (phase, taps) in bank.chunks_exact_mut(width).enumerate() {
        let fraction = phase as f64 / phases as f64;
        let mut sum = 0.0;
        for (i, tap) in taps.iter_mut().enumerate() {
            let t = i as f64 - half - fraction;
            let value = fir::sinc(2.0 * cutoff * t) * fir::kaiser(t / (half + 1.0), beta);
            *tap = value as f32;
            sum += value;
        }
        for tap in taps {
            *tap = (f64::from(*tap) / sum) as f32;
        }
    }
    let mut line = vec![0.0f32; half as usize];
    line.extend(input.iter().map(|&sample| f32::from(sample)));
    line.resize(line.len() + half as usize + 1, 0.0);
    let length = (input.len() as u64 * to).div_ceil(from);
    Ok((0..length)
        .map(|n| {
            let position = n * from;
            let (whole, fraction) = (position / to, position % to);
            let start = whole as usize;
            let phase = (fraction * phases / to) as usize;
            let taps = &bank[phase * width..(phase + 1) * width];
            fir::dot(&line[start..start + width], taps).round().clamp(-32_768.0, 32_767.0) as i16
        })
        .collect())
}

/// Bits after the point in upsampling taps: the sum of a phase is 1.0 and no sum of products leaves 32 bits.
const UP_SHIFT: u32 = 14;
/// Bits after the point in downsampling taps: their largest is below 0.51.
const DOWN_SHIFT: u32 = 15;

type Phase = [i16; PHASE_TAPS];

fn upsample(line: &[i16], phases: &[Phase], out: &mut Vec<i16>) {
    let windows = line.array_windows::<PHASE_TAPS>();
    let begun = out.len();
    out.resize(begun + windows.len() * phases.len(), 0);
    for (window, samples) in windows.zip(out[begun..].chunks_exact_mut(phases.len())) {
        // The first phase is the input itself: its sinc is zero at every other input sample.
        samples[0] = window[PHASE_CENTRE];
        for (sample, phase) in samples.iter_mut().zip(phases).skip(1) {
            *sample = narrow(dot(window, phase), UP_SHIFT);
        }
    }
}

fn dot(samples: &[i16], taps: &[i16]) -> i32 {
    samples.iter().zip(taps).map(|(&sample, &tap)| i32::from(sample) * i32::from(tap)).sum()
}

fn narrow(sum: i32, shift: u32) -> i16 {
    let half = 1 << (shift - 1);
    (sum.saturating_add(half) >> shift).clamp(i32::from(i16::MIN), i32::from(i16::MAX)) as i16
}

fn up_phases(ratio: Ratio) -> &'static [Phase] {
    static UP2: LazyLock<Vec<Phase>> = LazyLock::new(|| split_into_phases(2));
    static UP3: LazyLock<Vec<Phase>> = LazyLock::new(|| split_into_phases(3));
    if ratio.factor() == 2 { &UP2 } else { &UP3 }
}

fn down_taps(ratio: Ratio) -> &'static [i16] {
    static DOWN2: LazyLock<Vec<i16>> = LazyLock::new(|| quantise(&prototype(2), DOWN_SHIFT));
    static DOWN3: LazyLock<Vec<i16>> = LazyLock::new(|| quantise(&prototype(3), DOWN_SHIFT));
    if ratio.factor() == 2 { &DOWN2 } else { &DOWN3 }
}

/// The low-pass at the faster rate, cut off at the slower rate's Nyquist frequency, gain 1 at DC.
fn prototype(factor: usize) -> Vec<f64> {
    fir::low_pass(REACH * factor, 0.5 / factor as f64, ATTENUATION_DB)
}

/// Phase `p` makes output `factor * n + p`; its taps meet the samples oldest first.
fn split_into_phases(factor: usize) -> Vec<Phase> {
    let taps = prototype(factor);
    (0..factor)
        .map(|phase| {
            let mut row = [0.0; PHASE_TAPS];
            for (i, slot) in row.iter_mut().rev().enumerate() {
                *slot = taps.get(i * factor + phase).copied().unwrap_or(0.0);
            }
            let sum: f64 = row.iter().sum();
            let mut exact = [0; PHASE_TAPS];
            let quantised = quantise(&row.map(|tap| tap / sum), UP_SHIFT);
            exact.copy_from_slice(&quantised);
            exact
        })
        .collect()
}

/// Rounds taps so that they still sum to exactly 1: the rest of the rounding goes to the largest.
fn quantise(taps: &[f64], shift: u32) -> Vec<i16> {
    let one = f64::from(1u32 << shift);
    let mut rounded: Vec<i16> = taps.iter().map(|tap| (tap * one).round().min(32_767.0) as i16).collect();
    let error = (1i32 << shift) - rounded.iter().map(|&tap| i32::from(tap)).sum::<i32>();
    if let Some(largest) = rounded.iter_mut().max() {
        *largest = largest.saturating_add(error as i16);
    }
    rounded
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_sum_of_products_can_leave_32_bits() {
        for ratio in Ratio::ALL {
            let rows: Vec<Vec<i16>> = match ratio {
                Ratio::Up2 | Ratio::Up3 => up_phases(ratio).iter().map(|row| row.to_vec()).collect(),
                Ratio::Down2 | Ratio::Down3 => vec![down_taps(ratio).to_vec()],
            };
            for row in rows {
                let magnitude: i64 = row.iter().map(|&tap| i64::from(tap).abs() * 32_768).sum();
                assert!(magnitude < i64::from(i32::MAX) - 32_768, "{ratio:?}: {magnitude}");
            }
        }
    }

    #[test]
    fn the_first_phase_of_upsampling_is_the_input_itself() {
        for ratio in [Ratio::Up2, Ratio::Up3] {
            let mut taps = [0; PHASE_TAPS];
            taps[PHASE_CENTRE] = 1 << UP_SHIFT;
            assert_eq!(up_phases(ratio)[0], taps, "{ratio:?}");
            assert!(
                [i16::MIN, -1, 0, 1, 12_345, i16::MAX]
                    .iter()
                    .all(|&sample| narrow(i32::from(sample) << UP_SHIFT, UP_SHIFT) == sample)
            );
        }
    }

    #[test]
    fn every_filter_passes_a_constant_unchanged() {
        for ratio in Ratio::ALL {
            let mut out = Vec::new();
            Resampler::new(ratio).process(&[12_345; 400], &mut out);
            let settled = &out[out.len() / 2..];
            assert!(settled.iter().all(|&sample| sample == 12_345), "{ratio:?}");
        }
    }

    #[test]
    fn full_scale_is_clamped_not_wrapped() {
        for ratio in Ratio::ALL {
            let square: Vec<i16> =
                (0..4_000).map(|n| if n / 20 % 2 == 0 { i16::MAX } else { i16::MIN }).collect();
            let mut out = Vec::new();
            Resampler::new(ratio).process(&square, &mut out);
            // A wrapped sample would sit at the far end between two neighbours that are at the near end.
            assert!(out.windows(3).all(|w| {
                let far = |a: i16, b: i16| i32::from(a).abs_diff(i32::from(b)) > 60_000;
                !(far(w[0], w[1]) && far(w[1], w[2]))
            }));
        }
    }

    #[test]
    fn an_impulse_comes_out_after_the_stated_delay() {
        for ratio in Ratio::ALL {
            let mut impulse = vec![0i16; 600];
            impulse[120] = 20_000;
            let mut out = Vec::new();
            Resampler::new(ratio).process(&impulse, &mut out);
            let loudest = (0..out.len()).max_by_key(|&i| out[i].unsigned_abs()).unwrap();
            let expected = match ratio {
                Ratio::Up2 | Ratio::Up3 => (120 + Resampler::DELAY_SAMPLES) * ratio.factor(),
                Ratio::Down2 | Ratio::Down3 => 120 / ratio.factor() + Resampler::DELAY_SAMPLES,
            };
            assert_eq!(loudest, expected, "{ratio:?}");
        }
    }

    #[test]
    fn ratios_are_found_from_rates() {
        assert_eq!(Ratio::between(8_000, 16_000), Ok(Ratio::Up2));
        assert_eq!(Ratio::between(8_000, 24_000), Ok(Ratio::Up3));
        assert_eq!(Ratio::between(16_000, 8_000), Ok(Ratio::Down2));
        assert_eq!(Ratio::between(24_000, 8_000), Ok(Ratio::Down3));
        let error = ResampleError::Ratio { from_hz: 22_050, to_hz: 8_000 };
        assert_eq!(Ratio::between(22_050, 8_000), Err(error));
        assert_eq!(error.to_string(), "no streaming resampler from 22050 Hz to 8000 Hz");
        assert!(Ratio::between(0, 0).is_err() && Ratio::between(u32::MAX, 2).is_err());
    }

    #[test]
    fn odd_ratios_keep_time_and_level() {
        let sine = |rate: f64, len: usize| -> Vec<i16> {
            (0..len)
                .map(|n| ((n as f64 / rate * 1_000.0 * std::f64::consts::TAU).sin() * 10_000.0) as i16)
                .collect()
        };
        let out = arbitrary(&sine(22_050.0, 22_050), 22_050, 8_000).unwrap();
        let expected = sine(8_000.0, 8_000);
        assert_eq!(out.len(), expected.len());
        for n in 100..7_900 {
            assert!(out[n].abs_diff(expected[n]) < 20, "sample {n}: {} against {}", out[n], expected[n]);
        }
    }

    #[test]
    fn odd_ratios_refuse_rates_beyond_sense() {
        assert_eq!(arbitrary(&[0; 9], 0, 8_000), Err(ResampleError::Rate { rate_hz: 0 }));
        assert_eq!(arbitrary(&[0; 9], 8_000, u32::MAX), Err(ResampleError::Rate { rate_hz: u32::MAX }));
        assert_eq!(arbitrary(&[], 44_100, 8_000), Ok(vec![]));
        assert_eq!(arbitrary(&[1, 2], 8_000, 8_000), Ok(vec![1, 2]));
        assert_eq!(arbitrary(&[5; 1_000], 44_101, 8_009).map(|out| out.len()), Ok(182));
    }
}
