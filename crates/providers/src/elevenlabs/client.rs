//! Speech over a WebSocket.

use super::{
    API_KEY,
    contexts::{Contexts, MAX_IDLE_TICKS, Outbox},
    wire,
};
use crate::{
    Failure, FailureKind, Vendor, Voice, VoiceEvent, VoiceInput, VoiceOptions, VoiceSession, http_status,
    websocket::{Frame, Patience, Socket, text},
};
use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use std::time::Duration;
use tokio::{
    sync::mpsc,
    time::{self, Interval, MissedTickBehavior},
};
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
pub struct ElevenLabsConfig {
    /// Without a path: `https://api.elevenlabs.io`.
    pub base_url: Url,
    /// The API key.
    pub api_key: SecretString,
    /// For name, TCP, TLS and the WebSocket handshake together.
    pub connect_timeout: Duration,
    /// From asking to the first audio, and between pieces of it; after that, and at most a tenth more, the synthesis has
    /// failed.
    pub progress_timeout: Duration,
    /// With nothing else to send for so long, a keep-alive is sent. The vendor hangs up after sixty seconds.
    pub keep_alive: Duration,
    /// Between pings; a peer that leaves two of them unanswered counts as gone.
    pub ping: Duration,
}

impl ElevenLabsConfig {
    /// Patience that suits a phone call: 3 s to connect, 1.5 s without progress.
    pub fn new(base_url: Url, api_key: SecretString) -> Self {
        Self {
            base_url,
            api_key,
            connect_timeout: Duration::from_secs(3),
            progress_timeout: Duration::from_millis(1_500),
            keep_alive: Duration::from_secs(15),
            ping: Duration::from_secs(2),
        }
    }
}

/// The client.
#[derive(Debug, Clone)]
pub struct ElevenLabs {
    config: ElevenLabsConfig,
    tasks: TaskTracker,
}

impl ElevenLabs {
    /// A client whose sessions are tasks of `tasks`.
    pub fn new(config: ElevenLabsConfig, tasks: TaskTracker) -> Self {
        Self { config, tasks }
    }
}

#[async_trait]
impl Voice for ElevenLabs {
    async fn open(&self, options: VoiceOptions) -> Result<VoiceSession, Failure> {
        let config = &self.config;
        let url = wire::stream_url(&config.base_url, &options)?;
        let key = http_status::secret_header(Vendor::ElevenLabs, config.api_key.expose_secret())?;
        let patience = Patience { connect: config.connect_timeout, ping: config.ping };
        let socket = Socket::connect(Vendor::ElevenLabs, url, (API_KEY, key), patience).await?;
        let (input_sender, input) = mpsc::channel(INPUT_QUEUE);
        let (events, event_receiver) = mpsc::channel(EVENT_QUEUE);
        let session = Session {
            socket,
            input,
            events,
            contexts: Contexts::new(options.voice, options.format, config.progress_timeout.as_millis()),
            out: Outbox::default(),
            keep_alive: interval(config.keep_alive),
            progress: interval(config.progress_timeout / MAX_IDLE_TICKS),
        };
        self.tasks.spawn(session.run());
        Ok(VoiceSession { input: input_sender, events: event_receiver, format: options.format })
    }
}

/// An interval whose first tick is a period away, and which never catches up.
fn interval(period: Duration) -> Interval {
    let mut interval = time::interval(period.max(Duration::from_millis(1)));
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval.reset();
    interval
}

struct Session {
    socket: Socket,
    input: mpsc::Receiver<VoiceInput>,
    events: mpsc::Sender<VoiceEvent>,
    contexts: Contexts,
    out: Outbox,
    keep_alive: Interval,
    progress: Interval,
}

impl Session {
    async fn run(mut self) {
        match self.converse().await {
            Ok(()) => {
                // The vendor notices a dropped connection as well; this is only the polite form.
                let _ = self.socket.send(text(wire::CLOSE_SOCKET.to_owned())).await;
            }
            Err(failure) => {
                let last = VoiceEvent::Failed { id: None, failure };
                for event in self.out.events.drain(..).chain([last]) {
                    if self.events.send(event).await.is_err() {
                        return;
                    }
                }
            }
        }
    }

    /// Until it is asked to end, or nobody listens any more.
    async fn converse(&mut self) -> Result<(), Failure> {
        let mut more_input = true;
        while more_input || !self.contexts.is_idle() || !self.out.events.is_empty() {
            // While the reader is slow the socket is not read and no progress expected, but cancellations still count.
            let reading = self.out.events.is_empty();
            tokio::select! {
                // What has arrived is read before anything counts as late.
                biased;
                input = self.input.recv(), if more_input && self.out.events.len() < MAX_OUTBOX => match input {
                    Some(VoiceInput::Speak { id, text }) => self.contexts.speak(id, text, &mut self.out)?,
                    Some(VoiceInput::Cancel { id }) => self.contexts.cancel(id, &mut self.out)?,
                    Some(VoiceInput::Close) => return Ok(()),
                    None => more_input = false,
                },
                frame = self.socket.receive(), if reading => match frame? {
                    Frame::Text(message) => {
                        let incoming = wire::parse(&message).map_err(Failure::from)?;
                        self.contexts.take(incoming, &mut self.out)?;
                    }
                    Frame::Binary(_) => {
                        return Err(Failure::new(Vendor::ElevenLabs, FailureKind::Garbage, "a binary message"));
                    }
                    Frame::Closed { code, reason } => return Err(wire::closed_early(code, &reason)),
                },
                permit = self.events.reserve(), if !reading => {
                    let Ok(permit) = permit else { return Ok(()) };
                    if let Some(event) = self.out.events.pop_front() {
                        permit.send(event);
                    }
                }
                () = self.events.closed() => return Ok(()),
                _ = self.progress.tick(), if reading => self.contexts.tick(&mut self.out)?,
                _ = self.keep_alive.tick() => self.out.messages.push_back(wire::KEEP_ALIVE.to_owned()),
            }
            while let Some(message) = self.out.messages.pop_front() {
                self.socket.send(text(message)).await?;
                self.keep_alive.reset();
            }
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "client_tests.rs"]
mod tests;
