//! The engine of one call.

use crate::{
    ClientAct, GenerationEvent, GenerationId, Input, Limits, MarkId, Note, Output, Plan, PlanUpdate, Prompt,
    SynthesisEvent, SynthesisId, Timer, ToolNumber, Turns, VoiceActivity,
    ears::{Ears, truncate},
    ledger::Ledger,
    timer::Timers,
    turn::{NOT_FINISHED, Part, Phrase, PhraseState, RunningTool, Turn},
};
use seiketsu_domain::{
    CallEnd, CallTime, EndReason, Message, Pii, Stage, ToolOutcome, ToolRun, TurnOutcome, TurnRecord, Usage,
};
use std::{collections::VecDeque, time::Duration};

/// The first audio of an answer is followed by a mark after so much of it, so that its playback is known early.
const FIRST_MARK_US: u64 = 20_000;
/// A mark follows at least every so much audio.
const MARK_EVERY_US: u64 = 400_000;
/// Tools beyond the limit of a turn are refused, and the model sees the refusal; beyond so many times the limit they
/// are not even kept.
const KEPT_REFUSALS: usize = 4;
/// An alignment has at most so many characters for each one of its phrase: voices read numbers out in words.
const ALIGNED_PER_CHARACTER: usize = 16;
/// Silence that ends a row of pressed keys.
const KEYS_SILENCE: Duration = Duration::from_millis(1_500);

/// A turn that is over but whose tools are not.
#[derive(Debug)]
struct Closing {
    record: TurnRecord,
    /// Run, index in the record, deadline.
    running: Vec<(ToolNumber, usize, CallTime)>,
}

/// How the call ends once everything is written.
#[derive(Debug, Clone, Copy)]
enum Ending {
    Over { reason: EndReason, at: CallTime },
    Detached,
}

/// One call. See the crate's documentation for the contract.
#[derive(Debug)]
pub struct Call {
    plan: Plan,
    outputs: VecDeque<Output>,
    timers: Timers,
    /// What was said in finished turns, as heard.
    context: Vec<Message>,
    ears: Ears,
    ledger: Ledger,
    turn: Option<Turn>,
    closing: VecDeque<Closing>,
    /// Words a client has committed but not yet asked an answer for.
    committed: String,
    /// The client asked for an answer before the words were known.
    answer_when_settled: bool,
    ending: Option<Ending>,
    ended: bool,
    next_turn: u32,
    next_generation: u64,
    next_synthesis: u64,
    next_tool: u64,
    next_acknowledgement: usize,
    finished_turns: u32,
    usage: Usage,
    late_answers: u64,
}

impl Call {
    /// Begins a call: the greeting is the first thing that happens.
    pub fn new(mut plan: Plan, now: CallTime) -> Self {
        plan.limits.acknowledge_after = plan.limits.acknowledge_after.max(Limits::EARLIEST_ACKNOWLEDGEMENT);
        let mut call = Self {
            outputs: VecDeque::new(),
            timers: Timers::default(),
            context: std::mem::take(&mut plan.history),
            ears: Ears::default(),
            ledger: Ledger::default(),
            turn: None,
            closing: VecDeque::new(),
            committed: String::new(),
            answer_when_settled: false,
            ending: None,
            ended: false,
            next_turn: plan.first_turn,
            next_generation: 0,
            next_synthesis: 0,
            next_tool: 0,
            next_acknowledgement: 0,
            finished_turns: 0,
            usage: Usage::default(),
            late_answers: 0,
            plan,
        };
        call.forget_oldest();
        call.timers.arm(Timer::Call, now + call.plan.limits.call);
        if call.plan.greeting.is_empty() {
            call.await_caller(now);
        } else {
            call.say_unasked(call.plan.greeting.clone(), None, now);
        }
        call.advance(now);
        call
    }

    /// Something happened.
    pub fn handle(&mut self, input: Input, now: CallTime) {
        if self.ended {
            return;
        }
        if self.ending.is_some() && !matches!(input, Input::Tool { .. }) {
            return; // nobody is there any more; only the tools that still run are waited for
        }
        match input {
            Input::Voice(VoiceActivity::Began { at }) => self.voice_began(at, now),
            Input::Voice(VoiceActivity::Ended { at }) => self.voice_ended(at, now),
            Input::HeardPartly { text } => {
                self.ears.heard_partly(&text, self.plan.limits.utterance_characters);
            }
            Input::Heard { text, until, settled } => self.heard(&text, until, settled, now),
            Input::RecogniserLost => self.recogniser_lost(now),
            Input::Generation { id, event } => self.generation(id, event, now),
            Input::Synthesis { id, event } => self.synthesis(id, event, now),
            Input::Tool { number, outcome } => self.tool_finished(number, outcome, now),
            Input::Mark(id) => self.mark_returned(id, now),
            Input::Digit(digit) => self.digit(digit, now),
            Input::HungUp => self.finish_call(EndReason::CallerHungUp, now),
            Input::Cut => self.detach(now),
            Input::Client(act) => self.client(act, now),
            Input::Update(update) => self.update(update),
        }
        self.advance(now);
    }

    /// Time has passed; fires every timer that is due.
    pub fn handle_timeout(&mut self, now: CallTime) {
        while !self.ended {
            let Some(timer) = self.timers.take_due(now) else { break };
            match timer {
                Timer::Endpoint => self.endpoint(now),
                Timer::FinalTranscript => self.words_settled(now),
                Timer::Acknowledge => self.acknowledge(now),
                Timer::Interrupt => {
                    if self.ears.is_speaking() && !self.is_saying_goodbye() {
                        self.interrupt(now);
                    }
                }
                Timer::Progress => self.no_progress(now),
                Timer::Tool => self.tools_timed_out(now),
                Timer::Playout => self.ledger.assume_played(now),
                Timer::Silence => {
                    self.say_unasked(self.plan.goodbye.clone(), Some(EndReason::Silence), now);
                }
                Timer::Call => {
                    if !self.is_saying_goodbye() {
                        self.say_unasked(self.plan.goodbye.clone(), Some(EndReason::MaxDuration), now);
                    }
                }
            }
            self.advance(now);
        }
    }

    /// The next thing to do, if any. Drain it after each `handle` and `handle_timeout`.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to call [`Call::handle_timeout`] at the latest, and what for. `None` only once the call has ended.
    pub fn poll_timeout(&self) -> Option<(CallTime, Timer)> {
        if self.ended { None } else { self.timers.next() }
    }

    /// Whether the last output has been produced.
    pub fn has_ended(&self) -> bool {
        self.ended
    }

    /// Answers to requests that were no longer wanted, dropped so far.
    pub fn late_answers(&self) -> u64 {
        self.late_answers
    }

    // ---- the caller ------------------------------------------------------------------------------------------

    fn voice_began(&mut self, at: CallTime, now: CallTime) {
        self.ears.voice_began(at, self.plan.turns);
        if self.plan.turns == Turns::ByVoice {
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

    fn voice_ended(&mut self, at: CallTime, now: CallTime) {
        self.ears.voice_ended(at);
        self.timers.disarm(Timer::Interrupt);
        match self.plan.turns {
            Turns::ByVoice => self.timers.arm(Timer::Endpoint, (at + self.plan.endpoint_silence).max(now)),
            Turns::ByClient => {
                self.await_caller(now);
                self.renew_promise(now);
            }
        }
    }

    fn heard(&mut self, text: &str, until: CallTime, settled: bool, now: CallTime) {
        if self.ears.is_late(until) {
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
        } else if !self.ears.is_speaking()
            && self.ears.has_words()
            && self.timers.at(Timer::Endpoint).is_none()
        {
            // Words without voice activity: speech too soft for the detector is speech all the same.
            self.voice_ended(until.min(now), now);
        }
    }

    fn recogniser_lost(&mut self, now: CallTime) {
        if self.ears.endpointed_at.is_some() {
            self.words_settled(now);
        }
    }

    fn digit(&mut self, digit: char, now: CallTime) {
        if !matches!(digit, '0'..='9' | '*' | '#' | 'A'..='D') {
            return;
        }
        self.ears.pressed(digit, now, self.plan.limits.utterance_characters);
        self.timers.disarm(Timer::Silence);
        match self.plan.turns {
            Turns::ByVoice => self.timers.arm(Timer::Endpoint, now + KEYS_SILENCE),
            Turns::ByClient => self.await_caller(now),
        }
    }

    /// The caller has been silent long enough.
    fn endpoint(&mut self, now: CallTime) {
        if self.ears.is_speaking() || !self.ears.has_begun() {
            return;
        }
        self.ears.endpointed_at = Some(now);
        self.note(Note::Endpointed);
        if self.turn.is_none() {
            let (began, ended) = (self.ears.began_at.unwrap_or(now), self.ears.ended_at.unwrap_or(now));
            self.open_turn(|number| Turn::awaiting_words(number, began, ended, now));
            self.promise(ended, now);
        } else if !self.ears.has_words() {
            self.renew_promise(now);
        }
        if self.ears.is_settled() {
            self.words_settled(now);
        } else {
            self.outputs.push_back(Output::FlushRecogniser);
            self.timers.arm(Timer::FinalTranscript, now + self.plan.limits.final_transcript);
        }
    }

    /// No more words will come for the utterance that was endpointed.
    fn words_settled(&mut self, now: CallTime) {
        self.timers.disarm(Timer::FinalTranscript);
        self.timers.disarm(Timer::Endpoint);
        let awaited = self.turn.as_ref().is_some_and(|turn| turn.awaits_words);
        if self.plan.turns == Turns::ByVoice && !awaited && self.ears.has_words() && !self.is_saying_goodbye()
        {
            // Before the words are taken: those of a question without an answer yet come first.
            self.interrupt(now);
        }
        let utterance = self.ears.take(now, self.plan.limits.utterance_characters);
        if self.plan.turns == Turns::ByClient && !awaited {
            if !self.committed.is_empty() && !utterance.text.is_empty() {
                self.committed.push(' ');
            }
            self.committed.push_str(&utterance.text);
            truncate(&mut self.committed, self.plan.limits.utterance_characters);
            if std::mem::take(&mut self.answer_when_settled) {
                self.create_response(now);
            }
            return;
        }
        let worth_asking = utterance.is_worth_asking();
        if utterance.text.is_empty() {
            if !awaited {
                return; // a noise while the agent speaks
            }
            if !worth_asking && !self.turn.as_ref().is_some_and(Turn::is_audible) {
                self.forget_turn();
                self.await_caller(now);
                return;
            }
            if let Some(turn) = &mut self.turn {
                turn.take_words(utterance);
            }
            self.add_phrase(self.plan.unclear.clone(), true, now);
            return;
        }
        if awaited {
            if let Some(turn) = &mut self.turn {
                turn.take_words(utterance);
            }
            self.renew_promise(now);
        } else {
            if self.is_saying_goodbye() {
                return;
            }
            let ended = utterance.ended_at;
            self.open_turn(|number| Turn::answering(number, utterance));
            self.promise(ended, now);
        }
        self.ask_model(now);
    }

    /// The call ends with this turn, and nobody stops it.
    fn is_saying_goodbye(&self) -> bool {
        self.turn.as_ref().is_some_and(|turn| turn.ends_call.is_some())
    }

    /// The caller talks over the agent, or goes on before the answer: the answer is cut where it was heard.
    fn interrupt(&mut self, now: CallTime) {
        self.timers.disarm(Timer::Interrupt);
        let Some(turn) = self.turn.take() else { return };
        if turn.is_audible() {
            self.ledger.clear(now);
            self.outputs.push_back(Output::ClearPlayout);
        }
        let continued = !turn.is_audible() && turn.tools.is_empty() && !turn.caller_text.is_empty();
        if continued {
            self.ears.put_back(&turn.caller_text, turn.started_at, self.plan.limits.utterance_characters);
            self.note(Note::Continued);
            self.close_turn(turn, TurnOutcome::Continued, now);
        } else {
            self.note(Note::Interrupted);
            self.close_turn(turn, TurnOutcome::Interrupted, now);
        }
    }

    // ---- the answer ------------------------------------------------------------------------------------------

    fn open_turn(&mut self, make: impl FnOnce(u32) -> Turn) {
        debug_assert!(self.turn.is_none(), "one turn at a time");
        self.timers.disarm(Timer::Silence);
        self.turn = Some(make(self.next_turn));
        self.next_turn += 1;
    }

    /// Takes back a turn of which nothing was heard, said or done.
    fn forget_turn(&mut self) {
        if let Some(turn) = self.turn.take() {
            self.next_turn -= 1;
            self.cancel_requests(&turn);
        }
    }

    /// Nothing that was asked for this turn is wanted any more.
    fn cancel_requests(&mut self, turn: &Turn) {
        if let Some(id) = turn.generation {
            self.outputs.push_back(Output::CancelGeneration(id));
        }
        for phrase in turn.spoken().filter(|phrase| phrase.state == PhraseState::Asked) {
            self.outputs.push_back(Output::CancelSpeech(phrase.id));
        }
        for timer in [Timer::Acknowledge, Timer::Interrupt, Timer::Progress, Timer::Playout] {
            self.timers.disarm(timer);
        }
    }

    fn say_unasked(&mut self, text: String, ends_call: Option<EndReason>, now: CallTime) {
        if self.turn.is_some() {
            self.interrupt(now);
        }
        self.open_turn(|number| Turn { ends_call, ..Turn::unasked(number, now) });
        self.add_phrase(text, true, now);
    }

    /// Arms the two-second promise for a turn whose caller fell silent at `ended`.
    fn promise(&mut self, ended: CallTime, now: CallTime) {
        self.timers.arm(Timer::Acknowledge, (ended + self.plan.limits.acknowledge_after).max(now));
    }

    /// The promise could not be kept when it was due, because the caller made a noise or nothing was understood yet.
    fn renew_promise(&mut self, now: CallTime) {
        let Some(turn) = &self.turn else { return };
        if let Some(ended) = turn.timeline.at(Stage::EndOfSpeech)
            && (turn.awaits_words || !turn.caller_text.is_empty())
            && self.timers.at(Timer::Acknowledge).is_none()
        {
            self.promise(ended, now);
        }
    }

    fn acknowledge(&mut self, now: CallTime) {
        let phrases = &self.plan.acknowledgements;
        let Some(turn) = &self.turn else { return };
        if phrases.is_empty()
            || self.ears.is_speaking()
            || turn.has_begun_to_answer()
            || turn.acknowledgement.is_some()
            || turn.ends_call.is_some()
            || (turn.awaits_words && !self.ears.is_worth_asking())
        {
            return;
        }
        let text = phrases[self.next_acknowledgement % phrases.len()].clone();
        self.next_acknowledgement += 1;
        let phrase = self.phrase(text, true);
        if let Some(turn) = &mut self.turn {
            turn.acknowledgement = Some(phrase);
        }
        self.note(Note::Acknowledged);
        self.timers.arm(Timer::Progress, now + self.plan.limits.progress);
    }

    fn ask_model(&mut self, now: CallTime) {
        let Some(turn) = &mut self.turn else { return };
        let id = GenerationId(self.next_generation);
        self.next_generation += 1;
        turn.generation = Some(id);
        turn.generation_spoke = false;
        turn.rounds += 1;
        turn.timeline.reach(Stage::RequestSent, now);
        let mut messages = self.context.clone();
        messages.extend(turn.messages_as_generated());
        let prompt = Prompt {
            model: self.plan.model.clone(),
            system: self.plan.system.clone(),
            messages,
            tools: self.plan.tools.clone(),
        };
        self.outputs.push_back(Output::Generate { id, prompt: Box::new(prompt) });
        self.timers.arm(Timer::Progress, now + self.plan.limits.progress);
    }

    fn generation(&mut self, id: GenerationId, event: GenerationEvent, now: CallTime) {
        let Some(turn) = self.turn.as_mut().filter(|turn| turn.generation == Some(id)) else {
            return self.late();
        };
        self.timers.arm(Timer::Progress, now + self.plan.limits.progress);
        match event {
            GenerationEvent::Text(text) => {
                turn.timeline.reach(Stage::FirstToken, now);
                turn.generation_spoke = true;
                turn.generated.push_str(&text);
                let whole = truncate(&mut turn.generated, self.plan.limits.answer_characters);
                let phrases = if whole { turn.phraser.push(&text) } else { Vec::new() };
                for phrase in phrases {
                    self.add_phrase(phrase, false, now);
                }
                if !whole {
                    self.note(Note::LimitReached);
                    self.outputs.push_back(Output::CancelGeneration(id));
                    self.generation_over(now);
                }
            }
            GenerationEvent::ToolCall { request, name, arguments } => {
                turn.timeline.reach(Stage::FirstToken, now);
                turn.generation_spoke = true;
                if let Some(rest) = turn.phraser.finish() {
                    self.add_phrase(rest, false, now);
                }
                self.run_tool(request, name, arguments, now);
            }
            GenerationEvent::Finished { input_tokens, output_tokens } => {
                turn.usage.input_tokens += input_tokens;
                turn.usage.output_tokens += output_tokens;
                self.generation_over(now);
            }
            GenerationEvent::Failed => self.generation_failed(now),
        }
    }

    fn generation_over(&mut self, now: CallTime) {
        let Some(turn) = &mut self.turn else { return };
        turn.generation = None;
        let rest = turn.phraser.finish();
        if let Some(rest) = rest {
            self.add_phrase(rest, false, now);
        }
        let Some(turn) = &self.turn else { return };
        if turn.tools_answered == turn.tools.len() && turn.phrases.is_empty() {
            self.generation_failed(now); // an empty answer is no answer
        }
    }

    fn generation_failed(&mut self, now: CallTime) {
        let Some(turn) = &mut self.turn else { return };
        turn.generation = None;
        if !turn.generation_spoke && turn.retries < self.plan.limits.retries_per_turn {
            turn.retries += 1;
            self.note(Note::Retried);
            self.ask_model(now);
        } else if turn.phrases.is_empty() {
            self.apologise(now);
        } else {
            turn.failed = true;
            if let Some(rest) = turn.phraser.finish() {
                self.add_phrase(rest, false, now);
            }
        }
    }

    fn apologise(&mut self, now: CallTime) {
        let Some(turn) = &mut self.turn else { return };
        if turn.failed {
            return;
        }
        turn.failed = true;
        self.note(Note::Apologised);
        self.add_phrase(self.plan.apology.clone(), true, now);
    }

    // ---- tools -----------------------------------------------------------------------------------------------

    fn run_tool(&mut self, request: String, name: String, arguments: String, now: CallTime) {
        let Some(turn) = &mut self.turn else { return };
        if turn.tools.len() >= self.plan.limits.tools_per_turn.saturating_mul(KEPT_REFUSALS) {
            self.note(Note::LimitReached);
            return;
        }
        let number = ToolNumber(self.next_tool);
        self.next_tool += 1;
        let refused = (turn.tools.len() >= self.plan.limits.tools_per_turn)
            .then(|| ToolOutcome::Failed("too many tools in one turn".to_owned()));
        let run = ToolRun {
            number: number.0 as u32,
            request,
            name: name.clone(),
            arguments: arguments.clone(),
            asked_at: now,
            finished_at: refused.as_ref().map(|_| now),
            outcome: refused,
        };
        let runs = run.outcome.is_none();
        turn.parts.push(Part::Tool(turn.tools.len()));
        turn.tools.push(RunningTool { number, run, deadline: now + self.plan.limits.tool });
        if runs {
            self.outputs.push_back(Output::RunTool { number, name, arguments });
            self.arm_tool_timer();
        } else {
            self.note(Note::LimitReached);
        }
    }

    fn tool_finished(&mut self, number: ToolNumber, outcome: ToolOutcome, now: CallTime) {
        let running = self.turn.iter_mut().flat_map(|turn| &mut turn.tools);
        if let Some(tool) =
            running.into_iter().find(|tool| tool.number == number && tool.run.outcome.is_none())
        {
            tool.run.finished_at = Some(now);
            tool.run.outcome = Some(outcome);
        } else if !self.closing_tool_finished(number, outcome, now) {
            self.late();
        }
        self.arm_tool_timer();
    }

    /// A tool that outlived its turn: the record and the context learn how it ended.
    fn closing_tool_finished(&mut self, number: ToolNumber, outcome: ToolOutcome, now: CallTime) -> bool {
        for closing in &mut self.closing {
            let Some(at) = closing.running.iter().position(|(running, ..)| *running == number) else {
                continue;
            };
            let (_, index, _) = closing.running.swap_remove(at);
            let Some(run) = closing.record.tools.get_mut(index) else { return false };
            let content = outcome.to_model();
            for message in closing.record.messages.iter_mut().chain(self.context.iter_mut().rev()) {
                if let Message::ToolResult { request, content: held } = message
                    && *request == run.request
                    && held.expose() == NOT_FINISHED
                {
                    *held = Pii::new(content.clone());
                }
            }
            run.finished_at = Some(now);
            run.outcome = Some(outcome);
            return true;
        }
        false
    }

    fn tools_timed_out(&mut self, now: CallTime) {
        let in_turn = self.turn.iter().flat_map(|turn| &turn.tools).filter(|tool| tool.run.outcome.is_none());
        let due: Vec<ToolNumber> = in_turn
            .map(|tool| (tool.number, tool.deadline))
            .chain(self.closing.iter().flat_map(|closing| closing.running.iter().map(|(n, _, at)| (*n, *at))))
            .filter(|(_, deadline)| *deadline <= now)
            .map(|(number, _)| number)
            .collect();
        for number in due {
            self.tool_finished(number, ToolOutcome::Failed("no answer in time".to_owned()), now);
        }
        self.arm_tool_timer();
    }

    fn arm_tool_timer(&mut self) {
        let in_turn = self.turn.iter().flat_map(|turn| &turn.tools).filter(|tool| tool.run.outcome.is_none());
        let closing = self.closing.iter().flat_map(|closing| closing.running.iter().map(|(.., at)| *at));
        match in_turn.map(|tool| tool.deadline).chain(closing).min() {
            Some(at) => self.timers.arm(Timer::Tool, at),
            None => self.timers.disarm(Timer::Tool),
        }
    }

    /// All tools of a round have answered: ask the model what to make of it, or end the call.
    fn after_tools(&mut self, now: CallTime) {
        let Some(turn) = &mut self.turn else { return };
        if turn.generation.is_some() || turn.tools_answered == turn.tools.len() || !turn.tools_are_answered()
        {
            return;
        }
        let ends = turn.tools[turn.tools_answered..].iter().any(|tool| {
            Some(&tool.run.name) == self.plan.ending_tool.as_ref()
                && matches!(tool.run.outcome, Some(ToolOutcome::Done(_)))
        });
        turn.tools_answered = turn.tools.len();
        if ends {
            turn.ends_call = Some(EndReason::AgentHungUp);
            self.timers.disarm(Timer::Interrupt);
            if turn.phrases.is_empty() {
                self.add_phrase(self.plan.goodbye.clone(), true, now);
            }
        } else if turn.rounds < self.plan.limits.rounds_per_turn {
            self.ask_model(now);
        } else {
            self.note(Note::LimitReached);
            self.apologise(now);
        }
    }

    // ---- the voice -------------------------------------------------------------------------------------------

    fn phrase(&mut self, text: String, fixed: bool) -> Phrase {
        let id = SynthesisId(self.next_synthesis);
        self.next_synthesis += 1;
        Phrase::new(id, text, fixed)
    }

    fn add_phrase(&mut self, text: String, fixed: bool, now: CallTime) {
        let phrase = self.phrase(text, fixed);
        let Some(turn) = &mut self.turn else { return };
        turn.timeline.reach(Stage::FirstPhrase, now);
        turn.parts.push(Part::Phrase(turn.phrases.len()));
        turn.phrases.push(phrase);
    }

    /// Gives waiting phrases to the voice, a few at a time.
    fn ask_voice(&mut self, now: CallTime) {
        let Some(turn) = &mut self.turn else { return };
        let ahead = self.plan.limits.phrases_ahead;
        let mut asked = turn.phrases.iter().filter(|phrase| phrase.state == PhraseState::Asked).count();
        let substantive = turn.phrases.iter_mut().map(|phrase| (phrase, true));
        for (phrase, substantive) in
            turn.acknowledgement.iter_mut().map(|phrase| (phrase, false)).chain(substantive)
        {
            if phrase.state != PhraseState::Waiting || (substantive && asked >= ahead) {
                continue;
            }
            phrase.state = PhraseState::Asked;
            if substantive {
                asked += 1;
                turn.timeline.reach(Stage::SynthesisAsked, now);
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
    }

    fn synthesis(&mut self, id: SynthesisId, event: SynthesisEvent, now: CallTime) {
        let limit = self.plan.limits.waiting_audio_bytes;
        let Some(turn) = &mut self.turn else { return self.late() };
        let substantive = turn.acknowledgement.as_ref().is_none_or(|phrase| phrase.id != id);
        let waiting = turn.waiting_bytes;
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
                    let length = audio.len();
                    phrase.waiting.push_back(audio);
                    turn.waiting_bytes += length;
                    if substantive {
                        turn.timeline.reach(Stage::FirstByte, now);
                    }
                }
            }
            SynthesisEvent::Finished if phrase.begins.is_none() && phrase.waiting.is_empty() => {
                self.synthesis_failed(id, now); // a phrase without a sound was not said
            }
            SynthesisEvent::Finished => phrase.state = PhraseState::Complete,
            SynthesisEvent::Failed => self.synthesis_failed(id, now),
        }
    }

    fn synthesis_failed(&mut self, id: SynthesisId, now: CallTime) {
        let fresh = SynthesisId(self.next_synthesis);
        let Some(turn) = &mut self.turn else { return };
        let may_retry = turn.retries < self.plan.limits.retries_per_turn;
        let acknowledges = turn.acknowledgement.as_ref().is_some_and(|phrase| phrase.id == id);
        let Some(phrase) = turn.phrase_mut(id) else { return };
        let silent = phrase.begins.is_none() && phrase.waiting.is_empty();
        if acknowledges {
            // A bridge that breaks is no reason to fail, and one that comes late is no bridge.
            phrase.state = PhraseState::Complete;
            phrase.broken = true;
            return;
        }
        if silent && may_retry {
            phrase.id = fresh;
            phrase.state = PhraseState::Waiting;
            turn.retries += 1;
            self.next_synthesis += 1;
            self.note(Note::Retried);
            return;
        }
        phrase.state = PhraseState::Complete;
        phrase.broken = true;
        let apology_may_help = !phrase.fixed && !turn.has_begun_to_answer() && turn.waiting_bytes == 0;
        turn.failed |= !apology_may_help;
        if apology_may_help {
            self.apologise(now);
        }
    }

    /// Sends what can be sent: the acknowledgement first, then phrase by phrase.
    fn pump(&mut self, now: CallTime) {
        let format = self.plan.format;
        let Some(turn) = &mut self.turn else { return };
        if self.ears.is_speaking()
            && !turn.is_audible()
            && turn.ends_call.is_none()
            && !turn.caller_text.is_empty()
        {
            return; // the caller may be going on; it is decided within `interrupt_after`
        }
        let answer_is_there = turn.phrases.iter().any(|phrase| !phrase.waiting.is_empty());
        if let Some(late) = turn.acknowledgement.take_if(|phrase| answer_is_there && phrase.begins.is_none())
        {
            // The answer was faster than its bridge.
            turn.waiting_bytes -= late.waiting.iter().map(bytes::Bytes::len).sum::<usize>();
            if late.state == PhraseState::Asked {
                self.outputs.push_back(Output::CancelSpeech(late.id));
            }
        }
        if let Some(phrase) = &mut turn.acknowledgement {
            while let Some(audio) = phrase.waiting.pop_front() {
                turn.waiting_bytes -= audio.len();
                let length = format.duration_us(audio.len());
                let first = phrase.begins.is_none();
                phrase.begins.get_or_insert(self.ledger.send(now, length));
                phrase.sent_us += length;
                turn.unmarked_us += length;
                self.outputs.push_back(Output::Play(audio));
                if first {
                    turn.timeline.acknowledgement_sent = Some(now);
                    let mark = self.ledger.mark();
                    turn.acknowledgement_mark = Some(mark);
                    turn.unmarked_us = 0;
                    self.outputs.push_back(Output::Mark(mark));
                }
            }
            if phrase.state != PhraseState::Complete {
                return;
            }
        }
        while let Some(phrase) = turn.phrases.get_mut(turn.playing) {
            while let Some(mut audio) = phrase.waiting.pop_front() {
                turn.waiting_bytes -= audio.len();
                if turn.first_mark.is_none() {
                    // The first 20 ms go ahead with a mark of their own: its return tells when the answer was heard.
                    let first = audio
                        .split_to(audio.len().min(format.bytes_per_ms() * FIRST_MARK_US as usize / 1_000));
                    let length = format.duration_us(first.len());
                    phrase.begins.get_or_insert(self.ledger.send(now, length));
                    phrase.sent_us += length;
                    self.outputs.push_back(Output::Play(first));
                    let mark = self.ledger.mark();
                    turn.first_mark = Some(mark);
                    self.outputs.push_back(Output::Mark(mark));
                    turn.timeline.reach(Stage::FirstAudioSent, now);
                    self.timers.disarm(Timer::Acknowledge);
                }
                if audio.is_empty() {
                    continue;
                }
                let length = format.duration_us(audio.len());
                let begins = self.ledger.send(now, length);
                phrase.begins.get_or_insert(begins);
                phrase.sent_us += length;
                turn.unmarked_us += length;
                self.outputs.push_back(Output::Play(audio));
                if turn.unmarked_us >= MARK_EVERY_US {
                    turn.unmarked_us = 0;
                    self.outputs.push_back(Output::Mark(self.ledger.mark()));
                }
            }
            if phrase.state != PhraseState::Complete {
                break;
            }
            turn.playing += 1;
        }
        if turn.unmarked_us > 0 && turn.phrases.get(turn.playing).is_none() {
            turn.unmarked_us = 0;
            self.outputs.push_back(Output::Mark(self.ledger.mark()));
        }
    }

    fn mark_returned(&mut self, id: MarkId, now: CallTime) {
        if self.ledger.returned(now, id).is_none() {
            return;
        }
        let Some(turn) = &mut self.turn else { return };
        if turn.first_mark == Some(id) {
            let played = now.saturating_sub(Duration::from_micros(FIRST_MARK_US));
            let sent = turn.timeline.at(Stage::FirstAudioSent).unwrap_or(played);
            turn.timeline.reach(Stage::FirstAudioPlayed, played.max(sent));
        } else if turn.acknowledgement_mark == Some(id) {
            let length = turn.acknowledgement.as_ref().map_or(0, |phrase| phrase.sent_us);
            let sent = turn.timeline.acknowledgement_sent.unwrap_or(now);
            turn.timeline.acknowledgement_played =
                Some(now.saturating_sub(Duration::from_micros(length)).max(sent));
        }
    }

    /// Neither the model nor the voice has done anything for too long.
    fn no_progress(&mut self, now: CallTime) {
        let Some(turn) = &self.turn else { return };
        if let Some(id) = turn.generation {
            self.outputs.push_back(Output::CancelGeneration(id));
            // The voice, if it is what hangs, gets its own time.
            self.timers.arm(Timer::Progress, now + self.plan.limits.progress);
            self.generation_failed(now);
            return;
        }
        let stuck: Vec<SynthesisId> = turn
            .spoken()
            .filter(|phrase| phrase.state == PhraseState::Asked)
            .map(|phrase| phrase.id)
            .collect();
        for id in stuck {
            self.outputs.push_back(Output::CancelSpeech(id));
            self.synthesis_failed(id, now);
        }
    }

    // ---- going on and ending ---------------------------------------------------------------------------------

    /// Does everything that has become possible.
    fn advance(&mut self, now: CallTime) {
        if self.ending.is_none() {
            self.after_tools(now);
            self.ask_voice(now);
            self.pump(now);
            self.ask_voice(now);
            self.watch_playout(now);
        }
        self.write_closed();
    }

    /// Completes the turn once everything it had to say has been heard.
    fn watch_playout(&mut self, now: CallTime) {
        self.timers.disarm(Timer::Playout);
        let Some(turn) = &self.turn else { return };
        let busy =
            turn.generation.is_some() || turn.spoken().any(|phrase| phrase.state == PhraseState::Asked);
        if !busy {
            self.timers.disarm(Timer::Progress);
        }
        if !turn.is_sent() {
            return;
        }
        if !self.ledger.is_idle() {
            self.timers.arm(Timer::Playout, self.ledger.due() + self.plan.limits.mark_slack);
            return;
        }
        if let Some(turn) = self.turn.take() {
            let outcome = if turn.failed { TurnOutcome::Failed } else { TurnOutcome::Answered };
            let ends = turn.ends_call;
            self.close_turn(turn, outcome, now);
            match ends {
                Some(reason) => self.finish_call(reason, now),
                None => self.await_caller(now),
            }
        }
    }

    fn await_caller(&mut self, now: CallTime) {
        if !self.ears.is_speaking() && self.turn.is_none() {
            self.timers.arm(Timer::Silence, now + self.plan.limits.silence);
        }
    }

    /// Ends a turn: nothing more is wanted for it, its record waits only for its tools.
    fn close_turn(&mut self, turn: Turn, outcome: TurnOutcome, now: CallTime) {
        self.cancel_requests(&turn);
        let running = turn
            .tools
            .iter()
            .enumerate()
            .filter(|(_, tool)| tool.run.outcome.is_none())
            .map(|(index, tool)| (tool.number, index, tool.deadline))
            .collect();
        let record = turn.close(&self.ledger, now, outcome);
        self.usage.add(&record.usage);
        self.finished_turns += 1;
        self.context.extend(record.messages.iter().cloned());
        self.forget_oldest();
        self.closing.push_back(Closing { record, running });
        self.arm_tool_timer();
    }

    /// Keeps the context within its limit, whole exchanges at a time.
    fn forget_oldest(&mut self) {
        let excess = self.context.len().saturating_sub(self.plan.limits.context_messages);
        if excess > 0 {
            let start = (excess..self.context.len())
                .find(|&at| matches!(self.context[at], Message::Caller { .. }))
                .unwrap_or(self.context.len());
            self.context.drain(..start);
        }
    }

    /// Hands finished turns over in order, then the end.
    fn write_closed(&mut self) {
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
                let end = CallEnd { reason, ended_at: at, turns: self.finished_turns, usage: self.usage };
                self.outputs.push_back(Output::Ended(Box::new(end)));
            }
            Some(Ending::Detached) => {
                self.ended = true;
                self.outputs.push_back(Output::Detached);
            }
        }
    }

    fn finish_call(&mut self, reason: EndReason, now: CallTime) {
        if self.ending.is_some() {
            return;
        }
        self.stop(now);
        if reason != EndReason::CallerHungUp {
            self.outputs.push_back(Output::HangUp);
        }
        self.ending = Some(Ending::Over { reason, at: now });
    }

    fn detach(&mut self, now: CallTime) {
        if self.ending.is_none() {
            self.stop(now);
            self.ending = Some(Ending::Detached);
        }
    }

    /// Nothing more will be said or heard.
    fn stop(&mut self, now: CallTime) {
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

    // ---- clients that drive turns themselves -----------------------------------------------------------------

    fn client(&mut self, act: ClientAct, now: CallTime) {
        match act {
            ClientAct::Commit => {
                self.ears.endpointed_at = Some(now);
                if self.ears.is_settled() {
                    self.words_settled(now);
                } else {
                    self.outputs.push_back(Output::FlushRecogniser);
                    self.timers.arm(Timer::FinalTranscript, now + self.plan.limits.final_transcript);
                }
            }
            ClientAct::Clear => {
                self.ears.forget();
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
                let begins = self.turn.iter().flat_map(Turn::spoken).filter_map(|phrase| phrase.begins).min();
                if let Some(begins) = begins {
                    self.ledger.stopped_at(now, begins.saturating_add(heard.as_micros() as u64));
                    self.interrupt(now);
                    self.await_caller(now);
                }
            }
        }
    }

    fn create_response(&mut self, now: CallTime) {
        if self.turn.is_some() {
            return;
        }
        let caller_text = std::mem::take(&mut self.committed);
        self.open_turn(|number| Turn { caller_text, ..Turn::unasked(number, now) });
        self.promise(now, now);
        self.ask_model(now);
    }

    fn update(&mut self, update: PlanUpdate) {
        let PlanUpdate { system, tools, endpoint_silence, turns } = update;
        if let Some(system) = system {
            self.plan.system = system;
        }
        if let Some(tools) = tools {
            self.plan.tools = tools;
        }
        if let Some(silence) = endpoint_silence {
            self.plan.endpoint_silence = silence;
        }
        if let Some(turns) = turns {
            self.plan.turns = turns;
            if turns == Turns::ByClient {
                self.timers.disarm(Timer::Endpoint);
            }
        }
    }

    fn late(&mut self) {
        self.late_answers += 1;
        self.note(Note::LateAnswer);
    }

    fn note(&mut self, note: Note) {
        self.outputs.push_back(Output::Note(note));
    }
}
