//! What the caller hears when a provider is slow, fails, or dies in the middle.

mod world;

use bytes::Bytes;
use seiketsu_call::{
    AlignedChar, Call, Finish, GenerationEvent, Input, Note, Output, Plan, Retry, SynthesisEvent,
    SynthesisId, ToolNumber, VoiceActivity,
};
use seiketsu_domain::{CallTime, Language, Stage, ToolOutcome, TurnOutcome, Usage};
use std::time::Duration;
use world::{World, asks, lines, ms, plan, says};

const ANSWER: &str = "We have three homes in Riverside for you.";

fn text(text: &str) -> GenerationEvent {
    GenerationEvent::Text(text.to_owned())
}

fn hedging() -> Plan {
    let mut plan = plan();
    plan.limits.hedges_per_round = 2;
    plan
}

fn speculating() -> Plan {
    let mut plan = plan();
    plan.limits.speculations = 2;
    plan
}

#[test]
fn a_model_that_is_asked_early_answers_early() {
    let mut world = World::new(speculating(), |_| says(ANSWER));
    world.caller_says("do you have homes", 2_000, 1_000);
    world.run_until(12_000);
    assert_eq!(
        world.stage_ms(1, Stage::RequestSent),
        3_096,
        "when the voice ended, before its last words were certain"
    );
    assert_eq!(world.stage_ms(1, Stage::FinalTranscript), 3_300);
    assert_eq!(world.turn(1).timeline.first_substantive_ms(), Some(96 + 400 + 40 + 150));
    assert_eq!(world.prompts.len(), 1, "asked once");
    assert_eq!(world.noted(Note::SpeculationUsed), 1);
}

#[test]
fn nothing_is_said_or_done_on_words_that_changed() {
    let mut world = World::new(speculating(), |prompt| {
        if lines(&prompt.messages).iter().any(|line| line.ends_with("fifty thousand")) {
            asks(&[("book_viewing", "{}")])
        } else {
            says("Fifteen it is.")
        }
    });
    world.caller_makes_noise(2_000, 1_000);
    world.at(ms(2_900), Input::HeardPartly { text: "fifty thousand".to_owned(), until: None });
    let heard = Input::Heard { text: "fifteen thousand".to_owned(), until: ms(3_000), settled: true };
    world.at(ms(3_800), heard);
    world.run_until(12_000);
    assert_eq!(world.tools_run, [], "the tool of a guess never runs");
    assert_eq!(world.noted(Note::SpeculationMissed), 1);
    assert_eq!(world.turn(1).heard_text.expose(), "Fifteen it is.");
}

#[test]
fn a_guess_that_missed_is_on_the_bill_if_the_model_told_what_it_cost() {
    // The answer to the guess is complete before the words turn out otherwise; or it comes when it was given up already.
    for (first_token, complete) in [(300, true), (700, false)] {
        let mut world = World::new(speculating(), |_| says("Fifteen it is."));
        world.delays.first_token = first_token;
        world.caller_makes_noise(2_000, 1_000);
        world.at(ms(2_900), Input::HeardPartly { text: "fifty thousand".to_owned(), until: Some(ms(2_900)) });
        let heard = Input::Heard { text: "fifteen thousand".to_owned(), until: ms(3_000), settled: true };
        world.at(ms(3_600), heard);
        world.at(ms(12_000), Input::HungUp);
        world.run_until(12_000);
        assert_eq!((world.prompts.len(), world.cancelled_generations), (2, u64::from(!complete)));
        let billed = |usage: Usage| (usage.input_tokens, usage.output_tokens);
        assert_eq!(billed(world.turn(1).usage), (20, 10), "both requests");
        assert_eq!(
            billed(world.end.as_ref().unwrap().usage),
            (20, 10),
            "and the call is the sum of its turns"
        );
    }
}

#[test]
fn a_hedge_that_lost_is_on_the_bill_of_the_next_turn_if_it_told_what_it_cost() {
    let mut call = Call::new(Plan { greeting: String::new(), ..hedging() }, CallTime::ZERO);
    call.handle(Input::Voice(VoiceActivity::Began { at: ms(1_000) }), ms(1_050));
    call.handle(Input::Voice(VoiceActivity::Ended { at: ms(2_000) }), ms(2_096));
    call.handle(Input::Heard { text: "hello".to_owned(), until: ms(2_000), settled: true }, ms(2_100));
    call.handle_timeout(ms(2_250));
    call.handle_timeout(ms(2_550));
    let asked: Vec<_> = std::iter::from_fn(|| call.poll_output())
        .filter_map(|output| if let Output::Generate { id, .. } = output { Some(id) } else { None })
        .collect();
    let [slow, quick] = asked[..] else { panic!("asked twice: {asked:?}") };
    call.handle(Input::Generation { id: quick, event: text("Yes.") }, ms(3_000));
    for _ in 0..2 {
        let event = GenerationEvent::Finished { input_tokens: 900, output_tokens: 8, finish: Finish::Whole };
        call.handle(Input::Generation { id: slow, event }, ms(3_100));
    }
    call.handle(Input::HungUp, ms(4_000));
    let usage = std::iter::from_fn(|| call.poll_output())
        .find_map(|output| if let Output::Ended(end) = output { Some(end.usage) } else { None });
    let usage = usage.expect("the call has ended");
    assert_eq!((usage.input_tokens, usage.output_tokens), (900, 8), "once");
}

#[test]
fn words_that_become_final_after_they_were_answered_do_not_interrupt_their_own_answer() {
    let mut world = World::new(plan(), |_| says(ANSWER));
    let words = || "when is my viewing".to_owned();
    world.caller_makes_noise(2_000, 1_000);
    world.at(ms(2_700), Input::HeardPartly { text: words(), until: None });
    // From a recogniser that took over and heard the silence as well, in two pieces.
    world.at(ms(5_100), Input::Heard { text: words(), until: ms(4_900), settled: false });
    world.at(ms(5_200), Input::Heard { text: String::new(), until: ms(5_000), settled: true });
    world.caller_says("and on friday", 9_000, 700);
    world.run_until(20_000);
    assert!(world.stage_ms(1, Stage::FirstAudioPlayed) < 5_000, "it was answered before");
    assert_eq!((world.clears.as_slice(), world.turn(1).heard_text.expose().as_str()), (&[][..], ANSWER));
    let asked: Vec<_> = world.turns.iter().map(|turn| turn.caller_text.expose().as_str()).collect();
    assert_eq!(asked, ["", "when is my viewing", "and on friday"]);
}

#[test]
fn a_caller_who_goes_on_is_not_answered_twice() {
    let mut world = World::new(speculating(), |_| says(ANSWER));
    world.caller_says("do you have homes", 2_000, 1_000);
    world.caller_says("in riverside", 3_200, 700);
    world.run_until(14_000);
    let answered = world.turns.iter().filter(|turn| turn.outcome == TurnOutcome::Answered).count();
    assert_eq!(answered, 2, "the greeting and one answer");
    assert_eq!(world.turns.last().unwrap().caller_text.expose(), "do you have homes in riverside");
}

#[test]
fn a_slow_model_is_hedged_and_whoever_speaks_first_is_listened_to() {
    let mut call = Call::new(Plan { greeting: String::new(), ..hedging() }, CallTime::ZERO);
    call.handle(Input::Voice(VoiceActivity::Began { at: ms(1_000) }), ms(1_050));
    call.handle(Input::Voice(VoiceActivity::Ended { at: ms(2_000) }), ms(2_096));
    call.handle(Input::Heard { text: "hello".to_owned(), until: ms(2_000), settled: true }, ms(2_100));
    call.handle_timeout(ms(2_250));
    call.handle_timeout(ms(2_550));
    call.handle_timeout(ms(2_850));
    let asked: Vec<_> = std::iter::from_fn(|| call.poll_output())
        .filter_map(|output| {
            if let Output::Generate { id, attempt, .. } = output { Some((id, attempt)) } else { None }
        })
        .collect();
    assert_eq!(
        asked.iter().map(|(_, attempt)| *attempt).collect::<Vec<_>>(),
        [0, 1, 2],
        "each as long after the one before"
    );
    let (first, second, third) = (asked[0].0, asked[1].0, asked[2].0);
    call.handle(Input::Generation { id: second, event: text("Second to none. ") }, ms(3_100));
    call.handle(Input::Generation { id: first, event: text("First. ") }, ms(3_150));
    let outputs: Vec<_> = std::iter::from_fn(|| call.poll_output()).collect();
    for loser in [first, third] {
        assert!(outputs.contains(&Output::CancelGeneration(loser)));
    }
    let spoken: Vec<_> = outputs
        .iter()
        .filter_map(|output| if let Output::Speak { text, .. } = output { Some(text.as_str()) } else { None })
        .collect();
    assert_eq!(spoken, ["Second to none."], "one answer, not two");
    assert_eq!(call.late_answers(), 1);
}

#[test]
fn a_caller_who_broke_off_and_has_said_all_is_answered_as_soon_as_their_time_is_over() {
    let mut world = World::new(speculating(), |_| says("Which price do you have in mind?"));
    world.delays.first_token = 900;
    world.caller_says("i would like something around", 2_000, 1_000);
    world.run_until(9_000);
    // Asked when the words are known, at 3,300; the answer is there at 4,240, and said from 4,400 on.
    assert_eq!(world.attempts[0].0, ms(3_300));
    assert_eq!(world.prompts.len(), 1);
    assert_eq!(world.stage_ms(1, Stage::FirstAudioSent), 4_400 + 150);
    assert_eq!(world.noted(Note::Acknowledged), 0);
}

#[test]
fn a_caller_who_broke_off_and_goes_on_is_asked_about_all_of_it() {
    let mut world = World::new(speculating(), |_| says("Very well."));
    world.caller_says("i would like something around", 2_000, 1_000);
    world.caller_says("four hundred thousand please", 4_000, 900);
    world.run_until(9_000);
    assert_eq!(
        world.turn(1).caller_text.expose(),
        "i would like something around four hundred thousand please"
    );
    assert_eq!(world.noted(Note::SpeculationMissed), 1);
    assert!(
        world.plays.iter().all(|at| *at < ms(2_000) || *at > ms(4_900)),
        "nothing of the first answer was said"
    );
}

#[test]
fn one_of_two_requests_that_fails_leaves_the_other() {
    let mut asked = 0;
    let mut patient = hedging();
    patient.limits.acknowledge_after = Duration::from_secs(30);
    let mut world = World::new(patient, move |_| {
        asked += 1;
        if asked == 1 { vec![GenerationEvent::Failed { retry: Retry::Never }] } else { says(ANSWER) }
    });
    world.delays.first_token = 1_000;
    world.caller_says("do you have homes", 2_000, 1_000);
    world.run_until(14_000);
    assert_eq!(world.turn(1).heard_text.expose(), ANSWER);
    assert_eq!(world.turn(1).timeline.first_substantive_ms(), Some(300 + 150 + 1_000 + 40 + 150));
}

#[test]
fn an_answer_that_breaks_off_before_its_first_phrase_is_asked_for_again_and_begins_anew() {
    let mut asked = 0;
    let mut world = World::new(plan(), move |_| {
        asked += 1;
        match asked {
            1 => vec![text("We "), text("had "), GenerationEvent::Failed { retry: Retry::Now }],
            _ => says(ANSWER),
        }
    });
    world.caller_says("do you have homes", 2_000, 1_000);
    world.run_until(14_000);
    assert_eq!(world.turn(1).outcome, TurnOutcome::Answered);
    assert_eq!(world.turn(1).heard_text.expose(), ANSWER, "nothing of the first answer was said");
    assert_eq!(world.turn(1).generated_text.expose(), ANSWER);
    assert_eq!(world.prompts.len(), 2);
}

#[test]
fn an_answer_that_breaks_off_after_a_phrase_is_not_begun_anew() {
    let broken =
        || vec![text("We have three homes. "), text("They "), GenerationEvent::Failed { retry: Retry::Now }];
    let mut world = World::new(plan(), move |_| broken());
    world.caller_says("do you have homes", 2_000, 1_000);
    world.run_until(14_000);
    assert_eq!(world.turn(1).outcome, TurnOutcome::Failed);
    assert_eq!(world.turn(1).heard_text.expose(), "We have three homes. They");
    assert_eq!(world.prompts.len(), 1);
}

#[test]
fn a_provider_that_names_a_short_wait_is_asked_after_it_and_one_that_names_a_long_one_is_not() {
    for (wait, asked, heard) in [(800, 2, ANSWER), (30_000, 1, "I am sorry, something went wrong.")] {
        let mut round = 0;
        let mut world = World::new(plan(), move |_| {
            round += 1;
            let retry = Retry::After(Duration::from_millis(wait));
            if round == 1 { vec![GenerationEvent::Failed { retry }] } else { says(ANSWER) }
        });
        world.delays.first_token = 100;
        world.caller_says("do you have homes", 2_000, 1_000);
        world.run_until(12_000);
        assert_eq!(world.prompts.len(), asked);
        assert!(
            world.turn(1).heard_text.expose().ends_with(heard),
            "{:?}",
            world.turn(1).heard_text.expose()
        );
        if asked == 2 {
            assert_eq!(world.attempts[1].0, ms(3_400 + wait));
        }
    }
}

#[test]
fn a_key_that_is_refused_is_not_tried_again() {
    let mut world = World::new(plan(), |_| vec![GenerationEvent::Failed { retry: Retry::Never }]);
    world.delays.first_token = 100;
    world.caller_says("do you have homes", 2_000, 1_000);
    world.run_until(12_000);
    assert_eq!(world.prompts.len(), 1);
    assert_eq!(world.turn(1).heard_text.expose(), "I am sorry, something went wrong.");
    assert!(world.turn(1).timeline.first_audible_ms().is_some_and(|first| first < 1_000));
}

/// A call whose model has answered with [`ANSWER`], and the request to the voice.
fn asked_to_speak() -> (Call, SynthesisId) {
    let (call, speech) = answered(plan(), [text(ANSWER)]);
    assert_eq!(speech[0].1, ANSWER);
    (call, speech[0].0)
}

/// A call whose model has answered like this, and what the voice was asked for.
#[expect(clippy::unwrap_used, reason = "a helper of tests")]
fn answered(
    plan: Plan,
    events: impl IntoIterator<Item = GenerationEvent>,
) -> (Call, Vec<(SynthesisId, String)>) {
    let mut call = Call::new(Plan { greeting: String::new(), ..plan }, CallTime::ZERO);
    call.handle(Input::Voice(VoiceActivity::Began { at: ms(1_000) }), ms(1_050));
    call.handle(Input::Voice(VoiceActivity::Ended { at: ms(2_000) }), ms(2_096));
    call.handle(Input::Heard { text: "hello".to_owned(), until: ms(2_000), settled: true }, ms(2_100));
    call.handle_timeout(ms(2_250));
    let id = std::iter::from_fn(|| call.poll_output())
        .find_map(|output| if let Output::Generate { id, .. } = output { Some(id) } else { None })
        .unwrap();
    for event in events {
        call.handle(Input::Generation { id, event }, ms(2_300));
    }
    let finished = GenerationEvent::Finished { input_tokens: 1, output_tokens: 1, finish: Finish::Whole };
    call.handle(Input::Generation { id, event: finished }, ms(2_310));
    let speech = speeches(&mut call);
    (call, speech)
}

fn speeches(call: &mut Call) -> Vec<(SynthesisId, String)> {
    std::iter::from_fn(|| call.poll_output())
        .filter_map(
            |output| if let Output::Speak { id, text, .. } = output { Some((id, text)) } else { None },
        )
        .collect()
}

fn audio_of(text: &str) -> SynthesisEvent {
    let alignment: Vec<_> = text
        .chars()
        .enumerate()
        .map(|(n, character)| AlignedChar { character, start_ms: n as u32 * 50, end_ms: n as u32 * 50 + 50 })
        .collect();
    SynthesisEvent::Audio { audio: Bytes::from(vec![0x55; text.chars().count() * 50 * 8]), alignment }
}

#[test]
fn a_voice_that_dies_in_mid_sentence_goes_on_at_the_first_word_it_did_not_finish() {
    let (mut call, id) = asked_to_speak();
    call.handle(Input::Synthesis { id, event: audio_of("We have three ho") }, ms(2_500));
    call.handle(Input::Synthesis { id, event: SynthesisEvent::Failed }, ms(2_600));
    let again = speeches(&mut call);
    assert_eq!(again.len(), 1);
    assert_eq!(again[0].1, "homes in Riverside for you.");
    let rest = again[0].0;
    call.handle(Input::Synthesis { id: rest, event: audio_of(&again[0].1) }, ms(2_900));
    call.handle(Input::Synthesis { id: rest, event: SynthesisEvent::Finished }, ms(2_900));
    let turn = play_out(&mut call, ms(2_900));
    assert_eq!(turn.heard_text.expose(), ANSWER);
    assert_eq!(turn.outcome, TurnOutcome::Answered);
}

#[test]
fn a_voice_that_dies_in_mid_sentence_loses_no_words_of_a_language_without_spaces() {
    let chinese = Plan { language: Language::Zh, ..plan() };
    let (mut call, speech) = answered(chinese, [text("好的 我们有三套房子。")]);
    let id = speech[0].0;
    call.handle(Input::Synthesis { id, event: audio_of("好的 我们有") }, ms(2_500));
    call.handle(Input::Synthesis { id, event: SynthesisEvent::Failed }, ms(2_600));
    assert_eq!(speeches(&mut call)[0].1, "三套房子。");
}

#[test]
fn an_announcement_that_breaks_is_still_on_record_before_its_tool() {
    let (request, name, arguments) = ("r".to_owned(), "find".to_owned(), "{}".to_owned());
    let tool = GenerationEvent::ToolCall { request, name, arguments };
    let (mut call, speech) = answered(plan(), [text("Let me look in Riverside. "), tool]);
    let id = speech[0].0;
    call.handle(Input::Synthesis { id, event: audio_of("Let me lo") }, ms(2_500));
    call.handle(Input::Synthesis { id, event: SynthesisEvent::Failed }, ms(2_600));
    assert_eq!(speeches(&mut call)[0].1, "look in Riverside.");
    let outcome = ToolOutcome::Done(serde_json::json!([]));
    call.handle(Input::Tool { number: ToolNumber(0), outcome }, ms(2_700));
    let prompt = std::iter::from_fn(|| call.poll_output())
        .find_map(|output| if let Output::Generate { prompt, .. } = output { Some(prompt) } else { None });
    assert_eq!(
        lines(&prompt.unwrap().messages),
        ["caller: hello", "agent: Let me look in Riverside.", "asks: find {}", "result: []"]
    );
}

#[test]
fn an_early_request_that_failed_is_not_taken_for_the_first_token() {
    let mut asked = 0;
    let mut world = World::new(speculating(), move |_| {
        asked += 1;
        if asked == 1 { vec![GenerationEvent::Failed { retry: Retry::Now }] } else { says(ANSWER) }
    });
    world.delays.first_token = 100;
    world.caller_says("do you have homes", 2_000, 1_000);
    world.run_until(12_000);
    let again = world.attempts[1].0.as_millis();
    assert_eq!(world.stage_ms(1, Stage::FirstToken), again + 100);
    assert!(world.attempts[0].0.as_millis() + 100 < again, "it had failed before the words were certain");
}

#[test]
fn a_wait_is_bridged_although_the_end_of_the_answer_is_there_before_its_beginning() {
    let sentences =
        [text("We have three homes in Riverside. "), text("Which of them would you like to see? ")];
    let (mut call, speech) = answered(plan(), sentences);
    assert_eq!(speech.len(), 2);
    call.handle(Input::Synthesis { id: speech[1].0, event: audio_of(&speech[1].1) }, ms(2_600));
    call.handle(Input::Synthesis { id: speech[0].0, event: SynthesisEvent::Failed }, ms(2_900));
    let again = speeches(&mut call);
    assert_eq!(again[0].1, speech[0].1, "the first sentence is made again");
    call.handle_timeout(ms(3_800));
    let bridge = speeches(&mut call);
    assert_eq!(bridge.len(), 1, "the promise is about to be broken");
    call.handle(Input::Synthesis { id: bridge[0].0, event: audio_of(&bridge[0].1) }, ms(3_805));
    let plays = std::iter::from_fn(|| call.poll_output()).any(|output| matches!(output, Output::Play(_)));
    assert!(plays, "and is kept");
}

#[test]
fn a_goodbye_that_is_long_in_coming_is_bridged_too() {
    let (request, name, arguments) = ("r".to_owned(), "end_call".to_owned(), "{}".to_owned());
    let tool = GenerationEvent::ToolCall { request, name, arguments };
    let (mut call, speech) = answered(plan(), [text("Thank you for calling. "), tool]);
    let outcome = ToolOutcome::Done(serde_json::json!({ "ok": true }));
    call.handle(Input::Tool { number: ToolNumber(0), outcome }, ms(2_400));
    call.handle(Input::Synthesis { id: speech[0].0, event: SynthesisEvent::Failed }, ms(2_900));
    assert_eq!(speeches(&mut call)[0].1, speech[0].1, "it is made again");
    call.handle_timeout(ms(3_800));
    assert_eq!(speeches(&mut call).len(), 1, "the promise holds for the last answer as well");
}

/// Lets playback run to its end; returns the turn.
fn play_out(call: &mut Call, from: CallTime) -> seiketsu_domain::TurnRecord {
    let mut marks: Vec<_> = Vec::new();
    for at in (from.as_millis()..from.as_millis() + 20_000).step_by(50).map(ms) {
        while let Some(output) = call.poll_output() {
            if let Output::Mark(mark) = output {
                marks.push(mark);
            } else if let Output::Committed(turn) = output {
                return *turn;
            }
        }
        if call.poll_timeout().is_some_and(|(due, _)| due <= at) {
            call.handle_timeout(at);
        }
    }
    panic!("the turn did not end; marks {marks:?}");
}

#[test]
fn a_voice_that_owes_its_first_sound_is_asked_again_after_a_second() {
    let (mut call, first) = asked_to_speak();
    let (due, _) = call.poll_timeout().unwrap();
    assert_eq!(due, ms(2_310 + 1_000));
    call.handle_timeout(due);
    let outputs: Vec<_> = std::iter::from_fn(|| call.poll_output()).collect();
    assert!(outputs.contains(&Output::CancelSpeech(first)));
    let again = outputs.iter().find_map(|o| if let Output::Speak { id, .. } = o { Some(*id) } else { None });
    assert!(again.is_some_and(|id| id != first));
    call.handle(Input::Synthesis { id: first, event: audio_of(ANSWER) }, ms(3_400));
    assert_eq!(call.late_answers(), 1, "what comes after all is dropped");
}

fn play_begins(call: &mut Call) -> bool {
    std::iter::from_fn(|| call.poll_output()).any(|output| matches!(output, Output::Play(_)))
}

#[test]
fn a_phrase_begins_when_the_voice_has_shown_that_it_goes_on() {
    let (mut call, first) = asked_to_speak();
    call.handle(Input::Synthesis { id: first, event: audio_of("We h") }, ms(2_600));
    assert!(!play_begins(&mut call), "a fifth of a second would be half a word and then silence");
    assert_eq!(call.poll_timeout().map(|(due, _)| due), Some(ms(2_600 + 500)));
    call.handle_timeout(ms(3_100));
    let again = speeches(&mut call);
    assert_eq!((again.len(), again[0].1.as_str()), (1, ANSWER), "asked again, and whole");
    for piece in ["We h", "ave "] {
        call.handle(Input::Synthesis { id: again[0].0, event: audio_of(piece) }, ms(3_300));
    }
    assert!(play_begins(&mut call));
}

#[test]
fn a_voice_that_falls_silent_in_mid_sentence_is_left_before_the_caller_hears_a_gap() {
    let (mut call, first) = asked_to_speak();
    let begun = "We have three homes in Ri";
    call.handle(Input::Synthesis { id: first, event: audio_of(begun) }, ms(2_500));
    assert!(play_begins(&mut call));
    // It lasts 1,250 ms, and the rest is asked for 300 ms before it is over.
    let due = ms(2_500 + 1_250 - 300);
    call.handle_timeout(ms(due.as_millis() - 1));
    assert!(speeches(&mut call).is_empty(), "there is enough to hear");
    call.handle_timeout(due);
    let again = speeches(&mut call);
    assert_eq!(again[0].1, "Riverside for you.");
    let rest = again[0].0;
    call.handle(Input::Synthesis { id: rest, event: audio_of(&again[0].1) }, ms(3_700));
    call.handle(Input::Synthesis { id: rest, event: SynthesisEvent::Finished }, ms(3_700));
    assert_eq!(play_out(&mut call, ms(3_700)).heard_text.expose(), ANSWER);
}

#[test]
fn final_words_that_do_not_come_are_not_waited_for_long_when_words_are_known() {
    let mut world = World::new(plan(), |_| says(ANSWER));
    world.caller_makes_noise(2_000, 1_000);
    world.at(ms(2_800), Input::HeardPartly { text: "do you have homes".to_owned(), until: None });
    world.run_until(12_000);
    assert_eq!(world.stage_ms(1, Stage::RequestSent), 3_250 + 900);
    assert!(world.turn(1).timeline.first_audible_ms().is_some_and(|first| first <= 2_000));
}

#[test]
fn acknowledgements_fit_what_was_said_and_never_come_twice_in_a_row() {
    let mut told = plan();
    told.acknowledgements.noting = vec!["Okay.".to_owned(), "Got it.".to_owned()];
    let mut world = World::new(told, |_| says("Very well."));
    world.delays.first_token = 3_000;
    for (n, text) in
        ["what do you have", "i want a garden", "three bedrooms", "where is it"].into_iter().enumerate()
    {
        world.caller_says(text, 2_000 + n as u64 * 8_000, 700);
    }
    world.run_until(40_000);
    let said: Vec<_> = world.turns.iter().filter_map(|turn| turn.acknowledgement.clone()).collect();
    assert_eq!(said.len(), 4);
    assert!(["One moment.", "Let me see."].contains(&said[0].as_str()), "{said:?}");
    assert!(["Okay.", "Got it."].contains(&said[1].as_str()), "{said:?}");
    assert!(["Okay.", "Got it."].contains(&said[2].as_str()), "{said:?}");
    assert!(said.windows(2).all(|pair| pair[0] != pair[1]), "{said:?}");
}
