//! What an utterance, and what the caller was told, change about errands.

use super::{
    heard::{Act, DayWish, Heard, Wish},
    memory::{Goal, Memory},
    moves::{Asked, Errand, Tool},
};

impl Memory {
    /// What an utterance changes about errands. Returns whether its day and time belong to one.
    pub(super) fn learn_errands(&mut self, heard: &Heard) -> bool {
        let calls = heard.is(Act::CallMe) && self.tools.contains(&Tool::RequestCallback);
        let calling = calls || (self.goal == Goal::CallAt && !heard.asks_errand());
        let today = self.today;
        let errands = &mut self.errands;
        if heard.person.is_some() {
            errands.person.clone_from(&heard.person);
        }
        if heard.message.is_some() {
            errands.message.clone_from(&heard.message);
        }
        errands.mail_wanted |= heard.is(Act::Mail);
        if heard.email.is_some() {
            // An address that comes with a further wish is read back in the answer to both.
            errands.mail_confirmed = false;
        } else if self.asked == Asked::EmailRight && heard.is(Act::Yes) {
            errands.mail_confirmed = true;
        } else if self.asked == Asked::EmailRight && heard.is(Act::No) {
            self.email = None;
        }
        if calling {
            match heard.day {
                Some(DayWish::On(day)) => errands.call_day = Some(day),
                Some(DayWish::Soonest) => {
                    errands.call_day = today;
                    errands.call_time = Some(Wish::Earliest);
                }
                Some(DayWish::Another) => errands.call_day = None,
                None => {}
            }
            errands.call_time = heard.time.or(errands.call_time);
        }
        calling
    }

    /// Which errand an utterance is about, if it is about one.
    pub(super) fn errand_goal(&self, heard: &Heard) -> Option<Goal> {
        let offers = |tool: Tool| self.tools.contains(&tool);
        let yes = heard.is(Act::Yes) && !heard.has_facts();
        let settled = self.bookings.is_empty() && self.chosen.is_none();
        if heard.is(Act::LeaveMessage) && offers(Tool::TakeMessage)
            || (self.asked == Asked::WayOut && (yes || heard.message.is_some()) && !heard.is(Act::CallMe))
        {
            return Some(Goal::Message);
        }
        let calls_back = heard.is(Act::CallMe) || (self.asked == Asked::CallBack && yes);
        if calls_back && offers(Tool::RequestCallback) {
            return Some(Goal::CallAt);
        }
        if heard.is(Act::AskHuman) && !heard.is(Act::CallMe) && offers(Tool::TransferToHuman)
            || (self.asked == Asked::Person && heard.person.is_some())
        {
            return Some(Goal::Person);
        }
        let beside =
            heard.has_criteria() || heard.has_schedule() || heard.choice.is_some() || heard.is(Act::View);
        if heard.is(Act::Mail) && !beside {
            return Some(Goal::Mail);
        }
        if heard.is(Act::Cancel)
            && offers(Tool::CancelViewing)
            && (settled || self.errands.cancelling.is_some())
        {
            return Some(Goal::Cancel);
        }
        (heard.is(Act::Rebook) && offers(Tool::RescheduleViewing) && settled).then_some(Goal::Move)
    }

    /// Whether the caller takes back what was being arranged.
    pub(super) fn drops_errand(&self, heard: &Heard) -> bool {
        let asked_for_it = matches!(
            self.asked,
            Asked::Message | Asked::WayOut | Asked::Person | Asked::Email | Asked::CallWhen
        );
        asked_for_it && heard.is(Act::No) && !heard.has_facts() && !heard.asks_errand()
    }

    /// The caller has been told.
    pub(super) fn told(&mut self, errand: &Errand) {
        let errands = &mut self.errands;
        match errand {
            Errand::PuttingThrough(_) => {
                errands.answers.remove(&Tool::TransferToHuman);
                self.goal = Goal::None;
            }
            Errand::NobodyFree => {
                (errands.nobody, errands.person) = (true, None);
                self.goal = Goal::None;
            }
            Errand::NotListed(_) => errands.person = None,
            Errand::MessageTaken(_) => {
                errands.answers.remove(&Tool::TakeMessage);
                (errands.message, errands.person) = (None, None);
                self.goal = Goal::None;
            }
            Errand::Sent(_) => {
                errands.answers.remove(&Tool::SendSummary);
                errands.mail_wanted = false;
                errands.mail_confirmed = true;
                self.goal = Goal::None;
            }
            Errand::NotSent | Errand::NoMail => {
                errands.mail_wanted = false;
                self.goal = Goal::None;
            }
            Errand::CallArranged { .. } => {
                errands.answers.remove(&Tool::RequestCallback);
                (errands.call_day, errands.call_time) = (None, None);
                self.goal = Goal::None;
            }
            Errand::NotArranged => (errands.call_day, errands.call_time) = (None, None),
            Errand::Moved { .. } => {
                errands.answers.remove(&Tool::RescheduleViewing);
                (self.goal, self.day, self.time) = (Goal::None, None, None);
            }
            Errand::NotMoved => (self.goal, self.day, self.time) = (Goal::None, None, None),
            Errand::Cancelled { .. } => {
                errands.answers.remove(&Tool::CancelViewing);
                errands.cancelling = None;
                (self.goal, self.chosen, self.day, self.time) = (Goal::None, None, None, None);
            }
            Errand::NotCancelled => {
                errands.cancelling = None;
                self.goal = Goal::None;
            }
            Errand::ReadBack(_)
            | Errand::StillLooking
            | Errand::Assented
            | Errand::NotRecorded
            | Errand::Rest(_) => {}
        }
    }

    /// The platform said that nobody took the call, and asked for a message.
    pub(super) fn not_put_through(&mut self) {
        self.told(&Errand::NobodyFree);
        self.errands.answers.clear();
        self.asked = Asked::WayOut;
        self.variant = 0;
    }
}
