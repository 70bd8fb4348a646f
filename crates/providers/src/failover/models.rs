//! The language models, per agent: its own, its fallbacks, and its own again.

use super::{
    health::{Kind, Patience, RouteHealth},
    probe::ModelProbe,
    registry::Failover,
    routes,
};
use crate::{Failure, LanguageModel, Retry, Vendor};
use seiketsu_domain::{AgentProfile, ModelChoice};
use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};
use tracing::debug;

/// Models that are told apart. Agents may name any model; beyond this, those of an endpoint share their health.
const MAX_TRACKED: usize = 64;

/// A configured place that serves language models.
#[derive(Debug, Clone)]
pub struct ModelEndpoint {
    /// Its name in the configuration, for example `openai` or `fallback`.
    pub name: String,
    /// The client.
    pub client: Arc<dyn LanguageModel>,
    /// How long it may take.
    pub patience: Patience,
}

/// One model at one endpoint, as an agent wants it.
#[derive(Debug, Clone)]
pub struct ModelRoute {
    /// How it is.
    pub health: RouteHealth,
    /// The client.
    pub client: Arc<dyn LanguageModel>,
    /// The model to ask for; none for the agent's own, which comes with the request.
    pub model: Option<ModelChoice>,
    /// What this model is told instead of the agent's instructions.
    pub instructions: Option<String>,
}

/// All endpoints, the first choice first. Cheap to clone.
#[derive(Clone)]
pub struct Models(Arc<Inner>);

struct Inner {
    failover: Failover,
    /// Never empty.
    endpoints: Vec<ModelEndpoint>,
    /// Rate limits and outages are often those of one model, so each has its own breaker.
    tracked: Mutex<BTreeMap<(usize, String), RouteHealth>>,
}

impl fmt::Debug for Models {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.endpoints.iter().map(|endpoint| &endpoint.name)).finish()
    }
}

impl Models {
    /// Models at these endpoints. An agent's own model is asked for at the first.
    pub fn new(
        failover: &Failover,
        first: ModelEndpoint,
        others: impl IntoIterator<Item = ModelEndpoint>,
    ) -> Self {
        let endpoints = std::iter::once(first).chain(others).collect();
        Self(Arc::new(Inner { failover: failover.clone(), endpoints, tracked: Mutex::default() }))
    }

    /// The routes of an agent, best first; never empty. A fallback whose endpoint is not configured is left out.
    pub fn of(&self, agent: &AgentProfile) -> Vec<ModelRoute> {
        let own = ModelRoute {
            health: self.health(0, &agent.model.model),
            client: Arc::clone(&self.0.endpoints[0].client),
            model: None,
            instructions: None,
        };
        let fallbacks = agent.model_fallbacks.iter().filter_map(|fallback| {
            let at = self.0.endpoints.iter().position(|endpoint| endpoint.name == fallback.endpoint);
            let Some(at) = at else {
                debug!(agent = %agent.id, endpoint = fallback.endpoint, "a fallback names an endpoint that is not configured");
                return None;
            };
            Some(ModelRoute {
                health: self.health(at, &fallback.model.model),
                client: Arc::clone(&self.0.endpoints[at].client),
                model: Some(fallback.model.clone()),
                instructions: fallback.instructions.clone(),
            })
        });
        std::iter::once(own).chain(fallbacks).collect()
    }

    /// Opens a connection to the first choice, so that the first request does not pay for it.
    pub async fn warm(&self) {
        self.0.endpoints[0].client.warm().await;
    }

    fn health(&self, at: usize, model: &str) -> RouteHealth {
        let mut tracked = self.0.tracked.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(health) = tracked.get(&(at, model.to_owned())) {
            return health.clone();
        }
        if tracked.len() >= MAX_TRACKED
            && let Some((_, shared)) = tracked.range((at, String::new())..(at + 1, String::new())).next()
        {
            return shared.clone();
        }
        let endpoint = &self.0.endpoints[at];
        let probe = ModelProbe {
            client: Arc::clone(&endpoint.client),
            model: model.to_owned(),
            clock: Arc::clone(self.0.failover.clock()),
        };
        let health = self.0.failover.add(
            Kind::Model,
            (endpoint.name.clone(), Some(model.to_owned()), at),
            endpoint.patience,
            (Vendor::OpenAi, Arc::new(probe)),
        );
        tracked.insert((at, model.to_owned()), health.clone());
        health
    }
}

impl ModelRoute {
    /// The route to take after those that were `tried`, and its position; see [`Routes::pick`](super::Routes::pick).
    /// `routes` is what [`Models::of`] returned.
    pub fn pick<'a>(routes: &'a [Self], tried: &[usize]) -> Option<(usize, &'a Self)> {
        let at = routes::choose(routes.iter().map(|route| (&route.health, true)), tried);
        routes.get(at).map(|route| (at, route))
    }

    /// Whether asking again makes sense after this failure, all routes considered.
    pub fn retry(routes: &[Self], failure: &Failure) -> Retry {
        routes::retry(routes.iter().map(|route| &route.health), failure)
    }
}
