//! The exchange's playout buffer of one stream, without IO: what the caller is played, and when marks come back.
//!
//! Semantics (Twilio, "Media Streams: WebSocket messages"): media is appended and played in order in real time; a mark
//! comes back when everything sent before it has been played, at once when nothing is left to play; `clear` empties
//! the buffer and returns all pending marks.

use crate::{FRAME_BYTES, Frame, SILENT_FRAME};
use bytes::Bytes;
use seiketsu_domain::CallTime;
use std::collections::VecDeque;

/// Audio that may wait: ten minutes. Twilio states no limit; this one is ours and only bounds memory.
pub const MAX_BUFFERED_BYTES: usize = 8_000 * 600;
/// Chunks and marks that may wait.
pub const MAX_ITEMS: usize = 100_000;

/// The playout buffer.
///
/// ```text
/// push(bytes, arrived)  mark(name)  clear()  tick(frame_start) -> Frame      poll_mark() -> Option<String>
/// ```
#[derive(Debug, Default)]
pub struct Playout {
    queue: VecDeque<Item>,
    buffered_bytes: usize,
    /// Marks whose audio is within the frame that plays now: due when it ends.
    playing: Vec<String>,
    /// Whether the frame that plays now carries audio.
    sounding: bool,
    returned: VecDeque<String>,
}

#[derive(Debug)]
enum Item {
    Audio { bytes: Bytes, arrived: CallTime },
    Mark(String),
}

/// The server sent more than can be kept; the excess was dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("more media than the playout buffer keeps")]
pub struct PlayoutFull;

impl Playout {
    /// Appends audio that arrived at `arrived`. It is played in no frame that began earlier.
    pub fn push(&mut self, bytes: Bytes, arrived: CallTime) -> Result<(), PlayoutFull> {
        if bytes.is_empty() {
            return Ok(());
        }
        if self.buffered_bytes + bytes.len() > MAX_BUFFERED_BYTES || self.queue.len() >= MAX_ITEMS {
            return Err(PlayoutFull);
        }
        self.buffered_bytes += bytes.len();
        self.queue.push_back(Item::Audio { bytes, arrived });
        Ok(())
    }

    /// Appends a mark.
    pub fn mark(&mut self, name: String) -> Result<(), PlayoutFull> {
        if self.queue.is_empty() && !self.sounding {
            self.returned.push_back(name);
            return Ok(());
        }
        if self.queue.len() >= MAX_ITEMS {
            return Err(PlayoutFull);
        }
        self.queue.push_back(Item::Mark(name));
        Ok(())
    }

    /// Forgets all audio that was not yet played and returns every mark.
    pub fn clear(&mut self) {
        self.returned.extend(self.playing.drain(..));
        for item in self.queue.drain(..) {
            if let Item::Mark(name) = item {
                self.returned.push_back(name);
            }
        }
        self.buffered_bytes = 0;
        // What is left of the 20 ms that play now is not worth waiting for: a mark sent after `clear` returns at once.
        self.sounding = false;
    }

    /// The next 20 ms, beginning at `frame_start`; the frame before has been played to its end.
    pub fn tick(&mut self, frame_start: CallTime) -> Frame {
        self.returned.extend(self.playing.drain(..));
        let mut frame = SILENT_FRAME;
        let mut filled = 0;
        while let Some(item) = self.queue.front_mut() {
            match item {
                Item::Audio { bytes, arrived } => {
                    if filled == FRAME_BYTES || *arrived > frame_start {
                        break;
                    }
                    let taken = bytes.split_to(bytes.len().min(FRAME_BYTES - filled));
                    frame[filled..filled + taken.len()].copy_from_slice(&taken);
                    filled += taken.len();
                    self.buffered_bytes -= taken.len();
                    if !bytes.is_empty() {
                        break;
                    }
                }
                Item::Mark(name) => {
                    let name = std::mem::take(name);
                    if filled == 0 {
                        self.returned.push_back(name);
                    } else {
                        self.playing.push(name);
                    }
                }
            }
            self.queue.pop_front();
        }
        self.sounding = filled > 0;
        frame
    }

    /// The next mark to send back.
    pub fn poll_mark(&mut self) -> Option<String> {
        self.returned.pop_front()
    }

    /// How much audio waits, in bytes.
    pub fn buffered_bytes(&self) -> usize {
        self.buffered_bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(frame: u64) -> CallTime {
        CallTime::from_millis(frame * 20)
    }

    fn marks(playout: &mut Playout) -> Vec<String> {
        std::iter::from_fn(|| playout.poll_mark()).collect()
    }

    fn audio(byte: u8, length: usize) -> Bytes {
        Bytes::from(vec![byte; length])
    }

    #[test]
    fn chunks_of_any_size_play_in_order_without_gaps() {
        let mut playout = Playout::default();
        playout.push(audio(1, 100), at(0)).unwrap();
        playout.push(audio(2, 200), at(0)).unwrap();
        let first = playout.tick(at(0));
        assert_eq!((first[..100].to_vec(), first[100..].to_vec()), (vec![1; 100], vec![2; 60]));
        let second = playout.tick(at(1));
        assert_eq!((second[..140].to_vec(), second[140..].to_vec()), (vec![2; 140], vec![0xFF; 20]));
        assert_eq!(playout.buffered_bytes(), 0);
    }

    #[test]
    fn audio_is_never_played_in_a_frame_that_began_before_it_arrived() {
        let mut playout = Playout::default();
        playout.push(audio(1, 160), CallTime::from_micros(20_001)).unwrap();
        assert_eq!(playout.tick(at(1)), [0xFF; 160]);
        assert_eq!(playout.tick(at(2)), [1; 160]);
    }

    #[test]
    fn a_mark_returns_when_the_audio_before_it_has_been_played_and_not_before() {
        let mut playout = Playout::default();
        playout.push(audio(1, 240), at(0)).unwrap();
        playout.mark("a".to_owned()).unwrap();
        playout.push(audio(2, 80), at(0)).unwrap();
        playout.mark("b".to_owned()).unwrap();
        playout.tick(at(0));
        assert!(marks(&mut playout).is_empty());
        playout.tick(at(1));
        assert!(marks(&mut playout).is_empty(), "its last byte is being played");
        playout.tick(at(2));
        assert_eq!(marks(&mut playout), ["a", "b"]);
    }

    #[test]
    fn a_mark_on_an_empty_buffer_returns_at_once() {
        let mut playout = Playout::default();
        playout.mark("now".to_owned()).unwrap();
        assert_eq!(marks(&mut playout), ["now"]);
        playout.push(audio(1, 160), at(0)).unwrap();
        playout.tick(at(0));
        playout.mark("after the frame that plays".to_owned()).unwrap();
        assert!(marks(&mut playout).is_empty());
        playout.tick(at(1));
        assert_eq!(marks(&mut playout), ["after the frame that plays"]);
    }

    #[test]
    fn clear_stops_playback_within_the_frame_and_returns_all_pending_marks_in_order() {
        let mut playout = Playout::default();
        playout.push(audio(1, 100), at(0)).unwrap();
        playout.mark("a".to_owned()).unwrap();
        playout.push(audio(1, 1_600), at(0)).unwrap();
        playout.mark("b".to_owned()).unwrap();
        playout.mark("c".to_owned()).unwrap();
        playout.tick(at(0));
        playout.clear();
        assert_eq!(marks(&mut playout), ["a", "b", "c"]);
        assert_eq!(playout.tick(at(1)), [0xFF; 160]);
        playout.clear();
        assert!(marks(&mut playout).is_empty(), "no mark returns twice");
        playout.push(audio(3, 160), at(1)).unwrap();
        assert_eq!(playout.tick(at(2)), [3; 160]);
    }

    #[test]
    fn a_flood_is_refused_and_costs_bounded_memory() {
        let mut playout = Playout::default();
        let chunk = audio(1, 1_000_000);
        let accepted = (0..100).filter(|_| playout.push(chunk.clone(), at(0)).is_ok()).count();
        assert_eq!(accepted, MAX_BUFFERED_BYTES / 1_000_000);
        let accepted = (0..MAX_ITEMS * 2).filter(|_| playout.mark("m".to_owned()).is_ok()).count();
        assert_eq!(accepted, MAX_ITEMS - MAX_BUFFERED_BYTES / 1_000_000);
    }

    /// Frames are filled from the front.
    fn sevens(frame: Frame) -> usize {
        let filled = frame.iter().position(|byte| *byte != 7).unwrap_or(FRAME_BYTES);
        assert!(frame[filled..].iter().all(|byte| *byte == 0xFF));
        filled
    }

    proptest! {
        #[test]
        fn every_byte_is_played_once_and_every_mark_returns_once_in_order(
            steps in proptest::collection::vec((0_usize..400, any::<bool>(), 0_u8..10), 1..60),
        ) {
            let mut playout = Playout::default();
            let (mut sent, mut sent_marks, mut heard, mut heard_marks) = (0, Vec::new(), 0, Vec::new());
            let mut frame = 0;
            for (index, (length, mark, ticks)) in steps.into_iter().enumerate() {
                playout.push(audio(7, length), at(frame)).unwrap();
                sent += length;
                if mark {
                    playout.mark(index.to_string()).unwrap();
                    sent_marks.push(index.to_string());
                }
                for _ in 0..ticks {
                    heard += sevens(playout.tick(at(frame)));
                    frame += 1;
                    heard_marks.extend(marks(&mut playout));
                }
            }
            while playout.buffered_bytes() > 0 {
                heard += sevens(playout.tick(at(frame)));
                frame += 1;
                heard_marks.extend(marks(&mut playout));
            }
            playout.tick(at(frame));
            heard_marks.extend(marks(&mut playout));
            prop_assert_eq!(heard, sent);
            prop_assert_eq!(heard_marks, sent_marks);
        }
    }
}
