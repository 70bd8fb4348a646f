#![no_main]

#[path = "../exercises/subcarrier.rs"]
mod exercise;

libfuzzer_sys::fuzz_target!(|data: &[u8]| exercise::run(data));
