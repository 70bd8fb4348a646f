//! Exact frames out of any stream, and one continuous stream out of frames with timestamps.

use crate::g711::MULAW_SILENCE;

/// Cuts a stream of bytes or samples into frames of one length.
///
/// Holds less than one frame, whatever it is fed.
#[derive(Debug, Clone)]
pub struct Framer<T> {
    frame_len: usize,
    rest: Vec<T>,
}

impl<T: Copy> Framer<T> {
    /// Frames of `frame_len` items; 0 is taken as 1.
    pub fn new(frame_len: usize) -> Self {
        let frame_len = frame_len.max(1);
        Self { frame_len, rest: Vec::with_capacity(frame_len) }
    }

    /// Takes any number of items and hands every complete frame to `each`, in order.
    pub fn push(&mut self, mut items: &[T], mut each: impl FnMut(&[T])) {
        if !self.rest.is_empty() {
            let missing = (self.frame_len - self.rest.len()).min(items.len());
            self.rest.extend_from_slice(&items[..missing]);
            items = &items[missing..];
            if self.rest.len() < self.frame_len {
                return;
            }
            each(&self.rest);
            self.rest.clear();
        }
        let mut frames = items.chunks_exact(self.frame_len);
        for frame in &mut frames {
            each(frame);
        }
        self.rest.extend_from_slice(frames.remainder());
    }

    /// The begun frame, filled up with `padding`; `None` when nothing was begun.
    pub fn flush(&mut self, padding: T) -> Option<Vec<T>> {
        if self.rest.is_empty() {
            return None;
        }
        let mut frame = std::mem::replace(&mut self.rest, Vec::with_capacity(self.frame_len));
        frame.resize(self.frame_len, padding);
        Some(frame)
    }

    /// Items of the begun frame.
    pub fn pending(&self) -> &[T] {
        &self.rest
    }

    /// Forgets the begun frame.
    pub fn clear(&mut self) {
        self.rest.clear();
    }
}

/// What became of one media message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// The payload continues the stream after so many bytes of silence (0: nothing was missing).
    Continues {
        /// Bytes of silence that belong before the payload.
        silence_bytes: usize,
    },
    /// A duplicate, or so late that its place has been padded already: the payload is not used.
    Stale,
}

/// Makes inbound media continuous: pads what the network lost, by the timestamps.
///
/// Twilio's `media.timestamp` counts milliseconds from the start of the stream, while the payload counts bytes (8 per
/// millisecond of mu-law). When the timestamp is ahead of the bytes, the difference was lost and silence takes its
/// place, so that endpointing and the recogniser keep true time. Timestamps are milliseconds of a sender's clock and
/// payloads come in 20 ms, so differences under [`GapFiller::TOLERANCE_MS`] mean nothing.
#[derive(Debug, Clone, Default)]
pub struct GapFiller {
    /// Timestamp and length-so-far meet here: timestamp of the byte that comes next, in bytes.
    expected: Option<u64>,
    newest_timestamp_ms: u64,
    padded_bytes: u64,
    stale_messages: u64,
}

impl GapFiller {
    /// Bytes of one millisecond of telephone audio.
    pub const BYTES_PER_MS: u64 = 8;
    /// A gap is padded with so much at most; a longer one is a sender gone mad, not lost audio.
    pub const MAX_GAP_MS: u64 = 10_000;
    /// Differences below this are rounding and jitter, not loss.
    pub const TOLERANCE_MS: u64 = 10;

    /// A stream that begins with the first message, whatever its timestamp.
    pub fn new() -> Self {
        Self::default()
    }

    /// Places one message; appends its silence and its payload to `out` unless it is stale.
    pub fn fill(&mut self, timestamp_ms: u64, payload: &[u8], out: &mut Vec<u8>) -> Arrival {
        let arrival = self.place(timestamp_ms, payload.len());
        if let Arrival::Continues { silence_bytes } = arrival {
            out.resize(out.len() + silence_bytes, MULAW_SILENCE);
            out.extend_from_slice(payload);
        }
        arrival
    }

    /// As [`GapFiller::fill`], for a caller that moves the bytes itself.
    pub fn place(&mut self, timestamp_ms: u64, payload_bytes: usize) -> Arrival {
        let at = timestamp_ms.saturating_mul(Self::BYTES_PER_MS);
        let payload_bytes = payload_bytes as u64;
        let Some(expected) = self.expected else {
            self.expected = Some(at.saturating_add(payload_bytes));
            self.newest_timestamp_ms = timestamp_ms;
            return Arrival::Continues { silence_bytes: 0 };
        };
        if timestamp_ms <= self.newest_timestamp_ms {
            self.stale_messages += 1;
            return Arrival::Stale;
        }
        self.newest_timestamp_ms = timestamp_ms;
        let gap = at.saturating_sub(expected);
        if gap < Self::TOLERANCE_MS * Self::BYTES_PER_MS {
            self.expected = Some(expected.saturating_add(payload_bytes));
            return Arrival::Continues { silence_bytes: 0 };
        }
        // Beyond the limit the remainder is given up: the stream goes on from this timestamp.
        let silence = gap.min(Self::MAX_GAP_MS * Self::BYTES_PER_MS);
        self.expected = Some(at.saturating_add(payload_bytes));
        self.padded_bytes = self.padded_bytes.saturating_add(silence);
        Arrival::Continues { silence_bytes: silence as usize }
    }

    /// Silence put in so far, in milliseconds.
    pub fn padded_ms(&self) -> u64 {
        self.padded_bytes / Self::BYTES_PER_MS
    }

    /// Messages that were duplicates or came too late.
    pub fn stale_messages(&self) -> u64 {
        self.stale_messages
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames_of(chunks: &[&[u8]], frame_len: usize) -> Vec<Vec<u8>> {
        let mut framer = Framer::new(frame_len);
        let mut frames = Vec::new();
        for chunk in chunks {
            framer.push(chunk, |frame| frames.push(frame.to_vec()));
        }
        frames
    }

    #[test]
    fn frames_are_exact_whatever_the_chunks() {
        let expected = vec![vec![1, 2, 3], vec![4, 5, 6]];
        assert_eq!(frames_of(&[&[1, 2, 3, 4, 5, 6, 7]], 3), expected);
        assert_eq!(frames_of(&[&[1], &[], &[2, 3, 4, 5], &[6], &[7]], 3), expected);
    }

    #[test]
    fn flushing_pads_the_begun_frame_once() {
        let mut framer = Framer::new(4);
        framer.push(&[1i16, 2], |_| unreachable!("no complete frame yet"));
        assert_eq!(framer.pending(), [1, 2]);
        assert_eq!(framer.flush(0), Some(vec![1, 2, 0, 0]));
        assert_eq!(framer.flush(0), None);
    }

    #[test]
    fn continuous_media_passes_untouched() {
        let mut filler = GapFiller::new();
        let mut out = Vec::new();
        for n in 0..50 {
            filler.fill(37 + n * 20, &[n as u8; 160], &mut out);
        }
        assert_eq!(out.len(), 50 * 160);
        assert_eq!((filler.padded_ms(), filler.stale_messages()), (0, 0));
    }

    #[test]
    fn lost_frames_become_silence_of_their_length() {
        let mut filler = GapFiller::new();
        let mut out = Vec::new();
        filler.fill(0, &[1; 160], &mut out);
        assert_eq!(filler.fill(80, &[2; 160], &mut out), Arrival::Continues { silence_bytes: 480 });
        assert_eq!(out.len(), 800);
        assert!(out[160..640].iter().all(|&byte| byte == MULAW_SILENCE));
        assert_eq!(filler.fill(100, &[3; 160], &mut out), Arrival::Continues { silence_bytes: 0 });
    }

    #[test]
    fn duplicates_and_stragglers_are_left_out() {
        let mut filler = GapFiller::new();
        let mut out = Vec::new();
        filler.fill(0, &[1; 160], &mut out);
        filler.fill(40, &[3; 160], &mut out);
        assert_eq!(filler.fill(40, &[3; 160], &mut out), Arrival::Stale);
        assert_eq!(filler.fill(20, &[2; 160], &mut out), Arrival::Stale);
        assert_eq!((out.len(), filler.stale_messages()), (480, 2));
    }

    #[test]
    fn jitter_of_a_few_milliseconds_adds_nothing() {
        let mut filler = GapFiller::new();
        let mut out = Vec::new();
        for (n, jitter) in [0i64, 3, -2, 9, -9, 4].into_iter().enumerate() {
            filler.fill((20 * n as i64 + jitter) as u64, &[0; 160], &mut out);
        }
        assert_eq!(out.len(), 6 * 160);
    }

    #[test]
    fn a_leap_of_an_hour_costs_ten_seconds_and_the_stream_goes_on() {
        let mut filler = GapFiller::new();
        filler.place(0, 160);
        assert_eq!(filler.place(3_600_000, 160), Arrival::Continues { silence_bytes: 80_000 });
        assert_eq!(filler.place(3_600_020, 160), Arrival::Continues { silence_bytes: 0 });
        assert_eq!(filler.place(u64::MAX, usize::MAX), Arrival::Continues { silence_bytes: 80_000 });
    }
}
