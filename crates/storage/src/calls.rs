//! Call records: begun once, held by one replica at a time, ended once.

use crate::{
    DbError, TenantTx,
    names::{self, storable},
    time::{PgTime, stored},
    usage,
};
use jiff::{SignedDuration, Timestamp};
use seiketsu_domain::{AgentId, CallEnd, CallId, EndReason, PhoneNumber, Pii, ReplicaId};
use uuid::Uuid;

/// A call about to begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCall {
    /// Which call.
    pub id: CallId,
    /// The agent that answers.
    pub agent_id: AgentId,
    /// Who calls; `None` when withheld.
    pub from: Option<Pii<PhoneNumber>>,
    /// The number that was dialled.
    pub to: PhoneNumber,
    /// The telephone company's id.
    pub vendor_call_sid: Option<String>,
    /// The replica that holds it.
    pub replica_id: ReplicaId,
    /// Now.
    pub started_at: Timestamp,
}

/// A call record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallRow {
    /// Which call.
    pub id: CallId,
    /// The agent that answered.
    pub agent_id: AgentId,
    /// Who called; `None` when withheld.
    pub from: Option<Pii<PhoneNumber>>,
    /// The number that was dialled.
    pub to: PhoneNumber,
    /// The telephone company's id.
    pub vendor_call_sid: Option<String>,
    /// The replica that holds it, or held it last.
    pub replica_id: ReplicaId,
    /// When it began.
    pub started_at: Timestamp,
    /// When its replica last said that it holds it.
    pub heartbeat_at: Timestamp,
    /// How often it was cut and came back.
    pub resumed: u32,
    /// How it ended; `None` while it is live.
    pub ended: Option<Ended>,
}

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: EndReason,
    /// How many turns were finished, the greeting included.
    pub turns: u32,
}

/// Begins a call record; `false` if this call was begun before, which changes nothing.
pub async fn begin(tx: &mut TenantTx, call: &NewCall) -> Result<bool, DbError> {
    let (connection, tenant) = tx.parts();
    let outcome = sqlx::query!(
        "insert into calls (tenant_id, id, agent_id, caller_number, called_number, vendor_call_sid, replica_id,
                            heartbeat_at, started_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $8)
         on conflict (tenant_id, id) do nothing",
        tenant,
        call.id.uuid(),
        call.agent_id.uuid(),
        call.from.as_ref().map(|number| number.expose().as_str()),
        call.to.as_str(),
        call.vendor_call_sid.as_deref(),
        call.replica_id.uuid(),
        PgTime(call.started_at) as _
    )
    .execute(connection)
    .await?;
    Ok(outcome.rows_affected() == 1)
}

/// The call with an id.
pub async fn get(tx: &mut TenantTx, id: CallId) -> Result<Option<CallRow>, DbError> {
    let (connection, tenant) = tx.parts();
    let row = sqlx::query_as!(
        Row,
        r#"select id, agent_id, caller_number, called_number, vendor_call_sid, replica_id,
                  heartbeat_at as "heartbeat_at: PgTime", started_at as "started_at: PgTime",
                  ended_at as "ended_at: PgTime", end_reason, turns, resumed
           from calls where tenant_id = $1 and id = $2"#,
        tenant,
        id.uuid()
    )
    .fetch_optional(connection)
    .await?;
    row.map(Row::read).transpose()
}

/// Keeps everybody else from adding to the call or ending it until the transaction is over: a turn refers to its call,
/// so that committing one waits for this lock. `false` if there is no such call.
pub async fn lock(tx: &mut TenantTx, id: CallId) -> Result<bool, DbError> {
    let (connection, tenant) = tx.parts();
    let found = sqlx::query_scalar!(
        r#"select 1 as "found!" from calls where tenant_id = $1 and id = $2 for update"#,
        tenant,
        id.uuid()
    )
    .fetch_optional(connection)
    .await?;
    Ok(found.is_some())
}

/// The call that a telephone company's id stands for, within this tenant.
pub async fn by_vendor_call_sid(
    tx: &mut TenantTx,
    vendor_call_sid: &str,
) -> Result<Option<CallRow>, DbError> {
    let (connection, tenant) = tx.parts();
    let row = sqlx::query_as!(
        Row,
        r#"select id, agent_id, caller_number, called_number, vendor_call_sid, replica_id,
                  heartbeat_at as "heartbeat_at: PgTime", started_at as "started_at: PgTime",
                  ended_at as "ended_at: PgTime", end_reason, turns, resumed
           from calls where tenant_id = $1 and vendor_call_sid = $2"#,
        tenant,
        &*storable(vendor_call_sid)
    )
    .fetch_optional(connection)
    .await?;
    row.map(Row::read).transpose()
}

/// Calls, newest first; with `before`, those that are older than that call. Ids are in order of time.
pub async fn list(tx: &mut TenantTx, before: Option<CallId>, limit: u32) -> Result<Vec<CallRow>, DbError> {
    let (connection, tenant) = tx.parts();
    let rows = sqlx::query_as!(
        Row,
        r#"select id, agent_id, caller_number, called_number, vendor_call_sid, replica_id,
                  heartbeat_at as "heartbeat_at: PgTime", started_at as "started_at: PgTime",
                  ended_at as "ended_at: PgTime", end_reason, turns, resumed
           from calls where tenant_id = $1 and ($2::uuid is null or id < $2) order by id desc limit $3"#,
        tenant,
        before.map(CallId::uuid),
        i64::from(limit)
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(Row::read).collect()
}

/// The call is still held; `false` if it has ended or there is none.
pub async fn heartbeat(tx: &mut TenantTx, id: CallId, now: Timestamp) -> Result<bool, DbError> {
    let (connection, tenant) = tx.parts();
    let outcome = sqlx::query!(
        "update calls set heartbeat_at = greatest(heartbeat_at, $3) where tenant_id = $1 and id = $2 and ended_at is null",
        tenant,
        id.uuid(),
        PgTime(now) as _
    )
    .execute(connection)
    .await?;
    Ok(outcome.rows_affected() == 1)
}

/// A cut call comes back, perhaps to another replica, which holds it from now on. `None` if it has ended or there is none.
pub async fn resume(
    tx: &mut TenantTx,
    id: CallId,
    replica: ReplicaId,
    now: Timestamp,
) -> Result<Option<CallRow>, DbError> {
    let (connection, tenant) = tx.parts();
    let row = sqlx::query_as!(
        Row,
        r#"update calls set replica_id = $3, heartbeat_at = greatest(heartbeat_at, $4), resumed = resumed + 1
           where tenant_id = $1 and id = $2 and ended_at is null
           returning id, agent_id, caller_number, called_number, vendor_call_sid, replica_id,
                     heartbeat_at as "heartbeat_at: PgTime", started_at as "started_at: PgTime",
                     ended_at as "ended_at: PgTime", end_reason, turns, resumed"#,
        tenant,
        id.uuid(),
        replica.uuid(),
        PgTime(now) as _
    )
    .fetch_optional(connection)
    .await?;
    row.map(Row::read).transpose()
}

/// Ends a call and writes its one usage record. `true` exactly once, however many ask and however often;
/// [`DbError::Missing`] if there is no such call.
pub async fn end_call(tx: &mut TenantTx, id: CallId, end: &CallEnd) -> Result<bool, DbError> {
    // Later than every heartbeat there can be.
    end_if_stale(tx, id, end, Timestamp::MAX).await
}

/// As [`end_call`], but `false` also if the call has been held or resumed since `stale_before`: what recovery uses, so
/// that it never closes a call which came back between being found and being closed.
pub async fn end_orphan(
    tx: &mut TenantTx,
    id: CallId,
    end: &CallEnd,
    stale_before: Timestamp,
) -> Result<bool, DbError> {
    end_if_stale(tx, id, end, stale_before).await
}

async fn end_if_stale(
    tx: &mut TenantTx,
    id: CallId,
    end: &CallEnd,
    stale_before: Timestamp,
) -> Result<bool, DbError> {
    let (connection, tenant) = tx.parts();
    let call = sqlx::query!(
        r#"select started_at as "started_at: PgTime", heartbeat_at as "heartbeat_at: PgTime",
                  ended_at is not null as "ended!"
           from calls where tenant_id = $1 and id = $2 for update"#,
        tenant,
        id.uuid()
    )
    .fetch_optional(&mut *connection)
    .await?
    .ok_or(DbError::Missing { what: "call" })?;
    if call.ended || call.heartbeat_at.0 >= stale_before {
        return Ok(false);
    }
    let duration = SignedDuration::from_micros(i64::try_from(end.ended_at.as_micros()).unwrap_or(i64::MAX));
    let ended_at = stored(call.started_at.0.saturating_add(duration).unwrap_or(Timestamp::MAX));
    let outcome = sqlx::query!(
        "update calls set ended_at = $3, end_reason = $4, turns = $5
         where tenant_id = $1 and id = $2 and ended_at is null",
        tenant,
        id.uuid(),
        PgTime(ended_at) as _,
        end.reason.name(),
        i32::try_from(end.turns).unwrap_or(i32::MAX)
    )
    .execute(&mut *connection)
    .await?;
    if outcome.rows_affected() != 1 {
        return Err(DbError::Missing { what: "call" });
    }
    usage::insert(tx, id, end, ended_at).await?;
    Ok(true)
}

struct Row {
    id: Uuid,
    agent_id: Uuid,
    caller_number: Option<String>,
    called_number: String,
    vendor_call_sid: Option<String>,
    replica_id: Uuid,
    heartbeat_at: PgTime,
    started_at: PgTime,
    ended_at: Option<PgTime>,
    end_reason: Option<String>,
    turns: Option<i32>,
    resumed: i32,
}

impl Row {
    fn read(self) -> Result<CallRow, DbError> {
        let ended = match (self.ended_at, self.end_reason, self.turns) {
            (Some(at), Some(reason), Some(turns)) => {
                Some(Ended { at: at.0, reason: read_reason(&reason)?, turns: turns.unsigned_abs() })
            }
            // A check constraint keeps the three together.
            (None, _, _) | (_, None, _) | (_, _, None) => None,
        };
        let from = self.caller_number.map(|number| names::read(&number, "phone number")).transpose()?;
        Ok(CallRow {
            id: CallId::from_uuid(self.id),
            agent_id: AgentId::from_uuid(self.agent_id),
            from: from.map(Pii::new),
            to: names::read(&self.called_number, "phone number")?,
            vendor_call_sid: self.vendor_call_sid,
            replica_id: ReplicaId::from_uuid(self.replica_id),
            started_at: self.started_at.0,
            heartbeat_at: self.heartbeat_at.0,
            resumed: self.resumed.unsigned_abs(),
            ended,
        })
    }
}

fn read_reason(text: &str) -> Result<EndReason, DbError> {
    use EndReason::{AgentHungUp, CallerHungUp, Failure, MaxDuration, ReplicaLost, Silence};
    [CallerHungUp, AgentHungUp, MaxDuration, Silence, Failure, ReplicaLost]
        .into_iter()
        .find(|reason| reason.name() == text)
        .ok_or(DbError::Unreadable { what: "end reason" })
}
