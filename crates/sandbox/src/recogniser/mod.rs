//! The recogniser behind all of its vendors: what the sub-carrier in the audio says.
//!
//! `ear` turns bytes into samples, `listener` turns samples and time into transcripts (pure: audio and `now` in, results
//! with their due time out), `stream` is a socket around them that leaves the vendor's words to a `Dialect`,
//! [`transcribe`] hears a whole recording at once.
//!
//! Times in transcripts are audio time. Wall time enters only where the profile delays a result: it leaves the drawn
//! delay after the moment at which the end of the speech *arrived*, but never before the audio that decides it has.
//!
//! Partial transcripts come in steps and lag the words; see [`crate::profile::Interim`] for the figures and for what is
//! assumed. A word counts as understood when its last packet of the sub-carrier has arrived. That is within 50 ms of its
//! end where words have time, and up to 400 ms before it where they are many for their time: a partial transcript may
//! be early by so much less its lag.

mod activity;
mod ear;
mod listener;
mod stream;
mod transcript;

pub(crate) use ear::Ear;
pub use ear::Encoding;
pub(crate) use listener::{Endpoint, Output, Settings};
pub(crate) use stream::{Dialect, Goodbye, Heard, Stream};
pub(crate) use transcript::transcribe;
pub use transcript::{Confidence, HeardWord, Transcript};
