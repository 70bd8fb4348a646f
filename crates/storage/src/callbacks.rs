//! Promises to call somebody back: at most one per call, which moves when the caller names another time.

use crate::{
    DbError, TenantTx,
    ids::CallbackId,
    names::{self, storable},
    time::PgTime,
};
use jiff::Timestamp;
use seiketsu_domain::{CallId, PhoneNumber, Pii};
use uuid::Uuid;

/// A promise to call back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Callback {
    /// Which promise.
    pub id: CallbackId,
    /// The call in which it was made.
    pub call_id: CallId,
    /// Whom to call.
    pub phone: Pii<PhoneNumber>,
    /// What about.
    pub about: Option<Pii<String>>,
    /// Not before.
    pub due_from: Timestamp,
    /// Not after; the same for an exact time.
    pub due_until: Timestamp,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Makes a promise, or changes the one that was made in this call, which keeps its id; what `about` leaves out stays.
pub async fn upsert(tx: &mut TenantTx, callback: &Callback) -> Result<Callback, DbError> {
    let (connection, tenant) = tx.parts();
    let about = callback.about.as_ref().map(|text| storable(text.expose()));
    let row = sqlx::query_as!(
        Row,
        r#"insert into callbacks as known (tenant_id, id, call_id, phone, about, due_from, due_until, created_at)
           values ($1, $2, $3, $4, $5, $6, $7, $8)
           on conflict (tenant_id, call_id) do update set
               phone = excluded.phone,
               about = coalesce(excluded.about, known.about),
               due_from = excluded.due_from,
               due_until = excluded.due_until
           returning id, call_id, phone, about, due_from as "due_from: PgTime", due_until as "due_until: PgTime",
                     created_at as "created_at: PgTime""#,
        tenant,
        callback.id.uuid(),
        callback.call_id.uuid(),
        callback.phone.expose().as_str(),
        about.as_deref(),
        PgTime(callback.due_from) as _,
        PgTime(callback.due_until) as _,
        PgTime(callback.created_at) as _
    )
    .fetch_one(connection)
    .await?;
    row.read()
}

/// Promises, newest first; with `call_id`, the one made in that call; with `before`, those older than that one.
pub async fn list(
    tx: &mut TenantTx,
    call_id: Option<CallId>,
    before: Option<CallbackId>,
    limit: u32,
) -> Result<Vec<Callback>, DbError> {
    let (connection, tenant) = tx.parts();
    let rows = sqlx::query_as!(
        Row,
        r#"select id, call_id, phone, about, due_from as "due_from: PgTime", due_until as "due_until: PgTime",
                  created_at as "created_at: PgTime"
           from callbacks
           where tenant_id = $1 and ($2::uuid is null or call_id = $2) and ($3::uuid is null or id < $3)
           order by id desc limit $4"#,
        tenant,
        call_id.map(CallId::uuid),
        before.map(CallbackId::uuid),
        i64::from(limit)
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(Row::read).collect()
}

struct Row {
    id: Uuid,
    call_id: Uuid,
    phone: String,
    about: Option<String>,
    due_from: PgTime,
    due_until: PgTime,
    created_at: PgTime,
}

impl Row {
    fn read(self) -> Result<Callback, DbError> {
        Ok(Callback {
            id: CallbackId::from_uuid(self.id),
            call_id: CallId::from_uuid(self.call_id),
            phone: Pii::new(names::read(&self.phone, "phone number")?),
            about: self.about.map(Pii::new),
            due_from: self.due_from.0,
            due_until: self.due_until.0,
            created_at: self.created_at.0,
        })
    }
}
