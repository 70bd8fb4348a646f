//! Who may talk with which agents: the key of a tenant's program, a client secret for one agent, or a member who is signed
//! in at the console and may do more than look.

use super::secret::ClientSecret;
use crate::{
    Gateway,
    access::{Payer, bearer, member::Member},
    api_key::ApiKey,
    problem::ApiError,
};
use axum::extract::FromRequestParts;
use http::{
    HeaderMap,
    header::{AUTHORIZATION, ORIGIN, SEC_WEBSOCKET_PROTOCOL},
    request::Parts,
};
use seiketsu_domain::{AgentId, AgentProfile, TenantScope};
use seiketsu_storage::{Reason, agents, platform::api_key_owner};

/// How a key is called among the subprotocols that a browser asks for.
const KEY_PROTOCOL: &str = "openai-insecure-api-key.";

/// See the module. Only the extractor can make one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Authority {
    scope: TenantScope,
    /// The only agent that it opens; none for all.
    agent: Option<AgentId>,
    /// SHA-256 of the key, if it is one.
    key: Option<[u8; 32]>,
    /// Whose allowance it uses.
    payer: Payer,
}

impl Authority {
    pub(crate) fn scope(self) -> TenantScope {
        self.scope
    }

    /// Whose allowance is used.
    pub(crate) fn payer(self) -> Payer {
        self.payer
    }

    /// SHA-256 of the key, if it is one, and neither a secret that a key has made nor a member.
    pub(crate) fn key(self) -> Option<[u8; 32]> {
        self.key
    }

    /// The agent with an id or a name. What this opens nothing of does not exist.
    pub(crate) async fn agent(self, gateway: &Gateway, id_or_name: &str) -> Result<AgentProfile, ApiError> {
        let mut tenant = gateway.db().tenant(&self.scope).await?;
        let found = match id_or_name.parse::<AgentId>() {
            Ok(id) => agents::get(&mut tenant, id).await?,
            Err(_) => agents::by_name(&mut tenant, id_or_name).await?,
        };
        tenant.commit().await?;
        found.filter(|found| self.agent.is_none_or(|agent| agent == found.id)).ok_or(ApiError::NotFound)
    }
}

impl FromRequestParts<Gateway> for Authority {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, gateway: &Gateway) -> Result<Self, ApiError> {
        // Secrets are made for pages, of whomever. A key in a page elsewhere should not be there, and a cookie is not the
        // page's own.
        let is_secret = key(&parts.headers).is_some_and(|text| text.starts_with(super::secret::PREFIX));
        let origin = parts.headers.get(ORIGIN).map(|origin| origin.to_str().unwrap_or_default());
        if !is_secret && origin.is_some_and(|origin| !gateway.config().public_url.is_origin(origin)) {
            return Err(ApiError::Origin);
        }
        let Some(text) = key(&parts.headers) else { return of_member(parts, gateway).await };
        if text.starts_with(super::secret::PREFIX) {
            let now = gateway.ids().clock().now();
            let secret = ClientSecret::verify(text, &gateway.config().jwt_secret, now);
            let secret = secret.ok_or(ApiError::UnknownKey)?;
            let _place = gateway.authenticating().await?;
            let mut system = gateway.db().system(Reason::AuthenticateKey).await?;
            let scope = api_key_owner(&mut system, &secret.key).await?.ok_or(ApiError::UnknownKey)?;
            system.commit().await?;
            return Ok(Self { scope, agent: Some(secret.agent), key: None, payer: Payer::Key(secret.key) });
        }
        let sha256 = ApiKey::parse(text)?.sha256();
        let _place = gateway.authenticating().await?;
        let mut system = gateway.db().system(Reason::AuthenticateKey).await?;
        let scope = api_key_owner(&mut system, &sha256).await?.ok_or(ApiError::UnknownKey)?;
        system.commit().await?;
        Ok(Self { scope, agent: None, key: Some(sha256), payer: Payer::Key(sha256) })
    }
}

/// A member at our own page.
async fn of_member(parts: &mut Parts, gateway: &Gateway) -> Result<Authority, ApiError> {
    let member = Member::from_request_parts(parts, gateway).await?;
    Member::may_open_socket(&parts.headers, gateway)?;
    if member.may_call() {
        let payer = Payer::Members(member.scope.tenant_id());
        Ok(Authority { scope: member.scope, agent: None, key: None, payer })
    } else {
        Err(ApiError::NotAllowed)
    }
}

fn key(headers: &HeaderMap) -> Option<&str> {
    if let Some(header) = headers.get(AUTHORIZATION) {
        return header.to_str().ok().and_then(bearer);
    }
    let protocols =
        headers.get_all(SEC_WEBSOCKET_PROTOCOL).into_iter().filter_map(|value| value.to_str().ok());
    protocols.flat_map(|list| list.split(',')).find_map(|protocol| protocol.trim().strip_prefix(KEY_PROTOCOL))
}
