//! Caller audio on its way to the session, in the rhythm of speech.
//!
//! Clients append audio as it comes from a microphone, or a whole recording at once. A session listens in real time: who
//! is silent for long has finished. So audio waits here until its time has come; where the client says itself when a turn
//! is over, it waits for an eighth of that only. What the client asks for waits behind the audio that it appended before.

use bytes::Bytes;
use seiketsu_session::DoorInput;
use std::{collections::VecDeque, time::Duration};

/// Pieces in which long audio is handed on.
const PIECE_MS: usize = 100;
/// Audio may be early by so much: networks deliver in bursts.
const SLACK: Duration = Duration::from_millis(200);
/// How much faster than real time the audio of a client that drives turns itself is handed on.
const HASTE: u32 = 8;

#[derive(Debug)]
enum Waiting {
    Audio(Bytes),
    Asked(DoorInput),
}

/// See the module.
#[derive(Debug)]
pub(super) struct Ears {
    bytes_per_ms: usize,
    waiting: VecDeque<Waiting>,
    waiting_bytes: usize,
    /// When what was handed on so far would have been spoken.
    spoken_until: Duration,
    /// A byte that waits for the other half of its sample.
    half: Option<u8>,
}

impl Ears {
    pub(super) fn new(bytes_per_ms: usize) -> Self {
        Self {
            bytes_per_ms,
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            spoken_until: Duration::ZERO,
            half: None,
        }
    }

    /// Audio that waits, in bytes.
    pub(super) fn waiting_bytes(&self) -> usize {
        self.waiting_bytes
    }

    /// More audio, of any length.
    pub(super) fn append(&mut self, audio: Bytes) {
        let mut audio = self.whole_samples(audio);
        self.waiting_bytes += audio.len();
        while !audio.is_empty() {
            let piece = audio.split_to(audio.len().min(PIECE_MS * self.bytes_per_ms));
            self.waiting.push_back(Waiting::Audio(piece));
        }
    }

    /// Samples of two bytes may be cut anywhere on their way.
    fn whole_samples(&mut self, audio: Bytes) -> Bytes {
        if self.bytes_per_ms.is_multiple_of(2) && self.bytes_per_ms > 8 {
            let mut all = match self.half.take() {
                Some(half) => [&[half], audio.as_ref()].concat().into(),
                None => audio,
            };
            if all.len() % 2 == 1 {
                self.half = all.last().copied();
                all.truncate(all.len() - 1);
            }
            all
        } else {
            audio
        }
    }

    /// What the client asks for, behind the audio before it.
    pub(super) fn ask(&mut self, input: DoorInput) {
        self.waiting.push_back(Waiting::Asked(input));
    }

    /// Audio that was not handed on is forgotten; what was asked for is not.
    pub(super) fn clear(&mut self) {
        self.waiting.retain(|waiting| matches!(waiting, Waiting::Asked(_)));
        self.waiting_bytes = 0;
        self.half = None;
    }

    /// How long until the next of it may be handed on.
    pub(super) fn due(&self, now: Duration) -> Option<Duration> {
        match self.waiting.front()? {
            Waiting::Asked(_) => Some(Duration::ZERO),
            Waiting::Audio(_) => Some(self.spoken_until.saturating_sub(now + SLACK)),
        }
    }

    /// The next of it, if its time has come.
    pub(super) fn next(&mut self, now: Duration, hasty: bool) -> Option<DoorInput> {
        if self.due(now) != Some(Duration::ZERO) {
            return None;
        }
        match self.waiting.pop_front()? {
            Waiting::Asked(input) => Some(input),
            Waiting::Audio(audio) => {
                self.waiting_bytes -= audio.len();
                let length = Duration::from_micros((audio.len() * 1_000 / self.bytes_per_ms) as u64);
                let length = if hasty { length / HASTE } else { length };
                self.spoken_until = self.spoken_until.max(now.saturating_sub(length)) + length;
                Some(DoorInput::Audio(audio))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use seiketsu_session::ClientAct;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn audio_ms(input: Option<DoorInput>) -> Option<usize> {
        match input {
            Some(DoorInput::Audio(audio)) => Some(audio.len() / 48),
            Some(_) | None => None,
        }
    }

    /// When all of a second that is appended at once has been handed on.
    fn handed_on_at(hasty: bool) -> u64 {
        let mut ears = Ears::new(48);
        ears.append(vec![0; 48_000].into());
        ears.ask(DoorInput::Client(ClientAct::Commit));
        let mut heard = 0;
        for at in 5_000_u64.. {
            while let Some(input) = ears.next(ms(at), hasty) {
                match audio_ms(Some(input)) {
                    Some(length) => heard += length,
                    None => {
                        assert_eq!(heard, 1_000, "what was asked for waits behind the audio");
                        return at - 5_000;
                    }
                }
            }
        }
        unreachable!("it is handed on some time")
    }

    #[test]
    fn a_recording_is_heard_in_the_time_that_it_takes_to_say_it() {
        assert_eq!(handed_on_at(false), 600, "but for the first piece, the last, and 200 ms of slack");
        assert_eq!(handed_on_at(true), 0, "an eighth of it is no longer than that slack");
    }

    #[test]
    fn samples_that_are_cut_in_two_are_put_together_again() {
        let mut ears = Ears::new(48);
        ears.append(Bytes::from_static(&[1, 2, 3]));
        ears.append(Bytes::from_static(&[4, 5]));
        assert_eq!(ears.waiting_bytes(), 4);
        assert_eq!(ears.next(ms(0), false), Some(DoorInput::Audio(Bytes::from_static(&[1, 2]))));
        assert_eq!(ears.next(ms(0), false), Some(DoorInput::Audio(Bytes::from_static(&[3, 4]))));
    }

    #[test]
    fn what_is_cleared_is_not_heard() {
        let mut ears = Ears::new(8);
        ears.append(vec![0; 800].into());
        ears.ask(DoorInput::Client(ClientAct::CreateResponse));
        ears.clear();
        assert_eq!(ears.next(ms(0), false), Some(DoorInput::Client(ClientAct::CreateResponse)));
        assert_eq!((ears.next(ms(0), false), ears.waiting_bytes()), (None, 0));
    }
}
