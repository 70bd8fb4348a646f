//! When the client will have played what it was sent.
//!
//! A telephone company reports marks; clients of this protocol report nothing, so playback is reckoned: in real time,
//! gapless, from the moment it was sent. A client that stops says how far it came (`conversation.item.truncate`).

use std::{collections::VecDeque, time::Duration};

/// Milliseconds of sound have so many bytes; the rest is time of the monotonic clock.
#[derive(Debug)]
pub(super) struct Player {
    bytes_per_ms: u64,
    over_at: Duration,
    marks: VecDeque<(Duration, u64)>,
}

impl Player {
    pub(super) fn new(bytes_per_ms: usize) -> Self {
        Self { bytes_per_ms: bytes_per_ms as u64, over_at: Duration::ZERO, marks: VecDeque::new() }
    }

    /// How long this sounds.
    pub(super) fn length(&self, bytes: usize) -> Duration {
        Duration::from_micros(bytes as u64 * 1_000 / self.bytes_per_ms)
    }

    /// This was sent, behind everything before it.
    pub(super) fn sent(&mut self, bytes: usize, now: Duration) {
        self.over_at = self.over_at.max(now) + self.length(bytes);
    }

    /// A mark behind everything that was sent.
    pub(super) fn mark(&mut self, mark: u64, now: Duration) {
        self.marks.push_back((self.over_at.max(now), mark));
    }

    pub(super) fn is_playing(&self, now: Duration) -> bool {
        self.over_at > now
    }

    /// How long until the next mark is reached.
    pub(super) fn due(&self, now: Duration) -> Option<Duration> {
        self.marks.front().map(|(at, _)| at.saturating_sub(now))
    }

    /// The next mark that has been reached.
    pub(super) fn reached(&mut self, now: Duration) -> Option<u64> {
        self.marks.pop_front_if(|(at, _)| *at <= now).map(|(_, mark)| mark)
    }

    /// What was not played is dropped; its marks come back, as they do from a telephone company.
    pub(super) fn clear(&mut self, now: Duration) -> impl Iterator<Item = u64> {
        self.over_at = self.over_at.min(now);
        std::mem::take(&mut self.marks).into_iter().map(|(_, mark)| mark)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn marks_are_reached_in_real_time_behind_their_sound() {
        let mut player = Player::new(48);
        player.sent(4_800, ms(1_000));
        player.mark(1, ms(1_000));
        player.sent(4_800, ms(1_010));
        player.mark(2, ms(1_010));
        assert_eq!(player.due(ms(1_040)), Some(ms(60)));
        assert_eq!(player.reached(ms(1_099)), None);
        assert_eq!(player.reached(ms(1_100)), Some(1));
        assert!(player.is_playing(ms(1_199)));
        assert_eq!((player.reached(ms(1_200)), player.due(ms(1_200))), (Some(2), None));
        assert!(!player.is_playing(ms(1_200)));
    }

    #[test]
    fn a_clear_gives_back_every_mark_and_what_follows_plays_at_once() {
        let mut player = Player::new(8);
        player.sent(8_000, ms(0));
        player.mark(1, ms(0));
        player.mark(2, ms(0));
        assert_eq!(player.clear(ms(300)).collect::<Vec<_>>(), [1, 2]);
        player.sent(80, ms(400));
        player.mark(3, ms(400));
        assert_eq!(player.due(ms(400)), Some(ms(10)));
    }
}
