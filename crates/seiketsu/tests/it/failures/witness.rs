//! Looks at a platform from outside, five times a second: breakers and requests.

use super::telephone::{Telephone, get};
use seiketsu_gateway::admin::dependencies::Dependencies;
use serde_json::Value;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const EVERY: Duration = Duration::from_millis(200);

/// A route to a vendor, by kind and name of the endpoint.
pub(super) type Route = (&'static str, &'static str);

/// What is looked at.
#[derive(Debug, Clone)]
pub(super) struct View {
    /// `/health/dependencies`.
    pub(super) health: String,
    /// The routes that are to fail.
    pub(super) routes: Vec<Route>,
}

/// One look.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Look {
    /// When, by the telephone's clock.
    pub(super) at: Duration,
    /// The breakers of the routes, as far as there are any.
    pub(super) breakers: Vec<Option<String>>,
    /// What the platform has asked of them for callers so far.
    pub(super) requests: u64,
}

/// What was seen.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen(pub(super) Vec<Look>);

/// Looks until told to stop.
pub(super) async fn watch(
    http: &reqwest::Client,
    view: &View,
    telephone: &Telephone,
    stop: &CancellationToken,
) -> Seen {
    let mut seen = Seen::default();
    let mut ticks = tokio::time::interval(EVERY);
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        seen.0.push(look(http, view, telephone).await);
    }
    seen
}

async fn look(http: &reqwest::Client, view: &View, telephone: &Telephone) -> Look {
    let health = get(http, &view.health).await.unwrap_or_default();
    // Taken when the answer is here: a state is never dated earlier than it was.
    let at = telephone.now();
    let routes =
        serde_json::from_value::<Dependencies>(health).map(|health| health.routes).unwrap_or_default();
    let status = |(kind, endpoint): &Route| {
        routes.iter().find(|route| route.kind.name() == *kind && route.endpoint == *endpoint)
    };
    let breakers = view.routes.iter().map(|route| status(route).map(|route| route.breaker.clone())).collect();
    let requests: u64 = view.routes.iter().filter_map(status).map(|route| route.requests).sum();
    Look { at, breakers, requests }
}

/// Requests of these kinds that a sandbox has taken in.
pub(super) fn requests_of(counts: &Value, kinds: &[&str]) -> u64 {
    kinds.iter().filter_map(|kind| counts["requests"][*kind]["requests"].as_u64()).sum()
}

/// How breakers did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Breakers {
    /// From the first request that met the fault to every breaker's being open, if that was during the outage.
    pub(super) opened_after: Option<Duration>,
    /// How many requests had been sent into the fault by then.
    pub(super) suffered: u64,
    /// From the fault's end to every breaker's being closed for good.
    pub(super) closed_after: Option<Duration>,
}

impl Seen {
    /// How the breakers did in an outage. `met_at_once`: somebody used the service when the outage began.
    pub(super) fn breakers(&self, (begin, end): (Duration, Duration), met_at_once: bool) -> Breakers {
        let before = self.0.iter().take_while(|look| look.at < begin).last().map_or(0, |look| look.requests);
        let during = || self.0.iter().filter(|look| look.at >= begin && look.at < end);
        let met = during().find(|look| look.requests > before).map(|look| look.at);
        let met = if met_at_once { Some(begin) } else { met };
        let not_closed = |breaker: &Option<String>| breaker.as_deref().is_some_and(|state| state != "closed");
        let routes = self.0.first().map_or(0, |look| look.breakers.len());
        let opened = (0..routes)
            .map(|route| during().find(|look| not_closed(&look.breakers[route])).map(|look| look.at))
            .try_fold(Duration::ZERO, |latest, at| at.map(|at| latest.max(at)));
        let suffered = opened
            .and_then(|opened| during().find(|look| look.at == opened))
            .map_or(0, |look| look.requests.saturating_sub(before));
        let closed = |look: &Look| !look.breakers.iter().any(not_closed);
        let after = || self.0.iter().filter(|look| look.at >= end);
        let unsettled = after().filter(|look| !closed(look)).map(|look| look.at).next_back();
        let settled = match unsettled {
            None => after().next().map(|_| end),
            Some(last) => after().find(|look| look.at > last).map(|look| look.at),
        };
        Breakers {
            // Idle connections are pinged: a breaker may be open before any request has met the fault.
            opened_after: opened.map(|opened| opened.saturating_sub(met.unwrap_or(opened))),
            suffered,
            closed_after: settled.map(|at| at.saturating_sub(end)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(looks: &[(u64, &str, u64)]) -> Seen {
        let look = |&(at_s, breaker, requests): &(u64, &str, u64)| Look {
            at: Duration::from_secs(at_s),
            breakers: vec![Some(breaker.to_owned())],
            requests,
        };
        Seen(looks.iter().map(look).collect())
    }

    #[test]
    fn an_opening_counts_from_the_first_request_and_a_closing_is_for_good() {
        let looks = [
            (1, "closed", 4),
            (3, "closed", 4),
            (5, "closed", 5),
            (7, "open", 5),
            (11, "half_open", 6),
            (12, "closed", 7),
            (13, "open", 8),
            (15, "closed", 9),
        ];
        let outage = (Duration::from_secs(2), Duration::from_secs(10));
        let breakers = seen(&looks).breakers(outage, false);
        assert_eq!((breakers.opened_after, breakers.suffered), (Some(Duration::from_secs(2)), 1));
        assert_eq!(breakers.closed_after, Some(Duration::from_secs(5)));
        let met_at_once = seen(&looks).breakers(outage, true);
        assert_eq!(met_at_once.opened_after, Some(Duration::from_secs(5)));
    }

    #[test]
    fn a_breaker_that_stays_as_it_was_has_neither_opened_nor_closed() {
        let outage = (Duration::from_secs(2), Duration::from_secs(5));
        let never_opened = seen(&[(1, "closed", 0), (4, "closed", 2)]).breakers(outage, false);
        assert_eq!(never_opened.opened_after, None);
        let too_late = seen(&[(1, "closed", 0), (4, "closed", 2), (6, "open", 3)]).breakers(outage, false);
        assert_eq!(too_late.opened_after, None);
        let by_a_ping = seen(&[(1, "closed", 4), (3, "open", 4), (6, "open", 5)]).breakers(outage, false);
        assert_eq!((by_a_ping.opened_after, by_a_ping.suffered), (Some(Duration::ZERO), 0));
        let never_closed = seen(&[(1, "closed", 0), (4, "open", 2), (6, "open", 2)]).breakers(outage, false);
        assert_eq!((never_closed.opened_after, never_closed.closed_after), (Some(Duration::ZERO), None));
    }
}
