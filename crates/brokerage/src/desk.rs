//! Opens the desk of a call: its store, its tools, its prompt, and what was said before.

use crate::{
    hours::ViewingHours,
    ledger::CallLedger,
    prompt,
    spool::{Pace, SpoolingStore},
    tools::{Bench, Tool},
};
use async_trait::async_trait;
use seiketsu_domain::{AgentProfile, CallId, Clock, IdSource, Message, TenantScope};
use seiketsu_session::{CallDesk, Desk, OpenCall, StoreFailure};
use seiketsu_storage::{Db, DbError, turns};
use std::sync::Arc;
use tokio_util::task::TaskTracker;

/// Desks for real-estate calls. Made once; cheap to clone.
#[derive(Debug, Clone)]
pub struct BrokerageDesk {
    db: Db,
    clock: Arc<dyn Clock>,
    ids: IdSource,
    writers: TaskTracker,
}

impl BrokerageDesk {
    /// Desks over a database. Writers of spooled turns run on `writers`: whoever drains waits for it, and thereby for
    /// everything that was finished and not yet committed.
    pub fn new(db: Db, clock: Arc<dyn Clock>, ids: IdSource, writers: TaskTracker) -> Self {
        Self { db, clock, ids, writers }
    }

    async fn history(&self, scope: &TenantScope, call: CallId) -> Result<(Vec<Message>, u32), DbError> {
        let mut tx = self.db.tenant(scope).await?;
        let messages = turns::transcript(&mut tx, call).await?;
        let first_turn = turns::last_number(&mut tx, call).await?.map_or(0, |last| last.saturating_add(1));
        Ok((messages, first_turn))
    }
}

#[async_trait]
impl Desk for BrokerageDesk {
    async fn open(&self, call: OpenCall) -> Result<CallDesk, StoreFailure> {
        let hours =
            ViewingHours::in_zone(&call.agent.time_zone).map_err(|error| StoreFailure(error.to_string()))?;
        // A new call needs nothing that is only in the database: it can be answered while that is away.
        let (history, first_turn) = if call.resumed {
            self.history(&call.scope, call.call_id).await.map_err(|error| StoreFailure(error.to_string()))?
        } else {
            (Vec::new(), 0)
        };
        let system_prompt =
            prompt::system_prompt(&call.agent, hours.zone(), call.caller.as_ref(), self.clock.now());
        let ledger = CallLedger {
            db: self.db.clone(),
            scope: call.scope,
            call_id: call.call_id,
            clock: Arc::clone(&self.clock),
        };
        let store = SpoolingStore::new(call.call_id, ledger, Pace::STANDARD, self.writers.clone());
        let bench = Bench {
            db: self.db.clone(),
            scope: call.scope,
            call_id: call.call_id,
            caller: call.caller,
            hours,
            ids: self.ids.clone(),
            clock: Arc::clone(&self.clock),
            allowed: allowed(&call.agent),
        };
        Ok(CallDesk { store: Arc::new(store), tools: Arc::new(bench), system_prompt, history, first_turn })
    }
}

/// The agent's tools, each once; names that no tool has are ignored.
fn allowed(agent: &AgentProfile) -> Vec<Tool> {
    Tool::ALL.into_iter().filter(|tool| agent.tools.iter().any(|name| name == tool.name())).collect()
}
