//! Deepgram: `/v1/listen`, understanding what the sub-carrier in the audio says.
//!
//! Three layers: [`wire`] has the vendor's shapes, `listener` turns samples and time into transcripts (pure: audio and
//! `now` in, results with their due time out), `server` is the socket around it.
//!
//! Times in transcripts are audio time. Wall time enters only where the profile delays a result: it leaves the drawn
//! delay after the moment at which the end of the speech *arrived*, but never before the audio that decides it has.

mod activity;
mod listener;
mod server;
pub mod wire;

pub(crate) use server::router;
