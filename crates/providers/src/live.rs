//! One open stream of a recogniser over a WebSocket: what is the same for every vendor.
//!
//! A stream whose other end has died looks like a quiet one. It is told apart by what is owed: every question for the
//! last words must be answered, and where a vendor answers such a question even about silence, one is asked when it has
//! said nothing for long.

use crate::{
    Failure, FailureKind, RecogniserInput, RecogniserSession, RecognitionEvent, Vendor,
    alarm::Alarm,
    outbox::{Abandoned, Outbox},
    websocket::{Frame, Socket},
};
use bytes::Bytes;
use std::time::Duration;
use tokio::{
    sync::mpsc,
    time::{self, MissedTickBehavior},
};
use tokio_tungstenite::tungstenite::Message;
use tokio_util::task::TaskTracker;

/// More than a second of audio in frames of 20 ms.
pub(crate) const INPUT_QUEUE: usize = 64;
/// Events that wait for a slow reader before the vendor has to.
pub(crate) const EVENT_QUEUE: usize = 64;

/// What differs from vendor to vendor: the messages, and what is remembered between them.
pub(crate) trait Dialect: Send + 'static {
    const VENDOR: Vendor;

    /// What to send for audio, which is not empty; nothing while it is only collected.
    fn audio(&mut self, audio: Bytes) -> Result<Option<Message>, Failure>;

    /// What asks for the words of everything so far; nothing if they have been asked for already.
    fn finalize(&mut self) -> Result<Option<Message>, Failure>;

    /// What keeps a stream without audio open.
    fn keep_alive(&mut self) -> Result<Message, Failure>;

    /// What says that no more audio comes; nothing if no words are left to ask for.
    fn close(&mut self) -> Result<Option<Message>, Failure>;

    /// What a message means.
    fn take(&mut self, message: &str) -> Result<Option<RecognitionEvent>, Failure>;

    /// Whether words of a closed stream are still to come. A vendor that ends its streams itself owes until it has.
    fn owes_words(&self) -> bool;

    /// Whether, behind an answer, another question is known to be unanswered. `false` where answers cannot be counted
    /// because the vendor may give one to several questions.
    fn owes_answer(&self) -> bool;

    /// What it means that the vendor hung up while the stream was in use.
    fn closed_early(&self, code: Option<u16>, reason: &str) -> Failure;
}

/// The clock of a stream.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    /// Without audio for so long, a keep-alive is sent.
    pub(crate) keep_alive: Duration,
    /// After a question for the last words, and after any message before its answer.
    pub(crate) answer: Duration,
    /// While audio flows and the vendor says nothing, until it is asked for a sign of life.
    pub(crate) quiet: Option<Duration>,
    /// How long the last words may take once no more audio comes.
    pub(crate) close: Duration,
}

/// Runs a stream over an open socket. `first` are events that have come already.
pub(crate) fn spawn<D: Dialect>(
    dialect: D,
    socket: Socket,
    pace: Pace,
    first: impl IntoIterator<Item = RecognitionEvent>,
    tasks: &TaskTracker,
) -> RecogniserSession {
    let (input_sender, input) = mpsc::channel(INPUT_QUEUE);
    let (events, event_receiver) = mpsc::channel(EVENT_QUEUE);
    let mut outbox = Outbox::new(events);
    outbox.extend(first);
    let session = Session {
        dialect,
        socket,
        input,
        outbox,
        pace,
        answer: Alarm::default(),
        quiet: Alarm::default(),
        own_question: false,
    };
    tasks.spawn(session.run());
    RecogniserSession { input: input_sender, events: event_receiver }
}

struct Session<D> {
    dialect: D,
    socket: Socket,
    input: mpsc::Receiver<RecogniserInput>,
    /// While anything waits here, the socket is not read, but audio is still sent.
    outbox: Outbox<RecognitionEvent>,
    pace: Pace,
    /// Set while an answer is owed.
    answer: Alarm,
    /// Set while audio has been sent since the last message.
    quiet: Alarm,
    /// The answer that is owed was asked for by this session alone, as a sign of life.
    own_question: bool,
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

impl From<Abandoned> for Stop {
    fn from(_: Abandoned) -> Self {
        Self::Abandoned
    }
}

impl<D: Dialect> Session<D> {
    async fn run(mut self) {
        let stop = match self.listen().await {
            Ok(()) => self.close().await.unwrap_or_else(|stop| stop),
            Err(stop) => stop,
        };
        if let Stop::Failed(failure) = stop {
            self.outbox.end_with(RecognitionEvent::Failed(failure)).await;
        }
    }

    /// Until no more audio is to come.
    async fn listen(&mut self) -> Result<(), Stop> {
        let mut keep_alive = time::interval(self.pace.keep_alive);
        keep_alive.set_missed_tick_behavior(MissedTickBehavior::Delay);
        keep_alive.reset();
        loop {
            let reading = self.outbox.is_empty();
            tokio::select! {
                // What has arrived is read before anything counts as late: the reader of the events may have been slow.
                biased;
                input = self.input.recv() => match input {
                    Some(RecogniserInput::Audio(audio)) => {
                        // An empty message means the end of the stream to some vendors.
                        if !audio.is_empty() {
                            keep_alive.reset();
                            self.audio(audio).await?;
                        }
                    }
                    Some(RecogniserInput::Finalize) => {
                        self.own_question = false;
                        self.ask().await?;
                    }
                    Some(RecogniserInput::Close) | None => return Ok(()),
                },
                passed_on = self.outbox.pass_on() => passed_on?,
                frame = self.socket.receive(), if reading => {
                    let event = self.event_in(frame?)?;
                    self.outbox.extend(event);
                }
                () = self.answer.ring(), if reading => {
                    return Err(Self::late("no answer to a question for the last words", self.pace.answer));
                }
                () = self.quiet.ring(), if reading => {
                    if !self.answer.is_set() {
                        self.own_question = true;
                        self.ask().await?;
                    }
                }
                _ = keep_alive.tick() => {
                    let message = self.dialect.keep_alive()?;
                    self.socket.send(message).await?;
                }
            }
        }
    }

    async fn audio(&mut self, audio: Bytes) -> Result<(), Failure> {
        if let Some(message) = self.dialect.audio(audio)? {
            self.socket.send(message).await?;
            if let Some(quiet) = self.pace.quiet
                && !self.quiet.is_set()
            {
                self.quiet.set(quiet);
            }
        }
        Ok(())
    }

    async fn ask(&mut self) -> Result<(), Failure> {
        if let Some(message) = self.dialect.finalize()? {
            self.socket.send(message).await?;
            if !self.answer.is_set() {
                self.answer.set(self.pace.answer);
            }
        }
        Ok(())
    }

    /// Says that no more audio comes, and waits for the last words.
    async fn close(&mut self) -> Result<Stop, Stop> {
        if let Some(message) = self.dialect.close()? {
            self.socket.send(message).await?;
        }
        let mut deadline = Alarm::after(self.pace.close);
        loop {
            while !self.outbox.is_empty() {
                self.outbox.pass_on().await?;
            }
            if !self.dialect.owes_words() {
                return Ok(Stop::Ended);
            }
            let frame = tokio::select! {
                biased;
                frame = self.socket.receive() => frame,
                passed_on = self.outbox.pass_on() => {
                    passed_on?;
                    continue;
                }
                () = deadline.ring() => return Err(Self::late("no end of the stream", self.pace.close)),
            };
            match frame {
                // However it is closed, it was asked for; some peers just drop the connection.
                Ok(Frame::Closed { .. }) | Err(Failure { kind: FailureKind::Closed, .. }) => {
                    return Ok(Stop::Ended);
                }
                Ok(frame) => {
                    let event = self.event_in(frame)?;
                    self.outbox.extend(event);
                }
                Err(failure) => return Err(failure.into()),
            }
        }
    }

    /// The event that a frame brings, if it brings one for others.
    fn event_in(&mut self, frame: Frame) -> Result<Option<RecognitionEvent>, Failure> {
        let message = match frame {
            Frame::Text(message) => message,
            Frame::Binary(_) => {
                return Err(Failure::new(D::VENDOR, FailureKind::Garbage, "a binary message"));
            }
            Frame::Closed { code, reason } => return Err(self.dialect.closed_early(code, &reason)),
        };
        self.quiet.lift();
        let mut event = self.dialect.take(&message)?;
        if let Some(RecognitionEvent::Final { text, from_finalize: from_finalize @ true, .. }) = &mut event {
            if self.dialect.owes_answer() {
                self.answer.set(self.pace.answer);
            } else {
                self.answer.lift();
            }
            if std::mem::take(&mut self.own_question) {
                // A sign of life is nobody else's business; words are, whoever asked for them.
                *from_finalize = false;
                if text.is_empty() {
                    event = None;
                }
            }
        } else if self.answer.is_set() {
            // Whoever works through a backlog of audio is not dead.
            self.answer.set(self.pace.answer);
        }
        Ok(event)
    }

    fn late(what: &str, limit: Duration) -> Stop {
        let detail = format!("{what} within {} ms", limit.as_millis());
        Failure::new(D::VENDOR, FailureKind::Timeout, detail).into()
    }
}
