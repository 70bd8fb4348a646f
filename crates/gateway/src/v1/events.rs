//! `GET /v1/calls/events`: a brokerage's live calls as they begin, go on and end, as server-sent events.
//!
//! Events are `call.started` (one per live call when the stream begins, then one per call that begins), `call.updated`
//! (another turn of it is on record) and `call.ended`; the data is the call. Nothing is repeated from before: a client
//! that comes back is told again what is live. The stream looks once a second, ends when who listens may no longer
//! (within ten seconds), and when this replica shuts down. Errors: 400, 401, 404 no such tenant, 503 as many streams as
//! may be.

use super::{
    calls::{CallView, view},
    problems::ListProblems,
};
use crate::{
    Gateway,
    access::{Asker, Reader},
    problem::ApiError,
};
use axum::{
    extract::{FromRequestParts, Query, State, rejection::QueryRejection},
    response::{
        Sse,
        sse::{Event, KeepAlive},
    },
};
use futures_util::Stream;
use http::{
    HeaderMap, Request,
    header::{AUTHORIZATION, COOKIE},
};
use seiketsu_domain::{CallId, TenantScope};
use seiketsu_storage::{DbError, calls};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, convert::Infallible, sync::Arc, time::Duration};
use tokio::{
    sync::mpsc,
    time::{MissedTickBehavior, interval},
};
use utoipa::{IntoParams, ToSchema};

/// How often it is looked.
const EVERY: Duration = Duration::from_secs(1);
/// How often it is looked whether who listens still may.
const ASK_AGAIN: Duration = Duration::from_secs(10);
/// Live calls that one stream follows.
const CALLS: u32 = 500;
/// Events that wait for a client; one that does not read for so long is left.
const DEPTH: usize = 64;
/// How long an event may wait for a place in that queue.
const PATIENCE: Duration = Duration::from_secs(10);

/// A call as it goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LiveCall {
    /// The record.
    #[serde(flatten)]
    pub call: CallView,
    /// Turns of it that are on record, the greeting included.
    pub turns: u32,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct EventsQuery {
    /// Whose, by slug or id. Operators have to say; everybody else sees their own.
    #[param(example = "lone-star-homes")]
    tenant: Option<String>,
}

/// Live calls as server-sent events: `call.started`, `call.updated`, `call.ended`, each with the call as its data.
#[utoipa::path(get, path = "/v1/calls/events", tag = "records", operation_id = "followCalls", params(EventsQuery),
    responses((status = 200, description = "The stream.", content_type = "text/event-stream", body = LiveCall),
              ListProblems))]
pub(super) async fn follow(
    State(gateway): State<Gateway>,
    reader: Reader,
    headers: HeaderMap,
    query: Result<Query<EventsQuery>, QueryRejection>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, ApiError> {
    let Query(query) = query?;
    let scope = reader.scope(&gateway, query.tenant.as_deref()).await?;
    let own = gateway.followers_of().try_take(scope.tenant_id()).ok_or(ApiError::Busy)?;
    let place = gateway.followers().clone().try_acquire_owned().map_err(|_| ApiError::Busy)?;
    let (events, queue) = mpsc::channel(DEPTH);
    let sockets = gateway.sockets().clone();
    sockets.spawn(async move {
        let _places = (own, place);
        let left = Follower { gateway, scope, proof: proof(&headers), known: BTreeMap::new(), events };
        left.run().await;
    });
    let stream = futures_util::stream::unfold(queue, |mut queue| async move {
        queue.recv().await.map(|event| (Ok(event), queue))
    });
    Ok(Sse::new(stream).keep_alive(KeepAlive::default()))
}

/// What says who listens.
fn proof(headers: &HeaderMap) -> HeaderMap {
    let kept = [AUTHORIZATION, COOKIE].into_iter();
    kept.flat_map(|name| {
        headers.get_all(&name).into_iter().map(move |value| (name.clone(), value.clone())).collect::<Vec<_>>()
    })
    .collect()
}

struct Follower {
    gateway: Gateway,
    scope: TenantScope,
    proof: HeaderMap,
    known: BTreeMap<CallId, u32>,
    events: mpsc::Sender<Event>,
}

impl Follower {
    async fn run(mut self) {
        let mut ticks = interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let clock = Arc::clone(self.gateway.ids().clock());
        let mut asked = clock.monotonic();
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                () = self.events.closed() => return,
            }
            if self.gateway.switchboard().is_draining() {
                return;
            }
            if clock.monotonic().saturating_sub(asked) >= ASK_AGAIN {
                asked = clock.monotonic();
                if matches!(self.still_may().await, Err(error) if error.is_about_who()) {
                    return;
                }
            }
            let Ok(news) = self.look().await.inspect_err(|error| {
                // The next look tells what this one did not.
                tracing::debug!(%error, "live calls could not be looked at");
            }) else {
                continue;
            };
            for event in news {
                if self.events.send_timeout(event, PATIENCE).await.is_err() {
                    return;
                }
            }
        }
    }

    async fn still_may(&self) -> Result<Asker, ApiError> {
        let (mut parts, ()) = Request::new(()).into_parts();
        parts.headers = self.proof.clone();
        Asker::from_request_parts(&mut parts, &self.gateway).await
    }

    /// What has changed since the last look.
    async fn look(&mut self) -> Result<Vec<Event>, DbError> {
        let mut tenant = self.gateway.db().tenant(&self.scope).await?;
        let live: BTreeMap<CallId, u32> = calls::live(&mut tenant, CALLS).await?.into_iter().collect();
        let mut news: Vec<(&'static str, CallId, u32)> = Vec::new();
        for (call, turns) in &live {
            match self.known.get(call) {
                None => news.push(("call.started", *call, *turns)),
                Some(known) if known != turns => news.push(("call.updated", *call, *turns)),
                Some(_) => {}
            }
        }
        news.extend(
            self.known
                .iter()
                .filter(|(call, _)| !live.contains_key(*call))
                .map(|(call, turns)| ("call.ended", *call, *turns)),
        );
        let mut events = Vec::with_capacity(news.len());
        for (kind, id, turns) in news {
            let Some(row) = calls::get(&mut tenant, id).await? else { continue };
            let call = view(self.scope.tenant_id(), row);
            // One that is live, but beyond what a stream follows, has not ended.
            if kind == "call.ended" && call.ended.is_none() {
                continue;
            }
            let turns = call.ended.as_ref().map_or(turns, |end| end.turns);
            events.extend(Event::default().event(kind).json_data(LiveCall { call, turns }));
        }
        tenant.commit().await?;
        self.known = live;
        Ok(events)
    }
}
