//! `GET /v1/leads`: a brokerage's leads, latest first, of a call, of a number, with an intent or a score.
//! Errors: 400, 401, 404 no such tenant, 503.

use super::{Page, cursor, problems::ListProblems};
use crate::{Gateway, access::Reader, problem::ApiError};
use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
};
use jiff::Timestamp;
use seiketsu_domain::{CallId, LeadId, MicroDollars, PhoneNumber, Pii};
use seiketsu_storage::leads::{self, Financing, Intent, Lead, LeadFacts, LeadFilter, LeadTimeline};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Somebody who may buy, rent or sell. What is not known is absent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LeadView {
    /// Which lead.
    pub id: LeadId,
    /// Phone number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<Pii<PhoneNumber>>,
    /// The call in which they last appeared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call_id: Option<CallId>,
    /// Name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Pii<String>>,
    /// Address for mail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<Pii<String>>,
    /// What they want.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intent: Option<Intent>,
    /// What they can spend.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget_micro_dollars: Option<MicroDollars>,
    /// How soon.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeline: Option<LeadTimeline>,
    /// How it will be paid for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub financing: Option<Financing>,
    /// Where.
    pub areas: Vec<String>,
    /// At least so many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bedrooms: Option<u16>,
    /// Anything else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notes: Option<Pii<String>>,
    /// 0 to 100.
    pub score: u8,
    /// Why, as sentences.
    pub score_reasons: Vec<String>,
    /// When they first appeared.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When they were last changed.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct LeadsQuery {
    /// Whose, by slug or id. Operators have to say; everybody else sees their own.
    #[param(example = "lone-star-homes")]
    tenant: Option<String>,
    /// Those of this call.
    call: Option<CallId>,
    /// The one with this phone number; `+` is written `%2B` in a query.
    #[param(example = "+15125550142")]
    phone: Option<PhoneNumber>,
    /// Those who want this.
    intent: Option<Intent>,
    /// Those with at least this score.
    #[param(minimum = 0, maximum = 100)]
    min_score: Option<u8>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Items on the page; 50 if nothing is said.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

/// Leads, newest first.
#[utoipa::path(get, path = "/v1/leads", tag = "records", operation_id = "listLeads", params(LeadsQuery),
    responses((status = 200, description = "A page.", body = Page<LeadView>), ListProblems))]
pub(super) async fn list(
    State(gateway): State<Gateway>,
    reader: Reader,
    query: Result<Query<LeadsQuery>, QueryRejection>,
) -> Result<Json<Page<LeadView>>, ApiError> {
    let Query(query) = query?;
    if query.min_score.is_some_and(|score| score > 100) {
        return Err(ApiError::Query("`min_score` is 0 to 100".to_owned()));
    }
    let limit = cursor::limit(query.limit)?;
    let before = cursor::decode(query.cursor.as_deref())?;
    let scope = reader.scope(&gateway, query.tenant.as_deref()).await?;
    let mut tenant = gateway.db().tenant(&scope).await?;
    let filter = LeadFilter {
        call_id: query.call,
        phone: query.phone,
        intent: query.intent,
        min_score: query.min_score,
    };
    let rows = leads::matching(&mut tenant, &filter, before, limit + 1).await?;
    tenant.commit().await?;
    let items = rows.into_iter().map(view).collect();
    Ok(Json(Page::cut(items, limit, |lead: &LeadView| lead.id)))
}

fn view(lead: Lead) -> LeadView {
    let LeadFacts { name, email, intent, budget, timeline, financing, areas, bedrooms, notes } = lead.facts;
    LeadView {
        id: lead.id,
        phone: lead.phone,
        call_id: lead.call_id,
        name,
        email,
        intent,
        budget_micro_dollars: budget,
        timeline,
        financing,
        areas,
        bedrooms,
        notes,
        score: lead.score,
        score_reasons: lead.score_reasons,
        created_at: lead.created_at,
        updated_at: lead.updated_at,
    }
}
