//! Vendors of one's own for tests: a listener on loopback whose every byte a test decides.

use futures_util::{SinkExt, StreamExt};
use http::{HeaderMap, Uri};
use std::{sync::Once, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time,
};
use tokio_tungstenite::{
    WebSocketStream, accept_hdr_async,
    tungstenite::{
        Message,
        handshake::server::{Request, Response},
        protocol::{CloseFrame, frame::coding::CloseCode},
    },
};
use url::Url;

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// Waits for what must happen, so that a test that fails does not hang.
pub(crate) async fn soon<F: Future>(what: F) -> F::Output {
    time::timeout(PATIENCE, what).await.expect("nothing happened in time")
}

/// What the binary does before anything else; on loopback it is never used.
pub(crate) fn choose_cryptography() {
    static CRYPTOGRAPHY: Once = Once::new();
    CRYPTOGRAPHY.call_once(|| {
        rustls::crypto::ring::default_provider().install_default().expect("installed once");
    });
}

/// An HTTP client as the binary would make one.
pub(crate) fn http_client() -> reqwest::Client {
    choose_cryptography();
    reqwest::Client::builder().no_proxy().build().unwrap()
}

/// Lets time pass at once, in steps small enough for everything that counts them.
pub(crate) async fn pass(duration: Duration) {
    const STEP: Duration = Duration::from_millis(25);
    time::pause();
    for _ in 0..duration.as_millis() / STEP.as_millis() {
        time::advance(STEP).await;
    }
    time::resume();
}

/// A vendor.
pub(crate) struct Fake {
    listener: TcpListener,
}

/// A request as it came.
pub(crate) struct Asked {
    pub(crate) uri: Uri,
    pub(crate) headers: HeaderMap,
}

impl Fake {
    pub(crate) async fn start() -> Self {
        Self { listener: TcpListener::bind("127.0.0.1:0").await.unwrap() }
    }

    /// Where it listens.
    pub(crate) fn url(&self) -> Url {
        format!("http://{}", self.listener.local_addr().unwrap()).parse().unwrap()
    }

    /// Where nothing listens.
    pub(crate) async fn nowhere() -> Url {
        Self::start().await.url()
    }

    pub(crate) async fn accept(&self) -> TcpStream {
        soon(self.listener.accept()).await.unwrap().0
    }

    pub(crate) async fn accept_http(&self) -> HttpPeer {
        HttpPeer { stream: self.accept().await }
    }

    /// Accepts a WebSocket.
    #[expect(clippy::result_large_err, reason = "the callback's type is the library's")]
    pub(crate) async fn accept_websocket(&self) -> (Asked, SocketPeer) {
        let mut asked = None;
        let note = |request: &Request, response: Response| {
            asked = Some(Asked { uri: request.uri().clone(), headers: request.headers().clone() });
            Ok(response)
        };
        let stream = soon(accept_hdr_async(self.accept().await, note)).await.unwrap();
        (asked.unwrap(), SocketPeer { stream })
    }

    /// Answers the next request with these bytes and closes.
    pub(crate) async fn answer(&self, response: &str) {
        let mut peer = self.accept_http().await;
        peer.request().await;
        peer.send(response).await;
    }
}

/// The vendor's end of an HTTP connection.
pub(crate) struct HttpPeer {
    pub(crate) stream: TcpStream,
}

impl HttpPeer {
    /// Reads a request: its head and its body. What is no text in them is replaced.
    pub(crate) async fn request(&mut self) -> (String, String) {
        let mut bytes = Vec::new();
        loop {
            let count = soon(self.stream.read_buf(&mut bytes)).await.unwrap();
            assert!(count > 0, "the client hung up: {}", String::from_utf8_lossy(&bytes));
            let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
            let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
            let length = head
                .to_ascii_lowercase()
                .split("content-length: ")
                .nth(1)
                .map_or(0, |rest| rest.split("\r\n").next().unwrap_or_default().parse().unwrap());
            if bytes.len() >= end + 4 + length {
                return (head, String::from_utf8_lossy(&bytes[end + 4..]).into_owned());
            }
        }
    }

    pub(crate) async fn send(&mut self, text: &str) {
        self.stream.write_all(text.as_bytes()).await.unwrap();
    }

    /// Sends one chunk of a body that was announced as `transfer-encoding: chunked`.
    pub(crate) async fn chunk(&mut self, bytes: impl AsRef<[u8]>) {
        let bytes = bytes.as_ref();
        self.send(&format!("{:x}\r\n", bytes.len())).await;
        self.stream.write_all(bytes).await.unwrap();
        self.send("\r\n").await;
    }

    /// Waits until the client has gone.
    pub(crate) async fn gone(&mut self) {
        let mut rest = [0; 1_024];
        while matches!(soon(self.stream.read(&mut rest)).await, Ok(1..)) {}
    }
}

/// The vendor's end of a WebSocket.
pub(crate) struct SocketPeer {
    pub(crate) stream: WebSocketStream<TcpStream>,
}

impl SocketPeer {
    /// The next message that is not a ping or pong; none when the client has gone.
    pub(crate) async fn next(&mut self) -> Option<Message> {
        loop {
            match soon(self.stream.next()).await? {
                Ok(Message::Ping(_) | Message::Pong(_)) => {}
                Ok(Message::Close(_)) | Err(_) => return None,
                Ok(message) => return Some(message),
            }
        }
    }

    /// The next text message.
    pub(crate) async fn text(&mut self) -> String {
        match self.next().await {
            Some(Message::Text(text)) => text.as_str().to_owned(),
            other => panic!("{other:?} instead of a text"),
        }
    }

    pub(crate) async fn send(&mut self, text: impl Into<String>) {
        self.stream.send(Message::Text(text.into().into())).await.unwrap();
    }

    pub(crate) async fn close(&mut self, code: u16, reason: &str) {
        let frame = CloseFrame { code: CloseCode::from(code), reason: reason.to_owned().into() };
        self.stream.close(Some(frame)).await.unwrap();
    }

    /// Waits until the client has gone.
    pub(crate) async fn gone(mut self) {
        while self.next().await.is_some() {}
    }
}
