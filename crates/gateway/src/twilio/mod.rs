//! The phone door: Twilio's voice webhooks and its media streams, in full.
//!
//! A call: `voice` finds the number's agent, begins the call record and answers TwiML with a media token; Twilio opens
//! `media`, whose first message brings the token back; the socket is the call until somebody hangs up. When the socket
//! closes, Twilio goes on with the TwiML after `<Connect>`, which sends it to `after`: hang up if the call has ended,
//! connect again if it was cut.
//!
//! A transfer: a tool arranges it, the agent says so, the session hands the call over and Twilio is told over REST to
//! execute `transfer` instead of the stream. `transfer` rings the person, `whisper` tells them who calls, `accept`
//! connects the two, and `transferred` ends the call or brings it back to the agent. `status` tells us that a call is over even if no socket ever did.
//!
//! What Twilio does when a media socket dies without a closing handshake is not documented; that it goes on with
//! `<Redirect>` as it does after an ordinary close is *unverified*. If it does not, a cut call ends there, and recovery
//! closes its record.

mod admission;
mod after;
mod bound;
mod closing;
pub mod frame;
mod line;
mod media;
mod pace;
mod signed;
mod status;
pub(crate) mod token;
mod transfer;
mod transferred;
mod twiml;
mod voice;
mod whisper;

use crate::Gateway;
use axum::{
    Router,
    routing::{get, post},
};

pub use closing::SOCKETS_CLOSED;
pub use line::{DROPPED_AUDIO_MILLISECONDS, REJECTED_MESSAGES};
pub use media::SOCKETS;

/// The path of each endpoint, as Twilio has to be told it.
const AFTER: &str = "/twilio/after";
const MEDIA: &str = "/twilio/media";
const WHISPER: &str = "/twilio/whisper";
const ACCEPT: &str = "/twilio/accept";
const TRANSFERRED: &str = "/twilio/transferred";

/// Where Twilio has to be sent with a call that is to be put through, below the public URL.
pub const TRANSFER: &str = "/twilio/transfer";

pub(crate) fn routes() -> Router<Gateway> {
    // Whole paths rather than a nested router: handlers must see the path as Twilio has signed it.
    Router::new()
        .route("/twilio/voice", post(voice::voice))
        .route(AFTER, post(after::after))
        .route("/twilio/status", post(status::status))
        .route(TRANSFER, post(transfer::transfer))
        .route(WHISPER, post(whisper::whisper))
        .route(ACCEPT, post(whisper::accept))
        .route(TRANSFERRED, post(transferred::transferred))
        .route(MEDIA, get(media::media))
}

pub(crate) fn describe_metrics() {
    metrics::describe_gauge!(SOCKETS, metrics::Unit::Count, "media sockets that are open");
    metrics::describe_counter!(
        SOCKETS_CLOSED,
        metrics::Unit::Count,
        "media sockets that were closed, by reason"
    );
    metrics::describe_counter!(REJECTED_MESSAGES, metrics::Unit::Count, "media messages refused, by reason");
    metrics::describe_counter!(
        DROPPED_AUDIO_MILLISECONDS,
        metrics::Unit::Milliseconds,
        "caller audio left out because it came faster than time passes"
    );
}
