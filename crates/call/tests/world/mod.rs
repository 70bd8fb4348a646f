//! A small world for the engine, in virtual time: a model, a voice, tools, a door and a caller with fixed delays.

#![expect(clippy::expect_used, reason = "test support, used outside of test functions")]

use bytes::Bytes;
use seiketsu_call::{
    Acknowledgements, AlignedChar, Call, Finish, GenerationEvent, Input, Limits, MarkId, Note, Output, Plan,
    Progress, Prompt, SynthesisEvent, Turns, VoiceActivity,
};
use seiketsu_domain::{
    AudioFormat, CallEnd, CallTime, Language, Message, ModelChoice, Stage, ToolChoice, ToolOutcome,
    TurnRecord,
};
use std::{collections::BTreeMap, time::Duration};

pub(crate) const MS_PER_CHARACTER: u64 = 60;

pub(crate) fn ms(millis: u64) -> CallTime {
    CallTime::from_millis(millis)
}

/// How long each part of the world takes, in milliseconds.
#[derive(Debug, Clone)]
pub(crate) struct Delays {
    pub(crate) final_transcript: u64,
    pub(crate) first_token: u64,
    pub(crate) between_tokens: u64,
    pub(crate) first_byte: u64,
    pub(crate) line: u64,
    pub(crate) tool: u64,
    pub(crate) record: u64,
}

impl Default for Delays {
    fn default() -> Self {
        Self {
            final_transcript: 300,
            first_token: 400,
            between_tokens: 5,
            first_byte: 150,
            line: 0,
            tool: 50,
            record: 20,
        }
    }
}

type Brain = Box<dyn FnMut(&Prompt) -> Vec<GenerationEvent>>;

pub(crate) struct World {
    pub(crate) call: Call,
    pub(crate) now: CallTime,
    pub(crate) delays: Delays,
    queue: BTreeMap<(CallTime, u64), Input>,
    sequence: u64,
    brain: Brain,
    door_free_at: CallTime,
    marks: Vec<(MarkId, CallTime)>,
    pub(crate) speech: Vec<(u64, String, bool)>,
    pub(crate) prompts: Vec<Prompt>,
    pub(crate) played_us: u64,
    pub(crate) plays: Vec<CallTime>,
    pub(crate) clears: Vec<CallTime>,
    pub(crate) turns: Vec<TurnRecord>,
    pub(crate) notes: Vec<(CallTime, Note)>,
    pub(crate) progress: Vec<Progress>,
    pub(crate) end: Option<CallEnd>,
    pub(crate) hung_up: bool,
    pub(crate) detached: bool,
    pub(crate) cancelled_generations: u64,
    /// When the model was asked, under which id, as which attempt.
    pub(crate) attempts: Vec<(CallTime, u64, u32)>,
    pub(crate) transferred: bool,
    pub(crate) hand_over_is_on_record: bool,
    pub(crate) records: Vec<bool>,
    pub(crate) tools_run: Vec<(String, String)>,
    pub(crate) tool_answers: bool,
    pub(crate) flushes: u64,
}

pub(crate) fn plan() -> Plan {
    Plan {
        system: "You are Ava.".to_owned(),
        model: ModelChoice { model: "m".to_owned(), temperature: 0.0, max_tokens: 200 },
        tools: Vec::new(),
        tool_choice: ToolChoice::Auto,
        max_tokens: u32::MAX,
        ending_tool: Some("end_call".to_owned()),
        transferring_tool: Some("transfer_to_human".to_owned()),
        language: Language::En,
        format: AudioFormat::Mulaw8k,
        speaks: true,
        greeting: "Hello, this is Ava.".to_owned(),
        goodbye: "Goodbye.".to_owned(),
        apology: "I am sorry, something went wrong.".to_owned(),
        unclear: "Sorry, say that again?".to_owned(),
        putting_through: "I will put you through.".to_owned(),
        not_put_through: "Nobody can take your call.".to_owned(),
        reprompts: vec!["Are you there?".to_owned(), "I cannot hear you.".to_owned()],
        acknowledgements: Acknowledgements {
            looking: vec!["One moment.".to_owned(), "Let me see.".to_owned()],
            noting: Vec::new(),
            listening: vec!["Take your time.".to_owned()],
            waiting: vec!["It takes a little longer.".to_owned()],
        },
        menu: BTreeMap::from([('0', "A person, please.".to_owned())]),
        asks_to_record: false,
        records: false,
        history: Vec::new(),
        first_turn: 0,
        endpoint_silence: Duration::from_millis(250),
        turns: Turns::ByVoice,
        is_interruptible: true,
        // Asking early and asking twice have tests of their own.
        limits: Limits { speculations: 0, hedges_per_round: 0, ..Limits::default() },
    }
}

pub(crate) fn says(text: &str) -> Vec<GenerationEvent> {
    let mut events: Vec<_> = text.split_inclusive(' ').map(|t| GenerationEvent::Text(t.to_owned())).collect();
    events.push(GenerationEvent::Finished { input_tokens: 10, output_tokens: 5, finish: Finish::Whole });
    events
}

pub(crate) fn asks(tools: &[(&str, &str)]) -> Vec<GenerationEvent> {
    let mut events = vec![GenerationEvent::ToolCallBegun];
    events.extend(tools.iter().map(|(name, arguments)| GenerationEvent::ToolCall {
        request: format!("r-{name}-{arguments}"),
        name: (*name).to_owned(),
        arguments: (*arguments).to_owned(),
    }));
    events.push(GenerationEvent::Finished { input_tokens: 10, output_tokens: 5, finish: Finish::Whole });
    events
}

impl World {
    pub(crate) fn new(plan: Plan, brain: impl FnMut(&Prompt) -> Vec<GenerationEvent> + 'static) -> Self {
        let mut world = Self {
            call: Call::new(plan, CallTime::ZERO),
            now: CallTime::ZERO,
            delays: Delays::default(),
            queue: BTreeMap::new(),
            sequence: 0,
            brain: Box::new(brain),
            door_free_at: CallTime::ZERO,
            marks: Vec::new(),
            speech: Vec::new(),
            prompts: Vec::new(),
            played_us: 0,
            plays: Vec::new(),
            clears: Vec::new(),
            turns: Vec::new(),
            notes: Vec::new(),
            progress: Vec::new(),
            end: None,
            hung_up: false,
            detached: false,
            cancelled_generations: 0,
            attempts: Vec::new(),
            transferred: false,
            hand_over_is_on_record: true,
            records: Vec::new(),
            tools_run: Vec::new(),
            tool_answers: true,
            flushes: 0,
        };
        world.carry_out();
        world
    }

    pub(crate) fn at(&mut self, at: CallTime, input: Input) {
        self.sequence += 1;
        self.queue.insert((at, self.sequence), input);
    }

    /// The caller speaks from `from_ms` for `length_ms`; the detector notices the end 96 ms later.
    pub(crate) fn caller_says(&mut self, text: &str, from_ms: u64, length_ms: u64) {
        self.caller_makes_noise(from_ms, length_ms);
        let end = from_ms + length_ms;
        self.at(
            ms(end - length_ms / 3),
            Input::HeardPartly { text: text.to_owned(), until: Some(ms(end - length_ms / 3)) },
        );
        let heard = Input::Heard { text: text.to_owned(), until: ms(end + 50), settled: true };
        self.at(ms(end + self.delays.final_transcript), heard);
    }

    pub(crate) fn caller_makes_noise(&mut self, from_ms: u64, length_ms: u64) {
        let end = from_ms + length_ms;
        self.at(ms(from_ms + 48), Input::Voice(VoiceActivity::Began { at: ms(from_ms) }));
        self.at(ms(end + 96), Input::Voice(VoiceActivity::Ended { at: ms(end) }));
    }

    pub(crate) fn run_until(&mut self, until_ms: u64) {
        loop {
            let timer = self.call.poll_timeout();
            assert!(timer.is_some() || self.call.has_ended(), "a live call has a deadline");
            let input_at = self.queue.keys().next().map(|(at, _)| *at);
            let timer_at = timer.map(|(at, _)| at);
            let Some(next) = [input_at, timer_at].into_iter().flatten().min() else { break };
            if next > ms(until_ms) {
                break;
            }
            self.now = self.now.max(next);
            if input_at == Some(next) {
                if let Some((_, input)) = self.queue.pop_first() {
                    if let Input::Mark(mark) = input {
                        self.marks.retain(|(id, _)| *id != mark);
                    }
                    self.call.handle(input, self.now);
                }
            } else {
                self.call.handle_timeout(self.now);
            }
            self.carry_out();
        }
        self.now = self.now.max(ms(until_ms));
    }

    fn carry_out(&mut self) {
        while let Some(output) = self.call.poll_output() {
            let now = self.now;
            assert!(self.end.is_none() && !self.detached, "nothing follows the end: {output:?}");
            match output {
                Output::Generate { id, attempt, prompt } => {
                    assert_paired(&prompt.messages);
                    self.attempts.push((now, id.0, attempt));
                    let events = (self.brain)(&prompt);
                    self.prompts.push(*prompt);
                    for (n, event) in events.into_iter().enumerate() {
                        let at = self.delays.first_token + n as u64 * self.delays.between_tokens;
                        self.at(now + Duration::from_millis(at), Input::Generation { id, event });
                    }
                }
                Output::CancelGeneration(_) => self.cancelled_generations += 1,
                Output::Speak { id, text, fixed } => {
                    self.speech.push((id.0, text.clone(), fixed));
                    let delay = Duration::from_millis(if fixed { 0 } else { self.delays.first_byte });
                    let mut at_ms = 0;
                    let mut alignment = Vec::new();
                    for character in text.chars() {
                        let end_ms = at_ms + MS_PER_CHARACTER as u32;
                        alignment.push(AlignedChar { character, start_ms: at_ms, end_ms });
                        at_ms = end_ms;
                    }
                    let audio = Bytes::from(vec![0x55; at_ms as usize * 8]);
                    self.at(
                        now + delay,
                        Input::Synthesis { id, event: SynthesisEvent::Audio { audio, alignment } },
                    );
                    self.at(now + delay, Input::Synthesis { id, event: SynthesisEvent::Finished });
                }
                Output::CancelSpeech(_) => {}
                Output::FlushRecogniser => self.flushes += 1,
                Output::RunTool { number, name, arguments } => {
                    self.tools_run.push((name, arguments));
                    if self.tool_answers {
                        let outcome = ToolOutcome::Done(serde_json::json!({"ok": true}));
                        self.at(
                            now + Duration::from_millis(self.delays.tool),
                            Input::Tool { number, outcome },
                        );
                    }
                }
                Output::Play(audio) => {
                    let length = AudioFormat::Mulaw8k.duration_us(audio.len());
                    let begins = self.door_free_at.max(now + Duration::from_millis(self.delays.line));
                    self.plays.push(begins);
                    self.door_free_at = begins + Duration::from_micros(length);
                    self.played_us += length;
                }
                Output::Mark(mark) => {
                    let at = self.door_free_at.max(now) + Duration::from_millis(self.delays.line);
                    self.marks.push((mark, at));
                    self.at(at, Input::Mark(mark));
                }
                Output::ClearPlayout => {
                    self.clears.push(now);
                    self.door_free_at = now;
                    let marks = std::mem::take(&mut self.marks);
                    self.queue.retain(|_, input| !matches!(input, Input::Mark(_)));
                    for (mark, _) in marks {
                        self.at(now, Input::Mark(mark));
                    }
                }
                Output::Committed(turn) => {
                    assert_paired(&turn.messages);
                    if let Some(last) = self.turns.last() {
                        assert_eq!(turn.number, last.number + 1, "turns are committed once, in order");
                    }
                    self.turns.push(*turn);
                }
                Output::HangUp => self.hung_up = true,
                Output::HandOver => {
                    let at = now + Duration::from_millis(self.delays.record);
                    self.at(at, Input::HandedOver(self.hand_over_is_on_record));
                }
                Output::Transfer => self.transferred = true,
                Output::Record(agreed) => self.records.push(agreed),
                Output::Detached => self.detached = true,
                Output::Ended(end) => self.end = Some(*end),
                Output::Progress(progress) => self.progress.push(progress),
                Output::Note(note) => self.notes.push((now, note)),
            }
        }
    }

    pub(crate) fn turn(&self, number: u32) -> &TurnRecord {
        self.turns.iter().find(|turn| turn.number == number).expect("the turn was committed")
    }

    pub(crate) fn stage_ms(&self, turn: u32, stage: Stage) -> u64 {
        self.turn(turn).timeline.at(stage).unwrap_or_else(|| panic!("{stage:?} was reached")).as_millis()
    }

    pub(crate) fn noted(&self, note: Note) -> usize {
        self.notes.iter().filter(|(_, n)| *n == note).count()
    }
}

/// Each tool request is directly followed by its result.
pub(crate) fn assert_paired(messages: &[Message]) {
    let mut open = None;
    for message in messages {
        match (open.take(), message) {
            (None, Message::ToolRequest { request, .. }) => open = Some(request),
            (Some(asked), Message::ToolResult { request, .. }) => assert_eq!(asked, request),
            (None, Message::Caller { .. } | Message::Agent { .. }) => {}
            (open, message) => panic!("unpaired: {open:?} then {message:?}"),
        }
    }
    assert_eq!(open, None, "a request without a result");
}

/// What the model sees of the conversation, one line per message.
pub(crate) fn lines(messages: &[Message]) -> Vec<String> {
    messages
        .iter()
        .map(|message| match message {
            Message::Caller { text } => format!("caller: {}", text.expose()),
            Message::Agent { text } => format!("agent: {}", text.expose()),
            Message::ToolRequest { name, arguments, .. } => format!("asks: {name} {}", arguments.expose()),
            Message::ToolResult { content, .. } => format!("result: {}", content.expose()),
        })
        .collect()
}
