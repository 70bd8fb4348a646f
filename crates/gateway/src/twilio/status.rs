//! `POST /twilio/status`: Twilio's status callbacks, in any order, any number of times.
//!
//! A live call needs none of them: its session knows how it ended. They matter for a call that no session holds, because
//! its media socket never came or was cut for good: once Twilio says that it is over, and nobody has held it for a while,
//! its record is closed here, with what its committed turns add up to. Sooner than that, recovery will do it.
//! Errors as `/twilio/voice`; 503 while the database is away, upon which Twilio may ask again.

use super::{signed::SignedForm, twiml::Twiml};
use crate::{Gateway, problem::ApiError};
use axum::extract::State;
use jiff::SignedDuration;
use seiketsu_domain::{CallEnd, EndReason};
use seiketsu_storage::{Reason, calls, platform::vendor_call, turns};

/// A call whose heartbeat is older than this is held by nobody.
const STALE_AFTER: SignedDuration = SignedDuration::from_secs(60);

pub(super) async fn status(State(gateway): State<Gateway>, form: SignedForm) -> Result<Twiml, ApiError> {
    let call_sid = form.call_sid()?;
    let Some(reason) = form.get("CallStatus").and_then(end_reason) else { return Ok(Twiml::Nothing) };
    let mut system = gateway.db().system(Reason::RouteCall).await?;
    let Some((scope, call_id)) = vendor_call(&mut system, call_sid).await? else { return Ok(Twiml::Nothing) };
    system.commit().await?;
    let mut tenant = gateway.db().tenant(&scope).await?;
    if calls::get(&mut tenant, call_id).await?.is_none_or(|call| call.ended.is_some()) {
        return Ok(Twiml::Nothing);
    }
    let committed = turns::committed(&mut tenant, call_id).await?;
    let end = CallEnd {
        reason,
        ended_at: committed.last_finished_at,
        turns: committed.turns,
        usage: committed.usage,
    };
    let stale_before = gateway.ids().clock().now() - STALE_AFTER;
    if calls::end_orphan(&mut tenant, call_id, &end, stale_before).await? {
        tracing::info!(call = %call_id, reason = reason.name(), "a call that nobody held is over, says Twilio");
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
