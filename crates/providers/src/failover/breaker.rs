//! When to leave a vendor alone, and when to come back: a state machine that is told the time.

use std::{collections::VecDeque, time::Duration};

/// Outcomes older than this say nothing about now.
const WINDOW: Duration = Duration::from_secs(10);
/// So many of the newest outcomes are judged, however many there were in the window.
const KEPT: usize = 20;
/// Fewer bad outcomes than this are an accident, whatever their share.
const LEAST_BAD: usize = 3;
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(4);
/// A vendor that asks for more patience than this is asked again after this long.
const LONGEST_REQUESTED_PAUSE: Duration = Duration::from_secs(30);
/// A breaker that opens again sooner than this after it closed has not recovered: its pause goes on growing.
const RECOVERED: Duration = Duration::from_secs(10);
/// The shortest time between two probes of a suspicion.
const CHECK_EVERY: Duration = Duration::from_secs(1);

/// How a request ended, as far as the health of its vendor goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It was answered in time.
    Good,
    /// It failed, or was answered too late to be of use.
    Bad,
    /// The vendor asked to be left alone for so long.
    LeaveAlone(Duration),
}

/// What a breaker lets through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Position {
    /// Everything.
    Closed,
    /// Nothing that could go elsewhere.
    Open,
    /// One probe, which is on its way.
    HalfOpen,
}

impl Position {
    /// The name in JSON and logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half_open",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// `suspect`: the last outcome was bad; a probe is to say what it means, not before `check_at`.
    Closed { suspect: bool, check_at: Duration },
    /// `requested`: the vendor asked for the pause; what is open already still works.
    Open { until: Duration, requested: bool },
}

/// A probe on its way.
#[derive(Debug, Clone, Copy)]
struct Probe {
    /// A request was answered well since it began, so that its failure alone proves nothing.
    contradicted: bool,
}

/// Decides from outcomes whether a route is worth a request.
///
/// It opens
/// - when at least three of the outcomes of the last ten seconds (the newest twenty of them) are bad, and at least half;
/// - when a probe fails that was sent because of one bad outcome, and nothing succeeded meanwhile: so a vendor that dies
///   is noticed by the first request that suffers, also where there is only one call;
/// - when the vendor asks to be left alone, for as long as it asks (thirty seconds at most; a second at least if it is a
///   probe that it refuses).
///
/// It closes when a probe succeeds. Probes begin after a pause of one second, doubled with each failure up to four, so
/// recovery waits neither for traffic nor for long. There is one probe at a time.
///
/// Time is whatever monotonic time the caller goes by; it must not go backwards.
#[derive(Debug)]
pub struct Breaker {
    state: State,
    probe: Option<Probe>,
    /// When, and whether it was bad; oldest first.
    outcomes: VecDeque<(Duration, bool)>,
    pause: Duration,
    closed_at: Option<Duration>,
}

impl Default for Breaker {
    fn default() -> Self {
        Self::new()
    }
}

impl Breaker {
    /// A closed one.
    pub fn new() -> Self {
        Self {
            state: State::Closed { suspect: false, check_at: Duration::ZERO },
            probe: None,
            outcomes: VecDeque::with_capacity(KEPT),
            pause: FIRST_PAUSE,
            closed_at: None,
        }
    }

    /// What it lets through.
    pub fn position(&self) -> Position {
        match (self.state, self.probe) {
            (State::Closed { .. }, _) => Position::Closed,
            (State::Open { .. }, None) => Position::Open,
            (State::Open { .. }, Some(_)) => Position::HalfOpen,
        }
    }

    /// Closed, and without a recent bad outcome that nobody has explained yet.
    pub fn is_trusted(&self) -> bool {
        matches!(self.state, State::Closed { suspect: false, .. })
    }

    /// Open because of failures: links that seem to work are not to be relied on either. A vendor that only asked for
    /// fewer requests still serves what is open.
    pub fn is_failing(&self) -> bool {
        matches!(self.state, State::Open { requested: false, .. })
    }

    /// What is left of the pause; zero if there is none.
    pub fn pause_left(&self, now: Duration) -> Duration {
        match self.state {
            State::Closed { .. } => Duration::ZERO,
            State::Open { until, .. } => until.saturating_sub(now),
        }
    }

    /// A request ended.
    pub fn record(&mut self, outcome: Outcome, now: Duration) {
        match (&mut self.state, outcome) {
            (State::Closed { suspect, .. }, Outcome::Good) => {
                *suspect = false;
                if let Some(probe) = &mut self.probe {
                    probe.contradicted = true;
                }
                self.keep(now, false);
            }
            (State::Closed { suspect, .. }, Outcome::Bad) => {
                *suspect = true;
                self.keep(now, true);
                let bad = self.outcomes.iter().filter(|(_, bad)| *bad).count();
                if bad >= LEAST_BAD && bad * 2 >= self.outcomes.len() {
                    self.open(now);
                }
            }
            (State::Closed { .. }, Outcome::LeaveAlone(wait)) => self.leave_alone(wait, now),
            (State::Open { until, .. }, Outcome::LeaveAlone(wait)) => {
                *until = (*until).max(now + wait.min(LONGEST_REQUESTED_PAUSE));
            }
            // Probes decide; a request that went out in spite of the breaker may have been lucky or late.
            (State::Open { .. }, Outcome::Good | Outcome::Bad) => {}
        }
    }

    /// Something is odd, for example a request that was given up after a long wait: a probe is to find out.
    pub fn suspect(&mut self) {
        if let State::Closed { suspect, .. } = &mut self.state {
            *suspect = true;
        }
    }

    /// How long until a probe is due; none if none is needed or one is on its way.
    pub fn probe_due(&self, now: Duration) -> Option<Duration> {
        match (self.probe, self.state) {
            (Some(_), _) | (None, State::Closed { suspect: false, .. }) => None,
            (None, State::Closed { suspect: true, check_at }) => Some(check_at.saturating_sub(now)),
            (None, State::Open { until, .. }) => Some(until.saturating_sub(now)),
        }
    }

    /// Begins a probe if one is due; whoever gets `true` reports its end.
    pub fn begin_probe(&mut self, now: Duration) -> bool {
        let begins = self.probe_due(now) == Some(Duration::ZERO);
        if begins {
            self.probe = Some(Probe { contradicted: false });
        }
        begins
    }

    /// The probe ended. Without one on its way this changes nothing.
    pub fn end_probe(&mut self, outcome: Outcome, now: Duration) {
        let Some(probe) = self.probe.take() else { return };
        match (&mut self.state, outcome) {
            (State::Closed { suspect, check_at }, Outcome::Good) => {
                *suspect = false;
                *check_at = now + CHECK_EVERY;
            }
            (State::Closed { check_at, .. }, Outcome::Bad) => {
                if probe.contradicted {
                    *check_at = now + CHECK_EVERY;
                } else {
                    self.open(now);
                }
            }
            (State::Closed { .. } | State::Open { .. }, Outcome::LeaveAlone(wait)) => {
                // Whoever says "at once" to a probe and refuses it all the same is not asked in a circle.
                self.leave_alone(wait.max(FIRST_PAUSE), now);
            }
            // It opened, or was told to wait longer, while the probe was on its way.
            (State::Open { until, .. }, Outcome::Good | Outcome::Bad) if *until > now => {}
            (State::Open { .. }, Outcome::Good) => {
                self.state = State::Closed { suspect: false, check_at: now + CHECK_EVERY };
                self.closed_at = Some(now);
                self.outcomes.clear();
            }
            (State::Open { .. }, Outcome::Bad) => {
                self.pause = LONGEST_PAUSE.min(self.pause * 2);
                self.state = State::Open { until: now + self.pause, requested: false };
            }
        }
    }

    fn keep(&mut self, now: Duration, bad: bool) {
        while self.outcomes.len() >= KEPT
            || self.outcomes.front().is_some_and(|(at, _)| now.saturating_sub(*at) > WINDOW)
        {
            self.outcomes.pop_front();
        }
        self.outcomes.push_back((now, bad));
    }

    fn open(&mut self, now: Duration) {
        let again = self.closed_at.is_some_and(|at| now.saturating_sub(at) < RECOVERED);
        self.pause = if again { LONGEST_PAUSE.min(self.pause * 2) } else { FIRST_PAUSE };
        self.state = State::Open { until: now + self.pause, requested: false };
    }

    fn leave_alone(&mut self, wait: Duration, now: Duration) {
        self.state = State::Open { until: now + wait.min(LONGEST_REQUESTED_PAUSE), requested: true };
    }
}

#[cfg(test)]
#[path = "breaker_tests.rs"]
mod tests;
