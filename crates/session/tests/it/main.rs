//! Sessions over vendors, a desk and a door that a test holds in its hand.

#![expect(clippy::expect_used, clippy::panic, reason = "a test that cannot be set up must fail loudly")]

mod doors;
mod ends;
mod failover;
mod links;
mod phrases;
mod places;
mod world;
