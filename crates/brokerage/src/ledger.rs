//! The writes of one call, on PostgreSQL.

use crate::spool::{Ledger, WriteFailure};
use async_trait::async_trait;
use seiketsu_domain::{CallEnd, CallId, Clock, TenantScope, TurnRecord, Usage};
use seiketsu_storage::{Db, DbError, calls, turns};
use std::{sync::Arc, time::Duration};

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

#[async_trait]
impl Ledger for CallLedger {
    async fn commit_turn(&self, turn: &TurnRecord) -> Result<(), WriteFailure> {
        let mut tx = self.db.tenant(&self.scope).await?;
        turns::commit_turn(&mut tx, self.call_id, turn).await?;
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
