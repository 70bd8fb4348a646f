//! What a configured voice agent is.

use crate::{AgentId, Language};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// The language model an agent thinks with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ModelChoice {
    /// The vendor's name of the model, for example `gpt-4.1-mini`.
    pub model: String,
    /// Sampling temperature.
    pub temperature: f32,
    /// The longest answer, in tokens.
    pub max_tokens: u32,
}

/// Where an agent turns when its first language model cannot answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ModelFallback {
    /// Name of the configured endpoint that serves the model, for example `openai` or `fallback`.
    pub endpoint: String,
    /// The model there.
    pub model: ModelChoice,
    /// What this model is told instead of the agent's instructions, where it needs other words.
    #[serde(default)]
    pub instructions: Option<String>,
}

/// The voice an agent speaks with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct VoiceChoice {
    /// The vendor's id of the voice.
    pub voice_id: String,
    /// The vendor's name of the model, for example `eleven_flash_v2_5`.
    pub model: String,
    /// 0 to 1.
    pub stability: f32,
    /// 0 to 1.
    pub similarity: f32,
}

/// A voice agent as its tenant configured it: everything a call needs to know at its start.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AgentProfile {
    /// Which agent.
    pub id: AgentId,
    /// What the agent calls itself.
    pub name: String,
    /// The brokerage as the agent names it to callers.
    pub brokerage_name: String,
    /// The language of the conversation.
    pub language: Language,
    /// IANA time zone in which the agent speaks of days and hours, for example `America/Chicago`.
    pub time_zone: String,
    /// What the agent is told to be and do.
    pub instructions: String,
    /// The first sentence a caller hears. Says that it is an AI.
    pub greeting: String,
    /// The last sentence when the agent ends the call for a reason of its own (duration, failure).
    pub goodbye: String,
    /// Short phrases that bridge a slow answer, in the agent's voice and language.
    pub acknowledgements: Vec<String>,
    /// What is said when no answer could be had at all.
    pub apology: String,
    /// How long a caller must be silent before the turn counts as finished.
    pub endpoint_silence_ms: u32,
    /// The longest call.
    pub max_call_seconds: u32,
    /// Language model.
    pub model: ModelChoice,
    /// Voice.
    pub voice: VoiceChoice,
    /// Names of the tools this agent may use; unknown names are ignored.
    pub tools: Vec<String>,
    /// Language models to turn to when the first one cannot answer, in order.
    #[serde(default)]
    pub model_fallbacks: Vec<ModelFallback>,
    /// What a single key stands for, for example `0` for "I would like to talk to a person".
    #[serde(default)]
    pub menu: BTreeMap<char, String>,
}
