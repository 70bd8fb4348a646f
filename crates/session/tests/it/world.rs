//! Fakes behind every port, and the caller's end of the door.

use async_trait::async_trait;
use bytes::Bytes;
use seiketsu_domain::{
    AgentId, AgentProfile, AudioFormat, CallEnd, CallId, Clock, EndReason, Language, ModelChoice,
    ModelFallback, PhoneNumber, SystemClock, TenantId, TenantScope, ToolOutcome, ToolSpec, TurnOutcome,
    TurnRecord, VoiceChoice,
};
use seiketsu_providers::{
    AlignedChar, Failure, FailureKind, FinishReason, Generation, GenerationEvent, GenerationRequest,
    LanguageModel, Recogniser, RecogniserInput, RecogniserOptions, RecogniserSession, RecognitionEvent,
    TokenUsage, Vendor, Voice, VoiceEvent, VoiceInput, VoiceOptions, VoiceSession,
    failover::{Failover, Kind, ModelEndpoint, Models, Patience, Probe, Routes, Service},
    probe,
};
use seiketsu_session::{
    Arrival, BeginCall, CallDesk, CallStore, Desk, Door, DoorInput, DoorOutput, DoorUpdate, OpenCall,
    PhraseCache, PhraseDigest, Providers, SessionOptions, Sessions, Shown, SpokenPhrase, StoreFailure,
    Telephony, ToolHost, Transfer,
};
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::sync::{Notify, mpsc, watch};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use uuid::Uuid;

pub(crate) const GREETING: &str = "Hello, this is Ava.";
/// To whom callers are put through.
pub(crate) const SOMEBODY: &str = "+15125550123";
pub(crate) const APOLOGY: &str = "I am sorry, something went wrong.";
const MS_PER_CHARACTER: usize = 10;
/// As many messages as the vendors' clients take at once.
const QUEUE: usize = 64;

/// What a session does must be done by then.
pub(crate) async fn soon<T>(what: &str, happens: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(10), happens)
        .await
        .unwrap_or_else(|_| panic!("waited in vain for {what}"))
}

/// What reached the ports, in order.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Kept {
    Turn {
        number: u32,
        caller: String,
        heard: String,
        outcome: TurnOutcome,
        tools_done: usize,
        recognised_ms: u64,
    },
    End(EndReason),
    HungUp(String),
    PutThrough(PhoneNumber),
    HandedOver,
}

fn failure(vendor: Vendor) -> Failure {
    Failure::new(vendor, FailureKind::Unreachable, "refused by the test")
}

/// How a vendor is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Condition {
    Well,
    /// Answers every question with this.
    Refuses(FailureKind),
    /// Takes a connection and never answers.
    Hangs,
    /// Opens, takes everything, and says nothing.
    Mute,
    /// Goes silent in the middle of an answer.
    HalfOpen,
}

/// One of several vendors for the same thing.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    number: usize,
    vendor: Vendor,
    condition: Arc<Mutex<Condition>>,
}

impl Place {
    fn new(number: usize, vendor: Vendor) -> Self {
        Self { number, vendor, condition: Arc::new(Mutex::new(Condition::Well)) }
    }

    pub(crate) fn is(&self, condition: Condition) {
        *self.condition.lock().expect("not poisoned") = condition;
    }

    fn condition(&self) -> Condition {
        *self.condition.lock().expect("not poisoned")
    }

    /// Whether a connection can be had.
    async fn connects(&self) -> Result<(), Failure> {
        match self.condition() {
            Condition::Well | Condition::Mute | Condition::HalfOpen => Ok(()),
            Condition::Refuses(kind) => Err(Failure::new(self.vendor, kind, "refused by the test")),
            Condition::Hangs => std::future::pending().await,
        }
    }
}

#[async_trait]
impl Probe for Place {
    async fn probe(&self) -> Result<(), Failure> {
        self.connects().await?;
        match self.condition() {
            Condition::Mute | Condition::HalfOpen => std::future::pending().await,
            Condition::Well | Condition::Refuses(_) | Condition::Hangs => Ok(()),
        }
    }
}

// ---- vendors -----------------------------------------------------------------------------------------------------

/// The vendor's end of a recogniser link.
pub(crate) struct Ear {
    pub(crate) input: mpsc::Receiver<RecogniserInput>,
    pub(crate) events: mpsc::Sender<RecognitionEvent>,
    said: u64,
    /// Which of the vendors.
    pub(crate) place: usize,
}

impl Ear {
    /// The vendor has taken everything that it was sent.
    pub(crate) fn is_up_to_date(&mut self) {
        while self.input.try_recv().is_ok() {}
    }

    /// The vendor understood this, and the caller is silent now.
    pub(crate) async fn understands(&mut self, text: &str) {
        self.said += 1;
        let event = RecognitionEvent::Final {
            text: text.to_owned(),
            speech_final: true,
            from_finalize: true,
            start_ms: 0,
            end_ms: self.said * 60_000,
            confidence: None,
        };
        self.events.send(event).await.expect("the session listens");
    }
}

#[derive(Debug)]
struct FakeRecogniser {
    place: Place,
    refusals: Arc<AtomicUsize>,
    links: mpsc::UnboundedSender<Ear>,
}

impl std::fmt::Debug for Ear {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ear")
    }
}

#[async_trait]
impl Recogniser for FakeRecogniser {
    async fn open(&self, _: RecogniserOptions) -> Result<RecogniserSession, Failure> {
        self.place.connects().await?;
        if self.refusals.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok()
        {
            return Err(failure(Vendor::Deepgram));
        }
        let ((input, input_end), (events_end, events)) = (mpsc::channel(QUEUE), mpsc::channel(QUEUE));
        let _ =
            self.links.send(Ear { input: input_end, events: events_end, said: 0, place: self.place.number });
        Ok(RecogniserSession { input, events })
    }
}

/// The vendor's end of one generation.
#[derive(Debug)]
pub(crate) struct Thought {
    pub(crate) request: GenerationRequest,
    pub(crate) events: mpsc::Sender<GenerationEvent>,
    /// Which of the vendors.
    pub(crate) place: usize,
}

impl Thought {
    pub(crate) async fn says(&self, text: &str) {
        self.events.send(GenerationEvent::Text(text.to_owned())).await.expect("the session listens");
    }

    pub(crate) async fn wants(&self, tool: &str) {
        self.events.send(GenerationEvent::ToolCallBegun).await.expect("the session listens");
        let event = GenerationEvent::ToolCall {
            request: format!("request of {tool}"),
            name: tool.to_owned(),
            arguments: "{}".to_owned(),
        };
        self.events.send(event).await.expect("the session listens");
    }

    pub(crate) async fn ends(self) {
        self.has_cost(None).await;
    }

    /// Ends, and says what it consumed.
    pub(crate) async fn has_cost(&self, usage: Option<TokenUsage>) {
        let event = GenerationEvent::Finished { reason: FinishReason::Stop, usage };
        self.events.send(event).await.expect("the session listens");
    }

    pub(crate) async fn answers(self, text: &str) {
        self.says(text).await;
        self.ends().await;
    }
}

#[derive(Debug)]
struct FakeModel {
    place: Place,
    thoughts: mpsc::UnboundedSender<Thought>,
    /// Answers that never go on.
    hanging: Mutex<Vec<mpsc::Sender<GenerationEvent>>>,
}

#[async_trait]
impl LanguageModel for FakeModel {
    async fn generate(&self, request: GenerationRequest) -> Result<Generation, Failure> {
        let (sender, events) = mpsc::channel(QUEUE);
        let is_probe = request.model.max_tokens == probe::MODEL_TOKENS;
        let say = |event| sender.try_send(event).expect("there is room for the first event");
        match self.place.condition() {
            Condition::Well if is_probe => {
                say(GenerationEvent::Finished { reason: FinishReason::Length, usage: None });
            }
            Condition::Well => {
                let place = self.place.number;
                let _ = self.thoughts.send(Thought { request, events: sender, place });
            }
            Condition::Refuses(kind) => {
                say(GenerationEvent::Failed(Failure::new(self.place.vendor, kind, "refused by the test")));
            }
            condition @ (Condition::Hangs | Condition::Mute | Condition::HalfOpen) => {
                if condition == Condition::HalfOpen {
                    say(GenerationEvent::Text("We have ".to_owned()));
                }
                self.hanging.lock().expect("not poisoned").push(sender);
            }
        }
        Ok(Generation { events })
    }

    async fn warm(&self) {}
}

/// Says everything at once, except that the link dies on some texts.
#[derive(Debug, Default)]
pub(crate) struct FakeVoice {
    asked: Mutex<Vec<String>>,
    deadly: Mutex<BTreeMap<String, usize>>,
    pub(crate) opened: AtomicUsize,
    tracker: TaskTracker,
}

impl FakeVoice {
    /// Everything it was asked to say.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("not poisoned").clone()
    }

    pub(crate) fn asked_for(&self, text: &str) -> usize {
        self.asked.lock().expect("not poisoned").iter().filter(|asked| *asked == text).count()
    }

    /// The link dies so often when it is asked for this text.
    pub(crate) fn dies_on(&self, text: &str, times: usize) {
        self.deadly.lock().expect("not poisoned").insert(text.to_owned(), times);
    }

    fn survives(&self, text: &str) -> bool {
        self.asked.lock().expect("not poisoned").push(text.to_owned());
        let mut deadly = self.deadly.lock().expect("not poisoned");
        let Some(left) = deadly.get_mut(text).filter(|left| **left > 0) else { return true };
        *left -= 1;
        false
    }
}

#[derive(Debug)]
struct SharedVoice(Arc<FakeVoice>, Place);

/// The sound of a vendor's voice, so that a caller can tell them apart.
pub(crate) const SOUNDS: [u8; 2] = [0x20, 0x30];

#[async_trait]
impl Voice for SharedVoice {
    async fn open(&self, options: VoiceOptions) -> Result<VoiceSession, Failure> {
        let (voice, place) = (Arc::clone(&self.0), self.1.clone());
        place.connects().await?;
        voice.opened.fetch_add(1, Ordering::SeqCst);
        let ((input, mut asked), (sender, events)) = (mpsc::channel(QUEUE), mpsc::channel(QUEUE));
        self.0.tracker.spawn(async move {
            while let Some(input) = asked.recv().await {
                let VoiceInput::Speak { id, text } = input else { continue };
                if !voice.survives(&text) {
                    return;
                }
                let mut length = text.chars().count() * MS_PER_CHARACTER * options.format.bytes_per_ms();
                let goes_on = match place.condition() {
                    Condition::Well => true,
                    Condition::Refuses(_) | Condition::Hangs | Condition::Mute => continue,
                    Condition::HalfOpen => {
                        length /= 2;
                        false
                    }
                };
                let audio = Bytes::from(vec![SOUNDS[place.number]; length]);
                let chars = length / (MS_PER_CHARACTER * options.format.bytes_per_ms());
                let alignment = text.chars().take(chars).enumerate().map(|(at, character)| AlignedChar {
                    character,
                    start_ms: (at * MS_PER_CHARACTER) as u32,
                    duration_ms: MS_PER_CHARACTER as u32,
                });
                let alignment = alignment.collect();
                let _ = sender.send(VoiceEvent::Audio { id, audio, alignment }).await;
                if goes_on {
                    let _ = sender.send(VoiceEvent::Finished { id }).await;
                }
            }
        });
        Ok(VoiceSession { input, events, format: options.format })
    }
}

// ---- ports -------------------------------------------------------------------------------------------------------

#[derive(Debug, Clone)]
struct FakePorts {
    kept: mpsc::UnboundedSender<Kept>,
    store_works: watch::Receiver<bool>,
    tool_runs: Arc<Notify>,
    tool_may_answer: Arc<Notify>,
    desk_opens: bool,
    hand_overs_are_kept: bool,
    end: Arc<Mutex<Option<CallEnd>>>,
    shelf: Shelf,
    shelf_is_away: bool,
}

impl FakePorts {
    async fn store_works(&self) {
        let _ = self.store_works.clone().wait_for(|works| *works).await;
    }
}

#[async_trait]
impl CallStore for FakePorts {
    async fn commit_turn(&self, turn: &TurnRecord) -> Result<(), StoreFailure> {
        self.store_works().await;
        let _ = self.kept.send(Kept::Turn {
            number: turn.number,
            caller: turn.caller_text.expose().clone(),
            heard: turn.heard_text.expose().clone(),
            outcome: turn.outcome,
            recognised_ms: turn.usage.recognised_ms,
            tools_done: turn
                .tools
                .iter()
                .filter(|run| matches!(run.outcome, Some(ToolOutcome::Done(_))))
                .count(),
        });
        Ok(())
    }

    async fn end(&self, end: &CallEnd) -> Result<(), StoreFailure> {
        self.store_works().await;
        *self.end.lock().expect("not poisoned") = Some(end.clone());
        let _ = self.kept.send(Kept::End(end.reason));
        Ok(())
    }

    async fn heartbeat(&self) {}

    async fn hand_over(&self) -> Result<(), StoreFailure> {
        if !self.hand_overs_are_kept {
            return Err(StoreFailure("away".to_owned()));
        }
        let _ = self.kept.send(Kept::HandedOver);
        Ok(())
    }
}

#[async_trait]
impl ToolHost for FakePorts {
    fn specs(&self) -> Vec<ToolSpec> {
        Vec::new()
    }

    async fn run(&self, name: &str, _: &str) -> ToolOutcome {
        match name {
            "panics" => panic!("a tool panics, on purpose"),
            "waits" => {
                self.tool_runs.notify_one();
                self.tool_may_answer.notified().await;
            }
            _ => {}
        }
        ToolOutcome::Done(serde_json::json!({"ok": true}))
    }

    fn transfer_target(&self) -> Option<PhoneNumber> {
        SOMEBODY.parse().ok()
    }
}

#[async_trait]
impl Desk for FakePorts {
    async fn open(&self, _: OpenCall) -> Result<CallDesk, StoreFailure> {
        if !self.desk_opens {
            return Err(StoreFailure("away".to_owned()));
        }
        Ok(CallDesk {
            store: Arc::new(self.clone()),
            tools: Arc::new(self.clone()),
            system_prompt: "You are Ava. Be kind.".to_owned(),
            history: Vec::new(),
            first_turn: 0,
            recording: None,
        })
    }
}

#[async_trait]
impl PhraseCache for FakePorts {
    async fn load(
        &self,
        _: &TenantScope,
        digests: &[PhraseDigest],
    ) -> Result<Vec<SpokenPhrase>, StoreFailure> {
        if self.shelf_is_away {
            std::future::pending::<()>().await;
        }
        let shelf = self.shelf.lock().expect("not poisoned");
        Ok(digests.iter().filter_map(|digest| shelf.get(digest).cloned()).collect())
    }

    async fn missing(
        &self,
        _: &TenantScope,
        digests: &[PhraseDigest],
    ) -> Result<Vec<PhraseDigest>, StoreFailure> {
        let shelf = self.shelf.lock().expect("not poisoned");
        Ok(digests.iter().filter(|digest| !shelf.contains_key(*digest)).copied().collect())
    }

    async fn keep(&self, _: &TenantScope, phrase: &SpokenPhrase) -> Result<(), StoreFailure> {
        self.shelf.lock().expect("not poisoned").insert(phrase.digest, phrase.clone());
        Ok(())
    }
}

#[async_trait]
impl Telephony for FakePorts {
    async fn hang_up(&self, vendor_call_sid: &str) {
        let _ = self.kept.send(Kept::HungUp(vendor_call_sid.to_owned()));
    }

    async fn transfer(&self, transfer: &Transfer) -> Result<(), StoreFailure> {
        let _ = self.kept.send(Kept::PutThrough(transfer.to.clone()));
        Ok(())
    }
}

/// A clock that stands still until it is told otherwise.
#[derive(Debug, Default)]
pub(crate) struct StoppedClock(Mutex<Duration>);

impl StoppedClock {
    pub(crate) fn advance(&self, by: Duration) {
        *self.0.lock().expect("not poisoned") += by;
    }
}

impl Clock for StoppedClock {
    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::UNIX_EPOCH
    }
    fn monotonic(&self) -> Duration {
        *self.0.lock().expect("not poisoned")
    }
}

/// The clock that tests with paused time go by.
#[derive(Debug)]
pub(crate) struct PausedClock(tokio::time::Instant);

impl PausedClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the runtime's own time, which stands still until nothing else is to do"
    )]
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self(tokio::time::Instant::now()))
    }
}

impl Clock for PausedClock {
    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::UNIX_EPOCH
    }
    fn monotonic(&self) -> Duration {
        self.0.elapsed()
    }
}

// ---- the world ---------------------------------------------------------------------------------------------------

pub(crate) struct Setup {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) recogniser_refusals: usize,
    pub(crate) store_works: bool,
    pub(crate) desk_opens: bool,
    pub(crate) hand_overs_are_kept: bool,
    pub(crate) max_calls: usize,
    /// Vendors for each thing.
    pub(crate) places: usize,
    /// Sentences that were kept by replicas before this one.
    pub(crate) shelf: Shelf,
    pub(crate) shelf_is_away: bool,
}

type Shelf = Arc<Mutex<BTreeMap<PhraseDigest, SpokenPhrase>>>;

impl Default for Setup {
    fn default() -> Self {
        Self {
            clock: Arc::new(SystemClock::new()),
            recogniser_refusals: 0,
            store_works: true,
            desk_opens: true,
            hand_overs_are_kept: true,
            max_calls: 3,
            places: 1,
            shelf: Arc::default(),
            shelf_is_away: false,
        }
    }
}

pub(crate) struct World {
    pub(crate) sessions: Sessions,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) failover: Failover,
    pub(crate) recognisers: Vec<Place>,
    pub(crate) models: Vec<Place>,
    pub(crate) voices: Vec<Place>,
    pub(crate) spoken: Vec<Arc<FakeVoice>>,
    tracker: TaskTracker,
    pub(crate) voice: Arc<FakeVoice>,
    pub(crate) drain: CancellationToken,
    pub(crate) store: watch::Sender<bool>,
    pub(crate) tool_runs: Arc<Notify>,
    pub(crate) tool_may_answer: Arc<Notify>,
    ears: mpsc::UnboundedReceiver<Ear>,
    thoughts: mpsc::UnboundedReceiver<Thought>,
    kept: mpsc::UnboundedReceiver<Kept>,
    /// The end that was put on record last.
    pub(crate) end: Arc<Mutex<Option<CallEnd>>>,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(Setup::default())
    }

    pub(crate) fn with(setup: Setup) -> Self {
        let (links, ears) = mpsc::unbounded_channel();
        let (thought, thoughts) = mpsc::unbounded_channel();
        let (keep, kept) = mpsc::unbounded_channel();
        let (store, store_works) = watch::channel(setup.store_works);
        let (tool_runs, tool_may_answer) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let end = Arc::default();
        let ports = Arc::new(FakePorts {
            kept: keep,
            store_works,
            tool_runs: Arc::clone(&tool_runs),
            tool_may_answer: Arc::clone(&tool_may_answer),
            desk_opens: setup.desk_opens,
            hand_overs_are_kept: setup.hand_overs_are_kept,
            end: Arc::clone(&end),
            shelf: Arc::clone(&setup.shelf),
            shelf_is_away: setup.shelf_is_away,
        });
        let places = |vendors: [Vendor; 2]| {
            (0..setup.places).map(|at| Place::new(at, vendors[at])).collect::<Vec<_>>()
        };
        let recognisers = places([Vendor::Deepgram, Vendor::ElevenLabs]);
        let models = places([Vendor::OpenAi, Vendor::OpenAi]);
        let voices = places([Vendor::ElevenLabs, Vendor::OpenAi]);
        let spoken: Vec<_> = voices.iter().map(|_| Arc::new(FakeVoice::default())).collect();
        let failover = Failover::new(Arc::clone(&setup.clock));
        let refusals = Arc::new(AtomicUsize::new(setup.recogniser_refusals));
        let mut ears_of = recognisers.iter().map(|place| Service {
            endpoint: place.vendor.name().to_owned(),
            vendor: place.vendor,
            client: Arc::new(FakeRecogniser {
                place: place.clone(),
                refusals: Arc::clone(&refusals),
                links: links.clone(),
            }) as Arc<dyn Recogniser>,
            patience: Patience::STREAMING,
            probe: Arc::new(place.clone()),
        });
        let mut voices_of = voices.iter().zip(&spoken).map(|(place, voice)| Service {
            endpoint: place.vendor.name().to_owned(),
            vendor: place.vendor,
            client: Arc::new(SharedVoice(Arc::clone(voice), place.clone())) as Arc<dyn Voice>,
            patience: Patience::VOICE,
            probe: Arc::new(place.clone()),
        });
        let mut models_of = models.iter().zip(["openai", "fallback"]).map(|(place, name)| ModelEndpoint {
            name: name.to_owned(),
            client: Arc::new(FakeModel {
                place: place.clone(),
                thoughts: thought.clone(),
                hanging: Mutex::default(),
            }),
            patience: Patience::MODEL,
        });
        let first = "there is one place at least";
        let providers = Providers {
            recognisers: Routes::new(&failover, Kind::Recogniser, ears_of.next().expect(first), ears_of),
            models: Models::new(&failover, models_of.next().expect(first), models_of),
            voices: Routes::new(&failover, Kind::Voice, voices_of.next().expect(first), voices_of),
        };
        let voice = Arc::clone(&spoken[0]);
        let tracker = TaskTracker::new();
        let drain = CancellationToken::new();
        let options = SessionOptions { max_calls: setup.max_calls, ..SessionOptions::default() };
        let desk: Arc<dyn Desk> = Arc::clone(&ports) as Arc<dyn Desk>;
        let clock = Arc::clone(&setup.clock);
        let phrases = Arc::clone(&ports) as Arc<dyn PhraseCache>;
        let sessions = Sessions::new(options, providers, desk, ports, phrases, setup.clock, drain.clone());
        let (watched, stop) = (failover.clone(), drain.clone());
        tracker.spawn(async move { stop.run_until_cancelled(watched.watch()).await });
        Self {
            sessions,
            clock,
            failover,
            recognisers,
            models,
            voices,
            spoken,
            tracker,
            voice,
            drain,
            store,
            tool_runs,
            tool_may_answer,
            ears,
            thoughts,
            kept,
            end,
        }
    }

    pub(crate) fn begin(number: u128) -> BeginCall {
        #[expect(clippy::disallowed_methods, reason = "there is no storage in these tests")]
        let scope = TenantScope::attested(TenantId::from_uuid(Uuid::from_u128(7)));
        let open = OpenCall {
            scope,
            call_id: CallId::from_uuid(Uuid::from_u128(number)),
            agent: agent(),
            caller: None,
            arrival: Arrival::New,
        };
        BeginCall {
            open,
            format: AudioFormat::Mulaw8k,
            vendor_call_sid: Some(format!("CA{number}")),
            update: DoorUpdate::default(),
        }
    }

    /// Places a call.
    pub(crate) async fn call(&self, number: u128) -> Caller {
        let (caller, door) = Caller::with_room(256);
        self.sessions.start(Self::begin(number), door).await.expect("the call is taken");
        caller
    }

    /// How long ago that was, by the clock of the sessions.
    pub(crate) fn since(&self, then: Duration) -> Duration {
        self.clock.monotonic().saturating_sub(then)
    }

    pub(crate) async fn ear(&mut self) -> Ear {
        soon("a link to the recogniser", self.ears.recv()).await.expect("the world stands")
    }

    pub(crate) async fn thought(&mut self) -> Thought {
        soon("a request to the model", self.thoughts.recv()).await.expect("the world stands")
    }

    pub(crate) async fn kept(&mut self) -> Kept {
        soon("a record", self.kept.recv()).await.expect("the world stands")
    }

    pub(crate) fn kept_nothing_more(&mut self) -> bool {
        self.kept.try_recv().is_err()
    }

    /// Everything is over and every place given back.
    pub(crate) async fn is_quiet(&self) {
        self.drain.cancel();
        soon("the last call", self.sessions.drained()).await;
        self.tracker.close();
        soon("the end of the watch", self.tracker.wait()).await;
        assert_eq!(self.sessions.live_calls(), 0);
    }
}

fn agent() -> AgentProfile {
    AgentProfile {
        id: AgentId::from_uuid(Uuid::from_u128(9)),
        name: "Ava".to_owned(),
        brokerage_name: "Riverside Homes".to_owned(),
        language: Language::En,
        time_zone: "America/Chicago".to_owned(),
        instructions: "Be kind.".to_owned(),
        greeting: GREETING.to_owned(),
        goodbye: "Goodbye.".to_owned(),
        acknowledgements: vec!["One moment.".to_owned()],
        apology: APOLOGY.to_owned(),
        endpoint_silence_ms: 100,
        max_call_seconds: 600,
        model: ModelChoice { model: "m".to_owned(), temperature: 0.0, max_tokens: 200 },
        voice: VoiceChoice {
            voice_id: "v".to_owned(),
            model: "m".to_owned(),
            stability: 0.5,
            similarity: 0.5,
        },
        tools: Vec::new(),
        model_fallbacks: vec![ModelFallback {
            endpoint: "fallback".to_owned(),
            model: ModelChoice { model: "small".to_owned(), temperature: 0.0, max_tokens: 200 },
            instructions: Some("Be brief.".to_owned()),
        }],
        menu: BTreeMap::new(),
    }
}

// ---- the caller --------------------------------------------------------------------------------------------------

/// The caller's end of a door whose player is infinitely fast: a mark comes back as soon as it was sent.
pub(crate) struct Caller {
    pub(crate) input: mpsc::Sender<DoorInput>,
    pub(crate) output: mpsc::Receiver<DoorOutput>,
    /// The sound of what was heard last.
    pub(crate) sound: u8,
}

impl Caller {
    pub(crate) fn with_room(outputs: usize) -> (Self, Door) {
        let ((input, input_end), (sender, output)) = (mpsc::channel(256), mpsc::channel(outputs));
        (Self { input, output, sound: 0 }, Door { input: input_end, output: sender, shows: false })
    }

    /// A door that shows more than sound.
    pub(crate) fn that_sees() -> (Self, Door) {
        let (caller, door) = Self::with_room(256);
        (caller, Door { shows: true, ..door })
    }

    /// What is shown next.
    pub(crate) async fn sees(&mut self) -> Shown {
        soon("something to see", async {
            loop {
                match self.output.recv().await.expect("the door is open") {
                    DoorOutput::Shown(shown) => break shown,
                    DoorOutput::Mark(mark) => self.does(DoorInput::Mark(mark)).await,
                    DoorOutput::Audio(_) | DoorOutput::Clear => {}
                    DoorOutput::Close => panic!("closed"),
                }
            }
        })
        .await
    }

    pub(crate) async fn does(&self, input: DoorInput) {
        self.input.send(input).await.expect("the session reads its door");
    }

    /// Listens until so many milliseconds of audio have come, and reports their marks.
    pub(crate) async fn hears_ms(&mut self, ms: usize) {
        let mut heard = 0;
        soon("audio", async {
            while heard < ms * 8 {
                match self.output.recv().await.expect("the door is open") {
                    DoorOutput::Audio(audio) => {
                        heard += audio.len();
                        self.sound = audio.last().copied().unwrap_or(self.sound);
                    }
                    DoorOutput::Mark(mark) => self.does(DoorInput::Mark(mark)).await,
                    DoorOutput::Clear | DoorOutput::Shown(_) => {}
                    DoorOutput::Close => panic!("closed after {heard} bytes"),
                }
            }
        })
        .await;
        self.reports_marks().await;
    }

    /// Listens to a whole sentence.
    pub(crate) async fn hears(&mut self, text: &str) {
        self.hears_ms(text.chars().count() * MS_PER_CHARACTER).await;
    }

    /// Reports the mark behind what was heard.
    async fn reports_marks(&mut self) {
        let mark = soon("a mark", async {
            loop {
                match self.output.recv().await.expect("the door is open") {
                    DoorOutput::Mark(mark) => break mark,
                    DoorOutput::Audio(audio) => self.sound = audio.last().copied().unwrap_or(self.sound),
                    DoorOutput::Clear | DoorOutput::Shown(_) => {}
                    DoorOutput::Close => panic!("closed"),
                }
            }
        });
        let mark = mark.await;
        self.does(DoorInput::Mark(mark)).await;
    }

    /// Listens until the session says this.
    pub(crate) async fn waits_for(&mut self, wanted: &DoorOutput) {
        soon("the door", async {
            while let Some(output) = self.output.recv().await {
                if output == *wanted {
                    return;
                }
                if let DoorOutput::Mark(mark) = output {
                    let _ = self.input.send(DoorInput::Mark(mark)).await;
                }
            }
            panic!("the session dropped the door without {wanted:?}");
        })
        .await;
    }
}
