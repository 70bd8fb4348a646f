//! `GET /v1/mails?tenant=…[&call=…][&state=queued|sent|dead][&cursor=…][&limit=…]`: mail of a brokerage, latest first.
//! Dead letters are the ones with `state=dead`; `last_error` says why. The text of a mail is not shown.
//! `tenant` is a slug or an id. Errors: 400, 401, 404 no such tenant, 503.

use super::{Page, cursor};
use crate::{Gateway, operator::Operator, problem::ApiError};
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

/// A mail that is to be sent, or was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
    pub due_at: Option<Timestamp>,
    /// Why the last attempt failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    /// When it was enqueued.
    pub created_at: Timestamp,
    /// When the mail server took it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent_at: Option<Timestamp>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MailsQuery {
    tenant: String,
    call: Option<CallId>,
    state: Option<MailState>,
    cursor: Option<String>,
    limit: Option<u32>,
}

pub(super) async fn list(
    State(gateway): State<Gateway>,
    _operator: Operator,
    query: Result<Query<MailsQuery>, QueryRejection>,
) -> Result<Json<Page<MailView>>, ApiError> {
    let Query(query) = query?;
    let limit = cursor::limit(query.limit)?;
    let before = cursor::decode(query.cursor.as_deref())?;
    let scope = super::tenant(&gateway, &query.tenant).await?.scope;
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
