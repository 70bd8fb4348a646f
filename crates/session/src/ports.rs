//! What a session needs from the world, as traits that the binary wires.

use async_trait::async_trait;
use bytes::Bytes;
use seiketsu_call::AlignedChar;
use seiketsu_domain::{
    AgentProfile, AudioFormat, CallEnd, CallId, Message, PhoneNumber, Pii, TenantId, TenantScope,
    ToolOutcome, ToolSpec, TurnRecord,
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
    /// The telephone company holds the call from now on: it connects the caller with a human. The record stays open,
    /// and recovery leaves it alone until that is over.
    async fn hand_over(&self) -> Result<(), StoreFailure>;
}

/// Runs tools. Bound to one tenant and call, which therefore never come from a model's arguments.
#[async_trait]
pub trait ToolHost: Send + Sync + Debug {
    /// The tools this agent may use, as the model is told of them.
    fn specs(&self) -> Vec<ToolSpec>;
    /// Runs one. `arguments` is what the model wrote: untrusted, perhaps not even JSON.
    async fn run(&self, name: &str, arguments: &str) -> ToolOutcome;
    /// Where the caller is to be put through to, once a tool of this call has arranged it. The number never passes
    /// through the model.
    fn transfer_target(&self) -> Option<PhoneNumber> {
        None
    }
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
    /// Where the call is recorded, if its tenant records: only once the caller has agreed.
    pub recording: Option<Arc<dyn RecordingSink>>,
}

/// Opens the recording of one call. Bound to its tenant and call when it is made.
#[async_trait]
pub trait RecordingSink: Send + Sync + Debug {
    /// Whether the caller agreed earlier in this call: it was cut while it was being recorded, and goes on being
    /// recorded without another question.
    fn agreed(&self) -> bool {
        false
    }
    /// Begins a part of the recording: the caller has agreed, or a call that was cut comes back.
    async fn begin(&self, format: AudioFormat) -> Result<Box<dyn RecordingWriter>, StoreFailure>;
    /// The caller does not agree any more: nothing of the call is kept, whichever of its sessions wrote it. Asked for when
    /// no part is being written; may be repeated. Once it returns, nobody can listen to any of it.
    async fn withdraw(&self) -> Result<(), StoreFailure>;
}

/// Writes one part of a recording. What was written is kept even if the process dies before `finish`; a writer that is
/// dropped has not finished, and writes nothing more.
#[async_trait]
pub trait RecordingWriter: Send + Debug {
    /// More of it: equally long stretches of what the caller said and of what the caller heard.
    async fn write(&mut self, caller: Bytes, agent: Bytes) -> Result<(), StoreFailure>;
    /// The part is complete.
    async fn finish(self: Box<Self>) -> Result<(), StoreFailure>;
    /// The part ends here although the conversation goes on. What was written is kept and marked as incomplete.
    async fn abandon(self: Box<Self>) -> Result<(), StoreFailure>;
}

/// SHA-256 of everything that changes how a fixed sentence sounds.
pub type PhraseDigest = [u8; 32];

/// A fixed sentence as it was spoken, leading silence trimmed.
#[derive(Debug, Clone, PartialEq)]
pub struct SpokenPhrase {
    /// What it is known by.
    pub digest: PhraseDigest,
    /// In the format that went into the digest.
    pub audio: Bytes,
    /// When each character sounds.
    pub alignment: Vec<AlignedChar>,
}

/// Keeps the fixed sentences of tenants' agents beyond the life of a replica. What it cannot do costs time, never a call.
#[async_trait]
pub trait PhraseCache: Send + Sync + Debug {
    /// Those of the sentences that are kept.
    async fn load(
        &self,
        scope: &TenantScope,
        digests: &[PhraseDigest],
    ) -> Result<Vec<SpokenPhrase>, StoreFailure>;
    /// Those that are not.
    async fn missing(
        &self,
        scope: &TenantScope,
        digests: &[PhraseDigest],
    ) -> Result<Vec<PhraseDigest>, StoreFailure>;
    /// Keeps one.
    async fn keep(&self, scope: &TenantScope, phrase: &SpokenPhrase) -> Result<(), StoreFailure>;
}

/// How a call comes to a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// For the first time.
    New,
    /// It was cut, and comes back with its history.
    Cut,
    /// It was to be put through to a human, nobody took it, and it comes back with its history.
    NotPutThrough,
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
    /// Whether it is new or comes back.
    pub arrival: Arrival,
}

/// Opens the desk of a call. Made once; the real-estate one lives in `brokerage`.
#[async_trait]
pub trait Desk: Send + Sync + Debug {
    /// Opens the desk; loads the history of a call that comes back.
    async fn open(&self, call: OpenCall) -> Result<CallDesk, StoreFailure>;
}

/// A caller to be put through to a human.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transfer {
    /// Whose call.
    pub tenant: TenantId,
    /// Which call.
    pub call_id: CallId,
    /// The telephone company's id of it.
    pub vendor_call_sid: String,
    /// Whom to ring: a number from the tenant's own list.
    pub to: PhoneNumber,
}

/// Ends and redirects calls at the telephone company.
#[async_trait]
pub trait Telephony: Send + Sync + Debug {
    /// Puts the caller through. After an error the call is still ours: it comes back as [`Arrival::NotPutThrough`].
    async fn transfer(&self, transfer: &Transfer) -> Result<(), StoreFailure>;
    /// Hangs up; failures are logged by the implementation, the call is over for us either way.
    async fn hang_up(&self, vendor_call_sid: &str);
}
