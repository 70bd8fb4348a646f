//! Questions to the model beside the conversation: nothing of them is spoken, run or remembered, but they are paid for.

use super::Call;
use crate::{
    AnswerPlan, AsideEvent, Finish, GenerationEvent, GenerationId, Note, Output, Progress, Retry, Timer,
    turn::Turn,
};
use seiketsu_domain::{CallTime, Message, Pii, Usage};

/// How often a question is asked again that had no word of an answer.
const RETRIES: u32 = 2;

/// One of them, on its way.
#[derive(Debug)]
pub(super) struct Aside {
    number: u64,
    generation: GenerationId,
    plan: Box<AnswerPlan>,
    attempts: u32,
    deadline: CallTime,
    /// Characters of the answer so far.
    characters: usize,
    /// Something of it was told.
    has_begun: bool,
}

impl Aside {
    pub(super) fn is_asking(&self, id: GenerationId) -> bool {
        self.generation == id
    }
}

impl Call {
    pub(super) fn ask_aside(&mut self, number: u64, mut plan: Box<AnswerPlan>, now: CallTime) {
        if self.asides.len() >= self.plan.limits.asides {
            self.note(Note::LimitReached);
            return self.tell_aside(number, AsideEvent::Failed);
        }
        plan.messages = Some(self.conversation_of(&plan));
        let generation = self.request_aside(&plan, 0);
        let deadline = now + self.plan.limits.aside;
        let aside =
            Aside { number, generation, plan, attempts: 1, deadline, characters: 0, has_begun: false };
        self.asides.push(aside);
        self.arm_aside_timer();
    }

    /// What an answer is about that stays out of the conversation: all that was said so far, and is being said, if nothing
    /// else.
    pub(super) fn conversation_of(&self, plan: &AnswerPlan) -> Vec<Message> {
        plan.messages.clone().unwrap_or_else(|| {
            let mut messages = self.context.messages();
            messages.extend(self.turn.iter().flat_map(Turn::messages_as_generated));
            if !self.committed.is_empty() {
                messages.push(Message::Caller { text: Pii::new(self.committed.clone()) });
            }
            messages
        })
    }

    fn request_aside(&mut self, plan: &AnswerPlan, attempt: u32) -> GenerationId {
        let prompt = self.prompt(Some(plan), 0, plan.messages.clone().unwrap_or_default());
        self.request(attempt, prompt)
    }

    pub(super) fn cancel_aside(&mut self, number: u64) {
        if let Some(at) = self.asides.iter().position(|aside| aside.number == number) {
            let aside = self.asides.swap_remove(at);
            self.give_up(aside.generation);
            self.arm_aside_timer();
        }
    }

    /// The call is over.
    pub(super) fn drop_asides(&mut self) {
        for aside in std::mem::take(&mut self.asides) {
            self.give_up(aside.generation);
        }
    }

    pub(super) fn aside_generated(&mut self, id: GenerationId, event: GenerationEvent, now: CallTime) {
        let Some(at) = self.asides.iter().position(|aside| aside.is_asking(id)) else { return };
        let aside = &mut self.asides[at];
        let number = aside.number;
        match event {
            GenerationEvent::Text(text) => {
                let room = self.plan.limits.aside_characters.saturating_sub(aside.characters);
                let fitting: String = text.chars().take(room).collect();
                aside.characters += fitting.chars().count();
                aside.has_begun = true;
                let is_whole = fitting.len() == text.len();
                self.tell_aside(number, AsideEvent::Text(fitting));
                if !is_whole {
                    self.note(Note::LimitReached);
                    self.cancel_aside(number);
                    let finish = Finish::TooLong;
                    self.tell_aside(number, AsideEvent::Finished { usage: None, finish });
                }
            }
            GenerationEvent::ToolCallBegun => aside.has_begun = true,
            GenerationEvent::ToolCall { name, arguments, .. } => {
                aside.has_begun = true;
                self.tell_aside(number, AsideEvent::ToolCall { name, arguments });
            }
            GenerationEvent::Finished { input_tokens, output_tokens, finish } => {
                self.bill(&event);
                self.asides.swap_remove(at);
                self.arm_aside_timer();
                let usage = Some(Usage { input_tokens, output_tokens, ..Usage::default() });
                self.tell_aside(number, AsideEvent::Finished { usage, finish });
            }
            GenerationEvent::Failed { retry: Retry::Now }
                if !aside.has_begun && aside.attempts <= RETRIES && aside.deadline > now =>
            {
                let (plan, attempt) = (aside.plan.clone(), aside.attempts);
                aside.attempts += 1;
                self.note(Note::Retried);
                let generation = self.request_aside(&plan, attempt);
                if let Some(aside) = self.asides.get_mut(at) {
                    aside.generation = generation;
                }
            }
            GenerationEvent::Failed { .. } => {
                self.asides.swap_remove(at);
                self.arm_aside_timer();
                self.tell_aside(number, AsideEvent::Failed);
            }
        }
    }

    pub(super) fn asides_timed_out(&mut self, now: CallTime) {
        let due = self.asides.iter().filter(|aside| aside.deadline <= now).map(|aside| aside.number);
        for number in due.collect::<Vec<_>>() {
            self.cancel_aside(number);
            self.tell_aside(number, AsideEvent::Failed);
        }
        self.arm_aside_timer();
    }

    fn arm_aside_timer(&mut self) {
        match self.asides.iter().map(|aside| aside.deadline).min() {
            Some(at) => self.timers.arm(Timer::Aside, at),
            None => self.timers.disarm(Timer::Aside),
        }
    }

    fn tell_aside(&mut self, number: u64, event: AsideEvent) {
        self.outputs.push_back(Output::Progress(Progress::Aside { number, event }));
    }
}
