//! Keys of the platform's own operators.

use crate::{DbError, SystemTx, time::PgTime};
use jiff::Timestamp;

/// A key as the platform remembers it: not the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperatorKey {
    /// Its first characters, by which people recognise it.
    pub prefix: String,
    /// What it is for.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
}

/// The key with this SHA-256, unless it was revoked.
pub async fn operator_key(tx: &mut SystemTx, sha256: &[u8; 32]) -> Result<Option<OperatorKey>, DbError> {
    let row = sqlx::query!(
        r#"select prefix, name, created_at as "created_at: PgTime" from platform.operator_keys
           where sha256 = $1 and revoked_at is null"#,
        &sha256[..]
    )
    .fetch_optional(tx.connection())
    .await?;
    Ok(row.map(|row| OperatorKey { prefix: row.prefix, name: row.name, created_at: row.created_at.0 }))
}

/// Remembers a key. The same key again changes nothing; a revoked one stays revoked.
pub async fn put_operator_key(
    tx: &mut SystemTx,
    sha256: &[u8; 32],
    key: &OperatorKey,
) -> Result<(), DbError> {
    let outcome = sqlx::query!(
        "insert into platform.operator_keys (sha256, prefix, name, created_at) values ($1, $2, $3, $4)
         on conflict (sha256) do nothing",
        &sha256[..],
        key.prefix,
        key.name,
        PgTime(key.created_at) as _
    )
    .execute(tx.connection())
    .await?;
    if outcome.rows_affected() == 1 {
        tx.audit(serde_json::json!({"created_key": key.prefix})).await?;
    }
    Ok(())
}

/// Revokes a key; `false` if there is none, or it was revoked before.
pub async fn revoke_operator_key(
    tx: &mut SystemTx,
    sha256: &[u8; 32],
    at: Timestamp,
) -> Result<bool, DbError> {
    let prefix = sqlx::query_scalar!(
        "update platform.operator_keys set revoked_at = $2 where sha256 = $1 and revoked_at is null returning prefix",
        &sha256[..],
        PgTime(at) as _
    )
    .fetch_optional(tx.connection())
    .await?;
    if let Some(prefix) = &prefix {
        tx.audit(serde_json::json!({"revoked_key": prefix})).await?;
    }
    Ok(prefix.is_some())
}
