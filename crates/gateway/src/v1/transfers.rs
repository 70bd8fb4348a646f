//! `GET /v1/transfers`: callers who were put through to a person, latest first.
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
    ids::TransferId,
    transfers::{self, Transfer, TransferState},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// A caller who was, or was to be, put through to a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TransferView {
    /// Which transfer.
    pub id: TransferId,
    /// Whose call.
    pub call_id: CallId,
    /// Who was to take it.
    pub to_name: String,
    /// Their number.
    pub to_number: PhoneNumber,
    /// What they were told before they took the call.
    pub summary: Pii<String>,
    /// How far it came.
    pub state: TransferState,
    /// When the agent arranged it.
    #[schema(value_type = String, format = DateTime)]
    pub arranged_at: Timestamp,
    /// When the person's telephone was to ring.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub dialled_at: Option<Timestamp>,
    /// When the person took the call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub answered_at: Option<Timestamp>,
    /// When it was over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub ended_at: Option<Timestamp>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct TransfersQuery {
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

/// Callers who were put through to a person, latest first.
#[utoipa::path(get, path = "/v1/transfers", tag = "records", operation_id = "listTransfers", params(TransfersQuery),
    responses((status = 200, description = "A page.", body = Page<TransferView>), ListProblems))]
pub(super) async fn list(
    State(gateway): State<Gateway>,
    reader: Reader,
    query: Result<Query<TransfersQuery>, QueryRejection>,
) -> Result<Json<Page<TransferView>>, ApiError> {
    let Query(query) = query?;
    let limit = cursor::limit(query.limit)?;
    let before = cursor::decode(query.cursor.as_deref())?;
    let scope = reader.scope(&gateway, query.tenant.as_deref()).await?;
    let mut tenant = gateway.db().tenant(&scope).await?;
    let rows = transfers::list(&mut tenant, query.call, before, limit + 1).await?;
    tenant.commit().await?;
    let items = rows.into_iter().map(view).collect();
    Ok(Json(Page::cut(items, limit, |transfer: &TransferView| transfer.id)))
}

/// A row as it is shown.
pub(super) fn view(transfer: Transfer) -> TransferView {
    TransferView {
        id: transfer.id,
        call_id: transfer.call_id,
        to_name: transfer.to_name,
        to_number: transfer.to_number,
        summary: transfer.summary,
        state: transfer.state,
        arranged_at: transfer.arranged_at,
        dialled_at: transfer.dialled_at,
        answered_at: transfer.answered_at,
        ended_at: transfer.ended_at,
    }
}
