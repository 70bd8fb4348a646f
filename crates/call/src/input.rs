//! What can happen to a call.

use crate::output::{GenerationId, MarkId, SynthesisId, ToolNumber};
use bytes::Bytes;
use seiketsu_domain::{CallTime, Message, ToolChoice, ToolOutcome, ToolSpec};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Something that happened to the call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Input {
    /// The caller's voice began or ended.
    Voice(VoiceActivity),
    /// The recogniser understood words that may still change; replaces the previous ones.
    HeardPartly {
        /// Words of the utterance since the last [`Input::Heard`].
        text: String,
        /// Up to when the audio is covered by these words at most, where that is known.
        until: Option<CallTime>,
    },
    /// The recogniser understood words that will not change.
    Heard {
        /// Words since the last [`Input::Heard`]; may be empty.
        text: String,
        /// Up to when the audio is covered by the words so far.
        until: CallTime,
        /// Whether the recogniser holds no more words of that audio back.
        settled: bool,
    },
    /// The recogniser is gone; words may be missing until it is back.
    RecogniserLost,
    /// The language model did something.
    Generation {
        /// Which request.
        id: GenerationId,
        /// What.
        event: GenerationEvent,
    },
    /// The voice did something.
    Synthesis {
        /// Which phrase.
        id: SynthesisId,
        /// What.
        event: SynthesisEvent,
    },
    /// A tool ended.
    Tool {
        /// Which run.
        number: ToolNumber,
        /// How.
        outcome: ToolOutcome,
    },
    /// The door reports that playback reached a mark (or that the mark was dropped with cleared audio).
    Mark(MarkId),
    /// The caller pressed a key.
    Digit(char),
    /// The answer to [`Output::HandOver`](crate::Output::HandOver): whether it is on record.
    HandedOver(bool),
    /// The caller hung up.
    HungUp,
    /// The door died without a goodbye; the call may come back as a new one with this one's history.
    Cut,
    /// A client that drives turns itself.
    Client(ClientAct),
    /// The configuration changes from the next request on.
    Update(PlanUpdate),
}

/// The caller's voice, as the shell's detector reports it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum VoiceActivity {
    /// Speech began at `at`, a little before it could be known.
    Began {
        /// First voiced sample.
        at: CallTime,
    },
    /// Speech ended at `at`, a little before it could be known.
    Ended {
        /// Last voiced sample.
        at: CallTime,
    },
}

/// What a language model does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum GenerationEvent {
    /// More text.
    Text(String),
    /// It wants a tool: what it said before is complete, and which tool follows.
    ToolCallBegun,
    /// It wants a tool; complete.
    ToolCall {
        /// The model's id for the request.
        request: String,
        /// Name of the tool.
        name: String,
        /// Arguments as the model wrote them.
        arguments: String,
    },
    /// It is done.
    Finished {
        /// Tokens it read.
        input_tokens: u64,
        /// Tokens it wrote.
        output_tokens: u64,
        /// Whether that was all it had to say.
        finish: Finish,
    },
    /// It failed; nothing more will come.
    Failed {
        /// Whether asking again makes sense.
        retry: Retry,
    },
}

/// How an answer of a language model ends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Finish {
    /// It is whole.
    #[default]
    Whole,
    /// It has become as long as it may.
    TooLong,
    /// Its vendor did not want to say more.
    Withheld,
}

/// Whether asking once more makes sense, all places that could be asked considered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Retry {
    /// There is a place that has a fair chance right away.
    Now,
    /// Every place wants to be left alone for so long.
    After(Duration),
    /// It would fail the same way.
    Never,
}

/// One character of synthesised speech and when it sounds, from the start of its synthesis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlignedChar {
    /// The character.
    pub character: char,
    /// When it begins to sound, in milliseconds.
    pub start_ms: u32,
    /// When it has sounded, in milliseconds.
    pub end_ms: u32,
}

/// What a voice does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum SynthesisEvent {
    /// More audio, in the door's format.
    Audio {
        /// Opaque bytes.
        audio: Bytes,
        /// When their characters sound, if the voice tells.
        alignment: Vec<AlignedChar>,
    },
    /// The phrase is complete.
    Finished,
    /// It failed; nothing more will come for this phrase.
    Failed,
}

/// What a client that drives turns itself may do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum ClientAct {
    /// The audio so far is one caller utterance: take its words into the context.
    Commit,
    /// Forget the audio so far.
    Clear,
    /// Add to the context.
    CreateItem(Message),
    /// Answer now, or as soon as whoever speaks has finished. [`Progress::Answering`](crate::Progress::Answering) repeats
    /// the number.
    CreateResponse {
        /// What the client calls it.
        number: u64,
        /// What is different about it.
        plan: Box<AnswerPlan>,
    },
    /// The answer with this number is not wanted any more, given already or not.
    CancelRequest(u64),
    /// Ask the model something beside the conversation, in text. [`Progress::Aside`](crate::Progress::Aside) tells what
    /// comes of it.
    Ask {
        /// What the client calls it.
        number: u64,
        /// What is different about it.
        plan: Box<AnswerPlan>,
    },
    /// The answer to that is not wanted any more; nothing more is told of it.
    CancelAside(u64),
    /// Stop answering.
    CancelResponse {
        /// Only if this turn is the one that is being answered; none for whichever.
        turn: Option<u32>,
    },
    /// The client's own player stopped so far into the current answer: cut the answer there.
    Truncate {
        /// Audio heard, from the start of the answer.
        heard: Duration,
    },
    /// The model is to be told no more what one side said in a finished turn. The record keeps it.
    Forget {
        /// The turn.
        turn: u32,
        /// Whose words.
        speaker: Speaker,
    },
}

/// What one answer has of its own; `None` is as in the call's plan.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct AnswerPlan {
    /// What the language model is told before the conversation.
    pub system: Option<String>,
    /// The conversation, in the place of what was said.
    pub messages: Option<Vec<Message>>,
    /// The tools.
    pub tools: Option<Vec<ToolSpec>>,
    /// Whether they may or must be asked for.
    pub tool_choice: Option<ToolChoice>,
    /// The longest answer, in tokens.
    pub max_tokens: Option<u32>,
    /// Whether it is spoken.
    pub speaks: Option<bool>,
    /// The model is not told of it later. The record keeps it.
    pub is_aside: bool,
}

/// One side of a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Speaker {
    /// The caller.
    Caller,
    /// The agent.
    Agent,
}

/// A change of the plan in mid-call; `None` leaves a thing as it is.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct PlanUpdate {
    /// What the language model is told before the conversation.
    pub system: Option<String>,
    /// The tools.
    pub tools: Option<Vec<ToolSpec>>,
    /// Whether they may or must be asked for.
    pub tool_choice: Option<ToolChoice>,
    /// The longest answer, in tokens.
    pub max_tokens: Option<u32>,
    /// Silence after which the caller has finished.
    pub endpoint_silence: Option<Duration>,
    /// Who decides when a turn is over.
    pub turns: Option<crate::Turns>,
    /// Whether the caller's voice ends an answer.
    pub is_interruptible: Option<bool>,
    /// Whether answers are spoken, from the next phrase on.
    pub speaks: Option<bool>,
}
