use super::*;
use crate::{conduct::RETRY_AFTER, profile::Interim};
use proptest::prelude::*;
use seiketsu_audio::subcarrier::{self, TimedWord};

const FRAME_MS: u64 = 20;
const FRAME_SAMPLES: usize = 160;
const WORD_MS: u32 = 400;

/// Noise that is as loud as speech, without any pause: 8 kHz.
fn babble(ms: u64) -> Vec<i16> {
    let mut state = 1_u32;
    let sample = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        ((state >> 16) as i16) / 16
    };
    (0..ms * 8).map(sample).collect()
}

/// An utterance that says these words, one after the other.
fn utterance(text: &str) -> Vec<i16> {
    let words: Vec<TimedWord> = text
        .split_whitespace()
        .zip(0..)
        .map(|(word, index)| TimedWord {
            text: word.to_owned(),
            start_ms: index * WORD_MS,
            end_ms: (index + 1) * WORD_MS,
        })
        .collect();
    subcarrier::embed(&babble(words.len() as u64 * u64::from(WORD_MS)), &words)
}

fn silence(ms: u64) -> Vec<i16> {
    vec![0; ms as usize * 8]
}

fn settings() -> Settings {
    Settings {
        interim_results: true,
        endpoint: Endpoint::Silence(300),
        utterance_end_ms: Some(1_000),
        vad_events: true,
        longest_stretch_ms: 10_000,
    }
}

fn listener(delay_ms: u64, fault: Option<Fault>) -> Listener {
    listener_with(settings(), delay_ms, fault)
}

/// Partial transcripts come word by word, as late after each as the final one after the last.
fn listener_with(settings: Settings, delay_ms: u64, fault: Option<Fault>) -> Listener {
    let interim = Interim { lag: Duration::from_millis(delay_ms), ..Interim::NONE };
    treated(settings, delay_ms, interim, fault)
}

fn treated(settings: Settings, delay_ms: u64, interim: Interim, fault: Option<Fault>) -> Listener {
    let treatment = Treatment {
        delay: Duration::from_millis(delay_ms),
        interval: Duration::ZERO,
        interim,
        fault,
        retry_after: RETRY_AFTER,
    };
    Listener::new(settings, Box::new(move || treatment))
}

/// A line on which audio arrives in real time, in frames of 20 ms, and outputs are taken the moment they are due.
struct Line {
    listener: Listener,
    now_ms: u64,
    heard: Vec<(u64, Output)>,
}

impl Line {
    fn new(listener: Listener) -> Self {
        Self { listener, now_ms: 0, heard: Vec::new() }
    }

    /// Frames arrive when their last sample has been spoken.
    fn play(&mut self, samples: &[i16]) -> &mut Self {
        for frame in samples.chunks(FRAME_SAMPLES) {
            self.advance(FRAME_MS);
            self.listener.push(frame, Duration::from_millis(self.now_ms));
            self.take();
        }
        self
    }

    /// Time passes without audio.
    fn advance(&mut self, ms: u64) -> &mut Self {
        let until = self.now_ms + ms;
        while self.now_ms < until {
            self.now_ms += 1;
            self.take();
        }
        self
    }

    fn take(&mut self) {
        while let Some(output) = self.listener.poll(Duration::from_millis(self.now_ms)) {
            self.heard.push((self.now_ms, output));
        }
    }

    fn now(&self) -> Duration {
        Duration::from_millis(self.now_ms)
    }

    fn results(&self) -> impl Iterator<Item = (u64, &Transcript)> {
        self.heard.iter().filter_map(|(at_ms, output)| match output {
            Output::Result { transcript, .. } => Some((*at_ms, transcript)),
            Output::SpeechStarted { .. } | Output::UtteranceEnd { .. } | Output::Fault(_) => None,
        })
    }

    fn finals(&self) -> Vec<(u64, &Transcript)> {
        self.results().filter(|(_, transcript)| transcript.is_final).collect()
    }

    fn text(&self) -> String {
        let texts: Vec<String> = self.finals().iter().map(|(_, transcript)| transcript.text()).collect();
        texts.iter().filter(|text| !text.is_empty()).cloned().collect::<Vec<_>>().join(" ")
    }

    fn flagged(&self) -> bool {
        self.results().any(|(_, transcript)| transcript.confidence == Confidence::Flagged)
    }
}

const SENTENCE: &str = "i would like to see the house on maple street";

#[test]
fn a_final_comes_when_the_endpointing_silence_has_arrived_and_not_before() {
    let mut line = Line::new(listener(0, None));
    line.play(&utterance(SENTENCE));
    let spoken_ms = line.now_ms;
    assert!(line.finals().is_empty(), "{:?}", line.finals());
    line.play(&silence(1_000));
    let finals = line.finals();
    let (at_ms, transcript) = finals[0];
    assert_eq!(finals.len(), 1);
    assert_eq!(transcript.text(), SENTENCE);
    assert_eq!(transcript.confidence, Confidence::Sure);
    assert!(transcript.speech_final && !transcript.from_finalize);
    assert!(
        at_ms >= transcript.end_ms + 300 && at_ms <= transcript.end_ms + 300 + FRAME_MS,
        "{at_ms} {transcript:?}"
    );
    assert!(transcript.end_ms.abs_diff(spoken_ms) <= 40, "{} {spoken_ms}", transcript.end_ms);
    assert!(transcript.start_ms <= 20);
}

#[test]
fn a_long_delay_counts_from_the_end_of_speech_and_a_short_one_is_hidden_by_the_endpointing() {
    for (delay_ms, expected_ms) in [(281, 300), (500, 500), (10_281, 10_281)] {
        let mut line = Line::new(listener(delay_ms, None));
        line.play(&utterance(SENTENCE)).play(&silence(600)).advance(10_000);
        let (at_ms, transcript) = line.finals()[0];
        let waited_ms = at_ms - transcript.end_ms;
        assert!((expected_ms..=expected_ms + FRAME_MS).contains(&waited_ms), "{delay_ms}: {waited_ms}");
        let injected = line.heard.iter().find_map(|(_, output)| match output {
            Output::Result { injected, .. } => *injected,
            Output::SpeechStarted { .. } | Output::UtteranceEnd { .. } | Output::Fault(_) => None,
        });
        assert_eq!(injected.map(|injected| injected.delay), Some(Duration::from_millis(delay_ms)));
    }
}

#[test]
fn audio_that_arrives_at_once_is_understood_at_once() {
    let mut listener = listener(0, None);
    let mut audio = utterance(SENTENCE);
    audio.extend(silence(400));
    listener.push(&audio, Duration::ZERO);
    let mut finals = Vec::new();
    while let Some(output) = listener.poll(Duration::ZERO) {
        if let Output::Result { transcript, .. } = output
            && transcript.is_final
        {
            finals.push(transcript.text());
        }
    }
    assert_eq!(finals, [SENTENCE]);
}

#[test]
fn partial_transcripts_grow_word_by_word_each_as_late_as_the_profile_says() {
    let mut line = Line::new(listener(200, None));
    line.play(&utterance(SENTENCE)).play(&silence(1_000));
    let partials: Vec<_> = line.results().filter(|(_, transcript)| !transcript.is_final).collect();
    let words: Vec<&str> = SENTENCE.split(' ').collect();
    assert_eq!(partials.len(), words.len());
    for (count, (at_ms, transcript)) in (1..).zip(&partials) {
        assert_eq!(transcript.text(), words[..count].join(" "));
        let word_end_ms = transcript.words[count - 1].end_ms;
        assert!(
            (200..=200 + 2 * FRAME_MS).contains(&(at_ms - word_end_ms)),
            "{count}: {at_ms} {word_end_ms}"
        );
        assert!(word_end_ms.abs_diff(count as u64 * u64::from(WORD_MS)) <= 110, "{count}: {word_end_ms}");
    }
}

#[test]
fn partial_transcripts_come_in_steps_and_say_everything_that_was_spoken_long_enough_before() {
    let ms = Duration::from_millis;
    let interim = Interim { lag: ms(150), step: ms(150), phase: ms(40) };
    let mut line = Line::new(treated(settings(), 0, interim, None));
    line.play(&utterance(SENTENCE)).play(&silence(1_000));
    let partials: Vec<_> = line.results().filter(|(_, transcript)| !transcript.is_final).collect();
    assert!(partials.len() >= 6, "{}", partials.len());
    for (at_ms, transcript) in &partials {
        assert_eq!((at_ms - 40) % 150, 0, "{at_ms}");
        let lag_ms = at_ms - transcript.words.last().unwrap().end_ms;
        assert!((150..=300).contains(&lag_ms), "{lag_ms}");
    }
    assert_eq!(line.text(), SENTENCE);
}

#[test]
fn a_final_transcript_does_not_wait_for_the_partial_ones_before_it() {
    let interim = Interim { lag: Duration::from_secs(2), ..Interim::NONE };
    let mut line = Line::new(treated(settings(), 0, interim, None));
    line.play(&utterance("yes please")).play(&silence(600));
    let results: Vec<_> = line.results().collect();
    assert_eq!(results.len(), 1, "{results:?}");
    let (at_ms, transcript) = results[0];
    assert!(transcript.is_final && at_ms <= transcript.end_ms + 300 + FRAME_MS, "{results:?}");
}

#[test]
fn speech_that_is_to_be_committed_is_final_when_it_is_and_not_before() {
    let settings = Settings { endpoint: Endpoint::Commit, longest_stretch_ms: 90_000, ..settings() };
    let mut line = Line::new(listener_with(settings, 0, None));
    line.play(&utterance("yes please"))
        .play(&silence(3_000))
        .play(&utterance("two bedrooms"))
        .play(&silence(100));
    assert!(line.finals().is_empty());
    let now = line.now();
    line.listener.finalize(now);
    line.advance(1);
    assert_eq!(line.text(), "yes please two bedrooms");
    assert!(line.finals()[0].1.from_finalize && !line.flagged());
}

#[test]
fn speech_that_is_to_be_committed_and_lost_its_end_is_flagged() {
    let settings = Settings { endpoint: Endpoint::Commit, longest_stretch_ms: 90_000, ..settings() };
    let mut line = Line::new(listener_with(settings, 0, None));
    let audio = utterance(SENTENCE);
    line.play(&audio[..audio.len() - 5 * FRAME_SAMPLES]).play(&silence(1_500));
    let now = line.now();
    line.listener.finalize(now);
    line.advance(1);
    assert!(line.flagged(), "{:?}", line.finals());
}

#[test]
fn no_partial_transcripts_come_where_none_were_asked_for() {
    let settings = Settings { interim_results: false, ..settings() };
    let mut line = Line::new(listener_with(settings, 0, None));
    line.play(&utterance(SENTENCE)).play(&silence(1_000));
    assert_eq!(line.results().count(), 1);
    assert_eq!(line.text(), SENTENCE);
}

#[test]
fn finalize_ends_the_wait_for_silence_but_not_the_recognisers_own_delay() {
    for (delay_ms, expected_ms) in [(0, 120), (400, 400)] {
        let mut line = Line::new(listener(delay_ms, None));
        line.play(&utterance(SENTENCE)).play(&silence(100));
        let now = line.now();
        line.listener.finalize(now);
        line.advance(1_000);
        let finals = line.finals();
        assert_eq!(finals.len(), 1);
        let (at_ms, transcript) = finals[0];
        assert!(transcript.from_finalize);
        assert_eq!(transcript.text(), SENTENCE);
        let waited_ms = at_ms - transcript.end_ms;
        assert!((expected_ms - 40..=expected_ms + 40).contains(&waited_ms), "{delay_ms}: {waited_ms}");
    }
}

#[test]
fn finalize_marks_a_result_that_is_on_its_way_and_answers_when_there_is_none() {
    let mut line = Line::new(listener(2_000, None));
    line.play(&utterance("yes")).play(&silence(600));
    let now = line.now();
    line.listener.finalize(now);
    line.advance(3_000);
    let now = line.now();
    line.listener.finalize(now);
    line.advance(10);
    let finals = line.finals();
    assert_eq!(finals.len(), 2);
    assert!(finals[0].1.from_finalize && finals[0].1.text() == "yes");
    assert!(finals[1].1.from_finalize && finals[1].1.words.is_empty());
}

#[test]
fn speech_starts_once_and_ends_once() {
    let mut line = Line::new(listener(0, None));
    line.play(&silence(500)).play(&utterance(SENTENCE)).play(&silence(2_000));
    let started: Vec<u64> = line
        .heard
        .iter()
        .filter_map(|(_, output)| match output {
            Output::SpeechStarted { at_ms } => Some(*at_ms),
            Output::Result { .. } | Output::UtteranceEnd { .. } | Output::Fault(_) => None,
        })
        .collect();
    assert_eq!(started.len(), 1);
    assert!(started[0].abs_diff(500) <= 30, "{started:?}");
    let last_word_end = line.finals()[0].1.words.last().unwrap().end_ms;
    let ended: Vec<_> =
        line.heard.iter().filter(|(_, output)| matches!(output, Output::UtteranceEnd { .. })).collect();
    assert_eq!(ended.len(), 1);
    assert_eq!(ended[0].1, Output::UtteranceEnd { last_word_end_ms: last_word_end });
    assert!((1_000..=1_000 + FRAME_MS).contains(&(ended[0].0 - last_word_end)), "{ended:?}");
}

#[test]
fn a_pause_within_an_utterance_makes_two_finals_that_say_all_of_it() {
    let words: Vec<TimedWord> = [("hello", 0, 600), ("there", 1_200, 1_800)]
        .map(|(text, start_ms, end_ms)| TimedWord { text: text.to_owned(), start_ms, end_ms })
        .to_vec();
    let speech = [babble(600), silence(600), babble(600)].concat();
    let mut line = Line::new(listener(0, None));
    line.play(&subcarrier::embed(&speech, &words)).play(&silence(1_500));
    let finals: Vec<_> =
        line.finals().iter().map(|(_, one)| (one.text(), one.speech_final, one.confidence)).collect();
    let sure = |text: &str| (text.to_owned(), true, Confidence::Sure);
    assert_eq!(finals, [sure("hello"), sure("there")]);
}

#[test]
fn an_endless_caller_is_reported_every_ten_seconds() {
    let text = vec!["word"; 70].join(" ");
    let mut line = Line::new(listener(0, None));
    line.play(&utterance(&text)).play(&silence(1_000));
    let finals = line.finals();
    assert_eq!(finals.iter().map(|(_, one)| one.speech_final).collect::<Vec<_>>(), [false, false, true]);
    assert_eq!(line.text(), text);
    assert!(!line.flagged());
}

#[test]
fn speech_without_sub_carrier_is_unintelligible() {
    let mut line = Line::new(listener(0, None));
    line.play(&babble(1_500)).play(&silence(600));
    let results: Vec<_> = line.results().map(|(at_ms, one)| (at_ms, one.is_final, one.confidence)).collect();
    assert_eq!(results.len(), 2, "{results:?}");
    assert!(matches!(results[0], (980..=1_040, false, Confidence::Nothing)), "{results:?}");
    assert!(matches!(results[1], (_, true, Confidence::Nothing)), "{results:?}");
    assert_eq!(line.text(), "");
}

#[test]
fn silence_says_nothing_at_all() {
    let mut line = Line::new(listener(0, None));
    line.play(&silence(60_000));
    assert!(line.heard.is_empty(), "{:?}", line.heard);
}

#[test]
fn an_utterance_whose_end_never_comes_raises_the_flag_after_a_second() {
    let audio = utterance(SENTENCE);
    let cut = &audio[..audio.len() - 5 * FRAME_SAMPLES];
    let mut line = Line::new(listener(0, None));
    line.play(cut).play(&silence(2_000));
    assert!(line.flagged(), "{:?}", line.finals());
}

#[test]
fn an_utterance_whose_last_run_is_lost_raises_the_flag_though_its_transcript_had_gone_out() {
    let words: Vec<TimedWord> = [("hello", 0, 600), ("there", 1_200, 1_800)]
        .map(|(text, start_ms, end_ms)| TimedWord { text: text.to_owned(), start_ms, end_ms })
        .to_vec();
    let audio = subcarrier::embed(&[babble(600), silence(600), babble(600)].concat(), &words);
    let mut line = Line::new(listener(0, None));
    line.play(&audio[..900 * 8]).play(&silence(3_000));
    let finals: Vec<_> = line.finals().iter().map(|(_, one)| (one.text(), one.confidence)).collect();
    assert_eq!(finals, [("hello".to_owned(), Confidence::Sure), (String::new(), Confidence::Flagged)]);
}

#[test]
fn no_single_frame_fault_changes_a_transcript_without_raising_the_flag() {
    for (spoken, text) in
        [("is it on maple street", "is it on maple street"), ("我 想 看 房 子", "我想看房子")]
    {
        every_single_frame_fault(spoken, text);
    }
}

fn every_single_frame_fault(spoken: &str, text: &str) {
    let frames: Vec<Vec<i16>> = utterance(spoken).chunks(FRAME_SAMPLES).map(<[i16]>::to_vec).collect();
    let hear = |frames: &[Vec<i16>]| {
        let mut line = Line::new(listener(0, None));
        line.play(&frames.concat()).play(&silence(1_500));
        (line.text(), line.flagged())
    };
    assert_eq!(hear(&frames), (text.to_owned(), false));
    let mut noticed = 0;
    let mut all = 0;
    for position in 0..frames.len() {
        let mut dropped = frames.clone();
        dropped.remove(position);
        let mut doubled = frames.clone();
        doubled.insert(position, frames[position].clone());
        let mut zeroed = frames.clone();
        zeroed[position].fill(0);
        let mut swapped = frames.clone();
        swapped.swap(position, (position + 1).min(frames.len() - 1));
        for (fault, faulty) in
            [("dropped", dropped), ("doubled", doubled), ("zeroed", zeroed), ("swapped", swapped)]
        {
            let (heard, flagged) = hear(&faulty);
            assert!(heard == text || flagged, "{fault} at {position}: {heard}");
            noticed += usize::from(flagged);
            all += 1;
        }
    }
    // What is not noticed is at the very edges, where a frame has nothing of the text in it.
    assert!(noticed * 100 >= all * 90, "{noticed} of {all}");
}

#[test]
fn a_failing_utterance_fails_where_its_first_words_would_have_been() {
    for fault in [Fault::Refuse, Fault::RateLimit, Fault::HalfOpen, Fault::Disconnect, Fault::Garbage] {
        let mut line = Line::new(listener(100, Some(fault)));
        line.play(&utterance(SENTENCE)).play(&silence(1_000));
        assert_eq!(line.heard[1].1, Output::Fault(fault));
        assert_eq!(line.results().count(), 0);
    }
}

#[test]
fn closing_gives_the_last_words() {
    let mut line = Line::new(listener(0, None));
    line.play(&utterance(SENTENCE));
    let now = line.now();
    line.listener.close(now);
    line.take();
    assert_eq!(line.text(), SENTENCE);
    assert!(!line.flagged());
    assert_eq!(line.listener.poll_timeout(), None);
}

#[test]
fn what_waits_for_a_stalled_recogniser_is_bounded() {
    let mut line = Line::new(listener(3_600_000, None));
    line.play(&utterance(&vec!["a"; 600].join(" ")));
    assert!(line.listener.waiting.len() <= MAX_WAITING + 60, "{}", line.listener.waiting.len());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_sound_in_pieces_of_any_size_is_heard_as_if_it_came_at_once(
        sound in prop::collection::vec(any::<i16>(), 0..8_000),
        cuts in prop::collection::vec(1_usize..700, 1..40),
        finalize in any::<bool>(),
    ) {
        let hear = |pieces: &mut dyn Iterator<Item = &[i16]>| {
            let mut listener = listener(0, None);
            for piece in pieces {
                listener.push(piece, Duration::ZERO);
            }
            if finalize {
                listener.finalize(Duration::ZERO);
            }
            listener.close(Duration::ZERO);
            std::iter::from_fn(|| listener.poll(Duration::ZERO)).collect::<Vec<_>>()
        };
        let mut rest = sound.as_slice();
        let mut cuts = cuts.iter().cycle();
        let mut pieces = std::iter::from_fn(|| {
            let (head, tail) = rest.split_at(rest.len().min(*cuts.next()?));
            rest = tail;
            (!head.is_empty()).then_some(head)
        });
        prop_assert_eq!(hear(&mut pieces), hear(&mut std::iter::once(sound.as_slice())));
    }
}
