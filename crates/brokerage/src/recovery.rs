//! Closes the records of calls whose replica died.
//!
//! A replica says every few seconds that it is alive, and so does each call it holds. A call for which neither has been
//! said for [`STALE_AFTER`] is held by nobody: its record is closed with [`EndReason::ReplicaLost`] and one usage record
//! over the turns that were committed.
//!
//! Architecture Invariant: a call that anybody holds is never closed from here. After an outage of the database all
//! heartbeats are old for a moment; therefore the service closes only what it has seen orphaned in two looks, a period
//! apart, and storage looks once more in the transaction that closes.

use jiff::{SignedDuration, Timestamp};
use seiketsu_domain::{CallEnd, CallId, CallTime, Clock, EndReason, ReplicaId, TenantScope};
use seiketsu_storage::{Db, DbError, Reason, calls, platform, turns};
use std::{collections::BTreeSet, sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;

/// How long a replica and a call may be silent before the call counts as orphaned.
pub const STALE_AFTER: SignedDuration = SignedDuration::from_secs(30);
/// How long a call of a living replica may be silent: its media socket never came, or was cut and did not come back.
pub const ABANDONED_AFTER: SignedDuration = SignedDuration::from_secs(120);
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
    reason: EndReason,
    /// It is closed only if it has not been held since.
    stale_before: Timestamp,
}

async fn look(db: &Db, replica: ReplicaId, now: Timestamp) -> Result<Vec<Orphan>, DbError> {
    let mut tx = db.system(Reason::RecoverCalls).await?;
    let stale_before = now - STALE_AFTER;
    let lost = platform::orphaned_calls(&mut tx, stale_before).await?;
    let abandoned_before = now - ABANDONED_AFTER;
    let abandoned = platform::abandoned_calls(&mut tx, replica, abandoned_before).await?;
    tx.commit().await?;
    let lost = lost.into_iter().map(|(scope, call)| Orphan {
        scope,
        call,
        reason: EndReason::ReplicaLost,
        stale_before,
    });
    let abandoned = abandoned.into_iter().map(|(scope, call)| Orphan {
        scope,
        call,
        reason: EndReason::Failure,
        stale_before: abandoned_before,
    });
    Ok(lost.chain(abandoned).collect())
}

/// `false` if somebody ended it, or holds it again.
async fn close(db: &Db, orphan: &Orphan) -> Result<bool, DbError> {
    let mut tx = db.tenant(&orphan.scope).await?;
    // Before its turns are counted: a writer that wakes up now commits before, and is counted, or after.
    if !calls::lock(&mut tx, orphan.call).await? {
        return Ok(false);
    }
    let Some(call) = calls::get(&mut tx, orphan.call).await? else { return Ok(false) };
    let committed = turns::committed(&mut tx, orphan.call).await?;
    // It was alive when its last turn was over and when it was last held, whichever is later.
    let held = call.heartbeat_at.duration_since(call.started_at).as_micros();
    let held = CallTime::from_micros(u64::try_from(held).unwrap_or(0));
    let end = CallEnd {
        reason: orphan.reason,
        ended_at: committed.last_finished_at.max(held),
        turns: committed.turns,
        usage: committed.usage,
    };
    let closed = calls::end_orphan(&mut tx, orphan.call, &end, orphan.stale_before).await?;
    tx.commit().await?;
    Ok(closed)
}
