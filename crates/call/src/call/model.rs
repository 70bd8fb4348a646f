//! The language model: asking, asking early, asking twice, and what comes back.

use super::Call;
use crate::{
    AnswerPlan, Finish, GenerationEvent, GenerationId, Note, Output, Progress, Prompt, Retry, Timer,
    ears::truncate,
    turn::{Kind, Turn},
    turn_taking::{is_unfinished, split},
};
use seiketsu_domain::{CallTime, Message, Pii, Stage, ToolChoice};

/// Events kept of an answer to words that are not certain yet; a longer answer is not waited for.
const SPECULATIVE_EVENTS: usize = 1_000;
/// Requests that were given up and may still tell what they consumed; there are two at a time, and few take long.
const GIVEN_UP: usize = 16;

/// The model was asked before the caller's last words were certain. Nothing of the answer is spoken or done before they
/// are, and only if they are the same.
#[derive(Debug)]
pub(super) struct Speculation {
    id: GenerationId,
    words: Vec<String>,
    asked_at: CallTime,
    events: Vec<(CallTime, GenerationEvent)>,
    over: bool,
}

impl Call {
    /// Asks the model with the words understood so far: the recogniser's last word on them takes a while, and mostly
    /// confirms them.
    pub(super) fn speculate(&mut self, now: CallTime) {
        let is_their_turn = self.turn.as_ref().is_none_or(|turn| turn.awaits_words);
        if !self.plan.turns.are_answered()
            || !is_their_turn
            || self.kept_answer.is_some()
            || self.ears.is_speaking()
            || self.ears.is_pressing()
            || self.timers.at(Timer::Endpoint).is_none() && self.ears.endpointed_at.is_none()
        {
            return;
        }
        let text = self.ears.text();
        if is_unfinished(&text, self.plan.language) {
            if !self.speculates_on(&split(&text)) {
                self.drop_speculation();
            }
        } else {
            self.ask_early(now);
        }
    }

    fn speculates_on(&self, words: &[String]) -> bool {
        self.speculation.as_ref().is_some_and(|speculation| speculation.words == words)
    }

    /// Asks with the words understood so far, whatever comes of it.
    pub(super) fn ask_early(&mut self, now: CallTime) {
        let text = self.ears.text();
        let words = split(&text);
        if self.speculates_on(&words) {
            return;
        }
        self.drop_speculation();
        if words.is_empty() || self.speculations >= self.plan.limits.speculations {
            return;
        }
        self.speculations += 1;
        let mut messages = self.context.messages();
        messages.push(Message::Caller { text: Pii::new(text) });
        let prompt = self.prompt(None, 0, messages);
        let id = self.request(0, prompt);
        self.speculation = Some(Speculation { id, words, asked_at: now, events: Vec::new(), over: false });
    }

    pub(super) fn drop_speculation(&mut self) {
        if let Some(speculation) = self.speculation.take() {
            self.note(Note::SpeculationMissed);
            if !speculation.over {
                return self.give_up(speculation.id);
            }
            for (_, event) in &speculation.events {
                self.bill(event);
            }
        }
    }

    /// The answer to a request is not wanted any more.
    pub(super) fn give_up(&mut self, id: GenerationId) {
        self.outputs.push_back(Output::CancelGeneration(id));
        self.remember_given_up(id);
    }

    fn remember_given_up(&mut self, id: GenerationId) {
        if self.given_up.len() == GIVEN_UP {
            self.given_up.pop_front();
        }
        self.given_up.push_back(id);
    }

    /// What is told of a request that nobody waits for: dropped, but for what it consumed, which costs all the same.
    fn unwanted(&mut self, id: GenerationId, event: &GenerationEvent) {
        self.late();
        if matches!(event, GenerationEvent::Finished { .. } | GenerationEvent::Failed { .. })
            && let Some(at) = self.given_up.iter().position(|given_up| *given_up == id)
        {
            self.given_up.remove(at);
            self.bill(event);
        }
    }

    pub(super) fn bill(&mut self, event: &GenerationEvent) {
        if let GenerationEvent::Finished { input_tokens, output_tokens, .. } = event {
            self.unbilled.input_tokens += input_tokens;
            self.unbilled.output_tokens += output_tokens;
        }
    }

    /// Asks the model in the open turn; an answer that is on its way already is taken up.
    pub(super) fn ask_model(&mut self, now: CallTime) {
        self.show_answering();
        let Some(turn) = &mut self.turn else { return };
        turn.generation_spoke = false;
        turn.generation_counts = false;
        if !turn.generated.is_empty() && !turn.generated.ends_with(char::is_whitespace) {
            turn.generated.push(' '); // what follows a tool is another sentence
        }
        turn.generated_before = turn.generated.len();
        turn.waits_to_retry = false;
        if turn.rounds == 0
            && turn.plan.is_none()
            && let Some(speculation) =
                self.speculation.take_if(|early| early.words == split(&turn.caller_text))
        {
            turn.rounds = 1;
            turn.attempts = 1;
            turn.answer_is_complete = speculation.over;
            turn.generation = Some(speculation.id);
            turn.timeline.reach(Stage::RequestSent, speculation.asked_at);
            self.timers.arm(Timer::Progress, now + self.plan.limits.progress);
            self.timers.arm(Timer::Hedge, (speculation.asked_at + self.plan.limits.hedge_after).max(now));
            self.news = false;
            self.note(Note::SpeculationUsed);
            let is_token = |event: &GenerationEvent| {
                matches!(
                    event,
                    GenerationEvent::Text(_)
                        | GenerationEvent::ToolCallBegun
                        | GenerationEvent::ToolCall { .. }
                )
            };
            if let Some((at, _)) = speculation.events.iter().find(|(_, event)| is_token(event))
                && let Some(turn) = &mut self.turn
            {
                turn.timeline.reach(Stage::FirstToken, *at);
            }
            for (_, event) in speculation.events {
                self.generation(speculation.id, event, now);
            }
            return;
        }
        self.drop_speculation();
        let Some(turn) = &mut self.turn else { return };
        turn.rounds += 1;
        turn.attempts = 0;
        self.ask(now);
    }

    /// One more request for the answer of this round.
    fn ask(&mut self, now: CallTime) {
        let Some(turn) = &mut self.turn else { return };
        let attempt = turn.attempts;
        turn.attempts += 1;
        turn.waits_to_retry = false;
        turn.answer_is_complete = false;
        turn.timeline.reach(Stage::RequestSent, now);
        let Some(id) = self.request_for_turn(attempt) else { return };
        if let Some(turn) = &mut self.turn {
            turn.generation = Some(id);
        }
        self.news = false;
        self.timers.arm(Timer::Progress, now + self.plan.limits.progress);
        self.timers.arm(Timer::Hedge, now + self.plan.limits.hedge_after);
    }

    /// Asks for the answer of the open turn.
    fn request_for_turn(&mut self, attempt: u32) -> Option<GenerationId> {
        let turn = self.turn.as_ref()?;
        let plan = turn.plan.as_deref();
        let mut messages =
            plan.and_then(|plan| plan.messages.clone()).unwrap_or_else(|| self.context.messages());
        messages.extend(turn.messages_as_generated());
        let prompt = self.prompt(plan, turn.rounds.saturating_sub(1), messages);
        Some(self.request(attempt, prompt))
    }

    /// What the model is asked in the round after so many others of the same answer.
    pub(super) fn prompt(
        &self,
        answer: Option<&AnswerPlan>,
        rounds: usize,
        messages: Vec<Message>,
    ) -> Prompt {
        let tools = answer.and_then(|answer| answer.tools.as_ref()).unwrap_or(&self.plan.tools);
        let choice = answer.and_then(|answer| answer.tool_choice.as_ref()).unwrap_or(&self.plan.tool_choice);
        let system = answer.and_then(|answer| answer.system.as_ref()).unwrap_or(&self.plan.system);
        let is_possible = match choice {
            ToolChoice::Auto | ToolChoice::None => true,
            // What had to be asked for was asked for; else there would be no end of it.
            ToolChoice::Required => rounds == 0 && !tools.is_empty(),
            ToolChoice::Named(name) => rounds == 0 && tools.iter().any(|tool| tool.name == *name),
        };
        Prompt {
            model: self.plan.model.clone(),
            system: system.clone(),
            messages,
            tools: tools.clone(),
            tool_choice: if is_possible { choice.clone() } else { ToolChoice::Auto },
            max_tokens: answer.and_then(|answer| answer.max_tokens).unwrap_or(self.plan.max_tokens),
        }
    }

    pub(super) fn request(&mut self, attempt: u32, prompt: Prompt) -> GenerationId {
        let id = GenerationId(self.next_generation);
        self.next_generation += 1;
        self.outputs.push_back(Output::Generate { id, attempt, prompt: Box::new(prompt) });
        id
    }

    /// The model has said nothing yet: the same question is asked once more, elsewhere if there is anywhere else, and the
    /// first to speak is listened to. Those that were asked before may still be the first.
    pub(super) fn hedge(&mut self, now: CallTime) {
        let hedges = self.plan.limits.hedges_per_round;
        let Some(turn) = &mut self.turn else { return };
        if turn.generation.is_none() || turn.generation_spoke || turn.attempts > hedges {
            return;
        }
        let attempt = turn.attempts;
        turn.attempts += 1;
        self.note(Note::Hedged);
        let Some(id) = self.request_for_turn(attempt) else { return };
        if let Some(turn) = &mut self.turn {
            turn.hedges.push(id);
        }
        self.timers.arm(Timer::Hedge, now + self.plan.limits.hedge_after);
    }

    pub(super) fn generation(&mut self, id: GenerationId, event: GenerationEvent, now: CallTime) {
        if let Some(early) = self.speculation.as_mut().filter(|early| early.id == id) {
            if early.over {
                return self.late();
            }
            early.over = matches!(event, GenerationEvent::Finished { .. } | GenerationEvent::Failed { .. });
            early.events.push((now, event));
            if early.events.len() >= SPECULATIVE_EVENTS {
                self.drop_speculation();
            }
            return;
        }
        if self.asides.iter().any(|aside| aside.is_asking(id)) {
            return self.aside_generated(id, event, now);
        }
        let Some(turn) = self.turn.as_mut().filter(|turn| turn.is_asking(id)) else {
            return self.unwanted(id, &event);
        };
        if let GenerationEvent::Failed { retry } = event {
            if turn.generation != Some(id) {
                turn.hedges.retain(|hedge| *hedge != id);
            } else if turn.hedges.is_empty() {
                self.generation_failed(retry, now);
            } else {
                turn.generation = Some(turn.hedges.remove(0));
            }
            return;
        }
        self.timers.arm(Timer::Progress, now + self.plan.limits.progress);
        self.timers.disarm(Timer::Hedge);
        if !turn.hedges.is_empty() {
            // Whoever speaks first has the floor.
            let asked = turn.generation.replace(id).into_iter().chain(turn.hedges.drain(..));
            let losers: Vec<GenerationId> = asked.filter(|asked| *asked != id).collect();
            for loser in losers {
                self.give_up(loser);
            }
        }
        let Some(turn) = &mut self.turn else { return };
        let is_complete = turn.answer_is_complete;
        match event {
            GenerationEvent::Text(text) => {
                turn.timeline.reach(Stage::FirstToken, now);
                turn.generation_spoke = true;
                turn.generated.push_str(&text);
                let whole = truncate(&mut turn.generated, self.plan.limits.answer_characters);
                let phrases = if whole { turn.phraser.push(&text) } else { Vec::new() };
                turn.generation_counts |= !phrases.is_empty();
                for phrase in phrases {
                    self.add_phrase(phrase, false, now);
                }
                if !whole {
                    if let Some(turn) = &mut self.turn {
                        turn.finish = Finish::TooLong;
                    }
                    self.note(Note::LimitReached);
                    if is_complete {
                        self.remember_given_up(id); // what it consumed is the last of what has arrived
                    } else {
                        self.give_up(id);
                    }
                    self.generation_over(now);
                }
            }
            GenerationEvent::ToolCallBegun => self.announce(now),
            GenerationEvent::ToolCall { request, name, arguments } => {
                turn.generation_counts = true;
                self.announce(now);
                self.run_tool(request, name, arguments, now);
            }
            GenerationEvent::Finished { input_tokens, output_tokens, finish } => {
                turn.finish = finish;
                turn.usage.input_tokens += input_tokens;
                turn.usage.output_tokens += output_tokens;
                self.generation_over(now);
            }
            GenerationEvent::Failed { retry } => self.generation_failed(retry, now),
        }
    }

    /// The model wants a tool: what it has said is the announcement of that.
    fn announce(&mut self, now: CallTime) {
        let Some(turn) = &mut self.turn else { return };
        turn.timeline.reach(Stage::FirstToken, now);
        turn.generation_spoke = true;
        if let Some(rest) = turn.phraser.finish() {
            turn.generation_counts = true;
            self.add_phrase(rest, false, now);
        }
        if let Some(turn) = &mut self.turn {
            turn.announce();
        }
    }

    fn generation_over(&mut self, now: CallTime) {
        let Some(turn) = &mut self.turn else { return };
        turn.generation = None;
        if let Some(rest) = turn.phraser.finish() {
            self.add_phrase(rest, false, now);
        }
        let Some(turn) = &self.turn else { return };
        if turn.tools_answered < turn.tools.len() {
            self.outputs
                .push_back(Output::Progress(Progress::AwaitsTools { turn: turn.number, usage: turn.usage }));
        }
        if turn.tools_answered == turn.tools.len() && !turn.has_words() {
            self.generation_failed(Retry::Now, now); // an empty answer is no answer
        }
    }

    pub(super) fn generation_failed(&mut self, retry: Retry, now: CallTime) {
        let limits = &self.plan.limits;
        let Some(turn) = &mut self.turn else { return };
        turn.generation = None;
        self.timers.disarm(Timer::Hedge);
        if !turn.generation_counts && turn.retries < limits.retries_per_turn && !turn.reports {
            match retry {
                Retry::Now => {
                    turn.take_back_generation();
                    turn.retries += 1;
                    self.note(Note::Retried);
                    return self.ask(now);
                }
                Retry::After(wait) if wait <= limits.longest_retry_wait => {
                    turn.take_back_generation();
                    turn.retries += 1;
                    turn.waits_to_retry = true;
                    self.timers.arm(Timer::Retry, now + wait);
                    return;
                }
                Retry::After(_) | Retry::Never => {}
            }
        }
        if turn.phrases.iter().any(|phrase| phrase.kind == Kind::Answer) {
            turn.failed = true;
            if let Some(rest) = turn.phraser.finish() {
                self.add_phrase(rest, false, now);
            }
        } else if turn.tools_answered < turn.tools.len() {
            // It broke off behind a tool, whose result is the next question.
        } else if turn.reports && !turn.is_audible() {
            // The model has nothing to say of its own accord. What it had done meanwhile stays on record.
            if turn.tools.is_empty() {
                self.forget_turn();
                self.await_caller(now);
            }
        } else {
            self.apologise(now);
        }
    }

    pub(super) fn retry(&mut self, now: CallTime) {
        if self.turn.as_ref().is_some_and(|turn| turn.waits_to_retry) {
            self.note(Note::Retried);
            self.ask(now);
        }
    }

    pub(super) fn apologise(&mut self, now: CallTime) {
        let Some(turn) = &mut self.turn else { return };
        if turn.failed {
            return;
        }
        turn.failed = true;
        self.note(Note::Apologised);
        self.add_phrase(self.plan.apology.clone(), true, now);
    }

    /// A tool that outlived its turn has ended: when nobody is speaking, the model is asked what to make of it.
    pub(super) fn report_news(&mut self, now: CallTime) {
        if !self.news
            || self.turn.is_some()
            || self.kept_answer.is_some()
            || self.ears.has_begun()
            || !self.plan.turns.are_answered()
            || self.answer_when_over.is_some()
        {
            return; // whoever speaks next will tell
        }
        self.open_turn(|number| Turn { reports: true, ..Turn::unasked(number, now) });
        self.ask_model(now);
    }
}
