//! The engine's timers: a closed set, one deadline each.

use seiketsu_domain::CallTime;
use serde::{Deserialize, Serialize};

/// What a deadline is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Timer {
    /// The caller has been silent long enough: the turn is theirs no more.
    Endpoint,
    /// The recogniser owes its last words; go on with what there is.
    FinalTranscript,
    /// The two-second promise: no substantive audio yet, bridge the wait. Later in a turn: nothing was heard for long.
    Acknowledge,
    /// The model's own words before a tool have been kept back long enough: its answer is not there yet.
    Announce,
    /// The caller has talked over the agent long enough to mean it, though no words are known yet: playback waits.
    Interrupt,
    /// Playback has waited long enough for words that did not come: it was no interruption.
    Resume,
    /// The language model has not said anything yet: ask once more elsewhere.
    Hedge,
    /// A provider wanted to be left alone so long before it is asked again.
    Retry,
    /// The voice owes the first sound of a phrase, or the next one of a phrase that is about to run dry.
    Sound,
    /// The language model or the voice made no progress.
    Progress,
    /// The earliest running tool has had its time.
    Tool,
    /// The earliest question beside the conversation has had its time.
    Aside,
    /// Playback must be over, even if the door lost a mark.
    Playout,
    /// Nobody has said anything for too long.
    Silence,
    /// The longest call.
    Call,
}

impl Timer {
    /// All of them; on equal deadlines the earlier one fires first.
    pub const ALL: [Self; 15] = [
        Self::Endpoint,
        Self::FinalTranscript,
        Self::Acknowledge,
        Self::Announce,
        Self::Interrupt,
        Self::Resume,
        Self::Hedge,
        Self::Retry,
        Self::Sound,
        Self::Progress,
        Self::Tool,
        Self::Aside,
        Self::Playout,
        Self::Silence,
        Self::Call,
    ];
}

/// One optional deadline per [`Timer`].
#[derive(Debug, Clone, Default)]
pub(crate) struct Timers([Option<CallTime>; Timer::ALL.len()]);

impl Timers {
    pub(crate) fn arm(&mut self, timer: Timer, at: CallTime) {
        self.0[timer as usize] = Some(at);
    }

    pub(crate) fn disarm(&mut self, timer: Timer) {
        self.0[timer as usize] = None;
    }

    pub(crate) fn disarm_all(&mut self) {
        self.0 = [None; Timer::ALL.len()];
    }

    pub(crate) fn at(&self, timer: Timer) -> Option<CallTime> {
        self.0[timer as usize]
    }

    pub(crate) fn next(&self) -> Option<(CallTime, Timer)> {
        Timer::ALL.into_iter().filter_map(|timer| self.at(timer).map(|at| (at, timer))).min()
    }

    /// Takes the earliest timer that is due.
    pub(crate) fn take_due(&mut self, now: CallTime) -> Option<Timer> {
        let (at, timer) = self.next()?;
        if at > now {
            return None;
        }
        self.disarm(timer);
        Some(timer)
    }
}
