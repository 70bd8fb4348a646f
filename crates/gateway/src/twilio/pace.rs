//! How much a socket may send: audio against the wall clock, and patience with nonsense; pure.

use std::time::Duration;

/// Ahead of the wall clock by more than this, audio is dropped: nobody speaks in the future.
const TOLERANCE_US: i64 = 5_000_000;
/// Ahead by more than this, the socket is closed.
const LIMIT_US: i64 = 30_000_000;
/// What a silent stretch may be caught up on at once, when a stalled network delivers its backlog.
const CREDIT_US: i64 = 30_000_000;
/// What any message costs at least, so that a flood of tiny ones is a flood too: a thousand a second.
const LEAST_COST_US: i64 = 1_000;

/// Compares the audio that came with the time that passed.
#[derive(Debug)]
pub(crate) struct Pace {
    ahead_us: i64,
    last: Duration,
}

/// What to do with a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Admit {
    /// Take it.
    Take,
    /// It is too early: leave its audio out.
    Drop,
    /// This is no telephone: close.
    Close,
}

impl Pace {
    /// Counts from `now` on, on any monotonic clock.
    pub(crate) const fn new(now: Duration) -> Self {
        Self { ahead_us: 0, last: now }
    }

    /// Weighs a message with so much audio (none, for a message of another kind).
    pub(crate) fn admit(&mut self, audio_us: u64, now: Duration) -> Admit {
        let passed_us = i64::try_from(now.saturating_sub(self.last).as_micros()).unwrap_or(i64::MAX);
        self.last = self.last.max(now);
        let cost_us = i64::try_from(audio_us).unwrap_or(i64::MAX).max(LEAST_COST_US);
        self.ahead_us = self.ahead_us.saturating_sub(passed_us).max(-CREDIT_US).saturating_add(cost_us);
        if self.ahead_us <= TOLERANCE_US {
            Admit::Take
        } else if self.ahead_us <= LIMIT_US {
            Admit::Drop
        } else {
            Admit::Close
        }
    }
}

/// Patience with malformed messages: twenty, and one more for each thousand good ones, but never more than twenty.
#[derive(Debug)]
pub(crate) struct Patience {
    strikes: u32,
    good: u32,
}

impl Patience {
    const MAX_STRIKES: u32 = 20;
    const GOOD_PER_STRIKE: u32 = 1_000;

    pub(crate) const fn new() -> Self {
        Self { strikes: 0, good: 0 }
    }

    /// A message was in order.
    pub(crate) fn good(&mut self) {
        self.good += 1;
        if self.good >= Self::GOOD_PER_STRIKE {
            self.good = 0;
            self.strikes = self.strikes.saturating_sub(1);
        }
    }

    /// A message was not. False once that was one too many.
    #[must_use]
    pub(crate) fn bad(&mut self) -> bool {
        self.strikes += 1;
        self.strikes < Self::MAX_STRIKES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends 20 ms frames at `speed` times real time; the second of wall clock at which something first happened.
    fn first(what: Admit, speed: u64, seconds: u64) -> Option<u64> {
        let mut pace = Pace::new(Duration::ZERO);
        (0..seconds * 50 * speed)
            .map(|frame| Duration::from_millis(frame * 20 / speed))
            .find(|at| pace.admit(20_000, *at) == what)
            .map(|at| at.as_secs())
    }

    #[test]
    fn real_time_is_taken_for_hours_and_ten_times_real_time_is_dropped_and_then_closed() {
        assert_eq!(first(Admit::Drop, 1, 3 * 3_600), None);
        assert_eq!(first(Admit::Drop, 10, 10), Some(0));
        assert_eq!(first(Admit::Close, 10, 10), Some(3));
        assert_eq!(first(Admit::Close, 2, 60), Some(29));
    }

    #[test]
    fn the_backlog_of_a_stalled_network_is_taken_and_no_more_than_that() {
        let mut pace = Pace::new(Duration::ZERO);
        let later = Duration::from_hours(1);
        let taken = (0..10_000).take_while(|_| pace.admit(20_000, later) == Admit::Take).count();
        assert_eq!(taken * 20, 35_000, "thirty seconds of credit and five of tolerance, in milliseconds");
    }

    #[test]
    fn a_flood_of_messages_without_audio_is_a_flood() {
        let mut pace = Pace::new(Duration::ZERO);
        let taken = (0..100_000).take_while(|_| pace.admit(0, Duration::ZERO) != Admit::Close).count();
        assert_eq!(taken, 30_000);
    }

    #[test]
    fn extreme_figures_close_rather_than_overflow() {
        let mut pace = Pace::new(Duration::MAX);
        assert_eq!(pace.admit(u64::MAX, Duration::ZERO), Admit::Close);
        assert_eq!(pace.admit(u64::MAX, Duration::MAX), Admit::Close);
    }

    #[test]
    fn patience_ends_with_the_twentieth_bad_message_unless_good_ones_came_between() {
        let mut patience = Patience::new();
        assert_eq!((0..100).take_while(|_| patience.bad()).count(), 19);
        let mut patience = Patience::new();
        for _ in 0..1_000 {
            assert!(patience.bad());
            (0..1_000).for_each(|_| patience.good());
        }
    }
}
