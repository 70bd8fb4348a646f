//! Every input that fuzzing has found worth keeping goes through its parser again, on stable and in every test run.

use std::{
    fs, panic,
    path::{Path, PathBuf},
};

#[path = "../../../fuzz/exercises/realtime_event.rs"]
mod realtime_event;
#[path = "../../../fuzz/exercises/twilio_frame.rs"]
mod twilio_frame;

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
fn the_corpus_of_twilio_frame_does_no_harm() {
    replay("twilio_frame", twilio_frame::run);
}

#[test]
fn the_corpus_of_realtime_event_does_no_harm() {
    replay("realtime_event", realtime_event::run);
}
