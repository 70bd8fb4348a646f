//! What a caller hears while somebody is rung.

use crate::{FRAME_BYTES, Frame, SILENT_FRAME};
use seiketsu_audio::g711;
use std::{f64::consts::TAU, time::Duration};

/// North American ringing tone: 440 and 480 Hz together, two seconds of every six (ITU-T E.180, supplement 2).
const TONES_HZ: [f64; 2] = [440.0, 480.0];
const ON_MS: u128 = 2_000;
const PERIOD_MS: u128 = 6_000;
/// Amplitude of each tone: about -19 dBFS together.
const AMPLITUDE: f64 = 2_600.0;

/// The frame so long after ringing began.
pub(crate) fn ringing(since: Duration) -> Frame {
    let mut frame = SILENT_FRAME;
    if since.as_millis() % PERIOD_MS >= ON_MS {
        return frame;
    }
    for (index, slot) in frame.iter_mut().enumerate().take(FRAME_BYTES) {
        let time = since.as_secs_f64() + index as f64 / 8_000.0;
        let sample: f64 = TONES_HZ.iter().map(|hz| (time * hz * TAU).sin() * AMPLITUDE).sum();
        *slot = g711::mulaw_from_linear(sample as i16);
    }
    frame
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_rings_for_two_seconds_and_pauses_for_four() {
        let sounds = |millis| ringing(Duration::from_millis(millis)) != SILENT_FRAME;
        assert!(sounds(0) && sounds(1_980) && sounds(6_000));
        assert!(!sounds(2_000) && !sounds(5_980));
    }
}
