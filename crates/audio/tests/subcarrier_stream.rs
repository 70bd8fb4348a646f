//! The sub-carrier as a stream: truncation, joining in the middle, utterances in a row, ordinary speech.

mod support;

use seiketsu_audio::subcarrier::{self, Decoder, Event, FlagReason};
use support::{FRAME, Random, SENTENCES, Utterance, events, mulaw, speak, words_of};

fn expected_words(utterance: &Utterance) -> Vec<String> {
    utterance.text.split(' ').map(str::to_owned).collect()
}

#[test]
fn events_are_the_same_whatever_the_pieces() {
    let pcm = mulaw(&Utterance::new(SENTENCES[21]).pcm);
    let all = |piece| {
        let mut decoder = Decoder::new();
        events(&mut decoder, &pcm, piece)
    };
    let whole = all(pcm.len());
    assert!(whole.len() > 20);
    assert_eq!(all(FRAME), whole);
    assert_eq!(all(37), whole);
    assert_eq!(all(1), whole);
}

#[test]
fn events_of_an_utterance_come_in_order_and_agree_with_each_other() {
    let utterance = Utterance::new("Tuesday at 10, please.");
    let events = events(&mut Decoder::new(), &mulaw(&utterance.pcm), FRAME);
    let position = |event: &Event| match *event {
        Event::Start { at_sample }
        | Event::Text { at_sample, .. }
        | Event::Word { at_sample, .. }
        | Event::End { at_sample }
        | Event::Flag { at_sample, .. } => at_sample,
    };
    assert!(events.is_sorted_by_key(position));
    assert!(matches!(events.first(), Some(Event::Start { .. })));
    assert!(matches!(events.last(), Some(Event::End { .. })));
    let fragments: String = events
        .iter()
        .filter_map(|event| match event {
            Event::Text { fragment, .. } => Some(fragment.as_str()),
            Event::Start { .. } | Event::Word { .. } | Event::End { .. } | Event::Flag { .. } => None,
        })
        .collect();
    assert_eq!(fragments, "tuesday at 10 please");
    assert_eq!(words_of(&events), ["tuesday", "at", "10", "please"]);
}

#[test]
fn start_and_end_tell_where_the_speech_is() {
    for sentence in SENTENCES {
        let speech = speak(sentence, "en-us");
        let words = subcarrier::estimate_word_times(sentence, &speech);
        let loud = |sample: &i16| sample.unsigned_abs() > 200;
        let first = speech.iter().position(loud).unwrap() as i64;
        let last = speech.iter().rposition(loud).unwrap() as i64;
        let mut decoder = Decoder::new();
        let mut heard = events(&mut decoder, &subcarrier::embed(&speech, &words), FRAME);
        decoder.finish();
        heard.extend(std::iter::from_fn(|| decoder.poll()));
        let Some(Event::Start { at_sample: start }) = heard.first() else { panic!("{heard:?}") };
        let Some(Event::End { at_sample: end }) = heard.last() else { panic!("{heard:?}") };
        assert!((*start as i64 - first).abs() <= 480, "start {start}, speech from {first}: {sentence}");
        assert!((*end as i64 - last).abs() <= 1_200, "end {end}, speech to {last}: {sentence}");
    }
}

#[test]
fn a_truncated_stream_gives_whole_words_of_a_right_prefix() {
    for sentence in [SENTENCES[0], SENTENCES[6], SENTENCES[11], SENTENCES[24]] {
        let utterance = Utterance::new(sentence);
        let expected = expected_words(&utterance);
        let pcm = mulaw(&utterance.pcm);
        for frames in 0..=pcm.len() / FRAME {
            let mut decoder = Decoder::new();
            let mut heard = events(&mut decoder, &pcm[..frames * FRAME], FRAME);
            let open = decoder.in_utterance();
            decoder.finish();
            heard.extend(std::iter::from_fn(|| decoder.poll()));
            let words = words_of(&heard);
            assert!(expected.starts_with(&words), "{frames} frames: {words:?}");
            let flagged = heard.iter().any(|event| matches!(event, Event::Flag { .. }));
            let complete = words.len() == expected.len();
            let ended = heard.iter().any(|event| matches!(event, Event::End { .. }));
            assert!(!open || flagged || ended, "{frames} frames: cut off in an utterance, and nothing tells");
            assert!(!ended || complete);
        }
    }
}

#[test]
fn words_come_when_they_are_spoken() {
    // At every frame: words emitted against words whose spoken end has been reached.
    let (mut equal, mut near, mut total) = (0u32, 0u32, 0u32);
    for sentence in SENTENCES {
        let utterance = Utterance::new(sentence);
        let pcm = mulaw(&utterance.pcm);
        let ends: Vec<u64> = utterance.words.iter().map(|word| (1_600 + word.end_ms * 8).into()).collect();
        let mut decoder = Decoder::new();
        let mut emitted: Vec<u64> = Vec::new();
        for frame in pcm.chunks(FRAME) {
            decoder.push(frame);
            emitted.extend(std::iter::from_fn(|| decoder.poll()).filter_map(|event| match event {
                Event::Word { at_sample, .. } => Some(at_sample),
                Event::Start { .. } | Event::Text { .. } | Event::End { .. } | Event::Flag { .. } => None,
            }));
            if emitted.len() == ends.len() || utterance.words.len() != utterance.text.split(' ').count() {
                continue; // over, or a token of several words
            }
            let spoken = ends.iter().filter(|&&end| end <= decoder.position()).count();
            total += 1;
            equal += u32::from(spoken == emitted.len());
            near += u32::from(spoken.abs_diff(emitted.len()) <= 1);
        }
    }
    assert!(total > 2_000);
    assert!(equal * 100 > total * 80, "{equal} of {total}");
    assert!(near * 1_000 > total * 995, "{near} of {total}");
}

#[test]
fn joining_in_the_middle_drops_the_partial_word_and_says_so() {
    let utterance = Utterance::new(SENTENCES[22]);
    let expected = expected_words(&utterance);
    let pcm = mulaw(&utterance.pcm);
    // From within the first packets to the last second of the words.
    let last = (utterance.words[utterance.words.len() - 1].end_ms as usize - 800) / 20;
    for frames in (20..last).step_by(3) {
        let reading = subcarrier::read(&pcm[frames * FRAME..]);
        let words: Vec<&str> = reading.text.split(' ').filter(|word| !word.is_empty()).collect();
        assert!(expected.iter().rev().zip(words.iter().rev()).all(|(a, b)| a == b), "{frames}: {words:?}");
        assert_eq!(reading.flags, [FlagReason::NoStart], "{frames} frames in");
    }
}

#[test]
fn utterances_in_a_row_are_kept_apart() {
    let pcm: Vec<i16> = SENTENCES[..6].iter().flat_map(|sentence| Utterance::new(sentence).pcm).collect();
    let expected: Vec<String> = SENTENCES[..6].iter().map(|text| subcarrier::normalise_text(text)).collect();
    let reading = subcarrier::read(&mulaw(&pcm));
    assert_eq!(reading.text, expected.join(" "));
    assert_eq!((reading.starts, reading.ends, reading.flags.len()), (6, 6, 0));
}

#[test]
fn an_utterance_cut_off_by_another_is_flagged_and_the_other_is_exact() {
    let (first, second) = (Utterance::new(SENTENCES[21]), Utterance::new(SENTENCES[4]));
    for frames in 30..90 {
        let mut pcm = first.pcm[..frames * FRAME].to_vec();
        pcm.extend(&second.pcm[1_600..]);
        let reading = subcarrier::read(&mulaw(&pcm));
        assert!(reading.text.ends_with(&second.text), "{frames}: {reading:?}");
        assert!(reading.flags.contains(&FlagReason::NoEnd), "{frames}: {reading:?}");
        assert_eq!((reading.starts, reading.ends), (2, 1));
    }
}

#[test]
fn an_utterance_that_breaks_off_is_closed_without_a_word_from_outside() {
    let utterance = Utterance::new(SENTENCES[22]);
    let mut decoder = Decoder::new();
    let mut heard = events(&mut decoder, &utterance.pcm[..FRAME * 80], FRAME);
    assert!(decoder.in_utterance());
    heard.extend(events(&mut decoder, &vec![0; 8_000 * 11], FRAME));
    assert!(!decoder.in_utterance());
    assert!(matches!(heard.last(), Some(Event::Flag { reason: FlagReason::NoEnd, .. })));
}

#[test]
fn ordinary_speech_and_noise_say_nothing() {
    for sentence in SENTENCES {
        let reading = subcarrier::read(&speak(sentence, "en-us"));
        assert_eq!(reading, subcarrier::Reading::default(), "{sentence}");
    }
    let mut random = Random(99);
    let noise: Vec<i16> = (0..8_000 * 120).map(|_| (random.gaussian() * 3_000.0) as i16).collect();
    assert_eq!(subcarrier::read(&noise), subcarrier::Reading::default());
}

#[test]
fn speech_too_short_for_its_text_is_lengthened_and_nothing_is_lost() {
    let speech = speak("hm", "en-us");
    let text = SENTENCES[22];
    let words = subcarrier::estimate_word_times(text, &speech);
    let pcm = subcarrier::embed(&speech, &words);
    assert!(pcm.len() > 8_000 * 2);
    let reading = subcarrier::read(&mulaw(&pcm));
    assert_eq!(reading.text, subcarrier::normalise_text(text));
    assert_eq!(reading.flags, []);
}

#[test]
fn words_without_any_speech_are_sent_all_the_same() {
    let words = subcarrier::estimate_word_times("nobody spoke", &[]);
    for silence in [0, 10, 8_000] {
        let reading = subcarrier::read(&subcarrier::embed(&vec![0; silence], &words));
        assert_eq!((reading.text.as_str(), reading.flags.len()), ("nobody spoke", 0));
    }
    assert_eq!(subcarrier::embed(&[0; 500], &[]), [0; 500]);
}
