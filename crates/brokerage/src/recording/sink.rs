//! Writes the recording of one call.

use super::{
    RecordingError, Recordings,
    chunks::{ChunkWriter, sample_bytes},
    keys::{Key, Purpose},
    seal::{PartName, Sealed, TAG_BYTES},
};
use async_trait::async_trait;
use bytes::Bytes;
use jiff::SignedDuration;
use seiketsu_domain::{AudioFormat, CallId, TenantScope};
use seiketsu_session::{Arrival, RecordingSink, RecordingWriter, StoreFailure};
use seiketsu_storage::{
    Reason,
    recordings::{self, DeletionReason, Extent, NewRecording},
};
use std::sync::Arc;

impl Recordings {
    /// Where a call of a tenant that records is recorded, kept for so many days. `None` for a call that comes back and
    /// was not being recorded: its caller was asked before, and is not asked again.
    pub async fn sink(
        &self,
        scope: TenantScope,
        call: CallId,
        arrival: Arrival,
        retention_days: u32,
    ) -> Result<Option<Arc<dyn RecordingSink>>, RecordingError> {
        let agreed = match arrival {
            Arrival::New => false,
            Arrival::Cut | Arrival::NotPutThrough => {
                let mut tx = self.db.tenant(&scope).await?;
                let parts = recordings::of_call(&mut tx, call).await?;
                if parts.last().is_none_or(|part| part.deleted.is_some()) {
                    return Ok(None);
                }
                true
            }
        };
        let retention = SignedDuration::from_hours(24 * i64::from(retention_days));
        Ok(Some(Arc::new(Sink { recordings: self.clone(), scope, call, agreed, retention })))
    }
}

#[derive(Debug)]
struct Sink {
    recordings: Recordings,
    scope: TenantScope,
    call: CallId,
    agreed: bool,
    retention: SignedDuration,
}

#[async_trait]
impl RecordingSink for Sink {
    fn agreed(&self) -> bool {
        self.agreed
    }

    async fn begin(&self, format: AudioFormat) -> Result<Box<dyn RecordingWriter>, StoreFailure> {
        Ok(Box::new(self.part(format).await?))
    }

    async fn withdraw(&self) -> Result<(), StoreFailure> {
        Ok(self.delete().await?)
    }
}

impl Sink {
    async fn part(&self, format: AudioFormat) -> Result<PartWriter, RecordingError> {
        let Recordings { db, ids, .. } = &self.recordings;
        let tenant = self.scope.tenant_id();
        let mut system = db.system(Reason::RecordingKeys).await?;
        let tenant_key = self.recordings.tenant_key(&mut system, &self.scope).await?;
        system.commit().await?;

        let mut tx = db.tenant(&self.scope).await?;
        let part = recordings::next_part(&mut tx, self.call).await?;
        let key = Key::generate(ids);
        let now = ids.clock().now();
        let location = format!("{}/{part:04}", self.location());
        let new = NewRecording {
            call_id: self.call,
            part,
            format,
            started_at: now,
            retention_until: now.saturating_add(self.retention).unwrap_or(jiff::Timestamp::MAX),
            location: location.clone(),
            wrapped_key: tenant_key.wrap(&key, Purpose::Recording(tenant, self.call, part), ids),
        };
        recordings::insert(&mut tx, &new).await?;
        tx.commit().await?;
        let name = PartName { tenant, call: self.call, part, format };
        Ok(PartWriter {
            recordings: self.recordings.clone(),
            scope: self.scope,
            name,
            location,
            chunks: ChunkWriter::new(&key, name),
            stored: Extent::default(),
        })
    }

    /// Where the parts of the call are.
    fn location(&self) -> String {
        format!("{}/{}", self.scope.tenant_id(), self.call)
    }

    /// All parts of the call, those from before it was cut too: a caller who takes the assent back knows of no parts.
    ///
    /// The keys first. Without them nothing can be read any more, however long the chunks take to go and whoever is
    /// interrupted; with the database away, the chunks go all the same. Once the keys are gone it is done: what is left of
    /// the chunks is found by the sweep, which looks again in any case, for one may still be on its way.
    async fn delete(&self) -> Result<(), RecordingError> {
        let forgotten = self.forget().await;
        let removed = self.recordings.store.remove(&self.location()).await;
        if let Err(error) = removed {
            let error = RecordingError::from(error).in_full();
            tracing::warn!(call = %self.call, %error, "the chunks of a withdrawn recording are left to the sweep");
        }
        forgotten
    }

    async fn forget(&self) -> Result<(), RecordingError> {
        let mut tx = self.recordings.db.tenant(&self.scope).await?;
        let now = self.recordings.ids.clock().now();
        for row in recordings::of_call(&mut tx, self.call).await? {
            recordings::forget(&mut tx, self.call, row.part, DeletionReason::Withdrawn, now).await?;
        }
        Ok(tx.commit().await?)
    }
}

/// Writes one part.
#[derive(Debug)]
struct PartWriter {
    recordings: Recordings,
    scope: TenantScope,
    name: PartName,
    location: String,
    chunks: ChunkWriter,
    /// Its duration is only known from the bytes.
    stored: Extent,
}

impl PartWriter {
    async fn store(&mut self, chunk: Sealed) -> Result<(), RecordingError> {
        let bytes = chunk.bytes.len() as u64;
        self.recordings.store.put(&self.location, chunk).await?;
        self.stored.chunks += 1;
        self.stored.bytes += bytes;
        Ok(())
    }

    async fn close(&self, complete: bool) -> Result<(), RecordingError> {
        let extent = extent(self.name.format, self.stored.chunks, self.stored.bytes);
        let mut tx = self.recordings.db.tenant(&self.scope).await?;
        let now = self.recordings.ids.clock().now();
        let closed =
            recordings::close(&mut tx, self.name.call, self.name.part, complete, extent, now).await?;
        tx.commit().await?;
        if !closed {
            tracing::info!(call = %self.name.call, part = self.name.part, "the recording was deleted before it ended");
        }
        Ok(())
    }
}

#[async_trait]
impl RecordingWriter for PartWriter {
    async fn write(&mut self, caller: Bytes, agent: Bytes) -> Result<(), StoreFailure> {
        let mut full = Vec::new();
        self.chunks.push(&caller, &agent, |chunk| full.push(chunk)).map_err(RecordingError::from)?;
        for chunk in full {
            self.store(chunk).await?;
        }
        Ok(())
    }

    async fn finish(mut self: Box<Self>) -> Result<(), StoreFailure> {
        let last = self.chunks.last().map_err(RecordingError::from)?;
        self.store(last).await?;
        Ok(self.close(true).await?)
    }

    async fn abandon(self: Box<Self>) -> Result<(), StoreFailure> {
        Ok(self.close(false).await?)
    }
}

/// How much sound is in so many stored bytes.
pub(super) fn extent(format: AudioFormat, chunks: u32, bytes: u64) -> Extent {
    let sound = bytes.saturating_sub(u64::from(chunks) * TAG_BYTES as u64);
    let frame = 2 * sample_bytes(format) as u64;
    let duration_ms = sound / frame * 1_000 / u64::from(format.sample_rate_hz());
    Extent { chunks, bytes, duration_ms }
}

impl From<RecordingError> for StoreFailure {
    fn from(error: RecordingError) -> Self {
        Self(error.in_full())
    }
}
