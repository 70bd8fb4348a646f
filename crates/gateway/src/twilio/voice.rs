//! `POST /twilio/voice`: somebody calls one of our numbers.
//!
//! Begins the call record and answers TwiML that connects the call to `/twilio/media`. Delivered again for the same
//! CallSid it finds the same record and hands out a fresh token; if something was said in that call already, the token
//! is that of a call which was cut, so that it goes on with its history. Errors: 403 not signed, 400 no CallSid, 413, 408. What
//! the caller can be told is told in TwiML with status 200, because to anything else Twilio reacts with a message of its
//! own ("an application error has occurred"):
//! - a number that leads nowhere, or to a tenant that is not served, is rejected: the call is never answered, nobody is
//!   billed, and the caller hears the network's own tone, as with any number not in service;
//! - while the database is away or too slow, or this replica drains, the caller hears an apology.

use super::{AFTER, MEDIA, signed::SignedForm, token, token::MediaToken, twiml::Twiml};
use crate::{Gateway, problem::ApiError};
use axum::extract::State;
use seiketsu_domain::{CallId, PhoneNumber, Pii, TenantScope};
use seiketsu_session::Arrival;
use seiketsu_storage::{
    DbError, Reason, calls,
    platform::{bind_vendor_call, number_route},
    turns,
};
use std::time::Duration;
use tokio::time::timeout;

/// What a caller hears when we cannot even look up whom they called.
pub(super) const APOLOGY: &str =
    "We are sorry, we cannot take your call right now. Please call again in a few minutes.";

/// How long a caller hears the ringing tone at most before an apology.
const ANSWER_WITHIN: Duration = Duration::from_millis(2_500);
/// How long somebody on the line hears nothing at most before an apology. An admission may have failed just before.
pub(super) const GO_ON_WITHIN: Duration = Duration::from_millis(1_300);

pub(super) async fn voice(State(gateway): State<Gateway>, form: SignedForm) -> Result<Twiml, ApiError> {
    let call_sid = form.call_sid()?;
    Ok(or_apologise(ANSWER_WITHIN, answer(&gateway, &form, call_sid)).await)
}

/// What the database has to say, or an apology if it does not do its part in time.
pub(super) async fn or_apologise(
    patience: Duration,
    answer: impl Future<Output = Result<Twiml, DbError>>,
) -> Twiml {
    // Each answer is a large future: on the heap, not in every caller's.
    match timeout(patience, Box::pin(answer)).await {
        Ok(Ok(twiml)) => return twiml,
        Ok(Err(error)) => {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "a caller was sent away: the database failed"
            );
        }
        Err(_) => tracing::error!("a caller was sent away: the database took too long"),
    }
    Twiml::Apologise(APOLOGY)
}

async fn answer(gateway: &Gateway, form: &SignedForm, call_sid: &str) -> Result<Twiml, DbError> {
    let Some(to) = form.get("To").and_then(|to| to.parse::<PhoneNumber>().ok()) else {
        tracing::warn!("a call to something that is not a phone number was rejected");
        return Ok(Twiml::Reject);
    };
    if gateway.switchboard().is_draining() {
        tracing::info!("a caller was sent away: this replica is draining");
        return Ok(Twiml::Apologise(APOLOGY));
    }
    let now = gateway.ids().clock().now();
    let mut system = gateway.db().system(Reason::RouteCall).await?;
    let Some(route) = number_route(&mut system, &to).await? else {
        tracing::warn!(number = %to, "a call to a number without a route was rejected");
        return Ok(Twiml::Reject);
    };
    // Claimed before the record is begun: however often this is delivered, and wherever we crash, there is one record.
    let bound = bind_vendor_call(&mut system, call_sid, &route.scope, gateway.ids().next(), now).await?;
    system.commit().await?;

    let mut tenant = gateway.db().tenant(&bound.scope).await?;
    calls::begin(
        &mut tenant,
        &calls::NewCall {
            id: bound.call_id,
            agent_id: route.agent_id,
            // Withheld numbers come as words, or not at all.
            from: form.get("From").and_then(|from| from.parse().ok()).map(Pii::new),
            to: Some(to),
            vendor_call_sid: Some(call_sid.to_owned()),
            replica_id: gateway.config().replica,
            started_at: now,
        },
    )
    .await?;
    let call = calls::get(&mut tenant, bound.call_id).await?;
    let said_before = !bound.new && turns::committed(&mut tenant, bound.call_id).await?.turns > 0;
    tenant.commit().await?;
    if call.is_none_or(|call| call.ended.is_some()) {
        return Ok(Twiml::Hangup);
    }
    let arrival = if said_before { Arrival::Cut } else { Arrival::New };
    tracing::info!(call = %bound.call_id, tenant = %bound.scope.tenant_id(), again = !bound.new, "a call arrives");
    Ok(connect(gateway, bound.scope, bound.call_id, call_sid, arrival, Attempt::FIRST))
}

/// How often this call has been connected, this time included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Attempt(pub(super) u32);

impl Attempt {
    /// The call has just begun, or comes back from somebody it was to be put through to.
    pub(super) const FIRST: Self = Self(1);
    /// A call that was cut more often has no line to speak of.
    pub(super) const LAST: Self = Self(6);
}

/// TwiML that connects a call to a media socket, with a fresh token.
pub(super) fn connect(
    gateway: &Gateway,
    scope: TenantScope,
    call: CallId,
    call_sid: &str,
    arrival: Arrival,
    Attempt(attempt): Attempt,
) -> Twiml {
    let token = MediaToken {
        id: gateway.ids().next_uuid(),
        call,
        tenant: scope.tenant_id(),
        call_sid: call_sid.to_owned(),
        arrival,
        expires_at: gateway.ids().clock().now() + token::LIFETIME,
    };
    let public_url = &gateway.config().public_url;
    Twiml::Connect {
        socket: public_url.socket_at(MEDIA),
        token: gateway.tokens().sign(&token),
        after: public_url.at(&format!("{AFTER}?attempt={attempt}")),
        // Whatever cut the call twice may need a moment.
        pause: attempt > 2,
    }
}
