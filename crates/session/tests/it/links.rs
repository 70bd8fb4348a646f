//! What happens when a link to a vendor fails.

use crate::world::{APOLOGY, GREETING, Kept, Setup, World, soon};
use bytes::Bytes;
use seiketsu_domain::{Message, TurnOutcome};
use seiketsu_providers::{GenerationEvent, RecogniserInput};
use seiketsu_session::{DoorInput, DoorOutput};
use std::sync::atomic::Ordering;

const ANSWER: &str = "We have three homes in Riverside for you.";

#[tokio::test]
async fn a_greeting_that_was_heard_once_is_never_synthesised_again() {
    let mut world = World::new();
    let mut caller = world.call(1).await;
    caller.hears(GREETING).await;
    assert!(matches!(world.kept().await, Kept::Turn { number: 0, .. }));
    let asked = world.voice.asked_for(GREETING);
    assert!((1..=2).contains(&asked), "by the call, and perhaps in advance at the same time");
    let mut second = world.call(2).await;
    second.hears(GREETING).await;
    assert_eq!(world.voice.asked_for(GREETING), asked);
    caller.does(DoorInput::HungUp).await;
    second.does(DoorInput::HungUp).await;
    world.is_quiet().await;
}

#[tokio::test]
async fn a_voice_that_fails_once_in_advance_does_not_leave_the_other_sentences_unsaid() {
    let world = World::new();
    world.voice.dies_on(APOLOGY, 1);
    let caller = world.call(1).await;
    soon("a sentence after the one that failed", async {
        while world.voice.asked_for("One moment.") == 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!(world.voice.asked_for(APOLOGY), 2);
    caller.does(DoorInput::HungUp).await;
    world.is_quiet().await;
}

#[tokio::test]
async fn a_recogniser_that_does_not_open_is_tried_again_and_hears_what_was_said_meanwhile() {
    let mut world = World::with(Setup { recogniser_refusals: 2, ..Setup::default() });
    let caller = world.call(1).await;
    // Five seconds of audio: more frames than a link takes messages at once.
    let frames: Vec<Bytes> = (0..250).map(|n| Bytes::from(vec![n as u8; 160])).collect();
    for frame in &frames {
        caller.does(DoorInput::Audio(frame.clone())).await;
    }
    let mut ear = world.ear().await;
    let spoken: Vec<u8> = frames.concat();
    let mut heard = Vec::new();
    soon("the kept audio", async {
        while heard.len() < spoken.len() {
            match ear.input.recv().await.expect("the link stays") {
                RecogniserInput::Audio(audio) => heard.extend_from_slice(&audio),
                RecogniserInput::Finalize | RecogniserInput::Close => {}
            }
        }
    })
    .await;
    assert_eq!(heard, spoken, "all of it, in order");
    caller.does(DoorInput::HungUp).await;
    world.is_quiet().await;
}

#[tokio::test]
async fn a_recogniser_that_dies_in_mid_call_is_opened_again_and_the_call_goes_on() {
    let mut world = World::new();
    let mut caller = world.call(1).await;
    caller.hears(GREETING).await;
    drop(world.ear().await);
    let mut ear = world.ear().await;
    ear.understands("do you have homes").await;
    world.thought().await.answers(ANSWER).await;
    caller.hears(ANSWER).await;
    caller.does(DoorInput::HungUp).await;
    world.is_quiet().await;
}

#[tokio::test]
async fn a_phrase_on_which_the_voice_dies_is_asked_for_again() {
    let mut world = World::new();
    world.voice.dies_on(ANSWER, 1);
    let mut caller = world.call(1).await;
    caller.hears(GREETING).await;
    world.ear().await.understands("do you have homes").await;
    world.thought().await.answers(ANSWER).await;
    caller.hears(ANSWER).await;
    assert_eq!(world.voice.asked_for(ANSWER), 2);
    caller.does(DoorInput::HungUp).await;
    world.is_quiet().await;
}

#[tokio::test]
async fn a_phrase_that_cannot_be_said_is_apologised_for_and_the_call_goes_on() {
    let mut world = World::new();
    world.voice.dies_on(ANSWER, usize::MAX);
    let mut caller = world.call(1).await;
    let mut ear = world.ear().await;
    caller.hears(GREETING).await;
    world.kept().await;
    ear.understands("do you have homes").await;
    world.thought().await.answers(ANSWER).await;
    caller.hears(APOLOGY).await;
    let Kept::Turn { heard, outcome, .. } = world.kept().await else { panic!("a turn") };
    assert!(heard.ends_with(APOLOGY), "{heard}");
    assert_eq!(outcome, TurnOutcome::Failed);
    let opened = world.voice.opened.load(Ordering::SeqCst);
    assert!(opened <= 8, "opened {opened} times: one in advance, one per loss");
    ear.understands("and in austin").await;
    world.thought().await.answers("Yes, two.").await;
    caller.hears("Yes, two.").await;
    caller.does(DoorInput::HungUp).await;
    world.is_quiet().await;
}

#[tokio::test]
async fn a_generation_that_a_caller_talks_over_is_dropped() {
    let mut world = World::new();
    let mut caller = world.call(1).await;
    let mut ear = world.ear().await;
    caller.hears(GREETING).await;
    world.kept().await;
    ear.understands("do you have homes").await;
    let thought = world.thought().await;
    thought.says("Sure. ").await;
    caller.hears("Sure.").await;
    ear.understands("in austin please").await;
    soon("the end of the request", thought.events.closed()).await;
    caller.waits_for(&DoorOutput::Clear).await;
    let Kept::Turn { heard, outcome, .. } = world.kept().await else { panic!("a turn") };
    assert_eq!((heard.as_str(), outcome), ("Sure.", TurnOutcome::Interrupted));
    let next = world.thought().await;
    let last = next.request.messages.last();
    assert!(
        matches!(last, Some(Message::Caller { text }) if text.expose() == "in austin please"),
        "{last:?}"
    );
    assert!(thought.events.try_send(GenerationEvent::Text("late".to_owned())).is_err());
    caller.does(DoorInput::HungUp).await;
    world.is_quiet().await;
}
