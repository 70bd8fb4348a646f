//! `PUT /log-level`: changes what is logged, without a restart. The body is a filter such as `info,seiketsu_session=debug`.

use super::AdminState;
use crate::problem::ApiError;
use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use std::fmt::Debug;

/// The longest filter.
const MAX_FILTER_BYTES: usize = 1_024;

/// The subscriber's filter, which only the binary can reach.
pub trait LogLevel: Send + Sync + Debug {
    /// The filter in force.
    fn current(&self) -> String;
    /// Puts another one in force; `Err` says in words what is wrong with it.
    fn change(&self, filter: &str) -> Result<(), String>;
}

/// The filter in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogFilter {
    /// As it can be sent back.
    pub filter: String,
}

pub(super) async fn show(State(state): State<AdminState>) -> Json<LogFilter> {
    Json(LogFilter { filter: state.admin.log_level.current() })
}

pub(super) async fn change(
    State(state): State<AdminState>,
    filter: String,
) -> Result<Json<LogFilter>, ApiError> {
    let filter = filter.trim();
    if filter.is_empty() || filter.len() > MAX_FILTER_BYTES {
        return Err(ApiError::LogFilter(format!("expected 1 to {MAX_FILTER_BYTES} characters")));
    }
    state.admin.log_level.change(filter).map_err(ApiError::LogFilter)?;
    tracing::info!(filter, "the log level was changed");
    Ok(Json(LogFilter { filter: state.admin.log_level.current() }))
}
