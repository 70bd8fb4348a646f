//! A conversation as a document: who said what, what was done meanwhile, and where each millisecond went.

use super::classify::heard_of;
use crate::waterfall::{self, AtTheCaller};
use seiketsu_carrier::{CallReport, HeardTurn, report::AfterMurmur};
use seiketsu_domain::ToolOutcome;
use seiketsu_gateway::v1::call::{CallDetail, TurnView};
use std::fmt::Write;

/// The longest result of a tool that is shown, in characters.
const MAX_RESULT_CHARS: usize = 160;

/// The document. `title` is its heading, `how` how it came about: a command, a profile.
pub(super) fn document(title: &str, how: &str, report: &CallReport, stored: &CallDetail) -> String {
    let mut text = String::new();
    let seconds = report.duration_ms / 1_000;
    let _ = writeln!(text, "# {title}\n\n{how}\n");
    let _ = writeln!(
        text,
        "The call lasted {} min {} s. Latencies are measured at the caller.\n",
        seconds / 60,
        seconds % 60
    );
    for turn in &stored.turns {
        let heard = heard_of(turn, report).filter(|_| turn.number > 0);
        tell(&mut text, turn, heard, report);
    }
    for dialled in &report.dialled {
        let _ = writeln!(
            text,
            "*{} is rung: {}. They hear: \u{201c}{}\u{201d}*\n",
            dialled.number,
            if dialled.bridged { "takes the call" } else { dialled.status.name() },
            dialled.whispered.join(" ")
        );
    }
    let ended = stored.call.ended.as_ref().map_or("live", |end| end.reason.name());
    let _ = writeln!(text, "The call ended: `{ended}`.");
    text
}

fn tell(text: &mut String, turn: &TurnView, heard: Option<&HeardTurn>, report: &CallReport) {
    let said = turn.caller_text.expose();
    if let Some(keys) = heard.and_then(|heard| heard.keys.as_deref()) {
        let _ = writeln!(text, "**Caller** *presses {keys}*\n");
    } else if !said.is_empty() {
        let _ = writeln!(text, "**Caller** {said}\n");
    }
    for tool in &turn.tools {
        let outcome = match &tool.outcome {
            None => "no answer".to_owned(),
            Some(ToolOutcome::Done(value) | ToolOutcome::Refused(value)) => shorten(&value.to_string()),
            Some(ToolOutcome::Failed(why)) => format!("failed: {why}"),
        };
        let _ = writeln!(text, "> `{}` {} → {outcome}\n", tool.name, shorten(&tool.arguments));
    }
    let agent = turn.heard_text.expose();
    if !agent.is_empty() {
        let cut = if heard.is_some_and(|heard| heard.interrupted_at.is_some()) {
            " *(is interrupted)*"
        } else {
            ""
        };
        let _ = writeln!(text, "**Agent** {agent}{cut}\n");
    }
    for murmur in
        report.murmurs.iter().filter(|murmur| heard.is_some_and(|heard| heard.number == murmur.turn))
    {
        let sound = murmur
            .said
            .as_deref()
            .map_or_else(|| "coughs".to_owned(), |said| format!("murmurs \u{201c}{said}\u{201d}"));
        let agent = match murmur.agent {
            AfterMurmur::WentOn => "goes on",
            AfterMurmur::SpokeAgain => "stops, and speaks again",
            AfterMurmur::Finished => "was finishing",
            AfterMurmur::FellSilent => "falls silent",
        };
        let _ = writeln!(text, "*Meanwhile the caller {sound}; the agent {agent}.*\n");
    }
    let at_the_caller = heard.map_or_else(AtTheCaller::default, |heard| AtTheCaller {
        first_audible_ms: heard.first_audible_ms,
        first_substantive_ms: heard.first_substantive_ms,
    });
    // Whether the terminal shows colours is nothing to a document.
    let picture = owo_colors::with_override(false, || waterfall::draw(turn, at_the_caller));
    if turn.number > 0 && !picture.is_empty() {
        let _ = writeln!(text, "```text\n{}\n```\n", picture.trim_end());
    }
}

fn shorten(text: &str) -> String {
    match text.char_indices().nth(MAX_RESULT_CHARS) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}
