//! The two ends between a door (phone, browser, API) and a session.

use bytes::Bytes;
use seiketsu_call::{ClientAct, Progress, Turns};
use seiketsu_domain::{Message, ToolChoice, ToolOutcome, ToolSpec};
use std::time::Duration;
use tokio::sync::mpsc;

/// What a door tells a session.
#[derive(Debug, Clone, PartialEq)]
pub enum DoorInput {
    /// Caller audio in the door's format, of any length, gaps already padded.
    Audio(Bytes),
    /// Playback has reached this mark, or the mark was returned because playout was cleared.
    Mark(u64),
    /// The caller pressed a key.
    Digit(char),
    /// The caller hung up.
    HungUp,
    /// The socket died without a goodbye; the call may come back.
    Cut,
    /// A client that drives turns itself.
    Client(ClientAct),
    /// The client wants an answer.
    Respond(Box<DoorResponse>),
    /// The client wants the conversation to go on differently.
    Update(DoorUpdate),
    /// A tool that the client runs has answered, see [`Shown::ToolWanted`].
    ToolAnswer {
        /// Which run.
        number: u64,
        /// How it ended.
        outcome: ToolOutcome,
    },
}

/// A change that a client makes in mid-call; `None` leaves a thing as it is.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DoorUpdate {
    /// What the model is told beside the agent's own instructions.
    pub instructions: Option<String>,
    /// Tools that the client runs, beside the agent's own; one with the name of an agent's tool is left out.
    pub tools: Option<Vec<ToolSpec>>,
    /// Whether tools, its own and the agent's, may or must be asked for.
    pub tool_choice: Option<ToolChoice>,
    /// The longest answer, in tokens, beside the agent's own limit.
    pub max_tokens: Option<u32>,
    /// Silence after which the caller has finished.
    pub endpoint_silence: Option<Duration>,
    /// Who says when a turn is over, and whether it is answered unasked.
    pub turns: Option<Turns>,
    /// Whether the caller's voice ends an answer.
    pub is_interruptible: Option<bool>,
    /// Whether answers are spoken; else they are text alone.
    pub speaks: Option<bool>,
}

/// An answer that a client asks for; `None` is as in the session.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DoorResponse {
    /// What the client calls it, in [`Progress::Answering`], [`Progress::Aside`], [`ClientAct::CancelRequest`] and
    /// [`ClientAct::CancelAside`].
    pub number: u64,
    /// Where it belongs.
    pub place: ResponsePlace,
    /// What the model is told beside the agent's own instructions.
    pub instructions: Option<String>,
    /// The conversation, in the place of what was said.
    pub messages: Option<Vec<Message>>,
    /// Tools that the client runs, in the place of those of the session.
    pub tools: Option<Vec<ToolSpec>>,
    /// Whether tools may or must be asked for.
    pub tool_choice: Option<ToolChoice>,
    /// The longest answer, in tokens.
    pub max_tokens: Option<u32>,
    /// Whether it is spoken.
    pub speaks: Option<bool>,
}

/// Where an answer belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ResponsePlace {
    /// Into the conversation.
    #[default]
    Conversation,
    /// It is heard like any other, and the model is not told of it later.
    Unremembered,
    /// Beside the conversation: text, without the agent's own tools.
    Beside,
}

/// What a session tells a door.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DoorOutput {
    /// Agent audio in the door's format, to be played after what was sent before.
    Audio(Bytes),
    /// Report back when playback reaches this point.
    Mark(u64),
    /// Drop what has not been played.
    Clear,
    /// What happens besides, in order with the sound; for doors with [`Door::shows`] only.
    Shown(Shown),
    /// The agent ended the call: close the socket.
    Close,
}

/// What a door can show besides sound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shown {
    /// The caller's voice began, so far into the caller's audio.
    VoiceBegan {
        /// The first voiced sample.
        at: Duration,
    },
    /// The caller's voice ended.
    VoiceEnded {
        /// The last voiced sample.
        at: Duration,
    },
    /// Words of the utterance that is being heard.
    Hearing {
        /// Those that will not change, from its beginning.
        settled: String,
        /// Those behind them, which may.
        unsettled: String,
    },
    /// How far a turn has come.
    Progress(Progress),
    /// The model wants a tool that the client runs: [`DoorInput::ToolAnswer`] is waited for.
    ToolWanted {
        /// Which run.
        number: u64,
        /// Name of the tool.
        name: String,
        /// Arguments as the model wrote them.
        arguments: String,
    },
}

/// The session's ends of a door's channels. Both are bounded by whoever makes them.
#[derive(Debug)]
pub struct Door {
    /// From the caller.
    pub input: mpsc::Receiver<DoorInput>,
    /// To the caller. A closed channel means the socket is gone.
    pub output: mpsc::Sender<DoorOutput>,
    /// Whether the door wants [`DoorOutput::Shown`].
    pub shows: bool,
}
