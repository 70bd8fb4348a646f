//! What the gateway has to be told.

use crate::access::RatePerMinute;
use secrecy::SecretString;
use seiketsu_domain::ReplicaId;
use std::{fmt, net::IpAddr, str::FromStr, time::Duration};
use url::{Host, Url};

/// Where Twilio and browsers reach this platform. Signatures are computed over it, never over proxy headers, which
/// anybody can write.
///
/// Always `https`, except on loopback, where a demo has no certificate.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicUrl {
    /// Scheme, host, port and path, without a trailing slash.
    base: String,
    secure: bool,
}

/// Text that cannot be a public URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PublicUrlError {
    /// Not a URL at all.
    #[error("not a URL: expected something like https://voice.example.com")]
    Malformed,
    /// Any scheme but `https`, or `http` outside loopback.
    #[error("calls and keys would travel in the clear: use https:// (http:// only on loopback)")]
    Insecure,
    /// Credentials, a query or a fragment.
    #[error("a public URL has no user, query or fragment")]
    Superfluous,
}

impl PublicUrl {
    /// The whole URL of a path (with its query, if it has one), as a vendor sees and signs it.
    pub fn at(&self, path_and_query: &str) -> String {
        format!("{}{path_and_query}", self.base)
    }

    /// Whether a browser's page of this origin is one of ours. On loopback all its names (`localhost`, `127.0.0.1`,
    /// `[::1]`) are, with the same port.
    pub fn is_origin(&self, origin: &str) -> bool {
        let Ok(ours) = Url::parse(&self.base) else { return false };
        if ours.origin().ascii_serialization() == origin {
            return true;
        }
        let same = |theirs: Url| {
            theirs.origin().ascii_serialization() == origin
                && is_loopback(&theirs)
                && is_loopback(&ours)
                && theirs.scheme() == ours.scheme()
                && theirs.port_or_known_default() == ours.port_or_known_default()
        };
        Url::parse(origin).is_ok_and(same)
    }

    /// The port, if this is loopback without TLS: a machine of somebody's own.
    pub fn loopback_port(&self) -> Option<u16> {
        let url = Url::parse(&self.base).ok()?;
        (!self.secure).then_some(url.port_or_known_default()).flatten()
    }

    /// The same with a WebSocket's scheme.
    pub fn socket_at(&self, path: &str) -> String {
        let (scheme, prefix) = if self.secure { ("wss", "https") } else { ("ws", "http") };
        format!("{scheme}{}{path}", &self.base[prefix.len()..])
    }
}

impl FromStr for PublicUrl {
    type Err = PublicUrlError;

    fn from_str(text: &str) -> Result<Self, PublicUrlError> {
        let url = Url::parse(text).map_err(|_| PublicUrlError::Malformed)?;
        if url.host().is_none() {
            return Err(PublicUrlError::Malformed);
        }
        let secure = match url.scheme() {
            "https" => true,
            "http" if is_loopback(&url) => false,
            _ => return Err(PublicUrlError::Insecure),
        };
        let plain = url.username().is_empty() && url.password().is_none();
        if !plain || url.query().is_some() || url.fragment().is_some() {
            return Err(PublicUrlError::Superfluous);
        }
        Ok(Self { base: url.as_str().trim_end_matches('/').to_owned(), secure })
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => IpAddr::V4(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::V6(address).is_loopback(),
        None => false,
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.base)
    }
}

impl fmt::Debug for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.base, f)
    }
}

/// Settings of the gateway.
#[derive(Debug, Clone)]
pub struct GatewayConfig {
    /// Where the world reaches us.
    pub public_url: PublicUrl,
    /// Signs media tokens.
    pub jwt_secret: SecretString,
    /// Signs what Twilio sends us.
    pub twilio_auth_token: SecretString,
    /// Which copy of the server this is.
    pub replica: ReplicaId,
    /// What a media socket may take and how long.
    pub media: MediaLimits,
    /// What the API door takes.
    pub realtime: RealtimeLimits,
    /// Slugs of the demo brokerages as whose member anybody may sign in with one click: only where nobody else can come
    /// in; none elsewhere.
    pub demo_sign_in: Vec<String>,
    /// Whether speech is recognised by the sandbox, which understands only speech that was made here.
    pub sandbox_ears: bool,
}

/// Limits of the API door.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RealtimeLimits {
    /// Sessions at once; more are refused with 503, so that telephones always find places.
    pub sessions: usize,
    /// The same of one tenant; more are refused with 429, so that others find places.
    pub sessions_of_tenant: usize,
    /// What each key may ask for.
    pub rate: RatePerMinute,
}

/// Limits of media sockets. The defaults suit Twilio.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MediaLimits {
    /// Sockets that may be open without having shown a token yet; more are refused with 503.
    pub max_unproven_sockets: usize,
    /// By then a socket has shown its token.
    pub start_deadline: Duration,
    /// After so long without a message a socket is asked whether it is there; after three times as long it counts as
    /// dead. Twilio sends fifty messages a second, silence included.
    pub ping_after: Duration,
    /// How long a socket may take for one message of ours.
    pub write_deadline: Duration,
}

impl Default for MediaLimits {
    fn default() -> Self {
        Self {
            max_unproven_sockets: 512,
            start_deadline: Duration::from_secs(5),
            ping_after: Duration::from_secs(10),
            write_deadline: Duration::from_secs(10),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_url_is_https_unless_it_is_loopback() {
        let url: PublicUrl = "https://voice.example.com/".parse().unwrap();
        assert_eq!(url.at("/twilio/after?attempt=2"), "https://voice.example.com/twilio/after?attempt=2");
        assert_eq!(url.socket_at("/twilio/media"), "wss://voice.example.com/twilio/media");
        for loopback in ["http://localhost:8080", "http://127.0.0.1:8080/", "http://[::1]:8080"] {
            let url: PublicUrl = loopback.parse().unwrap();
            assert!(url.socket_at("/x").starts_with("ws://"), "{loopback}");
        }
        for insecure in
            ["http://voice.example.com", "ws://localhost", "http://192.168.0.1", "http://0.0.0.0:8080"]
        {
            assert_eq!(insecure.parse::<PublicUrl>(), Err(PublicUrlError::Insecure), "{insecure}");
        }
    }

    #[test]
    fn a_page_is_ours_by_its_origin_and_loopback_has_several_names() {
        let local: PublicUrl = "http://localhost:8080".parse().unwrap();
        for own in ["http://localhost:8080", "http://127.0.0.1:8080", "http://[::1]:8080"] {
            assert!(local.is_origin(own), "{own}");
        }
        for other in
            ["http://localhost:8081", "https://localhost:8080", "http://evil.example:8080", "null", ""]
        {
            assert!(!local.is_origin(other), "{other}");
        }
        let public: PublicUrl = "https://voice.example.com/base".parse().unwrap();
        assert!(public.is_origin("https://voice.example.com"));
        assert!(!public.is_origin("https://localhost") && !public.is_origin("http://voice.example.com"));
        assert_eq!((local.loopback_port(), public.loopback_port()), (Some(8080), None));
    }

    #[test]
    fn a_public_url_keeps_its_path_and_refuses_what_cannot_be_signed() {
        let url: PublicUrl = "https://example.com:8443/voice/".parse().unwrap();
        assert_eq!(url.at("/twilio/voice"), "https://example.com:8443/voice/twilio/voice");
        for (bad, error) in [
            ("", PublicUrlError::Malformed),
            ("voice.example.com", PublicUrlError::Malformed),
            ("https://a:b@example.com", PublicUrlError::Superfluous),
            ("https://example.com?x=1", PublicUrlError::Superfluous),
            ("https://example.com/#x", PublicUrlError::Superfluous),
        ] {
            assert_eq!(bad.parse::<PublicUrl>(), Err(error), "{bad}");
        }
    }
}
