//! Voice activity: from the door's audio to "speech began" and "speech ended", in call time.

use earshot::{DefaultPredictor, Detector};
use seiketsu_audio::{g711, resample};
use seiketsu_call::VoiceActivity;
use seiketsu_domain::{AudioFormat, CallTime};
use std::time::Duration;

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
        CallTime::from_micros((self.origin_us.unwrap_or(0) + position_us as i64).max(0) as u64)
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
            let voiced = self.detector.predict_i16(frame) >= VOICED;
            if let Some(change) = self.frame(voiced, clock) {
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
                let first = start.saturating_sub(FRAME_US * u64::from(self.recent.ilog2()));
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
