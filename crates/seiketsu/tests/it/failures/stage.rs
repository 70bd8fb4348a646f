//! A platform with something about to fail.

use super::{
    telephone::{Telephone, get},
    witness::{Route, View, requests_of},
};
use crate::{
    pg_proxy::{Fault, PgProxy},
    platform::{Platform, binary},
};
use seiketsu_testkit::TestDb;
use serde_json::{Value, json};
use std::process::Stdio;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};
use tokio_util::task::TaskTracker;

/// Latencies of the vendors while nothing is the matter.
const PROFILE: &str = "fast";

/// What fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failing {
    Model,
    EveryModel,
    Recogniser,
    Voice,
    Database,
}

impl Failing {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::EveryModel => "every model",
            Self::Recogniser => "recogniser",
            Self::Voice => "voice",
            Self::Database => "database",
        }
    }

    /// Its name in the sandbox, which has no database.
    const fn service(self) -> Option<&'static str> {
        match self {
            Self::Model | Self::EveryModel => Some("model"),
            Self::Recogniser => Some("deepgram"),
            Self::Voice => Some("elevenlabs"),
            Self::Database => None,
        }
    }

    fn routes(self) -> Vec<Route> {
        match self {
            Self::Model => vec![("model", "openai")],
            Self::EveryModel => vec![("model", "openai"), ("model", "fallback")],
            Self::Recogniser => vec![("recogniser", "deepgram")],
            Self::Voice => vec![("voice", "elevenlabs")],
            Self::Database => Vec::new(),
        }
    }
}

/// A platform, a telephone before it, and what can be made to fail.
pub(super) struct Stage {
    pub(super) failing: Failing,
    pub(super) platform: Platform,
    pub(super) telephone: Telephone,
    /// Base URLs of the sandboxes that fail.
    targets: Vec<String>,
    /// That of the one which stands in.
    stand_in: String,
    /// Sandboxes beside that of the platform; they end with this.
    _others: Vec<OtherSandbox>,
    proxy: Option<PgProxy>,
}

impl Stage {
    pub(super) async fn set(failing: Failing, http: &reqwest::Client, tasks: &TaskTracker) -> Self {
        let db = TestDb::new().await;
        let mut environment = Vec::new();
        let (mut others, mut proxy) = (Vec::new(), None);
        match failing {
            Failing::Model | Failing::EveryModel => {
                let (first, second) = (OtherSandbox::start().await, OtherSandbox::start().await);
                environment.extend([
                    ("OPENAI_API_KEY", "first".to_owned()),
                    ("OPENAI_BASE_URL", first.openai()),
                    ("OPENAI_FALLBACK_API_KEY", "second".to_owned()),
                    ("OPENAI_FALLBACK_BASE_URL", second.openai()),
                ]);
                others.extend([first, second]);
            }
            Failing::Database => {
                let before = PgProxy::start(&db.endpoint().expose_url());
                environment.push(("DATABASE_URL", before.url()));
                proxy = Some(before);
            }
            Failing::Recogniser | Failing::Voice => {}
        }
        let start = move || Platform::on(db, PROFILE, environment);
        let platform = tokio::task::spawn_blocking(start).await.unwrap();
        if !others.is_empty() {
            let second_choice = "jsonb_build_object('endpoint', 'fallback', 'model', profile -> 'model')";
            let fallbacks = format!("jsonb_build_array({second_choice})");
            let agents = format!(
                "update public.agents set profile = jsonb_set(profile, '{{model_fallbacks}}', {fallbacks})"
            );
            platform.db.execute(&agents).await;
        }
        let own = platform.local()["sandbox"].as_str().unwrap().to_owned();
        let bases: Vec<String> = others.iter().map(OtherSandbox::base).collect();
        let (targets, stand_in) = match failing {
            Failing::Model => (vec![bases[0].clone()], bases[1].clone()),
            Failing::EveryModel => (bases, own),
            Failing::Recogniser | Failing::Voice => (vec![own.clone()], own),
            Failing::Database => (Vec::new(), own),
        };
        let telephone = Telephone::before(&platform, http, tasks).await;
        Self { failing, platform, telephone, targets, stand_in, _others: others, proxy }
    }

    /// What a witness looks at.
    pub(super) fn view(&self) -> View {
        View { health: self.admin("/health/dependencies"), routes: self.failing.routes() }
    }

    /// The outage begins.
    pub(super) async fn strike(&self, fault: &str, http: &reqwest::Client) {
        if let Some(proxy) = &self.proxy {
            proxy.fail(Some(fault_of(fault)));
        }
        let service = self.failing.service();
        let outage = json!({ "service": service, "fault": fault, "retry_after_seconds": 5 });
        self.control(http, &json!({ "outages": [outage] })).await;
    }

    /// The outage ends.
    pub(super) async fn heal(&self, http: &reqwest::Client) {
        if let Some(proxy) = &self.proxy {
            proxy.fail(None);
        }
        self.control(http, &json!({ "outages": [] })).await;
    }

    async fn control(&self, http: &reqwest::Client, change: &Value) {
        for target in &self.targets {
            let changed = http.post(format!("{target}sandbox/control")).json(change).send().await.unwrap();
            assert!(changed.status().is_success(), "{changed:?}");
        }
    }

    pub(super) async fn is_live(&self, http: &reqwest::Client) -> bool {
        let live = http.get(self.admin("/health/live")).send().await;
        live.is_ok_and(|answer| answer.status().is_success())
    }

    /// What served callers while the service did not, in words.
    pub(super) async fn instead(&self, http: &reqwest::Client) -> String {
        let counts =
            get(http, &format!("{}sandbox/injected/counts", self.stand_in)).await.unwrap_or_default();
        match self.failing {
            Failing::Model => {
                format!("{} generations at the fallback", requests_of(&counts, &["generation"]))
            }
            Failing::Recogniser => {
                let heard = requests_of(&counts, &["scribe_utterance"]);
                format!("{heard} stretches of speech heard by Scribe")
            }
            Failing::Voice => format!("{} phrases spoken by OpenAI", requests_of(&counts, &["speech"])),
            Failing::EveryModel => "nothing".to_owned(),
            Failing::Database => {
                let failed = "select count(*) from public.tool_runs where outcome ->> 'status' = 'failed'";
                let round_trip = self.proxy.as_ref().map(PgProxy::round_trip).unwrap_or_default();
                format!(
                    "{} tools declined; round trip otherwise {} µs",
                    self.platform.db.count(failed).await,
                    round_trip.as_micros()
                )
            }
        }
    }

    fn admin(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.platform.admin_port())
    }
}

fn fault_of(name: &str) -> Fault {
    match name {
        "refused" => Fault::Refused,
        "hung" => Fault::Hung,
        "slow" => Fault::Slow,
        "garbage" => Fault::Garbage,
        "rate_limited" => Fault::TurnedAway,
        "half_open" => Fault::HalfOpen,
        other => panic!("no fault is called {other}"),
    }
}

/// Vendors in a process of their own, apart from those that the platform starts.
#[derive(Debug)]
struct OtherSandbox {
    /// Ends when its stdin, which is in here, closes.
    _process: Child,
    addresses: Value,
}

impl OtherSandbox {
    async fn start() -> Self {
        let mut process = Command::new(binary())
            .args(["sandbox", "--until-stdin-closes", "--profile", PROFILE])
            .env("LOG", "warn")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).await.unwrap();
        Self { _process: process, addresses: serde_json::from_str(&line).unwrap() }
    }

    fn openai(&self) -> String {
        self.addresses["openai"].as_str().unwrap().to_owned()
    }

    fn base(&self) -> String {
        self.addresses["sandbox"].as_str().unwrap().to_owned()
    }
}
