//! The demo is put in place once, however often it is asked for.

use crate::world::{AUSTIN, World};
use seiketsu_brokerage::demo;
use seiketsu_storage::{
    Reason,
    listings::{self, ListingFilter, ListingStatus},
    members, platform,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn installing_again_changes_nothing_that_people_changed_and_adds_nothing_twice() {
    let world = World::new().await;
    let scope = world.scope(AUSTIN);
    let mut tx = world.db.tenant(&scope).await.unwrap();
    let sold = listings::by_reference(&mut tx, "LSH-1001").await.unwrap().unwrap();
    listings::set_status(&mut tx, sold.id, ListingStatus::Closed).await.unwrap();
    tx.commit().await.unwrap();
    let again = demo::install(&world.db, &world.ids).await.unwrap();
    for (before, after) in world.brokerages.iter().zip(&again) {
        assert_eq!(before.tenant.scope, after.tenant.scope);
        let ids =
            |installed: &demo::Installed| installed.agents.iter().map(|agent| agent.id).collect::<Vec<_>>();
        assert_eq!(ids(before), ids(after));
    }
    let mut tx = world.db.tenant(&scope).await.unwrap();
    let found = listings::search(&mut tx, &ListingFilter::default(), 1).await.unwrap();
    assert_eq!(found.total, 39, "forty, of which one was sold");
    assert_eq!(members::list(&mut tx).await.unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_demo_number_reaches_its_agent() {
    let world = World::new().await;
    let mut tx = world.db.system(Reason::RouteCall).await.unwrap();
    for brokerage in &world.brokerages {
        for agent in &brokerage.agents {
            let route = platform::number_route(&mut tx, &agent.number).await.unwrap().unwrap();
            assert_eq!(
                (route.tenant.slug.as_str(), route.agent_id),
                (brokerage.tenant.slug.as_str(), agent.id)
            );
        }
    }
}
