//! Control from outside, shutdown, and time.

use crate::support::{World, all, finals, generation_request, recogniser_options, speak, voice_options};
use seiketsu_domain::AudioFormat;
use seiketsu_providers::{
    Failure, FailureKind, GenerationEvent, LanguageModel, Recogniser, RecognitionEvent, SynthesisId, Voice,
    VoiceInput,
};
use seiketsu_sandbox::{Fault, Profile, RequestKind, injected::InjectedStage};
use serde_json::{Value, json};
use std::time::Duration;

#[tokio::test]
async fn behaviour_is_changed_and_shown_from_outside() {
    let world = World::start(Profile::Typical).await;
    let control = world.sandbox.control();
    let shown: Value = world.http.get(control.clone()).send().await.unwrap().json().await.unwrap();
    assert_eq!((&shown["profile"], &shown["delays"]["first_byte_ms"]), (&json!("typical"), &json!(0)));
    let change = json!({
        "profile": "zero",
        "delays": { "first_token_ms": 300 },
        "faults": [{ "request": "generation", "fault": "rate_limit", "count": 1 }],
    });
    let changed: Value =
        world.http.post(control.clone()).json(&change).send().await.unwrap().json().await.unwrap();
    assert_eq!((&changed["profile"], &changed["delays"]["first_token_ms"]), (&json!("zero"), &json!(300)));
    let mut generation = world.openai("key").generate(generation_request("", "hello")).await.unwrap();
    let events = all(&mut generation.events).await;
    let limited = |failure: &Failure| matches!(failure.kind, FailureKind::RateLimited { .. });
    assert!(
        matches!(events.as_slice(), [GenerationEvent::Failed(failure)] if limited(failure)),
        "{events:?}"
    );
    let shown: Value = world.http.get(control).send().await.unwrap().json().await.unwrap();
    assert_eq!(shown["faults"], json!([]));
}

#[tokio::test]
async fn changes_that_make_no_sense_are_refused_and_change_nothing() {
    let world = World::start(Profile::Fast).await;
    let before = world.sandbox.conduct().behaviour();
    for change in [
        json!({ "profile": "quick" }),
        json!({ "delay": {} }),
        json!({ "delays": { "first_token_ms": -1 } }),
        json!({ "faults": [{ "request": "generation", "fault": "fire", "count": 1 }] }),
        json!({ "faults": vec![json!({ "request": "generation", "fault": "stall", "count": 1 }); 101] }),
    ] {
        let status = world.http.post(world.sandbox.control()).json(&change).send().await.unwrap().status();
        assert!(status.is_client_error(), "{change}: {status}");
    }
    assert_eq!(world.sandbox.conduct().behaviour(), before);
}

#[tokio::test]
async fn the_record_of_delays_is_read_page_by_page() {
    let world = World::start(Profile::Zero).await;
    for _ in 0..2 {
        let mut generation = world.openai("key").generate(generation_request("", "hello")).await.unwrap();
        all(&mut generation.events).await;
    }
    let get = async |after: u64| {
        let mut url = world.sandbox.injected();
        url.query_pairs_mut().append_pair("after", &after.to_string());
        world.http.get(url).send().await.unwrap().json::<Value>().await.unwrap().as_array().unwrap().clone()
    };
    let records = get(0).await;
    assert_eq!(records.len(), 4, "{records:?}");
    assert_eq!((&records[0]["stage"], &records[0]["key"]), (&json!("first_token"), &json!("hello")));
    assert_eq!(get(3).await, records[3..]);
}

#[tokio::test]
async fn stopping_ends_every_connection_at_once() {
    let world = World::start(Profile::Zero).await;
    world.fail(RequestKind::Generation, Fault::HalfOpen, 1);
    let mut listening = world.deepgram("key").open(recogniser_options(AudioFormat::Mulaw8k)).await.unwrap();
    let mut speaking = world.elevenlabs("key").open(voice_options(AudioFormat::Mulaw8k)).await.unwrap();
    let mut generation = world.openai("key").generate(generation_request("", "hello")).await.unwrap();
    world.sandbox.stop();
    all(&mut generation.events).await;
    let heard = all(&mut listening.events).await;
    assert!(matches!(heard.last(), Some(RecognitionEvent::Failed(_))), "{heard:?}");
    all(&mut speaking.events).await;
    world.tasks.close();
    tokio::time::timeout(Duration::from_secs(30), world.tasks.wait()).await.expect("every task has ended");
}

#[tokio::test]
async fn a_whole_turn_on_typical_takes_what_the_profile_says() {
    let world = World::start(Profile::Typical).await;
    let audio = world.caller_says("Yes please.").await;
    let heard = world.hear(&audio, AudioFormat::Mulaw8k).await;
    assert_eq!(finals(&heard), "yes please");
    let mut generation = world.openai("key").generate(generation_request("", "yes please")).await.unwrap();
    all(&mut generation.events).await;
    let mut session = world.elevenlabs("key").open(voice_options(AudioFormat::Mulaw8k)).await.unwrap();
    let say = VoiceInput::Speak { id: SynthesisId(1), text: "Of course.".into() };
    speak(&mut session, vec![say], 1).await;
    let records = world.injected();
    let vendors: Vec<&str> = records.iter().map(|record| record.vendor.as_str()).collect();
    assert_eq!(vendors, ["deepgram", "openai", "openai", "elevenlabs"], "{records:?}");
    for record in &records {
        // Tokens keep to a schedule that is absolute: after a late first token the others come the sooner.
        let on_time = record.held_ms >= record.delay_ms || record.stage == InjectedStage::FirstSentence;
        assert!(record.delay_ms > 0 && on_time, "{record:?}");
    }
}
