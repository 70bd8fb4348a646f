//! From two mono streams to sealed chunks of stereo sound.

use super::seal::{ChunkError, PartName, Sealed, Sealer};
use crate::recording::keys::Key;
use seiketsu_domain::AudioFormat;

/// How much sound is in a chunk. The end of a call that dies is lost up to this length; each chunk is an object that is
/// paid for.
pub(super) const CHUNK_MS: usize = 4_000;

/// Longest stored chunk of any format, for readers that meet something else: four seconds of 24 kHz stereo, and a tag.
pub(super) const MAX_CHUNK_BYTES: u64 = 512 * 1_024;

/// Bytes of one sample of one channel.
pub(super) const fn sample_bytes(format: AudioFormat) -> usize {
    match format {
        AudioFormat::Mulaw8k | AudioFormat::Alaw8k => 1,
        AudioFormat::Pcm16k | AudioFormat::Pcm24k => 2,
    }
}

/// Collects sound of both sides, and seals it chunk by chunk. Holds at most one chunk.
#[derive(Debug)]
pub struct ChunkWriter {
    format: AudioFormat,
    sealer: Sealer,
    pending: Vec<u8>,
    chunk_bytes: usize,
}

impl ChunkWriter {
    /// For one part, whose key seals nothing else.
    pub fn new(key: &Key, name: PartName) -> Self {
        let chunk_bytes = 2 * CHUNK_MS * name.format.bytes_per_ms();
        Self { format: name.format, sealer: Sealer::new(key, name), pending: Vec::new(), chunk_bytes }
    }

    /// More of both sides, equally long; what one has more than the other is left out. Calls back with each chunk that is
    /// full, in order.
    pub fn push(
        &mut self,
        caller: &[u8],
        agent: &[u8],
        mut full: impl FnMut(Sealed),
    ) -> Result<(), ChunkError> {
        let sample = sample_bytes(self.format);
        let mut length = caller.len().min(agent.len()) / sample * sample;
        let (mut caller, mut agent) = (caller, agent);
        while length > 0 {
            if self.pending.capacity() == 0 {
                self.pending.reserve_exact(self.chunk_bytes + super::seal::TAG_BYTES);
            }
            let now = length.min((self.chunk_bytes - self.pending.len()) / 2);
            let (left, right);
            (left, caller) = caller.split_at(now);
            (right, agent) = agent.split_at(now);
            length -= now;
            match self.format {
                AudioFormat::Mulaw8k | AudioFormat::Alaw8k => interleave::<1>(left, right, &mut self.pending),
                AudioFormat::Pcm16k | AudioFormat::Pcm24k => interleave::<2>(left, right, &mut self.pending),
            }
            if self.pending.len() == self.chunk_bytes {
                full(self.sealer.seal(std::mem::take(&mut self.pending), false)?);
            }
        }
        Ok(())
    }

    /// What is left, perhaps nothing, as the last chunk. Nothing is to be pushed any more.
    pub fn last(&mut self) -> Result<Sealed, ChunkError> {
        self.sealer.seal(std::mem::take(&mut self.pending), true)
    }
}

/// Samples of so many bytes, left and right in turn, appended to `stereo`.
fn interleave<const BYTES: usize>(left: &[u8], right: &[u8], stereo: &mut Vec<u8>) {
    let start = stereo.len();
    stereo.resize(start + left.len() + right.len(), 0);
    let samples = left.as_chunks::<BYTES>().0.iter().zip(right.as_chunks::<BYTES>().0);
    for (frame, (left, right)) in stereo[start..].chunks_exact_mut(2 * BYTES).zip(samples) {
        frame[..BYTES].copy_from_slice(left);
        frame[BYTES..].copy_from_slice(right);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recording::seal::{Opener, TAG_BYTES};
    use seiketsu_testkit::{FakeClock, ids};

    fn written(format: AudioFormat, stretches: &[(Vec<u8>, Vec<u8>)]) -> Vec<Vec<u8>> {
        let ids = ids(FakeClock::new(), 9);
        let key = Key::generate(&ids);
        let name = PartName { tenant: ids.next(), call: ids.next(), part: 0, format };
        let mut writer = ChunkWriter::new(&key, name);
        let mut sealed = Vec::new();
        for (caller, agent) in stretches {
            writer.push(caller, agent, |chunk| sealed.push(chunk)).unwrap();
        }
        sealed.push(writer.last().unwrap());
        let (opener, count) = (Opener::new(&key, name), sealed.len());
        sealed
            .into_iter()
            .enumerate()
            .map(|(at, chunk)| {
                assert_eq!(chunk.index as usize, at);
                opener.open(chunk.index, at + 1 == count, chunk.bytes).unwrap()
            })
            .collect()
    }

    #[test]
    fn the_caller_is_on_the_left_and_what_they_heard_on_the_right() {
        let chunks = written(AudioFormat::Mulaw8k, &[(vec![1, 2, 3], vec![7, 8, 9]), (vec![4], vec![0xff])]);
        assert_eq!(chunks, [vec![1, 7, 2, 8, 3, 9, 4, 0xff]]);
        let chunks = written(AudioFormat::Pcm24k, &[(vec![1, 2, 3, 4], vec![5, 6, 7, 8])]);
        assert_eq!(chunks, [vec![1, 2, 5, 6, 3, 4, 7, 8]]);
    }

    #[test]
    fn a_chunk_is_four_seconds_however_the_sound_arrives() {
        let ten_seconds = vec![0_u8; 80_000];
        let frames: Vec<_> = ten_seconds.chunks(160).map(|frame| (frame.to_vec(), frame.to_vec())).collect();
        for stretches in [frames, vec![(ten_seconds.clone(), ten_seconds.clone())]] {
            let lengths: Vec<_> = written(AudioFormat::Mulaw8k, &stretches).iter().map(Vec::len).collect();
            assert_eq!(lengths, [64_000, 64_000, 32_000]);
        }
        let largest = 2 * CHUNK_MS * AudioFormat::Pcm24k.bytes_per_ms() + TAG_BYTES;
        assert!(largest as u64 <= MAX_CHUNK_BYTES, "{largest}");
    }

    #[test]
    fn a_part_without_sound_still_has_its_last_chunk() {
        assert_eq!(written(AudioFormat::Alaw8k, &[]), [Vec::<u8>::new()]);
    }
}
