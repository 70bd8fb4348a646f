use crate::at_once;
use seiketsu_domain::{
    CallTime, Message, Pii, Stage, Timeline, ToolOutcome, ToolRun, TurnOutcome, TurnRecord, Usage,
};
use seiketsu_storage::{DbError, turns};
use seiketsu_testkit::World;
use std::sync::Arc;

pub(crate) fn turn(number: u32) -> TurnRecord {
    let start = CallTime::from_millis(u64::from(number) * 10_000);
    let at = |ms: u64| CallTime::from_millis(start.as_millis() + ms);
    let mut timeline = Timeline::default();
    for (position, stage) in Stage::ALL.into_iter().enumerate() {
        timeline.reach(stage, at(2_000 + 100 * position as u64));
    }
    timeline.acknowledgement_sent = Some(at(2_450));
    TurnRecord {
        number,
        caller_text: Pii::new("I'd like to see the house on Maple Street".to_owned()),
        generated_text: Pii::new("Of course. Tomorrow at ten is free, shall I book it?".to_owned()),
        heard_text: Pii::new("Of course. Tomorrow at".to_owned()),
        acknowledgement: Some("One moment please.".to_owned()),
        started_at: start,
        finished_at: at(6_000),
        outcome: TurnOutcome::Interrupted,
        timeline,
        tools: vec![
            ToolRun {
                number: 0,
                request: "call_a".to_owned(),
                name: "get_listing".to_owned(),
                arguments: r#"{"listing": "lst_1"}"#.to_owned(),
                asked_at: at(2_400),
                finished_at: Some(at(2_450)),
                outcome: Some(ToolOutcome::Done(serde_json::json!({"price": 450_000}))),
            },
            ToolRun {
                number: 1,
                request: "call_b".to_owned(),
                name: "check_availability".to_owned(),
                arguments: "not json".to_owned(),
                asked_at: at(2_460),
                finished_at: None,
                outcome: None,
            },
        ],
        messages: vec![
            Message::Caller { text: Pii::new(format!("caller {number}")) },
            Message::ToolRequest {
                request: "call_a".to_owned(),
                name: "get_listing".to_owned(),
                arguments: Pii::new("{}".to_owned()),
            },
            Message::ToolResult { request: "call_a".to_owned(), content: Pii::new("{}".to_owned()) },
            Message::Agent { text: Pii::new(format!("agent {number}")) },
        ],
        usage: Usage {
            recognised_ms: 2_000,
            input_tokens: 800,
            output_tokens: 30,
            synthesised_characters: 52,
            playout_ms: 3_100,
        },
    }
}

#[tokio::test]
async fn a_turn_comes_back_from_the_database_as_it_was_committed() {
    let world = World::new().await;
    let call = world.call(&world.anna).await;
    let plain = TurnRecord { tools: Vec::new(), messages: Vec::new(), acknowledgement: None, ..turn(0) };
    let mut tx = world.tenant(&world.anna).await;
    // Committed out of order, as a spool may.
    for record in [turn(1), plain.clone(), turn(2)] {
        assert!(turns::commit_turn(&mut tx, call, &record).await.unwrap());
    }
    tx.commit().await.unwrap();
    let mut tx = world.tenant(&world.anna).await;
    assert_eq!(turns::turns(&mut tx, call).await.unwrap(), [plain, turn(1), turn(2)]);
    let said: Vec<Message> = [turn(1).messages, turn(2).messages].concat();
    assert_eq!(turns::transcript(&mut tx, call).await.unwrap(), said);
    assert_eq!(turns::last_number(&mut tx, call).await.unwrap(), Some(2));
    let committed = turns::committed(&mut tx, call).await.unwrap();
    assert_eq!((committed.turns, committed.last_finished_at), (3, CallTime::from_millis(26_000)));
    assert_eq!(committed.usage.input_tokens, 2_400);
}

#[tokio::test]
async fn the_two_figures_of_the_promise_stand_in_columns_of_their_own() {
    let world = World::new().await;
    let call = world.call(&world.anna).await;
    let mut tx = world.tenant(&world.anna).await;
    turns::commit_turn(&mut tx, call, &turn(1)).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(world.database.count("select first_audible_ms from public.turns").await, 450);
    assert_eq!(world.database.count("select first_substantive_ms from public.turns").await, 900);
    let endpointed = "select (timeline -> 'stages' ->> 'endpointed')::bigint from public.turns";
    assert_eq!(world.database.count(endpointed).await, 12_100_000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_turn_that_is_committed_again_and_again_is_there_once() {
    let world = Arc::new(World::new().await);
    let call = world.call(&world.anna).await;
    let outcomes = at_once(10, |_| {
        let world = world.clone();
        async move {
            let mut tx = world.tenant(&world.anna).await;
            let new = turns::commit_turn(&mut tx, call, &turn(1)).await.unwrap();
            tx.commit().await.unwrap();
            new
        }
    })
    .await;
    assert_eq!(outcomes.iter().filter(|new| **new).count(), 1);
    let mut tx = world.tenant(&world.anna).await;
    assert_eq!(turns::turns(&mut tx, call).await.unwrap(), [turn(1)]);
}

#[tokio::test]
async fn a_nul_in_what_was_said_or_asked_does_not_keep_a_turn_from_being_committed() {
    let world = World::new().await;
    let call = world.call(&world.anna).await;
    let mut poisoned = turn(1);
    poisoned.caller_text = Pii::new("a\0b".to_owned());
    poisoned.messages = vec![Message::Agent { text: Pii::new("c\0d \\u0000".to_owned()) }];
    poisoned.tools[0].outcome = Some(ToolOutcome::Done(serde_json::json!({"x\0": "y\0"})));
    poisoned.tools[1].arguments = "\0".to_owned();
    let mut tx = world.tenant(&world.anna).await;
    turns::commit_turn(&mut tx, call, &poisoned).await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = world.tenant(&world.anna).await;
    let kept = turns::turns(&mut tx, call).await.unwrap().remove(0);
    assert_eq!(kept.caller_text.expose(), "a\u{fffd}b");
    assert_eq!(kept.messages, [Message::Agent { text: Pii::new("c\u{fffd}d \\u0000".to_owned()) }]);
    assert_eq!(kept.tools[0].outcome, Some(ToolOutcome::Done(serde_json::json!({"x\u{fffd}": "y\u{fffd}"}))));
}

#[tokio::test]
async fn a_turn_of_a_call_that_is_not_there_is_refused() {
    let world = World::new().await;
    let mut tx = world.tenant(&world.anna).await;
    let error = turns::commit_turn(&mut tx, world.ids.next(), &turn(1)).await.unwrap_err();
    assert!(matches!(error, DbError::BrokenReference { .. }), "{error:?}");
    assert!(!error.is_away());
}
