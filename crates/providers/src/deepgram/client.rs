//! Live transcription over a WebSocket.

use super::wire::{self, Incoming};
use crate::{
    Failure, FailureKind, Recogniser, RecogniserInput, RecogniserOptions, RecogniserSession,
    RecognitionEvent, Vendor, http_status,
    websocket::{Frame, Patience, Socket, text},
};
use async_trait::async_trait;
use http::header;
use secrecy::{ExposeSecret, SecretString};
use std::{collections::VecDeque, time::Duration};
use tokio::{
    sync::mpsc,
    time::{self, MissedTickBehavior},
};
use tokio_tungstenite::tungstenite::Message;
use tokio_util::task::TaskTracker;
use url::Url;

/// More than a second of audio in frames of 20 ms.
const INPUT_QUEUE: usize = 64;
/// Events that wait for a slow reader before the vendor has to.
const EVENT_QUEUE: usize = 64;

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
    /// How long the last words may take once no more audio comes.
    pub close_timeout: Duration,
}

impl DeepgramConfig {
    /// Patience that suits a phone call.
    pub fn new(base_url: Url, api_key: SecretString) -> Self {
        Self {
            base_url,
            api_key,
            model: "nova-3".to_owned(),
            connect_timeout: Duration::from_secs(3),
            keep_alive: Duration::from_secs(4),
            ping: Duration::from_secs(2),
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
        let url = wire::listen_url(&self.config.base_url, &self.config.model, &options)?;
        let token = format!("Token {}", self.config.api_key.expose_secret());
        let authorization = (header::AUTHORIZATION, http_status::secret_header(Vendor::Deepgram, &token)?);
        let patience = Patience { connect: self.config.connect_timeout, ping: self.config.ping };
        let socket = Socket::connect(Vendor::Deepgram, url, authorization, patience).await?;
        let (input_sender, input) = mpsc::channel(INPUT_QUEUE);
        let (events, event_receiver) = mpsc::channel(EVENT_QUEUE);
        let session = Session {
            socket,
            input,
            events,
            outbox: VecDeque::new(),
            keep_alive: self.config.keep_alive,
            close_timeout: self.config.close_timeout,
        };
        self.tasks.spawn(session.run());
        Ok(RecogniserSession { input: input_sender, events: event_receiver })
    }
}

struct Session {
    socket: Socket,
    input: mpsc::Receiver<RecogniserInput>,
    events: mpsc::Sender<RecognitionEvent>,
    /// Events that the reader has no room for yet. While there are any, the socket is not read, but audio is still sent.
    outbox: VecDeque<RecognitionEvent>,
    keep_alive: Duration,
    close_timeout: Duration,
}

/// Why a session goes no further.
enum Stop {
    /// It was asked to end, and has.
    Ended,
    /// Nobody listens any more.
    Abandoned,
    Failed(Failure),
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl Session {
    async fn run(mut self) {
        let stop = match self.listen().await {
            Ok(()) => self.close().await,
            Err(stop) => stop,
        };
        if let Stop::Failed(failure) = stop {
            while let Some(event) = self.outbox.pop_front() {
                if self.events.send(event).await.is_err() {
                    return;
                }
            }
            // If nobody listens, nobody has to know.
            let _ = self.events.send(RecognitionEvent::Failed(failure)).await;
        }
    }

    /// Until no more audio is to come.
    async fn listen(&mut self) -> Result<(), Stop> {
        let mut keep_alive = time::interval(self.keep_alive);
        keep_alive.set_missed_tick_behavior(MissedTickBehavior::Delay);
        keep_alive.reset();
        loop {
            tokio::select! {
                input = self.input.recv() => match input {
                    Some(RecogniserInput::Audio(audio)) => {
                        // The vendor takes an empty message for the end of the stream.
                        if !audio.is_empty() {
                            self.socket.send(Message::Binary(audio)).await?;
                            keep_alive.reset();
                        }
                    }
                    Some(RecogniserInput::Finalize) => self.socket.send(text(wire::FINALIZE.to_owned())).await?,
                    Some(RecogniserInput::Close) | None => return Ok(()),
                },
                frame = self.socket.receive(), if self.outbox.is_empty() => self.outbox.extend(event_in(frame?)?),
                permit = self.events.reserve(), if !self.outbox.is_empty() => {
                    let permit = permit.map_err(|_| Stop::Abandoned)?;
                    if let Some(event) = self.outbox.pop_front() {
                        permit.send(event);
                    }
                }
                () = self.events.closed() => return Err(Stop::Abandoned),
                _ = keep_alive.tick() => self.socket.send(text(wire::KEEP_ALIVE.to_owned())).await?,
            }
        }
    }

    /// Says that no more audio comes, and waits for the last words.
    async fn close(&mut self) -> Stop {
        if let Err(failure) = self.socket.send(text(wire::CLOSE_STREAM.to_owned())).await {
            return Stop::Failed(failure);
        }
        let deadline = time::sleep(self.close_timeout);
        tokio::pin!(deadline);
        loop {
            while let Some(event) = self.outbox.pop_front() {
                if self.events.send(event).await.is_err() {
                    return Stop::Abandoned;
                }
            }
            let frame = tokio::select! {
                // What has already arrived is read before the vendor counts as late: the reader may have been slow.
                biased;
                frame = self.socket.receive() => frame,
                () = self.events.closed() => return Stop::Abandoned,
                () = &mut deadline => {
                    let detail = format!("no end of the stream within {} ms", self.close_timeout.as_millis());
                    return Stop::Failed(Failure::new(Vendor::Deepgram, FailureKind::Timeout, detail));
                }
            };
            match frame {
                // However it is closed, it was asked for; some peers just drop the connection.
                Ok(Frame::Closed { .. }) | Err(Failure { kind: FailureKind::Closed, .. }) => {
                    return Stop::Ended;
                }
                Ok(frame) => match event_in(frame) {
                    Ok(event) => self.outbox.extend(event),
                    Err(failure) => return Stop::Failed(failure),
                },
                Err(failure) => return Stop::Failed(failure),
            }
        }
    }
}

/// The event that a frame brings, if it brings one.
fn event_in(frame: Frame) -> Result<Option<RecognitionEvent>, Failure> {
    match frame {
        Frame::Text(message) => match wire::parse(&message)? {
            Incoming::Event(event) => Ok(Some(event)),
            Incoming::Error(failure) => Err(failure),
            Incoming::Metadata | Incoming::Unknown => Ok(None),
        },
        Frame::Binary(_) => Err(Failure::new(Vendor::Deepgram, FailureKind::Garbage, "a binary message")),
        Frame::Closed { code, reason } => Err(wire::closed_early(code, &reason)),
    }
}

#[cfg(test)]
#[path = "client_tests.rs"]
mod tests;
