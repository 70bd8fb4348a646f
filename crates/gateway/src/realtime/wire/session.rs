//! The configuration of a session, as its client has made it.

use super::{
    audio::{Eagerness, Format, NoiseReduction, ServerVad, Transcription, TurnDetection},
    error::{Code, EventError},
    fields::Change,
    settings::{MaxTokens, Modality, Tool, ToolChoice},
    update::SessionUpdate,
};
use serde::{Serialize, Serializer};
use serde_json::Value;

/// What a session is for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum SessionKind {
    /// The agent answers.
    #[default]
    Realtime,
    /// The caller is only written down.
    Transcription,
}

impl SessionKind {
    pub(super) const ALL: [(&'static str, Self); 2] =
        [("realtime", Self::Realtime), ("transcription", Self::Transcription)];

    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Realtime => "realtime",
            Self::Transcription => "transcription",
        }
    }
}

/// The configuration in effect. Serialised it is the `session` of `session.created` and `session.updated`.
#[derive(Debug, Clone, PartialEq)]
pub struct Session {
    /// Names it, `sess_…`.
    pub id: String,
    /// What it is for. Fixed.
    pub kind: SessionKind,
    /// What the client calls the model. Fixed.
    pub model: String,
    /// The agent's voice. Fixed.
    pub voice: String,
    /// When it ends, in seconds since 1970.
    pub expires_at: u64,
    /// What the client tells the model.
    pub instructions: String,
    /// What responses are made of.
    pub output: Modality,
    /// How the client's audio is coded.
    pub input_format: Format,
    /// What is taken out of it.
    pub noise_reduction: Option<NoiseReduction>,
    /// Whether, and how, the client wants to read what the caller said.
    pub transcription: Option<Transcription>,
    /// How turns are found; without it the client commits and asks for responses itself.
    pub turn_detection: Option<TurnDetection>,
    /// How our audio is coded.
    pub output_format: Format,
    /// How fast the agent speaks, 0.25 to 1.5.
    pub speed: f64,
    /// The client's tools.
    pub tools: Vec<Tool>,
    /// Whether they may or must be asked for.
    pub tool_choice: ToolChoice,
    /// How long a response may become.
    pub max_output_tokens: MaxTokens,
    /// Kept and sent back.
    pub tracing: Option<Value>,
    /// Kept and sent back; without it, `"auto"`.
    pub truncation: Option<Value>,
    /// Whether transcripts are to come with probabilities.
    pub logprobs: bool,
    /// Kept and sent back.
    pub prompt: Option<Value>,
    /// Kept and sent back.
    pub reasoning: Option<Value>,
}

impl Session {
    /// A session of which its client has said nothing yet.
    pub fn new(id: String, kind: SessionKind, model: String, voice: String, expires_at: u64) -> Self {
        Self {
            id,
            kind,
            model,
            voice,
            expires_at,
            instructions: String::new(),
            output: Modality::Audio,
            input_format: Format::Pcm24k,
            noise_reduction: None,
            transcription: None,
            turn_detection: Some(TurnDetection::ServerVad(ServerVad::default())),
            output_format: Format::Pcm24k,
            speed: 1.0,
            tools: Vec::new(),
            tool_choice: ToolChoice::Auto,
            max_output_tokens: MaxTokens::Infinite,
            tracing: None,
            truncation: None,
            logprobs: false,
            prompt: None,
            reasoning: None,
        }
    }

    /// Makes all of the changes, or none.
    pub fn apply(&mut self, update: SessionUpdate) -> Result<(), EventError> {
        let SessionUpdate {
            kind,
            model,
            instructions,
            output,
            input_format,
            noise_reduction,
            transcription,
            turn_detection,
            output_format,
            speed,
            tools,
            tool_choice,
            max_output_tokens,
            tracing,
            truncation,
            logprobs,
            prompt,
            reasoning,
        } = update;
        // Everything that can be refused comes before the first change.
        if kind != self.kind {
            let (theirs, ours) = (kind.name(), self.kind.name());
            let message = format!("This is a session of type '{ours}'; it cannot become '{theirs}'.");
            return Err(EventError::new(Code::InvalidParameter, message).at("session.type"));
        }
        // Libraries name a model of their own accord, whatever was connected to. It stays what it is.
        drop(model);
        set(&mut self.instructions, instructions);
        set(&mut self.output, output);
        set(&mut self.input_format, input_format);
        set_option(&mut self.noise_reduction, noise_reduction);
        set_option(&mut self.transcription, transcription);
        set_option(&mut self.turn_detection, turn_detection);
        set(&mut self.output_format, output_format);
        match speed {
            Change::Unchanged => {}
            Change::Cleared => self.speed = 1.0,
            Change::To(speed) => self.speed = speed,
        }
        set(&mut self.tools, tools);
        set(&mut self.tool_choice, tool_choice);
        set(&mut self.max_output_tokens, max_output_tokens);
        set_option(&mut self.tracing, tracing);
        set_option(&mut self.truncation, truncation);
        set(&mut self.logprobs, logprobs);
        set_option(&mut self.prompt, prompt);
        set_option(&mut self.reasoning, reasoning);
        Ok(())
    }
}

fn set<T: Default>(setting: &mut T, change: Change<T>) {
    match change {
        Change::Unchanged => {}
        Change::Cleared => *setting = T::default(),
        Change::To(value) => *setting = value,
    }
}

fn set_option<T>(setting: &mut Option<T>, change: Change<T>) {
    match change {
        Change::Unchanged => {}
        Change::Cleared => *setting = None,
        Change::To(value) => *setting = Some(value),
    }
}

impl Serialize for Session {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let include = self.logprobs.then_some(["item.input_audio_transcription.logprobs"]);
        let kind = self.kind.name();
        match self.kind {
            SessionKind::Realtime => RealtimeWire {
                kind,
                object: "realtime.session",
                id: &self.id,
                model: &self.model,
                output_modalities: self.output,
                instructions: &self.instructions,
                tools: &self.tools,
                tool_choice: &self.tool_choice,
                max_output_tokens: self.max_output_tokens,
                tracing: self.tracing.as_ref(),
                truncation: self.truncation.as_ref().unwrap_or(&Value::String("auto".to_owned())),
                prompt: self.prompt.as_ref(),
                reasoning: self.reasoning.as_ref(),
                expires_at: self.expires_at,
                audio: AudioWire {
                    input: self.input(self.turn_detection.as_ref()),
                    output: OutputWire { format: self.output_format, voice: &self.voice, speed: self.speed },
                },
                include,
            }
            .serialize(serializer),
            SessionKind::Transcription => TranscriptionWire {
                kind,
                object: "realtime.transcription_session",
                id: &self.id,
                expires_at: self.expires_at,
                audio: HeardWire { input: self.input(self.turn_detection.as_ref().map(DetectionWire::from)) },
                include,
            }
            .serialize(serializer),
        }
    }
}

impl Session {
    fn input<T>(&self, turn_detection: Option<T>) -> InputWire<'_, T> {
        InputWire {
            format: self.input_format,
            transcription: self.transcription.as_ref(),
            noise_reduction: self.noise_reduction,
            turn_detection,
        }
    }
}

#[derive(Serialize)]
struct RealtimeWire<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    object: &'static str,
    id: &'a str,
    model: &'a str,
    output_modalities: Modality,
    instructions: &'a str,
    tools: &'a [Tool],
    tool_choice: &'a ToolChoice,
    max_output_tokens: MaxTokens,
    tracing: Option<&'a Value>,
    truncation: &'a Value,
    prompt: Option<&'a Value>,
    reasoning: Option<&'a Value>,
    expires_at: u64,
    audio: AudioWire<'a>,
    include: Option<[&'static str; 1]>,
}

#[derive(Serialize)]
struct TranscriptionWire<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    object: &'static str,
    id: &'a str,
    expires_at: u64,
    audio: HeardWire<'a>,
    include: Option<[&'static str; 1]>,
}

#[derive(Serialize)]
struct AudioWire<'a> {
    input: InputWire<'a, &'a TurnDetection>,
    output: OutputWire<'a>,
}

#[derive(Serialize)]
struct HeardWire<'a> {
    input: InputWire<'a, DetectionWire>,
}

#[derive(Serialize)]
struct InputWire<'a, T> {
    format: Format,
    transcription: Option<&'a Transcription>,
    noise_reduction: Option<NoiseReduction>,
    turn_detection: Option<T>,
}

#[derive(Serialize)]
struct OutputWire<'a> {
    format: Format,
    voice: &'a str,
    speed: f64,
}

/// Turn detection where nothing is answered or interrupted.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum DetectionWire {
    ServerVad { threshold: f64, prefix_padding_ms: u64, silence_duration_ms: u64 },
    SemanticVad { eagerness: Eagerness },
}

impl From<&TurnDetection> for DetectionWire {
    fn from(detection: &TurnDetection) -> Self {
        match detection {
            TurnDetection::ServerVad(vad) => Self::ServerVad {
                threshold: vad.threshold,
                prefix_padding_ms: vad.prefix_padding_ms,
                silence_duration_ms: vad.silence_duration_ms,
            },
            TurnDetection::SemanticVad(vad) => Self::SemanticVad { eagerness: vad.eagerness },
        }
    }
}
