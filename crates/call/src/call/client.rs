//! Clients that drive turns themselves.

use super::Call;
use crate::{AnswerPlan, ClientAct, Output, Timer, Turns, turn::Turn};
use seiketsu_domain::{CallTime, Message, Pii};

impl Call {
    pub(super) fn client(&mut self, act: ClientAct, now: CallTime) {
        match act {
            ClientAct::Commit => {
                self.commits += 1;
                self.ears.endpointed_at = Some(now);
                if self.ears.is_settled() {
                    self.words_settled(now);
                } else {
                    self.outputs.push_back(Output::FlushRecogniser);
                    self.await_final_words(now);
                }
            }
            // What was committed stays committed, though its words are not known yet.
            ClientAct::Clear if self.plan.turns == Turns::ByClient && self.ears.endpointed_at.is_some() => {}
            ClientAct::Clear => {
                self.ears.forget();
                self.drop_speculation();
                self.answer_when_settled = None;
                self.timers.disarm(Timer::Endpoint);
                self.timers.disarm(Timer::FinalTranscript);
                match &self.turn {
                    Some(turn) if turn.awaits_words && turn.is_audible() => self.interrupt(now),
                    Some(turn) if turn.awaits_words => self.forget_turn(),
                    Some(_) | None => {}
                }
                self.await_caller(now);
            }
            ClientAct::CreateItem(message) => {
                self.drop_speculation();
                self.add_message(message);
                self.context.keep_within(&self.plan.limits);
            }
            ClientAct::CreateResponse(plan) if self.turn.is_some() => self.answer_when_over = Some(plan),
            ClientAct::CreateResponse(plan) if self.ears.endpointed_at.is_some() => {
                // Where the engine decides, an answer comes as soon as the words are known, and is the one that is meant.
                if self.plan.turns.are_answered() {
                    self.answer_when_over = Some(plan);
                } else {
                    self.answer_when_settled = Some(plan);
                }
            }
            ClientAct::CreateResponse(plan) => self.create_response(plan, now),
            ClientAct::Ask { number, plan } => self.ask_aside(number, plan, now),
            ClientAct::CancelAside(number) => self.cancel_aside(number),
            ClientAct::CancelResponse { .. } | ClientAct::Truncate { .. } if self.is_saying_goodbye() => {}
            ClientAct::CancelResponse { turn: None } if self.turn.is_none() => {
                self.answer_when_settled = None;
                self.answer_when_over = None;
            }
            ClientAct::CancelResponse { turn: Some(meant) }
                if self.turn.as_ref().is_some_and(|turn| turn.number != meant) => {}
            ClientAct::CancelResponse { .. } => {
                self.interrupt(now);
                self.await_caller(now);
            }
            ClientAct::Forget { turn, speaker } => {
                self.drop_speculation();
                self.context.forget(turn, speaker);
            }
            ClientAct::Truncate { heard } => {
                let begins =
                    self.turn.iter().flat_map(|turn| &turn.phrases).filter_map(|phrase| phrase.begins).min();
                if let Some(begins) = begins {
                    self.ledger.stopped_at(now, begins.saturating_add(heard.as_micros() as u64));
                    self.interrupt(now);
                    self.await_caller(now);
                }
            }
        }
    }

    /// What the caller has typed waits for the turn that answers it; everything else is context.
    fn add_message(&mut self, message: Message) {
        match message {
            Message::Caller { text }
                if self.committed.chars().count() + text.expose().chars().count()
                    < self.plan.limits.utterance_characters =>
            {
                if !self.committed.is_empty() {
                    self.committed.push(' ');
                }
                self.committed.push_str(text.expose());
            }
            message @ (Message::Caller { .. }
            | Message::Agent { .. }
            | Message::ToolRequest { .. }
            | Message::ToolResult { .. }) => {
                let typed = std::mem::take(&mut self.committed);
                if !typed.is_empty() {
                    self.context.push(Message::Caller { text: Pii::new(typed) });
                }
                self.context.push(message);
            }
        }
    }

    /// An answer that was asked for while another one was being given.
    pub(super) fn answer_at_last(&mut self, now: CallTime) {
        let nobody_is_there = self.ending.is_some() || self.handing_over;
        if self.turn.is_none()
            && !self.ears.has_begun()
            && !nobody_is_there
            && let Some(plan) = self.answer_when_over.take()
        {
            self.create_response(plan, now);
        }
    }

    pub(super) fn create_response(&mut self, mut plan: Box<AnswerPlan>, now: CallTime) {
        if self.turn.is_some() {
            return;
        }
        if plan.is_aside {
            plan.messages = Some(self.conversation_of(&plan));
        }
        // An answer to something else leaves what was said unanswered.
        let caller_text =
            if plan.messages.is_none() { std::mem::take(&mut self.committed) } else { String::new() };
        let plan = (*plan != AnswerPlan::default()).then_some(plan);
        self.open_turn(|number| Turn { caller_text, plan, ..Turn::unasked(number, now) });
        self.promise(now, now);
        self.ask_model(now);
    }
}
