//! A message of the live transcription, and the same bytes as the reason of a close.

use seiketsu_providers::{
    Failure, RecognitionEvent,
    deepgram::wire::{self, Incoming},
};

pub(crate) fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let failure = wire::closed_early(Some(1011), text);
    assert!(failure.detail.len() <= Failure::MAX_DETAIL_BYTES);
    match wire::parse(text) {
        Ok(Incoming::Event(event)) => check(&event, text.len()),
        Ok(Incoming::Error(failure)) => assert!(failure.detail.len() <= Failure::MAX_DETAIL_BYTES),
        Ok(Incoming::Metadata | Incoming::Unknown) => {}
        Err(error) => assert!(Failure::from(error).detail.len() <= Failure::MAX_DETAIL_BYTES),
    }
}

fn check(event: &RecognitionEvent, message_bytes: usize) {
    match event {
        RecognitionEvent::Partial { text, start_ms, end_ms }
        | RecognitionEvent::Final { text, start_ms, end_ms, .. } => {
            assert!(start_ms <= end_ms, "time runs forward");
            assert!(text.len() <= message_bytes);
        }
        RecognitionEvent::SpeechStarted { .. } | RecognitionEvent::UtteranceEnd { .. } => {}
        RecognitionEvent::Failed(_) => unreachable!("a parser reports no end of a session"),
    }
}
