//! Speaking: phrases to the voice, audio to the caller, bridges over a wait, and taking back what was not heard.

use super::Call;
use crate::{
    MarkId, Note, Output, Progress, Retry, SynthesisEvent, SynthesisId, Timer,
    speech::speakable,
    turn::{Kind, Phrase, PhraseState, Turn},
    turn_taking::{is_question, is_unfinished},
};
use seiketsu_domain::{CallTime, Stage};
use std::time::Duration;

/// The first audio of an answer is followed by a mark after so much of it, so that its playback is known early.
const FIRST_MARK_US: u64 = 20_000;
/// A mark follows at least every so much audio.
const MARK_EVERY_US: u64 = 400_000;
/// An alignment has at most so many characters for each one of its phrase: voices read numbers out in words.
const ALIGNED_PER_CHARACTER: usize = 16;
/// A model that has been asked so often without a word is given up.
const MOST_TIMEOUTS: u32 = 2;

impl Call {
    fn phrase(&mut self, text: String, fixed: bool, kind: Kind) -> Phrase {
        let id = SynthesisId(self.next_synthesis);
        self.next_synthesis += 1;
        Phrase::new(id, text, fixed, kind)
    }

    pub(super) fn add_phrase(&mut self, text: String, fixed: bool, now: CallTime) {
        let text = if fixed { text } else { speakable(&text, self.plan.language) };
        if !text.chars().any(char::is_alphanumeric) {
            return; // an emoji is no answer
        }
        let phrase = self.phrase(text, fixed, Kind::Answer);
        self.show_answering();
        let Some(turn) = &mut self.turn else { return };
        turn.reach(Kind::Answer, Stage::FirstPhrase, now);
        turn.push(phrase);
    }

    /// Whether the open turn is spoken.
    fn speaks(&self) -> bool {
        let of_turn = self.turn.as_ref().and_then(|turn| turn.plan.as_ref()).and_then(|plan| plan.speaks);
        of_turn.unwrap_or(self.plan.speaks)
    }

    // ---- bridges ---------------------------------------------------------------------------------------------

    /// The caller has waited long: says so, in words that fit what they wait for.
    pub(super) fn acknowledge(&mut self, now: CallTime) {
        let Some(turn) = &self.turn else { return };
        let in_mid_phrase = turn.phrases.get(turn.playing).is_some_and(|phrase| phrase.begins.is_some());
        if !self.speaks()
            || self.ears.is_speaking()
            || self.held
            || in_mid_phrase
            || (turn.ends_call.is_some() && turn.is_audible())
            || turn.is_bridging()
            || turn.bridges >= self.plan.limits.bridges_per_turn
            || (turn.awaits_words && !self.ears.is_worth_asking())
        {
            return;
        }
        if self.keeps_announcement(now)
            && let Some(turn) = &mut self.turn
        {
            turn.announces = true; // what the model had to say fits better
            return;
        }
        let Some(text) = self.choose_acknowledgement() else { return };
        let phrase = self.phrase(text, true, Kind::Acknowledgement);
        if let Some(turn) = &mut self.turn {
            turn.bridges += 1;
            turn.insert(turn.playing, phrase);
        }
        self.note(Note::Acknowledged);
        self.timers.arm(Timer::Progress, now + self.plan.limits.progress);
    }

    fn choose_acknowledgement(&mut self) -> Option<String> {
        let turn = self.turn.as_ref()?;
        let said = if turn.awaits_words { self.ears.text() } else { turn.caller_text.clone() };
        let (phrases, language) = (&self.plan.acknowledgements, self.plan.language);
        let fitting = if turn.is_audible() {
            &phrases.waiting
        } else if is_unfinished(&said, language) {
            &phrases.listening
        } else if is_question(&said, language) {
            &phrases.looking
        } else {
            &phrases.noting
        };
        let fitting = if fitting.is_empty() { &phrases.looking } else { fitting };
        let start = self.acknowledgements;
        let in_turn = (0..fitting.len()).map(|n| &fitting[(start + n) % fitting.len()]);
        let text = in_turn
            .clone()
            .find(|text| **text != self.last_acknowledgement)
            .or(in_turn.clone().next())?
            .clone();
        self.acknowledgements += 1;
        self.last_acknowledgement.clone_from(&text);
        Some(text)
    }

    /// After a bridge or an announcement the caller is not left in silence either.
    pub(super) fn watch_quiet(&mut self, now: CallTime) {
        let Some(turn) = &self.turn else { return };
        if !turn.is_audible() || turn.ends_call.is_some() {
            return;
        }
        let nothing_to_send = self.keeps_announcement(now)
            || !turn.phrases.iter().skip(turn.playing).any(|phrase| self.is_ready(phrase));
        let enough = turn.is_bridging() || turn.bridges >= self.plan.limits.bridges_per_turn;
        if turn.is_sent() || self.held || !nothing_to_send || enough {
            self.timers.disarm(Timer::Acknowledge);
        } else if self.timers.at(Timer::Acknowledge).is_none() {
            self.timers.arm(Timer::Acknowledge, self.ledger.due().max(now) + self.plan.limits.quiet);
        }
    }

    fn is_ready(&self, phrase: &Phrase) -> bool {
        phrase.is_ready(self.plan.format, self.plan.limits.head_start)
    }

    /// The next audio is that of an announcement which is kept back.
    fn keeps_announcement(&self, now: CallTime) -> bool {
        let Some(turn) = &self.turn else { return false };
        let next = turn.phrases.iter().skip(turn.playing).find(|phrase| !phrase.is_played_out());
        next.is_some_and(|phrase| phrase.kind == Kind::Announcement && self.is_ready(phrase))
            && turn.announcement_due(self.plan.limits.announce_after).is_none_or(|due| due > now)
    }

    /// An announcement that is kept back is said when the caller has waited long.
    pub(super) fn watch_announcement(&mut self, now: CallTime) {
        let due = self.turn.as_ref().and_then(|turn| turn.announcement_due(self.plan.limits.announce_after));
        match due.filter(|_| self.keeps_announcement(now)) {
            Some(due) => self.timers.arm(Timer::Announce, due),
            None => self.timers.disarm(Timer::Announce),
        }
    }

    // ---- the voice -------------------------------------------------------------------------------------------

    /// Gives waiting phrases to the voice, a few at a time; or to the caller, where answers are not spoken.
    pub(super) fn ask_voice(&mut self, now: CallTime) {
        if !self.speaks() {
            return self.write();
        }
        let Some(turn) = &mut self.turn else { return };
        let ahead = self.plan.limits.phrases_ahead;
        let bridges = |phrase: &Phrase| phrase.kind == Kind::Acknowledgement;
        let mut asked = turn
            .phrases
            .iter()
            .filter(|phrase| phrase.state == PhraseState::Asked && !bridges(phrase))
            .count();
        let mut reached = [None; 2];
        for phrase in &mut turn.phrases {
            if phrase.state != PhraseState::Waiting || (!bridges(phrase) && asked >= ahead) {
                continue;
            }
            phrase.state = PhraseState::Asked;
            phrase.asked_at = Some(now);
            if !bridges(phrase) {
                asked += 1;
                reached[usize::from(phrase.kind == Kind::Answer)] = Some(phrase.kind);
            }
            if !phrase.fixed {
                turn.usage.synthesised_characters += phrase.text.chars().count() as u64;
            }
            self.outputs.push_back(Output::Speak {
                id: phrase.id,
                text: phrase.text.clone(),
                fixed: phrase.fixed,
            });
            self.timers.arm(Timer::Progress, now + self.plan.limits.progress);
        }
        for kind in reached.into_iter().flatten() {
            turn.reach(kind, Stage::SynthesisAsked, now);
        }
    }

    fn write(&mut self) {
        let position = self.ledger.total_us();
        let Some(turn) = &mut self.turn else { return };
        let number = turn.number;
        for phrase in turn.phrases.iter_mut().filter(|phrase| phrase.state == PhraseState::Waiting) {
            phrase.write(position);
            let (id, text) = (phrase.id, phrase.text.clone());
            self.outputs.push_back(Output::Progress(Progress::Saying { turn: number, id, text }));
        }
    }

    pub(super) fn synthesis(&mut self, id: SynthesisId, event: SynthesisEvent, now: CallTime) {
        let limit = self.plan.limits.waiting_audio_bytes;
        let Some(turn) = &mut self.turn else { return self.late() };
        let waiting = turn.waiting_bytes();
        let Some(phrase) = turn.phrase_mut(id).filter(|phrase| phrase.state == PhraseState::Asked) else {
            return self.late();
        };
        self.timers.arm(Timer::Progress, now + self.plan.limits.progress);
        match event {
            SynthesisEvent::Audio { audio, .. } if waiting + audio.len() > limit => {
                phrase.state = PhraseState::Complete;
                phrase.broken = true;
                self.outputs.push_back(Output::CancelSpeech(id));
                self.note(Note::LimitReached);
            }
            SynthesisEvent::Audio { audio, alignment } => {
                let room = (phrase.text.len() + 1) * ALIGNED_PER_CHARACTER - phrase.alignment.len();
                phrase.alignment.extend(alignment.into_iter().take(room));
                if !audio.is_empty() {
                    phrase.waiting.push_back(audio);
                    phrase.sound_at = Some(now);
                    let kind = phrase.kind;
                    turn.reach(kind, Stage::FirstByte, now);
                }
            }
            SynthesisEvent::Finished if phrase.is_silent() => {
                self.synthesis_failed(id, now); // a phrase without a sound was not said
            }
            SynthesisEvent::Finished => phrase.state = PhraseState::Complete,
            SynthesisEvent::Failed => self.synthesis_failed(id, now),
        }
    }

    /// A phrase of which nothing was heard yet is asked for again; one that broke in the middle goes on at the first word that was
    /// not made whole.
    fn synthesis_failed(&mut self, id: SynthesisId, now: CallTime) {
        let (format, head_start) = (self.plan.format, self.plan.limits.head_start);
        let Some(turn) = &mut self.turn else { return };
        let may_retry = turn.voice_retries < self.plan.limits.voice_retries_per_turn;
        let Some(at) = turn.phrases.iter().position(|phrase| phrase.id == id) else { return };
        let phrase = &mut turn.phrases[at];
        if may_retry && phrase.is_stub(format, head_start) {
            turn.voice_retries += 1;
            phrase.start_over(SynthesisId(self.next_synthesis));
            self.next_synthesis += 1;
            self.note(Note::Retried);
            return;
        }
        if may_retry && phrase.kind != Kind::Acknowledgement {
            turn.voice_retries += 1;
            let kind = phrase.kind;
            if let Some(rest) = phrase.break_off(format) {
                let rest = self.phrase(rest, false, kind);
                if let Some(turn) = &mut self.turn {
                    turn.insert(at + 1, rest);
                }
            }
            self.note(Note::Retried);
            return;
        }
        phrase.state = PhraseState::Complete;
        phrase.broken = true;
        if phrase.kind == Kind::Acknowledgement {
            return; // a bridge that breaks is no reason to fail
        }
        let apology_may_help = !phrase.fixed && !turn.has_begun_to_answer() && turn.waiting_bytes() == 0;
        turn.failed |= !apology_may_help;
        if apology_may_help {
            self.apologise(now);
        }
    }

    /// When the voice owes the next sound of a phrase; none if it owes none, or was asked often enough.
    fn owes_sound_at(&self, phrase: &Phrase) -> Option<CallTime> {
        let limits = &self.plan.limits;
        let asked_at = phrase.asked_at.filter(|_| phrase.state == PhraseState::Asked)?;
        let Some(sound_at) = phrase.sound_at else { return Some(asked_at + limits.first_byte) };
        let next = sound_at + limits.next_sound;
        if phrase.begins.is_none() {
            return phrase.is_stub(self.plan.format, limits.head_start).then_some(next);
        }
        // What is on its way bridges the time that another voice needs to go on.
        let runs_dry = self.ledger.due().saturating_sub(limits.head_start);
        phrase.waiting.is_empty().then(|| next.max(runs_dry))
    }

    pub(super) fn watch_sounds(&mut self) {
        let due = self
            .turn
            .iter()
            .flat_map(|turn| &turn.phrases)
            .filter_map(|phrase| self.owes_sound_at(phrase))
            .min();
        match due {
            Some(at) => self.timers.arm(Timer::Sound, at),
            None => self.timers.disarm(Timer::Sound),
        }
    }

    /// A voice that owes a sound for too long is asked for the rest again, and its late sounds are dropped.
    pub(super) fn sound_is_late(&mut self, now: CallTime) {
        let Some(turn) = &self.turn else { return };
        let is_late = |phrase: &&Phrase| self.owes_sound_at(phrase).is_some_and(|at| at <= now);
        let late: Vec<SynthesisId> = turn.phrases.iter().filter(is_late).map(|phrase| phrase.id).collect();
        for id in late {
            let Some(turn) = &mut self.turn else { return };
            if turn.voice_retries < self.plan.limits.voice_retries_per_turn {
                self.outputs.push_back(Output::CancelSpeech(id));
                self.synthesis_failed(id, now);
            } else if let Some(phrase) = turn.phrase_mut(id) {
                phrase.asked_at = None; // it was asked often enough: now it has the time of `Timer::Progress`
            }
        }
    }

    // ---- the caller's ear ------------------------------------------------------------------------------------

    /// Sends what can be sent, phrase by phrase.
    pub(super) fn pump(&mut self, now: CallTime) {
        let (format, head_start) = (self.plan.format, self.plan.limits.head_start);
        let Some(turn) = &self.turn else { return };
        let may_go_on = self.voice_interrupts()
            && self.ears.is_speaking()
            && !turn.is_audible()
            && turn.ends_call.is_none()
            && !turn.caller_text.is_empty();
        if self.held || may_go_on {
            return; // it is being decided whether the caller has the floor
        }
        // The answer begins with its first phrase: later ones may be there before it when it has to be made again.
        let next_of = |kinds: &[Kind]| {
            let mut left = turn.phrases.iter().skip(turn.playing);
            left.find(|phrase| kinds.contains(&phrase.kind) && !phrase.is_played_out())
        };
        let answers = next_of(&[Kind::Answer]).is_some_and(|phrase| self.is_ready(phrase));
        let announces = next_of(&[Kind::Answer, Kind::Announcement])
            .is_some_and(|phrase| self.is_ready(phrase))
            && turn.announcement_due(self.plan.limits.announce_after).is_some_and(|due| due <= now);
        if answers || announces {
            self.drop_bridges(answers);
        }
        while !self.keeps_announcement(now)
            && let Some(turn) = &mut self.turn
            && let Some(phrase) = turn.phrases.get_mut(turn.playing)
            && !phrase.is_stub(format, head_start)
        {
            match phrase.waiting.pop_front() {
                Some(audio) => self.send(audio, now),
                None if phrase.state == PhraseState::Complete => turn.playing += 1,
                None => break,
            }
        }
        let Some(turn) = &mut self.turn else { return };
        if turn.unmarked_us > 0 && turn.phrases.get(turn.playing).is_none() {
            turn.unmarked_us = 0;
            self.outputs.push_back(Output::Mark(self.ledger.mark()));
        }
    }

    /// What was to be said first is there before its bridges were: they are left out.
    fn drop_bridges(&mut self, announcements: bool) {
        let Some(turn) = &mut self.turn else { return };
        let mut dropped = Vec::new();
        for phrase in turn.unheard_bridges() {
            let is_announcement = phrase.kind == Kind::Announcement;
            if phrase.is_played_out() || (is_announcement && !announcements) {
                continue;
            }
            let cancels = phrase.drop_unheard().then_some(phrase.id);
            dropped.push((cancels, is_announcement));
        }
        for (cancelled, is_announcement) in dropped {
            self.outputs.extend(cancelled.map(Output::CancelSpeech));
            if is_announcement {
                self.note(Note::Unannounced);
            }
        }
    }

    /// Sends a piece of the phrase that is playing, with marks.
    fn send(&mut self, mut audio: bytes::Bytes, now: CallTime) {
        let format = self.plan.format;
        self.show_answering();
        let Some(turn) = &mut self.turn else { return };
        let Some(phrase) = turn.phrases.get_mut(turn.playing) else { return };
        let kind = phrase.kind;
        if phrase.begins.is_none() {
            let saying = Progress::Saying { turn: turn.number, id: phrase.id, text: phrase.text.clone() };
            self.outputs.push_back(Output::Progress(saying));
        }
        if turn.first_marks[kind as usize].is_none() {
            // The first 20 ms go ahead with a mark of their own: its return tells when it was heard.
            let first = audio.split_to(audio.len().min(format.bytes_in_us(FIRST_MARK_US)));
            let length = format.duration_us(first.len());
            let begins = self.ledger.send(now, length);
            phrase.sending(first.clone(), length, begins);
            self.outputs.push_back(Output::Play(first));
            let mark = self.ledger.mark();
            self.outputs.push_back(Output::Mark(mark));
            turn.first_marks[kind as usize] = Some(mark);
            turn.reach(kind, Stage::FirstAudioSent, now);
            self.timers.disarm(Timer::Acknowledge);
        }
        if audio.is_empty() {
            return;
        }
        let Some(phrase) = turn.phrases.get_mut(turn.playing) else { return };
        let length = format.duration_us(audio.len());
        let begins = self.ledger.send(now, length);
        phrase.sending(audio.clone(), length, begins);
        turn.unmarked_us += length;
        self.outputs.push_back(Output::Play(audio));
        self.timers.disarm(Timer::Acknowledge);
        if turn.unmarked_us >= MARK_EVERY_US {
            turn.unmarked_us = 0;
            self.outputs.push_back(Output::Mark(self.ledger.mark()));
        }
    }

    pub(super) fn mark_returned(&mut self, id: MarkId, now: CallTime) {
        let Some(position) = self.ledger.returned(now, id) else { return };
        let Some(turn) = &mut self.turn else { return };
        turn.forget_heard(position);
        for kind in [Kind::Answer, Kind::Announcement, Kind::Acknowledgement] {
            if turn.first_marks[kind as usize] == Some(id) {
                let played = now.saturating_sub(Duration::from_micros(FIRST_MARK_US));
                let sent = turn.sent_at(kind).unwrap_or(played);
                turn.reach(kind, Stage::FirstAudioPlayed, played.max(sent));
            }
        }
    }

    /// Playback stops; what was not heard is kept, from the beginning of the word that was cut.
    pub(super) fn take_back_playout(&mut self, now: CallTime) {
        let format = self.plan.format;
        let Some(turn) = &mut self.turn else { return };
        if !turn.is_audible() {
            return;
        }
        let heard = self.ledger.clear(now);
        self.outputs.push_back(Output::ClearPlayout);
        for phrase in &mut turn.phrases {
            phrase.rewind(heard, format);
            if phrase.kind == Kind::Acknowledgement && phrase.begins.is_some() && !phrase.waiting.is_empty() {
                // Half a bridge is not worth going back to.
                if phrase.state == PhraseState::Asked {
                    self.outputs.push_back(Output::CancelSpeech(phrase.id));
                }
                phrase.state = PhraseState::Complete;
                phrase.broken = true;
                phrase.waiting.clear();
            }
        }
        turn.rewound();
    }

    /// Neither the model nor the voice has done anything for too long.
    pub(super) fn no_progress(&mut self, now: CallTime) {
        let Some(turn) = &mut self.turn else { return };
        if let Some(id) = turn.generation {
            let hedges = std::mem::take(&mut turn.hedges);
            let again = if turn.attempts > MOST_TIMEOUTS { Retry::Never } else { Retry::Now };
            for given_up in std::iter::once(id).chain(hedges) {
                self.give_up(given_up);
            }
            // The voice, if it is what hangs, gets its own time.
            self.timers.arm(Timer::Progress, now + self.plan.limits.progress);
            self.generation_failed(again, now);
            return;
        }
        let stuck: Vec<SynthesisId> = turn
            .phrases
            .iter()
            .filter(|phrase| phrase.state == PhraseState::Asked)
            .map(|phrase| phrase.id)
            .collect();
        for id in stuck {
            self.outputs.push_back(Output::CancelSpeech(id));
            self.synthesis_failed(id, now);
        }
    }
}

impl Turn {
    /// A bridge is on its way to the caller.
    fn is_bridging(&self) -> bool {
        let mut bridges = self.phrases.iter().filter(|phrase| phrase.kind == Kind::Acknowledgement);
        bridges.any(|phrase| phrase.state != PhraseState::Complete)
    }

    /// What has been heard up to `position` cannot be taken back any more.
    fn forget_heard(&mut self, position: u64) {
        for phrase in &mut self.phrases {
            if phrase.begins.is_some_and(|begins| begins + phrase.sent_us <= position) {
                phrase.sent.clear();
                phrase.sent_from_us = phrase.sent_us;
            }
        }
    }

    /// Playback goes on with the first phrase that was not heard to its end.
    fn rewound(&mut self) {
        let is_over = |phrase: &Phrase| phrase.state == PhraseState::Complete && phrase.waiting.is_empty();
        self.playing = self.phrases.iter().position(|phrase| !is_over(phrase)).unwrap_or(self.phrases.len());
        self.unmarked_us = 0;
        // A first mark that went with cleared audio told nothing.
        for kind in [Kind::Answer, Kind::Announcement, Kind::Acknowledgement] {
            let played = match kind {
                Kind::Answer => self.timeline.at(Stage::FirstAudioPlayed),
                Kind::Announcement => self.announced.at(Stage::FirstAudioPlayed),
                Kind::Acknowledgement => self.timeline.acknowledgement_played,
            };
            if played.is_none() {
                self.first_marks[kind as usize] = None;
            }
        }
    }
}
