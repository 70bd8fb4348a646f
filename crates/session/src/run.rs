//! The task of one call: everything that waits, in one loop.

use crate::{
    BeginCall, CallDesk, Door, DoorInput, DoorOutput, ToolHost,
    activity::{Activity, AudioClock},
    listener::Listener,
    measure,
    mouth::{Mouth, Spoken},
    phrases::PhraseKey,
    plan,
    service::Shared,
};
use seiketsu_call::{
    Call, GenerationEvent, GenerationId, Input, MarkId, Note, Output, Prompt, SynthesisEvent, SynthesisId,
    ToolNumber,
};
use seiketsu_domain::{CallEnd, CallTime, ToolOutcome, TurnRecord};
use seiketsu_providers::{
    failure::Failure,
    language_model::{self, GenerationRequest},
    recogniser::{RecogniserOptions, RecogniserSession},
    voice::{VoiceOptions, VoiceSession},
};
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::{
    sync::mpsc,
    task::{AbortHandle, JoinSet},
};
use tracing::{debug, info, warn};

/// Events of a call's own short tasks that may wait for its loop.
const EVENTS: usize = 256;
/// Records that may wait for the store.
const RECORDS: usize = 64;
/// How often the call says that it is still held here.
const HEARTBEAT: Duration = Duration::from_secs(5);
/// A door that takes nothing for so long is gone.
const DOOR_STALL: Duration = Duration::from_secs(2);

/// What the call's short tasks report.
enum Event {
    ListenerOpened(Result<RecogniserSession, Failure>),
    MouthOpened(Result<VoiceSession, Failure>),
    Generation(GenerationId, GenerationEvent),
    Tool(ToolNumber, ToolOutcome),
    ProviderFailed(Failure),
}

/// What the writer commits, in order.
enum Record {
    Turn(Box<TurnRecord>),
    Heartbeat,
    End(Box<CallEnd>),
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
    recogniser: RecogniserOptions,
    mouth: Mouth,
    voice: VoiceOptions,
    tools: Arc<dyn ToolHost>,
    tasks: JoinSet<()>,
    events: mpsc::Sender<Event>,
    records: mpsc::Sender<Record>,
    generations: BTreeMap<GenerationId, AbortHandle>,
    hang_up: bool,
    /// The door may still say something. A closed channel is always ready: reading on would starve everything else.
    door_listens: bool,
}

/// Holds a call until it is over and everything of it is committed.
pub(crate) async fn run(shared: Arc<Shared>, begin: BeginCall, desk: CallDesk, door: Door) {
    let CallDesk { store, tools, system_prompt, history, first_turn } = desk;
    let agent = begin.open.agent.clone();
    let plan = plan::plan(&begin, system_prompt, tools.specs(), history, first_turn, &shared.options);
    let (events, mut reports) = mpsc::channel(EVENTS);
    let (records, mut to_write) = mpsc::channel::<Record>(RECORDS);
    let mut tasks = JoinSet::new();

    let mut writer = JoinSet::new();
    writer.spawn(async move {
        while let Some(record) = to_write.recv().await {
            let written = match record {
                Record::Turn(turn) => store.commit_turn(&turn).await,
                Record::End(end) => store.end(&end).await,
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
    let model = Arc::clone(&shared.providers.model);
    tasks.spawn(async move { model.warm().await });

    let mut shell = Shell {
        call: Call::new(plan, CallTime::ZERO),
        began: shared.clock.monotonic(),
        door,
        clock: AudioClock::default(),
        activity: Activity::new(begin.format),
        listener: Listener::default(),
        recogniser: RecogniserOptions {
            format: begin.format,
            language: agent.language,
            endpointing_ms: agent.endpoint_silence_ms,
            keyterms: vec![agent.name.clone(), agent.brokerage_name.clone()],
        },
        mouth: Mouth::new(begin.format),
        voice: VoiceOptions { voice: agent.voice.clone(), language: agent.language, format: begin.format },
        tools,
        tasks,
        events,
        records,
        generations: BTreeMap::new(),
        hang_up: false,
        door_listens: true,
        begin,
        shared,
    };
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
        tokio::select! {
            biased;
            input = shell.door.input.recv(), if shell.door_listens => shell.door_said(input),
            Some(event) = reports.recv() => shell.report(event).await,
            event = shell.mouth.next() => {
                let spoken = shell.mouth.event(event);
                shell.spoken(spoken).await;
            }
            event = shell.listener.next() => {
                let (input, failure) = shell.listener.event(event, &shell.clock);
                shell.provider_failed(failure);
                if let Some(input) = input {
                    shell.handle(input);
                }
            }
            () = tokio::time::sleep(due) => {
                let now = shell.now();
                shell.call.handle_timeout(now);
            }
            _ = heartbeat.tick() => {
                let _ = shell.records.try_send(Record::Heartbeat);
            }
        }
        // Reap finished tasks so that the set does not grow.
        while shell.tasks.try_join_next().is_some() {}
    }

    let Shell { shared, begin, door, records, hang_up, tasks, call, .. } = shell;
    drop(tasks);
    drop(records);
    // Only when the end is on record may the telephone company ask what to do next.
    while writer.join_next().await.is_some() {}
    if hang_up {
        shared.telephony.hang_up(&begin.vendor_call_sid).await;
    }
    let _ = door.output.try_send(DoorOutput::Close);
    measure::late_answers(call.late_answers());
    info!(call = %begin.open.call_id, "call over");
}

impl Shell {
    fn now(&self) -> CallTime {
        CallTime::from_micros(self.shared.clock.monotonic().saturating_sub(self.began).as_micros() as u64)
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
                let call = &mut self.call;
                self.activity.push(&audio, &self.clock, |change| call.handle(Input::Voice(change), now));
                self.listener.audio(audio, length_us);
            }
            Some(DoorInput::Mark(mark)) => self.handle(Input::Mark(MarkId(mark))),
            Some(DoorInput::Digit(digit)) => self.handle(Input::Digit(digit)),
            Some(DoorInput::HungUp) => self.handle(Input::HungUp),
            Some(DoorInput::Cut) => self.handle(Input::Cut),
            None => {
                self.door_listens = false;
                self.handle(Input::Cut);
            }
        }
    }

    async fn report(&mut self, event: Event) {
        match event {
            Event::ListenerOpened(result) => {
                let failure = self.listener.opened(result, &self.clock);
                self.provider_failed(failure);
            }
            Event::MouthOpened(result) => {
                let spoken = self.mouth.opened(result);
                self.spoken(spoken).await;
            }
            Event::Generation(id, event) => {
                if matches!(event, GenerationEvent::Finished { .. } | GenerationEvent::Failed) {
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

    fn provider_failed(&self, failure: Option<Failure>) {
        if let Some(failure) = failure {
            measure::provider_failed(&failure);
            warn!(call = %self.begin.open.call_id, %failure, "a provider failed");
        }
    }

    fn open_links(&mut self) {
        if let Some(delay) = self.listener.wants_opening() {
            let (recogniser, options) =
                (Arc::clone(&self.shared.providers.recogniser), self.recogniser.clone());
            let events = self.events.clone();
            self.tasks.spawn(async move {
                tokio::time::sleep(delay).await;
                let _ = events.send(Event::ListenerOpened(recogniser.open(options).await)).await;
            });
        }
        if let Some(delay) = self.mouth.wants_opening() {
            let (voice, options) = (Arc::clone(&self.shared.providers.voice), self.voice.clone());
            let events = self.events.clone();
            self.tasks.spawn(async move {
                tokio::time::sleep(delay).await;
                let _ = events.send(Event::MouthOpened(voice.open(options).await)).await;
            });
        }
    }

    /// Does what the engine asks.
    async fn carry_out(&mut self) {
        while let Some(output) = self.call.poll_output() {
            match output {
                Output::Generate { id, prompt } => self.generate(id, *prompt),
                Output::CancelGeneration(id) => {
                    if let Some(task) = self.generations.remove(&id) {
                        task.abort();
                    }
                }
                Output::Speak { id, text, fixed } => self.speak(id, text, fixed).await,
                Output::CancelSpeech(id) => self.mouth.cancel(id),
                Output::FlushRecogniser => self.listener.flush(),
                Output::RunTool { number, name, arguments } => self.run_tool(number, name, arguments),
                Output::Play(audio) => self.tell_door(DoorOutput::Audio(audio)).await,
                Output::Mark(mark) => self.tell_door(DoorOutput::Mark(mark.0)).await,
                Output::ClearPlayout => self.tell_door(DoorOutput::Clear).await,
                Output::Committed(turn) => {
                    measure::turn(&turn);
                    self.record(Record::Turn(turn)).await;
                }
                Output::HangUp => self.hang_up = true,
                Output::Detached => {
                    info!(call = %self.begin.open.call_id, "the door is gone; the call may come back");
                }
                Output::Ended(mut end) => {
                    end.usage.recognised_ms = self.listener.recognised_ms();
                    measure::ended(&end);
                    self.record(Record::End(end)).await;
                }
                Output::Note(note) => self.note(note),
            }
        }
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
        let sent = match self.door.output.try_send(output) {
            Ok(()) => true,
            Err(mpsc::error::TrySendError::Closed(_)) => false,
            Err(mpsc::error::TrySendError::Full(output)) => {
                matches!(tokio::time::timeout(DOOR_STALL, self.door.output.send(output)).await, Ok(Ok(())))
            }
        };
        if !sent {
            self.handle(Input::Cut);
        }
    }

    async fn speak(&mut self, id: SynthesisId, text: String, fixed: bool) {
        let key = fixed.then(|| PhraseKey::new(self.begin.open.scope.tenant_id(), &self.voice, &text));
        let cached = match &key {
            Some(key) => self.shared.phrases.get(key).await,
            None => None,
        };
        if let Some(phrase) = cached {
            let event =
                SynthesisEvent::Audio { audio: phrase.audio.clone(), alignment: phrase.alignment.clone() };
            self.handle(Input::Synthesis { id, event });
            self.handle(Input::Synthesis { id, event: SynthesisEvent::Finished });
        } else {
            let spoken = self.mouth.speak(id, text, key);
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

    fn generate(&mut self, id: GenerationId, prompt: Prompt) {
        let Prompt { model, system, messages, tools } = prompt;
        let request = GenerationRequest { model, system, messages, tools };
        let (provider, events) = (Arc::clone(&self.shared.providers.model), self.events.clone());
        let task = self.tasks.spawn(async move {
            let failure = match provider.generate(request).await {
                Ok(generation) => forward(id, generation, &events).await,
                Err(failure) => Some(failure),
            };
            if let Some(failure) = failure {
                let _ = events.send(Event::ProviderFailed(failure)).await;
                let _ = events.send(Event::Generation(id, GenerationEvent::Failed)).await;
            }
        });
        self.generations.insert(id, task);
    }
}

/// Passes a generation on, in the engine's words; returns why it broke, if it did.
async fn forward(
    id: GenerationId,
    mut generation: language_model::Generation,
    events: &mpsc::Sender<Event>,
) -> Option<Failure> {
    while let Some(event) = generation.events.recv().await {
        let (event, last) = match event {
            language_model::GenerationEvent::Text(text) => (GenerationEvent::Text(text), false),
            language_model::GenerationEvent::ToolCall { request, name, arguments } => {
                (GenerationEvent::ToolCall { request, name, arguments }, false)
            }
            language_model::GenerationEvent::Finished { usage, .. } => {
                let usage = usage.unwrap_or_default();
                let (input_tokens, output_tokens) = (usage.input_tokens, usage.output_tokens);
                (GenerationEvent::Finished { input_tokens, output_tokens }, true)
            }
            language_model::GenerationEvent::Failed(failure) => return Some(failure),
        };
        if events.send(Event::Generation(id, event)).await.is_err() || last {
            return None;
        }
    }
    Some(Failure {
        vendor: seiketsu_providers::failure::Vendor::OpenAi,
        kind: seiketsu_providers::failure::FailureKind::Closed,
        detail: "the generation ended without a last event".to_owned(),
    })
}
