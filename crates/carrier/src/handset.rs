//! What holds the telephone: a simulated caller, or a test.

use crate::{Frame, SILENT_FRAME};
use seiketsu_domain::CallTime;

/// One end of a call, driven by the exchange frame by frame from the moment the call is answered.
pub trait Handset: Send {
    /// Hears the 20 ms that begin at `now` and says its own. Called once for each 20 ms, without a gap, while the call
    /// lasts; also while no stream is open, when there is only silence to hear and nobody who listens.
    fn frame(&mut self, now: CallTime, heard: &Frame) -> Said;
}

/// What a handset does in 20 ms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Said {
    /// The sound.
    pub audio: Frame,
    /// Whether a line begins with this frame ([`crate::line::FaultPosition::Utterance`] counts from here).
    pub starts_utterance: bool,
    /// A key pressed.
    pub digit: Option<char>,
    /// What ends, if something does.
    pub departure: Option<Departure>,
}

impl Said {
    /// Nothing.
    pub const SILENCE: Self =
        Self { audio: SILENT_FRAME, starts_utterance: false, digit: None, departure: None };
}

/// An end that the caller's side brings about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Departure {
    /// The caller hangs up.
    HangUp,
    /// The media socket's connection is lost without a word; the call itself goes on.
    CutStream,
}
