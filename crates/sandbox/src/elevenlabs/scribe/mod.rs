//! Scribe v2 realtime: `/v1/speech-to-text/realtime`, understanding what the sub-carrier in the audio says.
//!
//! As the vendor: audio in base64, partial transcripts as they change, and a committed one when the client commits
//! (`commit_strategy=manual`) or has been silent long enough (`vad`), once more with times where they were asked for.
//! Scribe gives no confidence for a transcript but a logarithm of it for each word; where the sandbox noticed damaged
//! audio and has no words to say so with, it reports the audio event `(inaudible)`.
//!
//! [`wire`] has the vendor's shapes, `server` is the socket's dialect; what is heard is [`crate::recogniser`]'s.

mod server;
pub mod wire;

pub(crate) use server::router;
