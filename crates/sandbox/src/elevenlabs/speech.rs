//! From speech to the vendor's chunks, with the characters heard in each.

use super::wire::Alignment;
use crate::{
    Spoken,
    voice::{LEAD_MS, OutputFormat, PIECE_MS, encode},
};
use seiketsu_audio::subcarrier::TimedWord;

/// One message's worth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Chunk {
    pub(super) audio: Vec<u8>,
    pub(super) alignment: Alignment,
}

/// When a character is heard, from the start of the synthesis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct CharTime {
    character: char,
    start_ms: u32,
    duration_ms: u32,
}

/// All chunks of a synthesis, in order.
pub(super) fn chunks(text: &str, spoken: &Spoken, format: OutputFormat) -> Vec<Chunk> {
    let audio = encode(&spoken.pcm_8k, format);
    let mut times = align(text, &spoken.words).into_iter().peekable();
    let chunk_bytes = PIECE_MS as usize * format.bytes_per_ms();
    let count = audio.len().div_ceil(chunk_bytes);
    let mut chunks: Vec<Chunk> = audio
        .chunks(chunk_bytes)
        .zip(1_u32..)
        .map(|(audio, number)| {
            let (begin_ms, end_ms) = ((number - 1) * PIECE_MS, number * PIECE_MS);
            let last = number as usize == count;
            let mut alignment = Alignment::default();
            // The last chunk takes whatever is left, so that every character is told exactly once.
            while let Some(time) = times.next_if(|time| last || time.start_ms < end_ms) {
                alignment.chars.push(time.character.to_string());
                alignment.char_start_times_ms.push(time.start_ms.saturating_sub(begin_ms));
                alignment.char_durations_ms.push(time.duration_ms);
            }
            Chunk { audio: audio.to_vec(), alignment }
        })
        .collect();
    chunks.retain(|chunk| !chunk.audio.is_empty());
    chunks
}

/// Spreads each word's time over its letters; what is between two words takes the time between them.
fn align(text: &str, words: &[TimedWord]) -> Vec<CharTime> {
    let mut words = words.iter();
    let mut times = Vec::with_capacity(text.len());
    let mut at_ms = LEAD_MS;
    // Pieces of the text that are all white space or all not, in order.
    let pieces: Vec<Vec<char>> = text.chars().fold(Vec::new(), |mut pieces: Vec<Vec<char>>, character| {
        match pieces.last_mut() {
            Some(piece) if piece[0].is_whitespace() == character.is_whitespace() => piece.push(character),
            Some(_) | None => pieces.push(vec![character]),
        }
        pieces
    });
    let mut gap: Vec<char> = Vec::new();
    for piece in pieces {
        if piece[0].is_whitespace() {
            gap = piece;
            continue;
        }
        let (start_ms, end_ms) =
            words.next().map_or((at_ms, at_ms), |word| (LEAD_MS + word.start_ms, LEAD_MS + word.end_ms));
        let start_ms = start_ms.max(at_ms);
        spread(&gap, at_ms, start_ms, &mut times);
        gap.clear();
        at_ms = end_ms.max(start_ms);
        spread(&piece, start_ms, at_ms, &mut times);
    }
    spread(&gap, at_ms, at_ms, &mut times);
    times
}

fn spread(characters: &[char], start_ms: u32, end_ms: u32, times: &mut Vec<CharTime>) {
    let count = characters.len() as u32;
    let edge =
        |index: u32| start_ms + ((u64::from(end_ms - start_ms) * u64::from(index)) / u64::from(count)) as u32;
    times.extend(characters.iter().zip(0_u32..).map(|(&character, index)| CharTime {
        character,
        start_ms: edge(index),
        duration_ms: edge(index + 1) - edge(index),
    }));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::voice::SAMPLES_PER_MS;
    use proptest::prelude::*;

    fn word(text: &str, start_ms: u32, end_ms: u32) -> TimedWord {
        TimedWord { text: text.into(), start_ms, end_ms }
    }

    fn spoken(ms: usize, words: Vec<TimedWord>) -> Spoken {
        Spoken { pcm_8k: vec![1_000; ms * SAMPLES_PER_MS], speech_8k: Vec::new(), words }
    }

    #[test]
    fn characters_share_their_words_time_and_spaces_take_the_time_between() {
        let times = align("Hi, yo ", &[word("Hi,", 0, 300), word("yo", 500, 700)]);
        let shown: Vec<_> =
            times.iter().map(|time| (time.character, time.start_ms, time.duration_ms)).collect();
        assert_eq!(
            shown,
            [
                ('H', 180, 100),
                ('i', 280, 100),
                (',', 380, 100),
                (' ', 480, 200),
                ('y', 680, 100),
                ('o', 780, 100),
                (' ', 880, 0),
            ]
        );
    }

    #[test]
    fn times_in_a_chunk_count_from_its_start_and_every_character_is_told_once() {
        let spoken = spoken(700, vec![word("Hi", 0, 300), word("yo", 500, 700)]);
        let chunks = chunks("Hi yo", &spoken, OutputFormat::Ulaw8k);
        assert_eq!(chunks.len(), 5);
        assert_eq!(chunks[0].alignment.chars, ["H"]);
        assert_eq!(chunks[0].alignment.char_start_times_ms, [180]);
        assert_eq!(chunks[1].alignment.chars, ["i"]);
        assert_eq!(chunks[1].alignment.char_start_times_ms, [130]);
        assert_eq!(chunks[2].alignment.chars, [" "]);
        let all: String = chunks
            .iter()
            .flat_map(|chunk| chunk.alignment.chars.concat().chars().collect::<Vec<_>>())
            .collect();
        assert_eq!(all, "Hi yo");
    }

    #[test]
    fn every_format_lasts_as_long_as_the_speech_and_its_leading_silence() {
        use OutputFormat::{Alaw8k, Pcm8k, Pcm16k, Pcm24k, Ulaw8k};
        for format in [Ulaw8k, Alaw8k, Pcm8k, Pcm16k, Pcm24k] {
            let chunks = chunks("Hi", &spoken(500, vec![word("Hi", 0, 500)]), format);
            let bytes: usize = chunks.iter().map(|chunk| chunk.audio.len()).sum();
            assert_eq!(bytes, (500 + LEAD_MS as usize) * format.bytes_per_ms(), "{format:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_with_any_words_is_aligned_in_order(
            text in ".{0,80}",
            edges in prop::collection::vec((0_u32..5_000, 0_u32..5_000), 0..10),
        ) {
            let words: Vec<_> = edges.into_iter().map(|(start, end)| word("x", start, end)).collect();
            let times = align(&text, &words);
            prop_assert_eq!(times.iter().map(|time| time.character).collect::<String>(), text);
            prop_assert!(times.windows(2).all(|pair| pair[0].start_ms + pair[0].duration_ms <= pair[1].start_ms));
        }
    }
}
