//! The admin listener, on loopback: metrics, dependencies, log level. It asks for no key, so it must not be reachable.

pub mod dependencies;
pub mod log_level;
mod prometheus;

use crate::{health, health::Vitals, observe, problem::ApiError};
use axum::{
    Router,
    extract::FromRef,
    middleware,
    routing::{get, put},
};
use dependencies::{Dependency, RouteReport};
use log_level::LogLevel;
use metrics_exporter_prometheus::PrometheusHandle;
use seiketsu_domain::IdSource;
use std::sync::Arc;
use tower_http::catch_panic::CatchPanicLayer;

/// What only the composition root can hand to the admin listener.
#[derive(Debug, Clone)]
pub struct Admin {
    /// Renders what was recorded.
    pub prometheus: PrometheusHandle,
    /// Changes what is logged.
    pub log_level: Arc<dyn LogLevel>,
    /// What this replica needs besides the database, in the order in which it is shown.
    pub dependencies: Vec<Arc<dyn Dependency>>,
    /// How the routes to vendors are.
    pub routes: Arc<dyn RouteReport>,
}

/// What the admin handlers see.
#[derive(Debug, Clone)]
struct AdminState {
    vitals: Vitals,
    ids: IdSource,
    admin: Admin,
}

impl FromRef<AdminState> for Vitals {
    fn from_ref(state: &AdminState) -> Self {
        state.vitals.clone()
    }
}

impl Admin {
    /// The admin listener of any process, with calls or without.
    pub fn router(self, vitals: Vitals, ids: IdSource) -> Router {
        Router::new()
            .merge(health::routes())
            .route("/metrics", get(prometheus::render))
            .route("/health/dependencies", get(dependencies::list))
            .route("/log-level", put(log_level::change).get(log_level::show))
            .fallback(async || ApiError::NotFound)
            .method_not_allowed_fallback(async || ApiError::Method)
            .layer(CatchPanicLayer::custom(observe::panicked))
            .layer(middleware::from_fn_with_state(ids.clone(), observe::observe))
            .with_state(AdminState { vitals, ids, admin: self })
    }
}
