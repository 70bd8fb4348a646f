//! The vendors' clients: real or sandbox, a base URL and a key are all that differs.

use crate::config::Config;
use anyhow::Context;
use async_trait::async_trait;
use secrecy::SecretString;
use seiketsu_gateway::admin::dependencies::Dependency;
use seiketsu_providers::{
    deepgram::{Deepgram, DeepgramConfig},
    elevenlabs::{ElevenLabs, ElevenLabsConfig},
    openai::{OpenAi, OpenAiConfig},
    twilio::{Twilio, TwilioConfig},
};
use seiketsu_session::{Providers, Telephony};
use std::{sync::Arc, time::Duration};
use tokio_util::task::TaskTracker;
use url::Url;

/// Where each vendor is and with which key.
#[derive(Debug, Clone)]
pub(crate) struct Vendors {
    pub openai: Place,
    pub deepgram: Place,
    pub elevenlabs: Place,
    pub twilio: Place,
    /// The telephone account; its token is `twilio.key`.
    pub account_sid: String,
}

/// A vendor's address.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub base: Url,
    pub key: SecretString,
    /// Whether it is the vendor itself.
    pub real: bool,
}

/// One HTTP client for all vendors: pooled, HTTP/2 where offered, no ambient time-out (each client sets its own).
pub(crate) fn http() -> anyhow::Result<reqwest::Client> {
    reqwest::Client::builder()
        .connect_timeout(Duration::from_secs(3))
        .pool_idle_timeout(Duration::from_secs(90))
        .tcp_nodelay(true)
        .http2_keep_alive_interval(Duration::from_secs(15))
        .http2_keep_alive_timeout(Duration::from_secs(5))
        .http2_keep_alive_while_idle(true)
        .user_agent(concat!("seiketsu/", env!("CARGO_PKG_VERSION")))
        .build()
        .context("building the HTTP client")
}

impl Vendors {
    /// The clients for speech and language.
    pub(crate) fn providers(
        &self,
        config: &Config,
        http: &reqwest::Client,
        tasks: &TaskTracker,
    ) -> Providers {
        let openai = OpenAiConfig {
            base_url: self.openai.base.clone(),
            api_key: self.openai.key.clone(),
            first_token_timeout: Duration::from_millis(config.first_token_timeout_ms),
            idle_timeout: Duration::from_millis(config.idle_timeout_ms),
        };
        Providers {
            recogniser: Arc::new(Deepgram::new(
                DeepgramConfig::new(self.deepgram.base.clone(), self.deepgram.key.clone()),
                tasks.clone(),
            )),
            model: Arc::new(OpenAi::new(openai, http.clone(), tasks.clone())),
            voice: Arc::new(ElevenLabs::new(
                ElevenLabsConfig::new(self.elevenlabs.base.clone(), self.elevenlabs.key.clone()),
                tasks.clone(),
            )),
        }
    }

    /// The client for ending calls.
    pub(crate) fn telephony(&self, http: &reqwest::Client) -> Arc<dyn Telephony> {
        let config = TwilioConfig {
            base_url: self.twilio.base.clone(),
            account_sid: self.account_sid.clone(),
            auth_token: self.twilio.key.clone(),
        };
        Arc::new(HangUp(Twilio::new(config, http.clone())))
    }

    /// What `/health/dependencies` shows of them.
    pub(crate) fn dependencies(&self) -> Vec<Arc<dyn Dependency>> {
        [
            ("openai", &self.openai),
            ("deepgram", &self.deepgram),
            ("elevenlabs", &self.elevenlabs),
            ("twilio", &self.twilio),
        ]
        .into_iter()
        .map(|(name, place)| Arc::new(Reachable { name, base: place.base.clone() }) as Arc<dyn Dependency>)
        .collect()
    }

    /// Vendor by vendor, whether it is the real one.
    pub(crate) fn modes(&self) -> [(&'static str, bool); 4] {
        [
            ("OpenAI", self.openai.real),
            ("Deepgram", self.deepgram.real),
            ("ElevenLabs", self.elevenlabs.real),
            ("Twilio", self.twilio.real),
        ]
    }
}

#[derive(Debug)]
struct HangUp(Twilio);

#[async_trait]
impl Telephony for HangUp {
    async fn hang_up(&self, vendor_call_sid: &str) {
        if let Err(failure) = self.0.hang_up(vendor_call_sid).await {
            tracing::warn!(%failure, "the telephone company did not end the call; closing its stream does");
        }
    }
}

/// A vendor counts as well if a connection to it can be opened; asking it for more would cost money.
#[derive(Debug)]
struct Reachable {
    name: &'static str,
    base: Url,
}

#[async_trait]
impl Dependency for Reachable {
    fn name(&self) -> &str {
        self.name
    }
    async fn check(&self) -> Result<(), String> {
        let host = self.base.host_str().unwrap_or_default();
        let port = self.base.port_or_known_default().unwrap_or(443);
        tokio::net::TcpStream::connect((host, port)).await.map(drop).map_err(|error| error.to_string())
    }
}
