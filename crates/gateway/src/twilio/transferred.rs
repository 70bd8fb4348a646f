//! `POST /twilio/transferred`: a person was rung, and that is over: they have talked and hung up, or they did not take
//! the call.
//!
//! Whether the call was taken is what our own record says, written when the person pressed the key: `DialCallStatus` says
//! `completed` of an answering machine too. A call that was taken is over. One that was not goes back to the agent, who
//! knows what was said before and offers something else. A caller who has hung up meanwhile is on record as such. Asked
//! again, nothing changes. Errors as `/twilio/voice`.

use super::{
    bound::{Bound, live_call},
    signed::SignedForm,
    twiml::Twiml,
    voice::{Attempt, GO_ON_WITHIN, connect, or_apologise},
};
use crate::{Gateway, problem::ApiError};
use axum::extract::State;
use jiff::Timestamp;
use seiketsu_domain::{CallId, EndReason};
use seiketsu_session::Arrival;
use seiketsu_storage::{
    DbError, TenantTx, calls,
    transfers::{self, TransferState},
};

pub(super) async fn transferred(State(gateway): State<Gateway>, form: SignedForm) -> Result<Twiml, ApiError> {
    let call_sid = form.call_sid()?;
    let status = form.get("DialCallStatus").unwrap_or("unknown");
    let next = go_on(&gateway, call_sid, status, form.caller_is_gone());
    Ok(or_apologise(GO_ON_WITHIN, next).await)
}

async fn go_on(gateway: &Gateway, call_sid: &str, status: &str, gone: bool) -> Result<Twiml, DbError> {
    let Some(Bound { scope, call, mut tenant }) = live_call(gateway, call_sid).await? else {
        return Ok(Twiml::Hangup);
    };
    let now = gateway.ids().clock().now();
    if gone {
        close(&mut tenant, call.id, now).await?;
        tenant.commit().await?;
        return Ok(Twiml::Hangup);
    }
    let transfer = transfers::finished(&mut tenant, call.id, TransferState::NotAnswered, now).await?;
    if transfer.is_some_and(|transfer| transfer.state == TransferState::Answered) {
        calls::close(&mut tenant, call.id, EndReason::Transferred, now).await?;
        tenant.commit().await?;
        return Ok(Twiml::Hangup);
    }
    tenant.commit().await?;
    tracing::info!(call = %call.id, status, "nobody took a caller who was put through: back to the agent");
    Ok(connect(gateway, scope, call.id, call_sid, Arrival::NotPutThrough, Attempt::FIRST))
}

/// Closes the record of a call that was handed over and is over now: transferred if a person took it, or else hung up by
/// the caller, who did not wait. For whoever has that from Twilio.
pub(super) async fn close(tenant: &mut TenantTx, call: CallId, now: Timestamp) -> Result<(), DbError> {
    let transfer = transfers::finished(tenant, call, TransferState::Abandoned, now).await?;
    let taken = transfer.is_some_and(|transfer| transfer.state == TransferState::Answered);
    let reason = if taken { EndReason::Transferred } else { EndReason::CallerHungUp };
    if calls::close(tenant, call, reason, now).await? {
        tracing::info!(%call, reason = reason.name(), "a call that was handed over is over, says Twilio");
    }
    Ok(())
}
