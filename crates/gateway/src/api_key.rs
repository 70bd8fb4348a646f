//! API keys: `skt_live_`, 30 random characters, 6 characters of checksum.
//!
//! The checksum lets the edge (and the secret scanners of code hosts) tell a key from a typo without asking the
//! database; the randomness (178 bits) lets the database keep a plain SHA-256 of it. After the format GitHub described
//! for its own tokens in April 2021.

use secrecy::{ExposeSecret, SecretString};
use seiketsu_domain::IdSource;
use sha2::{Digest, Sha256};

/// How every key begins.
pub const PREFIX: &str = "skt_live_";
const RANDOM_CHARS: usize = 30;
const CHECKSUM_CHARS: usize = 6;
const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// A well-formed key. That it is well formed says nothing about whether anybody issued it.
#[derive(Debug, Clone)]
pub struct ApiKey(SecretString);

/// Text that cannot be a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ApiKeyError {
    /// Wrong prefix, length or characters.
    #[error("not an API key: expected `skt_live_` and 36 letters and digits")]
    Malformed,
    /// The last six characters do not match the rest.
    #[error("the API key has a typing error: its checksum does not match")]
    Checksum,
}

impl ApiKey {
    /// A fresh key from the given source of chance.
    pub fn generate(ids: &IdSource) -> Self {
        let mut text = String::with_capacity(PREFIX.len() + RANDOM_CHARS + CHECKSUM_CHARS);
        text.push_str(PREFIX);
        while text.len() < PREFIX.len() + RANDOM_CHARS {
            let mut bytes = [0_u8; RANDOM_CHARS];
            ids.fill(&mut bytes);
            // 248 is the largest multiple of 62 in a byte: above it, some characters would be likelier than others.
            let fair = bytes.into_iter().filter(|byte| *byte < 248);
            let missing = PREFIX.len() + RANDOM_CHARS - text.len();
            text.extend(fair.take(missing).map(|byte| char::from(BASE62[usize::from(byte % 62)])));
        }
        let checksum = checksum(text.as_bytes());
        text.extend(checksum.map(char::from));
        Self(text.into())
    }

    /// Reads a key, checking everything that can be checked without a database.
    pub fn parse(text: &str) -> Result<Self, ApiKeyError> {
        let body = text.strip_prefix(PREFIX).ok_or(ApiKeyError::Malformed)?;
        if body.len() != RANDOM_CHARS + CHECKSUM_CHARS
            || !body.bytes().all(|byte| byte.is_ascii_alphanumeric())
        {
            return Err(ApiKeyError::Malformed);
        }
        let (signed, given) = text.as_bytes().split_at(PREFIX.len() + RANDOM_CHARS);
        if checksum(signed) == given { Ok(Self(text.into())) } else { Err(ApiKeyError::Checksum) }
    }

    /// What the database keeps.
    pub fn sha256(&self) -> [u8; 32] {
        Sha256::digest(self.0.expose_secret().as_bytes()).into()
    }

    /// The first characters, by which people recognise a key without being able to use it.
    pub fn hint(&self) -> &str {
        &self.0.expose_secret()[..PREFIX.len() + 4]
    }

    /// The whole key, to be shown once to whoever it is for.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

/// CRC-32 (ISO-HDLC, the one of zip and Ethernet) as six base-62 digits, most significant first.
fn checksum(bytes: &[u8]) -> [u8; CHECKSUM_CHARS] {
    let mut rest = crc32(bytes);
    let mut digits = [b'0'; CHECKSUM_CHARS];
    for digit in digits.iter_mut().rev() {
        *digit = BASE62[(rest % 62) as usize];
        rest /= 62;
    }
    digits
}

/// Bit by bit: 39 bytes once per request are not worth a table.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xEDB8_8320 & (crc & 1).wrapping_neg()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use seiketsu_domain::SystemClock;
    use std::{collections::BTreeSet, sync::Arc};

    fn ids() -> IdSource {
        IdSource::new(Arc::new(SystemClock::new()), [7; 32])
    }

    #[test]
    fn the_checksum_is_the_crc_32_everybody_knows() {
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926, "the check value of the published catalogue");
        assert_eq!(crc32(b""), 0);
    }

    #[test]
    fn a_generated_key_is_well_formed_and_unlike_the_next() {
        let ids = ids();
        let keys: BTreeSet<String> = (0..200).map(|_| ApiKey::generate(&ids).expose().to_owned()).collect();
        assert_eq!(keys.len(), 200);
        for key in &keys {
            assert_eq!(key.len(), 45);
            let parsed = ApiKey::parse(key).unwrap();
            assert_eq!(parsed.hint(), &key[..13]);
            assert!(!format!("{parsed:?}").contains(&key[9..]), "Debug must not show the key");
        }
    }

    #[test]
    fn any_single_wrong_character_is_noticed_without_a_database() {
        let key = ApiKey::generate(&ids()).expose().to_owned();
        for position in 0..key.len() {
            for wrong in ['a', 'Z', '0', '-', 'é'] {
                let typo: String = key
                    .chars()
                    .enumerate()
                    .map(|(at, good)| if at == position { wrong } else { good })
                    .collect();
                assert_eq!(ApiKey::parse(&typo).is_ok(), typo == key, "{position} {wrong}");
            }
        }
        for bad in ["", "skt_live_", &key[..44], &format!("{key}0"), &format!(" {key}")] {
            assert_eq!(ApiKey::parse(bad).unwrap_err(), ApiKeyError::Malformed, "{bad}");
        }
    }

    #[test]
    fn the_database_gets_a_digest_that_depends_on_the_whole_key() {
        let ids = ids();
        let (one, two) = (ApiKey::generate(&ids), ApiKey::generate(&ids));
        assert_ne!(one.sha256(), two.sha256());
        assert_eq!(one.sha256(), ApiKey::parse(one.expose()).unwrap().sha256());
    }
}
