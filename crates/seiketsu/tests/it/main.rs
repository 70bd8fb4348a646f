//! The binary as its users run it: real sockets, real PostgreSQL, the vendors' own protocols.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on must fail loudly")]

mod api_door;
mod command_line;
mod console;
mod failures;
mod infra;
mod kills;
mod openapi;
mod pg_proxy;
mod platform;
mod recordings;
mod spoken_call;
mod stages;
mod worker;
