//! Many calls in a few figures, with the denominators of the project's measures: every turn of a caller counts, those
//! without an answer as slower than any; turns in which the caller did not wait are counted apart; percentiles are
//! never averaged, and p99.9 is quoted only where there are turns enough for it.

use crate::report::{CallReport, EndedBy, HeardTurn, TurnEnd};
use hdrhistogram::Histogram;
use serde::Serialize;
use std::collections::BTreeMap;

/// Turns from which on p99.9 means something: with fewer, a single bad turn in a thousand can hide (95 % confidence).
pub const P999_MIN_TURNS: u64 = 2_995;
/// The promise.
const PROMISE_MS: u64 = 2_000;
/// Longer than any wait of a caller.
const MAX_MS: u64 = 3_600_000;

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
    /// Lines that a call's end left unspoken: not in `turns`.
    pub lines_unspoken: u64,
    /// Turns that were bridged by an acknowledgement.
    pub acknowledged: u64,
    /// Their share of `turns`.
    pub acknowledged_share: Option<f64>,
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
        let turns = || reports.iter().flat_map(|report| report.turns.iter().map(move |turn| (report, turn)));
        let counted = || turns().filter(|(_, turn)| turn.end.counts());
        let count_of = |end: TurnEnd| turns().filter(|(_, turn)| turn.end == end).count() as u64;
        let total = counted().count() as u64;
        let share = |part: u64| (total > 0).then(|| part as f64 / total as f64);
        let acknowledged = counted().filter(|(_, turn)| turn.acknowledgement.is_some()).count() as u64;
        let within_promise = counted()
            .filter(|(_, turn)| turn.first_audible_ms.is_some_and(|millis| millis <= PROMISE_MS))
            .count() as u64;
        let mut failures = BTreeMap::new();
        for report in reports.iter().filter(|report| !report.ended_by.is_orderly()) {
            *failures.entry(reason(&report.ended_by)).or_default() += 1;
        }
        let mut carrier_errors = BTreeMap::new();
        for error in reports.iter().flat_map(|report| &report.errors) {
            *carrier_errors.entry(error.code).or_default() += error.count;
        }
        Self {
            calls: reports.len() as u64,
            calls_failed: failures.values().sum(),
            failures,
            turns: total,
            turns_missed: count_of(TurnEnd::Missed),
            turns_interrupted: count_of(TurnEnd::Interrupted),
            turns_not_waited_for: count_of(TurnEnd::Continued) + count_of(TurnEnd::Abandoned),
            lines_unspoken: reports.iter().map(|report| u64::from(report.lines_unspoken)).sum(),
            acknowledged,
            acknowledged_share: share(acknowledged),
            within_promise,
            within_promise_share: share(within_promise),
            first_audible: Distribution::of(counted().map(|(_, turn)| turn.first_audible_ms)),
            first_substantive: Distribution::of(counted().map(|(_, turn)| turn.first_substantive_ms)),
            added: expected.map(|expected| {
                Distribution::of(counted().map(|(report, turn)| {
                    Some(turn.first_substantive_ms?.saturating_sub(expected(report, turn)?))
                }))
            }),
            turns_flagged: counted()
                .filter(|(_, turn)| turn.end != TurnEnd::Interrupted && !turn.flags.is_empty())
                .count() as u64,
            carrier_errors,
            clock_slip_max_ms: reports.iter().map(|report| report.clock_slip_max_ms).max().unwrap_or(0),
        }
    }
}

impl Distribution {
    /// The distribution of these values; `None` is a turn without one.
    #[expect(clippy::expect_used, reason = "the bounds are constants that the histogram accepts")]
    pub fn of(values: impl Iterator<Item = Option<u64>>) -> Self {
        let mut histogram = Histogram::<u64>::new_with_bounds(1, MAX_MS, 3).expect("constant bounds");
        let mut missing = 0;
        for value in values {
            match value {
                Some(value) => histogram.saturating_record(value),
                None => missing += 1,
            }
        }
        let turns = histogram.len() + missing;
        // The rank-th of all turns, if it has a value.
        let percentile = |share: f64| {
            let rank = ((turns as f64 * share).ceil() as u64).max(1);
            (rank <= histogram.len()).then(|| {
                // Half a rank less: the histogram rounds up, and floating point must not push it over.
                histogram.value_at_quantile((rank as f64 - 0.5) / histogram.len() as f64)
            })
        };
        Self {
            turns,
            missing,
            p50_ms: percentile(0.50),
            p95_ms: percentile(0.95),
            p99_ms: percentile(0.99),
            p999_ms: percentile(0.999).filter(|_| turns >= P999_MIN_TURNS),
            max_ms: (!histogram.is_empty()).then(|| histogram.max()),
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
            started_at: CallTime::ZERO,
            end_of_speech: CallTime::ZERO,
            first_audible_ms,
            first_substantive_ms: first_audible_ms,
            acknowledgement: first_audible_ms
                .filter(|millis| *millis > 1_200)
                .map(|_| "one moment".to_owned()),
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
            lines_unspoken: 1,
            announcements: Vec::new(),
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
    }

    #[test]
    fn p999_is_quoted_only_from_enough_turns_on() {
        let of = |turns: u64| Distribution::of((1..=turns).map(Some)).p999_ms;
        assert_eq!(of(P999_MIN_TURNS - 1), None);
        // 2,993rd of 2,995, within the histogram's three digits.
        assert!(of(P999_MIN_TURNS).is_some_and(|millis| millis.abs_diff(2_993) <= 3));
        let nothing = Distribution::of(std::iter::empty());
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
