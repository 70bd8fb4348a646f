//! Time and identity as parameters.

use crate::ids::TypedId;
use jiff::Timestamp;
use rand::{Rng, SeedableRng, rngs::StdRng};
use serde::{Deserialize, Serialize};
use std::{
    fmt,
    ops::{Add, Sub},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};
use uuid::Uuid;

/// Microseconds since a call began, on a monotonic clock.
///
/// The engine's only notion of time. Unlike [`Instant`] it can be journalled and replayed.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Default,
    Serialize,
    Deserialize,
    utoipa::ToSchema,
)]
#[serde(transparent)]
pub struct CallTime(u64);

impl CallTime {
    /// The instant the call began.
    pub const ZERO: Self = Self(0);

    /// A time so many microseconds into the call.
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }
    /// A time so many milliseconds into the call.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis * 1_000)
    }
    /// Whole microseconds since the call began.
    pub const fn as_micros(self) -> u64 {
        self.0
    }
    /// Whole milliseconds since the call began, rounded down.
    pub const fn as_millis(self) -> u64 {
        self.0 / 1_000
    }
    /// The time from `earlier` to `self`; zero if `earlier` is later.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }
    /// `self - duration`, not before the call began.
    #[must_use]
    pub fn saturating_sub(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(duration.as_micros() as u64))
    }
}

impl Add<Duration> for CallTime {
    type Output = Self;
    fn add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(duration.as_micros() as u64))
    }
}

impl Sub for CallTime {
    type Output = Duration;
    fn sub(self, earlier: Self) -> Duration {
        self.since(earlier)
    }
}

impl fmt::Display for CallTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:03} s", self.0 / 1_000_000, self.0 / 1_000 % 1_000)
    }
}

/// Where `now` comes from, in the shells around the pure parts.
pub trait Clock: Send + Sync + fmt::Debug {
    /// Civil time.
    fn now(&self) -> Timestamp;
    /// Monotonic time since this clock was made.
    fn monotonic(&self) -> Duration;
}

/// The machine's clocks.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock {
    origin: Instant,
}

impl SystemClock {
    /// A clock whose monotonic time starts now.
    #[expect(clippy::disallowed_methods, reason = "the one place where ambient time enters")]
    pub fn new() -> Self {
        Self { origin: Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place where ambient time enters")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
    #[expect(clippy::disallowed_methods, reason = "the one place where ambient time enters")]
    fn monotonic(&self) -> Duration {
        Instant::now().duration_since(self.origin)
    }
}

/// Makes ids: UUIDv7 of the injected clock and rng.
#[derive(Debug, Clone)]
pub struct IdSource {
    clock: Arc<dyn Clock>,
    rng: Arc<Mutex<StdRng>>,
}

impl IdSource {
    /// Ids that are unpredictable outside and repeatable from `seed` inside a test.
    pub fn new(clock: Arc<dyn Clock>, seed: [u8; 32]) -> Self {
        Self { clock, rng: Arc::new(Mutex::new(StdRng::from_seed(seed))) }
    }

    /// The next id of a noun.
    pub fn next<T: TypedId>(&self) -> T {
        let mut random = [0_u8; 10];
        self.fill(&mut random);
        let millis = self.clock.now().as_millisecond().max(0) as u64;
        T::from_uuid(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
    }

    /// A fresh UUIDv7 for rows that have no typed id.
    pub fn next_uuid(&self) -> Uuid {
        self.next::<crate::CallId>().uuid()
    }

    /// Random bytes from the same source, for tokens and keys.
    pub fn fill(&self, bytes: &mut [u8]) {
        self.rng.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(bytes);
    }

    /// The clock the ids are stamped with.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }
}
