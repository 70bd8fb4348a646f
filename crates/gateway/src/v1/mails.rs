//! `GET /v1/mails`: mail of a brokerage, latest first.
//! Dead letters are the ones with `state=dead`; `last_error` says why. The text of a mail is not shown.
//! Errors: 400, 401, 404 no such tenant, 503.

use super::{Page, cursor, problems::ListProblems};
use crate::{Gateway, access::Reader, problem::ApiError};
use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
};
use jiff::Timestamp;
use seiketsu_domain::{CallId, Pii};
use seiketsu_storage::{
    ids::MailId,
    outbox::{self, Mail, MailState},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// A mail that is to be sent, or was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MailView {
    /// Which mail.
    pub id: MailId,
    /// The call that it is about.
    pub call_id: CallId,
    /// To whom.
    pub recipient: Pii<String>,
    /// What about.
    pub subject: Pii<String>,
    /// What became of it.
    pub state: MailState,
    /// How often it was tried.
    pub attempts: u32,
    /// When it may be tried again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub due_at: Option<Timestamp>,
    /// Why the last attempt failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    /// When it was enqueued.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When the mail server took it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub sent_at: Option<Timestamp>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct MailsQuery {
    /// Whose, by slug or id. Operators have to say; everybody else sees their own.
    #[param(example = "lone-star-homes")]
    tenant: Option<String>,
    /// Those of this call.
    call: Option<CallId>,
    state: Option<MailState>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Items on the page; 50 if nothing is said.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

/// Mail to callers, latest first.
#[utoipa::path(get, path = "/v1/mails", tag = "records", operation_id = "listMails", params(MailsQuery),
    responses((status = 200, description = "A page.", body = Page<MailView>), ListProblems))]
pub(super) async fn list(
    State(gateway): State<Gateway>,
    reader: Reader,
    query: Result<Query<MailsQuery>, QueryRejection>,
) -> Result<Json<Page<MailView>>, ApiError> {
    let Query(query) = query?;
    let limit = cursor::limit(query.limit)?;
    let before = cursor::decode(query.cursor.as_deref())?;
    let scope = reader.scope(&gateway, query.tenant.as_deref()).await?;
    let mut tenant = gateway.db().tenant(&scope).await?;
    let rows = outbox::list(&mut tenant, query.call, query.state, before, limit + 1).await?;
    tenant.commit().await?;
    let items = rows.into_iter().map(view).collect();
    Ok(Json(Page::cut(items, limit, |mail: &MailView| mail.id)))
}

/// A row as it is shown.
pub(super) fn view(mail: Mail) -> MailView {
    MailView {
        id: mail.id,
        call_id: mail.call_id,
        recipient: mail.recipient,
        subject: mail.subject,
        state: mail.state,
        attempts: mail.attempts,
        due_at: mail.due_at,
        last_error: mail.last_error,
        created_at: mail.created_at,
        sent_at: mail.sent_at,
    }
}
