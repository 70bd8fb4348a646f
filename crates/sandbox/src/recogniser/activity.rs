//! Whether anybody speaks, by energy alone: what endpointing counts its silence from.

use seiketsu_audio::level;

/// Length of the part that is judged at once, in milliseconds.
pub(super) const PART_MS: u64 = 10;

/// Samples of a part at 8 kHz.
pub(super) const PART_SAMPLES: usize = 80;

/// Nothing quieter than this is speech: 27 dB below what callers speak at.
const SILENCE_DBFS: f32 = -58.0;

/// How far speech has to stand out from the noise.
const ABOVE_FLOOR_DB: f32 = 10.0;

/// The noise floor rises by 3 dB a second, so that pauses hold it down, and never as high as speech: the sub-carrier
/// fills the gaps within words.
const FLOOR_RISE_DB: f32 = 0.03;
const FLOOR_MAX_DBFS: f32 = -54.0;
const FLOOR_MIN_DBFS: f32 = -70.0;

/// Energy against a noise floor that follows the quietest parts.
#[derive(Debug)]
pub(super) struct Activity {
    floor_dbfs: f32,
}

impl Activity {
    pub(super) fn new() -> Self {
        Self { floor_dbfs: FLOOR_MIN_DBFS }
    }

    /// Whether this part, the next of the stream, is speech.
    pub(super) fn is_voice(&mut self, part: &[i16]) -> bool {
        let level_dbfs = level::rms_dbfs(part);
        let risen = (self.floor_dbfs + FLOOR_RISE_DB).min(FLOOR_MAX_DBFS);
        self.floor_dbfs = level_dbfs.clamp(FLOOR_MIN_DBFS, risen);
        level_dbfs > SILENCE_DBFS.max(self.floor_dbfs + ABOVE_FLOOR_DB)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Noise-like, without a period that a part could resonate with.
    fn part(amplitude: f32, number: usize) -> Vec<i16> {
        (0..PART_SAMPLES)
            .map(|n| ((((number * PART_SAMPLES + n) * 7_919) % 1_000) as f32 / 500.0 - 1.0) * amplitude)
            .map(|sample| sample as i16)
            .collect()
    }

    #[test]
    fn silence_is_not_voice_and_quiet_speech_is() {
        let mut activity = Activity::new();
        assert!(!activity.is_voice(&[0; PART_SAMPLES]));
        assert!(activity.is_voice(&part(200.0, 1)), "about -49 dBFS");
    }

    #[test]
    fn steady_noise_stops_being_voice_and_speech_above_it_still_is() {
        let mut activity = Activity::new();
        let voiced = (0..1_000).filter(|&number| activity.is_voice(&part(150.0, number))).count();
        assert!(voiced < 350, "noise was speech for {voiced} parts");
        assert!(!activity.is_voice(&part(150.0, 7)));
        assert!(activity.is_voice(&part(2_000.0, 8)));
    }
}
