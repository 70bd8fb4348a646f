//! Many calls, so many at once.

use crate::{caller::CallerOptions, exchange::PlaceCall, report::CallReport, script::Step};
use futures_util::{FutureExt, StreamExt, future::Either, stream::FuturesUnordered};
use std::{pin::pin, time::Duration};
use tokio::select;
use tokio_util::task::TaskTracker;

/// How fast calls are placed.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Calls that go on at the same time, at most.
    pub at_once: usize,
    /// From the start of one call to the start of the next, at least.
    pub ramp: Duration,
}

/// A call to place. Utterances are shared, so a thousand callers with one script keep its sound once.
#[derive(Debug, Clone)]
pub struct PlannedCall {
    /// Who calls whom.
    pub place: PlaceCall,
    /// What the caller does.
    pub steps: Vec<Step>,
    /// How it behaves.
    pub options: CallerOptions,
}

/// Places calls as long as there are any, and waits for the last. Each is lived through by `live` in a task on `tracker`;
/// `ended` is given each report as it comes, so that none has to be kept. `calls` is asked for the next call when one may
/// begin: it may depend on the reports so far.
///
/// Says how many calls were lost because their task panicked: a defect of this crate, to be told and not to be hidden.
pub async fn run<P, F>(
    mut calls: impl Iterator<Item = P>,
    pace: Pace,
    tracker: &TaskTracker,
    live: impl Fn(P) -> F,
    mut ended: impl FnMut(CallReport),
) -> u64
where
    F: Future<Output = CallReport> + Send + 'static,
{
    let mut lost = 0;
    let mut collect = |outcome| match outcome {
        Ok(report) => ended(report),
        Err(panic) => {
            tracing::error!(error = %panic, "a simulated call was lost");
            lost += 1;
        }
    };
    let mut under_way = FuturesUnordered::new();
    let mut first = true;
    loop {
        let ramp = if std::mem::take(&mut first) { Duration::ZERO } else { pace.ramp };
        let mut pause = pin!(tokio::time::sleep(ramp));
        loop {
            let ready = if under_way.len() < pace.at_once.max(1) {
                Either::Left(&mut pause)
            } else {
                Either::Right(std::future::pending())
            };
            select! {
                biased;
                Some(outcome) = under_way.next() => collect(outcome),
                () = ready => break,
            }
        }
        // Whatever has ended by now may decide whether there is another.
        while let Some(Some(outcome)) = under_way.next().now_or_never() {
            collect(outcome);
        }
        let Some(call) = calls.next() else { break };
        under_way.push(tracker.spawn(live(call)));
    }
    while let Some(outcome) = under_way.next().await {
        collect(outcome);
    }
    lost
}
