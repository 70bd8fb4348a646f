//! Voice activity: from the door's audio to "speech began" and "speech ended", in call time.

use earshot::{DefaultPredictor, Detector};
use seiketsu_audio::{g711, level, resample};
use seiketsu_call::VoiceActivity;
use seiketsu_domain::{AudioFormat, CallTime};
use std::{collections::VecDeque, time::Duration};

/// The detector's frame: 16 ms at 16 kHz.
const FRAME_SAMPLES: usize = 256;
const FRAME_US: u64 = 16_000;
/// A frame is voiced from this score on.
const VOICED: f32 = 0.5;
/// Speech has begun when this many of the last [`ONSET_WINDOW`] frames are voiced.
const ONSET_FRAMES: u32 = 3;
const ONSET_WINDOW: u32 = 4;
/// Speech has ended when this many frames in a row are not voiced.
const RELEASE_FRAMES: u32 = 6;
/// The detector's memory calls some 80 ms after the last sound voiced still; a frame that is quieter than the loudest of
/// the stretch by this factor (35 dB) is not.
const FADED: f32 = 0.018;
/// The loudest frame is forgotten slowly (2.7 dB a second), so that a bang does not make the rest of a sentence faint.
const LOUDEST_DECAY: f32 = 0.995;
/// It also takes a while to believe in a soft first consonant: a beginning is moved back over up to so many frames that
/// are at least this loud (25 dB) in comparison.
const ONSET_REACH: usize = 4;
const ONSET_SOUND: f32 = 0.056;
const ONSET_LEVELS: usize = ONSET_WINDOW as usize + ONSET_REACH;

/// Lays positions in the caller's audio over call time.
///
/// The earliest arrival seen so far is the best estimate of when a sample was spoken; a later origin is followed slowly,
/// so that jitter does not move it but clock drift does.
#[derive(Debug, Default)]
pub(crate) struct AudioClock {
    origin_us: Option<i64>,
    received_us: u64,
}

impl AudioClock {
    /// Audio of this length has just arrived.
    pub(crate) fn received(&mut self, length_us: u64, now: CallTime) {
        self.received_us += length_us;
        let candidate = now.as_micros() as i64 - self.received_us as i64;
        let origin = self.origin_us.get_or_insert(candidate);
        *origin += if candidate < *origin { candidate - *origin } else { (candidate - *origin) / 1_000 };
    }

    /// When the sample at this position was spoken.
    pub(crate) fn at(&self, position_us: u64) -> CallTime {
        CallTime::from_micros(position_us.saturating_add_signed(self.origin_us.unwrap_or(0)))
    }

    /// Caller audio received so far.
    pub(crate) fn received_us(&self) -> u64 {
        self.received_us
    }
}

/// Turns audio into [`VoiceActivity`].
pub(crate) struct Activity {
    detector: Box<Detector<DefaultPredictor>>,
    format: AudioFormat,
    /// The steps to 16 kHz: telephony needs one, 24 kHz goes by way of 8.
    to_16k: Vec<resample::Resampler>,
    decoded: Vec<i16>,
    resampled: Vec<i16>,
    pending: Vec<i16>,
    /// Position of the first pending sample.
    position_us: u64,
    recent: u32,
    unvoiced_run: u32,
    speaking: bool,
    last_voiced_us: u64,
    loudest: f32,
    /// Levels of the frames before this one, newest first.
    levels: VecDeque<f32>,
}

impl std::fmt::Debug for Activity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Activity").field("speaking", &self.speaking).finish_non_exhaustive()
    }
}

impl Activity {
    pub(crate) fn new(format: AudioFormat) -> Self {
        let steps: &[resample::Ratio] = match format {
            AudioFormat::Mulaw8k | AudioFormat::Alaw8k => &[resample::Ratio::Up2],
            AudioFormat::Pcm16k => &[],
            AudioFormat::Pcm24k => &[resample::Ratio::Down3, resample::Ratio::Up2],
        };
        Self {
            detector: Detector::default_boxed(),
            format,
            to_16k: steps.iter().map(|ratio| resample::Resampler::new(*ratio)).collect(),
            decoded: Vec::new(),
            resampled: Vec::new(),
            pending: Vec::with_capacity(FRAME_SAMPLES * 2),
            position_us: 0,
            recent: 0,
            unvoiced_run: 0,
            speaking: false,
            last_voiced_us: 0,
            loudest: 0.0,
            levels: VecDeque::with_capacity(ONSET_LEVELS + 1),
        }
    }

    /// Takes audio of any length; calls `emit` for each change.
    pub(crate) fn push(&mut self, audio: &[u8], clock: &AudioClock, mut emit: impl FnMut(VoiceActivity)) {
        self.decoded.clear();
        decode(self.format, audio, &mut self.decoded);
        for resampler in &mut self.to_16k {
            self.resampled.clear();
            resampler.process(&self.decoded, &mut self.resampled);
            std::mem::swap(&mut self.decoded, &mut self.resampled);
        }
        self.pending.extend_from_slice(&self.decoded);
        let mut taken = 0;
        while self.pending.len() - taken >= FRAME_SAMPLES {
            let frame = &self.pending[taken..taken + FRAME_SAMPLES];
            taken += FRAME_SAMPLES;
            let level = level::rms(frame);
            let voiced = self.detector.predict_i16(frame) >= VOICED;
            self.loudest = level.max(self.loudest * LOUDEST_DECAY);
            let change = self.frame(voiced && level >= self.loudest * FADED, clock);
            self.levels.push_front(level);
            self.levels.truncate(ONSET_LEVELS);
            if let Some(change) = change {
                emit(change);
            }
        }
        self.pending.drain(..taken);
    }

    fn frame(&mut self, voiced: bool, clock: &AudioClock) -> Option<VoiceActivity> {
        let start = self.position_us;
        self.position_us += FRAME_US;
        self.recent = (self.recent << 1 | u32::from(voiced)) & ((1 << ONSET_WINDOW) - 1);
        if voiced {
            self.unvoiced_run = 0;
            self.last_voiced_us = self.position_us;
            if !self.speaking && self.recent.count_ones() >= ONSET_FRAMES {
                self.speaking = true;
                let voiced_before = self.recent.ilog2() as usize;
                let audible = |level: &&f32| **level >= self.loudest * ONSET_SOUND;
                let before =
                    self.levels.iter().skip(voiced_before).take(ONSET_REACH).take_while(audible).count();
                let first = start.saturating_sub(FRAME_US * (voiced_before + before) as u64);
                return Some(VoiceActivity::Began { at: clock.at(first) });
            }
            return None;
        }
        self.unvoiced_run += 1;
        if self.speaking && self.unvoiced_run >= RELEASE_FRAMES {
            self.speaking = false;
            return Some(VoiceActivity::Ended { at: clock.at(self.last_voiced_us) });
        }
        None
    }
}

/// Decodes a door's audio to samples at its own rate.
pub(crate) fn decode(format: AudioFormat, audio: &[u8], samples: &mut Vec<i16>) {
    match format {
        AudioFormat::Mulaw8k => g711::mulaw_decode(audio, samples),
        AudioFormat::Alaw8k => g711::alaw_decode(audio, samples),
        AudioFormat::Pcm16k | AudioFormat::Pcm24k => {
            samples.extend(audio.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])));
        }
    }
}

/// How long the detector needs to notice that speech has ended: an endpoint silence below this cannot be honoured.
pub(crate) const RELEASE: Duration = Duration::from_micros(FRAME_US * RELEASE_FRAMES as u64);

#[cfg(test)]
mod tests {
    use super::*;
    use std::{io::Cursor, process::Command};

    const FRAME: usize = 160;
    const FRAME_MS: u64 = 20;

    /// Speech of espeak-ng at 8 kHz between two pauses, and where its sound begins and ends, in milliseconds.
    fn spoken(text: &str, noise: &mut impl FnMut() -> i16) -> (Vec<i16>, u64, u64) {
        let output = Command::new("espeak-ng")
            .args(["-v", "en-us", "--stdout", text])
            .output()
            .expect("espeak-ng is installed by the project's set-up (Debian package `espeak-ng`)");
        let mut reader = hound::WavReader::new(Cursor::new(output.stdout)).expect("espeak-ng writes WAV");
        let rate_hz = reader.spec().sample_rate;
        let speech: Vec<i16> = reader.samples::<i16>().map_while(Result::ok).collect();
        let speech = resample::arbitrary(&speech, rate_hz, 8_000).expect("a usual rate");
        let louder_than = |floor| {
            let loud = move |window: &[i16]| level::peak(window) > floor;
            speech.chunks(40).enumerate().filter(move |(_, window)| loud(window)).map(|(n, _)| n as u64 * 5)
        };
        // A breathed consonant before the first syllable is no sound yet; one after the last still is.
        let first = louder_than(500).next().expect("a sound");
        let last = louder_than(150).next_back().expect("a sound") + 5;
        let pause = vec![0_i16; 8_000];
        let line = [pause.as_slice(), &speech, &pause].concat();
        let line = line.into_iter().map(|sample| sample.saturating_add(noise())).collect();
        (line, 1_000 + first, 1_000 + last)
    }

    /// Noise as of a telephone line, the same in every run.
    fn line_noise(amplitude: i16) -> impl FnMut() -> i16 {
        let mut state = 0x2545_f491_u32;
        move || {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            (state % (2 * amplitude as u32 + 1)) as i16 - amplitude
        }
    }

    /// What the detector reports of a line that arrives in real time, with the time at which it could.
    fn detected(line: &[i16]) -> Vec<(VoiceActivity, u64)> {
        let mut activity = Activity::new(AudioFormat::Mulaw8k);
        let mut clock = AudioClock::default();
        let mut changes = Vec::new();
        for (n, frame) in line.chunks(FRAME).enumerate() {
            let mut audio = Vec::new();
            g711::mulaw_encode(frame, &mut audio);
            let now_ms = (n as u64 + 1) * FRAME_MS;
            clock.received(frame.len() as u64 * 125, CallTime::from_millis(now_ms));
            activity.push(&audio, &clock, |change| changes.push((change, now_ms)));
        }
        changes
    }

    #[test]
    fn speech_begins_and_ends_within_64_ms_of_its_first_and_last_sound() {
        for text in [
            "I am looking for a house.",
            "Do you have anything in Riverside?",
            "My name is Anna.",
            "Thank you, goodbye.",
            "Five o'clock works for me.",
            "Can I see it on Saturday?",
            "No, that is too expensive.",
            "Yes please.",
        ] {
            let (line, begins, ends) = spoken(text, &mut line_noise(8));
            let changes = detected(&line);
            let Some((VoiceActivity::Began { at }, _)) = changes.first() else {
                panic!("{text}: {changes:?}")
            };
            assert!(at.as_millis().abs_diff(begins) <= 64, "{text}: begins at {begins}, {changes:?}");
            let Some((VoiceActivity::Ended { at }, known)) = changes.last() else {
                panic!("{text}: {changes:?}")
            };
            assert!(at.as_millis().abs_diff(ends) <= 64, "{text}: ends at {ends}, {changes:?}");
            let release = RELEASE.as_millis() as u64 + FRAME_MS;
            assert!(known - at.as_millis() <= release, "{text}: known {} ms late", known - at.as_millis());
        }
    }

    #[test]
    fn the_noise_of_a_line_is_no_speech() {
        for amplitude in [4, 16, 64, 200] {
            let mut noise = line_noise(amplitude);
            let line: Vec<i16> = (0..10 * 8_000).map(|_| noise()).collect();
            assert_eq!(detected(&line), [], "amplitude {amplitude}");
        }
    }

    #[test]
    fn jitter_does_not_move_the_clock_of_the_audio_and_a_vendor_cannot_overflow_it() {
        let mut clock = AudioClock::default();
        for n in 0..500_u64 {
            let jitter = (n * 37) % 60;
            clock.received(20_000, CallTime::from_millis(1_000 + (n + 1) * 20 + jitter));
        }
        let at = clock.at(5_000_000).as_millis();
        assert!((6_000..=6_030).contains(&at), "{at}");
        assert!(clock.at(u64::MAX) >= clock.at(5_000_000));
        assert_eq!(clock.received_us(), 10_000_000);
    }
}
