//! The messages of `multi-stream-input`, and the parameters of its address.

use crate::voice::OutputFormat;
use serde::{Deserialize, Serialize};

/// How many contexts may be open on a socket.
pub const MAX_CONTEXTS: usize = 5;

/// The longest silence of a client, in seconds, that it may ask to be allowed.
const MAX_INACTIVITY_SECONDS: u64 = 180;

fn format_of(name: &str) -> Option<OutputFormat> {
    match name {
        "ulaw_8000" => Some(OutputFormat::Ulaw8k),
        "alaw_8000" => Some(OutputFormat::Alaw8k),
        "pcm_8000" => Some(OutputFormat::Pcm8k),
        "pcm_16000" => Some(OutputFormat::Pcm16k),
        "pcm_24000" => Some(OutputFormat::Pcm24k),
        _ => None,
    }
}

/// The parameters of the address, as they come.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Parameters {
    output_format: Option<String>,
    language_code: Option<String>,
    inactivity_timeout: Option<u64>,
    #[serde(default)]
    auto_mode: bool,
}

/// What a session is to be like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Form of the audio.
    pub format: OutputFormat,
    /// ISO 639-1, if given.
    pub language_code: Option<String>,
    /// How long the client may be silent.
    pub inactivity_seconds: u64,
    /// Speak each sentence as soon as it is complete.
    pub auto_mode: bool,
}

/// A parameter that is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParameterError {
    /// Nothing the sandbox can give.
    #[error(
        "output_format `{0}` is not available; one of ulaw_8000, alaw_8000, pcm_8000, pcm_16000, pcm_24000"
    )]
    OutputFormat(String),
    /// Longer than the vendor allows, or zero.
    #[error("inactivity_timeout has to be between 1 and {MAX_INACTIVITY_SECONDS} seconds")]
    InactivityTimeout,
}

impl TryFrom<Parameters> for Session {
    type Error = ParameterError;

    fn try_from(parameters: Parameters) -> Result<Self, ParameterError> {
        // The vendor's default is an MP3, which nobody who asks for a phone call wants.
        let format = parameters.output_format.unwrap_or_else(|| "mp3_44100_128".to_owned());
        let format = format_of(&format).ok_or(ParameterError::OutputFormat(format))?;
        let inactivity_seconds = parameters.inactivity_timeout.unwrap_or(20);
        if !(1..=MAX_INACTIVITY_SECONDS).contains(&inactivity_seconds) {
            return Err(ParameterError::InactivityTimeout);
        }
        let Parameters { language_code, auto_mode, .. } = parameters;
        Ok(Self { format, language_code, inactivity_seconds, auto_mode })
    }
}

/// What a client sends. Settings of the voice are accepted and make no difference to espeak-ng.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
pub struct ClientMessage {
    /// More to say; one space begins a context, nothing at all keeps it alive.
    pub text: Option<String>,
    /// Which context; there is an unnamed one.
    pub context_id: Option<String>,
    /// Say what is buffered.
    #[serde(default)]
    pub flush: bool,
    /// No more text for this context.
    #[serde(default)]
    pub close_context: bool,
    /// The end of everything.
    #[serde(default)]
    pub close_socket: bool,
}

/// What the vendor sends.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AudioMessage<'a> {
    /// Base64; none in the last message of a context.
    pub audio: Option<String>,
    /// Present and true in the last message of a context.
    pub is_final: Option<bool>,
    /// Characters heard in this chunk.
    pub alignment: Option<&'a Alignment>,
    /// The same for the text as it was pronounced; the sandbox pronounces what it is given.
    pub normalized_alignment: Option<&'a Alignment>,
    /// Which context.
    pub context_id: &'a str,
}

/// Characters and their times, from the start of the chunk.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Alignment {
    /// One character each.
    pub chars: Vec<String>,
    /// When it begins.
    pub char_start_times_ms: Vec<u32>,
    /// How long it lasts.
    pub char_durations_ms: Vec<u32>,
}

/// What the vendor says before it closes the socket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ErrorMessage {
    /// For people.
    pub message: String,
    /// For programs.
    pub error: &'static str,
    /// The code of the close that follows.
    pub code: u16,
}

impl ErrorMessage {
    /// An error that closes with 1008, as almost all do.
    pub fn policy(error: &'static str, message: impl Into<String>) -> Self {
        Self { message: message.into(), error, code: crate::websocket::code::POLICY }
    }
}

/// The text of any of the messages above.
pub fn to_text<T: Serialize>(message: &T) -> String {
    // Strings, numbers and lists of them cannot fail to serialise; a message that did would show as an empty one.
    serde_json::to_string(message).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_audio_message_has_the_vendors_keys() {
        let alignment = Alignment {
            chars: vec!["H".into(), "i".into()],
            char_start_times_ms: vec![180, 220],
            char_durations_ms: vec![40, 40],
        };
        let message = AudioMessage {
            audio: Some("//8=".into()),
            is_final: None,
            alignment: Some(&alignment),
            normalized_alignment: Some(&alignment),
            context_id: "c1",
        };
        insta::assert_snapshot!(to_text(&message), @r#"{"audio":"//8=","isFinal":null,"alignment":{"chars":["H","i"],"charStartTimesMs":[180,220],"charDurationsMs":[40,40]},"normalizedAlignment":{"chars":["H","i"],"charStartTimesMs":[180,220],"charDurationsMs":[40,40]},"contextId":"c1"}"#);
    }

    #[test]
    fn the_errors_have_the_vendors_shape() {
        let error =
            ErrorMessage::policy("max_active_conversations", "Maximum simultaneous contexts exceeded (5).");
        insta::assert_snapshot!(to_text(&error), @r#"{"message":"Maximum simultaneous contexts exceeded (5).","error":"max_active_conversations","code":1008}"#);
    }

    #[test]
    fn parameters_have_the_vendors_defaults_and_limits() {
        let parameters =
            |format: &str| Parameters { output_format: Some(format.into()), ..Parameters::default() };
        let session = Session::try_from(parameters("ulaw_8000")).unwrap();
        assert_eq!(session.inactivity_seconds, 20);
        assert!(!session.auto_mode);
        assert!(matches!(
            Session::try_from(parameters("opus_48000_32")),
            Err(ParameterError::OutputFormat(_))
        ));
        assert!(matches!(Session::try_from(Parameters::default()), Err(ParameterError::OutputFormat(_))));
        for seconds in [0, 181] {
            let parameters = Parameters { inactivity_timeout: Some(seconds), ..parameters("pcm_16000") };
            assert_eq!(Session::try_from(parameters), Err(ParameterError::InactivityTimeout));
        }
    }

    #[test]
    fn every_documented_client_message_is_understood() {
        let parse = |text| serde_json::from_str::<ClientMessage>(text).unwrap();
        let begin = parse(
            r#"{"text":" ","context_id":"c1","voice_settings":{"stability":0.5},"generation_config":{}}"#,
        );
        assert_eq!((begin.text.as_deref(), begin.context_id.as_deref()), (Some(" "), Some("c1")));
        assert!(parse(r#"{"text":"Hello. ","context_id":"c1","flush":true}"#).flush);
        assert!(parse(r#"{"context_id":"c1","close_context":true}"#).close_context);
        assert!(parse(r#"{"close_socket":true}"#).close_socket);
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in ".{0,200}") {
            let _ = serde_json::from_str::<ClientMessage>(&text);
        }
    }
}
