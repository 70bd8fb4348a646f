use super::*;
use async_trait::async_trait;
use seiketsu_domain::{AudioFormat, Clock, Language, SystemClock, VoiceChoice};
use seiketsu_providers::{
    failover::{Failover, Patience, Probe, Service},
    failure::Vendor,
};
use seiketsu_testkit::FakeClock;
use std::sync::Arc;
use tokio::sync::mpsc;

/// Never asked here: the links are opened by the test.
#[derive(Debug)]
struct Nobody;

#[async_trait]
impl Voice for Nobody {
    async fn open(&self, _: VoiceOptions) -> Result<VoiceSession, Failure> {
        Err(Failure::new(Vendor::ElevenLabs, FailureKind::Unreachable, "refused by the test"))
    }
}

#[async_trait]
impl Probe for Nobody {
    async fn probe(&self) -> Result<(), Failure> {
        Ok(())
    }
}

const FORMAT: AudioFormat = AudioFormat::Mulaw8k;

fn mouth() -> Mouth {
    mouth_at(Arc::new(SystemClock::new()))
}

fn mouth_at(clock: Arc<dyn Clock>) -> Mouth {
    let failover = Failover::new(clock);
    let service = |endpoint: &str, vendor| Service {
        endpoint: endpoint.to_owned(),
        vendor,
        client: Arc::new(Nobody) as Arc<dyn Voice>,
        patience: Patience::STREAMING,
        probe: Arc::new(Nobody),
    };
    let first = service("elevenlabs", Vendor::ElevenLabs);
    let routes = Routes::new(&failover, Kind::Voice, first, [service("openai", Vendor::OpenAi)]);
    let voice =
        VoiceChoice { voice_id: "v".to_owned(), model: "m".to_owned(), stability: 0.5, similarity: 0.5 };
    let options = VoiceOptions { voice, language: Language::En, format: FORMAT };
    Mouth::new(TenantId::from_uuid(uuid::Uuid::nil()), options, routes)
}

/// Opens the link that is wanted; returns the endpoint, what came of it, and the vendor's end.
fn open(mouth: &mut Mouth) -> (String, Spoken, mpsc::Receiver<VoiceInput>, mpsc::Sender<VoiceEvent>) {
    let route = mouth.wants_opening().expect("it wants a link").route;
    let endpoint = route.health.endpoint().to_owned();
    let ((input, asked), (said, events)) = (mpsc::channel(8), mpsc::channel(8));
    let spoken = mouth.opened(route, Ok(VoiceSession { format: FORMAT, input, events }));
    (endpoint, spoken, asked, said)
}

fn say(mouth: &mut Mouth, id: u64) {
    let spoken = mouth.speak(SynthesisId(id), format!("phrase {id}"), false);
    assert!(spoken.events.is_empty(), "it waits for a link");
}

#[test]
fn phrases_that_waited_for_a_link_that_is_dead_on_arrival_go_to_the_next_one() {
    let mut mouth = mouth();
    (0..3).for_each(|id| say(&mut mouth, id));
    let route = mouth.wants_opening().expect("it wants a link").route;
    let ((input, _), (_said, events)) = (mpsc::channel(8), mpsc::channel(8));
    let spoken = mouth.opened(route, Ok(VoiceSession { format: FORMAT, input, events }));
    assert_eq!(spoken.events, [(SynthesisId(0), SynthesisEvent::Failed)], "the engine asks for it again");
    let (endpoint, spoken, mut asked, _said) = open(&mut mouth);
    assert_eq!(endpoint, "openai");
    assert!(spoken.events.is_empty() && spoken.failure.is_none());
    let ids: Vec<u64> = std::iter::from_fn(|| asked.try_recv().ok())
        .filter_map(|input| if let VoiceInput::Speak { id, .. } = input { Some(id.0) } else { None })
        .collect();
    assert_eq!(ids, [1, 2], "in order");
}

#[test]
fn a_link_that_fell_silent_in_mid_phrase_is_left_with_the_phrase_and_one_that_speaks_is_not() {
    let clock = FakeClock::new();
    let mut mouth = mouth_at(Arc::clone(&clock) as Arc<dyn Clock>);
    let (_, _, _asked, _said) = open(&mut mouth);
    say(&mut mouth, 0);
    let sound = || {
        let audio = bytes::Bytes::from_static(&[0x80; 1_600]);
        Some(VoiceEvent::Audio { id: voice::SynthesisId(0), audio, alignment: Vec::new() })
    };
    mouth.event(sound(), clock.monotonic());
    clock.advance(Duration::from_millis(300));
    assert!(mouth.cancel(SynthesisId(0)).failure.is_none());
    assert!(mouth.link.is_some(), "it had just spoken");
    say(&mut mouth, 0);
    mouth.event(sound(), clock.monotonic());
    clock.advance(Duration::from_millis(500));
    mouth.cancel(SynthesisId(0));
    assert!(mouth.link.is_none());
    say(&mut mouth, 1);
    let (endpoint, ..) = open(&mut mouth);
    assert_eq!(endpoint, "openai", "what follows goes elsewhere");
}
