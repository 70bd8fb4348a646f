//! The two ways to a transaction.

use crate::{DbError, Endpoint, Reason, setup};
use seiketsu_domain::TenantScope;
use sqlx::{
    AssertSqlSafe, Connection, PgConnection, PgPool, Postgres, Transaction,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use std::time::Duration;
use uuid::Uuid;

/// How long a pooled connection may have been idle before it is asked whether it is still alive.
const PROBE_AFTER_IDLE: Duration = Duration::from_secs(1);

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
    /// The longest statement.
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
            statement_timeout: Duration::from_secs(5),
        }
    }
}

/// The database. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Db {
    tenants: PgPool,
    system: PgPool,
}

impl Db {
    /// Connects both pools, and refuses a role that row-level security would not bind and a schema that is too old.
    pub async fn connect(options: &DbOptions) -> Result<Self, DbError> {
        let db = Self {
            tenants: pool(options, setup::APP_ROLE, options.tenant_connections),
            system: pool(options, setup::SYSTEM_ROLE, options.system_connections),
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
        let begin = format!("BEGIN; SELECT set_config('app.tenant_id', '{tenant}', true)");
        let tx = begin_with(&self.tenants, &begin).await?;
        Ok(TenantTx { tx, scope: *scope })
    }

    /// A transaction on the platform's own tables, and the reason for it.
    pub async fn system(&self, reason: Reason) -> Result<SystemTx, DbError> {
        let tx = begin_with(&self.system, "BEGIN").await?;
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
    tx: Transaction<'static, Postgres>,
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

    pub(crate) fn parts(&mut self) -> (&mut PgConnection, Uuid) {
        (&mut self.tx, self.scope.tenant_id().uuid())
    }
}

/// A transaction of the platform. Dropped without [`SystemTx::commit`], it never happened.
#[derive(Debug)]
pub struct SystemTx {
    tx: Transaction<'static, Postgres>,
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

    pub(crate) fn connection(&mut self) -> &mut PgConnection {
        &mut self.tx
    }

    /// Writes an audit row into this transaction. `detail` holds ids, never personal data.
    pub(crate) async fn audit(&mut self, detail: serde_json::Value) -> Result<(), DbError> {
        sqlx::query!(
            "insert into platform.system_access_audit (reason, detail) values ($1, $2)",
            self.reason.name(),
            detail
        )
        .execute(&mut *self.tx)
        .await?;
        Ok(())
    }
}

fn pool(options: &DbOptions, role: &'static str, connections: u32) -> PgPool {
    let statement_timeout_ms = options.statement_timeout.as_millis().to_string();
    let connect: PgConnectOptions = options.endpoint.options_as(role).application_name(role).options([
        ("statement_timeout", statement_timeout_ms.as_str()),
        ("idle_in_transaction_session_timeout", "30000"),
    ]);
    PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(options.acquire_timeout)
        // A probe on every acquisition would double the round trips of a short transaction.
        .test_before_acquire(false)
        .before_acquire(|connection, pooled| {
            Box::pin(async move {
                if pooled.idle_for >= PROBE_AFTER_IDLE {
                    connection.ping().await?;
                }
                Ok(true)
            })
        })
        .connect_lazy_with(connect)
}

/// Begins, once more if the connection turned out to be dead: nothing has been done on it yet.
async fn begin_with(pool: &PgPool, statement: &str) -> Result<Transaction<'static, Postgres>, DbError> {
    match pool.begin_with(AssertSqlSafe(statement)).await.map_err(DbError::from) {
        Err(DbError::Unavailable(sqlx::Error::Io(_) | sqlx::Error::Database(_))) => {
            Ok(pool.begin_with(AssertSqlSafe(statement)).await?)
        }
        outcome => outcome,
    }
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
