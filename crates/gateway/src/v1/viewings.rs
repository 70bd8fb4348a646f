//! `GET /v1/viewings`: a brokerage's viewings, latest booking first, of a call, of a listing, in a state, at a time.
//! Errors: 400, 401, 404 no such tenant, 503.

use super::{Page, cursor, problems::ListProblems};
use crate::{Gateway, access::Reader, problem::ApiError};
use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
};
use jiff::Timestamp;
use seiketsu_domain::{CallId, LeadId, ListingId, PhoneNumber, Pii, ViewingId};
use seiketsu_storage::viewings::{self, Viewing, ViewingFilter, ViewingStatus};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// An appointment to see a listing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
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
    #[schema(value_type = String, format = DateTime)]
    pub starts_at: Timestamp,
    /// When it ends.
    #[schema(value_type = String, format = DateTime)]
    pub ends_at: Timestamp,
    /// Whether it will take place.
    pub status: ViewingStatus,
    /// When it was booked.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// The viewing that it took the place of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rescheduled_from: Option<ViewingId>,
    /// When it was cancelled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub cancelled_at: Option<Timestamp>,
    /// Why, if anybody said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancel_reason: Option<Pii<String>>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ViewingsQuery {
    /// Whose, by slug or id. Operators have to say; everybody else sees their own.
    #[param(example = "lone-star-homes")]
    tenant: Option<String>,
    /// Those of this call.
    call: Option<CallId>,
    /// Those of this listing.
    listing: Option<ListingId>,
    /// Those in this state.
    status: Option<ViewingStatus>,
    /// Those that begin at this time (RFC 3339) or later.
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    /// Those that begin before this time.
    #[param(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Items on the page; 50 if nothing is said.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

/// Viewings, latest booking first.
#[utoipa::path(get, path = "/v1/viewings", tag = "records", operation_id = "listViewings", params(ViewingsQuery),
    responses((status = 200, description = "A page.", body = Page<ViewingView>), ListProblems))]
pub(super) async fn list(
    State(gateway): State<Gateway>,
    reader: Reader,
    query: Result<Query<ViewingsQuery>, QueryRejection>,
) -> Result<Json<Page<ViewingView>>, ApiError> {
    let Query(query) = query?;
    let limit = cursor::limit(query.limit)?;
    let before = cursor::decode(query.cursor.as_deref())?;
    let scope = reader.scope(&gateway, query.tenant.as_deref()).await?;
    let mut tenant = gateway.db().tenant(&scope).await?;
    let filter = ViewingFilter {
        call_id: query.call,
        listing_id: query.listing,
        status: query.status,
        from: query.from,
        until: query.until,
    };
    let rows = viewings::matching(&mut tenant, &filter, before, limit + 1).await?;
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
