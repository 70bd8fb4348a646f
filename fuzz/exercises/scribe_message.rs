//! A message of ElevenLabs' live transcription, and the same bytes as the reason of a close.

use seiketsu_providers::{
    Failure,
    elevenlabs::scribe::wire::{self, Incoming},
};

pub(crate) fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let failure = wire::closed_early(Some(1008), text);
    assert!(failure.detail.len() <= Failure::MAX_DETAIL_BYTES);
    match wire::parse(text) {
        Ok(Incoming::Partial(words) | Incoming::Committed(words)) => {
            assert!(words.len() <= text.len(), "nothing is made up");
        }
        Ok(Incoming::Error(failure)) => assert!(failure.detail.len() <= Failure::MAX_DETAIL_BYTES),
        Ok(Incoming::Started | Incoming::CommitIgnored | Incoming::Unknown) => {}
        Err(error) => assert!(Failure::from(error).detail.len() <= Failure::MAX_DETAIL_BYTES),
    }
}
