//! Roles, database and migrations.
//!
//! Three roles: [`OWNER_ROLE`] owns the tables and cannot log in; [`APP_ROLE`] sees tenant data through row-level security;
//! [`SYSTEM_ROLE`] sees the platform's tables. [`bootstrap`] makes them (as a cluster's superuser or RDS's master user),
//! [`migrate`] brings the schema up to date as the owner, [`service_login`] makes what the platform logs in as on RDS. `up` and
//! `migrate` call these; `serve` never does.

use crate::{DbError, Endpoint};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use sqlx::{
    AssertSqlSafe, Connection, Executor, PgConnection,
    migrate::{MigrateError, Migrator},
};
use std::{borrow::Cow, fmt::Write as _};

/// Owns the tables; cannot log in.
pub const OWNER_ROLE: &str = "seiketsu_owner";
/// Sees tenant data, one tenant at a time.
pub const APP_ROLE: &str = "seiketsu_app";
/// Sees the platform's own tables.
pub const SYSTEM_ROLE: &str = "seiketsu_system";
/// The login of the platform on a server where the pools' roles have no passwords of their own.
pub const SERVICE_LOGIN: &str = "seiketsu_service";
/// The database's name unless a URL says otherwise.
pub const DATABASE: &str = "seiketsu";

static EMBEDDED: Migrator = sqlx::migrate!("./migrations");

/// Why set-up failed.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The database or a statement failed.
    #[error("setting up the database failed")]
    Database(#[from] DbError),
    /// The name would need quoting.
    #[error("`{0}` is not a database name: expected lower-case letters, digits and `_`")]
    BadName(String),
    /// The login may not create roles or databases and some are missing.
    #[error("this login may not create roles and databases: give `migrate` an administrator's URL once")]
    NotAdministrator(#[source] DbError),
    /// The server has no `btree_gist`, which keeps viewings from being booked twice.
    #[error("extension btree_gist is not installed: `apt-get install postgresql-contrib`")]
    NoExtension(#[source] DbError),
    /// A migration failed or was edited after it had been applied.
    #[error("migrating the database failed")]
    Migration(#[source] MigrateError),
}

/// Creates roles, database, schemas and extension where they are missing. `admin` names a database that exists (for
/// example `postgres`); `database` is the one to create.
pub async fn bootstrap(admin: &Endpoint, database: &str) -> Result<(), SetupError> {
    if !is_plain(database) {
        return Err(SetupError::BadName(database.to_owned()));
    }
    let mut connection = admin.connect().await?;
    execute(&mut connection, ROLES).await.map_err(administrator)?;
    let exists: bool = sqlx::query_scalar("select exists (select from pg_database where datname = $1)")
        .bind(database)
        .fetch_one(&mut connection)
        .await
        .map_err(DbError::from)?;
    if !exists {
        // Not allowed in a transaction; a concurrent bootstrap may have been quicker.
        match execute(&mut connection, &format!("create database {database} owner {OWNER_ROLE}")).await {
            Ok(()) | Err(DbError::Conflict { .. }) => {}
            Err(other) if is_duplicate_database(&other) => {}
            Err(other) => return Err(administrator(other)),
        }
    }
    connection.close().await.map_err(DbError::from)?;

    let mut connection = admin.database(database).connect().await?;
    let reach = format!(
        "revoke all on database {database} from public; \
         grant connect on database {database} to {APP_ROLE}, {SYSTEM_ROLE};"
    );
    execute(&mut connection, &reach).await.map_err(administrator)?;
    execute(&mut connection, SCHEMAS).await.map_err(administrator)?;
    execute(&mut connection, "create extension if not exists btree_gist schema extensions")
        .await
        .map_err(SetupError::NoExtension)?;
    connection.close().await.map_err(DbError::from)?;
    Ok(())
}

/// Makes [`SERVICE_LOGIN`] where it is missing, and gives it a password. It may take on the pools' roles and is nothing else.
///
/// What is sent, and what a log of slow statements could show, is a verifier (SCRAM-SHA-256, RFC 5803): the password
/// cannot be had from it.
pub async fn service_login(admin: &Endpoint, password: &SecretString) -> Result<(), SetupError> {
    let verifier = postgres_protocol::password::scram_sha_256(password.expose_secret().as_bytes());
    let mut connection = admin.connect().await?;
    // One transaction: of two at once the second waits.
    let statements = format!(
        "select pg_advisory_xact_lock(hashtext('{SERVICE_LOGIN}'));
         do $$
         begin
             create role {SERVICE_LOGIN} login;
         exception when duplicate_object then
             null;
         end
         $$;
         alter role {SERVICE_LOGIN} login password '{verifier}';
         grant {APP_ROLE}, {SYSTEM_ROLE} to {SERVICE_LOGIN};"
    );
    execute(&mut connection, &statements).await.map_err(administrator)?;
    connection.close().await.map_err(DbError::from)?;
    Ok(())
}

/// Applies the migrations that are missing, as the owner. Safe to run from several machines at once.
pub async fn migrate(database: &Endpoint) -> Result<(), SetupError> {
    let mut connection = database.connect().await?;
    execute(&mut connection, &format!("set role {OWNER_ROLE}; set search_path to platform")).await?;
    migrator().run(&mut connection).await.map_err(SetupError::Migration)?;
    execute(&mut connection, &format!("grant select on platform.migrations to {SYSTEM_ROLE}")).await?;
    connection.close().await.map_err(DbError::from)?;
    Ok(())
}

/// The version of the newest migration of this release.
pub fn newest_migration() -> i64 {
    EMBEDDED.iter().map(|migration| migration.version).max().unwrap_or(0)
}

/// A short hash of all migrations: the key of template databases of tests.
pub fn fingerprint() -> String {
    let mut hash = Sha256::new();
    for migration in EMBEDDED.iter() {
        hash.update(&migration.checksum);
    }
    hash.update(ROLES);
    hash.update(SCHEMAS);
    hash.finalize().iter().take(8).fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

pub(crate) async fn execute(connection: &mut PgConnection, statements: &str) -> Result<(), DbError> {
    connection.execute(sqlx::raw_sql(AssertSqlSafe(statements))).await?;
    Ok(())
}

fn migrator() -> Migrator {
    Migrator {
        migrations: Cow::Borrowed(&EMBEDDED.migrations),
        table_name: Cow::Borrowed("platform.migrations"),
        // A newer release may have migrated already while this one is still being rolled out.
        ignore_missing: true,
        ..Migrator::DEFAULT
    }
}

fn is_plain(name: &str) -> bool {
    (1..=63).contains(&name.len())
        && name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'))
        && !name.starts_with(|first: char| first.is_ascii_digit())
}

fn administrator(error: DbError) -> SetupError {
    if matches!(error, DbError::Forbidden(_)) {
        SetupError::NotAdministrator(error)
    } else {
        SetupError::Database(error)
    }
}

fn is_duplicate_database(error: &DbError) -> bool {
    matches!(error, DbError::Statement(sqlx::Error::Database(error)) if error.code().as_deref() == Some("42P04"))
}

/// Idempotent, and safe when two run it at once. Granting the roles to the current user is what lets RDS's master user,
/// who is no superuser, act as the owner and log the pools in: since PostgreSQL 16 whoever makes a role is a member of it,
/// but may not act as it (`SET`) before it was granted.
const ROLES: &str = "
do $$
declare
    role text;
    act_as text := case when current_setting('server_version_num')::int >= 160000 then 'set' else 'member' end;
begin
    foreach role in array array['seiketsu_owner', 'seiketsu_app', 'seiketsu_system'] loop
        begin
            if not exists (select from pg_roles where rolname = role) then
                execute format('create role %I', role);
            end if;
        exception when duplicate_object or unique_violation then
            null;
        end;
        if not pg_has_role(current_user, role, act_as) then
            execute format('grant %I to current_user', role);
        end if;
    end loop;
    if not (select rolcanlogin from pg_roles where rolname = 'seiketsu_app') then
        alter role seiketsu_app login;
    end if;
    if not (select rolcanlogin from pg_roles where rolname = 'seiketsu_system') then
        alter role seiketsu_system login;
    end if;
end
$$;";

const SCHEMAS: &str = "
create schema if not exists extensions;
create schema if not exists platform authorization seiketsu_owner;
alter schema platform owner to seiketsu_owner;
revoke all on schema platform from public;
grant usage on schema platform to seiketsu_system;
alter schema public owner to seiketsu_owner;
revoke all on schema public from public;
grant usage on schema public to seiketsu_app;";
