use super::*;
use crate::{
    Retry,
    fake::{Fake, HttpPeer, http_client, pass, soon},
};
use bytes::Bytes;
use seiketsu_domain::{AudioFormat, Language};

const HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
const DELTA: &str = "data: {\"type\":\"transcript.text.delta\",\"delta\":\"A house\"}\n\n";
const DONE: &str = "data: {\"type\":\"transcript.text.done\",\"text\":\"A house.\"}\n\n";

fn client(base: &Url) -> Transcription {
    let config = TranscriptionConfig::new(base.join("v1").unwrap(), "sk-key".into());
    Transcription::new(config, http_client(), TaskTracker::new())
}

async fn open(base: &Url) -> RecogniserSession {
    let format = AudioFormat::Mulaw8k;
    let options = RecogniserOptions { format, language: Language::En, endpointing_ms: 200, keyterms: vec![] };
    client(base).open(options).await.unwrap()
}

async fn say(session: &RecogniserSession, milliseconds: usize) {
    let audio = Bytes::from(vec![0x90; milliseconds * 8]);
    session.input.send(RecogniserInput::Audio(audio)).await.unwrap();
}

async fn finalize(session: &RecogniserSession) {
    session.input.send(RecogniserInput::Finalize).await.unwrap();
}

async fn next(session: &mut RecogniserSession) -> RecognitionEvent {
    soon(session.events.recv()).await.expect("an event")
}

async fn failure(session: &mut RecogniserSession) -> Failure {
    let event = next(session).await;
    let RecognitionEvent::Failed(failure) = event else { panic!("{event:?} instead of a failure") };
    assert_eq!(soon(session.events.recv()).await, None, "nothing follows a failure");
    failure
}

/// A vendor that has just been asked for the words of 400 ms.
async fn asked() -> (RecogniserSession, HttpPeer) {
    let fake = Fake::start().await;
    let session = open(&fake.url()).await;
    say(&session, 400).await;
    finalize(&session).await;
    let mut peer = fake.accept_http().await;
    peer.request().await;
    (session, peer)
}

#[tokio::test]
async fn an_utterance_is_sent_when_it_is_asked_for_and_its_words_come_as_they_are_written() {
    let fake = Fake::start().await;
    let mut session = open(&fake.url()).await;
    say(&session, 400).await;
    finalize(&session).await;
    let mut peer = fake.accept_http().await;
    let (head, body) = peer.request().await;
    assert!(head.starts_with("POST /v1/audio/transcriptions HTTP/1.1\r\n"), "{head}");
    assert!(head.contains("authorization: Bearer sk-key"), "{head}");
    assert!(head.contains(wire::CONTENT_TYPE), "{head}");
    assert!(body.contains("RIFF") && body.contains("gpt-4o-mini-transcribe"));
    peer.send(HEAD).await;
    peer.chunk(DELTA).await;
    let partial = RecognitionEvent::Partial { text: "A house".to_owned(), start_ms: 0, end_ms: 400 };
    assert_eq!(next(&mut session).await, partial);
    peer.chunk(DONE).await;
    assert_eq!(next(&mut session).await, answered("A house.".to_owned(), None, 0, 400));
}

#[tokio::test]
async fn where_nobody_spoke_the_answer_is_empty_and_nobody_is_asked() {
    let mut session = open(&Fake::nowhere().await).await;
    session.input.send(RecogniserInput::Audio(Bytes::from_static(&[0xff; 8_000]))).await.unwrap();
    finalize(&session).await;
    let event = next(&mut session).await;
    assert!(
        matches!(&event, RecognitionEvent::Final { text, from_finalize: true, end_ms: 1_000, .. } if text.is_empty())
    );
}

#[tokio::test]
async fn what_is_said_while_an_answer_is_on_its_way_comes_with_the_next() {
    let fake = Fake::start().await;
    let mut session = open(&fake.url()).await;
    say(&session, 400).await;
    finalize(&session).await;
    let mut peer = fake.accept_http().await;
    peer.request().await;
    say(&session, 200).await;
    finalize(&session).await;
    peer.send(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 14\r\n\r\n{\"text\":\"one\"}",
    )
    .await;
    assert_eq!(next(&mut session).await, answered("one".to_owned(), None, 0, 400));
    peer.request().await;
    peer.send(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 14\r\n\r\n{\"text\":\"two\"}",
    )
    .await;
    assert_eq!(next(&mut session).await, answered("two".to_owned(), None, 400, 600));
}

#[tokio::test]
async fn the_last_words_come_after_close_and_then_the_events_end() {
    let fake = Fake::start().await;
    let mut session = open(&fake.url()).await;
    say(&session, 400).await;
    session.input.send(RecogniserInput::Close).await.unwrap();
    let mut peer = fake.accept_http().await;
    peer.request().await;
    peer.send(HEAD).await;
    peer.chunk(DONE).await;
    assert_eq!(next(&mut session).await, answered("A house.".to_owned(), None, 0, 400));
    assert_eq!(soon(session.events.recv()).await, None);
}

#[tokio::test]
async fn refusals_and_garbage_end_the_session_with_their_kind() {
    let refusal = async |response: &str| {
        let (mut session, mut peer) = asked().await;
        peer.send(response).await;
        drop(peer);
        failure(&mut session).await
    };
    let limited = "HTTP/1.1 429 Too Many Requests\r\nretry-after: 7\r\ncontent-length: 0\r\n\r\n";
    assert_eq!(refusal(limited).await.retry(), Retry::After(Duration::from_secs(7)));
    let unauthorized = "HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n";
    assert_eq!(refusal(unauthorized).await.kind, FailureKind::Unauthorized);
    let html = "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 2\r\n\r\nhi";
    assert_eq!(refusal(html).await.kind, FailureKind::Garbage);
    assert_eq!(refusal(HEAD).await.kind, FailureKind::Closed);

    let mut session = open(&Fake::nowhere().await).await;
    say(&session, 400).await;
    finalize(&session).await;
    assert_eq!(failure(&mut session).await.kind, FailureKind::Unreachable);
}

#[tokio::test]
async fn words_that_do_not_end_in_time_are_a_timeout_and_those_before_are_kept() {
    let (mut session, mut peer) = asked().await;
    peer.send(HEAD).await;
    peer.chunk(DELTA).await;
    assert!(matches!(next(&mut session).await, RecognitionEvent::Partial { .. }));
    pass(Duration::from_millis(3_100)).await;
    assert_eq!(failure(&mut session).await.kind, FailureKind::Timeout);
}

#[tokio::test]
async fn a_dropped_session_drops_its_request() {
    let (session, mut peer) = asked().await;
    drop(session);
    peer.gone().await;
}

#[test]
fn the_key_is_not_in_the_debug_text() {
    assert!(!format!("{:?}", client(&"http://127.0.0.1:1".parse().unwrap())).contains("sk-key"));
}
