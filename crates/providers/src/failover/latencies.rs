//! How long a route took to answer lately.

use std::{collections::VecDeque, time::Duration};

const WINDOW: Duration = Duration::from_mins(1);
/// The newest so many answers of the window are kept.
const KEPT: usize = 512;

/// The latencies of the last minute.
#[derive(Debug, Default)]
pub(super) struct Latencies(VecDeque<(Duration, Duration)>);

impl Latencies {
    pub(super) fn record(&mut self, took: Duration, now: Duration) {
        self.forget(now);
        if self.0.len() >= KEPT {
            self.0.pop_front();
        }
        self.0.push_back((now, took));
    }

    /// The median and the 95th percentile; none without an answer in the last minute.
    pub(super) fn percentiles(&mut self, now: Duration) -> Option<(Duration, Duration)> {
        self.forget(now);
        let mut sorted: Vec<Duration> = self.0.iter().map(|(_, took)| *took).collect();
        sorted.sort_unstable();
        let nearest =
            |percent: usize| sorted.get((sorted.len() * percent).div_ceil(100).saturating_sub(1)).copied();
        nearest(50).zip(nearest(95))
    }

    fn forget(&mut self, now: Duration) {
        while self.0.front().is_some_and(|(at, _)| now.saturating_sub(*at) > WINDOW) {
            self.0.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_those_of_the_last_minute() {
        let mut latencies = Latencies::default();
        assert_eq!(latencies.percentiles(Duration::ZERO), None);
        for ms in 1..=100 {
            latencies.record(Duration::from_millis(ms), Duration::from_secs(1));
        }
        let expected = (Duration::from_millis(50), Duration::from_millis(95));
        assert_eq!(latencies.percentiles(Duration::from_secs(61)), Some(expected));
        assert_eq!(latencies.percentiles(Duration::from_secs(62)), None);
    }

    #[test]
    fn memory_is_bounded_and_the_newest_answers_are_kept() {
        let mut latencies = Latencies::default();
        for ms in 0..10_000 {
            latencies.record(Duration::from_millis(ms), Duration::ZERO);
        }
        assert_eq!(latencies.0.len(), KEPT);
        let (p50, _) = latencies.percentiles(Duration::ZERO).unwrap();
        assert!(p50 > Duration::from_secs(9), "{p50:?}");
    }
}
