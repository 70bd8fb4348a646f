//! A database per test.

use seiketsu_storage::{Db, DbOptions, Endpoint, setup};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use std::{
    env, process,
    sync::atomic::{AtomicU32, Ordering},
    thread,
};

/// The environment variable with the URL of the run's cluster: its superuser, database `postgres`.
pub const VARIABLE: &str = "SEIKETSU_TEST_DATABASE";

/// A migrated, empty database of its own.
#[derive(Debug)]
pub struct TestDb {
    db: Db,
    admin: Endpoint,
    name: String,
}

impl TestDb {
    /// Copies the template and connects to the copy.
    pub async fn new() -> Self {
        let admin = admin();
        let template = prepare_template(&admin).await;
        let name = unique_name();
        let copy = format!("create database {name} owner {} template {template}", setup::OWNER_ROLE);
        execute(&admin, &copy).await.unwrap_or_else(|error| panic!("copying the template database: {error}"));
        let options =
            DbOptions { tenant_connections: 24, ..DbOptions::new(admin.database(&name).roles_log_in()) };
        let db = Db::connect(&options).await.expect("connecting to the test's database");
        Self { db, admin, name }
    }

    /// The database as the platform sees it.
    pub fn db(&self) -> &Db {
        &self.db
    }

    /// The database as an administrator sees it.
    pub fn endpoint(&self) -> Endpoint {
        self.admin.database(&self.name).roles_log_in()
    }

    /// Runs statements as the superuser: to break on purpose what the platform keeps whole.
    pub async fn execute(&self, statements: &str) {
        execute(&self.endpoint(), statements).await.unwrap_or_else(|error| panic!("{statements}: {error}"));
    }

    /// One number that a query of the superuser yields.
    pub async fn count(&self, query: &str) -> i64 {
        let mut connection = connect(&self.endpoint()).await;
        sqlx::query_scalar(AssertSqlSafe(query))
            .fetch_one(&mut connection)
            .await
            .unwrap_or_else(|error| panic!("{query}: {error}"))
    }
}

impl Drop for TestDb {
    /// On a thread of its own, because a test's executor cannot be waited on here.
    fn drop(&mut self) {
        let admin = self.admin.clone();
        let drop = format!("drop database if exists {} with (force)", self.name);
        let deletion = thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(execute(&admin, &drop))
        });
        if let Ok(Err(error)) = deletion.join()
            && !thread::panicking()
        {
            panic!("deleting the test's database: {error}");
        }
    }
}

/// Makes the template database of these migrations, unless it is there, and returns its name.
pub async fn prepare_template(admin: &Endpoint) -> String {
    let template = format!("seiketsu_template_{}", setup::fingerprint());
    let mut connection = connect(admin).await;
    // Tests are processes of their own: the first makes it, the others wait.
    let exists = "select exists (select from pg_database where datname = $1 and datistemplate)";
    connection.execute("select pg_advisory_lock(7356431)").await.expect("locking the template");
    let ready: bool = sqlx::query_scalar(exists)
        .bind(&template)
        .fetch_one(&mut connection)
        .await
        .expect("looking for the template");
    if !ready {
        setup::bootstrap(admin, &template).await.expect("making the template database");
        setup::migrate(&admin.database(&template)).await.expect("migrating the template database");
        let mark = format!("alter database {template} with is_template true allow_connections false");
        connection.execute(AssertSqlSafe(mark)).await.expect("marking the template database");
    }
    connection.close().await.expect("unlocking the template");
    template
}

fn admin() -> Endpoint {
    let url = env::var(VARIABLE).unwrap_or_else(|_| {
        panic!(
            "{VARIABLE} is not set: this test needs PostgreSQL. Run it as `make test` does: \
             cargo run -p seiketsu-testkit --bin with-test-cluster -- cargo nextest run"
        )
    });
    Endpoint::parse(&url).expect("the URL of the test cluster")
}

fn unique_name() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("test_{}_{}", process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

async fn connect(endpoint: &Endpoint) -> PgConnection {
    PgConnection::connect(&endpoint.expose_url())
        .await
        .unwrap_or_else(|error| panic!("connecting to {endpoint}: {error}"))
}

async fn execute(endpoint: &Endpoint, statements: &str) -> Result<(), sqlx::Error> {
    let mut connection = PgConnection::connect(&endpoint.expose_url()).await?;
    connection.execute(sqlx::raw_sql(AssertSqlSafe(statements))).await?;
    connection.close().await
}
