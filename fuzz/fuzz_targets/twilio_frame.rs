#![no_main]

#[path = "../exercises/twilio_frame.rs"]
mod exercise;

libfuzzer_sys::fuzz_target!(|data: &[u8]| exercise::run(data));
