//! Client secrets: what a browser gets in place of an API key. They open sessions with one agent, for some minutes, and
//! for no longer than the key that made them is good.
//!
//! Text form: `ek_` `base64url(body)` `.` `base64url(mac)`, HMAC-SHA-256 over a purpose of its own, so that no other
//! token of this platform passes for one.

use hmac::{Hmac, KeyInit, Mac};
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use seiketsu_domain::AgentId;
use sha2::Sha256;
use uuid::Uuid;

/// How every secret begins.
pub(crate) const PREFIX: &str = "ek_";
/// How long one is good if nobody says otherwise.
pub(crate) const LIFETIME: SignedDuration = SignedDuration::from_mins(10);
/// The shortest and the longest life that can be asked for, in seconds.
pub(crate) const LIFETIMES_SECONDS: std::ops::RangeInclusive<i64> = 10..=7_200;
const PURPOSE: &[u8] = b"seiketsu client secret 2\0";
const BODY_BYTES: usize = 16 + 32 + 8;
const BASE64: base64_simd::Base64 = base64_simd::URL_SAFE_NO_PAD;

/// What a secret says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ClientSecret {
    /// Which agent.
    pub(crate) agent: AgentId,
    /// SHA-256 of the key that made it: it is good for no longer than that key.
    pub(crate) key: [u8; 32],
    /// The first instant at which it is no longer good.
    pub(crate) expires_at: Timestamp,
}

impl ClientSecret {
    /// The text form.
    pub(crate) fn sign(&self, key: &SecretString) -> String {
        let mut body = Vec::with_capacity(BODY_BYTES);
        body.extend_from_slice(self.agent.uuid().as_bytes());
        body.extend_from_slice(&self.key);
        body.extend_from_slice(&self.expires_at.as_millisecond().to_be_bytes());
        let mac = mac(key, &body).finalize().into_bytes();
        format!("{PREFIX}{}.{}", BASE64.encode_to_string(&body), BASE64.encode_to_string(mac))
    }

    /// Reads a secret that was signed here and is still good.
    pub(crate) fn verify(text: &str, secret: &SecretString, now: Timestamp) -> Option<Self> {
        let (body, signature) = text.strip_prefix(PREFIX)?.split_once('.')?;
        if body.len() > 100 || signature.len() > 64 {
            return None;
        }
        let body = BASE64.decode_to_vec(body).ok()?;
        let signature = BASE64.decode_to_vec(signature).ok()?;
        mac(secret, &body).verify_slice(&signature).ok()?;
        let (agent, rest) = body.split_first_chunk::<16>()?;
        let (key, expires_at) = rest.split_first_chunk::<32>()?;
        let expires_at = i64::from_be_bytes(expires_at.try_into().ok()?);
        let read = Self {
            agent: AgentId::from_uuid(Uuid::from_bytes(*agent)),
            key: *key,
            expires_at: Timestamp::from_millisecond(expires_at).ok()?,
        };
        (now < read.expires_at).then_some(read)
    }
}

#[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
fn mac(key: &SecretString, body: &[u8]) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.expose_secret().as_bytes()).expect("any length");
    mac.update(PURPOSE);
    mac.update(body);
    mac
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret() -> ClientSecret {
        ClientSecret {
            agent: AgentId::from_uuid(Uuid::from_u128(2)),
            key: [3; 32],
            expires_at: Timestamp::from_second(1_000).unwrap(),
        }
    }

    #[test]
    fn a_secret_is_good_until_it_expires_and_for_this_platform_alone() {
        let (ours, others) = (SecretString::from("ours"), SecretString::from("others"));
        let text = secret().sign(&ours);
        let at = |second| Timestamp::from_second(second).unwrap();
        assert_eq!(ClientSecret::verify(&text, &ours, at(999)), Some(secret()));
        assert_eq!(ClientSecret::verify(&text, &ours, at(1_000)), None);
        assert_eq!(ClientSecret::verify(&text, &others, at(999)), None);
    }

    #[test]
    fn a_secret_of_which_anything_was_changed_is_none() {
        let key = SecretString::from("ours");
        let text = secret().sign(&key);
        let now = Timestamp::from_second(0).unwrap();
        for at in 0..text.len() {
            let mut wrong = text.clone().into_bytes();
            wrong[at] = if wrong[at] == b'A' { b'B' } else { b'A' };
            let wrong = String::from_utf8(wrong).unwrap();
            // The last character of base64 may hold bits that say nothing.
            let same = ClientSecret::verify(&wrong, &key, now).is_none_or(|read| read == secret());
            assert!(same, "{wrong}");
        }
        for nonsense in ["", "ek_", "ek_.", "ek_a.b", &text[..text.len() - 4], &text[1..]] {
            assert_eq!(ClientSecret::verify(nonsense, &key, now), None, "{nonsense}");
        }
    }
}
