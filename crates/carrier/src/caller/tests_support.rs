//! Sound for tests: a hum that carries words.

use seiketsu_audio::{
    g711,
    subcarrier::{TimedWord, embed},
};

/// Time of one letter: slower than people, so that everything fits.
const LETTER_MS: usize = 60;

/// So many milliseconds of silence, mu-law.
pub(crate) fn silence(millis: usize) -> Vec<u8> {
    vec![g711::MULAW_SILENCE; millis * 8]
}

/// A hum as long as the text, 8 kHz.
pub(crate) fn hum(text: &str) -> Vec<i16> {
    let samples = (text.len() * LETTER_MS + 300) * 8;
    (0..samples)
        .map(|n| {
            let time = n as f64 / 8_000.0;
            let wave =
                (time * 220.0 * std::f64::consts::TAU).sin() + (time * 900.0 * std::f64::consts::TAU).sin();
            (wave * 2_000.0) as i16
        })
        .collect()
}

/// The hum with the text in it, 8 kHz.
pub(crate) fn carrying_pcm(text: &str) -> Vec<i16> {
    let speech = hum(text);
    let mut letters = 0;
    let words: Vec<TimedWord> = text
        .split(' ')
        .map(|word| {
            let start_ms = (letters * LETTER_MS) as u32;
            letters += word.len() + 1;
            TimedWord { text: word.to_owned(), start_ms, end_ms: (letters * LETTER_MS) as u32 + 200 }
        })
        .collect();
    embed(&speech, &words)
}

/// The hum with the text in it, mu-law.
pub(crate) fn speech(text: &str) -> Vec<u8> {
    let mut mulaw = Vec::new();
    g711::mulaw_encode(&carrying_pcm(text), &mut mulaw);
    mulaw
}
