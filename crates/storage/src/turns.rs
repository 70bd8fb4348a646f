//! Finished turns with their messages and tool runs: committed while the call goes on, written once.

use crate::{
    DbError, TenantTx,
    names::{storable, storable_json},
    time::PgTime,
    usage::{self, count},
};
use seiketsu_domain::{CallId, CallTime, Message, ToolRun, TurnOutcome, TurnRecord, Usage};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use std::collections::BTreeMap;

/// What the committed turns of a call add up to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Committed {
    /// How many there are, the greeting included.
    pub turns: u32,
    /// When the last of them was over.
    pub last_finished_at: CallTime,
    /// What they consumed.
    pub usage: Usage,
}

/// Commits a finished turn with its messages and tool runs; `false` if this number was committed before, which changes
/// nothing. [`DbError::BrokenReference`] if there is no such call.
///
/// A turn of a call that was closed in the meantime (it waited for the database, or came from a replica that was taken
/// for dead) is added to the call's record and to its usage.
pub async fn commit_turn(tx: &mut TenantTx, call_id: CallId, turn: &TurnRecord) -> Result<bool, DbError> {
    let number = small(turn.number);
    let timeline = to_json(&turn.timeline)?;
    let acknowledgement = turn.acknowledgement.as_deref().map(storable);
    let (connection, tenant) = tx.parts();
    let outcome = sqlx::query!(
        "insert into turns (tenant_id, call_id, number, caller_text, generated_text, heard_text, acknowledgement,
                            started_at_us, finished_at_us, outcome, timeline, first_audible_ms, first_substantive_ms,
                            recognised_ms, input_tokens, output_tokens, synthesised_characters, playout_ms)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
         on conflict (tenant_id, call_id, number) do nothing",
        tenant,
        call_id.uuid(),
        number,
        &*storable(turn.caller_text.expose()),
        &*storable(turn.generated_text.expose()),
        &*storable(turn.heard_text.expose()),
        acknowledgement.as_deref(),
        count(turn.started_at.as_micros()),
        count(turn.finished_at.as_micros().max(turn.started_at.as_micros())),
        turn.outcome.name(),
        timeline,
        turn.timeline.first_audible_ms().map(count),
        turn.timeline.first_substantive_ms().map(count),
        count(turn.usage.recognised_ms),
        count(turn.usage.input_tokens),
        count(turn.usage.output_tokens),
        count(turn.usage.synthesised_characters),
        count(turn.usage.playout_ms)
    )
    .execute(&mut *connection)
    .await?;
    if outcome.rows_affected() == 0 {
        return Ok(false);
    }
    add_to_ended_call(tx, call_id, turn).await?;
    let (connection, tenant) = tx.parts();
    if !turn.messages.is_empty() {
        let messages = turn.messages.iter().map(to_json).collect::<Result<Vec<_>, _>>()?;
        let outcome = sqlx::query!(
            "insert into messages (tenant_id, call_id, turn_number, position, body)
             select $1, $2, $3, ordinality - 1, body from unnest($4::jsonb[]) with ordinality as message (body, ordinality)",
            tenant,
            call_id.uuid(),
            number,
            &messages
        )
        .execute(&mut *connection)
        .await?;
        assert_written(outcome.rows_affected(), messages.len())?;
    }
    if !turn.tools.is_empty() {
        let runs = to_json(&turn.tools)?;
        let outcome = sqlx::query!(
            "insert into tool_runs (tenant_id, call_id, turn_number, number, request, name, arguments, asked_at_us,
                                    finished_at_us, outcome)
             select $1, $2, $3, number, request, name, arguments, asked_at, finished_at, nullif(outcome, 'null'::jsonb)
             from jsonb_to_recordset($4) as run (number integer, request text, name text, arguments text,
                                                 asked_at bigint, finished_at bigint, outcome jsonb)",
            tenant,
            call_id.uuid(),
            number,
            runs
        )
        .execute(&mut *connection)
        .await?;
        assert_written(outcome.rows_affected(), turn.tools.len())?;
    }
    Ok(true)
}

/// The turn refers to its call, so that whoever closes the call at this moment either waits for us and counts the turn, or
/// is done, and what it counted lacks the turn.
async fn add_to_ended_call(tx: &mut TenantTx, call_id: CallId, turn: &TurnRecord) -> Result<(), DbError> {
    let (connection, tenant) = tx.parts();
    let finished_at_us = count(turn.finished_at.as_micros());
    let ended = sqlx::query!(
        r#"update calls set turns = turns + 1,
                            ended_at = greatest(ended_at, started_at + make_interval(secs => $3::float8 / 1e6))
           where tenant_id = $1 and id = $2 and ended_at is not null
           returning ended_at as "ended_at!: PgTime""#,
        tenant,
        call_id.uuid(),
        finished_at_us as f64
    )
    .fetch_optional(connection)
    .await?;
    match ended {
        Some(row) => usage::add_turn(tx, call_id, turn, row.ended_at.0).await,
        None => Ok(()),
    }
}

/// The turns of a call in order, with everything that belongs to them.
pub async fn turns(tx: &mut TenantTx, call_id: CallId) -> Result<Vec<TurnRecord>, DbError> {
    let mut messages = messages_by_turn(tx, call_id).await?;
    let mut tools = tools_by_turn(tx, call_id).await?;
    let (connection, tenant) = tx.parts();
    let rows = sqlx::query!(
        "select number, caller_text, generated_text, heard_text, acknowledgement, started_at_us, finished_at_us, outcome,
                timeline, recognised_ms, input_tokens, output_tokens, synthesised_characters, playout_ms
         from turns where tenant_id = $1 and call_id = $2 order by number",
        tenant,
        call_id.uuid()
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(TurnRecord {
                number: row.number.unsigned_abs(),
                caller_text: row.caller_text.into(),
                generated_text: row.generated_text.into(),
                heard_text: row.heard_text.into(),
                acknowledgement: row.acknowledgement,
                started_at: CallTime::from_micros(row.started_at_us.unsigned_abs()),
                finished_at: CallTime::from_micros(row.finished_at_us.unsigned_abs()),
                outcome: read_outcome(&row.outcome)?,
                timeline: from_json(row.timeline, "timeline")?,
                tools: tools.remove(&row.number).unwrap_or_default(),
                messages: messages.remove(&row.number).unwrap_or_default(),
                usage: Usage {
                    recognised_ms: row.recognised_ms.unsigned_abs(),
                    input_tokens: row.input_tokens.unsigned_abs(),
                    output_tokens: row.output_tokens.unsigned_abs(),
                    synthesised_characters: row.synthesised_characters.unsigned_abs(),
                    playout_ms: row.playout_ms.unsigned_abs(),
                },
            })
        })
        .collect()
}

/// The conversation of a call, in order, as the model is to see it again.
pub async fn transcript(tx: &mut TenantTx, call_id: CallId) -> Result<Vec<Message>, DbError> {
    Ok(messages_by_turn(tx, call_id).await?.into_values().flatten().collect())
}

/// What the committed turns of a call add up to: the basis of a record that recovery has to close.
pub async fn committed(tx: &mut TenantTx, call_id: CallId) -> Result<Committed, DbError> {
    let (connection, tenant) = tx.parts();
    let row = sqlx::query!(
        r#"select count(*) as "turns!", coalesce(max(finished_at_us), 0) as "last_finished_at_us!",
                  coalesce(sum(recognised_ms), 0)::bigint as "recognised_ms!",
                  coalesce(sum(input_tokens), 0)::bigint as "input_tokens!",
                  coalesce(sum(output_tokens), 0)::bigint as "output_tokens!",
                  coalesce(sum(synthesised_characters), 0)::bigint as "synthesised_characters!",
                  coalesce(sum(playout_ms), 0)::bigint as "playout_ms!"
           from turns where tenant_id = $1 and call_id = $2"#,
        tenant,
        call_id.uuid()
    )
    .fetch_one(connection)
    .await?;
    Ok(Committed {
        turns: u32::try_from(row.turns).unwrap_or(u32::MAX),
        last_finished_at: CallTime::from_micros(row.last_finished_at_us.unsigned_abs()),
        usage: Usage {
            recognised_ms: row.recognised_ms.unsigned_abs(),
            input_tokens: row.input_tokens.unsigned_abs(),
            output_tokens: row.output_tokens.unsigned_abs(),
            synthesised_characters: row.synthesised_characters.unsigned_abs(),
            playout_ms: row.playout_ms.unsigned_abs(),
        },
    })
}

/// The number of the last committed turn; a call that comes back goes on after it.
pub async fn last_number(tx: &mut TenantTx, call_id: CallId) -> Result<Option<u32>, DbError> {
    let (connection, tenant) = tx.parts();
    let last = sqlx::query_scalar!(
        "select max(number) from turns where tenant_id = $1 and call_id = $2",
        tenant,
        call_id.uuid()
    )
    .fetch_one(connection)
    .await?;
    Ok(last.map(i32::unsigned_abs))
}

async fn messages_by_turn(
    tx: &mut TenantTx,
    call_id: CallId,
) -> Result<BTreeMap<i32, Vec<Message>>, DbError> {
    let (connection, tenant) = tx.parts();
    let rows = sqlx::query!(
        "select turn_number, body from messages where tenant_id = $1 and call_id = $2 order by turn_number, position",
        tenant,
        call_id.uuid()
    )
    .fetch_all(connection)
    .await?;
    let mut by_turn = BTreeMap::<i32, Vec<Message>>::new();
    for row in rows {
        by_turn.entry(row.turn_number).or_default().push(from_json(row.body, "message")?);
    }
    Ok(by_turn)
}

async fn tools_by_turn(tx: &mut TenantTx, call_id: CallId) -> Result<BTreeMap<i32, Vec<ToolRun>>, DbError> {
    let (connection, tenant) = tx.parts();
    let rows = sqlx::query!(
        "select turn_number, number, request, name, arguments, asked_at_us, finished_at_us, outcome from tool_runs
         where tenant_id = $1 and call_id = $2 order by turn_number, number",
        tenant,
        call_id.uuid()
    )
    .fetch_all(connection)
    .await?;
    let mut by_turn = BTreeMap::<i32, Vec<ToolRun>>::new();
    for row in rows {
        by_turn.entry(row.turn_number).or_default().push(ToolRun {
            number: row.number.unsigned_abs(),
            request: row.request,
            name: row.name,
            arguments: row.arguments,
            asked_at: CallTime::from_micros(row.asked_at_us.unsigned_abs()),
            finished_at: row.finished_at_us.map(|at| CallTime::from_micros(at.unsigned_abs())),
            outcome: row.outcome.map(|outcome| from_json(outcome, "tool outcome")).transpose()?,
        });
    }
    Ok(by_turn)
}

fn to_json(value: &impl Serialize) -> Result<Value, DbError> {
    serde_json::to_value(value).map(storable_json).map_err(|_| DbError::Unreadable { what: "turn" })
}

fn from_json<T: DeserializeOwned>(value: Value, what: &'static str) -> Result<T, DbError> {
    serde_json::from_value(value).map_err(|_| DbError::Unreadable { what })
}

fn assert_written(written: u64, expected: usize) -> Result<(), DbError> {
    if written == expected as u64 {
        Ok(())
    } else {
        Err(DbError::Missing { what: "row that was just written" })
    }
}

fn small(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

fn read_outcome(text: &str) -> Result<TurnOutcome, DbError> {
    use TurnOutcome::{Answered, Continued, Failed, HungUp, Interrupted};
    [Answered, Interrupted, Continued, Failed, HungUp]
        .into_iter()
        .find(|outcome| outcome.name() == text)
        .ok_or(DbError::Unreadable { what: "turn outcome" })
}
