//! Voices begin with silence; callers need not hear it.

use crate::activity::decode;
use bytes::Bytes;
use seiketsu_audio::level;
use seiketsu_call::AlignedChar;
use seiketsu_domain::AudioFormat;

/// Quieter than this is silence.
const SILENCE_DBFS: f32 = -50.0;
/// So much of the silence stays, so that a first consonant keeps its onset.
const KEEP_MS: usize = 10;

/// Drops the silence before the first sound of one synthesis.
#[derive(Debug)]
pub(crate) struct Trimmer {
    format: AudioFormat,
    sounding: bool,
    trimmed_bytes: usize,
}

impl Trimmer {
    pub(crate) fn new(format: AudioFormat) -> Self {
        Self { format, sounding: false, trimmed_bytes: 0 }
    }

    /// The part of this audio that is to be heard; empty while there is only silence.
    pub(crate) fn audio(&mut self, mut audio: Bytes) -> Bytes {
        if self.sounding || audio.is_empty() {
            return audio;
        }
        let mut samples = Vec::with_capacity(audio.len());
        decode(self.format, &audio, &mut samples);
        let rate = self.format.sample_rate_hz();
        let silent = level::leading_silence(&samples, rate, SILENCE_DBFS);
        self.sounding = silent < samples.len();
        let bytes_per_sample = self.format.bytes_per_ms() * 1_000 / rate as usize;
        let keep = if self.sounding { KEEP_MS * rate as usize / 1_000 } else { 0 };
        let drop = silent.saturating_sub(keep) * bytes_per_sample;
        self.trimmed_bytes += drop;
        audio.split_off(drop)
    }

    /// How much was dropped, in milliseconds.
    fn trimmed_ms(&self) -> u32 {
        (self.trimmed_bytes / self.format.bytes_per_ms()) as u32
    }

    /// Moves an alignment to where its characters sound now.
    pub(crate) fn shift(&self, alignment: &mut [AlignedChar]) {
        let trimmed = self.trimmed_ms();
        for at in alignment {
            at.start_ms = at.start_ms.saturating_sub(trimmed);
            at.end_ms = at.end_ms.saturating_sub(trimmed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pcm(samples: impl IntoIterator<Item = i16>) -> Bytes {
        samples.into_iter().flat_map(i16::to_le_bytes).collect()
    }

    #[test]
    fn only_the_silence_before_the_first_sound_goes_and_the_alignment_moves_with_it() {
        let mut trimmer = Trimmer::new(AudioFormat::Pcm16k);
        assert!(trimmer.audio(pcm([0; 1_600])).is_empty());
        let rest = trimmer.audio(pcm(std::iter::repeat_n(0, 1_600).chain(std::iter::repeat_n(8_000, 160))));
        let kept = rest.len() / 2;
        assert!((160 + 80..=160 + 320).contains(&kept), "{kept} samples kept");
        assert_eq!(trimmer.audio(pcm([0; 160])).len(), 320, "later silence is the voice's own");
        let mut alignment = [AlignedChar { character: 'a', start_ms: 200, end_ms: 250 }];
        trimmer.shift(&mut alignment);
        assert!((5..=20).contains(&alignment[0].start_ms), "{alignment:?}");
    }
}
