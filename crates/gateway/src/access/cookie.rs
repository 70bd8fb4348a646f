//! The cookie that a member holds: 256 random bits, of which the database keeps the SHA-256.

use crate::config::PublicUrl;
use http::{HeaderMap, HeaderValue, header::COOKIE};
use seiketsu_domain::IdSource;
use sha2::{Digest, Sha256};

const TOKEN_BYTES: usize = 32;
const BASE64: base64_simd::Base64 = base64_simd::URL_SAFE_NO_PAD;

/// What the cookie holds.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Token([u8; TOKEN_BYTES]);

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(…)")
    }
}

impl Token {
    pub(crate) fn generate(ids: &IdSource) -> Self {
        let mut bytes = [0; TOKEN_BYTES];
        ids.fill(&mut bytes);
        Self(bytes)
    }

    /// What the database keeps.
    pub(crate) fn sha256(&self) -> [u8; 32] {
        Sha256::digest(self.0).into()
    }
}

/// The cookie's name. With TLS, browsers hold `__Host-` to this host and to TLS; without it (loopback), the port tells
/// the platforms of one machine apart, which cookies do not do by themselves.
fn name(public_url: &PublicUrl) -> String {
    match public_url.loopback_port() {
        None => "__Host-seiketsu".to_owned(),
        Some(port) => format!("seiketsu-{port}"),
    }
}

/// The token in a request's cookies.
pub(crate) fn read(headers: &HeaderMap, public_url: &PublicUrl) -> Option<Token> {
    let name = name(public_url);
    let cookies = headers.get_all(COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    let text = cookies
        .flat_map(|line| line.split(';'))
        .filter_map(|cookie| cookie.trim().split_once('='))
        .find_map(|(key, value)| (key == name).then_some(value))?;
    let bytes = BASE64.decode_to_vec(text).ok()?;
    Some(Token(bytes.try_into().ok()?))
}

/// `Set-Cookie` for so many seconds; for none, the cookie is taken back.
pub(crate) fn set(token: Option<&Token>, seconds: i64, public_url: &PublicUrl) -> HeaderValue {
    let value = token.map(|token| BASE64.encode_to_string(token.0)).unwrap_or_default();
    let secure = if public_url.loopback_port().is_none() { "; Secure" } else { "" };
    let text =
        format!("{}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}", name(public_url));
    // Base64 and digits are visible ASCII.
    HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(cookie: &str) -> HeaderMap {
        HeaderMap::from_iter([(COOKIE, HeaderValue::from_str(cookie).unwrap())])
    }

    #[test]
    fn what_was_set_is_read_back_among_other_cookies() {
        let (local, public): (PublicUrl, PublicUrl) =
            ("http://localhost:8080".parse().unwrap(), "https://voice.example.com".parse().unwrap());
        let token = Token([7; 32]);
        for (url, name) in [(&local, "seiketsu-8080="), (&public, "__Host-seiketsu=")] {
            let set = set(Some(&token), 60, url);
            let set = set.to_str().unwrap();
            assert!(set.starts_with(name) && set.contains("HttpOnly; SameSite=Strict"), "{set}");
            assert_eq!(set.contains("Secure"), url.loopback_port().is_none());
            let pair = set.split(';').next().unwrap();
            assert_eq!(read(&headers(&format!("a=b; {pair}; c=d")), url), Some(token.clone()));
        }
        let other: PublicUrl = "http://localhost:8081".parse().unwrap();
        let set = set(Some(&token), 60, &local);
        assert_eq!(read(&headers(set.to_str().unwrap()), &other), None, "another platform's");
    }

    #[test]
    fn what_cannot_be_a_token_is_none() {
        let url: PublicUrl = "http://localhost:8080".parse().unwrap();
        for bad in ["", "seiketsu-8080", "seiketsu-8080=", "seiketsu-8080=abc", "seiketsu-8080=!!", "=;;="] {
            assert_eq!(read(&headers(bad), &url), None, "{bad}");
        }
    }
}
