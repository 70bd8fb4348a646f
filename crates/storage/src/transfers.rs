//! Callers who are put through to a person: from the moment it was arranged to the moment it was over.
//!
//! A call has at most one transfer that is still open (`arranged` or `dialling`), and none once it has ended: whoever ends
//! a call ends its transfer with it. Every step may be told again: a webhook that is delivered twice changes nothing the
//! second time.

use crate::{
    DbError, TenantTx,
    ids::TransferId,
    names::{self, named, storable},
    time::PgTime,
};
use jiff::Timestamp;
use seiketsu_domain::{CallId, PhoneNumber, Pii};
use uuid::Uuid;

named! {
    /// How far a transfer has come.
    "transfer state" TransferState {
        /// The agent has said so; the telephone company has not been asked yet.
        Arranged = "arranged",
        /// The person's telephone rings, or they hear the summary.
        Dialling = "dialling",
        /// The person took the call.
        Answered = "answered",
        /// Nobody took it; the caller came back to the agent.
        NotAnswered = "not_answered",
        /// The caller hung up, or the call ended, before anybody took it.
        Abandoned = "abandoned",
    }
}

/// A transfer to be arranged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTransfer {
    /// The id it gets.
    pub id: TransferId,
    /// Whose call.
    pub call_id: CallId,
    /// Who is to take it, as callers know them.
    pub to_name: String,
    /// Their number, from the tenant's own list.
    pub to_number: PhoneNumber,
    /// What they are told before they take the call.
    pub summary: Pii<String>,
    /// Now.
    pub at: Timestamp,
}

/// A transfer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transfer {
    /// Which transfer.
    pub id: TransferId,
    /// Whose call.
    pub call_id: CallId,
    /// Who is to take it.
    pub to_name: String,
    /// Their number.
    pub to_number: PhoneNumber,
    /// What they are told before they take the call.
    pub summary: Pii<String>,
    /// How far it has come.
    pub state: TransferState,
    /// When the agent arranged it.
    pub arranged_at: Timestamp,
    /// When the telephone company was told to ring.
    pub dialled_at: Option<Timestamp>,
    /// When the person took the call.
    pub answered_at: Option<Timestamp>,
    /// When it was over, one way or the other.
    pub ended_at: Option<Timestamp>,
}

/// Arranges a transfer. One that was arranged in this call and not dialled yet is given up for it; while one is being
/// dialled, [`DbError::Conflict`].
pub async fn arrange(tx: &mut TenantTx, new: &NewTransfer) -> Result<Transfer, DbError> {
    let (connection, tenant) = tx.parts();
    sqlx::query!(
        "update transfers set state = 'abandoned', ended_at = $3
         where tenant_id = $1 and call_id = $2 and state = 'arranged'",
        tenant,
        new.call_id.uuid(),
        PgTime(new.at) as _
    )
    .execute(&mut *connection)
    .await?;
    let row = sqlx::query_as!(
        Row,
        r#"insert into transfers (tenant_id, id, call_id, to_name, to_number, summary, state, arranged_at)
           values ($1, $2, $3, $4, $5, $6, 'arranged', $7)
           returning id, call_id, to_name, to_number, summary, state, arranged_at as "arranged_at: PgTime",
                     dialled_at as "dialled_at: PgTime", answered_at as "answered_at: PgTime",
                     ended_at as "ended_at: PgTime""#,
        tenant,
        new.id.uuid(),
        new.call_id.uuid(),
        &*storable(&new.to_name),
        new.to_number.as_str(),
        &*storable(new.summary.expose()),
        PgTime(new.at) as _
    )
    .fetch_one(connection)
    .await?;
    row.read()
}

/// The person's telephone is about to ring; the open transfer of the call, or `None` if there is none.
pub async fn dialled(tx: &mut TenantTx, call_id: CallId, at: Timestamp) -> Result<Option<Transfer>, DbError> {
    let (connection, tenant) = tx.parts();
    let row = sqlx::query_as!(
        Row,
        r#"update transfers set state = 'dialling', dialled_at = coalesce(dialled_at, $3)
           where tenant_id = $1 and call_id = $2 and state in ('arranged', 'dialling')
           returning id, call_id, to_name, to_number, summary, state, arranged_at as "arranged_at: PgTime",
                     dialled_at as "dialled_at: PgTime", answered_at as "answered_at: PgTime",
                     ended_at as "ended_at: PgTime""#,
        tenant,
        call_id.uuid(),
        PgTime(at) as _
    )
    .fetch_optional(connection)
    .await?;
    row.map(Row::read).transpose()
}

/// The person took the call that is being dialled; also `Some` if that was known before. `None` if nothing is being
/// dialled: the caller is gone, or it took too long.
pub async fn answered(
    tx: &mut TenantTx,
    call_id: CallId,
    at: Timestamp,
) -> Result<Option<Transfer>, DbError> {
    let (connection, tenant) = tx.parts();
    let row = sqlx::query_as!(
        Row,
        r#"update transfers set state = 'answered', answered_at = coalesce(answered_at, $3)
           where tenant_id = $1 and call_id = $2
             and (state = 'dialling' or (state = 'answered' and ended_at is null))
           returning id, call_id, to_name, to_number, summary, state, arranged_at as "arranged_at: PgTime",
                     dialled_at as "dialled_at: PgTime", answered_at as "answered_at: PgTime",
                     ended_at as "ended_at: PgTime""#,
        tenant,
        call_id.uuid(),
        PgTime(at) as _
    )
    .fetch_optional(connection)
    .await?;
    row.map(Row::read).transpose()
}

/// Dialling is over. A transfer that was answered has ended; one that was not becomes `unanswered`, which is
/// [`TransferState::NotAnswered`] where the caller comes back and [`TransferState::Abandoned`] where the caller is gone.
/// The call's newest transfer as it is now; `None` if the call never had one.
pub async fn finished(
    tx: &mut TenantTx,
    call_id: CallId,
    unanswered: TransferState,
    at: Timestamp,
) -> Result<Option<Transfer>, DbError> {
    finish(tx, call_id, unanswered, at).await?;
    latest(tx, call_id).await
}

/// As [`finished`], for whoever does not ask what became of it.
pub(crate) async fn finish(
    tx: &mut TenantTx,
    call_id: CallId,
    unanswered: TransferState,
    at: Timestamp,
) -> Result<(), DbError> {
    let (connection, tenant) = tx.parts();
    sqlx::query!(
        "update transfers set state = case when state = 'answered' then state else $3 end, ended_at = $4
         where tenant_id = $1 and call_id = $2 and ended_at is null",
        tenant,
        call_id.uuid(),
        unanswered.name(),
        PgTime(at) as _
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The newest transfer of a call.
pub async fn latest(tx: &mut TenantTx, call_id: CallId) -> Result<Option<Transfer>, DbError> {
    Ok(list(tx, Some(call_id), None, 1).await?.pop())
}

/// Transfers, newest first; with `call_id`, those of that call; with `before`, those older than that transfer.
pub async fn list(
    tx: &mut TenantTx,
    call_id: Option<CallId>,
    before: Option<TransferId>,
    limit: u32,
) -> Result<Vec<Transfer>, DbError> {
    let (connection, tenant) = tx.parts();
    let rows = sqlx::query_as!(
        Row,
        r#"select id, call_id, to_name, to_number, summary, state, arranged_at as "arranged_at: PgTime",
                  dialled_at as "dialled_at: PgTime", answered_at as "answered_at: PgTime",
                  ended_at as "ended_at: PgTime"
           from transfers
           where tenant_id = $1 and ($2::uuid is null or call_id = $2) and ($3::uuid is null or id < $3)
           order by id desc limit $4"#,
        tenant,
        call_id.map(CallId::uuid),
        before.map(TransferId::uuid),
        i64::from(limit)
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(Row::read).collect()
}

struct Row {
    id: Uuid,
    call_id: Uuid,
    to_name: String,
    to_number: String,
    summary: String,
    state: String,
    arranged_at: PgTime,
    dialled_at: Option<PgTime>,
    answered_at: Option<PgTime>,
    ended_at: Option<PgTime>,
}

impl Row {
    fn read(self) -> Result<Transfer, DbError> {
        Ok(Transfer {
            id: TransferId::from_uuid(self.id),
            call_id: CallId::from_uuid(self.call_id),
            to_name: self.to_name,
            to_number: names::read(&self.to_number, "phone number")?,
            summary: self.summary.into(),
            state: names::read(&self.state, "transfer state")?,
            arranged_at: self.arranged_at.0,
            dialled_at: self.dialled_at.map(|at| at.0),
            answered_at: self.answered_at.map(|at| at.0),
            ended_at: self.ended_at.map(|at| at.0),
        })
    }
}
