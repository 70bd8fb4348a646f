//! All routes of the process.

use super::{
    health::{Kind, Patience, RouteHealth, RouteStatus},
    probe::Probe,
};
use crate::{Failure, FailureKind, Vendor};
use futures_util::{StreamExt, stream::FuturesUnordered};
use seiketsu_domain::Clock;
use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{sync::Notify, time};

/// Knows every route, probes those that are not well, and shows how they are. Cheap to clone.
#[derive(Clone)]
pub struct Failover(Arc<Shared>);

struct Shared {
    clock: Arc<dyn Clock>,
    watched: Mutex<Vec<Watched>>,
    wake: Arc<Notify>,
}

#[derive(Clone)]
struct Watched {
    health: RouteHealth,
    vendor: Vendor,
    probe: Arc<dyn Probe>,
}

impl fmt::Debug for Failover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.watched()).finish()
    }
}

impl fmt::Debug for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.health.fmt(f)
    }
}

impl Failover {
    /// No routes yet.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self(Arc::new(Shared { clock, watched: Mutex::default(), wake: Arc::default() }))
    }

    /// What time is measured with.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.0.clock
    }

    /// One more route: what it is for, the endpoint, the model where routes differ by it, and its place.
    pub(super) fn add(
        &self,
        kind: Kind,
        (endpoint, model, order): (String, Option<String>, usize),
        patience: Patience,
        (vendor, probe): (Vendor, Arc<dyn Probe>),
    ) -> RouteHealth {
        let health = RouteHealth::new(
            kind,
            (endpoint, model, order),
            patience,
            Arc::clone(&self.0.clock),
            Arc::clone(&self.0.wake),
        );
        let watched = Watched { health: health.clone(), vendor, probe };
        self.0.watched.lock().unwrap_or_else(PoisonError::into_inner).push(watched);
        health
    }

    /// Every route, by kind and in order.
    pub fn status(&self) -> Vec<RouteStatus> {
        let mut routes: Vec<_> = self.watched().iter().map(|watched| watched.health.status()).collect();
        routes.sort_by(|a, b| (a.kind, a.order, &a.model).cmp(&(b.kind, b.order, &b.model)));
        routes
    }

    /// Probes what is not well, for ever: run it beside the server, and drop it to stop.
    pub async fn watch(&self) {
        let mut probes = FuturesUnordered::new();
        loop {
            let mut next = Duration::MAX;
            for watched in self.watched() {
                match watched.health.probe_due() {
                    Some(due) if !due.is_zero() => next = next.min(due),
                    Some(_) if watched.health.begin_probe() => probes.push(watched.ask()),
                    Some(_) | None => {}
                }
            }
            tokio::select! {
                () = self.0.wake.notified() => {}
                () = sleep(next) => {}
                Some(()) = probes.next() => {}
            }
        }
    }

    fn watched(&self) -> Vec<Watched> {
        self.0.watched.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn sleep(duration: Duration) {
    if duration == Duration::MAX {
        std::future::pending::<()>().await;
    } else {
        time::sleep(duration).await;
    }
}

impl Watched {
    async fn ask(self) {
        let deadline = self.health.patience().probe;
        let found = time::timeout(deadline, self.probe.probe()).await.unwrap_or_else(|_| {
            let detail = format!("no answer to a probe within {} ms", deadline.as_millis());
            Err(Failure::new(self.vendor, FailureKind::Timeout, detail))
        });
        self.health.end_probe(found);
    }
}
