//! The voice of simulated callers: the sandbox' own, sub-carrier included.

use async_trait::async_trait;
use seiketsu_carrier::{SpeechError, SpeechSource, Utterance};
use seiketsu_domain::Language;
use seiketsu_sandbox::{Espeak, EspeakVoice};

/// A caller's voice; nobody mistakes it for the agent's.
pub(crate) const CALLER_VOICE: &str = "caller";

#[derive(Debug)]
pub(crate) struct CallerVoice {
    espeak: Espeak,
    language: Language,
}

impl CallerVoice {
    pub(crate) fn speaking(language: Language) -> Self {
        Self { espeak: Espeak::new(), language }
    }
}

#[async_trait]
impl SpeechSource for CallerVoice {
    async fn speak(&self, text: &str) -> Result<Utterance, SpeechError> {
        let spoken = self
            .espeak
            .speak(text, &EspeakVoice::of(CALLER_VOICE, self.language))
            .await
            .map_err(|error| SpeechError::Synthesis(error.to_string()))?;
        Utterance::carrying(Some(text.to_owned()), &spoken.speech_8k, &spoken.pcm_8k)
    }
}
