//! How calls end, and what is on record then.

use crate::world::{Caller, Ear, GREETING, Kept, PausedClock, SOMEBODY, Setup, World, soon};
use bytes::Bytes;
use seiketsu_domain::{EndReason, TurnOutcome};
use seiketsu_session::{DoorInput, DoorOutput};
use std::time::Duration;

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

#[tokio::test(start_paused = true)]
async fn a_door_that_takes_nothing_for_two_seconds_is_cut_and_not_waited_for_again() {
    let mut world = World::with(Setup { clock: PausedClock::new(), ..Setup::default() });
    let (caller, door) = Caller::with_room(1);
    let began = world.clock.monotonic();
    world.sessions.start(World::begin(1), door).await.expect("the call is taken");
    let Kept::Turn { number: 0, outcome: TurnOutcome::HungUp, .. } = world.kept().await else {
        panic!("the greeting was cut short")
    };
    let waited = world.since(began);
    assert!(waited < Duration::from_millis(2_500), "once, not for each piece of the greeting: {waited:?}");
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

#[tokio::test]
async fn what_the_recogniser_was_given_is_on_record_turn_by_turn_and_the_end_of_the_call_has_all_of_it() {
    let mut world = World::new();
    let mut caller = world.call(1).await;
    let mut ear = world.ear().await;
    caller.hears(GREETING).await;
    let Kept::Turn { recognised_ms: 0, .. } = world.kept().await else { panic!("nothing was said yet") };
    let mut recognised = Vec::new();
    for frames in [50, 25] {
        for _ in 0..frames {
            caller.does(DoorInput::Audio(Bytes::from_static(&[0xff; 160]))).await;
        }
        ear.understands("do you have homes").await;
        world.thought().await.answers("Three homes.").await;
        caller.hears("Three homes.").await;
        let Kept::Turn { recognised_ms, .. } = world.kept().await else { panic!("the turn is over") };
        recognised.push(recognised_ms);
        ear.is_up_to_date();
    }
    assert_eq!(recognised, [1_000, 500]);
    for _ in 0..10 {
        caller.does(DoorInput::Audio(Bytes::from_static(&[0xff; 160]))).await;
    }
    caller.does(DoorInput::HungUp).await;
    assert_eq!(world.kept().await, Kept::End(EndReason::CallerHungUp));
    let end = world.end.lock().unwrap().take().unwrap();
    assert_eq!(end.usage.recognised_ms, 1_700, "what followed the last turn as well, and nothing twice");
    world.is_quiet().await;
}

/// Until the agent has announced the transfer.
async fn announced(world: &mut World) -> (Caller, Ear) {
    let mut caller = world.call(1).await;
    let mut ear = world.ear().await;
    caller.hears(GREETING).await;
    world.kept().await;
    ear.understands("a person please").await;
    let thought = world.thought().await;
    thought.wants("transfer_to_human").await;
    thought.ends().await;
    caller.hears("One moment, I am putting you through.").await;
    assert!(matches!(world.kept().await, Kept::Turn { number: 1, .. }));
    (caller, ear)
}

#[tokio::test]
async fn a_caller_is_put_through_once_it_is_on_record_that_they_are_handed_over() {
    let mut world = World::new();
    let (mut caller, _ear) = announced(&mut world).await;
    assert_eq!(world.kept().await, Kept::HandedOver);
    assert_eq!(world.kept().await, Kept::PutThrough(SOMEBODY.parse().unwrap()));
    caller.waits_for(&DoorOutput::Close).await;
    world.is_quiet().await;
}

#[tokio::test]
async fn a_caller_whose_hand_over_cannot_be_put_on_record_is_told_so_and_is_served_by_the_agent() {
    let mut world = World::with(Setup { hand_overs_are_kept: false, ..Setup::default() });
    let (mut caller, mut ear) = announced(&mut world).await;
    caller.hears("I am sorry, nobody could take your call just now. May I take a message?").await;
    assert!(matches!(world.kept().await, Kept::Turn { number: 2, .. }));
    ear.understands("yes please").await;
    world.thought().await.answers("Go ahead.").await;
    caller.hears("Go ahead.").await;
    assert!(matches!(world.kept().await, Kept::Turn { number: 3, .. }));
    caller.does(DoorInput::HungUp).await;
    assert_eq!(world.kept().await, Kept::End(EndReason::CallerHungUp));
    world.is_quiet().await;
    assert!(world.kept_nothing_more(), "nobody was rung");
}
