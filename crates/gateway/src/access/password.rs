//! Passwords: argon2id with the parameters that OWASP's cheat sheet names first (19 MiB, 2 passes, 1 lane), which are
//! the library's own defaults.

use argon2::{
    Argon2,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use secrecy::{ExposeSecret, SecretString};
use seiketsu_domain::IdSource;
use std::sync::LazyLock;

/// The shortest and the longest password, in characters.
pub(crate) const LENGTHS: std::ops::RangeInclusive<usize> = 12..=200;

/// Of no password: whoever is not there takes as long to be refused as whoever is.
static NOBODY: LazyLock<Option<SecretString>> = LazyLock::new(|| hash_with(b"nobody", &[0; 16]));

/// The PHC form of a password's hash, with fresh salt. Takes some 20 ms of a processor.
pub(crate) fn hash(password: &SecretString, ids: &IdSource) -> Option<SecretString> {
    let mut salt = [0; 16];
    ids.fill(&mut salt);
    hash_with(password.expose_secret().as_bytes(), &salt)
}

fn hash_with(password: &[u8], salt: &[u8]) -> Option<SecretString> {
    let hash = Argon2::default().hash_password_with_salt(password, salt).ok()?;
    Some(SecretString::from(hash.to_string()))
}

/// Whether this is the password of that hash. Without a hash it never is, and takes as long.
pub(crate) fn is_right(password: &SecretString, hash: Option<&SecretString>) -> bool {
    let Some(compared) = hash.or(NOBODY.as_ref()) else { return false };
    let Ok(parsed) = PasswordHash::new(compared.expose_secret()) else { return false };
    let matches = Argon2::default().verify_password(password.expose_secret().as_bytes(), &parsed).is_ok();
    matches && hash.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use seiketsu_domain::SystemClock;
    use std::sync::Arc;

    #[test]
    fn only_the_password_of_a_hash_is_right_and_no_two_hashes_are_alike() {
        let ids = IdSource::new(Arc::new(SystemClock::new()), [7; 32]);
        let password = SecretString::from("correct horse battery");
        let (one, two) = (hash(&password, &ids).unwrap(), hash(&password, &ids).unwrap());
        assert!(
            one.expose_secret().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{}",
            one.expose_secret()
        );
        assert_ne!(one.expose_secret(), two.expose_secret());
        assert!(is_right(&password, Some(&one)) && is_right(&password, Some(&two)));
        assert!(!is_right(&SecretString::from("correct horse"), Some(&one)));
        assert!(!is_right(&SecretString::from("nobody"), None));
        assert!(!is_right(&password, Some(&SecretString::from("not a hash"))));
    }
}
