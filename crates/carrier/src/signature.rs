//! Twilio's request signature, from the carrier's end.
//!
//! Source: Twilio, "Webhooks security": base64 of HMAC-SHA1, keyed with the account's auth token, over the full URL
//! followed by each POST parameter's name and value, sorted by name. Written independently of the platform's own
//! verification so that each checks the other.

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use std::collections::BTreeSet;

/// Name of the header that carries the signature.
pub const HEADER: &str = "X-Twilio-Signature";

/// Signs a request: `params` are the form's fields, none for a GET or a WebSocket upgrade.
#[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
pub fn sign(auth_token: &str, url: &str, params: &[(String, String)]) -> String {
    let mut mac = Hmac::<Sha1>::new_from_slice(auth_token.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(url.as_bytes());
    // A set: sorted by name, then value, and a repeated pair counts once.
    for (name, value) in params.iter().collect::<BTreeSet<_>>() {
        mac.update(name.as_bytes());
        mac.update(value.as_bytes());
    }
    base64_simd::STANDARD.encode_to_string(mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn the_example_of_twilios_documentation_signs_as_documented() {
        let form = params(&[
            ("To", "+18005551212"),
            ("CallSid", "CA1234567890ABCDE"),
            ("From", "+14158675309"),
            ("Digits", "1234"),
            ("Caller", "+14158675309"),
        ]);
        let url = "https://mycompany.com/myapp.php?foo=1&bar=2";
        assert_eq!(sign("12345", url, &form), "RSOYDt4T1cUTdK1PDd93/VVr8B8=");
    }

    #[test]
    fn order_and_repetition_of_parameters_do_not_change_the_signature_but_any_value_does() {
        let url = "https://example.com/voice";
        let form = params(&[("A", "1"), ("B", "2")]);
        let shuffled = params(&[("B", "2"), ("A", "1"), ("A", "1")]);
        assert_eq!(sign("t", url, &form), sign("t", url, &shuffled));
        assert_ne!(sign("t", url, &form), sign("t", url, &params(&[("A", "1"), ("B", "3")])));
        assert_ne!(sign("t", url, &form), sign("u", url, &form));
        assert_ne!(sign("t", url, &form), sign("t", "https://example.com/voice?", &form));
    }
}
