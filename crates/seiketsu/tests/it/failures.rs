//! Everything that a call needs, failing in every way it can, while people are on the telephone.
//!
//! Each test is a row: the language model, every language model, the recogniser, the voice, the database. Each of its six
//! cells has a platform of its own, on which somebody is talking when the outage begins and goes on asking, while others
//! call one after the other. Nobody waits longer than three seconds for a sound, nothing that was acknowledged is lost,
//! breakers open and close in time, and afterwards everything is as before.
//!
//! `OUTAGE_SECONDS=60 TABLE=failures.md make test ARGS="-E 'test(in_an_outage_of)' --no-capture"` for the long run, with its
//! figures as a table; in the suite an outage takes ten seconds. `FAULTS=hung,slow` chooses columns; `KEEP_LOGS`
//! names a directory for what each platform logged, at the level that `LOG` sets, and for what was seen of its breakers.

mod records;
mod stage;
mod table;
mod telephone;
mod witness;

use futures_util::future::join_all;
use stage::{Failing, Stage};
use std::{collections::BTreeSet, path::Path, sync::Arc, time::Duration};
use table::Figures;
use telephone::{Heard, Lines};
pub(crate) use telephone::{get, http};
use tokio::sync::{Barrier, watch};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use witness::Seen;

/// The longest that a caller waits for a sound.
const SPEECH_WITHIN: Duration = Duration::from_secs(3);
/// From the first request that meets a fault to an open breaker, in an outage of `PATIENT` length: the long run is made on a
/// quiet machine. In the suite it opens during the outage.
const OPEN_WITHIN: Duration = Duration::from_secs(5);
/// So many requests meet a fault before its breaker opens: each caller's, what is asked again for it, and the probes.
const MET_AT_MOST: u64 = 6;
/// From the end of an outage until everything is as before.
const WELL_WITHIN: Duration = Duration::from_secs(10);
/// How long people go on calling after an outage.
const AFTERWARDS: Duration = Duration::from_secs(13);
/// How long the last records may take after the last call: recovery looks every ten seconds, and believes the second look.
const LAST_RECORDS: Duration = Duration::from_secs(45);
/// In an outage of this length every caller who waits is answered, if only with an apology.
const PATIENT: Duration = Duration::from_secs(30);
/// Between being sent away and dialling again.
const REDIAL: Duration = Duration::from_secs(1);
/// How long it may take until a caller speaks for the second time.
const UNDER_WAY: Duration = Duration::from_mins(1);
/// Time for a platform's first call, in which the agent's fixed sentences are spoken in advance.
const FIRST_CALL: Duration = Duration::from_secs(3);
/// Platforms at once; this many leave two cores time for what is measured.
const AT_ONCE: usize = 6;

const FAULTS: [&str; 6] = ["refused", "hung", "slow", "garbage", "rate_limited", "half_open"];

fn outage() -> Duration {
    let seconds = std::env::var("OUTAGE_SECONDS").ok().and_then(|text| text.parse().ok());
    Duration::from_secs(seconds.unwrap_or(10))
}

#[tokio::test(flavor = "multi_thread")]
async fn in_an_outage_of_the_language_model_another_endpoint_answers() {
    row("The language model; another endpoint stands in", Failing::Model).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_an_outage_of_every_language_model_callers_hear_an_apology() {
    row("Every language model", Failing::EveryModel).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_an_outage_of_the_recogniser_another_vendor_hears() {
    row("The recogniser; another vendor stands in", Failing::Recogniser).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_an_outage_of_the_voice_another_vendor_speaks() {
    row("The voice; another vendor stands in", Failing::Voice).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_an_outage_of_the_database_calls_go_on_and_what_they_finished_is_committed_afterwards() {
    row("PostgreSQL", Failing::Database).await;
}

/// Six cells, their figures, and no problem in any of them.
#[expect(
    clippy::print_stderr,
    clippy::disallowed_macros,
    reason = "figures for whoever runs it with --no-capture"
)]
async fn row(title: &'static str, failing: Failing) {
    let lines = Arc::new(Lines::speak().await);
    let only: Option<BTreeSet<String>> =
        std::env::var("FAULTS").ok().map(|text| text.split(',').map(str::to_owned).collect());
    let mut chosen: Vec<_> = FAULTS.to_vec();
    chosen.retain(|fault| only.as_ref().is_none_or(|only| only.contains(*fault)));
    let mut figures: Vec<Figures> = Vec::new();
    for faults in chosen.chunks(AT_ONCE) {
        let ready = Arc::new(Barrier::new(faults.len()));
        let cells = faults.iter().map(|&fault| {
            let (lines, ready) = (Arc::clone(&lines), Arc::clone(&ready));
            // A thread each, so that callers of different cells do not wait for each other.
            let cell = tokio::task::spawn_blocking(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(cell(failing, fault, &lines, &ready))
            });
            async move { cell.await.unwrap() }
        });
        figures.extend(join_all(cells).await);
    }
    for one in &figures {
        eprintln!("{}", one.line());
        for problem in &one.problems {
            eprintln!("    {problem}");
        }
    }
    if let Ok(path) = std::env::var("TABLE") {
        table::append(&path, title, &figures);
    }
    let problems: Vec<_> =
        figures.iter().flat_map(|one| one.problems.iter().map(|problem| (one.fault, problem))).collect();
    assert!(problems.is_empty(), "{title}: {problems:#?}");
}

/// One way of failing, from a sound platform to a sound platform.
async fn cell(failing: Failing, fault: &'static str, lines: &Lines, ready: &Barrier) -> Figures {
    let (http, tasks) = (http(), TaskTracker::new());
    let mut stage = Stage::set(failing, &http, &tasks).await;
    // Nobody's start disturbs what is measured at another platform; and a first call, which nobody measures, has the
    // agent's fixed sentences spoken in advance.
    ready.wait().await;
    let ((begun, _), hang_up) = (watch::channel(0), CancellationToken::new());
    let first = stage.telephone.call((stage.telephone.sid(), 0), Vec::new(), &hang_up, begun);
    let enough = async {
        tokio::time::sleep(FIRST_CALL).await;
        hang_up.cancel();
    };
    tokio::join!(first, enough);
    ready.wait().await;
    let stop_looking = CancellationToken::new();
    let lived = async {
        let lived = Box::pin(live_through(&stage, fault, lines, &http)).await;
        stop_looking.cancel();
        lived
    };
    let view = stage.view();
    let (lived, seen) = tokio::join!(lived, witness::watch(&http, &view, &stage.telephone, &stop_looking));
    judge(&mut stage, fault, &http, lived, &seen).await
}

/// What happened between the first and the last call.
struct Lived {
    outage: (Duration, Duration),
    /// The caller who was there from before the outage until after it.
    persistent: Heard,
    /// Those who called one after the other.
    brief: Vec<Heard>,
    /// From the end of the outage to the commit of the turns that had ended by then.
    committed_after: Option<Duration>,
    problems: Vec<String>,
}

async fn live_through(stage: &Stage, fault: &'static str, lines: &Lines, http: &reqwest::Client) -> Lived {
    let telephone = &stage.telephone;
    let hang_up = CancellationToken::new();
    let (begun, mut lines_begun) = watch::channel(0);
    let sid = telephone.sid();
    let persistent = telephone.call((sid.clone(), 100), lines.persistent(), &hang_up, begun);
    let happens = async {
        let mut problems = Vec::new();
        // In the middle of the second line: the recogniser is at work, model and voice are about to be.
        match tokio::time::timeout(UNDER_WAY, lines_begun.wait_for(|lines| *lines >= 2)).await {
            Ok(Ok(_)) => {}
            Ok(Err(_)) | Err(_) => problems.push("the call did not get under way".to_owned()),
        }
        stage.strike(fault, http).await;
        let begin = telephone.now();
        let over = CancellationToken::new();
        let brief = call_one_after_the_other(stage, lines, &over);
        let course = async {
            tokio::time::sleep(outage()).await;
            stage.heal(http).await;
            let end = telephone.now();
            // The greeting, and a turn for each line but the one that may be under way.
            let finished = i64::from(*lines_begun.borrow());
            let committed = async {
                while records::committed(&stage.platform.db, sid.as_str()).await < finished {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
                telephone.now().saturating_sub(end)
            };
            let rest = tokio::time::sleep(AFTERWARDS);
            let (committed, ()) = tokio::join!(tokio::time::timeout(AFTERWARDS, committed), rest);
            over.cancel();
            hang_up.cancel();
            (end, committed.ok())
        };
        let (brief, (end, committed_after)) = tokio::join!(brief, course);
        (begin, end, brief, committed_after, problems)
    };
    let (persistent, (begin, end, brief, committed_after, problems)) = tokio::join!(persistent, happens);
    Lived { outage: (begin, end), persistent, brief, committed_after, problems }
}

async fn call_one_after_the_other(stage: &Stage, lines: &Lines, over: &CancellationToken) -> Vec<Heard> {
    let mut heard = Vec::new();
    while !over.is_cancelled() {
        let number = heard.len();
        let (begun, _) = watch::channel(0);
        let who = (stage.telephone.sid(), 200 + number as u32);
        let one = stage.telephone.call(who, lines.brief(number), over, begun).await;
        if one.answered_at.is_none() {
            tokio::time::sleep(REDIAL).await;
        }
        heard.push(one);
    }
    heard
}

/// Figures, and whatever is not as it should be.
async fn judge(
    stage: &mut Stage,
    fault: &'static str,
    http: &reqwest::Client,
    lived: Lived,
    seen: &Seen,
) -> Figures {
    let Lived { outage, persistent, brief, committed_after, problems } = lived;
    let mut figures = Figures { row: stage.failing.name(), fault, outage, problems, ..Figures::default() };
    figures.hear("the persistent caller", &persistent);
    for (number, heard) in brief.iter().enumerate() {
        figures.hear(&format!("caller {}", number + 1), heard);
    }
    let (begin, end) = outage;
    let mut problems = std::mem::take(&mut figures.problems);

    if !stage.platform.is_running() || !stage.is_live(http).await {
        problems.push("the server is gone".to_owned());
    }
    if let Some(panic) = stage.platform.log().lines().find(|line| line.contains("panicked")) {
        problems.push(format!("something crashed: {panic}"));
    }
    if stage.failing == Failing::Database {
        figures.committed_after = committed_after;
        if committed_after.is_none_or(|after| after > WELL_WITHIN) {
            problems.push(format!("turns were committed {committed_after:?} after the end"));
        }
    } else {
        // Somebody was speaking; what was open already goes on while only new connections are turned away.
        let met_at_once = stage.failing == Failing::Recogniser && fault != "rate_limited";
        let breakers = seen.breakers(outage, met_at_once);
        let patient = end.saturating_sub(begin) >= PATIENT;
        match breakers.opened_after {
            None => problems.push("the breaker did not open during the outage".to_owned()),
            Some(after) if patient && after > OPEN_WITHIN => {
                problems.push(format!("the breaker opened after {after:?}"));
            }
            Some(_) if breakers.suffered > MET_AT_MOST => {
                problems
                    .push(format!("{} requests met the fault before the breaker opened", breakers.suffered));
            }
            Some(_) => {}
        }
        if breakers.closed_after.is_none_or(|after| after > WELL_WITHIN) {
            problems.push(format!("the breaker closed {:?} after the end", breakers.closed_after));
        }
        figures.breakers = Some(breakers);
    }

    let db = &stage.platform.db;
    records::age_unconnected(db).await;
    let open = "select count(*) from public.calls where ended_at is null";
    let closed = async {
        while db.count(open).await > 0 {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    if tokio::time::timeout(LAST_RECORDS, closed).await.is_err() {
        problems.push(format!("calls are open {} s after the last", LAST_RECORDS.as_secs()));
    }
    problems.extend(records::offences(db).await);
    figures.apologies = records::apologies(db).await;
    // A model that hangs is waited for; a caller who goes on asking may be faster than the apology.
    let at_once =
        ["refused", "garbage", "rate_limited"].contains(&fault) || end.saturating_sub(begin) >= PATIENT;
    if stage.failing == Failing::EveryModel && at_once && figures.apologies == 0 {
        problems.push("nobody heard an apology".to_owned());
    }
    figures.instead = stage.instead(http).await;

    if let Some(answered_at) = persistent.answered_at {
        let sid = persistent.report.call_sid.as_str();
        let well = (end + WELL_WITHIN).saturating_sub(answered_at);
        if records::turns_since(db, sid, well, "outcome = 'failed'").await > 0 {
            problems.push("the agent apologised when all was well again".to_owned());
        }
        let since_end = end.saturating_sub(answered_at);
        let substantive = "first_substantive_ms is not null and outcome <> 'failed'";
        if records::turns_since(db, sid, since_end, substantive).await == 0 {
            problems.push("nothing of substance was said when all was well again".to_owned());
        }
        let ended_at = answered_at + Duration::from_millis(persistent.report.duration_ms);
        if ended_at < end {
            let since = ended_at.saturating_sub(begin).as_millis();
            problems.push(format!("the persistent caller's call ended {since} ms into the outage"));
        }
    }
    figures.problems = problems;
    if let Ok(directory) = std::env::var("KEEP_LOGS") {
        let name = Path::new(&directory).join(format!("{}-{fault}", stage.failing.name()));
        std::fs::write(name.with_extension("log"), stage.platform.log()).unwrap();
        std::fs::write(name.with_extension("looks"), format!("{outage:#?}\n{seen:#?}")).unwrap();
    }
    figures
}
