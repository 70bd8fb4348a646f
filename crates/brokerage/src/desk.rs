//! Opens the desk of a call: its store, its tools, its prompt, and what was said before.

use crate::{
    hours::ViewingHours,
    ledger::{Before, CallLedger},
    notebook::Notebook,
    prompt,
    recording::Recordings,
    spool::{Pace, SpoolingStore, Spools},
    tools::{Bench, Tool},
};
use async_trait::async_trait;
use seiketsu_domain::{AgentProfile, CallId, Clock, IdSource, Message, TenantScope};
use seiketsu_session::{Arrival, CallDesk, Desk, OpenCall, RecordingSink, StoreFailure};
use seiketsu_storage::{Db, DbError, calls, settings, turns};
use std::{sync::Arc, time::Duration};
use tokio_util::task::TaskTracker;

/// How long a call waits to learn whether it is recorded. After that it is not: the caller is not kept waiting for it.
const SETTINGS_PATIENCE: Duration = Duration::from_millis(300);
/// How long a call that comes back waits until what its last session here had to write is written. What is written later
/// is kept, but the agent does not know of it.
const SPOOL_PATIENCE: Duration = Duration::from_secs(2);

/// Desks for real-estate calls. Made once; cheap to clone.
#[derive(Debug, Clone)]
pub struct BrokerageDesk {
    db: Db,
    clock: Arc<dyn Clock>,
    ids: IdSource,
    writers: TaskTracker,
    spools: Spools,
    recordings: Option<Recordings>,
}

impl BrokerageDesk {
    /// Desks over a database. Writers of spooled turns run on `writers`: whoever drains waits for it, and thereby for
    /// everything that was finished and not yet committed.
    pub fn new(db: Db, clock: Arc<dyn Clock>, ids: IdSource, writers: TaskTracker) -> Self {
        Self { db, clock, ids, writers, spools: Spools::default(), recordings: None }
    }

    /// Desks that record the calls of tenants which want that.
    #[must_use]
    pub fn recording(self, recordings: Recordings) -> Self {
        Self { recordings: Some(recordings), ..self }
    }

    async fn history(
        &self,
        scope: &TenantScope,
        call: CallId,
    ) -> Result<(Vec<Message>, u32, Before), DbError> {
        if tokio::time::timeout(SPOOL_PATIENCE, self.spools.are_written(call)).await.is_err() {
            tracing::warn!(%call, "a call comes back before all of it is written: its agent may have forgotten something");
        }
        let mut tx = self.db.tenant(scope).await?;
        let messages = turns::transcript(&mut tx, call).await?;
        let first_turn = turns::last_number(&mut tx, call).await?.map_or(0, |last| last.saturating_add(1));
        let committed = turns::committed(&mut tx, call).await?;
        let record = calls::get(&mut tx, call).await?.ok_or(DbError::Missing { what: "call" })?;
        let elapsed = self.clock.now().duration_since(record.started_at);
        let before = Before {
            // A clock that was set back meanwhile.
            elapsed: elapsed.try_into().unwrap_or_default(),
            turns: committed.turns,
            usage: committed.usage,
        };
        Ok((messages, first_turn, before))
    }

    /// Where the call is recorded, if its tenant records. Whatever stands in the way of finding out (the database is away
    /// or slow), the call is answered, and not recorded.
    async fn recording_of(&self, call: &OpenCall) -> Option<Arc<dyn RecordingSink>> {
        let recordings = self.recordings.as_ref()?;
        let find = async {
            let mut tx = self.db.tenant(&call.scope).await.map_err(|error| error.to_string())?;
            let settings = settings::get(&mut tx).await.map_err(|error| error.to_string())?;
            tx.commit().await.map_err(|error| error.to_string())?;
            if !settings.records_calls {
                return Ok(None);
            }
            let days = settings.recording_retention_days;
            let sink = recordings.sink(call.scope, call.call_id, call.arrival, days).await;
            sink.map_err(|error| error.to_string())
        };
        match tokio::time::timeout(SETTINGS_PATIENCE, find).await {
            Ok(Ok(sink)) => sink,
            Ok(Err(why)) => {
                tracing::warn!(call = %call.call_id, %why, "a call is not recorded");
                None
            }
            Err(_) => {
                tracing::warn!(call = %call.call_id, "a call is not recorded: the database took too long");
                None
            }
        }
    }
}

#[async_trait]
impl Desk for BrokerageDesk {
    async fn open(&self, call: OpenCall) -> Result<CallDesk, StoreFailure> {
        let hours =
            ViewingHours::in_zone(&call.agent.time_zone).map_err(|error| StoreFailure(error.to_string()))?;
        // A new call needs nothing that is only in the database: it can be answered while that is away.
        let (history, first_turn, before) = match call.arrival {
            Arrival::New => (Vec::new(), 0, Before::default()),
            Arrival::Cut | Arrival::NotPutThrough => self
                .history(&call.scope, call.call_id)
                .await
                .map_err(|error| StoreFailure(error.to_string()))?,
        };
        let recording = self.recording_of(&call).await;
        let system_prompt =
            prompt::system_prompt(&call.agent, hours.zone(), call.caller.as_ref(), self.clock.now());
        let ledger = CallLedger {
            db: self.db.clone(),
            scope: call.scope,
            call_id: call.call_id,
            clock: Arc::clone(&self.clock),
            before,
        };
        let store =
            SpoolingStore::new(call.call_id, ledger, Pace::STANDARD, self.writers.clone(), &self.spools);
        let bench = Bench {
            db: self.db.clone(),
            scope: call.scope,
            call_id: call.call_id,
            caller: call.caller,
            agent_name: call.agent.name.clone(),
            brokerage_name: call.agent.brokerage_name.clone(),
            language: call.agent.language,
            notebook: Notebook::of(&history),
            hours,
            ids: self.ids.clone(),
            clock: Arc::clone(&self.clock),
            allowed: allowed(&call.agent),
        };
        Ok(CallDesk {
            store: Arc::new(store),
            tools: Arc::new(bench),
            system_prompt,
            history,
            first_turn,
            recording,
        })
    }
}

/// The agent's tools, each once; names that no tool has are ignored.
fn allowed(agent: &AgentProfile) -> Vec<Tool> {
    Tool::ALL.into_iter().filter(|tool| agent.tools.iter().any(|name| name == tool.name())).collect()
}
