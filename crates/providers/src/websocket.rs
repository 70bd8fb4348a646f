//! A WebSocket towards a vendor: connected within a deadline, bounded, and known to be alive.

use crate::{Failure, FailureKind, Vendor, http_status};
use futures_util::{SinkExt, StreamExt};
use http::{HeaderName, HeaderValue, StatusCode};
use rustls::{ClientConfig, RootCertStore, crypto::CryptoProvider};
use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};
use tokio::{
    net::TcpStream,
    time::{self, Interval, MissedTickBehavior},
};
use tokio_tungstenite::{
    Connector, MaybeTlsStream, WebSocketStream, connect_async_tls_with_config,
    tungstenite::{
        self, Bytes, Message, Utf8Bytes,
        client::IntoClientRequest,
        error::{Error, ProtocolError},
        protocol::{CloseFrame, WebSocketConfig},
    },
};
use url::Url;

/// The largest message a vendor may send: a second of speech is 64 kB of base64 at most.
const MAX_MESSAGE_BYTES: usize = 1024 * 1024;
/// Held per connection for its whole life, so kept small: the vendors' messages are a few kB.
const READ_BUFFER_BYTES: usize = 4 * 1024;
/// More than this is only queued when the peer has stopped reading.
const MAX_WRITE_BUFFER_BYTES: usize = 256 * 1024;
/// A peer that leaves this many pings in a row unanswered is gone.
const MAX_UNANSWERED_PINGS: u32 = 2;

/// The clock of a connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// For name, TCP, TLS and the WebSocket handshake together.
    pub(crate) connect: Duration,
    /// Between pings; also the longest a single write may take.
    pub(crate) ping: Duration,
}

/// What arrived.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Frame {
    /// A text message.
    Text(Utf8Bytes),
    /// A binary message.
    Binary(Bytes),
    /// The vendor closed the connection properly.
    Closed {
        /// The code it gave.
        code: Option<u16>,
        /// The reason it gave.
        reason: String,
    },
}

/// An open connection.
#[derive(Debug)]
pub(crate) struct Socket {
    vendor: Vendor,
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    pings: Interval,
    unanswered_pings: u32,
    patience: Patience,
}

impl Socket {
    /// Connects, or says why not, within the deadline.
    pub(crate) async fn connect(
        vendor: Vendor,
        url: Url,
        (name, value): (HeaderName, HeaderValue),
        patience: Patience,
    ) -> Result<Self, Failure> {
        let mut request = url.as_str().into_client_request().map_err(|error| unopened(vendor, error))?;
        request.headers_mut().insert(name, value);
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER_BYTES)
            // Every message is time critical: none waits for another to fill a buffer.
            .write_buffer_size(0)
            .max_write_buffer_size(MAX_WRITE_BUFFER_BYTES)
            .max_message_size(Some(MAX_MESSAGE_BYTES))
            .max_frame_size(Some(MAX_MESSAGE_BYTES));
        let connector = connector(vendor, &url)?;
        let connect = connect_async_tls_with_config(request, Some(config), true, Some(connector));
        let (stream, _response) = time::timeout(patience.connect, connect)
            .await
            .map_err(|_| {
                let detail =
                    format_args!("no connection within {} ms", patience.connect.as_millis()).to_string();
                Failure::new(vendor, FailureKind::Timeout, detail)
            })?
            .map_err(|error| unopened(vendor, error))?;
        let mut pings = time::interval(patience.ping);
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        pings.reset();
        Ok(Self { vendor, stream, pings, unanswered_pings: 0, patience })
    }

    /// Sends, or fails when the peer does not take it in time.
    pub(crate) async fn send(&mut self, message: Message) -> Result<(), Failure> {
        match time::timeout(self.patience.ping, self.stream.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(broken(self.vendor, &error)),
            Err(_) => {
                Err(Failure::new(self.vendor, FailureKind::Timeout, "the connection takes no more data"))
            }
        }
    }

    /// The next message. Cancel safe.
    ///
    /// Pings while it waits, and fails when the peer answers nothing at all any more: a connection whose other end has
    /// vanished looks exactly like a quiet one otherwise.
    pub(crate) async fn receive(&mut self) -> Result<Frame, Failure> {
        loop {
            tokio::select! {
                // What has already arrived is read before the peer is declared dead.
                biased;
                message = self.stream.next() => {
                    self.unanswered_pings = 0;
                    match message {
                        Some(Ok(Message::Text(text))) => return Ok(Frame::Text(text)),
                        Some(Ok(Message::Binary(data))) => return Ok(Frame::Binary(data)),
                        Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
                        Some(Ok(Message::Close(frame))) => return Ok(closed(frame)),
                        Some(Err(Error::ConnectionClosed)) | None => return Ok(closed(None)),
                        Some(Err(error)) => return Err(broken(self.vendor, &error)),
                    }
                }
                _ = self.pings.tick() => {
                    if self.unanswered_pings >= MAX_UNANSWERED_PINGS {
                        let detail = format!("no answer to {MAX_UNANSWERED_PINGS} pings: the connection is half open");
                        return Err(Failure::new(self.vendor, FailureKind::Timeout, detail));
                    }
                    self.unanswered_pings += 1;
                    self.send(Message::Ping(Bytes::new())).await?;
                }
            }
        }
    }
}

/// What connects to such a URL. All connections share one TLS configuration, because it holds the tickets with which a
/// vendor resumes an earlier session: a round trip and a good deal of arithmetic less for each call.
fn connector(vendor: Vendor, url: &Url) -> Result<Connector, Failure> {
    static SHARED: OnceLock<Arc<ClientConfig>> = OnceLock::new();
    if url.scheme() != "wss" {
        return Ok(Connector::Plain);
    }
    if let Some(config) = SHARED.get() {
        return Ok(Connector::Rustls(config.clone()));
    }
    // Whose cryptography it is, is decided once, in the binary.
    let provider = CryptoProvider::get_default().ok_or_else(|| {
        Failure::new(vendor, FailureKind::Unreachable, "no cryptography has been chosen for TLS")
    })?;
    let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let config = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|error| Failure::new(vendor, FailureKind::Unreachable, error))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Connector::Rustls(SHARED.get_or_init(|| Arc::new(config)).clone()))
}

/// `wss://…` of `https://…`, `ws://…` of `http://…`.
pub(crate) fn websocket_url(vendor: Vendor, base: &Url, path: &[&str]) -> Result<Url, Failure> {
    let unusable = || {
        Failure::new(vendor, FailureKind::BadRequest, format_args!("`{base}` is not a base URL").to_string())
    };
    let mut url = base.clone();
    let scheme = match base.scheme() {
        "https" | "wss" => "wss",
        "http" | "ws" => "ws",
        _ => return Err(unusable()),
    };
    url.set_scheme(scheme).map_err(|()| unusable())?;
    url.path_segments_mut().map_err(|()| unusable())?.pop_if_empty().extend(path);
    Ok(url)
}

/// A connection that was closed while it was still in use, by its close code (RFC 6455, section 7.4).
pub(crate) fn closed_early(vendor: Vendor, code: Option<u16>, reason: &str) -> Failure {
    let kind = match code {
        Some(1002 | 1003 | 1007 | 1008 | 1009 | 1010) => FailureKind::BadRequest,
        Some(1011) => FailureKind::VendorFault,
        Some(1013) => FailureKind::RateLimited { retry_after: None },
        _ => FailureKind::Closed,
    };
    let code = code.map_or_else(|| "no code".to_owned(), |code| code.to_string());
    Failure::new(vendor, kind, format_args!("closed with {code}: {reason}").to_string())
}

fn closed(frame: Option<CloseFrame>) -> Frame {
    match frame {
        Some(frame) => {
            Frame::Closed { code: Some(frame.code.into()), reason: frame.reason.as_str().to_owned() }
        }
        None => Frame::Closed { code: None, reason: String::new() },
    }
}

/// Why there is no connection.
fn unopened(vendor: Vendor, error: Error) -> Failure {
    match error {
        Error::Http(response) => {
            let body = response.body().as_deref().unwrap_or_default();
            let body = &body[..body.len().min(http_status::MAX_ERROR_BODY_BYTES)];
            if response.status() == StatusCode::SWITCHING_PROTOCOLS {
                return Failure::new(vendor, FailureKind::Garbage, "an incomplete WebSocket handshake");
            }
            http_status::refused(vendor, response.status(), response.headers(), body)
        }
        Error::Io(_) | Error::Tls(_) => {
            Failure::new(vendor, FailureKind::Unreachable, http_status::chain(&error))
        }
        Error::Url(_) | Error::HttpFormat(_) => {
            Failure::new(vendor, FailureKind::BadRequest, http_status::chain(&error))
        }
        Error::ConnectionClosed
        | Error::AlreadyClosed
        | Error::Capacity(_)
        | Error::Protocol(_)
        | Error::WriteBufferFull(_)
        | Error::Utf8(_)
        | Error::AttackAttempt => broken(vendor, &error),
    }
}

/// Why a connection is no more.
fn broken(vendor: Vendor, error: &Error) -> Failure {
    let kind = match error {
        Error::ConnectionClosed
        | Error::AlreadyClosed
        | Error::Io(_)
        | Error::Tls(_)
        | Error::Protocol(
            ProtocolError::ResetWithoutClosingHandshake
            | ProtocolError::SendAfterClosing
            | ProtocolError::HandshakeIncomplete,
        ) => FailureKind::Closed,
        Error::WriteBufferFull(_) => FailureKind::Timeout,
        Error::Capacity(_)
        | Error::Protocol(_)
        | Error::Utf8(_)
        | Error::AttackAttempt
        | Error::Url(_)
        | Error::Http(_)
        | Error::HttpFormat(_) => FailureKind::Garbage,
    };
    Failure::new(vendor, kind, http_status::chain(error))
}

/// A text message.
pub(crate) fn text(json: String) -> Message {
    tungstenite::Message::Text(json.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_socket_scheme_follows_the_base_url_and_a_base_path_is_kept() {
        let url = |base: &str| websocket_url(Vendor::Deepgram, &base.parse().unwrap(), &["v1", "a b/c"]);
        assert_eq!(url("https://api.deepgram.com").unwrap().as_str(), "wss://api.deepgram.com/v1/a%20b%2Fc");
        assert_eq!(url("http://127.0.0.1:9/proxy/").unwrap().as_str(), "ws://127.0.0.1:9/proxy/v1/a%20b%2Fc");
        assert_eq!(url("ftp://x/").unwrap_err().kind, FailureKind::BadRequest);
        assert_eq!(url("mailto:x@y").unwrap_err().kind, FailureKind::BadRequest);
    }

    #[test]
    fn encrypted_connections_share_what_lets_them_resume_a_session() {
        crate::fake::choose_cryptography();
        let connector = |url: &str| connector(Vendor::Deepgram, &url.parse().unwrap()).unwrap();
        let Connector::Rustls(first) = connector("wss://api.deepgram.com/") else { panic!() };
        let Connector::Rustls(second) = connector("wss://api.elevenlabs.io/") else { panic!() };
        assert!(Arc::ptr_eq(&first, &second));
        assert!(matches!(connector("ws://127.0.0.1:1/"), Connector::Plain));
    }

    #[test]
    fn a_close_code_says_whose_fault_it_was() {
        let kind = |code| closed_early(Vendor::ElevenLabs, code, "why").kind;
        assert_eq!(kind(Some(1008)), FailureKind::BadRequest);
        assert_eq!(kind(Some(1011)), FailureKind::VendorFault);
        assert_eq!(kind(Some(1013)), FailureKind::RateLimited { retry_after: None });
        assert_eq!(kind(Some(1000)), FailureKind::Closed);
        assert_eq!(kind(None), FailureKind::Closed);
    }
}
