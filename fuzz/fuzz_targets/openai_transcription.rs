#![no_main]

#[path = "../exercises/openai_transcription.rs"]
mod exercise;

libfuzzer_sys::fuzz_target!(|data: &[u8]| exercise::run(data));
