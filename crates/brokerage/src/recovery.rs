//! Closes the records of calls whose replica died.
//!
//! A replica says every few seconds that it is alive, and so does each call it holds. A call for which neither has been
//! said for [`STALE_AFTER`] is held by nobody: its record is closed with [`EndReason::ReplicaLost`] and one usage record
//! over the turns that were committed. A call that was handed to the telephone company is held there: it is left alone for
//! [`HANDED_OVER_AT_MOST`], and closed with [`EndReason::Transferred`] if nothing was heard of it until then. A turn that a
//! replica commits later than that (it was taken for dead, and had waited for the database) is added to the record.
//!
//! Architecture Invariant: a call that anybody holds is never closed from here. After an outage of the database all
//! heartbeats are old for a moment; therefore the service closes only what it has seen orphaned in two looks, a period
//! apart, and storage looks once more in the transaction that closes.

use jiff::{SignedDuration, Timestamp};
use seiketsu_domain::{CallId, Clock, EndReason, ReplicaId, TenantScope};
use seiketsu_storage::{Db, DbError, Reason, calls, platform};
use std::{collections::BTreeSet, sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;

/// How long a replica and a call may be silent before the call counts as orphaned.
pub const STALE_AFTER: SignedDuration = SignedDuration::from_secs(30);
/// How long a call of a living replica may be silent: its media socket never came, or was cut and did not come back.
pub const ABANDONED_AFTER: SignedDuration = SignedDuration::from_secs(120);
/// How long a call that was handed to the telephone company may stay open without a word from there: its longest call.
pub const HANDED_OVER_AT_MOST: SignedDuration = SignedDuration::from_hours(4);
/// How often [`Recovery::run`] looks.
const PERIOD: Duration = Duration::from_secs(10);
/// How often [`Recovery::run`] says that its replica is alive.
const BEAT: Duration = Duration::from_secs(5);

/// Closes what is orphaned at `now`, and what this replica itself has abandoned; says how many records that were.
///
/// One look, no second thought: for a caller that knows the heartbeats to be trustworthy. A server runs [`Recovery`].
pub async fn recover_orphans(db: &Db, replica: ReplicaId, now: Timestamp) -> Result<usize, DbError> {
    let mut closed = 0;
    for orphan in look(db, replica, now).await? {
        closed += usize::from(close(db, &orphan).await?);
    }
    Ok(closed)
}

/// The part of a server that says that its replica is alive and closes what dead ones left behind.
#[derive(Debug)]
pub struct Recovery {
    db: Db,
    replica: ReplicaId,
    clock: Arc<dyn Clock>,
    suspects: BTreeSet<CallId>,
}

impl Recovery {
    /// For the replica that runs it.
    pub fn new(db: Db, replica: ReplicaId, clock: Arc<dyn Clock>) -> Self {
        Self { db, replica, clock, suspects: BTreeSet::new() }
    }

    /// Beats at once and then every few seconds, and looks every ten, until `stop`.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut beat = tokio::time::interval(BEAT);
        let mut period = tokio::time::interval(PERIOD);
        for ticker in [&mut beat, &mut period] {
            ticker.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        }
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                _ = beat.tick() => {
                    if let Err(error) = self.beat().await {
                        tracing::warn!(%error, "this replica could not say that it is alive");
                    }
                }
                _ = period.tick() => match self.pass().await {
                    Ok(0) => {}
                    Ok(closed) => tracing::info!(closed, "closed calls that nobody held"),
                    Err(error) => tracing::warn!(%error, "could not look for orphaned calls"),
                },
            }
        }
    }

    /// Says that the replica is alive.
    pub async fn beat(&self) -> Result<(), DbError> {
        let mut tx = self.db.system(Reason::Heartbeat).await?;
        platform::heartbeat(&mut tx, self.replica, self.clock.now()).await?;
        tx.commit().await
    }

    /// One look: closes what was orphaned in the look before as well, and remembers the rest for the next one.
    pub async fn pass(&mut self) -> Result<usize, DbError> {
        // Forgotten first: after a look that failed, the next two must agree again.
        let suspects = std::mem::take(&mut self.suspects);
        let orphans = look(&self.db, self.replica, self.clock.now()).await?;
        let mut closed = 0;
        for orphan in &orphans {
            if suspects.contains(&orphan.call) {
                closed += usize::from(close(&self.db, orphan).await?);
            }
        }
        self.suspects = orphans.into_iter().map(|orphan| orphan.call).collect();
        Ok(closed)
    }
}

#[derive(Debug)]
struct Orphan {
    scope: TenantScope,
    call: CallId,
    kind: Kind,
    /// It is closed only if it has not been held, or handed over, since.
    before: Timestamp,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    /// Its replica is dead.
    Lost,
    /// Its replica lives and has forgotten it.
    Abandoned,
    /// The telephone company was to tell how it ended, and did not.
    HandedOver,
}

async fn look(db: &Db, replica: ReplicaId, now: Timestamp) -> Result<Vec<Orphan>, DbError> {
    let mut tx = db.system(Reason::RecoverCalls).await?;
    let stale_before = now - STALE_AFTER;
    let lost = platform::orphaned_calls(&mut tx, stale_before).await?;
    let abandoned_before = now - ABANDONED_AFTER;
    let abandoned = platform::abandoned_calls(&mut tx, replica, abandoned_before).await?;
    let handed_over_before = now - HANDED_OVER_AT_MOST;
    let handed_over = platform::handed_over_calls(&mut tx, handed_over_before).await?;
    tx.commit().await?;
    let kinds = [
        (Kind::Lost, stale_before, lost),
        (Kind::Abandoned, abandoned_before, abandoned),
        (Kind::HandedOver, handed_over_before, handed_over),
    ];
    let orphans = kinds.into_iter().flat_map(|(kind, before, calls)| {
        calls.into_iter().map(move |(scope, call)| Orphan { scope, call, kind, before })
    });
    Ok(orphans.collect())
}

/// `false` if somebody ended it, or holds it again.
async fn close(db: &Db, orphan: &Orphan) -> Result<bool, DbError> {
    let mut tx = db.tenant(&orphan.scope).await?;
    let Orphan { call, before, .. } = *orphan;
    let closed = match orphan.kind {
        Kind::Lost => calls::close_orphan(&mut tx, call, EndReason::ReplicaLost, before).await?,
        Kind::Abandoned => calls::close_orphan(&mut tx, call, EndReason::Failure, before).await?,
        Kind::HandedOver => calls::close_handed_over(&mut tx, call, before).await?,
    };
    tx.commit().await?;
    Ok(closed)
}
