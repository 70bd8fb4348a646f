//! The sentences of a tenant's agents, spoken once and kept in the database: `session`'s port over `storage`.

use async_trait::async_trait;
use jiff::SignedDuration;
use seiketsu_domain::{Clock, TenantScope};
use seiketsu_session::{PhraseCache, PhraseDigest, SpokenPhrase, StoreFailure};
use seiketsu_storage::{
    Db, DbError,
    phrases::{self, SpokenPhrase as Row},
};
use sha2::{Digest, Sha256};
use std::{collections::BTreeSet, sync::Arc};

/// A sentence that no call has used for so long is removed when the tenant's agents are published again.
const UNUSED: SignedDuration = SignedDuration::from_hours(24 * 90);

/// See the module. Cheap to clone.
#[derive(Debug, Clone)]
pub struct KeptPhrases {
    db: Db,
    clock: Arc<dyn Clock>,
    origin: &'static str,
}

impl KeptPhrases {
    /// Over a database. `origin` tells voices apart that have the same name: the sandbox's is not the vendor's.
    pub fn new(db: Db, clock: Arc<dyn Clock>, origin: &'static str) -> Self {
        Self { db, clock, origin }
    }

    fn key(&self, digest: &PhraseDigest) -> [u8; 32] {
        Sha256::new().chain_update(self.origin).chain_update([0]).chain_update(digest).finalize().into()
    }

    async fn load_rows(&self, scope: &TenantScope, keys: &[[u8; 32]]) -> Result<Vec<Row>, DbError> {
        let mut tx = self.db.tenant(scope).await?;
        let rows = phrases::load(&mut tx, keys, self.clock.now()).await?;
        tx.commit().await?;
        Ok(rows)
    }

    async fn known(&self, scope: &TenantScope, keys: &[[u8; 32]]) -> Result<Vec<[u8; 32]>, DbError> {
        let mut tx = self.db.tenant(scope).await?;
        phrases::forget_unused(&mut tx, self.clock.now() - UNUSED).await?;
        let known = phrases::known(&mut tx, keys).await?;
        tx.commit().await?;
        Ok(known)
    }

    async fn insert(&self, scope: &TenantScope, row: &Row) -> Result<(), DbError> {
        let mut tx = self.db.tenant(scope).await?;
        phrases::keep(&mut tx, row, self.clock.now()).await?;
        tx.commit().await
    }
}

#[async_trait]
impl PhraseCache for KeptPhrases {
    async fn load(
        &self,
        scope: &TenantScope,
        digests: &[PhraseDigest],
    ) -> Result<Vec<SpokenPhrase>, StoreFailure> {
        let keys: Vec<_> = digests.iter().map(|digest| self.key(digest)).collect();
        let rows = self.load_rows(scope, &keys).await.map_err(|error| failure(&error))?;
        let digest_of = |row: &Row| keys.iter().position(|key| *key == row.key).map(|at| digests[at]);
        Ok(rows
            .into_iter()
            .filter_map(|row| {
                let digest = digest_of(&row)?;
                // What cannot be read is spoken again.
                let alignment = serde_json::from_value(row.alignment).ok()?;
                Some(SpokenPhrase { digest, audio: row.audio.into(), alignment })
            })
            .collect())
    }

    async fn missing(
        &self,
        scope: &TenantScope,
        digests: &[PhraseDigest],
    ) -> Result<Vec<PhraseDigest>, StoreFailure> {
        let keys: Vec<_> = digests.iter().map(|digest| self.key(digest)).collect();
        let known: BTreeSet<_> =
            self.known(scope, &keys).await.map_err(|error| failure(&error))?.into_iter().collect();
        Ok(digests
            .iter()
            .zip(&keys)
            .filter(|(_, key)| !known.contains(*key))
            .map(|(digest, _)| *digest)
            .collect())
    }

    async fn keep(&self, scope: &TenantScope, phrase: &SpokenPhrase) -> Result<(), StoreFailure> {
        let alignment =
            serde_json::to_value(&phrase.alignment).map_err(|error| StoreFailure(error.to_string()))?;
        let row = Row { key: self.key(&phrase.digest), audio: phrase.audio.to_vec(), alignment };
        self.insert(scope, &row).await.map_err(|error| failure(&error))
    }
}

fn failure(error: &DbError) -> StoreFailure {
    StoreFailure(error.to_string())
}
