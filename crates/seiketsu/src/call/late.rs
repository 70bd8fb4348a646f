//! Turns in which the promise was broken: what the caller heard, and what the platform says of the same turn.
//!
//! Both are told from the caller's own end of speech, which is exact: where the platform saw that end later than the caller,
//! or heard of playback earlier, shows as well.

use super::classify::stored_of;
use crate::{
    terminal::Terminal,
    waterfall::{self, AtTheCaller},
};
use seiketsu_carrier::{CallReport, HeardTurn, TurnEnd};
use seiketsu_domain::{CallId, Stage, TurnOutcome};
use seiketsu_gateway::v1::call::{CallDetail, TurnView};
use serde::Serialize;
use std::collections::BTreeMap;

/// Turns that are shown; all are in the JSON document.
const LATE_SHOWN: usize = 5;

/// A turn that was late for its caller.
#[derive(Debug, Serialize)]
pub(super) struct Late {
    tenant: String,
    call_sid: String,
    /// The platform's own name of the call; absent if it has no record of it.
    call: Option<CallId>,
    /// Counted by the caller.
    turn: u32,
    first_audible_ms: Option<u64>,
    first_substantive_ms: Option<u64>,
    end: TurnEnd,
    /// How late the caller's own clock was at most in this call: audio is heard so much later than it was played.
    clock_slip_max_ms: u64,
    /// The platform's record of the turn, if there is one that ended its speech at the same time.
    platform: Option<Platform>,
    #[serde(skip)]
    view: Option<TurnView>,
}

/// Milliseconds since the end of speech as the caller knows it.
#[derive(Debug, Serialize)]
struct Platform {
    /// Counted by the platform.
    turn: u32,
    outcome: TurnOutcome,
    stages_ms: BTreeMap<Stage, i64>,
    acknowledgement_sent_ms: Option<i64>,
    acknowledgement_played_ms: Option<i64>,
    announcement_sent_ms: Option<i64>,
    announcement_played_ms: Option<i64>,
}

impl Platform {
    fn of(turn: &TurnView, heard: &HeardTurn) -> Self {
        let zero = heard.end_of_speech.as_micros() as i64;
        let ms = |at_us: u64| (at_us as i64 - zero) / 1_000;
        Self {
            turn: turn.number,
            outcome: turn.outcome,
            stages_ms: turn.stages_us.iter().map(|(stage, at)| (*stage, ms(*at))).collect(),
            acknowledgement_sent_ms: turn.acknowledgement_sent_us.map(ms),
            acknowledgement_played_ms: turn.acknowledgement_played_us.map(ms),
            announcement_sent_ms: turn.announcement_sent_us.map(ms),
            announcement_played_ms: turn.announcement_played_us.map(ms),
        }
    }
}

/// The turns of a call that were late.
pub(super) fn turns(tenant: &str, report: &CallReport, stored: Option<&CallDetail>) -> Vec<Late> {
    let late = report.turns.iter().filter(|turn| turn.is_late());
    late.map(|heard| {
        let view = stored.and_then(|stored| stored_of(heard, &stored.turns));
        Late {
            tenant: tenant.to_owned(),
            call_sid: report.call_sid.as_str().to_owned(),
            call: stored.map(|stored| stored.call.id),
            turn: heard.number,
            first_audible_ms: heard.first_audible_ms,
            first_substantive_ms: heard.first_substantive_ms,
            end: heard.end,
            clock_slip_max_ms: report.clock_slip_max_ms,
            platform: view.map(|view| Platform::of(view, heard)),
            view: view.cloned(),
        }
    })
    .collect()
}

/// Shows the first of them.
pub(super) fn tell(late: &[Late], terminal: Terminal) {
    for turn in late.iter().take(LATE_SHOWN) {
        let call = turn.call.map_or_else(|| turn.call_sid.clone(), |call| call.to_string());
        terminal.data(format_args!(
            "\nlate: turn {} of call {call} ({}), the caller's clock late by at most {} ms",
            turn.turn, turn.tenant, turn.clock_slip_max_ms
        ));
        let Some(view) = &turn.view else {
            terminal.data("    the platform has no record of this turn");
            continue;
        };
        let at_the_caller = AtTheCaller {
            first_audible_ms: turn.first_audible_ms,
            first_substantive_ms: turn.first_substantive_ms,
        };
        terminal.data(waterfall::draw(view, at_the_caller).trim_end());
    }
    if late.len() > LATE_SHOWN {
        terminal.data(format_args!("and {} more; --json lists them", late.len() - LATE_SHOWN));
    }
}
