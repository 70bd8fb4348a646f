//! The words every crate of Seiketsu shares.
//!
//! Values only: typed ids, the tenant scope, what an agent is, what a turn was, money, time. No IO, no async, no SQL,
//! no HTTP. If two crates need the same noun, it lives here once, under the name the glossary gives it.
//!
//! Invariants:
//! - an id is never a bare `Uuid` or `String` in a signature ([`ids`]);
//! - a [`TenantScope`] exists only because `storage` vouched for it;
//! - what a caller said or who they are is wrapped in [`Pii`] until it reaches the database or the wire;
//! - units are in the name (`_ms`, [`MicroDollars`], [`CallTime`] in microseconds).
//!
//! To add one more id: one line in [`ids`]. To add one more stage of a turn: a variant in [`turn::Stage`], and the
//! compiler shows every place that has to say something about it.

pub mod agent;
pub mod audio_format;
pub mod clock;
pub mod ids;
pub mod language;
pub mod money;
pub mod phone;
pub mod pii;
pub mod schema;
pub mod tenant;
pub mod tool;
pub mod transcript;
pub mod turn;
pub mod usage;

pub use agent::{AgentProfile, ModelChoice, ModelFallback, VoiceChoice};
pub use audio_format::AudioFormat;
pub use clock::{CallTime, Clock, IdSource, SystemClock};
pub use ids::{AgentId, CallId, LeadId, ListingId, MemberId, NumberRouteId, ReplicaId, TenantId, ViewingId};
pub use language::Language;
pub use money::MicroDollars;
pub use phone::PhoneNumber;
pub use pii::Pii;
pub use tenant::TenantScope;
pub use tool::{ToolChoice, ToolOutcome, ToolRun, ToolSpec};
pub use transcript::Message;
pub use turn::{CallEnd, EndReason, Stage, Timeline, TurnOutcome, TurnRecord};
pub use usage::Usage;
