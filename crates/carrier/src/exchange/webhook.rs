//! Telling the platform of a call: the voice webhook, redirects, and status callbacks.

use super::{Inner, PlaceCall, WEBHOOK_TIMEOUT};
use crate::{
    signature,
    twiml::{self, FetchMethod, TwimlError, Verb},
};
use seiketsu_domain::IdSource;
use std::time::Duration;
use url::Url;

/// A call's progress, as callbacks tell it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CallStatus {
    Initiated,
    Ringing,
    InProgress,
    Completed {
        duration: Duration,
    },
    /// Rejected before it was answered.
    Busy,
    Failed,
}

impl CallStatus {
    const fn name(self) -> &'static str {
        match self {
            Self::Initiated => "initiated",
            Self::Ringing => "ringing",
            Self::InProgress => "in-progress",
            Self::Completed { .. } => "completed",
            Self::Busy => "busy",
            Self::Failed => "failed",
        }
    }
}

/// Why no document could be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// Nobody answered.
    #[error("HTTP connection failed: {0}")]
    Connection(String),
    /// An HTTP status that is no success.
    #[error("the webhook answered {0}")]
    Status(u16),
    /// An answer that does not call itself XML.
    #[error("content type `{0}` is not XML")]
    ContentType(String),
    /// A document that cannot be executed.
    #[error(transparent)]
    Twiml(#[from] TwimlError),
}

impl FetchError {
    /// The code in Twilio's debugger.
    pub const fn code(&self) -> u32 {
        match self {
            Self::Connection(_) => 11_205,
            Self::Status(_) => 11_200,
            Self::ContentType(_) => 12_300,
            Self::Twiml(error) => error.code(),
        }
    }
}

/// A document that was fetched.
#[derive(Debug)]
pub(super) struct Document {
    /// Relative redirects start here.
    pub(super) url: Url,
    pub(super) verbs: Vec<Verb>,
}

/// One call's view of the platform's webhooks.
#[derive(Clone)]
pub(super) struct Webhooks {
    http: reqwest::Client,
    signing_token: Option<String>,
    /// Parameters that every request of the call carries.
    params: Vec<(String, String)>,
}

impl Webhooks {
    pub(super) fn new(inner: &Inner, call: &PlaceCall, call_sid: &str) -> Self {
        let params = [
            ("AccountSid", inner.options.account_sid.as_str()),
            ("ApiVersion", "2010-04-01"),
            ("CallSid", call_sid),
            ("Called", call.to.as_str()),
            ("Caller", call.from.as_str()),
            ("Direction", "inbound"),
            ("From", call.from.as_str()),
            ("To", call.to.as_str()),
        ];
        Self {
            http: inner.http.clone(),
            signing_token: inner.signing_token(call.signing),
            params: params.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
        }
    }

    /// The same for the call of somebody who is dialled in the course of this one.
    pub(super) fn of_dialled(&self, call_sid: &str, from: &str, to: &str) -> Self {
        let kept = |name: &str| matches!(name, "AccountSid" | "ApiVersion");
        let parent = self.params.iter().find(|(name, _)| name == "CallSid").map(|(_, sid)| sid.clone());
        let mut params: Vec<_> = self.params.iter().filter(|(name, _)| kept(name)).cloned().collect();
        let own = [
            ("CallSid", call_sid),
            ("ParentCallSid", parent.as_deref().unwrap_or_default()),
            ("Called", to),
            ("Caller", from),
            ("Direction", "outbound-dial"),
            ("From", from),
            ("To", to),
        ];
        params.extend(own.map(|(name, value)| (name.to_owned(), value.to_owned())));
        Self { http: self.http.clone(), signing_token: self.signing_token.clone(), params }
    }

    /// With these parameters besides.
    pub(super) fn with(mut self, extra: &[(&str, &str)]) -> Self {
        self.params.extend(extra.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        self
    }

    /// Asks for a document.
    pub(super) async fn fetch(
        self,
        url: Url,
        method: FetchMethod,
        status: CallStatus,
    ) -> Result<Document, FetchError> {
        let mut params = self.params.clone();
        params.push(("CallStatus".to_owned(), status.name().to_owned()));
        let request = match method {
            FetchMethod::Post => self.post(&url, &params),
            FetchMethod::Get => {
                let mut with_query = url.clone();
                with_query.query_pairs_mut().extend_pairs(&params);
                self.sign(self.http.get(with_query.clone()), &with_query, &[])
            }
        };
        let connection = |error: reqwest::Error| FetchError::Connection(chain(&error));
        let mut response = request.timeout(WEBHOOK_TIMEOUT).send().await.map_err(connection)?;
        if !response.status().is_success() {
            return Err(FetchError::Status(response.status().as_u16()));
        }
        let content_type = response.headers().get(http::header::CONTENT_TYPE);
        let content_type = content_type.and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
        let media_type = content_type.split(';').next().unwrap_or_default().trim();
        if !matches!(media_type, "text/xml" | "application/xml") {
            return Err(FetchError::ContentType(content_type));
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(connection)? {
            body.extend_from_slice(&chunk);
            if body.len() > twiml::MAX_DOCUMENT_BYTES {
                break; // the parser says that it is too long
            }
        }
        let text = String::from_utf8_lossy(&body);
        Ok(Document { url, verbs: twiml::parse(&text)? })
    }

    /// Tells of progress. A callback that fails is only logged, as Twilio does.
    pub(super) async fn progress(self, url: Url, status: CallStatus, sequence: u32, ids: IdSource) {
        let mut params = self.params.clone();
        let mut add = |name: &str, value: String| params.push((name.to_owned(), value));
        add("CallStatus", status.name().to_owned());
        add("CallbackSource", "call-progress-events".to_owned());
        add("SequenceNumber", sequence.to_string());
        add("Timestamp", ids.clock().now().strftime("%a, %d %b %Y %H:%M:%S +0000").to_string());
        if let CallStatus::Completed { duration } = status {
            // Twilio bills and reports whole seconds, begun ones counted.
            add("CallDuration", duration.as_secs_f64().ceil().to_string());
        }
        let request = self.post(&url, &params).timeout(WEBHOOK_TIMEOUT);
        match request.send().await.and_then(reqwest::Response::error_for_status) {
            Ok(_) => {}
            Err(error) => {
                tracing::debug!(status = status.name(), error = chain(&error), "status callback failed");
            }
        }
    }

    fn post(&self, url: &Url, params: &[(String, String)]) -> reqwest::RequestBuilder {
        self.sign(self.http.post(url.clone()).form(params), url, params)
    }

    fn sign(
        &self,
        request: reqwest::RequestBuilder,
        url: &Url,
        params: &[(String, String)],
    ) -> reqwest::RequestBuilder {
        match &self.signing_token {
            Some(token) => request.header(signature::HEADER, signature::sign(token, url.as_str(), params)),
            None => request,
        }
    }
}

/// An error with its causes: reqwest keeps the telling part at the bottom.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
