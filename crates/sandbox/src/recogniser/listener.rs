//! Samples and time in, transcripts with their due time out. Pure: no socket, no clock.

use super::{
    activity::{Activity, PART_MS, PART_SAMPLES},
    transcript::{Confidence, HeardWord, Transcript},
};
use crate::{Fault, conduct::Treatment};
use seiketsu_audio::subcarrier::{self, Decoder, Event};
use std::{collections::VecDeque, time::Duration};

/// Speech is what lasts this many parts: a click is none.
const ONSET_PARTS: u64 = 3;

/// Speech within this time of earlier speech has not just started.
const SAME_SPEECH_MS: u64 = 100;

/// What may still be in the decoder when the speech has ended: a packet waiting for a neighbour that confirms it.
const SETTLE_MS: u64 = 240;

/// A caller does not pause this long within an utterance of the sub-carrier: what is missing then is lost.
const PATIENCE_MS: u64 = 1_000;

/// Speech without sub-carrier of this length is an unintelligible caller.
const UNINTELLIGIBLE_MS: u64 = 1_000;

/// The silence that makes a stretch final where endpointing is off.
const NO_ENDPOINTING_MS: u64 = 1_000;

/// Partial transcripts that may wait for their time; more than a stalled stretch has words.
const MAX_WAITING: usize = 256;

/// Draws what happens to the next stretch.
pub(crate) type Treat = Box<dyn FnMut() -> Treatment + Send + Sync>;

/// When a stretch of speech is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Endpoint {
    /// After a silence of so many milliseconds, which ends the utterance as well.
    Silence(u32),
    /// After a silence of a second, which says nothing about the utterance.
    Off,
    /// Only when the client says so.
    Commit,
}

/// What is asked of a listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Settings {
    /// Report what was understood so far.
    pub(crate) interim_results: bool,
    /// When a stretch is over.
    pub(crate) endpoint: Endpoint,
    /// The pause between words that is reported as the end of an utterance.
    pub(crate) utterance_end_ms: Option<u32>,
    /// Report the start of speech.
    pub(crate) vad_events: bool,
    /// A stretch is reported as final after this long, however long the caller goes on.
    pub(crate) longest_stretch_ms: u64,
}

/// What the recogniser has to say.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Output {
    /// Somebody began to speak.
    SpeechStarted { at_ms: u64 },
    /// Words, or the lack of them.
    Result { transcript: Transcript, injected: Option<InjectedDelay> },
    /// No words for a while.
    UtteranceEnd { last_word_end_ms: u64 },
    /// This happens instead of a result.
    Fault(Fault),
}

impl Output {
    /// What may be replaced by a later transcript of the same stretch.
    fn is_partial(&self) -> bool {
        match self {
            Self::Result { transcript, .. } => !transcript.is_final,
            Self::SpeechStarted { .. } | Self::UtteranceEnd { .. } | Self::Fault(_) => false,
        }
    }
}

/// How a final transcript was delayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct InjectedDelay {
    /// When the end of the speech arrived.
    pub(crate) heard_at: Duration,
    /// What was drawn.
    pub(crate) delay: Duration,
    /// What went wrong.
    pub(crate) fault: Option<Fault>,
}

/// Speech from its beginning, or from the last final transcript, to the next.
#[derive(Debug)]
struct Stretch {
    start_ms: u64,
    words: Vec<HeardWord>,
    voiced_ms: u64,
    /// Anything of the sub-carrier was in it.
    understood: bool,
    flagged: bool,
    unintelligible: bool,
    treatment: Treatment,
}

/// A moment in the audio and when it arrived.
#[derive(Debug, Clone, Copy)]
struct Moment {
    ms: u64,
    arrived_at: Duration,
}

/// One stream's recogniser.
pub(crate) struct Listener {
    settings: Settings,
    treat: Treat,
    decoder: Decoder,
    activity: Activity,
    rest: Vec<i16>,
    position_ms: u64,
    voiced_parts: u64,
    last_voice: Option<Moment>,
    stretch: Option<Stretch>,
    /// Flags that were raised when no stretch was open to carry them.
    late_flag: bool,
    told_unintelligible: bool,
    word_end_ms: Option<u64>,
    waiting: VecDeque<(Duration, Output)>,
    immediate: VecDeque<Output>,
}

impl Listener {
    pub(crate) fn new(settings: Settings, treat: Treat) -> Self {
        Self {
            settings,
            treat,
            decoder: Decoder::new(),
            activity: Activity::new(),
            rest: Vec::with_capacity(PART_SAMPLES),
            position_ms: 0,
            voiced_parts: 0,
            last_voice: None,
            stretch: None,
            late_flag: false,
            told_unintelligible: false,
            word_end_ms: None,
            waiting: VecDeque::new(),
            immediate: VecDeque::new(),
        }
    }

    /// Hears the next samples, at 8 kHz, any number of them.
    pub(crate) fn push(&mut self, mut samples: &[i16], now: Duration) {
        if !self.rest.is_empty() {
            let (head, tail) = samples.split_at(samples.len().min(PART_SAMPLES - self.rest.len()));
            self.rest.extend_from_slice(head);
            samples = tail;
            if self.rest.len() < PART_SAMPLES {
                return;
            }
            let part = std::mem::take(&mut self.rest);
            self.push_part(&part, now);
        }
        let parts = samples.chunks_exact(PART_SAMPLES);
        self.rest.extend_from_slice(parts.remainder());
        for part in parts {
            self.push_part(part, now);
        }
    }

    /// Gives what was understood so far without waiting for the silence that would make it final.
    pub(crate) fn finalize(&mut self, now: Duration) {
        if self.stretch.is_some() {
            let speech_final = self.endpoint_reached();
            self.conclude(speech_final, true, now);
            return;
        }
        let pending = self.waiting.iter_mut().rev().find_map(|(_, output)| match output {
            Output::Result { transcript, .. } if transcript.is_final => Some(transcript),
            Output::Result { .. }
            | Output::SpeechStarted { .. }
            | Output::UtteranceEnd { .. }
            | Output::Fault(_) => None,
        });
        match pending {
            Some(transcript) => transcript.from_finalize = true,
            None => self.answer_empty(Confidence::Nothing, true, now),
        }
    }

    /// Takes it that no more audio will come.
    pub(crate) fn close(&mut self, now: Duration) {
        self.decoder.finish();
        self.drain_decoder(now);
        if self.stretch.is_some() {
            self.conclude(true, false, now);
        }
        self.report_late_flag(now);
    }

    /// What is due, oldest first.
    pub(crate) fn poll(&mut self, now: Duration) -> Option<Output> {
        if let Some(output) = self.immediate.pop_front() {
            return Some(output);
        }
        self.waiting.pop_front_if(|(due, _)| *due <= now).map(|(_, output)| output)
    }

    /// When something is due next.
    pub(crate) fn poll_timeout(&self) -> Option<Duration> {
        self.waiting.front().map(|(due, _)| *due)
    }

    /// Milliseconds of audio heard.
    pub(crate) fn heard_ms(&self) -> u64 {
        self.position_ms + self.rest.len() as u64 * PART_MS / PART_SAMPLES as u64
    }

    fn push_part(&mut self, part: &[i16], now: Duration) {
        self.position_ms += PART_MS;
        if self.activity.is_voice(part) {
            self.hear_voice(now);
        } else {
            self.voiced_parts = 0;
        }
        self.decoder.push(part);
        self.drain_decoder(now);
        if self.stretch.is_some() {
            self.tell_unintelligible(now);
            if self.endpoint_reached() {
                let speech_final = matches!(self.settings.endpoint, Endpoint::Silence(_));
                self.conclude(speech_final, false, now);
            } else if self.stretch_ms() >= self.settings.longest_stretch_ms {
                self.conclude(false, false, now);
            }
        }
        if self.decoder.in_utterance() && self.silence_ms() >= PATIENCE_MS {
            self.decoder.finish();
            self.drain_decoder(now);
        }
        self.report_late_flag(now);
        self.end_utterance(now);
    }

    fn hear_voice(&mut self, now: Duration) {
        self.voiced_parts += 1;
        let continues = self.stretch.is_some() || self.silence_ms() < SAME_SPEECH_MS;
        if !continues && self.voiced_parts < ONSET_PARTS {
            return;
        }
        if self.stretch.is_none() {
            let start_ms = self.position_ms - PART_MS * self.voiced_parts.min(ONSET_PARTS);
            if !continues && self.settings.vad_events {
                self.immediate.push_back(Output::SpeechStarted { at_ms: start_ms });
            }
            self.begin_stretch(start_ms).voiced_ms = PART_MS * (self.voiced_parts.min(ONSET_PARTS) - 1);
        }
        if let Some(stretch) = &mut self.stretch {
            stretch.voiced_ms += PART_MS;
        }
        self.last_voice = Some(Moment { ms: self.position_ms, arrived_at: now });
    }

    fn begin_stretch(&mut self, start_ms: u64) -> &mut Stretch {
        let treatment = (self.treat)();
        self.stretch.insert(Stretch {
            start_ms,
            words: Vec::new(),
            voiced_ms: 0,
            understood: false,
            flagged: false,
            unintelligible: false,
            treatment,
        })
    }

    /// The stretch that a word or a sign of the sub-carrier belongs to; it may come after its speech was concluded.
    fn stretch_at(&mut self, at_ms: u64) -> &mut Stretch {
        if self.stretch.is_none() {
            self.begin_stretch(at_ms);
        }
        #[expect(clippy::expect_used, reason = "there is one since the line before")]
        self.stretch.as_mut().expect("a stretch")
    }

    fn drain_decoder(&mut self, now: Duration) {
        while let Some(event) = self.decoder.poll() {
            match event {
                Event::Start { .. } | Event::Text { .. } | Event::End { .. } => {
                    if let Some(stretch) = &mut self.stretch {
                        stretch.understood = true;
                    }
                }
                Event::Word { text, at_sample } => {
                    let end_ms = at_sample / (PART_SAMPLES as u64 / PART_MS);
                    self.hear_word(&text, end_ms, now);
                }
                Event::Flag { reason, at_sample } => {
                    let at_ms = at_sample / (PART_SAMPLES as u64 / PART_MS);
                    tracing::warn!(?reason, at_ms, "the sandbox recogniser noticed damaged audio");
                    match &mut self.stretch {
                        Some(stretch) => stretch.flagged = true,
                        None => self.late_flag = true,
                    }
                }
            }
        }
    }

    fn hear_word(&mut self, text: &str, end_ms: u64, now: Duration) {
        self.word_end_ms = Some(end_ms);
        let lag = Duration::from_millis(self.position_ms.saturating_sub(end_ms));
        let stretch = self.stretch_at(end_ms);
        let start_ms = stretch.words.last().map_or(stretch.start_ms, |word| word.end_ms).min(end_ms);
        stretch.words.push(HeardWord { text: subcarrier::written(text), start_ms, end_ms });
        stretch.understood = true;
        let due = stretch.treatment.interim.due(now.saturating_sub(lag));
        self.tell_partial(due, now);
    }

    fn tell_partial(&mut self, due: Duration, now: Duration) {
        if !self.settings.interim_results || self.waiting.len() >= MAX_WAITING {
            return;
        }
        let end_ms = self.position_ms;
        if let Some(stretch) = &self.stretch {
            // One step tells all of its words at once.
            if !stretch.treatment.interim.step.is_zero() {
                self.waiting.pop_back_if(|(earlier, output)| *earlier == due && output.is_partial());
            }
            let output = match stretch.failure() {
                Some(fault) => Output::Fault(fault),
                None => Output::Result { transcript: stretch.transcript(end_ms), injected: None },
            };
            self.enqueue(due, now, output);
        }
    }

    fn tell_unintelligible(&mut self, now: Duration) {
        let Some(stretch) = &mut self.stretch else { return };
        if stretch.understood || stretch.unintelligible || stretch.voiced_ms < UNINTELLIGIBLE_MS {
            return;
        }
        stretch.unintelligible = true;
        if !self.told_unintelligible {
            self.told_unintelligible = true;
            tracing::warn!("caller speech carries no sub-carrier: unintelligible to the sandbox recogniser");
        }
        let due = stretch.treatment.interim.due(now);
        self.tell_partial(due, now);
    }

    /// The silence that ends an utterance has been heard, and nothing of the speech is left in the decoder.
    fn endpoint_reached(&self) -> bool {
        let needed_ms = match self.settings.endpoint {
            Endpoint::Silence(ms) => u64::from(ms),
            Endpoint::Off => NO_ENDPOINTING_MS,
            Endpoint::Commit => return false,
        };
        let settled = !self.decoder.in_utterance() || self.silence_ms() >= SETTLE_MS;
        self.silence_ms() >= needed_ms && settled
    }

    /// The stretch is over: its transcript will not change any more.
    fn conclude(&mut self, speech_final: bool, from_finalize: bool, now: Duration) {
        let Some(stretch) = self.stretch.take() else { return };
        let end = self.last_voice.unwrap_or(Moment { ms: self.position_ms, arrived_at: now });
        let Treatment { delay, fault, .. } = stretch.treatment;
        let due = end.arrived_at + delay;
        // A final transcript does not wait for partial ones that it makes superfluous.
        while self.waiting.pop_back_if(|(later, output)| *later > due && output.is_partial()).is_some() {}
        let output = match stretch.failure() {
            Some(fault) => Output::Fault(fault),
            None => Output::Result {
                transcript: Transcript {
                    is_final: true,
                    speech_final,
                    from_finalize,
                    ..stretch.transcript(end.ms.max(stretch.start_ms))
                },
                injected: Some(InjectedDelay { heard_at: end.arrived_at, delay, fault }),
            },
        };
        self.enqueue(due, now, output);
    }

    /// Something happened to speech whose transcript has been given already.
    fn report_late_flag(&mut self, now: Duration) {
        if std::mem::take(&mut self.late_flag) {
            self.answer_empty(Confidence::Flagged, false, now);
        }
    }

    fn answer_empty(&mut self, confidence: Confidence, from_finalize: bool, now: Duration) {
        let transcript = Transcript {
            words: Vec::new(),
            start_ms: self.position_ms,
            end_ms: self.position_ms,
            confidence,
            is_final: true,
            speech_final: false,
            from_finalize,
        };
        self.enqueue(now, now, Output::Result { transcript, injected: None });
    }

    fn end_utterance(&mut self, now: Duration) {
        let (Some(pause_ms), Some(last_word_end_ms), None) =
            (self.settings.utterance_end_ms, self.word_end_ms, &self.stretch)
        else {
            return;
        };
        if self.position_ms.saturating_sub(last_word_end_ms) >= u64::from(pause_ms) {
            self.word_end_ms = None;
            self.enqueue(now, now, Output::UtteranceEnd { last_word_end_ms });
        }
    }

    /// Nothing leaves before its cause has arrived, nor before what was said earlier.
    fn enqueue(&mut self, due: Duration, now: Duration, output: Output) {
        let earlier = self.waiting.back().map_or(Duration::ZERO, |(due, _)| *due);
        self.waiting.push_back((due.max(now).max(earlier), output));
    }

    fn silence_ms(&self) -> u64 {
        self.last_voice.map_or(u64::MAX, |voice| self.position_ms.saturating_sub(voice.ms))
    }

    fn stretch_ms(&self) -> u64 {
        self.stretch.as_ref().map_or(0, |stretch| self.position_ms.saturating_sub(stretch.start_ms))
    }
}

impl Stretch {
    /// What goes wrong instead of a result; a stall is only a delay.
    fn failure(&self) -> Option<Fault> {
        self.treatment.fault.filter(|fault| *fault != Fault::Stall)
    }

    fn transcript(&self, end_ms: u64) -> Transcript {
        let confidence = match (self.flagged, self.words.is_empty()) {
            (true, _) => Confidence::Flagged,
            (false, true) => Confidence::Nothing,
            (false, false) => Confidence::Sure,
        };
        Transcript {
            words: self.words.clone(),
            start_ms: self.start_ms,
            end_ms,
            confidence,
            is_final: false,
            speech_final: false,
            from_finalize: false,
        }
    }
}

#[cfg(test)]
#[path = "listener_tests.rs"]
mod tests;
