//! Tokens of media sockets, each good for one socket.

use crate::{DbError, SystemTx, time::PgTime};
use jiff::Timestamp;
use uuid::Uuid;

/// Uses a token up: `true` exactly once, however many ask at the same time. The caller has verified signature and expiry.
pub async fn use_media_token(tx: &mut SystemTx, token: Uuid, expires_at: Timestamp) -> Result<bool, DbError> {
    let outcome = sqlx::query!(
        "insert into platform.media_tokens (id, expires_at) values ($1, $2) on conflict (id) do nothing",
        token,
        PgTime(expires_at) as _
    )
    .execute(tx.connection())
    .await?;
    Ok(outcome.rows_affected() == 1)
}

/// Forgets tokens that expired before `expired_before`, which should leave room for clocks that disagree.
pub async fn purge_media_tokens(tx: &mut SystemTx, expired_before: Timestamp) -> Result<u64, DbError> {
    let outcome =
        sqlx::query!("delete from platform.media_tokens where expires_at < $1", PgTime(expired_before) as _)
            .execute(tx.connection())
            .await?;
    Ok(outcome.rows_affected())
}
