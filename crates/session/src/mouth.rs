//! One call's link to its voice: opened before it is needed, reopened when it dies.

use crate::{
    phrases::{CachedPhrase, Collector, PhraseKey, aligned},
    trim::Trimmer,
};
use seiketsu_call::{SynthesisEvent, SynthesisId};
use seiketsu_domain::AudioFormat;
use seiketsu_providers::{
    failure::Failure,
    voice::{self, VoiceEvent, VoiceInput, VoiceSession},
};
use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

/// Phrases that may wait for the link to open.
const WAITING: usize = 32;
const FIRST_RETRY: Duration = Duration::from_millis(100);
/// Short, because a phrase that comes meanwhile waits for it.
const LONGEST_RETRY: Duration = Duration::from_secs(1);

#[derive(Debug)]
struct Active {
    trimmer: Trimmer,
    /// Collects a fixed sentence for the cache.
    keep: Option<(PhraseKey, Collector)>,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Mouth {
    format: AudioFormat,
    session: Option<VoiceSession>,
    opening: bool,
    /// Links in a row that could not be opened or were lost before a sound came over them.
    failures: u32,
    waiting: VecDeque<VoiceInput>,
    active: BTreeMap<u64, Active>,
}

/// What a voice event means for the engine and the cache.
#[derive(Debug, Default)]
pub(crate) struct Spoken {
    pub events: Vec<(SynthesisId, SynthesisEvent)>,
    pub keep: Option<(PhraseKey, CachedPhrase)>,
    pub failure: Option<Failure>,
}

impl Mouth {
    pub(crate) fn new(format: AudioFormat) -> Self {
        Self {
            format,
            session: None,
            opening: false,
            failures: 0,
            waiting: VecDeque::new(),
            active: BTreeMap::new(),
        }
    }

    /// Whether the link has to be opened, and after how long; answers once per attempt.
    pub(crate) fn wants_opening(&mut self) -> Option<Duration> {
        if self.session.is_some() || self.opening {
            return None;
        }
        self.opening = true;
        Some(match self.failures {
            0 => Duration::ZERO,
            failures => LONGEST_RETRY.min(FIRST_RETRY * 2_u32.saturating_pow(failures.min(8) - 1)),
        })
    }

    /// The next event of the open link; never resolves without one.
    pub(crate) async fn next(&mut self) -> Option<VoiceEvent> {
        match &mut self.session {
            Some(session) => session.events.recv().await,
            None => std::future::pending().await,
        }
    }

    /// The attempt to open has ended.
    pub(crate) fn opened(&mut self, result: Result<VoiceSession, Failure>) -> Spoken {
        self.opening = false;
        match result {
            Ok(session) => {
                self.session = Some(session);
                let mut spoken = Spoken::default();
                while let Some(input) = self.waiting.pop_front() {
                    self.send(input, &mut spoken);
                }
                spoken
            }
            Err(failure) => self.lost(Some(failure)),
        }
    }

    /// Says a phrase; a fixed one is also collected under `keep`.
    pub(crate) fn speak(&mut self, id: SynthesisId, text: String, keep: Option<PhraseKey>) -> Spoken {
        let keep = keep.map(|key| (key, Collector::new(self.format)));
        self.active.insert(id.0, Active { trimmer: Trimmer::new(self.format), keep });
        let mut spoken = Spoken::default();
        self.send(VoiceInput::Speak { id: voice::SynthesisId(id.0), text }, &mut spoken);
        spoken
    }

    /// Stops saying it.
    pub(crate) fn cancel(&mut self, id: SynthesisId) {
        if self.active.remove(&id.0).is_some() {
            let vendor = voice::SynthesisId(id.0);
            self.waiting.retain(|input| !matches!(input, VoiceInput::Speak { id, .. } if *id == vendor));
            self.send(VoiceInput::Cancel { id: vendor }, &mut Spoken::default());
        }
    }

    fn send(&mut self, input: VoiceInput, spoken: &mut Spoken) {
        let Some(session) = &self.session else {
            if self.waiting.len() < WAITING {
                self.waiting.push_back(input);
            } else if let VoiceInput::Speak { id, .. } = input {
                self.active.remove(&id.0);
                spoken.events.push((SynthesisId(id.0), SynthesisEvent::Failed));
            }
            return;
        };
        if session.input.try_send(input).is_err() {
            let lost = self.lost(None);
            spoken.events.extend(lost.events);
        }
    }

    /// The link is gone; what was being said failed.
    fn lost(&mut self, failure: Option<Failure>) -> Spoken {
        self.session = None;
        self.failures = self.failures.saturating_add(1);
        self.waiting.clear();
        let events = std::mem::take(&mut self.active)
            .into_keys()
            .map(|id| (SynthesisId(id), SynthesisEvent::Failed))
            .collect();
        Spoken { events, keep: None, failure }
    }

    /// Takes what came over the link; `None` is its end.
    pub(crate) fn event(&mut self, event: Option<VoiceEvent>) -> Spoken {
        let Some(event) = event else { return self.lost(None) };
        match event {
            VoiceEvent::Audio { id, audio, alignment } => {
                self.failures = 0;
                let Some(active) = self.active.get_mut(&id.0) else { return Spoken::default() };
                if let Some((_, collector)) = &mut active.keep {
                    collector.take(audio.clone(), alignment.iter().map(aligned));
                }
                let audio = active.trimmer.audio(audio);
                let mut alignment: Vec<_> = alignment.iter().map(aligned).collect();
                active.trimmer.shift(&mut alignment);
                let event = SynthesisEvent::Audio { audio, alignment };
                Spoken { events: vec![(SynthesisId(id.0), event)], ..Spoken::default() }
            }
            VoiceEvent::Finished { id } => {
                let Some(active) = self.active.remove(&id.0) else { return Spoken::default() };
                let keep = active.keep.map(|(key, collector)| (key, collector.finish()));
                Spoken { events: vec![(SynthesisId(id.0), SynthesisEvent::Finished)], keep, failure: None }
            }
            VoiceEvent::Failed { id: Some(id), failure } => {
                let known = self.active.remove(&id.0).is_some();
                let events =
                    known.then_some((SynthesisId(id.0), SynthesisEvent::Failed)).into_iter().collect();
                Spoken { events, keep: None, failure: Some(failure) }
            }
            VoiceEvent::Failed { id: None, failure } => self.lost(Some(failure)),
        }
    }
}
