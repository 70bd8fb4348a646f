//! Is the process up, may it get calls, has it begun? The same three questions on both listeners.
//!
//! - `live`: the process answers. A database that is away is no reason to restart us.
//! - `ready`: new calls may come: not draining, and the database answers. Live calls go on while this says no.
//! - `startup`: the composition root has finished its work, once.

use crate::Gateway;
use axum::{Json, Router, extract::State, routing::get};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// A probe that takes longer than this has failed.
const PROBE_DEADLINE: Duration = Duration::from_secs(1);

/// Set once by the composition root when everything is wired; cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Startup(Arc<AtomicBool>);

impl Startup {
    /// Everything is wired and serving.
    pub fn finished(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Whether that was said.
    pub fn is_finished(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// The answer to a probe.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// `ok`, or what is missing: `starting`, `draining`, `database_away`.
    pub status: String,
    /// Calls this replica holds.
    pub live_calls: usize,
}

/// The three probes.
pub(crate) fn routes() -> Router<Gateway> {
    Router::new()
        .route("/health/live", get(live))
        .route("/health/ready", get(ready))
        .route("/health/startup", get(startup))
}

async fn live(State(gateway): State<Gateway>) -> (StatusCode, Json<Health>) {
    answer(&gateway, None)
}

async fn ready(State(gateway): State<Gateway>) -> (StatusCode, Json<Health>) {
    let missing = if !gateway.startup().is_finished() {
        Some("starting")
    } else if gateway.switchboard().is_draining() {
        Some("draining")
    } else if !database_answers(&gateway).await {
        Some("database_away")
    } else {
        None
    };
    answer(&gateway, missing)
}

async fn startup(State(gateway): State<Gateway>) -> (StatusCode, Json<Health>) {
    answer(&gateway, (!gateway.startup().is_finished()).then_some("starting"))
}

fn answer(gateway: &Gateway, missing: Option<&str>) -> (StatusCode, Json<Health>) {
    let status = if missing.is_some() { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    let health =
        Health { status: missing.unwrap_or("ok").to_owned(), live_calls: gateway.switchboard().live_calls() };
    (status, Json(health))
}

/// Whether the database answers the smallest question in time.
pub(crate) async fn database_answers(gateway: &Gateway) -> bool {
    matches!(tokio::time::timeout(PROBE_DEADLINE, gateway.db().ping()).await, Ok(Ok(())))
}
