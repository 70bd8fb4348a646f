//! The socket of `multi-stream-input`.

use super::{
    context::{MAX_WAITING_TEXTS, Outgoing, Speaker},
    wire::{self, ClientMessage, ErrorMessage, MAX_CONTEXTS, Parameters, Session},
};
use crate::{
    EspeakVoice, Fault, RequestKind,
    conduct::Treatment,
    line::Line,
    sandbox::Shared,
    websocket::{self, Over, code},
};
use axum::{
    Json, Router,
    extract::{
        ConnectInfo, Path, Query, State, WebSocketUpgrade,
        rejection::QueryRejection,
        ws::{Message, WebSocket, rejection::WebSocketUpgradeRejection},
    },
    http::{HeaderMap, StatusCode, header::RETRY_AFTER},
    response::{IntoResponse, Response},
    routing::get,
};
use seiketsu_domain::Language;
use serde_json::json;
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::sync::mpsc;

/// What a context may hold unspoken, in bytes.
const MAX_BUFFER_BYTES: usize = 10_000;

/// The vendor's first `chunk_length_schedule`: this much text is spoken without being asked for.
const EAGER_CHARS: usize = 120;

/// Messages of all contexts that may wait for the socket.
const MAX_WAITING_MESSAGES: usize = 16;

/// The longest name of a context.
const MAX_CONTEXT_BYTES: usize = 200;

pub(crate) fn router() -> Router<Arc<Shared>> {
    Router::new().route("/v1/text-to-speech/{voice}/multi-stream-input", get(multi_stream_input))
}

async fn multi_stream_input(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(line): ConnectInfo<Line>,
    Path(voice): Path<String>,
    headers: HeaderMap,
    parameters: Result<Query<Parameters>, QueryRejection>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    if !websocket::is_authorised(&headers, "xi-api-key", &[], shared.keys.elevenlabs.as_ref()) {
        return refusal(StatusCode::UNAUTHORIZED, "invalid_api_key", "Invalid API key");
    }
    let session = match parameters {
        Ok(Query(parameters)) => Session::try_from(parameters).map_err(|error| error.to_string()),
        Err(rejection) => Err(rejection.body_text()),
    };
    let session = match session {
        Ok(session) => session,
        Err(error) => return refusal(StatusCode::UNPROCESSABLE_ENTITY, "invalid_parameters", &error),
    };
    let upgrade = match upgrade {
        Ok(upgrade) => websocket::bounded(upgrade),
        Err(rejection) => return rejection.into_response(),
    };
    let Treatment { fault, retry_after, .. } =
        websocket::delay_opening(&shared, RequestKind::VoiceOpening).await;
    match fault {
        Some(Fault::Refuse) => {
            return refusal(
                StatusCode::SERVICE_UNAVAILABLE,
                "service_unavailable",
                "The service is unavailable",
            );
        }
        Some(Fault::RateLimit) => {
            let body =
                refusal(StatusCode::TOO_MANY_REQUESTS, "too_many_concurrent_requests", "Too many requests");
            return ([(RETRY_AFTER, retry_after.as_secs().to_string())], body).into_response();
        }
        Some(Fault::Stall | Fault::HalfOpen | Fault::Disconnect | Fault::Garbage) | None => {}
    }
    let language =
        session.language_code.as_deref().and_then(|code| code.parse::<Language>().ok()).unwrap_or_default();
    let speaker = Speaker {
        voice: EspeakVoice::of(&voice, language),
        format: session.format,
        shared: Arc::clone(&shared),
    };
    let busy = shared.tracker.token();
    upgrade.on_upgrade(async move |mut socket| {
        let _busy = busy;
        if websocket::survives_opening(fault, &line, &mut socket, "{\"audio\":").await {
            Conversation::new(speaker, session, line).run(socket).await;
        }
    })
}

/// How a request is turned away, in the vendor's words.
pub(super) fn refusal(status: StatusCode, error: &str, message: &str) -> Response {
    (status, Json(json!({ "detail": { "status": error, "message": message } }))).into_response()
}

/// What a context waits for from its client.
#[derive(Debug)]
struct OpenContext {
    /// None once the client has closed it: it only finishes what it has.
    texts: Option<mpsc::Sender<String>>,
    buffer: String,
}

#[derive(Debug)]
struct Conversation {
    speaker: Speaker,
    session: Session,
    line: Line,
    contexts: BTreeMap<String, OpenContext>,
    outgoing: mpsc::Sender<Outgoing>,
    incoming: mpsc::Receiver<Outgoing>,
}

/// What to do with the socket next.
enum Next {
    GoOn,
    Fail(ErrorMessage),
    Close,
}

impl Conversation {
    fn new(speaker: Speaker, session: Session, line: Line) -> Self {
        let (outgoing, incoming) = mpsc::channel(MAX_WAITING_MESSAGES);
        Self { speaker, session, line, contexts: BTreeMap::new(), outgoing, incoming }
    }

    async fn run(mut self, mut socket: WebSocket) {
        let shared = Arc::clone(&self.speaker.shared);
        let clock = shared.conduct.clock();
        let inactivity = Duration::from_secs(self.session.inactivity_seconds);
        let mut deadline = clock.monotonic() + inactivity;
        loop {
            let left = deadline.saturating_sub(clock.monotonic());
            if left.is_zero() {
                fail(&mut socket, &self.timed_out()).await;
                return;
            }
            let over = tokio::select! {
                () = shared.shutdown.cancelled() => {
                    Err(websocket::close(&mut socket, code::GOING_AWAY, "the sandbox is shutting down").await)
                }
                Some(outgoing) = self.incoming.recv() => match outgoing {
                    Outgoing::HalfOpen => return self.line.silence(),
                    Outgoing::Disconnect => return,
                    Outgoing::Message(message) => websocket::send_text(&mut socket, message).await,
                    Outgoing::Final { context, message } => {
                        self.contexts.remove(&context);
                        websocket::send_text(&mut socket, message).await
                    }
                    Outgoing::Error(error) => Err(fail(&mut socket, &error).await),
                },
                message = socket.recv() => match message {
                    // Only what the protocol is about counts as activity; a ping does not.
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => Ok(()),
                    Some(Ok(message)) => {
                        deadline = clock.monotonic() + inactivity;
                        match self.handle(message) {
                            Next::GoOn => Ok(()),
                            Next::Fail(error) => Err(fail(&mut socket, &error).await),
                            Next::Close => Err(websocket::close(&mut socket, code::NORMAL, "").await),
                        }
                    }
                    Some(Err(_)) | None => Err(Over),
                },
                () = tokio::time::sleep(left) => Ok(()),
            };
            if let Err(Over) = over {
                return;
            }
        }
    }

    fn timed_out(&self) -> ErrorMessage {
        let seconds = self.session.inactivity_seconds;
        let message = format!("Have not received a new text input within the timeout of {seconds} seconds.");
        ErrorMessage::policy("input_timeout_exceeded", message)
    }

    fn handle(&mut self, message: Message) -> Next {
        match message {
            Message::Text(text) => match serde_json::from_str(&text) {
                Ok(message) => self.handle_client(message),
                Err(error) => Next::Fail(ErrorMessage::policy("invalid_message", error.to_string())),
            },
            Message::Binary(_) => {
                Next::Fail(ErrorMessage::policy("invalid_message", "binary messages are not supported"))
            }
            Message::Close(_) => Next::Close,
            Message::Ping(_) | Message::Pong(_) => Next::GoOn,
        }
    }

    fn handle_client(&mut self, message: ClientMessage) -> Next {
        if message.close_socket {
            return Next::Close;
        }
        let name = message.context_id.unwrap_or_default();
        if name.len() > MAX_CONTEXT_BYTES {
            return Next::Fail(ErrorMessage::policy("invalid_message", "context_id is too long"));
        }
        let text = message.text.unwrap_or_default();
        if !self.contexts.contains_key(&name) {
            // Nothing to say, flush or close in a context that is not there: a keep-alive, or a late close.
            if text.is_empty() {
                return Next::GoOn;
            }
            if self.contexts.len() >= MAX_CONTEXTS {
                let message = format!("Maximum simultaneous contexts exceeded ({MAX_CONTEXTS}).");
                return Next::Fail(ErrorMessage::policy("max_active_conversations", message));
            }
            self.open(&name);
        }
        let Some(context) = self.contexts.get_mut(&name) else { return Next::GoOn };
        let Some(texts) = &context.texts else {
            return if text.trim().is_empty() {
                Next::GoOn
            } else {
                Next::Fail(ErrorMessage::policy("context_closed", format!("Context {name} is closed.")))
            };
        };
        context.buffer.push_str(&text);
        if context.buffer.len() > MAX_BUFFER_BYTES {
            return Next::Fail(ErrorMessage::policy("text_too_long", "Too much text without a flush."));
        }
        let everything = message.flush || message.close_context;
        let ready = take_ready(&mut context.buffer, everything, self.session.auto_mode);
        if let Some(ready) = ready
            && texts.try_send(ready).is_err()
        {
            return Next::Fail(ErrorMessage::policy(
                "queue_overflow",
                format!("Context {name} has too many texts."),
            ));
        }
        if message.close_context {
            context.texts = None;
        }
        Next::GoOn
    }

    fn open(&mut self, name: &str) {
        let (texts, waiting) = mpsc::channel(MAX_WAITING_TEXTS);
        let run = self.speaker.clone().run(name.to_owned(), waiting, self.outgoing.clone());
        // When the socket goes, nobody is left to speak to: the context is dropped wherever it is.
        let outgoing = self.outgoing.clone();
        self.speaker.shared.tracker.spawn(async move {
            tokio::select! {
                () = run => {}
                () = outgoing.closed() => {}
            }
        });
        self.contexts.insert(name.to_owned(), OpenContext { texts: Some(texts), buffer: String::new() });
    }
}

async fn fail(socket: &mut WebSocket, error: &ErrorMessage) -> Over {
    match websocket::send_text(socket, wire::to_text(error)).await {
        Ok(()) => {
            websocket::close(socket, error.code, error.message.chars().take(100).collect::<String>()).await
        }
        Err(over) => over,
    }
}

/// Takes what is to be spoken now out of the buffer: everything when it was flushed, complete sentences in
/// `auto_mode`, and otherwise as much as the vendor does not wait any longer with.
fn take_ready(buffer: &mut String, everything: bool, auto_mode: bool) -> Option<String> {
    let sentence = || {
        buffer
            .rmatch_indices(['.', '!', '?'])
            .map(|(at, end)| at + end.len())
            .find(|&end| buffer[end..].starts_with(' '))
    };
    let words = || (buffer.chars().count() > EAGER_CHARS).then(|| buffer.rfind(' ')).flatten();
    let end = if everything {
        buffer.len()
    } else if auto_mode {
        sentence()?
    } else {
        words()?
    };
    let rest = buffer.split_off(end);
    let ready = std::mem::replace(buffer, rest);
    let ready = ready.trim();
    (!ready.is_empty()).then(|| ready.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(buffer: &str, everything: bool, auto_mode: bool) -> (Option<String>, String) {
        let mut buffer = buffer.to_owned();
        (take_ready(&mut buffer, everything, auto_mode), buffer)
    }

    #[test]
    fn a_flush_takes_everything_and_nothing_is_not_spoken() {
        assert_eq!(take("Hello there ", true, false), (Some("Hello there".into()), String::new()));
        assert_eq!(take(" ", true, true), (None, String::new()));
    }

    #[test]
    fn auto_mode_takes_complete_sentences() {
        assert_eq!(take("One. Two. Thr", false, true), (Some("One. Two.".into()), " Thr".into()));
        assert_eq!(take("It is 4.5 rooms", false, true), (None, "It is 4.5 rooms".into()));
    }

    #[test]
    fn long_text_is_spoken_without_being_asked_for_up_to_a_word() {
        assert_eq!(take("short text ", false, false), (None, "short text ".into()));
        let long = "word ".repeat(30) + "wo";
        let (ready, rest) = take(&long, false, false);
        assert_eq!(ready.map(|text| text.split(' ').count()), Some(30));
        assert_eq!(rest, " wo");
    }
}
