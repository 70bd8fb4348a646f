//! What the client has been told: events on their way to it, the items it knows of, and the names it was given.

use super::{
    items::Items,
    names::Names,
    wire::{Item, ServerEvent},
};
use std::collections::VecDeque;

/// See the module.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) names: Names,
    pub(super) items: Items,
    events: VecDeque<String>,
}

impl Told {
    pub(super) fn new(names: Names) -> Self {
        Self { names, items: Items::default(), events: VecDeque::new() }
    }

    /// The client is to be told this.
    pub(super) fn tell(&mut self, event: &ServerEvent<'_>) {
        let id = self.names.event();
        self.events.push_back(event.to_json(&id));
    }

    /// The next event for the client.
    pub(super) fn next(&mut self) -> Option<String> {
        self.events.pop_front()
    }

    /// The conversation has one more item, which is complete.
    pub(super) fn add(&mut self, item: Item) {
        let previous = self.items.last();
        let previous_item_id = previous.as_deref();
        self.tell(&ServerEvent::ItemAdded { previous_item_id, item: &item });
        self.tell(&ServerEvent::ItemDone { previous_item_id, item: &item });
        self.items.push(item);
    }
}
