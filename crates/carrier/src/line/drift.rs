//! Two clocks that do not run equally fast.

use crate::{FRAME_BYTES, Frame, SILENT_FRAME};
use seiketsu_audio::g711;
use std::collections::VecDeque;

/// The widest drift that is simulated.
const MAX_PPM: i32 = 10_000;

/// Turns frames of one clock into frames of the other, by linear interpolation.
#[derive(Debug)]
pub(super) struct Drift {
    /// Samples of the caller's clock for each of the exchange's.
    step: f64,
    /// Where between the two oldest samples the next one lies.
    position: f64,
    samples: VecDeque<i16>,
    pcm: Vec<i16>,
}

impl Drift {
    /// `None` for clocks that agree.
    pub(super) fn new(ppm: i32) -> Option<Self> {
        if ppm == 0 {
            return None;
        }
        let ppm = f64::from(ppm.clamp(-MAX_PPM, MAX_PPM));
        // A fast clock has more samples to send than the exchange has time for: it sends them in more frames.
        let step = 1.0 / (1.0 + ppm / 1e6);
        Some(Self { step, position: 0.0, samples: VecDeque::new(), pcm: Vec::with_capacity(FRAME_BYTES) })
    }

    /// A frame of the caller's clock.
    pub(super) fn push(&mut self, frame: &Frame) {
        self.pcm.clear();
        g711::mulaw_decode(frame, &mut self.pcm);
        self.samples.extend(&self.pcm);
    }

    /// A frame of the exchange's, once there is enough for one.
    pub(super) fn pop(&mut self) -> Option<Frame> {
        let last = self.position + self.step * (FRAME_BYTES - 1) as f64;
        if last as usize + 1 >= self.samples.len() {
            return None;
        }
        let mut frame = SILENT_FRAME;
        for slot in &mut frame {
            let index = self.position as usize;
            let share = self.position - index as f64;
            let (before, after) = (f64::from(self.samples[index]), f64::from(self.samples[index + 1]));
            *slot = g711::mulaw_from_linear((before + (after - before) * share).round() as i16);
            self.position += self.step;
        }
        let used = self.position as usize;
        self.samples.drain(..used);
        self.position -= used as f64;
        Some(frame)
    }
}
