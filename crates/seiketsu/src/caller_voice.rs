//! Words spoken for callers without a microphone: by the sandbox' own voice where the sandbox listens, so that it
//! understands them; else by the platform's voice.

use crate::speech::CALLER_VOICE;
use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use seiketsu_audio::resample;
use seiketsu_domain::{AudioFormat, Language};
use seiketsu_gateway::v1::speech::CallerVoice;
use seiketsu_providers::{SynthesisId, Voice, VoiceEvent, VoiceInput, VoiceOptions};
use seiketsu_sandbox::{Espeak, EspeakVoice};
use std::{sync::Arc, time::Duration};

/// How long a sentence may take to be spoken.
const PATIENCE: Duration = Duration::from_secs(10);
/// What a sentence may take up: three minutes.
const MAX_BYTES: usize = 180 * 48_000;
const PHONE_HZ: u32 = 8_000;
const DOOR_HZ: u32 = 24_000;

/// The voice of simulated callers.
#[derive(Debug)]
pub(crate) struct SandboxVoice(Espeak);

impl SandboxVoice {
    pub(crate) fn new() -> Self {
        Self(Espeak::new())
    }
}

#[async_trait]
impl CallerVoice for SandboxVoice {
    async fn speak(&self, text: &str, language: Language) -> Result<Bytes, String> {
        let voice = EspeakVoice::of(CALLER_VOICE, language);
        let spoken = self.0.speak(text, &voice).await.map_err(|error| error.to_string())?;
        let samples =
            resample::arbitrary(&spoken.pcm_8k, PHONE_HZ, DOOR_HZ).map_err(|error| error.to_string())?;
        Ok(samples.iter().flat_map(|sample| sample.to_le_bytes()).collect())
    }
}

/// A vendor's voice.
#[derive(Debug)]
pub(crate) struct VendorVoice(pub Arc<dyn Voice>);

#[async_trait]
impl CallerVoice for VendorVoice {
    async fn speak(&self, text: &str, language: Language) -> Result<Bytes, String> {
        let spoken = tokio::time::timeout(PATIENCE, say(&*self.0, text, language)).await;
        spoken.unwrap_or_else(|_| Err(format!("the voice took longer than {} s", PATIENCE.as_secs())))
    }
}

async fn say(voice: &dyn Voice, text: &str, language: Language) -> Result<Bytes, String> {
    let options =
        VoiceOptions { voice: crate::vendors::probe_voice(), language, format: AudioFormat::Pcm24k };
    let mut session = voice.open(options).await.map_err(|failure| failure.to_string())?;
    if session.format != AudioFormat::Pcm24k {
        return Err("the voice has no audio of 24 kHz".to_owned());
    }
    let speak = VoiceInput::Speak { id: SynthesisId(0), text: text.to_owned() };
    // If the session is over already, its last event says why.
    let _ = session.input.send(speak).await;
    let mut sound = BytesMut::new();
    loop {
        match session.events.recv().await {
            Some(VoiceEvent::Audio { audio, .. }) if sound.len() + audio.len() <= MAX_BYTES => {
                sound.extend_from_slice(&audio);
            }
            Some(VoiceEvent::Audio { .. }) => return Err("the voice does not stop speaking".to_owned()),
            Some(VoiceEvent::Finished { .. }) if sound.is_empty() => {
                return Err("the voice made no sound".to_owned());
            }
            Some(VoiceEvent::Finished { .. }) => return Ok(sound.freeze()),
            Some(VoiceEvent::Failed { failure, .. }) => return Err(failure.to_string()),
            None => return Err("the voice ended in the middle".to_owned()),
        }
    }
}
