//! Changing the vendors' behaviour while they run, and reading what was delayed on purpose.

use crate::{Delays, Profile, ProgrammedFault, conduct::Behaviour, injected::Injected, sandbox::Shared};
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

/// `GET`/`POST /sandbox/control` and `GET /sandbox/injected`.
pub(crate) fn router() -> Router<Arc<Shared>> {
    Router::new().route("/sandbox/control", get(show).post(change)).route("/sandbox/injected", get(injected))
}

/// A change; what is absent stays as it is, what is present replaces the old value as a whole.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    profile: Option<Profile>,
    delays: Option<Delays>,
    faults: Option<Vec<ProgrammedFault>>,
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
    let behaviour = shared.conduct.change(|behaviour| {
        behaviour.profile = change.profile.unwrap_or(behaviour.profile);
        behaviour.delays = change.delays.unwrap_or(behaviour.delays);
        if let Some(faults) = change.faults {
            behaviour.faults = faults;
        }
    });
    tracing::info!(?behaviour, "sandbox behaviour changed");
    Ok(Json(behaviour))
}

async fn injected(State(shared): State<Arc<Shared>>, Query(page): Query<Page>) -> Json<Vec<Injected>> {
    Json(shared.conduct.injected_after(page.after))
}
