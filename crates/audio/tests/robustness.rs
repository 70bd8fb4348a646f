//! Foreign bytes: nothing panics, nothing grows, pieces make no difference.

mod support;

use proptest::prelude::*;
use seiketsu_audio::frame::{Arrival, Framer, GapFiller};
use seiketsu_audio::resample::{Ratio, Resampler};
use seiketsu_audio::subcarrier::{self, Decoder, TimedWord};

/// Cuts `all` at sizes that repeat.
fn pieces<'a, T>(all: &'a [T], sizes: &'a [usize]) -> impl Iterator<Item = &'a [T]> {
    let mut rest = all;
    sizes.iter().cycle().map_while(move |&size| {
        let (piece, tail) = rest.split_at(size.min(rest.len()));
        let more = !rest.is_empty();
        rest = tail;
        more.then_some(piece)
    })
}

proptest! {
    #[test]
    fn frames_joined_are_the_stream(
        bytes in prop::collection::vec(any::<u8>(), 0..2_000),
        sizes in prop::collection::vec(1usize..400, 1..6),
        frame_len in 0usize..200,
    ) {
        let mut framer = Framer::new(frame_len);
        let mut joined = Vec::new();
        for piece in pieces(&bytes, &sizes) {
            framer.push(piece, |frame| {
                assert_eq!(frame.len(), frame_len.max(1));
                joined.extend_from_slice(frame);
            });
            prop_assert!(framer.pending().len() < frame_len.max(1));
        }
        joined.extend_from_slice(framer.pending());
        prop_assert_eq!(joined, bytes);
    }

    #[test]
    fn padded_media_never_runs_ahead_of_the_clock_by_more_than_it_was_given(
        messages in prop::collection::vec((0u64..600_000, 0usize..400), 0..60),
    ) {
        let mut filler = GapFiller::new();
        let (mut out, mut given, mut silence) = (Vec::new(), 0, 0);
        for &(timestamp_ms, len) in &messages {
            let before = out.len();
            match filler.fill(timestamp_ms, &vec![1; len], &mut out) {
                Arrival::Stale => prop_assert_eq!(out.len(), before),
                Arrival::Continues { silence_bytes } => {
                    prop_assert!(silence_bytes as u64 <= GapFiller::MAX_GAP_MS * GapFiller::BYTES_PER_MS);
                    prop_assert_eq!(out.len(), before + silence_bytes + len);
                    given += len;
                    silence += silence_bytes;
                }
            }
        }
        prop_assert_eq!(out.len(), given + silence);
        prop_assert_eq!(filler.padded_ms(), silence as u64 / GapFiller::BYTES_PER_MS);
        let latest = messages.iter().map(|&(at, _)| at).max().unwrap_or(0);
        prop_assert!(filler.padded_ms() <= latest);
    }

    #[test]
    fn media_with_any_timestamps_is_survived(
        messages in prop::collection::vec((any::<u64>(), any::<usize>()), 0..60),
    ) {
        let mut filler = GapFiller::new();
        for (timestamp_ms, len) in messages {
            filler.place(timestamp_ms, len);
        }
        prop_assert!(filler.padded_ms() <= 60 * GapFiller::MAX_GAP_MS);
    }

    #[test]
    fn resampling_in_pieces_is_resampling_at_once(
        pcm in prop::collection::vec(any::<i16>(), 0..3_000),
        sizes in prop::collection::vec(1usize..1_200, 1..6),
    ) {
        for ratio in Ratio::ALL {
            let (mut whole, mut joined) = (Vec::new(), Vec::new());
            Resampler::new(ratio).process(&pcm, &mut whole);
            let mut resampler = Resampler::new(ratio);
            for piece in pieces(&pcm, &sizes) {
                resampler.process(piece, &mut joined);
            }
            prop_assert_eq!(&joined, &whole);
            let expected = match ratio {
                Ratio::Up2 => pcm.len() * 2,
                Ratio::Up3 => pcm.len() * 3,
                Ratio::Down2 => pcm.len().div_ceil(2),
                Ratio::Down3 => pcm.len().div_ceil(3),
            };
            prop_assert_eq!(whole.len(), expected);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_samples_are_survived(
        pcm in prop::collection::vec(any::<i16>(), 0..20_000),
        sizes in prop::collection::vec(1usize..2_000, 1..6),
    ) {
        let mut decoder = Decoder::new();
        for piece in pieces(&pcm, &sizes) {
            decoder.push(piece);
        }
        decoder.finish();
        let events = std::iter::from_fn(|| decoder.poll()).count();
        prop_assert!(events <= 8 * (pcm.len() / 400 + 2));
        prop_assert!(!decoder.in_utterance());
        prop_assert_eq!(decoder.position(), pcm.len() as u64);
    }

    #[test]
    fn any_words_with_any_times_arrive_over_any_sound(
        texts in prop::collection::vec("[a-zA-Z0-9',.$ é%-]{0,14}", 0..8),
        times in prop::collection::vec(any::<u32>(), 8),
        sound in prop::collection::vec(-3_000i16..3_000, 0..6_000),
    ) {
        let words: Vec<TimedWord> = texts
            .iter()
            .zip(&times)
            .map(|(text, &at)| TimedWord { text: text.clone(), start_ms: at, end_ms: at })
            .collect();
        let expected: Vec<String> =
            texts.iter().map(|text| subcarrier::normalise_text(text)).filter(|text| !text.is_empty()).collect();
        let pcm = subcarrier::embed(&sound, &words);
        let codes = expected.join(" ").len() * 2;
        prop_assert!(pcm.len() <= sound.len() + (codes + 6) * 800 + 400);
        let reading = subcarrier::read(&pcm);
        prop_assert_eq!(reading.text, expected.join(" "));
        prop_assert_eq!(reading.flags, []);
    }

    #[test]
    fn splices_of_real_utterances_are_survived(
        cuts in prop::collection::vec((0usize..60, 0usize..60), 1..8),
    ) {
        use std::sync::LazyLock;
        static LINE: LazyLock<Vec<i16>> = LazyLock::new(|| support::Utterance::new(support::SENTENCES[4]).pcm);
        let frames: Vec<&[i16]> = LINE.chunks(support::FRAME).collect();
        let spliced: Vec<i16> = cuts
            .iter()
            .flat_map(|&(from, len)| frames.iter().skip(from).take(len).flat_map(|frame| frame.iter().copied()))
            .collect();
        // Any order of true pieces yields only words that were said, each whole.
        let said: Vec<&str> = "can i book a viewing".split(' ').collect();
        let reading = subcarrier::read(&spliced);
        let all_said = reading.text.split(' ').filter(|word| !word.is_empty()).all(|word| said.contains(&word));
        prop_assert!(all_said || !reading.flags.is_empty(), "{:?}", reading);
    }
}
