//! People of a tenant.

use crate::{
    DbError, TenantTx,
    names::{self, named},
    time::PgTime,
};
use jiff::Timestamp;
use seiketsu_domain::{MemberId, Pii};

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
    let rows = sqlx::query!(
        r#"select id, email, name, role, created_at as "created_at: PgTime" from members
           where tenant_id = $1 order by email"#,
        tenant
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Member {
                id: MemberId::from_uuid(row.id),
                email: row.email.into(),
                name: row.name.into(),
                role: names::read(&row.role, "role")?,
                created_at: row.created_at.0,
            })
        })
        .collect()
}
