//! What a call is configured to be, fixed when it begins (and changed in mid-call only by a `PlanUpdate`).

use seiketsu_domain::{AudioFormat, Message, ModelChoice, ToolSpec};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Who decides when a turn of the caller is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Turns {
    /// The engine, from voice activity and transcript.
    ByVoice,
    /// The client, by `ClientAct::Commit` and `ClientAct::CreateResponse`.
    ByClient,
}

/// Everything the engine needs to know about a call before it begins.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// What the language model is told before the conversation.
    pub system: String,
    /// The language model.
    pub model: ModelChoice,
    /// The tools the model is told of.
    pub tools: Vec<ToolSpec>,
    /// The tool that ends the call once the caller has heard the goodbye.
    pub ending_tool: Option<String>,
    /// The door's audio format.
    pub format: AudioFormat,
    /// The first sentence; empty for none.
    pub greeting: String,
    /// Said before the engine ends a call on its own account.
    pub goodbye: String,
    /// Said when no answer could be had.
    pub apology: String,
    /// Said when the caller spoke but no words were understood.
    pub unclear: String,
    /// Short phrases that bridge a slow answer.
    pub acknowledgements: Vec<String>,
    /// What was said before, when a cut call comes back.
    pub history: Vec<Message>,
    /// The number of the first turn.
    pub first_turn: u32,
    /// Silence after which the caller has finished.
    pub endpoint_silence: Duration,
    /// Who decides when a turn is over.
    pub turns: Turns,
    /// Bounds.
    pub limits: Limits,
}

/// A bound for everything that could grow or wait.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Limits {
    /// The longest call.
    pub call: Duration,
    /// The call ends after so long without a word from either side.
    pub silence: Duration,
    /// When no substantive audio has started so long after the end of speech, an acknowledgement is spoken.
    /// Never less than [`Limits::EARLIEST_ACKNOWLEDGEMENT`].
    pub acknowledge_after: Duration,
    /// How long the recogniser may take for its last words after the end of a turn was decided.
    pub final_transcript: Duration,
    /// How long the caller must be heard over the agent before it counts as an interruption.
    pub interrupt_after: Duration,
    /// How long the language model or the voice may make no progress.
    pub progress: Duration,
    /// How long one tool may take.
    pub tool: Duration,
    /// Tools run in one turn.
    pub tools_per_turn: usize,
    /// Requests to the language model in one turn.
    pub rounds_per_turn: usize,
    /// Requests repeated in one turn because a provider failed before anything was said.
    pub retries_per_turn: usize,
    /// Characters of one answer; what is beyond is not spoken.
    pub answer_characters: usize,
    /// Characters of one caller utterance; what is beyond is not kept.
    pub utterance_characters: usize,
    /// Phrases given to the voice before the first of them is finished.
    pub phrases_ahead: usize,
    /// Audio of one turn that may wait in the engine, in bytes.
    pub waiting_audio_bytes: usize,
    /// Messages of context kept for the model; the oldest turns are forgotten first.
    pub context_messages: usize,
    /// How long after its due time a mark may be missing.
    pub mark_slack: Duration,
}

impl Limits {
    /// No acknowledgement is spoken earlier than this after the end of speech.
    pub const EARLIEST_ACKNOWLEDGEMENT: Duration = Duration::from_millis(1_200);
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            call: Duration::from_mins(30),
            silence: Duration::from_secs(45),
            acknowledge_after: Duration::from_millis(1_750),
            final_transcript: Duration::from_millis(2_500),
            interrupt_after: Duration::from_millis(200),
            progress: Duration::from_secs(8),
            tool: Duration::from_secs(6),
            tools_per_turn: 8,
            rounds_per_turn: 6,
            retries_per_turn: 1,
            answer_characters: 1_200,
            utterance_characters: 4_000,
            phrases_ahead: 2,
            waiting_audio_bytes: 2 * 1024 * 1024,
            context_messages: 200,
            mark_slack: Duration::from_secs(3),
        }
    }
}
