//! The platform's login, made by an administrator who is no superuser, as on RDS, on a server that asks for passwords.

use crate::at_once;
use seiketsu_storage::{
    Db, DbOptions, Endpoint, Reason,
    cluster::{Cluster, ClusterOptions},
    platform, setup,
};
use sqlx::{Connection, Executor, PgConnection};
use std::fs;

/// A URL of a role with a password, at a cluster's socket.
fn url(cluster: &Cluster, role: &str, password: &str) -> String {
    let base = cluster.endpoint(setup::DATABASE).expose_url();
    let (_, place) = base.split_once('@').unwrap();
    format!("postgres://{role}:{password}@{place}")
}

async fn login(cluster: &Cluster, password: &str) -> Result<PgConnection, sqlx::Error> {
    PgConnection::connect(&url(cluster, setup::SERVICE_LOGIN, password)).await
}

/// A cluster that believes nobody but its superuser without a password, set up by an administrator like RDS's.
async fn strict() -> (Cluster, Endpoint) {
    let cluster = Cluster::start(ClusterOptions::disposable()).await.unwrap();
    let mut superuser = PgConnection::connect(&cluster.admin().expose_url()).await.unwrap();
    superuser.execute("create role master login createrole createdb password 'mistress'").await.unwrap();
    let access = cluster.home().join("data/pg_hba.conf");
    let trusting = fs::read_to_string(&access).unwrap();
    let asked = format!("local all master,{} scram-sha-256\n{trusting}", setup::SERVICE_LOGIN);
    fs::write(&access, asked).unwrap();
    superuser.execute("select pg_reload_conf()").await.unwrap();
    superuser.close().await.unwrap();
    let master = Endpoint::parse(&url(&cluster, "master", "mistress")).unwrap();
    setup::bootstrap(&master.database("postgres"), setup::DATABASE).await.unwrap();
    setup::migrate(&master).await.unwrap();
    (cluster, master)
}

#[tokio::test]
async fn the_platform_logs_in_with_its_password_and_is_nobody_but_its_two_roles() {
    let (cluster, master) = strict().await;
    assert!(login(&cluster, "first").await.is_err(), "there is no such login yet");
    let made = at_once(8, |_| {
        let master = master.clone();
        async move { setup::service_login(&master, &"first".into()).await }
    });
    assert!(made.await.iter().all(Result::is_ok), "many migrations at once are one");
    let endpoint = Endpoint::parse(&url(&cluster, setup::SERVICE_LOGIN, "first")).unwrap();
    let db = Db::connect(&DbOptions::new(endpoint)).await.unwrap();
    let mut tx = db.system(Reason::OperatorRead).await.unwrap();
    assert!(platform::tenants(&mut tx).await.unwrap().is_empty());
    drop(tx);
    db.close().await;

    let mut service = login(&cluster, "first").await.unwrap();
    service.execute("set role seiketsu_app; reset role; set role seiketsu_system; reset role").await.unwrap();
    for refused in
        ["set role seiketsu_owner", "create role other", "create database other", "set role master"]
    {
        assert!(service.execute(refused).await.is_err(), "{refused}");
    }
    service.close().await.unwrap();
    cluster.stop().await;
}

#[tokio::test]
async fn another_password_takes_the_place_of_the_first_and_neither_is_stored() {
    let (cluster, master) = strict().await;
    setup::service_login(&master, &"first".into()).await.unwrap();
    // What an injection, a space or another script would break.
    let second = "it's; drop role – ü";
    setup::service_login(&master, &second.into()).await.unwrap();
    assert!(login(&cluster, "first").await.is_err(), "the first password has to be refused");
    login(&cluster, "it%27s%3B%20drop%20role%20%E2%80%93%20%C3%BC").await.unwrap().close().await.unwrap();
    let mut superuser = PgConnection::connect(&cluster.admin().expose_url()).await.unwrap();
    let stored: String = sqlx::query_scalar("select rolpassword from pg_authid where rolname = $1")
        .bind(setup::SERVICE_LOGIN)
        .fetch_one(&mut superuser)
        .await
        .unwrap();
    assert!(stored.starts_with("SCRAM-SHA-256$4096:"), "{stored}");
    superuser.close().await.unwrap();
    cluster.stop().await;
}
