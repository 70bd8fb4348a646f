//! What must hold after each output.

use super::MS_PER_CHARACTER;
use seiketsu_call::{
    AsideEvent, ClientAct, GenerationEvent, Input, Limits, Output, Plan, Progress, Prompt, SynthesisEvent,
};
use seiketsu_domain::{CallEnd, CallTime, Message, Stage, TurnRecord, Usage};
use std::collections::{BTreeMap, BTreeSet};

/// A phrase, from the request to the caller's ear.
#[derive(Debug, Default)]
struct Said {
    text: String,
    given_bytes: usize,
    played_bytes: usize,
    complete: bool,
    asked: bool,
}

impl Said {
    /// How much of the text the caller can have heard at most.
    fn characters_sounded(&self) -> usize {
        let whole = self.text.chars().count();
        let aligned = self.played_bytes / 8 / MS_PER_CHARACTER as usize;
        match (self.complete, self.played_bytes == self.given_bytes) {
            (true, true) => whole,
            (true, false) => aligned.max(whole * self.played_bytes / self.given_bytes.max(1)),
            (false, _) => aligned,
        }
    }
}

pub(crate) struct Checks {
    limits: Limits,
    next_turn: u32,
    next_generation: u64,
    next_tool: u64,
    next_mark: u64,
    said: BTreeMap<u64, Said>,
    /// Phrases in the order in which their audio went out.
    played: Vec<u64>,
    heard: Vec<String>,
    committed: u32,
    /// The turn whose answer an observer knows to be under way.
    shown: Option<u32>,
    usage: Usage,
    /// Tokens that each request told of first.
    told: BTreeMap<u64, u64>,
    /// Requests whose answer is wanted.
    generations: BTreeSet<u64>,
    /// Questions beside the conversation that have no answer yet, by what the client calls them.
    asides: Vec<u64>,
    /// Answers that the client asks for and that were not given, by their numbers.
    asked: Vec<u64>,
    /// Audio was taken back since it was played: it may be played again.
    rewound: BTreeSet<u64>,
    /// The caller or the door has gone, or the agent has hung up.
    gone: bool,
    /// The caller is to be handed over, and whether that is on record is not known.
    handing_over: bool,
    /// It is.
    on_record: bool,
    last: bool,
}

impl Checks {
    pub(crate) fn new(plan: &Plan) -> Self {
        Self {
            limits: plan.limits.clone(),
            next_turn: plan.first_turn,
            next_generation: 0,
            next_tool: 0,
            next_mark: 0,
            said: BTreeMap::new(),
            played: Vec::new(),
            heard: Vec::new(),
            committed: 0,
            shown: None,
            usage: Usage::default(),
            generations: BTreeSet::new(),
            asides: Vec::new(),
            asked: Vec::new(),
            rewound: BTreeSet::new(),
            gone: false,
            handing_over: false,
            on_record: false,
            told: BTreeMap::new(),
            last: false,
        }
    }

    pub(crate) fn is_over(&self) -> bool {
        self.last
    }

    pub(crate) fn sees(&mut self, input: &Input, over: bool) {
        if matches!(input, Input::HungUp | Input::Cut) {
            self.gone = true;
        } else if let Input::HandedOver(on_record) = input {
            self.on_record = std::mem::take(&mut self.handing_over) && *on_record;
        } else if let Input::Client(ClientAct::CreateResponse { number, .. }) = input {
            self.asked.push(*number);
        } else if let Input::Client(ClientAct::Ask { number, .. }) = input {
            self.asides.push(*number);
        } else if let Input::Client(ClientAct::CancelAside(number)) = input {
            self.answered(*number);
        } else if let Input::Synthesis { id, event } = input
            && !over
            && let Some(said) = self.said.get_mut(&id.0).filter(|said| said.asked)
        {
            match event {
                SynthesisEvent::Audio { audio, .. } => said.given_bytes += audio.len(),
                SynthesisEvent::Finished => (said.complete, said.asked) = (true, false),
                SynthesisEvent::Failed => said.asked = false,
            }
        } else if let Input::Generation { id, event } = input
            && matches!(event, GenerationEvent::Finished { .. } | GenerationEvent::Failed { .. })
        {
            self.generations.remove(&id.0);
            if let GenerationEvent::Finished { input_tokens, output_tokens, .. } = event
                && id.0 < self.next_generation
            {
                self.told.entry(id.0).or_insert(input_tokens + output_tokens);
            }
        }
    }

    pub(crate) fn output(&mut self, output: &Output, now: CallTime) {
        assert!(!self.last, "nothing follows the end: {output:?}");
        match output {
            Output::Generate { id, prompt, .. } => {
                assert!(!self.gone, "the model is asked although nobody is there");
                assert_eq!(id.0, self.next_generation, "requests are counted");
                self.next_generation += 1;
                self.generations.insert(id.0);
                let most = 3 + self.limits.asides;
                assert!(self.generations.len() <= most, "one, two hedges, asides: {:?}", self.generations);
                self.prompt(prompt);
            }
            Output::CancelGeneration(id) => {
                assert!(self.generations.remove(&id.0), "only what runs is cancelled");
            }
            Output::Speak { id, text, .. } => self.speak(id.0, text),
            Output::CancelSpeech(id) => {
                let said = self.said.get_mut(&id.0).expect("only what was asked is cancelled");
                assert!(std::mem::take(&mut said.asked), "{said:?} is cancelled although it was over");
            }
            Output::FlushRecogniser | Output::Record(_) => assert!(!self.gone),
            Output::HandOver => {
                assert!(!self.gone && !self.handing_over, "handed over twice, or nobody");
                self.handing_over = true;
            }
            Output::Transfer => assert!(!self.gone && self.on_record, "put through before that is on record"),
            Output::RunTool { number, .. } => {
                assert!(!self.gone, "a tool is run although nobody is there");
                assert!(number.0 >= self.next_tool, "runs are counted");
                self.next_tool = number.0 + 1;
            }
            Output::Play(audio) => self.play(audio),
            Output::Mark(mark) => {
                assert!(!self.gone);
                assert_eq!(mark.0, self.next_mark, "marks are counted");
                self.next_mark += 1;
            }
            Output::ClearPlayout => {
                assert!(!self.gone, "there is nobody to fall silent for");
                self.rewound = self.played.iter().copied().collect();
            }
            Output::Committed(turn) => self.committed(turn, now),
            Output::HangUp => {
                assert!(!self.gone, "hung up twice, or on nobody");
                self.gone = true;
            }
            Output::Detached => self.last = true,
            Output::Ended(end) => self.ended(end, now),
            Output::Progress(progress) => self.progress(progress),
            Output::Note(_) => {}
        }
    }

    fn progress(&mut self, progress: &Progress) {
        match progress {
            Progress::Understood { .. } | Progress::Taken { .. } | Progress::Disregarded => {}
            Progress::Answering { turn, asked } => {
                if let Some(number) = asked {
                    let at = self.asked.iter().position(|waiting| waiting == number);
                    self.asked.swap_remove(at.expect("what is answered was asked for, once"));
                }
                assert_eq!(self.shown.replace(*turn), None, "one answer at a time");
            }
            Progress::Saying { turn, .. }
            | Progress::AwaitsTools { turn, .. }
            | Progress::Said { turn, .. } => {
                assert_eq!(self.shown, Some(*turn), "{progress:?} of an answer that is under way");
            }
            Progress::Aside { number, event } => {
                assert!(self.asides.contains(number), "nobody waits for {progress:?}");
                if matches!(event, AsideEvent::Finished { .. } | AsideEvent::Failed) {
                    self.answered(*number);
                }
            }
            Progress::Over { turn, .. } => {
                assert!(self.shown.take().is_none_or(|shown| shown == *turn), "{progress:?}");
            }
        }
    }

    fn answered(&mut self, aside: u64) {
        if let Some(at) = self.asides.iter().position(|open| *open == aside) {
            self.asides.remove(at);
        }
    }

    fn prompt(&self, prompt: &Prompt) {
        assert_paired(&prompt.messages);
        let of_turn = 2 + 3 * 4 * self.limits.tools_per_turn;
        assert!(prompt.messages.len() <= self.limits.context_messages + of_turn, "the context is bounded");
    }

    fn speak(&mut self, id: u64, text: &str) {
        assert!(!self.gone, "the voice is asked although nobody is there");
        let before = self.said.insert(id, Said { text: text.to_owned(), asked: true, ..Said::default() });
        assert!(before.is_none(), "phrase {id} is asked for twice");
        let asked = self.said.values().filter(|said| said.asked).count();
        assert!(
            asked <= self.limits.phrases_ahead + 1,
            "{asked} phrases at once, the acknowledgement included"
        );
    }

    fn play(&mut self, audio: &[u8]) {
        assert!(!self.gone, "played to nobody");
        for millisecond in audio.chunks(8) {
            let id = u64::from_le_bytes(millisecond.try_into().expect("whole milliseconds"));
            if self.played.last() != Some(&id) {
                let again = self.rewound.contains(&id);
                assert!(
                    again || !self.played.contains(&id),
                    "phrase {id} was interrupted by another and resumed"
                );
                self.played.retain(|played| *played != id);
                self.played.push(id);
            }
            let said = self.said.get_mut(&id).expect("only what was asked for is played");
            if self.rewound.contains(&id) {
                said.played_bytes = (said.played_bytes + 8).min(said.given_bytes);
            } else {
                said.played_bytes += 8;
                assert!(said.played_bytes <= said.given_bytes, "nothing is played twice");
            }
        }
    }

    fn committed(&mut self, turn: &TurnRecord, now: CallTime) {
        assert_eq!(turn.number, self.next_turn, "turns are committed in order, once");
        self.next_turn += 1;
        self.committed += 1;
        self.usage.add(&turn.usage);
        assert_paired(&turn.messages);
        assert!(turn.caller_text.expose().chars().count() <= self.limits.utterance_characters);
        assert!(turn.generated_text.expose().chars().count() <= self.limits.answer_characters);
        assert!(turn.tools.len() <= 4 * self.limits.tools_per_turn);
        assert!(turn.tools.iter().all(|run| run.outcome.is_some() && run.finished_at.is_some()));
        assert!(turn.finished_at <= now && turn.started_at <= turn.finished_at);
        let reached = |stage| turn.timeline.at(stage);
        let chain = [
            Stage::FirstPhrase,
            Stage::SynthesisAsked,
            Stage::FirstByte,
            Stage::FirstAudioSent,
            Stage::FirstAudioPlayed,
        ];
        for pair in chain.windows(2) {
            assert!(
                reached(pair[1]).is_none() || reached(pair[0]) <= reached(pair[1]),
                "{pair:?} in {turn:?}"
            );
        }
        assert!(
            reached(Stage::FirstToken).is_none() || reached(Stage::RequestSent) <= reached(Stage::FirstToken)
        );
        if let (Some(sent), Some(ended)) = (turn.timeline.acknowledgement_sent, reached(Stage::EndOfSpeech)) {
            let waited = sent.since(ended);
            assert!(waited >= Limits::EARLIEST_ACKNOWLEDGEMENT, "acknowledged after {waited:?}");
            assert!(turn.timeline.acknowledgement_played.is_none_or(|played| played >= sent));
        }
        self.heard.extend(turn.heard_text.expose().split_whitespace().map(str::to_owned));
    }

    fn ended(&mut self, end: &CallEnd, now: CallTime) {
        self.last = true;
        assert_eq!(self.shown, None, "no answer is under way any more");
        assert_eq!(end.turns, self.committed, "every turn was committed before the end");
        let Usage { recognised_ms: _, input_tokens, output_tokens, .. } = end.usage;
        let of_turns = Usage { input_tokens, output_tokens, ..self.usage };
        assert_eq!(end.usage, of_turns, "the call consumed what its turns did");
        // What was told after the last turn is on the bill of the call only.
        assert!(input_tokens >= self.usage.input_tokens && output_tokens >= self.usage.output_tokens);
        let told: u64 = self.told.values().sum();
        assert!(input_tokens + output_tokens <= told, "billed twice, or for nothing");
        assert!(end.ended_at <= now);
    }

    /// What is on record as heard is, phrase by phrase, the beginning of what was played.
    pub(crate) fn over(&self) {
        assert!(self.last);
        let played_ms: usize = self.said.values().map(|said| said.played_bytes / 8).sum();
        assert!(self.usage.playout_ms <= played_ms as u64, "{} ms of {played_ms} ms", self.usage.playout_ms);
        // Fixed sentences are said more than once: which of them a word belongs to is not certain, so all ways count.
        let mut explained = BTreeSet::from([0]);
        for id in &self.played {
            let said = &self.said[id];
            for from in explained.clone() {
                let mut characters = 0;
                let heard =
                    said.text.split_whitespace().zip(&self.heard[from..]).take_while(|(word, heard)| {
                        characters += word.chars().count();
                        let sounded = characters <= said.characters_sounded();
                        characters += 1;
                        sounded && word == heard
                    });
                let words = heard.count();
                explained.extend((from..=from + words).skip(1));
            }
        }
        let last = explained.last().copied().unwrap_or_default();
        let rest = &self.heard[last..];
        assert!(rest.is_empty(), "on record as heard but not played: {rest:?} of {:?}", self.heard);
    }
}

/// Each tool request is directly followed by its result.
fn assert_paired(messages: &[Message]) {
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
