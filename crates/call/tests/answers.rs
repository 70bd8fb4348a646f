//! Answers that a client wants to be different from others, questions beside the conversation, and answers that nothing
//! interrupts.

mod world;

use seiketsu_call::{
    AnswerPlan, AsideEvent, ClientAct, Finish, GenerationEvent, Input, Note, Plan, Progress, Retry, Turns,
    VoiceActivity,
};
use seiketsu_domain::{Message, Pii, Stage, ToolChoice, ToolSpec, TurnOutcome, Usage};
use std::time::Duration;
use world::{World, asks, lines, ms, plan, says};

fn quiet() -> Plan {
    Plan { greeting: String::new(), first_turn: 1, turns: Turns::ByClient, ..plan() }
}

fn tool(name: &str) -> ToolSpec {
    let parameters = serde_json::json!({ "type": "object" });
    ToolSpec { name: name.to_owned(), description: String::new(), parameters }
}

fn typed(text: &str) -> Input {
    Input::Client(ClientAct::CreateItem(Message::Caller { text: Pii::new(text.to_owned()) }))
}

fn respond(plan: AnswerPlan) -> Input {
    Input::Client(ClientAct::CreateResponse { number: 0, plan: Box::new(plan) })
}

fn ask(number: u64, plan: AnswerPlan) -> Input {
    Input::Client(ClientAct::Ask { number, plan: Box::new(plan) })
}

/// What was told of questions beside the conversation.
fn asides(world: &World) -> Vec<(u64, AsideEvent)> {
    let told = world.progress.iter().filter_map(|progress| {
        if let Progress::Aside { number, event } = progress { Some((*number, event.clone())) } else { None }
    });
    told.collect()
}

fn usage(input_tokens: u64, output_tokens: u64) -> Usage {
    Usage { input_tokens, output_tokens, ..Usage::default() }
}

#[test]
fn an_answer_has_settings_of_its_own_and_the_next_has_those_of_the_call() {
    let mut world = World::new(quiet(), |_| says("Very well."));
    world.at(ms(100), typed("do you have homes"));
    let own = AnswerPlan {
        system: Some("You are Bob.".to_owned()),
        tools: Some(vec![tool("note")]),
        tool_choice: Some(ToolChoice::None),
        max_tokens: Some(20),
        speaks: Some(false),
        ..AnswerPlan::default()
    };
    world.at(ms(110), respond(own));
    world.run_until(4_000);
    assert_eq!(world.played_us, 0, "it is text");
    world.at(ms(4_000), typed("which"));
    world.at(ms(4_010), respond(AnswerPlan::default()));
    world.run_until(9_000);
    let [first, second] = &world.prompts[..] else { panic!("two answers") };
    assert_eq!((first.system.as_str(), first.max_tokens), ("You are Bob.", 20));
    assert_eq!((&first.tools[..], &first.tool_choice), (&[tool("note")][..], &ToolChoice::None));
    assert_eq!((second.system.as_str(), second.max_tokens), ("You are Ava.", u32::MAX));
    assert_eq!((second.tools.len(), &second.tool_choice), (0, &ToolChoice::Auto));
    assert!(world.played_us > 0);
    assert_eq!(
        lines(&second.messages),
        ["caller: do you have homes", "agent: Very well.", "caller: which"],
        "the conversation has both"
    );
}

#[test]
fn a_tool_that_must_be_asked_for_is_asked_for_once() {
    let mut rounds = 0;
    let mut world = World::new(quiet(), move |_| {
        rounds += 1;
        if rounds == 1 { asks(&[("search", "{}")]) } else { says("We have three.") }
    });
    let required = AnswerPlan {
        tools: Some(vec![tool("search")]),
        tool_choice: Some(ToolChoice::Required),
        ..AnswerPlan::default()
    };
    world.at(ms(100), respond(required));
    world.run_until(9_000);
    let choices: Vec<_> = world.prompts.iter().map(|prompt| prompt.tool_choice.clone()).collect();
    assert_eq!(choices, [ToolChoice::Required, ToolChoice::Auto], "else there is no end of it");
    assert!(world.prompts.iter().all(|prompt| prompt.tools == [tool("search")]), "in every round");
    let unknown =
        AnswerPlan { tool_choice: Some(ToolChoice::Named("x".to_owned())), ..AnswerPlan::default() };
    world.at(ms(9_000), respond(unknown));
    world.run_until(12_000);
    assert_eq!(world.prompts[2].tool_choice, ToolChoice::Auto, "no vendor knows it");
}

#[test]
fn an_answer_to_something_else_leaves_the_callers_question_open() {
    let mut world = World::new(quiet(), |_| says("Very well."));
    world.at(ms(100), typed("do you have homes"));
    let input = vec![Message::Caller { text: Pii::new("say hello".to_owned()) }];
    world.at(ms(110), respond(AnswerPlan { messages: Some(input), ..AnswerPlan::default() }));
    world.run_until(4_000);
    assert_eq!(lines(&world.prompts[0].messages), ["caller: say hello"]);
    assert_eq!(world.turn(1).caller_text.expose(), "");
    world.at(ms(4_000), respond(AnswerPlan::default()));
    world.run_until(9_000);
    assert_eq!(lines(&world.prompts[1].messages), ["agent: Very well.", "caller: do you have homes"]);
}

#[test]
fn an_answer_may_be_heard_and_not_remembered() {
    let mut world = World::new(quiet(), |_| says("Very well."));
    world.at(ms(100), typed("do you have homes"));
    world.at(ms(110), respond(AnswerPlan { is_aside: true, ..AnswerPlan::default() }));
    world.run_until(4_000);
    assert_eq!(lines(&world.prompts[0].messages), ["caller: do you have homes"]);
    assert_eq!(world.turn(1).heard_text.expose(), "Very well.", "it is on record");
    world.at(ms(4_000), respond(AnswerPlan::default()));
    world.run_until(9_000);
    assert_eq!(lines(&world.prompts[1].messages), ["caller: do you have homes"]);
    assert_eq!(world.turn(2).caller_text.expose(), "do you have homes");
}

#[test]
fn an_answer_that_ends_at_its_limit_says_so() {
    let mut world = World::new(quiet(), |_| {
        let finished =
            GenerationEvent::Finished { input_tokens: 10, output_tokens: 5, finish: Finish::TooLong };
        vec![GenerationEvent::Text("We have three homes in".to_owned()), finished]
    });
    world.at(ms(100), respond(AnswerPlan { max_tokens: Some(5), ..AnswerPlan::default() }));
    world.run_until(9_000);
    let said = world
        .progress
        .iter()
        .find_map(|progress| if let Progress::Said { finish, .. } = progress { Some(*finish) } else { None });
    assert_eq!(said, Some(Finish::TooLong));
    assert_eq!(world.turn(1).heard_text.expose(), "We have three homes in");
}

#[test]
fn questions_beside_the_conversation_are_answered_beside_it_and_paid_for() {
    let mut world = World::new(quiet(), |prompt| {
        if prompt.system == "Classify." { says("a question") } else { says("We have three homes.") }
    });
    world.at(ms(100), typed("do you have homes"));
    world.at(ms(110), respond(AnswerPlan::default()));
    let classify = AnswerPlan { system: Some("Classify.".to_owned()), ..AnswerPlan::default() };
    world.at(ms(600), ask(7, classify.clone()));
    world.at(ms(610), ask(8, AnswerPlan { messages: Some(Vec::new()), ..classify }));
    world.run_until(9_000);
    let [first, second] = [7, 8].map(|number| {
        let told = asides(&world).into_iter().filter(|(other, _)| *other == number);
        told.map(|(_, event)| event).collect::<Vec<_>>()
    });
    let finished = AsideEvent::Finished { usage: Some(usage(10, 5)), finish: Finish::Whole };
    let text = |text: &str| AsideEvent::Text(text.to_owned());
    assert_eq!(first, [text("a "), text("question"), finished]);
    assert_eq!(first, second);
    assert_eq!(lines(&world.prompts[2].messages), [""; 0], "only what it was asked with");
    assert_eq!(world.turn(1).heard_text.expose(), "We have three homes.", "nothing of it is said");
    assert_eq!((world.turn(1).usage.input_tokens, world.turns.len()), (30, 1), "all three are on the bill");
}

#[test]
fn a_question_beside_the_conversation_that_fails_is_asked_elsewhere_and_then_given_up() {
    let mut world = World::new(quiet(), |_| vec![GenerationEvent::Failed { retry: Retry::Now }]);
    world.at(ms(100), ask(1, AnswerPlan::default()));
    world.run_until(9_000);
    assert_eq!(asides(&world), [(1, AsideEvent::Failed)]);
    assert_eq!(world.attempts.iter().map(|(_, _, attempt)| *attempt).collect::<Vec<_>>(), [0, 1, 2]);

    let mut silent = World::new(quiet(), |_| Vec::new());
    silent.at(ms(100), ask(1, AnswerPlan::default()));
    silent.run_until(30_099);
    assert_eq!(asides(&silent), []);
    silent.run_until(30_100);
    assert_eq!(asides(&silent), [(1, AsideEvent::Failed)]);
    assert_eq!(silent.cancelled_generations, 1);
}

#[test]
fn questions_beside_the_conversation_are_few_bounded_and_can_be_taken_back() {
    let mut world = World::new(quiet(), |_| says(&"x ".repeat(20_000)));
    world.delays.between_tokens = 0;
    for number in 0..6 {
        world.at(ms(100), ask(number, AnswerPlan::default()));
    }
    world.at(ms(110), Input::Client(ClientAct::CancelAside(0)));
    world.run_until(200);
    assert_eq!(asides(&world), [(4, AsideEvent::Failed), (5, AsideEvent::Failed)], "four at a time");
    assert_eq!(world.cancelled_generations, 1);
    world.run_until(9_000);
    let of_first = asides(&world).into_iter().filter(|(number, _)| *number == 0).count();
    assert_eq!(of_first, 0, "nothing more is told of it");
    let mut characters = 0;
    for (number, event) in asides(&world) {
        if number == 1 {
            if let AsideEvent::Text(text) = event {
                characters += text.len();
            } else {
                assert_eq!(event, AsideEvent::Finished { usage: None, finish: Finish::TooLong });
            }
        }
    }
    assert_eq!(characters, 16_384);
    assert!(world.noted(Note::LimitReached) > 0);
}

#[test]
fn an_answer_that_nothing_interrupts_is_heard_to_its_end_and_what_was_said_over_it_is_answered_then() {
    let homes = "We have three homes in Riverside and two in Windsor Park.";
    let mut world =
        World::new(Plan { turns: Turns::ByVoice, is_interruptible: false, ..quiet() }, move |prompt| {
            if prompt.messages.len() == 1 { says(homes) } else { says("It has.") }
        });
    world.caller_says("do you have homes", 1_000, 1_000);
    world.caller_says("does the first one have a garden", 3_200, 1_200);
    world.run_until(12_000);
    assert_eq!(world.turn(1).outcome, TurnOutcome::Answered);
    assert_eq!(world.turn(1).heard_text.expose(), homes);
    assert_eq!(world.turn(2).caller_text.expose(), "does the first one have a garden");
    assert_eq!(world.turn(2).heard_text.expose(), "It has.");
    assert!(
        world.stage_ms(2, Stage::EndOfSpeech) > 6_000,
        "the caller waits from the end of the first answer"
    );
    assert_eq!((world.clears.len(), world.noted(Note::Held)), (0, 0), "playback never stopped");
}

#[test]
fn words_over_an_answer_that_nothing_interrupts_are_taken_at_once_where_nobody_answers_them() {
    let homes = "We have three homes in Riverside and two in Windsor Park.";
    let conduct = Plan { turns: Turns::Unanswered, is_interruptible: false, ..quiet() };
    let mut world = World::new(conduct, move |_| says(homes));
    world.at(ms(100), respond(AnswerPlan::default()));
    world.caller_says("wait a moment", 1_600, 1_000);
    world.run_until(3_500);
    let taken = world
        .progress
        .iter()
        .any(|progress| matches!(progress, Progress::Taken { text, .. } if text == "wait a moment"));
    assert!(taken);
    world.run_until(9_000);
    assert_eq!(world.turn(1).outcome, TurnOutcome::Answered);
    assert_eq!(world.prompts.len(), 1);
}

#[test]
fn what_is_being_heard_can_be_read_and_what_was_not_understood_is_told_as_that() {
    let mut world = World::new(Plan { turns: Turns::ByVoice, ..quiet() }, |_| says("Very well."));
    world.caller_makes_noise(1_000, 2_000);
    let heard =
        |text: &str, until, settled| Input::Heard { text: text.to_owned(), until: ms(until), settled };
    world.at(ms(1_800), heard("do you", 1_700, false));
    world.at(ms(2_200), Input::HeardPartly { text: "have ho".to_owned(), until: None });
    world.run_until(2_300);
    assert_eq!(world.call.hearing(), Some(("do you", "have ho")));
    world.at(ms(3_300), heard("have homes", 3_050, true));
    world.run_until(3_500);
    assert_eq!(world.call.hearing(), None, "it is an utterance now");
    world.run_until(9_000);

    // A second of voice, and a recogniser that says nothing about it.
    world.caller_makes_noise(9_000, 1_000);
    world.run_until(9_000 + Duration::from_secs(6).as_millis() as u64);
    let understood: Vec<_> = world
        .progress
        .iter()
        .filter_map(|progress| {
            let Progress::Understood { text, is_whole, .. } = progress else { return None };
            Some((text.as_str(), *is_whole))
        })
        .collect();
    assert_eq!(understood, [("do you have homes", true), ("", false)]);
}

// ---- answers that are asked for while somebody speaks --------------------------------------------------------

fn by_voice() -> Plan {
    Plan { turns: Turns::ByVoice, ..quiet() }
}

fn asked(world: &World) -> Vec<(u32, Option<u64>)> {
    let told = world.progress.iter().filter_map(|progress| {
        if let Progress::Answering { turn, asked } = progress { Some((*turn, *asked)) } else { None }
    });
    told.collect()
}

const HOMES: &str = "We have three homes in Riverside and two in Windsor Park.";

#[test]
fn what_the_caller_says_meanwhile_has_its_own_answer_where_something_else_was_asked_for() {
    let mut world = World::new(by_voice(), |_| says(HOMES));
    world.caller_says("do you have homes", 1_000, 1_000);
    let aside = AnswerPlan { is_aside: true, ..AnswerPlan::default() };
    let create = ClientAct::CreateResponse { number: 7, plan: Box::new(aside) };
    world.at(ms(3_300), Input::Client(create));
    world.caller_says("do you have any in Austin", 3_600, 1_200);
    world.run_until(20_000);
    assert_eq!(asked(&world), [(1, None), (2, None), (3, Some(7))]);
    assert_eq!(world.turn(2).caller_text.expose(), "do you have any in Austin");
    let remembered = lines(&world.prompts[2].messages);
    assert!(remembered.contains(&"caller: do you have any in Austin".to_owned()), "{remembered:?}");
}

#[test]
fn what_the_caller_says_meanwhile_is_answered_once_where_that_is_what_was_asked_for() {
    let mut world = World::new(by_voice(), |_| says(HOMES));
    world.caller_says("do you have homes", 1_000, 1_000);
    let own = AnswerPlan { max_tokens: Some(9), ..AnswerPlan::default() };
    world.at(ms(3_300), Input::Client(ClientAct::CreateResponse { number: 7, plan: Box::new(own) }));
    world.caller_says("do you have any in Austin", 3_600, 1_200);
    world.run_until(9_500);
    assert_eq!(asked(&world), [(1, None), (2, Some(7))]);
    assert_eq!(world.prompts[1].max_tokens, 9);
}

#[test]
fn an_answer_that_was_taken_back_does_not_come_and_the_one_before_it_is_heard_to_its_end() {
    let mut world = World::new(quiet(), |_| says(HOMES));
    world.at(ms(100), respond(AnswerPlan::default()));
    let create = ClientAct::CreateResponse { number: 7, plan: Box::default() };
    world.at(ms(1_500), Input::Client(create));
    world.at(ms(1_600), Input::Client(ClientAct::CancelRequest(7)));
    world.run_until(12_000);
    assert_eq!(asked(&world), [(1, Some(0))]);
    assert_eq!(world.turn(1).outcome, TurnOutcome::Answered);
    let create = ClientAct::CreateResponse { number: 8, plan: Box::default() };
    world.at(ms(12_000), Input::Client(create));
    world.at(ms(13_500), Input::Client(ClientAct::CancelRequest(8)));
    world.run_until(20_000);
    assert_eq!(world.turn(2).outcome, TurnOutcome::Interrupted, "nor is it said to its end");
}

#[test]
fn what_a_cancelled_answer_was_about_is_answered_by_the_next_that_is_asked_for() {
    let mut world = World::new(quiet(), |_| says("Very well."));
    world.at(ms(100), typed("hello"));
    world.at(ms(110), respond(AnswerPlan::default()));
    world.at(ms(200), Input::Client(ClientAct::CancelResponse { turn: None }));
    world.at(ms(300), typed("again"));
    world.at(ms(310), respond(AnswerPlan::default()));
    world.run_until(9_000);
    assert_eq!(lines(&world.prompts[1].messages), ["caller: hello again"]);
    assert_eq!(world.turn(2).outcome, TurnOutcome::Answered);
}

#[test]
fn words_over_an_answer_that_nothing_interrupts_are_answered_also_if_the_client_ends_it() {
    let mut world = World::new(Plan { is_interruptible: false, ..by_voice() }, |_| says(HOMES));
    world.caller_says("do you have homes", 1_000, 1_000);
    world.caller_says("does the first one have a garden", 3_200, 1_200);
    world.at(ms(5_500), Input::Client(ClientAct::CancelResponse { turn: None }));
    world.run_until(9_000);
    assert_eq!(world.turn(1).outcome, TurnOutcome::Interrupted);
    assert_eq!(asked(&world), [(1, None), (2, None)]);
    assert_eq!(world.prompts.len(), 2);
}

#[test]
fn a_caller_who_is_still_speaking_when_an_answer_ends_that_nothing_interrupts_is_heard_out() {
    let mut world =
        World::new(Plan { is_interruptible: false, ..by_voice() }, |_| says("We have three homes."));
    world.caller_says("do you have homes", 1_000, 1_000);
    world.caller_says("i want a house", 2_700, 800);
    world.caller_says("with three bedrooms", 4_000, 900);
    world.run_until(14_000);
    assert_eq!(world.turn(2).caller_text.expose(), "i want a house with three bedrooms");
}

#[test]
fn an_answer_that_waited_for_words_comes_without_them_if_the_client_drops_them() {
    let mut world = World::new(Plan { turns: Turns::Unanswered, ..quiet() }, |_| says("Very well."));
    world.caller_makes_noise(1_000, 1_000);
    world.at(ms(2_400), respond(AnswerPlan::default()));
    world.at(ms(2_450), Input::Client(ClientAct::Clear));
    world.run_until(9_000);
    assert_eq!(asked(&world), [(1, Some(0))]);
    assert_eq!(world.turn(1).caller_text.expose(), "");
}

#[test]
fn a_question_beside_the_conversation_knows_what_is_being_said() {
    let mut world = World::new(quiet(), |_| says(HOMES));
    world.at(ms(100), typed("do you have homes"));
    world.at(ms(110), respond(AnswerPlan::default()));
    world.at(ms(2_000), ask(1, AnswerPlan::default()));
    world.run_until(3_000);
    let seen = lines(&world.prompts[1].messages);
    assert_eq!(seen, ["caller: do you have homes", &format!("agent: {HOMES}")]);
}

#[test]
fn a_microphone_that_is_open_keeps_no_client_from_its_answers_if_it_says_itself_when_a_turn_is_over() {
    let mut world = World::new(quiet(), |_| says(HOMES));
    world.at(ms(50), Input::Voice(VoiceActivity::Began { at: ms(20) }));
    world.at(ms(100), typed("do you have homes"));
    world.at(ms(110), respond(AnswerPlan::default()));
    world.at(ms(1_500), respond(AnswerPlan { is_aside: true, ..AnswerPlan::default() }));
    world.run_until(15_000);
    assert_eq!(world.turns.iter().map(|turn| turn.outcome).collect::<Vec<_>>(), [TurnOutcome::Answered; 2]);
    assert_eq!((world.clears.len(), world.noted(Note::Held)), (0, 0));
}

#[test]
fn yes_is_no_assent_before_the_question_was_heard_although_nothing_interrupts_it() {
    let greeting = "Hello, this is Ava of Lone Star Homes in Austin. May I record this call?";
    for (at, assented) in [(600, false), (4_300, true)] {
        let plan = Plan {
            greeting: greeting.to_owned(),
            asks_to_record: true,
            is_interruptible: false,
            turns: Turns::ByVoice,
            ..plan()
        };
        let mut world = World::new(plan, |_| says("Very well."));
        world.caller_says("yes hello i am looking for a house", at, 900);
        world.run_until(12_000);
        assert_eq!(world.records, [assented], "said at {at} ms");
    }
}
