//! The places that recognise or speak, in order.

use super::{
    health::{Kind, Patience, RouteHealth},
    probe::Probe,
    registry::Failover,
};
use crate::{Failure, FailureKind, Retry, Vendor};
use std::sync::Arc;

/// One place as it is configured.
#[derive(Debug)]
pub struct Service<T: ?Sized> {
    /// Its name in the configuration, for example `deepgram`.
    pub endpoint: String,
    /// Whose it is.
    pub vendor: Vendor,
    /// The client.
    pub client: Arc<T>,
    /// How long it may take.
    pub patience: Patience,
    /// Whether it works.
    pub probe: Arc<dyn Probe>,
}

/// One place to send work to.
#[derive(Debug)]
pub struct Route<T: ?Sized> {
    /// Its place in the order; 0 is the first choice.
    pub order: usize,
    /// How it is.
    pub health: RouteHealth,
    /// Whose it is.
    pub vendor: Vendor,
    /// The client.
    pub client: Arc<T>,
}

impl<T: ?Sized> Clone for Route<T> {
    fn clone(&self) -> Self {
        Self {
            order: self.order,
            health: self.health.clone(),
            vendor: self.vendor,
            client: Arc::clone(&self.client),
        }
    }
}

/// The places of one kind, best first; never empty. Cheap to clone.
#[derive(Debug)]
pub struct Routes<T: ?Sized>(Arc<[Route<T>]>);

impl<T: ?Sized> Clone for Routes<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T: ?Sized> Routes<T> {
    /// Routes to these services, the first choice first.
    pub fn new(
        failover: &Failover,
        kind: Kind,
        first: Service<T>,
        others: impl IntoIterator<Item = Service<T>>,
    ) -> Self {
        let routes = std::iter::once(first).chain(others).enumerate().map(|(order, service)| {
            let Service { endpoint, vendor, client, patience, probe } = service;
            let health = failover.add(kind, (endpoint, None, order), patience, (vendor, probe));
            Route { order, health, vendor, client }
        });
        Self(routes.collect())
    }

    /// How many there are.
    #[expect(clippy::len_without_is_empty, reason = "there is always one")]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The first choice.
    pub fn first(&self) -> &Route<T> {
        &self.0[0]
    }

    /// Where to go after those were `tried` in vain, the latest last: the best healthy route that is `allowed` and was
    /// not; if all were, the one whose turn is longest ago. If none is healthy, the one whose pause ends first.
    ///
    /// Routes are named by their order, not counted: one that opens its breaker with the very failure that sends us
    /// elsewhere must not move the others up, or the next would be skipped.
    pub fn pick(&self, tried: &[usize], allowed: impl Fn(&Route<T>) -> bool) -> &Route<T> {
        let healths = self.0.iter().map(|route| (&route.health, allowed(route)));
        &self.0[choose(healths, tried)]
    }

    /// A better route than the one at `order` that can be trusted again.
    pub fn better_than(&self, order: usize, allowed: impl Fn(&Route<T>) -> bool) -> Option<&Route<T>> {
        self.0[..order.min(self.0.len())].iter().find(|route| route.health.is_trusted() && allowed(route))
    }

    /// All of them.
    pub fn iter(&self) -> std::slice::Iter<'_, Route<T>> {
        self.0.iter()
    }
}

impl<'a, T: ?Sized> IntoIterator for &'a Routes<T> {
    type Item = &'a Route<T>;
    type IntoIter = std::slice::Iter<'a, Route<T>>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// The position of the route to take; see [`Routes::pick`].
pub(super) fn choose<'a>(
    routes: impl Iterator<Item = (&'a RouteHealth, bool)> + Clone,
    tried: &[usize],
) -> usize {
    let tried_as = |at: usize| tried.iter().rposition(|tried| *tried == at);
    let healthy = routes
        .clone()
        .enumerate()
        .filter(|(_, (health, allowed))| *allowed && health.is_healthy())
        .min_by_key(|(at, _)| tried_as(*at));
    let waits = || routes.enumerate().min_by_key(|(_, (health, allowed))| (!allowed, health.pause_left()));
    healthy.or_else(waits).map_or(0, |(at, _)| at)
}

/// Whether asking again makes sense after a failure, all routes considered.
pub(super) fn retry<'a>(routes: impl Iterator<Item = &'a RouteHealth> + Clone, failure: &Failure) -> Retry {
    let alone = routes.clone().count() < 2;
    match failure.kind {
        FailureKind::BadRequest | FailureKind::Unauthorized if alone => Retry::No,
        FailureKind::BadRequest
        | FailureKind::Unauthorized
        | FailureKind::Unreachable
        | FailureKind::Timeout
        | FailureKind::Closed
        | FailureKind::RateLimited { .. }
        | FailureKind::VendorFault
        | FailureKind::Garbage => {
            let waits =
                routes.map(|health| if health.is_healthy() { None } else { Some(health.pause_left()) });
            match waits.min() {
                None | Some(None) => Retry::Soon,
                Some(Some(wait)) => Retry::After(wait),
            }
        }
    }
}
