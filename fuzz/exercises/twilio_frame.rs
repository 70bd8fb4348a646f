//! A message of a media socket: whatever its text, parsing answers, and audio that comes out was in the message.

use seiketsu_gateway::twilio::frame::{Frame, parse};

pub(crate) fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(Frame::Media { audio, .. }) = parse(text) {
        assert!(!audio.is_empty(), "a stretch without audio is no stretch");
        assert!(audio.len() <= text.len(), "base64 never grows when it is decoded");
    }
}
