//! The vendors' clients: real or sandbox, a base URL and a key are all that differs. Here is also in which order they
//! stand in for each other.

use crate::config::Config;
use anyhow::Context;
use async_trait::async_trait;
use secrecy::SecretString;
use seiketsu_domain::{Clock, VoiceChoice};
use seiketsu_gateway::{PublicUrl, admin::dependencies::Dependency};
use seiketsu_providers::{
    LanguageModel, Recogniser, Vendor, Voice,
    deepgram::{Deepgram, DeepgramConfig},
    elevenlabs::{
        ElevenLabs, ElevenLabsConfig,
        scribe::{Scribe, ScribeConfig},
    },
    failover::{
        Failover, Kind, ModelEndpoint, Models, Patience, RecogniserProbe, Routes, Service, VoiceProbe,
    },
    openai::{
        OpenAi, OpenAiConfig,
        speech::{Speech, SpeechConfig},
        transcription::{Transcription, TranscriptionConfig},
    },
    twilio::{Twilio, TwilioConfig},
};
use seiketsu_session::{Providers, StoreFailure, Telephony, Transfer};
use std::{sync::Arc, time::Duration};
use tokio_util::task::TaskTracker;
use url::Url;

/// The name of OpenAI as an endpoint, in agents' fallbacks, metrics and health.
pub(crate) const OPENAI: &str = "openai";
/// The second endpoint for language models.
pub(crate) const FALLBACK: &str = "fallback";

/// Where each vendor is and with which key.
#[derive(Debug, Clone)]
pub(crate) struct Vendors {
    pub openai: Place,
    /// A second place for language models.
    pub fallback: Option<Place>,
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

/// What clients are made with.
#[derive(Debug, Clone)]
pub(crate) struct Tools {
    pub http: reqwest::Client,
    pub tasks: TaskTracker,
    pub clock: Arc<dyn Clock>,
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
    /// The clients for speech and language, in order: recognition by Deepgram, else ElevenLabs, else OpenAI; language
    /// models at OpenAI, else at the fallback endpoint, as each agent says; speech by ElevenLabs, else OpenAI. The
    /// sandbox never stands in for a real vendor, nor the other way round.
    pub(crate) fn providers(&self, config: &Config, failover: &Failover, tools: &Tools) -> Providers {
        let patience = Patience::MODEL;
        let endpoint = |name: &str, place: &Place| ModelEndpoint {
            name: name.to_owned(),
            client: language_model(config, place, tools),
            patience,
        };
        let fallback = self.fallback.as_ref().filter(|place| place.real == self.openai.real);
        let models = Models::new(
            failover,
            endpoint(OPENAI, &self.openai),
            fallback.map(|place| endpoint(FALLBACK, place)),
        );

        let stands_in = |place: &Place, first: &Place| place.real == first.real;
        let first = recogniser(
            "deepgram",
            Vendor::Deepgram,
            Patience::STREAMING,
            deepgram(&self.deepgram, tools),
            tools,
        );
        let others = [
            stands_in(&self.elevenlabs, &self.deepgram).then(|| {
                recogniser(
                    "elevenlabs",
                    Vendor::ElevenLabs,
                    Patience::STREAMING,
                    scribe(&self.elevenlabs, tools),
                    tools,
                )
            }),
            stands_in(&self.openai, &self.deepgram).then(|| {
                recogniser(OPENAI, Vendor::OpenAi, Patience::BATCH, transcription(&self.openai, tools), tools)
            }),
        ];
        let recognisers = Routes::new(failover, Kind::Recogniser, first, others.into_iter().flatten());

        let first = voice("elevenlabs", Vendor::ElevenLabs, elevenlabs(&self.elevenlabs, tools), tools);
        let other = stands_in(&self.openai, &self.elevenlabs)
            .then(|| voice(OPENAI, Vendor::OpenAi, speech(&self.openai, tools), tools));
        let voices = Routes::new(failover, Kind::Voice, first, other);
        Providers { recognisers, models, voices }
    }

    /// The client for ending calls and putting callers through.
    pub(crate) fn telephony(&self, http: &reqwest::Client, public_url: PublicUrl) -> Arc<dyn Telephony> {
        Arc::new(Exchange { twilio: twilio(&self.twilio, &self.account_sid, http), public_url })
    }

    /// What `/health/dependencies` shows of them.
    pub(crate) fn dependencies(&self) -> Vec<Arc<dyn Dependency>> {
        [
            (OPENAI, Some(&self.openai)),
            (FALLBACK, self.fallback.as_ref()),
            ("deepgram", Some(&self.deepgram)),
            ("elevenlabs", Some(&self.elevenlabs)),
            ("twilio", Some(&self.twilio)),
        ]
        .into_iter()
        .filter_map(|(name, place)| {
            Some(Arc::new(Reachable { name, base: place?.base.clone() }) as Arc<dyn Dependency>)
        })
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

pub(crate) fn language_model(config: &Config, place: &Place, tools: &Tools) -> Arc<dyn LanguageModel> {
    let openai = OpenAiConfig {
        first_token_timeout: Duration::from_millis(config.first_token_timeout_ms),
        idle_timeout: Duration::from_millis(config.idle_timeout_ms),
        ..OpenAiConfig::new(place.base.clone(), place.key.clone())
    };
    Arc::new(OpenAi::new(openai, tools.http.clone(), tools.tasks.clone()))
}

pub(crate) fn deepgram(place: &Place, tools: &Tools) -> Arc<dyn Recogniser> {
    let config = DeepgramConfig::new(place.base.clone(), place.key.clone());
    Arc::new(Deepgram::new(config, tools.tasks.clone()))
}

pub(crate) fn scribe(place: &Place, tools: &Tools) -> Arc<dyn Recogniser> {
    let config = ScribeConfig::new(place.base.clone(), place.key.clone());
    Arc::new(Scribe::new(config, tools.tasks.clone()))
}

pub(crate) fn transcription(place: &Place, tools: &Tools) -> Arc<dyn Recogniser> {
    let config = TranscriptionConfig::new(place.base.clone(), place.key.clone());
    Arc::new(Transcription::new(config, tools.http.clone(), tools.tasks.clone()))
}

pub(crate) fn elevenlabs(place: &Place, tools: &Tools) -> Arc<dyn Voice> {
    let config = ElevenLabsConfig::new(place.base.clone(), place.key.clone());
    Arc::new(ElevenLabs::new(config, tools.tasks.clone()))
}

pub(crate) fn speech(place: &Place, tools: &Tools) -> Arc<dyn Voice> {
    let config = SpeechConfig::new(place.base.clone(), place.key.clone());
    Arc::new(Speech::new(config, tools.http.clone(), tools.tasks.clone()))
}

pub(crate) fn twilio(place: &Place, account_sid: &str, http: &reqwest::Client) -> Twilio {
    let config = TwilioConfig {
        base_url: place.base.clone(),
        account_sid: account_sid.to_owned(),
        auth_token: place.key.clone(),
    };
    Twilio::new(config, http.clone())
}

fn recogniser(
    endpoint: &str,
    vendor: Vendor,
    patience: Patience,
    client: Arc<dyn Recogniser>,
    tools: &Tools,
) -> Service<dyn Recogniser> {
    let probe = RecogniserProbe { client: Arc::clone(&client), vendor, clock: Arc::clone(&tools.clock) };
    Service { endpoint: endpoint.to_owned(), vendor, client, patience, probe: Arc::new(probe) }
}

fn voice(endpoint: &str, vendor: Vendor, client: Arc<dyn Voice>, tools: &Tools) -> Service<dyn Voice> {
    let probe = VoiceProbe {
        client: Arc::clone(&client),
        choice: probe_voice(),
        vendor,
        clock: Arc::clone(&tools.clock),
    };
    Service {
        endpoint: endpoint.to_owned(),
        vendor,
        client,
        patience: Patience::VOICE,
        probe: Arc::new(probe),
    }
}

/// One of the voices that every account of ElevenLabs has.
pub(crate) fn probe_voice() -> VoiceChoice {
    VoiceChoice {
        voice_id: "21m00Tcm4TlvDq8ikWAM".to_owned(),
        model: "eleven_flash_v2_5".to_owned(),
        stability: 0.5,
        similarity: 0.75,
    }
}

#[derive(Debug)]
struct Exchange {
    twilio: Twilio,
    public_url: PublicUrl,
}

#[async_trait]
impl Telephony for Exchange {
    async fn hang_up(&self, vendor_call_sid: &str) {
        if let Err(failure) = self.twilio.hang_up(vendor_call_sid).await {
            tracing::warn!(%failure, "the telephone company did not end the call; closing its stream does");
        }
    }

    async fn transfer(&self, transfer: &Transfer) -> Result<(), StoreFailure> {
        let document = self.public_url.at(seiketsu_gateway::twilio::TRANSFER);
        let redirected = self.twilio.redirect(&transfer.vendor_call_sid, &document).await;
        redirected.map_err(|failure| StoreFailure(failure.to_string()))
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
