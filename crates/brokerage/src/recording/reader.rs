//! Listening to recordings: decrypted as they are read, a chunk at a time, as a WAV file.

use super::{
    RecordingError, Recordings,
    keys::{KeyError, Purpose},
    seal::{ChunkError, Opener, PartName, TAG_BYTES},
    store::{ChunkStore, StoreError},
    wav,
};
use async_trait::async_trait;
use bytes::Bytes;
use seiketsu_domain::{AudioFormat, CallId, TenantScope};
use seiketsu_session::{ArchiveFailure, OpenRecording, RecordingArchive, RecordingReader};
use seiketsu_storage::{
    Reason,
    recordings::{self, RecordingRow, RecordingState},
};
use std::collections::BTreeMap;

#[async_trait]
impl RecordingArchive for Recordings {
    async fn open(
        &self,
        scope: TenantScope,
        call: CallId,
        part: u32,
    ) -> Result<Option<OpenRecording>, ArchiveFailure> {
        Ok(self.open_part(&scope, call, part).await?)
    }
}

impl Recordings {
    async fn open_part(
        &self,
        scope: &TenantScope,
        call: CallId,
        part: u32,
    ) -> Result<Option<OpenRecording>, RecordingError> {
        let mut tx = self.db.tenant(scope).await?;
        let row = recordings::get(&mut tx, call, part).await?;
        tx.commit().await?;
        let Some(RecordingRow { format, state, extent, location, wrapped_key: Some(wrapped_key), .. }) = row
        else {
            return Ok(None);
        };
        let mut system = self.db.system(Reason::RecordingKeys).await?;
        recordings::audit_read(&mut system, call, part).await?;
        let tenant_key = match self.tenant_key(&mut system, scope).await {
            Err(RecordingError::Key(KeyError::Destroyed)) => return Ok(None),
            other => other?,
        };
        system.commit().await?;
        let key = tenant_key.unwrap_key(&wrapped_key, Purpose::Recording(scope.tenant_id(), call, part))?;
        let complete = state == RecordingState::Complete;
        let lengths = self.store.lengths(&location).await?;
        let expected = extent.filter(|_| complete).map(|extent| extent.chunks);
        let (chunks, audio_bytes) = in_a_row(&lengths, expected)?;
        let name = PartName { tenant: scope.tenant_id(), call, part, format };
        let reader = Reader {
            store: self.store.clone(),
            location,
            opener: Opener::new(&key, name),
            format,
            complete,
            chunks,
            audio_bytes,
            at: Position::Header,
        };
        Ok(Some(OpenRecording {
            media_type: "audio/wav",
            length_bytes: audio_bytes + wav::HEADER_BYTES as u64,
            complete,
            reader: Box::new(reader),
        }))
    }
}

/// How many chunks there are and how much sound is in them, if none is missing.
fn in_a_row(lengths: &BTreeMap<u32, u64>, expected: Option<u32>) -> Result<(u32, u64), ChunkError> {
    let mut audio_bytes = 0;
    let mut chunks = 0;
    for (&index, &bytes) in lengths {
        if index != chunks {
            return Err(ChunkError::Missing { index: chunks });
        }
        audio_bytes += bytes.checked_sub(TAG_BYTES as u64).ok_or(ChunkError::Length { index, bytes })?;
        chunks = index.checked_add(1).ok_or(ChunkError::TooMany)?;
    }
    match expected {
        Some(expected) if chunks < expected => Err(ChunkError::Truncated { found: chunks }),
        // What lies behind the last chunk was put there by somebody else.
        Some(expected) if chunks > expected => Err(ChunkError::DoesNotOpen { index: expected }),
        Some(_) | None => Ok((chunks, audio_bytes)),
    }
}

#[derive(Debug)]
enum Position {
    Header,
    Chunk(u32),
    End,
}

#[derive(Debug)]
struct Reader {
    store: ChunkStore,
    location: String,
    opener: Opener,
    format: AudioFormat,
    complete: bool,
    chunks: u32,
    audio_bytes: u64,
    at: Position,
}

#[async_trait]
impl RecordingReader for Reader {
    async fn next(&mut self) -> Result<Option<Bytes>, ArchiveFailure> {
        match std::mem::replace(&mut self.at, Position::End) {
            Position::Header => {
                self.at = Position::Chunk(0);
                Ok(Some(wav::header(self.format, self.audio_bytes)))
            }
            Position::Chunk(index) if index < self.chunks => {
                let sound = self.chunk(index).await?;
                self.at = Position::Chunk(index + 1);
                Ok(Some(sound.into()))
            }
            Position::Chunk(_) | Position::End => Ok(None),
        }
    }
}

impl Reader {
    async fn chunk(&self, index: u32) -> Result<Vec<u8>, RecordingError> {
        let sealed = self.store.get(&self.location, index).await?;
        if index + 1 == self.chunks {
            Ok(self.opener.open_end(index, self.complete, sealed)?)
        } else {
            Ok(self.opener.open(index, false, sealed)?)
        }
    }
}

impl From<RecordingError> for ArchiveFailure {
    fn from(error: RecordingError) -> Self {
        let text = error.in_full();
        match error {
            RecordingError::Key(_)
            | RecordingError::Chunk(_)
            | RecordingError::Store(StoreError::Chunk(_)) => Self::Damaged(text),
            RecordingError::Store(
                StoreError::Setting(_)
                | StoreError::Directory { .. }
                | StoreError::Request { .. }
                | StoreError::Timeout { .. },
            )
            | RecordingError::Database(_) => Self::Away(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_count_only_without_a_gap_and_to_their_end() {
        let lengths = |chunks: &[(u32, u64)]| chunks.iter().copied().collect::<BTreeMap<_, _>>();
        let whole = lengths(&[(0, 116), (1, 116), (2, 16)]);
        assert_eq!(in_a_row(&whole, Some(3)), Ok((3, 200)));
        assert_eq!(in_a_row(&whole, None), Ok((3, 200)));
        assert_eq!(in_a_row(&whole, Some(4)), Err(ChunkError::Truncated { found: 3 }));
        assert_eq!(in_a_row(&whole, Some(2)), Err(ChunkError::DoesNotOpen { index: 2 }));
        let gap = lengths(&[(0, 116), (2, 116)]);
        assert_eq!(in_a_row(&gap, None), Err(ChunkError::Missing { index: 1 }));
        assert_eq!(in_a_row(&lengths(&[(1, 116)]), None), Err(ChunkError::Missing { index: 0 }));
        let short = lengths(&[(0, 15)]);
        assert_eq!(in_a_row(&short, None), Err(ChunkError::Length { index: 0, bytes: 15 }));
        assert_eq!(in_a_row(&lengths(&[]), Some(0)), Ok((0, 0)));
    }
}
