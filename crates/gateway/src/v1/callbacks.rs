//! `GET /v1/callbacks`: promises to call somebody back, latest first.
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
    callbacks::{self, Callback},
    ids::CallbackId,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// A promise to call back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
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
    #[schema(value_type = String, format = DateTime)]
    pub due_from: Timestamp,
    /// Not after; the same for an exact time.
    #[schema(value_type = String, format = DateTime)]
    pub due_until: Timestamp,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct CallbacksQuery {
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

/// Promises to call back, latest first.
#[utoipa::path(get, path = "/v1/callbacks", tag = "records", operation_id = "listCallbacks", params(CallbacksQuery),
    responses((status = 200, description = "A page.", body = Page<CallbackView>), ListProblems))]
pub(super) async fn list(
    State(gateway): State<Gateway>,
    reader: Reader,
    query: Result<Query<CallbacksQuery>, QueryRejection>,
) -> Result<Json<Page<CallbackView>>, ApiError> {
    let Query(query) = query?;
    let limit = cursor::limit(query.limit)?;
    let before = cursor::decode(query.cursor.as_deref())?;
    let scope = reader.scope(&gateway, query.tenant.as_deref()).await?;
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
