//! `GET /v1/leads?tenant=…[&call=…][&cursor=…][&limit=…]`: a brokerage's leads, latest first.
//! `tenant` is a slug or an id. Errors: 400, 401, 404 no such tenant, 503.

use super::{Page, cursor};
use crate::{Gateway, operator::Operator, problem::ApiError};
use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
};
use jiff::Timestamp;
use seiketsu_domain::{CallId, LeadId, MicroDollars, PhoneNumber, Pii};
use seiketsu_storage::leads::{self, Financing, Intent, Lead, LeadFacts, LeadTimeline};
use serde::{Deserialize, Serialize};

/// Somebody who may buy, rent or sell. What is not known is absent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
    pub created_at: Timestamp,
    /// When they were last changed.
    pub updated_at: Timestamp,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LeadsQuery {
    tenant: String,
    call: Option<CallId>,
    cursor: Option<String>,
    limit: Option<u32>,
}

pub(super) async fn list(
    State(gateway): State<Gateway>,
    _operator: Operator,
    query: Result<Query<LeadsQuery>, QueryRejection>,
) -> Result<Json<Page<LeadView>>, ApiError> {
    let Query(query) = query?;
    let limit = cursor::limit(query.limit)?;
    let before = cursor::decode(query.cursor.as_deref())?;
    let scope = super::tenant(&gateway, &query.tenant).await?.scope;
    let mut tenant = gateway.db().tenant(&scope).await?;
    let rows = leads::list(&mut tenant, query.call, before, limit + 1).await?;
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
