//! The caller: voice, words, keys; when a turn is over; what is said over the agent.

use super::Call;
use crate::{
    Note, Output, Progress, Timer, Turns,
    ears::Utterance,
    turn::Turn,
    turn_taking::{Overlap, assent, is_unfinished, overlap, withdraws},
};
use seiketsu_domain::{CallTime, Message, Pii, Stage, TurnOutcome};
use std::time::Duration;

/// Silence that ends a row of pressed keys.
const KEYS_SILENCE: Duration = Duration::from_millis(1_500);
/// The same after a key that stands for a sentence.
const MENU_SILENCE: Duration = Duration::from_millis(800);
/// Words that have settled end an utterance after so long, though a voice-like noise goes on.
const NOISE_SILENCE: Duration = Duration::from_secs(1);
/// A voice over the agent in which only murmurs were understood is listened to for so much longer.
const MURMUR_PATIENCE: Duration = Duration::from_millis(500);
/// The agent's own words in a voice that was heard for so long are the caller's: what comes back over the line is told
/// from a voice before, but for shorter pieces of it.
const REPEATED_FOR: Duration = Duration::from_millis(500);

/// What a caller has said that was not answered.
#[derive(Debug)]
pub(super) struct Unanswered {
    pub(super) text: String,
    pub(super) began_at: CallTime,
}

impl Call {
    pub(super) fn voice_began(&mut self, at: CallTime, now: CallTime) {
        self.ears.voice_began(at, self.plan.turns);
        self.drop_speculation();
        if self.plan.turns.end_by_voice() {
            self.timers.disarm(Timer::Endpoint);
            self.timers.disarm(Timer::FinalTranscript);
        }
        self.timers.disarm(Timer::Silence);
        let Some(turn) = &self.turn else { return };
        if turn.ends_call.is_some() {
            return;
        }
        if turn.awaits_words && !turn.is_audible() {
            // Not finished after all: the utterance goes on, no answer was due.
            self.forget_turn();
            self.note(Note::Continued);
        } else {
            self.timers.arm(Timer::Interrupt, (at + self.plan.limits.interrupt_after).max(now));
        }
    }

    pub(super) fn voice_ended(&mut self, at: CallTime, now: CallTime) {
        self.ears.voice_ended(at);
        self.timers.disarm(Timer::Interrupt);
        match self.plan.turns {
            Turns::ByVoice | Turns::Unanswered => {
                self.timers.arm(Timer::Endpoint, (at + self.plan.endpoint_silence).max(now));
                self.speculate(now);
            }
            Turns::ByClient => {
                self.await_caller(now);
                self.renew_promise(now);
            }
        }
    }

    pub(super) fn heard_partly(&mut self, text: &str, until: Option<CallTime>, now: CallTime) {
        if !self.ears.has_begun() {
            return; // the rest of an utterance that was taken already
        }
        if until.is_some_and(|until| self.ears.is_old(until)) {
            return self.late();
        }
        let knew_words = self.ears.has_words();
        self.ears.heard_partly(text, self.plan.limits.utterance_characters);
        if self.ears.is_speaking() {
            self.timers.disarm(Timer::Endpoint); // there is more to come
        } else if !knew_words && self.timers.at(Timer::FinalTranscript).is_some() {
            self.await_final_words(now);
        }
        self.consider_interruption(now);
        self.speculate(now);
    }

    pub(super) fn heard(&mut self, text: &str, until: CallTime, settled: bool, now: CallTime) {
        if self.ears.is_late(until, settled) {
            self.ears.forget_partial(); // it was a guess at the same words
            self.late();
            return;
        }
        if text.trim().is_empty() && !self.ears.has_begun() {
            return;
        }
        if !self.ears.heard(text, until, settled, now, self.plan.limits.utterance_characters) {
            self.note(Note::LimitReached);
        }
        if self.ears.endpointed_at.is_some() {
            if self.ears.is_settled() {
                self.words_settled(now);
            }
            return;
        }
        self.consider_interruption(now);
        if !self.plan.turns.end_by_voice() || !self.ears.has_words() {
            return;
        }
        if self.ears.is_speaking() {
            if settled {
                // The recogniser heard the end of it. If nothing more comes, the rest is noise.
                let silence = self.plan.endpoint_silence.max(NOISE_SILENCE);
                self.timers.arm(Timer::Endpoint, (until + silence).max(now));
            }
        } else if self.timers.at(Timer::Endpoint).is_none() {
            // Words without voice activity: speech too soft for the detector is speech all the same.
            self.ears.noise_has_words();
            self.voice_ended(until.min(now), now);
        } else {
            self.speculate(now);
        }
    }

    pub(super) fn recogniser_lost(&mut self, now: CallTime) {
        if self.ears.endpointed_at.is_some() {
            self.words_settled(now);
        }
    }

    pub(super) fn digit(&mut self, digit: char, now: CallTime) {
        if !matches!(digit, '0'..='9' | '*' | '#' | 'A'..='D') {
            return;
        }
        self.timers.disarm(Timer::Silence);
        self.drop_speculation();
        let by_voice = self.plan.turns.end_by_voice();
        if by_voice && self.turn.as_ref().is_some_and(Turn::is_audible) && !self.is_saying_goodbye() {
            self.interrupt(now); // nobody presses a key by accident
        }
        let ends_row = digit == '#' && self.ears.is_pressing();
        if !ends_row {
            self.ears.pressed(digit, now, self.plan.limits.utterance_characters);
        }
        let silence = match self.ears.only_key() {
            _ if ends_row => Duration::ZERO,
            Some(key) if self.plan.menu.contains_key(&key) => MENU_SILENCE,
            Some(_) | None => KEYS_SILENCE,
        };
        if by_voice {
            self.timers.arm(Timer::Endpoint, now + silence);
        } else {
            self.await_caller(now);
        }
    }

    /// The caller has been silent long enough.
    pub(super) fn endpoint(&mut self, now: CallTime) {
        if self.ears.is_speaking() && !self.ears.words_outlast_voice() {
            return;
        }
        if !self.ears.has_begun() {
            return;
        }
        self.ears.endpointed_at = Some(now);
        self.note(Note::Endpointed);
        if self.turn.is_none() && self.plan.turns.are_answered() {
            let (began, ended) = (self.ears.began_at.unwrap_or(now), self.ears.ended_at.unwrap_or(now));
            self.open_turn(|number| Turn::awaiting_words(number, began, ended, now));
            self.promise(ended, now);
        } else if self.turn.is_some() && !self.ears.has_words() {
            self.renew_promise(now);
        }
        if self.ears.is_settled() {
            self.words_settled(now);
        } else {
            self.outputs.push_back(Output::FlushRecogniser);
            self.await_final_words(now);
        }
    }

    /// Gives the recogniser its time: little when words are known already, more when there are none.
    pub(super) fn await_final_words(&mut self, now: CallTime) {
        let limits = &self.plan.limits;
        let wait = if self.ears.has_words() { limits.final_after_partial } else { limits.final_transcript };
        self.timers.arm(Timer::FinalTranscript, now + wait);
    }

    /// No more words will come for the utterance that was endpointed.
    pub(super) fn words_settled(&mut self, now: CallTime) {
        self.timers.disarm(Timer::FinalTranscript);
        self.timers.disarm(Timer::Endpoint);
        let awaited = self.turn.as_ref().is_some_and(|turn| turn.awaits_words);
        if self.plan.turns.end_by_voice() {
            let is_theirs = awaited || self.turn.is_none();
            if is_theirs && self.is_patient(now) {
                return;
            }
            if !awaited && self.turn.is_some() && !self.is_saying_goodbye() && !self.settle_overlap(now) {
                return;
            }
        }
        let mut utterance = self.ears.take(now, self.plan.limits.utterance_characters);
        self.speculations = 0;
        if let Some(sentence) = utterance.key.and_then(|key| self.plan.menu.get(&key)) {
            utterance.text.clone_from(sentence);
        }
        if !self.plan.turns.are_answered() && !awaited {
            let is_noise = self.plan.turns.end_by_voice() && utterance.text.is_empty();
            if is_noise {
                // What was asked for meanwhile is not about the noise.
                self.show_disregarded();
                if let Some(asked) = self.answer_when_settled.take() {
                    self.create_response(asked, now);
                }
                return;
            }
            // Commits that were answered together have their words in the first.
            let mut text = utterance.text.clone();
            for _ in 0..std::mem::take(&mut self.commits).max(1) {
                let taken = Progress::Taken { text: std::mem::take(&mut text), is_whole: utterance.is_whole };
                self.outputs.push_back(Output::Progress(taken));
            }
            self.commit_words(&utterance.text);
            if let Some(asked) = self.answer_when_settled.take() {
                self.create_response(asked, now);
            }
            return;
        }
        if utterance.text.is_empty() {
            if awaited {
                self.not_understood(utterance, now);
            }
            self.show_disregarded(); // otherwise it was a noise while the agent spoke
            return;
        }
        if awaited {
            if let Some(turn) = &mut self.turn {
                turn.take_words(utterance);
            }
            self.show_understood();
            self.renew_promise(now);
            self.answer(now);
        } else if self.is_saying_goodbye() {
            if self.overlap_of(&utterance.text) != Overlap::Echo {
                self.keep_answer(utterance); // nobody answers any more, but it was said
            }
        } else {
            self.open_answer(utterance, now);
        }
    }

    /// Opens the turn of a finished utterance and has it answered.
    pub(super) fn open_answer(&mut self, utterance: Utterance, now: CallTime) {
        let ended = utterance.ended_at;
        self.open_turn(|number| Turn::answering(number, utterance));
        self.show_understood();
        self.promise(ended, now);
        self.answer(now);
    }

    fn answer(&mut self, now: CallTime) {
        // What was typed meanwhile comes before it, and what was asked for is being answered.
        let typed = std::mem::take(&mut self.committed);
        if let Some(turn) = self.turn.as_mut().filter(|_| !typed.is_empty()) {
            let both = format!("{typed} {}", turn.caller_text);
            if both.chars().count() <= self.plan.limits.utterance_characters {
                turn.caller_text = both;
            } else {
                self.context.push(Message::Caller { text: Pii::new(typed) });
            }
        }
        self.take_up_request();
        self.consider_recording();
        self.reprompted = 0;
        self.ask_model(now);
    }

    /// A turn in which nothing was understood: forgotten if it was only a noise, asked about otherwise.
    fn not_understood(&mut self, utterance: Utterance, now: CallTime) {
        self.drop_speculation();
        if !utterance.is_worth_asking() && !self.turn.as_ref().is_some_and(Turn::is_audible) {
            self.forget_turn();
            self.show_disregarded();
            self.await_caller(now);
            return;
        }
        if let Some(turn) = &mut self.turn {
            turn.take_words(utterance);
        }
        self.show_understood();
        self.add_phrase(self.plan.unclear.clone(), true, now);
    }

    /// A caller who broke off in the middle of a sentence or a number gets time to go on.
    fn is_patient(&mut self, now: CallTime) -> bool {
        let Some(ended) = self.ears.ended_at else { return false };
        let until = ended + self.plan.limits.patience;
        if now >= until || self.ears.is_pressing() || !is_unfinished(&self.ears.text(), self.plan.language) {
            return false;
        }
        self.timers.arm(Timer::FinalTranscript, until);
        self.note(Note::Patient);
        // If they have said all, they have waited long: their answer should be there by then.
        if self.plan.turns.are_answered() {
            self.ask_early(now);
        }
        true
    }

    // ---- speech over the agent -------------------------------------------------------------------------------

    fn overlap(&self) -> Overlap {
        self.overlap_of(&self.ears.text())
    }

    fn overlap_of(&self, text: &str) -> Overlap {
        let agent = self.turn.as_ref().map(Turn::words_sent).unwrap_or_default();
        overlap(text, &agent, self.plan.language)
    }

    /// Whether what is being heard is said over a turn of the agent, and is not what that turn is about to answer.
    fn is_overlapping(&self) -> bool {
        self.turn.as_ref().is_some_and(|turn| {
            turn.ends_call.is_none() && !(turn.awaits_words && self.ears.endpointed_at.is_some())
        })
    }

    /// Words end playback at once; a murmur and the agent's own echo do not.
    fn consider_interruption(&mut self, now: CallTime) {
        if self.voice_interrupts() && self.is_overlapping() && self.overlap() == Overlap::Words {
            self.interrupt(now);
        }
    }

    pub(super) fn voice_interrupts(&self) -> bool {
        self.plan.turns.end_by_voice() && self.plan.is_interruptible
    }

    /// A voice has been heard over the agent for long, and no words of it are known: playback waits for them.
    pub(super) fn hold(&mut self, now: CallTime) {
        if !self.ears.is_speaking() || !self.is_overlapping() || self.held || !self.voice_interrupts() {
            return;
        }
        let spoken_for = self.ears.speaking_since.map_or(Duration::ZERO, |since| now.since(since));
        let heard_only_murmurs = matches!(self.overlap(), Overlap::Murmur | Overlap::Echo);
        if heard_only_murmurs && spoken_for < self.plan.limits.interrupt_after + MURMUR_PATIENCE {
            self.timers.arm(Timer::Interrupt, now + MURMUR_PATIENCE);
            return;
        }
        self.held = true;
        self.note(Note::Held);
        let limits = &self.plan.limits;
        let is_audible = self.turn.as_ref().is_some_and(Turn::is_audible);
        let wait = if is_audible { limits.resume_after } else { limits.begin_after };
        self.timers.arm(Timer::Resume, now + wait);
        self.take_back_playout(now);
    }

    /// No words came: playback goes on where it stopped. A voice that is still there is taken for noise.
    pub(super) fn waited_for_words(&mut self, now: CallTime) {
        self.ears.voice_is_noise(now);
        self.resume();
        self.renew_promise(now);
    }

    pub(super) fn resume(&mut self) {
        self.timers.disarm(Timer::Resume);
        if std::mem::take(&mut self.held) {
            self.note(Note::Resumed);
        }
    }

    /// An utterance over the agent is complete. Returns whether it is to be answered now.
    fn settle_overlap(&mut self, now: CallTime) -> bool {
        match self.overlap() {
            Overlap::Words if !self.plan.is_interruptible => return self.settle_beside(now),
            Overlap::Murmur
                if !self.plan.is_interruptible && !self.turn.as_ref().is_some_and(Turn::is_audible) =>
            {
                return self.settle_beside(now);
            }
            Overlap::Words => {
                // Before the words are taken: those of a question without an answer yet come first.
                self.interrupt(now);
                return true;
            }
            Overlap::Murmur if !self.turn.as_ref().is_some_and(Turn::is_audible) => {
                self.interrupt(now); // nothing was being said that it could be a murmur to
                return true;
            }
            Overlap::Echo if self.ears.voice_lasted() < REPEATED_FOR => {
                self.ears.forget();
                self.show_disregarded();
            }
            // "Tuesday at ten", which the agent has just offered, is an answer too.
            Overlap::Murmur | Overlap::Echo => {
                let answers = self.may_answer_already(self.ears.ended_at.unwrap_or(now), now);
                if answers && !self.plan.turns.are_answered() {
                    return true; // the client asks for what follows
                }
                let utterance = self.ears.take(now, self.plan.limits.utterance_characters);
                if answers {
                    self.keep_answer(utterance);
                } else {
                    self.note(Note::Murmured);
                    self.show_disregarded();
                }
            }
            Overlap::Nothing => {
                self.ears.forget();
                self.show_disregarded();
            }
        }
        self.resume();
        false
    }

    /// Words were said over an answer that nothing interrupts. Returns whether they are to be taken now.
    fn settle_beside(&mut self, now: CallTime) -> bool {
        if !self.plan.turns.are_answered() {
            return true;
        }
        let mut utterance = self.ears.take(now, self.plan.limits.utterance_characters);
        let playhead = self.playhead_at(utterance.began_at, now);
        let last = self.turn.as_ref().and_then(|turn| turn.phrases.last());
        utterance.precedes_question = !last.is_some_and(|phrase| phrase.is_asking_at(playhead));
        self.keep_answer(utterance);
        false
    }

    /// How far playback had come then. Marks have come since: what had been played then is what has been played now, less
    /// the time between.
    fn playhead_at(&self, at: CallTime, now: CallTime) -> u64 {
        self.ledger.playhead(now).saturating_sub(now.since(at).as_micros() as u64)
    }

    /// Keeps an answer until the agent has been heard to the end.
    fn keep_answer(&mut self, mut utterance: Utterance) {
        if let Some(earlier) = self.kept_answer.take() {
            utterance.follows(&earlier, self.plan.limits.utterance_characters);
        }
        self.kept_answer = Some(utterance);
    }

    /// Whether "yes" at this time answers the agent, who is nearly done, rather than accompanies them.
    fn may_answer_already(&self, at: CallTime, now: CallTime) -> bool {
        let Some(turn) = &self.turn else { return true };
        let all_sent =
            turn.generation.is_none() && turn.phrases.iter().skip(turn.playing).all(|p| p.waiting.is_empty());
        let playhead = self.playhead_at(at, now);
        let is_asking = turn.phrases.last().is_some_and(|phrase| phrase.is_asking_at(playhead));
        all_sent && !self.held && (at + self.plan.limits.answer_window >= self.ledger.due() || is_asking)
    }

    /// The caller talks over the agent, or goes on before the answer: the answer is cut where it was heard.
    pub(super) fn interrupt(&mut self, now: CallTime) {
        let kept = if self.turn.is_some() { self.kept_answer.take() } else { None };
        let unanswered = self.cut(now);
        let limit = self.plan.limits.utterance_characters;
        if let Some(kept) = kept {
            // "Yes" over the last words, and then more of them: it is all one answer.
            self.ears.put_back(&kept.text, kept.began_at, limit);
        }
        if let Some(Unanswered { text, began_at }) = unanswered {
            self.ears.put_back(&text, began_at, limit);
        }
    }

    /// Ends the open turn where it was heard. Returns what it was to answer, if nothing of an answer was said or done.
    pub(super) fn cut(&mut self, now: CallTime) -> Option<Unanswered> {
        self.timers.disarm(Timer::Interrupt);
        let turn = self.turn.take()?;
        if turn.is_audible() && !self.held {
            self.ledger.clear(now);
            self.outputs.push_back(Output::ClearPlayout);
        }
        let continued = !turn.is_audible() && turn.tools.is_empty() && !turn.caller_text.is_empty();
        if continued {
            let unanswered = Unanswered { text: turn.caller_text.clone(), began_at: turn.started_at };
            self.note(Note::Continued);
            self.close_turn(turn, TurnOutcome::Continued, now);
            return Some(unanswered);
        }
        self.note(Note::Interrupted);
        self.close_turn(turn, TurnOutcome::Interrupted, now);
        None
    }

    // ---- the two-second promise ------------------------------------------------------------------------------

    /// Arms the promise for a turn whose caller fell silent at `ended`.
    pub(super) fn promise(&mut self, ended: CallTime, now: CallTime) {
        self.timers.arm(Timer::Acknowledge, (ended + self.plan.limits.acknowledge_after).max(now));
    }

    /// The promise could not be kept when it was due, because the caller made a noise or nothing was understood yet.
    pub(super) fn renew_promise(&mut self, now: CallTime) {
        let Some(turn) = &self.turn else { return };
        if let Some(ended) = turn.timeline.at(Stage::EndOfSpeech)
            && (turn.awaits_words || !turn.caller_text.is_empty())
            && !turn.is_audible()
            && self.timers.at(Timer::Acknowledge).is_none()
        {
            self.promise(ended, now);
        }
    }

    // ---- recording -------------------------------------------------------------------------------------------

    /// The caller's own words decide whether the call is recorded. "Yes" is none of them before the question was asked,
    /// nor when they were asked since whether they are there.
    fn consider_recording(&mut self) {
        let Some(turn) = &self.turn else { return };
        let text = turn.caller_text.as_str();
        if std::mem::take(&mut self.assent_is_due) {
            let was_asked = self.was_asked_for_assent && self.reprompted == 0 && !turn.precedes_question;
            self.recording = was_asked && assent(text, self.plan.language) == Some(true);
            self.outputs.push_back(Output::Record(self.recording));
        } else if self.recording && withdraws(text, self.plan.language) {
            self.recording = false;
            self.outputs.push_back(Output::Record(false));
        }
    }
}
