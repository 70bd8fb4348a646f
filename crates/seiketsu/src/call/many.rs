//! Many calls, and what they came to.

use super::{
    Caller, Telephone, classify, expect,
    injected::{self, Injections},
    late::{self, Late},
};
use crate::{api::Api, cli::CallArgs, exit::Exit, terminal::Terminal};
use indicatif::ProgressBar;
use seiketsu_carrier::{
    CallReport, HeardTurn, Pace, PlaceCall, Summary, Tally, call as place_call, load, process::ProcessUsage,
    summary::Distribution,
};
use serde::Serialize;
use std::{
    cell::{Cell, RefCell},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio_util::task::TaskTracker;

/// Calls at once, if only the number of turns is given.
const AT_ONCE: u32 = 10;
/// Late turns that are kept to be looked at.
const LATE_KEPT: usize = 1_000;
/// Where there is no terminal, progress is told so often.
const PROGRESS_TURNS: u64 = 100;

/// What many calls came to, and what they cost.
#[derive(Debug, Serialize)]
struct Measured {
    #[serde(flatten)]
    summary: Summary,
    profile: Option<String>,
    at_once: u32,
    /// Calls whose task was lost: a defect of the measurement.
    calls_lost: u64,
    call_minutes: f64,
    /// CPU seconds per minute of call, by process.
    server_cpu_per_call_minute: Option<f64>,
    sandbox_cpu_per_call_minute: Option<f64>,
    callers_cpu_per_call_minute: Option<f64>,
    /// Resident memory that the server grew by, at its peak, per call held at once.
    server_kib_per_call: Option<f64>,
    /// Calls that left behind what `--expect` asked for.
    expected_met: Option<u64>,
    /// What the sandbox delayed and broke meanwhile.
    injected: Option<Injections>,
    /// The turns that were late, with what the platform says of them; at most a thousand.
    late: Vec<Late>,
}

/// Places calls until there were enough of them, or enough turns. `callers` are taken in turn.
pub(super) async fn run(
    api: &Api,
    telephone: &Telephone,
    callers: Vec<Caller>,
    args: &CallArgs,
    terminal: Terminal,
) -> anyhow::Result<Exit> {
    let server = api.local.server_pid;
    let before = [Some(server), api.local.sandbox_pid, Some(std::process::id())].map(usage);
    let position = injected::position(api).await?;
    let at_once = args.concurrency.unwrap_or(if args.turns.is_some() { AT_ONCE } else { args.calls });
    let pace = Pace { at_once: at_once as usize, ramp: Duration::from_millis(u64::from(args.ramp)) };
    let bar = match args.turns {
        Some(turns) => terminal.bar(turns, "turns"),
        None => terminal.bar(u64::from(args.calls), "calls"),
    };
    // Only without delays of its own is the rest of a turn the platform's doing and nobody else's.
    let zero = api.local.profile.as_deref() == Some("zero");
    let silence_ms = callers.first().map_or(0, |caller| u64::from(caller.endpoint_silence_ms));
    let expected = |_: &CallReport, _: &HeardTurn| Some(silence_ms);

    let tally = RefCell::new(Tally::new());
    let (mut call_ms, placed, met) = (0, Cell::new(0_u32), Arc::new(AtomicU64::new(0)));
    let enough = || match args.turns {
        Some(turns) => tally.borrow().turns() >= turns,
        None => placed.get() >= args.calls,
    };
    let calls = std::iter::from_fn(|| {
        let next = (!enough()).then(|| numbered(&callers, placed.get()));
        placed.set(placed.get() + u32::from(next.is_some()));
        next
    });
    let late = Arc::new(Mutex::new(Vec::new()));
    let live = |caller: Caller| {
        let (api, exchange) = (api.clone(), telephone.exchange.clone());
        let (met, late) = (Arc::clone(&met), Arc::clone(&late));
        let expectation = args.expect;
        async move {
            let Caller { tenant, place, steps, options, .. } = caller;
            let mut report = place_call(&exchange, &place, steps, options, None).await;
            // A call that the platform cannot tell of is judged by the caller's ears alone.
            let stored = super::stored(&api, &tenant, report.call_sid.as_str()).await.unwrap_or_default();
            if let Some(stored) = &stored {
                classify::classify(&mut report, &stored.turns);
            }
            let found = late::turns(&tenant, &report, stored.as_ref());
            if !found.is_empty() {
                let mut late = late.lock().unwrap_or_else(PoisonError::into_inner);
                let room = LATE_KEPT.saturating_sub(late.len());
                late.extend(found.into_iter().take(room));
            }
            if expectation.is_some_and(|expectation| expect::is_there(expectation, &report, stored.as_ref()))
            {
                met.fetch_add(1, Ordering::Relaxed);
            }
            report
        }
    };
    let ended = |report: CallReport| {
        call_ms += report.duration_ms;
        let mut tally = tally.borrow_mut();
        let before = tally.turns();
        tally.add(&report, if zero { Some(&expected) } else { None });
        progress(&bar, args, &tally, before, terminal);
    };
    let calls_lost = load::run(calls, pace, &TaskTracker::new(), live, ended).await;
    bar.finish_and_clear();
    let after = [Some(server), api.local.sandbox_pid, Some(std::process::id())].map(usage);

    let call_minutes = call_ms as f64 / 60_000.0;
    let cpu = |process: usize| {
        let (before, after) = (before[process]?, after[process]?);
        Some(after.since(before).cpu.as_secs_f64() / call_minutes)
    };
    let grown = before[0].zip(after[0]).map(|(before, after)| {
        after.resident_peak_bytes.saturating_sub(before.resident_bytes) as f64 / 1_024.0 / f64::from(at_once)
    });
    let injected = match position {
        Some(position) => injected::since(api, position).await?,
        None => None,
    };
    let measured = Measured {
        profile: api.local.profile.clone(),
        at_once,
        calls_lost,
        call_minutes,
        server_cpu_per_call_minute: cpu(0),
        sandbox_cpu_per_call_minute: cpu(1),
        callers_cpu_per_call_minute: cpu(2),
        server_kib_per_call: grown,
        expected_met: args.expect.map(|_| met.load(Ordering::Relaxed)),
        injected,
        late: std::mem::take(&mut *late.lock().unwrap_or_else(PoisonError::into_inner)),
        summary: tally.into_inner().summary(),
    };
    if terminal.json() {
        terminal.document(&measured)?;
    } else {
        tell(&measured, terminal);
    }
    Ok(if measured.summary.calls_failed > 0 || calls_lost > 0 {
        Exit::Failure
    } else if measured.expected_met.is_some_and(|met| met < measured.summary.calls) {
        Exit::Unexpected
    } else {
        Exit::Success
    })
}

/// The caller of the n-th call, with a number of its own, so that each is a person of their own.
fn numbered(callers: &[Caller], number: u32) -> Caller {
    let caller = callers[number as usize % callers.len()].clone();
    let from = format!("+1512{:07}", 6_000_000 + number % 1_000_000);
    let from = from.parse().unwrap_or_else(|_| caller.place.from.clone());
    Caller { place: PlaceCall { from, ..caller.place }, ..caller }
}

fn progress(bar: &ProgressBar, args: &CallArgs, tally: &Tally, before: u64, terminal: Terminal) {
    match args.turns {
        Some(turns) => bar.set_position(tally.turns().min(turns)),
        None => bar.inc(1),
    }
    if bar.is_hidden() && tally.turns() / PROGRESS_TURNS > before / PROGRESS_TURNS {
        terminal.talk(format_args!("  {} turns, {} of them over 2 s", tally.turns(), tally.over_promise()));
    }
}

fn usage(pid: Option<u32>) -> Option<ProcessUsage> {
    pid.and_then(|pid| ProcessUsage::of(pid).ok())
}

fn tell(measured: &Measured, terminal: Terminal) {
    let summary = &measured.summary;
    let mut table =
        terminal.table(["ms", "turns", "p50", "p95", "p99", "p99.9", "max", "over 2 s", "no answer"]);
    let shown = |value: Option<u64>| value.map_or_else(|| "-".to_owned(), |value| value.to_string());
    let mut row = |name: &str, distribution: &Distribution| {
        table.add_row([
            name.to_owned(),
            distribution.turns.to_string(),
            shown(distribution.p50_ms),
            shown(distribution.p95_ms),
            shown(distribution.p99_ms),
            shown(distribution.p999_ms),
            shown(distribution.max_ms),
            distribution.over_promise.to_string(),
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
        "{} calls ({} failed), {} at once, {:.1} call-minutes, {} turns, profile {}",
        summary.calls,
        summary.calls_failed,
        measured.at_once,
        measured.call_minutes,
        summary.turns,
        measured.profile.as_deref().unwrap_or("of real vendors")
    ));
    terminal.show(table);
    terminal.data(format_args!(
        "first audible within 2 s: {}   bridged by an acknowledgement: {}   announced: {}   without an answer: {}",
        percent(summary.within_promise_share),
        percent(summary.acknowledged_share),
        percent(summary.announced_share),
        summary.turns_missed,
    ));
    terminal.data(format_args!(
        "not in these figures: caller went on {}, keys {}, lines left unspoken {}   flagged answers: {}",
        summary.turns_not_waited_for, summary.turns_keyed, summary.lines_unspoken, summary.turns_flagged
    ));
    terminal.data(format_args!(
        "CPU s per call-minute: server {}, sandbox {}, callers {}   server memory per call: {} KiB   clock slip of callers: {} ms",
        number(measured.server_cpu_per_call_minute, 4),
        number(measured.sandbox_cpu_per_call_minute, 4),
        number(measured.callers_cpu_per_call_minute, 4),
        number(measured.server_kib_per_call, 0),
        summary.clock_slip_max_ms
    ));
    for (agent, count) in &summary.murmurs {
        terminal.data(format_args!("murmurs after which the agent {}: {count}", expect::in_words(*agent)));
    }
    if let Some(injected) = &measured.injected {
        let faults: u64 = injected.faults.values().sum();
        terminal
            .data(format_args!("injected by the sandbox: {faults} faults in {} delays", injected.requests));
        for (what, count) in &injected.faults {
            terminal.data(format_args!("  {count} x {what}"));
        }
    }
    if let Some(met) = measured.expected_met {
        terminal.data(format_args!("left behind what was expected: {met} of {}", summary.calls));
    }
    late::tell(&measured.late, terminal);
    for (reason, count) in &summary.failures {
        terminal.data(format_args!("failed: {count} x {reason}"));
    }
    for (code, count) in &summary.carrier_errors {
        terminal.data(format_args!("carrier error {code}: {count}"));
    }
}
