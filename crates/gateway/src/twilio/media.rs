//! `GET /twilio/media`: the media socket of a call.
//!
//! Errors before the upgrade are problems (403 a signature that is there but wrong, 426 not a WebSocket, 503 too many
//! sockets without a token); after it, close frames whose reason is a name of [`Closing`].

use super::{MEDIA, admission, closing::Closing, closing::SOCKETS_CLOSED, frame, line, signed};
use crate::{Gateway, problem::ApiError};
use axum::{
    extract::{
        State, WebSocketUpgrade,
        ws::{Message, WebSocket, rejection::WebSocketUpgradeRejection},
    },
    response::Response,
};
use futures_util::{SinkExt, StreamExt, stream::SplitStream};
use http::HeaderMap;
use std::time::Duration;
use tokio::{sync::OwnedSemaphorePermit, time::timeout};
use tracing::Instrument;

/// Media sockets that are open.
pub const SOCKETS: &str = "seiketsu_media_sockets";

/// The longest message. Twilio's have 400 bytes; a second of audio would have 11,000.
const MAX_MESSAGE_BYTES: usize = 64 * 1_024;
/// What may wait to be written: about half a minute of speech.
const MAX_WRITE_BUFFER_BYTES: usize = 256 * 1_024;
/// Messages before `start`; Twilio sends one.
const MAX_MESSAGES_BEFORE_START: usize = 4;
/// How long a closing handshake may take.
const CLOSE_DEADLINE: Duration = Duration::from_secs(2);

pub(super) async fn media(
    State(gateway): State<Gateway>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, ApiError> {
    // Twilio signs the upgrade too, but the token is the gate: proxies are known to lose this header.
    if headers.contains_key(signed::HEADER) {
        signed::verify(&gateway, &headers, &gateway.config().public_url.socket_at(MEDIA), &[])?;
    }
    let upgrade = upgrade.map_err(|_| ApiError::NotWebSocket)?;
    let place = gateway.unproven().clone().try_acquire_owned().map_err(|_| ApiError::Busy)?;
    let sockets = gateway.sockets().clone();
    // With its default of 128 KiB the codec zeroes that much before every read: twice the CPU and 130 KiB per call.
    Ok(upgrade
        .read_buffer_size(2_048)
        .write_buffer_size(0)
        .max_write_buffer_size(MAX_WRITE_BUFFER_BYTES)
        .max_message_size(MAX_MESSAGE_BYTES)
        .max_frame_size(MAX_MESSAGE_BYTES)
        .on_upgrade(move |socket| {
            let span = tracing::info_span!("media", call = tracing::field::Empty);
            sockets.track_future(serve(gateway, socket, place).instrument(span))
        }))
}

async fn serve(gateway: Gateway, socket: WebSocket, place: OwnedSemaphorePermit) {
    let _open = OpenSocket::count();
    let (mut sink, mut stream) = socket.split();
    let begun = match timeout(gateway.config().media.start_deadline, first_start(&mut stream)).await {
        Ok(Ok(start)) => admission::admit(&gateway, &start).await.map(|begin| (start.stream_sid, begin)),
        Ok(Err(closing)) => Err(closing),
        Err(_) => Err(Closing::NoStart),
    };
    drop(place);
    let held = match begun {
        Ok((stream_sid, begin)) => {
            tracing::Span::current().record("call", tracing::field::display(begin.open.call_id));
            line::hold(&gateway, begin, &stream_sid, &mut sink, &mut stream).await
        }
        Err(closing) => Err(closing),
    };
    let (closing, leaving) = match held {
        Ok((closing, leaving)) => (closing, Some(leaving)),
        Err(closing) => (closing, None),
    };
    metrics::counter!(SOCKETS_CLOSED, "reason" => closing.name()).increment(1);
    if closing.is_ordinary() {
        tracing::debug!(reason = closing.name(), "a media socket is closed");
    } else {
        tracing::warn!(reason = closing.name(), "a media socket is closed");
    }
    let goodbye = async {
        if let Some(frame) = closing.frame() {
            sink.send(Message::Close(Some(frame))).await?;
            // Until the peer has answered the close frame, dropping the socket could overtake it. What else it still
            // sends is not read as anything.
            while let Some(Ok(_)) = stream.next().await {}
        }
        sink.close().await
    };
    let told = async {
        if let Some(leaving) = leaving {
            leaving.tell(closing).await;
        }
    };
    // A peer that does not take its leave is left.
    let _ = tokio::join!(timeout(CLOSE_DEADLINE, goodbye), told);
}

/// A `start` that has outlived its message.
pub(super) struct Started {
    pub(super) stream_sid: String,
    pub(super) call_sid: String,
    pub(super) token: Option<String>,
}

/// Waits for `start`.
async fn first_start(stream: &mut SplitStream<WebSocket>) -> Result<Started, Closing> {
    for _ in 0..MAX_MESSAGES_BEFORE_START {
        match stream.next().await {
            Some(Ok(Message::Text(text))) => match frame::parse(&text) {
                Ok(frame::Frame::Connected) | Err(frame::FrameError::UnknownEvent) => {}
                Ok(frame::Frame::Start(start)) => {
                    return Ok(Started {
                        stream_sid: start.stream_sid.into_owned(),
                        call_sid: start.call_sid.into_owned(),
                        token: start.token.map(std::borrow::Cow::into_owned),
                    });
                }
                Ok(
                    frame::Frame::Media { .. }
                    | frame::Frame::Mark { .. }
                    | frame::Frame::Digit { .. }
                    | frame::Frame::Stop { .. },
                ) => return Err(Closing::NoStart),
                Err(error) => {
                    line::count_rejected(error.name());
                    return Err(Closing::NoStart);
                }
            },
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
            Some(Ok(Message::Binary(_))) => {
                line::count_rejected("binary");
                return Err(Closing::NoStart);
            }
            Some(Ok(Message::Close(_))) | None => return Err(Closing::Gone),
            Some(Err(error)) => return Err(line::read_failure(error)),
        }
    }
    Err(Closing::NoStart)
}

/// Counts a socket as open for as long as it lives.
struct OpenSocket;

impl OpenSocket {
    fn count() -> Self {
        metrics::gauge!(SOCKETS).increment(1.0);
        Self
    }
}

impl Drop for OpenSocket {
    fn drop(&mut self) {
        metrics::gauge!(SOCKETS).decrement(1.0);
    }
}
