//! Caller audio on its way to the session, in the rhythm of speech.
//!
//! Clients append audio as it comes from a microphone, or a whole recording at once. A session listens in real time: who
//! is silent for long has finished. So audio waits here until its time has come; where the client says itself when a turn
//! is over, it waits for an eighth of that only. What the client asks for waits behind the audio that it appended before.

use super::wire::Format;
use bytes::Bytes;
use seiketsu_session::DoorInput;
use std::{collections::VecDeque, time::Duration};

/// Pieces in which long audio is handed on.
const PIECE_MS: usize = 100;
/// Audio may be early by so much: networks deliver in bursts.
const SLACK: Duration = Duration::from_millis(200);
/// How much faster than real time the audio of a client that drives turns itself is handed on.
const HASTE: u32 = 8;
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
    waiting: VecDeque<Waiting>,
    waiting_bytes: usize,
    /// When what was handed on so far would have been spoken.
    spoken_until: Duration,
    /// Silence put in for the client since it sent something; none before it has.
    filled: Option<Duration>,
    /// A byte of silence in the client's format.
    silence: u8,
    /// A byte that waits for the other half of its sample.
    half: Option<u8>,
}

impl Ears {
    pub(super) fn new(format: Format) -> Self {
        Self {
            bytes_per_ms: format.bytes_per_ms(),
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            spoken_until: Duration::ZERO,
            filled: None,
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
            self.filled = Some(Duration::ZERO);
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

    /// Audio that was not handed on is forgotten; what was asked for is not.
    pub(super) fn clear(&mut self) {
        self.waiting.retain(|waiting| matches!(waiting, Waiting::Asked(_)));
        self.waiting_bytes = 0;
        self.half = None;
    }

    /// How long until the next of it may be handed on, or silence in its place.
    pub(super) fn due(&self, now: Duration, hasty: bool) -> Option<Duration> {
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
        match self.waiting.pop_front() {
            None => {
                let piece = Duration::from_millis(PIECE_MS as u64);
                self.filled = self.filled.map(|filled| filled + piece);
                self.spoken_until += piece;
                Some(DoorInput::Audio(vec![self.silence; PIECE_MS * self.bytes_per_ms].into()))
            }
            Some(Waiting::Asked(input)) => Some(input),
            Some(Waiting::Audio(audio)) => {
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
        assert_eq!(ears.next(ms(0), false), Some(DoorInput::Audio(Bytes::from_static(&[1, 2]))));
        assert_eq!(ears.next(ms(0), false), Some(DoorInput::Audio(Bytes::from_static(&[3, 4]))));
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
    fn what_is_cleared_is_not_heard() {
        let mut ears = Ears::new(Format::Pcmu);
        ears.append(vec![0; 800].into());
        ears.ask(DoorInput::Client(ClientAct::CreateResponse));
        ears.clear();
        assert_eq!(ears.next(ms(0), false), Some(DoorInput::Client(ClientAct::CreateResponse)));
        assert_eq!((ears.next(ms(0), false), ears.waiting_bytes()), (None, 0));
    }
}
