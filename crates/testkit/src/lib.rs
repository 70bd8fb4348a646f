//! For tests only: a database per test, two tenants in it, a clock that stands still, ids that repeat.
//!
//! One PostgreSQL cluster serves a whole run: `with-test-cluster -- cargo nextest run …` starts it, names it in
//! [`VARIABLE`], and stops it. The first test to come makes a template database, keyed by a hash of the migrations; every
//! [`TestDb`] is a copy of it, deleted when it is dropped. Nothing here is for production, and whatever cannot be set up
//! panics: a test without its world has failed.
//!
//! [`corpus`] makes telephone sound with known truth for the measurements and tests of voice activity and echo.
//!
//! To add one more persona: a field of [`World`] and a line in [`World::new`].

#![expect(clippy::expect_used, clippy::panic, reason = "a test that cannot be set up must fail loudly")]

mod clock;
pub mod corpus;
mod database;
mod personas;

pub use clock::{FakeClock, ids};
pub use database::{TestDb, VARIABLE, prepare_template};
pub use personas::{Persona, World};
