//! What a simulated caller tells: as it happens, and at the end.

use crate::{
    exchange::{CallSid, CarrierError, Dialled},
    tracks::Tracks,
};
use seiketsu_domain::CallTime;
use serde::{Deserialize, Serialize};

/// The promise: the caller hears something so long after they stopped to speak.
pub(crate) const PROMISE_MS: u64 = 2_000;

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
    /// The caller makes a sound that asks for no answer, while the agent speaks.
    CallerMurmurs {
        /// When.
        at: CallTime,
        /// The words, if it has any.
        text: Option<String>,
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
        /// The word, as people write it.
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
    TurnFinished(Box<HeardTurn>),
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
    /// The caller pressed keys. An answer to keys has to wait for further ones, so it is in no latency figure.
    Keyed,
}

impl TurnEnd {
    /// Whether the turn is in the denominator of every latency figure.
    pub const fn counts(self) -> bool {
        match self {
            Self::Answered | Self::Interrupted | Self::Missed => true,
            Self::Continued | Self::Abandoned | Self::Keyed => false,
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
    /// The keys the caller pressed, if this is no line.
    pub keys: Option<String>,
    /// First sample of the line, in microseconds since the call was answered.
    #[serde(rename = "started_at_us")]
    pub started_at: CallTime,
    /// End of the last voiced sample of the line, exactly, in microseconds since the call was answered.
    #[serde(rename = "end_of_speech_us")]
    pub end_of_speech: CallTime,
    /// From end of speech to the first audible sample of an answer that contains recovered words.
    pub first_audible_ms: Option<u64>,
    /// From end of speech to the first sample of an answer that is neither acknowledgement nor announcement.
    pub first_substantive_ms: Option<u64>,
    /// The acknowledgement that came first, if one did.
    pub acknowledgement: Option<String>,
    /// The announcement that came before the answer ("Let me look at Tuesday."), if one did.
    pub announcement: Option<String>,
    /// The answer, piece by piece as it was spoken.
    pub pieces: Vec<HeardPiece>,
    /// Words recovered of the answer, acknowledgement included, as people write them.
    pub heard_text: String,
    /// What the decoder noticed in the answer.
    pub flags: Vec<String>,
    /// The caller's first voiced sample while this answer was being played, in microseconds since the call was answered.
    #[serde(rename = "interrupted_at_us")]
    pub interrupted_at: Option<CallTime>,
    /// From there to the answer's last audible sample.
    pub playback_stopped_ms: Option<u64>,
    /// How it ended.
    pub end: TurnEnd,
}

/// Something that the agent spoke in one go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeardPiece {
    /// From end of speech to its first audible sample.
    pub onset_ms: u64,
    /// Words recovered.
    pub text: String,
    /// What it is to the caller.
    pub kind: PieceKind,
}

/// What a piece of an answer is to the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PieceKind {
    /// It only bridges a wait.
    Acknowledgement,
    /// It says what the agent is about to do.
    Announcement,
    /// It answers.
    Substantive,
}

impl HeardTurn {
    /// Whether the promise was broken: it counts, and nothing was audible within two seconds.
    pub fn is_late(&self) -> bool {
        self.end.counts() && self.first_audible_ms.is_none_or(|ms| ms > PROMISE_MS)
    }

    /// Judges the pieces of the answer anew, and what follows from them: latencies, bridges, the turn's end.
    pub fn judge(&mut self, mut kind: impl FnMut(&HeardPiece) -> PieceKind) {
        for piece in &mut self.pieces {
            piece.kind = kind(piece);
        }
        let first = |wanted| self.pieces.iter().find(|piece| piece.kind == wanted);
        let substantive = first(PieceKind::Substantive).map(|piece| piece.onset_ms);
        let before = |piece: &&HeardPiece| substantive.is_none_or(|onset_ms| piece.onset_ms <= onset_ms);
        let text = |piece: &HeardPiece| piece.text.clone();
        let acknowledgement = first(PieceKind::Acknowledgement).filter(before).map(text);
        let announcement = first(PieceKind::Announcement).filter(before).map(text);
        self.first_audible_ms = self.pieces.first().map(|piece| piece.onset_ms);
        self.first_substantive_ms = substantive;
        self.acknowledgement = acknowledgement;
        self.announcement = announcement;
        match self.end {
            TurnEnd::Answered | TurnEnd::Interrupted if substantive.is_none() => self.end = TurnEnd::Missed,
            TurnEnd::Answered
            | TurnEnd::Interrupted
            | TurnEnd::Missed
            | TurnEnd::Continued
            | TurnEnd::Abandoned
            | TurnEnd::Keyed => {}
        }
    }
}

/// A sound that the caller made while the agent spoke, and that asks for no answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeardMurmur {
    /// During the answer to this turn.
    pub turn: u32,
    /// What was murmured; a cough has no words.
    pub said: Option<String>,
    /// Its first voiced sample, in microseconds since the call was answered.
    #[serde(rename = "at_us")]
    pub at: CallTime,
    /// What the agent made of it.
    pub agent: AfterMurmur,
}

/// What an agent does when a caller murmurs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AfterMurmur {
    /// Goes on as if nothing had been.
    WentOn,
    /// Stops, and speaks again of its own accord.
    SpokeAgain,
    /// Comes to the end of what it was saying.
    Finished,
    /// Stops in the middle.
    FellSilent,
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
    /// Sounds the caller made while the agent spoke.
    pub murmurs: Vec<HeardMurmur>,
    /// Lines of the script that the call left no time for.
    pub lines_unspoken: u32,
    /// What the carrier's own voice would have announced.
    pub announcements: Vec<String>,
    /// Who was rung in the course of the call, and how that went.
    pub dialled: Vec<Dialled>,
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
