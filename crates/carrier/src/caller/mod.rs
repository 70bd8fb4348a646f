//! A simulated caller: speaks from a script, listens, judges when it is its turn. Without IO; driven frame by frame.
//!
//! A caller decides on what it has heard *before* the frame it speaks. It waits for an answer as people do: until the
//! agent has said something of substance and then been silent for the caller's patience; an acknowledgement alone buys
//! the agent more time; a turn without any audio for ten seconds is over. Murmurs are made while the agent speaks and
//! are no turns.

mod turns;

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) mod tests_support;

use crate::{
    FRAME_BYTES, Frame, SILENT_FRAME,
    ears::{EarEvent, Ears, Hearing, ms},
    exchange::{CallOutcome, Exchange, PlaceCall},
    handset::{Departure, Handset, Said},
    report::{CallReport, CallerEvent},
    script::Step,
    tracks::Tracks,
    utterance::Utterance,
};
use seiketsu_audio::subcarrier::written;
use seiketsu_domain::CallTime;
use std::collections::VecDeque;
use tokio::sync::mpsc;
use turns::{
    Acknowledgements, Closed, Murmur, SpokenTurn, at, flag_name, heard, murmured, segments_of, text_of,
};

/// From one key press to the next.
const KEY_SAMPLES: u64 = ms(200);
/// Playback counts as stopped after so much silence.
const STOPPED_SAMPLES: u64 = ms(200);

/// How a caller behaves.
#[derive(Debug, Clone)]
pub struct CallerOptions {
    /// Silence of the agent after which the caller speaks again.
    pub patience_ms: u32,
    /// After end of speech without an answer, the caller goes on.
    pub answer_timeout_ms: u32,
    /// After an acknowledgement and nothing else, the caller goes on.
    pub acknowledgement_timeout_ms: u32,
    /// What the agent says to bridge a wait, as configured.
    pub acknowledgements: Vec<String>,
    /// The caller speaks its next line so long after the answer proper began, if it is still going on.
    pub interrupt_after_ms: Option<u32>,
    /// What the agent's speech can be recognised by.
    pub hearing: Hearing,
    /// Records both sides, at most so many seconds.
    pub record_seconds: Option<u32>,
    /// The caller hangs up after so long, whatever happens.
    pub max_call_ms: u32,
}

impl Default for CallerOptions {
    fn default() -> Self {
        Self {
            patience_ms: 900,
            answer_timeout_ms: 10_000,
            acknowledgement_timeout_ms: 10_000,
            acknowledgements: Vec::new(),
            interrupt_after_ms: None,
            hearing: Hearing::Words,
            record_seconds: None,
            max_call_ms: 600_000,
        }
    }
}

/// Places a call and lives through it as this script has it. `events` is told what happens, as far as it keeps up.
pub async fn call(
    exchange: &Exchange,
    place: &PlaceCall,
    steps: Vec<Step>,
    options: CallerOptions,
    events: Option<mpsc::Sender<CallerEvent>>,
) -> CallReport {
    let (outcome, caller) = exchange.place(place, Caller::new(steps, options, events)).await;
    caller.finish(outcome)
}

/// A simulated caller with a telephone at its ear.
#[derive(Debug)]
pub struct Caller {
    options: CallerOptions,
    acknowledgements: Acknowledgements,
    steps: VecDeque<Step>,
    state: State,
    ears: Ears,
    turns: Vec<SpokenTurn>,
    murmurs: Vec<Murmur>,
    tracks: Option<Tracks>,
    events: Option<mpsc::Sender<CallerEvent>>,
    events_lost: u64,
}

#[derive(Debug)]
enum State {
    /// For the greeting, or the answer to the last line.
    Listening,
    Speaking {
        utterance: Utterance,
        position: usize,
        /// Whether it is a murmur, and no line.
        aside: bool,
    },
    Pressing {
        digits: VecDeque<char>,
        next_at: u64,
    },
    Waiting {
        until: u64,
    },
    /// Until the agent says something that was not heard before.
    Holding {
        until: u64,
        heard: usize,
    },
    Gone,
}

/// What a listening caller makes of what it has heard.
enum Judgement {
    KeepListening,
    /// The answer is over, or there will be none.
    MyTurn,
    /// The answer goes on, but the caller has something to say.
    Interrupt,
    /// The answer goes on, and the caller murmurs.
    Murmur,
}

impl Caller {
    /// A caller with a script.
    pub fn new(steps: Vec<Step>, options: CallerOptions, events: Option<mpsc::Sender<CallerEvent>>) -> Self {
        let steps = VecDeque::from(steps);
        let mut caller = Self {
            acknowledgements: Acknowledgements::new(&options.acknowledgements),
            state: State::Listening,
            ears: Ears::new(options.hearing),
            turns: Vec::new(),
            murmurs: Vec::new(),
            tracks: options.record_seconds.map(Tracks::new),
            events,
            events_lost: 0,
            options,
            steps,
        };
        caller.skip_listening_if_told_to_wait(0);
        caller
    }

    /// What it tells when the call is over.
    pub fn finish(mut self, outcome: CallOutcome) -> CallReport {
        let unspoken =
            self.steps.iter().filter(|step| matches!(step, Step::Say(_) | Step::Interrupt { .. })).count();
        self.close_turn(Closed::CallEnded);
        let (segments, flags) = (self.ears.segments(), self.ears.flags());
        let greeting = || segments_of(&self.turns, segments, 0);
        let turns = (1..=self.turns.len())
            .map(|number| heard(&self.turns, number, segments, flags, &self.acknowledgements))
            .collect();
        CallReport {
            call_sid: outcome.call_sid,
            ended_by: outcome.ended_by,
            duration_ms: outcome.duration.as_millis() as u64,
            greeting_text: text_of(greeting()),
            greeting_first_audible_ms: greeting().next().map(|segment| segment.onset / 8),
            turns,
            murmurs: self.murmurs.iter().map(|murmur| murmured(&self.turns, segments, murmur)).collect(),
            whole_agent_text: text_of(segments.iter()),
            flags: flags.iter().map(|flag| flag_name(flag.reason).to_owned()).collect(),
            lines_unspoken: unspoken as u32,
            announcements: outcome.announcements,
            dialled: outcome.dialled,
            streams: outcome.streams,
            errors: outcome.errors.to_vec(),
            clock_slip_max_ms: outcome.clock_slip_max.as_millis() as u64,
            events_lost: self.events_lost,
            tracks: self.tracks,
        }
    }

    /// What to do in the frame that begins at sample `now`.
    fn act(&mut self, now: u64) -> Said {
        if now >= ms(self.options.max_call_ms.into()) && !matches!(self.state, State::Gone) {
            return self.hang_up();
        }
        match &mut self.state {
            State::Listening => match self.judge(now) {
                Judgement::KeepListening => Said::SILENCE,
                Judgement::MyTurn => {
                    self.close_turn(Closed::Waited);
                    // What would have been murmured into the answer comes too late.
                    while self.steps.pop_front_if(|step| matches!(step, Step::Murmur { .. })).is_some() {}
                    self.next_step(now)
                }
                Judgement::Interrupt | Judgement::Murmur => self.next_step(now),
            },
            State::Speaking { utterance, position, aside } => {
                let end = (*position + FRAME_BYTES).min(utterance.mulaw.len());
                let starts_utterance = *position == 0;
                let mut audio = SILENT_FRAME;
                audio[..end - *position].copy_from_slice(&utterance.mulaw[*position..end]);
                *position = end;
                if end == utterance.mulaw.len() {
                    let aside = *aside;
                    self.state = State::Listening;
                    if !aside {
                        self.skip_listening_if_told_to_wait(now + FRAME_BYTES as u64);
                    }
                }
                Said { audio, starts_utterance, ..Said::SILENCE }
            }
            State::Pressing { digits, next_at } => {
                if now < *next_at {
                    return Said::SILENCE;
                }
                *next_at = now + KEY_SAMPLES;
                if let Some(digit) = digits.pop_front() {
                    self.tell(|| CallerEvent::CallerPresses { at: at(now), digit });
                    return Said { digit: Some(digit), ..Said::SILENCE };
                }
                self.state = State::Listening;
                self.skip_listening_if_told_to_wait(now);
                Said::SILENCE
            }
            State::Waiting { until } => {
                if now < *until {
                    return Said::SILENCE;
                }
                self.next_step(now)
            }
            State::Holding { until, heard } => {
                let (until, heard) = (*until, *heard);
                let spoken_to = self.ears.segments().len() > heard
                    && self.ears.nobody_spoke_for() >= ms(self.options.patience_ms.into());
                if now < until && !spoken_to {
                    return Said::SILENCE;
                }
                self.next_step(now)
            }
            State::Gone => Said::SILENCE,
        }
    }

    fn next_step(&mut self, now: u64) -> Said {
        self.state = match self.steps.pop_front() {
            Some(Step::Say(utterance) | Step::Interrupt { utterance, .. }) => {
                self.begin_turn(&utterance, now);
                State::Speaking { utterance, position: 0, aside: false }
            }
            Some(Step::Murmur { utterance, .. }) => {
                self.begin_murmur(&utterance, now);
                State::Speaking { utterance, position: 0, aside: true }
            }
            Some(Step::Digits(digits)) => {
                self.begin_keys(&digits, now);
                State::Pressing { digits: digits.chars().collect(), next_at: now }
            }
            Some(Step::Wait(millis) | Step::Silence(millis)) => {
                State::Waiting { until: now + ms(millis.into()) }
            }
            Some(Step::Hold(millis)) => {
                State::Holding { until: now + ms(millis.into()), heard: self.ears.segments().len() }
            }
            Some(Step::CutStream) => {
                self.state = State::Waiting { until: now };
                return Said { departure: Some(Departure::CutStream), ..Said::SILENCE };
            }
            Some(Step::HangUp) | None => return self.hang_up(),
        };
        self.act(now)
    }

    fn hang_up(&mut self) -> Said {
        self.close_turn(Closed::HungUp);
        self.state = State::Gone;
        Said { departure: Some(Departure::HangUp), ..Said::SILENCE }
    }

    /// A `Wait` after a line says how long to listen; otherwise the caller judges for itself.
    fn skip_listening_if_told_to_wait(&mut self, now: u64) {
        if let Some(Step::Wait(millis)) = self.steps.front() {
            self.state = State::Waiting { until: now + ms((*millis).into()) };
            self.steps.pop_front();
        }
    }

    /// Whether it is the caller's turn, by what was heard before sample `now`.
    fn judge(&self, now: u64) -> Judgement {
        let silent_for = self.ears.nobody_spoke_for();
        let answer = || segments_of(&self.turns, self.ears.segments(), self.turns.len());
        let substantive = answer().find(|segment| self.acknowledgements.matching(segment).is_none());
        if let Some(substantive) = substantive {
            let breaks_in = |after_ms: u32| {
                !self.turns.is_empty()
                    && self.ears.is_sounding()
                    && now >= substantive.onset + ms(after_ms.into())
            };
            let judgement = match self.steps.front() {
                Some(Step::Say(_)) => {
                    self.options.interrupt_after_ms.map(|after| (after, Judgement::Interrupt))
                }
                Some(Step::Interrupt { after_ms, .. }) => Some((*after_ms, Judgement::Interrupt)),
                Some(Step::Murmur { after_ms, .. }) => Some((*after_ms, Judgement::Murmur)),
                Some(
                    Step::Digits(_)
                    | Step::Wait(_)
                    | Step::Silence(_)
                    | Step::Hold(_)
                    | Step::CutStream
                    | Step::HangUp,
                )
                | None => None,
            };
            return if let Some((_, judgement)) = judgement.filter(|(after_ms, _)| breaks_in(*after_ms)) {
                judgement
            } else if silent_for >= ms(self.options.patience_ms.into()) {
                Judgement::MyTurn
            } else {
                Judgement::KeepListening
            };
        }
        let given_up = if answer().next().is_some() {
            silent_for >= ms(self.options.acknowledgement_timeout_ms.into())
        } else {
            let waiting_since = self.turns.last().map_or(0, |turn| turn.end_of_speech);
            now.saturating_sub(waiting_since) >= ms(self.options.answer_timeout_ms.into())
        };
        if given_up { Judgement::MyTurn } else { Judgement::KeepListening }
    }

    fn begin_turn(&mut self, utterance: &Utterance, now: u64) {
        let first_voiced = now + utterance.first_voiced_sample as u64;
        let interrupting = self.ears.is_sounding();
        if let Some(turn) = self.turns.last_mut().filter(|turn| turn.closed.is_none()) {
            turn.interrupted = interrupting.then_some(first_voiced);
        }
        self.close_turn(Closed::WentOn);
        self.turns.push(SpokenTurn {
            said: utterance.text.clone(),
            keys: None,
            started: now,
            end_of_speech: now + utterance.last_voiced_sample as u64 + 1,
            closed: None,
            interrupted: None,
            playback_stopped: None,
        });
        let turn = self.turns.len() as u32;
        let text = utterance.text.clone();
        self.tell(|| CallerEvent::CallerSpeaks { at: at(now), turn, text, interrupting });
    }

    fn begin_keys(&mut self, digits: &str, now: u64) {
        self.close_turn(Closed::WentOn);
        let keys = digits.chars().count() as u64;
        self.turns.push(SpokenTurn {
            said: None,
            keys: Some(digits.to_owned()),
            started: now,
            end_of_speech: now + keys.saturating_sub(1) * KEY_SAMPLES,
            closed: None,
            interrupted: None,
            playback_stopped: None,
        });
    }

    fn begin_murmur(&mut self, utterance: &Utterance, now: u64) {
        self.murmurs.push(Murmur {
            turn: self.turns.len(),
            said: utterance.text.clone(),
            started: now + utterance.first_voiced_sample as u64,
            end: now + utterance.last_voiced_sample as u64 + 1,
        });
        let text = utterance.text.clone();
        self.tell(|| CallerEvent::CallerMurmurs { at: at(now), text });
    }

    fn close_turn(&mut self, why: Closed) {
        let number = self.turns.len();
        let Some(turn) = self.turns.last_mut().filter(|turn| turn.closed.is_none()) else { return };
        turn.closed = Some(why);
        let turn =
            heard(&self.turns, number, self.ears.segments(), self.ears.flags(), &self.acknowledgements);
        self.tell(|| CallerEvent::TurnFinished(Box::new(turn)));
    }

    /// Tells what the ears noticed, and notices itself when an interrupted answer has stopped and a line has ended.
    fn notice(&mut self, now: u64) {
        while let Some(event) = self.ears.poll() {
            self.tell(|| match event {
                EarEvent::Word { at: sample, text } => {
                    CallerEvent::AgentWord { at: at(sample), text: written(&text) }
                }
                EarEvent::Unclear(flag) => {
                    CallerEvent::AgentUnclear { at: at(flag.at), reason: flag_name(flag.reason).to_owned() }
                }
                EarEvent::Silent { at: sample } => CallerEvent::AgentSilent { at: at(sample) },
            });
        }
        let (last_audible, silent_for) = (self.ears.last_audible(), self.ears.silent_for());
        let interrupted = self.turns.iter_mut().rev().take(2).find(|turn| turn.interrupted.is_some());
        if let Some(turn) = interrupted
            && let Some(at) = turn.interrupted
            && turn.playback_stopped.is_none()
            && silent_for >= STOPPED_SAMPLES
            && now >= at
        {
            turn.playback_stopped = Some(last_audible.max(at));
        }
        if let Some(turn) = self.turns.last().filter(|turn| turn.keys.is_none()) {
            let end_of_speech = turn.end_of_speech;
            if (now + 1..=now + FRAME_BYTES as u64).contains(&end_of_speech) {
                self.tell(|| CallerEvent::CallerSilent { at: at(end_of_speech) });
            }
        }
    }

    fn tell(&mut self, event: impl FnOnce() -> CallerEvent) {
        if let Some(events) = &self.events
            && events.try_send(event()).is_err()
        {
            self.events_lost += 1;
        }
    }
}

impl Handset for Caller {
    fn frame(&mut self, now: CallTime, heard: &Frame) -> Said {
        let now = now.as_micros() / crate::SAMPLE_US;
        let said = self.act(now);
        self.ears.hear(heard);
        self.notice(now);
        if let Some(tracks) = &mut self.tracks {
            tracks.push(&said.audio, heard);
        }
        said
    }
}
