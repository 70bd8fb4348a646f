//! Every input that fuzzing has found worth keeping goes through its parser again, on stable and in every test run.

use std::{
    fs, panic,
    path::{Path, PathBuf},
};

#[path = "../../../fuzz/exercises/deepgram_message.rs"]
mod deepgram_message;
#[path = "../../../fuzz/exercises/elevenlabs_message.rs"]
mod elevenlabs_message;
#[path = "../../../fuzz/exercises/openai_stream.rs"]
mod openai_stream;
#[path = "../../../fuzz/exercises/openai_transcription.rs"]
mod openai_transcription;
#[path = "../../../fuzz/exercises/scribe_message.rs"]
mod scribe_message;
#[path = "../../../fuzz/exercises/twilio_signature.rs"]
mod twilio_signature;

/// Runs each file of a corpus through its exercise. An empty corpus is a mistake, not a success.
fn replay(target: &str, exercise: fn(&[u8])) {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    let files: Vec<PathBuf> = fs::read_dir(&directory)
        .and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect())
        .unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    assert!(!files.is_empty(), "{} is empty", directory.display());
    for file in files {
        let data = fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let outcome = panic::catch_unwind(|| exercise(&data));
        assert!(outcome.is_ok(), "{} does harm, see above", file.display());
    }
}

#[test]
fn the_corpus_of_openai_streams_does_no_harm() {
    replay("openai_stream", openai_stream::run);
}

#[test]
fn the_corpus_of_openai_transcriptions_does_no_harm() {
    replay("openai_transcription", openai_transcription::run);
}

#[test]
fn the_corpus_of_scribe_messages_does_no_harm() {
    replay("scribe_message", scribe_message::run);
}

#[test]
fn the_corpus_of_deepgram_messages_does_no_harm() {
    replay("deepgram_message", deepgram_message::run);
}

#[test]
fn the_corpus_of_elevenlabs_messages_does_no_harm() {
    replay("elevenlabs_message", elevenlabs_message::run);
}

#[test]
fn the_corpus_of_twilio_signatures_does_no_harm() {
    replay("twilio_signature", twilio_signature::run);
}
