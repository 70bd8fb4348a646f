//! The telephone exchange: Twilio as the platform sees it.
//!
//! [`Exchange::place`] runs one call from the webhook to its end, [`Exchange::router`] is the part of the REST API that
//! the platform calls back to hang up or to send a call elsewhere. Executed as Twilio does: verbs in order; a stream until the *server* closes its socket,
//! then the next verb; no verb left ends the call. That a stream whose socket breaks also goes on with the next verb is
//! our assumption: Twilio documents nothing for it. While somebody is rung the caller hears the ringing tone, and with
//! them connected silence: what two people say to each other is nobody's business here.

mod errors;
mod human;
mod leg;
mod registry;
mod rest;
mod stream;
#[cfg(test)]
mod tests;
mod webhook;

pub use errors::{CarrierError, ErrorLog};
pub use human::{DialStatus, Dialled, Human};
pub use webhook::FetchError;

use crate::{
    handset::Handset,
    line::LineEffects,
    report::EndedBy,
    twiml::{FetchMethod, Verb},
};
use registry::Registry;
use seiketsu_domain::{IdSource, PhoneNumber};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr, sync::Arc, time::Duration};
use tokio_util::task::TaskTracker;
use url::Url;

/// How long a webhook may take to answer: Twilio's own limit.
const WEBHOOK_TIMEOUT: Duration = Duration::from_secs(15);

/// The account that calls are placed under, and where the other processes are. `Debug` does not show the token.
#[derive(Clone)]
pub struct ExchangeOptions {
    /// `AC` and 32 hex digits.
    pub account_sid: String,
    /// Signs webhooks; the REST API's password.
    pub auth_token: String,
    /// Where another exchange, the one whose REST API the platform knows, keeps a register of calls: each call is
    /// announced there, so that it can be hung up. `None` if the platform calls this exchange itself.
    pub register_at: Option<RegisterAt>,
}

impl fmt::Debug for ExchangeOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { account_sid, auth_token: _, register_at } = self;
        f.debug_struct("ExchangeOptions")
            .field("account_sid", account_sid)
            .field("register_at", register_at)
            .finish_non_exhaustive()
    }
}

/// Where calls of this exchange are announced.
#[derive(Debug, Clone)]
pub struct RegisterAt {
    /// Base URL of the exchange that keeps the register.
    pub exchange: Url,
    /// Base URL of [`Exchange::router`] in this process, on loopback.
    pub control: Url,
}

/// Id of a call at the exchange: `CA` and 32 hex digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct CallSid(String);

/// Text that is no call's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a call SID: expected `CA` and 32 hex digits")]
pub struct CallSidError;

impl CallSid {
    /// A fresh one.
    pub fn generate(ids: &IdSource) -> Self {
        Self(sid("CA", ids))
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for CallSid {
    type Err = CallSidError;
    fn from_str(text: &str) -> Result<Self, CallSidError> {
        let hex = text.strip_prefix("CA").ok_or(CallSidError)?;
        let well_formed = hex.len() == 32 && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
        if well_formed { Ok(Self(text.to_owned())) } else { Err(CallSidError) }
    }
}

impl fmt::Display for CallSid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl<'de> Deserialize<'de> for CallSid {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// A Twilio id: two letters and 32 hex digits.
pub(crate) fn sid(prefix: &str, ids: &IdSource) -> String {
    use std::fmt::Write;
    let mut random = [0_u8; 16];
    ids.fill(&mut random);
    random.iter().fold(prefix.to_owned(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// How the exchange signs its requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Signing {
    /// As it should.
    #[default]
    Proper,
    /// With another account's token.
    Forged,
    /// Not at all.
    Missing,
}

/// A call to place.
#[derive(Debug, Clone)]
pub struct PlaceCall {
    /// Where the platform is told of the call. The signature is over exactly this URL.
    pub webhook: Url,
    /// The caller's number.
    pub from: PhoneNumber,
    /// The number that is called.
    pub to: PhoneNumber,
    /// Where the call's progress is reported.
    pub status_callback: Option<Url>,
    /// How the line misbehaves.
    pub line: LineEffects,
    /// How requests are signed.
    pub signing: Signing,
    /// The call's id, if it matters; fresh otherwise.
    pub call_sid: Option<CallSid>,
    /// What those do whom the platform has the exchange ring.
    pub human: Human,
}

impl PlaceCall {
    /// A proper call over a plain line.
    pub fn new(webhook: Url, from: PhoneNumber, to: PhoneNumber) -> Self {
        Self {
            webhook,
            from,
            to,
            status_callback: None,
            line: LineEffects::default(),
            signing: Signing::Proper,
            call_sid: None,
            human: Human::default(),
        }
    }
}

/// How a call went, from the exchange's side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallOutcome {
    /// The call.
    pub call_sid: CallSid,
    /// Who or what ended it.
    pub ended_by: EndedBy,
    /// From answer to end.
    pub duration: Duration,
    /// What `<Say>` would have said; the exchange has no voice of its own, and saying takes no time.
    pub announcements: Vec<String>,
    /// Who was rung in the course of the call.
    pub dialled: Vec<Dialled>,
    /// How many media streams were opened.
    pub streams: u32,
    /// What Twilio's debugger would show.
    pub errors: ErrorLog,
    /// The latest that a 20 ms tick was executed: beyond some ten milliseconds, this machine is too busy to measure.
    pub clock_slip_max: Duration,
}

/// The exchange. A cheap handle.
#[derive(Debug, Clone)]
pub struct Exchange {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    options: ExchangeOptions,
    http: reqwest::Client,
    ids: IdSource,
    tracker: TaskTracker,
    registry: Registry,
}

impl Exchange {
    /// An exchange that places calls with `http`, is told the time by the clock of `ids`, and reports progress in
    /// tasks on `tracker`.
    pub fn new(options: ExchangeOptions, http: reqwest::Client, ids: IdSource, tracker: TaskTracker) -> Self {
        Self { inner: Arc::new(Inner { options, http, ids, tracker, registry: Registry::default() }) }
    }

    /// Places a call and lives through it. Gives the handset back.
    pub async fn place<H: Handset>(&self, call: &PlaceCall, handset: H) -> (CallOutcome, H) {
        let inner = &*self.inner;
        let call_sid = call.call_sid.clone().unwrap_or_else(|| CallSid::generate(&inner.ids));
        let (place, orders) = inner.registry.enter(&call_sid);
        inner.announce(&call_sid).await;
        let result = leg::run(inner, call, call_sid.clone(), orders, handset).await;
        drop(place);
        inner.withdraw(&call_sid).await;
        result
    }

    /// Only asks what to do with a call, and does nothing of it: for those who then speak to the stream's socket by
    /// hand ([`crate::media_socket::MediaSocket`], [`crate::wire::StreamWriter`]) and not as Twilio would.
    pub async fn ask(&self, call: &PlaceCall, call_sid: &CallSid) -> Result<Vec<Verb>, FetchError> {
        let webhooks = webhook::Webhooks::new(&self.inner, call, call_sid.as_str());
        let fetch = webhooks.fetch(call.webhook.clone(), FetchMethod::Post, webhook::CallStatus::Ringing);
        fetch.await.map(|document| document.verbs)
    }

    /// The REST API: hanging up, and the register of other processes' calls. Basic authentication with the account.
    pub fn router(&self) -> axum::Router {
        rest::router(self.inner.clone())
    }

    /// How many calls can be hung up through [`Exchange::router`] at the moment.
    pub fn live_calls(&self) -> usize {
        self.inner.registry.len()
    }
}

impl Inner {
    async fn announce(&self, call_sid: &CallSid) {
        let Some(register) = &self.options.register_at else { return };
        let body =
            rest::Registration { call_sid: call_sid.clone(), control_url: register.control.to_string() };
        let request = self.register_request(http::Method::POST, register, &[]).json(&body);
        match request.send().await.and_then(reqwest::Response::error_for_status) {
            Ok(_) => {}
            Err(error) => tracing::warn!(%call_sid, %error, "the call cannot be hung up by the platform"),
        }
    }

    async fn withdraw(&self, call_sid: &CallSid) {
        let Some(register) = &self.options.register_at else { return };
        let request = self.register_request(http::Method::DELETE, register, &[call_sid.as_str()]);
        if let Err(error) = request.send().await {
            tracing::debug!(%call_sid, %error, "the call stays in the register until its next hang-up fails");
        }
    }

    fn register_request(
        &self,
        method: http::Method,
        register: &RegisterAt,
        path: &[&str],
    ) -> reqwest::RequestBuilder {
        let url = rest::at(&register.exchange, &[&["carrier", "calls"], path].concat());
        self.http
            .request(method, url)
            .basic_auth(&self.options.account_sid, Some(&self.options.auth_token))
            .timeout(WEBHOOK_TIMEOUT)
    }

    /// The token that signs a call's requests, if they are signed.
    fn signing_token(&self, signing: Signing) -> Option<String> {
        match signing {
            Signing::Proper => Some(self.options.auth_token.clone()),
            Signing::Forged => Some(format!("{}-forged", self.options.auth_token)),
            Signing::Missing => None,
        }
    }
}
