//! Why a media socket is closed, and what Twilio and the metrics are told.

use axum::extract::ws::CloseFrame;
use seiketsu_session::Refused;

/// Media sockets that were closed, by `reason`.
pub const SOCKETS_CLOSED: &str = "seiketsu_media_sockets_closed_total";

/// Why a socket is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Closing {
    /// The agent ended the call.
    AgentDone,
    /// Twilio said `stop`: the caller is gone.
    Stopped,
    /// The socket died, or was closed without a `stop`.
    Gone,
    /// Nothing was heard on it for too long.
    Idle,
    /// It takes what we send too slowly.
    Stalled,
    /// The session ended without saying so.
    SessionLost,
    /// No `start` in time, or something else first.
    NoStart,
    /// The token is missing, forged, expired or for another call.
    BadToken,
    /// The token has opened a socket before.
    UsedToken,
    /// Another socket holds the call.
    AlreadyConnected,
    /// The call has ended.
    CallEnded,
    /// This replica takes no new calls.
    Draining,
    /// All places are taken.
    Full,
    /// The database, or another part that a call cannot begin without, is away.
    Unavailable,
    /// Too many messages that make no sense.
    Nonsense,
    /// Much more audio than time has passed.
    TooFast,
    /// A message beyond the limit.
    TooLarge,
}

impl Closing {
    /// The name in metrics and in the close frame.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::AgentDone => "agent_done",
            Self::Stopped => "stopped",
            Self::Gone => "gone",
            Self::Idle => "idle",
            Self::Stalled => "stalled",
            Self::SessionLost => "session_lost",
            Self::NoStart => "no_start",
            Self::BadToken => "bad_token",
            Self::UsedToken => "used_token",
            Self::AlreadyConnected => "already_connected",
            Self::CallEnded => "call_ended",
            Self::Draining => "draining",
            Self::Full => "full",
            Self::Unavailable => "unavailable",
            Self::Nonsense => "nonsense",
            Self::TooFast => "too_fast",
            Self::TooLarge => "too_large",
        }
    }

    /// The close frame (codes of RFC 6455 and the IANA registry); none where nobody is left to read it.
    pub(crate) fn frame(self) -> Option<CloseFrame> {
        let code = match self {
            Self::Gone | Self::Stalled => return None,
            Self::AgentDone | Self::Stopped | Self::CallEnded => 1000,
            Self::Idle
            | Self::NoStart
            | Self::BadToken
            | Self::UsedToken
            | Self::AlreadyConnected
            | Self::Nonsense
            | Self::TooFast => 1008,
            Self::TooLarge => 1009,
            Self::SessionLost => 1011,
            Self::Draining => 1012,
            Self::Full | Self::Unavailable => 1013,
        };
        Some(CloseFrame { code, reason: self.name().into() })
    }

    /// Whether this is how calls go.
    pub(crate) const fn is_ordinary(self) -> bool {
        match self {
            Self::AgentDone | Self::Stopped | Self::CallEnded | Self::Draining => true,
            Self::Gone
            | Self::Idle
            | Self::Stalled
            | Self::SessionLost
            | Self::NoStart
            | Self::BadToken
            | Self::UsedToken
            | Self::AlreadyConnected
            | Self::Full
            | Self::Unavailable
            | Self::Nonsense
            | Self::TooFast
            | Self::TooLarge => false,
        }
    }
}

impl From<Refused> for Closing {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Draining => Self::Draining,
            Refused::Full => Self::Full,
            Refused::AlreadyLive => Self::AlreadyConnected,
            Refused::Desk(_) => Self::Unavailable,
        }
    }
}
