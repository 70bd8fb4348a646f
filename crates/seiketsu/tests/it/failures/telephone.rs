//! People on the telephone, in this process: what they hear is measured on the samples that their line played.

use crate::platform::Platform;
use seiketsu_carrier::{
    CallReport, Caller, CallerOptions, Exchange, ExchangeOptions, PlaceCall, Step, Utterance,
    exchange::{CallSid, RegisterAt},
    handset::{Departure, Handset, Said},
};
use seiketsu_domain::{CallTime, Clock, IdSource, Language, PhoneNumber, SystemClock};
use seiketsu_gateway::v1::{Page, agents::AgentView};
use seiketsu_sandbox::{Espeak, EspeakVoice};
use serde_json::Value;
use std::{sync::Arc, time::Duration};
use tokio::{net::TcpListener, sync::watch};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use url::Url;

/// The brokerage that is called.
const TENANT: &str = "lone-star-homes";
/// Different conversations that book a viewing: more than fit into any outage.
const BOOKINGS: usize = 12;
/// A caller who hears nothing for so long has waited in vain.
const OVERDUE: Duration = super::SPEECH_WITHIN;

/// What callers say, spoken once and shared.
#[derive(Debug, Clone)]
pub(super) struct Lines {
    wish: Utterance,
    slots: Vec<Utterance>,
    name: Utterance,
    questions: Vec<Utterance>,
    goodbye: Utterance,
}

impl Lines {
    pub(super) async fn speak() -> Self {
        let espeak = Espeak::new();
        let voice = EspeakVoice::of("caller", Language::En);
        let speak = async |text: String| {
            let spoken = espeak.speak(&text, &voice).await.unwrap();
            Utterance::carrying(Some(text), &spoken.speech_8k, &spoken.pcm_8k).unwrap()
        };
        let mut slots = Vec::new();
        for booking in 0..BOOKINGS {
            // Each has an hour of its own, so that none is refused because another had it.
            let (days, hour) = (booking / 8 + 2, booking % 8 + 9);
            slots.push(speak(format!("the first one please could i see it in {days} days at {hour}")).await);
        }
        let mut questions = Vec::new();
        for question in ["how much is the first one", "are you a robot", "what condos do you have"] {
            questions.push(speak(question.to_owned()).await);
        }
        Self {
            wish: speak("hi i am looking for a three bedroom house to buy".to_owned()).await,
            slots,
            name: speak("my name is jordan lee".to_owned()).await,
            questions,
            goodbye: speak("no thank you goodbye".to_owned()).await,
        }
    }

    fn booking(&self, number: usize) -> [&Utterance; 3] {
        [&self.wish, &self.slots[number % self.slots.len()], &self.name]
    }

    /// Somebody who goes on asking, and hears no long answer to its end: books, asks, books again. Takes the odd slots.
    pub(super) fn persistent(&self) -> Vec<Step> {
        let interrupt = |line: &Utterance| Step::Interrupt { utterance: line.clone(), after_ms: 2_500 };
        let round =
            |number: usize| self.booking(2 * number + 1).into_iter().chain(&self.questions).map(interrupt);
        (0..BOOKINGS / 2).flat_map(round).collect()
    }

    /// Somebody who books and says goodbye. Takes the even slots.
    pub(super) fn brief(&self, number: usize) -> Vec<Step> {
        self.booking(2 * number).into_iter().chain([&self.goodbye]).cloned().map(Step::Say).collect()
    }
}

/// A telephone exchange before one platform.
#[derive(Debug)]
pub(super) struct Telephone {
    exchange: Exchange,
    ids: IdSource,
    webhook: Url,
    to: PhoneNumber,
    acknowledgements: Vec<String>,
    stop: CancellationToken,
}

/// What one caller went through. Times are those of the clock of [`Telephone::now`].
#[derive(Debug)]
pub(super) struct Heard {
    pub(super) report: CallReport,
    /// From dialling to the answer.
    pub(super) rang: Duration,
    /// Call time zero; none if no stream was ever opened.
    pub(super) answered_at: Option<Duration>,
}

/// A turn that counts: the caller expected an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Waited {
    /// When the caller had finished.
    pub(super) since: Duration,
    /// How long it took until something was heard.
    pub(super) first_audible_ms: Option<u64>,
    pub(super) said: String,
}

impl Heard {
    /// The greeting, if the caller stayed for it, and every turn that counts.
    pub(super) fn waits(&self) -> Vec<Waited> {
        let Some(answered_at) = self.answered_at else { return Vec::new() };
        let greeting = Waited {
            since: answered_at,
            first_audible_ms: self.report.greeting_first_audible_ms,
            said: "(dials)".to_owned(),
        };
        let turns = self.report.turns.iter().filter(|turn| turn.end.counts()).map(|turn| Waited {
            since: answered_at + Duration::from_micros(turn.end_of_speech.as_micros()),
            first_audible_ms: turn.first_audible_ms,
            said: turn.said.clone().unwrap_or_default(),
        });
        let hung_up_at = answered_at + Duration::from_millis(self.report.duration_ms);
        // Who hung up before an answer was overdue did not wait for it.
        let waited = |wait: &Waited| wait.first_audible_ms.is_some() || wait.since + OVERDUE <= hung_up_at;
        std::iter::once(greeting).chain(turns).filter(waited).collect()
    }

    /// Whether the exchange apologised in the platform's place.
    pub(super) fn was_sent_away(&self) -> bool {
        self.answered_at.is_none() && !self.report.announcements.is_empty()
    }

    /// What a telephone company would complain about.
    pub(super) fn complaint(&self) -> Option<String> {
        let report = &self.report;
        let errors: Vec<_> =
            report.errors.iter().map(|error| format!("{}: {}", error.code, error.detail)).collect();
        let is_in_order = report.ended_by.is_orderly() && errors.is_empty();
        (!is_in_order).then(|| format!("{:?} {}", report.ended_by, errors.join("; ")))
    }
}

impl Telephone {
    /// One that is registered with the platform's own exchange, so that the platform can hang up.
    pub(super) async fn before(platform: &Platform, http: &reqwest::Client, tasks: &TaskTracker) -> Self {
        let local = platform.local();
        let text = |name: &str| local[name].as_str().unwrap().to_owned();
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let ids = IdSource::new(clock, [platform.public_port() as u8; 32]);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let control = Url::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
        let options = ExchangeOptions {
            account_sid: text("account_sid"),
            auth_token: text("auth_token"),
            register_at: Some(RegisterAt { exchange: text("exchange").parse().unwrap(), control }),
        };
        let exchange = Exchange::new(options, http.clone(), ids.clone(), tasks.clone());
        let stop = CancellationToken::new();
        let serve = seiketsu_gateway::serve(listener, exchange.router(), stop.clone());
        tasks.spawn(async move { serve.await.unwrap() });

        let url = |path: &str| Url::parse(&format!("{}{path}", text("public_url"))).unwrap();
        let agents = http.get(url(&format!("/v1/agents?tenant={TENANT}"))).bearer_auth(text("operator_key"));
        let agents: Page<AgentView> = agents.send().await.unwrap().json().await.unwrap();
        let agent = agents.items.iter().find(|agent| agent.profile.language == Language::En).unwrap();
        Self {
            exchange,
            webhook: url("/twilio/voice"),
            to: agent.numbers[0].clone(),
            acknowledgements: agent.bridges.clone(),
            ids,
            stop,
        }
    }

    /// Time since the telephone was made.
    pub(super) fn now(&self) -> Duration {
        self.ids.clock().monotonic()
    }

    /// An id for a call to come.
    pub(super) fn sid(&self) -> CallSid {
        CallSid::generate(&self.ids)
    }

    /// Somebody calls, and hangs up when told to. `begun` counts the lines begun.
    pub(super) async fn call(
        &self,
        (sid, from): (CallSid, u32),
        steps: Vec<Step>,
        hang_up: &CancellationToken,
        begun: watch::Sender<u32>,
    ) -> Heard {
        let from = format!("+1512555{from:04}").parse().unwrap();
        let place = PlaceCall {
            call_sid: Some(sid),
            // No status callbacks: what they are answered while the database is away is no caller's wait.
            ..PlaceCall::new(self.webhook.clone(), from, self.to.clone())
        };
        let options = CallerOptions {
            patience_ms: 500,
            acknowledgements: self.acknowledgements.clone(),
            ..CallerOptions::default()
        };
        let clock = Arc::clone(self.ids.clock());
        let dialled_at = clock.monotonic();
        let caller = Caller::new(steps, options, None);
        let person = Person { caller, clock, answered_at: None, begun, hang_up: hang_up.clone() };
        let (outcome, person) = self.exchange.place(&place, person).await;
        let answered_at = person.answered_at;
        let rang = answered_at.unwrap_or_else(|| self.now()).saturating_sub(dialled_at);
        Heard { report: person.caller.finish(outcome), rang, answered_at }
    }
}

impl Drop for Telephone {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// A caller who knows the time and counts the lines.
struct Person {
    caller: Caller,
    clock: Arc<dyn Clock>,
    answered_at: Option<Duration>,
    begun: watch::Sender<u32>,
    hang_up: CancellationToken,
}

impl Handset for Person {
    fn frame(&mut self, now: CallTime, heard: &seiketsu_carrier::Frame) -> Said {
        let since_answer = Duration::from_micros(now.as_micros());
        if self.answered_at.is_none() {
            self.answered_at = Some(self.clock.monotonic().saturating_sub(since_answer));
        }
        if self.hang_up.is_cancelled() {
            return Said { departure: Some(Departure::HangUp), ..Said::SILENCE };
        }
        let said = self.caller.frame(now, heard);
        if said.starts_utterance {
            self.begun.send_modify(|lines| *lines += 1);
        }
        said
    }
}

/// The client for everything that a test asks over HTTP.
pub(crate) fn http() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().timeout(Duration::from_secs(20)).build().unwrap()
}

/// A JSON document at an address; none if there is no answer.
pub(crate) async fn get(http: &reqwest::Client, url: &str) -> Option<Value> {
    http.get(url).timeout(Duration::from_secs(3)).send().await.ok()?.json().await.ok()
}
