//! All live calls of this replica.

use crate::{
    Desk, Door, DoorUpdate, OpenCall, PhraseCache, StoreFailure, Telephony, measure,
    phrases::{Job, Phrases},
    run, sentences,
};
use seiketsu_domain::{AgentProfile, AudioFormat, CallId, Clock, TenantScope};
use seiketsu_providers::{
    failover::{Models, Routes},
    recogniser::Recogniser,
    voice::{Voice, VoiceOptions},
};
use std::{
    collections::BTreeSet,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::sync::Semaphore;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{Instrument, info, info_span, warn};

/// Agents whose sentences are synthesised in advance at the same time.
const PREPARING: usize = 4;

/// Bounds and times of this replica's sessions.
#[derive(Debug, Clone)]
pub struct SessionOptions {
    /// Calls held at once; more are refused at the door.
    pub max_calls: usize,
    /// When a slow answer is bridged, after the end of speech (see `call::Limits::acknowledge_after`).
    pub acknowledge_after: Duration,
    /// Requests to the model with words that may still change, per utterance.
    pub speculations: u32,
    /// When the model is asked once more because it has not said anything.
    pub hedge_after: Duration,
    /// Memory for fixed sentences.
    pub phrase_cache_bytes: u64,
}

impl Default for SessionOptions {
    fn default() -> Self {
        Self {
            max_calls: 1_000,
            acknowledge_after: Duration::from_millis(1_750),
            speculations: 2,
            hedge_after: Duration::from_millis(150),
            phrase_cache_bytes: 64 * 1024 * 1024,
        }
    }
}

/// The vendors a session talks to.
#[derive(Debug, Clone)]
pub struct Providers {
    /// Speech to text.
    pub recognisers: Routes<dyn Recogniser>,
    /// Text to text.
    pub models: Models,
    /// Text to speech.
    pub voices: Routes<dyn Voice>,
}

/// A call to start.
#[derive(Debug, Clone)]
pub struct BeginCall {
    /// Tenant, call, agent, caller.
    pub open: OpenCall,
    /// The door's audio format, both ways.
    pub format: AudioFormat,
    /// The telephone company's id of the call, for hanging up and putting through; none where there is no telephone.
    pub vendor_call_sid: Option<String>,
    /// What a client asked for before the call began.
    pub update: DoorUpdate,
}

/// Why a call was not started.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// This replica is shutting down.
    #[error("this replica is draining")]
    Draining,
    /// All places are taken.
    #[error("this replica holds as many calls as it may")]
    Full,
    /// The call is held by another socket already; that one is unharmed.
    #[error("this call is live on another socket")]
    AlreadyLive,
    /// The call's desk could not be opened.
    #[error("the desk of the call could not be opened")]
    Desk(#[source] StoreFailure),
}

/// What all sessions of this replica share.
pub(crate) struct Shared {
    pub options: SessionOptions,
    pub providers: Providers,
    pub desk: Arc<dyn Desk>,
    pub telephony: Arc<dyn Telephony>,
    pub clock: Arc<dyn Clock>,
    pub phrases: Phrases,
    /// Links that synthesise in advance may be this many at once: calls come first, and vendors count connections.
    preparing: Semaphore,
    live: Mutex<BTreeSet<CallId>>,
    tracker: TaskTracker,
    drain: CancellationToken,
}

impl Shared {
    /// Where the writers of recordings run: they may end a little later than their call, and a drain waits for them.
    pub(crate) fn writers(&self) -> TaskTracker {
        self.tracker.clone()
    }
}

/// Handle on the sessions of this replica; cheap to clone.
#[derive(Clone)]
pub struct Sessions(Arc<Shared>);

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sessions").field("live_calls", &self.live_calls()).finish_non_exhaustive()
    }
}

/// A call's place among the live ones, given back when dropped.
struct Place {
    shared: Arc<Shared>,
    call: CallId,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut live = self.shared.live.lock().unwrap_or_else(PoisonError::into_inner);
        live.remove(&self.call);
        measure::live(live.len());
    }
}

impl Sessions {
    /// Sessions over these vendors and ports. Cancelling `drain` refuses new calls; live ones go on.
    pub fn new(
        options: SessionOptions,
        providers: Providers,
        desk: Arc<dyn Desk>,
        telephony: Arc<dyn Telephony>,
        kept_phrases: Arc<dyn PhraseCache>,
        clock: Arc<dyn Clock>,
        drain: CancellationToken,
    ) -> Self {
        let phrases = Phrases::new(options.phrase_cache_bytes, kept_phrases);
        measure::live(0);
        Self(Arc::new(Shared {
            options,
            providers,
            desk,
            telephony,
            clock,
            phrases,
            preparing: Semaphore::new(PREPARING),
            live: Mutex::default(),
            tracker: TaskTracker::new(),
            drain,
        }))
    }

    /// Starts the session of a call; returns as soon as it runs.
    pub async fn start(&self, begin: BeginCall, door: Door) -> Result<(), Refused> {
        let place = self.place(begin.open.call_id)?;
        let desk = self.0.desk.open(begin.open.clone()).await.map_err(|failure| {
            measure::refused("desk");
            Refused::Desk(failure)
        })?;
        self.prepare(begin.open.scope, &begin.open.agent, begin.format).await;
        let span = info_span!("call", id = %begin.open.call_id, tenant = %begin.open.scope.tenant_id());
        let shared = Arc::clone(&self.0);
        self.0.tracker.spawn(
            async move {
                let _place = place;
                info!("call begins");
                run::run(shared, begin, desk, door).await;
            }
            .instrument(span),
        );
        Ok(())
    }

    /// Loads an agent's fixed sentences where they are kept, and synthesises the others in the background, so that none of
    /// them has to wait in a call.
    async fn prepare(&self, scope: TenantScope, agent: &AgentProfile, format: AudioFormat) {
        let shared = Arc::clone(&self.0);
        let options = VoiceOptions { voice: agent.voice.clone(), language: agent.language, format };
        let texts = sentences::fixed(agent);
        let agent = agent.id;
        let route = shared.providers.voices.pick(&[], |_| true).clone();
        let job = Job { scope: &scope, route: &route, options: &options, texts: &texts };
        shared.phrases.recall(&job).await;
        self.0.tracker.spawn(async move {
            let Ok(_turn) = shared.preparing.acquire().await else { return };
            let job = Job { scope: &scope, route: &route, options: &options, texts: &texts };
            let Some(failed) = shared.drain.run_until_cancelled(shared.phrases.prepare(&job)).await else {
                return;
            };
            if failed > 0 {
                warn!(%agent, failed, "fixed sentences could not be synthesised in advance");
            }
        });
    }

    /// An agent is to take calls: has its fixed sentences spoken, unless they are kept already. Returns how many could not
    /// be had; its next call tries those again. During a drain there is none to come.
    pub async fn publish(&self, scope: TenantScope, agent: &AgentProfile, format: AudioFormat) -> usize {
        let options = VoiceOptions { voice: agent.voice.clone(), language: agent.language, format };
        let texts = sentences::fixed(agent);
        let Ok(_turn) = self.0.preparing.acquire().await else { return texts.len() };
        let route = self.0.providers.voices.pick(&[], |_| true);
        let job = Job { scope: &scope, route, options: &options, texts: &texts };
        self.0.drain.run_until_cancelled(self.0.phrases.publish(&job)).await.unwrap_or(0)
    }

    fn place(&self, call: CallId) -> Result<Place, Refused> {
        if self.is_draining() {
            measure::refused("draining");
            return Err(Refused::Draining);
        }
        let mut live = self.0.live.lock().unwrap_or_else(PoisonError::into_inner);
        if live.contains(&call) {
            measure::refused("already_live");
            return Err(Refused::AlreadyLive);
        }
        if live.len() >= self.0.options.max_calls {
            measure::refused("full");
            return Err(Refused::Full);
        }
        live.insert(call);
        measure::live(live.len());
        Ok(Place { shared: Arc::clone(&self.0), call })
    }

    /// How many calls are live.
    pub fn live_calls(&self) -> usize {
        self.0.live.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Whether new calls are refused because the replica shuts down.
    pub fn is_draining(&self) -> bool {
        self.0.drain.is_cancelled()
    }

    /// Waits until every live call is over. Call it after `drain` was cancelled.
    pub async fn drained(&self) {
        self.0.tracker.close();
        self.0.tracker.wait().await;
    }
}
