//! One open media stream: the socket, its playout buffer, its numbering.

use super::ErrorLog;
use crate::{
    FRAME_MS, Frame,
    line::LineFrame,
    media_socket::{ConnectError, MediaSocket, Received, SendError},
    playout::Playout,
    twiml::StreamNoun,
    wire::{self, ServerMessage, StreamWriter},
};
use seiketsu_domain::CallTime;

/// An open stream.
#[derive(Debug)]
pub(super) struct MediaStream {
    socket: MediaSocket,
    writer: StreamWriter,
    playout: Playout,
    /// Stream time of the next frame.
    timestamp_ms: u64,
}

/// What became of a stream.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum StreamEnd {
    /// The server closed it.
    Closed,
    /// The connection is gone.
    Broken,
}

/// Why a stream could not be opened.
#[derive(Debug, thiserror::Error)]
pub(super) enum OpenError {
    #[error(transparent)]
    Connect(#[from] ConnectError),
    #[error(transparent)]
    Send(#[from] SendError),
}

impl OpenError {
    /// The code in Twilio's debugger.
    pub(super) const fn code(&self) -> u32 {
        match self {
            Self::Connect(error) => error.code(),
            Self::Send(_) => 31_924,
        }
    }
}

impl MediaStream {
    /// Connects and introduces the call.
    pub(super) async fn open(
        noun: StreamNoun,
        mut writer: StreamWriter,
        signing_token: Option<String>,
    ) -> Result<Self, OpenError> {
        let mut socket = MediaSocket::connect(&noun.url, signing_token.as_deref()).await?;
        socket.send_text(StreamWriter::connected()).await?;
        socket.send_text(writer.start(&noun.parameters)).await?;
        Ok(Self { socket, writer, playout: Playout::default(), timestamp_ms: 0 })
    }

    /// The next thing the server sends. Cancel-safe.
    pub(super) async fn receive(&mut self) -> Received {
        self.socket.receive().await
    }

    /// Executes what the server sent at `now`.
    pub(super) async fn execute(
        &mut self,
        received: Received,
        now: CallTime,
        errors: &mut ErrorLog,
    ) -> Result<(), StreamEnd> {
        let text = match received {
            Received::Text(text) => text,
            Received::Binary(bytes) => {
                errors.record(wire::UNDECODABLE, format!("a binary frame of {} bytes", bytes.len()));
                return Ok(());
            }
            Received::Closed(close) => {
                tracing::debug!(?close, "the server closed the stream");
                return Err(StreamEnd::Closed);
            }
            Received::Broken(reason) => {
                errors.record(31_924, reason);
                return Err(StreamEnd::Broken);
            }
        };
        let result = match wire::parse(&text, self.writer.stream_sid()) {
            Ok(ServerMessage::Media(bytes)) => self.playout.push(bytes, now),
            Ok(ServerMessage::Mark(name)) => self.playout.mark(name),
            Ok(ServerMessage::Clear) => {
                self.playout.clear();
                Ok(())
            }
            Err(error) => {
                errors.record(wire::INVALID_MESSAGE, error);
                Ok(())
            }
        };
        if let Err(full) = result {
            errors.record(wire::INVALID_MESSAGE, full);
        }
        self.return_marks(errors).await
    }

    /// Plays the frame that begins at `frame_start`.
    pub(super) async fn play(
        &mut self,
        frame_start: CallTime,
        errors: &mut ErrorLog,
    ) -> (Frame, Result<(), StreamEnd>) {
        let frame = self.playout.tick(frame_start);
        (frame, self.return_marks(errors).await)
    }

    /// Sends what came over the line.
    pub(super) async fn media(&mut self, frame: LineFrame, errors: &mut ErrorLog) -> Result<(), StreamEnd> {
        let timestamp_ms = self.timestamp_ms;
        self.timestamp_ms += FRAME_MS;
        match frame {
            LineFrame::Audio(frame) => {
                let message = self.writer.media(timestamp_ms, &frame);
                self.send(message, errors).await
            }
            LineFrame::Lost => Ok(()),
        }
    }

    /// Sends a key press.
    pub(super) async fn digit(&mut self, digit: char, errors: &mut ErrorLog) -> Result<(), StreamEnd> {
        let message = self.writer.dtmf(digit);
        self.send(message, errors).await
    }

    /// The call has ended: says so and closes.
    pub(super) async fn stop(mut self) {
        let stop = self.writer.stop();
        if self.socket.send_text(stop).await.is_ok() {
            self.socket.close().await;
        }
    }

    /// Answers the server's close.
    pub(super) async fn close(self) {
        self.socket.close().await;
    }

    /// The connection is lost.
    pub(super) fn cut(self) {
        self.socket.cut();
    }

    async fn return_marks(&mut self, errors: &mut ErrorLog) -> Result<(), StreamEnd> {
        while let Some(name) = self.playout.poll_mark() {
            let message = self.writer.mark(&name);
            self.send(message, errors).await?;
        }
        Ok(())
    }

    async fn send(&mut self, message: String, errors: &mut ErrorLog) -> Result<(), StreamEnd> {
        self.socket.send_text(message).await.map_err(|error| {
            errors.record(31_924, error);
            StreamEnd::Broken
        })
    }
}
