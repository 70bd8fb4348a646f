//! Speech to text: what the platform asks of any recogniser.

use crate::Failure;
use async_trait::async_trait;
use bytes::Bytes;
use seiketsu_domain::{AudioFormat, Language};
use std::fmt::Debug;
use tokio::sync::mpsc;

/// How a stream of audio is to be recognised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecogniserOptions {
    /// The form of the audio that will be sent.
    pub format: AudioFormat,
    /// The language that will be spoken.
    pub language: Language,
    /// How long a silence has to be before the recogniser calls an utterance final.
    pub endpointing_ms: u32,
    /// Words it would not expect by itself: names of streets, of people, of the brokerage.
    pub keyterms: Vec<String>,
}

/// What a recogniser reports. All times are milliseconds of audio sent to it, so that they can be laid over the call
/// whatever the network did in between.
#[derive(Debug, Clone, PartialEq)]
pub enum RecognitionEvent {
    /// Somebody began to speak.
    SpeechStarted {
        /// When.
        at_ms: u64,
    },
    /// What it makes of the current stretch so far; the next one replaces it.
    Partial {
        /// Words.
        text: String,
        /// Start of the stretch.
        start_ms: u64,
        /// End of the stretch.
        end_ms: u64,
    },
    /// A stretch that will not change any more.
    Final {
        /// Words; may be empty.
        text: String,
        /// The recogniser heard the silence that ends an utterance.
        speech_final: bool,
        /// This is (part of) the answer to [`RecogniserInput::Finalize`].
        from_finalize: bool,
        /// Start of the stretch.
        start_ms: u64,
        /// End of the stretch.
        end_ms: u64,
        /// How sure the recogniser is of the words, from 0 to 1, where it says so.
        confidence: Option<f32>,
    },
    /// No words for a while, by the recogniser's word timings.
    UtteranceEnd {
        /// End of the last word.
        last_word_end_ms: u64,
    },
    /// The session is over; the last event.
    Failed(Failure),
}

/// What is sent to a recogniser. Keep-alives are the client's own business.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecogniserInput {
    /// Audio in the format of the options; chunks of any length.
    Audio(Bytes),
    /// Give the words of everything sent so far now, without waiting for silence.
    Finalize,
    /// No more audio; the last words still come, then the events end.
    Close,
}

/// One open stream. Dropping the input is like [`RecogniserInput::Close`]; dropping the events ends it at once.
#[derive(Debug)]
pub struct RecogniserSession {
    /// Bounded.
    pub input: mpsc::Sender<RecogniserInput>,
    /// Bounded; ends after [`RecogniserInput::Close`] or [`RecognitionEvent::Failed`].
    pub events: mpsc::Receiver<RecognitionEvent>,
}

/// A vendor that turns speech into text.
#[async_trait]
pub trait Recogniser: Send + Sync + Debug {
    /// Opens a stream. Does not retry.
    async fn open(&self, options: RecogniserOptions) -> Result<RecogniserSession, Failure>;
}
