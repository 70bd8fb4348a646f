//! Time that moves when it is told to, ids that repeat.

use jiff::{SignedDuration, Timestamp};
use seiketsu_domain::{Clock, IdSource};
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// A clock that stands still until [`FakeClock::advance`].
#[derive(Debug)]
pub struct FakeClock {
    start: Timestamp,
    passed: Mutex<Duration>,
}

impl FakeClock {
    /// Tuesday, 24 November 2026, 10:15 in Chicago.
    pub fn new() -> Arc<Self> {
        Self::at("2026-11-24T16:15:00Z".parse().expect("a constant"))
    }

    /// Starts at a time of the test's choice.
    pub fn at(start: Timestamp) -> Arc<Self> {
        Arc::new(Self { start, passed: Mutex::new(Duration::ZERO) })
    }

    /// Lets time pass.
    pub fn advance(&self, by: Duration) {
        *self.passed.lock().unwrap_or_else(PoisonError::into_inner) += by;
    }
}

impl Clock for FakeClock {
    fn now(&self) -> Timestamp {
        self.start + SignedDuration::try_from(self.monotonic()).expect("tests are shorter than that")
    }
    fn monotonic(&self) -> Duration {
        *self.passed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ids of a clock and a seed: the same ones in every run.
pub fn ids(clock: Arc<FakeClock>, seed: u8) -> IdSource {
    IdSource::new(clock, [seed; 32])
}
