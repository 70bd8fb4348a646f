//! The task of one call: everything that waits, in one loop.

use crate::{
    BeginCall, CallDesk, Door, DoorInput, DoorOutput, DoorResponse, DoorUpdate, ResponsePlace, Shown,
    ToolHost, Transfer,
    activity::{Activity, AudioClock, RELEASE},
    links::OPEN_PATIENCE,
    listener::{Heard, Listener},
    measure,
    mouth::{Mouth, Spoken},
    plan::{self, Recording},
    recorder::Recorder,
    service::Shared,
    thinking::{self, Thinking},
};
use seiketsu_call::{
    AnswerPlan, Call, ClientAct, GenerationEvent, GenerationId, Input, MarkId, Note, Output, PlanUpdate,
    Prompt, SynthesisEvent, SynthesisId, ToolNumber, VoiceActivity,
};
use seiketsu_domain::{CallEnd, CallTime, PhoneNumber, ToolOutcome, ToolSpec, TurnRecord};
use seiketsu_providers::{
    failover::{Kind, Route},
    failure::{Failure, FailureKind, Vendor},
    recogniser::{Recogniser, RecogniserOptions, RecogniserSession},
    voice::{Voice, VoiceOptions, VoiceSession},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

/// Events of a call's own short tasks that may wait for its loop.
const EVENTS: usize = 256;
/// Records that may wait for the store.
const RECORDS: usize = 64;
/// Names of tools of single answers that are remembered.
const ANSWER_TOOLS: usize = 256;
/// How often the call says that it is still held here.
const HEARTBEAT: Duration = Duration::from_secs(5);
/// A door that takes nothing for so long is gone.
const DOOR_STALL: Duration = Duration::from_secs(2);

/// What the call's short tasks report.
enum Event {
    ListenerOpened(Route<dyn Recogniser>, Result<RecogniserSession, Failure>),
    MouthOpened(Route<dyn Voice>, Result<VoiceSession, Failure>),
    Generation(GenerationId, GenerationEvent),
    Tool(ToolNumber, ToolOutcome),
    ProviderFailed(Failure),
}

/// What the writer commits, in order.
enum Record {
    Turn(Box<TurnRecord>),
    Heartbeat,
    End(Box<CallEnd>),
    /// Tells whether it was written.
    HandOver(oneshot::Sender<bool>),
}

struct Shell {
    shared: Arc<Shared>,
    begin: BeginCall,
    call: Call,
    began: Duration,
    door: Door,
    clock: AudioClock,
    activity: Activity,
    listener: Listener,
    thinking: Thinking,
    mouth: Mouth,
    /// Where the tenant records its calls and the caller may agree to it.
    recorder: Option<Recorder>,
    tools: Arc<dyn ToolHost>,
    /// The agent's own instructions and tools, to which a client may add.
    own: Own,
    /// Tools that the client runs.
    client_tools: Vec<ToolSpec>,
    /// Those of single answers, by name. They stay the client's: an answer may still want them when the next is asked for.
    answer_tools: BTreeSet<String>,
    /// Runs of them that the client has been told of and has not answered.
    unanswered: BTreeSet<u64>,
    /// What the door is to be shown before anything else.
    shown: Vec<Shown>,
    tasks: JoinSet<()>,
    events: mpsc::Sender<Event>,
    records: mpsc::Sender<Record>,
    generations: BTreeMap<GenerationId, CancellationToken>,
    hang_up: bool,
    hands_over: bool,
    /// Tells whether it is on record that the caller is handed over.
    handing_over: Option<oneshot::Receiver<bool>>,
    /// What the recogniser was given up to the last turn.
    recognised_ms: u64,
    /// The door may still say something. A closed channel is always ready: reading on would starve everything else.
    door_listens: bool,
    /// The door takes what it is told. Once it has not, nobody waits for it again.
    door_takes: bool,
}

/// What the agent brings along.
struct Own {
    system: String,
    tools: Vec<ToolSpec>,
}

impl Own {
    /// What the model is told, with what a client adds.
    fn system_with(&self, more: &str) -> String {
        match more.trim() {
            "" => self.system.clone(),
            more => format!("{}\n\n{more}", self.system),
        }
    }

    /// A client's tools, without those whose names mean something to the engine or to the agent.
    fn beside(&self, mut tools: Vec<ToolSpec>) -> Vec<ToolSpec> {
        tools.retain(|tool| {
            ![plan::ENDING_TOOL, plan::TRANSFERRING_TOOL].contains(&tool.name.as_str())
                && !self.tools.iter().any(|own| own.name == tool.name)
        });
        tools
    }
}

/// Holds a call until it is over and everything of it is committed.
pub(crate) async fn run(shared: Arc<Shared>, begin: BeginCall, desk: CallDesk, door: Door) {
    let CallDesk { store, tools, system_prompt, history, first_turn, recording } = desk;
    let agent = begin.open.agent.clone();
    // Who agreed before the call was cut is not asked again.
    let agreed = recording.as_ref().is_some_and(|sink| sink.agreed());
    let records = match &recording {
        None => Recording::Never,
        Some(_) if agreed => Recording::Agreed,
        Some(_) => Recording::Asks,
    };
    let mut recorder =
        recording.map(|sink| Recorder::new(sink, begin.format, begin.open.call_id, shared.writers()));
    if let Some(recorder) = &mut recorder {
        recorder.assent(agreed);
    }
    let mut specs = tools.specs();
    if begin.vendor_call_sid.is_none() {
        specs.retain(|spec| spec.name != plan::TRANSFERRING_TOOL); // nobody can be put through without a telephone
    }
    let own = Own { system: system_prompt.clone(), tools: specs.clone() };
    let plan = plan::plan(&begin, system_prompt, specs, history, first_turn, records, &shared.options);
    let (events, mut reports) = mpsc::channel(EVENTS);
    let (records, mut to_write) = mpsc::channel::<Record>(RECORDS);
    let mut tasks = JoinSet::new();

    let mut writer = JoinSet::new();
    writer.spawn(async move {
        while let Some(record) = to_write.recv().await {
            let written = match record {
                Record::Turn(turn) => store.commit_turn(&turn).await,
                Record::End(end) => store.end(&end).await,
                Record::HandOver(asked) => {
                    let written = store.hand_over().await;
                    // Nobody waits for it once the caller has hung up.
                    let _ = asked.send(written.is_ok());
                    written
                }
                Record::Heartbeat => {
                    store.heartbeat().await;
                    Ok(())
                }
            };
            if let Err(error) = written {
                tracing::error!(%error, "a record of the call was not kept");
            }
        }
    });

    // The first request of the call should find an open connection.
    let models = shared.providers.models.clone();
    let thinking = Thinking::new(&models, &agent);
    tasks.spawn(async move { models.warm().await });

    let began = shared.clock.monotonic();
    let recogniser = RecogniserOptions {
        format: begin.format,
        language: agent.language,
        endpointing_ms: agent.endpoint_silence_ms,
        keyterms: vec![agent.name.clone(), agent.brokerage_name.clone()],
    };
    let voice = VoiceOptions { voice: agent.voice.clone(), language: agent.language, format: begin.format };
    let mut shell = Shell {
        call: Call::new(plan, CallTime::ZERO),
        began,
        door,
        clock: AudioClock::default(),
        activity: Activity::new(begin.format),
        listener: Listener::new(recogniser, shared.providers.recognisers.clone(), began),
        thinking,
        mouth: Mouth::new(begin.open.scope.tenant_id(), voice, shared.providers.voices.clone()),
        recorder,
        tools,
        own,
        client_tools: Vec::new(),
        answer_tools: BTreeSet::new(),
        unanswered: BTreeSet::new(),
        shown: Vec::new(),
        tasks,
        events,
        records,
        generations: BTreeMap::new(),
        hang_up: false,
        hands_over: false,
        handing_over: None,
        recognised_ms: 0,
        door_listens: true,
        door_takes: true,
        begin,
        shared,
    };
    let update = std::mem::take(&mut shell.begin.update);
    shell.update(update);
    shell.open_links();
    let mut heartbeat = tokio::time::interval(HEARTBEAT);
    heartbeat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);

    loop {
        shell.carry_out().await;
        if shell.call.has_ended() {
            break;
        }
        shell.open_links();
        let due = shell.call.poll_timeout().map_or(Duration::MAX, |(at, _)| at.since(shell.now()));
        if due.is_zero() {
            // Whatever else is ready: a promise that is due is kept first.
            let now = shell.now();
            shell.call.handle_timeout(now);
            continue;
        }
        let links_due = shell.links_due();
        if links_due.is_zero() {
            shell.check_links().await;
            continue;
        }
        tokio::select! {
            biased;
            input = shell.door.input.recv(), if shell.door_listens => shell.door_said(input),
            Some(event) = reports.recv() => shell.report(event).await,
            event = shell.mouth.next() => {
                let spoken = shell.mouth.event(event, shell.monotonic());
                shell.spoken(spoken).await;
            }
            event = shell.listener.next() => {
                let heard = shell.listener.event(event, &shell.clock, shell.monotonic());
                shell.heard(heard);
            }
            on_record = told(&mut shell.handing_over) => shell.handle(Input::HandedOver(on_record)),
            // What is due is found at the top of the loop.
            () = tokio::time::sleep(due.min(links_due)) => {}
            _ = heartbeat.tick() => {
                let _ = shell.records.try_send(Record::Heartbeat);
            }
        }
        // Reap finished tasks so that the set does not grow.
        while shell.tasks.try_join_next().is_some() {}
    }

    let Shell { shared, begin, door, records, hang_up, hands_over, tasks, tools, call, recorder, .. } = shell;
    if let Some(recorder) = recorder {
        recorder.finish();
    }
    drop(tasks);
    drop(records);
    // Only when the end is on record may the telephone company ask what to do next.
    while writer.join_next().await.is_some() {}
    if let Some(sid) = begin.vendor_call_sid.as_ref().filter(|_| hang_up) {
        shared.telephony.hang_up(sid).await;
    }
    if hands_over {
        put_through(&shared, &begin, tools.transfer_target()).await;
    }
    let _ = tokio::time::timeout(DOOR_STALL, door.output.send(DoorOutput::Close)).await;
    measure::late_answers(call.late_answers());
    info!(call = %begin.open.call_id, "call over");
}

/// Has the telephone company connect the caller with a human. If it cannot, closing the door brings the call back.
async fn put_through(shared: &Shared, begin: &BeginCall, to: Option<PhoneNumber>) {
    let call_id = begin.open.call_id;
    let Some(to) = to else {
        warn!(call = %call_id, "a transfer without anybody to put the caller through to");
        return;
    };
    let Some(vendor_call_sid) = begin.vendor_call_sid.clone() else { return };
    let tenant = begin.open.scope.tenant_id();
    let transfer = Transfer { tenant, call_id, vendor_call_sid, to };
    match shared.telephony.transfer(&transfer).await {
        Ok(()) => info!(call = %call_id, "the caller is being put through"),
        Err(failure) => warn!(call = %call_id, %failure, "the caller could not be put through"),
    }
}

impl Shell {
    fn now(&self) -> CallTime {
        CallTime::from_micros(self.shared.clock.monotonic().saturating_sub(self.began).as_micros() as u64)
    }

    fn monotonic(&self) -> Duration {
        self.shared.clock.monotonic()
    }

    fn handle(&mut self, input: Input) {
        let now = self.now();
        self.call.handle(input, now);
    }

    fn door_said(&mut self, input: Option<DoorInput>) {
        match input {
            Some(DoorInput::Audio(audio)) => {
                let now = self.now();
                let length_us = self.begin.format.duration_us(audio.len());
                self.clock.received(length_us, now);
                let (call, listener, monotonic) =
                    (&mut self.call, &mut self.listener, self.shared.clock.monotonic());
                let (clock, shown, shows) = (&self.clock, &mut self.shown, self.door.shows);
                self.activity.push(&audio, clock, |change| {
                    call.handle(Input::Voice(change), now);
                    listener.voice(change, monotonic);
                    if shows {
                        shown.push(match change {
                            VoiceActivity::Began { at } => Shown::VoiceBegan { at: clock.position_of(at) },
                            VoiceActivity::Ended { at } => Shown::VoiceEnded { at: clock.position_of(at) },
                        });
                    }
                });
                if let Some(recorder) = &mut self.recorder {
                    recorder.received(&audio);
                }
                let heard = self.listener.audio(audio, length_us, monotonic);
                self.heard(heard);
            }
            Some(DoorInput::Mark(mark)) => self.handle(Input::Mark(MarkId(mark))),
            Some(DoorInput::Digit(digit)) => self.handle(Input::Digit(digit)),
            Some(DoorInput::HungUp) => self.hung_up(),
            Some(DoorInput::Cut) => self.door_is_gone(),
            Some(DoorInput::Client(act)) => self.handle(Input::Client(act)),
            Some(DoorInput::Respond(response)) => self.respond(*response),
            Some(DoorInput::Update(update)) => self.update(update),
            Some(DoorInput::ToolAnswer { number, outcome }) => {
                self.unanswered.remove(&number);
                self.handle(Input::Tool { number: ToolNumber(number), outcome });
            }
            None => {
                self.door_listens = false;
                self.door_is_gone();
            }
        }
    }

    async fn report(&mut self, event: Event) {
        match event {
            Event::ListenerOpened(route, result) => {
                let heard = self.listener.opened(route, result, self.monotonic());
                self.heard(heard);
            }
            Event::MouthOpened(route, result) => {
                let spoken = self.mouth.opened(route, result);
                self.spoken(spoken).await;
            }
            Event::Generation(id, event) => {
                if matches!(event, GenerationEvent::Finished { .. } | GenerationEvent::Failed { .. }) {
                    self.generations.remove(&id);
                }
                self.handle(Input::Generation { id, event });
            }
            Event::Tool(number, outcome) => self.handle(Input::Tool { number, outcome }),
            Event::ProviderFailed(failure) => self.provider_failed(Some(failure)),
        }
    }

    async fn spoken(&mut self, spoken: Spoken) {
        self.provider_failed(spoken.failure);
        if let Some((key, phrase)) = spoken.keep {
            self.shared.phrases.keep(key, phrase).await;
        }
        for (id, event) in spoken.events {
            self.handle(Input::Synthesis { id, event });
        }
    }

    fn heard(&mut self, heard: Heard) {
        self.provider_failed(heard.failure);
        if let Some(input) = heard.input {
            self.handle(input);
            if self.door.shows
                && let Some((settled, unsettled)) = self.call.hearing()
            {
                let (settled, unsettled) = (settled.to_owned(), unsettled.to_owned());
                self.shown.push(Shown::Hearing { settled, unsettled });
            }
        }
    }

    /// What a client wants changed, on top of what the agent brings along.
    fn update(&mut self, update: DoorUpdate) {
        let DoorUpdate {
            instructions,
            tools,
            tool_choice,
            max_tokens,
            endpoint_silence,
            turns,
            is_interruptible,
            speaks,
        } = update;
        let system = instructions.map(|more| self.own.system_with(&more));
        let tools = tools.map(|tools| {
            self.client_tools = self.own.beside(tools);
            self.own.tools.iter().chain(&self.client_tools).cloned().collect()
        });
        let endpoint_silence = endpoint_silence.map(|silence| silence.max(RELEASE));
        let update = PlanUpdate {
            system,
            tools,
            tool_choice,
            max_tokens,
            endpoint_silence,
            turns,
            is_interruptible,
            speaks,
        };
        if update != PlanUpdate::default() {
            self.handle(Input::Update(update));
        }
    }

    /// An answer that a client asks for, on top of what the agent brings along.
    fn respond(&mut self, response: DoorResponse) {
        let DoorResponse { number, place, instructions, messages, tools, tool_choice, max_tokens, speaks } =
            response;
        let tools = tools.map(|tools| self.own.beside(tools));
        let mut plan = AnswerPlan {
            system: instructions.map(|more| self.own.system_with(&more)),
            messages,
            tools: None,
            tool_choice,
            max_tokens,
            speaks,
            is_aside: place == ResponsePlace::Unremembered,
        };
        let act = match place {
            ResponsePlace::Beside => {
                // Nobody would run the agent's own.
                plan.tools = Some(tools.unwrap_or_else(|| self.client_tools.clone()));
                ClientAct::Ask { number, plan: Box::new(plan) }
            }
            ResponsePlace::Conversation | ResponsePlace::Unremembered => {
                if self.answer_tools.len() > ANSWER_TOOLS {
                    self.answer_tools.clear();
                }
                self.answer_tools.extend(tools.iter().flatten().map(|tool| tool.name.clone()));
                plan.tools =
                    tools.map(|tools| self.own.tools.iter().cloned().chain(tools).collect::<Vec<_>>());
                ClientAct::CreateResponse { number, plan: Box::new(plan) }
            }
        };
        self.handle(Input::Client(act));
    }

    /// Whether the client runs the tool with this name.
    fn is_clients(&self, name: &str) -> bool {
        self.client_tools.iter().any(|tool| tool.name == name) || self.answer_tools.contains(name)
    }

    fn provider_failed(&self, failure: Option<Failure>) {
        if let Some(failure) = failure {
            warn!(call = %self.begin.open.call_id, %failure, "a provider failed");
        }
    }

    fn open_links(&mut self) {
        if let Some(opening) = self.listener.wants_opening() {
            let (events, options) = (self.events.clone(), self.listener.options().clone());
            self.tasks.spawn(async move {
                tokio::time::sleep(opening.delay).await;
                let route = opening.route;
                let opened = in_time(route.vendor, route.client.open(options)).await;
                let _ = events.send(Event::ListenerOpened(route, opened)).await;
            });
        }
        if let Some(opening) = self.mouth.wants_opening() {
            let (events, options) = (self.events.clone(), self.mouth.options().clone());
            self.tasks.spawn(async move {
                tokio::time::sleep(opening.delay).await;
                let route = opening.route;
                let opened = in_time(route.vendor, route.client.open(options)).await;
                let _ = events.send(Event::MouthOpened(route, opened)).await;
            });
        }
    }

    /// How long until a link has to be looked after.
    fn links_due(&self) -> Duration {
        let now = self.monotonic();
        self.listener.due(now).into_iter().chain(self.mouth.due(now)).min().unwrap_or(Duration::MAX)
    }

    async fn check_links(&mut self) {
        let now = self.monotonic();
        let heard = self.listener.check(now);
        self.heard(heard);
        let spoken = self.mouth.check(now);
        self.spoken(spoken).await;
    }

    /// Does what the engine asks.
    async fn carry_out(&mut self) {
        for shown in std::mem::take(&mut self.shown) {
            self.tell_door(DoorOutput::Shown(shown)).await;
        }
        while let Some(output) = self.call.poll_output() {
            match output {
                Output::Progress(progress) => {
                    if self.door.shows {
                        self.tell_door(DoorOutput::Shown(Shown::Progress(progress))).await;
                    }
                }
                Output::Generate { id, attempt, prompt } => self.generate(id, attempt, *prompt),
                Output::CancelGeneration(id) => {
                    if let Some(unwanted) = self.generations.remove(&id) {
                        unwanted.cancel();
                    }
                }
                Output::Speak { id, text, fixed } => self.speak(id, text, fixed).await,
                Output::CancelSpeech(id) => {
                    let spoken = self.mouth.cancel(id);
                    self.spoken(spoken).await;
                }
                Output::FlushRecogniser => {
                    let heard = self.listener.flush(self.monotonic());
                    self.heard(heard);
                }
                Output::RunTool { number, name, arguments } if self.is_clients(&name) => {
                    self.unanswered.insert(number.0);
                    let wanted = Shown::ToolWanted { number: number.0, name, arguments };
                    self.tell_door(DoorOutput::Shown(wanted)).await;
                }
                Output::RunTool { number, name, arguments } => self.run_tool(number, name, arguments),
                Output::Play(audio) => {
                    self.activity.played(&audio, self.now());
                    if let Some(recorder) = &mut self.recorder {
                        recorder.sent(audio.clone());
                    }
                    self.tell_door(DoorOutput::Audio(audio)).await;
                }
                Output::Mark(mark) => self.tell_door(DoorOutput::Mark(mark.0)).await,
                Output::ClearPlayout => {
                    self.activity.cleared(self.now());
                    if let Some(recorder) = &mut self.recorder {
                        recorder.cleared();
                    }
                    self.tell_door(DoorOutput::Clear).await;
                }
                Output::Committed(mut turn) => {
                    turn.usage.recognised_ms = self.recognised_since_last_turn();
                    measure::turn(&turn);
                    self.record(Record::Turn(turn)).await;
                }
                Output::HangUp => self.hang_up = true,
                Output::Record(agrees) => {
                    if let Some(recorder) = &mut self.recorder {
                        recorder.assent(agrees);
                    }
                }
                Output::HandOver => {
                    let (asked, on_record) = oneshot::channel();
                    self.handing_over = Some(on_record);
                    self.record(Record::HandOver(asked)).await;
                }
                Output::Transfer => self.hands_over = true,
                Output::Detached => {
                    info!(call = %self.begin.open.call_id, "the door is gone; the call may come back");
                }
                Output::Ended(mut end) => {
                    // All of this session, its turns included.
                    end.usage.recognised_ms = self.listener.recognised_ms();
                    measure::ended(&end);
                    self.record(Record::End(end)).await;
                }
                Output::Note(note) => self.note(note),
            }
        }
    }

    /// What the recogniser was given since the turn before: whoever closes a call in our place has only its turns.
    fn recognised_since_last_turn(&mut self) -> u64 {
        let recognised_ms = self.listener.recognised_ms();
        recognised_ms - std::mem::replace(&mut self.recognised_ms, recognised_ms)
    }

    fn note(&self, note: Note) {
        measure::note(note);
        debug!(call = %self.begin.open.call_id, at = %self.now(), ?note);
    }

    async fn record(&self, record: Record) {
        // Waits when the store is slow; the store itself never waits for the database longer than it takes to spool.
        if self.records.send(record).await.is_err() {
            tracing::error!(call = %self.begin.open.call_id, "the writer of the call is gone");
        }
    }

    async fn tell_door(&mut self, output: DoorOutput) {
        if !self.door_takes {
            return;
        }
        self.door_takes = match self.door.output.try_send(output) {
            Ok(()) => true,
            Err(mpsc::error::TrySendError::Closed(_)) => false,
            Err(mpsc::error::TrySendError::Full(output)) => {
                matches!(tokio::time::timeout(DOOR_STALL, self.door.output.send(output)).await, Ok(Ok(())))
            }
        };
        if !self.door_takes {
            self.door_is_gone();
        }
    }

    /// A telephone company may connect the call again; nobody else can.
    fn door_is_gone(&mut self) {
        if self.begin.vendor_call_sid.is_some() {
            self.handle(Input::Cut);
        } else {
            self.hung_up();
        }
    }

    /// Nobody is there any more, and nobody runs the client's tools.
    fn hung_up(&mut self) {
        self.handle(Input::HungUp);
        for number in std::mem::take(&mut self.unanswered) {
            let outcome = ToolOutcome::Failed("the client has gone".to_owned());
            self.handle(Input::Tool { number: ToolNumber(number), outcome });
        }
    }

    async fn speak(&mut self, id: SynthesisId, text: String, fixed: bool) {
        let mut cached = None;
        for key in if fixed { self.mouth.keys(&text) } else { Vec::new() } {
            if cached.is_none() {
                cached = self.shared.phrases.get(&key).await;
            }
        }
        if let Some(phrase) = cached {
            let event =
                SynthesisEvent::Audio { audio: phrase.audio.clone(), alignment: phrase.alignment.clone() };
            self.handle(Input::Synthesis { id, event });
            self.handle(Input::Synthesis { id, event: SynthesisEvent::Finished });
        } else {
            let spoken = self.mouth.speak(id, text, fixed);
            self.spoken(spoken).await;
        }
    }

    fn run_tool(&mut self, number: ToolNumber, name: String, arguments: String) {
        let (tools, events) = (Arc::clone(&self.tools), self.events.clone());
        self.tasks.spawn(async move {
            let outcome = tools.run(&name, &arguments).await;
            let _ = events.send(Event::Tool(number, outcome)).await;
        });
    }

    fn generate(&mut self, id: GenerationId, attempt: u32, prompt: Prompt) {
        let Some(thought) = self.thinking.thought(attempt, prompt) else { return };
        if let Some(endpoint) = thought.fails_over() {
            measure::failed_over(Kind::Model, endpoint);
        }
        let events = self.events.clone();
        let unwanted = CancellationToken::new();
        self.generations.insert(id, unwanted.clone());
        self.tasks.spawn(async move {
            let mut reader = Reader { id, events };
            if let Some(failure) = thought.run(&unwanted, &mut reader).await {
                let _ = reader.events.send(Event::ProviderFailed(failure)).await;
            }
        });
    }
}

/// Where the events of a generation go.
struct Reader {
    id: GenerationId,
    events: mpsc::Sender<Event>,
}

impl thinking::Listener for Reader {
    async fn take(&mut self, event: GenerationEvent) -> bool {
        self.events.send(Event::Generation(self.id, event)).await.is_ok()
    }
}

/// What the writer tells, once; nothing ever if it was not asked. A writer that is gone has not written it.
async fn told(asked: &mut Option<oneshot::Receiver<bool>>) -> bool {
    let Some(answer) = asked else { return std::future::pending().await };
    let told = answer.await.unwrap_or(false);
    *asked = None;
    told
}

/// A link that takes longer to open is not worth waiting for.
async fn in_time<T>(vendor: Vendor, opening: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    tokio::time::timeout(OPEN_PATIENCE, opening).await.unwrap_or_else(|_| {
        let detail = format!("no connection within {} ms", OPEN_PATIENCE.as_millis());
        Err(Failure::new(vendor, FailureKind::Timeout, detail))
    })
}
