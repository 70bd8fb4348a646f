//! A person of a tenant who is signed in.

use super::{Asker, asker::is_own_page, cookie::Token};
use crate::{Gateway, problem::ApiError};
use axum::extract::FromRequestParts;
use http::{HeaderMap, request::Parts};
use jiff::Timestamp;
use seiketsu_domain::TenantScope;
use seiketsu_storage::{
    Reason,
    members::{self, Role},
    platform::member_session,
};

/// See the module. Only the extractor, and whoever signs somebody in, can make one.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    pub(crate) scope: TenantScope,
    pub(crate) person: members::Member,
    pub(crate) expires_at: Timestamp,
}

impl Member {
    /// Whose cookie this is. A role that was taken away is away with the next request.
    pub(super) async fn signed_in(gateway: &Gateway, token: &Token) -> Result<Self, ApiError> {
        let place = gateway.authenticating().await?;
        let mut system = gateway.db().system(Reason::AuthenticateMember).await?;
        let now = gateway.ids().clock().now();
        let session = member_session(&mut system, &token.sha256(), now).await?.ok_or(ApiError::SignedOut)?;
        system.commit().await?;
        drop(place);
        let mut tenant = gateway.db().tenant(&session.scope).await?;
        let person = members::get(&mut tenant, session.member).await?.ok_or(ApiError::SignedOut)?;
        tenant.commit().await?;
        Ok(Self { scope: session.scope, person, expires_at: session.expires_at })
    }

    /// Whether they may do more than look: talk with agents, have words spoken.
    pub(crate) fn may_call(&self) -> bool {
        match self.person.role {
            Role::Admin | Role::Manager | Role::Staff => true,
            Role::Viewer => false,
        }
    }

    /// A socket is opened by a page of ours, or by nobody's: browsers do not keep other pages from trying.
    pub(crate) fn may_open_socket(headers: &HeaderMap, gateway: &Gateway) -> Result<(), ApiError> {
        if is_own_page(headers, gateway) { Ok(()) } else { Err(ApiError::Origin) }
    }
}

impl FromRequestParts<Gateway> for Member {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, gateway: &Gateway) -> Result<Self, ApiError> {
        match Asker::from_request_parts(parts, gateway).await? {
            Asker::Member(member) => Ok(member),
            Asker::Operator | Asker::Program(_) => Err(ApiError::NotAllowed),
        }
    }
}
