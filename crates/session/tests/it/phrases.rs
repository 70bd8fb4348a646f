//! Sentences that are spoken once.

use crate::world::{GREETING, Setup, World};
use seiketsu_domain::AudioFormat;
use seiketsu_session::DoorInput;
use std::sync::Arc;

#[tokio::test]
async fn what_one_replica_had_spoken_another_says_without_a_voice() {
    let shelf = Arc::default();
    let first = World::with(Setup { shelf: Arc::clone(&shelf), ..Setup::default() });
    let begin = World::begin(1).open;
    let missing = first.sessions.publish(begin.scope, &begin.agent, AudioFormat::Mulaw8k).await;
    assert_eq!(missing, 0);
    let spoken = first.voice.asked().len();
    assert!(spoken > 10, "greeting, goodbye, apology, bridges: {spoken}");
    assert_eq!(shelf.lock().unwrap().len(), spoken, "each of them kept");
    first.sessions.publish(begin.scope, &begin.agent, AudioFormat::Mulaw8k).await;
    assert_eq!(first.voice.asked().len(), spoken, "and said once");

    let later = World::with(Setup { shelf, ..Setup::default() });
    let mut caller = later.call(1).await;
    caller.hears(GREETING).await;
    caller.does(DoorInput::HungUp).await;
    later.is_quiet().await;
    assert_eq!(
        later.voice.asked(),
        Vec::<String>::new(),
        "the greeting was there before the voice was asked"
    );
}

#[tokio::test]
async fn a_call_is_answered_although_what_was_kept_cannot_be_loaded() {
    let world = World::with(Setup { shelf_is_away: true, ..Setup::default() });
    let mut caller = world.call(1).await;
    caller.hears(GREETING).await;
    caller.does(DoorInput::HungUp).await;
    world.is_quiet().await;
}
