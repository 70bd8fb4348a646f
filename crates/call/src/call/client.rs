//! Clients that drive turns themselves.

use super::{Call, caller::Unanswered};
use crate::{AnswerPlan, ClientAct, Output, Timer, Turns, ears::truncate, turn::Turn};
use seiketsu_domain::{CallTime, Message, Pii};

/// An answer that a client has asked for.
#[derive(Debug)]
pub(super) struct Asked {
    number: u64,
    plan: Box<AnswerPlan>,
}

impl Asked {
    /// Whether an answer to what the caller says is what was asked for as well.
    fn is_of_conversation(&self) -> bool {
        !self.plan.is_aside && self.plan.messages.is_none()
    }
}

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
                self.timers.disarm(Timer::Endpoint);
                self.timers.disarm(Timer::FinalTranscript);
                match &self.turn {
                    Some(turn) if turn.awaits_words && turn.is_audible() => self.interrupt(now),
                    Some(turn) if turn.awaits_words => self.forget_turn(),
                    Some(_) | None => {}
                }
                self.await_caller(now);
                // It was asked for, with these words or without.
                if let Some(asked) = self.answer_when_settled.take() {
                    self.create_response(asked, now);
                }
            }
            ClientAct::CreateItem(message) => {
                self.drop_speculation();
                self.add_message(message);
                self.context.keep_within(&self.plan.limits);
            }
            ClientAct::CreateResponse { number, plan } => {
                let asked = Asked { number, plan };
                let awaits_words = self.turn.is_none() && self.ears.endpointed_at.is_some();
                if !awaits_words {
                    self.create_response(asked, now);
                } else if self.plan.turns.are_answered() {
                    // The engine answers as soon as the words are known, and that is the answer that is meant.
                    self.answer_when_over = Some(asked);
                } else {
                    self.answer_when_settled = Some(asked);
                }
            }
            ClientAct::CancelRequest(number) => self.cancel_request(number, now),
            ClientAct::Ask { number, plan } => self.ask_aside(number, plan, now),
            ClientAct::CancelAside(number) => self.cancel_aside(number),
            ClientAct::CancelResponse { .. } | ClientAct::Truncate { .. } if self.is_saying_goodbye() => {}
            ClientAct::CancelResponse { turn: None } if self.turn.is_none() => {
                self.answer_when_settled = None;
                self.answer_when_over = None;
            }
            ClientAct::CancelResponse { turn: Some(meant) }
                if self.turn.as_ref().is_some_and(|turn| turn.number != meant) => {}
            ClientAct::CancelResponse { .. } => self.cancel_answer(now),
            ClientAct::Forget { turn, speaker } => {
                self.drop_speculation();
                self.context.forget(turn, speaker);
            }
            ClientAct::Truncate { heard } => {
                let begins =
                    self.turn.iter().flat_map(|turn| &turn.phrases).filter_map(|phrase| phrase.begins).min();
                if let Some(begins) = begins {
                    self.ledger.stopped_at(now, begins.saturating_add(heard.as_micros() as u64));
                    self.cancel_answer(now);
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
        // Whoever drives turns says when they have finished; others are being listened to.
        let is_heard = self.plan.turns.end_by_voice() && self.ears.has_begun();
        if self.turn.is_none()
            && !is_heard
            && self.ears.endpointed_at.is_none()
            && !nobody_is_there
            && let Some(asked) = self.answer_when_over.take()
        {
            self.create_response(asked, now);
        }
    }

    /// The answer to what the caller has said is what a client was waiting for.
    pub(super) fn take_up_request(&mut self) {
        if let Some(turn) = &mut self.turn
            && let Some(Asked { number, plan }) =
                self.answer_when_over.take_if(|asked| asked.is_of_conversation())
        {
            turn.asked = Some(number);
            turn.plan = Some(plan).filter(|plan| **plan != AnswerPlan::default());
        }
    }

    /// Answers, or will when the answer that is being given is over.
    pub(super) fn create_response(&mut self, mut asked: Asked, now: CallTime) {
        if self.turn.is_some() {
            self.answer_when_over = Some(asked);
            return;
        }
        if asked.plan.is_aside {
            asked.plan.messages = Some(self.conversation_of(&asked.plan));
        }
        // An answer to something else leaves what was said unanswered.
        let caller_text =
            if asked.is_of_conversation() { std::mem::take(&mut self.committed) } else { String::new() };
        let Asked { number, plan } = asked;
        let plan = (*plan != AnswerPlan::default()).then_some(plan);
        self.open_turn(|turn| Turn { caller_text, asked: Some(number), plan, ..Turn::unasked(turn, now) });
        self.promise(now, now);
        self.ask_model(now);
    }

    fn cancel_request(&mut self, number: u64, now: CallTime) {
        for waiting in [&mut self.answer_when_over, &mut self.answer_when_settled] {
            waiting.take_if(|asked| asked.number == number);
        }
        let is_given = self.turn.as_ref().is_some_and(|turn| turn.asked == Some(number));
        if is_given && !self.is_saying_goodbye() {
            self.cancel_answer(now);
        }
    }

    /// The client wants to hear no more of an answer. What it was to answer waits for the next one that is asked for; what
    /// was said over it has not been answered at all.
    fn cancel_answer(&mut self, now: CallTime) {
        let kept = self.kept_answer.take();
        if let Some(Unanswered { text, .. }) = self.cut(now) {
            let typed = std::mem::replace(&mut self.committed, text);
            self.commit_words(&typed);
        }
        match kept {
            Some(utterance) if self.plan.turns.are_answered() => self.open_answer(utterance, now),
            Some(utterance) => self.commit_words(&utterance.text),
            None => self.await_caller(now),
        }
    }

    /// Words that wait for an answer that is asked for.
    pub(super) fn commit_words(&mut self, text: &str) {
        if !self.committed.is_empty() && !text.is_empty() {
            self.committed.push(' ');
        }
        self.committed.push_str(text);
        truncate(&mut self.committed, self.plan.limits.utterance_characters);
    }
}
