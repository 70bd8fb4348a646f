//! A turn, and where each millisecond of it went.

use crate::{CallTime, Message, Pii, ToolRun, Usage};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// The stages of a turn, each a timestamp taken where the thing happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// The caller's last voiced sample, as the server estimates it.
    EndOfSpeech,
    /// It was decided that the caller has finished.
    Endpointed,
    /// The recogniser's last words of the utterance arrived.
    FinalTranscript,
    /// The language model was asked.
    RequestSent,
    /// Its first token (text or tool call) arrived.
    FirstToken,
    /// The first speakable phrase was complete.
    FirstPhrase,
    /// The voice was asked for it.
    SynthesisAsked,
    /// The first byte of its audio arrived.
    FirstByte,
    /// The first substantive audio left for the caller.
    FirstAudioSent,
    /// The first substantive audio was played to the caller (by the door's own report).
    FirstAudioPlayed,
}

impl Stage {
    /// All of them, in the order in which they happen in an ordinary turn.
    pub const ALL: [Self; 10] = [
        Self::EndOfSpeech,
        Self::Endpointed,
        Self::FinalTranscript,
        Self::RequestSent,
        Self::FirstToken,
        Self::FirstPhrase,
        Self::SynthesisAsked,
        Self::FirstByte,
        Self::FirstAudioSent,
        Self::FirstAudioPlayed,
    ];

    /// Those of the first words themselves: an announcement has them too.
    pub const OF_SPEECH: [Self; 5] = [
        Self::FirstPhrase,
        Self::SynthesisAsked,
        Self::FirstByte,
        Self::FirstAudioSent,
        Self::FirstAudioPlayed,
    ];

    /// The name in metrics, SQL and JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::EndOfSpeech => "end_of_speech",
            Self::Endpointed => "endpointed",
            Self::FinalTranscript => "final_transcript",
            Self::RequestSent => "request_sent",
            Self::FirstToken => "first_token",
            Self::FirstPhrase => "first_phrase",
            Self::SynthesisAsked => "synthesis_asked",
            Self::FirstByte => "first_byte",
            Self::FirstAudioSent => "first_audio_sent",
            Self::FirstAudioPlayed => "first_audio_played",
        }
    }
}

/// When each stage of a turn happened. A stage is set once; a later attempt to set it again is ignored.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Timeline {
    /// Stage to time.
    pub stages: BTreeMap<Stage, CallTime>,
    /// When an acknowledgement left for the caller, if one did.
    pub acknowledgement_sent: Option<CallTime>,
    /// When it was played.
    pub acknowledgement_played: Option<CallTime>,
    /// When the model's own sentence before a tool ("Let me look at Tuesday.") left for the caller, if there was one.
    /// It is neither an acknowledgement nor the answer, and is counted as neither.
    #[serde(default)]
    pub announcement_sent: Option<CallTime>,
    /// When it was played.
    #[serde(default)]
    pub announcement_played: Option<CallTime>,
}

impl Timeline {
    /// Records a stage, the first time it happens.
    pub fn reach(&mut self, stage: Stage, at: CallTime) {
        self.stages.entry(stage).or_insert(at);
    }

    /// When a stage happened.
    pub fn at(&self, stage: Stage) -> Option<CallTime> {
        self.stages.get(&stage).copied()
    }

    /// Milliseconds from end of speech to the first audio of any kind that was played (sent, where no report came).
    pub fn first_audible_ms(&self) -> Option<u64> {
        let substantive = self.at(Stage::FirstAudioPlayed).or(self.at(Stage::FirstAudioSent));
        let acknowledgement = self.acknowledgement_played.or(self.acknowledgement_sent);
        let announcement = self.announcement_played.or(self.announcement_sent);
        let first = [substantive, acknowledgement, announcement].into_iter().flatten().min()?;
        Some(first.since(self.at(Stage::EndOfSpeech)?).as_millis() as u64)
    }

    /// Milliseconds from end of speech to the first audio that is neither an acknowledgement nor an announcement.
    pub fn first_substantive_ms(&self) -> Option<u64> {
        let first = self.at(Stage::FirstAudioPlayed).or(self.at(Stage::FirstAudioSent))?;
        Some(first.since(self.at(Stage::EndOfSpeech)?).as_millis() as u64)
    }
}

/// How a turn ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TurnOutcome {
    /// The caller heard the whole answer.
    Answered,
    /// The caller interrupted the answer.
    Interrupted,
    /// The caller went on talking before an answer was due; the words belong to the next turn.
    Continued,
    /// No answer could be had; the caller heard an apology.
    Failed,
    /// The call ended before the answer was heard.
    HungUp,
}

impl TurnOutcome {
    /// The name in SQL and JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Interrupted => "interrupted",
            Self::Continued => "continued",
            Self::Failed => "failed",
            Self::HungUp => "hung_up",
        }
    }
}

/// A finished turn, as it is committed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TurnRecord {
    /// Counted within the call: 0 is the greeting, 1 the first thing the caller said.
    pub number: u32,
    /// What the caller said; empty for the greeting.
    pub caller_text: Pii<String>,
    /// What the agent meant to say.
    pub generated_text: Pii<String>,
    /// What the caller heard of it.
    pub heard_text: Pii<String>,
    /// The acknowledgement that bridged the wait, if one did.
    pub acknowledgement: Option<String>,
    /// When the caller began to speak (for the greeting: when the call began).
    pub started_at: CallTime,
    /// When the turn was over.
    pub finished_at: CallTime,
    /// How it ended.
    pub outcome: TurnOutcome,
    /// Where each millisecond went.
    pub timeline: Timeline,
    /// Tools that ran.
    pub tools: Vec<ToolRun>,
    /// What this turn adds to the conversation, in order, as the model will see it again.
    pub messages: Vec<Message>,
    /// What it consumed.
    pub usage: Usage,
}

/// Why a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// The caller hung up.
    CallerHungUp,
    /// The agent said goodbye.
    AgentHungUp,
    /// The longest call was reached.
    MaxDuration,
    /// Nobody spoke for too long.
    Silence,
    /// A human took the call over.
    Transferred,
    /// The platform could not go on.
    Failure,
    /// The server that held the call died; the record was closed by recovery.
    ReplicaLost,
}

impl EndReason {
    /// The name in SQL and JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CallerHungUp => "caller_hung_up",
            Self::AgentHungUp => "agent_hung_up",
            Self::MaxDuration => "max_duration",
            Self::Silence => "silence",
            Self::Transferred => "transferred",
            Self::Failure => "failure",
            Self::ReplicaLost => "replica_lost",
        }
    }
}

/// The end of a call, as it is committed: with it, exactly one call record and one usage record are final.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CallEnd {
    /// Why.
    pub reason: EndReason,
    /// When.
    pub ended_at: CallTime,
    /// How many turns were finished, the greeting included.
    pub turns: u32,
    /// What the call consumed in all.
    pub usage: Usage,
}
