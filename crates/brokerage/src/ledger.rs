//! The writes of one call, on PostgreSQL.

use crate::spool::{Ledger, WriteFailure};
use async_trait::async_trait;
use seiketsu_domain::{CallEnd, CallId, Clock, TenantScope, TurnRecord};
use seiketsu_storage::{Db, DbError, calls, turns};
use std::sync::Arc;

/// Where one call is kept. Each write is a transaction of its own and may be repeated: storage counts turns by number
/// and ends a call once.
#[derive(Debug)]
pub(crate) struct CallLedger {
    pub(crate) db: Db,
    pub(crate) scope: TenantScope,
    pub(crate) call_id: CallId,
    pub(crate) clock: Arc<dyn Clock>,
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
        if !calls::end_call(&mut tx, self.call_id, end).await? {
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
