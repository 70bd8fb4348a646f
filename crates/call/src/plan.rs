//! What a call is configured to be, fixed when it begins (and changed in mid-call only by a `PlanUpdate`).

use seiketsu_domain::{AudioFormat, Language, Message, ModelChoice, ToolChoice, ToolSpec};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, time::Duration};

/// Who decides when a turn of the caller is over, and whether it is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Turns {
    /// The engine, from voice activity and transcript.
    ByVoice,
    /// The engine finds where utterances end; the client asks for an answer, by `ClientAct::CreateResponse`, or never does.
    Unanswered,
    /// The client, by `ClientAct::Commit` and `ClientAct::CreateResponse`.
    ByClient,
}

impl Turns {
    /// Whether the engine finds where an utterance ends.
    pub const fn end_by_voice(self) -> bool {
        matches!(self, Self::ByVoice | Self::Unanswered)
    }

    /// Whether the engine says anything that it was not asked for.
    pub const fn are_answered(self) -> bool {
        matches!(self, Self::ByVoice)
    }
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
    /// Whether they may or must be asked for: in the first request of a turn, after which they may.
    pub tool_choice: ToolChoice,
    /// The longest answer, in tokens, beside the limit of the model itself.
    pub max_tokens: u32,
    /// The tool that ends the call once the caller has heard the goodbye.
    pub ending_tool: Option<String>,
    /// The tool that has the caller put through to a human once they have heard so.
    pub transferring_tool: Option<String>,
    /// The language of the conversation.
    pub language: Language,
    /// The door's audio format.
    pub format: AudioFormat,
    /// Answers are spoken; else they are text alone, which counts as heard when it has left.
    pub speaks: bool,
    /// The first sentence; empty for none.
    pub greeting: String,
    /// Said before the engine ends a call on its own account.
    pub goodbye: String,
    /// Said when no answer could be had.
    pub apology: String,
    /// Said when the caller spoke but no words were understood.
    pub unclear: String,
    /// Said before a transfer if the model has not said so itself.
    pub putting_through: String,
    /// Said when the transfer that was announced cannot be made.
    pub not_put_through: String,
    /// Said one after the other to a caller who says nothing; then comes the goodbye.
    pub reprompts: Vec<String>,
    /// Short phrases that bridge a slow answer.
    pub acknowledgements: Acknowledgements,
    /// What a single key stands for.
    pub menu: BTreeMap<char, String>,
    /// The greeting ends with the question whether the call may be recorded, and the first answer is the answer to that,
    /// if the question was heard.
    pub asks_to_record: bool,
    /// The caller has agreed to that already, before the call was cut.
    pub records: bool,
    /// What was said before, when a cut call comes back.
    pub history: Vec<Message>,
    /// The number of the first turn.
    pub first_turn: u32,
    /// Silence after which the caller has finished.
    pub endpoint_silence: Duration,
    /// Who decides when a turn is over.
    pub turns: Turns,
    /// The caller's voice ends an answer; else what they say over it is heard, and answered when it is over.
    pub is_interruptible: bool,
    /// Bounds.
    pub limits: Limits,
}

/// Short phrases that bridge a wait, by what the wait is for. None is heard twice in a row.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Acknowledgements {
    /// The caller asked for something.
    pub looking: Vec<String>,
    /// The caller told something.
    pub noting: Vec<String>,
    /// The caller broke off and may go on.
    pub listening: Vec<String>,
    /// The wait goes on.
    pub waiting: Vec<String>,
}

/// A bound for everything that could grow or wait.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Limits {
    /// The longest call.
    pub call: Duration,
    /// After so long without a word from either side the caller is asked whether they are there; after the last of
    /// [`Plan::reprompts`] the call ends.
    pub silence: Duration,
    /// When no substantive audio has started so long after the end of speech, an acknowledgement is spoken.
    /// Never less than [`Limits::EARLIEST_ACKNOWLEDGEMENT`].
    pub acknowledge_after: Duration,
    /// What the model says before it uses a tool is kept back for so long after the end of speech: the answer may be there
    /// first.
    pub announce_after: Duration,
    /// A bridge follows when the caller has heard nothing for so long after the one before, or after an announcement.
    pub quiet: Duration,
    /// Bridges in one turn.
    pub bridges_per_turn: usize,
    /// How long the recogniser may take for its last words after the end of a turn was decided, when none are known.
    pub final_transcript: Duration,
    /// The same when words are known already that only may change.
    pub final_after_partial: Duration,
    /// How long a caller who broke off in mid-sentence may think before they are answered, from the end of speech.
    pub patience: Duration,
    /// How long a voice must be heard over the agent before playback waits for its words. Words end playback at once.
    pub interrupt_after: Duration,
    /// How long playback waits for words before it goes on where it stopped.
    pub resume_after: Duration,
    /// The same before anything of the answer was heard: the caller waits for it, and words of theirs would be known by
    /// now.
    pub begin_after: Duration,
    /// An answer is taken to be one although it was said over the agent's last so much of speech.
    pub answer_window: Duration,
    /// Requests to the language model with words that may still change, per utterance.
    pub speculations: u32,
    /// The language model is asked once more, elsewhere if possible, each time it has said nothing for so long.
    pub hedge_after: Duration,
    /// How often in one round.
    pub hedges_per_round: u32,
    /// How long the voice may take for the first sound of a phrase before it is asked again.
    pub first_byte: Duration,
    /// How long it may take for the next sound of a phrase that the caller is about to hear the end of.
    pub next_sound: Duration,
    /// A phrase begins to sound when so much of it has been made, or all of it: many voices that break do so at once.
    pub head_start: Duration,
    /// The longest wait that a provider may ask for and still be waited for.
    pub longest_retry_wait: Duration,
    /// How long the language model or the voice may make no progress.
    pub progress: Duration,
    /// How long one tool may take.
    pub tool: Duration,
    /// Tools run in one turn.
    pub tools_per_turn: usize,
    /// Requests to the language model in one turn.
    pub rounds_per_turn: usize,
    /// Requests repeated in one turn because the language model failed before anything was said.
    pub retries_per_turn: usize,
    /// Phrases repeated or continued in one turn because the voice failed.
    pub voice_retries_per_turn: usize,
    /// Characters of one answer; what is beyond is not spoken.
    pub answer_characters: usize,
    /// Characters of one caller utterance; what is beyond is not kept.
    pub utterance_characters: usize,
    /// Questions beside the conversation at once.
    pub asides: usize,
    /// How long one of them may take.
    pub aside: Duration,
    /// Characters of the answer to one; what is beyond is left out.
    pub aside_characters: usize,
    /// Phrases given to the voice before the first of them is finished.
    pub phrases_ahead: usize,
    /// Audio of one turn that may wait in the engine, in bytes.
    pub waiting_audio_bytes: usize,
    /// Messages of context kept for the model; the oldest turns are forgotten first.
    pub context_messages: usize,
    /// Text of all of them, in bytes.
    pub context_bytes: usize,
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
            silence: Duration::from_secs(10),
            acknowledge_after: Duration::from_millis(1_750),
            announce_after: Duration::from_millis(1_400),
            quiet: Duration::from_millis(2_500),
            bridges_per_turn: 4,
            final_transcript: Duration::from_millis(2_500),
            final_after_partial: Duration::from_millis(900),
            patience: Duration::from_millis(1_400),
            interrupt_after: Duration::from_millis(800),
            resume_after: Duration::from_secs(3),
            begin_after: Duration::from_millis(500),
            answer_window: Duration::from_secs(1),
            speculations: 2,
            hedge_after: Duration::from_millis(150),
            hedges_per_round: 2,
            first_byte: Duration::from_secs(1),
            next_sound: Duration::from_millis(500),
            head_start: Duration::from_millis(300),
            longest_retry_wait: Duration::from_secs(2),
            progress: Duration::from_secs(6),
            tool: Duration::from_secs(6),
            tools_per_turn: 8,
            rounds_per_turn: 6,
            retries_per_turn: 3,
            voice_retries_per_turn: 4,
            answer_characters: 1_200,
            utterance_characters: 4_000,
            asides: 4,
            aside: Duration::from_secs(30),
            aside_characters: 16_384,
            phrases_ahead: 2,
            waiting_audio_bytes: 2 * 1024 * 1024,
            context_messages: 200,
            context_bytes: 256 * 1024,
            mark_slack: Duration::from_secs(3),
        }
    }
}
