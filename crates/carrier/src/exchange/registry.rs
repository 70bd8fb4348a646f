//! Which calls can be hung up over REST, and how.

use super::CallSid;
use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};
use tokio_util::sync::CancellationToken;
use url::Url;

/// Calls of other processes that are remembered, at most.
const MAX_CALLS: usize = 10_000;

/// How a call is ended.
#[derive(Debug, Clone)]
pub(super) enum Ending {
    /// It lives in this process.
    Local(CancellationToken),
    /// It lives in another, whose exchange answers there.
    Remote(Url),
}

#[derive(Debug, Default)]
pub(super) struct Registry {
    calls: Mutex<BTreeMap<CallSid, Ending>>,
}

/// There is no room for another call.
#[derive(Debug)]
pub(super) struct RegistryFull;

impl Registry {
    /// Enters a call of this process, until the entry is dropped.
    pub(super) fn enter(&self, call_sid: &CallSid) -> Entry<'_> {
        let hang_up = CancellationToken::new();
        self.lock().insert(call_sid.clone(), Ending::Local(hang_up.clone()));
        Entry { registry: self, call_sid: call_sid.clone(), hang_up }
    }

    /// Enters a call of another process.
    pub(super) fn enter_remote(&self, call_sid: CallSid, control: Url) -> Result<(), RegistryFull> {
        let mut calls = self.lock();
        if calls.len() >= MAX_CALLS && !calls.contains_key(&call_sid) {
            return Err(RegistryFull);
        }
        calls.insert(call_sid, Ending::Remote(control));
        Ok(())
    }

    pub(super) fn find(&self, call_sid: &CallSid) -> Option<Ending> {
        self.lock().get(call_sid).cloned()
    }

    pub(super) fn leave(&self, call_sid: &CallSid) {
        self.lock().remove(call_sid);
    }

    pub(super) fn len(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<CallSid, Ending>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call of this process in the register.
pub(super) struct Entry<'a> {
    registry: &'a Registry,
    call_sid: CallSid,
    /// Cancelled when the platform hangs up.
    pub(super) hang_up: CancellationToken,
}

impl Drop for Entry<'_> {
    fn drop(&mut self) {
        self.registry.leave(&self.call_sid);
    }
}
