//! One turn: what the caller said and the answer in the making.

use crate::{
    ears::Utterance,
    input::AlignedChar,
    ledger::{Ledger, PositionUs, heard_words},
    output::{GenerationId, MarkId, SynthesisId, ToolNumber},
    phrase::Phraser,
};
use bytes::Bytes;
use seiketsu_domain::{
    CallTime, EndReason, Message, Pii, Stage, Timeline, ToolOutcome, ToolRun, TurnOutcome, TurnRecord, Usage,
};
use std::collections::VecDeque;

/// What the model is told about a tool that has not answered when its turn is over.
pub(crate) const NOT_FINISHED: &str = r#"{"status":"not finished yet"}"#;

/// How far a phrase has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PhraseState {
    /// Not yet given to the voice.
    Waiting,
    /// The voice is at work.
    Asked,
    /// The voice has delivered everything, or nothing more will come.
    Complete,
}

/// A stretch of text that is synthesised and played as one.
#[derive(Debug, Clone)]
pub(crate) struct Phrase {
    pub text: String,
    pub fixed: bool,
    pub id: SynthesisId,
    pub state: PhraseState,
    /// Audio that waits for the phrase before it.
    pub waiting: VecDeque<Bytes>,
    pub alignment: Vec<AlignedChar>,
    /// Where it begins in the playout, once something of it was sent.
    pub begins: Option<PositionUs>,
    pub sent_us: u64,
    /// The voice failed in the middle of it.
    pub broken: bool,
}

impl Phrase {
    pub(crate) fn new(id: SynthesisId, text: String, fixed: bool) -> Self {
        Self {
            text,
            fixed,
            id,
            state: PhraseState::Waiting,
            waiting: VecDeque::new(),
            alignment: Vec::new(),
            begins: None,
            sent_us: 0,
            broken: false,
        }
    }

    /// How much of its audio was heard when playback had come to `playhead`.
    fn played_us(&self, playhead: PositionUs) -> u64 {
        self.begins.map_or(0, |begins| playhead.saturating_sub(begins).min(self.sent_us))
    }

    /// The words of it that were heard when playback had come to `playhead`.
    fn heard(&self, playhead: PositionUs) -> String {
        let heard = self.played_us(playhead);
        let whole = self.state == PhraseState::Complete && self.waiting.is_empty() && !self.broken;
        heard_words(&self.text, &self.alignment, heard, self.sent_us, whole)
    }

    fn is_played_out(&self) -> bool {
        self.state == PhraseState::Complete && self.waiting.is_empty()
    }
}

/// The answer's parts in the order in which the model produced them.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Part {
    Phrase(usize),
    Tool(usize),
}

/// A tool run and when its time is over.
#[derive(Debug, Clone)]
pub(crate) struct RunningTool {
    pub number: ToolNumber,
    pub run: ToolRun,
    pub deadline: CallTime,
}

/// The turn that is being answered.
#[derive(Debug, Clone)]
pub(crate) struct Turn {
    pub number: u32,
    pub caller_text: String,
    /// It was decided that the caller has finished, but the last words are not known yet.
    pub awaits_words: bool,
    pub started_at: CallTime,
    pub timeline: Timeline,
    pub phraser: Phraser,
    pub generation: Option<GenerationId>,
    /// Something of the current generation arrived.
    pub generation_spoke: bool,
    pub rounds: usize,
    pub retries: usize,
    pub parts: Vec<Part>,
    pub phrases: Vec<Phrase>,
    /// The phrase whose audio goes out now.
    pub playing: usize,
    pub acknowledgement: Option<Phrase>,
    pub tools: Vec<RunningTool>,
    /// Tools of rounds before this one.
    pub tools_answered: usize,
    pub generated: String,
    pub failed: bool,
    /// The call ends once this turn has been heard.
    pub ends_call: Option<EndReason>,
    /// Marks behind the first audio: their return tells when it was played.
    pub first_mark: Option<MarkId>,
    pub acknowledgement_mark: Option<MarkId>,
    /// Audio sent since the last mark.
    pub unmarked_us: u64,
    pub usage: Usage,
    pub waiting_bytes: usize,
}

impl Turn {
    /// A turn in which the agent speaks unasked.
    pub(crate) fn unasked(number: u32, now: CallTime) -> Self {
        let mut timeline = Timeline::default();
        timeline.reach(Stage::EndOfSpeech, now);
        Self::with(number, String::new(), now, timeline)
    }

    /// The turn of a caller who has finished, before the last words are known.
    pub(crate) fn awaiting_words(number: u32, began_at: CallTime, ended_at: CallTime, now: CallTime) -> Self {
        let mut timeline = Timeline::default();
        timeline.reach(Stage::EndOfSpeech, ended_at);
        timeline.reach(Stage::Endpointed, now);
        Self { awaits_words: true, ..Self::with(number, String::new(), began_at, timeline) }
    }

    /// The turn that answers an utterance.
    pub(crate) fn answering(number: u32, utterance: Utterance) -> Self {
        let mut turn =
            Self::awaiting_words(number, utterance.began_at, utterance.ended_at, utterance.endpointed_at);
        turn.take_words(utterance);
        turn
    }

    /// The words are known.
    pub(crate) fn take_words(&mut self, utterance: Utterance) {
        self.awaits_words = false;
        self.caller_text = utterance.text;
        if let Some(at) = utterance.final_at {
            self.timeline.reach(Stage::FinalTranscript, at);
        }
    }

    fn with(number: u32, caller_text: String, started_at: CallTime, timeline: Timeline) -> Self {
        Self {
            number,
            caller_text,
            awaits_words: false,
            started_at,
            timeline,
            phraser: Phraser::default(),
            generation: None,
            generation_spoke: false,
            rounds: 0,
            retries: 0,
            parts: Vec::new(),
            phrases: Vec::new(),
            playing: 0,
            acknowledgement: None,
            tools: Vec::new(),
            tools_answered: 0,
            generated: String::new(),
            failed: false,
            ends_call: None,
            first_mark: None,
            acknowledgement_mark: None,
            unmarked_us: 0,
            usage: Usage::default(),
            waiting_bytes: 0,
        }
    }

    /// Whether substantive audio has left for the caller.
    pub(crate) fn has_begun_to_answer(&self) -> bool {
        self.phrases.iter().any(|phrase| phrase.begins.is_some())
    }

    /// Whether any audio has left for the caller.
    pub(crate) fn is_audible(&self) -> bool {
        self.has_begun_to_answer()
            || self.acknowledgement.as_ref().is_some_and(|phrase| phrase.begins.is_some())
    }

    /// The acknowledgement first, then the answer's phrases.
    pub(crate) fn spoken(&self) -> impl Iterator<Item = &Phrase> {
        self.acknowledgement.iter().chain(&self.phrases)
    }

    pub(crate) fn phrase_mut(&mut self, id: SynthesisId) -> Option<&mut Phrase> {
        self.acknowledgement.iter_mut().chain(&mut self.phrases).find(|phrase| phrase.id == id)
    }

    pub(crate) fn tools_are_answered(&self) -> bool {
        self.tools.iter().all(|tool| tool.run.outcome.is_some())
    }

    /// Whether nothing more will be generated, synthesised or sent.
    pub(crate) fn is_sent(&self) -> bool {
        !self.awaits_words
            && self.generation.is_none()
            && self.tools_answered == self.tools.len()
            && self.spoken().all(Phrase::is_played_out)
    }

    /// The conversation of this turn so far, taking everything that was generated as said: what the model is asked
    /// with in the next round.
    pub(crate) fn messages_as_generated(&self) -> Vec<Message> {
        self.messages(|phrase| phrase.text.clone())
    }

    fn messages(&self, words: impl Fn(&Phrase) -> String) -> Vec<Message> {
        let mut messages = Vec::new();
        if !self.caller_text.is_empty() {
            messages.push(Message::Caller { text: Pii::new(self.caller_text.clone()) });
        }
        let mut said: Vec<String> =
            self.acknowledgement.iter().map(&words).filter(|text| !text.is_empty()).collect();
        let flush = |said: &mut Vec<String>, messages: &mut Vec<Message>| {
            if !said.is_empty() {
                messages.push(Message::Agent { text: Pii::new(said.join(" ")) });
                said.clear();
            }
        };
        for part in &self.parts {
            match part {
                Part::Phrase(index) => {
                    said.extend(self.phrases.get(*index).map(&words).filter(|text| !text.is_empty()));
                }
                Part::Tool(index) => {
                    let Some(tool) = self.tools.get(*index) else { continue };
                    flush(&mut said, &mut messages);
                    messages.push(Message::ToolRequest {
                        request: tool.run.request.clone(),
                        name: tool.run.name.clone(),
                        arguments: Pii::new(tool.run.arguments.clone()),
                    });
                    let content = tool
                        .run
                        .outcome
                        .as_ref()
                        .map_or_else(|| NOT_FINISHED.to_owned(), ToolOutcome::to_model);
                    messages.push(Message::ToolResult {
                        request: tool.run.request.clone(),
                        content: Pii::new(content),
                    });
                }
            }
        }
        flush(&mut said, &mut messages);
        messages
    }

    /// Closes the turn: what the caller heard is what playback had reached.
    pub(crate) fn close(mut self, ledger: &Ledger, now: CallTime, outcome: TurnOutcome) -> TurnRecord {
        let playhead = ledger.playhead(now);
        let messages = match outcome {
            TurnOutcome::Continued => Vec::new(),
            TurnOutcome::Answered | TurnOutcome::Interrupted | TurnOutcome::Failed | TurnOutcome::HungUp => {
                self.messages(|phrase| phrase.heard(playhead))
            }
        };
        self.usage.playout_ms = self.spoken().map(|phrase| phrase.played_us(playhead)).sum::<u64>() / 1_000;
        let heard: Vec<String> =
            self.spoken().map(|phrase| phrase.heard(playhead)).filter(|text| !text.is_empty()).collect();
        let acknowledgement = self
            .acknowledgement
            .as_ref()
            .filter(|phrase| phrase.begins.is_some())
            .map(|phrase| phrase.text.clone());
        TurnRecord {
            number: self.number,
            caller_text: Pii::new(self.caller_text),
            generated_text: Pii::new(self.generated),
            heard_text: Pii::new(heard.join(" ")),
            acknowledgement,
            started_at: self.started_at,
            finished_at: now,
            outcome,
            timeline: self.timeline,
            tools: self.tools.into_iter().map(|tool| tool.run).collect(),
            messages,
            usage: self.usage,
        }
    }
}
