//! Twilio's REST API.

use crate::{Failure, FailureKind, Vendor, http_status};
use http::StatusCode;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use std::time::Duration;
use url::Url;

/// Nobody hears these requests; this only bounds them.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);
/// "The requested resource was not found": a call that has ended, or never was.
const NOT_FOUND: u32 = 20_404;
/// "Call is not in-progress."
const NOT_IN_PROGRESS: u32 = 21_220;

/// Where and as whom.
#[derive(Debug, Clone)]
pub struct TwilioConfig {
    /// Without a path: `https://api.twilio.com`.
    pub base_url: Url,
    /// `AC…`
    pub account_sid: String,
    /// The account's secret.
    pub auth_token: SecretString,
}

/// What became of a call that was to be hung up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HangUp {
    /// It has been ended.
    Ended,
    /// It had ended before.
    AlreadyEnded,
}

/// The client.
#[derive(Debug, Clone)]
pub struct Twilio {
    config: TwilioConfig,
    http: reqwest::Client,
}

impl Twilio {
    /// A client.
    pub fn new(config: TwilioConfig, http: reqwest::Client) -> Self {
        Self { config, http }
    }

    /// Ends a call. To be told twice does no harm.
    pub async fn hang_up(&self, call_sid: &str) -> Result<HangUp, Failure> {
        let mut response = self.update(call_sid, &[("Status", "completed")]).await?;
        let status = response.status();
        if status.is_success() {
            return Ok(HangUp::Ended);
        }
        let body = http_status::read_some(&mut response).await;
        if already_ended(status, &body) {
            return Ok(HangUp::AlreadyEnded);
        }
        Err(http_status::refused(Vendor::Twilio, status, response.headers(), &body))
    }

    /// Makes a live call leave what it is doing, a media stream say, and execute the document at `url`, which Twilio asks
    /// for with a signed `POST`. A call that has ended is a failure here: nobody goes where it was to go.
    pub async fn redirect(&self, call_sid: &str, url: &str) -> Result<(), Failure> {
        let response = self.update(call_sid, &[("Url", url), ("Method", "POST")]).await?;
        accepted(response).await
    }

    /// Whether Twilio answers and takes our credentials: reads the account, which costs nothing.
    pub async fn probe(&self) -> Result<(), Failure> {
        let file = format!("{}.json", self.config.account_sid);
        let request = self.http.get(self.url(&[&file])?);
        accepted(self.send(request).await?).await
    }

    async fn update(&self, call_sid: &str, form: &[(&str, &str)]) -> Result<reqwest::Response, Failure> {
        let request = self.http.post(self.call_url(call_sid)?).form(form);
        self.send(request).await
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Result<reqwest::Response, Failure> {
        request
            .basic_auth(&self.config.account_sid, Some(self.config.auth_token.expose_secret()))
            .timeout(REQUEST_TIMEOUT)
            .send()
            .await
            .map_err(|error| http_status::transport(Vendor::Twilio, error))
    }

    fn call_url(&self, call_sid: &str) -> Result<Url, Failure> {
        self.url(&[&self.config.account_sid, "Calls", &format!("{call_sid}.json")])
    }

    /// A resource below the accounts.
    fn url(&self, below_accounts: &[&str]) -> Result<Url, Failure> {
        let mut url = self.config.base_url.clone();
        let Ok(mut segments) = url.path_segments_mut() else {
            let detail = format!("`{}` is not a base URL", self.config.base_url);
            return Err(Failure::new(Vendor::Twilio, FailureKind::BadRequest, detail));
        };
        segments.pop_if_empty().extend(["2010-04-01", "Accounts"]).extend(below_accounts);
        drop(segments);
        Ok(url)
    }
}

/// Whether a request was.
async fn accepted(mut response: reqwest::Response) -> Result<(), Failure> {
    let status = response.status();
    if status.is_success() {
        return Ok(());
    }
    let body = http_status::read_some(&mut response).await;
    Err(http_status::refused(Vendor::Twilio, status, response.headers(), &body))
}

fn already_ended(status: StatusCode, body: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Body {
        code: u32,
    }
    let code = serde_json::from_slice(body).ok().map(|Body { code }| code);
    match status {
        StatusCode::NOT_FOUND => code == Some(NOT_FOUND),
        StatusCode::BAD_REQUEST => code == Some(NOT_IN_PROGRESS),
        _ => false,
    }
}

#[cfg(test)]
#[path = "client_tests.rs"]
mod tests;
