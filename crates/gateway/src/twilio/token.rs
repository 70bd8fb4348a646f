//! The media token: what makes a WebSocket a particular call.
//!
//! TwiML hands it to Twilio, Twilio hands it back in the `start` message of the media stream. It names call, tenant and
//! CallSid, is signed with HMAC-SHA-256, lives 60 seconds and works once (the database remembers used ones until they
//! would have expired anyway). Text form: `base64url(body) "." base64url(mac)`, about 180 of Twilio's 500 characters.

use hmac::{Hmac, KeyInit, Mac};
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use seiketsu_domain::{CallId, TenantId};
use seiketsu_session::Arrival;
use sha2::Sha256;
use std::fmt;
use uuid::Uuid;

/// How long after the webhook Twilio may open the socket.
pub(crate) const LIFETIME: SignedDuration = SignedDuration::from_secs(60);
/// Separates these tokens from anything else ever signed with the same secret, and from later forms.
const PURPOSE: &[u8] = b"seiketsu media token 1\0";
const FIXED_BYTES: usize = 16 + 16 + 16 + 8 + 1;
const MAX_SID_BYTES: usize = 64;
const BASE64: base64_simd::Base64 = base64_simd::URL_SAFE_NO_PAD;

/// What a token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MediaToken {
    /// What is remembered once it has been used.
    pub(crate) id: Uuid,
    /// The call it opens.
    pub(crate) call: CallId,
    /// The call's tenant.
    pub(crate) tenant: TenantId,
    /// Twilio's name for the call.
    pub(crate) call_sid: String,
    /// How the call comes to its session: what nobody but the webhook that hands out the token knows.
    pub(crate) arrival: Arrival,
    /// The first instant at which it is no longer good.
    pub(crate) expires_at: Timestamp,
}

/// Why a token is not good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TokenError {
    /// Not one of ours: malformed, or the signature does not match.
    #[error("the media token was not issued here")]
    Forged,
    /// It was good once.
    #[error("the media token has expired")]
    Expired,
}

/// Signs and reads tokens.
#[derive(Clone)]
pub(crate) struct MediaTokens {
    key: SecretString,
}

impl MediaTokens {
    pub(crate) fn new(key: SecretString) -> Self {
        Self { key }
    }

    /// The text form of a token.
    pub(crate) fn sign(&self, token: &MediaToken) -> String {
        let MediaToken { id, call, tenant, call_sid, arrival, expires_at } = token;
        let mut body = Vec::with_capacity(FIXED_BYTES + call_sid.len());
        body.extend_from_slice(id.as_bytes());
        body.extend_from_slice(call.uuid().as_bytes());
        body.extend_from_slice(tenant.uuid().as_bytes());
        body.extend_from_slice(&expires_at.as_millisecond().to_be_bytes());
        body.push(byte_of(*arrival));
        body.extend_from_slice(call_sid.as_bytes());
        let mac = self.mac(&body).finalize().into_bytes();
        format!("{}.{}", BASE64.encode_to_string(&body), BASE64.encode_to_string(mac))
    }

    /// Reads a token that must be ours and not expired. Whether it was used before is the database's to say.
    pub(crate) fn verify(&self, text: &str, now: Timestamp) -> Result<MediaToken, TokenError> {
        let (body, mac) = text.split_once('.').ok_or(TokenError::Forged)?;
        let longest = (FIXED_BYTES + MAX_SID_BYTES).div_ceil(3) * 4;
        if body.len() > longest || mac.len() > 64 {
            return Err(TokenError::Forged);
        }
        let body = BASE64.decode_to_vec(body).map_err(|_| TokenError::Forged)?;
        let mac = BASE64.decode_to_vec(mac).map_err(|_| TokenError::Forged)?;
        self.mac(&body).verify_slice(&mac).map_err(|_| TokenError::Forged)?;
        let token = MediaToken::read(&body).ok_or(TokenError::Forged)?;
        if now < token.expires_at { Ok(token) } else { Err(TokenError::Expired) }
    }

    #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
    fn mac(&self, body: &[u8]) -> Hmac<Sha256> {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(self.key.expose_secret().as_bytes()).expect("any length");
        mac.update(PURPOSE);
        mac.update(body);
        mac
    }
}

impl fmt::Debug for MediaTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MediaTokens(…)")
    }
}

impl MediaToken {
    fn read(body: &[u8]) -> Option<Self> {
        let (id, rest) = body.split_first_chunk::<16>()?;
        let (call, rest) = rest.split_first_chunk::<16>()?;
        let (tenant, rest) = rest.split_first_chunk::<16>()?;
        let (expires_at, rest) = rest.split_first_chunk::<8>()?;
        let (arrival, call_sid) = rest.split_first()?;
        Some(Self {
            id: Uuid::from_bytes(*id),
            call: CallId::from_uuid(Uuid::from_bytes(*call)),
            tenant: TenantId::from_uuid(Uuid::from_bytes(*tenant)),
            call_sid: str::from_utf8(call_sid).ok()?.to_owned(),
            arrival: arrival_of(*arrival)?,
            expires_at: Timestamp::from_millisecond(i64::from_be_bytes(*expires_at)).ok()?,
        })
    }
}

const fn byte_of(arrival: Arrival) -> u8 {
    match arrival {
        Arrival::New => 0,
        Arrival::Cut => 1,
        Arrival::NotPutThrough => 2,
    }
}

const fn arrival_of(byte: u8) -> Option<Arrival> {
    match byte {
        0 => Some(Arrival::New),
        1 => Some(Arrival::Cut),
        2 => Some(Arrival::NotPutThrough),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens() -> MediaTokens {
        MediaTokens::new("a secret that only the platform knows".into())
    }

    fn token(expires_at: &str) -> MediaToken {
        MediaToken {
            id: Uuid::from_u128(1),
            call: CallId::from_uuid(Uuid::from_u128(2)),
            tenant: TenantId::from_uuid(Uuid::from_u128(3)),
            call_sid: format!("CA{}", "0123456789abcdef".repeat(2)),
            arrival: Arrival::NotPutThrough,
            expires_at: expires_at.parse().unwrap(),
        }
    }

    #[test]
    fn a_token_says_the_same_when_it_comes_back_and_fits_a_twiml_parameter() {
        let token = token("2026-11-24T10:01:00Z");
        let text = tokens().sign(&token);
        assert!("token".len() + text.len() < 500, "{}", text.len());
        assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)), "{text}");
        assert_eq!(tokens().verify(&text, "2026-11-24T10:00:59.999Z".parse().unwrap()), Ok(token));
        for arrival in [Arrival::New, Arrival::Cut, Arrival::NotPutThrough] {
            assert_eq!(arrival_of(byte_of(arrival)), Some(arrival));
        }
    }

    #[test]
    fn a_token_is_no_good_from_its_expiry_on() {
        let text = tokens().sign(&token("2026-11-24T10:01:00Z"));
        let at = "2026-11-24T10:01:00Z".parse().unwrap();
        assert_eq!(tokens().verify(&text, at), Err(TokenError::Expired));
    }

    #[test]
    fn no_changed_character_and_no_other_secret_passes() {
        let text = tokens().sign(&token("2026-11-24T10:01:00Z"));
        let now = "2026-11-24T10:00:00Z".parse().unwrap();
        for position in 0..text.len() {
            let mut forged = text.clone().into_bytes();
            forged[position] = if forged[position] == b'A' { b'B' } else { b'A' };
            let forged = String::from_utf8(forged).unwrap();
            assert_eq!(tokens().verify(&forged, now), Err(TokenError::Forged), "{position}");
        }
        let other = MediaTokens::new("another secret".into());
        assert_eq!(other.verify(&text, now), Err(TokenError::Forged));
        for garbage in
            ["", ".", "a.b", "é.é", &"A".repeat(60_000), &format!("{}.{}", "A".repeat(400), "A".repeat(43))]
        {
            assert_eq!(tokens().verify(garbage, now), Err(TokenError::Forged));
        }
    }
}
