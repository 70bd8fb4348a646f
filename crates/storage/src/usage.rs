//! What calls consumed: one record each, written in the transaction that ends the call. It grows when a turn is committed
//! later than that, and never shrinks.

use crate::{DbError, TenantTx, time::PgTime};
use jiff::Timestamp;
use seiketsu_domain::{CallEnd, CallId, TurnRecord, Usage};
use std::time::Duration;

/// The usage record of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UsageRecord {
    /// The call.
    pub call_id: CallId,
    /// When it ended.
    pub ended_at: Timestamp,
    /// How long it was.
    pub duration: Duration,
    /// How many turns were finished.
    pub turns: u32,
    /// What it consumed.
    pub usage: Usage,
}

/// What a tenant consumed in a span of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct UsageTotal {
    /// Calls that ended in it.
    pub calls: u64,
    /// Their duration in all.
    pub duration: Duration,
    /// What they consumed.
    pub usage: Usage,
}

/// The usage record of a call; `None` while it is live, or if there is no such call.
pub async fn of_call(tx: &mut TenantTx, call_id: CallId) -> Result<Option<UsageRecord>, DbError> {
    let (connection, tenant) = tx.parts();
    let row = sqlx::query!(
        r#"select ended_at as "ended_at: PgTime", duration_ms, turns, recognised_ms, input_tokens, output_tokens,
                  synthesised_characters, playout_ms
           from usage_records where tenant_id = $1 and call_id = $2"#,
        tenant,
        call_id.uuid()
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|row| UsageRecord {
        call_id,
        ended_at: row.ended_at.0,
        duration: Duration::from_millis(row.duration_ms.unsigned_abs()),
        turns: row.turns.unsigned_abs(),
        usage: Usage {
            recognised_ms: row.recognised_ms.unsigned_abs(),
            input_tokens: row.input_tokens.unsigned_abs(),
            output_tokens: row.output_tokens.unsigned_abs(),
            synthesised_characters: row.synthesised_characters.unsigned_abs(),
            playout_ms: row.playout_ms.unsigned_abs(),
        },
    }))
}

/// What calls that ended in `from..until` consumed.
pub async fn between(tx: &mut TenantTx, from: Timestamp, until: Timestamp) -> Result<UsageTotal, DbError> {
    let (connection, tenant) = tx.parts();
    let row = sqlx::query!(
        r#"select count(*) as "calls!", coalesce(sum(duration_ms), 0)::bigint as "duration_ms!",
                  coalesce(sum(recognised_ms), 0)::bigint as "recognised_ms!",
                  coalesce(sum(input_tokens), 0)::bigint as "input_tokens!",
                  coalesce(sum(output_tokens), 0)::bigint as "output_tokens!",
                  coalesce(sum(synthesised_characters), 0)::bigint as "synthesised_characters!",
                  coalesce(sum(playout_ms), 0)::bigint as "playout_ms!"
           from usage_records where tenant_id = $1 and ended_at >= $2 and ended_at < $3"#,
        tenant,
        PgTime(from) as _,
        PgTime(until) as _
    )
    .fetch_one(connection)
    .await?;
    Ok(UsageTotal {
        calls: row.calls.unsigned_abs(),
        duration: Duration::from_millis(row.duration_ms.unsigned_abs()),
        usage: Usage {
            recognised_ms: row.recognised_ms.unsigned_abs(),
            input_tokens: row.input_tokens.unsigned_abs(),
            output_tokens: row.output_tokens.unsigned_abs(),
            synthesised_characters: row.synthesised_characters.unsigned_abs(),
            playout_ms: row.playout_ms.unsigned_abs(),
        },
    })
}

pub(crate) async fn insert(
    tx: &mut TenantTx,
    call_id: CallId,
    end: &CallEnd,
    ended_at: Timestamp,
) -> Result<(), DbError> {
    let (connection, tenant) = tx.parts();
    sqlx::query!(
        "insert into usage_records (tenant_id, call_id, ended_at, duration_ms, turns, recognised_ms, input_tokens,
                                    output_tokens, synthesised_characters, playout_ms)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        tenant,
        call_id.uuid(),
        PgTime(ended_at) as _,
        count(end.ended_at.as_millis()),
        i32::try_from(end.turns).unwrap_or(i32::MAX),
        count(end.usage.recognised_ms),
        count(end.usage.input_tokens),
        count(end.usage.output_tokens),
        count(end.usage.synthesised_characters),
        count(end.usage.playout_ms)
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Adds a turn that was committed after its call had been closed.
pub(crate) async fn add_turn(
    tx: &mut TenantTx,
    call_id: CallId,
    turn: &TurnRecord,
    ended_at: Timestamp,
) -> Result<(), DbError> {
    let (connection, tenant) = tx.parts();
    let outcome = sqlx::query!(
        "update usage_records set turns = turns + 1, ended_at = $3, duration_ms = greatest(duration_ms, $4),
                recognised_ms = recognised_ms + $5, input_tokens = input_tokens + $6,
                output_tokens = output_tokens + $7, synthesised_characters = synthesised_characters + $8,
                playout_ms = playout_ms + $9
         where tenant_id = $1 and call_id = $2",
        tenant,
        call_id.uuid(),
        PgTime(ended_at) as _,
        count(turn.finished_at.as_millis()),
        count(turn.usage.recognised_ms),
        count(turn.usage.input_tokens),
        count(turn.usage.output_tokens),
        count(turn.usage.synthesised_characters),
        count(turn.usage.playout_ms)
    )
    .execute(connection)
    .await?;
    if outcome.rows_affected() == 1 { Ok(()) } else { Err(DbError::Missing { what: "usage record" }) }
}

/// A count as `bigint` keeps it.
pub(crate) fn count(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
