//! Mail to be sent: enqueued in the transaction of the change that it tells of, claimed for a while, then sent or tried
//! again or given up.
//!
//! A claim ends by itself: a replica that died while sending has not kept the mail. So a mail may be sent twice, always
//! with the same id, and is never lost.

use crate::{
    DbError, TenantTx,
    ids::MailId,
    names::{self, named, storable},
    time::PgTime,
};
use jiff::Timestamp;
use seiketsu_domain::{CallId, Pii};
use uuid::Uuid;

named! {
    /// What became of a mail.
    "mail state" MailState {
        /// It waits, or somebody sends it at this moment.
        Queued = "queued",
        /// The mail server has taken it.
        Sent = "sent",
        /// It was given up; `last_error` says why.
        Dead = "dead",
    }
}

/// A mail to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewMail {
    /// The id it gets.
    pub id: MailId,
    /// The call that it is about.
    pub call_id: CallId,
    /// From whom; `None`: the platform's own address.
    pub sender: Option<String>,
    /// To whom.
    pub recipient: Pii<String>,
    /// What about.
    pub subject: Pii<String>,
    /// Plain text.
    pub body: Pii<String>,
    /// Now.
    pub at: Timestamp,
}

/// A mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// Which mail.
    pub id: MailId,
    /// The call that it is about.
    pub call_id: CallId,
    /// From whom; `None`: the platform's own address.
    pub sender: Option<String>,
    /// To whom.
    pub recipient: Pii<String>,
    /// What about.
    pub subject: Pii<String>,
    /// Plain text.
    pub body: Pii<String>,
    /// What became of it.
    pub state: MailState,
    /// How often it was tried.
    pub attempts: u32,
    /// When it may be tried again, or when the claim on it ends.
    pub due_at: Option<Timestamp>,
    /// Why the last attempt failed.
    pub last_error: Option<String>,
    /// When it was enqueued.
    pub created_at: Timestamp,
    /// When the mail server took it.
    pub sent_at: Option<Timestamp>,
}

/// Enqueues a mail, due at once.
pub async fn enqueue(tx: &mut TenantTx, mail: &NewMail) -> Result<(), DbError> {
    let (connection, tenant) = tx.parts();
    let sender = mail.sender.as_deref().map(storable);
    sqlx::query!(
        "insert into outbox (tenant_id, id, call_id, sender, recipient, subject, body, state, due_at, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, 'queued', $8, $8)",
        tenant,
        mail.id.uuid(),
        mail.call_id.uuid(),
        sender.as_deref(),
        &*storable(mail.recipient.expose()),
        &*storable(mail.subject.expose()),
        &*storable(mail.body.expose()),
        PgTime(mail.at) as _
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Claims mail that is due, until `until`: nobody else gets it before then. Each claim counts as an attempt.
pub async fn claim(
    tx: &mut TenantTx,
    now: Timestamp,
    until: Timestamp,
    limit: u32,
) -> Result<Vec<Mail>, DbError> {
    let (connection, tenant) = tx.parts();
    // Materialised: a sub-select that locks may otherwise be run more than once, and claim more than it returns.
    let rows = sqlx::query_as!(
        Row,
        r#"with due as materialized (
               select id from outbox where tenant_id = $1 and due_at <= $2
               order by due_at limit $4 for update skip locked)
           update outbox set due_at = $3, attempts = attempts + 1
           where tenant_id = $1 and id in (select id from due)
           returning id, call_id, sender, recipient, subject, body, state, attempts, due_at as "due_at: PgTime",
                     last_error, created_at as "created_at: PgTime", sent_at as "sent_at: PgTime""#,
        tenant,
        PgTime(now) as _,
        PgTime(until) as _,
        i64::from(limit)
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(Row::read).collect()
}

/// The mail server has taken a mail; `false` if that was known, or there is no such mail.
pub async fn sent(tx: &mut TenantTx, id: MailId, at: Timestamp) -> Result<bool, DbError> {
    let (connection, tenant) = tx.parts();
    let outcome = sqlx::query!(
        "update outbox set state = 'sent', due_at = null, last_error = null, sent_at = $3
         where tenant_id = $1 and id = $2 and state = 'queued'",
        tenant,
        id.uuid(),
        PgTime(at) as _
    )
    .execute(connection)
    .await?;
    Ok(outcome.rows_affected() == 1)
}

/// An attempt failed: the mail is due again at `again`, or given up. `error` holds nothing of the mail. `false` if it has
/// been sent or given up in the meantime, or there is no such mail.
pub async fn failed(
    tx: &mut TenantTx,
    id: MailId,
    error: &str,
    again: Option<Timestamp>,
) -> Result<bool, DbError> {
    let (connection, tenant) = tx.parts();
    let state = if again.is_some() { MailState::Queued } else { MailState::Dead };
    let outcome = sqlx::query!(
        "update outbox set state = $3, due_at = $4, last_error = $5
         where tenant_id = $1 and id = $2 and state = 'queued'",
        tenant,
        id.uuid(),
        state.name(),
        again.map(PgTime) as _,
        &*storable(error)
    )
    .execute(connection)
    .await?;
    Ok(outcome.rows_affected() == 1)
}

/// Mail, newest first; with `call_id`, that of a call; with `state`, in that state; with `before`, older than that mail.
pub async fn list(
    tx: &mut TenantTx,
    call_id: Option<CallId>,
    state: Option<MailState>,
    before: Option<MailId>,
    limit: u32,
) -> Result<Vec<Mail>, DbError> {
    let (connection, tenant) = tx.parts();
    let rows = sqlx::query_as!(
        Row,
        r#"select id, call_id, sender, recipient, subject, body, state, attempts, due_at as "due_at: PgTime",
                  last_error, created_at as "created_at: PgTime", sent_at as "sent_at: PgTime"
           from outbox
           where tenant_id = $1 and ($2::uuid is null or call_id = $2) and ($3::text is null or state = $3)
             and ($4::uuid is null or id < $4)
           order by id desc limit $5"#,
        tenant,
        call_id.map(CallId::uuid),
        state.map(MailState::name),
        before.map(MailId::uuid),
        i64::from(limit)
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(Row::read).collect()
}

struct Row {
    id: Uuid,
    call_id: Uuid,
    sender: Option<String>,
    recipient: String,
    subject: String,
    body: String,
    state: String,
    attempts: i32,
    due_at: Option<PgTime>,
    last_error: Option<String>,
    created_at: PgTime,
    sent_at: Option<PgTime>,
}

impl Row {
    fn read(self) -> Result<Mail, DbError> {
        Ok(Mail {
            id: MailId::from_uuid(self.id),
            call_id: CallId::from_uuid(self.call_id),
            sender: self.sender,
            recipient: self.recipient.into(),
            subject: self.subject.into(),
            body: self.body.into(),
            state: names::read(&self.state, "mail state")?,
            attempts: self.attempts.unsigned_abs(),
            due_at: self.due_at.map(|at| at.0),
            last_error: self.last_error,
            created_at: self.created_at.0,
            sent_at: self.sent_at.map(|at| at.0),
        })
    }
}
