//! `POST /twilio/transfer`: Twilio has taken a call out of its media stream, as it was told to over REST, and asks what to
//! do with it. Answer: ring the person whom the agent has arranged a transfer to.
//!
//! The number comes from the transfer's own row, which a tool has copied from the tenant's list; nothing in the request
//! says whom to ring. The caller hears ringing until the person has taken the call (`answerOnBridge`), not the summary
//! that the person hears first ([`super::whisper`]). However it goes, Twilio then asks [`super::transferred`].
//!
//! Asked again, the answer is the same. A call without a transfer that is still open goes back to its agent. Errors as
//! `/twilio/voice`.

use super::{
    TRANSFERRED, WHISPER,
    bound::{Bound, live_call},
    signed::SignedForm,
    twiml::Twiml,
    voice::{Attempt, GO_ON_WITHIN, connect, or_apologise},
};
use crate::{Gateway, problem::ApiError};
use axum::extract::State;
use seiketsu_session::Arrival;
use seiketsu_storage::{DbError, transfers};

/// How long the person's telephone rings: five times, before most answering machines take over.
const RING_SECONDS: u32 = 25;

pub(super) async fn transfer(State(gateway): State<Gateway>, form: SignedForm) -> Result<Twiml, ApiError> {
    let call_sid = form.call_sid()?;
    if form.caller_is_gone() {
        return Ok(Twiml::Hangup);
    }
    Ok(or_apologise(GO_ON_WITHIN, put_through(&gateway, call_sid)).await)
}

async fn put_through(gateway: &Gateway, call_sid: &str) -> Result<Twiml, DbError> {
    let Some(Bound { scope, call, mut tenant }) = live_call(gateway, call_sid).await? else {
        return Ok(Twiml::Hangup);
    };
    let transfer = transfers::dialled(&mut tenant, call.id, gateway.ids().clock().now()).await?;
    tenant.commit().await?;
    let Some(transfer) = transfer else {
        tracing::warn!(call = %call.id, "a call was to be put through, but nothing is arranged any more");
        return Ok(connect(gateway, scope, call.id, call_sid, Arrival::NotPutThrough, Attempt::FIRST));
    };
    // Twilio asks here about telephone calls only, and each of those dialled a number.
    let Some(caller_id) = call.to else { return Ok(Twiml::Hangup) };
    tracing::info!(call = %call.id, tenant = %scope.tenant_id(), "a caller is put through to a person");
    let public_url = &gateway.config().public_url;
    Ok(Twiml::Dial {
        to: transfer.to_number,
        caller_id,
        timeout_seconds: RING_SECONDS,
        action: public_url.at(TRANSFERRED),
        // The person's telephone call has a CallSid of its own; this names the caller's.
        whisper: public_url.at(&format!("{WHISPER}?call={call_sid}")),
    })
}
