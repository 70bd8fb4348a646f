//! What tests rely on.

use seiketsu_domain::{CallId, Clock};
use seiketsu_storage::{Reason, platform};
use seiketsu_testkit::{FakeClock, TestDb, World, ids};
use std::time::Duration;

#[tokio::test]
async fn two_worlds_share_nothing_but_their_shape() {
    let first = World::new().await;
    let second = World::new().await;
    assert_ne!(first.database.endpoint().database_name(), second.database.endpoint().database_name());
    assert_eq!(first.anna.scope, second.anna.scope);
    first.call(&first.anna).await;
    assert_eq!(first.database.count("select count(*) from public.calls").await, 1);
    assert_eq!(second.database.count("select count(*) from public.calls").await, 0);
    let mut tx = second.db().system(Reason::RouteCall).await.unwrap();
    let route = platform::number_route(&mut tx, &second.boris.number).await.unwrap().unwrap();
    assert_eq!(route.agent_id, second.boris.agent.id);
}

#[tokio::test]
async fn a_database_is_gone_when_its_test_is_over() {
    let over = TestDb::new().await;
    let name = over.endpoint().database_name().to_owned();
    let observer = TestDb::new().await;
    let count = format!("select count(*) from pg_database where datname = '{name}'");
    assert_eq!(observer.count(&count).await, 1);
    drop(over);
    assert_eq!(observer.count(&count).await, 0);
}

#[test]
fn time_stands_still_and_ids_repeat() {
    let clock = FakeClock::new();
    let before = clock.now();
    assert_eq!(clock.now(), before);
    clock.advance(Duration::from_secs(90));
    assert_eq!((clock.now() - before).as_secs(), 90);
    assert_eq!(clock.monotonic(), Duration::from_secs(90));
    let first: CallId = ids(FakeClock::new(), 1).next();
    let again: CallId = ids(FakeClock::new(), 1).next();
    let other: CallId = ids(FakeClock::new(), 2).next();
    assert_eq!(first, again);
    assert_ne!(first, other);
}
