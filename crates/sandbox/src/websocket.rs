//! What the two socket vendors have in common.

use crate::{
    Fault, RequestKind,
    conduct::Treatment,
    injected::{Delayed, InjectedStage},
    line::Line,
    sandbox::Shared,
};
use axum::{
    extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade},
    http::HeaderMap,
};
use secrecy::{ExposeSecret, SecretString};
use std::borrow::Cow;

/// The largest message a client may send.
const MAX_MESSAGE_BYTES: usize = 1 << 20;

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

/// Waits as long as the answer to a handshake takes, and says what becomes of it.
pub(crate) async fn delay_opening(shared: &Shared, kind: RequestKind) -> Treatment {
    let treatment = shared.conduct.next(kind);
    let Treatment { delay, fault, .. } = treatment;
    tokio::time::sleep(delay).await;
    if fault.is_some() {
        let delayed = Delayed { stage: InjectedStage::Opening, key: "", delay, held: delay, fault };
        shared.conduct.record(kind, &delayed);
    }
    treatment
}

/// What befalls a socket that was opened; true if it may be served.
pub(crate) async fn survives_opening(
    fault: Option<Fault>,
    line: &Line,
    socket: &mut WebSocket,
    garbage: &str,
) -> bool {
    match fault {
        Some(Fault::HalfOpen) => line.silence(),
        Some(Fault::Disconnect) => {}
        Some(Fault::Garbage) => {
            // Whether it arrives or not, the connection ends here.
            let _ = send_text(socket, garbage.to_owned()).await;
        }
        Some(Fault::Stall | Fault::Refuse | Fault::RateLimit) | None => return true,
    }
    false
}

/// Whether a header holds the key that the sandbox was given; where it was given none, any but nothing and `invalid`.
pub(crate) fn is_authorised(
    headers: &HeaderMap,
    header: &str,
    schemes: &[&str],
    expected: Option<&SecretString>,
) -> bool {
    let key = || {
        let value = headers.get(header)?.to_str().ok()?;
        if schemes.is_empty() {
            return Some(value.trim());
        }
        let (scheme, key) = value.split_once(' ')?;
        schemes.iter().any(|known| known.eq_ignore_ascii_case(scheme)).then_some(key.trim())
    };
    key().is_some_and(|key| match expected {
        Some(expected) => key == expected.expose_secret(),
        None => !key.is_empty() && key != "invalid",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepted(value: &str, schemes: &[&str]) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert("authorization", value.parse().unwrap());
        is_authorised(&headers, "authorization", schemes, None)
    }

    #[test]
    fn any_key_of_the_right_scheme_is_accepted() {
        assert!(accepted("Token abc", &["token"]));
        assert!(accepted("Bearer sk-1", &["bearer"]));
        assert!(accepted("abc", &[]));
    }

    #[test]
    fn a_missing_an_empty_a_foreign_and_the_invalid_key_are_not() {
        assert!(!is_authorised(&HeaderMap::new(), "authorization", &["token"], None));
        assert!(!accepted("Token ", &["token"]));
        assert!(!accepted("Token", &["token"]));
        assert!(!accepted("Basic abc", &["token"]));
        assert!(!accepted("Token invalid", &["token"]));
        assert!(!accepted("invalid", &[]));
    }
    #[test]
    fn where_a_key_was_given_it_is_the_only_one() {
        let expected = SecretString::from("sk-1");
        let accepted = |value: &str| {
            let headers = HeaderMap::from_iter([("authorization".parse().unwrap(), value.parse().unwrap())]);
            is_authorised(&headers, "authorization", &["bearer"], Some(&expected))
        };
        assert!(accepted("Bearer sk-1"));
        assert!(!accepted("Bearer sk-2"));
        assert!(!accepted("Bearer "));
    }
}
