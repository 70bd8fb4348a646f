//! The media WebSocket as a client, at the level of frames: what the exchange speaks through, and what tests of bad
//! input misuse.

use crate::signature;
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use http::HeaderValue;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async_with_config,
    tungstenite::{
        self, Message,
        client::IntoClientRequest,
        protocol::{CloseFrame, WebSocketConfig},
    },
};
use url::Url;

/// How long a handshake may take.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a write may wait for a server that does not read.
const WRITE_TIMEOUT: Duration = Duration::from_secs(5);
/// How long the server may take to finish a closing handshake.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);
/// The longest message that is read.
const MAX_MESSAGE_BYTES: usize = 1024 * 1024;

/// An open media WebSocket.
#[derive(Debug)]
pub struct MediaSocket {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

/// What the server sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Received {
    /// A text message.
    Text(String),
    /// A binary message, which the protocol does not know.
    Binary(Bytes),
    /// The server closed, with its code and reason if it gave them.
    Closed(Option<(u16, String)>),
    /// The connection broke without a closing handshake.
    Broken(String),
}

/// Why a stream could not be opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConnectError {
    /// Nobody answered in time.
    #[error("no answer within {} s", HANDSHAKE_TIMEOUT.as_secs())]
    Timeout,
    /// The connection was refused or failed.
    #[error("connection failed: {0}")]
    Refused(String),
    /// An HTTP answer that is not 101.
    #[error("the server answered {0} instead of 101")]
    Status(u16),
    /// The handshake is not that of a WebSocket.
    #[error("not a WebSocket handshake: {0}")]
    Handshake(String),
}

impl ConnectError {
    /// The code in Twilio's debugger.
    pub const fn code(&self) -> u32 {
        match self {
            Self::Timeout => 31_901,
            Self::Refused(_) => 31_902,
            Self::Status(_) => 31_920,
            Self::Handshake(_) => 31_924,
        }
    }
}

/// The connection broke while something was sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the media socket broke: {0}")]
pub struct SendError(String);

impl MediaSocket {
    /// Opens a socket; signs the handshake as Twilio does when a token is given.
    pub async fn connect(url: &Url, auth_token: Option<&str>) -> Result<Self, ConnectError> {
        let handshake = |error: &dyn std::fmt::Display| ConnectError::Handshake(error.to_string());
        let mut request = url.as_str().into_client_request().map_err(|error| handshake(&error))?;
        if let Some(auth_token) = auth_token {
            let signature = signature::sign(auth_token, url.as_str(), &[]);
            let signature = HeaderValue::from_str(&signature).map_err(|error| handshake(&error))?;
            request.headers_mut().insert("x-twilio-signature", signature);
        }
        // Small buffers: the library zeroes its read buffer before every read, and a call reads 50 times a second.
        let config = WebSocketConfig::default()
            .read_buffer_size(4 * 1024)
            .write_buffer_size(0)
            .max_write_buffer_size(4 * MAX_MESSAGE_BYTES)
            .max_message_size(Some(MAX_MESSAGE_BYTES))
            .max_frame_size(Some(MAX_MESSAGE_BYTES));
        match tokio::time::timeout(HANDSHAKE_TIMEOUT, connect_async_with_config(request, Some(config), true))
            .await
        {
            Err(_) => Err(ConnectError::Timeout),
            Ok(Ok((socket, _))) => Ok(Self { socket }),
            Ok(Err(tungstenite::Error::Io(error))) => Err(ConnectError::Refused(error.to_string())),
            Ok(Err(tungstenite::Error::Http(response))) => {
                Err(ConnectError::Status(response.status().as_u16()))
            }
            Ok(Err(error)) => Err(ConnectError::Handshake(error.to_string())),
        }
    }

    /// Sends a text message, whatever is in it.
    pub async fn send_text(&mut self, text: String) -> Result<(), SendError> {
        self.send(Message::text(text)).await
    }

    /// Sends a binary message, which Twilio never does.
    pub async fn send_binary(&mut self, bytes: Bytes) -> Result<(), SendError> {
        self.send(Message::binary(bytes)).await
    }

    /// The next message of the server. Cancel-safe.
    pub async fn receive(&mut self) -> Received {
        loop {
            match self.socket.next().await {
                Some(Ok(Message::Text(text))) => return Received::Text(text.as_str().to_owned()),
                Some(Ok(Message::Binary(bytes))) => return Received::Binary(bytes),
                Some(Ok(Message::Close(frame))) => {
                    return Received::Closed(
                        frame.map(|CloseFrame { code, reason }| (code.into(), reason.as_str().to_owned())),
                    );
                }
                // Answered by the library.
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
                Some(Err(tungstenite::Error::ConnectionClosed | tungstenite::Error::AlreadyClosed))
                | None => {
                    return Received::Closed(None);
                }
                Some(Err(error)) => return Received::Broken(error.to_string()),
            }
        }
    }

    /// Closes properly: says so, then reads until the server has said so too (for a second at most), because a socket
    /// dropped with unread data resets the connection and may take our last message with it.
    pub async fn close(mut self) {
        let closing = async {
            if self.socket.close(None).await.is_ok() {
                while let Some(Ok(_)) = self.socket.next().await {}
            }
        };
        if tokio::time::timeout(CLOSE_TIMEOUT, closing).await.is_err() {
            tracing::debug!("the server did not finish the closing handshake");
        }
    }

    /// Loses the connection without a word, as a cut cable does: the server sees a reset.
    pub fn cut(self) {
        let tcp = match self.socket.get_ref() {
            MaybeTlsStream::Plain(tcp) => Some(tcp),
            MaybeTlsStream::Rustls(tls) => Some(tls.get_ref().0),
            _ => None,
        };
        if let Some(Err(error)) = tcp.map(TcpStream::set_zero_linger) {
            tracing::debug!(%error, "the socket ends with FIN instead of RST");
        }
    }

    async fn send(&mut self, message: Message) -> Result<(), SendError> {
        match tokio::time::timeout(WRITE_TIMEOUT, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(SendError(error.to_string())),
            Err(_) => Err(SendError("the server does not read".to_owned())),
        }
    }
}
