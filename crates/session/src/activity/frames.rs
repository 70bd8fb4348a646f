//! From the door's audio to frames of 16 ms at 16 kHz, each with its score.

use earshot::{DefaultPredictor, Detector};
use seiketsu_audio::{g711, resample};
use seiketsu_domain::AudioFormat;

/// The detector's frame: 16 ms at 16 kHz.
pub const FRAME_SAMPLES: usize = 256;

/// Decodes, resamples, cuts and scores one stream.
pub struct Frames {
    detector: Box<Detector<DefaultPredictor>>,
    format: AudioFormat,
    /// The steps to 16 kHz: telephony needs one, 24 kHz goes by way of 8.
    to_16k: Vec<resample::Resampler>,
    decoded: Vec<i16>,
    resampled: Vec<i16>,
    pending: Vec<i16>,
}

impl std::fmt::Debug for Frames {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Frames").field("format", &self.format).finish_non_exhaustive()
    }
}

impl Frames {
    /// A stream of this format, from its beginning.
    pub fn new(format: AudioFormat) -> Self {
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
        }
    }

    /// Takes audio of any length; hands over each frame that is complete, with its score.
    pub fn push(&mut self, audio: &[u8], mut each: impl FnMut(&[i16], f32)) {
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
            each(frame, self.detector.predict_i16(frame));
        }
        self.pending.drain(..taken);
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
