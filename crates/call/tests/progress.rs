//! What a door that shows more than sound is told, and clients that drive turns themselves.

mod world;

use seiketsu_call::{ClientAct, Input, Note, Plan, PlanUpdate, Progress, Speaker, Turns};
use seiketsu_domain::{Message, Pii, Stage, TurnOutcome};
use world::{World, asks, lines, ms, plan, says};

/// Without the greeting's.
fn told(world: &World) -> Vec<String> {
    let of_turn = |turn: u32, text: String| (turn > 0).then(|| format!("{turn} {text}"));
    world
        .progress
        .iter()
        .filter_map(|progress| match progress {
            Progress::Understood { turn, text, .. } => of_turn(*turn, format!("understood: {text}")),
            Progress::Taken { text, .. } => Some(format!("taken: {text}")),
            Progress::Answering { turn, .. } => of_turn(*turn, "answering".to_owned()),
            Progress::Saying { turn, text, .. } => of_turn(*turn, format!("saying: {text}")),
            Progress::AwaitsTools { turn, .. } => of_turn(*turn, "awaits tools".to_owned()),
            Progress::Said { turn, usage, .. } if *turn > 0 => {
                assert_eq!((usage.input_tokens % 10, usage.output_tokens % 5), (0, 0));
                of_turn(*turn, "said".to_owned())
            }
            Progress::Said { turn, .. } => of_turn(*turn, "said".to_owned()),
            Progress::Over { turn, outcome } => of_turn(*turn, outcome.name().to_owned()),
            Progress::Disregarded => Some("disregarded".to_owned()),
            Progress::Aside { number, event } => Some(format!("aside {number}: {event:?}")),
        })
        .collect()
}

fn quiet() -> Plan {
    Plan { greeting: String::new(), first_turn: 1, ..plan() }
}

#[test]
fn a_turn_is_understood_answered_said_and_over() {
    let mut world = World::new(plan(), |_| says("We have three homes. The first has a garden."));
    world.caller_says("do you have homes", 2_000, 1_000);
    world.run_until(9_900);
    let expected = [
        "1 understood: do you have homes",
        "1 answering",
        "1 saying: We have three homes.",
        "1 saying: The first has a garden.",
        "1 said",
        "1 answered",
    ];
    assert_eq!(told(&world), expected);
    assert_eq!(world.stage_ms(1, Stage::FirstAudioSent), 3_865, "and spoken");
}

#[test]
fn a_turn_with_a_tool_waits_for_it() {
    let mut world = World::new(plan(), |prompt| match prompt.messages.last() {
        Some(Message::ToolResult { .. }) => says("I found one."),
        _ => asks(&[("search_listings", "{}")]),
    });
    world.caller_says("find me a home", 2_000, 1_000);
    world.run_until(9_000);
    let expected = [
        "1 understood: find me a home",
        "1 answering",
        "1 awaits tools",
        "1 saying: I found one.",
        "1 said",
        "1 answered",
    ];
    assert_eq!(told(&world), expected);
}

#[test]
fn an_interruption_ends_a_turn_that_was_not_said_to_its_end() {
    let mut world = World::new(plan(), |_| says("We have three homes in Riverside for you today."));
    world.caller_says("do you have homes", 2_000, 1_000);
    world.caller_says("wait", 4_500, 300);
    world.run_until(4_800);
    assert_eq!(told(&world).last().unwrap(), "1 interrupted");
}

#[test]
fn answers_that_are_not_spoken_are_text_and_count_as_heard() {
    let mut world =
        World::new(Plan { speaks: false, ..quiet() }, |_| says("We have three homes. Which one?"));
    world.at(
        ms(100),
        Input::Client(ClientAct::CreateItem(Message::Caller { text: Pii::new("homes?".to_owned()) })),
    );
    world.at(ms(200), Input::Client(ClientAct::CreateResponse { number: 0, plan: Box::default() }));
    world.run_until(9_000);
    assert_eq!(world.played_us, 0);
    assert_eq!(world.speech, [], "no voice was asked");
    assert_eq!(world.noted(Note::Acknowledged), 0);
    assert_eq!(
        told(&world)[1..],
        ["1 saying: We have three homes.", "1 saying: Which one?", "1 said", "1 answered"]
    );
    assert_eq!(world.turn(1).heard_text.expose(), "We have three homes. Which one?");
    assert_eq!(lines(&world.prompts[0].messages), ["caller: homes?"]);
}

#[test]
fn a_client_that_drives_turns_commits_audio_and_asks_for_the_answer() {
    let mut world = World::new(Plan { turns: Turns::ByClient, ..quiet() }, |_| says("We have three."));
    world.caller_says("do you have homes", 1_000, 1_000);
    world.at(ms(2_200), Input::Client(ClientAct::Commit));
    world.at(ms(2_210), Input::Client(ClientAct::CreateResponse { number: 0, plan: Box::default() }));
    world.run_until(9_000);
    let expected =
        ["taken: do you have homes", "1 answering", "1 saying: We have three.", "1 said", "1 answered"];
    assert_eq!(told(&world), expected);
    assert_eq!(world.turn(1).caller_text.expose(), "do you have homes");
}

#[test]
fn utterances_are_found_by_voice_and_answered_when_the_client_asks() {
    let mut world = World::new(Plan { turns: Turns::Unanswered, ..quiet() }, |_| says("We have three."));
    world.caller_says("do you have homes", 1_000, 1_000);
    world.caller_says("with a garden and", 4_000, 1_000);
    world.run_until(30_000);
    assert_eq!(told(&world), ["taken: do you have homes", "taken: with a garden and"]);
    assert_eq!(world.prompts.len(), 0, "nobody asked for an answer, nor whether anybody is there");
    world.at(ms(30_000), Input::Client(ClientAct::CreateResponse { number: 0, plan: Box::default() }));
    world.run_until(33_000);
    assert_eq!(world.turn(1).caller_text.expose(), "do you have homes with a garden and");
    assert_eq!(world.turn(1).outcome, TurnOutcome::Answered);
}

#[test]
fn what_a_client_deletes_is_told_to_the_model_no_more_and_stays_on_record() {
    let mut world = World::new(Plan { turns: Turns::ByClient, ..quiet() }, |_| says("Very well."));
    let typed = |text: &str| {
        Input::Client(ClientAct::CreateItem(Message::Caller { text: Pii::new(text.to_owned()) }))
    };
    for (at, text) in [(100, "my number is four"), (4_000, "do you have homes"), (8_000, "which")] {
        world.at(ms(at), typed(text));
        if at == 8_000 {
            world.at(ms(at), Input::Client(ClientAct::Forget { turn: 1, speaker: Speaker::Caller }));
            world.at(ms(at), Input::Client(ClientAct::Forget { turn: 2, speaker: Speaker::Agent }));
        }
        world.at(ms(at + 10), Input::Client(ClientAct::CreateResponse { number: 0, plan: Box::default() }));
        world.run_until(at + 3_900);
    }
    let told = lines(&world.prompts[2].messages);
    assert_eq!(told, ["agent: Very well.", "caller: do you have homes", "caller: which"]);
    assert_eq!(world.turn(1).caller_text.expose(), "my number is four");
}

#[test]
fn words_over_an_answer_end_it_also_where_nobody_will_answer_them() {
    let homes = "We have three homes in Riverside and two in Windsor Park.";
    let mut world = World::new(Plan { turns: Turns::Unanswered, ..quiet() }, move |_| says(homes));
    world.at(ms(100), Input::Client(ClientAct::CreateResponse { number: 0, plan: Box::default() }));
    world.caller_says("wait a moment", 1_600, 1_000);
    world.run_until(9_000);
    assert_eq!(world.turn(1).outcome, TurnOutcome::Interrupted);
    assert_eq!(told(&world).last().unwrap(), "taken: wait a moment");
    assert_eq!(world.prompts.len(), 1);
}

#[test]
fn a_cancelled_answer_is_over_and_the_next_one_can_be_asked_for() {
    let mut world =
        World::new(Plan { turns: Turns::ByClient, ..quiet() }, |_| says("We have three homes in Riverside."));
    world.at(ms(100), Input::Client(ClientAct::CreateResponse { number: 0, plan: Box::default() }));
    world.at(ms(1_500), Input::Client(ClientAct::CancelResponse { turn: None }));
    world.at(ms(2_000), Input::Client(ClientAct::CreateResponse { number: 0, plan: Box::default() }));
    world.run_until(9_000);
    let outcomes: Vec<_> = world.turns.iter().map(|turn| turn.outcome).collect();
    assert_eq!(outcomes, [TurnOutcome::Interrupted, TurnOutcome::Answered]);
}

#[test]
fn an_answer_that_is_asked_for_while_another_is_heard_follows_it() {
    let mut asked = 0;
    let mut world = World::new(Plan { turns: Turns::ByClient, ..quiet() }, move |_| {
        asked += 1;
        says(if asked == 1 { "We have three homes." } else { "With a garden." })
    });
    world.at(ms(100), Input::Client(ClientAct::CreateResponse { number: 0, plan: Box::default() }));
    let typed = Message::Caller { text: Pii::new("which have a garden".to_owned()) };
    world.at(ms(1_000), Input::Client(ClientAct::CreateItem(typed)));
    world.at(ms(1_010), Input::Client(ClientAct::CreateResponse { number: 0, plan: Box::default() }));
    world.run_until(9_000);
    assert_eq!(world.turn(1).outcome, TurnOutcome::Answered);
    assert_eq!(world.turn(2).caller_text.expose(), "which have a garden", "what was typed is on record");
    assert_eq!(world.turn(2).heard_text.expose(), "With a garden.");
}

#[test]
fn what_was_committed_is_not_forgotten_and_two_commits_are_two() {
    let mut world = World::new(Plan { turns: Turns::ByClient, ..quiet() }, |_| says("Very well."));
    world.caller_says("do you have homes", 1_000, 1_000);
    for at in [2_100, 2_110] {
        world.at(ms(at), Input::Client(ClientAct::Commit));
    }
    world.at(ms(2_120), Input::Client(ClientAct::Clear));
    world.at(ms(2_130), Input::Client(ClientAct::CreateResponse { number: 0, plan: Box::default() }));
    world.run_until(9_000);
    assert_eq!(told(&world)[..2], ["taken: do you have homes", "taken: "]);
    assert_eq!(world.turn(1).caller_text.expose(), "do you have homes");
}

#[test]
fn a_cancelled_request_for_an_answer_is_forgotten_and_one_for_another_turn_says_nothing() {
    let mut world = World::new(Plan { turns: Turns::ByClient, ..quiet() }, |_| says("Very well."));
    world.caller_says("do you have homes", 1_000, 1_000);
    world.at(ms(2_100), Input::Client(ClientAct::Commit));
    world.at(ms(2_110), Input::Client(ClientAct::CreateResponse { number: 0, plan: Box::default() }));
    world.at(ms(2_120), Input::Client(ClientAct::CancelResponse { turn: None }));
    world.run_until(5_000);
    assert_eq!(world.prompts.len(), 0, "nobody wants it");
    world.at(ms(5_100), Input::Client(ClientAct::CreateResponse { number: 0, plan: Box::default() }));
    world.at(ms(5_200), Input::Client(ClientAct::CancelResponse { turn: Some(7) }));
    world.run_until(9_000);
    assert_eq!(world.turn(1).outcome, TurnOutcome::Answered);
}

#[test]
fn an_update_changes_whether_answers_are_spoken() {
    let mut world = World::new(quiet(), |_| says("We have three."));
    world.at(ms(50), Input::Update(PlanUpdate { speaks: Some(false), ..PlanUpdate::default() }));
    world.at(ms(100), Input::Client(ClientAct::CreateResponse { number: 0, plan: Box::default() }));
    world.at(ms(2_000), Input::Update(PlanUpdate { speaks: Some(true), ..PlanUpdate::default() }));
    world.at(ms(2_100), Input::Client(ClientAct::CreateResponse { number: 0, plan: Box::default() }));
    world.run_until(9_000);
    assert_eq!(world.turns.len(), 2);
    assert_eq!(world.turn(1).heard_text, world.turn(2).heard_text);
    assert_eq!(world.speech.len(), 1);
}
