//! ElevenLabs: `/v1/text-to-speech/{voice}/multi-stream-input`, spoken by espeak-ng; and [`scribe`], which listens.
//!
//! As the vendor: up to five contexts on a socket, text buffered until it is flushed (or, with `auto_mode`, until a
//! sentence is complete), audio in chunks with the characters heard in each, `isFinal` when a closed context is done,
//! and an error with a close for what the protocol forbids. Speech starts with 180 ms of silence, as real voices do.

mod context;
pub mod scribe;
mod server;
mod speech;
pub mod wire;

pub(crate) use server::router;
