//! What a session needs from the world, as traits that the binary wires.

use async_trait::async_trait;
use seiketsu_domain::{
    AgentProfile, CallEnd, CallId, Message, Pii, TenantScope, ToolOutcome, ToolSpec, TurnRecord,
    phone::PhoneNumber,
};
use std::{fmt::Debug, sync::Arc};

/// The store could not be reached or refused; the text is for the log.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the call store failed: {0}")]
pub struct StoreFailure(pub String);

/// Keeps one call. Bound to its tenant and call when it is made, so no method takes either.
#[async_trait]
pub trait CallStore: Send + Sync + Debug {
    /// Commits a finished turn; returns once it is durable, or waits in a bounded spool because the database is away.
    /// Idempotent by turn number.
    async fn commit_turn(&self, turn: &TurnRecord) -> Result<(), StoreFailure>;
    /// Commits the end of the call: exactly one call record and one usage record, however often it is asked.
    async fn end(&self, end: &CallEnd) -> Result<(), StoreFailure>;
    /// Says that this replica still holds the call.
    async fn heartbeat(&self);
}

/// Runs tools. Bound to one tenant and call, which therefore never come from a model's arguments.
#[async_trait]
pub trait ToolHost: Send + Sync + Debug {
    /// The tools this agent may use, as the model is told of them.
    fn specs(&self) -> Vec<ToolSpec>;
    /// Runs one. `arguments` is what the model wrote: untrusted, perhaps not even JSON.
    async fn run(&self, name: &str, arguments: &str) -> ToolOutcome;
}

/// Everything that belongs to one call, opened when it begins.
#[derive(Debug)]
pub struct CallDesk {
    /// Where its turns go.
    pub store: Arc<dyn CallStore>,
    /// What its agent can do.
    pub tools: Arc<dyn ToolHost>,
    /// What the language model is told before the conversation.
    pub system_prompt: String,
    /// What was said before, when a cut call comes back.
    pub history: Vec<Message>,
    /// The number of the first turn: 0 for a new call, more for one that comes back.
    pub first_turn: u32,
}

/// A call about to begin.
#[derive(Debug, Clone)]
pub struct OpenCall {
    /// The tenant, as storage vouched for it.
    pub scope: TenantScope,
    /// The call record, already begun.
    pub call_id: CallId,
    /// The agent that answers.
    pub agent: AgentProfile,
    /// Who calls, where known.
    pub caller: Option<Pii<PhoneNumber>>,
    /// Whether this call was cut and comes back with its history.
    pub resumed: bool,
}

/// Opens the desk of a call. Made once; the real-estate one lives in `brokerage`.
#[async_trait]
pub trait Desk: Send + Sync + Debug {
    /// Opens the desk; loads the history of a call that comes back.
    async fn open(&self, call: OpenCall) -> Result<CallDesk, StoreFailure>;
}

/// Ends calls at the telephone company.
#[async_trait]
pub trait Telephony: Send + Sync + Debug {
    /// Hangs up; failures are logged by the implementation, the call is over for us either way.
    async fn hang_up(&self, vendor_call_sid: &str);
}
