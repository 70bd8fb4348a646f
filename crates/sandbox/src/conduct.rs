//! How the vendors behave: for each request, how long it is delayed and what goes wrong with it.
//!
//! Three things make a request go wrong, and the first that applies wins: an [`Outage`] of its service, a
//! [`ProgrammedFault`] of its kind, the shares of the profile. All three are decided here, in [`Conduct::next`]; what
//! an outage does to bytes (nothing answered, noise, a broken connection) is done by `crate::line`.

use crate::{
    Profile,
    injected::{Delayed, Injected, InjectedLog},
    line::Lines,
    outage::{Outage, OutageFault, Outages, slowed},
    profile::Interim,
    request::{RequestKind, Service},
};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use seiketsu_domain::Clock;
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// How long a stalled request keeps everybody waiting.
pub const STALL: Duration = Duration::from_secs(10);

/// What a rate-limited client is asked to wait, unless an outage says otherwise.
pub const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Between two pieces of audio of 200 ms: ten times as fast as they play, as the vendors are.
const AUDIO_INTERVAL: Duration = Duration::from_millis(20);

/// What goes wrong with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// Nothing happens for ten seconds; then everything goes on as if nothing had been.
    Stall,
    /// Turned away: HTTP 503, or on an open socket the vendor's error and a close.
    Refuse,
    /// HTTP 429 with `retry-after`, or on an open socket the vendor's error and a close.
    RateLimit,
    /// The connection stays open in mid-stream, and nothing more comes.
    HalfOpen,
    /// The connection breaks in mid-stream.
    Disconnect,
    /// Something arrives in mid-stream that the vendor's protocol does not allow.
    Garbage,
}

/// Delays on top of those of the profile, to move exactly one stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Delays {
    /// Every final transcript, and the partial ones before it, of every recogniser.
    pub recogniser_ms: u32,
    /// The first token of each generation.
    pub first_token_ms: u32,
    /// Each token after the first.
    pub token_ms: u32,
    /// The first byte of each synthesis.
    pub first_byte_ms: u32,
}

/// A fault that the next requests of a kind will suffer, whatever the profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProgrammedFault {
    /// Which requests.
    pub request: RequestKind,
    /// What goes wrong.
    pub fault: Fault,
    /// How many of them.
    pub count: u32,
}

/// What happens to one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Treatment {
    /// Wait this long; stalls are in here.
    pub delay: Duration,
    /// Wait this long between two tokens, or two pieces of audio; zero for anything that has none.
    pub interval: Duration,
    /// How partial transcripts come; see [`Interim`].
    pub interim: Interim,
    /// What goes wrong.
    pub fault: Option<Fault>,
    /// What `retry-after` says, if that is what goes wrong.
    pub retry_after: Duration,
}

/// All that can be changed while the sandbox runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Behaviour {
    /// Latency profile.
    pub profile: Profile,
    /// Delays on top.
    pub delays: Delays,
    /// Faults to come.
    pub faults: Vec<ProgrammedFault>,
    /// Services that fail, with the time they have left.
    pub outages: Vec<Outage>,
}

/// What happened to the requests of one kind so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct RequestCounts {
    /// All of them.
    pub requests: u64,
    /// Kept waiting for [`STALL`].
    pub stalled: u64,
    /// Turned away.
    pub refused: u64,
    /// Answered with 429.
    pub rate_limited: u64,
    /// Silent from mid-stream on.
    pub half_open: u64,
    /// Broken in mid-stream.
    pub disconnected: u64,
    /// Answered with something that is not the protocol.
    pub garbage: u64,
}

/// What happened to everything that was asked so far.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Counts {
    /// Requests that were taken in, and what became of them.
    pub requests: BTreeMap<RequestKind, RequestCounts>,
    /// Requests that came while their service was out, most of which were not taken in at all.
    pub outages: BTreeMap<Service, BTreeMap<OutageFault, u64>>,
}

/// The behaviour of all vendors of one sandbox.
#[derive(Debug)]
pub struct Conduct {
    seed: u64,
    clock: Arc<dyn Clock>,
    state: Mutex<ConductState>,
    injected: InjectedLog,
    lines: Arc<Lines>,
}

#[derive(Debug)]
struct ConductState {
    profile: Profile,
    delays: Delays,
    faults: Vec<ProgrammedFault>,
    outages: Outages,
    counts: Counts,
    /// Given so far.
    identifiers: u64,
}

impl ConductState {
    fn behaviour(&self, now: Duration) -> Behaviour {
        let Self { profile, delays, faults, outages, .. } = self;
        Behaviour { profile: *profile, delays: *delays, faults: faults.clone(), outages: outages.show(now) }
    }

    fn set(&mut self, behaviour: Behaviour, now: Duration) {
        let Behaviour { profile, delays, faults, outages } = behaviour;
        (self.profile, self.delays, self.faults) = (profile, delays, faults);
        self.outages.replace(&outages, now);
    }
}

impl Conduct {
    /// A behaviour whose draws follow from the seed.
    pub fn new(seed: u64, behaviour: Behaviour, clock: Arc<dyn Clock>) -> Self {
        let mut state = ConductState {
            profile: behaviour.profile,
            delays: Delays::default(),
            faults: Vec::new(),
            outages: Outages::default(),
            counts: Counts::default(),
            identifiers: 0,
        };
        state.set(behaviour, clock.monotonic());
        Self {
            seed,
            clock,
            state: Mutex::new(state),
            injected: InjectedLog::default(),
            lines: Arc::default(),
        }
    }

    /// Decides about the next request of a kind.
    pub fn next(&self, kind: RequestKind) -> Treatment {
        let now = self.clock.monotonic();
        let mut state = self.lock();
        let counts = state.counts.requests.entry(kind).or_default();
        counts.requests += 1;
        let mut rng = rng_of(self.seed, kind, counts.requests);
        // All are always drawn, in this order: a programmed fault must not shift the delays of later requests.
        let (quantile, luck, phase) = (rng.random::<f64>(), rng.random::<f64>(), rng.random::<f64>());
        let outage = state.outages.of(kind.service(), now);
        let programmed = take_programmed(&mut state.faults, kind);
        let fault = match outage {
            Some(outage) => during(outage.fault, kind),
            None => programmed.or_else(|| fault_of(state.profile, luck)),
        };
        if let Some(counts) = state.counts.requests.get_mut(&kind) {
            counts.count(fault);
        }
        let mut treatment = undisturbed(kind, state.profile, state.delays, quantile, phase);
        treatment.fault = fault;
        if let Some(outage) = outage {
            treatment.retry_after = outage.retry_after;
            if outage.fault == OutageFault::Slow {
                treatment.slow_down(kind);
            }
        }
        if fault == Some(Fault::Stall) {
            treatment.delay += STALL;
            treatment.interim.lag += STALL;
        }
        treatment
    }

    /// What is the matter with a service that is asked just now; counted, because it happens to somebody.
    pub(crate) fn suffered(&self, service: Service) -> Option<OutageFault> {
        let mut state = self.lock();
        let fault = state.outages.of(service, self.clock.monotonic())?.fault;
        *state.counts.outages.entry(service).or_default().entry(fault).or_default() += 1;
        Some(fault)
    }

    /// What happened to requests so far.
    pub fn counts(&self) -> Counts {
        self.lock().counts.clone()
    }

    /// Records a delay that was added on purpose.
    pub fn record(&self, kind: RequestKind, delayed: &Delayed<'_>) {
        self.injected.add(self.clock.now(), kind, delayed);
    }

    /// The records after the given sequence number; see [`InjectedLog::after`].
    pub fn injected_after(&self, sequence: u64) -> Vec<Injected> {
        self.injected.after(sequence)
    }

    /// How the vendors behave now; programmed faults count down as they happen, outages as time passes.
    pub fn behaviour(&self) -> Behaviour {
        self.lock().behaviour(self.clock.monotonic())
    }

    /// Changes the behaviour from the next request on, in one step, and returns what it is now. Open connections of a
    /// service whose outage begins suffer from now on.
    pub fn change(&self, change: impl FnOnce(&mut Behaviour)) -> Behaviour {
        let now = self.clock.monotonic();
        let mut state = self.lock();
        let mut behaviour = state.behaviour(now);
        let before = behaviour.outages.clone();
        change(&mut behaviour);
        state.set(behaviour, now);
        let behaviour = state.behaviour(now);
        let fault = |outages: &[Outage], service| {
            outages.iter().find(|outage| outage.service == service).map(|outage| outage.fault)
        };
        for service in Service::ALL {
            let (was, is) = (fault(&before, service), fault(&behaviour.outages, service));
            if was != is {
                tracing::info!(?service, ?was, ?is, "a sandbox service changed");
                self.lines.strike(service, is);
            }
        }
        behaviour
    }

    /// The connections that outages strike.
    pub(crate) fn lines(&self) -> &Arc<Lines> {
        &self.lines
    }

    /// The sandbox's clock.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// An identifier in the form vendors give theirs: unpredictable to look at, repeatable from the seed.
    pub fn identifier(&self, kind: RequestKind) -> uuid::Uuid {
        let counter = {
            let mut state = self.lock();
            state.identifiers += 1;
            state.identifiers
        };
        let mut rng = rng_of(!self.seed, kind, counter);
        uuid::Builder::from_random_bytes(rng.random()).into_uuid()
    }

    fn lock(&self) -> MutexGuard<'_, ConductState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A generator for one request: distinct inputs are distinct keys of the underlying cipher.
fn rng_of(seed: u64, kind: RequestKind, counter: u64) -> StdRng {
    let mut key = [0_u8; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key[8] = kind as u8;
    key[16..24].copy_from_slice(&counter.to_le_bytes());
    StdRng::from_seed(key)
}

/// What a request that was taken in suffers from its service's outage. The rest of it is in the bytes.
fn during(outage: OutageFault, kind: RequestKind) -> Option<Fault> {
    let opening = match kind {
        RequestKind::RecogniserOpening | RequestKind::VoiceOpening | RequestKind::ScribeOpening => true,
        RequestKind::Utterance
        | RequestKind::Generation
        | RequestKind::Synthesis
        | RequestKind::ScribeUtterance
        | RequestKind::Transcription
        | RequestKind::Speech => false,
    };
    match outage {
        // The vendor has no such message for an open stream.
        OutageFault::RateLimited if kind == RequestKind::Utterance => None,
        OutageFault::RateLimited => Some(Fault::RateLimit),
        // In mid-stream: the handshake succeeds.
        OutageFault::HalfOpen if opening => None,
        OutageFault::HalfOpen => Some(Fault::HalfOpen),
        OutageFault::Refused | OutageFault::Hung | OutageFault::Slow | OutageFault::Garbage => None,
    }
}

/// What the profile and the extra delays say.
fn undisturbed(kind: RequestKind, profile: Profile, delays: Delays, quantile: f64, phase: f64) -> Treatment {
    let (drawn, extra_ms) = match kind {
        RequestKind::RecogniserOpening | RequestKind::VoiceOpening | RequestKind::ScribeOpening => {
            (Duration::ZERO, 0)
        }
        RequestKind::Utterance => (profile.final_transcript().at(quantile), delays.recogniser_ms),
        RequestKind::ScribeUtterance => (profile.scribe_transcript().at(quantile), delays.recogniser_ms),
        RequestKind::Transcription => (profile.transcription().at(quantile), delays.recogniser_ms),
        RequestKind::Generation => (profile.first_token().at(quantile), delays.first_token_ms),
        RequestKind::Synthesis | RequestKind::Speech => {
            (profile.first_byte().at(quantile), delays.first_byte_ms)
        }
    };
    let extra = Duration::from_millis(extra_ms.into());
    let delay = drawn + extra;
    let (mut interim, interval) = match kind {
        RequestKind::Generation => {
            (Interim::NONE, profile.token_interval() + Duration::from_millis(delays.token_ms.into()))
        }
        // On `zero` the audio comes at once.
        RequestKind::Synthesis | RequestKind::Speech if delay.is_zero() => (Interim::NONE, Duration::ZERO),
        RequestKind::Synthesis | RequestKind::Speech => (Interim::NONE, AUDIO_INTERVAL),
        RequestKind::Utterance | RequestKind::ScribeUtterance => (profile.interim(phase), Duration::ZERO),
        RequestKind::RecogniserOpening
        | RequestKind::VoiceOpening
        | RequestKind::ScribeOpening
        | RequestKind::Transcription => (Interim::NONE, Duration::ZERO),
    };
    interim.lag += extra;
    Treatment { delay, interval, interim, fault: None, retry_after: RETRY_AFTER }
}

impl Treatment {
    fn slow_down(&mut self, kind: RequestKind) {
        self.delay = slowed(self.delay);
        self.interim = Interim { lag: slowed(self.interim.lag), ..self.interim };
        self.interval = match kind {
            RequestKind::Generation | RequestKind::Synthesis | RequestKind::Speech => slowed(self.interval),
            RequestKind::RecogniserOpening
            | RequestKind::Utterance
            | RequestKind::VoiceOpening
            | RequestKind::ScribeOpening
            | RequestKind::ScribeUtterance
            | RequestKind::Transcription => self.interval,
        };
    }
}

impl RequestCounts {
    fn count(&mut self, fault: Option<Fault>) {
        match fault {
            None => {}
            Some(Fault::Stall) => self.stalled += 1,
            Some(Fault::Refuse) => self.refused += 1,
            Some(Fault::RateLimit) => self.rate_limited += 1,
            Some(Fault::HalfOpen) => self.half_open += 1,
            Some(Fault::Disconnect) => self.disconnected += 1,
            Some(Fault::Garbage) => self.garbage += 1,
        }
    }
}

fn take_programmed(faults: &mut Vec<ProgrammedFault>, kind: RequestKind) -> Option<Fault> {
    let position = faults.iter().position(|programmed| programmed.request == kind && programmed.count > 0)?;
    let programmed = faults.get_mut(position)?;
    programmed.count -= 1;
    let fault = programmed.fault;
    faults.retain(|programmed| programmed.count > 0);
    Some(fault)
}

fn fault_of(profile: Profile, luck: f64) -> Option<Fault> {
    let shares = profile.fault_shares();
    let mut edge = 0.0;
    [
        (Fault::Stall, shares.stalled),
        (Fault::Refuse, shares.refused),
        (Fault::RateLimit, shares.rate_limited),
        (Fault::HalfOpen, shares.half_open),
    ]
    .into_iter()
    .find_map(|(fault, share)| {
        edge += share;
        (luck < edge).then_some(fault)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use seiketsu_domain::SystemClock;

    fn conduct(seed: u64, profile: Profile) -> Conduct {
        let behaviour =
            Behaviour { profile, delays: Delays::default(), faults: Vec::new(), outages: Vec::new() };
        Conduct::new(seed, behaviour, Arc::new(SystemClock::new()))
    }

    fn draws(conduct: &Conduct, kind: RequestKind, count: usize) -> Vec<Treatment> {
        (0..count).map(|_| conduct.next(kind)).collect()
    }

    #[test]
    fn the_same_seed_draws_the_same_and_another_seed_does_not() {
        let once = draws(&conduct(1, Profile::Stalling), RequestKind::Generation, 200);
        let again = draws(&conduct(1, Profile::Stalling), RequestKind::Generation, 200);
        let other = draws(&conduct(2, Profile::Stalling), RequestKind::Generation, 200);
        assert_eq!(once, again);
        assert_ne!(once, other);
    }

    #[test]
    fn requests_of_one_kind_do_not_shift_the_draws_of_another() {
        let alone = draws(&conduct(1, Profile::Typical), RequestKind::Synthesis, 20);
        let shared = conduct(1, Profile::Typical);
        draws(&shared, RequestKind::Utterance, 7);
        assert_eq!(draws(&shared, RequestKind::Synthesis, 20), alone);
    }

    #[test]
    fn extra_delays_move_exactly_their_stage_by_exactly_their_length() {
        let kinds = [RequestKind::Utterance, RequestKind::Generation, RequestKind::Synthesis];
        for (moved, delays) in [
            (RequestKind::Utterance, Delays { recogniser_ms: 300, ..Delays::default() }),
            (RequestKind::Generation, Delays { first_token_ms: 300, ..Delays::default() }),
            (RequestKind::Synthesis, Delays { first_byte_ms: 300, ..Delays::default() }),
        ] {
            let plain = conduct(3, Profile::Fast);
            let delayed = conduct(3, Profile::Fast);
            delayed.change(|behaviour| behaviour.delays = delays);
            for kind in kinds {
                let difference = delayed.next(kind).delay.checked_sub(plain.next(kind).delay);
                let expected = if kind == moved { Duration::from_millis(300) } else { Duration::ZERO };
                assert_eq!(difference, Some(expected), "{kind:?} with {delays:?}");
            }
        }
    }

    #[test]
    fn programmed_faults_strike_the_next_requests_of_their_kind_and_then_no_more() {
        let conduct = conduct(1, Profile::Zero);
        conduct.change(|behaviour| {
            behaviour.faults = vec![
                ProgrammedFault { request: RequestKind::Generation, fault: Fault::RateLimit, count: 2 },
                ProgrammedFault { request: RequestKind::Generation, fault: Fault::Stall, count: 1 },
            ];
        });
        assert_eq!(conduct.next(RequestKind::Synthesis).fault, None);
        let faults: Vec<_> =
            draws(&conduct, RequestKind::Generation, 4).iter().map(|one| one.fault).collect();
        assert_eq!(faults, [Some(Fault::RateLimit), Some(Fault::RateLimit), Some(Fault::Stall), None]);
        assert!(conduct.behaviour().faults.is_empty());
    }

    #[test]
    fn a_stall_delays_by_ten_seconds_more() {
        let plain = conduct(1, Profile::Typical).next(RequestKind::Generation).delay;
        let stalled = conduct(1, Profile::Typical);
        stalled.change(|behaviour| {
            behaviour.faults =
                vec![ProgrammedFault { request: RequestKind::Generation, fault: Fault::Stall, count: 1 }];
        });
        assert_eq!(stalled.next(RequestKind::Generation).delay, plain + STALL);
    }

    const KINDS: [RequestKind; 9] = [
        RequestKind::RecogniserOpening,
        RequestKind::Utterance,
        RequestKind::Generation,
        RequestKind::VoiceOpening,
        RequestKind::Synthesis,
        RequestKind::ScribeOpening,
        RequestKind::ScribeUtterance,
        RequestKind::Transcription,
        RequestKind::Speech,
    ];

    #[test]
    fn stalling_has_the_shares_of_faults_it_says_for_every_kind_and_the_other_profiles_none() {
        let count = 40_000;
        for kind in KINDS {
            let stalling = conduct(5, Profile::Stalling);
            let all = draws(&stalling, kind, count);
            let share =
                |fault| all.iter().filter(|one| one.fault == Some(fault)).count() as f64 / count as f64;
            for (fault, expected) in [
                (Fault::Stall, 0.01),
                (Fault::Refuse, 0.01),
                (Fault::RateLimit, 0.01),
                (Fault::HalfOpen, 0.001),
                (Fault::Disconnect, 0.0),
                (Fault::Garbage, 0.0),
            ] {
                // Four standard errors: one of 54 comparisons misses them once in 300 seeds, and the seed is fixed.
                let tolerance = 4.0 * (expected * (1.0 - expected) / count as f64).sqrt() + 1e-9;
                assert!((share(fault) - expected).abs() < tolerance, "{kind:?} {fault:?}: {}", share(fault));
            }
            let counted = stalling.counts().requests[&kind];
            assert_eq!(counted.requests, count as u64);
            let drawn = |fault| all.iter().filter(|one| one.fault == Some(fault)).count() as u64;
            assert_eq!(counted.stalled, drawn(Fault::Stall));
            assert_eq!(counted.half_open, drawn(Fault::HalfOpen));
        }
        for profile in [Profile::Zero, Profile::Fast, Profile::Typical, Profile::Slow] {
            let all = draws(&conduct(5, profile), RequestKind::Generation, 1_000);
            assert!(all.iter().all(|one| one.fault.is_none()), "{profile}");
        }
    }

    fn out(service: Service, fault: OutageFault) -> Conduct {
        let conduct = conduct(1, Profile::Zero);
        conduct.change(|behaviour| behaviour.outages = vec![Outage::new(service, fault)]);
        conduct
    }

    #[test]
    fn an_outage_concerns_its_own_service_and_no_other() {
        let conduct = out(Service::Speech, OutageFault::RateLimited);
        assert_eq!(conduct.next(RequestKind::Speech).fault, Some(Fault::RateLimit));
        for kind in KINDS.into_iter().filter(|kind| kind.service() != Service::Speech) {
            assert_eq!(conduct.next(kind).fault, None, "{kind:?}");
        }
        conduct.change(|behaviour| behaviour.outages.clear());
        assert_eq!(conduct.next(RequestKind::Speech).fault, None);
    }

    #[test]
    fn a_rate_limit_says_how_long_to_wait_and_spares_the_open_streams_of_deepgram() {
        let conduct = conduct(1, Profile::Zero);
        let outage =
            Outage { retry_after_seconds: 7, ..Outage::new(Service::Deepgram, OutageFault::RateLimited) };
        conduct.change(|behaviour| behaviour.outages = vec![outage]);
        let opening = conduct.next(RequestKind::RecogniserOpening);
        assert_eq!((opening.fault, opening.retry_after), (Some(Fault::RateLimit), Duration::from_secs(7)));
        assert_eq!(conduct.next(RequestKind::Utterance).fault, None);
    }

    #[test]
    fn a_half_open_outage_lets_handshakes_pass_and_silences_what_follows() {
        let conduct = out(Service::ElevenLabs, OutageFault::HalfOpen);
        assert_eq!(conduct.next(RequestKind::VoiceOpening).fault, None);
        assert_eq!(conduct.next(RequestKind::Synthesis).fault, Some(Fault::HalfOpen));
    }

    #[test]
    fn a_slow_service_takes_a_hundred_times_as_long_for_everything_also_for_nothing() {
        let two = Duration::from_secs(2);
        let conduct = out(Service::Model, OutageFault::Slow);
        let generation = conduct.next(RequestKind::Generation);
        assert_eq!((generation.delay, generation.interval), (two, two));
        let conduct = out(Service::Deepgram, OutageFault::Slow);
        assert_eq!(conduct.next(RequestKind::RecogniserOpening).delay, two);
        let utterance = conduct.next(RequestKind::Utterance);
        assert_eq!((utterance.delay, utterance.interim.lag), (two, two));
    }

    #[test]
    fn an_outage_does_not_shift_the_draws_of_later_requests() {
        let plain = draws(&conduct(1, Profile::Stalling), RequestKind::Speech, 40);
        let disturbed = conduct(1, Profile::Stalling);
        disturbed.change(|behaviour| {
            behaviour.outages = vec![Outage::new(Service::Speech, OutageFault::RateLimited)];
        });
        draws(&disturbed, RequestKind::Speech, 20);
        disturbed.change(|behaviour| behaviour.outages.clear());
        assert_eq!(draws(&disturbed, RequestKind::Speech, 20), plain[20..]);
    }
}
