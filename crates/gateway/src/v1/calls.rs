//! `GET /v1/calls`: a brokerage's calls, newest first, of an agent, live or ended, from a number, of a time.
//! Errors: 400, 401, 404 no such tenant, 503.

use super::{Page, cursor, problems::ListProblems};
use crate::{Gateway, access::Reader, problem::ApiError};
use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
};
use jiff::Timestamp;
use seiketsu_domain::{AgentId, CallId, EndReason, PhoneNumber, Pii, ReplicaId, TenantId};
use seiketsu_storage::calls::{self, CallFilter, CallRow};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// A call record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
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
    #[schema(value_type = String, format = DateTime)]
    pub started_at: Timestamp,
    /// When it was handed to the telephone company, which connects the caller with a person; absent while an agent has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub handed_over_at: Option<Timestamp>,
    /// How it ended; absent while it is live.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<EndView>,
}

/// Whether a call is going on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CallStatus {
    /// It is.
    Live,
    /// It is over.
    Ended,
}

/// The end of a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EndView {
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// Why.
    pub reason: EndReason,
    /// How many turns were finished, the greeting included.
    pub turns: u32,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct CallsQuery {
    /// Whose, by slug or id. Operators have to say; everybody else sees their own.
    #[param(example = "lone-star-homes")]
    tenant: Option<String>,
    /// Those that this agent answered.
    agent: Option<AgentId>,
    /// Those that are live, or those that have ended.
    status: Option<CallStatus>,
    /// Those from this number; `+` is written `%2B` in a query.
    #[param(example = "+15125550142")]
    from: Option<PhoneNumber>,
    /// Those that began at this time (RFC 3339) or later.
    #[param(value_type = Option<String>, format = DateTime)]
    since: Option<Timestamp>,
    /// Those that began before this time.
    #[param(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Items on the page; 50 if nothing is said.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

/// Calls, newest first.
#[utoipa::path(get, path = "/v1/calls", tag = "records", operation_id = "listCalls", params(CallsQuery),
    responses((status = 200, description = "A page.", body = Page<CallView>), ListProblems))]
pub(super) async fn list(
    State(gateway): State<Gateway>,
    reader: Reader,
    query: Result<Query<CallsQuery>, QueryRejection>,
) -> Result<Json<Page<CallView>>, ApiError> {
    let Query(query) = query?;
    let limit = cursor::limit(query.limit)?;
    let before = cursor::decode(query.cursor.as_deref())?;
    let scope = reader.scope(&gateway, query.tenant.as_deref()).await?;
    let mut tenant = gateway.db().tenant(&scope).await?;
    let filter = CallFilter {
        agent_id: query.agent,
        live: query.status.map(|status| status == CallStatus::Live),
        from: query.from,
        since: query.since,
        until: query.until,
    };
    let rows = calls::list(&mut tenant, &filter, before, limit + 1).await?;
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
