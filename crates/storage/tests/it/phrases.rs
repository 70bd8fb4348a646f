//! Sentences that are spoken once: kept for their tenant alone, found by their key, forgotten when nobody uses them.

use seiketsu_storage::{
    DbError,
    phrases::{self, SpokenPhrase},
};
use seiketsu_testkit::World;
use std::time::Duration;

const DAY: Duration = Duration::from_hours(24);

fn phrase(number: u8) -> SpokenPhrase {
    let alignment = serde_json::json!([{"character": "H", "start_ms": 0, "end_ms": 80}]);
    SpokenPhrase { key: [number; 32], audio: vec![number; 8_000], alignment }
}

#[tokio::test]
async fn a_sentence_is_found_by_its_key_and_by_its_tenant_alone() {
    let world = World::new().await;
    let mut tx = world.tenant(&world.anna).await;
    for number in [1, 2, 1] {
        phrases::keep(&mut tx, &phrase(number), world.now()).await.unwrap();
    }
    assert_eq!(phrases::load(&mut tx, &[[1; 32], [3; 32]], world.now()).await.unwrap(), [phrase(1)]);
    let mut known = phrases::known(&mut tx, &[[1; 32], [2; 32], [3; 32]]).await.unwrap();
    known.sort_unstable();
    assert_eq!(known, [[1; 32], [2; 32]]);
    tx.commit().await.unwrap();
    let mut other = world.tenant(&world.boris).await;
    assert_eq!(phrases::load(&mut other, &[[1; 32]], world.now()).await.unwrap(), []);
    assert_eq!(phrases::known(&mut other, &[[1; 32]]).await.unwrap(), Vec::<[u8; 32]>::new());
}

#[tokio::test]
async fn what_is_used_is_kept_and_the_rest_is_forgotten() {
    let world = World::new().await;
    let mut tx = world.tenant(&world.anna).await;
    for number in [1, 2] {
        phrases::keep(&mut tx, &phrase(number), world.now()).await.unwrap();
    }
    world.clock.advance(60 * DAY);
    phrases::load(&mut tx, &[[1; 32]], world.now()).await.unwrap();
    world.clock.advance(40 * DAY);
    let since = world.now() - jiff::SignedDuration::from_hours(24 * 90);
    assert_eq!(phrases::forget_unused(&mut tx, since).await.unwrap(), 1);
    assert_eq!(phrases::known(&mut tx, &[[1; 32], [2; 32]]).await.unwrap(), [[1; 32]]);
}

#[tokio::test]
async fn a_sentence_without_a_sound_or_with_a_sound_too_long_is_refused() {
    let world = World::new().await;
    for length in [0, 4 * 1024 * 1024 + 1] {
        let mut tx = world.tenant(&world.anna).await;
        let broken = SpokenPhrase { audio: vec![1; length], ..phrase(1) };
        let refused = phrases::keep(&mut tx, &broken, world.now()).await.unwrap_err();
        assert!(!matches!(refused, DbError::Conflict { .. }), "{refused:?}");
    }
}
