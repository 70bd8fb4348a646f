//! The gateway from outside: HTTP through its router, media sockets over a real loopback socket, PostgreSQL for real.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test whose world is not as it must be has failed"
)]

mod admin;
mod api;
mod live_calls;
mod media;
mod media_bad_input;
mod reading;
mod realtime;
mod recordings;
mod sign_in;
mod speech;
mod transfers;
mod webhooks;
mod world;
