//! The permission of the platform's own people.

use super::key_in_header;
use crate::{Gateway, api_key::ApiKey, problem::ApiError};
use axum::extract::FromRequestParts;
use http::request::Parts;
use seiketsu_storage::{Reason, platform::operator_key};

/// An operator, proven by `Authorization: Bearer skt_live_…`. Only the extractor can make one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Operator(());

impl FromRequestParts<Gateway> for Operator {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, gateway: &Gateway) -> Result<Self, ApiError> {
        let key = ApiKey::parse(key_in_header(&parts.headers).ok_or(ApiError::NoKey)?)?;
        let place = gateway.authenticating().await?;
        let mut system = gateway.db().system(Reason::AuthenticateOperator).await?;
        // Found by its SHA-256: a database index that leaks how much of a digest matched helps nobody towards a key.
        let known = operator_key(&mut system, &key.sha256()).await?.ok_or(ApiError::UnknownKey)?;
        system.commit().await?;
        drop(place);
        tracing::Span::current().record("operator", known.name.as_str());
        Ok(Self(()))
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
