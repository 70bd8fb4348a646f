//! What all of this vendor's requests have in common: where, as whom, and how an answer begins.

use crate::{Failure, FailureKind, Vendor, http_status};
use bytes::Bytes;
use futures_util::{StreamExt, TryFutureExt, TryStreamExt, stream::BoxStream};
use http::{HeaderValue, Method, header};
use reqwest::{RequestBuilder, Response};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

/// A server that speaks this vendor's protocols, and our key for it. Cheap to share.
#[derive(Debug, Clone)]
pub(super) struct Endpoint {
    base_url: Url,
    api_key: SecretString,
    http: reqwest::Client,
}

impl Endpoint {
    pub(super) fn new(base_url: Url, api_key: SecretString, http: reqwest::Client) -> Self {
        Self { base_url, api_key, http }
    }

    /// A request with our key, without a body.
    pub(super) fn request(&self, method: Method, path: &[&str]) -> Result<RequestBuilder, Failure> {
        let mut url = self.base_url.clone();
        let Ok(mut segments) = url.path_segments_mut() else {
            let detail = format!("`{}` is not a base URL", self.base_url);
            return Err(Failure::new(Vendor::OpenAi, FailureKind::BadRequest, detail));
        };
        segments.pop_if_empty().extend(path);
        drop(segments);
        let key = format!("Bearer {}", self.api_key.expose_secret());
        let key = http_status::secret_header(Vendor::OpenAi, &key)?;
        Ok(self.http.request(method, url).header(header::AUTHORIZATION, key))
    }
}

/// Sends a request and waits for an answer that promises what was hoped for: a type that begins like one of `types`.
pub(super) async fn begin(
    request: RequestBuilder,
    types: &'static [&'static str],
) -> Result<Response, Failure> {
    let mut response = request.send().await.map_err(broken)?;
    if !response.status().is_success() {
        let body = http_status::read_some(&mut response).await;
        return Err(http_status::refused(Vendor::OpenAi, response.status(), response.headers(), &body));
    }
    let found = response.headers().get(header::CONTENT_TYPE).map_or(&b""[..], HeaderValue::as_bytes);
    let found = String::from_utf8_lossy(found).to_ascii_lowercase();
    if !types.iter().any(|wanted| found.starts_with(wanted)) {
        let detail = format!("an answer of type `{found}` instead of {}", types.join(" or "));
        return Err(Failure::new(Vendor::OpenAi, FailureKind::Garbage, detail));
    }
    Ok(response)
}

/// The body of an answer, piece by piece. Dropping it cancels the request.
pub(super) type Body = BoxStream<'static, Result<Bytes, Failure>>;

/// Sends a request; its answer's body, or why there is none, as a stream.
pub(super) fn stream(request: RequestBuilder, types: &'static [&'static str]) -> Body {
    let pieces = begin(request, types).map_ok(|response| response.bytes_stream().map_err(broken));
    pieces.try_flatten_stream().boxed()
}

/// An exchange that broke.
pub(super) fn broken(error: reqwest::Error) -> Failure {
    http_status::transport(Vendor::OpenAi, error)
}
