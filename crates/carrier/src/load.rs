//! Many calls at once.

use crate::{
    caller::{self, CallerOptions},
    exchange::{Exchange, PlaceCall},
    report::CallReport,
    script::Step,
};
use futures_util::{StreamExt, stream::FuturesUnordered};
use std::{pin::pin, time::Duration};
use tokio::select;
use tokio_util::task::TaskTracker;

/// Calls to place, and how fast.
#[derive(Debug, Clone)]
pub struct LoadPlan {
    /// The calls.
    pub calls: Vec<PlannedCall>,
    /// From the start of one call to the start of the next.
    pub ramp: Duration,
}

/// One of them. Utterances are shared, so a thousand callers with one script keep its sound once.
#[derive(Debug, Clone)]
pub struct PlannedCall {
    /// Who calls whom.
    pub place: PlaceCall,
    /// What the caller does.
    pub steps: Vec<Step>,
    /// How it behaves.
    pub options: CallerOptions,
}

/// What became of them.
#[derive(Debug, Default)]
pub struct Loaded {
    /// A report for each call, in the order in which they ended.
    pub reports: Vec<CallReport>,
    /// Calls whose task panicked: a defect of this crate, to be told and not to be hidden.
    pub lost: u64,
}

/// Places all calls, each a task on `tracker`, and waits for the last. `progress` is shown each report as it comes.
pub async fn run(
    exchange: &Exchange,
    plan: LoadPlan,
    tracker: &TaskTracker,
    mut progress: impl FnMut(&CallReport),
) -> Loaded {
    let mut loaded = Loaded::default();
    let mut collect = |ended| match ended {
        Ok(report) => {
            progress(&report);
            loaded.reports.push(report);
        }
        Err(panic) => {
            tracing::error!(error = %panic, "a simulated call was lost");
            loaded.lost += 1;
        }
    };
    let mut under_way = FuturesUnordered::new();
    for (index, planned) in plan.calls.into_iter().enumerate() {
        let mut pause = pin!(tokio::time::sleep(if index == 0 { Duration::ZERO } else { plan.ramp }));
        loop {
            select! {
                () = &mut pause => break,
                Some(ended) = under_way.next() => collect(ended),
            }
        }
        let exchange = exchange.clone();
        under_way.push(tracker.spawn(async move {
            caller::call(&exchange, &planned.place, planned.steps, planned.options, None).await
        }));
    }
    while let Some(ended) = under_way.next().await {
        collect(ended);
    }
    loaded
}
