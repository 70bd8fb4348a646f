//! Speech and its words to speech that carries its words.

use std::sync::LazyLock;

use super::activity::Activity;
use super::modem::{self, PULSE_REACH};
use super::packet::Packet;
use super::schedule;
use super::words::TimedWord;
use super::{SAMPLE_RATE_HZ, SLOT_SAMPLES, SPEECH_DBFS};
use crate::{fir, level};

/// Brings speech at 8 kHz to the sub-carrier's level, clears the top of its band and adds the words there.
///
/// The result has the timing of the input (the filter has no delay). It is longer only where the last packet reaches
/// beyond the speech, or where the words are too many for it. Without words that have a letter or digit in them,
/// no carrier is added. One call is one utterance: it begins with START and ends with END.
pub fn embed(speech: &[i16], words: &[TimedWord]) -> Vec<i16> {
    let mut signal = clear_band(speech);
    let activity = Activity::of(&signal);
    if activity.rms() > 0.0 {
        let peak = signal.iter().fold(0.0f32, |peak, sample| peak.max(sample.abs()));
        let gain = level::FULL_SCALE
            * (level::from_db(SPEECH_DBFS) / activity.rms()).min(level::from_db(PEAK_DBFS) / peak);
        for sample in &mut signal {
            *sample *= gain;
        }
    }
    for run in schedule::plan(&activity, words) {
        let bits: Vec<u64> = run.packets.iter().map(|&packet| Packet::to_bits(packet)).collect();
        let end = run.start + bits.len() * SLOT_SAMPLES + PULSE_REACH;
        if signal.len() < end {
            signal.resize(end, 0.0);
        }
        modem::modulate_run(&bits, run.start, &mut signal);
    }
    signal.into_iter().map(|sample| sample.round().clamp(-32_768.0, 32_767.0) as i16).collect()
}

/// Speech with a crest factor beyond 18.4 dB is softer than [`SPEECH_DBFS`], so that 12 dB of gain clip neither its
/// peaks nor the carrier upon them.
const PEAK_DBFS: f32 = -12.6;
/// Half the length of the speech filter: 133 taps.
const HALF: usize = 66;
const CUTOFF_HZ: f64 = 2_750.0;

static SPEECH_FILTER: LazyLock<Vec<f32>> = LazyLock::new(|| {
    let taps = fir::low_pass(HALF, CUTOFF_HZ / f64::from(SAMPLE_RATE_HZ), 55.0);
    taps.into_iter().map(|tap| tap as f32).collect()
});

fn clear_band(speech: &[i16]) -> Vec<f32> {
    let mut line = vec![0.0; speech.len() + 2 * HALF];
    for (slot, &sample) in line[HALF..].iter_mut().zip(speech) {
        *slot = f32::from(sample);
    }
    line.windows(2 * HALF + 1).map(|window| fir::dot(window, &SPEECH_FILTER)).collect()
}
