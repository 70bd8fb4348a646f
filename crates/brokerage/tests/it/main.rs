//! The brokerage on a real PostgreSQL, through the ports a session uses.

#![expect(clippy::unwrap_used, reason = "a test whose world cannot be set up must fail loudly")]

mod booking;
mod demo;
mod leads;
mod listings;
mod recovery;
mod store;
#[path = "../../src/test_support.rs"]
mod test_support;
mod world;
