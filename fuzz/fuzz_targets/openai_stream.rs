#![no_main]

#[path = "../exercises/openai_stream.rs"]
mod exercise;

libfuzzer_sys::fuzz_target!(|data: &[u8]| exercise::run(data));
