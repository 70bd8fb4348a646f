//! Proof that a webhook comes from Twilio.
//!
//! Source: Twilio's documentation, "Validating signatures": base64 of HMAC-SHA1, keyed with the account's auth token,
//! over the URL followed by name and value of each form parameter in the order of names. The URL is the one that was
//! configured at Twilio; proxies change what a server sees of it, so build it from configuration, not from headers.

use base64_simd::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use std::{borrow::Cow, collections::BTreeSet};
use subtle::{Choice, ConstantTimeEq};

/// The signature of a request. For a WebSocket upgrade or a `GET` there are no parameters.
pub fn sign<N: AsRef<str>, V: AsRef<str>>(auth_token: &str, url: &str, params: &[(N, V)]) -> String {
    #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
    let mut mac = Hmac::<Sha1>::new_from_slice(auth_token.as_bytes()).expect("a key of any length");
    mac.update(url.as_bytes());
    // By name and then by value, each pair once.
    let pairs: BTreeSet<(&str, &str)> =
        params.iter().map(|(name, value)| (name.as_ref(), value.as_ref())).collect();
    for (name, value) in pairs {
        mac.update(name.as_bytes());
        mac.update(value.as_bytes());
    }
    STANDARD.encode_to_string(mac.finalize().into_bytes())
}

/// Whether `signature` (the header `X-Twilio-Signature`) is right.
///
/// Twilio signs some requests with, and some without, the port that the scheme implies; either is right. Takes the same
/// time whatever is wrong.
pub fn verify<N: AsRef<str>, V: AsRef<str>>(
    auth_token: &str,
    url: &str,
    params: &[(N, V)],
    signature: &str,
) -> bool {
    let (without_port, with_port) = both_forms(url);
    let matches =
        |url: &str| -> Choice { sign(auth_token, url, params).as_bytes().ct_eq(signature.as_bytes()) };
    let right = matches(url) | matches(&without_port) | matches(&with_port);
    right.into()
}

/// The URL without and with the port that its scheme implies; as it is where it has another port or no known scheme.
/// Everything else is kept to the byte, which a URL parser would not do.
fn both_forms(url: &str) -> (Cow<'_, str>, Cow<'_, str>) {
    let unchanged = (Cow::Borrowed(url), Cow::Borrowed(url));
    let Some((scheme, rest)) = url.split_once("://") else { return unchanged };
    let implied = match scheme {
        "https" | "wss" => ":443",
        "http" | "ws" => ":80",
        _ => return unchanged,
    };
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    // A colon within brackets belongs to an IPv6 address.
    let has_port = authority.rfind(':') > authority.rfind(']');
    match authority.strip_suffix(implied) {
        Some(host) if has_port => (Cow::Owned(format!("{scheme}://{host}{path}")), Cow::Borrowed(url)),
        _ if has_port => unchanged,
        _ => (Cow::Borrowed(url), Cow::Owned(format!("{scheme}://{authority}{implied}{path}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TOKEN: &str = "12345";
    const URL: &str = "https://mycompany.com/myapp.php?foo=1&bar=2";
    const PARAMS: [(&str, &str); 5] = [
        ("CallSid", "CA1234567890ABCDE"),
        ("Caller", "+14158675309"),
        ("Digits", "1234"),
        ("From", "+14158675309"),
        ("To", "+18005551212"),
    ];
    const NONE: [(&str, &str); 0] = [];

    #[test]
    fn the_example_of_the_documentation_is_signed_as_it_says() {
        assert_eq!(sign(TOKEN, URL, &PARAMS), "RSOYDt4T1cUTdK1PDd93/VVr8B8=");
        assert!(verify(TOKEN, URL, &PARAMS, "RSOYDt4T1cUTdK1PDd93/VVr8B8="));
    }

    #[test]
    fn neither_order_nor_repetition_of_parameters_changes_the_signature() {
        let mut shuffled: Vec<_> = PARAMS.to_vec();
        shuffled.reverse();
        shuffled.push(PARAMS[2]);
        assert_eq!(sign(TOKEN, URL, &shuffled), sign(TOKEN, URL, &PARAMS));
        let several = [("a", "2"), ("a", "1")];
        assert_eq!(sign(TOKEN, URL, &several), sign(TOKEN, &format!("{URL}a1a2"), &NONE));
    }

    #[test]
    fn anything_else_that_is_changed_makes_the_signature_wrong() {
        let right = sign(TOKEN, URL, &PARAMS);
        assert!(!verify("12346", URL, &PARAMS, &right));
        assert!(!verify(TOKEN, "https://mycompany.com/myapp.php?foo=1&bar=3", &PARAMS, &right));
        assert!(!verify(TOKEN, "http://mycompany.com/myapp.php?foo=1&bar=2", &PARAMS, &right));
        assert!(!verify(TOKEN, URL, &PARAMS[1..], &right));
        for wrong in [
            "",
            "RSOYDt4T1cUTdK1PDd93/VVr8B8",
            "rSOYDt4T1cUTdK1PDd93/VVr8B8=",
            "RSOYDt4T1cUTdK1PDd93/VVr8B8=\n",
        ] {
            assert!(!verify(TOKEN, URL, &PARAMS, wrong), "{wrong}");
        }
    }

    #[test]
    fn the_port_that_the_scheme_implies_may_be_there_or_not() {
        for (plain, with_port) in [
            ("https://x.example/a?b", "https://x.example:443/a?b"),
            ("wss://x.example/media", "wss://x.example:443/media"),
            ("http://x.example", "http://x.example:80"),
            ("http://[::1]/a", "http://[::1]:80/a"),
        ] {
            let (signed_plain, signed_with_port) = (sign(TOKEN, plain, &NONE), sign(TOKEN, with_port, &NONE));
            for configured in [plain, with_port] {
                assert!(verify(TOKEN, configured, &NONE, &signed_plain), "{configured}");
                assert!(verify(TOKEN, configured, &NONE, &signed_with_port), "{configured}");
            }
        }
        let other_port = sign(TOKEN, "https://x.example:8443/a", &NONE);
        assert!(!verify(TOKEN, "https://x.example/a", &NONE, &other_port));
        assert!(verify(TOKEN, "https://x.example:8443/a", &NONE, &other_port));
    }

    proptest! {
        #[test]
        fn what_was_signed_is_verified_and_nothing_panics(
            url in "\\PC{0,40}", token in "\\PC{0,20}", name in "\\PC{0,8}", value in "\\PC{0,8}", other in "\\PC{0,40}"
        ) {
            let params = [(name, value)];
            let signature = sign(&token, &url, &params);
            prop_assert!(verify(&token, &url, &params, &signature));
            prop_assert!(!verify(&token, &url, &params, &other));
        }
    }
}
