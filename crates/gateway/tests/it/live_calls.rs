//! Live calls as server-sent events.

use crate::world::World;
use axum::body::Body;
use futures_util::StreamExt;
use http::{Request, header::AUTHORIZATION};
use seiketsu_domain::{CallEnd, CallTime, EndReason, Pii, Timeline, TurnOutcome, TurnRecord, Usage};
use seiketsu_gateway::{api_key::ApiKey, v1::events::LiveCall};
use seiketsu_storage::{Reason, calls, platform::revoke_api_key, turns};
use std::time::Duration;
use tokio::time::timeout;
use tower::ServiceExt;

struct Events {
    body: axum::body::BodyDataStream,
    read: String,
}

impl Events {
    async fn follow(world: &World, key: &ApiKey) -> Self {
        let request = Request::get("/v1/calls/events")
            .header(AUTHORIZATION, format!("Bearer {}", key.expose()))
            .body(Body::empty())
            .unwrap();
        let response = world.gateway.router().oneshot(request).await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { body: response.into_body().into_data_stream(), read: String::new() }
    }

    async fn next(&mut self) -> Option<(String, LiveCall)> {
        loop {
            if let Some((event, rest)) = self.read.split_once("\n\n") {
                let (event, rest) = (event.to_owned(), rest.to_owned());
                self.read = rest;
                let mut lines = event.lines();
                let Some(kind) = lines.next().and_then(|line| line.strip_prefix("event: ")) else { continue };
                let data = lines.next().and_then(|line| line.strip_prefix("data: ")).unwrap();
                return Some((kind.to_owned(), serde_json::from_str(data).unwrap()));
            }
            let chunk = timeout(Duration::from_secs(30), self.body.next()).await.expect("nothing came")?;
            self.read.push_str(std::str::from_utf8(&chunk.unwrap()).unwrap());
        }
    }
}

#[tokio::test]
async fn calls_are_told_as_they_begin_go_on_and_end_to_their_own_tenant_only() {
    let world = World::new().await;
    let key = world.key_of(&world.a).await;
    let ended = CallEnd {
        reason: EndReason::CallerHungUp,
        ended_at: CallTime::from_millis(5_000),
        turns: 1,
        usage: Usage::default(),
    };
    let first = world.base.call(&world.a).await;
    world.base.call(&world.b).await;
    let mut events = Events::follow(&world, &key).await;
    let (kind, told) = events.next().await.unwrap();
    assert_eq!((kind.as_str(), told.call.id, told.turns), ("call.started", first, 0));
    let second = world.base.call(&world.a).await;
    let (kind, told) = events.next().await.unwrap();
    assert_eq!((kind.as_str(), told.call.id), ("call.started", second));

    let turn = TurnRecord {
        number: 0,
        caller_text: Pii::default(),
        generated_text: Pii::new("Hello.".into()),
        heard_text: Pii::new("Hello.".into()),
        acknowledgement: None,
        started_at: CallTime::from_millis(0),
        finished_at: CallTime::from_millis(900),
        outcome: TurnOutcome::Answered,
        timeline: Timeline::default(),
        tools: Vec::new(),
        messages: Vec::new(),
        usage: Usage::default(),
    };
    let mut tenant = world.base.tenant(&world.a).await;
    turns::commit_turn(&mut tenant, second, &turn).await.unwrap();
    tenant.commit().await.unwrap();
    let (kind, told) = events.next().await.unwrap();
    assert_eq!((kind.as_str(), told.call.id, told.turns), ("call.updated", second, 1));

    let mut tenant = world.base.tenant(&world.a).await;
    calls::end_call(&mut tenant, second, &ended).await.unwrap();
    tenant.commit().await.unwrap();
    let (kind, told) = events.next().await.unwrap();
    assert_eq!((kind.as_str(), told.call.id, told.turns), ("call.ended", second, 1));
    assert_eq!(told.call.ended.unwrap().reason, EndReason::CallerHungUp);

    // The stream ends with the replica; nobody waits for it.
    world.switchboard.draining.store(true, std::sync::atomic::Ordering::Relaxed);
    assert!(events.next().await.is_none());
}

#[tokio::test]
async fn a_stream_ends_when_its_key_is_revoked() {
    let world = World::new().await;
    let key = world.key_of(&world.a).await;
    world.base.call(&world.a).await;
    let mut events = Events::follow(&world, &key).await;
    assert_eq!(events.next().await.unwrap().0, "call.started");
    let mut system = world.db().system(Reason::ManageApiKeys).await.unwrap();
    assert!(revoke_api_key(&mut system, &world.a.scope, key.hint(), world.base.now()).await.unwrap());
    system.commit().await.unwrap();
    world.clock.advance(Duration::from_secs(10));
    assert!(events.next().await.is_none());
}

#[tokio::test]
async fn a_listener_that_leaves_frees_its_place() {
    let world = World::new().await;
    let key = world.key_of(&world.a).await;
    for _ in 0..3 {
        drop(Events::follow(&world, &key).await);
    }
    world.gateway.sockets().close();
    timeout(Duration::from_secs(10), world.gateway.sockets().wait()).await.expect("a listener lives on");
}
