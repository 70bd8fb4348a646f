use super::*;
use crate::{
    elevenlabs::scribe::{Scribe, ScribeConfig},
    fake::{Fake, http_client},
    openai::{
        OpenAi, OpenAiConfig,
        speech::{Speech, SpeechConfig},
        transcription::{Transcription, TranscriptionConfig},
    },
};
use seiketsu_domain::SystemClock;
use tokio_util::task::TaskTracker;
use url::Url;

fn v1(fake: &Fake) -> Url {
    fake.url().join("v1").unwrap()
}

fn model() -> ModelChoice {
    ModelChoice { model: "gpt-4.1-mini".to_owned(), temperature: 0.0, max_tokens: 300 }
}

fn choice() -> VoiceChoice {
    VoiceChoice { voice_id: "v".to_owned(), model: "m".to_owned(), stability: 0.5, similarity: 0.5 }
}

#[tokio::test]
async fn a_language_model_writes_a_few_words() {
    let fake = Fake::start().await;
    let client =
        OpenAi::new(OpenAiConfig::new(v1(&fake), "sk-key".into()), http_client(), TaskTracker::new());
    let vendor = async {
        let mut peer = fake.accept_http().await;
        let (_, body) = peer.request().await;
        assert!(body.contains(r#""max_completion_tokens":16,"#), "{body}");
        peer.send("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n").await;
        peer.send("data: {\"choices\":[{\"delta\":{\"content\":\"Hi\"},\"finish_reason\":\"length\"}]}\n\n")
            .await;
        peer.send("data: {\"choices\":[],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":1}}\n\n").await;
        peer.send("data: [DONE]\n\n").await;
    };
    let clock = SystemClock::new();
    let (report, ()) = tokio::join!(language_model(&client, model(), &clock), vendor);
    let report = report.unwrap();
    assert_eq!(report.detail, "10 tokens");
    assert!(report.latency > Duration::ZERO);
}

#[tokio::test]
async fn a_recogniser_is_asked_about_a_tone_that_is_worth_a_request() {
    let fake = Fake::start().await;
    let config = TranscriptionConfig::new(v1(&fake), "sk-key".into());
    let client = Transcription::new(config, http_client(), TaskTracker::new());
    let answer =
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 11\r\n\r\n{\"text\":\"\"}";
    let clock = SystemClock::new();
    let probe = recogniser(&client, Vendor::OpenAi, &clock);
    let (report, ()) = tokio::join!(probe, fake.answer(answer));
    assert_eq!(report.unwrap().detail, "understood `` in a tone");

    let fake = Fake::start().await;
    let client = Scribe::new(ScribeConfig::new(fake.url(), "el-key".into()), TaskTracker::new());
    let vendor = async {
        let (_, mut peer) = fake.accept_websocket().await;
        peer.send(r#"{"message_type":"session_started"}"#).await;
        while !peer.text().await.contains(r#""commit":true"#) {}
        peer.send(r#"{"message_type":"committed_transcript","text":"Beep."}"#).await;
        peer
    };
    let (report, _peer) = tokio::join!(recogniser(&client, Vendor::ElevenLabs, &clock), vendor);
    assert_eq!(report.unwrap().detail, "understood `Beep.` in a tone");
}

#[tokio::test]
async fn a_voice_says_something_audible() {
    let fake = Fake::start().await;
    let config = SpeechConfig::new(v1(&fake), "sk-key".into());
    let client = Speech::new(config, http_client(), TaskTracker::new());
    let answer = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: audio/pcm\r\ncontent-length: 4800\r\n\r\n{}",
        "\0".repeat(4_800)
    );
    let clock = SystemClock::new();
    let probe = voice(&client, choice(), Vendor::OpenAi, &clock);
    let (report, ()) = tokio::join!(probe, fake.answer(&answer));
    assert_eq!(report.unwrap().detail, "100 ms of speech");
}

#[tokio::test]
async fn the_exact_error_of_a_vendor_comes_out() {
    let fake = Fake::start().await;
    let client =
        OpenAi::new(OpenAiConfig::new(v1(&fake), "sk-key".into()), http_client(), TaskTracker::new());
    let refusal = "HTTP/1.1 401 Unauthorized\r\ncontent-length: 44\r\n\r\n{\"error\":{\"message\":\"Incorrect API key given\"}}";
    let clock = SystemClock::new();
    let probe = language_model(&client, model(), &clock);
    let failure = tokio::join!(probe, fake.answer(refusal)).0.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Unauthorized);

    let client = Scribe::new(ScribeConfig::new(Fake::nowhere().await, "k".into()), TaskTracker::new());
    let failure = recogniser(&client, Vendor::ElevenLabs, &clock).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Unreachable);
}
