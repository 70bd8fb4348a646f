//! The metrics of calls. Names carry their units; no label holds a tenant, call or caller.

use metrics::{counter, gauge, histogram};
use seiketsu_call::Note;
use seiketsu_domain::{CallEnd, Stage, TurnOutcome, TurnRecord};
use seiketsu_providers::failover::Kind;

/// Histogram bucket bounds in seconds; they contain the objectives' own 0.5 and 2.0.
pub const LATENCY_BUCKETS_SECONDS: [f64; 12] =
    [0.1, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 5.0, 10.0];

/// Live calls: what scaling goes by.
pub(crate) fn live(calls: usize) {
    gauge!("seiketsu_live_calls").set(calls as f64);
}

/// Calls refused, by reason.
pub(crate) fn refused(reason: &'static str) {
    counter!("seiketsu_calls_refused_total", "reason" => reason).increment(1);
}

pub(crate) fn turn(turn: &TurnRecord) {
    counter!("seiketsu_turns_total", "outcome" => turn.outcome.name()).increment(1);
    // The denominator of the latency objectives: turns of the caller in which an answer was due.
    if turn.caller_text.expose().is_empty() || turn.outcome == TurnOutcome::Continued {
        return;
    }
    let seconds = |ms: u64| ms as f64 / 1_000.0;
    if let Some(ms) = turn.timeline.first_audible_ms() {
        histogram!("seiketsu_turn_first_audible_seconds").record(seconds(ms));
    }
    if let Some(ms) = turn.timeline.first_substantive_ms() {
        histogram!("seiketsu_turn_first_substantive_seconds").record(seconds(ms));
    }
    let Some(end_of_speech) = turn.timeline.at(Stage::EndOfSpeech) else { return };
    for (stage, at) in &turn.timeline.stages {
        histogram!("seiketsu_turn_stage_seconds", "stage" => stage.name())
            .record(at.since(end_of_speech).as_secs_f64());
    }
    if turn.acknowledgement.is_some() {
        counter!("seiketsu_turns_acknowledged_total").increment(1);
    }
    if turn.timeline.announcement_sent.is_some() {
        counter!("seiketsu_turns_announced_total").increment(1);
    }
}

pub(crate) fn ended(end: &CallEnd) {
    counter!("seiketsu_calls_ended_total", "reason" => end.reason.name()).increment(1);
    histogram!("seiketsu_call_duration_seconds").record(end.ended_at.as_micros() as f64 / 1e6);
}

pub(crate) fn note(note: Note) {
    let decision = match note {
        Note::Endpointed => "endpointed",
        Note::Interrupted => "interrupted",
        Note::Continued => "continued",
        Note::Held => "held",
        Note::Resumed => "resumed",
        Note::Murmured => "murmured",
        Note::Patient => "patient",
        Note::SpeculationUsed => "speculation_used",
        Note::SpeculationMissed => "speculation_missed",
        Note::Hedged => "hedged",
        Note::Acknowledged => "acknowledged",
        Note::Unannounced => "unannounced",
        Note::Retried => "retried",
        Note::Apologised => "apologised",
        Note::LateAnswer => "late_answer",
        Note::LimitReached => "limit_reached",
    };
    counter!("seiketsu_call_decisions_total", "decision" => decision).increment(1);
}

pub(crate) fn late_answers(count: u64) {
    counter!("seiketsu_late_answers_total").increment(count);
}

/// Work that went to another route than the first choice, by where it went.
pub(crate) fn failed_over(kind: Kind, to: &str) {
    counter!("seiketsu_provider_failovers_total", "kind" => kind.name(), "vendor" => to.to_owned())
        .increment(1);
}

/// Final words that the recogniser was not sure of.
pub(crate) fn low_confidence() {
    counter!("seiketsu_recognition_low_confidence_total").increment(1);
}

/// How a part of a recording ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RecordingOutcome {
    /// With the call.
    Complete,
    /// Before the call; what was written is kept.
    Incomplete,
    /// With the caller's assent; nothing of it is kept.
    Withdrawn,
    /// Its store failed.
    Failed,
}

/// Parts of recordings, by how they ended.
pub(crate) fn recording(outcome: RecordingOutcome) {
    let outcome = match outcome {
        RecordingOutcome::Complete => "complete",
        RecordingOutcome::Incomplete => "incomplete",
        RecordingOutcome::Withdrawn => "withdrawn",
        RecordingOutcome::Failed => "failed",
    };
    counter!("seiketsu_recordings_total", "outcome" => outcome).increment(1);
}
