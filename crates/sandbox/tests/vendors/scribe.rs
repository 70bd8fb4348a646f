//! Scribe, ElevenLabs' recogniser.

use crate::{
    socket::Raw,
    support::{World, all, encode, finals, recogniser_options},
};
use bytes::Bytes;
use seiketsu_audio::{g711, subcarrier};
use seiketsu_domain::{AudioFormat, Language};
use seiketsu_providers::{
    FailureKind, Recogniser, RecogniserInput,
    elevenlabs::scribe::{Scribe, ScribeConfig},
};
use seiketsu_sandbox::{EspeakVoice, Fault, Profile, RequestKind, Service, injected::InjectedStage};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::{Error, Message};

const SENTENCE: &str = "I would like to see the house on Maple Street.";

pub(crate) fn chunk(audio: &[u8], commit: bool) -> Value {
    json!({ "message_type": "input_audio_chunk", "audio_base_64": base64(audio), "commit": commit,
        "sample_rate": 8_000 })
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let bits =
            group.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - group.len()));
        for place in 0..4 {
            let letter = LETTERS[(bits >> (18 - 6 * place) & 63) as usize];
            text.push(if place <= group.len() { char::from(letter) } else { '=' });
        }
    }
    text
}

fn mulaw(samples: &[i16]) -> Vec<u8> {
    let mut bytes = Vec::new();
    g711::mulaw_encode(samples, &mut bytes);
    bytes
}

/// Everything that comes up to the committed transcript with times.
async fn until_committed(socket: &mut Raw) -> Vec<Value> {
    let mut messages = Vec::new();
    loop {
        messages.push(socket.next().await);
        if messages.last().unwrap()["message_type"] == "committed_transcript_with_timestamps" {
            return messages;
        }
    }
}

async fn send(socket: &mut Raw, audio: &[u8]) {
    for frame in audio.chunks(160) {
        socket.send_json(chunk(frame, false)).await;
    }
}

#[tokio::test]
async fn what_was_said_is_committed_when_the_client_commits_it() {
    let world = World::start(Profile::Zero).await;
    let query = "audio_format=ulaw_8000&commit_strategy=manual&include_timestamps=true&language_code=en";
    let mut socket = Raw::scribe(&world, query).await;
    let started = socket.next().await;
    assert_eq!(
        (&started["message_type"], &started["config"]["audio_format"]),
        (&json!("session_started"), &json!("ulaw_8000"))
    );
    for text in [SENTENCE, "Yes."] {
        send(&mut socket, &mulaw(&world.caller_says(text).await)).await;
        socket.send_json(chunk(&[], true)).await;
        let messages = until_committed(&mut socket).await;
        let expected = subcarrier::normalise_text(text);
        let [.., plain, timed] = messages.as_slice() else { panic!("{messages:?}") };
        assert_eq!(
            (&plain["message_type"], &plain["text"]),
            (&json!("committed_transcript"), &json!(expected))
        );
        assert_eq!((&timed["text"], &timed["language_code"]), (&json!(expected), &json!("en")));
        assert!(timed["words"].as_array().unwrap().iter().all(|word| word["logprob"] == 0.0), "{timed}");
        let partials: Vec<&Value> =
            messages.iter().filter(|one| one["message_type"] == "partial_transcript").collect();
        assert!(!partials.is_empty() && expected.starts_with(partials[0]["text"].as_str().unwrap()));
    }
}

#[tokio::test]
async fn with_voice_activity_silence_commits() {
    let world = World::start(Profile::Zero).await;
    let query =
        "audio_format=pcm_8000&commit_strategy=vad&vad_silence_threshold_secs=0.5&include_timestamps=true";
    let mut socket = Raw::scribe(&world, query).await;
    let audio: Vec<u8> =
        world.caller_says(SENTENCE).await.iter().flat_map(|sample| sample.to_le_bytes()).collect();
    send(&mut socket, &audio).await;
    let messages = until_committed(&mut socket).await;
    assert_eq!(messages.last().unwrap()["text"], subcarrier::normalise_text(SENTENCE));
}

#[tokio::test]
async fn spanish_and_chinese_are_understood_as_they_are_written() {
    let world = World::start(Profile::Zero).await;
    for (language, text, expected) in [
        (Language::Es, "Quisiera ver el piso mañana.", "quisiera ver el piso manana"),
        (Language::Zh, "我想看一下明天下午的房子。", "我想看一下明天下午的房子"),
    ] {
        let query =
            format!("audio_format=ulaw_8000&include_timestamps=true&language_code={}", language.code());
        let mut socket = Raw::scribe(&world, &query).await;
        let voice = EspeakVoice::of("caller", language);
        let spoken = world.sandbox.espeak().speak(text, &voice).await.unwrap();
        send(&mut socket, &mulaw(&spoken.pcm_8k)).await;
        socket.send_json(chunk(&[0xff; 1_600], true)).await;
        let messages = until_committed(&mut socket).await;
        assert_eq!(messages.last().unwrap()["text"], expected);
    }
}

#[tokio::test]
async fn a_lost_frame_shows_in_the_probability_of_the_words() {
    let world = World::start(Profile::Zero).await;
    let mut socket = Raw::scribe(&world, "audio_format=ulaw_8000&include_timestamps=true").await;
    let mut audio = mulaw(&world.caller_says(SENTENCE).await);
    audio.drain(60 * 160..61 * 160);
    send(&mut socket, &audio).await;
    socket.send_json(chunk(&[], true)).await;
    let messages = until_committed(&mut socket).await;
    let words = messages.last().unwrap()["words"].clone();
    assert!(words.as_array().unwrap().iter().all(|word| word["logprob"].as_f64().unwrap() < -1.0), "{words}");
}

#[tokio::test]
async fn a_commit_of_silence_is_answered_with_nothing_and_one_of_too_little_is_not_carried_out() {
    let world = World::start(Profile::Zero).await;
    let mut socket = Raw::scribe(&world, "audio_format=ulaw_8000").await;
    assert_eq!(socket.next().await["message_type"], "session_started");
    socket.send_json(chunk(&[0xff; 160], true)).await;
    assert_eq!(socket.next().await["message_type"], "commit_throttled");
    socket.send_json(chunk(&[0xff; 2_400], true)).await;
    assert_eq!(socket.next().await, json!({ "message_type": "committed_transcript", "text": "" }));
}

#[tokio::test]
async fn the_platforms_own_client_understands_it() {
    let world = World::start(Profile::Zero).await;
    let config = ScribeConfig::new(world.sandbox.elevenlabs_base(), "key".into());
    let client = Scribe::new(config, world.tasks.clone());
    let audio = world.caller_says(SENTENCE).await;
    for format in [AudioFormat::Mulaw8k, AudioFormat::Alaw8k, AudioFormat::Pcm16k, AudioFormat::Pcm24k] {
        let mut session = client.open(recogniser_options(format)).await.unwrap();
        let send = async {
            for frame in encode(&audio, format).chunks(20 * format.bytes_per_ms()) {
                session.input.send(RecogniserInput::Audio(Bytes::copy_from_slice(frame))).await.unwrap();
            }
            session.input.send(RecogniserInput::Close).await.unwrap();
        };
        let ((), events) = tokio::join!(send, all(&mut session.events));
        assert_eq!(finals(&events), subcarrier::normalise_text(SENTENCE), "{format:?}: {events:?}");
    }
    let config = ScribeConfig::new(world.sandbox.elevenlabs_base(), "invalid".into());
    let refused =
        Scribe::new(config, world.tasks.clone()).open(recogniser_options(AudioFormat::Mulaw8k)).await;
    assert_eq!(refused.unwrap_err().kind, FailureKind::Unauthorized);
}

#[tokio::test]
async fn the_delay_is_the_profiles_and_is_recorded_for_this_service() {
    let world = World::start(Profile::Zero).await;
    world.sandbox.conduct().change(|behaviour| behaviour.delays.recogniser_ms = 300);
    let mut socket = Raw::scribe(&world, "audio_format=ulaw_8000&include_timestamps=true").await;
    send(&mut socket, &mulaw(&world.caller_says("Yes please.").await)).await;
    socket.send_json(chunk(&[], true)).await;
    until_committed(&mut socket).await;
    let records = world.injected();
    assert_eq!(records.len(), 1, "{records:?}");
    assert_eq!((records[0].vendor.as_str(), records[0].service), ("elevenlabs", Service::Scribe));
    assert_eq!((records[0].stage, records[0].delay_ms), (InjectedStage::FinalTranscript, 300));
    assert!(records[0].held_ms >= 300);
}

#[tokio::test]
async fn what_it_does_not_understand_costs_the_socket() {
    let world = World::start(Profile::Zero).await;
    for message in [
        Message::text("{"),
        Message::text(r#"{"message_type":"flush"}"#),
        Message::text(r#"{"message_type":"input_audio_chunk","audio_base_64":"@@@"}"#),
        Message::binary(vec![1, 2, 3]),
    ] {
        let mut socket = Raw::scribe(&world, "audio_format=ulaw_8000").await;
        socket.send(message.clone()).await;
        let (messages, code, _) = socket.until_close().await;
        assert_eq!((messages[1]["message_type"].as_str(), code), (Some("input_error"), 1008), "{message:?}");
    }
    let path = "/v1/speech-to-text/realtime?model_id=m&audio_format=ulaw_8000";
    let refused = Raw::connect(&world, path, ("xi-api-key", "invalid")).await.map(|_| ()).unwrap_err();
    assert!(matches!(refused, Error::Http(response) if response.status() == 401));
}

#[tokio::test]
async fn faults_of_single_requests_are_the_vendors_own_errors() {
    let world = World::start(Profile::Zero).await;
    let audio = mulaw(&world.caller_says("Hello there.").await);
    for (fault, error) in [(Fault::Refuse, "transcriber_error"), (Fault::RateLimit, "rate_limited")] {
        world.fail(RequestKind::ScribeUtterance, fault, 1);
        let mut socket = Raw::scribe(&world, "audio_format=ulaw_8000").await;
        socket.send_json(chunk(&audio, true)).await;
        let (messages, _, _) = socket.until_close().await;
        assert_eq!(messages.last().unwrap()["message_type"], error);
    }
    world.fail(RequestKind::ScribeUtterance, Fault::HalfOpen, 1);
    let mut socket = Raw::scribe(&world, "audio_format=ulaw_8000").await;
    assert_eq!(socket.next().await["message_type"], "session_started");
    socket.send_json(chunk(&audio, true)).await;
    assert!(socket.is_silent().await);
}
