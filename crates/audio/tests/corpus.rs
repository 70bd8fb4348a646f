//! Every input that fuzzing has found worth keeping goes through its parser again, on stable and in every test run.

use std::{fs, panic, path::Path};

#[path = "../../../fuzz/exercises/subcarrier.rs"]
mod subcarrier;

#[test]
fn the_corpus_of_subcarrier_does_no_harm() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/subcarrier");
    let mut replayed = 0;
    for entry in fs::read_dir(&directory).unwrap() {
        let path = entry.unwrap().path();
        let data = fs::read(&path).unwrap();
        let outcome = panic::catch_unwind(|| subcarrier::run(&data));
        assert!(outcome.is_ok(), "{} does harm, see above", path.display());
        replayed += 1;
    }
    assert!(replayed > 0, "{} is empty", directory.display());
}
