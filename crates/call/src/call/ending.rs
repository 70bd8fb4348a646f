//! Closing turns, keeping the context, ending the call.

use super::Call;
use crate::{
    Output, Progress, Timer, ToolNumber,
    turn::{PhraseState, Turn},
};
use seiketsu_domain::{CallEnd, CallTime, EndReason, TurnOutcome, TurnRecord};

/// A turn that is over but whose tools are not.
#[derive(Debug)]
pub(super) struct Closing {
    pub record: TurnRecord,
    /// Run, index in the record, deadline.
    pub running: Vec<(ToolNumber, usize, CallTime)>,
}

/// How the call ends once everything is written.
#[derive(Debug, Clone, Copy)]
pub(super) enum Ending {
    Over { reason: EndReason, at: CallTime },
    Detached,
}

impl Call {
    /// Completes the turn once everything it had to say has been heard.
    pub(super) fn watch_playout(&mut self, now: CallTime) {
        self.timers.disarm(Timer::Playout);
        let Some(turn) = &self.turn else { return };
        let busy =
            turn.generation.is_some() || turn.phrases.iter().any(|phrase| phrase.state == PhraseState::Asked);
        if !busy {
            self.timers.disarm(Timer::Progress);
        }
        if !turn.is_sent() {
            return;
        }
        if let Some(turn) = &mut self.turn
            && !std::mem::replace(&mut turn.is_said, true)
        {
            self.outputs.push_back(Output::Progress(Progress::Said {
                turn: turn.number,
                usage: turn.usage,
                finish: turn.finish,
            }));
        }
        if !self.ledger.is_idle() {
            self.timers.arm(Timer::Playout, self.ledger.due() + self.plan.limits.mark_slack);
            return;
        }
        let Some(turn) = self.turn.take() else { return };
        let outcome = if turn.failed { TurnOutcome::Failed } else { TurnOutcome::Answered };
        let ends = turn.ends_call;
        self.close_turn(turn, outcome, now);
        match ends {
            Some(EndReason::Transferred) => {
                self.handing_over = true;
                self.write_closed(); // the turn in which it was said comes first
                self.outputs.push_back(Output::HandOver);
                self.await_caller(now);
            }
            Some(reason) => self.finish_call(reason, now),
            None => match self.kept_answer.take() {
                Some(kept) if !self.plan.is_interruptible && self.ears.has_begun() => {
                    // They are speaking on: it is all one answer.
                    let limit = self.plan.limits.utterance_characters;
                    self.ears.put_back(&kept.text, kept.began_at, limit);
                }
                Some(mut utterance) => {
                    if !self.plan.is_interruptible {
                        utterance.ended_at = now; // they had to hear the agent out: only from here on they wait
                    }
                    self.open_answer(utterance, now);
                }
                None => self.await_caller(now),
            },
        }
    }

    /// The caller goes only once that is on record: else this call would be closed under their talk, and nobody would
    /// find it should the talk not come about.
    pub(super) fn handed_over(&mut self, on_record: bool, now: CallTime) {
        if !std::mem::take(&mut self.handing_over) {
            return self.late();
        }
        if on_record {
            self.outputs.push_back(Output::Transfer);
            self.detach(now);
        } else if !self.is_saying_goodbye() {
            self.say_unasked(self.plan.not_put_through.clone(), None, now);
        }
    }

    /// Nothing that was asked for this turn is wanted any more.
    pub(super) fn cancel_requests(&mut self, turn: &Turn) {
        for id in turn.generation.into_iter().chain(turn.hedges.iter().copied()) {
            self.give_up(id);
        }
        for phrase in turn.phrases.iter().filter(|phrase| phrase.state == PhraseState::Asked) {
            self.outputs.push_back(Output::CancelSpeech(phrase.id));
        }
        for timer in [
            Timer::Acknowledge,
            Timer::Interrupt,
            Timer::Resume,
            Timer::Hedge,
            Timer::Retry,
            Timer::Sound,
            Timer::Progress,
            Timer::Playout,
        ] {
            self.timers.disarm(timer);
        }
    }

    /// Ends a turn: nothing more is wanted for it, its record waits only for its tools.
    pub(super) fn close_turn(&mut self, turn: Turn, outcome: TurnOutcome, now: CallTime) {
        self.cancel_requests(&turn);
        self.outputs.push_back(Output::Progress(Progress::Over { turn: turn.number, outcome }));
        self.drop_speculation();
        self.held = false;
        if self.assent_is_due && turn.number == self.plan.first_turn {
            let playhead = self.ledger.playhead(now);
            self.was_asked_for_assent = turn.phrases.last().is_some_and(|last| last.is_asking_at(playhead));
        }
        let running = turn
            .tools
            .iter()
            .enumerate()
            .filter(|(_, tool)| tool.run.outcome.is_none())
            .map(|(index, tool)| (tool.number, index, tool.deadline))
            .collect();
        let is_aside = turn.plan.as_ref().is_some_and(|plan| plan.is_aside);
        let mut record = turn.close(&self.ledger, now, outcome);
        record.usage.add(&std::mem::take(&mut self.unbilled));
        self.usage.add(&record.usage);
        self.finished_turns += 1;
        if !is_aside {
            self.context.close(record.number, &record.messages);
        }
        self.context.keep_within(&self.plan.limits);
        self.closing.push_back(Closing { record, running });
        self.arm_tool_timer();
    }

    /// Hands finished turns over in order, then the end.
    pub(super) fn write_closed(&mut self) {
        while self.closing.front().is_some_and(|closing| closing.running.is_empty()) {
            if let Some(closing) = self.closing.pop_front() {
                self.outputs.push_back(Output::Committed(Box::new(closing.record)));
            }
        }
        if !self.closing.is_empty() || self.ended {
            return;
        }
        match self.ending {
            None => {}
            Some(Ending::Over { reason, at }) => {
                self.ended = true;
                self.usage.add(&std::mem::take(&mut self.unbilled));
                let end = CallEnd { reason, ended_at: at, turns: self.finished_turns, usage: self.usage };
                self.outputs.push_back(Output::Ended(Box::new(end)));
            }
            Some(Ending::Detached) => {
                self.ended = true;
                self.outputs.push_back(Output::Detached);
            }
        }
    }

    pub(super) fn finish_call(&mut self, reason: EndReason, now: CallTime) {
        if self.ending.is_some() {
            return;
        }
        self.stop(now);
        if reason != EndReason::CallerHungUp {
            self.outputs.push_back(Output::HangUp);
        }
        self.ending = Some(Ending::Over { reason, at: now });
    }

    pub(super) fn detach(&mut self, now: CallTime) {
        if self.ending.is_none() {
            self.stop(now);
            self.ending = Some(Ending::Detached);
        }
    }

    /// Nothing more will be said or heard.
    pub(super) fn stop(&mut self, now: CallTime) {
        self.drop_speculation();
        self.drop_asides();
        if let Some(turn) = self.turn.take() {
            // What was said to a caller who went away mid-utterance is not lost either.
            let mut turn = turn;
            if turn.awaits_words {
                let utterance = self.ears.take(now, self.plan.limits.utterance_characters);
                turn.take_words(utterance);
            }
            self.ledger.clear(now);
            self.close_turn(turn, TurnOutcome::HungUp, now);
        }
        if let Some(utterance) = self.kept_answer.take() {
            self.open_turn(|number| Turn::answering(number, utterance));
            if let Some(turn) = self.turn.take() {
                self.close_turn(turn, TurnOutcome::HungUp, now);
            }
        }
        if self.ears.has_words() {
            let utterance = self.ears.take(now, self.plan.limits.utterance_characters);
            self.open_turn(|number| Turn::answering(number, utterance));
            if let Some(turn) = self.turn.take() {
                self.close_turn(turn, TurnOutcome::HungUp, now);
            }
        }
        let tool = self.timers.at(Timer::Tool);
        self.timers.disarm_all();
        if let Some(at) = tool {
            self.timers.arm(Timer::Tool, at);
        }
    }
}
