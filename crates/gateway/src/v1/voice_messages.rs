//! `GET /v1/voice-messages?tenant=…[&call=…][&cursor=…][&limit=…]`: what callers asked to be told to somebody, latest first.
//! `tenant` is a slug or an id. Errors: 400, 401, 404 no such tenant, 503.

use super::{Page, cursor};
use crate::{Gateway, operator::Operator, problem::ApiError};
use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
};
use jiff::Timestamp;
use seiketsu_domain::{CallId, PhoneNumber, Pii};
use seiketsu_storage::{
    ids::VoiceMessageId,
    voice_messages::{self, VoiceMessage},
};
use serde::{Deserialize, Serialize};

/// A message that a caller left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VoiceMessageView {
    /// Which message.
    pub id: VoiceMessageId,
    /// The call in which it was left.
    pub call_id: CallId,
    /// Whom it is for; absent: whoever reads it first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub for_name: Option<String>,
    /// What is to be told.
    pub body: Pii<String>,
    /// Who left it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caller_name: Option<Pii<String>>,
    /// How to reach them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caller_phone: Option<Pii<PhoneNumber>>,
    /// When it was left.
    pub created_at: Timestamp,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct VoiceMessagesQuery {
    tenant: String,
    call: Option<CallId>,
    cursor: Option<String>,
    limit: Option<u32>,
}

pub(super) async fn list(
    State(gateway): State<Gateway>,
    _operator: Operator,
    query: Result<Query<VoiceMessagesQuery>, QueryRejection>,
) -> Result<Json<Page<VoiceMessageView>>, ApiError> {
    let Query(query) = query?;
    let limit = cursor::limit(query.limit)?;
    let before = cursor::decode(query.cursor.as_deref())?;
    let scope = super::tenant(&gateway, &query.tenant).await?.scope;
    let mut tenant = gateway.db().tenant(&scope).await?;
    let rows = voice_messages::list(&mut tenant, query.call, before, limit + 1).await?;
    tenant.commit().await?;
    let items = rows.into_iter().map(view).collect();
    Ok(Json(Page::cut(items, limit, |message: &VoiceMessageView| message.id)))
}

/// A row as it is shown.
pub(super) fn view(message: VoiceMessage) -> VoiceMessageView {
    VoiceMessageView {
        id: message.id,
        call_id: message.call_id,
        for_name: message.for_name,
        body: message.body,
        caller_name: message.caller_name,
        caller_phone: message.caller_phone,
        created_at: message.created_at,
    }
}
