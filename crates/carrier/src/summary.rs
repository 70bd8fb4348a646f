//! Many calls in a few figures, with the denominators of the project's measures: every turn of a caller counts, those
//! without an answer as slower than any; turns in which the caller did not wait are counted apart; percentiles are
//! never averaged, and p99.9 is quoted only where there are turns enough for it.

use crate::report::{AfterMurmur, CallReport, EndedBy, HeardTurn, PROMISE_MS, TurnEnd};
use hdrhistogram::Histogram;
use serde::Serialize;
use std::collections::BTreeMap;

/// Turns from which on p99.9 means something: with fewer, a single bad turn in a thousand can hide (95 % confidence).
pub const P999_MIN_TURNS: u64 = 2_995;
/// Longer than any wait of a caller.
const MAX_MS: u64 = 3_600_000;
/// Reasons of failed calls that are told apart.
const MAX_REASONS: usize = 50;

/// What many calls came to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// Calls placed.
    pub calls: u64,
    /// Calls that did not end in an orderly way.
    pub calls_failed: u64,
    /// Of these, why, by the exchange's code and text.
    pub failures: BTreeMap<String, u64>,
    /// Turns that count: answered, interrupted or missed.
    pub turns: u64,
    /// Turns without an answer.
    pub turns_missed: u64,
    /// Turns whose answer was interrupted.
    pub turns_interrupted: u64,
    /// Turns in which the caller went on talking, or hung up, before an answer was due: not in `turns`.
    pub turns_not_waited_for: u64,
    /// Turns in which the caller pressed keys: not in `turns`.
    pub turns_keyed: u64,
    /// Lines that a call's end left unspoken: not in `turns`.
    pub lines_unspoken: u64,
    /// Turns that were bridged by an acknowledgement.
    pub acknowledged: u64,
    /// Their share of `turns`.
    pub acknowledged_share: Option<f64>,
    /// Turns in which the agent said what it was about to do before it answered.
    pub announced: u64,
    /// Their share of `turns`.
    pub announced_share: Option<f64>,
    /// Turns with audible audio within two seconds.
    pub within_promise: u64,
    /// Their share of `turns`.
    pub within_promise_share: Option<f64>,
    /// End of speech to first audible audio.
    pub first_audible: Distribution,
    /// End of speech to first substantive audio.
    pub first_substantive: Distribution,
    /// First substantive audio less what was configured and injected, if that is known.
    pub added: Option<Distribution>,
    /// Answers, not interrupted, of which something could not be recovered.
    pub turns_flagged: u64,
    /// Murmurs and coughs of callers, by what the agent made of them.
    pub murmurs: BTreeMap<AfterMurmur, u64>,
    /// Errors of the platform against the carrier's protocol, by Twilio's code.
    pub carrier_errors: BTreeMap<u32, u64>,
    /// The latest tick of any call: beyond some ten milliseconds this machine was too busy to measure.
    pub clock_slip_max_ms: u64,
}

/// Percentiles over all turns that count; `None` where the percentile lies among the turns without an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Distribution {
    /// Turns.
    pub turns: u64,
    /// Of these, without a value: slower than any.
    pub missing: u64,
    /// Of all turns, those later than two seconds, or without a value.
    pub over_promise: u64,
    /// The middle one.
    pub p50_ms: Option<u64>,
    /// 95 %.
    pub p95_ms: Option<u64>,
    /// 99 %.
    pub p99_ms: Option<u64>,
    /// 99.9 %, from [`P999_MIN_TURNS`] on.
    pub p999_ms: Option<u64>,
    /// The slowest that has a value.
    pub max_ms: Option<u64>,
}

/// Milliseconds of a turn that are no added latency: the endpointing silence and what was injected. `None` if unknown.
pub type Expected<'a> = &'a dyn Fn(&CallReport, &HeardTurn) -> Option<u64>;

impl Summary {
    /// Sums up. With `expected`, added latency is told as well.
    pub fn of(reports: &[CallReport], expected: Option<Expected<'_>>) -> Self {
        let mut tally = Tally::new();
        for report in reports {
            tally.add(report, expected);
        }
        tally.summary()
    }
}

/// A summary in the making: takes reports one by one and keeps none of them.
#[derive(Debug)]
pub struct Tally {
    calls: u64,
    failures: BTreeMap<String, u64>,
    ends: BTreeMap<TurnEnd, u64>,
    murmurs: BTreeMap<AfterMurmur, u64>,
    lines_unspoken: u64,
    acknowledged: u64,
    announced: u64,
    turns_flagged: u64,
    first_audible: Values,
    first_substantive: Values,
    added: Option<Values>,
    carrier_errors: BTreeMap<u32, u64>,
    clock_slip_max_ms: u64,
}

impl Default for Tally {
    fn default() -> Self {
        Self::new()
    }
}

impl Tally {
    /// Nothing yet.
    pub fn new() -> Self {
        Self {
            calls: 0,
            failures: BTreeMap::new(),
            ends: BTreeMap::new(),
            murmurs: BTreeMap::new(),
            lines_unspoken: 0,
            acknowledged: 0,
            announced: 0,
            turns_flagged: 0,
            first_audible: Values::new(),
            first_substantive: Values::new(),
            added: None,
            carrier_errors: BTreeMap::new(),
            clock_slip_max_ms: 0,
        }
    }

    /// Adds a call. With `expected`, its added latencies count as well.
    pub fn add(&mut self, report: &CallReport, expected: Option<Expected<'_>>) {
        self.calls += 1;
        if !report.ended_by.is_orderly() {
            let reason = reason(&report.ended_by);
            let known = self.failures.len() < MAX_REASONS || self.failures.contains_key(&reason);
            let reason = if known { reason } else { "for other reasons".to_owned() };
            *self.failures.entry(reason).or_default() += 1;
        }
        for error in &report.errors {
            *self.carrier_errors.entry(error.code).or_default() += error.count;
        }
        for murmur in &report.murmurs {
            *self.murmurs.entry(murmur.agent).or_default() += 1;
        }
        self.lines_unspoken += u64::from(report.lines_unspoken);
        self.clock_slip_max_ms = self.clock_slip_max_ms.max(report.clock_slip_max_ms);
        for turn in &report.turns {
            *self.ends.entry(turn.end).or_default() += 1;
            if !turn.end.counts() {
                continue;
            }
            self.acknowledged += u64::from(turn.acknowledgement.is_some());
            self.announced += u64::from(turn.announcement.is_some());
            self.turns_flagged += u64::from(turn.end != TurnEnd::Interrupted && !turn.flags.is_empty());
            self.first_audible.add(turn.first_audible_ms);
            self.first_substantive.add(turn.first_substantive_ms);
            if let Some(expected) = expected {
                let added = || Some(turn.first_substantive_ms?.saturating_sub(expected(report, turn)?));
                self.added.get_or_insert_with(Values::new).add(added());
            }
        }
    }

    /// Turns that count, so far.
    pub fn turns(&self) -> u64 {
        self.first_audible.count()
    }

    /// Of these, how many were not audible within the promise.
    pub fn over_promise(&self) -> u64 {
        self.first_audible.over_promise
    }

    /// What it comes to, so far.
    pub fn summary(&self) -> Summary {
        let turns = self.turns();
        let share = |part: u64| (turns > 0).then(|| part as f64 / turns as f64);
        let ended = |end| self.ends.get(&end).copied().unwrap_or(0);
        let within_promise = turns - self.first_audible.over_promise;
        Summary {
            calls: self.calls,
            calls_failed: self.failures.values().sum(),
            failures: self.failures.clone(),
            turns,
            turns_missed: ended(TurnEnd::Missed),
            turns_interrupted: ended(TurnEnd::Interrupted),
            turns_not_waited_for: ended(TurnEnd::Continued) + ended(TurnEnd::Abandoned),
            turns_keyed: ended(TurnEnd::Keyed),
            lines_unspoken: self.lines_unspoken,
            acknowledged: self.acknowledged,
            acknowledged_share: share(self.acknowledged),
            announced: self.announced,
            announced_share: share(self.announced),
            within_promise,
            within_promise_share: share(within_promise),
            first_audible: self.first_audible.distribution(),
            first_substantive: self.first_substantive.distribution(),
            added: self.added.as_ref().map(Values::distribution),
            turns_flagged: self.turns_flagged,
            murmurs: self.murmurs.clone(),
            carrier_errors: self.carrier_errors.clone(),
            clock_slip_max_ms: self.clock_slip_max_ms,
        }
    }
}

impl Distribution {
    /// The distribution of these values; `None` is a turn without one.
    pub fn of(values: impl Iterator<Item = Option<u64>>) -> Self {
        let mut all = Values::new();
        values.for_each(|value| all.add(value));
        all.distribution()
    }
}

/// Latencies of turns, in a few kilobytes however many they are.
#[derive(Debug)]
struct Values {
    histogram: Histogram<u64>,
    missing: u64,
    over_promise: u64,
    max_ms: Option<u64>,
}

impl Values {
    #[expect(clippy::expect_used, reason = "the bounds are constants that the histogram accepts")]
    fn new() -> Self {
        let histogram = Histogram::new_with_bounds(1, MAX_MS, 3).expect("constant bounds");
        Self { histogram, missing: 0, over_promise: 0, max_ms: None }
    }

    /// `None` is a turn without a value.
    fn add(&mut self, value: Option<u64>) {
        match value {
            Some(value) => {
                self.histogram.saturating_record(value);
                self.max_ms = self.max_ms.max(Some(value));
            }
            None => self.missing += 1,
        }
        self.over_promise += u64::from(value.is_none_or(|millis| millis > PROMISE_MS));
    }

    fn count(&self) -> u64 {
        self.histogram.len() + self.missing
    }

    fn distribution(&self) -> Distribution {
        let turns = self.count();
        // The rank-th of all turns, if it has a value.
        let percentile = |share: f64| {
            let rank = ((turns as f64 * share).ceil() as u64).max(1);
            (rank <= self.histogram.len()).then(|| {
                // Half a rank less: the histogram rounds up, and floating point must not push it over.
                self.histogram.value_at_quantile((rank as f64 - 0.5) / self.histogram.len() as f64)
            })
        };
        Distribution {
            turns,
            missing: self.missing,
            over_promise: self.over_promise,
            p50_ms: percentile(0.5),
            p95_ms: percentile(0.95),
            p99_ms: percentile(0.99),
            p999_ms: percentile(0.999).filter(|_| turns >= P999_MIN_TURNS),
            max_ms: self.max_ms,
        }
    }
}

fn reason(ended_by: &EndedBy) -> String {
    match ended_by {
        EndedBy::CallerHungUp => "caller hung up".to_owned(),
        EndedBy::PlatformHungUp => "platform hung up".to_owned(),
        EndedBy::HangupVerb => "hangup verb".to_owned(),
        EndedBy::DocumentEnded => "the document ended without <Hangup>".to_owned(),
        EndedBy::Rejected => "rejected".to_owned(),
        EndedBy::Failed { code, detail } => format!("{code} {detail}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::{CallSid, CarrierError};
    use seiketsu_domain::CallTime;

    fn turn(first_audible_ms: Option<u64>, end: TurnEnd) -> HeardTurn {
        HeardTurn {
            number: 1,
            said: None,
            keys: None,
            started_at: CallTime::ZERO,
            end_of_speech: CallTime::ZERO,
            first_audible_ms,
            first_substantive_ms: first_audible_ms,
            acknowledgement: first_audible_ms
                .filter(|millis| *millis > 1_200)
                .map(|_| "one moment".to_owned()),
            announcement: None,
            pieces: Vec::new(),
            heard_text: String::new(),
            flags: Vec::new(),
            interrupted_at: None,
            playback_stopped_ms: None,
            end,
        }
    }

    fn report(turns: Vec<HeardTurn>, ended_by: EndedBy) -> CallReport {
        CallReport {
            call_sid: "CA00000000000000000000000000000000".parse::<CallSid>().unwrap(),
            ended_by,
            duration_ms: 0,
            greeting_text: String::new(),
            greeting_first_audible_ms: None,
            turns,
            whole_agent_text: String::new(),
            flags: Vec::new(),
            murmurs: Vec::new(),
            lines_unspoken: 1,
            announcements: Vec::new(),
            dialled: Vec::new(),
            streams: 1,
            errors: vec![CarrierError { code: 31_951, detail: "x".to_owned(), count: 2 }],
            clock_slip_max_ms: 7,
            events_lost: 0,
            tracks: None,
        }
    }

    #[test]
    fn turns_without_an_answer_are_slower_than_any_and_those_not_waited_for_are_counted_apart() {
        let answered = (1..=98).map(|n| turn(Some(n * 10), TurnEnd::Answered));
        let rest = [
            turn(None, TurnEnd::Missed),
            turn(None, TurnEnd::Missed),
            turn(None, TurnEnd::Continued),
            turn(None, TurnEnd::Abandoned),
        ];
        let summary = Summary::of(&[report(answered.chain(rest).collect(), EndedBy::CallerHungUp)], None);
        assert_eq!((summary.turns, summary.turns_missed, summary.turns_not_waited_for), (100, 2, 2));
        let audible = &summary.first_audible;
        assert_eq!((audible.p50_ms, audible.p95_ms, audible.p99_ms), (Some(500), Some(950), None));
        assert_eq!((audible.missing, audible.max_ms), (2, Some(980)));
        assert_eq!(summary.within_promise_share, Some(0.98));
        assert_eq!(audible.over_promise, 2, "those without an answer are late as well");
    }

    #[test]
    fn p999_is_quoted_only_from_enough_turns_on() {
        let distribution = |turns: u64| Distribution::of((1..=turns).map(Some));
        let of = |turns: u64| distribution(turns).p999_ms;
        assert_eq!(of(P999_MIN_TURNS - 1), None);
        // 2,993rd of 2,995, within the histogram's three digits.
        assert!(of(P999_MIN_TURNS).is_some_and(|millis| millis.abs_diff(2_993) <= 3));
        let nothing = distribution(0);
        assert_eq!((nothing.turns, nothing.p50_ms, nothing.max_ms), (0, None, None));
    }

    #[test]
    fn added_latency_is_what_is_left_after_silence_and_injected_delay() {
        let turns = vec![turn(Some(600), TurnEnd::Answered), turn(Some(1_300), TurnEnd::Interrupted)];
        let reports = [report(turns, EndedBy::CallerHungUp)];
        let added = Summary::of(&reports, Some(&|_, _| Some(500))).added.unwrap();
        assert_eq!((added.p50_ms, added.max_ms), (Some(100), Some(800)));
        let unknown = Summary::of(&reports, Some(&|_, _| None)).added.unwrap();
        assert_eq!(unknown.missing, 2);
    }

    #[test]
    fn failed_calls_errors_and_unspoken_lines_are_told() {
        let failed = EndedBy::Failed { code: 11_200, detail: "the webhook answered 500".to_owned() };
        let turns = vec![turn(Some(1_500), TurnEnd::Answered), turn(Some(2_001), TurnEnd::Answered)];
        let reports =
            [report(turns, EndedBy::HangupVerb), report(vec![], failed), report(vec![], EndedBy::Rejected)];
        let summary = Summary::of(&reports, None);
        assert_eq!((summary.calls, summary.calls_failed, summary.lines_unspoken), (3, 2, 3));
        assert_eq!(summary.failures["11200 the webhook answered 500"], 1);
        assert_eq!(summary.carrier_errors, BTreeMap::from([(31_951, 6)]));
        assert_eq!((summary.acknowledged_share, summary.within_promise_share), (Some(1.0), Some(0.5)));
        assert_eq!(summary.clock_slip_max_ms, 7);
    }
}
