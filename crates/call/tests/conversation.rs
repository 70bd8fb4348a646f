//! What a caller experiences, in virtual time.

mod world;

use seiketsu_call::{
    Call, ClientAct, GenerationEvent, Input, Note, Output, PlanUpdate, Retry, SynthesisEvent, SynthesisId,
    Turns,
};
use seiketsu_domain::{CallTime, EndReason, Stage, ToolOutcome, TurnOutcome};
use std::time::Duration;
use world::{Delays, World, asks, lines, ms, plan, says};

/// The greeting is over at 1,140 ms.
fn talk() -> World {
    World::new(plan(), |_| says("Sure. We have three homes in Riverside for you."))
}

#[test]
fn a_call_begins_with_the_greeting_and_the_greeting_is_a_turn() {
    let mut world = talk();
    world.run_until(2_000);
    assert_eq!(world.turn(0).heard_text.expose(), "Hello, this is Ava.");
    assert_eq!(world.turn(0).outcome, TurnOutcome::Answered);
    assert_eq!(world.plays[0], CallTime::ZERO);
}

#[test]
fn a_question_is_answered_and_each_stage_is_where_it_happened() {
    let mut world = talk();
    world.caller_says("do you have homes", 2_000, 1_000);
    world.run_until(12_000);
    let turn = world.turn(1);
    assert_eq!(turn.caller_text.expose(), "do you have homes");
    assert_eq!(turn.heard_text.expose(), "Sure. We have three homes in Riverside for you.");
    assert_eq!(turn.outcome, TurnOutcome::Answered);
    let at = |stage| world.stage_ms(1, stage);
    assert_eq!(at(Stage::EndOfSpeech), 3_000);
    assert_eq!(at(Stage::Endpointed), 3_250);
    assert_eq!(at(Stage::FinalTranscript), 3_300);
    assert_eq!(at(Stage::RequestSent), 3_300);
    assert_eq!(at(Stage::FirstToken), 3_700);
    assert_eq!(at(Stage::FirstPhrase), 3_700);
    assert_eq!(at(Stage::SynthesisAsked), 3_700);
    assert_eq!(at(Stage::FirstByte), 3_850);
    assert_eq!(at(Stage::FirstAudioSent), 3_850);
    assert_eq!(at(Stage::FirstAudioPlayed), 3_850);
    assert_eq!(turn.timeline.first_audible_ms(), Some(850));
    assert_eq!(turn.acknowledgement, None);
    assert_eq!(
        lines(&world.prompts[0].messages),
        ["agent: Hello, this is Ava.", "caller: do you have homes"]
    );
}

#[test]
fn a_delay_at_one_stage_moves_exactly_that_stage() {
    let gaps = |delays: Delays, silence_ms: u64| {
        let mut plan = plan();
        plan.endpoint_silence = Duration::from_millis(silence_ms);
        plan.limits.acknowledge_after = Duration::from_secs(30);
        let mut world = World::new(plan, |_| says("Yes we do. We have three homes."));
        world.delays = delays;
        world.caller_says("do you have homes", 2_000, 1_000);
        world.run_until(12_000);
        Stage::ALL.map(|stage| world.stage_ms(1, stage))
    };
    let base = || Delays { final_transcript: 700, ..Delays::default() };
    let before = gaps(base(), 250);
    let steps = |at: [u64; 10]| {
        // Endpointing and recognition run side by side; everything after them is a chain.
        let mut steps = vec![at[1] - at[0], at[2] - at[0]];
        steps.extend(at[2..].windows(2).map(|pair| pair[1] - pair[0]));
        steps
    };
    let moved = |delays: Delays, silence_ms| {
        let (before, after) = (steps(before), steps(gaps(delays, silence_ms)));
        let moved: Vec<_> = (0..before.len()).filter(|&i| before[i] != after[i]).collect();
        assert!(moved.iter().all(|&i| after[i] - before[i] == 300), "{before:?} {after:?}");
        moved
    };
    assert_eq!(moved(base(), 550), [0], "endpointing");
    assert_eq!(moved(Delays { final_transcript: 1_000, ..base() }, 250), [1], "final transcript");
    assert_eq!(moved(Delays { first_token: 700, ..base() }, 250), [3], "first token");
    assert_eq!(moved(Delays { between_tokens: 155, ..base() }, 250), [4], "first phrase");
    assert_eq!(moved(Delays { first_byte: 450, ..base() }, 250), [6], "first byte");
    assert_eq!(moved(Delays { line: 150, ..base() }, 250), [8], "played, by the way there and back");
}

#[test]
fn a_slow_answer_is_bridged_within_two_seconds_and_both_figures_are_kept() {
    let mut world = talk();
    world.delays.first_token = 3_000;
    world.caller_says("do you have homes", 2_000, 1_000);
    world.run_until(20_000);
    let turn = world.turn(1);
    assert_eq!(turn.acknowledgement.as_deref(), Some("One moment."));
    assert_eq!(turn.timeline.first_audible_ms(), Some(1_750));
    assert!(turn.timeline.first_substantive_ms().unwrap() > 3_000);
    assert_eq!(turn.heard_text.expose(), "One moment. Sure. We have three homes in Riverside for you.");
}

#[test]
fn an_answer_in_time_is_not_bridged_and_no_bridge_comes_before_1200_ms() {
    let mut world = talk();
    world.caller_says("do you have homes", 2_000, 1_000);
    world.run_until(20_000);
    assert_eq!(world.noted(Note::Acknowledged), 0);
    let mut impatient = plan();
    impatient.limits.acknowledge_after = Duration::ZERO;
    let mut world = World::new(impatient, |_| says("Yes."));
    world.delays.first_token = 3_000;
    world.caller_says("do you have homes", 2_000, 1_000);
    world.run_until(20_000);
    assert_eq!(world.turn(1).timeline.first_audible_ms(), Some(1_200));
}

#[test]
fn the_same_acknowledgement_is_not_heard_twice_in_a_row() {
    let mut world = talk();
    world.delays.first_token = 3_000;
    world.caller_says("one", 2_000, 500);
    world.caller_says("two", 12_000, 500);
    world.run_until(30_000);
    let acknowledgements: Vec<_> =
        world.turns.iter().filter_map(|turn| turn.acknowledgement.clone()).collect();
    assert_eq!(acknowledgements, ["One moment.", "Let me see."]);
}

#[test]
fn a_caller_who_interrupts_hears_no_more_and_the_transcript_ends_at_the_word_heard() {
    let mut world = talk();
    world.caller_says("do you have homes", 2_000, 1_000);
    // The answer plays from 3,850; "Sure." has 5 characters, the second phrase follows.
    world.caller_says("in austin", 5_000, 900);
    world.run_until(5_599);
    assert!(world.clears.is_empty(), "a voice without words interrupts nobody yet");
    world.run_until(5_600);
    assert_eq!(world.clears, [ms(5_600)], "cleared the moment the words were there");
    world.run_until(20_000);
    let turn = world.turn(1);
    assert_eq!(turn.outcome, TurnOutcome::Interrupted);
    // 1,750 ms were heard: 5 characters of the first phrase, 24 of the second.
    assert_eq!(turn.heard_text.expose(), "Sure. We have three homes in");
    assert_eq!(turn.generated_text.expose(), "Sure. We have three homes in Riverside for you.");
    assert_eq!(
        lines(&world.prompts[1].messages),
        [
            "agent: Hello, this is Ava.",
            "caller: do you have homes",
            "agent: Sure. We have three homes in",
            "caller: in austin"
        ]
    );
}

#[test]
fn caller_interrupting_the_greeting_hears_no_more_of_it() {
    let mut world = talk();
    world.caller_says("hello", 300, 600);
    world.run_until(10_000);
    assert_eq!(world.turn(0).outcome, TurnOutcome::Interrupted);
    assert_eq!(world.turn(0).heard_text.expose(), "Hello, this");
    assert_eq!(world.turn(1).caller_text.expose(), "hello");
}

#[test]
fn a_caller_who_goes_on_before_the_answer_is_answered_once_and_whole() {
    let mut world = talk();
    world.caller_says("do you have homes", 2_000, 1_000);
    // The model has been asked at 3,300; the caller goes on at 3,400, before anything was said.
    world.caller_says("in riverside", 3_400, 800);
    world.run_until(20_000);
    assert_eq!(world.turn(1).outcome, TurnOutcome::Continued);
    assert_eq!(world.turn(2).caller_text.expose(), "do you have homes in riverside");
    assert_eq!(world.turn(2).outcome, TurnOutcome::Answered);
    let last = lines(&world.prompts[1].messages);
    assert_eq!(last, ["agent: Hello, this is Ava.", "caller: do you have homes in riverside"]);
    assert_eq!(world.clears, [], "there was nothing to clear");
}

#[test]
fn a_pause_shorter_than_the_endpoint_silence_does_not_end_the_turn() {
    let mut world = talk();
    world.caller_makes_noise(2_000, 600);
    world.caller_says("i want a house with a garden", 2_800, 700);
    world.run_until(20_000);
    assert_eq!(world.prompts.len(), 1);
    assert_eq!(world.turn(1).started_at, ms(2_000));
}

#[test]
fn a_turn_ends_although_no_final_transcript_comes() {
    let mut world = talk();
    world.caller_makes_noise(2_000, 1_000);
    world.at(ms(2_900), Input::HeardPartly { text: "do you have".to_owned(), until: None });
    world.run_until(20_000);
    assert_eq!(world.flushes, 1);
    assert_eq!(world.turn(1).caller_text.expose(), "do you have");
    assert_eq!(world.turn(1).timeline.first_substantive_ms(), Some(250 + 900 + 400 + 150));
}

#[test]
fn speech_that_nobody_understands_is_asked_about_and_a_cough_is_not() {
    let mut world = talk();
    world.caller_makes_noise(2_000, 200);
    world.run_until(7_000);
    assert_eq!(world.turns.len(), 1, "only the greeting");
    world.caller_makes_noise(8_000, 1_500);
    world.run_until(20_000);
    assert_eq!(world.turn(1).heard_text.expose(), "One moment. Sorry, say that again?");
}

#[test]
fn a_short_answer_during_the_agents_last_word_is_not_swallowed() {
    let mut world = talk();
    world.caller_says("yes", 1_050, 150);
    world.run_until(10_000);
    assert_eq!(world.turn(1).caller_text.expose(), "yes");
    assert_eq!(world.turn(0).heard_text.expose(), "Hello, this is Ava.");
}

#[test]
fn words_too_soft_for_the_detector_are_answered_all_the_same() {
    let mut world = talk();
    world.at(ms(3_000), Input::Heard { text: "yes".to_owned(), until: ms(2_800), settled: true });
    world.run_until(10_000);
    assert_eq!(world.turn(1).caller_text.expose(), "yes");
}

#[test]
fn tools_run_and_their_results_reach_the_model_before_it_answers() {
    let mut round = 0;
    let mut world = World::new(plan(), move |_| {
        round += 1;
        if round == 1 {
            asks(&[("search_listings", "{}"), ("save_lead", "{}")])
        } else {
            says("I found one.")
        }
    });
    world.caller_says("find me a home", 2_000, 1_000);
    world.run_until(15_000);
    let turn = world.turn(1);
    assert_eq!(turn.tools.len(), 2);
    assert!(turn.tools.iter().all(|run| run.outcome.is_some()));
    assert_eq!(
        lines(&world.prompts[1].messages)[1..],
        [
            "caller: find me a home",
            "asks: search_listings {}",
            r#"result: {"ok":true}"#,
            "asks: save_lead {}",
            r#"result: {"ok":true}"#
        ]
    );
    assert_eq!(turn.heard_text.expose(), "I found one.");
}

#[test]
fn a_tool_that_outlives_its_turn_is_in_the_record_and_in_the_next_prompt() {
    let mut round = 0;
    let mut world = World::new(plan(), move |_| {
        round += 1;
        if round == 1 { asks(&[("book_viewing", "{}")]) } else { says("All right.") }
    });
    world.delays.tool = 4_000;
    world.caller_says("book it", 2_000, 1_000);
    world.caller_says("are you there", 5_500, 700);
    world.run_until(6_900);
    assert_eq!(world.turns.len(), 1, "the interrupted turn waits for its tool");
    world.run_until(20_000);
    let turn = world.turn(1);
    assert_eq!(turn.outcome, TurnOutcome::Interrupted);
    assert_eq!(turn.tools[0].outcome, Some(ToolOutcome::Done(serde_json::json!({"ok": true}))));
    assert!(lines(&turn.messages).contains(&r#"result: {"ok":true}"#.to_owned()));
    world.caller_says("and now", 20_100, 500);
    world.run_until(40_000);
    let last = lines(&world.prompts.last().unwrap().messages);
    assert!(last.contains(&r#"result: {"ok":true}"#.to_owned()), "{last:?}");
}

#[test]
fn a_tool_that_never_answers_is_given_up_and_the_conversation_goes_on() {
    let mut round = 0;
    let mut world = World::new(plan(), move |_| {
        round += 1;
        if round == 1 { asks(&[("book_viewing", "{}")]) } else { says("That did not work.") }
    });
    world.tool_answers = false;
    world.caller_says("book it", 2_000, 1_000);
    world.run_until(20_000);
    assert!(matches!(world.turn(1).tools[0].outcome, Some(ToolOutcome::Failed(_))));
    assert!(world.turn(1).heard_text.expose().ends_with("That did not work."));
}

#[test]
fn a_model_that_only_ever_wants_tools_is_stopped() {
    let mut world = World::new(plan(), |_| asks(&[("search_listings", "{}")]));
    world.caller_says("loop", 2_000, 1_000);
    world.run_until(40_000);
    assert_eq!(world.tools_run.len(), 6);
    assert_eq!(world.turn(1).outcome, TurnOutcome::Failed);
    assert!(world.turn(1).heard_text.expose().ends_with("I am sorry, something went wrong."));
    let mut world = World::new(plan(), |_| asks(&[("a", "1"); 30]));
    world.caller_says("many", 2_000, 1_000);
    world.run_until(40_000);
    assert_eq!(world.tools_run.len(), 8, "more are refused");
}

#[test]
fn the_goodbye_is_heard_in_full_before_the_agent_hangs_up() {
    let mut world = World::new(plan(), |_| {
        let mut events = vec![GenerationEvent::Text("Thank you and goodbye.".to_owned())];
        events.extend(asks(&[("end_call", "{}")]));
        events
    });
    world.caller_says("bye", 2_000, 500);
    world.run_until(30_000);
    assert_eq!(world.turn(1).heard_text.expose(), "Thank you and goodbye.");
    let end = world.end.as_ref().unwrap();
    assert_eq!(end.reason, EndReason::AgentHungUp);
    assert!(world.hung_up);
    assert_eq!(end.turns, 2);
    let heard_until = world.plays.iter().max().unwrap().as_millis();
    assert!(end.ended_at.as_millis() >= heard_until);
    assert_eq!(world.call.poll_timeout(), None);
}

#[test]
fn a_caller_who_hangs_up_in_mid_answer_is_on_record_with_what_they_heard() {
    let mut world = talk();
    world.caller_says("do you have homes", 2_000, 1_000);
    world.at(ms(4_900), Input::HungUp);
    world.run_until(20_000);
    assert_eq!(world.turn(1).outcome, TurnOutcome::HungUp);
    assert_eq!(world.turn(1).heard_text.expose(), "Sure. We have");
    assert_eq!(world.end.as_ref().unwrap().reason, EndReason::CallerHungUp);
    assert!(!world.hung_up, "there is nobody to hang up on");
}

#[test]
fn hanging_up_at_any_instant_ends_the_call_once_and_loses_no_word() {
    for at in (0..9_000).step_by(37) {
        let mut world = World::new(plan(), |prompt| {
            if prompt.messages.iter().any(|m| matches!(m, seiketsu_domain::Message::ToolResult { .. })) {
                says("It is booked.")
            } else {
                asks(&[("book_viewing", "{}")])
            }
        });
        world.caller_says("book it", 2_000, 1_000);
        world.at(ms(at), Input::HungUp);
        world.run_until(60_000);
        assert!(world.end.is_some(), "hung up at {at} ms");
        if at > 3_300 {
            assert_eq!(world.turn(1).caller_text.expose(), "book it", "hung up at {at} ms");
        }
        assert_eq!(world.end.as_ref().unwrap().turns as usize, world.turns.len());
    }
}

#[test]
fn a_cut_call_leaves_its_record_open() {
    let mut world = talk();
    world.at(ms(500), Input::Cut);
    world.run_until(5_000);
    assert!(world.detached && world.end.is_none());
}

#[test]
fn a_silent_caller_is_asked_twice_in_different_words_and_then_told_goodbye() {
    let mut world = talk();
    world.run_until(120_000);
    assert_eq!(world.end.as_ref().unwrap().reason, EndReason::Silence);
    let heard: Vec<_> = world.turns.iter().map(|turn| turn.heard_text.expose().as_str()).collect();
    assert_eq!(heard, ["Hello, this is Ava.", "Are you there?", "I cannot hear you.", "Goodbye."]);
    assert!(world.hung_up);
}

#[test]
fn a_caller_who_comes_back_after_a_silence_is_asked_anew_the_next_time() {
    let mut world = talk();
    world.caller_says("yes i am here", 14_000, 800);
    world.run_until(90_000);
    let asked = |text: &str| world.turns.iter().filter(|turn| turn.heard_text.expose() == text).count();
    assert_eq!((asked("Are you there?"), asked("I cannot hear you.")), (2, 1));
}

#[test]
fn the_longest_call_ends_with_a_goodbye() {
    let mut short = plan();
    short.limits.call = Duration::from_secs(5);
    let mut world =
        World::new(short, |_| says("A very long answer that goes on and on and on and on and on."));
    world.caller_says("tell me", 2_000, 1_000);
    world.run_until(60_000);
    assert_eq!(world.end.as_ref().unwrap().reason, EndReason::MaxDuration);
    assert_eq!(world.turns.last().unwrap().heard_text.expose(), "Goodbye.");
}

#[test]
fn a_failing_model_is_asked_once_more_and_then_apologised_for() {
    let mut round = 0;
    let mut world = World::new(plan(), move |_| {
        round += 1;
        if round == 1 { vec![GenerationEvent::Failed { retry: Retry::Now }] } else { says("Here I am.") }
    });
    world.caller_says("hello", 2_000, 500);
    world.run_until(15_000);
    assert_eq!(world.turn(1).heard_text.expose(), "Here I am.");
    let mut world = World::new(plan(), |_| vec![GenerationEvent::Failed { retry: Retry::Now }]);
    world.delays.first_token = 50;
    world.caller_says("hello", 2_000, 500);
    world.run_until(15_000);
    assert_eq!(world.turn(1).heard_text.expose(), "I am sorry, something went wrong.");
    assert_eq!(world.turn(1).outcome, TurnOutcome::Failed);
}

#[test]
fn a_model_that_says_nothing_for_too_long_is_cancelled_and_its_late_words_are_dropped() {
    let mut world = talk();
    world.delays.first_token = 60_000;
    world.caller_says("hello", 2_000, 500);
    world.run_until(120_000);
    assert_eq!(world.turn(1).outcome, TurnOutcome::Failed);
    assert_eq!(world.cancelled_generations, 3);
    assert!(world.call.late_answers() > 0);
}

#[test]
fn pressed_keys_are_an_answer() {
    let mut world = talk();
    for (n, digit) in "5125".chars().enumerate() {
        world.at(ms(2_000 + n as u64 * 300), Input::Digit(digit));
    }
    world.run_until(12_000);
    assert_eq!(world.turn(1).caller_text.expose(), "5 1 2 5");
}

#[test]
fn an_endless_utterance_and_an_endless_answer_are_bounded() {
    let mut world = World::new(plan(), |_| says(&"word ".repeat(2_000)));
    world.caller_makes_noise(2_000, 60_000);
    for n in 0..500 {
        let heard = Input::Heard { text: "blah ".repeat(20), until: ms(2_100 + n * 100), settled: false };
        world.at(ms(2_200 + n * 100), heard);
    }
    world.run_until(400_000);
    let turn = world.turns.iter().find(|turn| turn.number == 1).unwrap();
    assert!(turn.caller_text.expose().chars().count() <= 4_000);
    assert!(turn.generated_text.expose().chars().count() <= 1_200);
}

#[test]
fn a_voice_that_fails_before_a_sound_is_asked_again() {
    let mut world = talk();
    world.caller_says("hello", 2_000, 500);
    world.run_until(3_500);
    let failing = world.speech.iter().find(|(_, text, _)| text == "Sure.").map(|(id, ..)| SynthesisId(*id));
    if let Some(id) = failing {
        world.at(world.now, Input::Synthesis { id, event: SynthesisEvent::Failed });
    }
    world.run_until(20_000);
    assert!(failing.is_none() || world.turn(1).heard_text.expose().starts_with("Sure."));
    assert_eq!(world.turn(1).outcome, TurnOutcome::Answered);
}

#[test]
fn a_client_that_drives_turns_decides_when_they_end() {
    let mut by_client = plan();
    by_client.turns = Turns::ByClient;
    by_client.greeting = String::new();
    let mut world = World::new(by_client, |_| says("Yes."));
    world.caller_says("are you there", 1_000, 800);
    world.run_until(5_000);
    assert!(world.prompts.is_empty(), "silence decides nothing");
    world.at(ms(5_100), Input::Client(ClientAct::Commit));
    world.at(ms(5_200), Input::Client(ClientAct::CreateResponse { number: 0, plan: Box::default() }));
    world.run_until(9_000);
    assert_eq!(lines(&world.prompts[0].messages), ["caller: are you there"]);
    assert_eq!(world.turn(0).heard_text.expose(), "Yes.");
    world.at(ms(9_100), Input::Client(ClientAct::CreateResponse { number: 0, plan: Box::default() }));
    world.at(ms(9_650), Input::Client(ClientAct::CancelResponse { turn: None }));
    world.run_until(15_000);
    assert_eq!(world.turn(1).outcome, TurnOutcome::Interrupted);
}

#[test]
fn a_changed_plan_counts_from_the_next_request() {
    let mut world = talk();
    let update = PlanUpdate { system: Some("You are Bob.".to_owned()), ..PlanUpdate::default() };
    world.at(ms(1_500), Input::Update(update));
    world.caller_says("who are you", 2_000, 800);
    world.run_until(10_000);
    assert_eq!(world.prompts[0].system, "You are Bob.");
}

#[test]
fn a_word_too_soft_to_interrupt_is_joined_to_the_question_that_is_being_answered() {
    let mut world = talk();
    world.delays.first_token = 1_500;
    world.caller_says("do you have homes", 2_000, 1_000);
    // Asked at 3,300; heard without voice activity before anything was said.
    world.at(ms(3_600), Input::Heard { text: "in austin".to_owned(), until: ms(3_590), settled: true });
    world.run_until(12_000);
    assert_eq!(world.turn(1).outcome, TurnOutcome::Continued);
    assert_eq!(world.turn(2).caller_text.expose(), "do you have homes in austin");
    assert_eq!(world.turns.len(), 3, "and nothing is left over for a later turn");
}

#[test]
fn nobody_talks_the_engine_out_of_its_goodbye() {
    let mut short = plan();
    short.limits.call = Duration::from_secs(5);
    let mut world = World::new(short, |_| says("Yes."));
    world.at(ms(5_100), Input::Client(ClientAct::CancelResponse { turn: None }));
    world.at(ms(5_200), Input::Client(ClientAct::Truncate { heard: Duration::MAX }));
    world.caller_says("wait wait", 5_050, 400);
    world.run_until(30_000);
    assert_eq!(world.end.as_ref().unwrap().reason, EndReason::MaxDuration);
    assert_eq!(world.turn(1).heard_text.expose(), "Goodbye.");
}

#[test]
fn a_voice_that_finishes_without_a_sound_has_said_nothing() {
    let mut world = talk();
    world.caller_says("hello", 2_000, 500);
    world.run_until(3_210);
    let (id, text, _) = world.speech[1].clone();
    assert_eq!(text, "Sure.", "asked at 3,200, due at 3,350");
    world.at(ms(3_220), Input::Synthesis { id: SynthesisId(id), event: SynthesisEvent::Finished });
    world.run_until(20_000);
    assert_eq!(world.noted(Note::Retried), 1);
    assert_eq!(world.turn(1).heard_text.expose(), "Sure. We have three homes in Riverside for you.");
    assert_eq!(world.stage_ms(1, Stage::FirstAudioSent), 3_370, "asked again at once");
}

#[test]
fn a_short_answer_that_the_recogniser_takes_long_for_is_acknowledged_all_the_same() {
    let mut world = talk();
    world.delays.first_token = 1_500;
    world.caller_makes_noise(2_000, 300);
    world.at(ms(4_600), Input::Heard { text: "yes".to_owned(), until: ms(2_300), settled: true });
    world.run_until(20_000);
    assert_eq!(world.turn(1).timeline.acknowledgement_sent, Some(ms(4_600)));
}

#[test]
fn a_lost_mark_does_not_keep_a_turn_open_however_much_happens_meanwhile() {
    let mut call = Call::new(plan(), CallTime::ZERO);
    let mut greeting_over = None;
    for at in (0..8_000).step_by(100).map(ms) {
        call.handle(Input::HeardPartly { text: String::new(), until: None }, at);
        if call.poll_timeout().is_some_and(|(due, _)| due <= at) {
            call.handle_timeout(at);
        }
        while let Some(output) = call.poll_output() {
            if let Output::Speak { id, .. } = output {
                let audio = vec![0x55; 1_000 * 8].into();
                let event = SynthesisEvent::Audio { audio, alignment: Vec::new() };
                call.handle(Input::Synthesis { id, event }, at);
                call.handle(Input::Synthesis { id, event: SynthesisEvent::Finished }, at);
            } else if let Output::Committed(_) = output {
                greeting_over.get_or_insert(at);
            }
        }
    }
    assert_eq!(greeting_over, Some(ms(4_000)), "a second of speech, and three of patience");
}
