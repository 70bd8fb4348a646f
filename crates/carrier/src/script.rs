//! What a simulated caller does, step by step.

use crate::utterance::{SpeechError, SpeechSource, Utterance};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// One thing a caller does.
///
/// A line (`Say`) waits until the agent has answered the one before and has been silent for the caller's patience. A
/// `Wait` right after a line replaces that: the caller goes on after so long, answer or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Speaks.
    Say(Utterance),
    /// Presses keys.
    Digits(String),
    /// Is silent for so many milliseconds.
    Wait(u32),
    /// Loses the media connection; the call goes on if the platform takes it up again.
    CutStream,
    /// Hangs up. The end of the script does too, after the last answer.
    HangUp,
}

/// A step as people write it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ScriptLine {
    /// Text to speak.
    Say(String),
    /// A WAV file to play.
    Wav(PathBuf),
    /// Keys to press.
    Digits(String),
    /// Milliseconds of silence.
    WaitMs(u32),
    /// Loses the media connection.
    CutStream,
    /// Hangs up.
    HangUp,
}

/// Turns a script into sound, before the call.
pub async fn prepare(lines: &[ScriptLine], voice: &dyn SpeechSource) -> Result<Vec<Step>, SpeechError> {
    let mut steps = Vec::with_capacity(lines.len());
    for line in lines {
        steps.push(match line {
            ScriptLine::Say(text) => Step::Say(voice.speak(text).await?),
            ScriptLine::Wav(path) => Step::Say(Utterance::from_wav(path)?),
            ScriptLine::Digits(digits) => Step::Digits(digits.clone()),
            ScriptLine::WaitMs(millis) => Step::Wait(*millis),
            ScriptLine::CutStream => Step::CutStream,
            ScriptLine::HangUp => Step::HangUp,
        });
    }
    Ok(steps)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_is_readable_json() {
        let text =
            r#"[{"say":"hello"},{"wait_ms":300},{"digits":"12#"},{"wav":"a.wav"},"cut_stream","hang_up"]"#;
        let lines: Vec<ScriptLine> = serde_json::from_str(text).unwrap();
        assert_eq!(lines[0], ScriptLine::Say("hello".to_owned()));
        assert_eq!(lines[5], ScriptLine::HangUp);
        assert_eq!(serde_json::to_string(&lines).unwrap(), text);
    }
}
