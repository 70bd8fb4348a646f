//! The caller's side of a phone call: a telephone exchange that behaves as Twilio does, people who call through it,
//! and many of them at once.
//!
//! What it is: a *client* of the platform that knows nothing of it but the public protocol. It posts the voice webhook,
//! signs it, reads TwiML, opens the media WebSocket, plays what it is sent on a 20 ms clock, returns marks, empties its
//! buffer on `clear`, and offers the REST calls that the platform needs (hang up, send elsewhere). Real Twilio can take its place by a
//! change of URL. It also rings the people to whom the platform puts a caller through, and does as they would.
//!
//! What it refuses to be: a shortcut. Nothing but HTTP and WebSocket passes between it and the platform, and every
//! figure it reports is measured where a caller's ear would be: on the samples that were *played*.
//!
//! Invariants:
//! - the parts with semantics are free of IO and clocks and are tested in virtual time: [`playout`], [`line`], [`wire`],
//!   [`twiml`], [`caller`];
//! - call time starts when the exchange begins to connect the first stream; sample `n` of either side is `n * 125` µs
//!   later, always. Audio that arrives after a frame began is never played in it, however late the machine's clock
//!   tick came, so a busy machine makes latencies look worse and never better; how late the ticks were is reported;
//! - a caller's frame leaves when it has been spoken, 20 ms after it began;
//! - every buffer is bounded: a platform that floods is cut short and the excess is an error in the report.
//!
//! To add one more verb: a variant of [`twiml::Verb`], its parser arm, and what the exchange does with it (the compiler
//! asks). To add one more line effect: a field of [`line::LineEffects`], or a variant of
//! [`line::FaultKind`]. To add one more thing that callers do: a
//! variant of [`script::Step`].

pub mod caller;
pub mod ears;
pub mod exchange;
pub mod handset;
pub mod line;
pub mod load;
pub mod media_socket;
pub mod noise;
pub mod playout;
pub mod process;
pub mod report;
pub mod script;
pub mod signature;
pub mod summary;
mod tone;
pub mod tracks;
pub mod twiml;
pub mod utterance;
pub mod wire;

pub use caller::{Caller, CallerOptions, call};
pub use exchange::{Exchange, ExchangeOptions, Human, PlaceCall};
pub use load::{Pace, PlannedCall};
pub use report::{CallReport, CallerEvent, EndedBy, HeardTurn, PieceKind, TurnEnd};
pub use script::{Script, ScriptLine, Step};
pub use summary::{Summary, Tally};
pub use utterance::{SpeechError, SpeechSource, Utterance};

/// Length of a media frame, in milliseconds.
pub const FRAME_MS: u64 = 20;
/// Bytes (and samples) of a media frame: mu-law at 8 kHz.
pub const FRAME_BYTES: usize = 160;
/// Microseconds of one sample at 8 kHz.
pub const SAMPLE_US: u64 = 125;
/// 20 ms of mu-law at 8 kHz.
pub type Frame = [u8; FRAME_BYTES];
/// A frame without sound.
pub const SILENT_FRAME: Frame = [seiketsu_audio::g711::MULAW_SILENCE; FRAME_BYTES];
