//! The brokerage on a real PostgreSQL, through the ports a session uses.

mod booking;
mod demo;
mod leads;
mod listings;
mod recovery;
mod store;
mod world;
