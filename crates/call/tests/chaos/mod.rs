//! A world in which anything may happen, and which checks what the engine does about it.

mod checks;
mod script;

pub(crate) use script::scenario;

use bytes::Bytes;
use checks::Checks;
use script::{Act, Step, Whose};
use seiketsu_call::{
    AlignedChar, Call, Finish, GenerationEvent, GenerationId, Input, MarkId, Output, Plan, Retry,
    SynthesisEvent, SynthesisId, ToolNumber, VoiceActivity,
};
use seiketsu_domain::{CallTime, ToolOutcome};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, time::Duration};

/// Each character of aligned speech sounds so long.
pub(crate) const MS_PER_CHARACTER: u32 = 10;

/// Everything that went into a call; `None` is a timeout.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Journal {
    pub(crate) plan: Plan,
    pub(crate) began: CallTime,
    pub(crate) entries: Vec<(CallTime, Option<Input>)>,
}

/// A phrase the voice was asked for and has not finished.
#[derive(Debug, Clone, Default)]
struct Speaking {
    text: Vec<char>,
    aligned: usize,
}

pub(crate) struct Chaos {
    call: Call,
    now: CallTime,
    journal: Journal,
    outputs: Vec<Output>,
    checks: Checks,
    generations: Vec<GenerationId>,
    speaking: BTreeMap<SynthesisId, Speaking>,
    tools: Vec<ToolNumber>,
    marks: Vec<MarkId>,
    issued: u64,
    words: u64,
    requests: u64,
}

impl Chaos {
    pub(crate) fn new(plan: &Plan) -> Self {
        let began = CallTime::from_millis(3);
        let mut chaos = Self {
            call: Call::new(plan.clone(), began),
            now: began,
            journal: Journal { plan: plan.clone(), began, entries: Vec::new() },
            outputs: Vec::new(),
            checks: Checks::new(plan),
            generations: Vec::new(),
            speaking: BTreeMap::new(),
            tools: Vec::new(),
            marks: Vec::new(),
            issued: 0,
            words: 0,
            requests: 0,
        };
        chaos.drain();
        chaos
    }

    pub(crate) fn into_journal(self) -> (Journal, Vec<Output>) {
        (self.journal, self.outputs)
    }

    /// Time passes, something happens.
    pub(crate) fn step(&mut self, step: &Step) {
        let until = self.now + Duration::from_millis(u64::from(step.wait_ms));
        if step.punctual {
            self.run_timers(until);
        }
        self.now = self.now.max(until);
        self.act(&step.act);
    }

    /// The running generation, if there is one, asks for a tool.
    pub(crate) fn wants_a_tool(&mut self) {
        if let Some(id) = self.generations.last().copied() {
            let event = self.tool_call("search");
            self.input(Input::Generation { id, event });
        }
    }

    /// The caller hangs up; a tool may still run.
    pub(crate) fn leave(&mut self) {
        self.input(Input::HungUp);
    }

    /// The caller hangs up, and the tools have their time.
    pub(crate) fn hang_up(&mut self) {
        self.input(Input::HungUp);
        let mut fired = 0;
        while !self.call.has_ended() {
            assert!(fired < 3, "only tools may hold a call that was hung up");
            fired += 1;
            self.next_timer();
        }
    }

    /// Nobody answers, speaks or hangs up any more.
    pub(crate) fn forget(&mut self) {
        let limits = self.journal.plan.limits.clone();
        // The goodbye may wait for the voice twice, and a tool may outlive it.
        let latest = self.now.max(self.journal.began + limits.call)
            + limits.progress * 4
            + limits.tool * 2
            + limits.mark_slack * 2
            + Duration::from_secs(10);
        let mut fired = 0;
        while !self.call.has_ended() {
            assert!(fired < 400, "timers fire without an end");
            fired += 1;
            self.next_timer();
            assert!(
                self.now <= latest,
                "still going on at {} although it should be over by {latest}",
                self.now
            );
        }
    }

    /// The call is over: nothing more can happen, and the books balance.
    pub(crate) fn finish(&mut self) {
        assert!(self.call.has_ended());
        self.now = self.now + Duration::from_mins(1);
        self.input(Input::Voice(VoiceActivity::Began { at: self.now }));
        self.call.handle_timeout(self.now);
        self.drain();
        self.checks.over();
    }

    fn next_timer(&mut self) {
        let (at, _) = self.call.poll_timeout().expect("a live call has a deadline");
        self.now = self.now.max(at);
        self.timeout();
    }

    fn run_timers(&mut self, until: CallTime) {
        let mut fired = 0;
        while let Some((at, timer)) = self.call.poll_timeout().filter(|(at, _)| *at <= until) {
            assert!(fired < 200, "{timer:?} fires without an end");
            fired += 1;
            self.now = self.now.max(at);
            self.timeout();
        }
    }

    fn timeout(&mut self) {
        self.journal.entries.push((self.now, None));
        self.call.handle_timeout(self.now);
        self.drain();
        if let Some((at, timer)) = self.call.poll_timeout() {
            assert!(at > self.now, "{timer:?} was due and is still due");
        }
    }

    fn input(&mut self, input: Input) {
        self.checks.sees(&input, self.call.has_ended());
        self.journal.entries.push((self.now, Some(input.clone())));
        self.call.handle(input, self.now);
        self.drain();
    }

    fn drain(&mut self) {
        while let Some(output) = self.call.poll_output() {
            self.checks.output(&output, self.now);
            self.note_request(&output);
            self.outputs.push(output);
        }
        assert_eq!(self.call.poll_timeout().is_none(), self.call.has_ended(), "a live call has a deadline");
        assert_eq!(self.call.has_ended(), self.checks.is_over());
    }

    fn note_request(&mut self, output: &Output) {
        match output {
            Output::Generate { id, .. } => self.generations.push(*id),
            Output::CancelGeneration(id) => self.generations.retain(|asked| asked != id),
            Output::Speak { id, text, .. } => {
                self.speaking.insert(*id, Speaking { text: text.chars().collect(), aligned: 0 });
            }
            Output::CancelSpeech(id) => {
                self.speaking.remove(id);
            }
            Output::RunTool { number, .. } => self.tools.push(*number),
            Output::Mark(mark) => self.marks.push(*mark),
            Output::FlushRecogniser
            | Output::Play(_)
            | Output::ClearPlayout
            | Output::Committed(_)
            | Output::HangUp
            | Output::HandOver
            | Output::Transfer
            | Output::Record(_)
            | Output::Detached
            | Output::Ended(_)
            | Output::Progress(_)
            | Output::Note(_) => {}
        }
    }

    fn act(&mut self, act: &Act) {
        match act {
            Act::Oblige { delay_ms, tool } => self.oblige(*delay_ms, *tool),
            Act::Timeout => {
                if !self.call.has_ended() {
                    self.next_timer();
                }
            }
            Act::Input(input) => self.input(input.clone()),
            Act::VoiceBegan { ago_ms } => {
                self.input(Input::Voice(VoiceActivity::Began { at: self.ago(*ago_ms) }));
            }
            Act::VoiceEnded { ago_ms } => {
                self.input(Input::Voice(VoiceActivity::Ended { at: self.ago(*ago_ms) }));
            }
            Act::Heard { text, ago_ms, settled } => {
                let until = self.ago(*ago_ms);
                self.input(Input::Heard { text: text.clone(), until, settled: *settled });
            }
            Act::HeardPartly { text, ago_ms } => {
                let until = ago_ms.map(|ago_ms| self.ago(ago_ms));
                self.input(Input::HeardPartly { text: text.clone(), until });
            }
            Act::HandedOver { on_record } => self.input(Input::HandedOver(*on_record)),
            Act::Text { whose, words, end } => {
                let id = GenerationId(
                    self.pick(*whose, &self.generations.iter().map(|id| id.0).collect::<Vec<_>>()),
                );
                let text = self.say(*words, end);
                self.input(Input::Generation { id, event: GenerationEvent::Text(text) });
            }
            Act::ToolCall { whose, name } => {
                let id = GenerationId(
                    self.pick(*whose, &self.generations.iter().map(|id| id.0).collect::<Vec<_>>()),
                );
                // Some vendors say so beforehand, and some answers are cut off in between.
                if !self.requests.is_multiple_of(3) {
                    self.input(Input::Generation { id, event: GenerationEvent::ToolCallBegun });
                }
                let event = self.tool_call(name);
                if self.requests % 3 != 2 {
                    self.input(Input::Generation { id, event });
                }
            }
            Act::GenerationOver { whose, failed } => {
                let id = GenerationId(
                    self.pick(*whose, &self.generations.iter().map(|id| id.0).collect::<Vec<_>>()),
                );
                self.generations.retain(|asked| *asked != id);
                let event = if *failed {
                    let retry = match self.words % 3 {
                        0 => Retry::Now,
                        1 => Retry::After(Duration::from_millis(400)),
                        _ => Retry::Never,
                    };
                    GenerationEvent::Failed { retry }
                } else {
                    GenerationEvent::Finished { input_tokens: 7, output_tokens: 3, finish: Finish::Whole }
                };
                self.input(Input::Generation { id, event });
            }
            Act::Audio { whose, length_ms } => {
                let id = self.pick(*whose, &self.speaking.keys().map(|id| id.0).collect::<Vec<_>>());
                self.audio(SynthesisId(id), *length_ms);
            }
            Act::SpeechOver { whose, failed } => {
                let id = self.pick(*whose, &self.speaking.keys().map(|id| id.0).collect::<Vec<_>>());
                self.speaking.remove(&SynthesisId(id));
                let event = if *failed { SynthesisEvent::Failed } else { SynthesisEvent::Finished };
                self.input(Input::Synthesis { id: SynthesisId(id), event });
            }
            Act::Tool { whose, outcome } => {
                let number =
                    ToolNumber(self.pick(*whose, &self.tools.iter().map(|id| id.0).collect::<Vec<_>>()));
                self.tools.retain(|running| *running != number);
                self.input(Input::Tool { number, outcome: outcome.clone() });
            }
            Act::Mark { whose } => {
                let mark = MarkId(self.pick(*whose, &self.marks.iter().map(|id| id.0).collect::<Vec<_>>()));
                self.marks.retain(|out| *out != mark);
                self.input(Input::Mark(mark));
            }
        }
    }

    /// Everybody who was asked something answers it, as in an ordinary conversation.
    fn oblige(&mut self, delay_ms: u16, tool: bool) {
        for id in std::mem::take(&mut self.generations) {
            self.pass(delay_ms);
            let event =
                if tool { self.tool_call("search") } else { GenerationEvent::Text(self.say(5, "? ")) };
            self.input(Input::Generation { id, event });
            let event =
                GenerationEvent::Finished { input_tokens: 10, output_tokens: 5, finish: Finish::Whole };
            self.input(Input::Generation { id, event });
        }
        for number in std::mem::take(&mut self.tools) {
            self.pass(delay_ms);
            let outcome = ToolOutcome::Done(serde_json::json!({"ok": true}));
            self.input(Input::Tool { number, outcome });
        }
        for (id, speaking) in self.speaking.clone() {
            self.pass(delay_ms);
            self.audio(id, (speaking.text.len() - speaking.aligned) as u16 * MS_PER_CHARACTER as u16);
            self.speaking.remove(&id);
            self.input(Input::Synthesis { id, event: SynthesisEvent::Finished });
        }
        for mark in std::mem::take(&mut self.marks) {
            self.pass(delay_ms);
            self.input(Input::Mark(mark));
        }
    }

    fn pass(&mut self, delay_ms: u16) {
        let until = self.now + Duration::from_millis(u64::from(delay_ms));
        self.run_timers(until);
        self.now = self.now.max(until);
    }

    fn audio(&mut self, id: SynthesisId, length_ms: u16) {
        let audio: Vec<u8> = id.0.to_le_bytes().repeat(usize::from(length_ms));
        let mut alignment = Vec::new();
        if let Some(speaking) = self.speaking.get_mut(&id) {
            let covered = usize::from(length_ms) / MS_PER_CHARACTER as usize;
            for &character in speaking.text.iter().skip(speaking.aligned).take(covered) {
                let start_ms = (speaking.aligned as u32) * MS_PER_CHARACTER;
                alignment.push(AlignedChar { character, start_ms, end_ms: start_ms + MS_PER_CHARACTER });
                speaking.aligned += 1;
            }
        }
        self.input(Input::Synthesis {
            id,
            event: SynthesisEvent::Audio { audio: Bytes::from(audio), alignment },
        });
    }

    fn say(&mut self, words: u8, end: &str) -> String {
        let first = self.words;
        self.words += u64::from(words);
        let words: Vec<String> = (first..self.words).map(|n| format!("w{n}x")).collect();
        words.join(" ") + end
    }

    fn tool_call(&mut self, name: &str) -> GenerationEvent {
        self.requests += 1;
        GenerationEvent::ToolCall {
            request: format!("r{}", self.requests),
            name: name.to_owned(),
            arguments: "{}".to_owned(),
        }
    }

    fn ago(&self, ms: u16) -> CallTime {
        self.now.saturating_sub(Duration::from_millis(u64::from(ms)))
    }

    fn pick(&mut self, whose: Whose, live: &[u64]) -> u64 {
        self.issued = live.iter().copied().fold(self.issued, u64::max);
        match whose {
            Whose::Live(n) => {
                live.get(usize::from(n) % live.len().max(1)).copied().unwrap_or(self.issued + 1)
            }
            Whose::Once(n) => u64::from(n) % (self.issued + 1),
            Whose::Nobody(id) => id,
        }
    }
}
