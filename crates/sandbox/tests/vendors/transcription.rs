//! OpenAI's recogniser of whole recordings, the fallback.

use crate::support::{World, all, encode, finals, recogniser_options};
use bytes::Bytes;
use seiketsu_audio::{
    resample::{Ratio, Resampler},
    subcarrier,
};
use seiketsu_domain::AudioFormat;
use seiketsu_providers::{
    Recogniser, RecogniserInput,
    openai::transcription::{Transcription, TranscriptionConfig},
};
use seiketsu_sandbox::{Fault, Profile, RequestKind, Service, injected::InjectedStage};
use serde_json::Value;

const SENTENCE: &str = "I would like to see the house on Maple Street.";
const MODEL: (&str, &str) = ("model", "gpt-4o-transcribe");

async fn json(request: reqwest::RequestBuilder) -> Value {
    request.send().await.unwrap().json().await.unwrap()
}

#[tokio::test]
async fn a_recording_is_transcribed_word_for_word() {
    let world = World::start(Profile::Zero).await;
    let audio = world.caller_says(SENTENCE).await;
    let answer =
        json(world.transcription(&audio, &[MODEL, ("response_format", "json"), ("language", "en")])).await;
    assert_eq!(answer["text"], subcarrier::normalise_text(SENTENCE));
    assert_eq!(answer["usage"]["type"], "tokens");
    let text = world.transcription(&audio, &[MODEL, ("response_format", "text")]).send().await.unwrap();
    assert_eq!(text.text().await.unwrap().trim_end(), subcarrier::normalise_text(SENTENCE));
}

#[tokio::test]
async fn as_a_stream_it_comes_word_by_word() {
    let world = World::start(Profile::Zero).await;
    let audio = world.caller_says("Yes please.").await;
    let response = world.transcription(&audio, &[MODEL, ("stream", "true")]).send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let body = response.text().await.unwrap();
    let events: Vec<Value> = body
        .split("\n\n")
        .filter_map(|event| event.strip_prefix("data: "))
        .map(|data| serde_json::from_str(data).unwrap())
        .collect();
    let deltas: String = events.iter().filter_map(|event| event["delta"].as_str()).collect();
    assert_eq!(deltas, "yes please");
    let last = events.last().unwrap();
    assert_eq!(
        (last["type"].as_str(), last["text"].as_str()),
        (Some("transcript.text.done"), Some("yes please"))
    );
}

#[tokio::test]
async fn a_recording_without_sub_carrier_is_unintelligible() {
    let world = World::start(Profile::Zero).await;
    let audio = world.caller_says(SENTENCE).await;
    let (mut narrow, mut ordinary) = (Vec::new(), Vec::new());
    Resampler::new(Ratio::Down2).process(&audio, &mut narrow);
    Resampler::new(Ratio::Up2).process(&narrow, &mut ordinary);
    assert_eq!(json(world.transcription(&ordinary, &[MODEL])).await["text"], "");
}

#[tokio::test]
async fn a_lost_frame_shows_in_the_probability_of_the_tokens() {
    let world = World::start(Profile::Zero).await;
    let mut audio = world.caller_says(SENTENCE).await;
    let fields = [MODEL, ("include[]", "logprobs")];
    let least = |answer: &Value| {
        let tokens = answer["logprobs"].as_array().unwrap();
        tokens.iter().map(|token| token["logprob"].as_f64().unwrap()).fold(f64::MAX, f64::min)
    };
    assert!(least(&json(world.transcription(&audio, &fields)).await) > -0.01);
    audio.drain(60 * 160..61 * 160);
    assert!(least(&json(world.transcription(&audio, &fields)).await) < -1.0);
}

#[tokio::test]
async fn the_platforms_own_client_understands_it() {
    let world = World::start(Profile::Zero).await;
    let config = TranscriptionConfig::new(world.sandbox.openai_base(), "key".into());
    let client = Transcription::new(config, world.http.clone(), world.tasks.clone());
    let audio = world.caller_says(SENTENCE).await;
    for format in [AudioFormat::Mulaw8k, AudioFormat::Alaw8k, AudioFormat::Pcm16k, AudioFormat::Pcm24k] {
        let mut session = client.open(recogniser_options(format)).await.unwrap();
        let send = async {
            for frame in encode(&audio, format).chunks(20 * format.bytes_per_ms()) {
                session.input.send(RecogniserInput::Audio(Bytes::copy_from_slice(frame))).await.unwrap();
            }
            session.input.send(RecogniserInput::Finalize).await.unwrap();
            session.input.send(RecogniserInput::Close).await.unwrap();
        };
        let ((), events) = tokio::join!(send, all(&mut session.events));
        assert_eq!(finals(&events), subcarrier::normalise_text(SENTENCE), "{format:?}: {events:?}");
    }
}

#[tokio::test]
async fn delays_faults_and_bad_uploads_are_the_vendors() {
    let world = World::start(Profile::Zero).await;
    let audio = world.caller_says("Yes please.").await;
    let status = async |fields: &[(&str, &str)]| {
        world.transcription(&audio, fields).send().await.unwrap().status().as_u16()
    };
    assert_eq!(status(&[]).await, 400, "no model");
    assert_eq!(status(&[MODEL, ("response_format", "srt")]).await, 400);
    world.fail(RequestKind::Transcription, Fault::RateLimit, 1);
    assert_eq!(status(&[MODEL]).await, 429);
    world.fail(RequestKind::Transcription, Fault::Refuse, 1);
    assert_eq!(status(&[MODEL]).await, 503);
    for fault in [Fault::Disconnect, Fault::Garbage] {
        world.fail(RequestKind::Transcription, fault, 1);
        let response = world.transcription(&audio, &[MODEL]).send().await.unwrap();
        assert!(response.bytes().await.is_err(), "{fault:?}");
    }
    world.sandbox.conduct().change(|behaviour| behaviour.delays.recogniser_ms = 200);
    assert_eq!(status(&[MODEL]).await, 200);
    let records = world.injected();
    let last = records.last().unwrap();
    assert_eq!((last.service, last.stage), (Service::Transcription, InjectedStage::FinalTranscript));
    assert_eq!((last.key.as_str(), last.delay_ms), ("yes please", 200));
}
