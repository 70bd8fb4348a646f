//! `POST /twilio/after?attempt=N`: the media socket of a call has closed; what now?
//!
//! A call that has ended is hung up. One that was cut is connected again, to the same record and with its history, and
//! with a limit on how often. That Twilio comes here after an *abnormal* end of the socket is unverified.
//! Errors as `/twilio/voice`, and 400 for a query that is not ours.

use super::{
    signed::SignedForm,
    twiml::Twiml,
    voice::{APOLOGY, Attempt, apologise, connect},
};
use crate::{Gateway, problem::ApiError};
use axum::extract::{Query, State, rejection::QueryRejection};
use seiketsu_storage::{DbError, Reason, calls, platform::vendor_call};
use serde::Deserialize;

#[derive(Debug, Deserialize)]
pub(super) struct AfterQuery {
    /// Which connection it was that has ended.
    attempt: u32,
}

pub(super) async fn after(
    State(gateway): State<Gateway>,
    query: Result<Query<AfterQuery>, QueryRejection>,
    form: SignedForm,
) -> Result<Twiml, ApiError> {
    let Query(AfterQuery { attempt }) = query?;
    let call_sid = form.call_sid()?;
    // The caller hung up while we were asked: there is nobody left to connect.
    if form.get("CallStatus").is_some_and(|status| status != "in-progress") {
        return Ok(Twiml::Hangup);
    }
    Ok(next(&gateway, call_sid, attempt).await.unwrap_or_else(|error| apologise(&error)))
}

async fn next(gateway: &Gateway, call_sid: &str, attempt: u32) -> Result<Twiml, DbError> {
    let mut system = gateway.db().system(Reason::RouteCall).await?;
    let Some((scope, call_id)) = vendor_call(&mut system, call_sid).await? else { return Ok(Twiml::Hangup) };
    system.commit().await?;
    let mut tenant = gateway.db().tenant(&scope).await?;
    let call = calls::get(&mut tenant, call_id).await?;
    tenant.commit().await?;
    if call.is_none_or(|call| call.ended.is_some()) {
        return Ok(Twiml::Hangup);
    }
    if attempt >= Attempt::LAST.0 {
        tracing::warn!(call = %call_id, attempt, "a call was cut too often and is given up");
        return Ok(Twiml::Apologise(APOLOGY));
    }
    tracing::info!(call = %call_id, attempt, "a call that was cut is connected again");
    Ok(connect(gateway, scope, call_id, call_sid, Attempt(attempt + 1)))
}
