//! The sandbox: loopback vendors for demos and tests.
//!
//! One listener speaks the wire protocols of three vendors well enough that the platform's own clients cannot tell the
//! difference; a base URL is all that differs from production:
//!
//! | [`Service`] | vendor | address |
//! |---|---|---|
//! | `deepgram` | Deepgram | `/v1/listen` |
//! | `scribe` | ElevenLabs | `/v1/speech-to-text/realtime` |
//! | `transcription` | OpenAI | `/v1/audio/transcriptions` |
//! | `model` | OpenAI | `/v1/chat/completions`, `/v1/models` |
//! | `elevenlabs` | ElevenLabs | `/v1/text-to-speech/{voice}/multi-stream-input` |
//! | `speech` | OpenAI | `/v1/audio/speech` |
//!
//! Latency follows a [`Profile`]; faults of single requests and [`Outage`]s of whole services can be programmed; every
//! delay that was added on purpose is recorded, so that a measurement can subtract it.
//!
//! What it refuses to be: a shortcut. Its recogniser reads words only from the audio it is sent (by the text sub-carrier
//! of `seiketsu-audio`), its [`receptionist`] sees only the request it is asked with, its voice is espeak-ng with the
//! same sub-carrier. Nothing else passes between the sandbox and the platform.
//!
//! Invariants:
//! - delays come on top of what the audio itself says: on profile `zero` a final transcript leaves the moment the audio
//!   that decides it has arrived, however fast or slowly it was sent;
//! - what fails as a service fails in the bytes of its connections, open ones included, and not in a flag the platform
//!   could see;
//! - the same seed, profile and order of requests draw the same delays and the same faults;
//! - every queue, buffer, cache and log has a limit; bad input costs its own connection and no other;
//! - a transcript is never silently wrong: what may be wrong has a confidence of 0.3, what could not be understood 0.
//!
//! To add one more vendor: a module with `wire.rs` (pure, the vendor's own shapes) and `server.rs` (an axum router over
//! [`conduct::Conduct`]; a recogniser on a socket is a `recogniser::Dialect`), a variant of [`Service`], one of
//! [`RequestKind`] for each thing of it that can be slow or fail, and a test that drives it with the platform's own
//! client.

pub mod conduct;
mod control;
pub mod deepgram;
pub mod elevenlabs;
pub mod injected;
mod line;
pub mod openai;
pub mod outage;
pub mod profile;
pub mod receptionist;
pub mod recogniser;
pub mod request;
mod sandbox;
pub mod voice;
mod websocket;

pub use conduct::{Delays, Fault, ProgrammedFault};
pub use outage::{Outage, OutageFault};
pub use profile::{Profile, ProfileError};
pub use request::{RequestKind, Service};
pub use sandbox::{Keys, Running, Sandbox, SandboxError, SandboxOptions};
pub use voice::{Espeak, EspeakError, EspeakVoice, Spoken};
