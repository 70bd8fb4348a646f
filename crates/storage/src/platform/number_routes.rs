//! Which phone number reaches which agent.

use super::tenants::{Row, TenantRow};
use crate::{DbError, SystemTx, time::PgTime};
use jiff::Timestamp;
use seiketsu_domain::{AgentId, NumberRouteId, PhoneNumber, TenantScope};

/// Where a number leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NumberRoute {
    /// Which route.
    pub id: NumberRouteId,
    /// The key to the tenant's data.
    pub scope: TenantScope,
    /// The tenant.
    pub tenant: TenantRow,
    /// The agent that answers.
    pub agent_id: AgentId,
}

/// Where a number leads; `None` if nowhere, or to a tenant that is not served.
pub async fn number_route(tx: &mut SystemTx, number: &PhoneNumber) -> Result<Option<NumberRoute>, DbError> {
    let row = sqlx::query!(
        r#"select route.id as route_id, route.agent_id, tenant.id, tenant.slug, tenant.name, tenant.time_zone,
                  tenant.placement, tenant.status, tenant.created_at as "created_at: PgTime"
           from platform.number_routes route
           join platform.tenants tenant on tenant.id = route.tenant_id
           where route.number = $1 and tenant.status = 'active'"#,
        number.as_str()
    )
    .fetch_optional(tx.connection())
    .await?;
    let Some(row) = row else { return Ok(None) };
    let tenant = Row {
        id: row.id,
        slug: row.slug,
        name: row.name,
        time_zone: row.time_zone,
        placement: row.placement,
        status: row.status,
        created_at: row.created_at,
    }
    .read()?;
    Ok(Some(NumberRoute {
        id: NumberRouteId::from_uuid(row.route_id),
        scope: tenant.scope,
        tenant,
        agent_id: AgentId::from_uuid(row.agent_id),
    }))
}

/// Leads a number to an agent of a tenant, wherever it led before within that tenant.
/// [`DbError::Conflict`] if the number is another tenant's; [`DbError::BrokenReference`] if the agent is.
pub async fn route_number(
    tx: &mut SystemTx,
    id: NumberRouteId,
    number: &PhoneNumber,
    scope: &TenantScope,
    agent_id: AgentId,
    at: Timestamp,
) -> Result<(), DbError> {
    let tenant = scope.tenant_id();
    let outcome = sqlx::query!(
        "insert into platform.number_routes as route (id, number, tenant_id, agent_id, created_at)
         values ($1, $2, $3, $4, $5)
         on conflict (number) do update set agent_id = excluded.agent_id where route.tenant_id = excluded.tenant_id",
        id.uuid(),
        number.as_str(),
        tenant.uuid(),
        agent_id.uuid(),
        PgTime(at) as _
    )
    .execute(tx.connection())
    .await?;
    if outcome.rows_affected() == 0 {
        return Err(DbError::Conflict { constraint: "number_routes_number_key".to_owned() });
    }
    tx.audit(serde_json::json!({"routed_number_of": tenant, "agent": agent_id})).await
}

/// The numbers that reach an agent, in order.
pub async fn numbers_of_agent(
    tx: &mut SystemTx,
    scope: &TenantScope,
    agent_id: AgentId,
) -> Result<Vec<PhoneNumber>, DbError> {
    let numbers = sqlx::query_scalar!(
        "select number from platform.number_routes where tenant_id = $1 and agent_id = $2 order by number",
        scope.tenant_id().uuid(),
        agent_id.uuid()
    )
    .fetch_all(tx.connection())
    .await?;
    numbers.iter().map(|number| crate::names::read(number, "phone number")).collect()
}
