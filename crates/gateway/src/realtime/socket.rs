//! `GET /v1/realtime?model=AGENT`: a conversation with an agent over a WebSocket, in the words of OpenAI's realtime
//! protocol.
//!
//! `model` (or `agent`) is the agent's id or name; `intent=transcription` makes a session that only writes down. The key
//! comes as `Authorization: Bearer …`, or, from browsers, in the
//! subprotocol `openai-insecure-api-key.…` beside `realtime`. Errors before the upgrade are problems: 400 no or unknown
//! parameters, 401 no key or one that is not good, 403 a page of another origin, 404 no such agent, 426 not a WebSocket,
//! 429 too many sessions of this brokerage, or a key that has used up what it may, 503. After it they are `error` events, which leave the session open, or close codes: 1000 the agent has ended the
//! call, 1008 not this protocol, 1009 a message too large, 1011 something failed on our side, 1012 this replica is
//! shutting down, 1013 all places are taken or the client does not read.

use super::{
    authority::Authority,
    conversation::Conversation,
    names::Names,
    wire::{self, ClientEvent, Code, EventError, Format, MAX_AUDIO_BYTES, Session, SessionKind},
};
use crate::{Gateway, access::Allowance, problem::ApiError};
use axum::{
    extract::{
        Query, State, WebSocketUpgrade,
        rejection::QueryRejection,
        ws::{CloseFrame, Message, WebSocket, rejection::WebSocketUpgradeRejection},
    },
    response::Response,
};
use futures_util::{
    SinkExt, StreamExt,
    stream::{SplitSink, SplitStream},
};
use seiketsu_domain::{
    AgentProfile, AudioFormat, CallEnd, CallId, CallTime, Clock, EndReason, TenantScope, ids::TypedId,
};
use seiketsu_session::{Arrival, BeginCall, Door, DoorInput, DoorOutput, OpenCall, Refused};
use seiketsu_storage::{DbError, calls};
use serde::Deserialize;
use std::{collections::VecDeque, sync::Arc, time::Duration};
use tokio::{sync::mpsc, time::timeout};
use tracing::Instrument;

/// Sessions that ended, by `reason`.
pub const SOCKETS_CLOSED: &str = "seiketsu_realtime_sockets_closed_total";
/// Events of clients that were refused, by `code`.
pub const REFUSED_EVENTS: &str = "seiketsu_realtime_refused_events_total";

/// The longest message: 15 MiB of audio as base64, and what is around it.
const MAX_MESSAGE_BYTES: usize = MAX_AUDIO_BYTES / 3 * 4 + 64 * 1_024;
/// What may wait to be written.
const MAX_WRITE_BUFFER_BYTES: usize = 4 * 1_024 * 1_024;
/// A client may say within so long what kind of conversation it wants, before the agent speaks.
const OVERTURE: Duration = Duration::from_millis(500);
/// A client that takes nothing for so long is gone.
const WRITE_DEADLINE: Duration = Duration::from_secs(10);
/// Silence after which a client is asked whether it is there; after two more it is gone.
const PING_AFTER: Duration = Duration::from_secs(20);
const MAX_PINGS: u32 = 2;
/// How long a closing handshake may take.
const CLOSE_DEADLINE: Duration = Duration::from_secs(2);
/// How long a session may take to notice that its door is closed.
const LEAVE_DEADLINE: Duration = Duration::from_secs(5);
/// Messages on the way to and from a session.
const DEPTH: usize = 64;
/// What a client asked for and the session has not taken yet; beyond that nothing is read from the client.
const MAX_PENDING: usize = 256;
/// The same for what waits behind audio.
const MAX_ASKED: usize = 64;
/// When it is worth trying again for whoever has too many sessions.
const RETRY_SECONDS: u16 = 5;
/// How often it is looked whether the replica shuts down.
const LOOK_AROUND: Duration = Duration::from_secs(1);

type Sink = SplitSink<WebSocket, Message>;
type Stream = SplitStream<WebSocket>;

#[derive(Debug, Deserialize)]
pub(super) struct RealtimeQuery {
    model: Option<String>,
    agent: Option<String>,
    intent: Option<Intent>,
}

/// What a session is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Intent {
    /// To write down what is said, and nothing else.
    Transcription,
}

pub(super) async fn realtime(
    State(gateway): State<Gateway>,
    authority: Authority,
    query: Result<Query<RealtimeQuery>, QueryRejection>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, ApiError> {
    let Query(query) = query?;
    let wanted = query.agent.or(query.model);
    let wanted = wanted.ok_or_else(|| ApiError::Query("`model` (or `agent`) is missing".to_owned()))?;
    let agent = authority.agent(&gateway, &wanted).await?;
    let kind = query.intent.map_or(SessionKind::Realtime, |Intent::Transcription| SessionKind::Transcription);
    let upgrade = upgrade.map_err(|_| ApiError::NotWebSocket)?;
    let allowance = gateway.allowances().of(authority.payer());
    let wait = allowance.wait(gateway.ids().clock().monotonic());
    if !wait.is_zero() {
        return Err(ApiError::UsedUp { seconds: u16::try_from(wait.as_secs() + 1).unwrap_or(u16::MAX) });
    }
    let tenant = authority.scope().tenant_id();
    let of_tenant = gateway.realtime_of().try_take(tenant);
    let of_tenant = of_tenant.ok_or(ApiError::TooManySessions { seconds: RETRY_SECONDS })?;
    let place = gateway.realtime().clone().try_acquire_owned().map_err(|_| ApiError::Busy)?;
    let sockets = gateway.sockets().clone();
    Ok(upgrade
        .protocols(["realtime"])
        .read_buffer_size(8 * 1_024)
        .write_buffer_size(0)
        .max_write_buffer_size(MAX_WRITE_BUFFER_BYTES)
        .max_message_size(MAX_MESSAGE_BYTES)
        .max_frame_size(MAX_MESSAGE_BYTES)
        .on_upgrade(move |socket| {
            let span = tracing::info_span!("realtime", call = tracing::field::Empty);
            let caller = Caller { scope: authority.scope(), agent, named: wanted, kind, allowance };
            let session = async move {
                let _places = (place, of_tenant);
                Box::pin(serve(gateway, caller, socket)).await;
            };
            sockets.track_future(session.instrument(span))
        }))
}

/// Who talks with whom.
struct Caller {
    scope: TenantScope,
    agent: AgentProfile,
    /// What the client calls the agent.
    named: String,
    kind: SessionKind,
    /// What it may ask for.
    allowance: Allowance,
}

/// Why a socket is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Closing {
    AgentDone,
    ClientGone,
    Binary,
    TooLarge,
    Stalled,
    Idle,
    Unavailable,
    Draining,
    Full,
    SessionLost,
}

impl Closing {
    const fn code_and_reason(self) -> (u16, &'static str) {
        match self {
            Self::AgentDone => (1000, "agent_done"),
            Self::ClientGone => (1000, "client_gone"),
            Self::Binary => (1008, "binary"),
            Self::TooLarge => (1009, "too_large"),
            Self::Stalled => (1013, "stalled"),
            Self::Idle => (1001, "idle"),
            Self::Unavailable => (1011, "unavailable"),
            Self::Draining => (1012, "draining"),
            Self::Full => (1013, "full"),
            Self::SessionLost => (1011, "session_lost"),
        }
    }
}

async fn serve(gateway: Gateway, caller: Caller, socket: WebSocket) {
    let (mut sink, mut stream) = socket.split();
    let clock = Arc::clone(gateway.ids().clock());
    let call_id: CallId = gateway.ids().next();
    tracing::Span::current().record("call", tracing::field::display(call_id));
    let mut conversation = Conversation::new(
        session(&caller, call_id, clock.as_ref()),
        names(call_id),
        caller.allowance.clone(),
    );
    let closing = match converse(&gateway, &caller, call_id, &mut conversation, &mut sink, &mut stream).await
    {
        Ok(closing) | Err(closing) => closing,
    };
    let (code, reason) = closing.code_and_reason();
    metrics::counter!(SOCKETS_CLOSED, "reason" => reason).increment(1);
    tracing::debug!(reason, "a realtime session is over");
    let goodbye = async {
        if closing != Closing::ClientGone {
            sink.send(Message::Close(Some(CloseFrame { code, reason: reason.into() }))).await?;
            while let Some(Ok(_)) = stream.next().await {}
        }
        sink.close().await
    };
    // A client that does not take its leave is left.
    let _ = timeout(CLOSE_DEADLINE, goodbye).await;
}

/// What the session is called, as far as it goes into other names.
fn names(call: CallId) -> Names {
    let text = call.uuid().simple().to_string();
    // Of a UUIDv7 the end is what differs.
    Names::new(text[text.len() - 12..].to_owned())
}

fn session(caller: &Caller, call: CallId, clock: &dyn Clock) -> Session {
    let expires_at = clock.now().as_second() + i64::from(caller.agent.max_call_seconds);
    Session::new(
        // `sess_…` for `call_…`: whoever may can look the call up.
        call.to_string().replacen(CallId::PREFIX, "sess", 1),
        caller.kind,
        caller.named.clone(),
        caller.agent.voice.voice_id.clone(),
        u64::try_from(expires_at).unwrap_or_default(),
    )
}

async fn converse(
    gateway: &Gateway,
    caller: &Caller,
    call_id: CallId,
    conversation: &mut Conversation,
    sink: &mut Sink,
    stream: &mut Stream,
) -> Result<Closing, Closing> {
    let clock = Arc::clone(gateway.ids().clock());
    write(conversation, sink).await?;
    // Who has something to say about the conversation says it now.
    let overture = async {
        loop {
            let first = stream.next().await;
            let is_event = matches!(first, Some(Ok(Message::Text(_))));
            hear(first, conversation, clock.monotonic())?;
            if is_event {
                return Ok(());
            }
        }
    };
    timeout(OVERTURE, overture).await.unwrap_or(Ok(()))?;
    write(conversation, sink).await?;
    if gateway.switchboard().is_draining() {
        return refuse(&Refused::Draining, conversation, sink).await;
    }
    let (format, update) = conversation.begins();
    begin_record(gateway, caller, call_id).await.map_err(|error| {
        tracing::error!(error = &error as &dyn std::error::Error, "a call cannot begin: the database failed");
        Closing::Unavailable
    })?;
    let begin = BeginCall {
        open: OpenCall {
            scope: caller.scope,
            call_id,
            agent: caller.agent.clone(),
            caller: None,
            arrival: Arrival::New,
        },
        format: match format {
            Format::Pcm24k => AudioFormat::Pcm24k,
            Format::Pcmu => AudioFormat::Mulaw8k,
            Format::Pcma => AudioFormat::Alaw8k,
        },
        vendor_call_sid: None,
        update,
    };
    let (input, door_input) = mpsc::channel(DEPTH);
    let (door_output, mut output) = mpsc::channel(DEPTH);
    let door = Door { input: door_input, output: door_output, shows: true };
    if let Err(refused) = gateway.switchboard().connect(begin, door).await {
        if let Err(error) = end_record(gateway, caller, call_id).await {
            // Recovery closes it.
            tracing::debug!(%error, "the record of a refused call stays open for now");
        }
        return refuse(&refused, conversation, sink).await;
    }
    let is_draining = || gateway.switchboard().is_draining();
    let closing = hold(conversation, &input, &mut output, sink, stream, (clock.as_ref(), &is_draining)).await;
    let closing = closing.unwrap_or_else(|closing| closing);
    if !matches!(closing, Closing::AgentDone | Closing::SessionLost) {
        // What it still says goes nowhere. An error means that it has ended already.
        let deafly = async { while output.recv().await.is_some() {} };
        let told = async {
            let _ = input.send(DoorInput::HungUp).await;
            drop(input);
        };
        if timeout(LEAVE_DEADLINE, async { tokio::join!(told, deafly) }).await.is_err() {
            tracing::warn!("a session did not notice in time that its door is closed");
        }
    }
    Ok(closing)
}

/// Nobody takes the conversation.
async fn refuse(
    refused: &Refused,
    conversation: &mut Conversation,
    sink: &mut Sink,
) -> Result<Closing, Closing> {
    let (message, closing) = match refused {
        Refused::Full => ("All places are taken; try again in a moment.", Closing::Full),
        Refused::Draining => ("This replica is shutting down; connect again.", Closing::Draining),
        Refused::AlreadyLive | Refused::Desk(_) => {
            ("The conversation could not begin; try again.", Closing::Unavailable)
        }
    };
    tracing::warn!(error = refused as &dyn std::error::Error, "a call was refused");
    conversation.refuse(&EventError::new(Code::ServerError, message));
    write(conversation, sink).await?;
    Err(closing)
}

/// The call did not come about.
async fn end_record(gateway: &Gateway, caller: &Caller, id: CallId) -> Result<(), DbError> {
    let mut tenant = gateway.db().tenant(&caller.scope).await?;
    let end = CallEnd {
        reason: EndReason::Failure,
        ended_at: CallTime::ZERO,
        turns: 0,
        usage: seiketsu_domain::Usage::default(),
    };
    calls::end_call(&mut tenant, id, &end).await?;
    tenant.commit().await
}

/// The call is on record before the agent says a word.
async fn begin_record(gateway: &Gateway, caller: &Caller, id: CallId) -> Result<(), DbError> {
    let mut tenant = gateway.db().tenant(&caller.scope).await?;
    let call = calls::NewCall {
        id,
        agent_id: caller.agent.id,
        from: None,
        to: None,
        vendor_call_sid: None,
        replica_id: gateway.config().replica,
        started_at: gateway.ids().clock().now(),
    };
    calls::begin(&mut tenant, &call).await?;
    tenant.commit().await
}

/// The conversation itself: whatever happens first, and everything that follows from it.
async fn hold(
    conversation: &mut Conversation,
    input: &mpsc::Sender<DoorInput>,
    output: &mut mpsc::Receiver<DoorOutput>,
    sink: &mut Sink,
    stream: &mut Stream,
    (clock, is_draining): (&dyn Clock, &(dyn Fn() -> bool + Sync)),
) -> Result<Closing, Closing> {
    let mut takes_input = true;
    let mut pending: VecDeque<DoorInput> = VecDeque::new();
    let (mut quiet_since, mut pings) = (clock.monotonic(), 0);
    loop {
        let now = clock.monotonic();
        while let Some(mark) = conversation.player.reached(now) {
            pending.push_back(DoorInput::Mark(mark));
        }
        let hasty = conversation.client_drives();
        while pending.len() < MAX_PENDING
            && let Some(heard) = conversation.ears.next(now, hasty)
        {
            pending.push_back(heard);
        }
        write(conversation, sink).await?;
        if conversation.is_closed() {
            return Ok(Closing::AgentDone);
        }
        if is_draining() && conversation.is_at_rest(now) {
            return Ok(Closing::Draining);
        }
        let takes_more = pending.len() < MAX_PENDING && conversation.ears.asked() < MAX_ASKED;
        let ears_due = conversation.ears.due(now, hasty).filter(|_| takes_more);
        let ping_due = (quiet_since + PING_AFTER * (pings + 1)).saturating_sub(now);
        let due = [conversation.player.due(now), ears_due]
            .into_iter()
            .flatten()
            .fold(ping_due.min(LOOK_AROUND), Duration::min);
        tokio::select! {
            // Whoever can take something gets it first.
            permit = input.reserve(), if takes_input && !pending.is_empty() => match (permit, pending.pop_front()) {
                (Ok(permit), Some(heard)) => permit.send(heard),
                (Ok(_), None) => {}
                // It has ended; what it said last is still to be read.
                (Err(_), _) => takes_input = false,
            },
            said = output.recv() => {
                let Some(said) = said else { return Err(Closing::SessionLost) };
                pending.extend(conversation.says(said, clock.monotonic()));
            }
            message = stream.next(), if takes_more => {
                (quiet_since, pings) = (clock.monotonic(), 0);
                hear(message, conversation, quiet_since)?;
            }
            () = tokio::time::sleep(due) => {
                if (quiet_since + PING_AFTER * (pings + 1)) <= clock.monotonic() {
                    if pings >= MAX_PINGS {
                        return Err(Closing::Idle);
                    }
                    pings += 1;
                    send(sink, Message::Ping(bytes::Bytes::new())).await?;
                }
            }
        }
    }
}

/// A message of the client, or the end of them.
fn hear(
    message: Option<Result<Message, axum::Error>>,
    conversation: &mut Conversation,
    now: Duration,
) -> Result<(), Closing> {
    match message {
        Some(Ok(Message::Text(text))) => {
            match wire::parse(&text) {
                Ok(received) => {
                    if !matches!(received.event, ClientEvent::AppendAudio(_)) {
                        tracing::trace!(event = ?received.event_id, "a client event");
                    }
                    conversation.hears(received, now);
                }
                Err(error) => {
                    metrics::counter!(REFUSED_EVENTS, "code" => error.code.name()).increment(1);
                    conversation.refuse(&error);
                }
            }
            Ok(())
        }
        Some(Ok(Message::Ping(_) | Message::Pong(_))) => Ok(()),
        Some(Ok(Message::Binary(_))) => Err(Closing::Binary),
        Some(Ok(Message::Close(_))) | None => Err(Closing::ClientGone),
        Some(Err(error)) => Err(match error.into_inner().downcast_ref() {
            Some(tokio_tungstenite::tungstenite::Error::Capacity(_)) => Closing::TooLarge,
            Some(_) | None => Closing::ClientGone,
        }),
    }
}

/// Everything that the client is to be told.
async fn write(conversation: &mut Conversation, sink: &mut Sink) -> Result<(), Closing> {
    while let Some(event) = conversation.event() {
        send(sink, Message::Text(event.into())).await?;
    }
    Ok(())
}

async fn send(sink: &mut Sink, message: Message) -> Result<(), Closing> {
    match timeout(WRITE_DEADLINE, sink.send(message)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) => Err(Closing::ClientGone),
        Err(_) => Err(Closing::Stalled),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_append_that_is_allowed_fits_into_a_message() {
        assert!(MAX_MESSAGE_BYTES > MAX_AUDIO_BYTES.div_ceil(3) * 4 + 1_024);
    }
}
