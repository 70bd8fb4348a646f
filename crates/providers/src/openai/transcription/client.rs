//! One utterance after the other over HTTP.

use super::{
    utterance::{Taken, Utterance},
    wire::{self, AnswerParser, Heard},
};
use crate::{
    Failure, FailureKind, Recogniser, RecogniserInput, RecogniserOptions, RecogniserSession,
    RecognitionEvent, Vendor,
    alarm::Alarm,
    openai::endpoint::{self, Body, Endpoint},
    outbox::Outbox,
};
use async_trait::async_trait;
use futures_util::StreamExt;
use http::{Method, header};
use secrecy::SecretString;
use std::{future, time::Duration};
use tokio::sync::mpsc;
use tokio_util::task::TaskTracker;
use url::Url;

/// More than a second of audio in frames of 20 ms.
const INPUT_QUEUE: usize = 64;
/// Events that wait for a slow reader before the vendor has to.
const EVENT_QUEUE: usize = 64;

/// Where, as whom and how patiently.
#[derive(Debug, Clone)]
pub struct TranscriptionConfig {
    /// Up to and including the version: `https://api.openai.com/v1`.
    pub base_url: Url,
    /// The API key.
    pub api_key: SecretString,
    /// The vendor's name of the model, for example `gpt-4o-mini-transcribe`.
    pub model: String,
    /// From asking for the words of an utterance to the last of them.
    pub answer_timeout: Duration,
}

impl TranscriptionConfig {
    /// Patience that suits a phone call: 3 s for an utterance.
    pub fn new(base_url: Url, api_key: SecretString) -> Self {
        Self {
            base_url,
            api_key,
            model: "gpt-4o-mini-transcribe".to_owned(),
            answer_timeout: Duration::from_secs(3),
        }
    }
}

/// A recogniser that listens to whole utterances: nothing is sent, and no word comes, before
/// [`RecogniserInput::Finalize`] asks for it. Then the words come as they are written, the last ones as the answer. So
/// it knows neither partials while somebody speaks nor starts of speech, and `endpointing_ms` of the options has no
/// effect: a second choice for when the others are gone.
///
/// An utterance longer than 30 s loses its beginning. Where nobody spoke, the answer is empty and costs nothing. Opening
/// a stream asks the vendor nothing, so that it always works.
#[derive(Debug, Clone)]
pub struct Transcription {
    endpoint: Endpoint,
    model: String,
    answer_timeout: Duration,
    tasks: TaskTracker,
}

impl Transcription {
    /// A client whose sessions are tasks of `tasks`.
    pub fn new(config: TranscriptionConfig, http: reqwest::Client, tasks: TaskTracker) -> Self {
        let TranscriptionConfig { base_url, api_key, model, answer_timeout } = config;
        Self { endpoint: Endpoint::new(base_url, api_key, http), model, answer_timeout, tasks }
    }
}

#[async_trait]
impl Recogniser for Transcription {
    async fn open(&self, options: RecogniserOptions) -> Result<RecogniserSession, Failure> {
        let (input_sender, input) = mpsc::channel(INPUT_QUEUE);
        let (events, event_receiver) = mpsc::channel(EVENT_QUEUE);
        let session = Session {
            client: self.clone(),
            utterance: Utterance::new(options.format),
            options,
            input,
            outbox: Outbox::new(events),
            asked: None,
            ask_again: false,
        };
        self.tasks.spawn(session.run());
        Ok(RecogniserSession { input: input_sender, events: event_receiver })
    }
}

struct Session {
    client: Transcription,
    options: RecogniserOptions,
    input: mpsc::Receiver<RecogniserInput>,
    /// While anything waits here, no answer is read, but audio is still taken.
    outbox: Outbox<RecognitionEvent>,
    utterance: Utterance,
    asked: Option<Asked>,
    /// Words were asked for while others were on their way.
    ask_again: bool,
}

/// An utterance that the vendor is working on.
struct Asked {
    answer: Body,
    parser: AnswerParser,
    deadline: Alarm,
    start_ms: u64,
    end_ms: u64,
}

impl Session {
    async fn run(mut self) {
        if let Err(failure) = self.converse().await {
            self.outbox.end_with(RecognitionEvent::Failed(failure)).await;
        }
    }

    /// Until nobody wants to know more.
    async fn converse(&mut self) -> Result<(), Failure> {
        let mut open = true;
        while open || self.asked.is_some() || !self.outbox.is_empty() {
            let reading = self.outbox.is_empty();
            tokio::select! {
                biased;
                input = self.input.recv(), if open => match input {
                    Some(RecogniserInput::Audio(audio)) => self.utterance.push(&audio),
                    Some(RecogniserInput::Finalize) => self.ask()?,
                    Some(RecogniserInput::Close) | None => {
                        open = false;
                        self.ask()?;
                    }
                },
                passed_on = self.outbox.pass_on() => {
                    if passed_on.is_err() {
                        return Ok(());
                    }
                }
                step = next(&mut self.asked), if reading => self.take(step)?,
            }
        }
        Ok(())
    }

    /// Asks for the words of everything so far, or does so as soon as those before have come.
    fn ask(&mut self) -> Result<(), Failure> {
        if self.asked.is_some() {
            self.ask_again = true;
            return Ok(());
        }
        let Taken { audio, start_ms, end_ms } = self.utterance.take();
        let Some(audio) = audio else {
            self.outbox.push(answered(String::new(), None, start_ms, end_ms));
            return Ok(());
        };
        let client = &self.client;
        let request = client
            .endpoint
            .request(Method::POST, &["audio", "transcriptions"])?
            .header(header::CONTENT_TYPE, wire::CONTENT_TYPE)
            .body(wire::body(&client.model, &self.options, &audio));
        self.asked = Some(Asked {
            answer: endpoint::stream(request, &["text/event-stream", "application/json"]),
            parser: AnswerParser::new(),
            deadline: Alarm::after(client.answer_timeout),
            start_ms,
            end_ms,
        });
        Ok(())
    }

    fn take(&mut self, step: Step) -> Result<(), Failure> {
        let Some(asked) = &mut self.asked else { return Ok(()) };
        let mut heard = Vec::new();
        let outcome = match step {
            Step::Bytes(bytes) => asked.parser.push(&bytes, &mut heard).map_err(Failure::from),
            Step::End => asked.parser.end(&mut heard).map_err(Failure::from),
            Step::Broke(failure) => Err(failure),
            Step::Late => {
                let limit = self.client.answer_timeout.as_millis();
                let detail = format!("no end of the words within {limit} ms");
                Err(Failure::new(Vendor::OpenAi, FailureKind::Timeout, detail))
            }
        };
        let (start_ms, end_ms) = (asked.start_ms, asked.end_ms);
        let done = asked.parser.is_done();
        // What was read before it broke is as good as before.
        self.outbox.extend(heard.into_iter().map(|heard| match heard {
            Heard::SoFar(text) => RecognitionEvent::Partial { text, start_ms, end_ms },
            Heard::All { text, confidence } => answered(text, confidence, start_ms, end_ms),
        }));
        if done {
            self.asked = None;
            if std::mem::take(&mut self.ask_again) {
                self.ask()?;
            }
            return Ok(());
        }
        outcome
    }
}

/// What happened to a request.
enum Step {
    Bytes(bytes::Bytes),
    End,
    Broke(Failure),
    Late,
}

/// The next thing that happens to a request; nothing ever without one. Cancel safe.
async fn next(asked: &mut Option<Asked>) -> Step {
    let Some(asked) = asked else { return future::pending().await };
    tokio::select! {
        biased;
        piece = asked.answer.next() => match piece {
            Some(Ok(bytes)) => Step::Bytes(bytes),
            Some(Err(failure)) => Step::Broke(failure),
            None => Step::End,
        },
        () = asked.deadline.ring() => Step::Late,
    }
}

fn answered(text: String, confidence: Option<f32>, start_ms: u64, end_ms: u64) -> RecognitionEvent {
    RecognitionEvent::Final { text, speech_final: false, from_finalize: true, start_ms, end_ms, confidence }
}

#[cfg(test)]
#[path = "client_tests.rs"]
mod tests;
