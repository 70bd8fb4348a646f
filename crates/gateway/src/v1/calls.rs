//! `GET /v1/calls?tenant=…[&cursor=…][&limit=…]`: a brokerage's calls, newest first.
//! `tenant` is a slug or an id. Errors: 400, 401, 404 no such tenant, 503.

use super::{Page, cursor};
use crate::{Gateway, operator::Operator, problem::ApiError};
use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
};
use jiff::Timestamp;
use seiketsu_domain::{AgentId, CallId, EndReason, PhoneNumber, Pii, ReplicaId, TenantId};
use seiketsu_storage::calls::{self, CallRow};
use serde::{Deserialize, Serialize};

/// A call record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallView {
    /// Which call.
    pub id: CallId,
    /// Whose.
    pub tenant_id: TenantId,
    /// The agent that answered.
    pub agent_id: AgentId,
    /// Who called; absent when withheld.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Pii<PhoneNumber>>,
    /// The number that was dialled; absent where none was: it came through the API.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<PhoneNumber>,
    /// The telephone company's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vendor_call_sid: Option<String>,
    /// The replica that holds it, or held it last.
    pub replica_id: ReplicaId,
    /// How often it was cut and came back.
    pub resumed: u32,
    /// When it began.
    pub started_at: Timestamp,
    /// When it was handed to the telephone company, which connects the caller with a person; absent while an agent has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handed_over_at: Option<Timestamp>,
    /// How it ended; absent while it is live.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<EndView>,
}

/// The end of a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndView {
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: EndReason,
    /// How many turns were finished, the greeting included.
    pub turns: u32,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CallsQuery {
    tenant: String,
    cursor: Option<String>,
    limit: Option<u32>,
}

pub(super) async fn list(
    State(gateway): State<Gateway>,
    _operator: Operator,
    query: Result<Query<CallsQuery>, QueryRejection>,
) -> Result<Json<Page<CallView>>, ApiError> {
    let Query(query) = query?;
    let limit = cursor::limit(query.limit)?;
    let before = cursor::decode(query.cursor.as_deref())?;
    let scope = super::tenant(&gateway, &query.tenant).await?.scope;
    let mut tenant = gateway.db().tenant(&scope).await?;
    let rows = calls::list(&mut tenant, before, limit + 1).await?;
    tenant.commit().await?;
    let items = rows.into_iter().map(|row| view(scope.tenant_id(), row)).collect();
    Ok(Json(Page::cut(items, limit, |call: &CallView| call.id)))
}

/// A row as it is shown.
pub(super) fn view(tenant_id: TenantId, row: CallRow) -> CallView {
    CallView {
        id: row.id,
        tenant_id,
        agent_id: row.agent_id,
        from: row.from,
        to: row.to,
        vendor_call_sid: row.vendor_call_sid,
        replica_id: row.replica_id,
        resumed: row.resumed,
        started_at: row.started_at,
        handed_over_at: row.handed_over_at,
        ended: row.ended.map(|end| EndView { at: end.at, reason: end.reason, turns: end.turns }),
    }
}
