//! One call: shown as it happens, told when it is over.

use super::{
    Caller, Telephone,
    classify::{classify, heard_of},
    expect::{in_words, is_there, name},
    live, markdown,
};
use crate::{
    api::Api,
    cli::CallArgs,
    exit::Exit,
    show::turn_in_words,
    terminal::Terminal,
    waterfall::{self, AtTheCaller},
};
use anyhow::Context;
use seiketsu_carrier::{CallReport, TurnEnd, call as place_call};
use seiketsu_gateway::v1::call::CallDetail;
use serde::Serialize;

/// What one call left behind.
#[derive(Debug, Serialize)]
struct Outcome {
    report: CallReport,
    stored: Option<CallDetail>,
    /// Whether what was asked for is there; `None` if nothing was.
    expected: Option<bool>,
}

/// Runs it, shows it as it happens, and tells what came of it.
pub(super) async fn run(
    api: &Api,
    telephone: &Telephone,
    caller: Caller,
    args: &CallArgs,
    terminal: Terminal,
) -> anyhow::Result<Exit> {
    let Caller { tenant, place, steps, options, .. } = caller;
    let (events, shown) = live::printer(terminal);
    let mut report = place_call(&telephone.exchange, &place, steps, options, Some(events)).await;
    let _ = shown.await;
    if let (Some(path), Some(tracks)) = (&args.save, &report.tracks) {
        match tracks.save_stereo(path) {
            Ok(()) => terminal.talk(format_args!("\nsaved {} (caller left, agent right)", path.display())),
            Err(error) => terminal.talk(format_args!("\ncannot write {}: {error}", path.display())),
        }
    }
    // The call is over whatever becomes of the platform: what its caller heard is told in any case.
    let stored = super::stored(api, &tenant, report.call_sid.as_str()).await.unwrap_or_else(|error| {
        terminal.talk(format_args!("the platform's record of the call cannot be read: {error:#}"));
        None
    });
    if let Some(stored) = &stored {
        classify(&mut report, &stored.turns);
    }
    if let (Some(path), Some(stored)) = (&args.markdown, &stored) {
        let document = markdown::document(&title(stored), &how(api, args), &report, stored);
        std::fs::write(path, document).with_context(|| format!("cannot write {}", path.display()))?;
        terminal.talk(format_args!("\nwrote {}", path.display()));
    }
    let failed = report.streams == 0 || !report.ended_by.is_orderly();
    let expected = args.expect.map(|expectation| is_there(expectation, &report, stored.as_ref()));
    if terminal.json() {
        terminal.document(&Outcome { report, stored, expected })?;
    } else {
        tell(&report, stored.as_ref(), terminal);
        if let (Some(expectation), Some(met)) = (args.expect, expected) {
            let verdict = if met { "is in the database" } else { "is NOT in the database" };
            terminal.data(format_args!("\nexpected: a {} {verdict}", name(expectation)));
        }
    }
    Ok(match expected {
        Some(false) => Exit::Unexpected,
        Some(true) | None if failed => Exit::Failure,
        Some(true) | None => Exit::Success,
    })
}

/// What a document about the call is headed.
fn title(stored: &CallDetail) -> String {
    format!("A call of {}", stored.call.started_at.strftime("%B %-d, %Y"))
}

/// How it came about.
fn how(api: &Api, args: &CallArgs) -> String {
    let script = args.script.first().map(|path| format!(" --script {}", path.display())).unwrap_or_default();
    let profile = api
        .local
        .profile
        .as_deref()
        .map_or_else(|| "real vendors".to_owned(), |profile| format!("profile `{profile}`"));
    format!("`seiketsu call --tenant {}{script}`, {profile}.", args.tenant.join(","))
}

/// The conversation with the waterfall of each turn.
fn tell(report: &CallReport, stored: Option<&CallDetail>, terminal: Terminal) {
    terminal.data("");
    let Some(stored) = stored else {
        terminal.data(format_args!(
            "call {} ended ({:?}); the platform has no record of it",
            report.call_sid, report.ended_by
        ));
        for turn in &report.turns {
            let said = turn.said.as_deref().unwrap_or("(a recording)");
            terminal.data(format_args!("  caller  {said}\n  agent   {}", turn.heard_text));
        }
        for error in &report.errors {
            terminal.data(format_args!("  error {}: {}", error.code, error.detail));
        }
        for announcement in &report.announcements {
            terminal.data(format_args!("  the carrier said: {announcement}"));
        }
        return;
    };
    terminal.data(format_args!("call {}", stored.call.id));
    for turn in &stored.turns {
        terminal.data(format_args!("\nturn {}", turn.number));
        terminal.data(turn_in_words(turn).trim_end());
        if turn.number == 0 {
            continue;
        }
        let heard = heard_of(turn, report);
        let at_the_caller = heard.map_or_else(AtTheCaller::default, |heard| AtTheCaller {
            first_audible_ms: heard.first_audible_ms,
            first_substantive_ms: heard.first_substantive_ms,
        });
        terminal.data(waterfall::draw(turn, at_the_caller).trim_end());
    }
    let stored_words = words(stored.turns.iter().map(|turn| turn.heard_text.expose().as_str()));
    let recovered_words = words([report.whole_agent_text.as_str()]);
    let agree = if stored_words == recovered_words { "equal" } else { "DIFFER from" };
    terminal.data(format_args!(
        "\n{} words of the agent recovered from the audio {agree} the stored transcript's {}",
        recovered_words.len(),
        stored_words.len()
    ));
    // An answer that was cut off cannot be whole.
    let whole = report.turns.iter().filter(|turn| turn.end != TurnEnd::Interrupted);
    for flag in whole.flat_map(|turn| &turn.flags) {
        terminal.data(format_args!("  the decoder noticed: {flag}"));
    }
    for dialled in &report.dialled {
        let took = if dialled.bridged { "took the call" } else { dialled.status.name() };
        terminal.data(format_args!("{} was rung: {took}", dialled.number));
    }
    for murmur in &report.murmurs {
        let sound = murmur.said.as_deref().unwrap_or("(a cough)");
        terminal.data(format_args!("after \"{sound}\" the agent {}", in_words(murmur.agent)));
    }
    for viewing in &stored.viewings {
        terminal.data(format_args!("viewing {viewing}"));
    }
    for lead in &stored.leads {
        terminal.data(format_args!("lead {lead}"));
    }
}

/// Words as the sub-carrier can tell them.
fn words<'a>(texts: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    texts
        .into_iter()
        .flat_map(|text| {
            let normal = seiketsu_audio::subcarrier::normalise_text(text);
            normal.split_whitespace().map(str::to_owned).collect::<Vec<_>>()
        })
        .collect()
}
