//! The permission to read what belongs to a tenant.

use super::Asker;
use crate::{Gateway, problem::ApiError, v1};
use axum::extract::FromRequestParts;
use http::request::Parts;
use seiketsu_domain::{CallId, TenantScope};
use seiketsu_storage::{
    Reason,
    platform::{TenantRow, call_owner, tenant_by_id},
};

/// Whoever may read: an operator what they name, everybody else what is their own. Only the extractor can make one.
#[derive(Debug, Clone)]
pub(crate) struct Reader(Asker);

impl FromRequestParts<Gateway> for Reader {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, gateway: &Gateway) -> Result<Self, ApiError> {
        Asker::from_request_parts(parts, gateway).await.map(Self)
    }
}

impl Reader {
    /// Whose rows are asked for. An operator has to say so. Everybody else may; another tenant than their own does not
    /// exist.
    pub(crate) async fn scope(
        &self,
        gateway: &Gateway,
        named: Option<&str>,
    ) -> Result<TenantScope, ApiError> {
        let (own, named) = match (self.own(), named) {
            (None, None) => return Err(ApiError::Query("`tenant` is missing: a slug or an id".to_owned())),
            (None, Some(named)) => return Ok(v1::tenant(gateway, named).await?.scope),
            (Some(own), None) => return Ok(own),
            (Some(own), Some(named)) => (own, named),
        };
        let tenant = own_tenant(gateway, &own).await?;
        let is_own = tenant.slug == named || tenant.id().to_string() == named;
        if is_own { Ok(own) } else { Err(ApiError::NotFound) }
    }

    /// Whose call it is, as far as that is this reader's business. A tenant that looks for another one's call will not
    /// find it among its own.
    pub(crate) async fn scope_of_call(
        &self,
        gateway: &Gateway,
        call: CallId,
    ) -> Result<TenantScope, ApiError> {
        if let Some(own) = self.own() {
            return Ok(own);
        }
        let mut system = gateway.db().system(Reason::OperatorRead).await?;
        let scope = call_owner(&mut system, call).await?.ok_or(ApiError::NotFound)?;
        system.commit().await?;
        Ok(scope)
    }

    /// The tenant that this reader belongs to; none for operators.
    pub(crate) fn own(&self) -> Option<TenantScope> {
        match &self.0 {
            Asker::Operator => None,
            Asker::Program(scope) => Some(*scope),
            Asker::Member(member) => Some(member.scope),
        }
    }
}

/// The row of somebody's own tenant.
pub(crate) async fn own_tenant(gateway: &Gateway, scope: &TenantScope) -> Result<TenantRow, ApiError> {
    let mut system = gateway.db().system(Reason::AuthenticateKey).await?;
    let tenant = tenant_by_id(&mut system, scope.tenant_id()).await?.ok_or(ApiError::NotFound)?;
    system.commit().await?;
    Ok(tenant)
}
