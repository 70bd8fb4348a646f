//! The command line's client of `/v1`, with the operator's key that `up` wrote.

use crate::{
    config::Config,
    exit::{Exit, Stop},
    local::Local,
    vendors,
};
use anyhow::Context;
use seiketsu_domain::CallId;
use seiketsu_gateway::v1::{Page, agents::AgentView, call::CallDetail, calls::CallView, tenants::TenantView};
use serde::de::DeserializeOwned;
use std::time::Duration;

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
        let page: Page<AgentView> = self
            .get(&format!("/v1/tenants/{tenant}/agents"), &[])
            .await
            .map_err(|error| unknown(error, tenant))?;
        Ok(page.items)
    }

    pub(crate) async fn calls(&self, tenant: &str, limit: u32) -> anyhow::Result<Page<CallView>> {
        let query = [("tenant", tenant), ("limit", &*limit.to_string())];
        self.get("/v1/calls", &query).await.map_err(|error| unknown(error, tenant))
    }

    pub(crate) async fn call(&self, id: CallId) -> anyhow::Result<CallDetail> {
        self.get(&format!("/v1/calls/{id}"), &[]).await
    }

    async fn get<T: DeserializeOwned>(&self, path: &str, query: &[(&str, &str)]) -> anyhow::Result<T> {
        let url = format!("{}{path}", self.local.public_url);
        let request = self
            .http
            .get(&url)
            .query(query)
            .bearer_auth(&self.local.operator_key)
            .timeout(Duration::from_secs(10));
        let response = request.send().await.map_err(|error| {
            if error.is_connect() {
                let message = format!(
                    "nothing answers at {}; start the platform with `make run`",
                    self.local.public_url
                );
                Stop::because(Exit::NotRunning, message)
            } else {
                anyhow::Error::new(error).context(format!("GET {url}"))
            }
        })?;
        let status = response.status();
        let body = response.bytes().await.with_context(|| format!("GET {url}"))?;
        if !status.is_success() {
            let problem: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
            let field = |name: &str| {
                problem.get(name).and_then(serde_json::Value::as_str).unwrap_or_default().to_owned()
            };
            let (title, detail) = (field("title"), field("detail"));
            return Err(Stop::because(
                Exit::Failure,
                format!("{path}: {status} {title} {detail}").trim().to_owned(),
            ));
        }
        serde_json::from_slice(&body).with_context(|| format!("GET {url}: an answer of another version?"))
    }
}

/// A tenant that is not there, in words; any other error as it is.
fn unknown(error: anyhow::Error, tenant: &str) -> anyhow::Error {
    if error.to_string().contains("404") {
        Stop::because(Exit::Usage, format!("no brokerage `{tenant}`; `seiketsu tenants` lists them"))
    } else {
        error
    }
}
