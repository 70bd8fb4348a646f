//! What the links to a recogniser and a voice have in common: where to open the next one, and when.

use seiketsu_providers::failover::Route;
use std::time::Duration;

/// A link that is not open by then is not waited for: the next route gets its chance.
pub(crate) const OPEN_PATIENCE: Duration = Duration::from_millis(1_500);
/// Once every route has had its chance, pauses grow from the first to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// A link to be opened.
#[derive(Debug)]
pub(crate) struct Opening<T: ?Sized> {
    /// Where.
    pub route: Route<T>,
    /// After how long.
    pub delay: Duration,
}

/// What failed in a row.
#[derive(Debug, Default)]
pub(crate) struct Failures {
    /// How often.
    pub count: u32,
    /// Where, by the order of the routes, each once; the latest last.
    pub tried: Vec<usize>,
}

impl Failures {
    pub(crate) fn another(&mut self, order: usize) {
        self.count = self.count.saturating_add(1);
        self.tried.retain(|tried| *tried != order);
        self.tried.push(order);
    }

    pub(crate) fn none(&mut self) {
        self.count = 0;
        self.tried.clear();
    }
}

/// How long to wait after so many failures in a row: not at all before each route was tried once.
pub(crate) fn pause(failures: u32, routes: usize) -> Duration {
    let routes = u32::try_from(routes).unwrap_or(u32::MAX);
    match failures.checked_sub(routes) {
        None => Duration::ZERO,
        Some(rounds) => {
            LONGEST_PAUSE.min(FIRST_PAUSE * 2_u32.saturating_pow((rounds / routes.max(1)).min(8)))
        }
    }
}

/// When so much time has passed; never without a length.
pub(crate) async fn after(length: Option<Duration>) {
    match length {
        Some(length) => tokio::time::sleep(length).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_is_tried_at_once_and_after_that_pauses_grow() {
        let pauses = |routes| (0..9).map(|failures| pause(failures, routes).as_millis()).collect::<Vec<_>>();
        assert_eq!(pauses(1), [0, 100, 200, 400, 800, 1_600, 2_000, 2_000, 2_000]);
        assert_eq!(pauses(3), [0, 0, 0, 100, 100, 100, 200, 200, 200]);
    }
}
