//! One turn: what the caller said and the answer in the making.

use crate::{
    ears::Utterance,
    input::{AlignedChar, AnswerPlan, Finish},
    ledger::{Ledger, PositionUs, heard_words},
    output::{GenerationId, MarkId, SynthesisId, ToolNumber},
    phrase::Phraser,
};
use bytes::Bytes;
use seiketsu_domain::{
    AudioFormat, CallTime, EndReason, Message, Pii, Stage, Timeline, ToolOutcome, ToolRun, TurnOutcome,
    TurnRecord, Usage,
};
use std::{collections::VecDeque, time::Duration};

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

/// What a phrase is to the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Part of the answer.
    Answer,
    /// The model's own sentence before a tool.
    Announcement,
    /// The engine's bridge over a wait.
    Acknowledgement,
}

/// A stretch of text that is synthesised and played as one.
#[derive(Debug, Clone)]
pub(crate) struct Phrase {
    pub text: String,
    pub fixed: bool,
    pub kind: Kind,
    pub id: SynthesisId,
    pub state: PhraseState,
    /// When the voice was asked for it.
    pub asked_at: Option<CallTime>,
    /// When the newest sound of it came.
    pub sound_at: Option<CallTime>,
    /// Audio that waits for the phrase before it.
    pub waiting: VecDeque<Bytes>,
    /// Audio that was sent and may not have been heard: what a false interruption takes back.
    pub sent: VecDeque<Bytes>,
    /// Where the first piece of `sent` begins, in microseconds of the phrase.
    pub sent_from_us: u64,
    pub alignment: Vec<AlignedChar>,
    /// Where it begins in the playout, once something of it was sent.
    pub begins: Option<PositionUs>,
    pub sent_us: u64,
    /// The voice failed in the middle of it.
    pub broken: bool,
    /// It went to the caller as text, whole.
    pub is_text: bool,
}

impl Phrase {
    pub(crate) fn new(id: SynthesisId, text: String, fixed: bool, kind: Kind) -> Self {
        Self {
            text,
            fixed,
            kind,
            id,
            state: PhraseState::Waiting,
            asked_at: None,
            sound_at: None,
            waiting: VecDeque::new(),
            sent: VecDeque::new(),
            sent_from_us: 0,
            alignment: Vec::new(),
            begins: None,
            sent_us: 0,
            broken: false,
            is_text: false,
        }
    }

    /// How much of its audio was heard when playback had come to `playhead`.
    fn played_us(&self, playhead: PositionUs) -> u64 {
        self.begins.map_or(0, |begins| playhead.saturating_sub(begins).min(self.sent_us))
    }

    /// The words of it that were heard when playback had come to `playhead`.
    fn heard(&self, playhead: PositionUs) -> String {
        if self.is_text {
            return self.text.trim().to_owned();
        }
        let heard = self.played_us(playhead);
        let whole = self.state == PhraseState::Complete && self.waiting.is_empty() && !self.broken;
        heard_words(&self.text, &self.alignment, heard, self.sent_us, whole)
    }

    /// Whether the question with which it ends had begun to sound when playback had come to `playhead`.
    pub(crate) fn is_asking_at(&self, playhead: PositionUs) -> bool {
        let Some(end) = self.text.rfind(['?', '？']) else { return false };
        let before = self.text[..end].rfind(['.', '!', '?', '。', '！', '？']);
        let before = before.map_or(0, |before| self.text[..before].chars().count() + 1);
        self.begins.is_some_and(|begins| playhead >= begins) && self.heard(playhead).chars().count() >= before
    }

    /// Whether nothing of it was made or sent yet.
    pub(crate) fn is_silent(&self) -> bool {
        self.begins.is_none() && self.waiting.is_empty() && self.sent.is_empty()
    }

    /// Takes back what was sent and not heard, so that it can be sent again from the beginning of the word that was cut.
    pub(crate) fn rewind(&mut self, playhead: PositionUs, format: AudioFormat) {
        let Some(begins) = self.begins else { return };
        let heard_us = self.played_us(playhead);
        if heard_us >= self.sent_us && self.waiting.is_empty() && self.state == PhraseState::Complete {
            return;
        }
        let heard_ms = (heard_us / 1_000) as u32;
        // Back to the beginning of the word that was being said; without an alignment, to where it stopped.
        let cut = self.alignment.iter().position(|at| at.end_ms > heard_ms).unwrap_or(self.alignment.len());
        let word =
            self.alignment[..cut].iter().rposition(|at| at.character.is_whitespace()).map_or(0, |at| at + 1);
        let from_us = match self.alignment.get(word) {
            Some(at) if cut < self.alignment.len() => (u64::from(at.start_ms) * 1_000).min(heard_us),
            Some(_) | None => heard_us,
        };
        let from_us = from_us.max(self.sent_from_us);
        let mut skip = format.bytes_in_us(from_us - self.sent_from_us);
        let mut again = VecDeque::new();
        for mut audio in std::mem::take(&mut self.sent) {
            let dropped = skip.min(audio.len());
            skip -= dropped;
            let rest = audio.split_off(dropped);
            if !rest.is_empty() {
                again.push_back(rest);
            }
        }
        again.append(&mut self.waiting);
        self.waiting = again;
        self.sent_from_us = from_us;
        self.sent_us = from_us;
        // Nothing beyond `from_us` counts as heard until it is sent again.
        self.begins = (from_us > 0).then(|| begins + (heard_us - from_us));
    }

    /// Whether audio of it can go to the caller: it has begun, or has enough behind it.
    pub(crate) fn is_ready(&self, format: AudioFormat, head_start: Duration) -> bool {
        !self.waiting.is_empty() && !self.is_stub(format, head_start)
    }

    /// Whether too little of it was made to begin with.
    pub(crate) fn is_stub(&self, format: AudioFormat, head_start: Duration) -> bool {
        let made_us = u128::from(format.duration_us(self.waiting_bytes()));
        self.begins.is_none() && self.state != PhraseState::Complete && made_us < head_start.as_micros()
    }

    /// Forgets what was made of it: it is asked for again.
    pub(crate) fn start_over(&mut self, id: SynthesisId) {
        self.id = id;
        self.state = PhraseState::Waiting;
        self.sound_at = None;
        self.waiting.clear();
        self.alignment.clear();
    }

    /// A piece of it leaves for the caller; `at` is where it begins in the playout.
    pub(crate) fn sending(&mut self, audio: Bytes, length_us: u64, at: PositionUs) {
        if self.begins.is_none() {
            self.begins = Some(at);
        }
        self.sent_us += length_us;
        self.sent.push_back(audio);
    }

    /// It leaves for the caller as text; `at` is where playback is.
    pub(crate) fn write(&mut self, at: PositionUs) {
        self.state = PhraseState::Complete;
        self.is_text = true;
        self.begins = Some(at);
    }

    /// Audio that waits, in bytes.
    pub(crate) fn waiting_bytes(&self) -> usize {
        self.waiting.iter().map(Bytes::len).sum()
    }

    /// The voice broke in the middle: keeps the words that were made whole and returns the others.
    pub(crate) fn break_off(&mut self, format: AudioFormat) -> Option<String> {
        let made_us = self.sent_us + format.duration_us(self.waiting_bytes());
        let whole = heard_words(&self.text, &self.alignment, made_us, made_us, false);
        let rest = if let Some(rest) = self.text.trim_start().strip_prefix(whole.as_str()) {
            rest.to_owned()
        } else {
            // The voice aligned other characters than it was given: then words are counted.
            let kept = whole.split_whitespace().count();
            self.text.split_whitespace().skip(kept).collect::<Vec<_>>().join(" ")
        };
        self.state = PhraseState::Complete;
        self.text = whole;
        let rest = rest.trim().to_owned();
        rest.chars().any(char::is_alphanumeric).then_some(rest)
    }

    pub(crate) fn is_played_out(&self) -> bool {
        self.state == PhraseState::Complete && self.waiting.is_empty()
    }

    /// It will not be said, and nothing of it is on record. Returns whether the voice is still at it.
    pub(crate) fn drop_unheard(&mut self) -> bool {
        let was_asked = self.state == PhraseState::Asked;
        self.state = PhraseState::Complete;
        self.waiting.clear();
        self.text.clear();
        was_asked
    }
}

/// The turn's parts in order: each is the next phrase or the next tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Phrase,
    Tool,
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
    /// The recogniser has said all that it had to say about that.
    pub caller_text_is_whole: bool,
    /// What the caller said began before the question whether the call may be recorded was heard.
    pub precedes_question: bool,
    /// What a client calls the answer that it has asked for.
    pub asked: Option<u64>,
    /// What it wants to be different about it.
    pub plan: Option<Box<AnswerPlan>>,
    /// It was decided that the caller has finished, but the last words are not known yet.
    pub awaits_words: bool,
    pub started_at: CallTime,
    pub timeline: Timeline,
    pub phraser: Phraser,
    pub generation: Option<GenerationId>,
    /// The model is asked again when a provider wants to be asked again.
    pub waits_to_retry: bool,
    /// All of the current generation has arrived already and is being taken up.
    pub answer_is_complete: bool,
    /// Something of the current generation arrived.
    pub generation_spoke: bool,
    /// Something of the current generation became a phrase or a tool run: it cannot be taken back.
    pub generation_counts: bool,
    /// The length of `generated` when the current generation began.
    pub generated_before: usize,
    /// The same question asked again, because the model has not said anything yet; oldest first.
    pub hedges: Vec<GenerationId>,
    pub rounds: usize,
    /// Requests for the answer of this round so far.
    pub attempts: u32,
    pub retries: usize,
    pub voice_retries: usize,
    pub parts: Vec<Part>,
    pub phrases: Vec<Phrase>,
    /// The phrase whose audio goes out now.
    pub playing: usize,
    /// Bridges spoken so far.
    pub bridges: usize,
    /// An announcement that stayed behind a bridge is wanted after all.
    pub announces: bool,
    pub tools: Vec<RunningTool>,
    /// Tools of rounds before this one.
    pub tools_answered: usize,
    pub generated: String,
    pub failed: bool,
    /// How the last answer of the model has ended.
    pub finish: Finish,
    /// The call ends once this turn has been heard.
    pub ends_call: Option<EndReason>,
    /// The agent speaks of its own accord about a tool that has finished; it may also have nothing to say.
    pub reports: bool,
    /// Marks behind the first audio of each kind: their return tells when it was played.
    pub first_marks: [Option<MarkId>; 3],
    /// The stages of an announcement, in case it turns out to be the answer.
    pub announced: Timeline,
    /// Audio sent since the last mark.
    pub unmarked_us: u64,
    pub usage: Usage,
    /// An observer knows that an answer is under way.
    pub is_shown: bool,
    /// An observer knows that all of it has left.
    pub is_said: bool,
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
        self.caller_text_is_whole = utterance.is_whole;
        self.precedes_question = utterance.precedes_question;
        if let Some(at) = utterance.final_at {
            self.timeline.reach(Stage::FinalTranscript, at);
        }
    }

    fn with(number: u32, caller_text: String, started_at: CallTime, timeline: Timeline) -> Self {
        Self {
            number,
            caller_text,
            caller_text_is_whole: true,
            precedes_question: false,
            asked: None,
            plan: None,
            awaits_words: false,
            started_at,
            timeline,
            phraser: Phraser::default(),
            generation: None,
            generation_spoke: false,
            generation_counts: false,
            generated_before: 0,
            waits_to_retry: false,
            answer_is_complete: false,
            hedges: Vec::new(),
            rounds: 0,
            attempts: 0,
            retries: 0,
            voice_retries: 0,
            parts: Vec::new(),
            phrases: Vec::new(),
            playing: 0,
            bridges: 0,
            announces: false,
            tools: Vec::new(),
            tools_answered: 0,
            generated: String::new(),
            failed: false,
            finish: Finish::Whole,
            ends_call: None,
            reports: false,
            first_marks: [None; 3],
            announced: Timeline::default(),
            unmarked_us: 0,
            usage: Usage::default(),
            is_shown: false,
            is_said: false,
        }
    }

    /// Whether words of the model have left for the caller.
    pub(crate) fn has_begun_to_answer(&self) -> bool {
        self.phrases.iter().any(|phrase| phrase.begins.is_some() && phrase.kind != Kind::Acknowledgement)
    }

    /// Whether any audio has left for the caller.
    pub(crate) fn is_audible(&self) -> bool {
        self.phrases.iter().any(|phrase| phrase.begins.is_some())
    }

    /// Whether the model or the engine has put an answer into words.
    pub(crate) fn has_words(&self) -> bool {
        self.phrases.iter().any(|phrase| phrase.kind != Kind::Acknowledgement)
    }

    /// Forgets what the current generation has begun to say, of which nothing was made yet: whoever is asked next begins
    /// anew.
    pub(crate) fn take_back_generation(&mut self) {
        self.generated.truncate(self.generated_before);
        self.phraser.forget_pending();
        self.generation_spoke = false;
    }

    /// Whether this request is one whose answer is wanted.
    pub(crate) fn is_asking(&self, id: GenerationId) -> bool {
        self.generation == Some(id) || self.hedges.contains(&id)
    }

    pub(crate) fn phrase_mut(&mut self, id: SynthesisId) -> Option<&mut Phrase> {
        self.phrases.iter_mut().find(|phrase| phrase.id == id)
    }

    /// What the agent has been saying.
    pub(crate) fn words_sent(&self) -> String {
        let begun = self.phrases.iter().filter(|phrase| phrase.begins.is_some());
        begun.map(|phrase| phrase.text.as_str()).collect::<Vec<_>>().join(" ")
    }

    pub(crate) fn waiting_bytes(&self) -> usize {
        self.phrases.iter().map(Phrase::waiting_bytes).sum()
    }

    /// Adds a phrase behind everything that was said or asked for so far.
    pub(crate) fn push(&mut self, phrase: Phrase) {
        self.parts.push(Part::Phrase);
        self.phrases.push(phrase);
    }

    /// Puts a phrase at a place among the others, directly behind the one before it.
    pub(crate) fn insert(&mut self, at: usize, phrase: Phrase) {
        let at = at.min(self.phrases.len());
        let mut phrases = self.parts.iter().enumerate().filter(|(_, part)| **part == Part::Phrase);
        let before = at.checked_sub(1).and_then(|before| phrases.nth(before));
        let place = before.map_or(0, |(place, _)| place + 1);
        self.parts.insert(place, Part::Phrase);
        self.phrases.insert(at, phrase);
    }

    /// The phrases that only bridge a wait and of which nothing was heard yet. An announcement that has begun is said to
    /// its end.
    pub(crate) fn unheard_bridges(&mut self) -> impl Iterator<Item = &mut Phrase> {
        let announces = self.has_begun(Kind::Announcement);
        self.phrases.iter_mut().filter(move |phrase| match phrase.kind {
            Kind::Answer => false,
            Kind::Announcement => !announces,
            Kind::Acknowledgement => phrase.begins.is_none(),
        })
    }

    /// Whether audio of this kind has left for the caller.
    pub(crate) fn has_begun(&self, kind: Kind) -> bool {
        self.phrases.iter().any(|phrase| phrase.kind == kind && phrase.begins.is_some())
    }

    /// Whether the model will still say something, as far as it depends on the model.
    fn awaits_model(&self) -> bool {
        self.generation.is_some() || self.waits_to_retry || self.tools_answered < self.tools.len()
    }

    /// When an announcement is to be said: once the caller has waited `long` for the answer, which may be there first, but
    /// not behind a bridge, which has told as much.
    pub(crate) fn announcement_due(&self, long: Duration) -> Option<CallTime> {
        let mut answers = self.phrases.iter().filter(|phrase| phrase.kind == Kind::Answer);
        let answer_comes = self.awaits_model() || answers.any(|phrase| !phrase.is_played_out());
        let at_once =
            self.announces || self.ends_call.is_some() || self.has_begun(Kind::Announcement) || !answer_comes;
        if at_once {
            Some(CallTime::ZERO)
        } else if self.has_begun(Kind::Acknowledgement) {
            None
        } else {
            Some(self.timeline.at(Stage::EndOfSpeech).unwrap_or(self.started_at) + long)
        }
    }

    /// A tool was asked for: what was said so far announces it. After an announcement and its result, what is said tells of
    /// that result: an answer, whatever else is done meanwhile.
    pub(crate) fn announce(&mut self) {
        let is_announced = self.phrases.iter().any(|phrase| phrase.kind == Kind::Announcement);
        if is_announced && self.tools_answered > 0 {
            return;
        }
        for phrase in self.phrases.iter_mut().filter(|phrase| phrase.kind == Kind::Answer) {
            phrase.kind = Kind::Announcement;
        }
        for stage in Stage::OF_SPEECH {
            if let Some(at) = self.timeline.stages.remove(&stage) {
                self.announced.reach(stage, at);
            }
        }
        let [answer, announcement, _] = &mut self.first_marks;
        if announcement.is_none() {
            *announcement = answer.take();
        } else {
            *answer = None;
        }
        self.timeline.announcement_sent = self.announced.at(Stage::FirstAudioSent);
        self.timeline.announcement_played = self.announced.at(Stage::FirstAudioPlayed);
    }

    /// A stage of a phrase of this kind.
    pub(crate) fn reach(&mut self, kind: Kind, stage: Stage, at: CallTime) {
        match kind {
            Kind::Answer => self.timeline.reach(stage, at),
            Kind::Announcement => {
                self.announced.reach(stage, at);
                self.timeline.announcement_sent = self.announced.at(Stage::FirstAudioSent);
                self.timeline.announcement_played = self.announced.at(Stage::FirstAudioPlayed);
            }
            Kind::Acknowledgement => match stage {
                Stage::FirstAudioSent => {
                    self.timeline.acknowledgement_sent.get_or_insert(at);
                }
                Stage::FirstAudioPlayed => {
                    self.timeline.acknowledgement_played.get_or_insert(at);
                }
                Stage::EndOfSpeech
                | Stage::Endpointed
                | Stage::FinalTranscript
                | Stage::RequestSent
                | Stage::FirstToken
                | Stage::FirstPhrase
                | Stage::SynthesisAsked
                | Stage::FirstByte => {}
            },
        }
    }

    /// When the first audio of this kind left for the caller.
    pub(crate) fn sent_at(&self, kind: Kind) -> Option<CallTime> {
        match kind {
            Kind::Answer => self.timeline.at(Stage::FirstAudioSent),
            Kind::Announcement => self.announced.at(Stage::FirstAudioSent),
            Kind::Acknowledgement => self.timeline.acknowledgement_sent,
        }
    }

    pub(crate) fn tools_are_answered(&self) -> bool {
        self.tools.iter().all(|tool| tool.run.outcome.is_some())
    }

    /// Whether nothing more will be generated, synthesised or sent.
    pub(crate) fn is_sent(&self) -> bool {
        !self.awaits_words && !self.awaits_model() && self.phrases.iter().all(Phrase::is_played_out)
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
        let (mut phrases, mut tools) = (self.phrases.iter(), self.tools.iter());
        let mut said: Vec<String> = Vec::new();
        let flush = |said: &mut Vec<String>, messages: &mut Vec<Message>| {
            if !said.is_empty() {
                messages.push(Message::Agent { text: Pii::new(said.join(" ")) });
                said.clear();
            }
        };
        for part in &self.parts {
            match part {
                Part::Phrase => said.extend(phrases.next().map(&words).filter(|text| !text.is_empty())),
                Part::Tool => {
                    let Some(tool) = tools.next() else { continue };
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
        self.usage.playout_ms =
            self.phrases.iter().map(|phrase| phrase.played_us(playhead)).sum::<u64>() / 1_000;
        let heard: Vec<String> = self
            .phrases
            .iter()
            .map(|phrase| phrase.heard(playhead))
            .filter(|text| !text.is_empty())
            .collect();
        let acknowledgement = self
            .phrases
            .iter()
            .find(|phrase| phrase.kind == Kind::Acknowledgement && phrase.begins.is_some())
            .map(|phrase| phrase.text.clone());
        if outcome == TurnOutcome::Answered && !self.phrases.iter().any(|phrase| phrase.kind == Kind::Answer)
        {
            // Nothing followed the announcement: it was the answer.
            for (stage, at) in std::mem::take(&mut self.announced).stages {
                self.timeline.reach(stage, at);
            }
            self.timeline.announcement_sent = None;
            self.timeline.announcement_played = None;
        }
        TurnRecord {
            number: self.number,
            caller_text: Pii::new(self.caller_text),
            generated_text: Pii::new(self.generated.trim_end().to_owned()),
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
