//! What the platform's clients never do: bad input, and looking at the vendors' own fields.

use crate::{socket::Raw, support::World};
use futures_util::{SinkExt, StreamExt};
use seiketsu_audio::g711;
use seiketsu_sandbox::Profile;
use serde_json::{Value, json};
use std::time::Duration;
use tokio_tungstenite::tungstenite::{Error, Message};

const PHONE: &str = "encoding=mulaw&sample_rate=8000&endpointing=300";

fn status_of(error: &Error) -> u16 {
    let Error::Http(response) = error else { panic!("{error}") };
    response.status().as_u16()
}

#[tokio::test]
async fn a_lost_frame_lowers_the_confidence_to_the_recognisers_flag() {
    let world = World::start(Profile::Zero).await;
    let audio = world.caller_says("I would like to see the house on Maple Street.").await;
    let mut frames = Vec::new();
    g711::mulaw_encode(&audio, &mut frames);
    let hear = async |lost: Option<usize>| {
        let mut socket = Raw::listen(&world, PHONE).await;
        for (index, frame) in frames.chunks(160).enumerate() {
            if Some(index) != lost {
                socket.send(Message::binary(frame.to_vec())).await;
            }
        }
        socket.send_json(json!({ "type": "CloseStream" })).await;
        let (messages, code, _) = socket.until_close().await;
        assert_eq!(code, 1000);
        assert_eq!(messages.last().unwrap()["type"], "Metadata");
        let results = messages.iter().filter(|message| message["type"] == "Results");
        results.map(|result| result["channel"]["alternatives"][0].clone()).collect::<Vec<_>>()
    };
    let whole = hear(None).await;
    assert_eq!(whole[0]["transcript"], "i would like to see the house on maple street");
    assert!(whole.iter().all(|one| one["confidence"] == 1.0), "{whole:?}");
    let damaged = hear(Some(60)).await;
    assert!(damaged.iter().any(|one| one["confidence"] == 0.3), "{damaged:?}");
}

#[tokio::test]
async fn deepgram_turns_away_what_it_cannot_serve_before_the_socket_is_open() {
    let world = World::start(Profile::Zero).await;
    let connect = async |query: &str, header| {
        let path = format!("/v1/listen?{query}");
        status_of(&Raw::connect(&world, &path, header).await.map(|_| ()).unwrap_err())
    };
    assert_eq!(connect("encoding=opus&sample_rate=48000", ("authorization", "Token key")).await, 400);
    assert_eq!(
        connect("encoding=mulaw&sample_rate=8000&channels=2", ("authorization", "Token key")).await,
        400
    );
    assert_eq!(connect(PHONE, ("authorization", "Basic key")).await, 401);
    assert_eq!(connect(PHONE, ("xi-api-key", "key")).await, 401);
}

#[tokio::test]
async fn deepgram_closes_over_text_it_does_not_understand_and_bears_any_binary() {
    let world = World::start(Profile::Zero).await;
    for text in ["{", "hello", r#"{"type":"Configure"}"#, "[]"] {
        let mut socket = Raw::listen(&world, PHONE).await;
        socket.send(Message::text(text)).await;
        let (messages, code, reason) = socket.until_close().await;
        assert_eq!((code, reason.as_str()), (1008, "DATA-0000"), "{text}");
        assert_eq!(messages[0]["type"], "Error", "{text}");
    }
    let mut socket = Raw::listen(&world, "encoding=linear16&sample_rate=16000").await;
    for bytes in [vec![], vec![1], vec![0xff; 65_537], vec![7; 3]] {
        socket.send(Message::binary(bytes)).await;
    }
    socket.send_json(json!({ "type": "CloseStream" })).await;
    assert_eq!(socket.until_close().await.1, 1000);
}

#[tokio::test]
async fn a_message_that_is_too_large_costs_its_own_connection_only() {
    let world = World::start(Profile::Zero).await;
    let mut greedy = Raw::listen(&world, PHONE).await;
    let mut modest = Raw::listen(&world, PHONE).await;
    // It may be closed while this is still being sent.
    let _ = greedy.0.send(Message::binary(vec![0xff; 2 << 20])).await;
    while let Some(Ok(_)) = greedy.0.next().await {}
    modest.send_json(json!({ "type": "Finalize" })).await;
    assert_eq!(modest.next().await["from_finalize"], true);
}

#[tokio::test]
async fn elevenlabs_turns_away_what_it_cannot_serve_before_the_socket_is_open() {
    let world = World::start(Profile::Zero).await;
    let connect = async |query: &str, header| {
        let path = format!("/v1/text-to-speech/voice/multi-stream-input?{query}");
        status_of(&Raw::connect(&world, &path, header).await.map(|_| ()).unwrap_err())
    };
    assert_eq!(connect("output_format=opus_48000_32", ("xi-api-key", "key")).await, 422);
    assert_eq!(connect("output_format=ulaw_8000&inactivity_timeout=500", ("xi-api-key", "key")).await, 422);
    assert_eq!(connect("output_format=ulaw_8000&auto_mode=perhaps", ("xi-api-key", "key")).await, 422);
    assert_eq!(connect("output_format=ulaw_8000", ("authorization", "Token key")).await, 401);
}

#[tokio::test]
async fn a_sixth_context_closes_the_socket() {
    let world = World::start(Profile::Zero).await;
    let mut socket = Raw::speak(&world).await;
    for number in 1..=6 {
        socket.send_json(json!({ "text": " ", "context_id": format!("c{number}") })).await;
    }
    let (messages, code, _) = socket.until_close().await;
    assert_eq!(messages[0]["error"], "max_active_conversations");
    assert_eq!((messages[0]["code"].as_u64(), code), (Some(1008), 1008));
}

#[tokio::test]
async fn text_is_spoken_when_it_is_flushed_and_a_context_ends_when_it_is_closed() {
    let world = World::start(Profile::Zero).await;
    let mut socket = Raw::speak(&world).await;
    socket
        .send_json(json!({ "text": " ", "context_id": "c1", "voice_settings": { "stability": 0.5 } }))
        .await;
    socket.send_json(json!({ "text": "Of ", "context_id": "c1" })).await;
    socket.send_json(json!({ "text": "course. ", "context_id": "c1", "flush": true })).await;
    let first = socket.next().await;
    assert_eq!((&first["contextId"], &first["isFinal"]), (&json!("c1"), &Value::Null));
    assert_eq!(first["alignment"]["charStartTimesMs"][0].as_u64(), Some(180));
    socket.send_json(json!({ "text": "", "context_id": "c1" })).await;
    socket.send_json(json!({ "context_id": "c1", "close_context": true })).await;
    loop {
        let message = socket.next().await;
        if message["isFinal"] == true {
            assert_eq!((&message["contextId"], &message["audio"]), (&json!("c1"), &Value::Null));
            break;
        }
    }
    socket.send_json(json!({ "close_socket": true })).await;
    assert_eq!(socket.until_close().await.1, 1000);
}

#[tokio::test]
async fn elevenlabs_closes_over_what_it_does_not_understand() {
    let world = World::start(Profile::Zero).await;
    let long = json!({ "text": "a".repeat(20_000), "context_id": "c1" }).to_string();
    for (message, error) in [
        (Message::text("{"), "invalid_message"),
        (Message::text(r#"{"text":7}"#), "invalid_message"),
        (Message::binary(vec![1, 2, 3]), "invalid_message"),
        (Message::text(long), "text_too_long"),
    ] {
        let mut socket = Raw::speak(&world).await;
        socket.send(message.clone()).await;
        let (messages, code, _) = socket.until_close().await;
        assert_eq!((messages[0]["error"].as_str(), code), (Some(error), 1008), "{message:?}");
    }
}

#[tokio::test]
async fn a_silent_client_of_the_voice_is_closed_after_its_own_timeout() {
    let world = World::start(Profile::Zero).await;
    let path = "/v1/text-to-speech/voice/multi-stream-input?output_format=ulaw_8000&inactivity_timeout=180";
    let mut socket = Raw::connect(&world, path, ("xi-api-key", "key")).await.unwrap();
    let seconds = Duration::from_secs;
    world.clock.advance(seconds(170));
    // A context of no words is as good as a keep-alive; it is not closed over, so it has been taken in.
    socket.send_json(json!({ "text": "" })).await;
    socket.ping().await;
    world.clock.advance(seconds(170));
    socket.ping().await;
    world.clock.advance(seconds(11));
    socket.send(Message::Ping(Vec::new().into())).await;
    let (messages, code, _) = socket.until_close().await;
    assert_eq!((messages[0]["error"].as_str(), code), (Some("input_timeout_exceeded"), 1008));
}

#[tokio::test]
async fn keep_alives_hold_a_silent_stream_and_without_them_it_is_closed() {
    let world = World::start(Profile::Zero).await;
    let mut socket = Raw::listen(&world, PHONE).await;
    for _ in 0..3 {
        world.clock.advance(Duration::from_secs(9));
        socket.send_json(json!({ "type": "KeepAlive" })).await;
        socket.ping().await;
    }
    world.clock.advance(Duration::from_secs(11));
    socket.send(Message::Ping(Vec::new().into())).await;
    let (messages, code, reason) = socket.until_close().await;
    assert_eq!((messages, code), (Vec::new(), 1011));
    assert!(reason.contains("NET-0001"), "{reason}");
}
