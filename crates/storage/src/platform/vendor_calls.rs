//! Which call a telephone company's id stands for.

use super::tenants::attest;
use crate::{DbError, SystemTx, time::PgTime};
use jiff::Timestamp;
use seiketsu_domain::{CallId, TenantScope};

/// The call that a telephone company's id stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Binding {
    /// The key to the tenant's data.
    pub scope: TenantScope,
    /// The call.
    pub call_id: CallId,
    /// Whether this very request made the binding. `false`: the webhook was delivered before.
    pub new: bool,
}

/// Claims a telephone company's id for a call; the first claim wins and every later one learns of it.
///
/// Claim first, then begin the call record with the id that the answer names ([`crate::calls::begin`] is idempotent): a
/// webhook delivered twice, or again after a crash between the two, ends up with one record.
pub async fn bind_vendor_call(
    tx: &mut SystemTx,
    vendor_call_sid: &str,
    scope: &TenantScope,
    call_id: CallId,
    at: Timestamp,
) -> Result<Binding, DbError> {
    let outcome = sqlx::query!(
        "insert into platform.vendor_calls (vendor_call_sid, tenant_id, call_id, bound_at) values ($1, $2, $3, $4)
         on conflict (vendor_call_sid) do nothing",
        vendor_call_sid,
        scope.tenant_id().uuid(),
        call_id.uuid(),
        PgTime(at) as _
    )
    .execute(tx.connection())
    .await?;
    if outcome.rows_affected() == 1 {
        return Ok(Binding { scope: *scope, call_id, new: true });
    }
    let (scope, call_id) =
        vendor_call(tx, vendor_call_sid).await?.ok_or(DbError::Missing { what: "vendor call" })?;
    Ok(Binding { scope, call_id, new: false })
}

/// The call that a telephone company's id stands for.
pub async fn vendor_call(
    tx: &mut SystemTx,
    vendor_call_sid: &str,
) -> Result<Option<(TenantScope, CallId)>, DbError> {
    let row = sqlx::query!(
        "select tenant_id, call_id from platform.vendor_calls where vendor_call_sid = $1",
        &*crate::names::storable(vendor_call_sid)
    )
    .fetch_optional(tx.connection())
    .await?;
    Ok(row.map(|row| (attest(row.tenant_id), CallId::from_uuid(row.call_id))))
}

/// Whose a call is, for operators who know only its id. Audited.
pub async fn call_owner(tx: &mut SystemTx, call_id: CallId) -> Result<Option<TenantScope>, DbError> {
    let tenant = sqlx::query_scalar!("select tenant_id from public.calls where id = $1", call_id.uuid())
        .fetch_optional(tx.connection())
        .await?;
    if tenant.is_some() {
        tx.audit(serde_json::json!({"looked_up_call": call_id})).await?;
    }
    Ok(tenant.map(attest))
}
