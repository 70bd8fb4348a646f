//! The line between a proven media socket and its session: everything that happens between `start` and the end.
//!
//! Two loops run side by side in one task: what the socket says goes to the session, what the session says goes to the
//! socket. Each waits for the other side alone, so that a slow session holds back the socket (and TCP the caller's
//! network), a slow socket holds back the session, and neither can lock up both.

use super::{
    closing::Closing,
    frame::{self, Frame, FrameError, Outbound},
    pace::{Admit, Pace, Patience},
};
use crate::{Gateway, MediaLimits};
use axum::extract::ws::{Message, WebSocket};
use bytes::Bytes;
use futures_util::{
    SinkExt, StreamExt,
    stream::{SplitSink, SplitStream},
};
use seiketsu_domain::{AudioFormat, Clock};
use seiketsu_session::{BeginCall, Door, DoorInput, DoorOutput, GapFiller};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{Notify, mpsc},
    time::timeout,
};
use tokio_tungstenite::tungstenite;

/// Media messages that were refused, by `reason`.
pub const REJECTED_MESSAGES: &str = "seiketsu_media_rejected_messages_total";
/// Caller audio that was left out because it came faster than time passes.
pub const DROPPED_AUDIO_MILLISECONDS: &str = "seiketsu_media_dropped_audio_milliseconds_total";

/// Messages on the way to a session: a second and a quarter of audio.
const INPUT_DEPTH: usize = 64;
/// Messages on the way to the socket.
const OUTPUT_DEPTH: usize = 64;
/// Unanswered questions after which the socket counts as dead.
const MAX_PINGS: u32 = 2;
/// How long a session may take to notice that its door is closed.
const LEAVE_DEADLINE: Duration = Duration::from_secs(5);

type Sink = SplitSink<WebSocket, Message>;
type Stream = SplitStream<WebSocket>;

/// Hands the call to a session and holds the line until one side ends it. The session has to be told: [`Leaving`].
pub(super) async fn hold(
    gateway: &Gateway,
    begin: BeginCall,
    stream_sid: &str,
    sink: &mut Sink,
    stream: &mut Stream,
) -> Result<(Closing, Leaving), Closing> {
    let (input, door_input) = mpsc::channel(INPUT_DEPTH);
    let (door_output, mut output) = mpsc::channel(OUTPUT_DEPTH);
    let door = Door { input: door_input, output: door_output, shows: false };
    if let Err(refused) = gateway.switchboard().connect(begin, door).await {
        tracing::warn!(error = &refused as &dyn std::error::Error, "a call was refused");
        return Err(refused.into());
    }
    let ping = Notify::new();
    let clock = Arc::clone(gateway.ids().clock());
    let MediaLimits { ping_after, write_deadline, .. } = gateway.config().media;
    let mut listener = Listener::new(stream_sid, clock);
    let mut speaker = Speaker { outbound: Outbound::new(stream_sid), sink, write_deadline };
    let closing = tokio::select! {
        closing = listener.listen(stream, &input, &ping, ping_after) => closing,
        closing = speaker.speak(&mut output, &ping) => closing,
    };
    Ok((closing, Leaving { input, output }))
}

/// The door's ends of a session whose line has ended.
pub(super) struct Leaving {
    input: mpsc::Sender<DoorInput>,
    output: mpsc::Receiver<DoorOutput>,
}

impl Leaving {
    /// Tells the session how its door was closed, and waits until it has noticed. What it still says goes nowhere.
    pub(super) async fn tell(self, closing: Closing) {
        let Self { input, mut output } = self;
        let Some(last) = last_word(closing) else { return };
        let deafly = async { while output.recv().await.is_some() {} };
        let told = async {
            // An error means that the session has ended already: it needs no telling.
            let _ = input.send(last).await;
            drop(input);
        };
        if timeout(LEAVE_DEADLINE, async { tokio::join!(told, deafly) }).await.is_err() {
            tracing::warn!("a session did not notice in time that its door is closed");
        }
    }
}

/// What a session has to be told of the end of its line; nothing, if it was the session that ended it.
fn last_word(closing: Closing) -> Option<DoorInput> {
    match closing {
        Closing::AgentDone | Closing::SessionLost => None,
        Closing::Stopped => Some(DoorInput::HungUp),
        Closing::Gone
        | Closing::Idle
        | Closing::Stalled
        | Closing::NoStart
        | Closing::BadToken
        | Closing::UsedToken
        | Closing::AlreadyConnected
        | Closing::CallEnded
        | Closing::Draining
        | Closing::Full
        | Closing::Unavailable
        | Closing::Nonsense
        | Closing::TooFast
        | Closing::TooLarge => Some(DoorInput::Cut),
    }
}

/// The half that reads.
struct Listener {
    stream_sid: String,
    gaps: GapFiller,
    pace: Pace,
    patience: Patience,
    clock: Arc<dyn Clock>,
}

impl Listener {
    fn new(stream_sid: &str, clock: Arc<dyn Clock>) -> Self {
        Self {
            stream_sid: stream_sid.to_owned(),
            gaps: GapFiller::new(),
            pace: Pace::new(clock.monotonic()),
            patience: Patience::new(),
            clock,
        }
    }

    async fn listen(
        &mut self,
        stream: &mut Stream,
        input: &mpsc::Sender<DoorInput>,
        ping: &Notify,
        ping_after: Duration,
    ) -> Closing {
        let mut pings = 0;
        loop {
            let message = match timeout(ping_after, stream.next()).await {
                Ok(Some(Ok(message))) => message,
                Ok(Some(Err(error))) => return read_failure(error),
                Ok(None) => return Closing::Gone,
                Err(_) if pings >= MAX_PINGS => return Closing::Idle,
                Err(_) => {
                    pings += 1;
                    ping.notify_one();
                    continue;
                }
            };
            pings = 0;
            let step = match message {
                Message::Text(text) => self.hear(&text),
                Message::Binary(_) => self.refuse("binary"),
                Message::Ping(_) | Message::Pong(_) => self.pass(None),
                Message::Close(_) => Err(Closing::Gone),
            };
            match step {
                // An error means that the session has ended; what it said last is still being sent by the other half.
                Ok(Some(heard)) => drop(input.send(heard).await),
                Ok(None) => {}
                Err(closing) => return closing,
            }
        }
    }

    /// One text message: what it says to the session, if anything, or why the socket has to be closed.
    fn hear(&mut self, text: &str) -> Result<Option<DoorInput>, Closing> {
        let frame = match frame::parse(text) {
            Ok(frame) => frame,
            Err(error) => return self.misheard(error),
        };
        let (stream_sid, heard) = match frame {
            Frame::Media { stream_sid, timestamp_ms, audio } => {
                if stream_sid != self.stream_sid {
                    return self.refuse("foreign_stream");
                }
                self.patience.good();
                return self.audio(timestamp_ms, &audio);
            }
            Frame::Mark { stream_sid, number } => (stream_sid, Ok(DoorInput::Mark(number))),
            Frame::Digit { stream_sid, digit } => (stream_sid, Ok(DoorInput::Digit(digit))),
            Frame::Stop { stream_sid } => (stream_sid, Err(Closing::Stopped)),
            Frame::Connected | Frame::Start(_) => return self.refuse("out_of_order"),
        };
        if stream_sid != self.stream_sid {
            return self.refuse("foreign_stream");
        }
        self.patience.good();
        self.pass(Some(heard?))
    }

    /// Fills the gap before a stretch of audio and weighs both against the clock.
    fn audio(&mut self, timestamp_ms: u64, audio: &[u8]) -> Result<Option<DoorInput>, Closing> {
        let mut filled = Vec::with_capacity(audio.len());
        self.gaps.fill(timestamp_ms, audio, &mut filled);
        if filled.is_empty() {
            // A duplicate, or so late that silence has taken its place.
            count_rejected("stale");
            return self.pass(None);
        }
        let audio_us = AudioFormat::Mulaw8k.duration_us(filled.len());
        match self.pace.admit(audio_us, self.clock.monotonic()) {
            Admit::Take => Ok(Some(DoorInput::Audio(filled.into()))),
            Admit::Drop => {
                count_rejected("too_fast");
                metrics::counter!(DROPPED_AUDIO_MILLISECONDS).increment(audio_us / 1_000);
                Ok(None)
            }
            Admit::Close => Err(Closing::TooFast),
        }
    }

    /// A message without audio: taken however early it is, until there are far too many.
    fn pass(&mut self, heard: Option<DoorInput>) -> Result<Option<DoorInput>, Closing> {
        match self.pace.admit(0, self.clock.monotonic()) {
            Admit::Take | Admit::Drop => Ok(heard),
            Admit::Close => Err(Closing::TooFast),
        }
    }

    fn misheard(&mut self, error: FrameError) -> Result<Option<DoorInput>, Closing> {
        match error {
            // Not held against the sender: one may be new to us, the other says nothing wrong.
            FrameError::UnknownEvent | FrameError::Empty => {
                count_rejected(error.name());
                self.pass(None)
            }
            FrameError::Malformed | FrameError::Base64 | FrameError::Format => self.refuse(error.name()),
        }
    }

    fn refuse(&mut self, reason: &'static str) -> Result<Option<DoorInput>, Closing> {
        count_rejected(reason);
        if self.patience.bad() { self.pass(None) } else { Err(Closing::Nonsense) }
    }
}

/// The half that writes.
struct Speaker<'a> {
    outbound: Outbound,
    sink: &'a mut Sink,
    write_deadline: Duration,
}

impl Speaker<'_> {
    async fn speak(&mut self, output: &mut mpsc::Receiver<DoorOutput>, ping: &Notify) -> Closing {
        loop {
            let said = tokio::select! {
                said = output.recv() => said,
                () = ping.notified() => {
                    if let Err(closing) = self.write(Message::Ping(Bytes::new())).await {
                        return closing;
                    }
                    continue;
                }
            };
            let written = match said {
                Some(DoorOutput::Audio(audio)) => self.play(&audio).await,
                Some(DoorOutput::Mark(number)) => self.write(self.outbound.mark(number).into()).await,
                Some(DoorOutput::Clear) => self.write(self.outbound.clear().into()).await,
                Some(DoorOutput::Shown(_)) => Ok(()), // this door asked for none
                Some(DoorOutput::Close) => return Closing::AgentDone,
                None => return Closing::SessionLost,
            };
            if let Err(closing) = written {
                return closing;
            }
        }
    }

    async fn play(&mut self, audio: &[u8]) -> Result<(), Closing> {
        for piece in audio.chunks(Outbound::MAX_AUDIO_BYTES) {
            self.write(self.outbound.media(piece).into()).await?;
        }
        Ok(())
    }

    async fn write(&mut self, message: Message) -> Result<(), Closing> {
        match timeout(self.write_deadline, self.sink.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(Closing::Gone),
            Err(_) => Err(Closing::Stalled),
        }
    }
}

/// What a failed read means.
pub(super) fn read_failure(error: axum::Error) -> Closing {
    match error.into_inner().downcast_ref::<tungstenite::Error>() {
        Some(tungstenite::Error::Capacity(_)) => {
            count_rejected("too_large");
            Closing::TooLarge
        }
        Some(tungstenite::Error::Utf8(_)) => {
            count_rejected("not_utf8");
            Closing::Nonsense
        }
        Some(_) | None => Closing::Gone,
    }
}

pub(super) fn count_rejected(reason: &'static str) {
    metrics::counter!(REJECTED_MESSAGES, "reason" => reason).increment(1);
    tracing::trace!(reason, "a media message was refused");
}
