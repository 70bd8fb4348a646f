//! Brokerages. The one place where a [`TenantScope`] comes from.

use crate::{
    DbError, SystemTx,
    names::{self, named},
    time::{PgTime, stored},
};
use jiff::Timestamp;
use seiketsu_domain::{TenantId, TenantScope};
use uuid::Uuid;

named! {
    /// Where a tenant's data lives.
    "placement" Placement {
        /// In the shared schema.
        Pool = "pool",
        /// In a schema of its own.
        Schema = "schema",
        /// In a database of its own.
        Database = "database",
        /// In a cluster of its own.
        Cluster = "cluster",
    }
}

named! {
    /// Whether a tenant is served.
    "tenant status" TenantStatus {
        /// Calls are answered.
        Active = "active",
        /// Calls are refused, data is kept.
        Suspended = "suspended",
        /// Gone; data awaits deletion.
        Closed = "closed",
    }
}

/// A brokerage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantRow {
    /// The key to its data.
    pub scope: TenantScope,
    /// Its name in URLs and on the command line.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// IANA name of the time zone it works in.
    pub time_zone: String,
    /// Where its data lives.
    pub placement: Placement,
    /// Whether it is served.
    pub status: TenantStatus,
    /// When it was created.
    pub created_at: Timestamp,
}

impl TenantRow {
    /// Its id.
    pub const fn id(&self) -> TenantId {
        self.scope.tenant_id()
    }
}

/// A brokerage to be created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTenant {
    /// Its id.
    pub id: TenantId,
    /// 2 to 50 lower-case letters, digits and single hyphens.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// IANA name of the time zone it works in.
    pub time_zone: String,
    /// Now.
    pub created_at: Timestamp,
}

/// All tenants by slug.
pub async fn tenants(tx: &mut SystemTx) -> Result<Vec<TenantRow>, DbError> {
    let rows = sqlx::query_as!(
        Row,
        r#"select id, slug, name, time_zone, placement, status, created_at as "created_at: PgTime"
           from platform.tenants order by slug"#
    )
    .fetch_all(tx.connection())
    .await?;
    tx.audit(serde_json::json!({"tenants": rows.len()})).await?;
    rows.into_iter().map(Row::read).collect()
}

/// The tenant with a slug.
pub async fn tenant_by_slug(tx: &mut SystemTx, slug: &str) -> Result<Option<TenantRow>, DbError> {
    let row = sqlx::query_as!(
        Row,
        r#"select id, slug, name, time_zone, placement, status, created_at as "created_at: PgTime"
           from platform.tenants where slug = $1"#,
        &*names::storable(slug)
    )
    .fetch_optional(tx.connection())
    .await?;
    row.map(Row::read).transpose()
}

/// The tenant with an id.
pub async fn tenant_by_id(tx: &mut SystemTx, id: TenantId) -> Result<Option<TenantRow>, DbError> {
    let row = sqlx::query_as!(
        Row,
        r#"select id, slug, name, time_zone, placement, status, created_at as "created_at: PgTime"
           from platform.tenants where id = $1"#,
        id.uuid()
    )
    .fetch_optional(tx.connection())
    .await?;
    row.map(Row::read).transpose()
}

/// Creates a tenant. [`DbError::Conflict`] if the slug or the id is taken.
pub async fn create_tenant(tx: &mut SystemTx, new: &NewTenant) -> Result<TenantRow, DbError> {
    sqlx::query!(
        "insert into platform.tenants (id, slug, name, time_zone, created_at) values ($1, $2, $3, $4, $5)",
        new.id.uuid(),
        new.slug,
        new.name,
        new.time_zone,
        PgTime(new.created_at) as _
    )
    .execute(tx.connection())
    .await?;
    tx.audit(serde_json::json!({"created_tenant": new.id})).await?;
    Ok(TenantRow {
        scope: attest(new.id.uuid()),
        slug: new.slug.clone(),
        name: new.name.clone(),
        time_zone: new.time_zone.clone(),
        placement: Placement::Pool,
        status: TenantStatus::Active,
        created_at: stored(new.created_at),
    })
}

/// Vouches for a tenant id that was read from a column which references `platform.tenants`.
#[expect(clippy::disallowed_methods, reason = "the one place that says which tenant a piece of work is for")]
pub(super) fn attest(tenant: Uuid) -> TenantScope {
    TenantScope::attested(TenantId::from_uuid(tenant))
}

pub(super) struct Row {
    pub(super) id: Uuid,
    pub(super) slug: String,
    pub(super) name: String,
    pub(super) time_zone: String,
    pub(super) placement: String,
    pub(super) status: String,
    pub(super) created_at: PgTime,
}

impl Row {
    pub(super) fn read(self) -> Result<TenantRow, DbError> {
        Ok(TenantRow {
            scope: attest(self.id),
            slug: self.slug,
            name: self.name,
            time_zone: self.time_zone,
            placement: names::read(&self.placement, "placement")?,
            status: names::read(&self.status, "tenant status")?,
            created_at: self.created_at.0,
        })
    }
}
