//! One call's link to a recogniser: opened at once, and opened elsewhere when it fails, so that no word is lost.
//!
//! The caller's audio is kept until its words are final. A link that dies, or does not answer when it is asked, is
//! replaced by one to the next healthy route, which hears the kept audio again. Once a better route can be trusted again
//! and the caller is silent, a link to it takes over.

use crate::{
    activity::AudioClock,
    links::{Failures, Opening, pause},
    measure,
};
use bytes::{Bytes, BytesMut};
use seiketsu_call::{Input, VoiceActivity};
use seiketsu_providers::{
    failover::{Attempt, Kind, Route, Routes},
    failure::{Failure, FailureKind},
    recogniser::{Recogniser, RecogniserInput, RecogniserOptions, RecogniserSession, RecognitionEvent},
};
use std::{collections::VecDeque, time::Duration};
use tracing::debug;

/// Audio kept for another link; older audio is dropped.
const KEPT_US: u64 = 15_000_000;
/// While the caller is silent, this much is enough: speech is noticed within a tenth of it.
const KEPT_SILENCE_US: u64 = 1_000_000;
/// Words that end this much before the voice does cover it.
const SLACK_US: u64 = 400_000;
/// Kept audio is sent in pieces of at least this length: a link takes only so many messages at once.
const KEPT_PIECE_US: u64 = 500_000;
/// While nobody speaks, audio goes out in pieces of this length: a fifth of the messages, and no words that wait.
const GATHERED_US: u64 = 100_000;
/// A recogniser of which nothing is heard while somebody speaks is asked for its words; it answers by then.
const CHECK_PATIENCE: Duration = Duration::from_millis(900);
/// So long without any link, and nobody should wait for words any more.
const LOST: Duration = Duration::from_secs(2);
/// Words that are less sure than this are counted.
const LOW_CONFIDENCE: f32 = 0.5;

#[derive(Debug)]
struct Link {
    session: RecogniserSession,
    route: Route<dyn Recogniser>,
    /// Position in the caller's audio at which its stream began.
    base_us: u64,
    /// When something was last heard of it.
    heard_at: Duration,
    asked: Option<Asked>,
}

/// The recogniser was asked for its words.
#[derive(Debug)]
struct Asked {
    attempt: Attempt,
    until: Duration,
    /// Caller audio that it had been sent by then.
    position_us: u64,
    /// Only to see whether it is still there: the utterance goes on.
    check: bool,
}

/// What the link has to say.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    pub input: Option<Input>,
    pub failure: Option<Failure>,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Listener {
    options: RecogniserOptions,
    routes: Routes<dyn Recogniser>,
    link: Option<Link>,
    opening: bool,
    /// Links in a row that could not be opened or were lost before they understood anything.
    failures: Failures,
    /// Since when there is no link.
    lost_since: Option<Duration>,
    lost_told: bool,
    /// Audio whose words are not final.
    kept: VecDeque<(Bytes, u64)>,
    kept_us: u64,
    /// The end of it that was not sent yet.
    gathered: BytesMut,
    gathered_us: u64,
    /// Caller audio so far.
    position_us: u64,
    /// The caller speaks, since then.
    voiced_since: Option<Duration>,
    /// Position at which the speech ends whose words are not final yet; none if there is none.
    unsettled_us: Option<u64>,
    /// Position up to which all words are final.
    final_us: u64,
    /// Audio sent over all links of the call.
    sent_us: u64,
    flush_wanted: bool,
}

impl Listener {
    pub(crate) fn new(options: RecogniserOptions, routes: Routes<dyn Recogniser>, now: Duration) -> Self {
        Self {
            options,
            routes,
            link: None,
            opening: false,
            failures: Failures::default(),
            lost_since: Some(now),
            lost_told: false,
            kept: VecDeque::new(),
            kept_us: 0,
            gathered: BytesMut::new(),
            gathered_us: 0,
            position_us: 0,
            voiced_since: None,
            unsettled_us: None,
            final_us: 0,
            sent_us: 0,
            flush_wanted: false,
        }
    }

    /// How the caller is to be recognised.
    pub(crate) fn options(&self) -> &RecogniserOptions {
        &self.options
    }

    /// The link to open now, if one is needed; answers once per attempt.
    pub(crate) fn wants_opening(&mut self) -> Option<Opening<dyn Recogniser>> {
        if self.opening {
            return None;
        }
        let opening = match &self.link {
            None => Opening {
                route: self.routes.pick(&self.failures.tried, |_| true).clone(),
                delay: pause(self.failures.count, self.routes.len()),
            },
            Some(link) => {
                let busy = self.voiced_since.is_some() || self.unsettled_us.is_some() || link.asked.is_some();
                let route = self.routes.better_than(link.route.order, |_| !busy)?;
                Opening { route: route.clone(), delay: Duration::ZERO }
            }
        };
        self.opening = true;
        Some(opening)
    }

    /// The attempt to open has ended.
    pub(crate) fn opened(
        &mut self,
        route: Route<dyn Recogniser>,
        result: Result<RecogniserSession, Failure>,
        now: Duration,
    ) -> Heard {
        self.opening = false;
        let session = match result {
            Ok(session) => session,
            Err(failure) => {
                route.health.failed(&failure);
                if self.link.is_none() {
                    self.failures.another(route.order);
                }
                return Heard { failure: Some(failure), input: None };
            }
        };
        if route.order > 0 {
            measure::failed_over(Kind::Recogniser, route.health.endpoint());
        }
        let asked = self.link.take().and_then(|link| link.asked).is_some_and(|asked| !asked.check);
        let base_us = self.position_us - self.kept_us;
        self.link = Some(Link { session, route, base_us, heard_at: now, asked: None });
        self.lost_since = None;
        self.lost_told = false;
        let mut heard = self.replay(now);
        if std::mem::take(&mut self.flush_wanted) || asked {
            heard = heard.or(self.flush(now));
        }
        heard
    }

    /// Sends everything that is kept over a new link.
    fn replay(&mut self, now: Duration) -> Heard {
        self.forget_gathered();
        let mut pieces = Vec::new();
        let mut piece = (BytesMut::new(), 0);
        for (audio, length_us) in &self.kept {
            piece.0.extend_from_slice(audio);
            piece.1 += length_us;
            if piece.1 >= KEPT_PIECE_US {
                pieces.push(std::mem::take(&mut piece));
            }
        }
        pieces.push(piece);
        for (audio, length_us) in pieces {
            if length_us > 0 && !self.send(RecogniserInput::Audio(audio.freeze())) {
                return self.overwhelmed(now);
            }
            self.sent_us += length_us;
        }
        Heard::default()
    }

    /// The next event of the open link; never resolves without one.
    pub(crate) async fn next(&mut self) -> Option<RecognitionEvent> {
        match &mut self.link {
            Some(link) => link.session.events.recv().await,
            None => std::future::pending().await,
        }
    }

    /// Caller audio, in order.
    pub(crate) fn audio(&mut self, audio: Bytes, length_us: u64, now: Duration) -> Heard {
        self.kept.push_back((audio.clone(), length_us));
        self.kept_us += length_us;
        self.position_us += length_us;
        let busy = self.voiced_since.is_some() || self.unsettled_us.is_some();
        self.forget(if busy || self.link.is_none() { KEPT_US } else { KEPT_SILENCE_US });
        let Some(link) = &self.link else { return Heard::default() };
        let waits = !busy && link.asked.is_none() && self.gathered_us + length_us < GATHERED_US;
        if self.gathered_us == 0 && !waits {
            return self.send_audio(audio, length_us, now);
        }
        self.gathered.extend_from_slice(&audio);
        self.gathered_us += length_us;
        if waits { Heard::default() } else { self.send_gathered(now) }
    }

    /// It is kept besides, for the next link.
    fn forget_gathered(&mut self) {
        self.gathered.clear();
        self.gathered_us = 0;
    }

    /// Sends what has been gathered, if anything has.
    fn send_gathered(&mut self, now: Duration) -> Heard {
        match std::mem::take(&mut self.gathered_us) {
            0 => Heard::default(),
            length_us => {
                let audio = self.gathered.split().freeze();
                self.send_audio(audio, length_us, now)
            }
        }
    }

    fn send_audio(&mut self, audio: Bytes, length_us: u64, now: Duration) -> Heard {
        if self.send(RecogniserInput::Audio(audio)) {
            self.sent_us += length_us;
            Heard::default()
        } else {
            self.overwhelmed(now)
        }
    }

    /// The caller began or stopped to speak.
    pub(crate) fn voice(&mut self, change: VoiceActivity, now: Duration) {
        match change {
            VoiceActivity::Began { .. } => {
                self.voiced_since = Some(now);
                self.unsettled_us = Some(u64::MAX);
            }
            VoiceActivity::Ended { .. } => {
                self.voiced_since = None;
                let end_us = self.position_us.saturating_sub(SLACK_US);
                self.unsettled_us = (self.final_us < end_us).then_some(end_us);
            }
        }
    }

    /// Asks for the last words now.
    pub(crate) fn flush(&mut self, now: Duration) -> Heard {
        self.ask(now, None)
    }

    fn ask(&mut self, now: Duration, check: Option<Duration>) -> Heard {
        let unsent = self.send_gathered(now);
        if unsent.failure.is_some() {
            // The next link is asked in its place.
            self.flush_wanted |= check.is_none();
            return unsent;
        }
        let Some(link) = &mut self.link else {
            self.flush_wanted = true;
            return Heard::default();
        };
        let attempt = link.route.health.begin();
        let until = now + check.unwrap_or(link.route.health.patience().stall);
        let position_us = self.position_us;
        link.asked = Some(Asked { attempt, until, position_us, check: check.is_some() });
        if self.send(RecogniserInput::Finalize) { Heard::default() } else { self.overwhelmed(now) }
    }

    fn send(&self, input: RecogniserInput) -> bool {
        self.link.as_ref().is_some_and(|link| link.session.input.try_send(input).is_ok())
    }

    /// A recogniser that does not keep up with real time is a dead one.
    fn overwhelmed(&mut self, now: Duration) -> Heard {
        let failure = self.failure(FailureKind::Timeout, "it takes no more audio");
        self.lost(failure, now)
    }

    fn failure(&self, kind: FailureKind, detail: &str) -> Failure {
        let vendor = self.link.as_ref().map_or(self.routes.first().vendor, |link| link.route.vendor);
        Failure::new(vendor, kind, detail)
    }

    fn lost(&mut self, failure: Failure, now: Duration) -> Heard {
        if let Some(link) = self.link.take() {
            self.forget_gathered();
            self.failures.another(link.route.order);
            match link.asked {
                Some(mut asked) => {
                    asked.attempt.failed(&failure);
                    self.flush_wanted |= !asked.check;
                }
                None => link.route.health.failed(&failure),
            }
            self.lost_since = Some(now);
        }
        Heard { input: None, failure: Some(failure) }
    }

    /// What an event means for the engine; `None` is the end of the link.
    pub(crate) fn event(
        &mut self,
        event: Option<RecognitionEvent>,
        clock: &AudioClock,
        now: Duration,
    ) -> Heard {
        let Some(link) = &mut self.link else { return Heard::default() };
        link.heard_at = now;
        match event {
            Some(RecognitionEvent::SpeechStarted { .. } | RecognitionEvent::UtteranceEnd { .. }) => {
                Heard::default()
            }
            Some(RecognitionEvent::Partial { text, end_ms, .. }) => {
                self.failures.none();
                let end_us = link.base_us.saturating_add(end_ms.saturating_mul(1_000));
                // Answers come in the order of the audio: before the one that is owed, nothing later is understood.
                let end_us = link.asked.as_ref().map_or(end_us, |asked| asked.position_us.min(end_us));
                Input::HeardPartly { text, until: Some(clock.at(end_us)) }.into()
            }
            Some(RecognitionEvent::Final {
                text, speech_final, from_finalize, end_ms, confidence, ..
            }) => {
                self.failures.none();
                let end_us = link.base_us.saturating_add(end_ms.saturating_mul(1_000));
                let mut checked = false;
                if from_finalize && let Some(mut asked) = link.asked.take() {
                    asked.attempt.answered();
                    checked = asked.check;
                }
                self.words_are_final(end_us);
                if !text.is_empty() && confidence.is_some_and(|confidence| confidence < LOW_CONFIDENCE) {
                    measure::low_confidence();
                    debug!(?confidence, "the recogniser is not sure of these words");
                }
                let settled = speech_final || (from_finalize && !checked);
                Input::Heard { text, until: clock.at(end_us), settled }.into()
            }
            Some(RecognitionEvent::Failed(failure)) => self.lost(failure, now),
            None => {
                let failure = self.failure(FailureKind::Closed, "the link ended");
                self.lost(failure, now)
            }
        }
    }

    /// The audio up to here need not be heard again.
    fn words_are_final(&mut self, until_us: u64) {
        let until_us = until_us.min(self.position_us);
        self.final_us = self.final_us.max(until_us);
        if self.unsettled_us.is_some_and(|end_us| end_us <= until_us) {
            self.unsettled_us = None;
        }
        self.forget(self.position_us - until_us);
    }

    fn forget(&mut self, keep_us: u64) {
        while let Some((_, length_us)) = self.kept.front()
            && self.kept_us - length_us >= keep_us
        {
            self.kept_us -= length_us;
            self.kept.pop_front();
        }
    }

    /// How long until [`Listener::check`] has something to do.
    pub(crate) fn due(&self, now: Duration) -> Option<Duration> {
        let at = match &self.link {
            Some(Link { asked: Some(asked), .. }) => {
                let left = asked.until.saturating_sub(now);
                return Some(asked.attempt.doubtful_in().map_or(left, |doubtful| doubtful.min(left)));
            }
            Some(link) => self.next_check(link),
            None => self.lost_since.filter(|_| !self.lost_told).map(|since| since + LOST),
        };
        at.map(|at| at.saturating_sub(now))
    }

    fn next_check(&self, link: &Link) -> Option<Duration> {
        let (word, since) = (link.route.health.patience().word?, self.voiced_since?);
        Some(since.max(link.heard_at) + word)
    }

    /// Notices what does not happen: an answer, a word, a link.
    pub(crate) fn check(&mut self, now: Duration) -> Heard {
        if self.due(now) != Some(Duration::ZERO) {
            return Heard::default();
        }
        match &mut self.link {
            Some(Link { asked: Some(asked), .. }) if asked.until > now => {
                asked.attempt.doubted();
                Heard::default()
            }
            Some(Link { asked: Some(asked), .. }) => {
                let waited = asked.attempt.waited().as_millis();
                let detail = format!("no answer within {waited} ms to the question for the last words");
                let failure = self.failure(FailureKind::Timeout, &detail);
                self.lost(failure, now)
            }
            Some(_) => self.ask(now, Some(CHECK_PATIENCE)),
            None => {
                self.lost_told = true;
                Input::RecogniserLost.into()
            }
        }
    }

    /// Audio recognised so far, for metering.
    pub(crate) fn recognised_ms(&self) -> u64 {
        self.sent_us / 1_000
    }
}

impl Heard {
    fn or(self, other: Self) -> Self {
        Self { input: self.input.or(other.input), failure: self.failure.or(other.failure) }
    }
}

impl From<Input> for Heard {
    fn from(input: Input) -> Self {
        Self { input: Some(input), failure: None }
    }
}

#[cfg(test)]
#[path = "listener_tests.rs"]
mod tests;
