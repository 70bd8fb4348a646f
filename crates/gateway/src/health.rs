//! Is the process up, may it get calls, has it begun? The same three questions on both listeners.
//!
//! - `live`: the process answers. A database that is away is no reason to restart us.
//! - `ready`: new calls may come: not draining, and the database answers. Live calls go on while this says no.
//! - `startup`: the composition root has finished its work, once.

use crate::Switchboard;
use axum::{
    Json, Router,
    extract::{FromRef, State},
    routing::get,
};
use http::StatusCode;
use seiketsu_storage::Db;
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

/// What the probes look at; cheap to clone.
#[derive(Debug, Clone)]
pub struct Vitals {
    /// Whether the process has finished starting.
    pub startup: Startup,
    /// The database, without which nothing new can begin.
    pub db: Db,
    /// Where calls are, in a process that takes some.
    pub switchboard: Option<Arc<dyn Switchboard>>,
}

/// The three probes.
pub(crate) fn routes<S>() -> Router<S>
where
    S: Clone + Send + Sync + 'static,
    Vitals: FromRef<S>,
{
    Router::new()
        .route("/health/live", get(live))
        .route("/health/ready", get(ready))
        .route("/health/startup", get(startup))
}

async fn live(State(vitals): State<Vitals>) -> (StatusCode, Json<Health>) {
    vitals.answer(None)
}

async fn ready(State(vitals): State<Vitals>) -> (StatusCode, Json<Health>) {
    let missing = if !vitals.startup.is_finished() {
        Some("starting")
    } else if vitals.is_draining() {
        Some("draining")
    } else if !vitals.database_answers().await {
        Some("database_away")
    } else {
        None
    };
    vitals.answer(missing)
}

async fn startup(State(vitals): State<Vitals>) -> (StatusCode, Json<Health>) {
    vitals.answer((!vitals.startup.is_finished()).then_some("starting"))
}

impl Vitals {
    fn answer(&self, missing: Option<&str>) -> (StatusCode, Json<Health>) {
        let status = if missing.is_some() { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
        let live_calls = self.switchboard.as_ref().map_or(0, |switchboard| switchboard.live_calls());
        (status, Json(Health { status: missing.unwrap_or("ok").to_owned(), live_calls }))
    }

    fn is_draining(&self) -> bool {
        self.switchboard.as_ref().is_some_and(|switchboard| switchboard.is_draining())
    }

    /// Whether the database answers the smallest question in time.
    pub(crate) async fn database_answers(&self) -> bool {
        matches!(tokio::time::timeout(PROBE_DEADLINE, self.db.ping()).await, Ok(Ok(())))
    }
}
