//! The tokio shell that drives one call.
//!
//! One task per call: it reads the door, the recogniser, the language model, the voice, the tools and the engine's own
//! timer, hands each to [`seiketsu_call::Call`], and carries out what the engine answers. Everything that is decided is
//! decided in the engine; everything that waits, waits here.
//!
//! It refuses to be: a place for turn logic, SQL, HTTP or vendor protocols.
//!
//! Architecture Invariant: a session spawns no task that outlives it but the writer of its recording, which ends within
//! ten seconds and which a drain waits for; every channel is bounded, and no lock is held across an await.

pub mod activity;
mod archive;
mod convert;
mod door;
pub mod echo;
mod links;
mod listener;
mod measure;
mod mouth;
mod phrases;
mod plan;
mod ports;
mod recorder;
mod run;
mod sentences;
mod service;
mod thinking;
mod trim;

pub use archive::{ArchiveFailure, OpenRecording, RecordingArchive, RecordingReader};
pub use door::{Door, DoorInput, DoorOutput, DoorResponse, DoorUpdate, ResponsePlace, Shown};
pub use measure::LATENCY_BUCKETS_SECONDS;
pub use ports::{
    Arrival, CallDesk, CallStore, Desk, OpenCall, PhraseCache, PhraseDigest, RecordingSink, RecordingWriter,
    SpokenPhrase, StoreFailure, Telephony, ToolHost, Transfer,
};
pub use seiketsu_audio::frame::GapFiller;
pub use seiketsu_call::{AsideEvent, ClientAct, Finish, Progress, Speaker, Turns};
pub use seiketsu_providers::failover::{Failover, RouteStatus};
pub use seiketsu_providers::twilio::signature as twilio_signature;
pub use sentences::bridges;
pub use service::{BeginCall, Providers, Refused, SessionOptions, Sessions};
