//! What callers asked to be told to somebody. (`messages` of a turn are the transcript.)

use crate::{
    DbError, TenantTx,
    ids::VoiceMessageId,
    names::{self, storable},
    time::PgTime,
};
use jiff::Timestamp;
use seiketsu_domain::{CallId, PhoneNumber, Pii};
use uuid::Uuid;

/// A message that a caller left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VoiceMessage {
    /// Which message.
    pub id: VoiceMessageId,
    /// The call in which it was left.
    pub call_id: CallId,
    /// Whom it is for; `None`: whoever reads it first.
    pub for_name: Option<String>,
    /// What is to be told.
    pub body: Pii<String>,
    /// Who left it.
    pub caller_name: Option<Pii<String>>,
    /// How to reach them.
    pub caller_phone: Option<Pii<PhoneNumber>>,
    /// When it was left.
    pub created_at: Timestamp,
}

/// Keeps a message.
pub async fn insert(tx: &mut TenantTx, message: &VoiceMessage) -> Result<(), DbError> {
    let (connection, tenant) = tx.parts();
    let for_name = message.for_name.as_deref().map(storable);
    let caller_name = message.caller_name.as_ref().map(|name| storable(name.expose()));
    sqlx::query!(
        "insert into voice_messages (tenant_id, id, call_id, for_name, body, caller_name, caller_phone, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
        tenant,
        message.id.uuid(),
        message.call_id.uuid(),
        for_name.as_deref(),
        &*storable(message.body.expose()),
        caller_name.as_deref(),
        message.caller_phone.as_ref().map(|number| number.expose().as_str()),
        PgTime(message.created_at) as _
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Messages, newest first; with `call_id`, those left in that call; with `before`, those older than that message.
pub async fn list(
    tx: &mut TenantTx,
    call_id: Option<CallId>,
    before: Option<VoiceMessageId>,
    limit: u32,
) -> Result<Vec<VoiceMessage>, DbError> {
    let (connection, tenant) = tx.parts();
    let rows = sqlx::query_as!(
        Row,
        r#"select id, call_id, for_name, body, caller_name, caller_phone, created_at as "created_at: PgTime"
           from voice_messages
           where tenant_id = $1 and ($2::uuid is null or call_id = $2) and ($3::uuid is null or id < $3)
           order by id desc limit $4"#,
        tenant,
        call_id.map(CallId::uuid),
        before.map(VoiceMessageId::uuid),
        i64::from(limit)
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(Row::read).collect()
}

struct Row {
    id: Uuid,
    call_id: Uuid,
    for_name: Option<String>,
    body: String,
    caller_name: Option<String>,
    caller_phone: Option<String>,
    created_at: PgTime,
}

impl Row {
    fn read(self) -> Result<VoiceMessage, DbError> {
        let phone = self.caller_phone.map(|number| names::read(&number, "phone number")).transpose()?;
        Ok(VoiceMessage {
            id: VoiceMessageId::from_uuid(self.id),
            call_id: CallId::from_uuid(self.call_id),
            for_name: self.for_name,
            body: self.body.into(),
            caller_name: self.caller_name.map(Pii::new),
            caller_phone: phone.map(Pii::new),
            created_at: self.created_at.0,
        })
    }
}
