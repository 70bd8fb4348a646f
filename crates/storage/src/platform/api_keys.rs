//! Keys with which tenants' own programs use the API.

use super::tenants::attest;
use crate::{DbError, SystemTx, names, time::PgTime};
use jiff::Timestamp;
use seiketsu_domain::TenantScope;

/// A key as the platform remembers it: not the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKeyRow {
    /// Its first characters, by which people recognise it.
    pub prefix: String,
    /// What it is for.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

/// Whose key this SHA-256 is of; `None` if nobody's, if it was revoked, or if its tenant is not served.
pub async fn api_key_owner(tx: &mut SystemTx, sha256: &[u8; 32]) -> Result<Option<TenantScope>, DbError> {
    let tenant = sqlx::query_scalar!(
        "select t.id from platform.api_keys k join platform.tenants t on t.id = k.tenant_id
         where k.sha256 = $1 and k.revoked_at is null and t.status = 'active'",
        &sha256[..]
    )
    .fetch_optional(tx.connection())
    .await?;
    Ok(tenant.map(attest))
}

/// Remembers a key of a tenant.
pub async fn put_api_key(
    tx: &mut SystemTx,
    scope: &TenantScope,
    sha256: &[u8; 32],
    key: &ApiKeyRow,
) -> Result<(), DbError> {
    sqlx::query!(
        "insert into platform.api_keys (sha256, tenant_id, prefix, name, created_at) values ($1, $2, $3, $4, $5)",
        &sha256[..],
        scope.tenant_id().uuid(),
        key.prefix,
        &*names::storable(&key.name),
        PgTime(key.created_at) as _
    )
    .execute(tx.connection())
    .await?;
    tx.audit(serde_json::json!({"tenant": scope.tenant_id(), "created_api_key": key.prefix})).await
}

/// The keys of a tenant, oldest first, revoked ones included.
pub async fn api_keys(tx: &mut SystemTx, scope: &TenantScope) -> Result<Vec<ApiKeyRow>, DbError> {
    let rows = sqlx::query!(
        r#"select prefix, name, created_at as "created_at: PgTime", revoked_at as "revoked_at: PgTime"
           from platform.api_keys where tenant_id = $1 order by created_at, prefix"#,
        scope.tenant_id().uuid()
    )
    .fetch_all(tx.connection())
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| ApiKeyRow {
            prefix: row.prefix,
            name: row.name,
            created_at: row.created_at.0,
            revoked_at: row.revoked_at.map(|at| at.0),
        })
        .collect())
}

/// Revokes the keys of a tenant with this prefix; `false` if there is none that was not revoked before.
pub async fn revoke_api_key(
    tx: &mut SystemTx,
    scope: &TenantScope,
    prefix: &str,
    at: Timestamp,
) -> Result<bool, DbError> {
    let outcome = sqlx::query!(
        "update platform.api_keys set revoked_at = $3 where tenant_id = $1 and prefix = $2 and revoked_at is null",
        scope.tenant_id().uuid(),
        &*names::storable(prefix),
        PgTime(at) as _
    )
    .execute(tx.connection())
    .await?;
    if outcome.rows_affected() == 0 {
        return Ok(false);
    }
    tx.audit(serde_json::json!({"tenant": scope.tenant_id(), "revoked_api_key": prefix})).await?;
    Ok(true)
}
