//! The vendors of the sandbox, driven by the platform's own clients; raw sockets only for what those never do.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking, in its helpers too")]

mod behaviour;
mod language_model;
mod outages;
mod raw;
mod recogniser;
mod scribe;
mod socket;
mod speech;
mod support;
mod transcription;
mod voice;
