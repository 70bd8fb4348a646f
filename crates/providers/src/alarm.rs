//! A deadline that can be set, moved and lifted.

use std::{future, pin::Pin, time::Duration};
use tokio::time::{self, Sleep};

/// Rings once when its time has come, if it is set at all.
#[derive(Debug, Default)]
pub(crate) struct Alarm(Option<Pin<Box<Sleep>>>);

impl Alarm {
    /// An alarm that rings after so long.
    pub(crate) fn after(time: Duration) -> Self {
        Self(Some(Box::pin(time::sleep(time))))
    }

    /// Rings after so long from now, whatever it was set to before.
    pub(crate) fn set(&mut self, time: Duration) {
        *self = Self::after(time);
    }

    /// Does not ring any more.
    pub(crate) fn lift(&mut self) {
        self.0 = None;
    }

    pub(crate) const fn is_set(&self) -> bool {
        self.0.is_some()
    }

    /// Waits until it rings; for ever while it is not set. Cancel safe.
    pub(crate) async fn ring(&mut self) {
        match &mut self.0 {
            Some(sleep) => sleep.as_mut().await,
            None => future::pending().await,
        }
        self.0 = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn it_rings_once_and_only_while_it_is_set() {
        let mut alarm = Alarm::default();
        assert!(time::timeout(SECOND * 100, alarm.ring()).await.is_err(), "never set");
        alarm.set(SECOND * 3);
        assert!(time::timeout(SECOND * 2, alarm.ring()).await.is_err(), "too early");
        assert!(time::timeout(SECOND * 2, alarm.ring()).await.is_ok(), "what has passed counts");
        assert!(!alarm.is_set());
        alarm.set(SECOND);
        alarm.lift();
        assert!(time::timeout(SECOND * 100, alarm.ring()).await.is_err(), "lifted");
    }

    #[tokio::test(start_paused = true)]
    async fn setting_it_again_moves_it() {
        let mut alarm = Alarm::after(SECOND);
        alarm.set(SECOND * 5);
        assert!(time::timeout(SECOND * 4, alarm.ring()).await.is_err());
        assert!(time::timeout(SECOND * 2, alarm.ring()).await.is_ok());
    }
}
