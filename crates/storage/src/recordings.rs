//! Recordings of calls: one row per part, and the tenants' keys. The sound is elsewhere, encrypted.
//!
//! A part is named by its call and its number. Rows are never removed: a deleted recording keeps its row without the
//! key, which says that there was one, when it went and why.

use crate::{
    DbError, SystemTx, TenantTx,
    names::{self, named},
    time::PgTime,
};
use jiff::Timestamp;
use seiketsu_domain::{AudioFormat, CallId, TenantScope};
use std::time::Duration;
use uuid::Uuid;

named! {
    /// How far a part of a recording is.
    "recording state" RecordingState {
        /// It is being written, or its writer died and nobody has noticed yet.
        Recording = "recording",
        /// It was written to its end.
        Complete = "complete",
        /// Its writer died or gave up; what it had sealed is there.
        Incomplete = "incomplete",
        /// Its key is gone.
        Deleted = "deleted",
    }
}

named! {
    /// Why a recording was deleted.
    "deletion reason" DeletionReason {
        /// It was kept as long as its tenant keeps recordings.
        Retention = "retention",
        /// The caller took the assent back during the call.
        Withdrawn = "withdrawn",
        /// Somebody asked for it.
        Requested = "requested",
    }
}

/// A part about to be recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRecording {
    /// The call.
    pub call_id: CallId,
    /// Which part of it, see [`next_part`].
    pub part: u32,
    /// The form of each of its two channels.
    pub format: AudioFormat,
    /// Now.
    pub started_at: Timestamp,
    /// When it is to be deleted.
    pub retention_until: Timestamp,
    /// Where its chunks are.
    pub location: String,
    /// Its data key, wrapped.
    pub wrapped_key: Vec<u8>,
}

/// How much of a part there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Extent {
    /// Sealed chunks.
    pub chunks: u32,
    /// The bytes they take up.
    pub bytes: u64,
    /// How long they sound, in milliseconds.
    pub duration_ms: u64,
}

/// A part of a recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordingRow {
    /// The call.
    pub call_id: CallId,
    /// Which part of it.
    pub part: u32,
    /// The form of each of its two channels.
    pub format: AudioFormat,
    /// How far it is.
    pub state: RecordingState,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended, once that is known.
    pub ended_at: Option<Timestamp>,
    /// How much of it there is, once that is known.
    pub extent: Option<Extent>,
    /// Where its chunks are.
    pub location: String,
    /// Its data key, wrapped; `None` once it is deleted.
    pub wrapped_key: Option<Vec<u8>>,
    /// When it is to be deleted.
    pub retention_until: Timestamp,
    /// When and why it was deleted.
    pub deleted: Option<(Timestamp, DeletionReason)>,
}

/// Chunks that may be removed: their recording is deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remains {
    /// The call.
    pub call_id: CallId,
    /// Which part of it.
    pub part: u32,
    /// Where its chunks are.
    pub location: String,
}

/// The number of the call's next part.
pub async fn next_part(tx: &mut TenantTx, call: CallId) -> Result<u32, DbError> {
    let (connection, tenant) = tx.parts();
    let next = sqlx::query_scalar!(
        r#"select coalesce(max(part) + 1, 0) as "next!" from recordings where tenant_id = $1 and call_id = $2"#,
        tenant,
        call.uuid()
    )
    .fetch_one(connection)
    .await?;
    Ok(next.unsigned_abs())
}

/// Begins a part. [`DbError::Conflict`] if the call has that part already.
pub async fn insert(tx: &mut TenantTx, new: &NewRecording) -> Result<(), DbError> {
    let (connection, tenant) = tx.parts();
    sqlx::query!(
        "insert into recordings (tenant_id, call_id, part, format, state, started_at, location, wrapped_key, retention_until)
         values ($1, $2, $3, $4, 'recording', $5, $6, $7, $8)",
        tenant,
        new.call_id.uuid(),
        number(new.part),
        format_name(new.format),
        PgTime(new.started_at) as _,
        new.location,
        new.wrapped_key,
        PgTime(new.retention_until) as _
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// A part has ended, `complete` or not. `false` if it is complete already, was deleted, or never was.
pub async fn close(
    tx: &mut TenantTx,
    call: CallId,
    part: u32,
    complete: bool,
    extent: Extent,
    ended_at: Timestamp,
) -> Result<bool, DbError> {
    let (connection, tenant) = tx.parts();
    let state = if complete { RecordingState::Complete } else { RecordingState::Incomplete };
    let outcome = sqlx::query!(
        "update recordings set state = $4, ended_at = $5, chunks = $6, bytes = $7, duration_ms = $8
         where tenant_id = $1 and call_id = $2 and part = $3 and state in ('recording', 'incomplete')",
        tenant,
        call.uuid(),
        number(part),
        state.name(),
        PgTime(ended_at) as _,
        number(extent.chunks),
        i64::try_from(extent.bytes).unwrap_or(i64::MAX),
        i64::try_from(extent.duration_ms).unwrap_or(i64::MAX)
    )
    .execute(connection)
    .await?;
    Ok(outcome.rows_affected() == 1)
}

/// One part.
pub async fn get(tx: &mut TenantTx, call: CallId, part: u32) -> Result<Option<RecordingRow>, DbError> {
    let (connection, tenant) = tx.parts();
    let row = sqlx::query_as!(
        Row,
        r#"select call_id, part, format, state, started_at as "started_at: PgTime", ended_at as "ended_at: PgTime",
                  chunks, bytes, duration_ms, location, wrapped_key, retention_until as "retention_until: PgTime",
                  deleted_at as "deleted_at: PgTime", deletion_reason
           from recordings where tenant_id = $1 and call_id = $2 and part = $3"#,
        tenant,
        call.uuid(),
        number(part)
    )
    .fetch_optional(connection)
    .await?;
    row.map(Row::read).transpose()
}

/// All parts of a call, in order.
pub async fn of_call(tx: &mut TenantTx, call: CallId) -> Result<Vec<RecordingRow>, DbError> {
    let (connection, tenant) = tx.parts();
    let rows = sqlx::query_as!(
        Row,
        r#"select call_id, part, format, state, started_at as "started_at: PgTime", ended_at as "ended_at: PgTime",
                  chunks, bytes, duration_ms, location, wrapped_key, retention_until as "retention_until: PgTime",
                  deleted_at as "deleted_at: PgTime", deletion_reason
           from recordings where tenant_id = $1 and call_id = $2 order by part"#,
        tenant,
        call.uuid()
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(Row::read).collect()
}

/// Calls that were recorded, newest first; with `before`, those that are older than that call. Ids are in order of time.
pub async fn calls(tx: &mut TenantTx, before: Option<CallId>, limit: u32) -> Result<Vec<CallId>, DbError> {
    let (connection, tenant) = tx.parts();
    let calls = sqlx::query_scalar!(
        "select distinct call_id from recordings where tenant_id = $1 and ($2::uuid is null or call_id < $2)
         order by call_id desc limit $3",
        tenant,
        before.map(CallId::uuid),
        i64::from(limit)
    )
    .fetch_all(connection)
    .await?;
    Ok(calls.into_iter().map(CallId::from_uuid).collect())
}

/// Deletes a part: its key goes, its row stays, its chunks may be removed. `false` if that was done before, or there is
/// none.
pub async fn forget(
    tx: &mut TenantTx,
    call: CallId,
    part: u32,
    reason: DeletionReason,
    at: Timestamp,
) -> Result<bool, DbError> {
    let (connection, tenant) = tx.parts();
    let outcome = sqlx::query!(
        "update recordings set state = 'deleted', wrapped_key = null, deleted_at = $5, deletion_reason = $4
         where tenant_id = $1 and call_id = $2 and part = $3 and state <> 'deleted'",
        tenant,
        call.uuid(),
        number(part),
        reason.name(),
        PgTime(at) as _
    )
    .execute(connection)
    .await?;
    Ok(outcome.rows_affected() == 1)
}

/// Deletes parts that are past their retention, at most so many; returns how many.
pub async fn forget_expired(tx: &mut TenantTx, now: Timestamp, limit: u32) -> Result<u64, DbError> {
    let (connection, tenant) = tx.parts();
    let outcome = sqlx::query!(
        "update recordings set state = 'deleted', wrapped_key = null, deleted_at = $2, deletion_reason = 'retention'
         where (tenant_id, call_id, part) in (
             select tenant_id, call_id, part from recordings
             where tenant_id = $1 and state <> 'deleted' and retention_until <= $2
             order by retention_until limit $3 for update skip locked)",
        tenant,
        PgTime(now) as _,
        i64::from(limit)
    )
    .execute(connection)
    .await?;
    Ok(outcome.rows_affected())
}

/// Deleted parts whose chunks were not removed yet, at most so many.
pub async fn unpurged(tx: &mut TenantTx, limit: u32) -> Result<Vec<Remains>, DbError> {
    let (connection, tenant) = tx.parts();
    let rows = sqlx::query!(
        "select call_id, part, location from recordings
         where tenant_id = $1 and state = 'deleted' and purged_at is null order by deleted_at, call_id, part limit $2",
        tenant,
        i64::from(limit)
    )
    .fetch_all(connection)
    .await?;
    let remains = |(call, part, location): (Uuid, i32, String)| Remains {
        call_id: CallId::from_uuid(call),
        part: part.unsigned_abs(),
        location,
    };
    Ok(rows.into_iter().map(|row| remains((row.call_id, row.part, row.location))).collect())
}

/// The chunks of a deleted part have been removed.
pub async fn purged(tx: &mut TenantTx, call: CallId, part: u32, at: Timestamp) -> Result<(), DbError> {
    let (connection, tenant) = tx.parts();
    let outcome = sqlx::query!(
        "update recordings set purged_at = coalesce(purged_at, $4)
         where tenant_id = $1 and call_id = $2 and part = $3 and state = 'deleted'",
        tenant,
        call.uuid(),
        number(part),
        PgTime(at) as _
    )
    .execute(connection)
    .await?;
    if outcome.rows_affected() == 1 { Ok(()) } else { Err(DbError::Missing { what: "deleted recording" }) }
}

/// Parts that are still `recording` although nobody writes them any more: their call has ended, has not been held, or
/// has a later part, each since before `stale_before`. At most so many.
pub async fn orphaned(
    tx: &mut TenantTx,
    stale_before: Timestamp,
    limit: u32,
) -> Result<Vec<RecordingRow>, DbError> {
    let (connection, tenant) = tx.parts();
    let rows = sqlx::query_as!(
        Row,
        r#"select part.call_id, part.part, part.format, part.state, part.started_at as "started_at: PgTime",
                  part.ended_at as "ended_at: PgTime", part.chunks, part.bytes, part.duration_ms, part.location,
                  part.wrapped_key, part.retention_until as "retention_until: PgTime",
                  part.deleted_at as "deleted_at: PgTime", part.deletion_reason
           from recordings part
           join calls call on call.tenant_id = part.tenant_id and call.id = part.call_id
           where part.tenant_id = $1 and call.tenant_id = $1 and part.state = 'recording' and part.started_at < $2
             and (call.ended_at < $2 or call.heartbeat_at < $2
                  or exists (select from recordings later
                             where later.tenant_id = $1 and later.call_id = part.call_id
                               and later.part > part.part and later.started_at < $2))
           order by part.started_at, part.call_id, part.part limit $3"#,
        tenant,
        PgTime(stale_before) as _,
        i64::from(limit)
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(Row::read).collect()
}

/// A tenant's key, wrapped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TenantKey {
    /// As it was stored.
    Wrapped(Vec<u8>),
    /// It was destroyed; the tenant gets no other one.
    Destroyed,
}

/// The tenant's key, if it has ever had one.
pub async fn tenant_key(tx: &mut SystemTx, scope: &TenantScope) -> Result<Option<TenantKey>, DbError> {
    let wrapped = sqlx::query_scalar!(
        "select wrapped from platform.tenant_keys where tenant_id = $1",
        scope.tenant_id().uuid()
    )
    .fetch_optional(tx.connection())
    .await?;
    Ok(wrapped.map(|wrapped| wrapped.map_or(TenantKey::Destroyed, TenantKey::Wrapped)))
}

/// Gives the tenant a key, unless it has ever had one; returns the one that counts.
pub async fn put_tenant_key(
    tx: &mut SystemTx,
    scope: &TenantScope,
    wrapped: &[u8],
    at: Timestamp,
) -> Result<TenantKey, DbError> {
    let outcome = sqlx::query!(
        "insert into platform.tenant_keys (tenant_id, wrapped, created_at) values ($1, $2, $3)
         on conflict (tenant_id) do nothing",
        scope.tenant_id().uuid(),
        wrapped,
        PgTime(at) as _
    )
    .execute(tx.connection())
    .await?;
    if outcome.rows_affected() == 1 {
        tx.audit(serde_json::json!({"created_tenant_key": scope.tenant_id()})).await?;
    }
    tenant_key(tx, scope).await?.ok_or(DbError::Missing { what: "tenant key" })
}

/// Destroys the tenant's key for good; `false` if it has none any more.
pub async fn destroy_tenant_key(
    tx: &mut SystemTx,
    scope: &TenantScope,
    at: Timestamp,
) -> Result<bool, DbError> {
    let outcome = sqlx::query!(
        "update platform.tenant_keys set wrapped = null, destroyed_at = $2
         where tenant_id = $1 and destroyed_at is null",
        scope.tenant_id().uuid(),
        PgTime(at) as _
    )
    .execute(tx.connection())
    .await?;
    let destroyed = outcome.rows_affected() == 1;
    if destroyed {
        tx.audit(serde_json::json!({"destroyed_tenant_key": scope.tenant_id()})).await?;
    }
    Ok(destroyed)
}

/// Evidence of a sweep of one tenant's recordings, in the audit of system access.
pub async fn audit_sweep(
    tx: &mut SystemTx,
    scope: &TenantScope,
    deleted: u64,
    purged: u64,
    incomplete: u64,
) -> Result<(), DbError> {
    let counts = serde_json::json!({
        "tenant": scope.tenant_id(),
        "recordings_deleted": deleted,
        "recordings_purged": purged,
        "recordings_incomplete": incomplete,
    });
    tx.audit(counts).await
}

/// Evidence that somebody listened to a part.
pub async fn audit_read(tx: &mut SystemTx, call: CallId, part: u32) -> Result<(), DbError> {
    tx.audit(serde_json::json!({"recording_read": call, "part": part})).await
}

struct Row {
    call_id: Uuid,
    part: i32,
    format: String,
    state: String,
    started_at: PgTime,
    ended_at: Option<PgTime>,
    chunks: Option<i32>,
    bytes: Option<i64>,
    duration_ms: Option<i64>,
    location: String,
    wrapped_key: Option<Vec<u8>>,
    retention_until: PgTime,
    deleted_at: Option<PgTime>,
    deletion_reason: Option<String>,
}

impl Row {
    fn read(self) -> Result<RecordingRow, DbError> {
        let extent = match (self.chunks, self.bytes, self.duration_ms) {
            (Some(chunks), Some(bytes), Some(duration_ms)) => Some(Extent {
                chunks: chunks.unsigned_abs(),
                bytes: bytes.unsigned_abs(),
                duration_ms: duration_ms.unsigned_abs(),
            }),
            // They are written together.
            (None, _, _) | (_, None, _) | (_, _, None) => None,
        };
        let deleted = match (self.deleted_at, self.deletion_reason) {
            (Some(at), Some(reason)) => Some((at.0, names::read(&reason, "deletion reason")?)),
            // A check constraint keeps the two together.
            (None, _) | (_, None) => None,
        };
        Ok(RecordingRow {
            call_id: CallId::from_uuid(self.call_id),
            part: self.part.unsigned_abs(),
            format: read_format(&self.format)?,
            state: names::read(&self.state, "recording state")?,
            started_at: self.started_at.0,
            ended_at: self.ended_at.map(|at| at.0),
            extent,
            location: self.location,
            wrapped_key: self.wrapped_key,
            retention_until: self.retention_until.0,
            deleted,
        })
    }
}

impl Extent {
    /// How long it sounds.
    pub const fn duration(&self) -> Duration {
        Duration::from_millis(self.duration_ms)
    }
}

fn number(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

const fn format_name(format: AudioFormat) -> &'static str {
    match format {
        AudioFormat::Mulaw8k => "mulaw8k",
        AudioFormat::Alaw8k => "alaw8k",
        AudioFormat::Pcm16k => "pcm16k",
        AudioFormat::Pcm24k => "pcm24k",
    }
}

fn read_format(text: &str) -> Result<AudioFormat, DbError> {
    use AudioFormat::{Alaw8k, Mulaw8k, Pcm16k, Pcm24k};
    [Mulaw8k, Alaw8k, Pcm16k, Pcm24k]
        .into_iter()
        .find(|format| format_name(*format) == text)
        .ok_or(DbError::Unreadable { what: "audio format" })
}
