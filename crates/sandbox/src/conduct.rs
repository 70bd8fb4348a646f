//! How the vendors behave: for each request, how long it is delayed and what goes wrong with it.

use crate::{
    Profile,
    injected::{Delayed, Injected, InjectedLog},
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

/// What a rate-limited client is asked to wait.
pub const RETRY_AFTER: Duration = Duration::from_secs(1);

/// The things that can be slow or go wrong, each counted and drawn for by itself.
///
/// The two socket vendors have two each: opening the socket, and each thing that is asked of it afterwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RequestKind {
    /// Opening a Deepgram socket.
    RecogniserOpening,
    /// One utterance heard by Deepgram.
    Utterance,
    /// One OpenAI chat completion.
    Generation,
    /// Opening an ElevenLabs socket.
    VoiceOpening,
    /// One text spoken by ElevenLabs.
    Synthesis,
}

impl RequestKind {
    /// The vendor it is asked of, by the name it has in metrics and logs.
    pub const fn vendor(self) -> &'static str {
        match self {
            Self::RecogniserOpening | Self::Utterance => "deepgram",
            Self::Generation => "openai",
            Self::VoiceOpening | Self::Synthesis => "elevenlabs",
        }
    }
}

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
    /// Every final transcript, and the partial ones before it.
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
    /// Wait this long between two tokens; zero for anything that has none.
    pub token_interval: Duration,
    /// What goes wrong.
    pub fault: Option<Fault>,
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
}

/// The behaviour of all vendors of one sandbox.
#[derive(Debug)]
pub struct Conduct {
    seed: u64,
    clock: Arc<dyn Clock>,
    state: Mutex<ConductState>,
    injected: InjectedLog,
}

#[derive(Debug)]
struct ConductState {
    behaviour: Behaviour,
    requests: BTreeMap<RequestKind, u64>,
}

impl Conduct {
    /// A behaviour whose draws follow from the seed.
    pub fn new(seed: u64, behaviour: Behaviour, clock: Arc<dyn Clock>) -> Self {
        let state = Mutex::new(ConductState { behaviour, requests: BTreeMap::new() });
        Self { seed, clock, state, injected: InjectedLog::default() }
    }

    /// Decides about the next request of a kind.
    pub fn next(&self, kind: RequestKind) -> Treatment {
        let mut state = self.lock();
        let counter = state.requests.entry(kind).or_default();
        *counter += 1;
        let mut rng = rng_of(self.seed, kind, *counter);
        // Both are always drawn, in this order: a programmed fault must not shift the delays of later requests.
        let (quantile, luck) = (rng.random::<f64>(), rng.random::<f64>());
        let Behaviour { profile, delays, faults } = &mut state.behaviour;
        let (drawn, extra_ms) = match kind {
            RequestKind::RecogniserOpening | RequestKind::VoiceOpening => (Duration::ZERO, 0),
            RequestKind::Utterance => (profile.final_transcript().at(quantile), delays.recogniser_ms),
            RequestKind::Generation => (profile.first_token().at(quantile), delays.first_token_ms),
            RequestKind::Synthesis => (profile.first_byte().at(quantile), delays.first_byte_ms),
        };
        let token_interval = match kind {
            RequestKind::Generation => {
                profile.token_interval() + Duration::from_millis(delays.token_ms.into())
            }
            RequestKind::RecogniserOpening
            | RequestKind::Utterance
            | RequestKind::VoiceOpening
            | RequestKind::Synthesis => Duration::ZERO,
        };
        let fault = take_programmed(faults, kind).or_else(|| fault_of(*profile, luck));
        let stall = if fault == Some(Fault::Stall) { STALL } else { Duration::ZERO };
        Treatment { delay: drawn + Duration::from_millis(extra_ms.into()) + stall, token_interval, fault }
    }

    /// Records a delay that was added on purpose.
    pub fn record(&self, kind: RequestKind, delayed: &Delayed<'_>) {
        self.injected.add(self.clock.now(), kind.vendor(), delayed);
    }

    /// The records after the given sequence number; see [`InjectedLog::after`].
    pub fn injected_after(&self, sequence: u64) -> Vec<Injected> {
        self.injected.after(sequence)
    }

    /// How the vendors behave now; programmed faults count down as they happen.
    pub fn behaviour(&self) -> Behaviour {
        self.lock().behaviour.clone()
    }

    /// Changes the behaviour from the next request on, in one step, and returns what it is now.
    pub fn change(&self, change: impl FnOnce(&mut Behaviour)) -> Behaviour {
        let mut state = self.lock();
        change(&mut state.behaviour);
        state.behaviour.clone()
    }

    /// The sandbox's clock.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// An identifier in the form vendors give theirs: unpredictable to look at, repeatable from the seed.
    pub fn identifier(&self, kind: RequestKind) -> uuid::Uuid {
        let counter = self.lock().requests.get(&kind).copied().unwrap_or_default();
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
        let behaviour = Behaviour { profile, delays: Delays::default(), faults: Vec::new() };
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

    #[test]
    fn stalling_has_the_shares_of_faults_it_says_and_the_other_profiles_none() {
        let count = 40_000;
        let all = draws(&conduct(5, Profile::Stalling), RequestKind::Generation, count);
        let share = |fault| all.iter().filter(|one| one.fault == Some(fault)).count() as f64 / count as f64;
        for (fault, expected, tolerance) in [
            (Fault::Stall, 0.01, 0.002),
            (Fault::Refuse, 0.01, 0.002),
            (Fault::RateLimit, 0.01, 0.002),
            (Fault::HalfOpen, 0.001, 0.0006),
            (Fault::Disconnect, 0.0, 1e-9),
            (Fault::Garbage, 0.0, 1e-9),
        ] {
            assert!((share(fault) - expected).abs() < tolerance, "{fault:?}: {}", share(fault));
        }
        for profile in [Profile::Zero, Profile::Fast, Profile::Typical, Profile::Slow] {
            let all = draws(&conduct(5, profile), RequestKind::Generation, 1_000);
            assert!(all.iter().all(|one| one.fault.is_none()), "{profile}");
        }
    }
}
