//! Live transcription over a WebSocket.

use super::{
    stream::Stream,
    wire::{self, Incoming},
};
use crate::{
    Failure, FailureKind, Recogniser, RecogniserOptions, RecogniserSession, Vendor,
    elevenlabs::API_KEY,
    http_status,
    live::{self, Pace},
    websocket::{Frame, Patience, Socket},
};
use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use std::time::Duration;
use tokio::time;
use tokio_util::task::TaskTracker;
use url::Url;

/// Where, as whom and how patiently.
#[derive(Debug, Clone)]
pub struct ScribeConfig {
    /// Without a path: `https://api.elevenlabs.io`.
    pub base_url: Url,
    /// The API key.
    pub api_key: SecretString,
    /// The vendor's name of the model, for example `scribe_v2_realtime`.
    pub model: String,
    /// For name, TCP, TLS, the WebSocket handshake and the vendor's first message together. Only that message says
    /// whether the key is accepted.
    pub connect_timeout: Duration,
    /// Without audio for so long, a little silence is sent, because nothing else keeps a stream warm.
    pub keep_alive: Duration,
    /// Between pings; a peer that leaves two of them unanswered counts as gone.
    pub ping: Duration,
    /// How long a [`crate::RecogniserInput::Finalize`] may go without an answer, and without any other message before
    /// it; then the stream counts as half open. Between these questions only the pings tell: it is not documented
    /// whether the vendor says anything of silence.
    pub answer_timeout: Duration,
    /// How long the last words may take once no more audio comes.
    pub close_timeout: Duration,
}

impl ScribeConfig {
    /// Patience that suits a phone call: 3 s to connect, 1.2 s for an answer.
    pub fn new(base_url: Url, api_key: SecretString) -> Self {
        Self {
            base_url,
            api_key,
            model: "scribe_v2_realtime".to_owned(),
            connect_timeout: Duration::from_secs(3),
            keep_alive: Duration::from_secs(4),
            ping: Duration::from_secs(2),
            answer_timeout: Duration::from_millis(1_200),
            close_timeout: Duration::from_secs(3),
        }
    }
}

/// The client. Words are final only when they were asked for: `endpointing_ms` of the options has no effect.
#[derive(Debug, Clone)]
pub struct Scribe {
    config: ScribeConfig,
    tasks: TaskTracker,
}

impl Scribe {
    /// A client whose sessions are tasks of `tasks`.
    pub fn new(config: ScribeConfig, tasks: TaskTracker) -> Self {
        Self { config, tasks }
    }

    async fn connect(&self, options: &RecogniserOptions) -> Result<(Socket, String), Failure> {
        let config = &self.config;
        let url = wire::listen_url(&config.base_url, &config.model, options)?;
        let key = http_status::secret_header(Vendor::ElevenLabs, config.api_key.expose_secret())?;
        let patience = Patience { connect: config.connect_timeout, ping: config.ping };
        let mut socket = Socket::connect(Vendor::ElevenLabs, url, (API_KEY, key), patience).await?;
        let message = match socket.receive().await? {
            Frame::Text(message) => message.as_str().to_owned(),
            Frame::Binary(_) => {
                return Err(Failure::new(Vendor::ElevenLabs, FailureKind::Garbage, "a binary message"));
            }
            Frame::Closed { code, reason } => return Err(wire::closed_early(code, &reason)),
        };
        match wire::parse(&message)? {
            Incoming::Error(failure) => Err(failure),
            Incoming::Started
            | Incoming::Partial(_)
            | Incoming::Committed(_)
            | Incoming::CommitIgnored
            | Incoming::Unknown => Ok((socket, message)),
        }
    }
}

#[async_trait]
impl Recogniser for Scribe {
    async fn open(&self, options: RecogniserOptions) -> Result<RecogniserSession, Failure> {
        let config = &self.config;
        let connected = time::timeout(config.connect_timeout, self.connect(&options)).await;
        let (socket, first) = connected.unwrap_or_else(|_| {
            let detail = format!("no session within {} ms", config.connect_timeout.as_millis());
            Err(Failure::new(Vendor::ElevenLabs, FailureKind::Timeout, detail))
        })?;
        let mut stream = Stream::new(options.format);
        let first = live::Dialect::take(&mut stream, &first)?;
        let pace = Pace {
            keep_alive: config.keep_alive,
            answer: config.answer_timeout,
            quiet: None,
            close: config.close_timeout,
        };
        Ok(live::spawn(stream, socket, pace, first, &self.tasks))
    }
}

#[cfg(test)]
#[path = "client_tests.rs"]
mod tests;
