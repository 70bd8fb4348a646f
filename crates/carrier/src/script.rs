//! What a simulated caller does, step by step.
//!
//! A script is a JSON list of steps, or an object that says more about the caller and the line:
//!
//! ```json
//! {
//!   "language": "en",
//!   "line": { "noise": { "kind": "room", "level_dbfs": -45 }, "echo": { "level_db": -25, "delay_ms": 180 } },
//!   "steps": [
//!     { "say": "hi i am looking for a three bedroom house" },
//!     { "murmur": { "say": "mm-hm", "after_ms": 1500 } },
//!     { "interrupt": { "say": "wait i meant a condo", "after_ms": 2000 } },
//!     { "keys": "5125550147#" },
//!     { "silence_ms": 9000 },
//!     { "say": "let me talk to a person" },
//!     { "hold_ms": 60000 },
//!     "hang_up"
//!   ]
//! }
//! ```
//!
//! The caller speaks when the agent has finished, unless the step says otherwise; see [`ScriptLine`].

use crate::{
    line::LineEffects,
    utterance::{SpeechError, SpeechSource, Utterance},
};
use seiketsu_domain::Language;
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
    /// Speaks into the agent's answer, so long after it began; or in its turn, if the answer was over before.
    Interrupt {
        /// What.
        utterance: Utterance,
        /// When.
        after_ms: u32,
    },
    /// Makes a sound while the agent speaks that asks for no answer: "mm-hm", a cough. Not made if the answer is over
    /// before it is due.
    Murmur {
        /// What.
        utterance: Utterance,
        /// So long after the answer began.
        after_ms: u32,
    },
    /// Presses keys, and listens for an answer as after a line.
    Digits(String),
    /// Goes on after so many milliseconds, whatever the agent says; right after a line it replaces listening.
    Wait(u32),
    /// Says nothing for so long when it is the caller's turn.
    Silence(u32),
    /// Holds the line, as one does who is put through: until the agent speaks again, the call ends, or so long.
    Hold(u32),
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
    /// Text to speak into the agent's answer.
    Interrupt(Aside),
    /// Text to murmur while the agent speaks.
    Murmur(Aside),
    /// A cough while the agent speaks.
    Cough {
        /// So long after the answer began.
        after_ms: u32,
    },
    /// A WAV file to play.
    Wav(PathBuf),
    /// Keys to press.
    #[serde(alias = "digits")]
    Keys(String),
    /// Milliseconds after which to go on, answer or not.
    WaitMs(u32),
    /// Milliseconds of silence when it is the caller's turn.
    SilenceMs(u32),
    /// Milliseconds to hold the line for at most.
    HoldMs(u32),
    /// Loses the media connection.
    CutStream,
    /// Hangs up.
    HangUp,
}

/// What is said while the agent speaks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Aside {
    /// The words.
    pub say: String,
    /// So long after the answer began.
    pub after_ms: u32,
}

/// A whole script.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Script {
    /// What the caller speaks.
    pub language: Language,
    /// How the line misbehaves.
    pub line: LineEffects,
    /// What the caller does.
    pub steps: Vec<ScriptLine>,
}

impl Script {
    /// A script of steps alone.
    pub fn of(steps: Vec<ScriptLine>) -> Self {
        Self { steps, ..Self::default() }
    }

    /// Reads a script: a list of steps, or an object.
    pub fn parse(text: &str) -> Result<Self, serde_json::Error> {
        if text.trim_start().starts_with('[') {
            serde_json::from_str(text).map(Self::of)
        } else {
            serde_json::from_str(text)
        }
    }
}

/// Turns a script into sound, before the call.
pub async fn prepare(lines: &[ScriptLine], voice: &dyn SpeechSource) -> Result<Vec<Step>, SpeechError> {
    let mut steps = Vec::with_capacity(lines.len());
    for line in lines {
        steps.push(match line {
            ScriptLine::Say(text) => Step::Say(voice.speak(text).await?),
            ScriptLine::Interrupt(Aside { say, after_ms }) => {
                Step::Interrupt { utterance: voice.speak(say).await?, after_ms: *after_ms }
            }
            ScriptLine::Murmur(Aside { say, after_ms }) => {
                Step::Murmur { utterance: voice.speak(say).await?, after_ms: *after_ms }
            }
            ScriptLine::Cough { after_ms } => {
                Step::Murmur { utterance: Utterance::cough()?, after_ms: *after_ms }
            }
            ScriptLine::Wav(path) => Step::Say(Utterance::from_wav(path)?),
            ScriptLine::Keys(digits) => Step::Digits(digits.clone()),
            ScriptLine::WaitMs(millis) => Step::Wait(*millis),
            ScriptLine::SilenceMs(millis) => Step::Silence(*millis),
            ScriptLine::HoldMs(millis) => Step::Hold(*millis),
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
            r#"[{"say":"hello"},{"wait_ms":300},{"keys":"12#"},{"wav":"a.wav"},"cut_stream","hang_up"]"#;
        let lines: Vec<ScriptLine> = serde_json::from_str(text).unwrap();
        assert_eq!(lines[0], ScriptLine::Say("hello".to_owned()));
        assert_eq!(lines[5], ScriptLine::HangUp);
        assert_eq!(serde_json::to_string(&lines).unwrap(), text);
    }

    #[test]
    fn a_script_is_a_list_of_steps_or_says_more_about_caller_and_line() {
        let list = Script::parse(r#" [{"digits":"1"}]"#).unwrap();
        assert_eq!(list, Script::of(vec![ScriptLine::Keys("1".to_owned())]));
        let script = Script::parse(
            r#"{"language":"es","line":{"noise":{"kind":"room","level_dbfs":-45}},
                "steps":[{"interrupt":{"say":"wait","after_ms":800}},{"murmur":{"say":"mm-hm","after_ms":100}},
                         {"cough":{"after_ms":300}},{"silence_ms":5000},{"hold_ms":60000}]}"#,
        )
        .unwrap();
        assert_eq!(script.language, Language::Es);
        assert_eq!(script.line.noise.map(|noise| noise.level_dbfs), Some(-45));
        assert_eq!(script.steps[2], ScriptLine::Cough { after_ms: 300 });
        for bad in [r#"{"step":[]}"#, r#"[{"shout":"hi"}]"#, r#"[{"murmur":{"say":"hm"}}]"#, "", "{"] {
            assert!(Script::parse(bad).is_err(), "{bad}");
        }
    }
}
