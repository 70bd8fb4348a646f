//! What every request gets, whatever it asks: an id, a span, a place in the histogram, and a 500 instead of a panic.

use crate::problem::ApiError;
use axum::{
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{HeaderName, HeaderValue, Method};
use seiketsu_domain::IdSource;
use std::any::Any;
use tracing::Instrument;

/// Carries the request id; the only thing in which two equal answers differ.
pub static REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Seconds a request took until its head was sent, by `method`, `route` (the pattern, never the path) and `status`
/// class.
pub const REQUEST_SECONDS: &str = "seiketsu_http_request_seconds";

/// Says what the metrics of this crate mean; call once, after the recorder was installed.
pub fn describe_metrics() {
    metrics::describe_histogram!(
        REQUEST_SECONDS,
        metrics::Unit::Seconds,
        "time until an HTTP request was answered"
    );
    crate::twilio::describe_metrics();
}

/// The middleware. Ids that a client sends are not believed: they would let it write into our logs.
pub(crate) async fn observe(State(ids): State<IdSource>, request: Request, next: Next) -> Response {
    let id = ids.next_uuid().simple().to_string();
    let method = method_label(request.method());
    let route = request.extensions().get::<MatchedPath>().map_or("unmatched", MatchedPath::as_str).to_owned();
    let span = tracing::info_span!("request", %id, method, route, operator = tracing::field::Empty);
    let clock = ids.clock();
    let started = clock.monotonic();
    let mut response = next.run(request).instrument(span).await;
    let seconds = clock.monotonic().saturating_sub(started).as_secs_f64();
    let status = status_label(response.status().as_u16());
    metrics::histogram!(REQUEST_SECONDS, "method" => method, "route" => route, "status" => status)
        .record(seconds);
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID.clone(), id);
    }
    response
}

/// Turns a panic into an answer. The panic hook has logged it already, with its place.
pub(crate) fn panicked(_panic: Box<dyn Any + Send + 'static>) -> Response {
    ApiError::Internal("a request handler panicked").into_response()
}

fn method_label(method: &Method) -> &'static str {
    [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::HEAD, Method::OPTIONS]
        .iter()
        .zip(["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"])
        .find_map(|(known, label)| (known == method).then_some(label))
        .unwrap_or("other")
}

fn status_label(status: u16) -> &'static str {
    match status / 100 {
        1 => "1xx",
        2 => "2xx",
        3 => "3xx",
        4 => "4xx",
        _ => "5xx",
    }
}
