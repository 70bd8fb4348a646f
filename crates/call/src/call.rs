//! The engine of one call: its state, and what happens when.
//!
//! Each part of what it does is a file below: [`caller`] listens, [`model`] asks, [`tools`] acts, [`speaking`] talks,
//! [`ending`] closes turns and the call, [`client`] serves clients that drive turns themselves, [`aside`] asks for them
//! beside the conversation.

mod aside;
mod caller;
mod client;
mod ending;
mod model;
mod speaking;
mod tools;

use crate::{
    GenerationId, Input, Limits, Note, Output, Plan, PlanUpdate, Progress, Timer, VoiceActivity,
    context::Context,
    ears::{Ears, Utterance},
    ledger::Ledger,
    timer::Timers,
    turn::Turn,
};
use aside::Aside;
use client::Asked;
use ending::{Closing, Ending};
use model::Speculation;
use seiketsu_domain::{CallTime, EndReason, TurnOutcome, Usage};
use std::collections::VecDeque;

/// One call. See the crate's documentation for the contract.
#[derive(Debug)]
pub struct Call {
    plan: Plan,
    outputs: VecDeque<Output>,
    timers: Timers,
    /// What was said in finished turns, as heard.
    context: Context,
    ears: Ears,
    ledger: Ledger,
    turn: Option<Turn>,
    closing: VecDeque<Closing>,
    /// Playback waits for the words of a caller who may be interrupting.
    held: bool,
    /// An answer that was given over the agent's last words; it is taken up when they have been heard.
    kept_answer: Option<Utterance>,
    /// The model was asked with words that may still change.
    speculation: Option<Speculation>,
    /// Questions asked with the words of the utterance so far.
    speculations: u32,
    /// A tool that outlived its turn has ended, and the model does not know yet.
    news: bool,
    /// The next words of the caller answer whether the call may be recorded, if they heard the question.
    assent_is_due: bool,
    /// The question whether the call may be recorded had begun to sound when the greeting was over.
    was_asked_for_assent: bool,
    recording: bool,
    /// How often a caller who says nothing was asked whether they are there.
    reprompted: usize,
    /// Words a client has committed but not yet asked an answer for.
    committed: String,
    /// Commits of the client whose words are not known.
    commits: u32,
    /// The client asked for an answer before the words were known.
    answer_when_settled: Option<Asked>,
    /// The client asked for an answer while another one was being given.
    answer_when_over: Option<Asked>,
    /// Questions beside the conversation.
    asides: Vec<Aside>,
    /// The shell was asked to put on record that the caller is handed over, and has not answered.
    handing_over: bool,
    ending: Option<Ending>,
    ended: bool,
    next_turn: u32,
    next_generation: u64,
    next_synthesis: u64,
    next_tool: u64,
    /// Acknowledgements said so far, and the last of them.
    acknowledgements: usize,
    last_acknowledgement: String,
    finished_turns: u32,
    usage: Usage,
    /// What requests consumed whose answers nobody wanted; the next turn that is closed has it on its bill.
    unbilled: Usage,
    /// Requests that were given up. Some still tell what they consumed.
    given_up: VecDeque<GenerationId>,
    late_answers: u64,
}

impl Call {
    /// Begins a call: the greeting is the first thing that happens.
    pub fn new(mut plan: Plan, now: CallTime) -> Self {
        plan.limits.acknowledge_after = plan.limits.acknowledge_after.max(Limits::EARLIEST_ACKNOWLEDGEMENT);
        let mut call = Self {
            outputs: VecDeque::new(),
            timers: Timers::default(),
            context: Context::new(std::mem::take(&mut plan.history)),
            ears: Ears::default(),
            ledger: Ledger::default(),
            turn: None,
            closing: VecDeque::new(),
            held: false,
            kept_answer: None,
            speculation: None,
            speculations: 0,
            news: false,
            assent_is_due: plan.asks_to_record,
            was_asked_for_assent: false,
            recording: plan.records,
            reprompted: 0,
            committed: String::new(),
            commits: 0,
            answer_when_settled: None,
            answer_when_over: None,
            asides: Vec::new(),
            handing_over: false,
            ending: None,
            ended: false,
            next_turn: plan.first_turn,
            next_generation: 0,
            next_synthesis: 0,
            next_tool: 0,
            acknowledgements: 0,
            last_acknowledgement: String::new(),
            finished_turns: 0,
            usage: Usage::default(),
            unbilled: Usage::default(),
            given_up: VecDeque::new(),
            late_answers: 0,
            plan,
        };
        call.context.keep_within(&call.plan.limits);
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
            Input::HeardPartly { text, until } => self.heard_partly(&text, until, now),
            Input::Heard { text, until, settled } => self.heard(&text, until, settled, now),
            Input::RecogniserLost => self.recogniser_lost(now),
            Input::Generation { id, event } => self.generation(id, event, now),
            Input::Synthesis { id, event } => self.synthesis(id, event, now),
            Input::Tool { number, outcome } => self.tool_finished(number, outcome, now),
            Input::Mark(id) => self.mark_returned(id, now),
            Input::Digit(digit) => self.digit(digit, now),
            Input::HandedOver(on_record) => self.handed_over(on_record, now),
            Input::HungUp => self.finish_call(EndReason::CallerHungUp, now),
            Input::Cut => self.detach(now),
            Input::Client(act) => self.client(act, now),
            Input::Update(update) => self.update(update, now),
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
                Timer::Announce => {} // it is said now, because it is due
                Timer::Interrupt => self.hold(now),
                Timer::Resume => self.waited_for_words(now),
                Timer::Hedge => self.hedge(now),
                Timer::Retry => self.retry(now),
                Timer::Sound => self.sound_is_late(now),
                Timer::Progress => self.no_progress(now),
                Timer::Tool => self.tools_timed_out(now),
                Timer::Aside => self.asides_timed_out(now),
                Timer::Playout => self.ledger.assume_played(now),
                Timer::Silence => self.silent_for_long(now),
                Timer::Call if self.is_saying_goodbye() => {
                    // It ends anyway, unless the transfer with which it is to end does not come about.
                    self.timers.arm(Timer::Call, now + self.plan.limits.progress);
                }
                Timer::Call => {
                    self.say_unasked(self.plan.goodbye.clone(), Some(EndReason::MaxDuration), now);
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

    /// The words of the utterance that is being heard: those that will not change, and those that may. None if there
    /// are none.
    pub fn hearing(&self) -> Option<(&str, &str)> {
        self.ears.has_words().then(|| self.ears.words())
    }

    /// Answers to requests that were no longer wanted, dropped so far.
    pub fn late_answers(&self) -> u64 {
        self.late_answers
    }

    /// Does everything that has become possible.
    fn advance(&mut self, now: CallTime) {
        if self.ending.is_none() {
            self.after_tools(now);
            self.report_news(now);
            self.ask_voice(now);
            self.pump(now);
            self.ask_voice(now);
            self.watch_sounds();
            self.watch_quiet(now);
            self.watch_announcement(now);
            self.watch_playout(now);
            self.answer_at_last(now);
        }
        self.write_closed();
    }

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
            self.unbilled.add(&turn.usage);
            if turn.is_shown {
                let over = Progress::Over { turn: turn.number, outcome: TurnOutcome::Continued };
                self.outputs.push_back(Output::Progress(over));
            }
        }
    }

    /// The call ends with this turn, and nobody stops it.
    fn is_saying_goodbye(&self) -> bool {
        self.turn.as_ref().is_some_and(|turn| turn.ends_call.is_some())
    }

    fn say_unasked(&mut self, text: String, ends_call: Option<EndReason>, now: CallTime) {
        if self.turn.is_some() {
            self.interrupt(now);
        }
        self.open_turn(|number| Turn { ends_call, ..Turn::unasked(number, now) });
        self.add_phrase(text, true, now);
    }

    fn await_caller(&mut self, now: CallTime) {
        // A client that asks for its answers may be silent for as long as it likes.
        if !self.ears.is_speaking() && self.turn.is_none() && self.plan.turns.are_answered() {
            self.timers.arm(Timer::Silence, now + self.plan.limits.silence);
        }
    }

    /// Nobody has said anything for long: asks whether the caller is there, in other words each time, then says goodbye.
    fn silent_for_long(&mut self, now: CallTime) {
        match self.plan.reprompts.get(self.reprompted).cloned() {
            Some(text) => {
                self.reprompted += 1;
                self.say_unasked(text, None, now);
            }
            None => self.say_unasked(self.plan.goodbye.clone(), Some(EndReason::Silence), now),
        }
    }

    fn update(&mut self, update: PlanUpdate, now: CallTime) {
        let PlanUpdate {
            system,
            tools,
            tool_choice,
            max_tokens,
            endpoint_silence,
            turns,
            is_interruptible,
            speaks,
        } = update;
        if let Some(system) = system {
            self.plan.system = system;
        }
        if let Some(tools) = tools {
            self.plan.tools = tools;
        }
        if let Some(tool_choice) = tool_choice {
            self.plan.tool_choice = tool_choice;
        }
        self.plan.max_tokens = max_tokens.unwrap_or(self.plan.max_tokens);
        self.plan.is_interruptible = is_interruptible.unwrap_or(self.plan.is_interruptible);
        self.plan.speaks = speaks.unwrap_or(self.plan.speaks);
        self.drop_speculation();
        if let Some(silence) = endpoint_silence {
            self.plan.endpoint_silence = silence;
        }
        if let Some(turns) = turns {
            self.plan.turns = turns;
            if !turns.end_by_voice() {
                self.timers.disarm(Timer::Endpoint);
            }
            if turns.are_answered() {
                self.await_caller(now);
            } else {
                self.timers.disarm(Timer::Silence);
            }
        }
    }

    fn late(&mut self) {
        self.late_answers += 1;
        self.note(Note::LateAnswer);
    }

    /// An answer to the open turn is under way.
    fn show_answering(&mut self) {
        if let Some(turn) = &mut self.turn
            && !std::mem::replace(&mut turn.is_shown, true)
        {
            let answering = Progress::Answering { turn: turn.number, asked: turn.asked };
            self.outputs.push_back(Output::Progress(answering));
        }
    }

    fn show_understood(&mut self) {
        if let Some(Turn { number, caller_text, caller_text_is_whole, .. }) = &self.turn {
            let (turn, text, is_whole) = (*number, caller_text.clone(), *caller_text_is_whole);
            self.outputs.push_back(Output::Progress(Progress::Understood { turn, text, is_whole }));
        }
    }

    fn show_disregarded(&mut self) {
        self.outputs.push_back(Output::Progress(Progress::Disregarded));
    }

    fn note(&mut self, note: Note) {
        self.outputs.push_back(Output::Note(note));
    }
}
