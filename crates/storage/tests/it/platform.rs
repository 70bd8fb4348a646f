use crate::at_once;
use jiff::SignedDuration;
use seiketsu_domain::{CallId, PhoneNumber};
use seiketsu_storage::{
    DbError, Reason, agents,
    members::{self, Member, Role},
    platform::{self, NewTenant, OperatorKey},
};
use seiketsu_testkit::World;
use std::sync::Arc;

#[tokio::test]
async fn a_number_leads_to_its_agent_and_an_unknown_one_nowhere() {
    let world = World::new().await;
    let mut tx = world.db().system(Reason::RouteCall).await.unwrap();
    let route = platform::number_route(&mut tx, &world.anna.number).await.unwrap().unwrap();
    assert_eq!(
        (route.scope, &route.tenant, route.agent_id),
        (world.anna.scope, &world.anna.tenant, world.anna.agent.id)
    );
    let unknown: PhoneNumber = "+15125550199".parse().unwrap();
    assert_eq!(platform::number_route(&mut tx, &unknown).await.unwrap(), None);
    let numbers = platform::numbers_of_agent(&mut tx, &world.anna.scope, world.anna.agent.id).await.unwrap();
    assert_eq!(numbers, std::slice::from_ref(&world.anna.number));
    drop(tx);
    world
        .database
        .execute("update platform.tenants set status = 'suspended' where slug = 'anna-homes'")
        .await;
    let mut tx = world.db().system(Reason::RouteCall).await.unwrap();
    assert_eq!(platform::number_route(&mut tx, &world.anna.number).await.unwrap(), None);
}

#[tokio::test]
async fn a_number_cannot_be_taken_from_a_tenant_nor_lead_to_a_foreign_agent() {
    let world = World::new().await;
    let mut tx = world.db().system(Reason::ManageTenants).await.unwrap();
    let (anna, boris) = (&world.anna, &world.boris);
    let stolen = platform::route_number(
        &mut tx,
        world.ids.next(),
        &anna.number,
        &boris.scope,
        boris.agent.id,
        world.now(),
    );
    assert!(matches!(stolen.await, Err(DbError::Conflict { .. })));
    let fresh: PhoneNumber = "+15125550177".parse().unwrap();
    let foreign =
        platform::route_number(&mut tx, world.ids.next(), &fresh, &boris.scope, anna.agent.id, world.now())
            .await;
    assert!(matches!(foreign, Err(DbError::BrokenReference { .. })), "{foreign:?}");
}

#[tokio::test]
async fn tenants_are_found_by_slug_and_id_and_a_slug_is_taken_once() {
    let world = World::new().await;
    let mut tx = world.db().system(Reason::OperatorRead).await.unwrap();
    let slugs: Vec<String> =
        platform::tenants(&mut tx).await.unwrap().into_iter().map(|row| row.slug).collect();
    assert_eq!(slugs, ["anna-homes", "boris-realty"]);
    let found = platform::tenant_by_slug(&mut tx, "anna-homes").await.unwrap();
    assert_eq!(found.as_ref(), Some(&world.anna.tenant));
    assert_eq!(platform::tenant_by_id(&mut tx, world.anna.tenant.id()).await.unwrap(), found);
    assert_eq!(platform::tenant_by_slug(&mut tx, "nobody").await.unwrap(), None);
    let again = NewTenant {
        id: world.ids.next(),
        slug: "anna-homes".to_owned(),
        name: "Another".to_owned(),
        time_zone: "America/Chicago".to_owned(),
        created_at: world.now(),
    };
    assert!(matches!(platform::create_tenant(&mut tx, &again).await, Err(DbError::Conflict { .. })));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_webhook_delivered_ten_times_at_once_is_one_call() {
    let world = Arc::new(World::new().await);
    let bindings = at_once(10, |_| {
        let world = world.clone();
        async move {
            let call_id: CallId = world.ids.next();
            let mut tx = world.db().system(Reason::RouteCall).await.unwrap();
            let scope = &world.anna.scope;
            let binding =
                platform::bind_vendor_call(&mut tx, "CA1", scope, call_id, world.now()).await.unwrap();
            tx.commit().await.unwrap();
            binding
        }
    })
    .await;
    assert_eq!(bindings.iter().filter(|binding| binding.new).count(), 1);
    assert!(bindings.iter().all(|binding| binding.call_id == bindings[0].call_id));
    let mut tx = world.db().system(Reason::RouteCall).await.unwrap();
    let found = platform::vendor_call(&mut tx, "CA1").await.unwrap();
    assert_eq!(found, Some((world.anna.scope, bindings[0].call_id)));
    assert_eq!(platform::vendor_call(&mut tx, "CA2").await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_media_token_opens_one_socket_however_many_try_at_once() {
    let world = Arc::new(World::new().await);
    let token = world.ids.next_uuid();
    let expires_at = world.now() + SignedDuration::from_secs(60);
    let outcomes = at_once(20, |_| {
        let world = world.clone();
        async move {
            let mut tx = world.db().system(Reason::AdmitMedia).await.unwrap();
            let admitted = platform::use_media_token(&mut tx, token, expires_at).await.unwrap();
            tx.commit().await.unwrap();
            admitted
        }
    })
    .await;
    assert_eq!(outcomes.iter().filter(|admitted| **admitted).count(), 1);
    let mut tx = world.db().system(Reason::AdmitMedia).await.unwrap();
    assert_eq!(platform::purge_media_tokens(&mut tx, expires_at).await.unwrap(), 0);
    let later = expires_at + SignedDuration::from_secs(1);
    assert_eq!(platform::purge_media_tokens(&mut tx, later).await.unwrap(), 1);
}

#[tokio::test]
async fn an_operator_key_works_until_it_is_revoked_and_not_again() {
    let world = World::new().await;
    let key =
        OperatorKey { prefix: "skt_live_ab".to_owned(), name: "laptop".to_owned(), created_at: world.now() };
    let mut tx = world.db().system(Reason::ManageOperatorKeys).await.unwrap();
    platform::put_operator_key(&mut tx, &[1; 32], &key).await.unwrap();
    platform::put_operator_key(&mut tx, &[1; 32], &key).await.unwrap();
    assert_eq!(platform::operator_key(&mut tx, &[1; 32]).await.unwrap(), Some(key.clone()));
    assert_eq!(platform::operator_key(&mut tx, &[2; 32]).await.unwrap(), None);
    assert!(platform::revoke_operator_key(&mut tx, &[1; 32], world.now()).await.unwrap());
    assert!(!platform::revoke_operator_key(&mut tx, &[1; 32], world.now()).await.unwrap());
    platform::put_operator_key(&mut tx, &[1; 32], &key).await.unwrap();
    assert_eq!(platform::operator_key(&mut tx, &[1; 32]).await.unwrap(), None);
}

#[tokio::test]
async fn what_the_platform_does_across_tenants_is_written_down_in_the_same_transaction() {
    let world = World::new().await;
    let made = "select count(*) from platform.system_access_audit where reason = 'manage_tenants'";
    // Two tenants and two numbers.
    assert_eq!(world.database.count(made).await, 4);
    let looked = "select count(*) from platform.system_access_audit where reason = 'operator_read'";
    let mut tx = world.db().system(Reason::OperatorRead).await.unwrap();
    platform::tenants(&mut tx).await.unwrap();
    let call = world.call(&world.anna).await;
    assert_eq!(platform::call_owner(&mut tx, call).await.unwrap(), Some(world.anna.scope));
    assert_eq!(platform::call_owner(&mut tx, world.ids.next()).await.unwrap(), None);
    assert_eq!(world.database.count(looked).await, 0);
    tx.commit().await.unwrap();
    assert_eq!(world.database.count(looked).await, 2);
}

#[tokio::test]
async fn replicas_that_fell_silent_are_forgotten() {
    let world = World::new().await;
    let mut tx = world.db().system(Reason::Heartbeat).await.unwrap();
    let silent_since = world.now() + SignedDuration::from_secs(1);
    assert_eq!(platform::forget_replicas(&mut tx, world.now()).await.unwrap(), 0);
    assert_eq!(platform::forget_replicas(&mut tx, silent_since).await.unwrap(), 1);
}

#[tokio::test]
async fn agents_and_members_are_kept_by_name_and_address() {
    let world = World::new().await;
    let mut tx = world.tenant(&world.anna).await;
    let agent = &world.anna.agent;
    assert_eq!(agents::get(&mut tx, agent.id).await.unwrap().as_ref(), Some(agent));
    assert_eq!(agents::by_name(&mut tx, "Ava").await.unwrap().as_ref(), Some(agent));
    assert_eq!(agents::list(&mut tx).await.unwrap(), std::slice::from_ref(agent));
    let mut renamed = agent.clone();
    renamed.name = "Eva".to_owned();
    agents::update(&mut tx, &renamed, world.now()).await.unwrap();
    assert_eq!(agents::by_name(&mut tx, "Ava").await.unwrap(), None);
    let member = Member {
        id: world.ids.next(),
        email: "anna@example.com".to_owned().into(),
        name: "Anna".to_owned().into(),
        role: Role::Admin,
        created_at: world.now(),
    };
    members::insert(&mut tx, &member).await.unwrap();
    assert_eq!(members::list(&mut tx).await.unwrap(), std::slice::from_ref(&member));
    let shouted = Member { id: world.ids.next(), email: "ANNA@example.com".to_owned().into(), ..member };
    assert!(matches!(members::insert(&mut tx, &shouted).await, Err(DbError::Conflict { .. })));
}
