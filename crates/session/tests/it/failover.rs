//! What a caller notices of vendors that fail one after the other. Time is the runtime's own and passes only when
//! nothing else is to do, so figures are exact.

use crate::world::{Caller, Condition, GREETING, PausedClock, SOUNDS, Setup, World};
use seiketsu_providers::{FailureKind, TokenUsage, failover::Kind};
use seiketsu_session::DoorInput;
use std::time::Duration;
use tokio::time::sleep;

const ANSWER: &str = "We have three homes in Riverside for you.";
/// A caller hears something by then, whatever has failed.
const HEARS_WITHIN: Duration = Duration::from_secs(3);
/// A breaker is open by then after the first request that suffered.
const OPENS_WITHIN: Duration = Duration::from_secs(5);
/// A breaker is closed by then after the vendor is well again.
const RECOVERS_WITHIN: Duration = Duration::from_secs(10);

/// All that a vendor may do but answer.
const FAULTS: [Condition; 6] = [
    Condition::Refuses(FailureKind::Unreachable),
    Condition::Refuses(FailureKind::Unauthorized),
    Condition::Refuses(FailureKind::RateLimited { retry_after: Some(Duration::from_secs(3)) }),
    Condition::Refuses(FailureKind::Garbage),
    Condition::Hangs,
    Condition::HalfOpen,
];

fn world() -> World {
    World::with(Setup { clock: PausedClock::new(), places: 2, ..Setup::default() })
}

fn breaker(world: &World, kind: Kind) -> String {
    let routes = world.failover.status();
    let first = routes.iter().find(|route| route.kind == kind && route.order == 0);
    let first = first.expect("there is a route");
    if first.suspect { "suspect".to_owned() } else { first.breaker.clone() }
}

/// Waits until the breaker of the first choice is so; returns how long that took.
async fn becomes(world: &World, kind: Kind, expected: &str, within: Duration) -> Duration {
    let began = world.clock.monotonic();
    while breaker(world, kind) != expected {
        let waited = world.since(began);
        let found = breaker(world, kind);
        assert!(waited < within, "{} is {found}, not {expected}, after {waited:?}", kind.name());
        sleep(Duration::from_millis(50)).await;
    }
    world.since(began)
}

async fn greeted(world: &mut World) -> Caller {
    let mut caller = world.call(1).await;
    caller.hears(GREETING).await;
    world.kept().await;
    caller
}

async fn ends(world: World, caller: Caller) {
    caller.does(DoorInput::HungUp).await;
    world.is_quiet().await;
}

#[tokio::test(start_paused = true)]
async fn a_model_that_fails_in_any_way_is_replaced_within_the_turn_and_returned_to_when_it_is_well() {
    for fault in FAULTS.into_iter().filter(|fault| *fault != Condition::HalfOpen) {
        let mut world = world();
        let mut caller = greeted(&mut world).await;
        let mut ear = world.ear().await;
        world.models[0].is(fault);
        let asked = world.clock.monotonic();
        ear.understands("do you have homes").await;
        let thought = world.thought().await;
        assert_eq!(thought.place, 1, "{fault:?}");
        assert_eq!(thought.request.model.model, "small", "the agent's own fallback");
        assert_eq!(thought.request.system, "You are Ava. Be brief.", "with words of its own");
        thought.answers(ANSWER).await;
        caller.hears_ms(100).await;
        let waited = world.since(asked);
        assert!(waited < HEARS_WITHIN, "{fault:?}: {waited:?}");

        becomes(&world, Kind::Model, "open", OPENS_WITHIN).await;
        world.models[0].is(Condition::Well);
        becomes(&world, Kind::Model, "closed", RECOVERS_WITHIN).await;
        ends(world, caller).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_model_that_falls_silent_in_mid_answer_is_noticed_and_the_next_question_goes_elsewhere() {
    let mut world = world();
    let mut caller = greeted(&mut world).await;
    let mut ear = world.ear().await;
    world.models[0].is(Condition::HalfOpen);
    let asked = world.clock.monotonic();
    ear.understands("do you have homes").await;
    caller.hears_ms(50).await;
    let waited = world.since(asked);
    assert!(waited < HEARS_WITHIN, "{waited:?}");
    becomes(&world, Kind::Model, "open", OPENS_WITHIN).await;
    ear.understands("in austin").await;
    let thought = world.thought().await;
    assert_eq!(thought.place, 1);
    thought.answers(ANSWER).await;
    caller.hears_ms(100).await;
    world.models[0].is(Condition::Well);
    becomes(&world, Kind::Model, "closed", RECOVERS_WITHIN).await;
    ends(world, caller).await;
}

#[tokio::test(start_paused = true)]
async fn a_model_that_falls_silent_is_doubted_while_it_is_still_waited_for() {
    for fault in [Condition::Hangs, Condition::HalfOpen] {
        let mut world = world();
        let mut caller = greeted(&mut world).await;
        let mut ear = world.ear().await;
        world.models[0].is(fault);
        ear.understands("do you have homes").await;
        let waited = becomes(&world, Kind::Model, "open", OPENS_WITHIN).await;
        // A request that waits counts as failed after 2.5 s, and a probe takes 2 s: one comes before the other is over.
        assert!(waited < Duration::from_secs(4), "{fault:?}: {waited:?}");
        caller.hears_ms(50).await;
        ends(world, caller).await;
    }
}

#[tokio::test(start_paused = true)]
async fn while_a_model_is_left_alone_questions_go_to_the_fallback_at_once_and_come_back_after() {
    let mut world = world();
    let mut caller = greeted(&mut world).await;
    let mut ear = world.ear().await;
    let patience = Duration::from_secs(3);
    world.models[0].is(Condition::Refuses(FailureKind::RateLimited { retry_after: Some(patience) }));
    ear.understands("do you have homes").await;
    world.thought().await.answers(ANSWER).await;
    let refused_at = world.clock.monotonic();
    caller.hears(ANSWER).await;
    world.kept().await;
    world.models[0].is(Condition::Well);
    ear.understands("in austin").await;
    let thought = world.thought().await;
    assert!(world.since(refused_at) < patience);
    assert_eq!(thought.place, 1, "it asked for three seconds");
    thought.answers("Yes, two.").await;
    caller.hears("Yes, two.").await;
    world.kept().await;
    becomes(&world, Kind::Model, "closed", patience + Duration::from_secs(1)).await;
    ear.understands("with a garden").await;
    let thought = world.thought().await;
    assert_eq!(thought.place, 0);
    thought.answers("One.").await;
    caller.hears("One.").await;
    ends(world, caller).await;
}

#[tokio::test(start_paused = true)]
async fn a_request_that_one_tenant_got_wrong_opens_no_breaker() {
    let mut world = world();
    let mut caller = greeted(&mut world).await;
    let mut ear = world.ear().await;
    world.models[0].is(Condition::Refuses(FailureKind::BadRequest));
    for text in ["one", "two", "three", "four"] {
        ear.understands(text).await;
        let thought = world.thought().await;
        assert_eq!(thought.place, 1, "others may accept it");
        thought.answers("Good.").await;
        caller.hears("Good.").await;
        world.kept().await;
    }
    sleep(Duration::from_secs(5)).await;
    assert_eq!(breaker(&world, Kind::Model), "closed");
    ends(world, caller).await;
}

#[tokio::test(start_paused = true)]
async fn a_voice_that_fails_in_any_way_is_replaced_by_the_next_and_returned_to_when_it_is_well() {
    for fault in FAULTS.into_iter().chain([Condition::Mute]) {
        let mut world = world();
        let mut caller = greeted(&mut world).await;
        let mut ear = world.ear().await;
        assert_eq!(caller.sound, SOUNDS[0]);
        // What is open already is cut as well: these vendors do not come back on their own.
        world.voices[0].is(fault);
        world.spoken[0].dies_on(ANSWER, usize::from(!matches!(fault, Condition::HalfOpen)));
        let asked = world.clock.monotonic();
        ear.understands("do you have homes").await;
        world.thought().await.answers(ANSWER).await;
        caller.hears_ms(100).await;
        let waited = world.since(asked);
        assert!(waited < HEARS_WITHIN, "{fault:?}: {waited:?}");
        while caller.sound != SOUNDS[1] {
            caller.hears_ms(10).await;
        }
        world.kept().await;

        world.voices[0].is(Condition::Well);
        becomes(&world, Kind::Voice, "closed", RECOVERS_WITHIN).await;
        // The next thing that happens on the line is the occasion to go back.
        caller.does(DoorInput::Mark(u64::MAX)).await;
        sleep(Duration::from_millis(100)).await;
        ear.understands("and in austin").await;
        world.thought().await.answers("Yes, there are two of them.").await;
        caller.hears("Yes, there are two of them.").await;
        assert_eq!(caller.sound, SOUNDS[0], "{fault:?}: back to the agent's own voice");
        ends(world, caller).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_voice_that_hangs_opens_its_breaker_and_the_next_call_does_not_wait_for_it() {
    let mut world = world();
    let mut caller = greeted(&mut world).await;
    let mut ear = world.ear().await;
    world.voices[0].is(Condition::Mute);
    ear.understands("do you have homes").await;
    world.thought().await.answers(ANSWER).await;
    becomes(&world, Kind::Voice, "open", OPENS_WITHIN).await;
    caller.hears(ANSWER).await;
    world.kept().await;
    let asked = world.clock.monotonic();
    ear.understands("and in austin").await;
    world.thought().await.answers("Yes, two.").await;
    caller.hears("Yes, two.").await;
    assert!(world.since(asked) < Duration::from_millis(500));
    ends(world, caller).await;
}

#[tokio::test(start_paused = true)]
async fn a_recogniser_that_cannot_be_had_is_replaced_and_returned_to_when_it_is_well() {
    for fault in FAULTS.into_iter().filter(|fault| *fault != Condition::HalfOpen) {
        let mut world = world();
        world.recognisers[0].is(fault);
        let began = world.clock.monotonic();
        let mut caller = greeted(&mut world).await;
        let mut ear = world.ear().await;
        assert_eq!(ear.place, 1, "{fault:?}");
        assert!(world.since(began) < Duration::from_secs(2), "{fault:?}");
        ear.understands("do you have homes").await;
        world.thought().await.answers(ANSWER).await;
        caller.hears(ANSWER).await;
        becomes(&world, Kind::Recogniser, "open", OPENS_WITHIN).await;
        world.recognisers[0].is(Condition::Well);
        becomes(&world, Kind::Recogniser, "closed", RECOVERS_WITHIN).await;
        // The next thing that happens on the line is the occasion.
        caller.does(DoorInput::Mark(u64::MAX)).await;
        assert_eq!(world.ear().await.place, 0, "{fault:?}: between two utterances it goes back");
        ends(world, caller).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_that_lost_the_race_is_billed_if_its_model_tells_what_it_cost() {
    let mut world = world();
    let mut caller = greeted(&mut world).await;
    let mut ear = world.ear().await;
    ear.understands("do you have homes").await;
    let slow = world.thought().await;
    let quick = world.thought().await;
    assert_eq!((slow.place, quick.place), (0, 1), "asked twice");
    quick.says(ANSWER).await;
    caller.hears_ms(100).await;
    slow.has_cost(Some(TokenUsage { input_tokens: 900, output_tokens: 8 })).await;
    quick.has_cost(Some(TokenUsage { input_tokens: 100, output_tokens: 10 })).await;
    sleep(Duration::from_millis(100)).await;
    caller.does(DoorInput::HungUp).await;
    world.is_quiet().await;
    let usage = world.end.lock().unwrap().take().unwrap().usage;
    assert_eq!((usage.input_tokens, usage.output_tokens), (1_000, 18));
}
