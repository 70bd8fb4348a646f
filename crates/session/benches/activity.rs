//! What listening costs: `cargo bench -p seiketsu-session --bench activity`. A figure is for 20 ms of one call.

#![expect(clippy::expect_used, reason = "a benchmark that cannot run must fail loudly")]

use criterion::Criterion;
use seiketsu_audio::g711;
use seiketsu_domain::{AudioFormat, CallTime, Language};
use seiketsu_session::{
    activity::{Activity, AudioClock, FRAME_SAMPLES, Frames},
    echo::Echo,
};
use seiketsu_testkit::corpus::{Corpus, EchoScene, EchoSpec, Kind};
use std::{hint::black_box, time::Duration};

const FORMAT: AudioFormat = AudioFormat::Mulaw8k;

fn scene() -> EchoScene {
    Corpus::new().echo_scene(&EchoSpec {
        loss_db: Some(25),
        delay_ms: 130,
        caller: Some(Kind::Sentence),
        caller_soft_db: 0,
        noise: None,
        sentences: 2,
        language: Language::En,
        seed: 3,
    })
}

/// Runs the scene round and round, one frame an iteration.
struct Round<'a> {
    scene: &'a EchoScene,
    activity: Activity,
    clock: AudioClock,
    next: usize,
    now: CallTime,
}

impl<'a> Round<'a> {
    fn new(scene: &'a EchoScene) -> Self {
        let (activity, clock) = (Activity::new(FORMAT), AudioClock::default());
        Self { scene, activity, clock, next: 0, now: CallTime::ZERO }
    }

    fn frame(&mut self, agent_talks: bool) {
        if agent_talks {
            let sent = self.scene.agent.chunks(160).nth(self.next).unwrap_or(&[0xFF; 160]);
            self.activity.played(sent, self.now);
        }
        let arrival = &self.scene.arrivals[self.next];
        self.now = self.now + Duration::from_millis(20);
        self.clock.received(FORMAT.duration_us(arrival.audio.len()), self.now);
        self.activity.push(&arrival.audio, &self.clock, |change| {
            black_box(change);
        });
        self.next = (self.next + 1) % self.scene.arrivals.len();
    }
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let scene = scene();
    assert!(!scene.arrivals.is_empty(), "a scene is never empty");
    let mut frames = Frames::new(FORMAT);
    let mut arrivals = scene.arrivals.iter().cycle();
    criterion.bench_function("the detector alone", |bencher| {
        bencher.iter(|| {
            let arrival = arrivals.next().expect("a cycle has no end");
            frames.push(&arrival.audio, |_, score| {
                black_box(score);
            });
        });
    });
    let mut silent = Round::new(&scene);
    criterion.bench_function("while the agent is silent", |bencher| bencher.iter(|| silent.frame(false)));
    let mut talking = Round::new(&scene);
    criterion.bench_function("while the agent talks", |bencher| bencher.iter(|| talking.frame(true)));
    let mut echo = Echo::new(FORMAT);
    echo.played(&scene.agent, CallTime::ZERO);
    let wide: Vec<i16> = scene
        .arrivals
        .iter()
        .flat_map(|arrival| arrival.audio.iter())
        .flat_map(|code| [g711::mulaw_to_linear(*code); 2])
        .collect();
    let mut frames = wide.as_chunks::<FRAME_SAMPLES>().0.iter().cycle();
    let at = FORMAT.duration_us(scene.agent.len()) / 2;
    // Always at the same moment, so that the agent is never done.
    criterion.bench_function("16 ms that could be echo", |bencher| {
        bencher.iter(|| {
            let frame = frames.next().expect("a cycle has no end");
            black_box(echo.is_echo(frame, CallTime::from_micros(at), true))
        });
    });
    criterion.final_summary();
}
