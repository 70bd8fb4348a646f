//! Call records: begun once, held by one replica at a time, ended once.

use crate::{
    DbError, TenantTx,
    names::{self, storable},
    time::{PgTime, stored},
    transfers::{self, TransferState},
    turns, usage,
};
use jiff::{SignedDuration, Timestamp};
use seiketsu_domain::{AgentId, CallEnd, CallId, CallTime, EndReason, PhoneNumber, Pii, ReplicaId};
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
    /// The number that was dialled; `None` where none was: it came through the API.
    pub to: Option<PhoneNumber>,
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
    /// The number that was dialled; `None` where none was: it came through the API.
    pub to: Option<PhoneNumber>,
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
    /// When it was handed to the telephone company, which holds it since; `None` while a replica does.
    pub handed_over_at: Option<Timestamp>,
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
        call.to.as_ref().map(PhoneNumber::as_str),
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
                  ended_at as "ended_at: PgTime", end_reason, turns, resumed,
                  handed_over_at as "handed_over_at: PgTime"
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
                  ended_at as "ended_at: PgTime", end_reason, turns, resumed,
                  handed_over_at as "handed_over_at: PgTime"
           from calls where tenant_id = $1 and vendor_call_sid = $2"#,
        tenant,
        &*storable(vendor_call_sid)
    )
    .fetch_optional(connection)
    .await?;
    row.map(Row::read).transpose()
}

/// Which calls are asked for; everything left out matches everything.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CallFilter {
    /// Those that this agent answered.
    pub agent_id: Option<AgentId>,
    /// Those that are live (`true`) or have ended (`false`).
    pub live: Option<bool>,
    /// Those from this number.
    pub from: Option<PhoneNumber>,
    /// Those that began at this time or later.
    pub since: Option<Timestamp>,
    /// Those that began before this time.
    pub until: Option<Timestamp>,
}

/// Calls that match, newest first; with `before`, those that are older than that call. Ids are in order of time.
pub async fn list(
    tx: &mut TenantTx,
    filter: &CallFilter,
    before: Option<CallId>,
    limit: u32,
) -> Result<Vec<CallRow>, DbError> {
    let (connection, tenant) = tx.parts();
    let rows = sqlx::query_as!(
        Row,
        r#"select id, agent_id, caller_number, called_number, vendor_call_sid, replica_id,
                  heartbeat_at as "heartbeat_at: PgTime", started_at as "started_at: PgTime",
                  ended_at as "ended_at: PgTime", end_reason, turns, resumed,
                  handed_over_at as "handed_over_at: PgTime"
           from calls
           where tenant_id = $1 and ($2::uuid is null or id < $2)
             and ($3::uuid is null or agent_id = $3) and ($4::boolean is null or (ended_at is null) = $4)
             and ($5::text is null or caller_number = $5)
             and ($6::timestamptz is null or started_at >= $6) and ($7::timestamptz is null or started_at < $7)
           order by id desc limit $8"#,
        tenant,
        before.map(CallId::uuid),
        filter.agent_id.map(AgentId::uuid),
        filter.live,
        filter.from.as_ref().map(PhoneNumber::as_str),
        filter.since.map(PgTime) as _,
        filter.until.map(PgTime) as _,
        i64::from(limit)
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(Row::read).collect()
}

/// The live calls of the tenant, newest first, each with how many turns of it are finished.
pub async fn live(tx: &mut TenantTx, limit: u32) -> Result<Vec<(CallId, u32)>, DbError> {
    let (connection, tenant) = tx.parts();
    let rows = sqlx::query!(
        r#"select id, (select count(*) from turns where tenant_id = $1 and call_id = calls.id) as "turns!"
           from calls where tenant_id = $1 and ended_at is null order by id desc limit $2"#,
        tenant,
        i64::from(limit)
    )
    .fetch_all(connection)
    .await?;
    let turns = |turns: i64| u32::try_from(turns).unwrap_or(u32::MAX);
    Ok(rows.into_iter().map(|row| (CallId::from_uuid(row.id), turns(row.turns))).collect())
}

/// The call is still held; `false` if it has ended or there is none.
///
/// A beat that comes well after a hand-over says that the call was not handed over after all: the hand-over was written
/// when nobody waited for it any more.
pub async fn heartbeat(tx: &mut TenantTx, id: CallId, now: Timestamp) -> Result<bool, DbError> {
    let (connection, tenant) = tx.parts();
    let outcome = sqlx::query!(
        "update calls set heartbeat_at = greatest(heartbeat_at, $3),
                          handed_over_at = case when handed_over_at >= $3::timestamptz - interval '10 seconds' then handed_over_at end
         where tenant_id = $1 and id = $2 and ended_at is null",
        tenant,
        id.uuid(),
        PgTime(now) as _
    )
    .execute(connection)
    .await?;
    Ok(outcome.rows_affected() == 1)
}

/// The telephone company holds the call from now on; `false` if it has ended or there is none. Recovery leaves it alone
/// until it is [`resume`]d, or closed with [`close`].
pub async fn hand_over(tx: &mut TenantTx, id: CallId, now: Timestamp) -> Result<bool, DbError> {
    let (connection, tenant) = tx.parts();
    let outcome = sqlx::query!(
        "update calls set handed_over_at = $3, heartbeat_at = greatest(heartbeat_at, $3)
         where tenant_id = $1 and id = $2 and ended_at is null",
        tenant,
        id.uuid(),
        PgTime(now) as _
    )
    .execute(connection)
    .await?;
    Ok(outcome.rows_affected() == 1)
}

/// A cut call, or one that was handed over, comes back, perhaps to another replica, which holds it from now on. `None` if
/// it has ended or there is none.
pub async fn resume(
    tx: &mut TenantTx,
    id: CallId,
    replica: ReplicaId,
    now: Timestamp,
) -> Result<Option<CallRow>, DbError> {
    let (connection, tenant) = tx.parts();
    let row = sqlx::query_as!(
        Row,
        r#"update calls set replica_id = $3, heartbeat_at = greatest(heartbeat_at, $4), resumed = resumed + 1,
                            handed_over_at = null
           where tenant_id = $1 and id = $2 and ended_at is null
           returning id, agent_id, caller_number, called_number, vendor_call_sid, replica_id,
                     heartbeat_at as "heartbeat_at: PgTime", started_at as "started_at: PgTime",
                     ended_at as "ended_at: PgTime", end_reason, turns, resumed,
                  handed_over_at as "handed_over_at: PgTime""#,
        tenant,
        id.uuid(),
        replica.uuid(),
        PgTime(now) as _
    )
    .fetch_optional(connection)
    .await?;
    row.map(Row::read).transpose()
}

/// Ends a call and writes its one usage record; a transfer that is still open ends with it. `true` exactly once, however
/// many ask and however often; [`DbError::Missing`] if there is no such call.
pub async fn end_call(tx: &mut TenantTx, id: CallId, end: &CallEnd) -> Result<bool, DbError> {
    end_unless(tx, id, end, |_| false).await
}

/// As [`end_call`], but `false` also if the call has been held or resumed since `stale_before`, or was handed over: what
/// recovery uses, so that it never closes a call which came back between being found and being closed.
pub async fn end_orphan(
    tx: &mut TenantTx,
    id: CallId,
    end: &CallEnd,
    stale_before: Timestamp,
) -> Result<bool, DbError> {
    end_unless(tx, id, end, |call| call.handed_over_at.is_some() || call.heartbeat_at.0 >= stale_before).await
}

/// Ends a call that no session ends, at `ended_at`, with what its committed turns add up to; `false` if it has ended
/// before or there is none. For whoever knows from the telephone company that it is over.
pub async fn close(
    tx: &mut TenantTx,
    id: CallId,
    reason: EndReason,
    ended_at: Timestamp,
) -> Result<bool, DbError> {
    let Some(end) = added_up(tx, id, reason, Some(ended_at)).await? else { return Ok(false) };
    end_call(tx, id, &end).await
}

/// As [`close`] for a call that nobody holds, if it was last held before `stale_before`: it ended when it was last held,
/// or with its last turn, whichever was later.
pub async fn close_orphan(
    tx: &mut TenantTx,
    id: CallId,
    reason: EndReason,
    stale_before: Timestamp,
) -> Result<bool, DbError> {
    let Some(end) = added_up(tx, id, reason, None).await? else { return Ok(false) };
    end_orphan(tx, id, &end, stale_before).await
}

/// As [`close`] for a call that was handed over before `handed_over_before` and of which nothing was heard since: for all
/// we know it ended then.
pub async fn close_handed_over(
    tx: &mut TenantTx,
    id: CallId,
    handed_over_before: Timestamp,
) -> Result<bool, DbError> {
    let Some(end) = added_up(tx, id, EndReason::Transferred, None).await? else { return Ok(false) };
    end_unless(tx, id, &end, |call| call.handed_over_at.is_none_or(|at| at.0 >= handed_over_before)).await
}

/// The end of a live call by what its committed turns add up to. Locks the call first: a writer that wakes up now commits
/// before, and is counted here, or after, and is added then.
async fn added_up(
    tx: &mut TenantTx,
    id: CallId,
    reason: EndReason,
    ended_at: Option<Timestamp>,
) -> Result<Option<CallEnd>, DbError> {
    if !lock(tx, id).await? {
        return Ok(None);
    }
    let Some(call) = get(tx, id).await?.filter(|call| call.ended.is_none()) else { return Ok(None) };
    let committed = turns::committed(tx, id).await?;
    let known = ended_at.unwrap_or(call.heartbeat_at);
    let since_start = known.duration_since(call.started_at).as_micros();
    let since_start = CallTime::from_micros(u64::try_from(since_start).unwrap_or(0));
    Ok(Some(CallEnd {
        reason,
        ended_at: committed.last_finished_at.max(since_start),
        turns: committed.turns,
        usage: committed.usage,
    }))
}

/// What decides whether a live call may be ended.
struct Live {
    started_at: PgTime,
    heartbeat_at: PgTime,
    handed_over_at: Option<PgTime>,
    ended: bool,
}

async fn end_unless(
    tx: &mut TenantTx,
    id: CallId,
    end: &CallEnd,
    keep: impl Fn(&Live) -> bool,
) -> Result<bool, DbError> {
    let (connection, tenant) = tx.parts();
    let call = sqlx::query_as!(
        Live,
        r#"select started_at as "started_at: PgTime", heartbeat_at as "heartbeat_at: PgTime",
                  handed_over_at as "handed_over_at: PgTime", ended_at is not null as "ended!"
           from calls where tenant_id = $1 and id = $2 for update"#,
        tenant,
        id.uuid()
    )
    .fetch_optional(&mut *connection)
    .await?
    .ok_or(DbError::Missing { what: "call" })?;
    if call.ended || keep(&call) {
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
    // Nobody waits for a person on a call that is over.
    transfers::finish(tx, id, TransferState::Abandoned, ended_at).await?;
    Ok(true)
}

struct Row {
    id: Uuid,
    agent_id: Uuid,
    caller_number: Option<String>,
    called_number: Option<String>,
    vendor_call_sid: Option<String>,
    replica_id: Uuid,
    heartbeat_at: PgTime,
    started_at: PgTime,
    ended_at: Option<PgTime>,
    end_reason: Option<String>,
    turns: Option<i32>,
    resumed: i32,
    handed_over_at: Option<PgTime>,
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
            to: self.called_number.map(|number| names::read(&number, "phone number")).transpose()?,
            vendor_call_sid: self.vendor_call_sid,
            replica_id: ReplicaId::from_uuid(self.replica_id),
            started_at: self.started_at.0,
            heartbeat_at: self.heartbeat_at.0,
            resumed: self.resumed.unsigned_abs(),
            handed_over_at: self.handed_over_at.map(|at| at.0),
            ended,
        })
    }
}

fn read_reason(text: &str) -> Result<EndReason, DbError> {
    use EndReason::{AgentHungUp, CallerHungUp, Failure, MaxDuration, ReplicaLost, Silence, Transferred};
    [CallerHungUp, AgentHungUp, MaxDuration, Silence, Transferred, Failure, ReplicaLost]
        .into_iter()
        .find(|reason| reason.name() == text)
        .ok_or(DbError::Unreadable { what: "end reason" })
}
