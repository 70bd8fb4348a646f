//! Clients that drive turns themselves.

use super::Call;
use crate::{ClientAct, Output, Timer, Turns, turn::Turn};
use seiketsu_domain::CallTime;

impl Call {
    pub(super) fn client(&mut self, act: ClientAct, now: CallTime) {
        match act {
            ClientAct::Commit => {
                self.ears.endpointed_at = Some(now);
                if self.ears.is_settled() {
                    self.words_settled(now);
                } else {
                    self.outputs.push_back(Output::FlushRecogniser);
                    self.await_final_words(now);
                }
            }
            ClientAct::Clear => {
                self.ears.forget();
                self.drop_speculation();
                self.answer_when_settled = false;
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
                self.context.push(message);
                self.forget_oldest();
            }
            ClientAct::CreateResponse if self.ears.endpointed_at.is_some() => {
                // Where the engine decides, an answer comes anyway.
                self.answer_when_settled = self.plan.turns == Turns::ByClient;
            }
            ClientAct::CreateResponse => self.create_response(now),
            ClientAct::CancelResponse | ClientAct::Truncate { .. } if self.is_saying_goodbye() => {}
            ClientAct::CancelResponse => {
                self.interrupt(now);
                self.await_caller(now);
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

    pub(super) fn create_response(&mut self, now: CallTime) {
        if self.turn.is_some() {
            return;
        }
        let caller_text = std::mem::take(&mut self.committed);
        self.open_turn(|number| Turn { caller_text, ..Turn::unasked(number, now) });
        self.promise(now, now);
        self.ask_model(now);
    }
}
