//! The command line's client of `/v1`, with the operator's key that `up` wrote.

use crate::{
    config::Config,
    exit::{Exit, Stop},
    local::Local,
    vendors,
};
use anyhow::Context;
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use seiketsu_domain::{CallId, MemberId};
use seiketsu_gateway::v1::{
    Page,
    agents::AgentView,
    call::CallDetail,
    calls::CallView,
    keys::{KeyView, NewKey},
    recordings::RecordedCall,
    session::MemberView,
    tenants::TenantView,
};
use serde::de::DeserializeOwned;
use std::time::Duration;

/// How long an answer may take; to send a recording may take longer.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// See the module.
#[derive(Clone)]
pub(crate) struct Api {
    pub local: Local,
    http: reqwest::Client,
}

impl Api {
    /// For the platform of this checkout.
    pub(crate) fn open(config: &Config) -> anyhow::Result<Self> {
        Ok(Self { local: Local::read(config)?, http: vendors::http()? })
    }

    pub(crate) async fn tenants(&self) -> anyhow::Result<Vec<TenantView>> {
        self.get("/v1/tenants", &[]).await.map(|page: Page<TenantView>| page.items)
    }

    pub(crate) async fn agents(&self, tenant: &str) -> anyhow::Result<Vec<AgentView>> {
        let page: Page<AgentView> =
            self.get("/v1/agents", &[("tenant", tenant)]).await.map_err(|error| unknown(error, tenant))?;
        Ok(page.items)
    }

    pub(crate) async fn calls(&self, tenant: &str, limit: u32) -> anyhow::Result<Page<CallView>> {
        let query = [("tenant", tenant), ("limit", &*limit.to_string())];
        self.get("/v1/calls", &query).await.map_err(|error| unknown(error, tenant))
    }

    pub(crate) async fn call(&self, id: CallId) -> anyhow::Result<CallDetail> {
        self.get(&format!("/v1/calls/{id}"), &[]).await
    }

    pub(crate) async fn recordings(&self, tenant: &str, limit: u32) -> anyhow::Result<Page<RecordedCall>> {
        let query = [("tenant", tenant), ("limit", &*limit.to_string())];
        self.get("/v1/recordings", &query).await.map_err(|error| unknown(error, tenant))
    }

    /// The sound of a part of a recording, to be read as it comes.
    pub(crate) async fn recording(&self, call: CallId, part: u32) -> anyhow::Result<Response> {
        let path = format!("/v1/calls/{call}/recordings/{part}");
        let asked = tokio::time::timeout(ANSWER_WITHIN, self.ask(&path, |request| request));
        asked.await.with_context(|| format!("GET {path}: no answer within {ANSWER_WITHIN:?}"))?
    }

    /// Makes an API key of a tenant.
    pub(crate) async fn create_key(&self, tenant: &str, name: &str) -> anyhow::Result<KeyView> {
        let body = NewKey { name: name.to_owned() };
        let path = format!("/v1/tenants/{tenant}/keys");
        let with = |request: RequestBuilder| request.json(&body).timeout(ANSWER_WITHIN);
        let response = self.request(Method::POST, &path, with).await;
        read(response.map_err(|error| unknown(error, tenant))?).await
    }

    pub(crate) async fn keys(&self, tenant: &str) -> anyhow::Result<Page<KeyView>> {
        let path = format!("/v1/tenants/{tenant}/keys");
        self.get(&path, &[]).await.map_err(|error| unknown(error, tenant))
    }

    pub(crate) async fn revoke_key(&self, tenant: &str, prefix: &str) -> anyhow::Result<()> {
        let path = format!("/v1/tenants/{tenant}/keys/{prefix}");
        self.request(Method::DELETE, &path, |request| request.timeout(ANSWER_WITHIN)).await.map(drop)
    }

    pub(crate) async fn members(&self, tenant: &str) -> anyhow::Result<Page<MemberView>> {
        let path = format!("/v1/tenants/{tenant}/members");
        self.get(&path, &[]).await.map_err(|error| unknown(error, tenant))
    }

    pub(crate) async fn set_password(
        &self,
        tenant: &str,
        member: MemberId,
        password: &SecretString,
    ) -> anyhow::Result<()> {
        let path = format!("/v1/tenants/{tenant}/members/{member}/password");
        let body = serde_json::json!({"password": password.expose_secret()});
        let with = |request: RequestBuilder| request.json(&body).timeout(ANSWER_WITHIN);
        self.request(Method::PUT, &path, with).await.map(drop)
    }

    async fn get<T: DeserializeOwned>(&self, path: &str, query: &[(&str, &str)]) -> anyhow::Result<T> {
        read(self.ask(path, |request| request.query(query).timeout(ANSWER_WITHIN)).await?).await
    }

    /// An answer that is no error; its body has not been read.
    async fn ask(
        &self,
        path: &str,
        with: impl FnOnce(RequestBuilder) -> RequestBuilder,
    ) -> anyhow::Result<Response> {
        self.request(Method::GET, path, with).await
    }

    async fn request(
        &self,
        method: Method,
        path: &str,
        with: impl FnOnce(RequestBuilder) -> RequestBuilder,
    ) -> anyhow::Result<Response> {
        let url = format!("{}{path}", self.local.public_url);
        let request = with(self.http.request(method.clone(), &url).bearer_auth(&self.local.operator_key));
        let response = request.send().await.map_err(|error| {
            if error.is_connect() {
                let message = format!(
                    "nothing answers at {}; start the platform with `make run`",
                    self.local.public_url
                );
                Stop::because(Exit::NotRunning, message)
            } else {
                anyhow::Error::new(error).context(format!("{method} {url}"))
            }
        })?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let body = tokio::time::timeout(ANSWER_WITHIN, response.bytes()).await;
        let body = body.ok().and_then(Result::ok).unwrap_or_default();
        let problem: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
        let field =
            |name: &str| problem.get(name).and_then(serde_json::Value::as_str).unwrap_or_default().to_owned();
        let (title, detail) = (field("title"), field("detail"));
        Err(Refused { status, path: path.to_owned(), detail: format!("{title} {detail}").trim().to_owned() }
            .into())
    }
}

/// The body of an answer that is no error.
async fn read<T: DeserializeOwned>(response: Response) -> anyhow::Result<T> {
    let url = response.url().clone();
    let body = response.bytes().await.with_context(|| format!("reading {url}"))?;
    serde_json::from_slice(&body).with_context(|| format!("{url}: an answer of another version?"))
}

/// The platform's answer was an error.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {status} {detail}")]
struct Refused {
    status: StatusCode,
    path: String,
    detail: String,
}

/// Whether the platform said that there is no such thing.
pub(crate) fn is_missing(error: &anyhow::Error) -> bool {
    error.downcast_ref().is_some_and(|refused: &Refused| refused.status == StatusCode::NOT_FOUND)
}

/// A tenant that is not there, in words; any other error as it is.
fn unknown(error: anyhow::Error, tenant: &str) -> anyhow::Error {
    if is_missing(&error) {
        Stop::because(Exit::Usage, format!("no brokerage `{tenant}`; `seiketsu tenants` lists them"))
    } else {
        error
    }
}
