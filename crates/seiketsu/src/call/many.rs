//! Many calls at once, and what they came to.

use super::Telephone;
use crate::{api::Api, cli::CallArgs, exit::Exit, terminal::Terminal};
use comfy_table::{Table, presets};
use seiketsu_carrier::{
    CallReport, CallerOptions, HeardTurn, LoadPlan, PlaceCall, PlannedCall, Step, Summary, load,
    process::ProcessUsage, summary::Distribution,
};
use serde::Serialize;
use std::time::Duration;
use tokio_util::task::TaskTracker;

/// What many calls came to, and what they cost.
#[derive(Debug, Serialize)]
struct Measured {
    #[serde(flatten)]
    summary: Summary,
    profile: Option<String>,
    call_minutes: f64,
    /// CPU seconds per minute of call, by process.
    server_cpu_per_call_minute: Option<f64>,
    sandbox_cpu_per_call_minute: Option<f64>,
    callers_cpu_per_call_minute: Option<f64>,
    /// Resident memory that the server grew by, at its peak, per call held at once.
    server_kib_per_call: Option<f64>,
    expected_met: Option<u64>,
}

#[expect(clippy::too_many_arguments, reason = "the parts of one command, named where they are used")]
pub(super) async fn run(
    api: &Api,
    telephone: &Telephone,
    place: PlaceCall,
    steps: Vec<Step>,
    options: CallerOptions,
    args: &CallArgs,
    endpoint_silence_ms: u32,
    terminal: Terminal,
) -> anyhow::Result<Exit> {
    let server = api.local.server_pid;
    let before = [Some(server), api.local.sandbox_pid, Some(std::process::id())].map(usage);
    let bar = terminal.bar(u64::from(args.calls), "calls");
    let at_once = args.at_once.unwrap_or(args.calls).max(1);
    let mut reports: Vec<CallReport> = Vec::new();
    let mut left = args.calls;
    let mut number = 0_u32;
    while left > 0 {
        let batch = left.min(at_once);
        left -= batch;
        let calls = (0..batch)
            .map(|_| {
                number += 1;
                // A number of its own for each caller, so that each is a person of their own.
                let from =
                    format!("+1512{:07}", 6_000_000 + number).parse().unwrap_or_else(|_| place.from.clone());
                PlannedCall {
                    place: PlaceCall { from, ..place.clone() },
                    steps: steps.clone(),
                    options: options.clone(),
                }
            })
            .collect();
        let plan = LoadPlan { calls, ramp: Duration::from_millis(u64::from(args.ramp)) };
        let loaded = load::run(&telephone.exchange, plan, &TaskTracker::new(), |_| bar.inc(1)).await;
        reports.extend(loaded.reports);
    }
    bar.finish_and_clear();
    let after = [Some(server), api.local.sandbox_pid, Some(std::process::id())].map(usage);

    // Only without delays of its own is the rest of a turn the platform's doing and nobody else's.
    let zero = api.local.profile.as_deref() == Some("zero");
    let silence = |_: &CallReport, _: &HeardTurn| Some(u64::from(endpoint_silence_ms));
    let summary = Summary::of(&reports, if zero { Some(&silence) } else { None });
    let call_minutes = reports.iter().map(|report| report.duration_ms as f64).sum::<f64>() / 60_000.0;
    let cpu = |process: usize| {
        let (before, after) = (before[process]?, after[process]?);
        Some(after.since(before).cpu.as_secs_f64() / call_minutes)
    };
    let grown = before[0].zip(after[0]).map(|(before, after)| {
        after.resident_peak_bytes.saturating_sub(before.resident_bytes) as f64 / 1_024.0 / f64::from(at_once)
    });
    let measured = Measured {
        profile: api.local.profile.clone(),
        call_minutes,
        server_cpu_per_call_minute: cpu(0),
        sandbox_cpu_per_call_minute: cpu(1),
        callers_cpu_per_call_minute: cpu(2),
        server_kib_per_call: grown,
        expected_met: None,
        summary,
    };
    if terminal.json() {
        terminal.document(&measured)?;
    } else {
        tell(&measured, terminal);
    }
    Ok(if measured.summary.calls_failed > 0 { Exit::Failure } else { Exit::Success })
}

fn usage(pid: Option<u32>) -> Option<ProcessUsage> {
    pid.and_then(|pid| ProcessUsage::of(pid).ok())
}

fn tell(measured: &Measured, terminal: Terminal) {
    let summary = &measured.summary;
    let mut table = Table::new();
    table
        .load_style(presets::UTF8_HORIZONTAL_ONLY)
        .set_header(["ms", "p50", "p95", "p99", "p99.9", "max", "missing"]);
    let shown = |value: Option<u64>| value.map_or_else(|| "-".to_owned(), |value| value.to_string());
    let mut row = |name: &str, distribution: &Distribution| {
        table.add_row([
            name.to_owned(),
            shown(distribution.p50_ms),
            shown(distribution.p95_ms),
            shown(distribution.p99_ms),
            shown(distribution.p999_ms),
            shown(distribution.max_ms),
            distribution.missing.to_string(),
        ]);
    };
    row("first audible", &summary.first_audible);
    row("first substantive", &summary.first_substantive);
    if let Some(added) = &summary.added {
        row("added by the platform", added);
    }
    let percent =
        |share: Option<f64>| share.map_or_else(|| "-".to_owned(), |share| format!("{:.2} %", share * 100.0));
    let number = |value: Option<f64>, digits: usize| {
        value.map_or_else(|| "-".to_owned(), |value| format!("{value:.digits$}"))
    };
    terminal.data(format_args!(
        "{} calls ({} failed), {:.1} call-minutes, {} turns, profile {}",
        summary.calls,
        summary.calls_failed,
        measured.call_minutes,
        summary.turns,
        measured.profile.as_deref().unwrap_or("of real vendors")
    ));
    terminal.data(table);
    terminal.data(format_args!(
        "first audible within 2 s: {}   bridged by an acknowledgement: {}   no answer: {}   caller went on: {}   flagged: {}",
        percent(summary.within_promise_share),
        percent(summary.acknowledged_share),
        summary.turns_missed,
        summary.turns_not_waited_for,
        summary.turns_flagged
    ));
    terminal.data(format_args!(
        "CPU s per call-minute: server {}, sandbox {}, callers {}   server memory per call: {} KiB   clock slip of callers: {} ms",
        number(measured.server_cpu_per_call_minute, 4),
        number(measured.sandbox_cpu_per_call_minute, 4),
        number(measured.callers_cpu_per_call_minute, 4),
        number(measured.server_kib_per_call, 0),
        summary.clock_slip_max_ms
    ));
    for (reason, count) in &summary.failures {
        terminal.data(format_args!("failed: {count} x {reason}"));
    }
    for (code, count) in &summary.carrier_errors {
        terminal.data(format_args!("carrier error {code}: {count}"));
    }
}
