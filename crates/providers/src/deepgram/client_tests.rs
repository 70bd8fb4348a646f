use super::*;
use crate::{
    FailureKind, RecogniserInput, Retry,
    fake::{Fake, SocketPeer, pass, soon},
    live::{EVENT_QUEUE, INPUT_QUEUE},
};
use seiketsu_domain::{AudioFormat, Language};

const LONG: Duration = Duration::from_secs(20);
const SHORT: Duration = Duration::from_millis(40);

fn options() -> RecogniserOptions {
    let keyterms = vec!["Maple Street".to_owned()];
    RecogniserOptions { format: AudioFormat::Mulaw8k, language: Language::En, endpointing_ms: 200, keyterms }
}

/// Without any deadline that a test could run into by accident.
fn patient(base_url: Url) -> DeepgramConfig {
    DeepgramConfig {
        connect_timeout: LONG,
        keep_alive: LONG,
        ping: LONG,
        answer_timeout: LONG,
        quiet_timeout: LONG,
        close_timeout: LONG,
        ..DeepgramConfig::new(base_url, "dg-key".into())
    }
}

async fn open_with(change: impl FnOnce(&mut DeepgramConfig)) -> (RecogniserSession, SocketPeer) {
    let fake = Fake::start().await;
    let mut config = patient(fake.url());
    change(&mut config);
    let client = Deepgram::new(config, TaskTracker::new());
    let (session, (_, peer)) = tokio::join!(client.open(options()), fake.accept_websocket());
    (session.unwrap(), peer)
}

async fn open() -> (RecogniserSession, SocketPeer) {
    open_with(|_| {}).await
}

fn final_words(words: &str) -> String {
    format!(
        r#"{{"type":"Results","start":0.5,"duration":1.0,"is_final":true,"speech_final":true,"channel":{{"alternatives":[{{"transcript":"{words}"}}]}}}}"#
    )
}

fn final_event(words: &str) -> RecognitionEvent {
    RecognitionEvent::Final {
        text: words.to_owned(),
        speech_final: true,
        from_finalize: false,
        start_ms: 500,
        end_ms: 1_500,
        confidence: None,
    }
}

async fn next(session: &mut RecogniserSession) -> RecognitionEvent {
    soon(session.events.recv()).await.expect("an event")
}

async fn failure(session: &mut RecogniserSession) -> Failure {
    let event = next(session).await;
    let RecognitionEvent::Failed(failure) = event else { panic!("{event:?} instead of a failure") };
    assert_eq!(soon(session.events.recv()).await, None, "nothing follows a failure");
    assert_eq!(failure.vendor, Vendor::Deepgram);
    failure
}

/// Why opening fails against a vendor that answers this.
async fn refusal(answer: &str) -> Failure {
    let fake = Fake::start().await;
    let client = Deepgram::new(patient(fake.url()), TaskTracker::new());
    tokio::join!(client.open(options()), fake.answer(answer)).0.unwrap_err()
}

#[tokio::test]
async fn audio_goes_out_and_words_come_back() {
    let fake = Fake::start().await;
    let client = Deepgram::new(patient(fake.url()), TaskTracker::new());
    let (session, (asked, mut peer)) = tokio::join!(client.open(options()), fake.accept_websocket());
    let mut session = session.unwrap();
    assert_eq!(asked.uri.path(), "/v1/listen");
    assert!(asked.uri.query().unwrap().contains("encoding=mulaw&sample_rate=8000"));
    assert_eq!(asked.headers["authorization"], "Token dg-key");

    session.input.send(RecogniserInput::Audio(Bytes::from_static(&[0xff; 160]))).await.unwrap();
    assert_eq!(peer.next().await, Some(Message::Binary(Bytes::from_static(&[0xff; 160]))));
    session.input.send(RecogniserInput::Finalize).await.unwrap();
    assert_eq!(peer.text().await, wire::FINALIZE);

    peer.send(r#"{"type":"SpeechStarted","timestamp":0.5}"#).await;
    peer.send(r#"{"type":"News","from":"the vendor"}"#).await;
    peer.send(final_words("hello")).await;
    assert_eq!(next(&mut session).await, RecognitionEvent::SpeechStarted { at_ms: 500 });
    assert_eq!(next(&mut session).await, final_event("hello"));
}

#[tokio::test]
async fn the_last_words_come_after_close_and_then_the_events_end() {
    let (mut session, mut peer) = open().await;
    session.input.send(RecogniserInput::Close).await.unwrap();
    assert_eq!(peer.text().await, wire::CLOSE_STREAM);
    peer.send(final_words("goodbye")).await;
    peer.send(r#"{"type":"Metadata","duration":1.5}"#).await;
    peer.close(1000, "").await;
    assert_eq!(next(&mut session).await, final_event("goodbye"));
    assert_eq!(soon(session.events.recv()).await, None);
}

#[tokio::test]
async fn a_dropped_input_is_a_close() {
    let (RecogniserSession { input, mut events }, mut peer) = open().await;
    drop(input);
    assert_eq!(peer.text().await, wire::CLOSE_STREAM);
    drop(peer);
    assert_eq!(soon(events.recv()).await, None);
}

#[tokio::test]
async fn a_vendor_that_never_ends_a_closed_stream_is_reported() {
    let (mut session, mut peer) = open_with(|config| config.close_timeout = SHORT).await;
    session.input.send(RecogniserInput::Close).await.unwrap();
    peer.text().await;
    assert_eq!(failure(&mut session).await.kind, FailureKind::Timeout);
}

#[tokio::test]
async fn without_audio_the_stream_is_kept_alive_and_an_empty_chunk_is_not_sent() {
    let (session, mut peer) = open_with(|config| config.keep_alive = SHORT).await;
    session.input.send(RecogniserInput::Audio(Bytes::new())).await.unwrap();
    assert_eq!(peer.text().await, wire::KEEP_ALIVE);
    assert_eq!(peer.text().await, wire::KEEP_ALIVE);
}

#[tokio::test]
async fn refusals_to_open_are_classified() {
    let body = r#"{"err_code":"INVALID_AUTH","err_msg":"Invalid credentials."}"#;
    let failure =
        refusal(&format!("HTTP/1.1 401 Unauthorized\r\ncontent-length: {}\r\n\r\n{body}", body.len())).await;
    assert_eq!(failure.kind, FailureKind::Unauthorized);
    assert!(failure.detail.contains("Invalid credentials."), "{failure}");
    let failure =
        refusal("HTTP/1.1 429 Too Many Requests\r\nretry-after: 3\r\ncontent-length: 0\r\n\r\n").await;
    assert_eq!(failure.retry(), Retry::After(Duration::from_secs(3)));
    assert_eq!(
        refusal("HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n").await.kind,
        FailureKind::BadRequest
    );
    assert_eq!(refusal("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.kind, FailureKind::Garbage);
    assert_eq!(refusal("\u{1}\u{2}garbage\r\n\r\n").await.kind, FailureKind::Garbage);
    assert_eq!(refusal("").await.kind, FailureKind::Closed);
}

#[tokio::test]
async fn a_vendor_that_is_not_there_is_unreachable_and_one_that_does_not_answer_a_timeout() {
    let client = Deepgram::new(patient(Fake::nowhere().await), TaskTracker::new());
    assert_eq!(client.open(options()).await.unwrap_err().kind, FailureKind::Unreachable);

    let fake = Fake::start().await;
    let config = DeepgramConfig { connect_timeout: SHORT, ..patient(fake.url()) };
    let client = Deepgram::new(config, TaskTracker::new());
    assert_eq!(soon(client.open(options())).await.unwrap_err().kind, FailureKind::Timeout);
}

#[tokio::test]
async fn a_peer_that_answers_no_ping_any_more_is_a_timeout() {
    // The socket stays open but nobody reads it: what a half-open connection looks like from here.
    let (mut session, _peer) = open_with(|config| config.ping = SHORT).await;
    let failure = failure(&mut session).await;
    assert_eq!(failure.kind, FailureKind::Timeout);
    assert!(failure.detail.contains("half open"), "{failure}");
}

#[tokio::test]
async fn a_peer_that_answers_pings_stays_however_quiet_it_is() {
    let (mut session, mut peer) = open_with(|config| config.ping = Duration::from_millis(5)).await;
    let mut pings = 0;
    while pings < 20 {
        // Reading a ping queues the answer, which goes out with the next read.
        let message = soon(futures_util::StreamExt::next(&mut peer.stream)).await;
        pings += usize::from(matches!(message, Some(Ok(Message::Ping(_)))));
    }
    peer.send(final_words("still here")).await;
    assert_eq!(next(&mut session).await, final_event("still here"));
}

/// The patience of a real call, with which the tests below let time pass.
fn as_in_a_call(config: &mut DeepgramConfig) {
    let DeepgramConfig { answer_timeout, quiet_timeout, .. } =
        DeepgramConfig::new(config.base_url.clone(), "dg-key".into());
    (config.answer_timeout, config.quiet_timeout) = (answer_timeout, quiet_timeout);
}

fn finalized(words: &str) -> String {
    final_words(words).replace(r#""is_final":true"#, r#""is_final":true,"from_finalize":true"#)
}

#[tokio::test]
async fn a_question_without_an_answer_is_noticed_in_less_than_two_seconds() {
    let (mut session, mut peer) = open_with(as_in_a_call).await;
    session.input.send(RecogniserInput::Finalize).await.unwrap();
    assert_eq!(peer.text().await, wire::FINALIZE);
    pass(Duration::from_millis(600)).await;
    peer.send(finalized("")).await;
    assert!(matches!(next(&mut session).await, RecognitionEvent::Final { from_finalize: true, .. }));
    pass(Duration::from_secs(5)).await;
    peer.send(final_words("an answered question is owed no more")).await;
    next(&mut session).await;

    session.input.send(RecogniserInput::Finalize).await.unwrap();
    assert_eq!(peer.text().await, wire::FINALIZE);
    pass(Duration::from_millis(1_500)).await;
    let failure = failure(&mut session).await;
    assert_eq!(failure.kind, FailureKind::Timeout);
    assert!(failure.detail.contains("last words"), "{failure}");
}

#[tokio::test]
async fn whoever_works_through_a_backlog_of_audio_is_not_late() {
    let (mut session, mut peer) = open_with(as_in_a_call).await;
    session.input.send(RecogniserInput::Finalize).await.unwrap();
    assert_eq!(peer.text().await, wire::FINALIZE);
    for word in ["one", "two", "three", "four", "five"] {
        pass(Duration::from_millis(600)).await;
        peer.send(final_words(word)).await;
        assert_eq!(next(&mut session).await, final_event(word));
    }
    pass(Duration::from_millis(1_500)).await;
    assert_eq!(failure(&mut session).await.kind, FailureKind::Timeout);
}

#[tokio::test]
async fn a_vendor_that_is_quiet_while_audio_flows_is_asked_for_a_sign_of_life() {
    let (mut session, mut peer) = open_with(as_in_a_call).await;
    pass(Duration::from_secs(12)).await;
    let audio = RecogniserInput::Audio(Bytes::from_static(&[0xff; 160]));
    session.input.send(audio.clone()).await.unwrap();
    assert!(matches!(peer.next().await, Some(Message::Binary(_))), "without audio nobody is asked");
    pass(Duration::from_millis(10_500)).await;
    assert_eq!(peer.text().await, wire::FINALIZE);
    peer.send(finalized("")).await;
    peer.send(r#"{"type":"SpeechStarted","timestamp":0.5}"#).await;
    let event = next(&mut session).await;
    assert_eq!(event, RecognitionEvent::SpeechStarted { at_ms: 500 }, "the sign itself is kept back");

    session.input.send(audio).await.unwrap();
    assert!(matches!(peer.next().await, Some(Message::Binary(_))));
    pass(Duration::from_millis(10_500)).await;
    assert_eq!(peer.text().await, wire::FINALIZE);
    pass(Duration::from_millis(1_500)).await;
    assert_eq!(failure(&mut session).await.kind, FailureKind::Timeout);
}

#[tokio::test]
async fn words_in_a_sign_of_life_are_passed_on_as_unasked() {
    let (mut session, mut peer) = open_with(as_in_a_call).await;
    session.input.send(RecogniserInput::Audio(Bytes::from_static(&[0xff; 160]))).await.unwrap();
    assert!(matches!(peer.next().await, Some(Message::Binary(_))));
    pass(Duration::from_millis(10_500)).await;
    assert_eq!(peer.text().await, wire::FINALIZE);
    peer.send(finalized("wait")).await;
    assert_eq!(next(&mut session).await, final_event("wait"));
}

#[tokio::test]
async fn a_slow_reader_of_the_events_makes_nobody_late() {
    let (mut session, mut peer) = open_with(as_in_a_call).await;
    for _ in 0..EVENT_QUEUE + 2 {
        peer.send(final_words("x")).await;
    }
    session.input.send(RecogniserInput::Finalize).await.unwrap();
    assert_eq!(peer.text().await, wire::FINALIZE);
    peer.send(finalized("y")).await;
    pass(Duration::from_secs(5)).await;
    for _ in 0..EVENT_QUEUE + 2 {
        assert_eq!(next(&mut session).await, final_event("x"));
    }
    let answer = next(&mut session).await;
    assert!(matches!(answer, RecognitionEvent::Final { from_finalize: true, .. }), "{answer:?}");
}

#[tokio::test]
async fn a_close_in_mid_stream_is_classified() {
    let (mut session, mut peer) = open().await;
    peer.send(final_words("half a")).await;
    peer.close(1011, "NET-0001: no audio").await;
    assert_eq!(next(&mut session).await, final_event("half a"));
    assert_eq!(failure(&mut session).await.kind, FailureKind::Timeout);

    let (mut session, peer) = open().await;
    drop(peer);
    assert_eq!(failure(&mut session).await.kind, FailureKind::Closed);
}

#[tokio::test]
async fn garbage_ends_the_session() {
    let garbage = [
        Message::text("{"),
        Message::text(r#"{"type":"Results"}"#),
        Message::binary(vec![0; 10]),
        Message::text("x".repeat(2 * 1_024 * 1_024)),
    ];
    for message in garbage {
        let (mut session, mut peer) = open().await;
        // The client may hang up before it has read all of it.
        let _ = futures_util::SinkExt::send(&mut peer.stream, message).await;
        assert_eq!(failure(&mut session).await.kind, FailureKind::Garbage);
    }
}

#[tokio::test]
async fn an_error_message_ends_the_session_with_the_vendors_words() {
    let (mut session, mut peer) = open().await;
    peer.send(r#"{"type":"Error","description":"internal"}"#).await;
    let failure = failure(&mut session).await;
    assert_eq!((failure.kind, failure.detail.as_str()), (FailureKind::VendorFault, "internal"));
}

#[tokio::test]
async fn a_dropped_session_closes_its_connection() {
    let (session, peer) = open().await;
    drop(session);
    peer.gone().await;
}

#[tokio::test]
async fn dropping_the_events_alone_closes_the_connection_too() {
    let (RecogniserSession { input, events }, peer) = open().await;
    drop(events);
    peer.gone().await;
    soon(input.closed()).await;
}

#[tokio::test]
async fn audio_still_goes_out_while_the_reader_of_the_events_is_slow() {
    let (mut session, mut peer) = open().await;
    let count = EVENT_QUEUE * 2;
    for _ in 0..count {
        peer.send(final_words("x")).await;
    }
    for _ in 0..INPUT_QUEUE * 2 {
        session.input.send(RecogniserInput::Audio(Bytes::from_static(&[1; 160]))).await.unwrap();
        assert!(matches!(peer.next().await, Some(Message::Binary(_))));
    }
    for _ in 0..count {
        assert_eq!(next(&mut session).await, final_event("x"));
    }
}

#[test]
fn the_key_is_not_in_the_debug_text() {
    let client = Deepgram::new(patient("http://127.0.0.1:1".parse().unwrap()), TaskTracker::new());
    assert!(!format!("{client:?}").contains("dg-key"));
}
