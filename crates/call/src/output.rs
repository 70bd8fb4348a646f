//! What a call asks of the world.

use crate::input::Finish;
use bytes::Bytes;
use seiketsu_domain::{CallEnd, Message, ModelChoice, ToolChoice, ToolSpec, TurnOutcome, TurnRecord, Usage};
use serde::{Deserialize, Serialize};

macro_rules! counted_ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub u64);
    )*};
}

counted_ids! {
    /// One request to the language model, counted within the call.
    GenerationId;
    /// One phrase given to the voice, counted within the call.
    SynthesisId;
    /// One tool run, counted within the call.
    ToolNumber;
    /// A point in the playout, counted within the call.
    MarkId;
}

/// A request to the language model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Prompt {
    /// Model and its settings.
    pub model: ModelChoice,
    /// What it is told before the conversation.
    pub system: String,
    /// The conversation as heard.
    pub messages: Vec<Message>,
    /// What it may ask for.
    pub tools: Vec<ToolSpec>,
    /// Whether it has to.
    pub tool_choice: ToolChoice,
    /// The longest answer, in tokens, whichever model gives it.
    pub max_tokens: u32,
}

/// Something the shell must do.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// Ask the language model.
    Generate {
        /// Which request.
        id: GenerationId,
        /// How many requests for the same answer came before: those go to other places, where there are any.
        attempt: u32,
        /// What to ask.
        prompt: Box<Prompt>,
    },
    /// Its answer is not wanted any more.
    CancelGeneration(GenerationId),
    /// Give a phrase to the voice.
    Speak {
        /// Which phrase.
        id: SynthesisId,
        /// What to say.
        text: String,
        /// Whether the text is one of the plan's own sentences, worth keeping in a cache.
        fixed: bool,
    },
    /// Its audio is not wanted any more.
    CancelSpeech(SynthesisId),
    /// Ask the recogniser for its last words now.
    FlushRecogniser,
    /// Run a tool.
    RunTool {
        /// Which run.
        number: ToolNumber,
        /// Its name.
        name: String,
        /// Arguments as the model wrote them.
        arguments: String,
    },
    /// Play this after what was sent before.
    Play(Bytes),
    /// Report when playback reaches this point.
    Mark(MarkId),
    /// Drop what has not been played.
    ClearPlayout,
    /// A turn is finished: make it durable. In order, once each.
    Committed(Box<TurnRecord>),
    /// End the call at the door.
    HangUp,
    /// The caller is to be put through: put on record that the telephone company holds the call from now on, and say
    /// with [`Input::HandedOver`](crate::Input::HandedOver) whether that was done.
    HandOver,
    /// Put the caller through to the human that a tool has arranged. [`Output::Detached`] follows.
    Transfer,
    /// The caller has agreed to being recorded, or does not agree (any more).
    Record(bool),
    /// The door is gone, the record stays open: the call may come back. Last output.
    Detached,
    /// The call is over. Last output.
    Ended(Box<CallEnd>),
    /// How far a turn has come, for doors that show more than sound. Nothing has to be done about it.
    Progress(Progress),
    /// Something an observer may want to know.
    Note(Note),
}

/// How far a turn has come. In this order, each at most once in a turn where it does not say
/// otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// The caller's words are settled: this is what will be answered.
    Understood {
        /// The turn.
        turn: u32,
        /// All of it, words of a turn before included that had no answer yet.
        text: String,
        /// The recogniser has said all that it had to say about it.
        is_whole: bool,
    },
    /// The words of audio that a client committed are settled; no turn follows by itself.
    Taken {
        /// All of them.
        text: String,
        /// The recogniser has said all that it had to say about it.
        is_whole: bool,
    },
    /// An answer is under way.
    Answering {
        /// The turn.
        turn: u32,
        /// The client's number of the answer that it asked for, if it is that.
        asked: Option<u64>,
    },
    /// What was being heard is no utterance: a noise, or a murmur that asks for nothing. At any time.
    Disregarded,
    /// The audio that follows is this phrase's, until the next one. Again where it begins anew after playback was held.
    Saying {
        /// The turn.
        turn: u32,
        /// Which phrase.
        id: SynthesisId,
        /// As it is spoken.
        text: String,
    },
    /// The model wants tools: nothing more comes before they have answered. Again for each round of them.
    AwaitsTools {
        /// The turn.
        turn: u32,
        /// What it has consumed so far.
        usage: Usage,
    },
    /// Everything has left.
    Said {
        /// The turn.
        turn: u32,
        /// What it has consumed so far.
        usage: Usage,
        /// Whether the model had said all that it had to say.
        finish: Finish,
    },
    /// The turn is over.
    Over {
        /// The turn.
        turn: u32,
        /// How it ended.
        outcome: TurnOutcome,
    },
    /// Something came of a question beside the conversation. As often as it likes, and at any time.
    Aside {
        /// What the client calls the question.
        number: u64,
        /// What.
        event: AsideEvent,
    },
}

/// What comes of a question beside the conversation; the last two are the end of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AsideEvent {
    /// More text.
    Text(String),
    /// The model wants a tool; nobody runs it.
    ToolCall {
        /// Name of the tool.
        name: String,
        /// Arguments as the model wrote them.
        arguments: String,
    },
    /// It is answered.
    Finished {
        /// What that has consumed, if that is known.
        usage: Option<Usage>,
        /// Whether that was all.
        finish: Finish,
    },
    /// No (whole) answer could be had.
    Failed,
}

/// Decisions, for logs, metrics and observers; nothing has to be done about them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Note {
    /// It was decided that the caller has finished.
    Endpointed,
    /// The caller interrupted the agent.
    Interrupted,
    /// The caller went on before an answer was due.
    Continued,
    /// Playback waits: the caller may be interrupting.
    Held,
    /// It was no interruption: playback goes on where it stopped.
    Resumed,
    /// What the caller said over the agent asked for nothing.
    Murmured,
    /// The caller broke off; they get time to think.
    Patient,
    /// The model was asked before the caller's last words were certain, and they came as expected.
    SpeculationUsed,
    /// They came differently: it is asked anew.
    SpeculationMissed,
    /// The model is slow: the same question is asked elsewhere too.
    Hedged,
    /// An acknowledgement bridges the wait.
    Acknowledged,
    /// What the model said before a tool was left out: the answer was there first.
    Unannounced,
    /// A provider failed before anything was said; it is asked again.
    Retried,
    /// No answer could be had; the caller hears the apology.
    Apologised,
    /// An answer came to something no longer wanted, and was dropped.
    LateAnswer,
    /// A bound was reached and something was left out.
    LimitReached,
}
