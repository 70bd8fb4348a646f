//! What the model says before it uses a tool: said while the caller waits, left out where the answer is quicker.

mod world;

use seiketsu_call::{GenerationEvent, Note, Prompt};
use seiketsu_domain::{Message, Stage, TurnRecord};
use world::{World, asks, lines, ms, plan, says};

const ANNOUNCEMENT: &str = "Let me look in Riverside.";

/// A model that announces its first tool and tells what it found; asked again, it only answers.
fn announcing(prompt: &Prompt) -> Vec<GenerationEvent> {
    match prompt.messages.last() {
        Some(Message::ToolResult { .. }) => says("I found one."),
        _ if prompt.messages.iter().any(|message| matches!(message, Message::ToolResult { .. })) => {
            says("You are welcome.")
        }
        _ => {
            let mut events = vec![GenerationEvent::Text(format!("{ANNOUNCEMENT} "))];
            events.extend(asks(&[("search_listings", "{}")]));
            events
        }
    }
}

fn called(change: impl FnOnce(&mut World)) -> World {
    let mut world = World::new(plan(), announcing);
    change(&mut world);
    world.caller_says("find me a home", 2_000, 1_000);
    world.run_until(30_000);
    world
}

fn heard(turn: &TurnRecord) -> &str {
    turn.heard_text.expose()
}

#[test]
fn an_answer_that_is_there_first_goes_out_without_its_announcement() {
    let mut world = called(|_| {});
    world.caller_says("thank you", 32_000, 500);
    world.run_until(36_000);
    let turn = world.turn(1);
    assert_eq!(heard(turn), "I found one.");
    assert_eq!(turn.timeline.first_audible_ms(), turn.timeline.first_substantive_ms());
    assert!(turn.timeline.first_substantive_ms().is_some_and(|first| first < 1_400), "{:?}", turn.timeline);
    assert_eq!((turn.timeline.announcement_sent, world.noted(Note::Unannounced)), (None, 1));
    let context = lines(&world.prompts.last().expect("asked again").messages);
    assert!(context.contains(&"agent: I found one.".to_owned()), "{context:?}");
    assert!(!context.iter().any(|line| line.contains(ANNOUNCEMENT)), "it was not heard: {context:?}");
}

#[test]
fn an_announcement_is_said_when_the_caller_has_waited_and_then_to_its_end() {
    // The answer is there in the middle of the announcement.
    let world = called(|world| world.delays.tool = 700);
    let turn = world.turn(1);
    assert_eq!(heard(turn), "Let me look in Riverside. I found one.");
    assert_eq!(turn.timeline.announcement_sent, Some(ms(3_000 + 1_400)));
    assert_eq!((turn.acknowledgement.as_deref(), world.noted(Note::Unannounced)), (None, 0));
}

#[test]
fn an_announcement_that_comes_after_a_bridge_is_left_out_for_the_answer() {
    let world = called(|world| world.delays.first_token = 1_400);
    let turn = world.turn(1);
    assert_eq!(heard(turn), "One moment. I found one.");
    assert_eq!((turn.timeline.announcement_sent, world.noted(Note::Unannounced)), (None, 1));
}

#[test]
fn an_announcement_left_behind_a_bridge_is_said_when_the_wait_goes_on() {
    let world = called(|world| {
        world.delays.first_token = 1_400;
        world.delays.tool = 5_000;
    });
    let turn = world.turn(1);
    assert_eq!(heard(turn), "One moment. Let me look in Riverside. I found one.");
    let (bridge, said) =
        (turn.timeline.acknowledgement_sent.unwrap(), turn.timeline.announcement_sent.unwrap());
    let between = said.since(bridge).as_millis();
    assert!((2_500..=3_500).contains(&between), "so long after the bridge was over: {between}");
}

#[test]
fn words_before_a_tool_that_never_comes_are_said() {
    // The vendor cut the answer off behind "a tool call begins".
    let mut world = World::new(plan(), |_| {
        let mut events =
            vec![GenerationEvent::Text(format!("{ANNOUNCEMENT} ")), GenerationEvent::ToolCallBegun];
        events.extend(says(""));
        events
    });
    world.caller_says("find me a home", 2_000, 1_000);
    world.run_until(30_000);
    let turn = world.turn(1);
    assert_eq!(heard(turn), ANNOUNCEMENT);
    assert_eq!(turn.timeline.first_substantive_ms(), Some(850), "at once: nothing else will come");
}

#[test]
fn a_request_for_a_tool_counts_as_the_first_word_of_a_model() {
    let mut told = plan();
    told.limits.hedges_per_round = 2;
    let mut world = World::new(told, |prompt| match prompt.messages.last() {
        Some(Message::ToolResult { .. }) => says("I found one."),
        _ => asks(&[("search_listings", "{}")]),
    });
    world.delays.first_token = 120;
    world.delays.between_tokens = 200;
    world.caller_says("find me a home", 2_000, 1_000);
    world.run_until(20_000);
    assert_eq!(world.noted(Note::Hedged), 0, "its arguments may take their time");
    assert_eq!(world.stage_ms(1, Stage::FirstToken), world.attempts[0].0.as_millis() + 120);
}
