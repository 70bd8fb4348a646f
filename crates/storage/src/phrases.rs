//! Sentences that agents say again and again, spoken once.

use crate::{DbError, TenantTx, time::PgTime};
use jiff::{SignedDuration, Timestamp};

/// `used_at` is exact to so much: it decides what is removed after months, and is not worth a write per call.
const USED_AT_PRECISION: SignedDuration = SignedDuration::from_hours(24);

/// A sentence as it was spoken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpokenPhrase {
    /// SHA-256 of everything that changes how it sounds.
    pub key: [u8; 32],
    /// In the format that went into the key.
    pub audio: Vec<u8>,
    /// When each character sounds.
    pub alignment: serde_json::Value,
}

/// Those of the sentences that are here; and notes that they were used.
pub async fn load(
    tx: &mut TenantTx,
    keys: &[[u8; 32]],
    now: Timestamp,
) -> Result<Vec<SpokenPhrase>, DbError> {
    let wanted: Vec<Vec<u8>> = keys.iter().map(|key| key.to_vec()).collect();
    let (connection, tenant) = tx.parts();
    sqlx::query!(
        "update spoken_phrases set used_at = $3 where tenant_id = $1 and key = any($2) and used_at < $4",
        tenant,
        &wanted,
        PgTime(now) as _,
        PgTime(now - USED_AT_PRECISION) as _
    )
    .execute(&mut *connection)
    .await?;
    let rows = sqlx::query!(
        "select key, audio, alignment from spoken_phrases where tenant_id = $1 and key = any($2)",
        tenant,
        &wanted
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|row| Ok(SpokenPhrase { key: read_key(&row.key)?, audio: row.audio, alignment: row.alignment }))
        .collect()
}

/// Which of the sentences are here.
pub async fn known(tx: &mut TenantTx, keys: &[[u8; 32]]) -> Result<Vec<[u8; 32]>, DbError> {
    let wanted: Vec<Vec<u8>> = keys.iter().map(|key| key.to_vec()).collect();
    let (connection, tenant) = tx.parts();
    let rows = sqlx::query_scalar!(
        "select key from spoken_phrases where tenant_id = $1 and key = any($2)",
        tenant,
        &wanted
    )
    .fetch_all(connection)
    .await?;
    rows.iter().map(|key| read_key(key)).collect()
}

/// Keeps a sentence. One that is here already stays as it is: the same key sounds the same.
pub async fn keep(tx: &mut TenantTx, phrase: &SpokenPhrase, now: Timestamp) -> Result<(), DbError> {
    let (connection, tenant) = tx.parts();
    sqlx::query!(
        "insert into spoken_phrases (tenant_id, key, audio, alignment, spoken_at, used_at)
         values ($1, $2, $3, $4, $5, $5) on conflict (tenant_id, key) do nothing",
        tenant,
        &phrase.key[..],
        &phrase.audio,
        &phrase.alignment,
        PgTime(now) as _
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Removes what nobody has used since then: sentences of voices and texts that agents no longer have. Returns how many.
pub async fn forget_unused(tx: &mut TenantTx, since: Timestamp) -> Result<u64, DbError> {
    let (connection, tenant) = tx.parts();
    let outcome = sqlx::query!(
        "delete from spoken_phrases where tenant_id = $1 and used_at < $2",
        tenant,
        PgTime(since) as _
    )
    .execute(connection)
    .await?;
    Ok(outcome.rows_affected())
}

fn read_key(key: &[u8]) -> Result<[u8; 32], DbError> {
    key.try_into().map_err(|_| DbError::Unreadable { what: "key of a spoken phrase" })
}
