//! What holds in every call, whatever happens in it and whenever.
//!
//! A call is driven by random inputs at random times: voice, words, vendors that answer, fail, answer late or answer
//! what was never asked, marks, keys, clients, hang-ups. Audio carries the id of its phrase, and every word the model
//! says is said once, so that what was played can be told from what only was asked for.

#![expect(clippy::expect_used, reason = "test support, used outside of test functions")]

mod chaos;

use chaos::{Chaos, Journal, scenario};
use proptest::{
    prelude::*,
    test_runner::{Config, FileFailurePersistence},
};
use seiketsu_call::{Call, Output};

fn config(cases: u32) -> Config {
    let seeds = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/properties.regressions");
    Config {
        cases,
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(seeds))),
        ..Config::default()
    }
}

/// The outputs of a call that lives through a journal.
fn replay(journal: &Journal) -> Vec<Output> {
    let mut call = Call::new(journal.plan.clone(), journal.began);
    let mut outputs = Vec::new();
    outputs.extend(std::iter::from_fn(|| call.poll_output()));
    for (at, input) in &journal.entries {
        match input {
            Some(input) => call.handle(input.clone(), *at),
            None => call.handle_timeout(*at),
        }
        outputs.extend(std::iter::from_fn(|| call.poll_output()));
    }
    outputs
}

proptest! {
    #![proptest_config(config(2_048))]

    #[test]
    fn whatever_happens_the_invariants_hold_and_a_hang_up_ends_the_call(scenario in scenario(1..90)) {
        let mut chaos = Chaos::new(&scenario.plan);
        let (before, after) = scenario.steps.split_at(scenario.steps.len() * 2 / 3);
        for step in before {
            chaos.step(step);
        }
        // A tool that outlives the call keeps it open, and things go on happening.
        chaos.wants_a_tool();
        chaos.leave();
        for step in after {
            chaos.step(step);
        }
        chaos.hang_up();
        chaos.finish();
    }
}

proptest! {
    #![proptest_config(config(1_024))]

    #[test]
    fn a_call_that_everybody_has_forgotten_ends_by_itself(scenario in scenario(1..40)) {
        let mut chaos = Chaos::new(&scenario.plan);
        for step in &scenario.steps {
            chaos.step(step);
        }
        chaos.forget();
        chaos.finish();
    }
}

proptest! {
    #![proptest_config(config(256))]

    #[test]
    fn a_journal_read_back_from_json_replays_to_the_same_outputs(scenario in scenario(1..60)) {
        let mut chaos = Chaos::new(&scenario.plan);
        for step in &scenario.steps {
            chaos.step(step);
        }
        chaos.hang_up();
        let (journal, outputs) = chaos.into_journal();
        let text = serde_json::to_string(&journal).expect("a journal is plain data");
        let read: Journal = serde_json::from_str(&text).expect("and can be read back");
        prop_assert_eq!(&replay(&read), &outputs);
        prop_assert_eq!(&replay(&read), &outputs);
    }
}
