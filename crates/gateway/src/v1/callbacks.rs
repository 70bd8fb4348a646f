//! `GET /v1/callbacks?tenant=…[&call=…][&cursor=…][&limit=…]`: promises to call somebody back, latest first.
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
    callbacks::{self, Callback},
    ids::CallbackId,
};
use serde::{Deserialize, Serialize};

/// A promise to call back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallbackView {
    /// Which promise.
    pub id: CallbackId,
    /// The call in which it was made.
    pub call_id: CallId,
    /// Whom to call.
    pub phone: Pii<PhoneNumber>,
    /// What about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<Pii<String>>,
    /// Not before.
    pub due_from: Timestamp,
    /// Not after; the same for an exact time.
    pub due_until: Timestamp,
    /// When it was made.
    pub created_at: Timestamp,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CallbacksQuery {
    tenant: String,
    call: Option<CallId>,
    cursor: Option<String>,
    limit: Option<u32>,
}

pub(super) async fn list(
    State(gateway): State<Gateway>,
    _operator: Operator,
    query: Result<Query<CallbacksQuery>, QueryRejection>,
) -> Result<Json<Page<CallbackView>>, ApiError> {
    let Query(query) = query?;
    let limit = cursor::limit(query.limit)?;
    let before = cursor::decode(query.cursor.as_deref())?;
    let scope = super::tenant(&gateway, &query.tenant).await?.scope;
    let mut tenant = gateway.db().tenant(&scope).await?;
    let rows = callbacks::list(&mut tenant, query.call, before, limit + 1).await?;
    tenant.commit().await?;
    let items = rows.into_iter().map(view).collect();
    Ok(Json(Page::cut(items, limit, |callback: &CallbackView| callback.id)))
}

/// A row as it is shown.
pub(super) fn view(callback: Callback) -> CallbackView {
    CallbackView {
        id: callback.id,
        call_id: callback.call_id,
        phone: callback.phone,
        about: callback.about,
        due_from: callback.due_from,
        due_until: callback.due_until,
        created_at: callback.created_at,
    }
}
