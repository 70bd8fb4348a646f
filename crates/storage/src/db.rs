//! The two ways to a transaction.

use crate::{
    DbError, Endpoint, Reason,
    bounded::{Bounded, within},
    setup,
};
use seiketsu_domain::TenantScope;
use sqlx::{
    AssertSqlSafe, Connection, PgConnection, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use std::{io::ErrorKind, time::Duration};
use uuid::Uuid;

/// How long a pooled connection may have been idle before it is asked whether it is still alive.
const PROBE_AFTER_IDLE: Duration = Duration::from_secs(1);
/// A connection that does not answer such a question in time is given up, and another one is taken.
const PROBE_PATIENCE: Duration = Duration::from_millis(500);
/// A connection that comes back with something unfinished has this long to be done with it, or is closed.
const RELEASE_PATIENCE: Duration = Duration::from_secs(1);
/// How much longer than PostgreSQL itself we wait for the end of a statement.
const ANSWER_PATIENCE: Duration = Duration::from_millis(500);

/// How to connect.
#[derive(Debug, Clone)]
pub struct DbOptions {
    /// Where.
    pub endpoint: Endpoint,
    /// Most connections of the tenants' pool.
    pub tenant_connections: u32,
    /// Most connections of the platform's pool.
    pub system_connections: u32,
    /// The longest wait for a connection.
    pub acquire_timeout: Duration,
    /// The longest statement. An answer that has not come shortly after is not waited for any longer.
    pub statement_timeout: Duration,
}

impl DbOptions {
    /// Limits that suit one replica.
    pub fn new(endpoint: Endpoint) -> Self {
        Self {
            endpoint,
            tenant_connections: 16,
            system_connections: 4,
            acquire_timeout: Duration::from_secs(2),
            statement_timeout: Duration::from_secs(4),
        }
    }
}

/// The database. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Db {
    tenants: PgPool,
    system: PgPool,
    /// The longest wait for a statement.
    limit: Duration,
}

impl Db {
    /// Connects both pools, and refuses a role that row-level security would not bind and a schema that is too old.
    pub async fn connect(options: &DbOptions) -> Result<Self, DbError> {
        let db = Self {
            tenants: pool(options, setup::APP_ROLE, options.tenant_connections),
            system: pool(options, setup::SYSTEM_ROLE, options.system_connections),
            limit: options.statement_timeout + ANSWER_PATIENCE,
        };
        for pool in [&db.tenants, &db.system] {
            let mut connection = pool.acquire().await?;
            refuse_unsafe_role(&mut connection).await?;
        }
        let found =
            sqlx::query_scalar!("select coalesce(max(version), 0) from platform.migrations where success")
                .fetch_one(&db.system)
                .await
                .map_err(DbError::from);
        let found = match found {
            Ok(version) => version.unwrap_or(0),
            // There is no such table, or nothing has been granted yet: no migration ever ran.
            Err(DbError::Statement(_) | DbError::Forbidden(_)) => 0,
            Err(other) => return Err(other),
        };
        let needed = setup::newest_migration();
        if found < needed {
            return Err(DbError::SchemaBehind { found, needed });
        }
        Ok(db)
    }

    /// A transaction that sees one tenant's rows and no others.
    pub async fn tenant(&self, scope: &TenantScope) -> Result<TenantTx, DbError> {
        let tenant = scope.tenant_id().uuid();
        // One round trip. The text is safe: a UUID prints as hexadecimal digits and hyphens.
        let statement = format!("BEGIN; SELECT set_config('app.tenant_id', '{tenant}', true)");
        let tx = begin(&self.tenants, &statement, self.limit).await?;
        Ok(TenantTx { tx, scope: *scope })
    }

    /// A transaction on the platform's own tables, and the reason for it.
    pub async fn system(&self, reason: Reason) -> Result<SystemTx, DbError> {
        let tx = begin(&self.system, "BEGIN", self.limit).await?;
        Ok(SystemTx { tx, reason })
    }

    /// Whether the database answers, for health checks.
    pub async fn ping(&self) -> Result<(), DbError> {
        Ok(self.tenants.acquire().await?.ping().await?)
    }

    /// Closes all connections, waiting for those in use.
    pub async fn close(&self) {
        self.tenants.close().await;
        self.system.close().await;
    }
}

/// A transaction of one tenant. Dropped without [`TenantTx::commit`], it never happened.
#[derive(Debug)]
pub struct TenantTx {
    tx: Bounded,
    scope: TenantScope,
}

impl TenantTx {
    /// Whose it is.
    pub const fn scope(&self) -> TenantScope {
        self.scope
    }

    /// Makes everything in it durable. After [`DbError::Unavailable`] it is unknown whether it happened.
    pub async fn commit(self) -> Result<(), DbError> {
        Ok(self.tx.commit().await?)
    }

    pub(crate) fn parts(&mut self) -> (&mut Bounded, Uuid) {
        (&mut self.tx, self.scope.tenant_id().uuid())
    }
}

/// A transaction of the platform. Dropped without [`SystemTx::commit`], it never happened.
#[derive(Debug)]
pub struct SystemTx {
    tx: Bounded,
    reason: Reason,
}

impl SystemTx {
    /// Why it was opened.
    pub const fn reason(&self) -> Reason {
        self.reason
    }

    /// Makes everything in it durable. After [`DbError::Unavailable`] it is unknown whether it happened.
    pub async fn commit(self) -> Result<(), DbError> {
        Ok(self.tx.commit().await?)
    }

    pub(crate) fn connection(&mut self) -> &mut Bounded {
        &mut self.tx
    }

    /// Writes an audit row into this transaction. `detail` holds ids, never personal data.
    pub(crate) async fn audit(&mut self, detail: serde_json::Value) -> Result<(), DbError> {
        sqlx::query!(
            "insert into platform.system_access_audit (reason, detail) values ($1, $2)",
            self.reason.name(),
            detail
        )
        .execute(&mut self.tx)
        .await?;
        Ok(())
    }
}

fn pool(options: &DbOptions, role: &'static str, connections: u32) -> PgPool {
    let statement_timeout_ms = options.statement_timeout.as_millis().to_string();
    let connect: PgConnectOptions = options.endpoint.options_as(role).application_name(role).options([
        ("statement_timeout", statement_timeout_ms.as_str()),
        ("idle_in_transaction_session_timeout", "10000"),
    ]);
    PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(options.acquire_timeout)
        // A probe on every acquisition would double the round trips of a short transaction.
        .test_before_acquire(false)
        .before_acquire(|connection, pooled| {
            Box::pin(async move {
                if pooled.idle_for >= PROBE_AFTER_IDLE {
                    within(PROBE_PATIENCE, connection.ping()).await?;
                }
                Ok(true)
            })
        })
        // The pool itself would wait for ever, with the connection's place taken.
        .after_release(|connection, _| {
            Box::pin(async move { within(RELEASE_PATIENCE, connection.ping()).await.map(|()| true) })
        })
        .connect_lazy_with(connect)
}

/// Begins, once more if the connection turned out to be dead: nothing has been done on it yet.
async fn begin(pool: &PgPool, statement: &str, limit: Duration) -> Result<Bounded, DbError> {
    let begun = match within(limit, pool.begin_with(AssertSqlSafe(statement))).await.map_err(DbError::from) {
        Err(DbError::Unavailable(error)) if is_dead_connection(&error) => {
            within(limit, pool.begin_with(AssertSqlSafe(statement))).await?
        }
        outcome => outcome?,
    };
    Ok(Bounded::new(begun, limit))
}

/// The connection at hand said so itself; a new one may work. One that says nothing has cost enough time.
fn is_dead_connection(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Io(io) if io.kind() != ErrorKind::TimedOut)
        || matches!(error, sqlx::Error::Database(_))
}

async fn refuse_unsafe_role(connection: &mut PgConnection) -> Result<(), DbError> {
    let role = sqlx::query!(
        r#"select rolname::text as "name!", rolsuper as "superuser!", rolbypassrls as "bypasses!",
                  pg_has_role(oid, 'seiketsu_owner', 'member') as "owner!"
           from pg_roles where rolname = current_user"#
    )
    .fetch_one(connection)
    .await?;
    let found = match (role.superuser, role.bypasses, role.owner) {
        (true, _, _) => "a superuser",
        (false, true, _) => "allowed to bypass row-level security",
        (false, false, true) => "a member of the role that owns the tables",
        (false, false, false) => return Ok(()),
    };
    Err(DbError::UnsafeRole { role: role.name, found })
}
