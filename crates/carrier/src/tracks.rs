//! Both sides of a call, recorded.

use crate::Frame;
use seiketsu_audio::g711::mulaw_to_linear;
use std::{fmt, path::Path};

/// Both sides of a call in mu-law, sample for sample at the same time.
#[derive(Clone, PartialEq, Eq)]
pub struct Tracks {
    caller: Vec<u8>,
    agent: Vec<u8>,
    limit: usize,
}

impl Tracks {
    /// Nothing yet; after `limit_seconds` nothing more.
    pub fn new(limit_seconds: u32) -> Self {
        Self { caller: Vec::new(), agent: Vec::new(), limit: limit_seconds as usize * 8_000 }
    }

    /// Appends 20 ms of both.
    pub fn push(&mut self, caller: &Frame, agent: &Frame) {
        if self.caller.len() + caller.len() <= self.limit {
            self.caller.extend_from_slice(caller);
            self.agent.extend_from_slice(agent);
        }
    }

    /// What the caller said, 8 kHz.
    pub fn caller_pcm(&self) -> Vec<i16> {
        self.caller.iter().copied().map(mulaw_to_linear).collect()
    }

    /// What the caller heard, 8 kHz.
    pub fn agent_pcm(&self) -> Vec<i16> {
        self.agent.iter().copied().map(mulaw_to_linear).collect()
    }

    /// Writes a stereo WAV file: left the caller, right the agent. Blocks while it writes.
    pub fn save_stereo(&self, path: &Path) -> Result<(), hound::Error> {
        let spec = hound::WavSpec {
            channels: 2,
            sample_rate: 8_000,
            bits_per_sample: 16,
            sample_format: hound::SampleFormat::Int,
        };
        let mut writer = hound::WavWriter::create(path, spec)?;
        for (caller, agent) in self.caller.iter().zip(&self.agent) {
            writer.write_sample(mulaw_to_linear(*caller))?;
            writer.write_sample(mulaw_to_linear(*agent))?;
        }
        writer.finalize()
    }
}

impl fmt::Debug for Tracks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tracks({} ms)", self.caller.len() / 8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_come_back_from_the_file_each_on_its_channel() {
        let mut tracks = Tracks::new(1);
        for frame in 0..100 {
            tracks.push(&[frame; 160], &[0x80 | frame; 160]);
        }
        assert_eq!(tracks.caller_pcm().len(), 8_000, "the limit holds");
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("call.wav");
        tracks.save_stereo(&path).unwrap();
        let samples: Vec<i16> =
            hound::WavReader::open(&path).unwrap().into_samples().collect::<Result<_, _>>().unwrap();
        let (left, right): (Vec<_>, Vec<_>) = samples.chunks(2).map(|pair| (pair[0], pair[1])).unzip();
        assert_eq!((left, right), (tracks.caller_pcm(), tracks.agent_pcm()));
    }
}
