//! What a simulated caller says, as sound that exists before the clock starts.

use crate::noise::{Noise, NoiseKind, NoiseSource};
use async_trait::async_trait;
use seiketsu_audio::{g711, level, resample};
use std::{path::Path, sync::Arc};

/// Rate of everything on the telephone.
pub const RATE_HZ: u32 = 8_000;
/// The longest utterance: ten minutes.
pub const MAX_SAMPLES: usize = RATE_HZ as usize * 600;
/// Windows in which voice is looked for: 5 ms.
const WINDOW: usize = 40;
/// Softer than this is not voice, in any recording.
const FLOOR_DBFS: f32 = -60.0;
/// Softer than the loudest window by more than this is room noise.
const RANGE_DB: f32 = 40.0;

/// Speech synthesised or recorded: 8 kHz, the text sub-carrier (if there is one) already in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Utterance {
    /// The words, if they are known.
    pub text: Option<String>,
    /// The sound, as the line carries it.
    pub mulaw: Arc<[u8]>,
    /// Where voice begins.
    pub first_voiced_sample: usize,
    /// Where voice ends: end of speech, exactly.
    pub last_voiced_sample: usize,
}

/// Why speech could not be had.
#[derive(Debug, thiserror::Error)]
pub enum SpeechError {
    /// The voice failed.
    #[error("speech synthesis failed: {0}")]
    Synthesis(String),
    /// A WAV file that cannot be read.
    #[error("cannot read {path}")]
    Wav {
        /// The file.
        path: String,
        /// Why.
        #[source]
        source: hound::Error,
    },
    /// A sampling rate that cannot be converted.
    #[error(transparent)]
    Rate(#[from] resample::ResampleError),
    /// Longer than a caller may talk.
    #[error("an utterance is at most {} minutes", MAX_SAMPLES / RATE_HZ as usize / 60)]
    TooLong,
    /// There is no voice in it.
    #[error("there is nothing to hear in it")]
    Silent,
}

/// A voice for simulated callers. Asked before the call begins, so that it costs the measured seconds nothing.
#[async_trait]
pub trait SpeechSource: Send + Sync {
    /// Speaks a text.
    async fn speak(&self, text: &str) -> Result<Utterance, SpeechError>;
}

impl Utterance {
    /// Speech as it is, at 8 kHz. Voice is the stretch from the first to the last 5 ms above -60 dBFS and within 40 dB
    /// of the loudest.
    pub fn plain(text: Option<String>, pcm_8k: &[i16]) -> Result<Self, SpeechError> {
        Self::carrying(text, pcm_8k, pcm_8k)
    }

    /// Speech with something added to it on the line. Where voice begins and ends is read from `speech` alone, because
    /// a sub-carrier may sound on when the voice has ended.
    pub fn carrying(text: Option<String>, speech: &[i16], on_the_line: &[i16]) -> Result<Self, SpeechError> {
        if speech.len().max(on_the_line.len()) > MAX_SAMPLES {
            return Err(SpeechError::TooLong);
        }
        let levels: Vec<f32> = speech.chunks(WINDOW).map(level::rms_dbfs).collect();
        let loudest = levels.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let threshold = FLOOR_DBFS.max(loudest - RANGE_DB);
        let first = levels.iter().position(|level| *level > threshold).ok_or(SpeechError::Silent)?;
        let last = levels.iter().rposition(|level| *level > threshold).ok_or(SpeechError::Silent)?;
        let mut mulaw = Vec::with_capacity(on_the_line.len());
        g711::mulaw_encode(on_the_line, &mut mulaw);
        Ok(Self {
            text,
            first_voiced_sample: first * WINDOW,
            last_voiced_sample: ((last + 1) * WINDOW).min(speech.len()) - 1,
            mulaw: mulaw.into(),
        })
    }

    /// A cough: two short bursts of noise, without words, louder than speech.
    pub fn cough() -> Result<Self, SpeechError> {
        let mut noise = NoiseSource::new(Noise { kind: NoiseKind::Hiss, level_dbfs: -22 }, 0);
        let burst = |millis: usize| millis * RATE_HZ as usize / 1_000;
        let (first, pause, second) = (burst(90), burst(60), burst(110));
        let pcm: Vec<i16> = (0..first + pause + second)
            .map(|n| {
                // Each burst begins at its loudest and dies away.
                let (into, length) =
                    if n < first { (n, first) } else { (n.saturating_sub(first + pause), second) };
                let loudness =
                    if (first..first + pause).contains(&n) { 0.0 } else { 1.0 - into as f32 / length as f32 };
                (noise.next_sample() * loudness).clamp(-32_768.0, 32_767.0) as i16
            })
            .collect();
        Self::plain(None, &pcm)
    }

    /// Speech from a WAV file of any rate; several channels are mixed. Whatever text it carries is not known here.
    pub fn from_wav(path: &Path) -> Result<Self, SpeechError> {
        let wav = |source| SpeechError::Wav { path: path.display().to_string(), source };
        let reader = hound::WavReader::open(path).map_err(wav)?;
        let spec = reader.spec();
        let seconds = f64::from(reader.duration()) / f64::from(spec.sample_rate);
        if seconds > (MAX_SAMPLES as u32 / RATE_HZ).into() {
            return Err(SpeechError::TooLong);
        }
        let samples: Vec<i16> = match spec.sample_format {
            hound::SampleFormat::Float => reader
                .into_samples::<f32>()
                .map(|sample| sample.map(|sample| (sample.clamp(-1.0, 1.0) * 32_767.0) as i16))
                .collect::<Result<_, _>>(),
            hound::SampleFormat::Int => {
                let to_16 = |sample: i32| match spec.bits_per_sample {
                    bits @ 0..=16 => (sample << (16 - bits)) as i16,
                    bits => (sample >> (bits - 16)) as i16,
                };
                reader.into_samples::<i32>().map(|sample| sample.map(to_16)).collect()
            }
        }
        .map_err(wav)?;
        let channels = usize::from(spec.channels.max(1));
        let mono: Vec<i16> = samples
            .chunks_exact(channels)
            .map(|frame| {
                (frame.iter().map(|sample| i32::from(*sample)).sum::<i32>() / channels as i32) as i16
            })
            .collect();
        Self::plain(None, &resample::arbitrary(&mono, spec.sample_rate, RATE_HZ)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A second of silence around half a second of tone.
    fn tone() -> Vec<i16> {
        let tone = (0..4_000).map(|n| (f64::from(n) * 0.35).sin() * 3_000.0);
        let silence = std::iter::repeat_n(0.0, 4_000);
        silence.clone().chain(tone).chain(silence).map(|sample| sample as i16).collect()
    }

    #[test]
    fn voice_begins_and_ends_where_the_sound_does() {
        let utterance = Utterance::plain(Some("la".to_owned()), &tone()).unwrap();
        assert_eq!((utterance.first_voiced_sample, utterance.last_voiced_sample), (4_000, 7_999));
        assert_eq!(utterance.mulaw.len(), 12_000);
    }

    #[test]
    fn a_carrier_that_sounds_on_does_not_move_the_end_of_speech() {
        let on_the_line: Vec<i16> =
            tone().iter().enumerate().map(|(n, s)| s + if n % 2 == 0 { 150 } else { -150 }).collect();
        let utterance = Utterance::carrying(None, &tone(), &on_the_line).unwrap();
        assert_eq!(utterance.last_voiced_sample, 7_999);
        assert_ne!(utterance.mulaw, Utterance::plain(None, &tone()).unwrap().mulaw);
    }

    #[test]
    fn a_cough_is_short_loud_and_wordless() {
        let cough = Utterance::cough().unwrap();
        assert_eq!((cough.text.as_ref(), cough.mulaw.len()), (None, 260 * 8));
        let mut pcm = Vec::new();
        g711::mulaw_decode(&cough.mulaw, &mut pcm);
        assert!(level::rms_dbfs(&pcm[..400]) > -27.0, "{}", level::rms_dbfs(&pcm[..400]));
        assert!(seiketsu_audio::subcarrier::read(&pcm).text.is_empty());
    }

    #[test]
    fn silence_and_endless_talk_are_no_utterances() {
        assert!(matches!(Utterance::plain(None, &[0; 800]), Err(SpeechError::Silent)));
        assert!(matches!(Utterance::plain(None, &[]), Err(SpeechError::Silent)));
        assert!(matches!(Utterance::plain(None, &vec![0; MAX_SAMPLES + 1]), Err(SpeechError::TooLong)));
    }

    #[test]
    fn a_wav_file_is_read_mixed_and_brought_to_eight_kilohertz() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("speech.wav");
        let spec = hound::WavSpec {
            channels: 2,
            sample_rate: 8_000,
            bits_per_sample: 16,
            sample_format: hound::SampleFormat::Int,
        };
        let mut writer = hound::WavWriter::create(&path, spec).unwrap();
        for sample in tone() {
            writer.write_sample(sample).unwrap();
            writer.write_sample(sample).unwrap();
        }
        writer.finalize().unwrap();
        assert_eq!(Utterance::from_wav(&path).unwrap(), Utterance::plain(None, &tone()).unwrap());
        let missing = Utterance::from_wav(&directory.path().join("none.wav")).unwrap_err();
        assert!(missing.to_string().contains("none.wav"), "{missing}");
    }
}
