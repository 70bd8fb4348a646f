//! Keys, each wrapped with the one above it: the platform's master key, a key per tenant, a key per part of a recording.
//!
//! Wrapping is AES-256-GCM with a random nonce in front. What a key is for goes into the associated data, so that a
//! wrapped key is of no use in another tenant's row, or in another recording's.

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, MAX_TAG_LEN, NONCE_LEN, Nonce, UnboundKey};
use secrecy::{ExposeSecret, SecretBox, SecretString};
use seiketsu_domain::{CallId, IdSource, TenantId};

const KEY_BYTES: usize = 32;

/// What can be wrong with a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Text that is no key.
    #[error("not a key: expected 32 bytes in base64; `openssl rand -base64 32` makes one")]
    Malformed,
    /// A wrapped key that the key above it does not open.
    #[error("the {0} does not open: it was wrapped with another key, for something else, or was changed")]
    DoesNotOpen(&'static str),
    /// The tenant's key was destroyed, and with it everything it protected.
    #[error("the tenant's key was destroyed")]
    Destroyed,
}

/// 256 secret bits. Never logged, zeroed when dropped.
#[derive(Debug)]
pub struct Key(SecretBox<[u8; KEY_BYTES]>);

/// What a wrapped key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Tenant(TenantId),
    Recording(TenantId, CallId, u32),
}

impl Key {
    /// A new key out of the injected randomness.
    pub fn generate(ids: &IdSource) -> Self {
        Self(SecretBox::init_with_mut(|key: &mut [u8; KEY_BYTES]| ids.fill(key)))
    }

    /// Reads a key from its text form.
    pub fn from_base64(text: &SecretString) -> Result<Self, KeyError> {
        let decoded = base64_simd::STANDARD
            .decode_to_vec(text.expose_secret().trim())
            .map_err(|_| KeyError::Malformed)
            .map(|bytes| SecretBox::new(Box::new(bytes)))?;
        Self::from_bytes(decoded.expose_secret()).ok_or(KeyError::Malformed)
    }

    /// Its text form, for whoever keeps it.
    pub fn to_base64(&self) -> SecretString {
        base64_simd::STANDARD.encode_to_string(self.0.expose_secret()).into()
    }

    /// Wraps a key that is below this one.
    pub(super) fn wrap(&self, key: &Self, purpose: Purpose, ids: &IdSource) -> Vec<u8> {
        let mut nonce = [0; NONCE_LEN];
        ids.fill(&mut nonce);
        let mut wrapped = Vec::with_capacity(NONCE_LEN + KEY_BYTES + MAX_TAG_LEN);
        wrapped.extend_from_slice(&nonce);
        let mut secret: Vec<u8> = Vec::with_capacity(KEY_BYTES + MAX_TAG_LEN);
        secret.extend_from_slice(key.0.expose_secret());
        #[expect(clippy::expect_used, reason = "the only failure is a message of 64 GiB")]
        self.aead()
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(purpose.bytes()),
                &mut secret,
            )
            .expect("a short message");
        wrapped.append(&mut secret);
        wrapped
    }

    /// Opens a key that was wrapped with this one, for the same purpose.
    pub(super) fn unwrap_key(&self, wrapped: &[u8], purpose: Purpose) -> Result<Self, KeyError> {
        let error = KeyError::DoesNotOpen(purpose.name());
        let (nonce, sealed) = wrapped.split_first_chunk::<NONCE_LEN>().ok_or(error)?;
        let mut sealed = SecretBox::new(Box::new(sealed.to_vec()));
        let sealed = secrecy::ExposeSecretMut::expose_secret_mut(&mut sealed);
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let opened =
            self.aead().open_in_place(nonce, Aad::from(purpose.bytes()), sealed).map_err(|_| error)?;
        Self::from_bytes(opened).ok_or(error)
    }

    /// The cipher under this key.
    pub(super) fn aead(&self) -> LessSafeKey {
        #[expect(clippy::expect_used, reason = "the only failure is another length")]
        let key = UnboundKey::new(&AES_256_GCM, self.0.expose_secret()).expect("32 bytes");
        LessSafeKey::new(key)
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; KEY_BYTES] = bytes.try_into().ok()?;
        Some(Self(SecretBox::init_with_mut(|key: &mut [u8; KEY_BYTES]| key.copy_from_slice(bytes))))
    }
}

impl Purpose {
    const fn name(self) -> &'static str {
        match self {
            Self::Tenant(_) => "tenant's key",
            Self::Recording(..) => "recording's key",
        }
    }

    fn bytes(self) -> Vec<u8> {
        match self {
            Self::Tenant(tenant) => {
                let mut bytes = b"seiketsu tenant key 1".to_vec();
                bytes.extend_from_slice(tenant.uuid().as_bytes());
                bytes
            }
            Self::Recording(tenant, call, part) => {
                let mut bytes = b"seiketsu recording key 1".to_vec();
                bytes.extend_from_slice(tenant.uuid().as_bytes());
                bytes.extend_from_slice(call.uuid().as_bytes());
                bytes.extend_from_slice(&part.to_be_bytes());
                bytes
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use seiketsu_testkit::{FakeClock, ids};

    fn tenant_and_call(ids: &IdSource) -> (TenantId, CallId) {
        (ids.next(), ids.next())
    }

    #[test]
    fn a_key_survives_its_text_form_and_nonsense_is_refused() {
        let ids = ids(FakeClock::new(), 1);
        let key = Key::generate(&ids);
        let again = Key::from_base64(&key.to_base64()).unwrap();
        assert_eq!(key.0.expose_secret(), again.0.expose_secret());
        for nonsense in ["", "not base64!", "c2hvcnQ=", &format!("{}A", key.to_base64().expose_secret())] {
            let refused = Key::from_base64(&nonsense.to_owned().into()).unwrap_err();
            assert_eq!(refused, KeyError::Malformed, "{nonsense}");
        }
        assert!(!format!("{key:?}").contains(&key.to_base64().expose_secret()[..8]));
    }

    #[test]
    fn a_wrapped_key_opens_with_its_own_key_and_for_its_own_purpose_only() {
        let ids = ids(FakeClock::new(), 2);
        let (tenant, call) = tenant_and_call(&ids);
        let (other_tenant, other_call) = tenant_and_call(&ids);
        let (above, below) = (Key::generate(&ids), Key::generate(&ids));
        let purpose = Purpose::Recording(tenant, call, 1);
        let wrapped = above.wrap(&below, purpose, &ids);
        let opened = above.unwrap_key(&wrapped, purpose).unwrap();
        assert_eq!(opened.0.expose_secret(), below.0.expose_secret());
        let error = KeyError::DoesNotOpen("recording's key");
        assert_eq!(Key::generate(&ids).unwrap_key(&wrapped, purpose).unwrap_err(), error);
        for other in [
            Purpose::Recording(other_tenant, call, 1),
            Purpose::Recording(tenant, other_call, 1),
            Purpose::Recording(tenant, call, 2),
        ] {
            assert_eq!(above.unwrap_key(&wrapped, other).unwrap_err(), error, "{other:?}");
        }
        assert!(above.unwrap_key(&wrapped, Purpose::Tenant(tenant)).is_err());
        for byte in 0..wrapped.len() {
            let mut changed = wrapped.clone();
            changed[byte] ^= 1;
            assert_eq!(above.unwrap_key(&changed, purpose).unwrap_err(), error, "byte {byte}");
        }
        assert_eq!(above.unwrap_key(&wrapped[..8], purpose).unwrap_err(), error);
    }
}
