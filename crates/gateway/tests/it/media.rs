//! Media sockets that behave.

use crate::world::{AUTH_TOKEN, PUBLIC_URL, World, media, stop};
use bytes::Bytes;
use seiketsu_domain::AudioFormat;
use seiketsu_session::Arrival;
use seiketsu_session::{DoorInput, DoorOutput, Refused, twilio_signature};
use std::time::Duration;

const SID: &str = "CA0123456789abcdef0123456789abcdef";

#[tokio::test]
async fn a_call_speaks_the_whole_protocol_in_both_directions() {
    let mut world = World::new().await;
    let (mut socket, begin, mut session) = world.call(SID, "MZ1").await;
    assert_eq!(begin.open.scope, world.a.scope);
    assert_eq!(begin.open.agent, world.a.agent);
    assert_eq!(begin.open.caller.unwrap().expose().as_str(), "+15125550199");
    assert_eq!(begin.open.arrival, Arrival::New);
    assert_eq!((begin.format, begin.vendor_call_sid.as_deref()), (AudioFormat::Mulaw8k, Some(SID)));

    socket.say(media("MZ1", 0, &[1; 160])).await;
    assert_eq!(session.heard().await, DoorInput::Audio(Bytes::from_static(&[1; 160])));
    socket.say(media("MZ1", 60, &[2; 160])).await;
    let mut padded = vec![0xFF; 320];
    padded.extend_from_slice(&[2; 160]);
    assert_eq!(session.heard().await, DoorInput::Audio(padded.into()), "two frames were lost");
    socket.say(r##"{"event":"dtmf","streamSid":"MZ1","sequenceNumber":"5","dtmf":{"track":"inbound_track","digit":"#"}}"##).await;
    assert_eq!(session.heard().await, DoorInput::Digit('#'));

    session.says(DoorOutput::Audio(Bytes::from_static(&[0x7F, 0xFF]))).await;
    assert_eq!(socket.hear().await, r#"{"event":"media","streamSid":"MZ1","media":{"payload":"f/8="}}"#);
    session.says(DoorOutput::Mark(7)).await;
    assert_eq!(socket.hear().await, r#"{"event":"mark","streamSid":"MZ1","mark":{"name":"7"}}"#);
    socket.say(r#"{"event":"mark","sequenceNumber":"4","streamSid":"MZ1","mark":{"name":"7"}}"#).await;
    assert_eq!(session.heard().await, DoorInput::Mark(7));
    session.says(DoorOutput::Clear).await;
    assert_eq!(socket.hear().await, r#"{"event":"clear","streamSid":"MZ1"}"#);

    socket.say(stop("MZ1")).await;
    assert_eq!(session.heard().await, DoorInput::HungUp);
    drop(session);
    assert_eq!(socket.closed().await, (1000, "stopped".into()));
    world.close().await;
}

#[tokio::test]
async fn a_long_stretch_of_speech_leaves_in_messages_of_bearable_size() {
    let mut world = World::new().await;
    let (mut socket, _, session) = world.call(SID, "MZ1").await;
    session.says(DoorOutput::Audio(vec![0x55; 100_000].into())).await;
    session.says(DoorOutput::Mark(1)).await;
    let (mut payload_chars, mut messages) = (0, 0);
    loop {
        let text = socket.hear().await;
        assert!(text.len() < 32 * 1_024);
        let Some((_, rest)) = text.split_once(r#""payload":""#) else { break };
        payload_chars += rest.len() - r#""}}"#.len();
        messages += 1;
    }
    assert_eq!((payload_chars / 4 * 3 / 1_000, messages), (100, 9));
}

#[tokio::test]
async fn when_the_agent_ends_the_call_the_socket_is_closed_after_what_was_said() {
    let mut world = World::new().await;
    let (mut socket, _, session) = world.call(SID, "MZ1").await;
    session.says(DoorOutput::Audio(Bytes::from_static(&[1; 160]))).await;
    session.says(DoorOutput::Close).await;
    assert!(socket.hear().await.contains("payload"));
    assert_eq!(socket.closed().await, (1000, "agent_done".into()));
    drop(session);
    world.close().await;
}

#[tokio::test]
async fn a_session_that_vanishes_closes_its_socket_as_a_fault_of_ours() {
    let mut world = World::new().await;
    let (mut socket, _, session) = world.call(SID, "MZ1").await;
    drop(session);
    assert_eq!(socket.closed().await, (1011, "session_lost".into()));
}

#[tokio::test]
async fn a_cut_call_comes_back_to_its_record_with_its_history() {
    let mut world = World::new().await;
    let (socket, begin, mut session) = world.call(SID, "MZ1").await;
    socket.cut();
    assert_eq!(session.heard().await, DoorInput::Cut);
    drop(session);
    world.switchboard.ended(begin.open.call_id);

    let parameters = [("CallSid", SID), ("CallStatus", "in-progress")];
    let token = world.twilio("/twilio/after?attempt=1", &parameters).await.token();
    let mut socket = world.socket().await;
    socket.start(SID, "MZ2", &token).await;
    let (again, _door) = world.answered().await;
    assert_eq!(again.open.call_id, begin.open.call_id);
    assert_eq!(again.open.arrival, Arrival::Cut);
    assert_eq!(world.calls_of(&world.a).await[0].resumed, 1);
}

#[tokio::test]
async fn a_socket_that_falls_silent_is_asked_and_then_given_up() {
    let media = seiketsu_gateway::MediaLimits { ping_after: Duration::from_millis(20), ..Default::default() };
    let mut world = World::with(media).await;
    let (mut socket, _, mut session) = world.call(SID, "MZ1").await;
    // Whoever reads its socket answers pings; this one does not read.
    assert_eq!(session.heard().await, DoorInput::Cut);
    drop(session);
    assert_eq!(socket.closed().await, (1008, "idle".into()));
}

#[tokio::test]
async fn an_upgrade_is_signed_rightly_or_not_at_all() {
    let world = World::new().await;
    let no_parameters: [(&str, &str); 0] = [];
    let url = format!("{}/twilio/media", PUBLIC_URL.replace("https", "wss"));
    let right = twilio_signature::sign(AUTH_TOKEN, &url, &no_parameters);
    let wrong = twilio_signature::sign("54321", &url, &no_parameters);
    assert!(world.try_socket(Some(&right)).await.is_ok());
    assert!(world.try_socket(None).await.is_ok());
    assert_eq!(world.try_socket(Some(&wrong)).await.err().unwrap(), 403);
    assert_eq!(world.get("/twilio/media", None).await.problem(), (426, "websocket-only".into()));
}

#[tokio::test]
async fn a_replica_that_takes_no_calls_says_so_and_the_call_can_come_back() {
    let mut world = World::new().await;
    let to = world.a.number.to_string();
    for (refusal, closed) in [
        ((|| Refused::Draining) as fn() -> Refused, (1012, "draining".to_owned())),
        (|| Refused::Full, (1013, "full".to_owned())),
    ] {
        world.switchboard.refuse(refusal);
        let token = world.ring(SID, &to).await.token();
        let mut socket = world.socket().await;
        socket.start(SID, "MZ1", &token).await;
        assert_eq!(socket.closed().await, closed);
    }
    assert!(world.nobody_answered());
    let parameters = [("CallSid", SID), ("CallStatus", "in-progress")];
    world.twilio("/twilio/after?attempt=1", &parameters).await.token();
}
