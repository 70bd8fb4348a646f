use crate::{at_once, turns::turn};
use jiff::SignedDuration;
use seiketsu_domain::{CallEnd, CallId, CallTime, EndReason, ReplicaId, Usage};
use seiketsu_storage::{
    DbError, Reason,
    calls::{self, Ended},
    platform, turns, usage,
};
use seiketsu_testkit::World;
use std::{sync::Arc, time::Duration};

fn end(reason: EndReason) -> CallEnd {
    CallEnd {
        reason,
        ended_at: CallTime::from_millis(61_500),
        turns: 4,
        usage: Usage { recognised_ms: 9_000, input_tokens: 3_000, output_tokens: 120, ..Usage::default() },
    }
}

#[tokio::test]
async fn a_call_is_begun_once_and_read_back_whole() {
    let world = World::new().await;
    let new = world.new_call(&world.anna);
    let mut tx = world.tenant(&world.anna).await;
    assert!(calls::begin(&mut tx, &new).await.unwrap());
    assert!(!calls::begin(&mut tx, &new).await.unwrap());
    let row = calls::get(&mut tx, new.id).await.unwrap().unwrap();
    assert_eq!((row.id, row.agent_id, row.replica_id), (new.id, new.agent_id, new.replica_id));
    assert_eq!((&row.from, &row.to, &row.vendor_call_sid), (&new.from, &new.to, &new.vendor_call_sid));
    assert_eq!(
        (row.started_at, row.heartbeat_at, row.resumed, row.ended),
        (new.started_at, new.started_at, 0, None)
    );
    let by_sid = calls::by_vendor_call_sid(&mut tx, new.vendor_call_sid.as_deref().unwrap()).await.unwrap();
    assert_eq!(by_sid, Some(row));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_twenty_ends_at_once_one_counts_and_there_is_one_usage_record() {
    let world = Arc::new(World::new().await);
    let call = world.call(&world.anna).await;
    let outcomes = at_once(20, |number| {
        let world = world.clone();
        async move {
            let reason = if number % 2 == 0 { EndReason::CallerHungUp } else { EndReason::ReplicaLost };
            let mut tx = world.tenant(&world.anna).await;
            let first = calls::end_call(&mut tx, call, &end(reason)).await.unwrap();
            tx.commit().await.unwrap();
            first
        }
    })
    .await;
    assert_eq!(outcomes.iter().filter(|first| **first).count(), 1);
    assert_eq!(world.database.count("select count(*) from public.usage_records").await, 1);
    let mut tx = world.tenant(&world.anna).await;
    assert!(!calls::end_call(&mut tx, call, &end(EndReason::Silence)).await.unwrap());
    let row = calls::get(&mut tx, call).await.unwrap().unwrap();
    let ended_at = world.now() + SignedDuration::from_millis(61_500);
    let Some(Ended { at, turns: 4, .. }) = row.ended else { panic!("{row:?}") };
    assert_eq!(at, ended_at);
    let record = usage::of_call(&mut tx, call).await.unwrap().unwrap();
    assert_eq!(
        (record.duration, record.turns, record.ended_at),
        (Duration::from_millis(61_500), 4, ended_at)
    );
    assert_eq!(record.usage, end(EndReason::Silence).usage);
    let total = usage::between(&mut tx, world.now(), ended_at + SignedDuration::from_secs(1)).await.unwrap();
    assert_eq!((total.calls, total.duration, total.usage), (1, record.duration, record.usage));
    let before = usage::between(&mut tx, world.now(), ended_at).await.unwrap();
    assert_eq!(before.calls, 0);
}

#[tokio::test]
async fn an_end_that_is_rolled_back_leaves_neither_record_nor_usage() {
    let world = World::new().await;
    let call = world.call(&world.anna).await;
    let mut tx = world.tenant(&world.anna).await;
    assert!(calls::end_call(&mut tx, call, &end(EndReason::Failure)).await.unwrap());
    drop(tx);
    let mut tx = world.tenant(&world.anna).await;
    assert_eq!(calls::get(&mut tx, call).await.unwrap().unwrap().ended, None);
    assert_eq!(usage::of_call(&mut tx, call).await.unwrap(), None);
}

#[tokio::test]
async fn ending_a_call_that_never_was_is_an_error() {
    let world = World::new().await;
    let mut tx = world.tenant(&world.anna).await;
    let error = calls::end_call(&mut tx, world.ids.next(), &end(EndReason::Failure)).await.unwrap_err();
    assert!(matches!(error, DbError::Missing { what: "call" }), "{error:?}");
}

#[tokio::test]
async fn recovery_finds_calls_of_dead_replicas_and_leaves_every_live_one_alone() {
    let world = World::new().await;
    let dead: ReplicaId = world.ids.next();
    let mut orphan = world.new_call(&world.anna);
    orphan.replica_id = dead;
    let mut fresh = world.new_call(&world.boris);
    fresh.replica_id = dead;
    let held = world.new_call(&world.boris);
    for (persona, call) in [(&world.anna, &orphan), (&world.boris, &fresh), (&world.boris, &held)] {
        let mut tx = world.tenant(persona).await;
        calls::begin(&mut tx, call).await.unwrap();
        turns::commit_turn(&mut tx, call.id, &turn(0)).await.unwrap();
        tx.commit().await.unwrap();
    }
    world.clock.advance(Duration::from_mins(1));
    let stale_before = world.now() - SignedDuration::from_secs(30);
    let mut tx = world.db().system(Reason::Heartbeat).await.unwrap();
    // Our own heart beats, though `held` itself has said nothing for a minute.
    platform::heartbeat(&mut tx, world.replica, world.now()).await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = world.tenant(&world.boris).await;
    assert!(calls::heartbeat(&mut tx, fresh.id, world.now()).await.unwrap());
    tx.commit().await.unwrap();

    let mut tx = world.db().system(Reason::RecoverCalls).await.unwrap();
    assert_eq!(
        platform::orphaned_calls(&mut tx, stale_before).await.unwrap(),
        [(world.anna.scope, orphan.id)]
    );
    let silent = platform::abandoned_calls(&mut tx, world.replica, stale_before).await.unwrap();
    assert_eq!(silent, [(world.boris.scope, held.id)]);
    tx.commit().await.unwrap();

    let mut tx = world.tenant(&world.anna).await;
    let lost = end(EndReason::ReplicaLost);
    assert!(calls::end_orphan(&mut tx, orphan.id, &lost, stale_before).await.unwrap());
    assert!(!calls::end_orphan(&mut tx, orphan.id, &lost, stale_before).await.unwrap());
    tx.commit().await.unwrap();
    let mut tx = world.db().system(Reason::RecoverCalls).await.unwrap();
    assert_eq!(platform::orphaned_calls(&mut tx, stale_before).await.unwrap(), []);
}

#[tokio::test]
async fn a_call_that_comes_back_while_recovery_looks_is_not_closed() {
    let world = World::new().await;
    let dead: ReplicaId = world.ids.next();
    let mut cut = world.new_call(&world.anna);
    cut.replica_id = dead;
    let mut tx = world.tenant(&world.anna).await;
    calls::begin(&mut tx, &cut).await.unwrap();
    tx.commit().await.unwrap();
    world.clock.advance(Duration::from_mins(1));
    let stale_before = world.now() - SignedDuration::from_secs(30);

    let mut tx = world.tenant(&world.anna).await;
    let row = calls::resume(&mut tx, cut.id, world.replica, world.now()).await.unwrap().unwrap();
    assert_eq!((row.replica_id, row.resumed, row.heartbeat_at), (world.replica, 1, world.now()));
    tx.commit().await.unwrap();
    let mut tx = world.tenant(&world.anna).await;
    assert!(!calls::end_orphan(&mut tx, cut.id, &end(EndReason::ReplicaLost), stale_before).await.unwrap());
    assert_eq!(calls::get(&mut tx, cut.id).await.unwrap().unwrap().ended, None);
}

#[tokio::test]
async fn an_ended_call_can_neither_be_resumed_nor_kept_alive() {
    let world = World::new().await;
    let call = world.call(&world.anna).await;
    let mut tx = world.tenant(&world.anna).await;
    calls::end_call(&mut tx, call, &end(EndReason::AgentHungUp)).await.unwrap();
    assert_eq!(calls::resume(&mut tx, call, world.replica, world.now()).await.unwrap(), None);
    assert!(!calls::heartbeat(&mut tx, call, world.now()).await.unwrap());
}

#[tokio::test]
async fn calls_are_listed_newest_first_page_by_page() {
    let world = World::new().await;
    let mut begun: Vec<CallId> = Vec::new();
    for _ in 0..5 {
        world.clock.advance(Duration::from_secs(1));
        begun.insert(0, world.call(&world.anna).await);
    }
    world.call(&world.boris).await;
    let mut tx = world.tenant(&world.anna).await;
    let mut listed = Vec::new();
    let mut before = None;
    loop {
        let page = calls::list(&mut tx, &calls::CallFilter::default(), before, 2).await.unwrap();
        let Some(last) = page.last() else { break };
        before = Some(last.id);
        listed.extend(page.iter().map(|call| call.id));
    }
    assert_eq!(listed, begun);
}
