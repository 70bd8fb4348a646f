//! When a sample was spoken, as well as its arrival tells.

use seiketsu_domain::CallTime;
use std::time::Duration;

/// Audio that is later than that is not late, but follows a gap.
const GAP_US: i64 = 1_500_000;

/// Lays positions in the caller's audio over call time.
///
/// The earliest arrival seen so far is the best estimate of when a sample was spoken; a later origin is followed slowly,
/// so that jitter does not move it but clock drift does.
#[derive(Debug, Default)]
pub struct AudioClock {
    origin_us: Option<i64>,
    received_us: u64,
}

impl AudioClock {
    /// Audio of this length has just arrived.
    pub fn received(&mut self, length_us: u64, now: CallTime) {
        self.received_us += length_us;
        let candidate = now.as_micros() as i64 - self.received_us as i64;
        let origin = self.origin_us.get_or_insert(candidate);
        let later = candidate - *origin;
        // Nobody sent anything for a while: what comes now was spoken now.
        *origin += if (0..=GAP_US).contains(&later) { later / 1_000 } else { later };
    }

    /// When the sample at this position was spoken.
    pub fn at(&self, position_us: u64) -> CallTime {
        CallTime::from_micros(position_us.saturating_add_signed(self.origin_us.unwrap_or(0)))
    }

    /// How far into the caller's audio this time is.
    pub fn position_of(&self, at: CallTime) -> Duration {
        Duration::from_micros(at.as_micros().saturating_add_signed(-self.origin_us.unwrap_or(0)))
    }

    /// Caller audio received so far.
    pub fn received_us(&self) -> u64 {
        self.received_us
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jitter_does_not_move_the_clock_of_the_audio_and_a_vendor_cannot_overflow_it() {
        let mut clock = AudioClock::default();
        for n in 0..500_u64 {
            let jitter = (n * 37) % 60;
            clock.received(20_000, CallTime::from_millis(1_000 + (n + 1) * 20 + jitter));
        }
        let at = clock.at(5_000_000).as_millis();
        assert!((6_000..=6_030).contains(&at), "{at}");
        assert!(clock.at(u64::MAX) >= clock.at(5_000_000));
        assert_eq!(clock.received_us(), 10_000_000);
    }

    #[test]
    fn audio_after_a_gap_was_spoken_when_it_came() {
        let mut clock = AudioClock::default();
        for n in 1..=50_u64 {
            clock.received(20_000, CallTime::from_millis(n * 20));
        }
        for n in 1..=50_u64 {
            clock.received(20_000, CallTime::from_millis(14_000 + n * 20));
        }
        assert_eq!(clock.at(1_000_000).as_millis(), 14_000);
    }
}
