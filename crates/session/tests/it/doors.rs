//! Doors that show more than sound, and clients that take part in the conversation.

use crate::world::{Caller, Thought, World};
use seiketsu_domain::{Message, Pii, ToolChoice, ToolOutcome, ToolSpec, TurnOutcome};
use seiketsu_session::{
    AsideEvent, BeginCall, ClientAct, DoorInput, DoorResponse, DoorUpdate, Progress, ResponsePlace, Shown,
    Turns,
};

fn weather() -> ToolSpec {
    ToolSpec {
        name: "weather".to_owned(),
        description: "The weather.".to_owned(),
        parameters: serde_json::json!({"type": "object", "properties": {}}),
    }
}

/// A call of a client that drives turns itself.
async fn driven(world: &World, update: DoorUpdate) -> Caller {
    let (caller, door) = Caller::that_sees();
    let update = DoorUpdate { turns: Some(Turns::ByClient), ..update };
    let begin = BeginCall { vendor_call_sid: None, update, ..World::begin(1) };
    world.sessions.start(begin, door).await.expect("the call is taken");
    caller
}

async fn asks(caller: &Caller, world: &mut World, text: &str) -> Thought {
    let item = Message::Caller { text: Pii::new(text.to_owned()) };
    caller.does(DoorInput::Client(ClientAct::CreateItem(item))).await;
    caller.does(DoorInput::Respond(Box::default())).await;
    world.thought().await
}

#[tokio::test]
async fn a_client_that_drives_is_not_greeted_and_gets_text_if_it_wants_text() {
    let mut world = World::new();
    let update = DoorUpdate { speaks: Some(false), ..DoorUpdate::default() };
    let mut caller = driven(&world, update).await;
    let thought = asks(&caller, &mut world, "hello").await;
    thought.answers("Hi there.").await;
    let mut seen = Vec::new();
    for _ in 0..4 {
        let shown = caller.sees().await;
        seen.push(if let Shown::Progress(Progress::Saying { text, .. }) = &shown {
            text.clone()
        } else if let Shown::Progress(Progress::Said { turn: 0, .. }) = &shown {
            "said".to_owned()
        } else {
            format!("{shown:?}")
        });
    }
    let over = Shown::Progress(Progress::Over { turn: 0, outcome: TurnOutcome::Answered });
    assert_eq!(
        seen,
        ["Progress(Answering { turn: 0, asked: Some(0) })", "Hi there.", "said", &format!("{over:?}")]
    );
    assert_eq!(world.voice.asked_for("Hi there."), 0);
    caller.does(DoorInput::HungUp).await;
    world.is_quiet().await;
}

#[tokio::test]
async fn a_tool_of_the_client_is_asked_of_the_client_beside_the_agents_own_instructions() {
    let mut world = World::new();
    let update = DoorUpdate {
        instructions: Some("Speak of the weather.".to_owned()),
        tools: Some(vec![weather()]),
        ..DoorUpdate::default()
    };
    let mut caller = driven(&world, update).await;
    let thought = asks(&caller, &mut world, "will it rain").await;
    assert_eq!(thought.request.system, "You are Ava. Be kind.\n\nSpeak of the weather.");
    assert_eq!(thought.request.tools.iter().map(|tool| tool.name.as_str()).collect::<Vec<_>>(), ["weather"]);
    thought.wants("weather").await;
    thought.ends().await;
    let number = loop {
        if let Shown::ToolWanted { number, name, .. } = caller.sees().await {
            assert_eq!(name, "weather");
            break number;
        }
    };
    let outcome = ToolOutcome::Done(serde_json::json!({"rain": true}));
    caller.does(DoorInput::ToolAnswer { number, outcome }).await;
    let thought = world.thought().await;
    assert!(matches!(thought.request.messages.last(), Some(Message::ToolResult { .. })));
    thought.answers("It will rain.").await;
    caller.hears("It will rain.").await;
    caller.does(DoorInput::HungUp).await;
    world.is_quiet().await;
}

#[tokio::test(start_paused = true)]
async fn a_client_that_leaves_without_answering_its_tool_is_waited_for_no_longer() {
    let mut world = World::new();
    let update = DoorUpdate { tools: Some(vec![weather()]), ..DoorUpdate::default() };
    let mut caller = driven(&world, update).await;
    let thought = asks(&caller, &mut world, "will it rain").await;
    thought.wants("weather").await;
    thought.ends().await;
    while !matches!(caller.sees().await, Shown::ToolWanted { .. }) {}
    caller.does(DoorInput::HungUp).await;
    let quiet = tokio::time::timeout(std::time::Duration::from_secs(1), world.is_quiet());
    quiet.await.expect("it is still waited for the tool");
}

#[tokio::test]
async fn a_response_of_its_own_has_the_clients_tools_beside_the_agents_and_one_beside_the_conversation_only_the_clients()
 {
    let mut world = World::new();
    let note = ToolSpec { name: "note".to_owned(), ..weather() };
    let mut caller =
        driven(&world, DoorUpdate { tools: Some(vec![weather()]), ..DoorUpdate::default() }).await;
    let own = DoorResponse {
        instructions: Some("Be brief.".to_owned()),
        tools: Some(vec![note]),
        tool_choice: Some(ToolChoice::Named("note".to_owned())),
        max_tokens: Some(7),
        speaks: Some(false),
        ..DoorResponse::default()
    };
    caller.does(DoorInput::Respond(Box::new(own))).await;
    let thought = world.thought().await;
    assert_eq!(thought.request.system, "You are Ava. Be kind.\n\nBe brief.");
    assert_eq!(thought.request.tools.iter().map(|tool| tool.name.as_str()).collect::<Vec<_>>(), ["note"]);
    assert_eq!(thought.request.tool_choice, ToolChoice::Named("note".to_owned()));
    assert_eq!(thought.request.model.max_tokens, 7);
    thought.wants("note").await;
    thought.ends().await;
    let number = loop {
        if let Shown::ToolWanted { number, .. } = caller.sees().await {
            break number; // although the session has no such tool
        }
    };

    let beside = DoorResponse { number: 3, place: ResponsePlace::Beside, ..DoorResponse::default() };
    caller.does(DoorInput::Respond(Box::new(beside))).await;
    let thought = world.thought().await;
    assert_eq!(thought.request.system, "You are Ava. Be kind.");
    assert_eq!(thought.request.tools, [weather()]);
    thought.answers("A question.").await;
    let mut told = Vec::new();
    while told.len() < 2 {
        if let Shown::Progress(Progress::Aside { number: 3, event }) = caller.sees().await {
            told.push(event);
        }
    }
    assert_eq!(told[0], AsideEvent::Text("A question.".to_owned()));
    let outcome = ToolOutcome::Done(serde_json::json!("noted"));
    caller.does(DoorInput::ToolAnswer { number, outcome }).await;
    let thought = world.thought().await;
    assert_eq!(thought.request.tool_choice, ToolChoice::Auto, "it was asked for");
    thought.answers("Done.").await;
    while !matches!(caller.sees().await, Shown::Progress(Progress::Said { .. })) {}
    let spoken = world.voice.asked_for("Done.") + world.voice.asked_for("A question.");
    assert_eq!(spoken, 0, "nothing of either is spoken");
    caller.does(DoorInput::HungUp).await;
    world.is_quiet().await;
}
