//! What is asked of the vendors: services that fail as a whole, and the requests that are counted and drawn for.

use serde::{Deserialize, Serialize};

/// A service of a vendor, as one status page would list it. Services fail independently, also those of one company.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Service {
    /// Deepgram's recogniser: `/v1/listen`.
    Deepgram,
    /// ElevenLabs' recogniser: `/v1/speech-to-text/realtime`.
    Scribe,
    /// OpenAI's recogniser: `/v1/audio/transcriptions`.
    Transcription,
    /// OpenAI's language model: `/v1/chat/completions`, `/v1/models`.
    Model,
    /// ElevenLabs' voice: `/v1/text-to-speech/{voice}/multi-stream-input`.
    #[serde(rename = "elevenlabs")]
    ElevenLabs,
    /// OpenAI's voice: `/v1/audio/speech`.
    Speech,
}

impl Service {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Deepgram, Self::Scribe, Self::Transcription, Self::Model, Self::ElevenLabs, Self::Speech];

    /// The vendor it belongs to, by the name it has in metrics and logs.
    pub const fn vendor(self) -> &'static str {
        match self {
            Self::Deepgram => "deepgram",
            Self::Scribe | Self::ElevenLabs => "elevenlabs",
            Self::Transcription | Self::Model | Self::Speech => "openai",
        }
    }
}

/// The things that can be slow or go wrong, each counted and drawn for by itself.
///
/// A socket lives for a whole call and is not one request: opening it is one, and so is each thing that is asked of it
/// afterwards. For a recogniser that is each stretch of speech, from its first voiced sample to its final transcript (a
/// `Finalize`, a `commit` and a `KeepAlive` belong to the stretch they end, or are free). For a voice it is each text
/// that is ready to be spoken: one phrase of the platform. An HTTP request is one request. So the one per cent that
/// stalls is one per cent of what a caller would notice, whichever protocol a vendor has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RequestKind {
    // The place of a variant is part of the key that its draws follow from: new ones go to the end.
    /// Opening a Deepgram socket.
    RecogniserOpening,
    /// One stretch of speech heard by Deepgram.
    Utterance,
    /// One OpenAI chat completion.
    Generation,
    /// Opening an ElevenLabs voice socket.
    VoiceOpening,
    /// One text spoken by ElevenLabs.
    Synthesis,
    /// Opening a Scribe socket.
    ScribeOpening,
    /// One stretch of speech heard by Scribe.
    ScribeUtterance,
    /// One recording transcribed by OpenAI.
    Transcription,
    /// One text spoken by OpenAI.
    Speech,
}

impl RequestKind {
    /// The service that is asked.
    pub const fn service(self) -> Service {
        match self {
            Self::RecogniserOpening | Self::Utterance => Service::Deepgram,
            Self::Generation => Service::Model,
            Self::VoiceOpening | Self::Synthesis => Service::ElevenLabs,
            Self::ScribeOpening | Self::ScribeUtterance => Service::Scribe,
            Self::Transcription => Service::Transcription,
            Self::Speech => Service::Speech,
        }
    }

    /// The vendor that is asked, by the name it has in metrics and logs.
    pub const fn vendor(self) -> &'static str {
        self.service().vendor()
    }
}
