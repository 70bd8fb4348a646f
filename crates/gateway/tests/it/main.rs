//! The gateway from outside: HTTP through its router, media sockets over a real loopback socket, PostgreSQL for real.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test whose world is not as it must be has failed"
)]

mod admin;
mod api;
mod media;
mod media_bad_input;
mod realtime;
mod recordings;
mod transfers;
mod webhooks;
mod world;
