//! Events on their way to a reader that may be slow.

use std::collections::VecDeque;
use tokio::sync::mpsc;

/// Nobody listens any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Abandoned;

/// Events that wait for room in a bounded channel. Whoever fills it keeps it short: it stops to read from the vendor
/// while anything waits here.
#[derive(Debug)]
pub(crate) struct Outbox<E> {
    sender: mpsc::Sender<E>,
    waiting: VecDeque<E>,
}

impl<E> Outbox<E> {
    pub(crate) const fn new(sender: mpsc::Sender<E>) -> Self {
        Self { sender, waiting: VecDeque::new() }
    }

    pub(crate) fn push(&mut self, event: E) {
        self.waiting.push_back(event);
    }

    pub(crate) fn extend(&mut self, events: impl IntoIterator<Item = E>) {
        self.waiting.extend(events);
    }

    pub(crate) fn retain(&mut self, keep: impl FnMut(&E) -> bool) {
        self.waiting.retain(keep);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Passes the next event on as soon as there is room; without one, waits until nobody listens any more. Cancel safe.
    pub(crate) async fn pass_on(&mut self) -> Result<(), Abandoned> {
        if self.waiting.is_empty() {
            self.sender.closed().await;
            return Err(Abandoned);
        }
        let permit = self.sender.reserve().await.map_err(|_| Abandoned)?;
        if let Some(event) = self.waiting.pop_front() {
            permit.send(event);
        }
        Ok(())
    }

    /// Passes everything on, and `last` behind it. If nobody listens, nobody has to know.
    pub(crate) async fn end_with(&mut self, last: E) {
        self.push(last);
        while !self.is_empty() && self.pass_on().await.is_ok() {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn events_keep_their_order_and_wait_for_room() {
        let (sender, mut events) = mpsc::channel(1);
        let mut outbox = Outbox::new(sender);
        outbox.extend([1, 2, 3]);
        outbox.retain(|event| *event != 2);
        assert_eq!(outbox.pass_on().await, Ok(()));
        tokio::select! {
            biased;
            _ = outbox.pass_on() => panic!("there is no room"),
            () = std::future::ready(()) => {}
        }
        assert_eq!(outbox.len(), 1, "a wait that was given up loses nothing");
        let ((), received) = tokio::join!(outbox.end_with(4), async {
            (events.recv().await, events.recv().await, events.recv().await)
        });
        assert_eq!(received, (Some(1), Some(3), Some(4)));
    }

    #[tokio::test]
    async fn without_a_reader_it_says_so_whether_anything_waits_or_not() {
        let (sender, events) = mpsc::channel(1);
        drop(events);
        let mut outbox = Outbox::new(sender);
        assert_eq!(outbox.pass_on().await, Err(Abandoned));
        outbox.push(1);
        assert_eq!(outbox.pass_on().await, Err(Abandoned));
        outbox.end_with(2).await;
    }
}
