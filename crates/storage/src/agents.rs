//! Voice agents as their tenants configured them.

use crate::{DbError, TenantTx, names, time::PgTime};
use jiff::Timestamp;
use seiketsu_domain::{AgentId, AgentProfile};
use serde_json::Value;

/// Adds an agent. [`DbError::Conflict`] if the tenant has one of this name.
pub async fn insert(tx: &mut TenantTx, profile: &AgentProfile, at: Timestamp) -> Result<(), DbError> {
    let json = to_json(profile)?;
    let (connection, tenant) = tx.parts();
    sqlx::query!(
        "insert into agents (tenant_id, id, name, profile, created_at, updated_at) values ($1, $2, $3, $4, $5, $5)",
        tenant,
        profile.id.uuid(),
        &*names::storable(&profile.name),
        json,
        PgTime(at) as _
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Replaces an agent's configuration; calls in progress keep the one they began with.
pub async fn update(tx: &mut TenantTx, profile: &AgentProfile, at: Timestamp) -> Result<(), DbError> {
    let json = to_json(profile)?;
    let (connection, tenant) = tx.parts();
    let outcome = sqlx::query!(
        "update agents set name = $3, profile = $4, updated_at = $5 where tenant_id = $1 and id = $2",
        tenant,
        profile.id.uuid(),
        &*names::storable(&profile.name),
        json,
        PgTime(at) as _
    )
    .execute(connection)
    .await?;
    if outcome.rows_affected() == 1 { Ok(()) } else { Err(DbError::Missing { what: "agent" }) }
}

/// The agent with an id.
pub async fn get(tx: &mut TenantTx, id: AgentId) -> Result<Option<AgentProfile>, DbError> {
    let (connection, tenant) = tx.parts();
    let json =
        sqlx::query_scalar!("select profile from agents where tenant_id = $1 and id = $2", tenant, id.uuid())
            .fetch_optional(connection)
            .await?;
    json.map(from_json).transpose()
}

/// The agent with a name.
pub async fn by_name(tx: &mut TenantTx, name: &str) -> Result<Option<AgentProfile>, DbError> {
    let (connection, tenant) = tx.parts();
    let name = names::storable(name);
    let json =
        sqlx::query_scalar!("select profile from agents where tenant_id = $1 and name = $2", tenant, &*name)
            .fetch_optional(connection)
            .await?;
    json.map(from_json).transpose()
}

/// All agents by name.
pub async fn list(tx: &mut TenantTx) -> Result<Vec<AgentProfile>, DbError> {
    let (connection, tenant) = tx.parts();
    let rows = sqlx::query_scalar!("select profile from agents where tenant_id = $1 order by name", tenant)
        .fetch_all(connection)
        .await?;
    rows.into_iter().map(from_json).collect()
}

fn to_json(profile: &AgentProfile) -> Result<Value, DbError> {
    serde_json::to_value(profile).map(names::storable_json).map_err(|_| DbError::Unreadable { what: "agent" })
}

fn from_json(json: Value) -> Result<AgentProfile, DbError> {
    serde_json::from_value(json).map_err(|_| DbError::Unreadable { what: "agent" })
}
