//! How much of the API door each key may ask for: so many responses and so many tokens of a language model a minute, of
//! which a replica gives back a sixtieth each second (a token bucket).
//!
//! What a client asks for beyond is refused. Turns that a caller has spoken count and are answered in any case: somebody
//! listens.

use seiketsu_domain::TenantId;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

const MINUTE: f64 = 60.0;
/// Beyond so many payers those are forgotten who have all of their allowance.
const MANY_PAYERS: usize = 1_024;

/// What a payer may use up in a minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RatePerMinute {
    /// Responses.
    pub requests: u32,
    /// Tokens of language models, read and written.
    pub tokens: u32,
}

/// Who has an allowance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Payer {
    /// A key, and the client secrets that it has made: by its SHA-256.
    Key([u8; 32]),
    /// The members of a tenant together.
    Members(TenantId),
}

/// What is left of one of the two.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Left {
    pub(crate) limit: u32,
    pub(crate) remaining: u32,
    /// Until all of it is back.
    pub(crate) reset: Duration,
}

/// Everybody's allowance. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Allowances {
    rate: RatePerMinute,
    used: Arc<Mutex<HashMap<Payer, Used>>>,
}

/// What one payer has used up and does not have back; below zero never, above the limit sometimes.
#[derive(Debug, Clone, Copy, Default)]
struct Used {
    requests: f64,
    tokens: f64,
    at: Duration,
}

/// One payer's allowance. `now` is of one monotonic clock.
#[derive(Debug, Clone)]
pub(crate) struct Allowance {
    of: Allowances,
    payer: Payer,
}

impl Allowances {
    pub(crate) fn new(rate: RatePerMinute) -> Self {
        Self { rate, used: Arc::default() }
    }

    pub(crate) fn of(&self, payer: Payer) -> Allowance {
        Allowance { of: self.clone(), payer }
    }
}

impl Allowance {
    /// One more response, if there is one left; else how long until there is.
    pub(crate) fn ask(&self, now: Duration) -> Result<(), Duration> {
        self.with(now, |used, rate| {
            let wait = used.wait(rate);
            if wait.is_zero() {
                used.requests += 1.0;
                return Ok(());
            }
            Err(wait)
        })
    }

    /// One more response that nobody may refuse.
    pub(crate) fn take(&self, now: Duration) {
        self.with(now, |used, rate| {
            used.requests = (used.requests + 1.0).min(2.0 * f64::from(rate.requests));
        });
    }

    /// So many tokens were used.
    pub(crate) fn spend(&self, tokens: u64, now: Duration) {
        self.with(now, |used, rate| {
            used.tokens = (used.tokens + tokens as f64).min(2.0 * f64::from(rate.tokens));
        });
    }

    /// How long until there is something left again.
    pub(crate) fn wait(&self, now: Duration) -> Duration {
        self.with(now, |used, rate| used.wait(rate))
    }

    /// What is left: responses, tokens.
    pub(crate) fn left(&self, now: Duration) -> [Left; 2] {
        self.with(now, |used, rate| [left(used.requests, rate.requests), left(used.tokens, rate.tokens)])
    }

    fn with<T>(&self, now: Duration, act: impl FnOnce(&mut Used, RatePerMinute) -> T) -> T {
        let rate = self.of.rate;
        let mut all = self.of.used.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MANY_PAYERS && !all.contains_key(&self.payer) {
            all.retain(|_, used| {
                used.recover(rate, now);
                used.requests > 0.0 || used.tokens > 0.0
            });
        }
        let used = all.entry(self.payer).or_insert(Used { at: now, ..Used::default() });
        used.recover(rate, now);
        act(used, rate)
    }
}

impl Used {
    fn recover(&mut self, rate: RatePerMinute, now: Duration) {
        let minutes = now.saturating_sub(self.at).as_secs_f64() / MINUTE;
        self.at = self.at.max(now);
        self.requests = (self.requests - minutes * f64::from(rate.requests)).max(0.0);
        self.tokens = (self.tokens - minutes * f64::from(rate.tokens)).max(0.0);
    }

    fn wait(&self, rate: RatePerMinute) -> Duration {
        let too_many = (self.requests + 1.0 - f64::from(rate.requests)).max(0.0) / f64::from(rate.requests);
        let too_long = (self.tokens + 1.0 - f64::from(rate.tokens)).max(0.0) / f64::from(rate.tokens);
        Duration::from_secs_f64(MINUTE * too_many.max(too_long))
    }
}

fn left(used: f64, limit: u32) -> Left {
    let remaining = (f64::from(limit) - used).max(0.0).floor() as u32;
    Left { limit, remaining, reset: Duration::from_secs_f64(MINUTE * used / f64::from(limit)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn allowances() -> Allowances {
        Allowances::new(RatePerMinute { requests: 6, tokens: 600 })
    }

    #[test]
    fn responses_are_given_back_over_a_minute_and_each_key_has_its_own() {
        let allowances = allowances();
        let [a, b] = [1, 2].map(|n| allowances.of(Payer::Key([n; 32])));
        for _ in 0..6 {
            assert_eq!(a.ask(s(5)), Ok(()));
        }
        assert_eq!(a.ask(s(5)), Err(s(10)), "a sixth of a minute each");
        assert_eq!((a.ask(s(15)), a.ask(s(15)).is_err()), (Ok(()), true));
        assert_eq!(b.ask(s(15)), Ok(()), "somebody else's is not touched");
        let [requests, tokens] = b.left(s(15));
        assert_eq!(requests, Left { limit: 6, remaining: 5, reset: s(10) });
        assert_eq!(tokens, Left { limit: 600, remaining: 600, reset: s(0) });
    }

    #[test]
    fn tokens_are_known_only_afterwards_and_then_have_to_come_back() {
        let allowance = allowances().of(Payer::Key([1; 32]));
        allowance.spend(599, s(0));
        assert_eq!(allowance.ask(s(0)), Ok(()));
        allowance.spend(201, s(0));
        assert_eq!(allowance.left(s(0))[1].remaining, 0);
        let wait = allowance.ask(s(0)).unwrap_err();
        assert!((20.0..=20.2).contains(&wait.as_secs_f64()), "200 of them at ten a second: {wait:?}");
        assert_eq!(allowance.wait(s(21)), s(0));
        allowance.spend(u64::MAX, s(21));
        assert!(allowance.wait(s(21)) <= s(61), "nobody waits longer than it takes to get back all of it");
    }

    #[test]
    fn what_a_caller_has_said_is_counted_and_never_refused() {
        let allowance = allowances().of(Payer::Members(TenantId::from_uuid(uuid::Uuid::nil())));
        for _ in 0..100 {
            allowance.take(s(0));
        }
        assert_eq!(allowance.left(s(0))[0], Left { limit: 6, remaining: 0, reset: s(120) });
        assert!(allowance.wait(s(0)) > s(0));
    }

    #[test]
    fn nothing_is_kept_of_those_who_have_all_of_it() {
        let allowances = allowances();
        for n in 0..5_000_u32 {
            let mut key = [0; 32];
            key[..4].copy_from_slice(&n.to_le_bytes());
            assert_eq!(allowances.of(Payer::Key(key)).ask(s(u64::from(n))), Ok(()));
        }
        assert!(allowances.used.lock().unwrap().len() <= MANY_PAYERS);
    }
}
