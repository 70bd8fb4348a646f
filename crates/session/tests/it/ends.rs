//! How calls end, and what is on record then.

use crate::world::{Caller, GREETING, Kept, Setup, World, soon};
use seiketsu_domain::{EndReason, TurnOutcome};
use seiketsu_session::{DoorInput, DoorOutput};

#[tokio::test]
async fn the_end_is_on_record_before_the_call_is_hung_up_and_the_door_closed() {
    let mut world = World::with(Setup { store_works: false, ..Setup::default() });
    let mut caller = world.call(1).await;
    let mut ear = world.ear().await;
    caller.hears(GREETING).await;
    ear.understands("bye").await;
    let thought = world.thought().await;
    thought.says("Thank you and goodbye.").await;
    thought.wants("end_call").await;
    thought.ends().await;
    caller.hears("Thank you and goodbye.").await;
    assert!(world.kept_nothing_more());
    assert!(caller.output.try_recv().is_err(), "not closed before the end is on record");
    world.store.send_replace(true);
    assert!(matches!(world.kept().await, Kept::Turn { number: 0, .. }));
    assert!(matches!(world.kept().await, Kept::Turn { number: 1, outcome: TurnOutcome::Answered, .. }));
    assert_eq!(world.kept().await, Kept::End(EndReason::AgentHungUp));
    assert_eq!(world.kept().await, Kept::HungUp("CA1".to_owned()));
    caller.waits_for(&DoorOutput::Close).await;
    world.is_quiet().await;
    assert!(world.kept_nothing_more(), "once");
}

#[tokio::test]
async fn a_call_that_was_cut_stays_open_on_record() {
    let mut world = World::new();
    let mut caller = world.call(1).await;
    caller.hears(GREETING).await;
    caller.does(DoorInput::Cut).await;
    world.is_quiet().await;
    assert!(matches!(world.kept().await, Kept::Turn { number: 0, .. }));
    assert!(world.kept_nothing_more(), "no end, and nobody was hung up on");
}

#[tokio::test]
async fn a_door_that_takes_nothing_for_two_seconds_is_cut() {
    let mut world = World::new();
    let (caller, door) = Caller::with_room(1);
    world.sessions.start(World::begin(1), door).await.expect("the call is taken");
    let Kept::Turn { number: 0, outcome: TurnOutcome::HungUp, .. } = world.kept().await else {
        panic!("the greeting was cut short")
    };
    world.is_quiet().await;
    assert!(world.kept_nothing_more(), "the record stays open");
    drop(caller);
}

#[tokio::test]
async fn a_store_that_is_slow_does_not_delay_speech() {
    let mut world = World::with(Setup { store_works: false, ..Setup::default() });
    let mut caller = world.call(1).await;
    let mut ear = world.ear().await;
    caller.hears(GREETING).await;
    for n in 1..=3 {
        let answer = format!("This is answer number {n}.");
        ear.understands(&format!("question {n}")).await;
        world.thought().await.answers(&answer).await;
        caller.hears(&answer).await;
    }
    assert!(world.kept_nothing_more(), "nothing was written so far");
    caller.does(DoorInput::HungUp).await;
    world.store.send_replace(true);
    for number in 0..=3 {
        let kept = world.kept().await;
        assert!(matches!(kept, Kept::Turn { number: n, .. } if n == number), "{kept:?}");
    }
    assert_eq!(world.kept().await, Kept::End(EndReason::CallerHungUp));
    world.is_quiet().await;
}

#[tokio::test]
async fn a_caller_who_hangs_up_while_a_tool_runs_waits_for_nothing_and_the_tool_is_on_record() {
    let mut world = World::new();
    let mut caller = world.call(1).await;
    let mut ear = world.ear().await;
    caller.hears(GREETING).await;
    world.kept().await;
    ear.understands("book it").await;
    let thought = world.thought().await;
    thought.wants("waits").await;
    thought.ends().await;
    soon("the tool", world.tool_runs.notified()).await;
    // The door goes with the caller; the session must still hear its tool.
    let Caller { input, output, .. } = caller;
    input.send(DoorInput::HungUp).await.expect("the session reads its door");
    drop((input, output));
    world.tool_may_answer.notify_one();
    let kept = world.kept().await;
    assert!(
        matches!(&kept, Kept::Turn { number: 1, caller, outcome: TurnOutcome::HungUp, tools_done: 1, .. } if caller == "book it"),
        "{kept:?}"
    );
    assert_eq!(world.kept().await, Kept::End(EndReason::CallerHungUp));
    soon("the end", world.is_quiet()).await;
}
