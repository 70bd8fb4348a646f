//! Caller audio on its way to the session, in the rhythm of speech.
//!
//! Clients append audio as it comes from a microphone, or a whole recording at once. A session listens in real time: who
//! is silent for long has finished. So audio waits here until its time has come; where the client says itself when a turn
//! is over, it waits for an eighth of that only. What the client asks for waits behind the audio that it appended before.

use super::wire::Format;
use bytes::Bytes;
use seiketsu_session::{ClientAct, DoorInput};
use std::{collections::VecDeque, time::Duration};

/// Pieces in which long audio is handed on.
const PIECE_MS: usize = 100;
/// Audio may be early by so much: networks deliver in bursts.
const SLACK: Duration = Duration::from_millis(200);
/// How much faster than real time the audio of a client that drives turns itself is handed on.
const HASTE: u32 = 8;
/// More than that waits because the line stood still, or was sent at once: it is caught up with at twice the speed.
const BACKLOG_MS: usize = 1_000;
/// A client that sends nothing for so long sends silence, as far as turns are concerned.
const GAP: Duration = Duration::from_millis(300);
/// For so long at most: enough to end a turn.
const FILLED: Duration = Duration::from_secs(3);

#[derive(Debug)]
enum Waiting {
    Audio(Bytes),
    Asked(DoorInput),
}

/// See the module.
#[derive(Debug)]
pub(super) struct Ears {
    bytes_per_ms: usize,
    /// What does not wait for audio.
    urgent: VecDeque<DoorInput>,
    waiting: VecDeque<Waiting>,
    waiting_bytes: usize,
    /// When what was handed on so far would have been spoken.
    spoken_until: Duration,
    /// Silence put in for the client since it sent something; none before it has.
    filled: Option<Duration>,
    /// All of that.
    inserted: Duration,
    /// A byte of silence in the client's format.
    silence: u8,
    /// A byte that waits for the other half of its sample.
    half: Option<u8>,
}

impl Ears {
    pub(super) fn new(format: Format) -> Self {
        Self {
            bytes_per_ms: format.bytes_per_ms(),
            urgent: VecDeque::new(),
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            spoken_until: Duration::ZERO,
            filled: None,
            inserted: Duration::ZERO,
            silence: match format {
                Format::Pcm24k => 0,
                Format::Pcmu => 0xff,
                Format::Pcma => 0xd5,
            },
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
        if !audio.is_empty() {
            // Silence that was put in for what comes only now is taken back.
            let filled = self.filled.replace(Duration::ZERO).unwrap_or_default();
            self.spoken_until = self.spoken_until.saturating_sub(filled);
        }
        // Many small pieces are kept as one.
        if let Some(Waiting::Audio(last)) = self.waiting.back_mut()
            && last.len() + audio.len() <= PIECE_MS * self.bytes_per_ms
        {
            *last = [last.as_ref(), audio.as_ref()].concat().into();
            return;
        }
        while !audio.is_empty() {
            let piece = audio.split_to(audio.len().min(PIECE_MS * self.bytes_per_ms));
            self.waiting.push_back(Waiting::Audio(piece));
        }
    }

    /// Samples of two bytes may be cut anywhere on their way.
    fn whole_samples(&mut self, audio: Bytes) -> Bytes {
        if self.bytes_per_ms > 8 {
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

    /// What the client asks for at once, whatever audio waits.
    pub(super) fn ask_now(&mut self, input: DoorInput) {
        self.urgent.push_back(input);
    }

    /// Silence that was put in the place of audio that did not come: the session's time of the audio is ahead of the
    /// client's by so much.
    pub(super) fn inserted(&self) -> Duration {
        self.inserted
    }

    /// How much is asked for and was not handed on.
    pub(super) fn asked(&self) -> usize {
        let in_order = self.waiting.iter().filter(|waiting| matches!(waiting, Waiting::Asked(_)));
        self.urgent.len() + in_order.count()
    }

    /// Audio that was not handed on is forgotten, but for what was committed; what was asked for is not.
    pub(super) fn clear(&mut self) {
        let is_commit =
            |waiting: &Waiting| matches!(waiting, Waiting::Asked(DoorInput::Client(ClientAct::Commit)));
        let committed = self.waiting.iter().rposition(is_commit).map_or(0, |at| at + 1);
        let behind = self.waiting.split_off(committed);
        self.waiting.extend(behind.into_iter().filter(|waiting| matches!(waiting, Waiting::Asked(_))));
        let left = self.waiting.iter().map(|waiting| match waiting {
            Waiting::Audio(audio) => audio.len(),
            Waiting::Asked(_) => 0,
        });
        self.waiting_bytes = left.sum();
        self.half = None;
    }

    /// How long until the next of it may be handed on, or silence in its place.
    pub(super) fn due(&self, now: Duration, hasty: bool) -> Option<Duration> {
        if !self.urgent.is_empty() {
            return Some(Duration::ZERO);
        }
        match self.waiting.front() {
            Some(Waiting::Asked(_)) => Some(Duration::ZERO),
            Some(Waiting::Audio(_)) => Some(self.spoken_until.saturating_sub(now + SLACK)),
            None if hasty || self.filled.is_none_or(|filled| filled >= FILLED) => None,
            None => Some((self.spoken_until + GAP).saturating_sub(now)),
        }
    }

    /// The next of it, if its time has come.
    pub(super) fn next(&mut self, now: Duration, hasty: bool) -> Option<DoorInput> {
        if self.due(now, hasty) != Some(Duration::ZERO) {
            return None;
        }
        if let Some(urgent) = self.urgent.pop_front() {
            return Some(urgent);
        }
        match self.waiting.pop_front() {
            None => {
                let piece = Duration::from_millis(PIECE_MS as u64);
                self.filled = self.filled.map(|filled| filled + piece);
                self.spoken_until += piece;
                self.inserted += piece;
                Some(DoorInput::Audio(vec![self.silence; PIECE_MS * self.bytes_per_ms].into()))
            }
            Some(Waiting::Asked(input)) => Some(input),
            Some(Waiting::Audio(audio)) => {
                self.waiting_bytes -= audio.len();
                let length = Duration::from_micros((audio.len() * 1_000 / self.bytes_per_ms) as u64);
                let late = self.waiting_bytes > BACKLOG_MS * self.bytes_per_ms;
                let length = length / if hasty { HASTE } else { 1 + u32::from(late) };
                self.spoken_until = self.spoken_until.max(now.saturating_sub(length)) + length;
                Some(DoorInput::Audio(audio))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let mut ears = Ears::new(Format::Pcm24k);
        ears.append(vec![0; 48_000].into());
        ears.ask(DoorInput::Client(ClientAct::Commit));
        let mut heard = 0;
        for at in 5_000_u64.. {
            while let Some(input) = ears.next(ms(at), hasty) {
                let Some(length) = audio_ms(Some(input)) else {
                    assert_eq!(heard, 1_000, "what was asked for waits behind the audio");
                    return at - 5_000;
                };
                heard += length;
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
        let mut ears = Ears::new(Format::Pcm24k);
        ears.append(Bytes::from_static(&[1, 2, 3]));
        ears.append(Bytes::from_static(&[4, 5]));
        assert_eq!(ears.waiting_bytes(), 4);
        assert_eq!(ears.next(ms(0), false), Some(DoorInput::Audio(Bytes::from_static(&[1, 2, 3, 4]))));
    }

    #[test]
    fn a_client_that_stops_sending_is_silent_until_its_turn_has_ended() {
        let mut ears = Ears::new(Format::Pcma);
        assert_eq!(ears.due(ms(0), false), None, "nobody has spoken yet");
        ears.append(vec![1; 800].into());
        ears.next(ms(1_000), false);
        assert_eq!(ears.next(ms(1_299), false), None);
        let silence = Some(DoorInput::Audio(vec![0xd5; 800].into()));
        assert_eq!(ears.next(ms(1_300), false), silence);
        assert_eq!(ears.next(ms(1_300), false), None, "in real time");
        assert_eq!(ears.due(ms(1_300), true), None, "a client that drives turns ends them itself");
        let all = (1_300..9_000).filter_map(|at| ears.next(ms(at), false)).count();
        assert_eq!((all, ears.due(ms(9_000), false)), (29, None), "three seconds in all");
    }

    #[test]
    fn a_line_that_stood_still_is_caught_up_with() {
        let mut ears = Ears::new(Format::Pcmu);
        let mut lag_ms = 0;
        for at in (0..40_000_u64).step_by(20) {
            // Five seconds in which nothing comes, and then all of it.
            let pieces = match at {
                0..5_000 => 0,
                5_000 => 250,
                _ => 1,
            };
            for _ in 0..pieces {
                ears.append(vec![1; 160].into());
            }
            while ears.next(ms(at), false).is_some() {}
            lag_ms = ears.waiting_bytes() / 8;
        }
        assert!(lag_ms <= 1_100, "{lag_ms}");
    }

    #[test]
    fn small_pieces_are_kept_as_few_and_what_is_urgent_waits_for_none_of_them() {
        let mut ears = Ears::new(Format::Pcmu);
        for _ in 0..8_000 {
            ears.append(vec![1; 1].into());
        }
        assert!(ears.waiting.len() <= 11, "{}", ears.waiting.len());
        ears.ask(DoorInput::Client(ClientAct::Commit));
        ears.ask_now(DoorInput::HungUp);
        assert_eq!((ears.asked(), ears.next(ms(0), false)), (2, Some(DoorInput::HungUp)));
        ears.append(vec![1; 80].into());
        ears.clear();
        assert_eq!(ears.waiting_bytes(), 8_000, "what was committed is heard");
    }

    #[test]
    fn what_is_cleared_is_not_heard() {
        let mut ears = Ears::new(Format::Pcmu);
        ears.append(vec![0; 800].into());
        ears.ask(DoorInput::Respond(Box::default()));
        ears.clear();
        assert_eq!(ears.next(ms(0), false), Some(DoorInput::Respond(Box::default())));
        assert_eq!((ears.next(ms(0), false), ears.waiting_bytes()), (None, 0));
    }
}
