#![no_main]

#[path = "../exercises/scribe_message.rs"]
mod exercise;

libfuzzer_sys::fuzz_target!(|data: &[u8]| exercise::run(data));
