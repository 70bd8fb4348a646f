//! Recordings of calls: encrypted, kept chunk by chunk, deleted when their time is over.
//!
//! A call whose tenant records gets a [`RecordingSink`](seiketsu_session::RecordingSink) from [`Recordings::sink`]. Nothing
//! is written before the session begins a part, which it does once the caller has agreed. Then a row says that there is a
//! part, and every few seconds a sealed chunk goes to the [`ChunkStore`]; one that was stored is kept whatever happens to
//! this process. [`Recordings`] is also the archive through which parts are listened to, and [`Recordings::run`] deletes
//! those that are past their retention.
//!
//! Keys: each part has a data key of its own, wrapped with the tenant's, which is wrapped with the master key of the
//! configuration ([`keys`]). Deleting a part deletes its data key first; destroying the tenant's key makes all of its
//! recordings unreadable at once.
//!
//! Architecture invariants:
//! - sound leaves this module sealed ([`seal`]), and is in the clear only in the memory of a live call and of a reader;
//! - a part that was changed, shuffled, cut off, or belongs to somebody else does not open, and says why;
//! - a writer holds one chunk, a reader two, whatever the length of the call.

mod chunks;
mod reader;
mod sink;
mod store;
mod sweep;
mod wav;

pub mod keys;
pub mod seal;

pub use chunks::ChunkWriter;
pub use keys::Key;
pub use store::{BucketAccess, ChunkStore, StoreError, StoreOptions};
pub use sweep::Swept;

use keys::{KeyError, Purpose};
use seal::ChunkError;
use seiketsu_domain::{IdSource, TenantScope};
use seiketsu_storage::{
    Db, DbError, Reason, SystemTx,
    recordings::{self, TenantKey},
};
use std::{error::Error, sync::Arc};

/// Why something could not be done with a recording.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    /// A key does not open, or is gone.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// What is stored is not what was recorded.
    #[error(transparent)]
    Chunk(#[from] ChunkError),
    /// The place where chunks are kept failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DbError),
}

/// All recordings of this platform. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Recordings {
    db: Db,
    store: ChunkStore,
    master: Arc<Key>,
    ids: IdSource,
}

impl Recordings {
    /// Over a database and a place for chunks. `master` wraps the tenants' keys; another one does not open what this one
    /// has wrapped.
    pub fn new(db: Db, store: ChunkStore, master: Key, ids: IdSource) -> Self {
        Self { db, store, master: Arc::new(master), ids }
    }

    /// Destroys a tenant's key for good: none of its recordings can be read any more, and no new one is made. `false` if
    /// it has no key any more.
    pub async fn destroy_tenant_key(&self, scope: &TenantScope) -> Result<bool, RecordingError> {
        let mut tx = self.db.system(Reason::RecordingKeys).await?;
        // A tenant without a key gets one to destroy: otherwise its first call would make one.
        match self.tenant_key(&mut tx, scope).await {
            // One that does not open any more is destroyed like any other.
            Ok(_) | Err(RecordingError::Key(_)) => {}
            Err(
                error @ (RecordingError::Chunk(_) | RecordingError::Store(_) | RecordingError::Database(_)),
            ) => {
                return Err(error);
            }
        }
        let destroyed = recordings::destroy_tenant_key(&mut tx, scope, self.ids.clock().now()).await?;
        tx.commit().await?;
        Ok(destroyed)
    }

    /// The tenant's key; made now if it has never had one.
    async fn tenant_key(&self, tx: &mut SystemTx, scope: &TenantScope) -> Result<Key, RecordingError> {
        let purpose = Purpose::Tenant(scope.tenant_id());
        let stored = if let Some(stored) = recordings::tenant_key(tx, scope).await? {
            stored
        } else {
            let fresh = self.master.wrap(&Key::generate(&self.ids), purpose, &self.ids);
            recordings::put_tenant_key(tx, scope, &fresh, self.ids.clock().now()).await?
        };
        match stored {
            TenantKey::Wrapped(wrapped) => Ok(self.master.unwrap_key(&wrapped, purpose)?),
            TenantKey::Destroyed => Err(KeyError::Destroyed.into()),
        }
    }
}

impl RecordingError {
    /// With everything beneath it, for the log.
    fn in_full(&self) -> String {
        let mut text = self.to_string();
        let mut beneath = self.source();
        while let Some(error) = beneath {
            text.push_str(": ");
            text.push_str(&error.to_string());
            beneath = error.source();
        }
        text
    }
}
