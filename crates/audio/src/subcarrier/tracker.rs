//! Packets to events: which packets belong together, and what their disagreement tells about the audio.

use std::collections::VecDeque;

use super::SLOT_SAMPLES;
use super::alphabet::START;
use super::decoder::{Event, FlagReason};
use super::packet::NUMBERS;
use super::receiver::Received;
use super::utterance::Utterance;

const SLOT: i64 = SLOT_SAMPLES as i64;
/// Packets this near to the grid are on it.
const GRID_TOLERANCE: i64 = 10;
/// After the start of a packet, its right neighbour has been received if it exists: two slots and the peak search.
const NEIGHBOUR_DUE: i64 = 2 * SLOT + 2 * GRID_TOLERANCE;
/// A packet that nothing confirms must be this clean.
const ISOLATED_QUALITY: f32 = 0.85;
/// A run that broke off for so long is over, and its utterance with it.
const BROKEN_OFF: i64 = 10 * SLOT;
/// An utterance may pause for so long.
const LONGEST_PAUSE: i64 = 100 * SLOT;
/// Packets held at once; false ones are far rarer.
const MAX_HELD: usize = 8;
/// Events kept unpolled: more than fifteen minutes of speech.
const MAX_EVENTS: usize = 16_384;

/// The utterance in work and what might become part of one.
#[derive(Debug, Clone, Default)]
pub(super) struct Tracker {
    utterance: Option<Utterance>,
    /// Packets that agree with nothing yet, by start.
    held: VecDeque<Received>,
    events: VecDeque<Event>,
    overflowed: bool,
}

impl Tracker {
    pub(super) fn poll(&mut self) -> Option<Event> {
        let event = self.events.pop_front();
        if event.is_none() && std::mem::take(&mut self.overflowed) {
            return Some(Event::Flag { reason: FlagReason::Overflow, at_sample: 0 });
        }
        event
    }

    pub(super) fn in_utterance(&self) -> bool {
        self.utterance.is_some()
    }

    pub(super) fn advance(&mut self, now: i64, received: Option<Received>) {
        if let Some(received) = received {
            self.receive(received);
        }
        if self.utterance.is_some() || !self.held.is_empty() {
            self.handle_time(now);
        }
    }

    fn receive(&mut self, received: Received) {
        // START is as improbable by chance as a packet that fits: ten bits are given.
        let opens = received.packet.number == 0 && received.packet.codes[0] == START;
        if opens || self.continues(&received) {
            self.accept(received);
            return;
        }
        let neighbour = self.held.iter().position(|held| {
            on_grid(received.start - held.start) == Some(1)
                && step(held.packet.number, received.packet.number) == 1
        });
        if let Some(held) = neighbour.and_then(|index| self.held.remove(index)) {
            self.accept(held);
            self.accept(received);
            return;
        }
        if self.held.len() == MAX_HELD {
            self.held.pop_front();
        }
        self.held.push_back(received);
    }

    /// On the utterance's grid, with a number that its distance allows.
    fn continues(&self, received: &Received) -> bool {
        self.utterance.as_ref().is_some_and(|utterance| {
            on_grid(received.start - utterance.start).is_some_and(|slots| {
                (1..=slots.min(i64::from(NUMBERS) / 2))
                    .contains(&step(utterance.number, received.packet.number))
            })
        })
    }

    fn handle_time(&mut self, now: i64) {
        while let Some(held) = self.held.pop_front_if(|held| now > held.start + NEIGHBOUR_DUE) {
            if held.quality > ISOLATED_QUALITY {
                self.accept(held);
            }
        }
        let Some(utterance) = &mut self.utterance else { return };
        let silent_for = now - utterance.start;
        if !utterance.last_of_run && !utterance.missing_flagged && silent_for > NEIGHBOUR_DUE {
            utterance.missing_flagged = true;
            self.flag(FlagReason::PacketMissing, now);
        }
        let Some(utterance) = &self.utterance else { return };
        let patience = if utterance.last_of_run { LONGEST_PAUSE } else { BROKEN_OFF };
        if silent_for > SLOT + patience {
            self.close_without_end(now);
        }
    }

    pub(super) fn finish(&mut self, now: i64) {
        while let Some(held) = self.held.pop_front() {
            if held.quality > ISOLATED_QUALITY {
                self.accept(held);
            }
        }
        if let Some(utterance) = &self.utterance {
            if !utterance.last_of_run && !utterance.missing_flagged {
                self.flag(FlagReason::PacketMissing, now);
            }
            self.close_without_end(now);
        }
    }

    fn close_without_end(&mut self, now: i64) {
        if self.utterance.take().is_some() {
            self.flag(FlagReason::NoEnd, now);
        }
    }

    fn accept(&mut self, received: Received) {
        let Received { start, packet, .. } = received;
        // Two packets do not overlap, and time does not run backwards.
        self.held.retain(|held| held.start > start + SLOT - 2 * GRID_TOLERANCE);
        if packet.codes[0] == START {
            self.close_without_end(start);
            self.emit(Event::Start { at_sample: at(start) });
            self.utterance = Some(Utterance::begin(&received, true));
            if packet.number != 0 {
                self.flag(FlagReason::Sequence, start);
            }
        } else if self.utterance.is_some() {
            if !self.follow(&received) {
                return;
            }
        } else {
            self.flag(FlagReason::NoStart, start);
            self.utterance = Some(Utterance::begin(&received, false));
        }
        self.take_codes(&received);
    }

    /// Compares the packet with the one before; `false` when its text has been taken already.
    fn follow(&mut self, received: &Received) -> bool {
        let Some(utterance) = &mut self.utterance else { return false };
        let slots = on_grid(received.start - utterance.start);
        let step = step(utterance.number, received.packet.number);
        let fresh = (1..=i64::from(NUMBERS) / 2).contains(&step);
        let interrupted = !utterance.last_of_run && slots != Some(1);
        let missing = fresh && (step != 1 || interrupted) && !utterance.missing_flagged;
        utterance.start = received.start;
        utterance.last_of_run = received.packet.last_of_run;
        utterance.missing_flagged = false;
        if step != 1 {
            utterance.lose_text();
        }
        if fresh {
            utterance.number = received.packet.number;
        }
        if slots.is_none() {
            self.flag(FlagReason::OffGrid, received.start);
        }
        if missing {
            self.flag(FlagReason::PacketMissing, received.start);
        }
        if !fresh {
            self.flag(FlagReason::Sequence, received.start);
        }
        fresh
    }

    fn take_codes(&mut self, received: &Received) {
        let Some(utterance) = &mut self.utterance else { return };
        let heard = utterance.hear(received.packet.codes);
        let end = received.start + SLOT;
        let at_sample = at(end);
        if !heard.fragment.is_empty() {
            self.emit(Event::Text { fragment: heard.fragment, at_sample });
        }
        for text in heard.words {
            self.emit(Event::Word { text, at_sample });
        }
        if heard.malformed {
            self.flag(FlagReason::Malformed, end);
        }
        if heard.check_failed {
            self.flag(FlagReason::Check, end);
        }
        if heard.ended {
            self.utterance = None;
            self.emit(Event::End { at_sample });
        }
    }

    fn flag(&mut self, reason: FlagReason, position: i64) {
        self.emit(Event::Flag { reason, at_sample: at(position) });
    }

    fn emit(&mut self, event: Event) {
        if self.events.len() < MAX_EVENTS {
            self.events.push_back(event);
        } else {
            self.overflowed = true;
        }
    }
}

/// Whole slots between two packets, if they are on one grid.
fn on_grid(distance: i64) -> Option<i64> {
    let slots = (distance + SLOT / 2).div_euclid(SLOT);
    (slots >= 1 && (distance - slots * SLOT).abs() <= GRID_TOLERANCE).then_some(slots)
}

/// How far the second number is ahead of the first.
fn step(from: u8, to: u8) -> i64 {
    i64::from((to + NUMBERS - from) % NUMBERS)
}

fn at(position: i64) -> u64 {
    u64::try_from(position).unwrap_or(0)
}
