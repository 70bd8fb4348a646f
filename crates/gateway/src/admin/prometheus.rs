//! `GET /metrics`: everything that was recorded, in Prometheus' text form.

use super::AdminState;
use axum::{extract::State, response::IntoResponse};
use http::header::CONTENT_TYPE;

pub(super) async fn render(State(state): State<AdminState>) -> impl IntoResponse {
    state.admin.prometheus.run_upkeep();
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], state.admin.prometheus.render())
}
