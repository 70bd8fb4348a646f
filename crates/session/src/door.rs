//! The two ends between a door (phone, browser) and a session.

use bytes::Bytes;
use tokio::sync::mpsc;

/// What a door tells a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DoorInput {
    /// Caller audio in the door's format, of any length, gaps already padded.
    Audio(Bytes),
    /// Playback has reached this mark, or the mark was returned because playout was cleared.
    Mark(u64),
    /// The caller pressed a key.
    Digit(char),
    /// The caller hung up.
    HungUp,
    /// The socket died without a goodbye; the call may come back.
    Cut,
}

/// What a session tells a door.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DoorOutput {
    /// Agent audio in the door's format, to be played after what was sent before.
    Audio(Bytes),
    /// Report back when playback reaches this point.
    Mark(u64),
    /// Drop what has not been played.
    Clear,
    /// The agent ended the call: close the socket.
    Close,
}

/// The session's ends of a door's channels. Both are bounded by whoever makes them.
#[derive(Debug)]
pub struct Door {
    /// From the caller.
    pub input: mpsc::Receiver<DoorInput>,
    /// To the caller. A closed channel means the socket is gone.
    pub output: mpsc::Sender<DoorOutput>,
}
