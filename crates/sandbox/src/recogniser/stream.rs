//! A socket around a listener; what it says on the wire is its dialect's.

use super::{
    ear::Ear,
    listener::{InjectedDelay, Listener, Output},
};
use crate::{
    Fault, RequestKind,
    injected::{Delayed, InjectedStage},
    line::Line,
    recogniser::Settings,
    sandbox::Shared,
    websocket::{self, Over, code},
};
use axum::extract::ws::{Message, WebSocket};
use std::{sync::Arc, time::Duration};

/// What a vendor's socket says and understands.
pub(crate) trait Dialect: Send + Sync + 'static {
    /// What a stretch of speech counts as.
    const UTTERANCE: RequestKind;
    /// How long a stream may go without audio and without a sign of life.
    const PATIENCE: Duration;

    /// What is said before anything is heard.
    fn welcome(&self) -> Vec<String>;
    /// What a client's message means. Control frames of the socket itself do not come here.
    fn understand(&mut self, message: Message) -> Heard;
    /// What the listener has to say, in the vendor's words. Faults do not come here.
    fn tell(&self, output: &Output) -> Vec<String>;
    /// Something that the vendor's protocol does not allow.
    fn garbage(&self) -> String;
    /// How a stretch of speech is turned away.
    fn refuse(&self) -> Goodbye;
    /// How a stretch of speech is turned away because there are too many.
    fn limit(&self) -> Goodbye;
    /// How a client is left that has said nothing for too long.
    fn lose_patience(&self) -> Goodbye;
    /// How a client is left that has said that it is done.
    fn farewell(&self, heard_ms: u64) -> Goodbye;
}

/// What a client said.
#[derive(Debug)]
pub(crate) enum Heard {
    /// Audio, and whether it is to be final with it.
    Audio { bytes: Vec<u8>, commit: bool },
    /// What was said is to be final.
    Finalize,
    /// It is still there.
    KeepAlive,
    /// No more will come.
    Close,
    /// Something worth an answer and nothing else.
    Objection(String),
    /// Nothing that can be gone on from.
    Wrong(Goodbye),
    /// It has closed the socket.
    Gone,
}

/// Last words, and the close.
#[derive(Debug)]
pub(crate) struct Goodbye {
    pub(crate) message: Option<String>,
    pub(crate) code: u16,
    pub(crate) reason: String,
}

/// One stream.
pub(crate) struct Stream<D> {
    shared: Arc<Shared>,
    line: Line,
    dialect: D,
    ear: Ear,
    listener: Listener,
    /// The client has said that no more audio will come.
    closing: bool,
    deadline: Duration,
}

impl<D: Dialect> Stream<D> {
    pub(crate) fn new(shared: Arc<Shared>, line: Line, dialect: D, ear: Ear, settings: Settings) -> Self {
        let deadline = shared.conduct.clock().monotonic() + D::PATIENCE;
        let drawing = Arc::clone(&shared);
        let listener = Listener::new(settings, Box::new(move || drawing.conduct.next(D::UTTERANCE)));
        Self { shared, line, dialect, ear, listener, closing: false, deadline }
    }

    /// Serves the socket to its end.
    pub(crate) async fn run(mut self, mut socket: WebSocket) {
        for message in self.dialect.welcome() {
            if let Err(Over) = websocket::send_text(&mut socket, message).await {
                return;
            }
        }
        let shutdown = self.shared.shutdown.clone();
        loop {
            let step = tokio::select! {
                () = shutdown.cancelled() => {
                    Err(websocket::close(&mut socket, code::GOING_AWAY, "the sandbox is shutting down").await)
                }
                step = self.step(&mut socket) => step,
            };
            if let Err(Over) = step {
                return;
            }
        }
    }

    /// Says what is due; then waits for the next thing that happens and takes it in.
    async fn step(&mut self, socket: &mut WebSocket) -> Result<(), Over> {
        let now = self.now();
        while let Some(output) = self.listener.poll(now) {
            self.say(socket, output).await?;
        }
        let due = self.listener.poll_timeout();
        if !self.closing && now >= self.deadline {
            return Err(leave(socket, self.dialect.lose_patience()).await);
        }
        if self.closing && due.is_none() {
            return Err(leave(socket, self.dialect.farewell(self.listener.heard_ms())).await);
        }
        let wake =
            if self.closing { due } else { Some(due.map_or(self.deadline, |due| due.min(self.deadline))) };
        let wait = wake.unwrap_or(self.deadline).saturating_sub(self.now());
        tokio::select! {
            message = socket.recv() => match message {
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => Ok(()),
                Some(Ok(message)) => self.handle(socket, message).await,
                Some(Err(_)) | None => Err(Over),
            },
            () = tokio::time::sleep(wait) => Ok(()),
        }
    }

    async fn handle(&mut self, socket: &mut WebSocket, message: Message) -> Result<(), Over> {
        let now = self.now();
        match self.dialect.understand(message) {
            Heard::Audio { bytes, commit } => {
                if !bytes.is_empty() && !self.closing {
                    self.deadline = now + D::PATIENCE;
                    self.listener.push(self.ear.hear(&bytes), now);
                }
                if commit {
                    self.listener.finalize(now);
                }
            }
            Heard::Finalize => self.listener.finalize(now),
            Heard::KeepAlive => self.deadline = now + D::PATIENCE,
            Heard::Close => {
                self.listener.close(now);
                self.closing = true;
            }
            Heard::Objection(message) => websocket::send_text(socket, message).await?,
            Heard::Wrong(goodbye) => return Err(leave(socket, goodbye).await),
            Heard::Gone => return Err(Over),
        }
        Ok(())
    }

    async fn say(&self, socket: &mut WebSocket, output: Output) -> Result<(), Over> {
        if let Output::Fault(fault) = output {
            return self.suffer(socket, fault).await;
        }
        if let Output::Result { transcript, injected: Some(InjectedDelay { heard_at, delay, fault }) } =
            &output
        {
            let held = self.now().saturating_sub(*heard_at);
            let (stage, text) = (InjectedStage::FinalTranscript, transcript.text());
            let delayed = Delayed { stage, key: &text, delay: *delay, held, fault: *fault };
            self.shared.conduct.record(D::UTTERANCE, &delayed);
        }
        for message in self.dialect.tell(&output) {
            websocket::send_text(socket, message).await?;
        }
        Ok(())
    }

    async fn suffer(&self, socket: &mut WebSocket, fault: Fault) -> Result<(), Over> {
        match fault {
            // A stall is a delay, and has passed by now.
            Fault::Stall => Ok(()),
            Fault::HalfOpen => {
                self.line.silence();
                Err(Over)
            }
            Fault::Disconnect => Err(Over),
            Fault::Garbage => websocket::send_text(socket, self.dialect.garbage()).await,
            Fault::Refuse => Err(leave(socket, self.dialect.refuse()).await),
            Fault::RateLimit => Err(leave(socket, self.dialect.limit()).await),
        }
    }

    fn now(&self) -> Duration {
        self.shared.conduct.clock().monotonic()
    }
}

async fn leave(socket: &mut WebSocket, goodbye: Goodbye) -> Over {
    let Goodbye { message, code, reason } = goodbye;
    if let Some(message) = message
        && let Err(over) = websocket::send_text(socket, message).await
    {
        return over;
    }
    websocket::close(socket, code, reason).await
}
