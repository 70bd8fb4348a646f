//! What the two socket vendors have in common.

use axum::{
    extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade},
    http::HeaderMap,
};
use std::{borrow::Cow, time::Duration};
use tokio_util::sync::CancellationToken;

/// The largest message a client may send.
const MAX_MESSAGE_BYTES: usize = 1 << 20;

/// For how long a half-open connection is kept.
const HALF_OPEN: Duration = Duration::from_mins(5);

/// Close codes of RFC 6455 that the vendors use.
pub(crate) mod code {
    pub(crate) const NORMAL: u16 = 1000;
    pub(crate) const GOING_AWAY: u16 = 1001;
    pub(crate) const POLICY: u16 = 1008;
    pub(crate) const INTERNAL: u16 = 1011;
}

/// The peer is gone, or we have closed: the conversation is over.
#[derive(Debug)]
pub(crate) struct Over;

/// An upgrade with bounded buffers.
pub(crate) fn bounded(upgrade: WebSocketUpgrade) -> WebSocketUpgrade {
    upgrade
        .max_message_size(MAX_MESSAGE_BYTES)
        .max_frame_size(MAX_MESSAGE_BYTES)
        .read_buffer_size(8 * 1024)
        .write_buffer_size(0)
}

/// Sends one text message.
pub(crate) async fn send_text(socket: &mut WebSocket, text: String) -> Result<(), Over> {
    socket.send(Message::text(text)).await.map_err(|_| Over)
}

/// Closes with a code and a reason; never returns anything to go on with.
pub(crate) async fn close(socket: &mut WebSocket, code: u16, reason: impl Into<Cow<'static, str>>) -> Over {
    let reason = reason.into().into_owned().into();
    // A peer that is gone already needs no goodbye.
    let _ = socket.send(Message::Close(Some(CloseFrame { code, reason }))).await;
    Over
}

/// Keeps the connection open without reading or writing, as a peer does whose network has gone.
pub(crate) async fn half_open(socket: WebSocket, shutdown: &CancellationToken) {
    tokio::select! {
        () = shutdown.cancelled() => {}
        () = tokio::time::sleep(HALF_OPEN) => {}
    }
    drop(socket);
}

/// The key in a header, if it is one that the sandbox accepts: anything but nothing and `invalid`.
pub(crate) fn accepted_key<'a>(headers: &'a HeaderMap, header: &str, schemes: &[&str]) -> Option<&'a str> {
    let value = headers.get(header)?.to_str().ok()?;
    let key = if schemes.is_empty() {
        value
    } else {
        let (scheme, key) = value.split_once(' ')?;
        schemes.iter().any(|known| known.eq_ignore_ascii_case(scheme)).then_some(key)?
    };
    let key = key.trim();
    (!key.is_empty() && key != "invalid").then_some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepted(value: &str, schemes: &[&str]) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert("authorization", value.parse().unwrap());
        accepted_key(&headers, "authorization", schemes).is_some()
    }

    #[test]
    fn any_key_of_the_right_scheme_is_accepted() {
        assert!(accepted("Token abc", &["token"]));
        assert!(accepted("Bearer sk-1", &["bearer"]));
        assert!(accepted("abc", &[]));
    }

    #[test]
    fn a_missing_an_empty_a_foreign_and_the_invalid_key_are_not() {
        assert!(accepted_key(&HeaderMap::new(), "authorization", &["token"]).is_none());
        assert!(!accepted("Token ", &["token"]));
        assert!(!accepted("Token", &["token"]));
        assert!(!accepted("Basic abc", &["token"]));
        assert!(!accepted("Token invalid", &["token"]));
        assert!(!accepted("invalid", &[]));
    }
}
