use super::*;
use async_trait::async_trait;
use seiketsu_call::VoiceActivity;
use seiketsu_domain::{AudioFormat, CallTime, Clock, Language};
use seiketsu_providers::{
    failover::{Failover, Patience, Probe, Service},
    failure::Vendor,
};
use std::sync::{Arc, Mutex};
use tokio::sync::mpsc;

#[derive(Debug, Default)]
struct StoppedClock(Mutex<Duration>);

impl Clock for StoppedClock {
    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::UNIX_EPOCH
    }
    fn monotonic(&self) -> Duration {
        *self.0.lock().unwrap()
    }
}

/// Never asked here: the links are opened by the test.
#[derive(Debug)]
struct Nobody;

#[async_trait]
impl Recogniser for Nobody {
    async fn open(&self, _: RecogniserOptions) -> Result<RecogniserSession, Failure> {
        Err(refused())
    }
}

#[async_trait]
impl Probe for Nobody {
    async fn probe(&self) -> Result<(), Failure> {
        Ok(())
    }
}

fn refused() -> Failure {
    Failure::new(Vendor::Deepgram, FailureKind::Unreachable, "refused by the test")
}

/// The vendor's end of a link.
struct Ear {
    input: mpsc::Receiver<RecogniserInput>,
    _events: mpsc::Sender<RecognitionEvent>,
}

impl Ear {
    /// What has arrived: the bytes of audio, and how often it was asked for its last words.
    fn heard(&mut self) -> (Vec<u8>, usize) {
        let (mut audio, mut asked) = (Vec::new(), 0);
        while let Ok(input) = self.input.try_recv() {
            match input {
                RecogniserInput::Audio(piece) => audio.extend_from_slice(&piece),
                RecogniserInput::Finalize => asked += 1,
                RecogniserInput::Close => {}
            }
        }
        (audio, asked)
    }
}

struct World {
    clock: Arc<StoppedClock>,
    listener: Listener,
    audio_clock: AudioClock,
    frames: u8,
}

impl World {
    fn new() -> Self {
        let clock = Arc::new(StoppedClock::default());
        let failover = Failover::new(Arc::clone(&clock) as Arc<dyn Clock>);
        let service = |endpoint: &str, vendor, patience| Service {
            endpoint: endpoint.to_owned(),
            vendor,
            client: Arc::new(Nobody) as Arc<dyn Recogniser>,
            patience,
            probe: Arc::new(Nobody),
        };
        let routes = Routes::new(
            &failover,
            Kind::Recogniser,
            service("deepgram", Vendor::Deepgram, Patience::STREAMING),
            [
                service("elevenlabs", Vendor::ElevenLabs, Patience::STREAMING),
                service("openai", Vendor::OpenAi, Patience::BATCH),
            ],
        );
        let options = RecogniserOptions {
            format: AudioFormat::Mulaw8k,
            language: Language::En,
            endpointing_ms: 250,
            keyterms: Vec::new(),
        };
        let listener = Listener::new(options, routes, Duration::ZERO);
        Self { clock, listener, audio_clock: AudioClock::default(), frames: 0 }
    }

    fn now(&self) -> Duration {
        self.clock.monotonic()
    }

    fn wait(&self, ms: u64) {
        *self.clock.0.lock().unwrap() += Duration::from_millis(ms);
    }

    /// Opens what the listener wants opened; it must want that at once and at this endpoint.
    fn open(&mut self, endpoint: &str) -> Ear {
        let Opening { route, delay } = self.listener.wants_opening().expect("it wants a link");
        assert_eq!((route.health.endpoint(), delay), (endpoint, Duration::ZERO));
        let ((input, input_end), (events, event_end)) = (mpsc::channel(64), mpsc::channel(64));
        let session = RecogniserSession { input, events: event_end };
        let heard = self.listener.opened(route, Ok(session), self.now());
        assert!(heard.failure.is_none() && heard.input.is_none());
        Ear { input: input_end, _events: events }
    }

    fn refuse(&mut self) -> String {
        self.refuse_with(refused())
    }

    fn refuse_with(&mut self, failure: Failure) -> String {
        let opening = self.listener.wants_opening().expect("it wants a link");
        let endpoint = opening.route.health.endpoint().to_owned();
        self.listener.opened(opening.route, Err(failure), self.now());
        endpoint
    }

    /// The caller is on the line for so long; returns what was sent.
    fn audio(&mut self, ms: u64) -> Vec<u8> {
        let mut sent = Vec::new();
        for _ in 0..ms / 20 {
            self.wait(20);
            self.frames = self.frames.wrapping_add(1);
            let frame = vec![self.frames; 160];
            sent.extend_from_slice(&frame);
            self.audio_clock.received(20_000, CallTime::from_micros(self.now().as_micros() as u64));
            let heard = self.listener.audio(frame.into(), 20_000, self.now());
            assert!(heard.failure.is_none());
        }
        sent
    }

    fn speaks(&mut self) {
        let at = CallTime::from_micros(self.now().as_micros() as u64);
        self.listener.voice(VoiceActivity::Began { at }, self.now());
    }

    fn pauses(&mut self) {
        let at = CallTime::from_micros(self.now().as_micros() as u64);
        self.listener.voice(VoiceActivity::Ended { at }, self.now());
    }

    /// Words of the open stream up to here are final.
    fn understood(&mut self, text: &str, end_ms: u64, from_finalize: bool) -> Heard {
        let event = RecognitionEvent::Final {
            text: text.to_owned(),
            speech_final: false,
            from_finalize,
            start_ms: 0,
            end_ms,
            confidence: Some(0.9),
        };
        self.listener.event(Some(event), &self.audio_clock, self.now())
    }

    fn due_ms(&self) -> Option<u128> {
        self.listener.due(self.now()).map(|due| due.as_millis())
    }
}

#[test]
fn a_question_without_an_answer_moves_the_call_to_the_next_route_which_hears_the_words_again() {
    let mut world = World::new();
    let mut first = world.open("deepgram");
    world.speaks();
    let spoken = world.audio(900);
    world.pauses();
    world.audio(200);
    world.listener.flush(world.now());
    assert_eq!(first.heard().1, 1);
    assert_eq!(world.due_ms(), Some(720), "then a probe is to find out why");
    world.wait(720);
    assert!(world.listener.check(world.now()).failure.is_none());
    assert_eq!(world.due_ms(), Some(480));
    world.wait(479);
    assert!(world.listener.check(world.now()).failure.is_none(), "it still may answer");
    world.wait(1);
    let heard = world.listener.check(world.now());
    assert_eq!(heard.failure.map(|failure| failure.kind), Some(FailureKind::Timeout));
    assert!(heard.input.is_none(), "the engine hears nothing of it");
    let mut second = world.open("elevenlabs");
    let (audio, asked) = second.heard();
    assert!(audio.starts_with(&spoken), "all of the utterance");
    assert_eq!(asked, 1, "and the question");
    let heard = world.understood("two bedrooms", 1_100, true);
    let Some(Input::Heard { text, until, settled: true }) = heard.input else { panic!("{heard:?}") };
    assert_eq!((text.as_str(), until.as_millis()), ("two bedrooms", 1_100), "placed where it was spoken");
}

#[test]
fn words_that_were_final_are_not_heard_twice() {
    let mut world = World::new();
    let _first = world.open("deepgram");
    world.speaks();
    world.audio(600);
    world.understood("i am looking", 600, false);
    let rest = world.audio(400);
    let heard =
        world.listener.event(Some(RecognitionEvent::Failed(refused())), &world.audio_clock, world.now());
    assert!(heard.input.is_none());
    let mut second = world.open("elevenlabs");
    assert_eq!(second.heard().0, rest);
    let heard = world.understood("for a house", 400, true);
    let Some(Input::Heard { until, .. }) = heard.input else { panic!("{heard:?}") };
    assert_eq!(until.as_millis(), 1_000, "the new stream began in the middle of the call");
}

#[test]
fn a_recogniser_that_says_nothing_while_somebody_speaks_is_given_up_in_less_than_two_seconds() {
    let mut world = World::new();
    let mut first = world.open("deepgram");
    world.speaks();
    let began = world.now();
    world.audio(1_000);
    assert!(world.listener.check(world.now()).failure.is_none());
    assert_eq!(first.heard().1, 1, "it is asked first");
    world.audio(880);
    assert!(world.listener.check(world.now()).failure.is_none());
    world.audio(20);
    assert!(world.listener.check(world.now()).failure.is_some());
    assert!(world.now().saturating_sub(began) < Duration::from_secs(2));
    let mut second = world.open("elevenlabs");
    let (audio, asked) = second.heard();
    assert_eq!((audio.len(), asked), (1_900 * 8, 0), "nobody had asked for the last words");
}

#[test]
fn a_recogniser_that_answers_the_check_keeps_the_utterance_open() {
    let mut world = World::new();
    let _first = world.open("deepgram");
    world.speaks();
    world.audio(1_000);
    world.listener.check(world.now());
    let heard = world.understood("mumble", 900, true);
    let Some(Input::Heard { settled, .. }) = heard.input else { panic!("{heard:?}") };
    assert!(!settled, "nobody but us asked");
    assert_eq!(world.due_ms(), Some(1_000), "it is listened to as before");
}

#[test]
fn every_route_is_tried_before_anybody_waits_and_the_engine_is_told_after_two_seconds() {
    let mut world = World::new();
    let tried = [world.refuse(), world.refuse(), world.refuse()];
    assert_eq!(tried, ["deepgram", "elevenlabs", "openai"]);
    let opening = world.listener.wants_opening().expect("it goes on");
    assert!(opening.delay > Duration::ZERO);
    world.wait(1_999);
    assert!(world.listener.check(world.now()).input.is_none());
    world.wait(1);
    assert_eq!(world.listener.check(world.now()).input, Some(Input::RecogniserLost));
    assert_eq!(world.due_ms(), None, "once");
}

#[test]
fn memory_is_bounded_with_and_without_a_link() {
    let mut world = World::new();
    world.audio(20_000);
    assert_eq!(world.listener.kept_us, KEPT_US, "without a link everything is kept for a while");
    let mut ear = world.open("deepgram");
    assert_eq!(ear.heard().0.len(), 15_000 * 8);
    for _ in 0..40 {
        world.audio(1_000);
        ear.heard();
    }
    assert_eq!(world.listener.kept_us, KEPT_SILENCE_US, "in silence little is");
    world.speaks();
    for _ in 0..40 {
        world.audio(1_000);
        ear.heard();
    }
    assert_eq!(world.listener.kept_us, KEPT_US);
}

#[test]
fn a_call_goes_back_to_the_first_choice_between_utterances_once_it_can_be_trusted() {
    let mut world = World::new();
    let refusing = world.listener.wants_opening().expect("a link").route;
    world.listener.opened(refusing.clone(), Err(refused()), world.now());
    let _second = world.open("elevenlabs");
    assert!(world.listener.wants_opening().is_none(), "a refusal without an explanation");
    // Somebody else has found out that it works.
    refusing.health.begin().answered();
    world.speaks();
    assert!(world.listener.wants_opening().is_none(), "not in the middle of speech");
    world.audio(500);
    world.pauses();
    assert!(world.listener.wants_opening().is_none(), "nor before the words are final");
    world.understood("hello", 500, true);
    let _first = world.open("deepgram");
    assert!(world.listener.wants_opening().is_none());
}

#[test]
fn a_route_that_opens_its_breaker_with_its_own_failure_does_not_make_the_next_one_be_skipped() {
    let mut world = World::new();
    let kind = FailureKind::RateLimited { retry_after: Some(Duration::from_secs(20)) };
    let refused = world.refuse_with(Failure::new(Vendor::Deepgram, kind, "refused by the test"));
    assert_eq!([refused, world.refuse(), world.refuse()], ["deepgram", "elevenlabs", "openai"]);
    assert_eq!(world.refuse(), "elevenlabs", "the one whose turn is longest ago, of those that may work");
}

#[test]
fn a_link_to_the_second_choice_that_dies_is_followed_by_the_best_that_has_not_just_failed() {
    let mut world = World::new();
    world.refuse();
    let _second = world.open("elevenlabs");
    world.understood("hello", 0, false);
    let lost = RecognitionEvent::Failed(refused());
    world.listener.event(Some(lost), &world.audio_clock, world.now());
    let _first = world.open("deepgram");
}

#[test]
fn words_that_may_change_are_placed_where_they_were_spoken_and_never_behind_a_question_without_an_answer() {
    let mut world = World::new();
    let mut first = world.open("deepgram");
    for _ in 0..3 {
        world.audio(1_000);
        first.heard();
    }
    let said_partly = |world: &mut World, end_ms| {
        let event = RecognitionEvent::Partial { text: "two".to_owned(), start_ms: 0, end_ms };
        let heard = world.listener.event(Some(event), &world.audio_clock, world.now());
        let Some(Input::HeardPartly { until: Some(until), .. }) = heard.input else { panic!("{heard:?}") };
        until.as_millis()
    };
    assert_eq!(said_partly(&mut world, 1_000), 1_000);
    world.listener.flush(world.now());
    world.audio(1_000);
    // A vendor that says no more than how much it has been sent.
    assert_eq!(said_partly(&mut world, 4_000), 3_000);
    world.understood("two bedrooms", 3_000, true);
    assert_eq!(said_partly(&mut world, 4_000), 4_000);
}

#[test]
fn audio_goes_out_a_tenth_of_a_second_at_a_time_while_nobody_speaks_and_at_once_otherwise() {
    let mut world = World::new();
    let mut ear = world.open("deepgram");
    let quiet = world.audio(80);
    assert_eq!(ear.heard(), (vec![], 0), "gathered");
    let quiet = [quiet, world.audio(20)].concat();
    assert_eq!(ear.heard(), (quiet, 0));
    let before = world.audio(40);
    world.speaks();
    let speech = world.audio(20);
    assert_eq!(ear.heard(), ([before, speech].concat(), 0), "what was gathered goes first");
    let speech = world.audio(20);
    assert_eq!(ear.heard(), (speech, 0), "and nothing waits any more");
    world.pauses();
    world.understood("yes", 160, false);
    let rest = world.audio(60);
    assert!(world.listener.flush(world.now()).failure.is_none());
    assert_eq!(ear.heard(), (rest, 1), "a question for the last words is asked behind all audio");
}
