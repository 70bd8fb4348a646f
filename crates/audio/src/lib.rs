//! Sound as numbers: G.711, resampling, framing, levels, and the text sub-carrier of the sandbox.
//!
//! Everything here is a function of its input and of state that the caller holds. There is no clock, no socket, no
//! thread and no knowledge of calls; this crate refuses to know what the audio means, with one exception that is its
//! reason to exist: [`subcarrier`] hides the spoken words in the top of the telephone band, so that a stand-in
//! recogniser can read them *from the audio itself* and a lost, doubled or shuffled frame shows.
//!
//! | module | what | source |
//! |---|---|---|
//! | [`g711`] | mu-law and A-law | ITU-T G.711 (11/88), tables 1 and 2 |
//! | [`resample`] | x2, x3, /2, /3 as stateful polyphase filters; any ratio offline | Kaiser's window design (1974) |
//! | [`frame`] | exact frames out of any stream; gaps padded by timestamp | Twilio Media Streams, `media.timestamp` |
//! | [`level`] | dBFS, peak, leading silence | RMS of a full-scale square wave is 0 dBFS |
//! | [`subcarrier`] | text in the telephone band | DBPSK with root-raised-cosine pulses; see the module |
//!
//! Invariants:
//! - state is bounded by constants of this crate, whatever arrives; output grows only with the input of one call;
//! - feeding a stream in pieces of any size gives the same samples as feeding it at once;
//! - nothing panics on foreign bytes.
//!
//! To add one more codec: a module of free functions over slices that append to a `Vec`, tests against its standard's
//! own formulae for every code, and a line in the table above. To add one more resampling ratio: a variant of
//! [`resample::Ratio`]; the compiler shows where its numbers belong.

mod fir;
pub mod frame;
pub mod g711;
pub mod level;
pub mod resample;
pub mod subcarrier;
