//! Who is let in, and that every place is given back.

use crate::world::{Caller, GREETING, Kept, Setup, StoppedClock, World, soon};
use seiketsu_domain::{EndReason, Message};
use seiketsu_session::{DoorInput, Refused};
use std::{sync::Arc, time::Duration};

#[tokio::test]
async fn a_second_socket_for_a_call_is_refused_and_the_first_is_unharmed() {
    let mut world = World::new();
    let mut first = world.call(1).await;
    let (_second, door) = Caller::with_room(8);
    let refused = world.sessions.start(World::begin(1), door).await;
    assert!(matches!(refused, Err(Refused::AlreadyLive)), "{refused:?}");
    assert_eq!(world.sessions.live_calls(), 1);
    first.hears(GREETING).await;
    world.ear().await.understands("hello").await;
    world.thought().await.answers("Hi there.").await;
    first.hears("Hi there.").await;
    first.does(DoorInput::HungUp).await;
    world.is_quiet().await;
}

#[tokio::test]
async fn a_replica_takes_no_more_calls_than_it_may() {
    let world = World::with(Setup { max_calls: 1, ..Setup::default() });
    let first = world.call(1).await;
    let (_second, door) = Caller::with_room(8);
    let refused = world.sessions.start(World::begin(2), door).await;
    assert!(matches!(refused, Err(Refused::Full)), "{refused:?}");
    first.does(DoorInput::HungUp).await;
    world.is_quiet().await;
}

#[tokio::test]
async fn a_call_whose_desk_cannot_be_opened_leaves_no_place_taken() {
    let world = World::with(Setup { desk_opens: false, ..Setup::default() });
    let (_caller, door) = Caller::with_room(8);
    let refused = world.sessions.start(World::begin(1), door).await;
    assert!(matches!(refused, Err(Refused::Desk(_))), "{refused:?}");
    assert_eq!(world.sessions.live_calls(), 0);
}

#[tokio::test]
async fn a_draining_replica_refuses_new_calls_and_waits_for_live_ones() {
    let mut world = World::new();
    let mut caller = world.call(1).await;
    caller.hears(GREETING).await;
    world.drain.cancel();
    let (_late, door) = Caller::with_room(8);
    let refused = world.sessions.start(World::begin(2), door).await;
    assert!(matches!(refused, Err(Refused::Draining)), "{refused:?}");
    let sessions = world.sessions.clone();
    let drained = sessions.drained();
    tokio::pin!(drained);
    // The live call is still served while the drain waits for it.
    tokio::select! {
        () = &mut drained => panic!("drained although a call is live"),
        () = async {
            world.ear().await.understands("hello").await;
            world.thought().await.answers("Hi there.").await;
            caller.hears("Hi there.").await;
        } => {}
    }
    caller.does(DoorInput::HungUp).await;
    soon("the end of the drain", drained).await;
    assert_eq!(world.sessions.live_calls(), 0);
}

#[tokio::test]
async fn a_tool_that_panics_kills_no_call_and_the_model_learns_that_it_failed() {
    let clock = Arc::new(StoppedClock::default());
    let mut world = World::with(Setup { clock: clock.clone(), ..Setup::default() });
    let mut caller = world.call(1).await;
    let mut ear = world.ear().await;
    caller.hears(GREETING).await;
    world.kept().await;
    ear.understands("book it").await;
    // Wakes the call once its words have come.
    let thought = soon("the question", async {
        loop {
            clock.advance(Duration::from_millis(50));
            caller.does(DoorInput::Mark(u64::MAX)).await;
            tokio::select! {
                biased;
                thought = world.thought() => break thought,
                () = tokio::task::yield_now() => {}
            }
        }
    })
    .await;
    thought.wants("panics").await;
    thought.ends().await;
    let thought = soon("the next round", async {
        loop {
            clock.advance(Duration::from_millis(50));
            caller.does(DoorInput::Mark(u64::MAX)).await;
            tokio::select! {
                biased;
                thought = world.thought() => break thought,
                () = tokio::task::yield_now() => {}
            }
        }
    })
    .await;
    let result = thought.request.messages.last();
    let Some(Message::ToolResult { content, .. }) = result else { panic!("{result:?}") };
    assert!(content.expose().contains("not possible"), "{}", content.expose());
    caller.does(DoorInput::HungUp).await;
    while world.kept().await != Kept::End(EndReason::CallerHungUp) {}
    world.is_quiet().await;
}
