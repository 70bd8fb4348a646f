//! Which calls can be hung up and redirected over REST, and how.

use super::CallSid;
use crate::twiml::FetchMethod;
use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use url::Url;

/// Calls of other processes that are remembered, at most.
const MAX_CALLS: usize = 10_000;
/// Redirections of one call that may wait to be executed.
const MAX_REDIRECTIONS: usize = 4;

/// How a call is reached.
#[derive(Debug, Clone)]
pub(super) enum Reach {
    /// It lives in this process.
    Local(Reins),
    /// It lives in another, whose exchange answers there.
    Remote(Url),
}

/// What can be done to a call of this process.
#[derive(Debug, Clone)]
pub(super) struct Reins {
    pub(super) hang_up: CancellationToken,
    pub(super) redirect: mpsc::Sender<Redirection>,
}

/// Another document that a live call is to execute from now on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Redirection {
    pub(super) url: Url,
    pub(super) method: FetchMethod,
}

#[derive(Debug, Default)]
pub(super) struct Registry {
    calls: Mutex<BTreeMap<CallSid, Reach>>,
}

/// There is no room for another call.
#[derive(Debug)]
pub(super) struct RegistryFull;

impl Registry {
    /// Enters a call of this process, until its place is dropped. With it come the orders that it is given.
    pub(super) fn enter(&self, call_sid: &CallSid) -> (Place<'_>, Orders) {
        let (redirect, redirections) = mpsc::channel(MAX_REDIRECTIONS);
        let hang_up = CancellationToken::new();
        let reins = Reins { hang_up: hang_up.clone(), redirect };
        self.lock().insert(call_sid.clone(), Reach::Local(reins));
        let place = Place { registry: self, call_sid: call_sid.clone() };
        (place, Orders { hang_up, redirections })
    }

    /// Enters a call of another process.
    pub(super) fn enter_remote(&self, call_sid: CallSid, control: Url) -> Result<(), RegistryFull> {
        let mut calls = self.lock();
        if calls.len() >= MAX_CALLS && !calls.contains_key(&call_sid) {
            return Err(RegistryFull);
        }
        calls.insert(call_sid, Reach::Remote(control));
        Ok(())
    }

    pub(super) fn find(&self, call_sid: &CallSid) -> Option<Reach> {
        self.lock().get(call_sid).cloned()
    }

    pub(super) fn leave(&self, call_sid: &CallSid) {
        self.lock().remove(call_sid);
    }

    pub(super) fn len(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<CallSid, Reach>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call of this process in the register.
pub(super) struct Place<'a> {
    registry: &'a Registry,
    call_sid: CallSid,
}

/// What the platform tells a call over REST.
#[derive(Debug)]
pub(super) struct Orders {
    /// Cancelled when it hangs up.
    pub(super) hang_up: CancellationToken,
    /// Where it sends the call.
    pub(super) redirections: mpsc::Receiver<Redirection>,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.registry.leave(&self.call_sid);
    }
}
