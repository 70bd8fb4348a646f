//! Changing the vendors' behaviour while they run, and reading what was delayed on purpose.
//!
//! `POST /sandbox/control` takes any of these, each replacing what was there; `GET` shows all of them as they are now:
//!
//! ```json
//! { "profile": "typical",
//!   "delays": { "recogniser_ms": 0, "first_token_ms": 0, "token_ms": 0, "first_byte_ms": 0 },
//!   "faults": [{ "request": "generation", "fault": "stall", "count": 3 }],
//!   "outages": [{ "service": "deepgram", "fault": "half_open", "for_ms": 60000 },
//!               { "service": "model", "fault": "rate_limited", "retry_after_seconds": 5 }] }
//! ```
//!
//! `GET /sandbox/injected?after=N` lists delays, `GET /sandbox/injected/counts` counts requests and what became of them.

use crate::{
    Delays, Outage, Profile, ProgrammedFault, Service,
    conduct::{Behaviour, Counts},
    injected::Injected,
    sandbox::Shared,
};
use axum::{
    Json, Router,
    extract::{Query, State},
    http::StatusCode,
    routing::get,
};
use serde::Deserialize;
use std::sync::Arc;

/// How many entries a programme of faults may have.
const MAX_PROGRAMMED: usize = 100;

/// `GET`/`POST /sandbox/control`, `GET /sandbox/injected` and `GET /sandbox/injected/counts`.
pub(crate) fn router() -> Router<Arc<Shared>> {
    Router::new()
        .route("/sandbox/control", get(show).post(change))
        .route("/sandbox/injected", get(injected))
        .route("/sandbox/injected/counts", get(counts))
}

/// A change; what is absent stays as it is, what is present replaces the old value as a whole.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    profile: Option<Profile>,
    delays: Option<Delays>,
    faults: Option<Vec<ProgrammedFault>>,
    outages: Option<Vec<Outage>>,
}

#[derive(Debug, Deserialize)]
struct Page {
    /// Only records with a higher sequence number.
    #[serde(default)]
    after: u64,
}

async fn show(State(shared): State<Arc<Shared>>) -> Json<Behaviour> {
    Json(shared.conduct.behaviour())
}

async fn change(
    State(shared): State<Arc<Shared>>,
    Json(change): Json<Change>,
) -> Result<Json<Behaviour>, (StatusCode, String)> {
    if change.faults.as_ref().is_some_and(|faults| faults.len() > MAX_PROGRAMMED) {
        return Err((
            StatusCode::UNPROCESSABLE_ENTITY,
            format!("at most {MAX_PROGRAMMED} programmed faults"),
        ));
    }
    if change.outages.as_ref().is_some_and(|outages| outages.len() > Service::ALL.len()) {
        return Err((StatusCode::UNPROCESSABLE_ENTITY, "at most one outage for each service".to_owned()));
    }
    let behaviour = shared.conduct.change(|behaviour| {
        behaviour.profile = change.profile.unwrap_or(behaviour.profile);
        behaviour.delays = change.delays.unwrap_or(behaviour.delays);
        if let Some(faults) = change.faults {
            behaviour.faults = faults;
        }
        if let Some(outages) = change.outages {
            behaviour.outages = outages;
        }
    });
    tracing::info!(?behaviour, "sandbox behaviour changed");
    Ok(Json(behaviour))
}

async fn injected(State(shared): State<Arc<Shared>>, Query(page): Query<Page>) -> Json<Vec<Injected>> {
    Json(shared.conduct.injected_after(page.after))
}

async fn counts(State(shared): State<Arc<Shared>>) -> Json<Counts> {
    Json(shared.conduct.counts())
}
