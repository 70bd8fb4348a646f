//! Media sockets that do not behave: each gets a clear answer, and no other call notices.

use crate::world::{World, media, start, stop};
use bytes::Bytes;
use seiketsu_gateway::MediaLimits;
use seiketsu_session::DoorInput;
use std::time::Duration;
use tokio_tungstenite::tungstenite::Message;

const SID: &str = "CA0123456789abcdef0123456789abcdef";
const OTHER_SID: &str = "CAffffffffffffffffffffffffffffffff";

#[tokio::test]
async fn only_a_fresh_token_for_this_very_call_opens_a_socket() {
    let mut world = World::new().await;
    let (to_a, to_b) = (world.a.number.to_string(), world.b.number.to_string());
    let refused = async |world: &World, call_sid: &str, token: &str| {
        let mut socket = world.socket().await;
        socket.start(call_sid, "MZ1", token).await;
        socket.closed().await
    };
    let bad = (1008, "bad_token".to_owned());
    let good = world.ring(SID, &to_a).await.token();
    let (last, other) = (good.len() - 1, if good.ends_with('A') { 'B' } else { 'A' });
    let tampered = format!("{}{other}", &good[..last]);
    let foreign = world.ring(OTHER_SID, &to_b).await.token();
    assert_eq!(refused(&world, SID, "").await, bad);
    assert_eq!(refused(&world, SID, "not.a.token").await, bad);
    assert_eq!(refused(&world, SID, &tampered).await, bad, "one character was changed");
    assert_eq!(refused(&world, SID, &foreign).await, bad, "another tenant's call");
    assert_eq!(refused(&world, OTHER_SID, &good).await, bad, "this call's token with another CallSid");
    world.clock.advance(Duration::from_mins(1));
    assert_eq!(refused(&world, SID, &good).await, bad, "a minute old");
    assert!(world.nobody_answered());

    let fresh = world.ring(SID, &to_a).await.token();
    let mut socket = world.socket().await;
    socket.start(SID, "MZ1", &fresh).await;
    let (begin, door) = world.answered().await;
    assert_eq!(refused(&world, SID, &fresh).await, (1008, "used_token".into()));
    drop(door);
    world.switchboard.ended(begin.open.call_id);
    assert_eq!(
        refused(&world, SID, &fresh).await,
        (1008, "used_token".into()),
        "not even when the call is free again"
    );
    assert!(world.nobody_answered());
}

#[tokio::test]
async fn a_token_used_by_many_sockets_at_once_opens_one() {
    let mut world = World::new().await;
    let to = world.a.number.to_string();
    let token = world.ring(SID, &to).await.token();
    let mut sockets = Vec::new();
    for _ in 0..8 {
        sockets.push(world.socket().await);
    }
    futures_util::future::join_all(sockets.iter_mut().map(|socket| socket.start(SID, "MZ1", &token))).await;
    let (_, _door) = world.answered().await;
    let outcomes =
        futures_util::future::join_all(sockets.iter_mut().map(async |socket| {
            tokio::time::timeout(Duration::from_millis(500), socket.closed()).await.ok()
        }))
        .await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_none()).count(), 1);
    assert_eq!(outcomes.iter().flatten().filter(|(_, reason)| reason == "used_token").count(), 7);
    assert!(world.nobody_answered());
}

#[tokio::test]
async fn a_second_socket_for_a_call_is_refused_and_the_first_is_unharmed() {
    let mut world = World::new().await;
    let (mut first, _, mut session) = world.call(SID, "MZ1").await;
    let to = world.a.number.to_string();
    let token = world.ring(SID, &to).await.token();
    let mut second = world.socket().await;
    second.start(SID, "MZ2", &token).await;
    assert_eq!(second.closed().await, (1008, "already_connected".into()));
    first.say(media("MZ1", 0, &[9; 160])).await;
    assert_eq!(session.heard().await, DoorInput::Audio(Bytes::from_static(&[9; 160])));
}

#[tokio::test]
async fn nonsense_is_passed_over_and_too_much_of_it_ends_the_socket() {
    let mut world = World::new().await;
    let (mut socket, _, mut session) = world.call(SID, "MZ1").await;
    let nonsense: [Message; 12] = [
        "".into(),
        "{".into(),
        "null".into(),
        r#"{"event":"media","streamSid":"MZ1"}"#.into(),
        r#"{"event":"media","streamSid":"MZ1","media":{"timestamp":"0","payload":"%%%"}}"#.into(),
        media("MZ9", 0, &[3; 160]).into(),
        stop("MZ9").into(),
        r#"{"event":"mark","streamSid":"MZ9","mark":{"name":"1"}}"#.into(),
        start(SID, "MZ1", "again").into(),
        r#"{"event":"connected"}"#.into(),
        Message::Binary(Bytes::from_static(&[0; 160])),
        r#"{"event":"dtmf","streamSid":"MZ1","dtmf":{"digit":"%"}}"#.into(),
    ];
    for message in nonsense {
        socket.say(message).await;
    }
    for harmless in [r#"{"event":"novelty","streamSid":"MZ1"}"#.to_owned(), media("MZ1", 0, &[])] {
        for _ in 0..30 {
            socket.say(harmless.clone()).await;
        }
    }
    socket.say(media("MZ1", 0, &[4; 160])).await;
    assert_eq!(
        session.heard().await,
        DoorInput::Audio(Bytes::from_static(&[4; 160])),
        "none of it was delivered"
    );
    for _ in 0..8 {
        socket.shout("{").await;
    }
    assert_eq!(socket.closed().await, (1008, "nonsense".into()));
    assert_eq!(session.heard().await, DoorInput::Cut);
}

#[tokio::test]
async fn a_megabyte_in_one_message_ends_that_socket_and_no_other() {
    let mut world = World::new().await;
    let (mut socket, _, mut session) = world.call(SID, "MZ1").await;
    let (mut other, _, mut other_session) = world.call(OTHER_SID, "MZ2").await;
    socket.shout(media("MZ1", 0, &vec![0x7F; 750_000])).await;
    assert_eq!(session.heard().await, DoorInput::Cut);
    drop(session);
    other.say(media("MZ2", 0, &[5; 160])).await;
    assert_eq!(other_session.heard().await, DoorInput::Audio(Bytes::from_static(&[5; 160])));
}

#[tokio::test]
async fn audio_in_the_future_is_dropped_and_far_in_the_future_ends_the_socket() {
    let mut world = World::new().await;
    let (mut socket, _, mut session) = world.call(SID, "MZ1").await;
    let listening = session.heard_to_the_end();
    let flood = async {
        // Forty seconds of speech at a standing clock.
        for frame in 0..2_000 {
            if !socket.shout(media("MZ1", frame * 20, &[6; 160])).await {
                break;
            }
        }
    };
    let ((audio_ms, rest), ()) = tokio::join!(listening, flood);
    assert_eq!(audio_ms, 5_000, "what is beyond five seconds ahead is nobody's speech");
    assert_eq!(rest, [DoorInput::Cut]);
}

#[tokio::test]
async fn a_minute_of_silence_and_ten_of_talk_pass_in_real_time() {
    let mut world = World::new().await;
    let (mut socket, _, mut session) = world.call(SID, "MZ1").await;
    // A hundred milliseconds at a time: nobody promised twenty.
    let (silence, talk) = ([0xFF; 800], [0x21; 800]);
    for second in 0..660_u64 {
        let audio = if second < 60 { &silence } else { &talk };
        for tenth in 0..10 {
            socket.say(media("MZ1", second * 1_000 + tenth * 100, audio)).await;
        }
        for _ in 0..10 {
            assert_eq!(
                session.heard().await,
                DoorInput::Audio(Bytes::copy_from_slice(audio)),
                "second {second}"
            );
        }
        world.clock.advance(Duration::from_secs(1));
    }
    socket.say(stop("MZ1")).await;
    assert_eq!(session.heard().await, DoorInput::HungUp);
}

#[tokio::test]
async fn a_socket_that_does_not_begin_with_start_is_closed_at_once_and_a_mute_one_in_time() {
    let limits = MediaLimits { start_deadline: Duration::from_millis(50), ..MediaLimits::default() };
    let mut world = World::with(limits).await;
    let no_start = (1008, "no_start".to_owned());
    for first in [Message::Binary(Bytes::from_static(&[1])), "{".into(), media("MZ1", 0, &[1; 160]).into()] {
        let mut socket = world.socket().await;
        socket.say(first).await;
        assert_eq!(socket.closed().await, no_start);
    }
    let mut chatty = world.socket().await;
    for _ in 0..4 {
        chatty.say(r#"{"event":"connected"}"#).await;
    }
    assert_eq!(chatty.closed().await, no_start);
    assert_eq!(world.socket().await.closed().await, no_start, "nothing was said");
    assert!(world.nobody_answered());
    world.close().await;
}

#[tokio::test]
async fn sockets_that_have_shown_no_token_are_limited_and_those_that_have_are_not_counted() {
    let limits = MediaLimits { max_unproven_sockets: 1, ..MediaLimits::default() };
    let mut world = World::with(limits).await;
    let (mut first, _, mut session) = world.call(SID, "MZ1").await;
    let _waiting = world.socket().await;
    assert_eq!(world.try_socket(None).await.err().unwrap(), 503);
    first.say(media("MZ1", 0, &[7; 160])).await;
    assert_eq!(session.heard().await, DoorInput::Audio(Bytes::from_static(&[7; 160])));
}
