//! Whole services failing, seen from outside.

use crate::{
    scribe,
    socket::{MOMENT, Raw},
    support::World,
};
use futures_util::StreamExt;
use seiketsu_sandbox::{Outage, OutageFault, Profile, RequestKind, Service};
use serde_json::{Value, json};
use std::time::Duration;
use tokio_tungstenite::tungstenite::{Error, Message};

const LISTEN: &str = "/v1/listen?encoding=mulaw&sample_rate=8000&endpointing=300";
const REALTIME: &str = "/v1/speech-to-text/realtime?model_id=m&audio_format=ulaw_8000";
const SPEAK: &str = "/v1/text-to-speech/voice/multi-stream-input?output_format=ulaw_8000";

/// What becomes of a new request.
#[derive(Debug, PartialEq)]
enum Seen {
    Answered,
    Limited(String),
    /// Broken, or filled with noise.
    Broken,
    Silent,
}

async fn ask(world: &World, service: Service) -> Seen {
    let answer = async {
        match service {
            Service::Deepgram => open(world, LISTEN, ("authorization", "Token key")).await,
            Service::Scribe => open(world, REALTIME, ("xi-api-key", "key")).await,
            Service::ElevenLabs => open(world, SPEAK, ("xi-api-key", "key")).await,
            Service::Transcription => {
                fetch(world.transcription(&[0; 800], &[("model", "gpt-4o-transcribe")])).await
            }
            Service::Model => fetch(world.completion()).await,
            Service::Speech => fetch(world.speech("Yes.")).await,
        }
    };
    // Longer than anything that works takes; the first text of a voice is synthesised.
    tokio::time::timeout(MOMENT * 4, answer).await.unwrap_or(Seen::Silent)
}

async fn open(world: &World, path: &str, header: (&'static str, &'static str)) -> Seen {
    match Raw::connect(world, path, header).await {
        Ok(_) => Seen::Answered,
        Err(Error::Http(response)) if response.status() == 429 => {
            Seen::Limited(response.headers()["retry-after"].to_str().unwrap().to_owned())
        }
        Err(Error::Http(response)) => panic!("{}", response.status()),
        Err(_) => Seen::Broken,
    }
}

async fn fetch(request: reqwest::RequestBuilder) -> Seen {
    match request.send().await {
        Ok(response) if response.status() == 429 => {
            Seen::Limited(response.headers()["retry-after"].to_str().unwrap().to_owned())
        }
        Ok(response) => {
            assert_eq!(response.status(), 200);
            response.bytes().await.map_or(Seen::Broken, |_| Seen::Answered)
        }
        Err(_) => Seen::Broken,
    }
}

fn is_socket(service: Service) -> bool {
    matches!(service, Service::Deepgram | Service::Scribe | Service::ElevenLabs)
}

#[tokio::test]
async fn every_fault_of_every_service_is_seen_by_new_requests_and_is_over_when_it_is_cleared() {
    let world = World::start(Profile::Zero).await;
    // What is spoken once is not synthesised again.
    assert_eq!(ask(&world, Service::Speech).await, Seen::Answered);
    for service in Service::ALL {
        for (fault, expected) in [
            (OutageFault::Refused, Seen::Broken),
            (OutageFault::Hung, Seen::Silent),
            (OutageFault::Slow, Seen::Silent),
            (OutageFault::Garbage, Seen::Broken),
            (OutageFault::RateLimited, Seen::Limited("1".to_owned())),
            // A handshake succeeds; an answer stops in the middle.
            (OutageFault::HalfOpen, if is_socket(service) { Seen::Answered } else { Seen::Silent }),
        ] {
            world.out(service, fault);
            assert_eq!(ask(&world, service).await, expected, "{service:?} {fault:?}");
            for other in Service::ALL.into_iter().filter(|other| *other != service) {
                assert_eq!(ask(&world, other).await, Seen::Answered, "{other:?} while {service:?} {fault:?}");
            }
            world.clear();
            assert_eq!(ask(&world, service).await, Seen::Answered, "{service:?} after {fault:?}");
        }
    }
    let counts = world.sandbox.conduct().counts();
    assert_eq!(counts.outages[&Service::Model][&OutageFault::Hung], 1);
    assert_eq!(counts.requests[&RequestKind::Generation].rate_limited, 1);
}

async fn sockets(world: &World) -> [(Service, Raw); 3] {
    let mut scribe = Raw::connect(world, REALTIME, ("xi-api-key", "key")).await.unwrap();
    assert_eq!(scribe.next().await["message_type"], "session_started");
    [
        (Service::Deepgram, Raw::connect(world, LISTEN, ("authorization", "Token key")).await.unwrap()),
        (Service::Scribe, scribe),
        (Service::ElevenLabs, Raw::connect(world, SPEAK, ("xi-api-key", "key")).await.unwrap()),
    ]
}

#[tokio::test]
async fn a_server_that_is_gone_breaks_its_open_sockets() {
    let world = World::start(Profile::Zero).await;
    for (service, mut socket) in sockets(&world).await {
        world.out(service, OutageFault::Refused);
        let next = socket.0.next().await;
        assert!(matches!(next, Some(Err(_)) | None), "{service:?}: {next:?}");
    }
}

#[tokio::test]
async fn open_sockets_of_a_hung_or_half_open_server_fall_silent_and_stay_so() {
    let world = World::start(Profile::Zero).await;
    for fault in [OutageFault::Hung, OutageFault::HalfOpen] {
        for (service, mut socket) in sockets(&world).await {
            world.out(service, fault);
            socket.send(Message::Ping(Vec::new().into())).await;
            assert!(socket.is_silent().await, "{service:?} {fault:?}");
            // Whoever serves the socket loses patience and leaves it; its peer must not notice.
            world.clock.advance(Duration::from_secs(200));
            world.clear();
            assert!(socket.is_silent().await, "{service:?} {fault:?}");
            assert_eq!(ask(&world, service).await, Seen::Answered, "a new one works");
        }
    }
}

#[tokio::test]
async fn noise_comes_over_open_sockets_where_answers_would() {
    let world = World::start(Profile::Zero).await;
    for (service, mut socket) in sockets(&world).await {
        world.out(service, OutageFault::Garbage);
        assert!(socket.is_silent().await, "{service:?}: nothing was asked");
        socket.send(Message::Ping(Vec::new().into())).await;
        let next = socket.0.next().await;
        assert!(matches!(next, Some(Err(Error::Protocol(_)))), "{service:?}: {next:?}");
    }
    // A socket over which nothing was said meanwhile is as good as new.
    world.clear();
    let [_, _, (service, mut socket)] = sockets(&world).await;
    world.out(service, OutageFault::Garbage);
    world.clear();
    socket.ping().await;
}

#[tokio::test]
async fn open_sockets_of_vendors_that_can_say_so_are_told_of_a_rate_limit() {
    let world = World::start(Profile::Zero).await;
    let speech = world.caller_says("Hello there.").await;
    let [_, (_, mut scribe), (_, mut voice)] = sockets(&world).await;
    world.out(Service::Scribe, OutageFault::RateLimited);
    let mut mulaw = Vec::new();
    seiketsu_audio::g711::mulaw_encode(&speech, &mut mulaw);
    scribe.send_json(scribe::chunk(&mulaw, true)).await;
    let (messages, code, _) = scribe.until_close().await;
    assert_eq!((messages.last().unwrap()["message_type"].as_str(), code), (Some("rate_limited"), 1008));
    world.out(Service::ElevenLabs, OutageFault::RateLimited);
    voice.send_json(json!({ "text": "Hello. ", "context_id": "c1", "flush": true })).await;
    let (messages, code, _) = voice.until_close().await;
    assert_eq!((messages[0]["error"].as_str(), code), (Some("rate_limit_exceeded"), 1008));
}

#[tokio::test]
async fn an_answer_that_is_being_given_falls_silent_when_its_server_does() {
    let world = World::start(Profile::Zero).await;
    world.sandbox.conduct().change(|behaviour| behaviour.delays.token_ms = 50);
    let mut answer = world.completion().send().await.unwrap().bytes_stream();
    assert!(answer.next().await.is_some());
    world.out(Service::Model, OutageFault::HalfOpen);
    let rest = async { while let Some(Ok(_)) = answer.next().await {} };
    assert!(tokio::time::timeout(MOMENT, rest).await.is_err());
}

#[tokio::test]
async fn an_outage_ends_by_itself_when_its_time_is_up() {
    let world = World::start(Profile::Zero).await;
    let control = world.sandbox.control();
    let outage = json!({ "service": "elevenlabs", "fault": "rate_limited", "for_ms": 60_000,
        "retry_after_seconds": 7 });
    let change = json!({ "outages": [outage] });
    let shown: Value =
        world.http.post(control.clone()).json(&change).send().await.unwrap().json().await.unwrap();
    let left = shown["outages"][0]["for_ms"].as_u64().unwrap();
    assert!((50_000..=60_000).contains(&left), "{shown}");
    assert_eq!(ask(&world, Service::ElevenLabs).await, Seen::Limited("7".to_owned()));
    world.clock.advance(Duration::from_mins(1));
    assert_eq!(ask(&world, Service::ElevenLabs).await, Seen::Answered);
    let shown: Value = world.http.get(control).send().await.unwrap().json().await.unwrap();
    assert_eq!(shown["outages"], json!([]));
}

#[tokio::test]
async fn outages_that_make_no_sense_are_refused() {
    let world = World::start(Profile::Zero).await;
    for outages in [
        json!([{ "service": "twilio", "fault": "hung" }]),
        json!([{ "service": "model", "fault": "on_fire" }]),
        json!([{ "service": "model", "fault": "hung", "for_ms": -1 }]),
        json!(vec![json!({ "service": "model", "fault": "hung" }); 7]),
    ] {
        let change = json!({ "outages": outages });
        let status = world.http.post(world.sandbox.control()).json(&change).send().await.unwrap().status();
        assert!(status.is_client_error(), "{change}: {status}");
    }
    assert_eq!(world.sandbox.conduct().behaviour().outages, []);
}

#[tokio::test]
async fn counts_are_read_from_outside() {
    let world = World::start(Profile::Zero).await;
    world.out(Service::Speech, OutageFault::RateLimited);
    assert_eq!(ask(&world, Service::Speech).await, Seen::Limited("1".to_owned()));
    let url = world.url("/sandbox/injected/counts");
    let counts: Value = world.http.get(url).send().await.unwrap().json().await.unwrap();
    assert_eq!(counts["requests"]["speech"]["requests"], 1);
    assert_eq!(counts["requests"]["speech"]["rate_limited"], 1);
    assert_eq!(counts["outages"]["speech"]["rate_limited"], 1);
}

#[tokio::test]
async fn stopping_ends_silent_connections_as_well() {
    let world = World::start(Profile::Zero).await;
    let [(_, mut deepgram), _, _] = sockets(&world).await;
    world.out(Service::Deepgram, OutageFault::Hung);
    world.sandbox.conduct().change(|behaviour| {
        behaviour.outages.push(Outage::new(Service::Model, OutageFault::Hung));
    });
    let mut hung = Box::pin(world.completion().send());
    assert!(tokio::time::timeout(MOMENT, &mut hung).await.is_err());
    world.sandbox.stop();
    while let Some(Ok(_)) = deepgram.0.next().await {}
    assert!(hung.await.is_err());
    world.tasks.close();
    tokio::time::timeout(Duration::from_secs(30), world.tasks.wait()).await.expect("every task has ended");
}
