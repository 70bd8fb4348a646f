//! The items of a conversation, as far back as they are kept.

use super::wire::{Item, ItemBody, Part, Role, Status};
use seiketsu_session::Speaker;
use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

/// Items that are kept; older ones are forgotten here, not by the model.
const MAX_ITEMS: usize = 1_000;
/// Text of all of them.
const MAX_TEXT_BYTES: usize = 1024 * 1024;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Items {
    all: VecDeque<Item>,
    /// Text of all of them; words that come later are few.
    bytes: usize,
    /// How long what was said sounds.
    sound: BTreeMap<String, Duration>,
    /// What the agent has said in this turn, in order.
    of_turn: Vec<String>,
    turn: u32,
    /// What the caller has said or typed since the last turn, if the next one will have nothing else.
    unanswered: Vec<String>,
    /// In which turn, and by whom, where the item is all that this side has said in it.
    said: BTreeMap<String, (u32, Speaker)>,
}

impl Items {
    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// The id of the last one.
    pub(super) fn last(&self) -> Option<String> {
        self.all.back().map(|item| item.id.clone())
    }

    /// The id of the one before this.
    pub(super) fn before(&self, id: &str) -> Option<String> {
        let at = self.all.iter().position(|item| item.id == id)?;
        self.all.get(at.checked_sub(1)?).map(|item| item.id.clone())
    }

    pub(super) fn get(&self, id: &str) -> Option<&Item> {
        self.all.iter().find(|item| item.id == id)
    }

    pub(super) fn push(&mut self, item: Item) {
        if matches!(&item.body, ItemBody::Message { role: Role::Assistant, .. })
            && item.status == Status::InProgress
        {
            self.sound.insert(item.id.clone(), Duration::ZERO);
            match &self.of_turn[..] {
                [] => drop(self.said.insert(item.id.clone(), (self.turn, Speaker::Agent))),
                // Several items are one side's words of a turn.
                [first, ..] => drop(self.said.remove(first)),
            }
            self.of_turn.push(item.id.clone());
        }
        self.bytes += item.body.text_bytes();
        self.all.push_back(item);
        while (self.all.len() > MAX_ITEMS || self.bytes > MAX_TEXT_BYTES)
            && let Some(oldest) = self.all.pop_front()
        {
            self.bytes = self.bytes.saturating_sub(oldest.body.text_bytes());
            self.sound.remove(&oldest.id);
            self.said.remove(&oldest.id);
        }
    }

    /// It is no part of the conversation any more.
    pub(super) fn remove(&mut self, id: &str) {
        self.all.retain(|item| item.id != id);
        self.bytes = self.all.iter().map(|item| item.body.text_bytes()).sum();
        self.sound.remove(id);
        self.said.remove(id);
        self.unanswered.retain(|unanswered| unanswered != id);
    }

    /// The caller has said or typed this; a turn will answer it.
    pub(super) fn heard(&mut self, id: &str) {
        self.unanswered.push(id.to_owned());
        if self.unanswered.len() > MAX_ITEMS {
            self.unanswered.remove(0);
        }
    }

    /// What was said so far and what comes are no longer one.
    pub(super) fn mix(&mut self) {
        self.unanswered.clear();
    }

    /// This turn has what the caller said since the last one.
    pub(super) fn answers(&mut self, turn: u32) {
        if let [only] = &std::mem::take(&mut self.unanswered)[..] {
            self.said.insert(only.clone(), (turn, Speaker::Caller));
        }
    }

    /// In which turn it was said and by whom, if it is all that this side has said in it.
    pub(super) fn said(&self, id: &str) -> Option<(u32, Speaker)> {
        self.said.get(id).copied()
    }

    /// It is complete, or as complete as it will be.
    pub(super) fn replace(&mut self, item: Item) {
        if let Some(held) = self.all.iter_mut().find(|held| held.id == item.id) {
            *held = item;
        }
    }

    /// An answer to something new begins.
    pub(super) fn new_turn(&mut self, turn: u32) {
        self.of_turn.clear();
        self.turn = turn;
        self.answers(turn);
    }

    /// So much more sound belongs to it.
    pub(super) fn sounds(&mut self, id: &str, length: Duration) {
        if let Some(sound) = self.sound.get_mut(id) {
            *sound += length;
        }
    }

    /// How long it sounds; nothing, if it is no message of the agent.
    pub(super) fn sound(&self, id: &str) -> Option<Duration> {
        self.sound.get(id).copied()
    }

    /// Whether it is what the agent has said last.
    pub(super) fn is_last_spoken(&self, id: &str) -> bool {
        self.of_turn.last().is_some_and(|last| last == id)
    }

    /// How long that sounds which was said before it in the same turn.
    pub(super) fn sound_of_turn_before(&self, id: &str) -> Duration {
        self.of_turn.iter().take_while(|said| *said != id).filter_map(|said| self.sound.get(said)).sum()
    }

    /// The caller's words are known.
    pub(super) fn set_words(&mut self, id: &str, text: &str) {
        self.change_words(id, Some(text));
    }

    /// Which of the words were heard is not known here.
    pub(super) fn forget_words(&mut self, id: &str) {
        self.change_words(id, None);
    }

    fn change_words(&mut self, id: &str, text: Option<&str>) {
        let item = self.all.iter_mut().find(|item| item.id == id);
        let Some(Item { body: ItemBody::Message { content, .. }, .. }) = item else { return };
        for part in content {
            match part {
                Part::InputAudio { transcript, .. } | Part::OutputAudio { transcript, .. } => {
                    *transcript = text.map(str::to_owned);
                }
                Part::InputText { .. } | Part::OutputText { .. } => {}
            }
        }
    }
}
