//! `POST /twilio/after?attempt=N`: the media socket of a call has closed; what now?
//!
//! A call that has ended is hung up. One that was cut is connected again, to the same record and with its history, and
//! with a limit on how often. So is one that was handed over to be put through: that Twilio asks here, and not
//! `/twilio/transfer`, means that it was not told to, and the agent has to say so. That Twilio comes here after an *abnormal* end of the socket is unverified.
//! Errors as `/twilio/voice`, and 400 for a query that is not ours.

use super::{
    bound::{Bound, live_call},
    signed::SignedForm,
    twiml::Twiml,
    voice::{APOLOGY, Attempt, GO_ON_WITHIN, connect, or_apologise},
};
use crate::{Gateway, problem::ApiError};
use axum::extract::{Query, State, rejection::QueryRejection};
use seiketsu_session::Arrival;
use seiketsu_storage::{
    DbError,
    transfers::{self, TransferState},
};
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
    if form.caller_is_gone() {
        return Ok(Twiml::Hangup);
    }
    Ok(or_apologise(GO_ON_WITHIN, next(&gateway, call_sid, attempt)).await)
}

async fn next(gateway: &Gateway, call_sid: &str, attempt: u32) -> Result<Twiml, DbError> {
    let Some(Bound { scope, call, mut tenant }) = live_call(gateway, call_sid).await? else {
        return Ok(Twiml::Hangup);
    };
    let arrival = if call.handed_over_at.is_some() {
        let now = gateway.ids().clock().now();
        transfers::finished(&mut tenant, call.id, TransferState::NotAnswered, now).await?;
        Arrival::NotPutThrough
    } else {
        Arrival::Cut
    };
    tenant.commit().await?;
    if attempt >= Attempt::LAST.0 {
        tracing::warn!(call = %call.id, attempt, "a call was cut too often and is given up");
        return Ok(Twiml::Apologise(APOLOGY));
    }
    tracing::info!(call = %call.id, attempt, ?arrival, "a call is connected again");
    Ok(connect(gateway, scope, call.id, call_sid, arrival, Attempt(attempt + 1)))
}
