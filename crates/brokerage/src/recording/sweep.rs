//! Deletes recordings when their time is over, and closes those whose writer died.

use super::{RecordingError, Recordings, sink};
use jiff::{SignedDuration, Timestamp};
use seiketsu_domain::TenantScope;
use seiketsu_storage::{Reason, platform, recordings};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often [`Recordings::run`] sweeps.
const PERIOD: Duration = Duration::from_hours(1);
/// A part that is still being written although nobody has held its call for so long is written by nobody.
const ORPHANED_AFTER: SignedDuration = SignedDuration::from_mins(5);
/// Parts that are dealt with in one go.
const BATCH: u32 = 200;

/// What a sweep did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Swept {
    /// Parts past their retention whose key was deleted.
    pub deleted: u64,
    /// Deleted parts whose chunks were removed.
    pub purged: u64,
    /// Parts that nobody writes any more, now marked as incomplete.
    pub incomplete: u64,
    /// Tenants that could not be swept; the next sweep tries again.
    pub failed_tenants: u64,
}

impl Recordings {
    /// Sweeps now and then every hour, until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        let mut period = tokio::time::interval(PERIOD);
        period.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                _ = period.tick() => {}
            }
            // A sweep that is stopped in the middle has done what it has done; the next one does the rest.
            let Some(swept) = stop.run_until_cancelled(Box::pin(self.sweep(self.ids.clock().now()))).await
            else {
                return;
            };
            match swept {
                Ok(swept) => tracing::info!(
                    deleted = swept.deleted,
                    purged = swept.purged,
                    incomplete = swept.incomplete,
                    failed_tenants = swept.failed_tenants,
                    "swept the recordings"
                ),
                Err(error) => tracing::warn!(error = %error.in_full(), "the recordings could not be swept"),
            }
        }
    }

    /// Deletes what is past its retention, removes what was deleted, closes what nobody writes any more. What was done
    /// for a tenant is on record in the audit of system access.
    pub async fn sweep(&self, now: Timestamp) -> Result<Swept, RecordingError> {
        let mut system = self.db.system(Reason::SweepRecordings).await?;
        let tenants = platform::tenants(&mut system).await?;
        system.commit().await?;
        let mut all = Swept::default();
        for tenant in tenants {
            let mut swept = Swept::default();
            if let Err(error) = self.sweep_tenant(&tenant.scope, now, &mut swept).await {
                tracing::warn!(tenant = %tenant.id(), error = %error.in_full(), "a tenant's recordings could not be swept");
                all.failed_tenants += 1;
            }
            if swept != Swept::default() {
                let mut system = self.db.system(Reason::SweepRecordings).await?;
                let Swept { deleted, purged, incomplete, failed_tenants: _ } = swept;
                recordings::audit_sweep(&mut system, &tenant.scope, deleted, purged, incomplete).await?;
                system.commit().await?;
            }
            all.deleted += swept.deleted;
            all.purged += swept.purged;
            all.incomplete += swept.incomplete;
        }
        Ok(all)
    }

    /// Counts as it goes, so that what was done before a failure is on record too.
    async fn sweep_tenant(
        &self,
        scope: &TenantScope,
        now: Timestamp,
        swept: &mut Swept,
    ) -> Result<(), RecordingError> {
        loop {
            let mut tx = self.db.tenant(scope).await?;
            let deleted = recordings::forget_expired(&mut tx, now, BATCH).await?;
            tx.commit().await?;
            swept.deleted += deleted;
            if deleted < u64::from(BATCH) {
                break;
            }
        }
        self.purge(scope, now, swept).await?;
        self.close_orphans(scope, now, swept).await
    }

    async fn purge(
        &self,
        scope: &TenantScope,
        now: Timestamp,
        swept: &mut Swept,
    ) -> Result<(), RecordingError> {
        loop {
            let mut tx = self.db.tenant(scope).await?;
            let remains = recordings::unpurged(&mut tx, BATCH).await?;
            tx.commit().await?;
            for part in &remains {
                self.store.remove(&part.location).await?;
                let mut tx = self.db.tenant(scope).await?;
                recordings::purged(&mut tx, part.call_id, part.part, now).await?;
                tx.commit().await?;
                swept.purged += 1;
            }
            if remains.len() < BATCH as usize {
                return Ok(());
            }
        }
    }

    async fn close_orphans(
        &self,
        scope: &TenantScope,
        now: Timestamp,
        swept: &mut Swept,
    ) -> Result<(), RecordingError> {
        loop {
            let mut tx = self.db.tenant(scope).await?;
            let orphans = recordings::orphaned(&mut tx, now - ORPHANED_AFTER, BATCH).await?;
            tx.commit().await?;
            for part in &orphans {
                let lengths = self.store.lengths(&part.location).await?;
                let chunks = u32::try_from(lengths.len()).unwrap_or(u32::MAX);
                let extent = sink::extent(part.format, chunks, lengths.values().sum());
                let length = SignedDuration::try_from(extent.duration()).unwrap_or(SignedDuration::MAX);
                let ended_at = part.started_at.saturating_add(length).unwrap_or(now);
                let mut tx = self.db.tenant(scope).await?;
                let closed =
                    recordings::close(&mut tx, part.call_id, part.part, false, extent, ended_at).await?;
                tx.commit().await?;
                swept.incomplete += u64::from(closed);
            }
            if orphans.len() < BATCH as usize {
                return Ok(());
            }
        }
    }
}
