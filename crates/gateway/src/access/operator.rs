//! The permission of the platform's own people.

use super::Asker;
use crate::{Gateway, problem::ApiError};
use axum::extract::FromRequestParts;
use http::request::Parts;

/// An operator, proven by `Authorization: Bearer skt_live_…`. Only the extractor can make one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Operator(());

impl FromRequestParts<Gateway> for Operator {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, gateway: &Gateway) -> Result<Self, ApiError> {
        match Asker::from_request_parts(parts, gateway).await? {
            Asker::Operator => Ok(Self(())),
            Asker::Program(_) | Asker::Member(_) => Err(ApiError::NotAllowed),
        }
    }
}

/// What follows the scheme, whose case does not matter (RFC 9110).
pub(crate) fn bearer(header: &str) -> Option<&str> {
    let (scheme, credentials) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(credentials.trim_start())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_bearer_scheme_carries_a_key() {
        assert_eq!(bearer("Bearer abc"), Some("abc"));
        assert_eq!(bearer("bearer  abc"), Some("abc"));
        for other in ["", "abc", "Basic abc", "Bearerabc"] {
            assert_eq!(bearer(other), None, "{other}");
        }
    }
}
