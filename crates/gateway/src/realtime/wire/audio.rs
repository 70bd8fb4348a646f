//! Settings of what is heard and of what is spoken.

use super::{
    error::Code,
    fields::{Field, Read},
    settings::MAX_HINT_BYTES,
};
use serde::{Serialize, Serializer, ser::SerializeMap};

/// The longest wait that can be asked for.
const MAX_WAIT_MS: u64 = 600_000;

/// How audio is coded. Always mono.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Format {
    /// Signed 16 bit samples, little endian, 24 kHz.
    #[default]
    Pcm24k,
    /// Mu-law, 8 kHz.
    Pcmu,
    /// A-law, 8 kHz.
    Pcma,
}

impl Format {
    /// How many bytes a millisecond has.
    pub const fn bytes_per_ms(self) -> usize {
        match self {
            Self::Pcm24k => 48,
            Self::Pcmu | Self::Pcma => 8,
        }
    }

    pub(super) fn read(field: Field) -> Read<Self> {
        let mut fields = field.object()?;
        let format = fields.need("type")?.one_of(&[
            ("audio/pcm", Self::Pcm24k),
            ("audio/pcmu", Self::Pcmu),
            ("audio/pcma", Self::Pcma),
        ])?;
        if format == Self::Pcm24k
            && let Some(rate) = fields.take("rate")
        {
            let refusal = rate.refuse(Code::InvalidValue, "can only be 24000");
            if rate.integer(0..=u64::MAX)? != 24_000 {
                return Err(refusal);
            }
        }
        Ok(format)
    }
}

impl Serialize for Format {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match self {
            Self::Pcm24k => {
                map.serialize_entry("type", "audio/pcm")?;
                map.serialize_entry("rate", &24_000)?;
            }
            Self::Pcmu => map.serialize_entry("type", "audio/pcmu")?,
            Self::Pcma => map.serialize_entry("type", "audio/pcma")?,
        }
        map.end()
    }
}

/// How it is found out that the caller has begun and has finished.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum TurnDetection {
    /// By the sound.
    ServerVad(ServerVad),
    /// By the words as well.
    SemanticVad(SemanticVad),
}

/// The settings of turn detection by sound.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ServerVad {
    /// From which probability on it is speech, 0 to 1.
    pub threshold: f64,
    /// How much sound before the speech belongs to it.
    pub prefix_padding_ms: u64,
    /// How much silence ends a turn.
    pub silence_duration_ms: u64,
    /// After how much silence behind a response the caller is asked again.
    pub idle_timeout_ms: Option<u64>,
    /// Whether the end of a turn begins a response.
    pub create_response: bool,
    /// Whether the beginning of a turn ends a response.
    pub interrupt_response: bool,
}

/// The settings of turn detection by words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SemanticVad {
    /// How soon to take the turn.
    pub eagerness: Eagerness,
    /// Whether the end of a turn begins a response.
    pub create_response: bool,
    /// Whether the beginning of a turn ends a response.
    pub interrupt_response: bool,
}

/// How soon to take the turn.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Eagerness {
    /// Wait longer.
    Low,
    /// The middle.
    Medium,
    /// Wait less.
    High,
    /// The same as the middle.
    #[default]
    Auto,
}

impl Default for ServerVad {
    fn default() -> Self {
        Self {
            threshold: 0.5,
            prefix_padding_ms: 300,
            silence_duration_ms: 500,
            idle_timeout_ms: None,
            create_response: true,
            interrupt_response: true,
        }
    }
}

impl Default for SemanticVad {
    fn default() -> Self {
        Self { eagerness: Eagerness::Auto, create_response: true, interrupt_response: true }
    }
}

impl TurnDetection {
    /// Whether the end of a turn begins a response.
    pub const fn create_response(&self) -> bool {
        match self {
            Self::ServerVad(vad) => vad.create_response,
            Self::SemanticVad(vad) => vad.create_response,
        }
    }

    /// Whether the beginning of a turn ends a response.
    pub const fn interrupt_response(&self) -> bool {
        match self {
            Self::ServerVad(vad) => vad.interrupt_response,
            Self::SemanticVad(vad) => vad.interrupt_response,
        }
    }

    /// What an update leaves out has its default, not the value from before: the kind may have changed.
    pub(super) fn read(field: Field) -> Read<Self> {
        let mut fields = field.object()?;
        let semantic =
            fields.read("type", |kind| kind.one_of(&[("server_vad", false), ("semantic_vad", true)]))?;
        let create_response = fields.read("create_response", Field::boolean)?.unwrap_or(true);
        let interrupt_response = fields.read("interrupt_response", Field::boolean)?.unwrap_or(true);
        if semantic.unwrap_or(false) {
            let eagerness = fields.read("eagerness", |field| {
                field.one_of(&[
                    ("low", Eagerness::Low),
                    ("medium", Eagerness::Medium),
                    ("high", Eagerness::High),
                    ("auto", Eagerness::Auto),
                ])
            })?;
            let eagerness = eagerness.unwrap_or_default();
            return Ok(Self::SemanticVad(SemanticVad { eagerness, create_response, interrupt_response }));
        }
        let default = ServerVad::default();
        let wait = |field: Field| field.integer(0..=MAX_WAIT_MS);
        Ok(Self::ServerVad(ServerVad {
            threshold: fields
                .read("threshold", |field| field.number(0.0..=1.0))?
                .unwrap_or(default.threshold),
            prefix_padding_ms: fields.read("prefix_padding_ms", wait)?.unwrap_or(default.prefix_padding_ms),
            silence_duration_ms: fields
                .read("silence_duration_ms", wait)?
                .unwrap_or(default.silence_duration_ms),
            idle_timeout_ms: fields.read("idle_timeout_ms", |field| field.integer(1..=MAX_WAIT_MS))?,
            create_response,
            interrupt_response,
        }))
    }
}

/// What is taken out of the client's audio before it is listened to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NoiseReduction {
    /// For a microphone at the mouth.
    NearField,
    /// For a microphone in the room.
    FarField,
}

impl NoiseReduction {
    pub(super) fn read(field: Field) -> Read<Self> {
        let kinds = [("near_field", Self::NearField), ("far_field", Self::FarField)];
        field.object()?.need("type")?.one_of(&kinds)
    }
}

impl Serialize for NoiseReduction {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let kind = match self {
            Self::NearField => "near_field",
            Self::FarField => "far_field",
        };
        serializer.collect_map([("type", kind)])
    }
}

/// The wish to read what the caller said.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Transcription {
    /// Which model the client has in mind.
    pub model: Option<String>,
    /// The language, as ISO 639.
    pub language: Option<String>,
    /// What it will be about.
    pub prompt: Option<String>,
}

impl Transcription {
    pub(super) fn read(field: Field) -> Read<Self> {
        let mut fields = field.object()?;
        let mut text = |name| fields.read(name, |field| field.string(MAX_HINT_BYTES));
        Ok(Self { model: text("model")?, language: text("language")?, prompt: text("prompt")? })
    }
}
