//! What HTTP says when it does not work out, as [`Failure`]s: the same for every vendor and for WebSocket handshakes.

use crate::{Failure, FailureKind, Vendor};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use jiff::fmt::rfc2822;
use serde::Deserialize;
use std::{borrow::Cow, error::Error, fmt::Write as _, time::Duration};

/// The most of an error's body that is read.
pub(crate) const MAX_ERROR_BODY_BYTES: usize = 16 * 1024;

/// The longest patience a vendor may ask for; more is as good as "not today".
const MAX_RETRY_AFTER: Duration = Duration::from_hours(24);

/// Classifies an answer that is not the one hoped for.
pub(crate) fn refused(vendor: Vendor, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Failure {
    let kind = match status.as_u16() {
        401 | 403 => FailureKind::Unauthorized,
        408 | 504 => FailureKind::Timeout,
        429 => FailureKind::RateLimited { retry_after: retry_after(headers) },
        400..=499 => FailureKind::BadRequest,
        500..=599 => FailureKind::VendorFault,
        _ => FailureKind::Garbage,
    };
    Failure::new(vendor, kind, format_args!("{status}: {}", vendors_words(body)))
}

/// Classifies an error of the HTTP client. The URL is left out: it may hold an account's number.
pub(crate) fn transport(vendor: Vendor, error: reqwest::Error) -> Failure {
    let kind = if error.is_connect() && !error.is_timeout() {
        FailureKind::Unreachable
    } else if error.is_timeout() {
        FailureKind::Timeout
    } else if error.is_builder() {
        FailureKind::BadRequest
    } else if error.is_redirect() {
        FailureKind::Garbage
    } else {
        FailureKind::Closed
    };
    Failure::new(vendor, kind, chain(&error.without_url()))
}

/// Reads at most [`MAX_ERROR_BODY_BYTES`] of a body. Errors end it: the status has said what matters.
pub(crate) async fn read_some(response: &mut reqwest::Response) -> Vec<u8> {
    let mut body = Vec::new();
    while body.len() < MAX_ERROR_BODY_BYTES
        && let Ok(Some(chunk)) = response.chunk().await
    {
        let room = MAX_ERROR_BODY_BYTES - body.len();
        body.extend_from_slice(&chunk[..chunk.len().min(room)]);
    }
    body
}

/// How long the vendor asks to be left alone: `retry-after-ms`, or `retry-after` in seconds or as a date.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: &str| headers.get(name)?.to_str().ok().map(str::trim);
    let number = |name: &str| {
        let value: f64 = text(name)?.parse().ok()?;
        (value >= 0.0).then_some(value)
    };
    // Against the vendor's own clock, which the answer states: ours may be wrong. A date that has passed means that asking
    // again is welcome.
    let until_date = || {
        let date = |name: &str| rfc2822::parse(text(name)?).ok().map(|zoned| zoned.timestamp());
        let (now, then) = (date(header::DATE.as_str())?, date(header::RETRY_AFTER.as_str())?);
        Some(then.duration_since(now).as_secs_f64().max(0.0))
    };
    let seconds = number("retry-after-ms")
        .map(|milliseconds| milliseconds / 1_000.0)
        .or_else(|| number(header::RETRY_AFTER.as_str()))
        .or_else(until_date)?;
    Some(Duration::try_from_secs_f64(seconds).unwrap_or(MAX_RETRY_AFTER).min(MAX_RETRY_AFTER))
}

/// The message in an error's body, in any of the shapes the vendors use; the body itself where there is none.
fn vendors_words(body: &[u8]) -> Cow<'_, str> {
    #[derive(Deserialize)]
    struct Body {
        error: Option<serde_json::Value>,
        detail: Option<serde_json::Value>,
        err_msg: Option<String>,
        message: Option<String>,
    }
    // The body of a refused handshake still has the framing of its transfer around it.
    let object = body.iter().position(|byte| *byte == b'{').zip(body.iter().rposition(|byte| *byte == b'}'));
    let json = object.and_then(|(first, last)| body.get(first..=last)).unwrap_or(body);
    let Ok(parsed) = serde_json::from_slice::<Body>(json) else {
        return String::from_utf8_lossy(body);
    };
    let nested = |value: serde_json::Value| match value.get("message").and_then(|message| message.as_str()) {
        Some(message) => message.to_owned(),
        None => value.as_str().map_or_else(|| value.to_string(), str::to_owned),
    };
    let words = parsed.message.or(parsed.err_msg).or_else(|| parsed.error.or(parsed.detail).map(nested));
    words.map_or_else(|| String::from_utf8_lossy(body), Cow::Owned)
}

/// An error and its causes in one line.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        // Writing to a String cannot fail.
        let _ = write!(text, ": {error}");
        cause = error.source();
    }
    text
}

/// A header value that never shows up in a `Debug` text.
pub(crate) fn secret_header(vendor: Vendor, value: &str) -> Result<HeaderValue, Failure> {
    let mut value = HeaderValue::from_str(value).map_err(|_| {
        Failure::new(vendor, FailureKind::Unauthorized, "the key has characters no header can carry")
    })?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn each_status_means_something_to_whoever_decides_about_a_retry() {
        let kind = |status: u16| {
            refused(Vendor::OpenAi, StatusCode::from_u16(status).unwrap(), &HeaderMap::new(), b"").kind
        };
        assert_eq!(kind(401), FailureKind::Unauthorized);
        assert_eq!(kind(403), FailureKind::Unauthorized);
        assert_eq!(kind(400), FailureKind::BadRequest);
        assert_eq!(kind(404), FailureKind::BadRequest);
        assert_eq!(kind(422), FailureKind::BadRequest);
        assert_eq!(kind(408), FailureKind::Timeout);
        assert_eq!(kind(429), FailureKind::RateLimited { retry_after: None });
        assert_eq!(kind(500), FailureKind::VendorFault);
        assert_eq!(kind(503), FailureKind::VendorFault);
        assert_eq!(kind(504), FailureKind::Timeout);
        assert_eq!(kind(302), FailureKind::Garbage);
    }

    #[test]
    fn retry_after_is_read_in_seconds_or_milliseconds_and_never_trusted_beyond_a_day() {
        let read = |pairs: &[(&'static str, &'static str)]| retry_after(&headers(pairs));
        assert_eq!(read(&[("retry-after", "2")]), Some(Duration::from_secs(2)));
        assert_eq!(
            read(&[("retry-after", "2"), ("retry-after-ms", "150")]),
            Some(Duration::from_millis(150))
        );
        assert_eq!(read(&[("retry-after", "1e300")]), Some(MAX_RETRY_AFTER));
        assert_eq!(read(&[("retry-after", "inf")]), Some(MAX_RETRY_AFTER));
        assert_eq!(read(&[("retry-after", "-1")]), None);
        assert_eq!(read(&[("retry-after", "NaN")]), None);
        assert_eq!(read(&[]), None);
    }

    #[test]
    fn a_date_to_retry_at_is_measured_against_the_vendors_own_clock() {
        let read = |date: &'static str, then: &'static str| {
            retry_after(&headers(&[("date", date), ("retry-after", then)]))
        };
        let now = "Wed, 21 Oct 2026 07:28:00 GMT";
        assert_eq!(read(now, "Wed, 21 Oct 2026 07:28:09 GMT"), Some(Duration::from_secs(9)));
        assert_eq!(read(now, "Wed, 21 Oct 2026 07:27:00 GMT"), Some(Duration::ZERO));
        assert_eq!(read(now, "Mon, 21 Oct 2126 07:28:00 GMT"), Some(MAX_RETRY_AFTER));
        assert_eq!(read(now, "tomorrow"), None);
        assert_eq!(read("yesterday", "Wed, 21 Oct 2026 07:28:09 GMT"), None);
        assert_eq!(retry_after(&headers(&[("retry-after", "Wed, 21 Oct 2026 07:28:09 GMT")])), None);
    }

    #[test]
    fn the_vendors_own_words_are_found_in_each_shape_they_use() {
        let words = |body: &str| vendors_words(body.as_bytes()).into_owned();
        assert_eq!(
            words(r#"{"error":{"message":"no such model","type":"invalid_request_error"}}"#),
            "no such model"
        );
        assert_eq!(
            words(r#"{"detail":{"status":"voice_not_found","message":"no such voice"}}"#),
            "no such voice"
        );
        assert_eq!(
            words(r#"{"err_code":"INVALID_AUTH","err_msg":"Invalid credentials."}"#),
            "Invalid credentials."
        );
        assert_eq!(words(r#"{"code":20003,"message":"Authenticate"}"#), "Authenticate");
        assert_eq!(words(r#"{"error":"plain"}"#), "plain");
        assert_eq!(words("1b\r\n{\"message\":\"Too many of it\"}\r\n0\r\n\r\n"), "Too many of it");
        assert_eq!(words("<html>bad gateway</html>"), "<html>bad gateway</html>");
        assert_eq!(words(r#"{"other":1}"#), r#"{"other":1}"#);
    }
}
