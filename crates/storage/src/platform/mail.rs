//! Which tenants have mail to be sent. The mail itself is theirs.

use super::tenants::attest;
use crate::{DbError, SystemTx, time::PgTime};
use jiff::Timestamp;
use seiketsu_domain::TenantScope;

/// Tenants with mail that is due at `now`, at most so many.
pub async fn tenants_with_due_mail(
    tx: &mut SystemTx,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<TenantScope>, DbError> {
    // The tenant whose mail has waited longest comes first, so that none is left out for ever.
    let rows = sqlx::query_scalar!(
        "select tenant_id from public.outbox where due_at <= $1
         group by tenant_id order by min(due_at), tenant_id limit $2",
        PgTime(now) as _,
        i64::from(limit)
    )
    .fetch_all(tx.connection())
    .await?;
    Ok(rows.into_iter().map(attest).collect())
}
