//! Anybody who can say who they are.

use super::{cookie, member::Member, operator::bearer};
use crate::{Gateway, api_key::ApiKey, problem::ApiError};
use axum::extract::FromRequestParts;
use http::{
    HeaderMap, Method,
    header::{AUTHORIZATION, ORIGIN},
    request::Parts,
};
use seiketsu_domain::TenantScope;
use seiketsu_storage::{
    Reason,
    platform::{api_key_owner, operator_key},
};

/// See the module. A cookie that comes with anything but a reading request has been checked for its origin.
#[derive(Debug, Clone)]
pub(crate) enum Asker {
    /// One of the platform's own people.
    Operator,
    /// A tenant's program.
    Program(TenantScope),
    /// A person of a tenant.
    Member(Member),
}

impl FromRequestParts<Gateway> for Asker {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, gateway: &Gateway) -> Result<Self, ApiError> {
        if parts.headers.contains_key(AUTHORIZATION) {
            let key = key_in_header(&parts.headers).ok_or(ApiError::NoKey)?;
            return of_key(gateway, &ApiKey::parse(key)?).await;
        }
        let token = cookie::read(&parts.headers, &gateway.config().public_url).ok_or(ApiError::NoKey)?;
        let reads = matches!(parts.method, Method::GET | Method::HEAD);
        if !reads && !is_own_page(&parts.headers, gateway) {
            return Err(ApiError::Origin);
        }
        Member::signed_in(gateway, &token).await.map(Self::Member)
    }
}

/// The key after `Bearer`.
fn key_in_header(headers: &HeaderMap) -> Option<&str> {
    headers.get(AUTHORIZATION)?.to_str().ok().and_then(bearer)
}

/// Whether a page of ours asks: browsers send the origin with every change and every socket.
pub(crate) fn is_own_page(headers: &HeaderMap, gateway: &Gateway) -> bool {
    let origin = headers.get(ORIGIN).and_then(|origin| origin.to_str().ok());
    origin.is_some_and(|origin| gateway.config().public_url.is_origin(origin))
}

async fn of_key(gateway: &Gateway, key: &ApiKey) -> Result<Asker, ApiError> {
    let place = gateway.authenticating().await?;
    let mut system = gateway.db().system(Reason::AuthenticateKey).await?;
    // Found by its SHA-256: a database index that leaks how much of a digest matched helps nobody towards a key.
    let asker = if let Some(scope) = api_key_owner(&mut system, &key.sha256()).await? {
        Asker::Program(scope)
    } else {
        let known = operator_key(&mut system, &key.sha256()).await?.ok_or(ApiError::UnknownKey)?;
        tracing::Span::current().record("operator", known.name.as_str());
        Asker::Operator
    };
    system.commit().await?;
    drop(place);
    Ok(asker)
}
