//! OpenAI's voice, the fallback.

use crate::support::{World, decode, speak, voice_options};
use futures_util::StreamExt;
use seiketsu_audio::{
    g711,
    resample::{Ratio, Resampler},
    subcarrier,
};
use seiketsu_domain::AudioFormat;
use seiketsu_providers::{
    SynthesisId, Voice, VoiceEvent, VoiceInput,
    openai::speech::{Speech, SpeechConfig},
};
use seiketsu_sandbox::{Fault, Profile, RequestKind, Service, injected::InjectedStage};
use serde_json::{Value, json};

const GREETING: &str = "Thanks for calling Lone Star Homes. This is Ava, an AI assistant. How can I help?";

/// What the telephone gets of it: converted as it comes, in pieces of any size, and companded.
async fn telephone(response: reqwest::Response) -> Vec<i16> {
    let (mut resampler, mut rest, mut telephone) = (Resampler::new(Ratio::Down3), Vec::new(), Vec::new());
    let mut pieces = response.bytes_stream();
    while let Some(piece) = pieces.next().await {
        rest.extend_from_slice(&piece.unwrap());
        // Pieces need not end with a sample; cut them oddly besides.
        for bytes in std::mem::take(&mut rest).chunks(966) {
            let (pairs, odd) = bytes.as_chunks::<2>();
            let samples: Vec<i16> = pairs.iter().map(|&pair| i16::from_le_bytes(pair)).collect();
            let mut out = Vec::new();
            resampler.process(&samples, &mut out);
            let mut mulaw = Vec::new();
            g711::mulaw_encode(&out, &mut mulaw);
            g711::mulaw_decode(&mulaw, &mut telephone);
            rest.extend_from_slice(odd);
        }
    }
    telephone
}

#[tokio::test]
async fn the_words_survive_the_way_from_24_khz_to_the_telephone() {
    let world = World::start(Profile::Zero).await;
    for text in [GREETING, "Claro, la casa tiene tres habitaciones y un jardín.", "好的，请稍等，我看一下。"]
    {
        let response = world.speech(text).send().await.unwrap();
        assert_eq!(response.status(), 200);
        let reading = subcarrier::read(&telephone(response).await);
        assert_eq!(reading.text, subcarrier::normalise_text(text));
        assert!(reading.flags.is_empty(), "{reading:?}");
    }
}

#[tokio::test]
async fn the_platforms_own_client_plays_it() {
    let world = World::start(Profile::Zero).await;
    let config = SpeechConfig::new(world.sandbox.openai_base(), "key".into());
    let client = Speech::new(config, world.http.clone(), world.tasks.clone());
    let mut session = client.open(voice_options(AudioFormat::Mulaw8k)).await.unwrap();
    let say = VoiceInput::Speak { id: SynthesisId(1), text: GREETING.to_owned() };
    let events = speak(&mut session, vec![say], 1).await;
    let mut bytes = Vec::new();
    for event in &events {
        match event {
            VoiceEvent::Audio { audio, .. } => bytes.extend_from_slice(audio),
            VoiceEvent::Finished { .. } => {}
            VoiceEvent::Failed { .. } => panic!("{event:?}"),
        }
    }
    let reading = subcarrier::read(&decode(&bytes, session.format));
    assert_eq!(reading.text, subcarrier::normalise_text(GREETING));
    assert!(reading.flags.is_empty(), "{reading:?}");
}

#[tokio::test]
async fn events_carry_the_same_audio() {
    let world = World::start(Profile::Zero).await;
    let bare = world.speech("Of course.").send().await.unwrap().bytes().await.unwrap();
    let body = json!({ "model": "gpt-4o-mini-tts", "input": "Of course.", "voice": "coral",
        "response_format": "pcm", "stream_format": "sse" });
    let response =
        world.http.post(world.url("/v1/audio/speech")).bearer_auth("key").json(&body).send().await.unwrap();
    let text = response.text().await.unwrap();
    let events: Vec<Value> = text
        .split("\n\n")
        .filter_map(|event| event.strip_prefix("data: "))
        .map(|data| serde_json::from_str(data).unwrap())
        .collect();
    let encoded: usize = events
        .iter()
        .filter(|event| event["type"] == "speech.audio.delta")
        .map(|event| event["audio"].as_str().unwrap().trim_end_matches('=').len() * 3 / 4)
        .sum();
    assert_eq!(encoded, bare.len());
    assert_eq!(events.last().unwrap()["type"], "speech.audio.done");
}

#[tokio::test]
async fn keys_rate_limits_and_refusals_are_told_apart_and_delays_are_recorded() {
    let world = World::start(Profile::Zero).await;
    let wrong = world.http.post(world.url("/v1/audio/speech")).bearer_auth("invalid").body("{}");
    assert_eq!(wrong.send().await.unwrap().status(), 401);
    world.fail(RequestKind::Speech, Fault::RateLimit, 1);
    let limited = world.speech("Hi").send().await.unwrap();
    assert_eq!((limited.status().as_u16(), limited.headers()["retry-after"].to_str().unwrap()), (429, "1"));
    world.fail(RequestKind::Speech, Fault::Refuse, 1);
    assert_eq!(world.speech("Hi").send().await.unwrap().status(), 503);
    world.sandbox.conduct().change(|behaviour| behaviour.delays.first_byte_ms = 200);
    world.speech("Hi").send().await.unwrap();
    let records = world.injected();
    let last = records.last().unwrap();
    assert_eq!((last.service, last.stage, last.delay_ms), (Service::Speech, InjectedStage::FirstByte, 200));
}

#[tokio::test]
async fn faults_in_mid_stream_strike_behind_the_first_piece() {
    let world = World::start(Profile::Zero).await;
    for fault in [Fault::Disconnect, Fault::Garbage, Fault::HalfOpen] {
        world.fail(RequestKind::Speech, fault, 1);
        let mut pieces = world.speech(GREETING).send().await.unwrap().bytes_stream();
        let first = pieces.next().await.unwrap().unwrap();
        assert!(!first.is_empty() && first.len() <= 9_600, "{fault:?}: {}", first.len());
        let rest = async {
            while let Some(piece) = pieces.next().await {
                piece?;
            }
            Ok::<_, reqwest::Error>(())
        };
        let rest = tokio::time::timeout(crate::socket::MOMENT, rest).await;
        match fault {
            Fault::HalfOpen => assert!(rest.is_err(), "silent"),
            Fault::Disconnect | Fault::Garbage => assert!(matches!(rest, Ok(Err(_))), "{fault:?}: {rest:?}"),
            Fault::Stall | Fault::Refuse | Fault::RateLimit => unreachable!(),
        }
    }
}
