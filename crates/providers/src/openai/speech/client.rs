//! Speech over HTTP.

use super::{
    requests::{self, Requests},
    wire::{self, SpeechVoices},
};
use crate::{
    Failure, FailureKind, SynthesisId, Vendor, Voice, VoiceEvent, VoiceInput, VoiceOptions, VoiceSession,
    openai::endpoint::Endpoint, outbox::Outbox,
};
use async_trait::async_trait;
use http::{Method, header};
use reqwest::RequestBuilder;
use secrecy::SecretString;
use seiketsu_domain::Language;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::task::TaskTracker;
use url::Url;

/// Texts and cancellations that wait to be taken.
const INPUT_QUEUE: usize = 64;
/// Events that wait for a slow reader before the vendor has to.
const EVENT_QUEUE: usize = 64;
/// Events that our own inputs may cause while the reader is slow.
const MAX_OUTBOX: usize = 64;

/// Where, as whom and how patiently.
#[derive(Debug, Clone)]
pub struct SpeechConfig {
    /// Up to and including the version: `https://api.openai.com/v1`.
    pub base_url: Url,
    /// The API key.
    pub api_key: SecretString,
    /// The vendor's name of the model, for example `gpt-4o-mini-tts`.
    pub model: String,
    /// The voice of each language; the one in [`VoiceOptions`] is another vendor's.
    pub voices: SpeechVoices,
    /// How fast, from 0.25 to 4; not every model takes it, and nothing is sent unless it is set.
    pub speed: Option<f32>,
    /// From asking to the first audio, and between pieces of it; after that the synthesis has failed.
    pub progress_timeout: Duration,
}

impl SpeechConfig {
    /// Patience that suits a phone call: 1.5 s without progress.
    pub fn new(base_url: Url, api_key: SecretString) -> Self {
        Self {
            base_url,
            api_key,
            model: "gpt-4o-mini-tts".to_owned(),
            voices: SpeechVoices::default(),
            speed: None,
            progress_timeout: Duration::from_millis(1_500),
        }
    }
}

/// A voice that is asked anew for each text. It delivers 24 kHz samples whatever was wanted, without the times of
/// characters. Opening a session asks the vendor nothing, so that it always works.
#[derive(Debug, Clone)]
pub struct Speech {
    endpoint: Endpoint,
    model: String,
    voices: SpeechVoices,
    speed: Option<f32>,
    progress_timeout: Duration,
    tasks: TaskTracker,
}

impl Speech {
    /// A client whose sessions are tasks of `tasks`.
    pub fn new(config: SpeechConfig, http: reqwest::Client, tasks: TaskTracker) -> Self {
        let SpeechConfig { base_url, api_key, model, voices, speed, progress_timeout } = config;
        let endpoint = Endpoint::new(base_url, api_key, http);
        Self { endpoint, model, voices, speed, progress_timeout, tasks }
    }

    fn request(&self, language: Language, text: &str) -> Result<RequestBuilder, Failure> {
        let voice = self.voices.of(language);
        let body = wire::request_body(&self.model, voice, self.speed, language, text)?;
        let request = self.endpoint.request(Method::POST, &["audio", "speech"])?;
        Ok(request.header(header::CONTENT_TYPE, "application/json").body(body))
    }
}

#[async_trait]
impl Voice for Speech {
    async fn open(&self, options: VoiceOptions) -> Result<VoiceSession, Failure> {
        let (input_sender, input) = mpsc::channel(INPUT_QUEUE);
        let (events, event_receiver) = mpsc::channel(EVENT_QUEUE);
        let session = Session {
            client: self.clone(),
            language: options.language,
            input,
            requests: Requests::new(self.progress_timeout),
            outbox: Outbox::new(events),
        };
        self.tasks.spawn(session.run());
        Ok(VoiceSession { input: input_sender, events: event_receiver, format: wire::FORMAT })
    }
}

struct Session {
    client: Speech,
    language: Language,
    input: mpsc::Receiver<VoiceInput>,
    requests: Requests,
    outbox: Outbox<VoiceEvent>,
}

impl Session {
    /// Until it is asked to end, or nobody listens any more.
    async fn run(mut self) {
        let mut more_input = true;
        while more_input || !self.requests.is_idle() || !self.outbox.is_empty() {
            // While the reader is slow no answer is read, but cancellations still count.
            let reading = self.outbox.is_empty();
            tokio::select! {
                biased;
                input = self.input.recv(), if more_input && self.outbox.len() < MAX_OUTBOX => match input {
                    Some(VoiceInput::Speak { id, text }) => self.speak(id, &text),
                    Some(VoiceInput::Cancel { id }) => {
                        self.requests.cancel(id);
                        self.outbox.retain(|event| event_id(event) != Some(id));
                    }
                    Some(VoiceInput::Close) => return,
                    None => more_input = false,
                },
                passed_on = self.outbox.pass_on() => {
                    if passed_on.is_err() {
                        return;
                    }
                }
                event = self.requests.next(), if reading => self.outbox.push(event),
            }
        }
    }

    fn speak(&mut self, id: SynthesisId, text: &str) {
        let outcome = if self.requests.knows(id) {
            Err(Failure::new(Vendor::OpenAi, FailureKind::BadRequest, "an id that is already in use"))
        } else if let Some(failure) = requests::refusal(text) {
            Err(failure)
        } else if text.trim().is_empty() {
            self.outbox.push(VoiceEvent::Finished { id });
            Ok(())
        } else {
            let request = self.client.request(self.language, text);
            request.and_then(|request| self.requests.add(id, request))
        };
        if let Err(failure) = outcome {
            self.outbox.push(VoiceEvent::Failed { id: Some(id), failure });
        }
    }
}

const fn event_id(event: &VoiceEvent) -> Option<SynthesisId> {
    match event {
        VoiceEvent::Audio { id, .. } | VoiceEvent::Finished { id } => Some(*id),
        VoiceEvent::Failed { id, .. } => *id,
    }
}

#[cfg(test)]
#[path = "client_tests.rs"]
mod tests;
