//! `GET /v1/voice-messages`: what callers asked to be told to somebody, latest first.
//! Errors: 400, 401, 404 no such tenant, 503.

use super::{Page, cursor, problems::ListProblems};
use crate::{Gateway, access::Reader, problem::ApiError};
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
use utoipa::{IntoParams, ToSchema};

/// A message that a caller left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
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
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct VoiceMessagesQuery {
    /// Whose, by slug or id. Operators have to say; everybody else sees their own.
    #[param(example = "lone-star-homes")]
    tenant: Option<String>,
    /// Those of this call.
    call: Option<CallId>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Items on the page; 50 if nothing is said.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

/// Messages that callers left, latest first.
#[utoipa::path(get, path = "/v1/voice-messages", tag = "records", operation_id = "listVoiceMessages", params(VoiceMessagesQuery),
    responses((status = 200, description = "A page.", body = Page<VoiceMessageView>), ListProblems))]
pub(super) async fn list(
    State(gateway): State<Gateway>,
    reader: Reader,
    query: Result<Query<VoiceMessagesQuery>, QueryRejection>,
) -> Result<Json<Page<VoiceMessageView>>, ApiError> {
    let Query(query) = query?;
    let limit = cursor::limit(query.limit)?;
    let before = cursor::decode(query.cursor.as_deref())?;
    let scope = reader.scope(&gateway, query.tenant.as_deref()).await?;
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
