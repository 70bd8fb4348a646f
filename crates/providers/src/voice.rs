//! Text to speech: what the platform asks of any voice.

use crate::Failure;
use async_trait::async_trait;
use bytes::Bytes;
use seiketsu_domain::{AudioFormat, Language, VoiceChoice};
use std::fmt::Debug;
use tokio::sync::mpsc;

/// How everything in a session is to be spoken.
#[derive(Debug, Clone, PartialEq)]
pub struct VoiceOptions {
    /// Which voice.
    pub voice: VoiceChoice,
    /// In which language.
    pub language: Language,
    /// In which form the audio is wanted; [`VoiceSession::format`] says what comes.
    pub format: AudioFormat,
}

/// When one character is heard, relative to the start of the audio of its synthesis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AlignedChar {
    /// The character, as it was asked for.
    pub character: char,
    /// When it starts.
    pub start_ms: u32,
    /// How long it lasts.
    pub duration_ms: u32,
}

/// One thing to say. Chosen by whoever asks, unique within the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SynthesisId(pub u64);

/// What is sent to a voice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VoiceInput {
    /// Say this: a whole phrase.
    Speak {
        /// The name under which its audio comes back.
        id: SynthesisId,
        /// What to say.
        text: String,
    },
    /// Stop saying it. Only events that were already queued for the reader still follow.
    Cancel {
        /// Which.
        id: SynthesisId,
    },
    /// End the session, dropping what is unfinished.
    Close,
}

/// What comes back from a voice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VoiceEvent {
    /// The next piece of a synthesis.
    Audio {
        /// Which.
        id: SynthesisId,
        /// Audio in the format of the session, without any header; may be empty where only alignment came.
        audio: Bytes,
        /// The characters heard in it.
        alignment: Vec<AlignedChar>,
    },
    /// All audio of a synthesis has come.
    Finished {
        /// Which.
        id: SynthesisId,
    },
    /// A synthesis failed, or (without an id) the session did; the latter is the last event.
    Failed {
        /// Which; none if the session is over.
        id: Option<SynthesisId>,
        /// Why.
        failure: Failure,
    },
}

/// One open session. Dropping the input ends it when everything asked for has come; dropping the events, at once.
#[derive(Debug)]
pub struct VoiceSession {
    /// Bounded.
    pub input: mpsc::Sender<VoiceInput>,
    /// Bounded; a slow reader slows the vendor down.
    pub events: mpsc::Receiver<VoiceEvent>,
    /// The form in which the audio really comes: the one asked for where the vendor has it, else the nearest that the
    /// vendor has. Whoever opened the session converts.
    pub format: AudioFormat,
}

/// A vendor that turns text into speech.
#[async_trait]
pub trait Voice: Send + Sync + Debug {
    /// Opens a session. Does not retry.
    async fn open(&self, options: VoiceOptions) -> Result<VoiceSession, Failure>;
}
