//! Sockets without the platform's clients.

use crate::support::World;
use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream,
    tungstenite::{Error, Message, client::IntoClientRequest, protocol::frame::coding::CloseCode},
};

/// What never answers is given so long; what does answer takes a hundredth of it.
pub(crate) const MOMENT: Duration = Duration::from_millis(400);

/// A socket without any manners of its own.
pub(crate) struct Raw(pub(crate) WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Raw {
    pub(crate) async fn connect(
        world: &World,
        path: &str,
        header: (&'static str, &'static str),
    ) -> Result<Self, Error> {
        let mut request = format!("ws://{}{path}", world.sandbox.address()).into_client_request().unwrap();
        request.headers_mut().insert(header.0, header.1.parse().unwrap());
        tokio_tungstenite::connect_async(request).await.map(|(socket, _)| Self(socket))
    }

    pub(crate) async fn listen(world: &World, query: &str) -> Self {
        Self::connect(world, &format!("/v1/listen?{query}"), ("authorization", "Token key")).await.unwrap()
    }

    pub(crate) async fn speak(world: &World) -> Self {
        let path = "/v1/text-to-speech/voice/multi-stream-input?output_format=ulaw_8000";
        Self::connect(world, path, ("xi-api-key", "key")).await.unwrap()
    }

    pub(crate) async fn send(&mut self, message: Message) {
        self.0.send(message).await.unwrap();
    }

    pub(crate) async fn send_json(&mut self, message: Value) {
        self.send(Message::text(message.to_string())).await;
    }

    /// Comes back when the server has taken in everything sent so far.
    pub(crate) async fn ping(&mut self) {
        self.send(Message::Ping(Vec::new().into())).await;
        match self.0.next().await {
            Some(Ok(Message::Pong(_))) => {}
            other => panic!("{other:?}"),
        }
    }

    /// The next JSON message.
    pub(crate) async fn next(&mut self) -> Value {
        loop {
            match self.0.next().await {
                Some(Ok(Message::Text(text))) => return serde_json::from_str(&text).unwrap(),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    /// Every message up to the close, and the close.
    pub(crate) async fn until_close(&mut self) -> (Vec<Value>, u16, String) {
        let mut messages = Vec::new();
        loop {
            match self.0.next().await {
                Some(Ok(Message::Text(text))) => messages.push(serde_json::from_str(&text).unwrap()),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(Message::Close(Some(close)))) => {
                    return (messages, CloseCode::into(close.code), close.reason.to_string());
                }
                other => panic!("{other:?} after {messages:?}"),
            }
        }
    }

    /// A Scribe stream of a phone call.
    pub(crate) async fn scribe(world: &World, query: &str) -> Self {
        let path = format!("/v1/speech-to-text/realtime?model_id=scribe_v2_realtime&{query}");
        Self::connect(world, &path, ("xi-api-key", "key")).await.unwrap()
    }

    /// Whether the socket says anything, or ends, within a moment.
    pub(crate) async fn is_silent(&mut self) -> bool {
        tokio::time::timeout(MOMENT, self.0.next()).await.is_err()
    }
}
