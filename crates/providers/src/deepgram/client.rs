//! Live transcription over a WebSocket.

use super::wire::{self, Incoming};
use crate::{
    Failure, Recogniser, RecogniserOptions, RecogniserSession, RecognitionEvent, Vendor, http_status,
    live::{self, Dialect, Pace},
    websocket::{Patience, Socket, text},
};
use async_trait::async_trait;
use bytes::Bytes;
use http::header;
use secrecy::{ExposeSecret, SecretString};
use std::time::Duration;
use tokio_tungstenite::tungstenite::Message;
use tokio_util::task::TaskTracker;
use url::Url;

/// Where, as whom and how patiently.
#[derive(Debug, Clone)]
pub struct DeepgramConfig {
    /// Without a path: `https://api.deepgram.com`.
    pub base_url: Url,
    /// The API key.
    pub api_key: SecretString,
    /// The vendor's name of the model, for example `nova-3`.
    pub model: String,
    /// For name, TCP, TLS and the WebSocket handshake together.
    pub connect_timeout: Duration,
    /// Without audio for so long, a keep-alive is sent. The vendor hangs up after ten seconds of nothing.
    pub keep_alive: Duration,
    /// Between pings; a peer that leaves two of them unanswered counts as gone.
    pub ping: Duration,
    /// How long a [`crate::RecogniserInput::Finalize`] may go without an answer, and without any other message before
    /// it; then the stream counts as half open. The vendor answers even where there were no words.
    pub answer_timeout: Duration,
    /// While audio flows and the vendor says nothing at all for so long, it is asked for a sign of life, which
    /// [`DeepgramConfig::answer_timeout`] holds for too. Nobody may have said anything: silence alone is no failure.
    pub quiet_timeout: Duration,
    /// How long the last words may take once no more audio comes.
    pub close_timeout: Duration,
}

impl DeepgramConfig {
    /// Patience that suits a phone call: 3 s to connect, 1.2 s for an answer, 10 s of quiet.
    pub fn new(base_url: Url, api_key: SecretString) -> Self {
        Self {
            base_url,
            api_key,
            model: "nova-3".to_owned(),
            connect_timeout: Duration::from_secs(3),
            keep_alive: Duration::from_secs(4),
            ping: Duration::from_secs(2),
            answer_timeout: Duration::from_millis(1_200),
            quiet_timeout: Duration::from_secs(10),
            close_timeout: Duration::from_secs(3),
        }
    }
}

/// The client.
#[derive(Debug, Clone)]
pub struct Deepgram {
    config: DeepgramConfig,
    tasks: TaskTracker,
}

impl Deepgram {
    /// A client whose sessions are tasks of `tasks`.
    pub fn new(config: DeepgramConfig, tasks: TaskTracker) -> Self {
        Self { config, tasks }
    }
}

#[async_trait]
impl Recogniser for Deepgram {
    async fn open(&self, options: RecogniserOptions) -> Result<RecogniserSession, Failure> {
        let config = &self.config;
        let url = wire::listen_url(&config.base_url, &config.model, &options)?;
        let token = format!("Token {}", config.api_key.expose_secret());
        let authorization = (header::AUTHORIZATION, http_status::secret_header(Vendor::Deepgram, &token)?);
        let patience = Patience { connect: config.connect_timeout, ping: config.ping };
        let socket = Socket::connect(Vendor::Deepgram, url, authorization, patience).await?;
        let pace = Pace {
            keep_alive: config.keep_alive,
            answer: config.answer_timeout,
            quiet: Some(config.quiet_timeout),
            close: config.close_timeout,
        };
        Ok(live::spawn(Listen, socket, pace, None, &self.tasks))
    }
}

/// The vendor's side remembers everything.
struct Listen;

impl Dialect for Listen {
    const VENDOR: Vendor = Vendor::Deepgram;

    fn audio(&mut self, audio: Bytes) -> Result<Option<Message>, Failure> {
        Ok(Some(Message::Binary(audio)))
    }

    fn finalize(&mut self) -> Result<Option<Message>, Failure> {
        Ok(Some(text(wire::FINALIZE.to_owned())))
    }

    fn keep_alive(&mut self) -> Result<Message, Failure> {
        Ok(text(wire::KEEP_ALIVE.to_owned()))
    }

    fn close(&mut self) -> Result<Option<Message>, Failure> {
        Ok(Some(text(wire::CLOSE_STREAM.to_owned())))
    }

    fn take(&mut self, message: &str) -> Result<Option<RecognitionEvent>, Failure> {
        match wire::parse(message)? {
            Incoming::Event(event) => Ok(Some(event)),
            Incoming::Error(failure) => Err(failure),
            Incoming::Metadata | Incoming::Unknown => Ok(None),
        }
    }

    fn owes_words(&self) -> bool {
        true
    }

    fn owes_answer(&self) -> bool {
        false
    }

    fn closed_early(&self, code: Option<u16>, reason: &str) -> Failure {
        wire::closed_early(code, reason)
    }
}

#[cfg(test)]
#[path = "client_tests.rs"]
mod tests;
