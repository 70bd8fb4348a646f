//! What a tenant chooses about its calls.

use crate::{DbError, TenantTx, names::storable, time::PgTime};
use jiff::Timestamp;

/// How long recordings are kept unless a tenant says otherwise, in days.
pub const DEFAULT_RETENTION_DAYS: u32 = 30;

/// A tenant's choices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Whether calls are recorded, with the caller's assent.
    pub records_calls: bool,
    /// How long recordings are kept: 1 to 3,650 days.
    pub recording_retention_days: u32,
    /// Sender of summaries; `None`: the platform's own address.
    pub summary_from_email: Option<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            records_calls: false,
            recording_retention_days: DEFAULT_RETENTION_DAYS,
            summary_from_email: None,
        }
    }
}

/// The tenant's choices; the defaults where it made none.
pub async fn get(tx: &mut TenantTx) -> Result<Settings, DbError> {
    Ok(find(tx).await?.unwrap_or_default())
}

/// The tenant's choices, if it made any.
pub async fn find(tx: &mut TenantTx) -> Result<Option<Settings>, DbError> {
    let (connection, tenant) = tx.parts();
    let row = sqlx::query!(
        "select records_calls, recording_retention_days, summary_from_email from settings where tenant_id = $1",
        tenant
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|row| Settings {
        records_calls: row.records_calls,
        recording_retention_days: row.recording_retention_days.unsigned_abs(),
        summary_from_email: row.summary_from_email,
    }))
}

/// Keeps a tenant's choices, in the place of those it made before.
pub async fn put(tx: &mut TenantTx, settings: &Settings, at: Timestamp) -> Result<(), DbError> {
    let (connection, tenant) = tx.parts();
    let from = settings.summary_from_email.as_deref().map(storable);
    sqlx::query!(
        "insert into settings (tenant_id, records_calls, recording_retention_days, summary_from_email, updated_at)
         values ($1, $2, $3, $4, $5)
         on conflict (tenant_id) do update set
             records_calls = excluded.records_calls,
             recording_retention_days = excluded.recording_retention_days,
             summary_from_email = excluded.summary_from_email,
             updated_at = excluded.updated_at",
        tenant,
        settings.records_calls,
        i32::try_from(settings.recording_retention_days).unwrap_or(i32::MAX),
        from.as_deref(),
        PgTime(at) as _
    )
    .execute(connection)
    .await?;
    Ok(())
}
