//! `GET /v1/viewings?tenant=…[&call=…][&cursor=…][&limit=…]`: a brokerage's viewings, latest booking first.
//! `tenant` is a slug or an id. Errors: 400, 401, 404 no such tenant, 503.

use super::{Page, cursor};
use crate::{Gateway, operator::Operator, problem::ApiError};
use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
};
use jiff::Timestamp;
use seiketsu_domain::{CallId, LeadId, ListingId, PhoneNumber, Pii, ViewingId};
use seiketsu_storage::viewings::{self, Viewing, ViewingStatus};
use serde::{Deserialize, Serialize};

/// An appointment to see a listing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ViewingView {
    /// Which viewing.
    pub id: ViewingId,
    /// What is to be seen.
    pub listing_id: ListingId,
    /// Who comes, if they are a lead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lead_id: Option<LeadId>,
    /// The call in which it was agreed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call_id: Option<CallId>,
    /// Who comes.
    pub visitor_name: Pii<String>,
    /// How to reach them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visitor_phone: Option<Pii<PhoneNumber>>,
    /// When it begins.
    pub starts_at: Timestamp,
    /// When it ends.
    pub ends_at: Timestamp,
    /// Whether it will take place.
    pub status: ViewingStatus,
    /// When it was booked.
    pub created_at: Timestamp,
    /// The viewing that it took the place of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rescheduled_from: Option<ViewingId>,
    /// When it was cancelled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancelled_at: Option<Timestamp>,
    /// Why, if anybody said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancel_reason: Option<Pii<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ViewingsQuery {
    tenant: String,
    call: Option<CallId>,
    cursor: Option<String>,
    limit: Option<u32>,
}

pub(super) async fn list(
    State(gateway): State<Gateway>,
    _operator: Operator,
    query: Result<Query<ViewingsQuery>, QueryRejection>,
) -> Result<Json<Page<ViewingView>>, ApiError> {
    let Query(query) = query?;
    let limit = cursor::limit(query.limit)?;
    let before = cursor::decode(query.cursor.as_deref())?;
    let scope = super::tenant(&gateway, &query.tenant).await?.scope;
    let mut tenant = gateway.db().tenant(&scope).await?;
    let rows = viewings::list(&mut tenant, query.call, before, limit + 1).await?;
    tenant.commit().await?;
    let items = rows.into_iter().map(view).collect();
    Ok(Json(Page::cut(items, limit, |viewing: &ViewingView| viewing.id)))
}

fn view(viewing: Viewing) -> ViewingView {
    ViewingView {
        id: viewing.id,
        listing_id: viewing.listing_id,
        lead_id: viewing.lead_id,
        call_id: viewing.call_id,
        visitor_name: viewing.visitor_name,
        visitor_phone: viewing.visitor_phone,
        starts_at: viewing.starts_at,
        ends_at: viewing.ends_at,
        status: viewing.status,
        created_at: viewing.created_at,
        rescheduled_from: viewing.rescheduled_from,
        cancelled_at: viewing.cancelled_at,
        cancel_reason: viewing.cancel_reason,
    }
}
