//! The brokerage on a real PostgreSQL, through the ports a session uses.

#![expect(clippy::unwrap_used, reason = "a test whose world cannot be set up must fail loudly")]

mod booking;
mod changes;
mod demo;
mod leads;
mod listings;
mod mail;
mod people;
mod recovery;
mod store;
#[path = "../../src/test_support.rs"]
mod test_support;
mod world;
