//! The writes of one call, on PostgreSQL.

use crate::spool::{Ledger, WriteFailure};
use async_trait::async_trait;
use seiketsu_domain::{CallEnd, CallId, Clock, TenantScope, TurnRecord, Usage};
use seiketsu_storage::{Db, DbError, TenantTx, calls, turns};
use std::{sync::Arc, time::Duration};

/// Turns whose number another session of their call had taken.
const MOVED: &str = "seiketsu_turns_moved_total";
/// Another session may take the number that was free a moment ago; so often, it is something else.
const NUMBERS_TRIED: u32 = 8;

/// Where one call is kept. Each write is a transaction of its own and may be repeated: storage counts turns by number
/// and ends a call once.
#[derive(Debug)]
pub(crate) struct CallLedger {
    pub(crate) db: Db,
    pub(crate) scope: TenantScope,
    pub(crate) call_id: CallId,
    pub(crate) clock: Arc<dyn Clock>,
    /// What the call had come to when it came to its session.
    pub(crate) before: Before,
}

/// What a call that comes back had come to before. Its session counts from zero; the call does not.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Before {
    /// How long ago it had begun.
    pub(crate) elapsed: Duration,
    /// Turns that were committed.
    pub(crate) turns: u32,
    /// What they consumed.
    pub(crate) usage: Usage,
}

impl Before {
    /// The end of the whole call, of which `end` is the end of the last session.
    fn and(&self, end: &CallEnd) -> CallEnd {
        let mut usage = self.usage;
        usage.add(&end.usage);
        CallEnd {
            reason: end.reason,
            ended_at: end.ended_at + self.elapsed,
            turns: self.turns.saturating_add(end.turns),
            usage,
        }
    }
}

impl CallLedger {
    /// The turn's number is taken. Either by the turn itself: it was committed before, and we were not told. Or by one of
    /// another session of the call: that of a session before, which waited for the database while the call came back, or
    /// of the one after. Then it goes behind all others; what was said is worth more than its place.
    async fn commit_elsewhere(&self, tx: &mut TenantTx, turn: &TurnRecord) -> Result<(), WriteFailure> {
        let is_it = |other: &TurnRecord| {
            // Its number may be another. Nobody starts and ends a turn twice in the same microseconds.
            (other.started_at, other.finished_at, other.outcome)
                == (turn.started_at, turn.finished_at.max(turn.started_at), turn.outcome)
                && other.usage == turn.usage
        };
        if turns::turns(tx, self.call_id).await?.iter().any(is_it) {
            return Ok(());
        }
        for _ in 0..NUMBERS_TRIED {
            let last = turns::last_number(tx, self.call_id).await?;
            let number = last.map_or(0, |last| last.saturating_add(1));
            if turns::commit_turn(tx, self.call_id, &TurnRecord { number, ..turn.clone() }).await? {
                metrics::counter!(MOVED).increment(1);
                tracing::error!(
                    call = %self.call_id,
                    number = turn.number,
                    now = number,
                    "two sessions of a call have turns of the same number; one is kept behind all others"
                );
                return Ok(());
            }
        }
        Err(WriteFailure::Refused(format!("no number is free for turn {}", turn.number)))
    }
}

#[async_trait]
impl Ledger for CallLedger {
    async fn commit_turn(&self, turn: &TurnRecord) -> Result<(), WriteFailure> {
        let mut tx = self.db.tenant(&self.scope).await?;
        if !turns::commit_turn(&mut tx, self.call_id, turn).await? {
            self.commit_elsewhere(&mut tx, turn).await?;
        }
        Ok(tx.commit().await?)
    }

    async fn end(&self, end: &CallEnd) -> Result<(), WriteFailure> {
        let mut tx = self.db.tenant(&self.scope).await?;
        if !calls::end_call(&mut tx, self.call_id, &self.before.and(end)).await? {
            tracing::debug!(call = %self.call_id, "the call had been ended before");
        }
        Ok(tx.commit().await?)
    }

    async fn hand_over(&self) -> Result<(), WriteFailure> {
        let mut tx = self.db.tenant(&self.scope).await?;
        if !calls::hand_over(&mut tx, self.call_id, self.clock.now()).await? {
            return Err(WriteFailure::Refused("the call has ended".to_owned()));
        }
        Ok(tx.commit().await?)
    }

    async fn heartbeat(&self) -> Result<(), WriteFailure> {
        let mut tx = self.db.tenant(&self.scope).await?;
        if !calls::heartbeat(&mut tx, self.call_id, self.clock.now()).await? {
            return Err(WriteFailure::Refused("the call has ended".to_owned()));
        }
        Ok(tx.commit().await?)
    }
}

impl From<DbError> for WriteFailure {
    fn from(error: DbError) -> Self {
        if error.is_away() { Self::Away(error.to_string()) } else { Self::Refused(error.to_string()) }
    }
}
