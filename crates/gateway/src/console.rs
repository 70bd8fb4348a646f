//! The console's files: inside the binary, or, in development builds, read from `console/dist`.
//!
//! Files under `/assets/` have their content's hash in their name and stay for ever; every other page of the console is
//! `index.html`, which says where it is itself. Each text file has a `.gz` beside it, sent to whoever takes it. A binary
//! that was built without the console serves a page that says how to build it. What belongs to the API is never answered
//! with a page.

use crate::problem::ApiError;
use axum::{
    body::Body,
    extract::Request,
    response::{IntoResponse, Response},
};
use http::{
    HeaderMap, HeaderValue, Method, StatusCode,
    header::{
        ACCEPT, ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE,
        REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS,
    },
};
use rust_embed::{Embed, EmbeddedFile};

#[derive(Embed)]
#[folder = "../../console/dist"]
#[allow_missing = true]
struct Files;

/// Nothing but what is ours, no inline script or style, no frame around it.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; \
                      connect-src 'self'; worker-src 'self'; media-src 'self' blob:; manifest-src 'self'; base-uri 'none'; \
                      form-action 'self'; frame-ancestors 'none'";
/// What no page lives under: a path there that does not exist is a problem, not a page.
const NOT_PAGES: [&str; 4] = ["/v1", "/twilio", "/health", "/openapi.json"];
const NOT_BUILT: &str = include_str!("console/not_built.html");

/// Whatever no route takes. Where the console has no page, browsers get its word for that; to a program it is a problem.
pub(crate) async fn serve(request: Request) -> Result<Response, ApiError> {
    let path = request.uri().path();
    let is_page = !NOT_PAGES
        .iter()
        .any(|root| path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')));
    if !is_page || !matches!(*request.method(), Method::GET | Method::HEAD) {
        return Err(ApiError::NotFound);
    }
    let name = path.trim_start_matches('/');
    let is_asset = name.starts_with("assets/");
    let zipped = takes_gzip(request.headers());
    if let Some((file, encoded)) = find(name, zipped) {
        let keep = if is_asset { "public, max-age=31536000, immutable" } else { "no-cache" };
        return Ok(answer(media_type(name), keep, encoded, file.data));
    }
    if is_asset {
        return Err(ApiError::NotFound);
    }
    if !is_page_of_the_console(name) && !wants_page(request.headers()) {
        return Err(ApiError::NotFound);
    }
    if let Some((file, encoded)) = find("index.html", zipped) {
        return Ok(answer(media_type("index.html"), "no-cache", encoded, file.data));
    }
    let mut page = answer(media_type("index.html"), "no-store", false, NOT_BUILT.as_bytes());
    *page.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    Ok(page)
}

/// The file of this name, and whether it is its compressed form.
fn find(name: &str, zipped: bool) -> Option<(EmbeddedFile, bool)> {
    // Development builds read the directory, and nothing above it.
    if name.is_empty() || name.split('/').any(|part| part == "..") {
        return None;
    }
    let compressed = zipped.then(|| Files::get(&format!("{name}.gz"))).flatten();
    compressed.map(|file| (file, true)).or_else(|| Files::get(name).map(|file| (file, false)))
}

/// Whether the console itself has a page there, whoever asks.
fn is_page_of_the_console(name: &str) -> bool {
    matches!(name, "" | "calls" | "docs") || name.starts_with("calls/")
}

fn wants_page(headers: &HeaderMap) -> bool {
    headers.get(ACCEPT).and_then(|value| value.to_str().ok()).is_some_and(|kinds| kinds.contains("text/html"))
}

fn takes_gzip(headers: &HeaderMap) -> bool {
    let accepted = headers.get(ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    accepted.split(',').any(|coding| {
        let (name, quality) = coding.split_once(';').unwrap_or((coding, ""));
        name.trim().eq_ignore_ascii_case("gzip") && quality.trim() != "q=0"
    })
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("ico") => "image/x-icon",
        Some("json" | "map") => "application/json",
        Some("webmanifest") => "application/manifest+json",
        Some("txt") => "text/plain; charset=utf-8",
        Some("woff2") => "font/woff2",
        Some(_) | None => "application/octet-stream",
    }
}

fn answer(kind: &'static str, keep: &'static str, zipped: bool, content: impl Into<Body>) -> Response {
    let mut response = content.into().into_response();
    let headers = response.headers_mut();
    let fixed = [
        (CONTENT_TYPE, kind),
        (CACHE_CONTROL, keep),
        (CONTENT_SECURITY_POLICY, POLICY),
        (REFERRER_POLICY, "no-referrer"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (VARY, "accept-encoding"),
    ];
    headers.extend(fixed.map(|(name, value)| (name, HeaderValue::from_static(value))));
    headers.insert(
        "permissions-policy",
        HeaderValue::from_static("microphone=(self), camera=(), geolocation=()"),
    );
    if zipped {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn get(path: &str) -> Result<Response, ApiError> {
        let request = Request::get(path).header(ACCEPT_ENCODING, "br, gzip").header(ACCEPT, "text/html, */*");
        serve(request.body(Body::empty()).unwrap()).await
    }

    #[tokio::test]
    async fn what_belongs_to_the_api_is_never_a_page_and_everything_else_is() {
        for path in
            ["/v1", "/v1/nothing", "/twilio/x", "/health/x", "/assets/none.js", "/assets/../../package.json"]
        {
            assert!(matches!(get(path).await, Err(ApiError::NotFound)), "{path}");
        }
        let program = Request::get("/metrics").header(ACCEPT, "*/*").body(Body::empty()).unwrap();
        assert!(matches!(serve(program).await, Err(ApiError::NotFound)));
        let anybody = Request::get("/docs").body(Body::empty()).unwrap();
        assert!(serve(anybody).await.is_ok());
        let post = Request::post("/").body(Body::empty()).unwrap();
        assert!(matches!(serve(post).await, Err(ApiError::NotFound)));
        for path in ["/", "/calls", "/calls/call_x", "/v1x"] {
            let page = get(path).await.unwrap();
            assert_eq!(page.headers()[CONTENT_TYPE], "text/html; charset=utf-8", "{path}");
            assert!(page.headers()[CONTENT_SECURITY_POLICY].to_str().unwrap().contains("default-src 'none'"));
        }
    }

    #[test]
    fn gzip_is_sent_to_whoever_takes_it() {
        for (accepted, takes) in
            [("gzip", true), ("br;q=1, GZIP;q=0.5", true), ("gzip;q=0", false), ("br", false), ("", false)]
        {
            let headers = HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_str(accepted).unwrap())]);
            assert_eq!(takes_gzip(&headers), takes, "{accepted}");
        }
    }
}
