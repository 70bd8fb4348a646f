use super::*;
use proptest::prelude::*;

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn opened_at_zero() -> Breaker {
    let mut breaker = Breaker::new();
    for _ in 0..LEAST_BAD {
        breaker.record(Outcome::Bad, ms(0));
    }
    assert_eq!(breaker.position(), Position::Open);
    breaker
}

#[test]
fn three_bad_outcomes_among_six_open_it_and_three_among_seven_do_not() {
    for (good, expected) in [(3, Position::Open), (4, Position::Closed)] {
        let mut breaker = Breaker::new();
        for at in 0..good {
            breaker.record(Outcome::Good, ms(at));
        }
        for _ in 0..3 {
            breaker.record(Outcome::Bad, ms(100));
        }
        assert_eq!(breaker.position(), expected, "{good} good ones before");
    }
}

#[test]
fn outcomes_of_long_ago_do_not_count() {
    let mut breaker = Breaker::new();
    for second in 0..20 {
        breaker.record(Outcome::Bad, Duration::from_secs(second * 6));
        assert_eq!(breaker.position(), Position::Closed, "at most two within ten seconds");
    }
}

#[test]
fn a_probe_that_fails_after_a_single_failure_opens_it() {
    let mut breaker = Breaker::new();
    breaker.record(Outcome::Bad, ms(2_500));
    assert!(!breaker.is_trusted());
    assert!(breaker.begin_probe(ms(2_500)));
    breaker.end_probe(Outcome::Bad, ms(4_500));
    assert_eq!(breaker.position(), Position::Open, "within five seconds of a vendor that hangs");
    assert!(breaker.is_failing());
}

#[test]
fn a_probe_that_succeeds_ends_the_suspicion_and_the_next_one_waits_a_second() {
    let mut breaker = Breaker::new();
    breaker.record(Outcome::Bad, ms(0));
    assert!(breaker.begin_probe(ms(0)));
    breaker.end_probe(Outcome::Good, ms(100));
    assert!(breaker.is_trusted());
    assert_eq!(breaker.probe_due(ms(100)), None);
    breaker.record(Outcome::Bad, ms(300));
    assert_eq!(breaker.probe_due(ms(300)), Some(ms(800)));
}

#[test]
fn a_probe_that_is_refused_and_told_to_come_back_at_once_is_not_repeated_at_once() {
    let mut breaker = Breaker::new();
    breaker.record(Outcome::LeaveAlone(Duration::ZERO), ms(0));
    for (asked, pause) in [(0, 1_000), (5, 1_000), (3_000, 3_000)] {
        let now = breaker.probe_due(ms(0)).unwrap();
        assert!(breaker.begin_probe(now));
        breaker.end_probe(Outcome::LeaveAlone(ms(asked)), now);
        assert_eq!(breaker.probe_due(now), Some(ms(pause)), "asked for {asked} ms");
    }
}

#[test]
fn a_failed_probe_proves_nothing_when_others_were_served_meanwhile() {
    let mut breaker = Breaker::new();
    breaker.record(Outcome::Bad, ms(0));
    assert!(breaker.begin_probe(ms(0)));
    breaker.record(Outcome::Good, ms(10));
    breaker.end_probe(Outcome::Bad, ms(20));
    assert_eq!(breaker.position(), Position::Closed);
}

#[test]
fn pauses_grow_from_one_second_to_four_and_a_probe_that_succeeds_closes_it() {
    let mut breaker = opened_at_zero();
    let mut now = ms(0);
    for pause in [1_000, 2_000, 4_000, 4_000] {
        assert_eq!(breaker.probe_due(now), Some(ms(pause)));
        assert!(!breaker.begin_probe(now + ms(pause - 1)), "not before the pause is over");
        now += ms(pause);
        assert!(breaker.begin_probe(now));
        assert_eq!(breaker.position(), Position::HalfOpen);
        assert!(!breaker.begin_probe(now), "one at a time");
        breaker.end_probe(Outcome::Bad, now);
    }
    now += ms(4_000);
    assert!(breaker.begin_probe(now));
    breaker.end_probe(Outcome::Good, now);
    assert_eq!(breaker.position(), Position::Closed);
}

#[test]
fn one_that_opens_again_at_once_pauses_longer_and_one_that_had_recovered_does_not() {
    for (healthy_for, expected) in [(ms(500), 2_000), (RECOVERED, 1_000)] {
        let mut breaker = opened_at_zero();
        assert!(breaker.begin_probe(ms(1_000)));
        breaker.end_probe(Outcome::Good, ms(1_000));
        let now = ms(1_000) + healthy_for;
        for _ in 0..LEAST_BAD {
            breaker.record(Outcome::Bad, now);
        }
        assert_eq!(breaker.pause_left(now), ms(expected));
    }
}

#[test]
fn a_vendor_that_asks_for_patience_gets_it_but_not_for_ever() {
    for (asked, given) in [(ms(2_000), ms(2_000)), (Duration::from_hours(1), LONGEST_REQUESTED_PAUSE)] {
        let mut breaker = Breaker::new();
        breaker.record(Outcome::LeaveAlone(asked), ms(0));
        assert_eq!(breaker.position(), Position::Open);
        assert!(!breaker.is_failing(), "what is open still works");
        assert_eq!(breaker.probe_due(ms(0)), Some(given));
        assert!(breaker.begin_probe(given));
        breaker.end_probe(Outcome::Good, given);
        assert_eq!(breaker.position(), Position::Closed);
    }
}

#[derive(Debug, Clone)]
enum Step {
    Record(Outcome),
    Suspect,
    Begin,
    End(Outcome),
    Wait(u64),
}

fn outcome() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        4 => Just(Outcome::Good),
        4 => Just(Outcome::Bad),
        1 => (0_u64..100_000).prop_map(|wait| Outcome::LeaveAlone(ms(wait))),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        outcome().prop_map(Step::Record),
        Just(Step::Suspect),
        Just(Step::Begin),
        outcome().prop_map(Step::End),
        (0_u64..3_000).prop_map(Step::Wait),
    ]
}

proptest! {
    #[test]
    fn whatever_happens_there_is_one_probe_at_most_and_success_closes_it(steps in prop::collection::vec(step(), 0..200)) {
        let (mut breaker, mut now, mut in_flight) = (Breaker::new(), ms(0), false);
        for step in steps {
            match step {
                Step::Record(outcome) => breaker.record(outcome, now),
                Step::Suspect => breaker.suspect(),
                Step::Begin => {
                    let began = breaker.begin_probe(now);
                    prop_assert!(!(began && in_flight), "two probes");
                    in_flight |= began;
                }
                Step::End(outcome) => {
                    breaker.end_probe(outcome, now);
                    in_flight = false;
                }
                Step::Wait(by) => now += ms(by),
            }
            prop_assert!(breaker.outcomes.len() <= KEPT);
            prop_assert!(breaker.pause <= LONGEST_PAUSE);
            prop_assert!(breaker.pause_left(now) <= LONGEST_REQUESTED_PAUSE);
            // A breaker that is not closed always knows what it waits for.
            let waits = in_flight || breaker.probe_due(now).is_some();
            prop_assert!(breaker.position() == Position::Closed || waits);
        }
        // From now on every probe succeeds.
        for _ in 0..2 {
            if !in_flight {
                now += breaker.probe_due(now).unwrap_or_default();
                breaker.begin_probe(now);
            }
            breaker.end_probe(Outcome::Good, now);
            in_flight = false;
        }
        prop_assert_eq!(breaker.position(), Position::Closed);
    }
}
