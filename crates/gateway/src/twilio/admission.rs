//! From a `start` message to a call that may begin: the checks of a media token, in the order of what they cost.

use super::{
    closing::Closing,
    media::Started,
    token::{MediaToken, TokenError},
};
use crate::Gateway;
use jiff::Timestamp;
use seiketsu_domain::{AudioFormat, TenantScope};
use seiketsu_session::{Arrival, BeginCall, DoorUpdate, OpenCall};
use seiketsu_storage::{
    DbError, Reason, agents, calls,
    platform::{use_media_token, vendor_call},
};
use std::time::Duration;
use tokio::time::timeout;

/// How long the database may take to admit a call whose caller is on the line and hears nothing.
const ADMIT_WITHIN: Duration = Duration::from_millis(1_300);

/// The call that this socket may carry, or why it may not.
pub(super) async fn admit(gateway: &Gateway, start: &Started) -> Result<BeginCall, Closing> {
    let now = gateway.ids().clock().now();
    let text = start.token.as_deref().ok_or(Closing::BadToken)?;
    let token = gateway.tokens().verify(text, now).map_err(|error| {
        match error {
            TokenError::Forged => tracing::warn!("a media socket came with a token that is not ours"),
            TokenError::Expired => tracing::warn!("a media socket came with an expired token"),
        }
        Closing::BadToken
    })?;
    if token.call_sid != start.call_sid {
        tracing::warn!(call = %token.call, "a media socket came with the token of another call");
        return Err(Closing::BadToken);
    }
    let admitted = timeout(ADMIT_WITHIN, async {
        let scope = use_token(gateway, &token).await.map_err(|error| away(&error))??;
        open(gateway, scope, token, now).await.map_err(|error| away(&error))?
    });
    admitted.await.unwrap_or_else(|_| {
        tracing::error!("a call cannot begin: the database took too long");
        Err(Closing::Unavailable)
    })
}

fn away(error: &DbError) -> Closing {
    tracing::error!(error = error as &dyn std::error::Error, "a call cannot begin: the database failed");
    Closing::Unavailable
}

/// Uses the token up, for good, and learns whose call it is.
async fn use_token(gateway: &Gateway, token: &MediaToken) -> Result<Result<TenantScope, Closing>, DbError> {
    let mut system = gateway.db().system(Reason::AdmitMedia).await?;
    if !use_media_token(&mut system, token.id, token.expires_at).await? {
        tracing::warn!(call = %token.call, "a media socket came with a token that was used before");
        return Ok(Err(Closing::UsedToken));
    }
    let bound = vendor_call(&mut system, &token.call_sid).await?;
    system.commit().await?;
    match bound {
        Some((scope, call)) if call == token.call && scope.tenant_id() == token.tenant => Ok(Ok(scope)),
        Some(_) | None => Ok(Err(Closing::BadToken)),
    }
}

/// Loads what the session needs and says that this replica holds the call.
async fn open(
    gateway: &Gateway,
    scope: TenantScope,
    token: MediaToken,
    now: Timestamp,
) -> Result<Result<BeginCall, Closing>, DbError> {
    let replica = gateway.config().replica;
    let mut tenant = gateway.db().tenant(&scope).await?;
    let Some(call) = calls::get(&mut tenant, token.call).await? else { return Ok(Err(Closing::BadToken)) };
    if call.ended.is_some() {
        return Ok(Err(Closing::CallEnded));
    }
    // The webhook that began the record may have been another replica's. Before the session starts, not after: recovery
    // must see either a call that nobody holds or one that is held.
    let taken_over = token.arrival != Arrival::New || call.replica_id != replica;
    if taken_over && calls::resume(&mut tenant, token.call, replica, now).await?.is_none() {
        return Ok(Err(Closing::CallEnded));
    }
    let Some(agent) = agents::get(&mut tenant, call.agent_id).await? else {
        return Ok(Err(Closing::Unavailable));
    };
    tenant.commit().await?;
    Ok(Ok(BeginCall {
        open: OpenCall { scope, call_id: token.call, agent, caller: call.from, arrival: token.arrival },
        format: AudioFormat::Mulaw8k,
        vendor_call_sid: Some(token.call_sid),
        update: DoorUpdate::default(),
    }))
}
