//! Turns and ends: durable when said to be, in order when the database was away.

use crate::{
    test_support::{call_end, turn, usage},
    world::{AUSTIN, World},
};
use seiketsu_domain::{CallEnd, EndReason, ToolOutcome, TurnRecord};
use seiketsu_session::Arrival;
use seiketsu_storage::{calls, turns, usage as stored_usage};
use serde_json::json;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_turn_is_there_when_the_store_returns_and_an_end_is_recorded_once() {
    let world = World::new().await;
    let line = world.line(AUSTIN, None).await;
    for number in [0, 1, 1] {
        line.desk.store.commit_turn(&turn(number)).await.unwrap();
    }
    let mut tx = world.db.tenant(&world.scope(AUSTIN)).await.unwrap();
    assert_eq!(turns::turns(&mut tx, line.call_id).await.unwrap(), [turn(0), turn(1)]);
    line.desk.store.end(&call_end(EndReason::CallerHungUp, 2)).await.unwrap();
    line.desk.store.end(&CallEnd { usage: usage(99), ..call_end(EndReason::CallerHungUp, 2) }).await.unwrap();
    let record = stored_usage::of_call(&mut tx, line.call_id).await.unwrap().unwrap();
    assert_eq!((record.usage, record.turns), (usage(2), 2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_comes_back_finds_its_history_and_goes_on_counting() {
    let world = World::new().await;
    let line = world.line(AUSTIN, None).await;
    assert_eq!((line.desk.history.len(), line.desk.first_turn), (0, 0));
    for number in 0..3 {
        line.desk.store.commit_turn(&turn(number)).await.unwrap();
    }
    let agent = world.agent(AUSTIN).await;
    let back = world.open(AUSTIN, line.call_id, None, agent, Arrival::Cut).await;
    let expected: Vec<_> = (0..3).flat_map(|number| turn(number).messages).collect();
    assert_eq!((back.desk.history, back.desk.first_turn), (expected, 3));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_end_of_a_call_that_came_back_counts_what_it_was_before_too() {
    for arrival in [Arrival::Cut, Arrival::NotPutThrough] {
        let world = World::new().await;
        let line = world.line(AUSTIN, None).await;
        for number in 0..3 {
            line.desk.store.commit_turn(&turn(number)).await.unwrap();
        }
        world.clock.advance(Duration::from_mins(4));
        let agent = world.agent(AUSTIN).await;
        let back = world.open(AUSTIN, line.call_id, None, agent, arrival).await;
        back.desk.store.commit_turn(&turn(3)).await.unwrap();
        // A session knows only what it held itself: one turn, five seconds.
        back.desk
            .store
            .end(&CallEnd { usage: usage(4), ..call_end(EndReason::CallerHungUp, 1) })
            .await
            .unwrap();
        let mut tx = world.db.tenant(&world.scope(AUSTIN)).await.unwrap();
        let record = stored_usage::of_call(&mut tx, line.call_id).await.unwrap().unwrap();
        assert_eq!((record.usage, record.turns), (usage(1 + 2 + 3 + 4), 4), "{arrival:?}");
        assert_eq!(record.duration, Duration::from_secs(245), "{arrival:?}");
        let call = calls::get(&mut tx, line.call_id).await.unwrap().unwrap();
        assert_eq!(call.ended.unwrap().turns, 4, "{arrival:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_turn_whose_number_another_session_of_the_call_has_taken_is_kept_behind_the_others_once() {
    let world = World::new().await;
    let line = world.line(AUSTIN, None).await;
    line.desk.store.commit_turn(&turn(0)).await.unwrap();
    let agent = world.agent(AUSTIN).await;
    let back = world.open(AUSTIN, line.call_id, None, agent, Arrival::Cut).await;
    // It comes from another replica, where it has waited for the database.
    let late = TurnRecord { number: 1, ..turn(5) };
    back.desk.store.commit_turn(&turn(1)).await.unwrap();
    for _ in 0..2 {
        line.desk.store.commit_turn(&late).await.unwrap();
    }
    back.desk.store.commit_turn(&turn(2)).await.unwrap();
    let mut tx = world.db.tenant(&world.scope(AUSTIN)).await.unwrap();
    let expected = [turn(0), turn(1), TurnRecord { number: 2, ..late }, TurnRecord { number: 3, ..turn(2) }];
    assert_eq!(turns::turns(&mut tx, line.call_id).await.unwrap(), expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_heartbeat_says_when_the_call_was_last_held() {
    let world = World::new().await;
    let line = world.line(AUSTIN, None).await;
    world.clock.advance(Duration::from_mins(5));
    line.desk.store.heartbeat().await;
    world.drained().await;
    let mut tx = world.db.tenant(&world.scope(AUSTIN)).await.unwrap();
    let call = calls::get(&mut tx, line.call_id).await.unwrap().unwrap();
    assert_eq!(call.heartbeat_at, world.now());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_the_server_goes_away_and_comes_back_nothing_is_lost_and_the_order_is_kept() {
    let (world, cluster) = World::on_a_cluster_of_its_own().await;
    let line = world.line(AUSTIN, None).await;
    line.desk.store.commit_turn(&turn(0)).await.unwrap();
    // SIGINT is PostgreSQL's fast shutdown: sessions are ended at once, as in a failover.
    let pid = cluster.pid().to_string();
    let told = tokio::process::Command::new("kill").args(["-INT", &pid]).status().await.unwrap();
    assert!(told.success());
    cluster.wait_for_exit().await;
    for number in 1..=3 {
        line.desk.store.commit_turn(&turn(number)).await.unwrap();
    }
    line.desk.store.end(&call_end(EndReason::CallerHungUp, 4)).await.unwrap();
    let declined = line.run("search_listings", &json!({})).await;
    assert!(matches!(declined, ToolOutcome::Failed(_)), "{declined:?}");
    assert!(declined.to_model().contains("not possible right now"));
    cluster.restart().await.unwrap();
    world.drained().await;
    let mut tx = world.db.tenant(&world.scope(AUSTIN)).await.unwrap();
    assert_eq!(turns::turns(&mut tx, line.call_id).await.unwrap(), [turn(0), turn(1), turn(2), turn(3)]);
    let call = calls::get(&mut tx, line.call_id).await.unwrap().unwrap();
    assert_eq!(call.ended.unwrap().turns, 4);
    drop(tx);
    let found = line.done("search_listings", &json!({})).await;
    assert_eq!(found["more"], 35, "tools work again");
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_comes_back_knows_what_was_said_while_the_database_was_away() {
    let (world, cluster) = World::on_a_cluster_of_its_own().await;
    let line = world.line(AUSTIN, None).await;
    line.desk.store.commit_turn(&turn(0)).await.unwrap();
    let agent = world.agent(AUSTIN).await;
    let pid = cluster.pid().to_string();
    let told = tokio::process::Command::new("kill").args(["-INT", &pid]).status().await.unwrap();
    assert!(told.success());
    cluster.wait_for_exit().await;
    line.desk.store.commit_turn(&turn(1)).await.unwrap();
    line.desk.store.commit_turn(&turn(2)).await.unwrap();
    cluster.restart().await.unwrap();
    let back = world.open(AUSTIN, line.call_id, None, agent, Arrival::Cut).await;
    let expected: Vec<_> = (0..3).flat_map(|number| turn(number).messages).collect();
    assert_eq!((back.desk.history, back.desk.first_turn), (expected, 3));
    world.drained().await;
    cluster.stop().await;
}
