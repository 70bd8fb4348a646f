#![no_main]

#[path = "../exercises/realtime_event.rs"]
mod exercise;

libfuzzer_sys::fuzz_target!(|data: &[u8]| exercise::run(data));
