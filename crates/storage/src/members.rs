//! People of a tenant.

use crate::{
    DbError, TenantTx,
    names::{self, named},
    time::PgTime,
};
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use seiketsu_domain::{MemberId, Pii};
use uuid::Uuid;

named! {
    /// What a member may do.
    "role" Role {
        /// Everything within the tenant.
        Admin = "admin",
        /// Agents, listings and all leads.
        Manager = "manager",
        /// Leads and viewings.
        Staff = "staff",
        /// Looks only.
        Viewer = "viewer",
    }
}

/// A person of a tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Which member.
    pub id: MemberId,
    /// Lower-case address, unique within the tenant.
    pub email: Pii<String>,
    /// Name.
    pub name: Pii<String>,
    /// What they may do.
    pub role: Role,
    /// When they were added.
    pub created_at: Timestamp,
}

/// Adds a member. [`DbError::Conflict`] if the tenant has one with this address.
pub async fn insert(tx: &mut TenantTx, member: &Member) -> Result<(), DbError> {
    let (connection, tenant) = tx.parts();
    sqlx::query!(
        "insert into members (tenant_id, id, email, name, role, created_at) values ($1, $2, lower($3), $4, $5, $6)",
        tenant,
        member.id.uuid(),
        member.email.expose(),
        &*names::storable(member.name.expose()),
        member.role.name(),
        PgTime(member.created_at) as _
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// All members by address.
pub async fn list(tx: &mut TenantTx) -> Result<Vec<Member>, DbError> {
    let (connection, tenant) = tx.parts();
    let rows = sqlx::query_as!(
        Row,
        r#"select id, email, name, role, created_at as "created_at: PgTime" from members
           where tenant_id = $1 order by email"#,
        tenant
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(Row::read).collect()
}

/// The member with an id.
pub async fn get(tx: &mut TenantTx, id: MemberId) -> Result<Option<Member>, DbError> {
    let (connection, tenant) = tx.parts();
    let row = sqlx::query_as!(
        Row,
        r#"select id, email, name, role, created_at as "created_at: PgTime" from members
           where tenant_id = $1 and id = $2"#,
        tenant,
        id.uuid()
    )
    .fetch_optional(connection)
    .await?;
    row.map(Row::read).transpose()
}

/// The member with an address, in any case, and the argon2id hash of their password if they have one.
pub async fn by_email(
    tx: &mut TenantTx,
    email: &str,
) -> Result<Option<(Member, Option<SecretString>)>, DbError> {
    let (connection, tenant) = tx.parts();
    let row = sqlx::query!(
        r#"select id, email, name, role, created_at as "created_at: PgTime", password_hash from members
           where tenant_id = $1 and email = $2"#,
        tenant,
        names::storable(email).to_ascii_lowercase()
    )
    .fetch_optional(connection)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let hash = row.password_hash.map(SecretString::from);
    let member =
        Row { id: row.id, email: row.email, name: row.name, role: row.role, created_at: row.created_at };
    Ok(Some((member.read()?, hash)))
}

/// Gives a member a password, as an argon2id hash in PHC form. [`DbError::Missing`] if there is no such member.
pub async fn set_password(
    tx: &mut TenantTx,
    id: MemberId,
    password_hash: &SecretString,
) -> Result<(), DbError> {
    let (connection, tenant) = tx.parts();
    let outcome = sqlx::query!(
        "update members set password_hash = $3 where tenant_id = $1 and id = $2",
        tenant,
        id.uuid(),
        password_hash.expose_secret()
    )
    .execute(connection)
    .await?;
    if outcome.rows_affected() == 1 { Ok(()) } else { Err(DbError::Missing { what: "member" }) }
}

struct Row {
    id: Uuid,
    email: String,
    name: String,
    role: String,
    created_at: PgTime,
}

impl Row {
    fn read(self) -> Result<Member, DbError> {
        Ok(Member {
            id: MemberId::from_uuid(self.id),
            email: self.email.into(),
            name: self.name.into(),
            role: names::read(&self.role, "role")?,
            created_at: self.created_at.0,
        })
    }
}
