//! What `session.update` asks for.

use super::{
    audio::{Format, NoiseReduction, Transcription, TurnDetection},
    error::Code,
    fields::{Change, Field, Fields, Read},
    session::SessionKind,
    settings::{
        MAX_HINT_BYTES, MAX_INSTRUCTIONS_BYTES, MAX_SCHEMA_BYTES, MaxTokens, Modality, Tool, ToolChoice,
    },
};
use serde_json::Value;

/// Which settings are to change. An object among them that is `null` (`audio`, `audio.input`, `audio.output`) changes
/// nothing. The voice belongs to the agent: whatever is said about it is ignored.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SessionUpdate {
    /// What kind of session the client thinks it has.
    pub kind: SessionKind,
    /// Which model it thinks it has. Cleared is the same as unchanged.
    pub model: Change<String>,
    /// `instructions`.
    pub instructions: Change<String>,
    /// `output_modalities`.
    pub output: Change<Modality>,
    /// `audio.input.format`.
    pub input_format: Change<Format>,
    /// `audio.input.noise_reduction`.
    pub noise_reduction: Change<NoiseReduction>,
    /// `audio.input.transcription`; replaces the one before as a whole.
    pub transcription: Change<Transcription>,
    /// `audio.input.turn_detection`; replaces the one before as a whole.
    pub turn_detection: Change<TurnDetection>,
    /// `audio.output.format`.
    pub output_format: Change<Format>,
    /// `audio.output.speed`, 0.25 to 1.5.
    pub speed: Change<f64>,
    /// `tools`.
    pub tools: Change<Vec<Tool>>,
    /// `tool_choice`.
    pub tool_choice: Change<ToolChoice>,
    /// `max_output_tokens`.
    pub max_output_tokens: Change<MaxTokens>,
    /// `tracing`: `"auto"` or an object.
    pub tracing: Change<Value>,
    /// `truncation`: `"auto"`, `"disabled"` or an object.
    pub truncation: Change<Value>,
    /// `include`: whether transcripts come with probabilities.
    pub logprobs: Change<bool>,
    /// `prompt`: an object that names one.
    pub prompt: Change<Value>,
    /// `reasoning`: an object.
    pub reasoning: Change<Value>,
}

impl SessionUpdate {
    pub(super) fn read(field: Field) -> Read<Self> {
        let mut session = field.object()?;
        let kind = session.read("type", |kind| kind.one_of(&SessionKind::ALL))?.unwrap_or_default();
        let mut audio = session.nested("audio")?;
        let mut input = audio.nested("input")?;
        let heard = Self {
            kind,
            input_format: input.change("format", Format::read)?,
            noise_reduction: input.change("noise_reduction", NoiseReduction::read)?,
            transcription: input.change("transcription", Transcription::read)?,
            turn_detection: input.change("turn_detection", TurnDetection::read)?,
            logprobs: session.change("include", logprobs)?,
            ..Self::default()
        };
        match kind {
            SessionKind::Transcription => Ok(heard),
            SessionKind::Realtime => heard.with_answers(session, audio.nested("output")?),
        }
    }

    /// Adds what only a session that answers has.
    fn with_answers(self, mut session: Fields, mut output: Fields) -> Read<Self> {
        Ok(Self {
            model: session.change("model", |field| field.string(MAX_HINT_BYTES))?,
            instructions: session.change("instructions", |field| field.string(MAX_INSTRUCTIONS_BYTES))?,
            output: session.change("output_modalities", Modality::read)?,
            output_format: output.change("format", Format::read)?,
            speed: output.change("speed", |field| field.number(0.25..=1.5))?,
            tools: session.change("tools", Tool::read_all)?,
            tool_choice: session.change("tool_choice", ToolChoice::read)?,
            max_output_tokens: session.change("max_output_tokens", MaxTokens::read)?,
            tracing: session.change("tracing", |field| word_or_object(field, &["auto"]))?,
            truncation: session.change("truncation", |field| word_or_object(field, &["auto", "disabled"]))?,
            prompt: session.change("prompt", |field| field.opaque_object(MAX_SCHEMA_BYTES))?,
            reasoning: session.change("reasoning", |field| field.opaque_object(MAX_SCHEMA_BYTES))?,
            ..self
        })
    }
}

fn logprobs(field: Field) -> Read<bool> {
    let wishes = field.list(16)?;
    for wish in wishes {
        wish.one_of(&[("item.input_audio_transcription.logprobs", ())])?;
    }
    Ok(true)
}

fn word_or_object(field: Field, words: &[&str]) -> Read<Value> {
    let known = field.as_str().map(|word| words.contains(&word));
    match known {
        Some(true) => field.opaque(MAX_SCHEMA_BYTES),
        Some(false) => {
            Err(field.refuse(Code::InvalidValue, format_args!("can be {} or an object", words.join(", "))))
        }
        None => field.opaque_object(MAX_SCHEMA_BYTES),
    }
}
