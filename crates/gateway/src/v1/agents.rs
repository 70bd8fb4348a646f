//! `GET /v1/agents`: a brokerage's agents, by name, with the numbers that reach them.
//! Errors: 400, 401, 404 no such tenant, 503.

use super::{Page, problems::ListProblems};
use crate::{Gateway, access::Reader, problem::ApiError};
use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
};
use seiketsu_domain::{AgentProfile, PhoneNumber};
use seiketsu_storage::{Reason, agents, platform::numbers_of_agent};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// An agent and how it is reached.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
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

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct AgentsQuery {
    /// Whose, by slug or id. Operators have to say; everybody else sees their own.
    #[param(example = "lone-star-homes")]
    tenant: Option<String>,
}

/// The agents of a brokerage, by name, all on one page.
#[utoipa::path(get, path = "/v1/agents", tag = "records", operation_id = "listAgents", params(AgentsQuery),
    responses((status = 200, description = "All of them.", body = Page<AgentView>), ListProblems))]
pub(super) async fn list(
    State(gateway): State<Gateway>,
    reader: Reader,
    query: Result<Query<AgentsQuery>, QueryRejection>,
) -> Result<Json<Page<AgentView>>, ApiError> {
    let Query(query) = query?;
    let scope = reader.scope(&gateway, query.tenant.as_deref()).await?;
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
