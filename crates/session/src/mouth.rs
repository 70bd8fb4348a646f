//! One call's link to a voice: opened before it is needed, and opened elsewhere when it fails.
//!
//! A link on which a phrase has failed is not used again. The next one goes to the next healthy route; once a better one
//! can be trusted again, a link to it is opened in the background and used from the next pause on.

use crate::{
    convert::Converter,
    links::{Failures, Opening, pause},
    measure,
    phrases::{CachedPhrase, Collector, PhraseKey, aligned},
    trim::Trimmer,
};
use seiketsu_call::{SynthesisEvent, SynthesisId};
use seiketsu_domain::TenantId;
use seiketsu_providers::{
    failover::{Attempt, Kind, Route, Routes},
    failure::{Failure, FailureKind},
    voice::{self, Voice, VoiceEvent, VoiceInput, VoiceOptions, VoiceSession},
};
use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

/// Phrases that may wait for a link to open.
const WAITING: usize = 32;
/// A phrase that is given up after so long without its first sound was given up because of that.
const LATE: Duration = Duration::from_millis(900);
/// The same when it fell silent in the middle.
const STUCK: Duration = Duration::from_millis(400);

#[derive(Debug)]
struct Link {
    session: VoiceSession,
    route: Route<dyn Voice>,
    /// Sound has come over it.
    sounded: bool,
}

/// A phrase that is being said.
#[derive(Debug)]
struct Active {
    attempt: Attempt,
    /// When the last sound of it came.
    progress_at: Option<Duration>,
    converter: Option<Converter>,
    trimmer: Trimmer,
    /// Collects a fixed sentence for the cache.
    keep: Option<(PhraseKey, Collector)>,
}

/// A phrase that waits for a link.
#[derive(Debug)]
struct Waiting {
    id: SynthesisId,
    text: String,
    fixed: bool,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Mouth {
    tenant: TenantId,
    options: VoiceOptions,
    routes: Routes<dyn Voice>,
    link: Option<Link>,
    /// A link to a better route, used as soon as nothing is being said over the other.
    spare: Option<Link>,
    opening: bool,
    /// Links in a row that could not be opened or were lost before a sound came over them.
    failures: Failures,
    /// Routes that do not accept what this call asks for.
    refused: Vec<usize>,
    waiting: VecDeque<Waiting>,
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
    pub(crate) fn new(tenant: TenantId, options: VoiceOptions, routes: Routes<dyn Voice>) -> Self {
        Self {
            tenant,
            options,
            routes,
            link: None,
            spare: None,
            opening: false,
            failures: Failures::default(),
            refused: Vec::new(),
            waiting: VecDeque::new(),
            active: BTreeMap::new(),
        }
    }

    /// How everything is to be spoken.
    pub(crate) fn options(&self) -> &VoiceOptions {
        &self.options
    }

    /// The keys under which a fixed sentence may have been kept: the voice in use first, then the others in order.
    pub(crate) fn keys(&self, text: &str) -> Vec<PhraseKey> {
        let current = self.link.as_ref().map(|link| link.route.order);
        let others = (0..self.routes.len()).filter(|order| Some(*order) != current);
        current
            .into_iter()
            .chain(others)
            .filter_map(|order| self.routes.iter().nth(order))
            .map(|route| self.key(route, text))
            .collect()
    }

    fn key(&self, route: &Route<dyn Voice>, text: &str) -> PhraseKey {
        PhraseKey::new(self.tenant, route.health.endpoint(), &self.options, text)
    }

    /// The link to open now, if one is needed; answers once per attempt.
    pub(crate) fn wants_opening(&mut self) -> Option<Opening<dyn Voice>> {
        if self.opening || self.spare.is_some() {
            return None;
        }
        let allowed = |route: &Route<dyn Voice>| !self.refused.contains(&route.order);
        let opening = match &self.link {
            None => Opening {
                route: self.routes.pick(&self.failures.tried, allowed).clone(),
                delay: pause(self.failures.count, self.routes.len()),
            },
            Some(link) => {
                // Away from a route that others have found to fail, else only to a better one.
                let below = if link.route.health.is_failing() { self.routes.len() } else { link.route.order };
                let route = self.routes.better_than(below, allowed)?;
                Opening { route: route.clone(), delay: Duration::ZERO }
            }
        };
        self.opening = true;
        Some(opening)
    }

    /// The attempt to open has ended.
    pub(crate) fn opened(
        &mut self,
        route: Route<dyn Voice>,
        result: Result<VoiceSession, Failure>,
    ) -> Spoken {
        self.opening = false;
        let mut spoken = Spoken::default();
        match result {
            Ok(session) => {
                if route.order > 0 {
                    measure::failed_over(Kind::Voice, route.health.endpoint());
                }
                let link = Link { session, route, sounded: false };
                if self.link.is_some() {
                    self.spare = Some(link);
                    self.change_over();
                } else {
                    self.link = Some(link);
                    // If the link is lost over one of them, the others wait for the next.
                    for waiting in std::mem::take(&mut self.waiting) {
                        self.send(waiting, &mut spoken);
                    }
                }
            }
            Err(failure) => {
                route.health.failed(&failure);
                self.refuse(&route, &failure);
                if self.link.is_none() {
                    self.failures.another(route.order);
                    if self.failures.count as usize >= self.routes.len() {
                        let gone = self.waiting.drain(..).map(|phrase| (phrase.id, SynthesisEvent::Failed));
                        spoken.events.extend(gone);
                    }
                }
                spoken.failure = Some(failure);
            }
        }
        spoken
    }

    /// The next event of the open link; never resolves without one.
    pub(crate) async fn next(&mut self) -> Option<VoiceEvent> {
        match &mut self.link {
            Some(link) => link.session.events.recv().await,
            None => std::future::pending().await,
        }
    }

    /// Says a phrase; a fixed one is also collected for the cache.
    pub(crate) fn speak(&mut self, id: SynthesisId, text: String, fixed: bool) -> Spoken {
        self.change_over();
        if self.active.is_empty() && self.link.as_ref().is_some_and(|link| self.is_lost_cause(link)) {
            self.link = None;
        }
        let mut spoken = Spoken::default();
        self.send(Waiting { id, text, fixed }, &mut spoken);
        spoken
    }

    /// Others have found out that the vendor fails, and there is somewhere else to go.
    fn is_lost_cause(&self, link: &Link) -> bool {
        link.route.health.is_failing() && self.routes.iter().any(|route| route.health.is_healthy())
    }

    /// Stops saying it. If no sound of it came for long, and none of anything else either, the link goes with it:
    /// whoever asks again should ask elsewhere.
    pub(crate) fn cancel(&mut self, id: SynthesisId) -> Spoken {
        self.waiting.retain(|waiting| waiting.id != id);
        let (Some(mut active), Some(link)) = (self.active.remove(&id.0), &self.link) else {
            return Spoken::default();
        };
        let silent = |active: &Active| match active.progress_at {
            None => true,
            Some(_) => active.attempt.silent_for() >= STUCK,
        };
        let begun = active.progress_at.is_some();
        if silent(&active) && (begun || active.attempt.waited() >= LATE) && self.active.values().all(silent) {
            self.failures.another(link.route.order);
            if begun {
                let detail =
                    format!("silent in the middle for {} ms", active.attempt.silent_for().as_millis());
                active.attempt.failed(&Failure::new(link.route.vendor, FailureKind::Timeout, detail));
            }
            return self.abandon();
        }
        // If the link takes no more, its end will be noticed.
        let _ = link.session.input.try_send(VoiceInput::Cancel { id: voice::SynthesisId(id.0) });
        Spoken::default()
    }

    /// Leaves the link; what was being said over it failed.
    fn abandon(&mut self) -> Spoken {
        self.link = self.spare.take();
        let ids = std::mem::take(&mut self.active).into_keys();
        let events = ids.map(|id| (SynthesisId(id), SynthesisEvent::Failed)).collect();
        Spoken { events, ..Spoken::default() }
    }

    fn send(&mut self, phrase: Waiting, spoken: &mut Spoken) {
        let Some(link) = &self.link else {
            if self.waiting.len() < WAITING {
                self.waiting.push_back(phrase);
            } else {
                spoken.events.push((phrase.id, SynthesisEvent::Failed));
            }
            return;
        };
        let Waiting { id, text, fixed } = phrase;
        let format = self.options.format;
        let keep = fixed.then(|| (self.key(&link.route, &text), Collector::new(format)));
        let active = Active {
            attempt: link.route.health.begin(),
            progress_at: None,
            converter: Converter::between(link.session.format, format),
            trimmer: Trimmer::new(format),
            keep,
        };
        let taken = link.session.input.try_send(VoiceInput::Speak { id: voice::SynthesisId(id.0), text });
        self.active.insert(id.0, active);
        if taken.is_err() {
            let failure = self.silent_end("it takes no more phrases");
            spoken.merge(self.lost(failure));
        }
    }

    /// The link in use is of no use any more; what was being said failed.
    fn lost(&mut self, failure: Failure) -> Spoken {
        let idle = self.active.is_empty() && self.link.as_ref().is_some_and(|link| link.sounded);
        match (self.active.values_mut().next(), &self.link) {
            // However many phrases were on their way: it is one failure.
            (Some(first), _) => first.attempt.failed(&failure),
            // Vendors close what is not used. Whether it was that, a probe tells.
            (None, Some(link)) if idle && failure.kind == FailureKind::Closed => link.route.health.suspect(),
            (None, Some(link)) => link.route.health.failed(&failure),
            (None, None) => {}
        }
        if let Some(link) = self.link.take() {
            if !idle {
                self.failures.another(link.route.order);
            }
            self.refuse(&link.route, &failure);
        }
        Spoken { failure: Some(failure), ..self.abandon() }
    }

    /// Remembers a route that refuses what this call asks for; another call may ask for something else.
    fn refuse(&mut self, route: &Route<dyn Voice>, failure: &Failure) {
        if failure.kind == FailureKind::BadRequest && !self.refused.contains(&route.order) {
            self.refused.push(route.order);
        }
    }

    fn silent_end(&self, detail: &str) -> Failure {
        let vendor = self.link.as_ref().map_or(self.routes.first().vendor, |link| link.route.vendor);
        Failure::new(vendor, FailureKind::Closed, detail)
    }

    /// Goes over to the spare link if nothing is being said over the other.
    fn change_over(&mut self) {
        if self.active.is_empty() && self.spare.is_some() {
            self.link = self.spare.take();
        }
    }

    /// Takes what came over the link; `None` is its end.
    pub(crate) fn event(&mut self, event: Option<VoiceEvent>, now: Duration) -> Spoken {
        let spoken = match event {
            None => {
                let failure = self.silent_end("the link ended");
                self.lost(failure)
            }
            Some(VoiceEvent::Audio { id, audio, alignment }) => {
                let Some(active) = self.active.get_mut(&id.0) else { return Spoken::default() };
                if !audio.is_empty() {
                    self.failures.none();
                    // Good is what is complete: a voice may fall silent in the middle of every phrase.
                    active.attempt.begun();
                    if let Some(link) = &mut self.link {
                        link.sounded = true;
                    }
                }
                active.progress_at = Some(now);
                let audio = match &mut active.converter {
                    Some(converter) => converter.convert(&audio),
                    None => audio,
                };
                if let Some((_, collector)) = &mut active.keep {
                    collector.take(audio.clone(), alignment.iter().map(aligned));
                }
                let audio = active.trimmer.audio(audio);
                let mut alignment: Vec<_> = alignment.iter().map(aligned).collect();
                active.trimmer.shift(&mut alignment);
                let event = SynthesisEvent::Audio { audio, alignment };
                Spoken { events: vec![(SynthesisId(id.0), event)], ..Spoken::default() }
            }
            Some(VoiceEvent::Finished { id }) => {
                let Some(mut active) = self.active.remove(&id.0) else { return Spoken::default() };
                active.attempt.answered();
                let keep = active.keep.map(|(key, collector)| (key, collector.finish()));
                Spoken { events: vec![(SynthesisId(id.0), SynthesisEvent::Finished)], keep, failure: None }
            }
            Some(VoiceEvent::Failed { id: Some(id), failure }) => self.phrase_failed(id, failure),
            Some(VoiceEvent::Failed { id: None, failure }) => self.lost(failure),
        };
        self.change_over();
        spoken
    }

    fn phrase_failed(&mut self, id: voice::SynthesisId, failure: Failure) -> Spoken {
        // A phrase that nobody waits for any more may have been cancelled in time to be refused.
        let Some(mut active) = self.active.remove(&id.0) else { return Spoken::default() };
        active.attempt.failed(&failure);
        let mut spoken =
            Spoken { events: vec![(SynthesisId(id.0), SynthesisEvent::Failed)], ..Spoken::default() };
        if self.routes.len() > 1 {
            // The others fail with it; but it is one failure, and it has been counted.
            if let Some(link) = self.link.take() {
                self.failures.another(link.route.order);
                self.refuse(&link.route, &failure);
            }
            spoken.merge(self.abandon());
        }
        spoken.failure = Some(failure);
        spoken
    }

    /// How long until a phrase counts as stalled.
    pub(crate) fn due(&self, now: Duration) -> Option<Duration> {
        let stall = self.stall()?;
        self.active
            .values()
            .map(|active| match active.progress_at {
                None => active.attempt.stalls_in().unwrap_or_default(),
                Some(at) => (at + stall).saturating_sub(now),
            })
            .min()
    }

    /// Gives up a link over which no sound comes any more.
    pub(crate) fn check(&mut self, now: Duration) -> Spoken {
        if self.due(now) != Some(Duration::ZERO) {
            return Spoken::default();
        }
        let stall = self.stall().unwrap_or_default();
        let vendor = self.silent_end("").vendor;
        let detail = format!("no sound for {} ms", stall.as_millis());
        self.lost(Failure::new(vendor, FailureKind::Timeout, detail))
    }

    fn stall(&self) -> Option<Duration> {
        self.link.as_ref().map(|link| link.route.health.patience().stall)
    }
}

impl Spoken {
    fn merge(&mut self, other: Self) {
        self.events.extend(other.events);
        self.failure = other.failure.or(self.failure.take());
    }
}

#[cfg(test)]
#[path = "mouth_tests.rs"]
mod tests;
