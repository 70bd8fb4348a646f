use super::*;
use crate::{
    RecogniserInput, RecognitionEvent, Retry,
    fake::{Fake, SocketPeer, pass, soon},
};
use bytes::Bytes;
use seiketsu_domain::{AudioFormat, Language};
use serde_json::Value;

const LONG: Duration = Duration::from_secs(20);
const SHORT: Duration = Duration::from_millis(40);
const STARTED: &str = r#"{"message_type":"session_started","session_id":"s","config":{}}"#;

fn options() -> RecogniserOptions {
    let format = AudioFormat::Mulaw8k;
    RecogniserOptions { format, language: Language::En, endpointing_ms: 200, keyterms: vec![] }
}

/// Without any deadline that a test could run into by accident.
fn patient(base_url: Url) -> ScribeConfig {
    ScribeConfig {
        connect_timeout: LONG,
        keep_alive: LONG,
        ping: LONG,
        answer_timeout: LONG,
        close_timeout: LONG,
        ..ScribeConfig::new(base_url, "el-key".into())
    }
}

async fn open_with(change: impl FnOnce(&mut ScribeConfig)) -> (RecogniserSession, SocketPeer) {
    let fake = Fake::start().await;
    let mut config = patient(fake.url());
    change(&mut config);
    let client = Scribe::new(config, TaskTracker::new());
    let vendor = async {
        let (_, mut peer) = fake.accept_websocket().await;
        peer.send(STARTED).await;
        peer
    };
    let (session, peer) = tokio::join!(client.open(options()), vendor);
    (session.unwrap(), peer)
}

async fn next(session: &mut RecogniserSession) -> RecognitionEvent {
    soon(session.events.recv()).await.expect("an event")
}

async fn failure(session: &mut RecogniserSession) -> Failure {
    let event = next(session).await;
    let RecognitionEvent::Failed(failure) = event else { panic!("{event:?} instead of a failure") };
    assert_eq!(soon(session.events.recv()).await, None, "nothing follows a failure");
    assert_eq!(failure.vendor, Vendor::ElevenLabs);
    failure
}

async fn committed(peer: &mut SocketPeer, words: &str) {
    peer.send(format!(r#"{{"message_type":"committed_transcript","text":"{words}"}}"#)).await;
}

/// Whether the next message commits.
async fn commits(peer: &mut SocketPeer) -> bool {
    let message: Value = serde_json::from_str(&peer.text().await).unwrap();
    assert_eq!(message["message_type"], "input_audio_chunk");
    message["commit"].as_bool().unwrap()
}

fn words(text: &str, end_ms: u64) -> RecognitionEvent {
    RecognitionEvent::Final {
        text: text.to_owned(),
        speech_final: false,
        from_finalize: true,
        start_ms: 0,
        end_ms,
        confidence: None,
    }
}

/// Why opening fails against a vendor whose first message is this.
async fn refused_with(message: &str) -> Failure {
    let fake = Fake::start().await;
    let client = Scribe::new(patient(fake.url()), TaskTracker::new());
    let vendor = async {
        let (_, mut peer) = fake.accept_websocket().await;
        peer.send(message).await;
        peer
    };
    tokio::join!(client.open(options()), vendor).0.unwrap_err()
}

#[tokio::test]
async fn audio_goes_out_and_words_come_back() {
    let fake = Fake::start().await;
    let client = Scribe::new(patient(fake.url()), TaskTracker::new());
    let vendor = async {
        let (asked, mut peer) = fake.accept_websocket().await;
        assert_eq!(asked.uri.path(), "/v1/speech-to-text/realtime");
        assert_eq!(asked.headers["xi-api-key"], "el-key");
        peer.send(STARTED).await;
        peer
    };
    let (session, mut peer) = tokio::join!(client.open(options()), vendor);
    let mut session = session.unwrap();
    session.input.send(RecogniserInput::Audio(Bytes::from_static(&[0x11; 4_000]))).await.unwrap();
    assert!(!commits(&mut peer).await);
    peer.send(r#"{"message_type":"partial_transcript","text":"hel"}"#).await;
    let partial = RecognitionEvent::Partial { text: "hel".to_owned(), start_ms: 0, end_ms: 500 };
    assert_eq!(next(&mut session).await, partial);
    session.input.send(RecogniserInput::Finalize).await.unwrap();
    assert!(commits(&mut peer).await);
    committed(&mut peer, "Hello.").await;
    assert_eq!(next(&mut session).await, words("Hello.", 500));
}

#[tokio::test]
async fn a_refusal_is_known_before_the_stream_counts_as_open() {
    let failure = refused_with(r#"{"message_type":"auth_error","error":"Invalid API key"}"#).await;
    assert_eq!(failure.kind, FailureKind::Unauthorized);
    assert!(failure.detail.ends_with("Invalid API key"), "{failure}");
    assert_eq!(refused_with("{").await.kind, FailureKind::Garbage);

    let fake = Fake::start().await;
    let client = Scribe::new(patient(fake.url()), TaskTracker::new());
    let limited = "HTTP/1.1 429 Too Many Requests\r\nretry-after: 2\r\ncontent-length: 0\r\n\r\n";
    let refused = tokio::join!(client.open(options()), fake.answer(limited)).0.unwrap_err();
    assert_eq!(refused.retry(), Retry::After(Duration::from_secs(2)));
}

#[tokio::test]
async fn a_vendor_that_accepts_and_then_says_nothing_is_a_timeout() {
    let fake = Fake::start().await;
    let config = ScribeConfig { connect_timeout: SHORT * 5, ..patient(fake.url()) };
    let client = Scribe::new(config, TaskTracker::new());
    let (opened, _peer) = tokio::join!(client.open(options()), fake.accept_websocket());
    assert_eq!(opened.unwrap_err().kind, FailureKind::Timeout);
}

#[tokio::test]
async fn a_commit_without_an_answer_is_noticed_in_less_than_two_seconds() {
    let (mut session, mut peer) = open_with(|config| {
        config.answer_timeout = ScribeConfig::new(config.base_url.clone(), "el-key".into()).answer_timeout;
    })
    .await;
    pass(Duration::from_secs(15)).await;
    session.input.send(RecogniserInput::Finalize).await.unwrap();
    assert!(commits(&mut peer).await, "quiet alone is no failure");
    pass(Duration::from_millis(600)).await;
    committed(&mut peer, "").await;
    assert_eq!(next(&mut session).await, words("", 0));
    session.input.send(RecogniserInput::Audio(Bytes::from_static(&[0x11; 400]))).await.unwrap();
    session.input.send(RecogniserInput::Finalize).await.unwrap();
    assert!(commits(&mut peer).await);
    pass(Duration::from_millis(1_500)).await;
    assert_eq!(failure(&mut session).await.kind, FailureKind::Timeout);
}

#[tokio::test]
async fn of_two_commits_the_second_is_owed_an_answer_after_the_first_has_had_its_own() {
    let (mut session, mut peer) = open_with(|config| {
        config.answer_timeout = ScribeConfig::new(config.base_url.clone(), "el-key".into()).answer_timeout;
    })
    .await;
    for _ in 0..2 {
        session.input.send(RecogniserInput::Audio(Bytes::from_static(&[0x11; 400]))).await.unwrap();
        session.input.send(RecogniserInput::Finalize).await.unwrap();
        assert!(commits(&mut peer).await);
    }
    committed(&mut peer, "One.").await;
    assert_eq!(next(&mut session).await, words("One.", 50));
    pass(Duration::from_millis(1_500)).await;
    assert_eq!(failure(&mut session).await.kind, FailureKind::Timeout);
}

#[tokio::test]
async fn without_audio_the_stream_is_kept_warm_with_silence() {
    let (_session, mut peer) = open_with(|config| config.keep_alive = SHORT).await;
    assert!(!commits(&mut peer).await);
    assert!(!commits(&mut peer).await);
}

#[tokio::test]
async fn the_last_words_come_after_close_and_then_the_events_end() {
    let (mut session, mut peer) = open_with(|_| {}).await;
    session.input.send(RecogniserInput::Audio(Bytes::from_static(&[0x11; 400]))).await.unwrap();
    session.input.send(RecogniserInput::Close).await.unwrap();
    assert!(commits(&mut peer).await);
    committed(&mut peer, "Goodbye.").await;
    assert_eq!(next(&mut session).await, words("Goodbye.", 50));
    assert_eq!(soon(session.events.recv()).await, None);
    peer.gone().await;
}

#[tokio::test]
async fn closing_a_stream_on_which_nothing_is_owed_ends_it_at_once() {
    let (mut session, peer) = open_with(|_| {}).await;
    session.input.send(RecogniserInput::Close).await.unwrap();
    assert_eq!(soon(session.events.recv()).await, None);
    peer.gone().await;
}

#[tokio::test]
async fn an_error_in_mid_stream_ends_it() {
    let (mut session, mut peer) = open_with(|_| {}).await;
    peer.send(r#"{"message_type":"transcriber_error","error":"x"}"#).await;
    assert_eq!(failure(&mut session).await.kind, FailureKind::VendorFault);
    let (mut session, mut peer) = open_with(|_| {}).await;
    peer.close(1008, "quota_exceeded").await;
    assert_eq!(failure(&mut session).await.kind, FailureKind::RateLimited { retry_after: None });
    let (mut session, peer) = open_with(|_| {}).await;
    drop(peer);
    assert_eq!(failure(&mut session).await.kind, FailureKind::Closed);
}

#[tokio::test]
async fn a_dropped_session_closes_its_connection() {
    let (session, peer) = open_with(|_| {}).await;
    drop(session);
    peer.gone().await;
}

#[test]
fn the_key_is_not_in_the_debug_text() {
    let client = Scribe::new(patient("http://127.0.0.1:1".parse().unwrap()), TaskTracker::new());
    assert!(!format!("{client:?}").contains("el-key"));
}
