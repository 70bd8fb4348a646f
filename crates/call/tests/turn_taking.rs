//! Whose turn it is: interruptions that are sure and not nervous, short answers, callers who think aloud, noise.
//!
//! The greeting of [`talk`] is over at 1,140 ms; an answer to a caller who stops at 3,000 ms plays from 3,850 ms.

mod world;

use seiketsu_call::{Finish, GenerationEvent, Input, Note, Retry, Timer, ToolNumber, VoiceActivity};
use seiketsu_domain::{EndReason, Message, Stage, ToolOutcome, TurnOutcome};
use std::time::Duration;
use world::{World, asks, lines, ms, plan, says};

const ANSWER: &str =
    "We have three homes in Riverside for you today. The first one is on Maple Street with a garden.";

fn talk() -> World {
    let mut world = World::new(plan(), |_| says(ANSWER));
    world.caller_says("do you have homes", 2_000, 1_000);
    world
}

impl World {
    /// The caller says something short whose words are known `after_ms` after it began.
    fn caller_murmurs(&mut self, text: &str, from_ms: u64, length_ms: u64) {
        self.caller_says(text, from_ms, length_ms);
    }
}

#[test]
fn murmurs_and_coughs_do_not_interrupt() {
    for murmur in ["mm-hm", "yeah", "okay", "uh-huh right"] {
        let mut world = talk();
        world.caller_murmurs(murmur, 4_500, 450);
        world.run_until(9_900);
        assert_eq!(world.clears, [], "{murmur}");
        assert_eq!(world.noted(Note::Murmured), 1, "{murmur}");
        assert_eq!(world.turn(1).outcome, TurnOutcome::Answered, "{murmur}");
        assert_eq!(world.turn(1).heard_text.expose(), ANSWER, "{murmur}");
        assert_eq!(world.turns.len(), 2, "{murmur} is no question");
    }
    let mut world = talk();
    world.caller_makes_noise(4_500, 350);
    world.run_until(9_900);
    assert_eq!(world.clears, [], "a cough");
    assert_eq!(world.turn(1).heard_text.expose(), ANSWER);
}

#[test]
fn words_end_playback_the_moment_they_are_understood() {
    for words in ["wait", "no", "stop", "yeah but what does it cost"] {
        let mut world = talk();
        world.caller_says(words, 4_500, 300);
        world.run_until(4_699);
        assert_eq!(world.clears, [], "{words}");
        world.run_until(4_700);
        assert_eq!(world.clears, [ms(4_700)], "{words}: in the frame in which its words were there");
        world.run_until(20_000);
        assert_eq!(world.turn(1).outcome, TurnOutcome::Interrupted);
        assert_eq!(world.turn(2).caller_text.expose(), words);
    }
}

#[test]
fn a_false_interruption_resumes_at_the_word_where_it_stopped() {
    let mut world = talk();
    // A noise like a voice for 900 ms, without a word: playback waits after 800.
    world.caller_makes_noise(4_500, 900);
    world.run_until(5_300);
    assert_eq!(world.clears, [ms(5_300)]);
    assert_eq!(world.noted(Note::Held), 1);
    let plays = world.plays.len();
    world.run_until(20_000);
    assert_eq!(world.noted(Note::Resumed), 1);
    assert_eq!(world.noted(Note::Interrupted), 0);
    assert_eq!(world.turn(1).outcome, TurnOutcome::Answered);
    assert_eq!(world.turn(1).heard_text.expose(), ANSWER, "every word, in the end");
    // 1,450 ms had been heard: "We have three homes in " and the beginning of "Riverside", with which it goes on.
    let characters: usize = world.speech.iter().map(|(_, text, _)| text.chars().count()).sum();
    let again = world.speech[1..].iter().map(|(_, text, _)| text.chars().count()).sum::<usize>()
        - "We have three homes in ".len();
    assert_eq!(world.played_us, (characters + again) as u64 * world::MS_PER_CHARACTER * 1_000);
    assert!(world.plays[plays] >= ms(5_400), "not before it was known that nothing was said");
}

#[test]
fn an_interruption_whose_words_come_late_keeps_its_words() {
    let mut world = talk();
    world.caller_makes_noise(4_500, 900);
    let heard = Input::Heard { text: "what about austin".to_owned(), until: ms(5_400), settled: true };
    world.at(ms(6_100), heard);
    world.run_until(20_000);
    assert_eq!(world.turn(1).outcome, TurnOutcome::Interrupted);
    assert_eq!(world.turn(1).heard_text.expose(), "We have three homes in");
    assert_eq!(world.turn(2).caller_text.expose(), "what about austin");
    assert_eq!(
        lines(&world.prompts[1].messages)[2..],
        ["agent: We have three homes in", "caller: what about austin"],
        "the model knows what was heard, and no more"
    );
}

#[test]
fn the_agents_own_voice_coming_back_does_not_interrupt_it() {
    let mut world = talk();
    world.caller_says("three homes in riverside", 4_700, 1_000);
    world.run_until(12_000);
    assert_eq!(world.noted(Note::Interrupted), 0);
    assert_eq!(world.turn(1).heard_text.expose(), ANSWER);
    assert_eq!(world.turns.len(), 2, "and is not answered either");
}

#[test]
fn a_short_answer_over_the_agents_last_words_is_not_swallowed() {
    for answer in ["yes", "okay", "yeah"] {
        let mut world = World::new(plan(), |prompt| {
            let asked = prompt.messages.iter().filter(|m| matches!(m, Message::Caller { .. })).count();
            says(if asked == 1 { "Shall I book it for ten?" } else { "It is booked." })
        });
        world.caller_says("book it", 2_000, 1_000);
        // The question plays from 3,850 to 5,290.
        world.caller_says(answer, 4_900, 250);
        world.run_until(12_000);
        assert_eq!(world.turn(1).heard_text.expose(), "Shall I book it for ten?", "heard to its end");
        assert_eq!(world.turn(2).caller_text.expose(), answer, "and answered");
        assert_eq!(world.turn(2).heard_text.expose(), "It is booked.");
    }
}

#[test]
fn a_no_over_the_agents_last_words_is_answered_too() {
    let mut world = World::new(plan(), |_| says("Shall I book it for ten?"));
    world.caller_says("book it", 2_000, 1_000);
    world.caller_says("no", 4_900, 250);
    world.run_until(12_000);
    assert_eq!(world.turn(2).caller_text.expose(), "no");
}

#[test]
fn a_caller_who_breaks_off_is_given_time_to_go_on() {
    for beginning in ["i would like three bedrooms and", "my number is five one two", "um", "let me see"] {
        let mut world = World::new(plan(), |_| says("Very well."));
        world.caller_says(beginning, 2_000, 1_000);
        // 1,100 ms of thought: four times the endpoint silence.
        world.caller_says("a garden please", 4_100, 900);
        world.run_until(12_000);
        assert_eq!(world.prompts.len(), 1, "{beginning}: asked once");
        assert_eq!(world.turn(1).caller_text.expose(), &format!("{beginning} a garden please"));
        assert!(
            world.plays.iter().all(|at| *at < ms(2_000) || *at > ms(5_000)),
            "{beginning}: nobody cut in"
        );
    }
}

#[test]
fn a_caller_who_breaks_off_for_good_is_answered_all_the_same() {
    let mut world = World::new(plan(), |_| says("Very well."));
    world.caller_says("i would like three bedrooms and", 2_000, 1_000);
    world.run_until(12_000);
    assert_eq!(world.stage_ms(1, Stage::RequestSent), 4_400);
    assert!(world.turn(1).timeline.first_audible_ms().is_some_and(|first| first <= 2_000));
}

#[test]
fn what_bridges_a_pause_for_thought_invites_the_caller_to_go_on() {
    let mut world = World::new(plan(), |_| says("Very well."));
    world.delays.first_token = 2_000;
    world.caller_says("i would like three bedrooms and", 2_000, 1_000);
    world.run_until(12_000);
    assert_eq!(world.turn(1).acknowledgement.as_deref(), Some("Take your time."));
}

#[test]
fn talk_over_by_both_sides_ends_with_the_agent_silent_and_the_caller_answered() {
    let mut world = talk();
    // The caller begins in the same moment in which the answer does.
    world.caller_says("and with a pool", 3_840, 1_200);
    world.run_until(20_000);
    let last = world.turns.last().unwrap();
    assert!(last.caller_text.expose().ends_with("and with a pool"), "{last:?}");
    assert_eq!(last.outcome, TurnOutcome::Answered);
    assert_eq!(last.heard_text.expose(), ANSWER);
}

#[test]
fn a_turn_ends_although_a_noise_like_a_voice_goes_on() {
    let mut world = World::new(plan(), |_| says("Very well."));
    world.at(ms(2_048), Input::Voice(VoiceActivity::Began { at: ms(2_000) }));
    world.at(ms(3_300), Input::Heard { text: "three bedrooms".to_owned(), until: ms(3_000), settled: true });
    world.run_until(9_000);
    assert_eq!(world.turn(1).caller_text.expose(), "three bedrooms");
    assert_eq!(world.turn(1).heard_text.expose(), "Very well.", "the noise does not keep the agent silent");
    assert_eq!(world.stage_ms(1, Stage::Endpointed), 4_000, "a second after the last words");
}

#[test]
fn a_line_that_is_never_quiet_does_not_keep_the_agent_silent() {
    let mut world = talk();
    world.at(ms(4_500), Input::Voice(VoiceActivity::Began { at: ms(4_450) }));
    world.run_until(30_000);
    assert_eq!(world.noted(Note::Resumed), 1);
    assert_eq!(world.turn(1).heard_text.expose(), ANSWER);
}

#[test]
fn a_key_interrupts_at_once_and_a_menu_key_says_its_sentence() {
    let mut world = talk();
    world.at(ms(4_500), Input::Digit('0'));
    world.run_until(12_000);
    assert_eq!(world.clears, [ms(4_500)]);
    assert_eq!(world.turn(2).caller_text.expose(), "A person, please.");
    assert_eq!(world.stage_ms(2, Stage::RequestSent), 4_500 + 800);
}

#[test]
fn a_row_of_keys_is_a_number_and_the_hash_key_ends_it() {
    let mut world = World::new(plan(), |_| says("Thank you."));
    for (n, digit) in "512#".chars().enumerate() {
        world.at(ms(2_000 + n as u64 * 300), Input::Digit(digit));
    }
    world.run_until(8_000);
    assert_eq!(world.turn(1).caller_text.expose(), "5 1 2");
    assert_eq!(world.stage_ms(1, Stage::RequestSent), 2_900, "at the hash key, not after a silence");
}

#[test]
fn a_tool_that_ends_while_the_caller_speaks_is_reported_when_they_have_been_answered() {
    let mut round = 0;
    let mut world = World::new(plan(), move |prompt| {
        round += 1;
        let done = lines(&prompt.messages).iter().any(|line| line.contains(r#""ok""#));
        match round {
            1 => asks(&[("book_viewing", "{}")]),
            _ if done => says("By the way, it is booked."),
            _ => says("Yes, I am here."),
        }
    });
    world.delays.tool = 3_800;
    world.caller_says("book it", 2_000, 1_000);
    // The tool runs from 3,705 to 7,505; meanwhile the caller asks something else, and is answered first.
    world.caller_says("are you there", 4_200, 700);
    world.run_until(20_000);
    let heard: Vec<_> = world.turns.iter().map(|turn| turn.heard_text.expose().as_str()).collect();
    assert_eq!(heard[2..], ["Yes, I am here.", "By the way, it is booked."]);
    assert_eq!(world.turn(3).caller_text.expose(), "", "of its own accord");
}

#[test]
fn a_slow_tool_is_announced_bridged_and_never_left_in_silence() {
    let mut round = 0;
    let mut world = World::new(plan(), move |_| {
        round += 1;
        if round == 1 {
            let mut events = vec![GenerationEvent::Text("Let me look in Riverside. ".to_owned())];
            events.extend(asks(&[("search_listings", "{}")]));
            events
        } else {
            says("I found one.")
        }
    });
    world.delays.tool = 5_500;
    world.caller_says("find me a home", 2_000, 1_000);
    world.run_until(20_000);
    let turn = world.turn(1);
    assert_eq!(turn.heard_text.expose(), "Let me look in Riverside. It takes a little longer. I found one.");
    assert_eq!(turn.timeline.announcement_sent, Some(ms(4_400)), "the model's own words come first");
    assert_eq!(turn.timeline.first_audible_ms(), Some(1_400));
    assert!(
        turn.timeline.first_substantive_ms().is_some_and(|first| first > 6_000),
        "and are not the answer"
    );
    assert_eq!(turn.acknowledgement.as_deref(), Some("It takes a little longer."));
}

#[test]
fn what_is_told_of_a_result_is_an_answer_though_another_tool_follows() {
    let mut round = 0;
    let mut world = World::new(plan(), move |_| {
        round += 1;
        let (text, tool) = match round {
            1 => ("I'll put that down now. ", "book_viewing"),
            2 => ("You're booked, Jordan. ", "save_lead"),
            _ => return says("Anything else?"),
        };
        let mut events = vec![GenerationEvent::Text(text.to_owned())];
        events.extend(asks(&[(tool, "{}")]));
        events
    });
    world.delays.tool = 700;
    world.caller_says("my name is jordan", 2_000, 1_000);
    world.run_until(20_000);
    let turn = world.turn(1);
    assert_eq!(turn.heard_text.expose(), "I'll put that down now. You're booked, Jordan. Anything else?");
    let timeline = &turn.timeline;
    assert_eq!((timeline.announcement_played, timeline.first_audible_ms()), (Some(ms(4_400)), Some(1_400)));
    assert_eq!(timeline.first_substantive_ms(), Some(2_780), "not with the last words only");
}

#[test]
fn words_before_a_tool_that_leaves_nothing_to_say_are_the_answer() {
    let mut world = World::new(plan(), |_| {
        let mut events = vec![GenerationEvent::Text("Thank you and goodbye. ".to_owned())];
        events.extend(asks(&[("end_call", "{}")]));
        events
    });
    world.caller_says("bye", 2_000, 500);
    world.run_until(20_000);
    let timeline = &world.turn(1).timeline;
    assert_eq!((timeline.announcement_sent, timeline.first_substantive_ms()), (None, Some(850)));
}

#[test]
fn a_transfer_is_announced_in_full_and_then_the_call_is_handed_over() {
    let mut world = World::new(plan(), |_| {
        let mut events = vec![GenerationEvent::Text("I am putting you through to Maria. ".to_owned())];
        events.extend(asks(&[("transfer_to_human", "{}")]));
        events
    });
    world.caller_says("a person please", 2_000, 500);
    world.run_until(20_000);
    assert_eq!(world.turn(1).heard_text.expose(), "I am putting you through to Maria.");
    assert!(world.transferred && world.detached && !world.hung_up && world.end.is_none());
}

#[test]
fn a_caller_whose_transfer_is_not_on_record_is_told_so_and_stays_with_the_agent() {
    let mut world = World::new(plan(), |prompt| {
        if lines(&prompt.messages).last().is_some_and(|line| line == "caller: a person please") {
            asks(&[("transfer_to_human", "{}")])
        } else {
            says("I will write that down.")
        }
    });
    world.hand_over_is_on_record = false;
    world.caller_says("a person please", 2_000, 500);
    world.caller_says("call me back then", 9_000, 700);
    world.run_until(15_000);
    assert!(!world.transferred && !world.detached && world.end.is_none());
    let heard: Vec<_> = world.turns[1..].iter().map(|turn| turn.heard_text.expose().as_str()).collect();
    assert_eq!(heard, ["I will put you through.", "Nobody can take your call.", "I will write that down."]);
    let known = lines(&world.prompts.last().unwrap().messages);
    assert!(known.contains(&"agent: Nobody can take your call.".to_owned()), "{known:?}");
}

#[test]
fn a_caller_who_hangs_up_while_the_transfer_goes_on_record_is_not_put_through() {
    let mut world = World::new(plan(), |_| asks(&[("transfer_to_human", "{}")]));
    world.delays.record = 3_000;
    world.caller_says("a person please", 2_000, 500);
    world.at(ms(6_000), Input::HungUp);
    world.run_until(20_000);
    assert!(!world.transferred && !world.detached);
    assert_eq!(world.end.as_ref().unwrap().reason, EndReason::CallerHungUp);
}

#[test]
fn a_transfer_that_was_refused_is_not_handed_over() {
    let mut round = 0;
    let mut world = World::new(plan(), move |_| {
        round += 1;
        if round == 1 { asks(&[("transfer_to_human", "{}")]) } else { says("Nobody is there. A message?") }
    });
    world.tool_answers = false;
    world.caller_says("a person please", 2_000, 500);
    world.run_until(20_000);
    assert!(!world.transferred);
    assert!(world.turn(1).heard_text.expose().ends_with("Nobody is there. A message?"));
}

#[test]
fn a_yes_records_a_no_does_not_and_both_are_answered() {
    for (answer, agreed) in [("yes that's fine", true), ("no please don't", false), ("i need a house", false)]
    {
        let mut asking = plan();
        asking.asks_to_record = true;
        asking.greeting = "May I record this?".to_owned();
        let mut world = World::new(asking, |_| says("How can I help?"));
        world.caller_says(answer, 2_000, 700);
        world.caller_says("three bedrooms", 7_000, 700);
        world.run_until(12_000);
        assert_eq!(world.records, [agreed], "{answer}");
        assert_eq!(world.turn(1).heard_text.expose(), "How can I help?");
        assert_eq!(world.turn(2).outcome, TurnOutcome::Answered);
    }
}

#[test]
fn assent_can_be_withdrawn_in_mid_call() {
    let mut asking = plan();
    asking.asks_to_record = true;
    asking.greeting = "May I record this?".to_owned();
    let mut world = World::new(asking, |_| says("Very well."));
    world.caller_says("yes", 2_000, 300);
    world.caller_says("please stop recording", 6_000, 900);
    world.run_until(12_000);
    assert_eq!(world.records, [true, false]);
}

#[test]
fn a_goodbye_is_heard_in_full_whatever_the_caller_says() {
    let mut short = plan();
    short.limits.call = Duration::from_secs(5);
    let mut world = World::new(short, |_| says("Yes."));
    world.caller_says("wait stop", 5_050, 400);
    world.run_until(30_000);
    assert_eq!(world.turn(1).heard_text.expose(), "Goodbye.");
    assert_eq!(world.end.as_ref().unwrap().reason, EndReason::MaxDuration);
}

#[test]
fn a_live_call_always_has_a_deadline_while_playback_waits() {
    let mut world = talk();
    world.caller_makes_noise(4_500, 60_000);
    world.run_until(5_400);
    assert_eq!(world.noted(Note::Held), 1);
    assert_eq!(world.call.poll_timeout().map(|(_, timer)| timer), Some(Timer::Resume));
}

const QUESTION: &str = "Shall I book it for ten on Tuesday morning?";

/// A call whose agent asks [`QUESTION`] from 3,895 ms to 6,475 ms, and then answers.
fn asking() -> World {
    let mut world = World::new(plan(), |prompt| {
        let asked = prompt.messages.iter().filter(|m| matches!(m, Message::Caller { .. })).count();
        says(if asked == 1 { QUESTION } else { "It is booked." })
    });
    world.caller_says("book it", 2_000, 1_000);
    world
}

#[test]
fn an_answer_over_the_last_words_and_what_follows_it_are_one_answer() {
    let mut world = asking();
    world.caller_says("yes", 4_500, 200);
    world.caller_says("but at eleven", 5_300, 450);
    world.run_until(14_000);
    assert_eq!(world.turn(1).outcome, TurnOutcome::Interrupted);
    assert_eq!(world.turn(2).caller_text.expose(), "yes but at eleven");
    assert_eq!(world.turns.len(), 3, "the yes is not answered once more afterwards");
}

#[test]
fn two_short_answers_over_the_last_words_are_both_kept() {
    let mut world = asking();
    world.caller_says("yeah", 5_450, 150);
    world.caller_says("okay", 5_950, 150);
    world.run_until(14_000);
    assert_eq!(world.turn(1).heard_text.expose(), QUESTION);
    assert_eq!(world.turn(2).caller_text.expose(), "yeah okay");
    assert_eq!(world.turn(2).heard_text.expose(), "It is booked.");
}

#[test]
fn what_a_caller_says_over_the_goodbye_is_on_record_and_its_echo_is_not() {
    for (text, recorded) in [("okay thank you", true), ("much for your call", false)] {
        let mut short = plan();
        short.limits.call = Duration::from_secs(5);
        short.goodbye = "Thank you very much for your call and goodbye.".to_owned();
        let goodbye = short.goodbye.clone();
        let mut world = World::new(short, |_| says("Yes."));
        world.caller_says(text, 5_600, 500);
        world.run_until(30_000);
        assert_eq!(world.turn(1).heard_text.expose(), &goodbye, "in full");
        let said: Vec<_> = world.turns[2..].iter().map(|turn| turn.caller_text.expose().as_str()).collect();
        assert_eq!(said, if recorded { vec![text] } else { vec![] });
        assert_eq!(world.end.as_ref().unwrap().reason, EndReason::MaxDuration);
    }
}

#[test]
fn last_words_that_come_when_the_caller_speaks_again_are_not_taken_twice() {
    let mut world = World::new(plan(), |_| says(ANSWER));
    world.caller_makes_noise(2_000, 1_000);
    world.at(ms(2_800), Input::HeardPartly { text: "do you have homes".to_owned(), until: None });
    // Nobody waited for the recogniser longer than until 4,150. The caller clears their throat.
    world.caller_makes_noise(4_300, 200);
    let heard = Input::Heard { text: "do you have homes".to_owned(), until: ms(3_050), settled: true };
    world.at(ms(4_400), heard);
    world.run_until(12_000);
    assert_eq!(world.call.late_answers(), 1);
    assert_eq!(world.turn(1).caller_text.expose(), "do you have homes");
    assert_eq!(world.turn(1).heard_text.expose(), ANSWER);
    assert_eq!(world.turns.len(), 2);
}

#[test]
fn words_of_the_last_utterance_that_are_understood_late_do_not_interrupt_when_the_caller_speaks_again() {
    let stale = Input::HeardPartly { text: "do you have homes".to_owned(), until: Some(ms(3_600)) };
    let mut world = World::new(plan(), |_| says(ANSWER));
    world.caller_says("do you have homes", 2_000, 1_000);
    // Over the answer the caller clears their throat, and a recogniser that lags has still to say what it heard before.
    world.caller_makes_noise(4_300, 400);
    world.at(ms(4_500), stale);
    world.run_until(12_000);
    assert_eq!((world.noted(Note::Interrupted), world.call.late_answers()), (0, 1));
    assert_eq!(world.turns.len(), 2);
    assert_eq!(world.turn(1).heard_text.expose(), ANSWER);
}

#[test]
fn an_answer_that_noise_keeps_back_is_bridged_as_soon_as_it_is_known_for_noise() {
    let mut world = World::new(plan(), |_| says(ANSWER));
    world.delays.first_token = 5_000;
    world.caller_says("do you have homes", 2_000, 1_000);
    // From 4,400 playback waits for the words of this voice, until 4,900: whoever speaks is understood sooner.
    world.at(ms(3_650), Input::Voice(VoiceActivity::Began { at: ms(3_600) }));
    world.run_until(20_000);
    assert_eq!(world.turn(1).timeline.acknowledgement_sent, Some(ms(4_900)));
    assert!(world.turn(1).heard_text.expose().ends_with(ANSWER));
}

#[test]
fn an_answer_that_is_ready_is_not_kept_back_by_noise_for_longer_than_words_take() {
    let mut world = talk();
    // The answer would play from 3,850; the noise has not a word, and does not end.
    world.at(ms(3_750), Input::Voice(VoiceActivity::Began { at: ms(3_700) }));
    world.run_until(20_000);
    assert_eq!(world.plays.iter().find(|at| **at > ms(3_000)), Some(&ms(5_000)));
    assert_eq!(world.turn(1).heard_text.expose(), ANSWER);
    assert_eq!(world.turns.len(), 2, "and is not answered");
}

#[test]
fn words_within_a_noise_end_where_they_were_said() {
    let mut world = talk();
    world.at(ms(4_500), Input::Voice(VoiceActivity::Began { at: ms(4_450) }));
    let heard = Input::Heard { text: "and with a pool".to_owned(), until: ms(15_000), settled: true };
    world.at(ms(15_300), heard);
    world.run_until(30_000);
    assert_eq!(world.turn(1).heard_text.expose(), ANSWER);
    assert_eq!(world.turn(2).caller_text.expose(), "and with a pool");
    assert_eq!(world.stage_ms(2, Stage::EndOfSpeech), 15_000);
}

#[test]
fn what_the_agent_did_of_its_own_accord_stays_on_record_though_it_has_nothing_to_say() {
    let mut round = 0;
    let mut world = World::new(plan(), move |_| {
        round += 1;
        match round {
            1 => asks(&[("book_viewing", "{}")]),
            2 => says("Yes, I am here."),
            3 => asks(&[("send_summary", "{}")]),
            _ => vec![GenerationEvent::Failed { retry: Retry::Never }],
        }
    });
    world.delays.tool = 3_800;
    world.caller_says("book it", 2_000, 1_000);
    world.caller_says("are you there", 4_200, 700);
    world.run_until(16_000);
    let turn = world.turn(3);
    assert_eq!(turn.tools.iter().map(|run| run.name.as_str()).collect::<Vec<_>>(), ["send_summary"]);
    assert_eq!(turn.heard_text.expose(), "", "and nobody hears an apology for it");
    world.caller_says("hello", 17_000, 500);
    world.run_until(20_000);
    let asked = lines(&world.prompts.last().unwrap().messages);
    assert!(asked.contains(&"asks: send_summary {}".to_owned()), "{asked:?}");
}

#[test]
fn a_model_that_breaks_off_behind_a_tool_is_asked_with_its_result() {
    let mut round = 0;
    let mut world = World::new(plan(), move |_| {
        round += 1;
        if round > 1 {
            return says("I found one.");
        }
        let mut events = asks(&[("search_listings", "{}")]);
        events.pop();
        events.push(GenerationEvent::Failed { retry: Retry::Now });
        events
    });
    world.caller_says("find me a home", 2_000, 1_000);
    world.run_until(12_000);
    assert_eq!(world.turn(1).heard_text.expose(), "I found one.");
    assert_eq!(world.turn(1).outcome, TurnOutcome::Answered);
}

#[test]
fn two_tools_that_a_model_gives_the_same_id_get_each_its_own_result() {
    let mut round = 0;
    let mut world = World::new(plan(), move |_| {
        round += 1;
        if round > 1 {
            return says("Yes.");
        }
        let call = |name: &str| GenerationEvent::ToolCall {
            request: "call_0".to_owned(),
            name: name.to_owned(),
            arguments: "{}".to_owned(),
        };
        vec![
            call("first"),
            call("second"),
            GenerationEvent::Finished { input_tokens: 1, output_tokens: 1, finish: Finish::Whole },
        ]
    });
    world.tool_answers = false;
    world.caller_says("find me a home", 2_000, 1_000);
    world.caller_says("wait", 4_200, 300);
    for (number, at) in [(1, 6_000), (0, 6_500)] {
        let outcome = ToolOutcome::Done(serde_json::json!({ "tool": number }));
        world.at(ms(at), Input::Tool { number: ToolNumber(number), outcome });
    }
    world.run_until(9_000);
    assert_eq!(
        lines(&world.turn(1).messages)[1..],
        [r"asks: first {}", r#"result: {"tool":0}"#, r"asks: second {}", r#"result: {"tool":1}"#]
    );
}

#[test]
fn an_answer_in_the_agents_own_words_over_the_last_of_them_is_not_taken_for_its_echo() {
    let offer = "Would you like Tuesday at ten or Wednesday at two?";
    for (voiced_ms, turns) in [(700, 3), (0, 2)] {
        let mut world = World::new(plan(), move |prompt| {
            let asked = prompt.messages.iter().filter(|m| matches!(m, Message::Caller { .. })).count();
            says(if asked == 1 { offer } else { "It is booked." })
        });
        world.caller_says("book it", 2_000, 1_000);
        // The question plays from 3,900 to 6,900. Echo is kept from the voice detector, not from the recogniser.
        if voiced_ms > 0 {
            world.caller_makes_noise(5_400, voiced_ms);
        }
        let heard = Input::Heard { text: "tuesday at ten".to_owned(), until: ms(6_150), settled: true };
        world.at(ms(6_400), heard);
        world.run_until(14_000);
        assert_eq!(world.turn(1).heard_text.expose(), offer, "heard to its end either way");
        assert_eq!(world.turns.len(), turns, "{voiced_ms} ms of voice");
    }
}

/// A call that asks whether it may be recorded, from 3,180 ms to 4,800 ms.
fn asking_to_record() -> World {
    let mut asking = plan();
    asking.asks_to_record = true;
    "Hello, this is Ava, an AI. How can I help you today? May I record this call now?"
        .clone_into(&mut asking.greeting);
    World::new(asking, |_| says("Very well."))
}

#[test]
fn a_murmur_before_the_question_is_no_answer_to_it_and_no_assent() {
    for (from_ms, recorded) in [(1_000, false), (3_600, true)] {
        let mut world = asking_to_record();
        world.caller_says("okay", from_ms, 250);
        world.run_until(9_000);
        assert_eq!(world.records, if recorded { vec![true] } else { vec![] }, "an okay at {from_ms}");
        assert_eq!(world.noted(Note::Murmured), usize::from(!recorded));
    }
}

#[test]
fn a_caller_who_did_not_hear_the_question_has_not_agreed_to_be_recorded() {
    for (from_ms, agreed) in [(1_000, false), (3_600, true)] {
        let mut world = asking_to_record();
        world.caller_says("yeah hi i need a house", from_ms, 900);
        world.run_until(9_000);
        assert_eq!(world.records, [agreed], "from {from_ms}");
        assert_eq!(world.turn(1).heard_text.expose(), "Very well.");
    }
}

#[test]
fn who_says_that_they_are_there_has_not_agreed_to_be_recorded() {
    let mut world = asking_to_record();
    // After ten silent seconds they are asked whether they are there.
    world.caller_says("yes", 17_000, 300);
    world.run_until(20_000);
    assert_eq!(world.turn(1).heard_text.expose(), "Are you there?");
    assert_eq!(world.records, [false]);
}
