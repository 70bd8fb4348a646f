//! How one route is: its breaker, its latencies, its last failure.

use super::{
    breaker::{Breaker, Outcome, Position},
    latencies::Latencies,
};
use crate::{Failure, FailureKind};
use jiff::Timestamp;
use metrics::{counter, gauge};
use seiketsu_domain::Clock;
use serde::{Deserialize, Serialize};
use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::Notify;
use tracing::{debug, info, warn};

/// Silence of this length makes a route suspect: in the middle of an answer, or before it if the request was given up.
const SUSPICIOUS_SILENCE: Duration = Duration::from_millis(750);

/// What a route is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Speech to text.
    Recogniser,
    /// Text to text.
    Model,
    /// Text to speech.
    Voice,
}

impl Kind {
    /// The name in metrics, logs and JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Recogniser => "recogniser",
            Self::Model => "model",
            Self::Voice => "voice",
        }
    }
}

/// How long a route may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// A request without an answer after this has failed, as far as the health of the route goes. Well before that it is
    /// doubtful: see [`Attempt::doubted`].
    pub stall: Duration,
    /// An answer that took longer counts as a bad outcome: it came, but too late for a conversation.
    pub slow: Duration,
    /// The deadline of a probe.
    pub probe: Duration,
    /// For a recogniser: while somebody speaks, something is heard of it at least this often. None for one that says
    /// nothing before it is asked.
    pub word: Option<Duration>,
}

impl Patience {
    /// A language model: from the request to the first token. One first token in a hundred takes longer than
    /// `slow` on an ordinary day, which the rule of the breaker bears.
    pub const MODEL: Self = Self {
        stall: Duration::from_millis(2_500),
        slow: Duration::from_secs(3),
        probe: Duration::from_secs(2),
        word: None,
    };
    /// A voice: from a phrase to its first sound, and between sounds.
    pub const VOICE: Self = Self {
        stall: Duration::from_millis(1_500),
        slow: Duration::from_millis(1_500),
        probe: Duration::from_secs(2),
        word: None,
    };
    /// A recogniser that hears while it is spoken to: from asking for the last words to having them.
    pub const STREAMING: Self = Self {
        stall: Duration::from_millis(1_200),
        slow: Duration::from_millis(1_200),
        probe: Duration::from_millis(1_500),
        word: Some(Duration::from_secs(1)),
    };
    /// A recogniser that begins when it is asked for the words.
    pub const BATCH: Self = Self {
        stall: Duration::from_secs(3),
        slow: Duration::from_secs(3),
        probe: Duration::from_secs(3),
        word: None,
    };
}

/// The most recent bad outcome of a route.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastFailure {
    /// [`FailureKind::name`], or `slow`.
    pub kind: String,
    /// In the vendor's or the network's own words.
    pub detail: String,
    /// When.
    pub at: Timestamp,
}

/// A route as `/health/dependencies` shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RouteStatus {
    /// What it is for.
    pub kind: Kind,
    /// Name of the configured endpoint.
    pub endpoint: String,
    /// The model, where routes differ by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Its place among the routes of its kind; 0 is the first choice.
    pub order: usize,
    /// `closed`, `open` or `half_open`.
    pub breaker: String,
    /// The last request ended badly, and no probe has said yet what that means.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub suspect: bool,
    /// How long until the next probe, while the breaker is open, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_in_ms: Option<u64>,
    /// Requests since the process began.
    pub requests: u64,
    /// Those of them that failed.
    pub failures: u64,
    /// The most recent failure or slow answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_failure: Option<LastFailure>,
    /// Median latency of the answers of the last minute, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p50_ms: Option<f64>,
    /// 95th percentile of the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p95_ms: Option<f64>,
}

/// The health of one route; cheap to clone.
#[derive(Clone)]
pub struct RouteHealth(Arc<Inner>);

struct Inner {
    kind: Kind,
    endpoint: String,
    model: Option<String>,
    order: usize,
    patience: Patience,
    clock: Arc<dyn Clock>,
    tracked: Mutex<Tracked>,
    /// Rings when a probe may have become due.
    wake: Arc<Notify>,
}

#[derive(Debug, Default)]
struct Tracked {
    breaker: Breaker,
    latencies: Latencies,
    last_failure: Option<LastFailure>,
    requests: u64,
    failures: u64,
}

impl fmt::Debug for RouteHealth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RouteHealth({self})")
    }
}

impl fmt::Display for RouteHealth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.0.kind.name(), self.0.endpoint)?;
        self.0.model.as_ref().map_or(Ok(()), |model| write!(f, "/{model}"))
    }
}

impl RouteHealth {
    pub(super) fn new(
        kind: Kind,
        (endpoint, model, order): (String, Option<String>, usize),
        patience: Patience,
        clock: Arc<dyn Clock>,
        wake: Arc<Notify>,
    ) -> Self {
        let tracked = Mutex::default();
        let health = Self(Arc::new(Inner { kind, endpoint, model, order, patience, clock, tracked, wake }));
        health.show(Position::Closed);
        health
    }

    /// Name of the configured endpoint.
    pub fn endpoint(&self) -> &str {
        &self.0.endpoint
    }

    /// How long it may take.
    pub fn patience(&self) -> Patience {
        self.0.patience
    }

    /// Whether it is worth a request: its breaker is closed.
    pub fn is_healthy(&self) -> bool {
        self.tracked().breaker.position() == Position::Closed
    }

    /// Healthy, and nothing bad has happened that is not explained yet: worth coming back to.
    pub fn is_trusted(&self) -> bool {
        self.tracked().breaker.is_trusted()
    }

    /// Its breaker is open because of failures: a link that seems to work is not to be relied on.
    pub fn is_failing(&self) -> bool {
        self.tracked().breaker.is_failing()
    }

    /// What is left of its pause.
    pub fn pause_left(&self) -> Duration {
        self.tracked().breaker.pause_left(self.now())
    }

    /// A request goes out. How it ends is said to the [`Attempt`].
    pub fn begin(&self) -> Attempt {
        self.tracked().requests += 1;
        let (vendor, of) = self.labels();
        counter!("seiketsu_provider_requests_total", "vendor" => vendor, "kind" => of).increment(1);
        let began = self.now();
        Attempt { health: self.clone(), began, heard_at: began, state: AttemptState::Waiting, doubted: false }
    }

    /// Something failed that no [`Attempt`] is open for: an answer that broke in the middle, a link that died.
    pub fn failed(&self, failure: &Failure) {
        let outcome = match failure.kind {
            FailureKind::RateLimited { retry_after: Some(wait) } => Some(Outcome::LeaveAlone(wait)),
            FailureKind::Unreachable
            | FailureKind::Timeout
            | FailureKind::Closed
            | FailureKind::RateLimited { retry_after: None }
            | FailureKind::Unauthorized
            | FailureKind::VendorFault
            | FailureKind::Garbage => Some(Outcome::Bad),
            FailureKind::BadRequest => None,
        };
        self.bad(failure.kind.name(), &failure.detail, outcome);
    }

    /// The state of now.
    pub fn status(&self) -> RouteStatus {
        let now = self.now();
        let ms = |duration: Duration| duration.as_secs_f64() * 1_000.0;
        let mut tracked = self.tracked();
        let percentiles = tracked.latencies.percentiles(now);
        let position = tracked.breaker.position();
        RouteStatus {
            kind: self.0.kind,
            endpoint: self.0.endpoint.clone(),
            model: self.0.model.clone(),
            order: self.0.order,
            breaker: position.name().to_owned(),
            suspect: position == Position::Closed && !tracked.breaker.is_trusted(),
            retry_in_ms: (position == Position::Open)
                .then(|| tracked.breaker.pause_left(now).as_millis() as u64),
            requests: tracked.requests,
            failures: tracked.failures,
            last_failure: tracked.last_failure.clone(),
            p50_ms: percentiles.map(|(p50, _)| ms(p50)),
            p95_ms: percentiles.map(|(_, p95)| ms(p95)),
        }
    }

    pub(super) fn probe_due(&self) -> Option<Duration> {
        self.tracked().breaker.probe_due(self.now())
    }

    pub(super) fn begin_probe(&self) -> bool {
        let now = self.now();
        let (began, position) = {
            let breaker = &mut self.tracked().breaker;
            (breaker.begin_probe(now), breaker.position())
        };
        if began {
            self.show(position);
        }
        began
    }

    /// What a probe found; `Err` also when it took too long.
    pub(super) fn end_probe(&self, found: Result<(), Failure>) {
        let outcome = match &found {
            Ok(()) => Outcome::Good,
            // It answers; what it does not like is our question.
            Err(failure) if failure.kind == FailureKind::BadRequest => Outcome::Good,
            Err(Failure { kind: FailureKind::RateLimited { retry_after: Some(wait) }, .. }) => {
                Outcome::LeaveAlone(*wait)
            }
            Err(_) => Outcome::Bad,
        };
        debug!(route = %self, ?outcome, "a probe ended");
        if let Err(failure) = found {
            let at = self.0.clock.now();
            let last = LastFailure { kind: failure.kind.name().to_owned(), detail: failure.detail, at };
            self.tracked().last_failure = Some(last);
        }
        let now = self.now();
        self.change(|breaker| breaker.end_probe(outcome, now));
    }

    fn bad(&self, kind: &'static str, detail: &str, outcome: Option<Outcome>) {
        let at = self.0.clock.now();
        {
            let mut tracked = self.tracked();
            tracked.failures += 1;
            tracked.last_failure = Some(LastFailure { kind: kind.to_owned(), detail: detail.to_owned(), at });
        }
        let (vendor, of) = self.labels();
        counter!("seiketsu_provider_failures_total", "vendor" => vendor, "kind" => of, "failure" => kind)
            .increment(1);
        if let Some(outcome) = outcome {
            self.record(outcome, self.now());
        }
    }

    fn record(&self, outcome: Outcome, now: Duration) {
        self.change(|breaker| breaker.record(outcome, now));
    }

    /// Something happened that may mean that it fails: a probe is sent to find out.
    pub fn suspect(&self) {
        self.change(Breaker::suspect);
    }

    fn change(&self, act: impl FnOnce(&mut Breaker)) {
        let (before, after, due) = {
            let breaker = &mut self.tracked().breaker;
            let before = breaker.position();
            act(breaker);
            (before, breaker.position(), breaker.probe_due(self.now()))
        };
        if before != after {
            self.show(after);
            match after {
                Position::Open => warn!(route = %self, "the breaker is open: others are asked first"),
                Position::Closed => info!(route = %self, "the breaker is closed: the route has recovered"),
                Position::HalfOpen => {}
            }
        }
        if due.is_some() {
            self.0.wake.notify_one();
        }
    }

    fn show(&self, position: Position) {
        let value = match position {
            Position::Closed => 0.0,
            Position::HalfOpen => 1.0,
            Position::Open => 2.0,
        };
        let (vendor, kind) = self.labels();
        let model = self.0.model.clone().unwrap_or_default();
        gauge!("seiketsu_provider_breaker_state", "vendor" => vendor, "kind" => kind, "model" => model)
            .set(value);
    }

    fn labels(&self) -> (String, &'static str) {
        (self.0.endpoint.clone(), self.0.kind.name())
    }

    fn now(&self) -> Duration {
        self.0.clock.monotonic()
    }

    fn tracked(&self) -> MutexGuard<'_, Tracked> {
        self.0.tracked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One request to a route, until it is answered or has failed.
///
/// Dropping it means that nobody wants the answer any more; if that was after a suspiciously long wait, or silence in the
/// middle of the answer, a probe finds out why.
#[derive(Debug)]
pub struct Attempt {
    health: RouteHealth,
    began: Duration,
    /// When the newest piece of the answer came.
    heard_at: Duration,
    state: AttemptState,
    /// A probe was asked for because of the present silence.
    doubted: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum AttemptState {
    Waiting,
    /// The answer has begun in time; many break off after that, so it is not good yet.
    Answering,
    Answered,
    /// Failed, or as good as failed; what comes now changes nothing.
    Failed,
}

impl Attempt {
    /// The first useful piece of the answer has come, and counts as the whole. Later ones need not be reported.
    pub fn answered(&mut self) {
        self.begun();
        self.finished();
    }

    /// A piece of the answer has come. Whether the answer is good is known when it has [`finished`](Self::finished).
    pub fn begun(&mut self) {
        let now = self.health.now();
        self.heard_at = now;
        self.doubted = false;
        if self.state != AttemptState::Waiting {
            return;
        }
        let took = self.waited();
        self.health.tracked().latencies.record(took, now);
        if took > self.health.patience().slow {
            self.state = AttemptState::Answered;
            let detail = format!("answered after {} ms", took.as_millis());
            self.health.bad("slow", &detail, Some(Outcome::Bad));
        } else {
            self.state = AttemptState::Answering;
        }
    }

    /// The answer that has begun is complete.
    pub fn finished(&mut self) {
        if self.state == AttemptState::Answering {
            self.state = AttemptState::Answered;
            self.health.record(Outcome::Good, self.health.now());
        }
    }

    /// It failed, whether before or after its answer began. One request counts as one failure.
    pub fn failed(&mut self, failure: &Failure) {
        if std::mem::replace(&mut self.state, AttemptState::Failed) != AttemptState::Failed {
            self.health.failed(failure);
        }
    }

    /// [`Patience::stall`] is over. The answer may still come, but counts as failed.
    pub fn stalled(&mut self) {
        if self.state == AttemptState::Waiting {
            self.state = AttemptState::Failed;
            let detail = format!("no answer for {} ms", self.waited().as_millis());
            self.health.bad(FailureKind::Timeout.name(), &detail, Some(Outcome::Bad));
        }
    }

    /// It has been silent for so long that a probe is to find out why, while it may still go on. So a vendor that falls
    /// silent is noticed sooner than by waiting and only then asking.
    pub fn doubted(&mut self) {
        self.doubted = true;
        self.health.suspect();
    }

    /// How long until its silence is doubtful; none if it is already, or if nothing more is expected.
    pub fn doubtful_in(&self) -> Option<Duration> {
        let bearable = match self.state {
            AttemptState::Waiting => self.health.patience().stall * 3 / 5,
            AttemptState::Answering => SUSPICIOUS_SILENCE,
            AttemptState::Answered | AttemptState::Failed => return None,
        };
        (!self.doubted).then(|| bearable.saturating_sub(self.silent_for()))
    }

    /// How long nothing has come of it.
    pub fn silent_for(&self) -> Duration {
        self.health.now().saturating_sub(self.heard_at)
    }

    /// How long it has been on its way.
    pub fn waited(&self) -> Duration {
        self.health.now().saturating_sub(self.began)
    }

    /// How long until it counts as stalled; none if it has been answered or has failed.
    pub fn stalls_in(&self) -> Option<Duration> {
        (self.state == AttemptState::Waiting)
            .then(|| self.health.patience().stall.saturating_sub(self.waited()))
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        match self.state {
            AttemptState::Waiting | AttemptState::Answering if self.silent_for() >= SUSPICIOUS_SILENCE => {
                self.health.suspect();
            }
            AttemptState::Waiting
            | AttemptState::Answering
            | AttemptState::Answered
            | AttemptState::Failed => {}
        }
    }
}

#[cfg(test)]
#[path = "health_tests.rs"]
mod tests;
