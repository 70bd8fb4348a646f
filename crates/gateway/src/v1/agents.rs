//! `GET /v1/tenants/{tenant}/agents`: a brokerage's agents, by name, with the numbers that reach them.
//! `{tenant}` is a slug or an id. Errors: 401, 404, 503.

use super::Page;
use crate::{Gateway, operator::Operator, problem::ApiError};
use axum::{
    Json,
    extract::{Path, State},
};
use seiketsu_domain::{AgentProfile, PhoneNumber};
use seiketsu_storage::{Reason, agents, platform::numbers_of_agent};
use serde::{Deserialize, Serialize};

/// An agent and how it is reached.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AgentView {
    /// Everything that is configured: greeting, acknowledgements, voice, model and so on.
    #[serde(flatten)]
    pub profile: AgentProfile,
    /// Everything it may say only to bridge a wait: its own acknowledgements and the platform's.
    #[serde(default)]
    pub bridges: Vec<String>,
    /// Phone numbers that reach it.
    pub numbers: Vec<PhoneNumber>,
}

pub(super) async fn list(
    State(gateway): State<Gateway>,
    _operator: Operator,
    Path(tenant): Path<String>,
) -> Result<Json<Page<AgentView>>, ApiError> {
    let scope = super::tenant(&gateway, &tenant).await?.scope;
    let mut tenant = gateway.db().tenant(&scope).await?;
    let profiles = agents::list(&mut tenant).await?;
    tenant.commit().await?;
    let mut system = gateway.db().system(Reason::OperatorRead).await?;
    let mut items = Vec::with_capacity(profiles.len());
    for profile in profiles {
        let numbers = numbers_of_agent(&mut system, &scope, profile.id).await?;
        items.push(AgentView { bridges: seiketsu_session::bridges(&profile), profile, numbers });
    }
    system.commit().await?;
    Ok(Json(Page { items, next_cursor: None }))
}
