use super::*;
use crate::Vendor;

#[derive(Debug, Default)]
struct StoppedClock(Mutex<Duration>);

impl Clock for StoppedClock {
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }

    fn monotonic(&self) -> Duration {
        *self.0.lock().unwrap()
    }
}

impl StoppedClock {
    fn advance(&self, ms: u64) {
        *self.0.lock().unwrap() += Duration::from_millis(ms);
    }
}

fn route(kind: Kind, patience: Patience) -> (RouteHealth, Arc<StoppedClock>) {
    let clock = Arc::new(StoppedClock::default());
    let place = ("vendor".to_owned(), None, 0);
    (RouteHealth::new(kind, place, patience, Arc::clone(&clock) as Arc<dyn Clock>, Arc::default()), clock)
}

fn timeout() -> Failure {
    Failure::new(Vendor::ElevenLabs, FailureKind::Timeout, "silence")
}

#[test]
fn an_answer_that_has_only_begun_says_nothing_good() {
    let (health, _) = route(Kind::Voice, Patience::VOICE);
    health.begin().failed(&timeout());
    assert!(health.begin_probe(), "a failure is looked into");
    health.begin().begun();
    assert!(health.status().suspect);
    health.end_probe(Err(timeout()));
    assert!(!health.is_healthy(), "the probe decides: many answers stop in the middle");
}

#[test]
fn an_answer_that_is_complete_contradicts_a_probe() {
    let (health, _) = route(Kind::Voice, Patience::VOICE);
    health.begin().failed(&timeout());
    assert!(health.begin_probe());
    let mut attempt = health.begin();
    attempt.begun();
    attempt.finished();
    assert!(!health.status().suspect);
    health.end_probe(Err(timeout()));
    assert!(health.is_healthy());
}

#[test]
fn silence_is_looked_into_before_it_counts_as_a_failure() {
    let (health, clock) = route(Kind::Model, Patience::MODEL);
    let mut attempt = health.begin();
    assert_eq!(attempt.doubtful_in(), Some(Duration::from_millis(1_500)));
    clock.advance(1_500);
    assert_eq!(attempt.doubtful_in(), Some(Duration::ZERO));
    attempt.doubted();
    assert_eq!(attempt.doubtful_in(), None, "once is enough");
    assert_eq!(health.probe_due(), Some(Duration::ZERO));
    assert_eq!(attempt.stalls_in(), Some(Duration::from_secs(1)));
    assert_eq!(health.status().failures, 0);
    clock.advance(100);
    attempt.begun();
    assert_eq!(attempt.doubtful_in(), Some(SUSPICIOUS_SILENCE), "the next silence is another one");
    attempt.finished();
    assert_eq!(attempt.doubtful_in(), None);
}
