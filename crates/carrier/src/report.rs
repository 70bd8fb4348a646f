//! What a simulated caller tells: as it happens, and at the end.

use crate::{
    exchange::{CallSid, CarrierError},
    tracks::Tracks,
};
use seiketsu_domain::CallTime;
use serde::{Deserialize, Serialize};

/// What a caller notices, live. Texts are the caller's and the agent's own words: for the terminal, not for logs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "event")]
pub enum CallerEvent {
    /// The caller begins a line.
    CallerSpeaks {
        /// When.
        at: CallTime,
        /// Counted from 1, the greeting being turn 0.
        turn: u32,
        /// The words, if they are known.
        text: Option<String>,
        /// Whether the agent was speaking.
        interrupting: bool,
    },
    /// The caller's last voiced sample.
    CallerSilent {
        /// End of speech.
        at: CallTime,
    },
    /// The caller presses a key.
    CallerPresses {
        /// When.
        at: CallTime,
        /// The key.
        digit: char,
    },
    /// A word of the agent was recovered from what was played.
    AgentWord {
        /// When it was complete.
        at: CallTime,
        /// The word.
        text: String,
    },
    /// What the agent says cannot be relied on.
    AgentUnclear {
        /// When.
        at: CallTime,
        /// What the decoder noticed.
        reason: String,
    },
    /// The agent has fallen silent.
    AgentSilent {
        /// Its last audible sample.
        at: CallTime,
    },
    /// A turn is over.
    TurnFinished(HeardTurn),
}

/// How a turn ended for the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TurnEnd {
    /// The caller heard an answer.
    Answered,
    /// The caller heard an answer and interrupted it.
    Interrupted,
    /// No answer came in the time a caller waits, or before the platform ended the call.
    Missed,
    /// The caller went on talking before an answer was due.
    Continued,
    /// The caller hung up before an answer was due.
    Abandoned,
}

impl TurnEnd {
    /// Whether the turn is in the denominator of every latency figure.
    pub const fn counts(self) -> bool {
        match self {
            Self::Answered | Self::Interrupted | Self::Missed => true,
            Self::Continued | Self::Abandoned => false,
        }
    }
}

/// One line of the caller and what was heard in answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeardTurn {
    /// Counted from 1, the greeting being turn 0.
    pub number: u32,
    /// What the caller said, if it is known.
    pub said: Option<String>,
    /// First sample of the line.
    pub started_at: CallTime,
    /// End of the last voiced sample of the line, exactly.
    pub end_of_speech: CallTime,
    /// From end of speech to the first audible sample of an answer that contains recovered words.
    pub first_audible_ms: Option<u64>,
    /// From end of speech to the first sample of an answer that is not an acknowledgement.
    pub first_substantive_ms: Option<u64>,
    /// The acknowledgement that came first, if one did.
    pub acknowledgement: Option<String>,
    /// Words recovered of the answer, acknowledgement included.
    pub heard_text: String,
    /// What the decoder noticed in the answer.
    pub flags: Vec<String>,
    /// The caller's first voiced sample while this answer was being played.
    pub interrupted_at: Option<CallTime>,
    /// From there to the answer's last audible sample.
    pub playback_stopped_ms: Option<u64>,
    /// How it ended.
    pub end: TurnEnd,
}

/// Who or what ended a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "by")]
pub enum EndedBy {
    /// The caller hung up.
    CallerHungUp,
    /// The platform, over REST.
    PlatformHungUp,
    /// `<Hangup>`.
    HangupVerb,
    /// The last document had no verb left.
    DocumentEnded,
    /// `<Reject>`.
    Rejected,
    /// The exchange could not go on.
    Failed {
        /// The code in Twilio's debugger.
        code: u32,
        /// What happened.
        detail: String,
    },
}

impl EndedBy {
    /// Whether this is a way for a call to end that nobody complains about.
    pub const fn is_orderly(&self) -> bool {
        match self {
            Self::CallerHungUp | Self::PlatformHungUp | Self::HangupVerb => true,
            Self::DocumentEnded | Self::Rejected | Self::Failed { .. } => false,
        }
    }
}

/// A whole call as its caller saw it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CallReport {
    /// The call.
    pub call_sid: CallSid,
    /// Who or what ended it.
    pub ended_by: EndedBy,
    /// From answer to end.
    pub duration_ms: u64,
    /// What was heard before the caller's first line.
    pub greeting_text: String,
    /// From answer to the first audible sample of the greeting.
    pub greeting_first_audible_ms: Option<u64>,
    /// The caller's lines and their answers.
    pub turns: Vec<HeardTurn>,
    /// Everything the agent was heard to say.
    pub whole_agent_text: String,
    /// What the decoder noticed, in the whole call.
    pub flags: Vec<String>,
    /// Lines of the script that the call left no time for.
    pub lines_unspoken: u32,
    /// What the carrier's own voice would have announced.
    pub announcements: Vec<String>,
    /// How many media streams were opened: more than one if the call was connected again.
    pub streams: u32,
    /// What Twilio's debugger would show.
    pub errors: Vec<CarrierError>,
    /// The latest that a 20 ms tick was executed.
    pub clock_slip_max_ms: u64,
    /// Live events that nobody took in time.
    pub events_lost: u64,
    /// Both sides, if they were recorded.
    #[serde(skip)]
    pub tracks: Option<Tracks>,
}
