//! Sealed chunks: sound that can be read with the part's key only, in order only, and whose end is known.
//!
//! The STREAM construction (Hoang, Reyhanitabar, Rogaway and Vizár, 2015) over AES-256-GCM: the nonce of a chunk is its
//! number and whether it is the last one, under a key that seals one part and nothing else. So each chunk opens by itself,
//! and none opens in another one's place. Whose recording it is, and in which format, is associated data.

use super::keys::Key;
use ring::aead::{Aad, LessSafeKey, NONCE_LEN, Nonce};
use seiketsu_domain::{AudioFormat, CallId, TenantId};

/// How much longer a sealed chunk is than what is in it.
pub const TAG_BYTES: usize = 16;

/// What is wrong with the chunks of a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ChunkError {
    /// A chunk was changed, is in another one's place, or was sealed with another key.
    #[error("chunk {index} does not open")]
    DoesNotOpen {
        /// Which one.
        index: u32,
    },
    /// A chunk in the middle is not there.
    #[error("chunk {index} is missing")]
    Missing {
        /// Which one.
        index: u32,
    },
    /// The recording is complete, but not all of its chunks are there.
    #[error("the recording ends after {found} chunks, which is not its end")]
    Truncated {
        /// How many there are.
        found: u32,
    },
    /// An object that is longer than any chunk, or too short to be one.
    #[error("chunk {index} cannot be one: it has {bytes} bytes")]
    Length {
        /// Which one.
        index: u32,
        /// Its length.
        bytes: u64,
    },
    /// More chunks than can be told apart.
    #[error("the recording has more chunks than can be told apart")]
    TooMany,
}

/// Which part of which recording chunks belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartName {
    /// Whose.
    pub tenant: TenantId,
    /// Of which call.
    pub call: CallId,
    /// Which part of it.
    pub part: u32,
    /// In which format.
    pub format: AudioFormat,
}

/// A sealed chunk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// Its place.
    pub index: u32,
    /// What is stored.
    pub bytes: Vec<u8>,
}

/// Seals chunks in order.
#[derive(Debug)]
pub struct Sealer {
    key: LessSafeKey,
    name: Vec<u8>,
    next: u32,
}

impl Sealer {
    /// For one part, whose key seals nothing else.
    pub fn new(key: &Key, name: PartName) -> Self {
        Self { key: key.aead(), name: name.bytes(), next: 0 }
    }

    /// Seals the next chunk in place.
    pub fn seal(&mut self, mut bytes: Vec<u8>, last: bool) -> Result<Sealed, ChunkError> {
        let index = self.next;
        self.next = index.checked_add(1).ok_or(ChunkError::TooMany)?;
        bytes.reserve_exact(TAG_BYTES);
        self.key
            .seal_in_place_append_tag(nonce(index, last), Aad::from(&self.name), &mut bytes)
            .map_err(|_| ChunkError::Length { index, bytes: bytes.len() as u64 })?;
        Ok(Sealed { index, bytes })
    }
}

/// Opens chunks.
#[derive(Debug)]
pub struct Opener {
    key: LessSafeKey,
    name: Vec<u8>,
}

impl Opener {
    /// For one part.
    pub fn new(key: &Key, name: PartName) -> Self {
        Self { key: key.aead(), name: name.bytes() }
    }

    /// Opens the chunk that is stored at `index`, in place.
    pub fn open(&self, index: u32, last: bool, mut bytes: Vec<u8>) -> Result<Vec<u8>, ChunkError> {
        let opened = self
            .key
            .open_in_place(nonce(index, last), Aad::from(&self.name), &mut bytes)
            .map_err(|_| ChunkError::DoesNotOpen { index })?
            .len();
        bytes.truncate(opened);
        Ok(bytes)
    }

    /// Opens the chunk behind which there is no other one. Of a complete part that must be the last one.
    pub fn open_end(&self, index: u32, complete: bool, bytes: Vec<u8>) -> Result<Vec<u8>, ChunkError> {
        match self.open(index, true, bytes.clone()) {
            Ok(opened) => Ok(opened),
            Err(error) => match self.open(index, false, bytes) {
                Ok(_) if complete => Err(ChunkError::Truncated { found: index.saturating_add(1) }),
                Ok(opened) => Ok(opened),
                Err(_) => Err(error),
            },
        }
    }
}

impl PartName {
    fn bytes(self) -> Vec<u8> {
        let mut bytes = b"seiketsu recording 1".to_vec();
        bytes.extend_from_slice(self.tenant.uuid().as_bytes());
        bytes.extend_from_slice(self.call.uuid().as_bytes());
        bytes.extend_from_slice(&self.part.to_be_bytes());
        bytes.push(match self.format {
            AudioFormat::Mulaw8k => 0,
            AudioFormat::Alaw8k => 1,
            AudioFormat::Pcm16k => 2,
            AudioFormat::Pcm24k => 3,
        });
        bytes
    }
}

fn nonce(index: u32, last: bool) -> Nonce {
    let mut bytes = [0; NONCE_LEN];
    bytes[NONCE_LEN - 5..NONCE_LEN - 1].copy_from_slice(&index.to_be_bytes());
    bytes[NONCE_LEN - 1] = u8::from(last);
    Nonce::assume_unique_for_key(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use seiketsu_testkit::{FakeClock, ids};

    struct Recorded {
        key: Key,
        name: PartName,
        chunks: Vec<Sealed>,
    }

    fn recorded(seed: u8) -> Recorded {
        let ids = ids(FakeClock::new(), seed);
        let key = Key::generate(&ids);
        let name = PartName { tenant: ids.next(), call: ids.next(), part: 0, format: AudioFormat::Mulaw8k };
        let mut sealer = Sealer::new(&key, name);
        let chunks =
            (0..4).map(|at| sealer.seal(vec![at; 100 + usize::from(at)], at == 3).unwrap()).collect();
        Recorded { key, name, chunks }
    }

    #[test]
    fn chunks_open_in_their_own_place_each_by_itself() {
        let Recorded { key, name, chunks } = recorded(1);
        let opener = Opener::new(&key, name);
        for at in [2_u8, 0, 3, 1] {
            let sealed = &chunks[usize::from(at)];
            assert_eq!(sealed.index, u32::from(at));
            assert_eq!(sealed.bytes.len(), 100 + usize::from(at) + TAG_BYTES);
            let opened = opener.open(sealed.index, at == 3, sealed.bytes.clone()).unwrap();
            assert_eq!(opened, vec![at; 100 + usize::from(at)]);
        }
    }

    #[test]
    fn a_flipped_bit_anywhere_is_found() {
        let Recorded { key, name, chunks } = recorded(2);
        let opener = Opener::new(&key, name);
        for bit in 0..chunks[1].bytes.len() * 8 {
            let mut bytes = chunks[1].bytes.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(opener.open(1, false, bytes), Err(ChunkError::DoesNotOpen { index: 1 }), "bit {bit}");
        }
    }

    #[test]
    fn a_chunk_in_another_ones_place_or_cut_off_does_not_open() {
        let Recorded { key, name, chunks } = recorded(3);
        let opener = Opener::new(&key, name);
        for at in [0, 1, 3] {
            let swapped = opener.open(2, false, chunks[at].bytes.clone());
            assert_eq!(swapped, Err(ChunkError::DoesNotOpen { index: 2 }), "chunk {at}");
        }
        for length in [0, 1, TAG_BYTES, chunks[2].bytes.len() - 1] {
            let cut = opener.open(2, false, chunks[2].bytes[..length].to_vec());
            assert_eq!(cut, Err(ChunkError::DoesNotOpen { index: 2 }), "{length} bytes");
        }
    }

    #[test]
    fn the_end_of_a_complete_part_is_its_last_chunk_and_of_a_cut_one_may_be_any() {
        let Recorded { key, name, chunks } = recorded(4);
        let opener = Opener::new(&key, name);
        let end = |at: usize, complete| opener.open_end(at as u32, complete, chunks[at].bytes.clone());
        assert_eq!(end(3, true).unwrap(), vec![3; 103]);
        assert_eq!(end(2, true), Err(ChunkError::Truncated { found: 3 }));
        assert_eq!(end(2, false).unwrap(), vec![2; 102]);
        assert_eq!(
            end(3, false).unwrap(),
            vec![3; 103],
            "it died after the last chunk and before it said so"
        );
        assert_eq!(
            opener.open_end(2, false, chunks[1].bytes.clone()),
            Err(ChunkError::DoesNotOpen { index: 2 })
        );
    }

    #[test]
    fn another_key_or_another_name_opens_nothing() {
        let Recorded { key, name, chunks } = recorded(5);
        let stranger = recorded(6);
        let first = || chunks[0].bytes.clone();
        let refused = Err(ChunkError::DoesNotOpen { index: 0 });
        assert_eq!(Opener::new(&stranger.key, name).open(0, false, first()), refused);
        for other in [
            PartName { tenant: stranger.name.tenant, ..name },
            PartName { call: stranger.name.call, ..name },
            PartName { part: 1, ..name },
            PartName { format: AudioFormat::Alaw8k, ..name },
        ] {
            assert_eq!(Opener::new(&key, other).open(0, false, first()), refused, "{other:?}");
        }
        assert!(Opener::new(&key, name).open(0, false, first()).is_ok());
    }
}
