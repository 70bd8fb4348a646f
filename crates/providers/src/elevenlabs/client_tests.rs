use super::*;
use crate::{
    AlignedChar, SynthesisId,
    fake::{Fake, SocketPeer, pass, soon},
};
use bytes::Bytes;
use seiketsu_domain::{AudioFormat, Language, VoiceChoice};
use serde_json::Value;
use tokio_tungstenite::tungstenite::Message;

const LONG: Duration = Duration::from_secs(20);
const SHORT: Duration = Duration::from_millis(40);

fn options() -> VoiceOptions {
    let voice = VoiceChoice {
        voice_id: "ada".to_owned(),
        model: "eleven_flash_v2_5".to_owned(),
        stability: 0.5,
        similarity: 0.75,
    };
    VoiceOptions { voice, language: Language::En, format: AudioFormat::Mulaw8k }
}

/// Without any deadline that a test could run into by accident.
fn patient(base_url: Url) -> ElevenLabsConfig {
    ElevenLabsConfig {
        connect_timeout: LONG,
        progress_timeout: LONG,
        keep_alive: LONG,
        ping: LONG,
        ..ElevenLabsConfig::new(base_url, "el-key".into())
    }
}

async fn open_with(change: impl FnOnce(&mut ElevenLabsConfig)) -> (VoiceSession, SocketPeer) {
    let fake = Fake::start().await;
    let mut config = patient(fake.url());
    change(&mut config);
    let client = ElevenLabs::new(config, TaskTracker::new());
    let (session, (_, peer)) = tokio::join!(client.open(options()), fake.accept_websocket());
    (session.unwrap(), peer)
}

async fn open() -> (VoiceSession, SocketPeer) {
    open_with(|_| {}).await
}

async fn speak(session: &VoiceSession, id: u64, text: &str) {
    let speak = VoiceInput::Speak { id: SynthesisId(id), text: text.to_owned() };
    session.input.send(speak).await.unwrap();
}

/// The context and text of the next synthesis that the vendor is asked for; its three messages are checked.
async fn asked_for(peer: &mut SocketPeer) -> (String, String) {
    let open: Value = serde_json::from_str(&peer.text().await).unwrap();
    assert_eq!((&open["text"], &open["voice_settings"]["stability"]), (&" ".into(), &0.5.into()), "{open}");
    let say: Value = serde_json::from_str(&peer.text().await).unwrap();
    assert_eq!(say["flush"], true, "{say}");
    let close: Value = serde_json::from_str(&peer.text().await).unwrap();
    assert_eq!(close["close_context"], true, "{close}");
    assert!(open["context_id"] == say["context_id"] && say["context_id"] == close["context_id"]);
    (say["context_id"].as_str().unwrap().to_owned(), say["text"].as_str().unwrap().to_owned())
}

async fn send_audio(peer: &mut SocketPeer, context: &str, audio: &[u8]) {
    let audio = base64_simd::STANDARD.encode_to_string(audio);
    let alignment = r#"{"chars":["a"],"charStartTimesMs":[3],"charDurationsMs":[7]}"#;
    peer.send(format!(
        r#"{{"audio":"{audio}","isFinal":null,"contextId":"{context}","alignment":{alignment}}}"#
    ))
    .await;
}

async fn send_last(peer: &mut SocketPeer, context: &str) {
    peer.send(format!(r#"{{"audio":null,"isFinal":true,"contextId":"{context}"}}"#)).await;
}

fn audio_event(id: u64, audio: &'static [u8], start_ms: u32) -> VoiceEvent {
    let alignment = vec![AlignedChar { character: 'a', start_ms, duration_ms: 7 }];
    VoiceEvent::Audio { id: SynthesisId(id), audio: Bytes::from_static(audio), alignment }
}

async fn next(session: &mut VoiceSession) -> VoiceEvent {
    soon(session.events.recv()).await.expect("an event")
}

/// The failure that ends a session.
async fn failure(session: &mut VoiceSession) -> Failure {
    let event = next(session).await;
    let VoiceEvent::Failed { id: None, failure } = event else { panic!("{event:?} instead of a failure") };
    assert_eq!(soon(session.events.recv()).await, None, "nothing follows");
    failure
}

async fn refusal(answer: &str) -> Failure {
    let fake = Fake::start().await;
    let client = ElevenLabs::new(patient(fake.url()), TaskTracker::new());
    tokio::join!(client.open(options()), fake.answer(answer)).0.unwrap_err()
}

#[tokio::test]
async fn a_text_becomes_audio_with_times_from_its_start() {
    let fake = Fake::start().await;
    let client = ElevenLabs::new(patient(fake.url()), TaskTracker::new());
    let (session, (asked, mut peer)) = tokio::join!(client.open(options()), fake.accept_websocket());
    let mut session = session.unwrap();
    assert_eq!(asked.uri.path(), "/v1/text-to-speech/ada/multi-stream-input");
    assert_eq!(asked.headers["xi-api-key"], "el-key");

    speak(&session, 7, "Hello there.").await;
    assert_eq!(asked_for(&mut peer).await, ("7".to_owned(), "Hello there. ".to_owned()));
    send_audio(&mut peer, "7", &[1; 80]).await;
    send_audio(&mut peer, "7", &[2; 160]).await;
    send_last(&mut peer, "7").await;
    assert_eq!(next(&mut session).await, audio_event(7, &[1; 80], 3));
    assert_eq!(next(&mut session).await, audio_event(7, &[2; 160], 13));
    assert_eq!(next(&mut session).await, VoiceEvent::Finished { id: SynthesisId(7) });
}

#[tokio::test]
async fn a_cancelled_synthesis_is_closed_and_its_late_audio_dropped() {
    let (mut session, mut peer) = open().await;
    speak(&session, 1, "Never mind.").await;
    asked_for(&mut peer).await;
    session.input.send(VoiceInput::Cancel { id: SynthesisId(1) }).await.unwrap();
    assert_eq!(peer.text().await, r#"{"context_id":"1","close_context":true}"#);
    speak(&session, 2, "This instead.").await;
    asked_for(&mut peer).await;
    send_audio(&mut peer, "1", &[1; 80]).await;
    send_last(&mut peer, "1").await;
    send_audio(&mut peer, "2", &[2; 80]).await;
    assert_eq!(next(&mut session).await, audio_event(2, &[2; 80], 3));
}

#[tokio::test]
async fn a_synthesis_that_gets_nowhere_fails_and_the_session_goes_on() {
    let (mut session, mut peer) = open_with(|config| config.progress_timeout = SHORT).await;
    speak(&session, 1, "Into the void.").await;
    asked_for(&mut peer).await;
    let event = next(&mut session).await;
    let VoiceEvent::Failed { id, failure } = event else { panic!("{event:?} instead of a failure") };
    assert_eq!((id, failure.kind), (Some(SynthesisId(1)), FailureKind::Timeout));
    assert_eq!(peer.text().await, r#"{"context_id":"1","close_context":true}"#);
    speak(&session, 2, "Again.").await;
    asked_for(&mut peer).await;
    send_last(&mut peer, "2").await;
    assert_eq!(next(&mut session).await, VoiceEvent::Finished { id: SynthesisId(2) });
}

/// The patience of a real call.
fn as_in_a_call(config: &mut ElevenLabsConfig) {
    config.progress_timeout =
        ElevenLabsConfig::new(config.base_url.clone(), "el-key".into()).progress_timeout;
}

#[tokio::test]
async fn a_connection_that_goes_half_open_is_noticed_in_less_than_two_seconds() {
    let failed = |event: VoiceEvent| {
        let VoiceEvent::Failed { id, failure } = event else { panic!("{event:?} instead of a failure") };
        (id, failure.kind)
    };
    // Before the first sound.
    let (mut session, mut peer) = open_with(as_in_a_call).await;
    speak(&session, 1, "Hello?").await;
    asked_for(&mut peer).await;
    pass(Duration::from_millis(1_900)).await;
    assert_eq!(failed(next(&mut session).await), (Some(SynthesisId(1)), FailureKind::Timeout));

    // In the middle of a phrase: what came counts as progress, and what was said is kept.
    let (mut session, mut peer) = open_with(as_in_a_call).await;
    speak(&session, 1, "Half of").await;
    asked_for(&mut peer).await;
    for piece in 0..4 {
        pass(Duration::from_millis(800)).await;
        send_audio(&mut peer, "1", &[1; 80]).await;
        assert_eq!(next(&mut session).await, audio_event(1, &[1; 80], 3 + piece * 10));
    }
    pass(Duration::from_millis(1_900)).await;
    assert_eq!(failed(next(&mut session).await), (Some(SynthesisId(1)), FailureKind::Timeout));
}

#[tokio::test]
async fn twenty_phrases_at_once_never_open_more_contexts_than_the_vendor_allows() {
    const PHRASES: u64 = 20;
    const VENDORS_LIMIT: usize = 5;
    let (mut session, mut peer) = open().await;
    for id in 0..PHRASES {
        speak(&session, id, "One of many.").await;
    }
    while session.input.capacity() < session.input.max_capacity() {
        tokio::task::yield_now().await;
    }
    let mut open = std::collections::BTreeSet::new();
    let mut finished = 0;
    while finished < PHRASES {
        // Everything that the client has sent so far is in front of its answer to this.
        futures_util::SinkExt::send(&mut peer.stream, Message::Ping(Bytes::new())).await.unwrap();
        loop {
            let message = soon(futures_util::StreamExt::next(&mut peer.stream)).await.unwrap().unwrap();
            if message.is_pong() {
                break;
            }
            let message: Value = serde_json::from_str(message.to_text().unwrap()).unwrap();
            open.insert(message["context_id"].as_str().unwrap().parse::<u64>().unwrap());
        }
        assert!(open.len() <= VENDORS_LIMIT, "{open:?} at once");
        let oldest = open.pop_first().expect("something is being said until everything has been");
        assert_eq!(oldest, finished, "in the order in which it was asked for");
        send_audio(&mut peer, &oldest.to_string(), &[1; 8]).await;
        send_last(&mut peer, &oldest.to_string()).await;
        assert_eq!(next(&mut session).await, audio_event(oldest, &[1; 8], 3));
        assert_eq!(next(&mut session).await, VoiceEvent::Finished { id: SynthesisId(oldest) });
        finished += 1;
    }
}

#[tokio::test]
async fn a_quiet_session_is_kept_alive() {
    let (_session, mut peer) = open_with(|config| config.keep_alive = SHORT).await;
    assert_eq!(peer.text().await, wire::KEEP_ALIVE);
    assert_eq!(peer.text().await, wire::KEEP_ALIVE);
}

#[tokio::test]
async fn close_ends_the_session_at_once() {
    let (mut session, mut peer) = open().await;
    speak(&session, 1, "Cut off.").await;
    asked_for(&mut peer).await;
    session.input.send(VoiceInput::Close).await.unwrap();
    assert_eq!(peer.text().await, wire::CLOSE_SOCKET);
    assert_eq!(soon(session.events.recv()).await, None);
    peer.gone().await;
}

#[tokio::test]
async fn a_dropped_input_ends_the_session_when_everything_has_been_said() {
    let (session, mut peer) = open().await;
    speak(&session, 1, "To the end.").await;
    let VoiceSession { input, mut events, .. } = session;
    drop(input);
    asked_for(&mut peer).await;
    send_audio(&mut peer, "1", &[1; 80]).await;
    send_last(&mut peer, "1").await;
    assert_eq!(soon(events.recv()).await, Some(audio_event(1, &[1; 80], 3)));
    assert_eq!(soon(events.recv()).await, Some(VoiceEvent::Finished { id: SynthesisId(1) }));
    assert_eq!(peer.text().await, wire::CLOSE_SOCKET);
    assert_eq!(soon(events.recv()).await, None);
}

#[tokio::test]
async fn a_dropped_session_closes_its_connection() {
    let (session, peer) = open().await;
    drop(session);
    peer.gone().await;

    let (VoiceSession { input, events, .. }, peer) = open().await;
    drop(events);
    peer.gone().await;
    soon(input.closed()).await;
}

#[tokio::test]
async fn the_limit_of_contexts_and_the_close_behind_it_are_one_failure() {
    let (mut session, mut peer) = open().await;
    let error = r#"{"message":"Maximum simultaneous contexts exceeded (5).","error":"max_active_conversations","code":1008}"#;
    peer.send(error).await;
    peer.close(1008, "max_active_conversations").await;
    let limited = FailureKind::RateLimited { retry_after: None };
    assert_eq!(failure(&mut session).await.kind, limited);
}

#[tokio::test]
async fn refusals_to_open_are_classified() {
    let body = r#"{"detail":{"status":"invalid_api_key","message":"Invalid API key"}}"#;
    let failure =
        refusal(&format!("HTTP/1.1 401 Unauthorized\r\ncontent-length: {}\r\n\r\n{body}", body.len())).await;
    assert_eq!(failure.kind, FailureKind::Unauthorized);
    assert!(failure.detail.ends_with("Invalid API key"), "{failure}");
    let retry_after = Some(Duration::from_secs(2));
    let limited = "HTTP/1.1 429 Too Many Requests\r\nretry-after: 2\r\ncontent-length: 0\r\n\r\n";
    assert_eq!(refusal(limited).await.kind, FailureKind::RateLimited { retry_after });

    let client = ElevenLabs::new(patient(Fake::nowhere().await), TaskTracker::new());
    assert_eq!(client.open(options()).await.unwrap_err().kind, FailureKind::Unreachable);
    let fake = Fake::start().await;
    let config = ElevenLabsConfig { connect_timeout: SHORT, ..patient(fake.url()) };
    let client = ElevenLabs::new(config, TaskTracker::new());
    assert_eq!(soon(client.open(options())).await.unwrap_err().kind, FailureKind::Timeout);
}

#[tokio::test]
async fn a_half_open_connection_is_noticed() {
    let (mut session, _peer) = open_with(|config| config.ping = SHORT).await;
    assert_eq!(failure(&mut session).await.kind, FailureKind::Timeout);
}

#[tokio::test]
async fn a_close_in_mid_stream_comes_behind_the_audio_before_it() {
    let (mut session, mut peer) = open().await;
    speak(&session, 1, "Half of it.").await;
    asked_for(&mut peer).await;
    send_audio(&mut peer, "1", &[1; 80]).await;
    drop(peer);
    assert_eq!(next(&mut session).await, audio_event(1, &[1; 80], 3));
    assert_eq!(failure(&mut session).await.kind, FailureKind::Closed);
}

#[tokio::test]
async fn garbage_ends_the_session() {
    let garbage = [
        Message::text("{"),
        Message::text(r#"{"audio":"?","contextId":"1"}"#),
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
async fn a_slow_reader_gets_everything_and_can_still_ask_for_more() {
    let (mut session, mut peer) = open().await;
    speak(&session, 1, "A long story.").await;
    asked_for(&mut peer).await;
    let count = EVENT_QUEUE * 3;
    for _ in 0..count {
        send_audio(&mut peer, "1", &[1; 8]).await;
    }
    send_last(&mut peer, "1").await;
    speak(&session, 2, "The moral.").await;
    asked_for(&mut peer).await;
    for piece in 0..count {
        assert_eq!(next(&mut session).await, audio_event(1, &[1; 8], piece as u32 + 3));
    }
    assert_eq!(next(&mut session).await, VoiceEvent::Finished { id: SynthesisId(1) });
}

#[test]
fn the_key_is_not_in_the_debug_text() {
    let client = ElevenLabs::new(patient("http://127.0.0.1:1".parse().unwrap()), TaskTracker::new());
    assert!(!format!("{client:?}").contains("el-key"));
}
