//! The playout ledger: what the caller has heard, to the millisecond.
//!
//! Positions count audio sent since the call began, in microseconds of sound. The door plays what it gets in order and
//! in real time and reports marks; between marks the playhead is extrapolated, never beyond a mark that has not come
//! back and never beyond what was sent. A mark that returns after a clear was not played.

use crate::{input::AlignedChar, output::MarkId};
use seiketsu_domain::CallTime;
use std::{collections::VecDeque, time::Duration};

/// Microseconds of audio since the call began.
pub type PositionUs = u64;

/// What was sent and how far it has been played.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    sent: PositionUs,
    /// At this time playback was (at least) here.
    anchor: (CallTime, PositionUs),
    /// When playback of what was sent should be over, whether or not marks come back.
    over_at: CallTime,
    /// Marks not yet returned, in order.
    outstanding: VecDeque<(MarkId, PositionUs)>,
    next_mark: u64,
    /// Marks below this one went with cleared audio.
    cleared_below: u64,
}

impl Ledger {
    /// Audio of this length is sent now; returns the position where it begins.
    pub fn send(&mut self, now: CallTime, length_us: u64) -> PositionUs {
        if self.playhead(now) >= self.sent {
            self.anchor = (now, self.sent);
        }
        let start = self.sent;
        self.sent += length_us;
        self.over_at = self.over_at.max(now) + Duration::from_micros(length_us);
        start
    }

    /// A new mark at the end of what was sent.
    pub fn mark(&mut self) -> MarkId {
        let id = MarkId(self.next_mark);
        self.next_mark += 1;
        self.outstanding.push_back((id, self.sent));
        id
    }

    /// The position a returned mark stands for; `None` if its audio was cleared or the mark is unknown.
    pub fn returned(&mut self, now: CallTime, id: MarkId) -> Option<PositionUs> {
        if id.0 < self.cleared_below || !self.outstanding.iter().any(|(mark, _)| *mark == id) {
            return None;
        }
        let mut position = None;
        while let Some((mark, at)) = self.outstanding.pop_front() {
            position = Some(at);
            if mark == id {
                break;
            }
        }
        let at = position?;
        self.anchor = (now, at.max(self.anchor.1));
        self.over_at = now + Duration::from_micros(self.sent - self.anchor.1);
        Some(at)
    }

    /// How far playback has come.
    pub fn playhead(&self, now: CallTime) -> PositionUs {
        let (at, position) = self.anchor;
        let extrapolated = position + now.since(at).as_micros() as u64;
        let next_mark = self.outstanding.front().map_or(PositionUs::MAX, |(_, at)| *at);
        extrapolated.min(next_mark).min(self.sent)
    }

    /// Everything not yet played is dropped; returns how far the caller heard.
    pub fn clear(&mut self, now: CallTime) -> PositionUs {
        let heard = self.playhead(now);
        self.outstanding.clear();
        self.cleared_below = self.next_mark;
        self.anchor = (now, heard);
        self.over_at = now;
        self.sent = heard;
        heard
    }

    /// Whether all marks have come back.
    pub fn is_idle(&self) -> bool {
        self.outstanding.is_empty()
    }

    /// The door says that playback stopped at `position`, whatever was estimated; what is beyond is dropped.
    pub fn stopped_at(&mut self, now: CallTime, position: PositionUs) {
        self.anchor = (now, position.min(self.sent));
        self.over_at = now;
        self.outstanding.clear();
        self.sent = self.anchor.1;
        self.cleared_below = self.next_mark;
    }

    /// Gives the outstanding marks up as played: the door lost them.
    pub fn assume_played(&mut self, now: CallTime) {
        self.outstanding.clear();
        self.anchor = (now, self.sent);
        self.over_at = now;
    }

    /// When playback of what was sent should be over. Does not move while nothing is sent or reported.
    pub fn due(&self) -> CallTime {
        self.over_at
    }

    /// Audio the caller was sent and that was not dropped, in microseconds.
    pub fn total_us(&self) -> u64 {
        self.sent
    }
}

/// The part of a phrase that was heard: whole words only.
///
/// With an alignment, a word counts once its last character has sounded; without one, words are taken to be spread
/// evenly over the phrase.
pub fn heard_words(
    text: &str,
    alignment: &[AlignedChar],
    heard_us: u64,
    total_us: u64,
    complete: bool,
) -> String {
    if heard_us == 0 {
        return String::new();
    }
    if complete && heard_us >= total_us {
        return text.trim().to_owned();
    }
    if alignment.is_empty() {
        let letters = text.chars().count() as u64;
        // How long a phrase is whose audio is not complete can only be guessed.
        let total_us = if complete { total_us } else { total_us.max(usual_length_us(text)) };
        let count = (u128::from(letters) * u128::from(heard_us) / u128::from(total_us.max(1))) as usize;
        return whole_words(&text.chars().collect::<Vec<_>>(), count);
    }
    let heard_ms = (heard_us / 1_000) as u32;
    let count = alignment.iter().take_while(|at| at.end_ms <= heard_ms).count();
    let mut characters: Vec<char> = alignment.iter().map(|at| at.character).collect();
    if count == characters.len() {
        if complete {
            return text.trim().to_owned(); // the last word of a complete phrase ends with its audio
        }
        // An alignment covers the audio that has arrived, which may end in the middle of a word.
        let follows_text = text.chars().take(count).eq(characters.iter().copied());
        characters.extend(if follows_text { text.chars().nth(count) } else { Some('-') });
    }
    whole_words(&characters, count)
}

/// How long a voice usually takes to say this.
fn usual_length_us(text: &str) -> u64 {
    text.chars().map(|c| if is_ideograph(c) { 220_000 } else { 60_000 }).sum()
}

/// The first `count` characters without a word that goes on beyond them.
fn whole_words(characters: &[char], count: usize) -> String {
    let mut end = count.min(characters.len());
    let breaks = |at: usize| characters.get(at).is_none_or(|c| c.is_whitespace() || is_ideograph(*c));
    while end > 0 && !breaks(end) && !is_ideograph(characters[end - 1]) {
        end -= 1;
    }
    characters[..end].iter().collect::<String>().trim().to_owned()
}

fn is_ideograph(c: char) -> bool {
    matches!(c, '\u{3000}'..='\u{9fff}' | '\u{ff00}'..='\u{ffef}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(millis: u64) -> CallTime {
        CallTime::from_millis(millis)
    }

    #[test]
    fn playback_advances_in_real_time_but_not_beyond_a_mark_that_has_not_come_back() {
        let mut ledger = Ledger::default();
        ledger.send(ms(1_000), 400_000);
        let mark = ledger.mark();
        ledger.send(ms(1_000), 400_000);
        let last = ledger.mark();
        assert_eq!(ledger.playhead(ms(1_250)), 250_000);
        assert_eq!(ledger.playhead(ms(1_600)), 400_000, "the first mark is still out");
        assert_eq!(ledger.returned(ms(1_650), mark), Some(400_000));
        assert_eq!(ledger.playhead(ms(1_750)), 500_000);
        assert_eq!(ledger.returned(ms(2_060), last), Some(800_000));
        assert!(ledger.is_idle());
    }

    #[test]
    fn a_mark_that_returns_after_a_clear_was_not_played() {
        let mut ledger = Ledger::default();
        ledger.send(ms(0), 1_000_000);
        let mark = ledger.mark();
        assert_eq!(ledger.clear(ms(300)), 300_000);
        assert_eq!(ledger.returned(ms(310), mark), None);
        assert_eq!(ledger.playhead(ms(5_000)), 300_000);
        ledger.send(ms(6_000), 100_000);
        assert_eq!(ledger.playhead(ms(6_050)), 350_000);
    }

    #[test]
    fn an_underrun_does_not_count_as_heard() {
        let mut ledger = Ledger::default();
        ledger.send(ms(0), 100_000);
        ledger.send(ms(500), 100_000);
        assert_eq!(ledger.playhead(ms(540)), 140_000);
    }

    #[test]
    fn only_whole_words_count_as_heard() {
        let text = "We have three homes.";
        let alignment: Vec<_> = text
            .chars()
            .enumerate()
            .map(|(i, character)| AlignedChar {
                character,
                start_ms: i as u32 * 50,
                end_ms: i as u32 * 50 + 50,
            })
            .collect();
        let heard = |us| heard_words(text, &alignment, us, 1_000_000, true);
        assert_eq!(heard(0), "");
        assert_eq!(heard(90_000), "");
        assert_eq!(heard(100_000), "We");
        assert_eq!(heard(640_000), "We have");
        assert_eq!(heard(650_000), "We have three");
        assert_eq!(heard(1_000_000), text);
        let arrived = |characters| heard_words(text, &alignment[..characters], 1_000_000, 1_000_000, false);
        assert_eq!(arrived(10), "We have", "the audio of half a word has arrived");
        assert_eq!(arrived(13), "We have three");
        assert_eq!(arrived(text.len()), text);
        assert_eq!(heard_words(text, &[], 500_000, 1_000_000, true), "We have");
        assert_eq!(heard_words(text, &[], 500_000, 500_000, false), "We have", "half of it has arrived");
        assert_eq!(heard_words("我们有三套房子。", &[], 500_000, 1_000_000, true), "我们有三");
    }
}
