//! The vendors a call depends on, behind three traits: [`Recogniser`], [`LanguageModel`] and [`Voice`].
//!
//! | trait | first choice | further ones |
//! |---|---|---|
//! | [`Recogniser`] | [`deepgram`] | [`elevenlabs::scribe`], [`openai::transcription`] |
//! | [`LanguageModel`] | [`openai`] | every server that speaks the same protocol |
//! | [`Voice`] | [`elevenlabs`] | [`openai::speech`] |
//!
//! Per vendor there is a pure half, `wire` (bytes in, typed values out, and the other way round; never panics, bounded),
//! and a half with sockets, `client` (deadlines, keep-alives, classification of everything that goes wrong into a
//! [`Failure`]). A base URL is all that differs between a vendor and a loopback server that speaks its protocol. Which of
//! them is well enough to be asked is kept in [`failover`]; [`probe`] asks each one once, on demand.
//!
//! What a client refuses to be: a place for retries, fallbacks or anything else that needs to know how much time a turn
//! has left. A failure says whether asking again makes sense ([`Failure::retry`]); whoever owns the deadline decides.
//!
//! Invariants:
//! - every wait on a vendor has a deadline, and every queue and message a limit;
//! - a connection whose other end falls silent in mid-stream is noticed by what it owes (an answer, the next piece), in less than
//!   two seconds with the defaults, and never by a time-out of TCP;
//! - no bytes from a vendor can make a parser panic: each has a fuzz target and a replayed corpus;
//! - a session that ends without being asked to says why, once, as its last event;
//! - dropping what a client returned frees its connection;
//! - keys are never in a `Debug` text or a log line; what was said is logged nowhere.
//!
//! To add one more vendor: a variant of [`Vendor`], a module with `wire.rs` and `client.rs` that implements one of the
//! traits (for a recogniser behind a WebSocket a `Dialect` of `live.rs` is enough), a fuzz target for what `wire.rs`
//! parses with a corpus beside it, and a line in `tests/corpus.rs`.

mod alarm;
pub mod deepgram;
pub mod elevenlabs;
pub mod failover;
pub mod failure;
mod g711;
mod http_status;
pub mod language_model;
mod live;
pub mod openai;
mod outbox;
pub mod probe;
pub mod recogniser;
pub mod twilio;
pub mod voice;
mod websocket;

#[cfg(test)]
mod fake;

pub use failure::{Failure, FailureKind, Retry, Vendor};
pub use language_model::{
    FinishReason, Generation, GenerationEvent, GenerationRequest, LanguageModel, TokenUsage,
};
pub use recogniser::{Recogniser, RecogniserInput, RecogniserOptions, RecogniserSession, RecognitionEvent};
pub use voice::{AlignedChar, SynthesisId, Voice, VoiceEvent, VoiceInput, VoiceOptions, VoiceSession};
