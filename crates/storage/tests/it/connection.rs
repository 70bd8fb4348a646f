use seiketsu_domain::{CallEnd, CallTime, EndReason, Usage};
use seiketsu_storage::{
    Db, DbError, DbOptions, Endpoint, Reason, agents, calls,
    cluster::{Cluster, ClusterOptions},
    platform, setup,
};
use seiketsu_testkit::{VARIABLE, World};
use std::{env, time::Duration};

#[tokio::test]
async fn one_login_that_is_a_member_of_both_roles_serves_both_pools() {
    let world = World::new().await;
    // As with DATABASE_URL: nobody logs in as the roles themselves.
    let admin = Endpoint::parse(&env::var(VARIABLE).unwrap()).unwrap();
    let endpoint = admin.database(world.database.endpoint().database_name());
    let db = Db::connect(&DbOptions::new(endpoint)).await.unwrap();
    let mut tx = db.tenant(&world.anna.scope).await.unwrap();
    assert_eq!(agents::list(&mut tx).await.unwrap(), std::slice::from_ref(&world.anna.agent));
    tx.commit().await.unwrap();
    let mut tx = db.system(Reason::OperatorRead).await.unwrap();
    assert_eq!(platform::tenants(&mut tx).await.unwrap().len(), 2);
    drop(tx);
    db.ping().await.unwrap();
    db.close().await;
}

#[tokio::test]
async fn a_statement_that_waits_too_long_is_a_timeout_and_worth_another_try() {
    let world = World::new().await;
    let call = world.call(&world.anna).await;
    let options = DbOptions {
        statement_timeout: Duration::from_millis(50),
        ..DbOptions::new(world.database.endpoint())
    };
    let impatient = Db::connect(&options).await.unwrap();
    let mut holder = world.tenant(&world.anna).await;
    let end =
        CallEnd { reason: EndReason::Failure, ended_at: CallTime::ZERO, turns: 0, usage: Usage::default() };
    calls::end_call(&mut holder, call, &end).await.unwrap();
    let mut waiter = impatient.tenant(&world.anna.scope).await.unwrap();
    let error = calls::heartbeat(&mut waiter, call, world.now()).await.unwrap_err();
    assert!(matches!(error, DbError::Timeout(_)), "{error:?}");
    assert!(error.is_away());
    drop(waiter);
    impatient.close().await;
}

#[tokio::test]
async fn a_pool_without_a_free_connection_says_so_within_its_timeout() {
    let world = World::new().await;
    let options = DbOptions {
        tenant_connections: 1,
        acquire_timeout: Duration::from_millis(50),
        ..DbOptions::new(world.database.endpoint())
    };
    let narrow = Db::connect(&options).await.unwrap();
    let held = narrow.tenant(&world.anna.scope).await.unwrap();
    let error = narrow.tenant(&world.anna.scope).await.unwrap_err();
    assert!(matches!(error, DbError::Unavailable(_)), "{error:?}");
    drop(held);
    narrow.close().await;
}

#[tokio::test]
async fn an_unmigrated_database_and_a_role_above_the_walls_are_refused() {
    let cluster = Cluster::start(ClusterOptions::disposable()).await.unwrap();
    setup::bootstrap(&cluster.admin(), "fresh").await.unwrap();
    let endpoint = cluster.endpoint("fresh");
    let needed = setup::newest_migration();
    let error = Db::connect(&DbOptions::new(endpoint.clone())).await.unwrap_err();
    assert!(matches!(error, DbError::SchemaBehind { found: 0, needed: n } if n == needed), "{error:?}");

    setup::migrate(&endpoint).await.unwrap();
    // Again, as at every start.
    setup::bootstrap(&cluster.admin(), "fresh").await.unwrap();
    setup::migrate(&endpoint).await.unwrap();
    Db::connect(&DbOptions::new(endpoint.clone())).await.unwrap().close().await;

    let mut connection =
        <sqlx::PgConnection as sqlx::Connection>::connect(&cluster.admin().expose_url()).await.unwrap();
    for (attribute, found) in [("superuser", "a superuser"), ("nosuperuser bypassrls", "allowed to bypass")] {
        let alter = format!("alter role seiketsu_app {attribute}");
        sqlx::Executor::execute(&mut connection, sqlx::AssertSqlSafe(alter)).await.unwrap();
        let error = Db::connect(&DbOptions::new(endpoint.clone())).await.unwrap_err();
        assert!(matches!(error, DbError::UnsafeRole { .. }) && error.to_string().contains(found), "{error}");
    }
    drop(connection);
    cluster.stop().await;
}

#[tokio::test]
async fn bootstrap_refuses_a_name_that_would_need_quoting() {
    let admin = Endpoint::parse("postgres://nobody@localhost/postgres").unwrap();
    let long = "x".repeat(64);
    for name in ["", "drop table", "x;y", "Seiketsu", "1st", long.as_str()] {
        let error = setup::bootstrap(&admin, name).await.unwrap_err();
        assert!(matches!(error, setup::SetupError::BadName(_)), "{name}: {error:?}");
    }
}
