//! Samples to words: the stream in, events out.

use super::SLOT_SAMPLES;
use super::receiver::Receiver;
use super::tracker::Tracker;

/// What the decoder heard. Positions count samples from the first one pushed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// An utterance began here.
    Start {
        /// Where its first packet begins: within 10 ms of the first active sample of its speech.
        at_sample: u64,
    },
    /// What one packet carried, as it came: up to three characters, spaces included.
    Text {
        /// The characters.
        fragment: String,
        /// End of the packet.
        at_sample: u64,
    },
    /// A whole word. Words of which a part was lost are not told.
    Word {
        /// The word, without spaces.
        text: String,
        /// End of the packet that finished it.
        at_sample: u64,
    },
    /// The utterance ended, all of its text was sent.
    End {
        /// End of its last packet: 0 to 90 ms before the speech ends.
        at_sample: u64,
    },
    /// Something happened to the audio of this utterance.
    Flag {
        /// What was noticed.
        reason: FlagReason,
        /// Where it was noticed.
        at_sample: u64,
    },
}

/// How the decoder noticed that audio was lost, doubled, shuffled or damaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FlagReason {
    /// Packets are not a whole number of slots apart: the audio between them is too short or too long.
    OffGrid,
    /// A packet is missing although its run had not ended, or a number was skipped.
    PacketMissing,
    /// A packet came again or came too late.
    Sequence,
    /// Text without the START of its utterance.
    NoStart,
    /// The utterance broke off, or another began, without its END. Nothing more of it will come.
    NoEnd,
    /// Codes that no encoder sends.
    Malformed,
    /// The check codes behind END do not match the text.
    Check,
    /// More events than a decoder keeps were left unpolled; some were dropped.
    Overflow,
}

/// Reads the sub-carrier out of a stream of samples at 8 kHz.
///
/// Push samples, then poll events until there are none. Words come about 10 ms after the end of their packet; a packet
/// off the grid of its utterance is held up to 100 ms for a neighbour that confirms it. Memory is constant.
#[derive(Debug, Clone)]
pub struct Decoder {
    receiver: Receiver,
    tracker: Tracker,
    pushed: u64,
}

impl Decoder {
    /// A decoder at the start of a stream.
    pub fn new() -> Self {
        Self { receiver: Receiver::new(), tracker: Tracker::default(), pushed: 0 }
    }

    /// Takes the next samples, any number of them.
    pub fn push(&mut self, samples: &[i16]) {
        let tracker = &mut self.tracker;
        self.receiver.push(samples, |now, received| tracker.advance(now, received));
        self.pushed += samples.len() as u64;
    }

    /// The next event, oldest first.
    pub fn poll(&mut self) -> Option<Event> {
        self.tracker.poll()
    }

    /// Says that no more of the utterance will come: what is held is judged, an open utterance is flagged and closed.
    ///
    /// The stream may go on afterwards; positions do.
    pub fn finish(&mut self) {
        // The filter's tail: the last packet may end with the last sample.
        let tracker = &mut self.tracker;
        self.receiver.clone().push(&[0; TAIL_SAMPLES], |now, received| tracker.advance(now, received));
        self.receiver.forget();
        tracker.finish(self.pushed as i64);
    }

    /// Whether an utterance has begun and neither END nor a [`FlagReason::NoEnd`] has closed it.
    pub fn in_utterance(&self) -> bool {
        self.tracker.in_utterance()
    }

    /// Samples pushed so far.
    pub fn position(&self) -> u64 {
        self.pushed
    }
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new()
    }
}

/// What a whole recording says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reading {
    /// The words of all utterances, single spaces between.
    pub text: String,
    /// Every flag.
    pub flags: Vec<FlagReason>,
    /// Utterances that began.
    pub starts: usize,
    /// Utterances that ended with their END.
    pub ends: usize,
}

/// Reads a whole recording at once.
pub fn read(samples: &[i16]) -> Reading {
    let mut decoder = Decoder::new();
    let mut reading = Reading::default();
    let mut drain = |decoder: &mut Decoder| {
        while let Some(event) = decoder.poll() {
            match event {
                Event::Start { .. } => reading.starts += 1,
                Event::End { .. } => reading.ends += 1,
                Event::Flag { reason, .. } => reading.flags.push(reason),
                Event::Word { text, .. } => {
                    if !reading.text.is_empty() {
                        reading.text.push(' ');
                    }
                    reading.text.push_str(&text);
                }
                Event::Text { .. } => {}
            }
        }
    };
    for piece in samples.chunks(SLOT_SAMPLES) {
        decoder.push(piece);
        drain(&mut decoder);
    }
    decoder.finish();
    drain(&mut decoder);
    reading
}

/// More silence than the filter and the search for a peak look back on.
const TAIL_SAMPLES: usize = 240;
