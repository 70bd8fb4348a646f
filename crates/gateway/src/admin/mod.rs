//! The admin listener, on loopback: metrics, dependencies, log level. It asks for no key, so it must not be reachable.

pub mod dependencies;
pub mod log_level;
mod prometheus;

use crate::{Gateway, health, observe, problem::ApiError};
use axum::{
    Router, middleware,
    routing::{get, put},
};
use dependencies::{Dependency, RouteReport};
use log_level::LogLevel;
use metrics_exporter_prometheus::PrometheusHandle;
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
    gateway: Gateway,
    admin: Admin,
}

pub(crate) fn router(gateway: Gateway, admin: Admin) -> Router {
    let own = Router::new()
        .route("/metrics", get(prometheus::render))
        .route("/health/dependencies", get(dependencies::list))
        .route("/log-level", put(log_level::change).get(log_level::show))
        .with_state(AdminState { gateway: gateway.clone(), admin });
    health::routes()
        .with_state(gateway.clone())
        .merge(own)
        .fallback(async || ApiError::NotFound)
        .method_not_allowed_fallback(async || ApiError::Method)
        .layer(CatchPanicLayer::custom(observe::panicked))
        .layer(middleware::from_fn_with_state(gateway, observe::observe))
}
