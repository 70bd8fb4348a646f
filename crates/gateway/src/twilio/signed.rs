//! Webhooks that Twilio has signed: the extractor that is their permission.

use crate::{Gateway, problem::ApiError};
use axum::extract::{FromRequest, Request};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, StatusCode, uri::PathAndQuery};
use secrecy::ExposeSecret;
use seiketsu_session::twilio_signature;
use std::time::Duration;
use tokio::time::timeout;

/// Where Twilio puts the signature.
pub(super) const HEADER: HeaderName = HeaderName::from_static("x-twilio-signature");
/// By then the body has arrived. Twilio itself gives up after fifteen seconds.
const BODY_DEADLINE: Duration = Duration::from_secs(5);

/// The parameters of a form that Twilio has signed for the very URL it was posted to.
#[derive(Debug)]
pub(super) struct SignedForm {
    parameters: Vec<(String, String)>,
}

impl SignedForm {
    /// A parameter that was sent and is not empty.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let (_, value) = self.parameters.iter().find(|(key, value)| key == name && !value.is_empty())?;
        Some(value)
    }

    /// Twilio's id of the call, in every voice webhook.
    pub(super) fn call_sid(&self) -> Result<&str, ApiError> {
        let sid = self.get("CallSid").ok_or(ApiError::Body("CallSid is missing"))?;
        if is_plausible_sid(sid) { Ok(sid) } else { Err(ApiError::Body("CallSid is not one of Twilio's")) }
    }

    /// Whether the caller has hung up while we were asked: then there is nobody left to connect.
    pub(super) fn caller_is_gone(&self) -> bool {
        self.get("CallStatus").is_some_and(|status| status != "in-progress")
    }
}

/// Whether a text may be one of Twilio's ids; ours in tests are shorter than theirs.
pub(super) fn is_plausible_sid(sid: &str) -> bool {
    (1..=64).contains(&sid.len()) && sid.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

impl FromRequest<Gateway> for SignedForm {
    type Rejection = ApiError;

    async fn from_request(request: Request, gateway: &Gateway) -> Result<Self, ApiError> {
        let headers = request.headers().clone();
        let path = request.uri().path_and_query().map_or("/", PathAndQuery::as_str);
        let url = gateway.config().public_url.at(path);
        let body = timeout(BODY_DEADLINE, Bytes::from_request(request, gateway))
            .await
            .map_err(|_| ApiError::TooSlow)?
            .map_err(|rejection| match rejection.status() {
                StatusCode::PAYLOAD_TOO_LARGE => ApiError::TooLarge { limit_bytes: crate::MAX_BODY_BYTES },
                _ => ApiError::Body("the body could not be read"),
            })?;
        let parameters: Vec<(String, String)> = url::form_urlencoded::parse(&body).into_owned().collect();
        verify(gateway, &headers, &url, &parameters)?;
        Ok(Self { parameters })
    }
}

/// Whether the headers carry Twilio's signature of this URL and these parameters.
pub(super) fn verify(
    gateway: &Gateway,
    headers: &HeaderMap,
    url: &str,
    parameters: &[(String, String)],
) -> Result<(), ApiError> {
    let signature = headers.get(HEADER).and_then(|value| value.to_str().ok()).ok_or(ApiError::Signature)?;
    let auth_token = gateway.config().twilio_auth_token.expose_secret();
    if twilio_signature::verify(auth_token, url, parameters, signature) {
        Ok(())
    } else {
        Err(ApiError::Signature)
    }
}
