//! Orphans are closed once; calls that anybody holds never.

use crate::{
    test_support::{call_end, turn, usage},
    world::{AUSTIN, PORTLAND, World},
};
use seiketsu_brokerage::{Recovery, recover_orphans};
use seiketsu_domain::{CallId, EndReason, ReplicaId};
use seiketsu_session::Arrival;
use seiketsu_storage::{
    calls::{self, CallRow},
    usage as stored_usage,
};
use std::time::Duration;

async fn record(world: &World, brokerage: usize, call: CallId) -> CallRow {
    let mut tx = world.db.tenant(&world.scope(brokerage)).await.unwrap();
    calls::get(&mut tx, call).await.unwrap().unwrap()
}

/// A replica that was alive a moment ago, with a call that has two turns.
async fn replica_with_a_call(world: &World, brokerage: usize) -> (Recovery, CallId) {
    let replica: ReplicaId = world.ids.next();
    let recovery = Recovery::new(world.db.clone(), replica, world.clock.clone());
    recovery.beat().await.unwrap();
    let call = world.begin(brokerage, None, replica).await;
    let agent = world.agent(brokerage).await;
    let line = world.open(brokerage, call, None, agent, Arrival::New).await;
    for number in 0..2 {
        line.desk.store.commit_turn(&turn(number)).await.unwrap();
    }
    (recovery, call)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_calls_of_a_dead_replica_are_closed_with_what_was_committed_and_those_of_a_living_one_are_not() {
    let world = World::new().await;
    let (_dead, lost) = replica_with_a_call(&world, AUSTIN).await;
    let (living, held) = replica_with_a_call(&world, PORTLAND).await;
    world.clock.advance(Duration::from_secs(40));
    living.beat().await.unwrap();
    assert_eq!(recover_orphans(&world.db, world.replica, world.now()).await.unwrap(), 1);
    let ended = record(&world, AUSTIN, lost).await.ended.unwrap();
    assert_eq!((ended.reason, ended.turns), (EndReason::ReplicaLost, 2));
    assert_eq!(record(&world, PORTLAND, held).await.ended, None);
    let mut tx = world.db.tenant(&world.scope(AUSTIN)).await.unwrap();
    let usage_record = stored_usage::of_call(&mut tx, lost).await.unwrap().unwrap();
    assert_eq!((usage_record.usage, usage_record.turns), (usage(1 + 2), 2));
    assert_eq!(usage_record.duration, Duration::from_secs(9), "the end of the last committed turn");
    assert_eq!(recover_orphans(&world.db, world.replica, world.now()).await.unwrap(), 0, "once is enough");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_replicas_that_recover_at_once_one_closes_the_call() {
    let world = World::new().await;
    let (_dead, lost) = replica_with_a_call(&world, AUSTIN).await;
    world.clock.advance(Duration::from_mins(1));
    let mut attempts = Vec::new();
    for _ in 0..8 {
        let (db, replica, now) = (world.db.clone(), world.ids.next(), world.now());
        attempts.push(world.writers.spawn(async move { recover_orphans(&db, replica, now).await.unwrap() }));
    }
    let mut closed = 0;
    for attempt in attempts {
        closed += attempt.await.unwrap();
    }
    assert_eq!(closed, 1);
    assert!(record(&world, AUSTIN, lost).await.ended.is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_an_outage_that_made_all_heartbeats_old_a_living_replica_keeps_its_calls() {
    let world = World::new().await;
    let (living, held) = replica_with_a_call(&world, AUSTIN).await;
    let mut other = Recovery::new(world.db.clone(), world.ids.next(), world.clock.clone());
    world.clock.advance(Duration::from_mins(5));
    assert_eq!(other.pass().await.unwrap(), 0, "the first look only suspects");
    living.beat().await.unwrap();
    world.clock.advance(Duration::from_secs(10));
    assert_eq!(other.pass().await.unwrap(), 0);
    assert_eq!(record(&world, AUSTIN, held).await.ended, None);
    world.clock.advance(Duration::from_secs(40));
    assert_eq!(other.pass().await.unwrap(), 0, "silent again: suspected anew");
    world.clock.advance(Duration::from_secs(10));
    assert_eq!(other.pass().await.unwrap(), 1, "and closed when the second look agrees");
    assert_eq!(record(&world, AUSTIN, held).await.ended.unwrap().reason, EndReason::ReplicaLost);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_whose_socket_never_came_is_closed_by_the_replica_that_began_it() {
    let world = World::new().await;
    let recovery = Recovery::new(world.db.clone(), world.replica, world.clock.clone());
    recovery.beat().await.unwrap();
    let forgotten = world.begin(AUSTIN, None, world.replica).await;
    let line = world.line(AUSTIN, None).await;
    world.clock.advance(Duration::from_mins(3));
    recovery.beat().await.unwrap();
    line.desk.store.heartbeat().await;
    world.drained().await;
    assert_eq!(recover_orphans(&world.db, world.replica, world.now()).await.unwrap(), 1);
    assert_eq!(record(&world, AUSTIN, forgotten).await.ended.unwrap().reason, EndReason::Failure);
    assert_eq!(record(&world, AUSTIN, line.call_id).await.ended, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_was_handed_over_is_left_alone_for_four_hours_and_then_closed_as_transferred() {
    let world = World::new().await;
    let (_dead, call) = replica_with_a_call(&world, AUSTIN).await;
    let line = world.back(AUSTIN, call, None).await;
    line.desk.store.hand_over().await.unwrap();
    world.clock.advance(Duration::from_mins(239));
    assert_eq!(recover_orphans(&world.db, world.replica, world.now()).await.unwrap(), 0);
    world.clock.advance(Duration::from_mins(2));
    assert_eq!(recover_orphans(&world.db, world.replica, world.now()).await.unwrap(), 1);
    let ended = record(&world, AUSTIN, call).await.ended.unwrap();
    assert_eq!((ended.reason, ended.turns), (EndReason::Transferred, 2));
    let mut tx = world.db.tenant(&world.scope(AUSTIN)).await.unwrap();
    assert_eq!(stored_usage::of_call(&mut tx, call).await.unwrap().unwrap().usage, usage(1 + 2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_turn_that_is_written_after_recovery_closed_the_call_is_in_the_record_and_in_the_usage() {
    let world = World::new().await;
    let (_dead, call) = replica_with_a_call(&world, AUSTIN).await;
    let line = world.back(AUSTIN, call, None).await;
    world.clock.advance(Duration::from_mins(1));
    assert_eq!(recover_orphans(&world.db, world.replica, world.now()).await.unwrap(), 1);
    // The replica was not dead: its turns had waited for the database, and now they come, and then its own end.
    for number in [2, 3, 3] {
        line.desk.store.commit_turn(&turn(number)).await.unwrap();
    }
    line.desk.store.end(&call_end(EndReason::CallerHungUp, 4)).await.unwrap();
    let ended = record(&world, AUSTIN, call).await.ended.unwrap();
    assert_eq!((ended.reason, ended.turns), (EndReason::ReplicaLost, 4), "ended once, and four turns long");
    let mut tx = world.db.tenant(&world.scope(AUSTIN)).await.unwrap();
    let record = stored_usage::of_call(&mut tx, call).await.unwrap().unwrap();
    assert_eq!((record.usage, record.turns), (usage(1 + 2 + 3 + 4), 4));
    assert_eq!(record.duration, Duration::from_secs(19), "the end of the last turn");
    assert_eq!(record.ended_at, ended.at);
}
