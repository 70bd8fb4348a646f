//! `GET /v1/transfers?tenant=…[&call=…][&cursor=…][&limit=…]`: callers who were put through to a person, latest first.
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
    ids::TransferId,
    transfers::{self, Transfer, TransferState},
};
use serde::{Deserialize, Serialize};

/// A caller who was, or was to be, put through to a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
    pub arranged_at: Timestamp,
    /// When the person's telephone was to ring.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dialled_at: Option<Timestamp>,
    /// When the person took the call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered_at: Option<Timestamp>,
    /// When it was over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TransfersQuery {
    tenant: String,
    call: Option<CallId>,
    cursor: Option<String>,
    limit: Option<u32>,
}

pub(super) async fn list(
    State(gateway): State<Gateway>,
    _operator: Operator,
    query: Result<Query<TransfersQuery>, QueryRejection>,
) -> Result<Json<Page<TransferView>>, ApiError> {
    let Query(query) = query?;
    let limit = cursor::limit(query.limit)?;
    let before = cursor::decode(query.cursor.as_deref())?;
    let scope = super::tenant(&gateway, &query.tenant).await?.scope;
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
