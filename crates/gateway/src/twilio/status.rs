//! `POST /twilio/status`: Twilio's status callbacks, in any order, any number of times.
//!
//! A live call needs none of them: its session knows how it ended. They matter for a call that no session holds, because
//! its media socket never came or was cut for good: once Twilio says that it is over, and nobody has held it for a while,
//! its record is closed here, with what its committed turns add up to. Sooner than that, recovery will do it. A call that
//! was handed over is held by Twilio alone: its record is closed at once.
//! Errors as `/twilio/voice`; 503 while the database is away, upon which Twilio may ask again.

use super::{
    bound::{Bound, live_call},
    signed::SignedForm,
    transferred,
    twiml::Twiml,
};
use crate::{Gateway, problem::ApiError};
use axum::extract::State;
use jiff::SignedDuration;
use seiketsu_domain::EndReason;
use seiketsu_storage::calls;

/// A call whose heartbeat is older than this is held by nobody.
const STALE_AFTER: SignedDuration = SignedDuration::from_secs(60);

pub(super) async fn status(State(gateway): State<Gateway>, form: SignedForm) -> Result<Twiml, ApiError> {
    let call_sid = form.call_sid()?;
    let Some(reason) = form.get("CallStatus").and_then(end_reason) else { return Ok(Twiml::Nothing) };
    let Some(Bound { call, mut tenant, .. }) = live_call(&gateway, call_sid).await? else {
        return Ok(Twiml::Nothing);
    };
    let now = gateway.ids().clock().now();
    if call.handed_over_at.is_some() {
        transferred::close(&mut tenant, call.id, now).await?;
    } else if calls::close_orphan(&mut tenant, call.id, reason, now - STALE_AFTER).await? {
        tracing::info!(call = %call.id, reason = reason.name(), "a call that nobody held is over, says Twilio");
    }
    tenant.commit().await?;
    Ok(Twiml::Nothing)
}

/// How a call ended, if that is what the status says.
fn end_reason(status: &str) -> Option<EndReason> {
    match status {
        "completed" | "canceled" | "busy" | "no-answer" => Some(EndReason::CallerHungUp),
        "failed" => Some(EndReason::Failure),
        // queued, initiated, ringing, in-progress, and what Twilio may yet invent
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_final_status_ends_a_call() {
        for status in ["queued", "initiated", "ringing", "in-progress", "", "something new"] {
            assert_eq!(end_reason(status), None, "{status}");
        }
        assert_eq!(end_reason("completed"), Some(EndReason::CallerHungUp));
        assert_eq!(end_reason("failed"), Some(EndReason::Failure));
    }
}
