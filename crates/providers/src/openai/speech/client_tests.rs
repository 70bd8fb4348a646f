use super::*;
use crate::{
    Retry,
    fake::{Fake, HttpPeer, http_client, pass, soon},
};
use bytes::Bytes;
use seiketsu_domain::{AudioFormat, VoiceChoice};

const HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-type: audio/pcm\r\ntransfer-encoding: chunked\r\n\r\n";

fn client(base: &Url) -> Speech {
    let config = SpeechConfig::new(base.join("v1").unwrap(), "sk-key".into());
    Speech::new(config, http_client(), TaskTracker::new())
}

async fn open(base: &Url) -> VoiceSession {
    let voice = VoiceChoice {
        voice_id: "of another vendor".to_owned(),
        model: "eleven_flash_v2_5".to_owned(),
        stability: 0.5,
        similarity: 0.75,
    };
    let options = VoiceOptions { voice, language: Language::Es, format: AudioFormat::Mulaw8k };
    client(base).open(options).await.unwrap()
}

async fn speak(session: &VoiceSession, id: u64, text: &str) {
    let speak = VoiceInput::Speak { id: SynthesisId(id), text: text.to_owned() };
    session.input.send(speak).await.unwrap();
}

async fn next(session: &mut VoiceSession) -> VoiceEvent {
    soon(session.events.recv()).await.expect("an event")
}

fn audio(id: u64, audio: &'static [u8]) -> VoiceEvent {
    VoiceEvent::Audio { id: SynthesisId(id), audio: Bytes::from_static(audio), alignment: vec![] }
}

fn finished(id: u64) -> VoiceEvent {
    VoiceEvent::Finished { id: SynthesisId(id) }
}

async fn failed(session: &mut VoiceSession, id: u64) -> Failure {
    let event = next(session).await;
    let VoiceEvent::Failed { id: Some(failed), failure } = event else {
        panic!("{event:?} instead of a failure")
    };
    assert_eq!((failed, failure.vendor), (SynthesisId(id), Vendor::OpenAi));
    failure
}

/// A vendor that has just been asked to say something under the id 1.
async fn asked() -> (VoiceSession, HttpPeer) {
    let fake = Fake::start().await;
    let session = open(&fake.url()).await;
    speak(&session, 1, "Hola.").await;
    let mut peer = fake.accept_http().await;
    peer.request().await;
    (session, peer)
}

#[tokio::test]
async fn a_text_becomes_samples_that_are_never_cut_in_half() {
    let fake = Fake::start().await;
    let mut session = open(&fake.url()).await;
    assert_eq!(session.format, AudioFormat::Pcm24k, "whatever was wanted");
    speak(&session, 7, "Hola.").await;
    let mut peer = fake.accept_http().await;
    let (head, body) = peer.request().await;
    assert!(head.starts_with("POST /v1/audio/speech HTTP/1.1\r\n"), "{head}");
    assert!(head.contains("authorization: Bearer sk-key"), "{head}");
    assert!(body.contains(r#""voice":"nova""#), "the Spanish one: {body}");
    peer.send(HEAD).await;
    peer.chunk([1, 2, 3]).await;
    assert_eq!(next(&mut session).await, audio(7, &[1, 2]));
    peer.chunk([4]).await;
    assert_eq!(next(&mut session).await, audio(7, &[3, 4]));
    peer.chunk("").await;
    assert_eq!(next(&mut session).await, finished(7));
}

#[tokio::test]
async fn cancelling_drops_the_request_and_what_waits_for_it_moves_up() {
    let fake = Fake::start().await;
    let mut session = open(&fake.url()).await;
    for id in 1..=4 {
        speak(&session, id, "Hola.").await;
    }
    let mut peers = Vec::new();
    for _ in 0..3 {
        let mut peer = fake.accept_http().await;
        peer.request().await;
        peers.push(peer);
    }
    session.input.send(VoiceInput::Cancel { id: SynthesisId(1) }).await.unwrap();
    // Which of the three it was is the network's business: one of them is hung up on, and a fourth is asked.
    let mut fourth = fake.accept_http().await;
    fourth.request().await;
    fourth.send(HEAD).await;
    fourth.chunk([1, 2]).await;
    fourth.chunk("").await;
    assert_eq!(next(&mut session).await, audio(4, &[1, 2]));
    assert_eq!(next(&mut session).await, finished(4));
}

#[tokio::test]
async fn a_cancelled_text_is_heard_of_no_more() {
    let (mut session, mut peer) = asked().await;
    session.input.send(VoiceInput::Cancel { id: SynthesisId(1) }).await.unwrap();
    peer.gone().await;
    speak(&session, 2, " ").await;
    assert_eq!(next(&mut session).await, finished(2));
}

#[tokio::test]
async fn a_connection_that_goes_half_open_is_noticed_in_less_than_two_seconds() {
    let (mut session, _peer) = asked().await;
    pass(Duration::from_millis(1_900)).await;
    assert_eq!(failed(&mut session, 1).await.kind, FailureKind::Timeout);

    let (mut session, mut peer) = asked().await;
    pass(Duration::from_millis(900)).await;
    peer.send(HEAD).await;
    peer.chunk([1, 2]).await;
    assert_eq!(next(&mut session).await, audio(1, &[1, 2]));
    pass(Duration::from_millis(900)).await;
    peer.chunk([3, 4]).await;
    assert_eq!(next(&mut session).await, audio(1, &[3, 4]));
    pass(Duration::from_millis(1_900)).await;
    assert_eq!(failed(&mut session, 1).await.kind, FailureKind::Timeout);
}

#[tokio::test]
async fn a_failure_is_about_its_text_alone() {
    let fake = Fake::start().await;
    let mut session = open(&fake.url()).await;
    for (id, answer, kind) in [
        (1, "HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n", FailureKind::Unauthorized),
        (
            2,
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}",
            FailureKind::Garbage,
        ),
        (3, "HTTP/1.1 200 OK\r\ncontent-type: audio/pcm\r\ncontent-length: 0\r\n\r\n", FailureKind::Garbage),
        (4, "HTTP/1.1 200 OK\r\ncontent-type: audio/pcm\r\ncontent-length: 9\r\n\r\n", FailureKind::Closed),
    ] {
        speak(&session, id, "Hola.").await;
        let mut peer = fake.accept_http().await;
        peer.request().await;
        peer.send(&answer.replace("\r\n\r\n", "\r\nconnection: close\r\n\r\n")).await;
        drop(peer);
        assert_eq!(failed(&mut session, id).await.kind, kind);
    }
    speak(&session, 5, "Hola.").await;
    fake.answer("HTTP/1.1 429 Too Many Requests\r\nretry-after: 7\r\ncontent-length: 0\r\n\r\n").await;
    assert_eq!(failed(&mut session, 5).await.retry(), Retry::After(Duration::from_secs(7)));
}

#[tokio::test]
async fn what_cannot_be_said_is_refused_and_the_queue_is_bounded() {
    let (mut session, _peer) = asked().await;
    speak(&session, 1, "Again.").await;
    assert_eq!(failed(&mut session, 1).await.kind, FailureKind::BadRequest);
    speak(&session, 2, &"x".repeat(wire::MAX_TEXT_CHARS + 1)).await;
    assert_eq!(failed(&mut session, 2).await.kind, FailureKind::BadRequest);
    for id in 10..50 {
        speak(&session, id, "More.").await;
    }
    let failure = failed(&mut session, 44).await;
    assert_eq!(failure.kind, FailureKind::RateLimited { retry_after: None });
}

#[tokio::test]
async fn a_dropped_input_ends_the_session_when_everything_has_been_said() {
    let (VoiceSession { input, mut events, .. }, mut peer) = asked().await;
    drop(input);
    peer.send(HEAD).await;
    peer.chunk([1, 2]).await;
    peer.chunk("").await;
    assert_eq!(soon(events.recv()).await, Some(audio(1, &[1, 2])));
    assert_eq!(soon(events.recv()).await, Some(finished(1)));
    assert_eq!(soon(events.recv()).await, None);
}

#[tokio::test]
async fn close_and_a_dropped_session_drop_the_request() {
    let (mut session, mut peer) = asked().await;
    session.input.send(VoiceInput::Close).await.unwrap();
    assert_eq!(soon(session.events.recv()).await, None);
    peer.gone().await;
    let (session, mut peer) = asked().await;
    drop(session);
    peer.gone().await;
}

#[test]
fn the_key_is_not_in_the_debug_text() {
    assert!(!format!("{:?}", client(&"http://127.0.0.1:1".parse().unwrap())).contains("sk-key"));
}
