//! Samples to packets: sync, quality, one CRC trial per sync peak.

use super::modem::{Demodulator, STEPS, SYMBOL_SAMPLES, Turn};
use super::packet::{BITS, Packet, SYNC, SYNC_BITS};

/// Phases scatter evenly in noise, which makes the quality 0.64; a packet needs more than this.
const MIN_QUALITY: f32 = 0.72;
/// Candidates closer than a symbol are the same packet seen at other sampling instants.
const PEAK_STEPS: u64 = STEPS as u64 - 1;
/// Steps remembered: a packet's symbols, rounded up to a power of two.
const MEMORY: usize = (BITS as usize * STEPS).next_power_of_two();
const BIT_MASK: u64 = (1 << BITS) - 1;

/// A packet whose CRC was right.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Received {
    /// Sample of its first symbol in the stream.
    pub(super) start: i64,
    /// Mean alignment of its symbols with the two phases, 0.64 (noise) to 1.
    pub(super) quality: f32,
    pub(super) packet: Packet,
}

/// Finds packets in a stream.
#[derive(Debug, Clone)]
pub(super) struct Receiver {
    demodulator: Demodulator,
    search: Search,
}

impl Receiver {
    pub(super) fn new() -> Self {
        Self { demodulator: Demodulator::new(), search: Search::new() }
    }

    /// Takes the next samples; tells `each` how far the stream is understood, with the packet found there, if any.
    ///
    /// A packet comes when the stream is understood to just beyond its last symbol.
    pub(super) fn push(&mut self, samples: &[i16], mut each: impl FnMut(i64, Option<Received>)) {
        let search = &mut self.search;
        self.demodulator.push(samples, |turn| each(turn.at, search.step(turn)));
    }

    /// Forgets a packet half received.
    pub(super) fn forget(&mut self) {
        self.search = Search::new();
    }
}

#[derive(Debug, Clone)]
struct Search {
    steps: u64,
    /// The last bits at each of the sampling instants of a symbol.
    bits: [u64; STEPS],
    /// Cosine and magnitude of the last turns.
    turns: Box<[(f32, f32); MEMORY]>,
    peak: Option<Peak>,
}

#[derive(Debug, Clone, Copy)]
struct Peak {
    step: u64,
    last_symbol_at: i64,
    bits: u64,
    strength: f32,
    quality: f32,
}

impl Search {
    fn new() -> Self {
        Self { steps: 0, bits: [0; STEPS], turns: Box::new([(0.0, 0.0); MEMORY]), peak: None }
    }

    fn step(&mut self, turn: Turn) -> Option<Received> {
        self.steps += 1;
        let step = self.steps;
        self.turns[step as usize % MEMORY] = (turn.cosine, turn.magnitude);
        let bits = &mut self.bits[step as usize % STEPS];
        *bits = (*bits << 1 | u64::from(turn.cosine < 0.0)) & BIT_MASK;
        if *bits >> (BITS - SYNC_BITS) == SYNC {
            let bits = *bits;
            self.consider(step, bits, turn.at);
        }
        // The peak is over: this is the one trial.
        let over = self.peak.take_if(|peak| step - peak.step > PEAK_STEPS)?;
        let packet = Packet::from_bits(over.bits)?;
        let start = over.last_symbol_at - (BITS as usize - 1) as i64 * SYMBOL_SAMPLES as i64;
        Some(Received { start, quality: over.quality, packet })
    }

    fn consider(&mut self, step: u64, bits: u64, last_symbol_at: i64) {
        let (mut strength, mut total) = (0.0, 0.0);
        for symbol in 0..u64::from(BITS) {
            let back = symbol * STEPS as u64;
            if back >= step {
                return; // the stream is younger than a packet
            }
            let (cosine, magnitude) = self.turns[(step - back) as usize % MEMORY];
            strength += cosine.abs();
            total += magnitude;
        }
        let quality = strength / total;
        if quality > MIN_QUALITY && self.peak.is_none_or(|peak| strength > peak.strength) {
            self.peak = Some(Peak { step, last_symbol_at, bits, strength, quality });
        }
    }
}
