//! Whole services failing for a while, as opposed to single requests.

use crate::request::Service;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, time::Duration};

/// What a failing service does. Where it matters, sockets and answers that are open already suffer too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutageFault {
    /// The server is gone. Open connections break; a new one is closed without a byte. (All services share a listener,
    /// so that a connection can only be refused once its first request has named the service.)
    Refused,
    /// Connections are accepted and nothing is answered, not even a handshake. Open ones fall silent at once.
    Hung,
    /// Every delay is [`SLOW_FACTOR`] times as long, those of nothing included (see [`SLOW_FLOOR`]). What was asked
    /// before keeps the delay that was drawn for it.
    Slow,
    /// Whatever is sent is noise, which neither HTTP nor WebSocket allows: answers, handshakes, messages on open
    /// sockets.
    Garbage,
    /// HTTP 429 with `retry-after` for requests and handshakes. On sockets that are open already the vendor's error
    /// and a close, where the vendor has one (ElevenLabs does; Deepgram's open streams go on).
    RateLimited,
    /// Handshakes succeed and answers begin; then nothing more comes and the connection stays. Open ones fall silent
    /// at once.
    HalfOpen,
}

/// A service that fails until the time is up or the outage is cleared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outage {
    /// Which service. A later outage of the same service replaces an earlier one.
    pub service: Service,
    /// What it does.
    pub fault: OutageFault,
    /// How long it lasts, or is still to last; until it is cleared where absent.
    #[serde(default)]
    pub for_ms: Option<u64>,
    /// What `retry-after` says while it is rate-limited.
    #[serde(default = "Outage::default_retry_after_seconds")]
    pub retry_after_seconds: u64,
}

impl Outage {
    /// One that lasts until it is cleared.
    pub const fn new(service: Service, fault: OutageFault) -> Self {
        Self { service, fault, for_ms: None, retry_after_seconds: Self::default_retry_after_seconds() }
    }

    const fn default_retry_after_seconds() -> u64 {
        1
    }
}

/// How many times as long everything takes at a slow service.
pub const SLOW_FACTOR: u32 = 100;

/// What a slow service takes a shorter delay for, before it is multiplied: otherwise nothing would be slow on a profile
/// without delays.
pub const SLOW_FLOOR: Duration = Duration::from_millis(20);

/// How long a slow service takes for what otherwise takes `delay`.
pub(crate) fn slowed(delay: Duration) -> Duration {
    delay.max(SLOW_FLOOR) * SLOW_FACTOR
}

/// What is the matter with a service now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ongoing {
    pub(crate) fault: OutageFault,
    pub(crate) retry_after: Duration,
    /// When it ends, on the sandbox's monotonic clock; open if nobody said.
    pub(crate) until: Option<Duration>,
}

/// The outages of all services. Pure: time is an argument.
#[derive(Debug, Default)]
pub(crate) struct Outages {
    ongoing: BTreeMap<Service, Ongoing>,
}

impl Outages {
    /// What is the matter with a service.
    pub(crate) fn of(&self, service: Service, now: Duration) -> Option<Ongoing> {
        let ongoing = self.ongoing.get(&service).copied()?;
        ongoing.until.is_none_or(|until| now < until).then_some(ongoing)
    }

    /// All that go on, with the time they have left.
    pub(crate) fn show(&self, now: Duration) -> Vec<Outage> {
        let shown = |(&service, ongoing): (&Service, &Ongoing)| {
            self.of(service, now)?;
            let left = ongoing.until.map(|until| until.saturating_sub(now));
            Some(Outage {
                service,
                fault: ongoing.fault,
                // Upwards, so that what has time left does not show none.
                for_ms: left.map(|left| left.as_micros().div_ceil(1_000) as u64),
                retry_after_seconds: ongoing.retry_after.as_secs(),
            })
        };
        self.ongoing.iter().filter_map(shown).collect()
    }

    /// Replaces all of them.
    pub(crate) fn replace(&mut self, outages: &[Outage], now: Duration) {
        let ongoing = |outage: &Outage| Ongoing {
            fault: outage.fault,
            retry_after: Duration::from_secs(outage.retry_after_seconds),
            until: outage.for_ms.map(|ms| now.saturating_add(Duration::from_millis(ms))),
        };
        self.ongoing = outages.iter().map(|outage| (outage.service, ongoing(outage))).collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn an_outage_lasts_as_long_as_it_says_and_one_without_a_length_until_it_is_cleared() {
        let mut outages = Outages::default();
        let brief = Outage { for_ms: Some(2_000), ..Outage::new(Service::Model, OutageFault::Hung) };
        let open = Outage::new(Service::Deepgram, OutageFault::Refused);
        outages.replace(&[brief, open], SECOND);
        let fault = |outages: &Outages, service, now| outages.of(service, now).map(|one| one.fault);
        assert_eq!(fault(&outages, Service::Model, SECOND), Some(OutageFault::Hung));
        assert_eq!(fault(&outages, Service::Model, 3 * SECOND), None);
        assert_eq!(fault(&outages, Service::Deepgram, 1_000 * SECOND), Some(OutageFault::Refused));
        assert_eq!(fault(&outages, Service::Speech, SECOND), None);
        assert_eq!(
            outages.show(2 * SECOND),
            [open, Outage { for_ms: Some(1_000), ..brief }],
            "in the order of services"
        );
        outages.replace(&[], 2 * SECOND);
        assert_eq!(fault(&outages, Service::Deepgram, 2 * SECOND), None);
    }

    #[test]
    fn nothing_at_all_is_slow_too() {
        assert_eq!(slowed(Duration::ZERO), Duration::from_secs(2));
        assert_eq!(slowed(Duration::from_millis(5)), Duration::from_secs(2));
        assert_eq!(slowed(Duration::from_millis(250)), Duration::from_secs(25));
    }
}
