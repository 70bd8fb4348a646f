//! Words spoken for callers.

use crate::world::{Answer, World};
use axum::body::Body;
use http::{Request, header::CONTENT_TYPE};
use seiketsu_gateway::api_key::ApiKey;

async fn speak(world: &World, key: &ApiKey, body: &str) -> Answer {
    let request = Request::post("/v1/speech")
        .header("authorization", format!("Bearer {}", key.expose()))
        .header(CONTENT_TYPE, "application/json");
    world.send(request.body(Body::from(body.to_owned())).unwrap()).await
}

#[tokio::test]
async fn words_come_back_as_sound_and_bad_words_as_problems() {
    let world = World::new().await;
    let key = world.key_of(&world.a).await;
    let spoken = speak(&world, &key, r#"{"text": " hola ", "language": "es"}"#).await;
    assert_eq!((spoken.status.as_u16(), spoken.body.as_str()), (200, "es:hola"));
    assert_eq!(spoken.headers[CONTENT_TYPE], "audio/pcm;rate=24000");
    assert_eq!(speak(&world, &key, r#"{"text": "hi"}"#).await.body, "en:hi");
    let hoarse = speak(&world, &key, r#"{"text": "mumble"}"#).await;
    assert_eq!(hoarse.problem(), (503, "speechless".into()));
    let long = format!(r#"{{"text": "{}"}}"#, "é".repeat(501));
    for bad in [
        "",
        "{}",
        r#"{"text": "  "}"#,
        &long,
        r#"{"text": "a", "language": "xx"}"#,
        r#"{"text": "a", "voice": 1}"#,
    ] {
        assert_eq!(speak(&world, &key, bad).await.problem(), (400, "bad-body".into()), "{bad}");
    }
    let huge = format!(r#"{{"text": "{}"}}"#, "a".repeat(100_000));
    assert_eq!(speak(&world, &key, &huge).await.problem(), (413, "body-too-large".into()));
    let operator = world.operator().await;
    assert_eq!(speak(&world, &operator, r#"{"text": "hi"}"#).await.problem(), (403, "not-allowed".into()));
}
