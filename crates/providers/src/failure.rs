//! What can go wrong with a vendor, as values that a caller can decide on.

use std::{fmt, time::Duration};

/// The companies this crate speaks to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Vendor {
    /// Language model; second choice for recognition and synthesis.
    OpenAi,
    /// Speech recognition.
    Deepgram,
    /// Speech synthesis; second choice for recognition.
    ElevenLabs,
    /// Telephony.
    Twilio,
}

impl Vendor {
    /// The name in metrics, logs and JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::OpenAi => "openai",
            Self::Deepgram => "deepgram",
            Self::ElevenLabs => "elevenlabs",
            Self::Twilio => "twilio",
        }
    }
}

impl fmt::Display for Vendor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What kind of thing went wrong. The kinds differ in what is sensible to do next, see [`Failure::retry`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FailureKind {
    /// No connection could be made: name, network, TLS, or the vendor refused it.
    Unreachable,
    /// There was no answer, or no progress, within the deadline.
    Timeout,
    /// The vendor ended a connection that was still in use.
    Closed,
    /// The vendor asks for fewer requests.
    RateLimited {
        /// How long it asks to be left alone, where it said so.
        retry_after: Option<Duration>,
    },
    /// The vendor does not accept our key.
    Unauthorized,
    /// The vendor understood the request and does not accept it.
    BadRequest,
    /// The vendor says that it has failed itself.
    VendorFault,
    /// The vendor sent something that its own protocol does not allow.
    Garbage,
}

impl FailureKind {
    /// The name in metrics, logs and JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::Timeout => "timeout",
            Self::Closed => "closed",
            Self::RateLimited { .. } => "rate_limited",
            Self::Unauthorized => "unauthorized",
            Self::BadRequest => "bad_request",
            Self::VendorFault => "vendor_fault",
            Self::Garbage => "garbage",
        }
    }
}

/// A vendor failed us.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{vendor} {}: {detail}", kind.name())]
pub struct Failure {
    /// Who.
    pub vendor: Vendor,
    /// How.
    pub kind: FailureKind,
    /// In the vendor's or the network's own words, cut to [`Failure::MAX_DETAIL_BYTES`]. For logs, not for callers.
    pub detail: String,
}

/// Whether asking again makes sense. A value, not a loop: whoever owns the deadline decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Retry {
    /// The same request would fail the same way.
    No,
    /// The next attempt has a fair chance right away.
    Soon,
    /// The vendor asked for this much patience.
    After(Duration),
}

impl Failure {
    /// The longest detail that is kept.
    pub const MAX_DETAIL_BYTES: usize = 512;

    /// A failure whose detail is cut to what a log line can bear.
    pub fn new(vendor: Vendor, kind: FailureKind, detail: impl fmt::Display) -> Self {
        let mut detail = detail.to_string();
        detail.truncate(detail.floor_char_boundary(Self::MAX_DETAIL_BYTES));
        Self { vendor, kind, detail }
    }

    /// Whether asking again makes sense.
    pub const fn retry(&self) -> Retry {
        match self.kind {
            FailureKind::Unreachable
            | FailureKind::Timeout
            | FailureKind::Closed
            | FailureKind::VendorFault
            | FailureKind::Garbage
            | FailureKind::RateLimited { retry_after: None } => Retry::Soon,
            FailureKind::RateLimited { retry_after: Some(wait) } => Retry::After(wait),
            FailureKind::Unauthorized | FailureKind::BadRequest => Retry::No,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_says_whether_asking_again_makes_sense() {
        let retry = |kind| Failure::new(Vendor::OpenAi, kind, "x").retry();
        assert_eq!(retry(FailureKind::Timeout), Retry::Soon);
        assert_eq!(retry(FailureKind::Unauthorized), Retry::No);
        assert_eq!(retry(FailureKind::BadRequest), Retry::No);
        let wait = Duration::from_secs(3);
        assert_eq!(retry(FailureKind::RateLimited { retry_after: Some(wait) }), Retry::After(wait));
        assert_eq!(retry(FailureKind::RateLimited { retry_after: None }), Retry::Soon);
    }

    #[test]
    fn a_long_detail_is_cut_between_characters() {
        let failure = Failure::new(Vendor::Deepgram, FailureKind::Garbage, "é".repeat(1_000));
        assert_eq!(failure.detail.len(), 512);
        let odd = Failure::new(Vendor::Deepgram, FailureKind::Garbage, format!("x{}", "é".repeat(1_000)));
        assert_eq!(odd.detail.len(), 511);
        assert!(odd.to_string().starts_with("deepgram garbage: x"));
    }
}
