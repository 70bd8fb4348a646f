//! Several places for each kind of work, which of them is well, and which comes next.
//!
//! A *route* is one configured place: a client at an endpoint (for a language model: one model at an endpoint). Each has
//! a [`Breaker`], which is told how requests end and whether the vendor answers at all. [`Failover`] knows all routes of
//! the process: it probes those that are not well ([`Failover::watch`]) and shows how they are ([`Failover::status`]).
//! [`Routes`] and [`Models`] put them in order, best first, and answer "who is next?".
//!
//! What it refuses to be: a loop that retries. Whoever asks knows how much of a turn's time is left, asks one route, and
//! says how that went with an [`Attempt`].
//!
//! Invariants:
//! - with at least one route there is always one to try, however many breakers are open;
//! - a request that was refused because of what it asked for ([`FailureKind::BadRequest`](crate::FailureKind::BadRequest))
//!   says nothing about the vendor, so one tenant's mistake takes no route from the others;
//! - a request that is still waiting after [`Patience::stall`] counts as failed, so a vendor that hangs is noticed
//!   without waiting for its deadline;
//! - a request that has been silent for a suspiciously long time has a probe sent while it goes on waiting;
//! - a breaker that is not closed has a probe due or on its way, so recovery needs no traffic.
//!
//! To add a route: one more [`Service`] in the list the binary wires, with the [`Patience`] that suits it.

mod breaker;
mod health;
mod latencies;
mod models;
mod probe;
mod registry;
mod routes;

pub use breaker::{Breaker, Outcome, Position};
pub use health::{Attempt, Kind, LastFailure, Patience, RouteHealth, RouteStatus};
pub use models::{ModelEndpoint, ModelRoute, Models};
pub use probe::{ModelProbe, Probe, RecogniserProbe, VoiceProbe};
pub use registry::Failover;
pub use routes::{Route, Routes, Service};
