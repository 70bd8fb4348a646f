//! The tokio shell that drives one call.
//!
//! One task per call: it reads the door, the recogniser, the language model, the voice, the tools and the engine's own
//! timer, hands each to [`seiketsu_call::Call`], and carries out what the engine answers. Everything that is decided is
//! decided in the engine; everything that waits, waits here.
//!
//! It refuses to be: a place for turn logic, SQL, HTTP or vendor protocols.
//!
//! Architecture Invariant: a session spawns no task that outlives it, every channel is bounded, and no lock is held
//! across an await.

mod activity;
mod door;
mod listener;
mod measure;
mod mouth;
mod phrases;
mod plan;
mod ports;
mod run;
mod sentences;
mod service;
mod trim;

pub use door::{Door, DoorInput, DoorOutput};
pub use measure::LATENCY_BUCKETS_SECONDS;
pub use ports::{CallDesk, CallStore, Desk, OpenCall, StoreFailure, Telephony, ToolHost};
pub use seiketsu_audio::frame::GapFiller;
pub use seiketsu_providers::twilio::signature as twilio_signature;
pub use service::{BeginCall, Providers, Refused, SessionOptions, Sessions};
