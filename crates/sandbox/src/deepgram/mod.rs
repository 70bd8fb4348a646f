//! Deepgram: `/v1/listen`, understanding what the sub-carrier in the audio says.
//!
//! [`wire`] has the vendor's shapes, `server` is the socket's dialect; what is heard is [`crate::recogniser`]'s.

mod server;
pub mod wire;

pub(crate) use server::router;
