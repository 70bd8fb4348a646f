//! Running copies of the server, and the calls of those that died.

use super::tenants::attest;
use crate::{DbError, SystemTx, time::PgTime};
use jiff::Timestamp;
use seiketsu_domain::{CallId, ReplicaId, TenantScope};

/// This replica is alive.
pub async fn heartbeat(tx: &mut SystemTx, replica: ReplicaId, now: Timestamp) -> Result<(), DbError> {
    sqlx::query!(
        "insert into platform.replicas as replica (id, started_at, heartbeat_at) values ($1, $2, $2)
         on conflict (id) do update set heartbeat_at = greatest(replica.heartbeat_at, excluded.heartbeat_at)",
        replica.uuid(),
        PgTime(now) as _
    )
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// Live calls that nobody holds: their own heartbeat and that of their replica are both older than `stale_before`
/// (or the replica never had one). A call of a replica that still beats is never among them.
///
/// Close each with [`crate::calls::end_orphan`], which looks again: it may have been resumed in between.
pub async fn orphaned_calls(
    tx: &mut SystemTx,
    stale_before: Timestamp,
) -> Result<Vec<(TenantScope, CallId)>, DbError> {
    let rows = sqlx::query!(
        "select call.tenant_id, call.id from public.calls call
         where call.ended_at is null and call.handed_over_at is null and call.heartbeat_at < $1
           and not exists (select from platform.replicas replica
                           where replica.id = call.replica_id and replica.heartbeat_at >= $1)
         order by call.heartbeat_at, call.id",
        PgTime(stale_before) as _
    )
    .fetch_all(tx.connection())
    .await?;
    if !rows.is_empty() {
        tx.audit(serde_json::json!({"orphaned_calls": rows.len()})).await?;
    }
    Ok(rows.into_iter().map(|row| (attest(row.tenant_id), CallId::from_uuid(row.id))).collect())
}

/// Live calls of this replica whose own heartbeat is older than `stale_before`: begun by a webhook whose media socket
/// never came, or forgotten. Only the replica itself knows which of them it still holds.
pub async fn abandoned_calls(
    tx: &mut SystemTx,
    replica: ReplicaId,
    stale_before: Timestamp,
) -> Result<Vec<(TenantScope, CallId)>, DbError> {
    let rows = sqlx::query!(
        "select tenant_id, id from public.calls
         where ended_at is null and handed_over_at is null and heartbeat_at < $2 and replica_id = $1
         order by heartbeat_at, id",
        replica.uuid(),
        PgTime(stale_before) as _
    )
    .fetch_all(tx.connection())
    .await?;
    Ok(rows.into_iter().map(|row| (attest(row.tenant_id), CallId::from_uuid(row.id))).collect())
}

/// Live calls that were handed to the telephone company before `handed_over_before`. Nobody's heartbeat speaks for them.
/// Close each with [`crate::calls::close_handed_over`].
pub async fn handed_over_calls(
    tx: &mut SystemTx,
    handed_over_before: Timestamp,
) -> Result<Vec<(TenantScope, CallId)>, DbError> {
    let rows = sqlx::query!(
        "select tenant_id, id from public.calls where ended_at is null and handed_over_at < $1
         order by handed_over_at, id",
        PgTime(handed_over_before) as _
    )
    .fetch_all(tx.connection())
    .await?;
    Ok(rows.into_iter().map(|row| (attest(row.tenant_id), CallId::from_uuid(row.id))).collect())
}

/// Forgets replicas that have been silent since `silent_since`; calls they held are orphans with or without the row.
pub async fn forget_replicas(tx: &mut SystemTx, silent_since: Timestamp) -> Result<u64, DbError> {
    let outcome =
        sqlx::query!("delete from platform.replicas where heartbeat_at < $1", PgTime(silent_since) as _)
            .execute(tx.connection())
            .await?;
    Ok(outcome.rows_affected())
}
