//! The HTTP side of the chat completions.

use super::{
    chunks::{self, Heading, Limits, Milestone, Step},
    wire::{self, ChatRequest, Choice, RequestError},
};
use crate::{
    Fault, RequestKind,
    conduct::Treatment,
    injected::{Delayed, InjectedStage},
    receptionist::{self, PromptMessage, Reply},
    sandbox::Shared,
    websocket,
};
use axum::{
    Json, Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{
        IntoResponse, Response,
        sse::{Event, Sse},
    },
    routing::{get, post},
};
use futures_util::{Stream, StreamExt, future, stream};
use serde_json::json;
use std::{collections::VecDeque, io, sync::Arc, time::Duration};

/// Chunks that come before a fault in mid-stream strikes: the role and two tokens.
const CHUNKS_BEFORE_FAULT: usize = 3;

/// Between the last chunk and the break of the connection.
const BEFORE_DISCONNECT: Duration = Duration::from_millis(50);

/// Models that are listed; any other name is served as well.
const MODELS: [&str; 4] = ["gpt-4.1", "gpt-4.1-mini", "gpt-4o", "gpt-4o-mini"];

pub(crate) fn router() -> Router<Arc<Shared>> {
    Router::new().route("/v1/chat/completions", post(chat_completions)).route("/v1/models", get(models))
}

async fn models(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response {
    if !authorised(&shared, &headers) {
        return unauthorised();
    }
    let model =
        |id: &&str| json!({ "id": id, "object": "model", "created": 1_744_316_542, "owned_by": "system" });
    Json(json!({ "object": "list", "data": MODELS.iter().map(model).collect::<Vec<_>>() })).into_response()
}

async fn chat_completions(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Response {
    if !authorised(&shared, &headers) {
        return unauthorised();
    }
    let asked_at = shared.conduct.clock().monotonic();
    let treatment = shared.conduct.next(RequestKind::Generation);
    let answer = match answer(&shared, &body) {
        Ok(answer) => answer,
        Err(error) => return invalid(&error.to_string()),
    };
    let pace = Pace { shared, asked_at, treatment, key: answer.key };
    match treatment.fault {
        Some(Fault::Refuse) => {
            pace.first_token().await;
            overloaded()
        }
        Some(Fault::RateLimit) => {
            pace.first_token().await;
            limited(treatment.retry_after)
        }
        Some(Fault::Stall | Fault::HalfOpen | Fault::Disconnect | Fault::Garbage) | None => {
            let shutdown = pace.shared.shutdown.clone();
            Sse::new(paced(pace, answer.steps).take_until(shutdown.cancelled_owned())).into_response()
        }
    }
}

/// Whether a request may come in.
pub(super) fn authorised(shared: &Shared, headers: &HeaderMap) -> bool {
    websocket::is_authorised(headers, "authorization", &["bearer"], shared.keys.openai.as_ref())
}

/// What is said to the others.
pub(super) fn unauthorised() -> Response {
    let body =
        wire::error_body("invalid_request_error", Some("invalid_api_key"), "Incorrect API key provided.");
    (StatusCode::UNAUTHORIZED, Json(body)).into_response()
}

/// What a request hears that is turned away.
pub(super) fn overloaded() -> Response {
    let body = wire::error_body("server_error", None, "The server is currently overloaded.");
    (StatusCode::SERVICE_UNAVAILABLE, Json(body)).into_response()
}

/// What a request hears that is one too many.
pub(super) fn limited(retry_after: Duration) -> Response {
    let body = wire::error_body("requests", Some("rate_limit_exceeded"), "Rate limit reached for requests.");
    let retry_after = [(header::RETRY_AFTER, retry_after.as_secs().to_string())];
    (StatusCode::TOO_MANY_REQUESTS, retry_after, Json(body)).into_response()
}

/// What a request hears that makes no sense.
pub(super) fn invalid(message: &str) -> Response {
    (StatusCode::BAD_REQUEST, Json(wire::error_body("invalid_request_error", None, message))).into_response()
}

/// What is going to be said, and what the delays before it can be joined by.
struct Answer {
    steps: Vec<Step>,
    key: String,
}

fn answer(shared: &Shared, body: &[u8]) -> Result<Answer, RequestError> {
    let request = ChatRequest::parse(body)?;
    let limits = Limits {
        // JSON syntax and tool schemas count as they do with the vendor: as text.
        prompt_tokens: chunks::token_count(&String::from_utf8_lossy(body)),
        max_tokens: request.token_limit(),
        include_usage: request.stream_options.is_some_and(|options| options.include_usage),
    };
    let id = shared.conduct.identifier(RequestKind::Generation).simple().to_string();
    let heading = Heading {
        id: format!("chatcmpl-{id}"),
        created: shared.conduct.clock().now().as_second(),
        model: request.model.clone(),
    };
    let (prompt, choice) = request.into_prompt()?;
    let mut reply = receptionist::reply(&prompt);
    if let Choice::Must(tool) = choice
        && reply.tool_calls.is_empty()
    {
        reply = Reply { text: None, tool_calls: vec![(tool, json!({}))] };
    }
    let last_user_message = prompt.messages.iter().rev().find_map(|message| match message {
        PromptMessage::User(text) => Some(text.clone()),
        PromptMessage::Assistant { .. } | PromptMessage::Tool { .. } => None,
    });
    let steps = chunks::steps(&heading, &reply, limits, |index| format!("call_{}{index:02}", &id[..22]));
    Ok(Answer { steps, key: last_user_message.unwrap_or_default() })
}

/// When things are due, and the record of it.
struct Pace {
    shared: Arc<Shared>,
    asked_at: Duration,
    treatment: Treatment,
    key: String,
}

impl Pace {
    async fn first_token(&self) {
        self.until(self.treatment.delay).await;
        self.record(InjectedStage::FirstToken, self.treatment.delay, self.held());
    }

    /// Waits until so long after the request; the schedule is absolute, so that late timers do not add up.
    async fn until(&self, offset: Duration) {
        let left = offset.saturating_sub(self.held());
        if !left.is_zero() {
            tokio::time::sleep(left).await;
        }
    }

    fn held(&self) -> Duration {
        self.shared.conduct.clock().monotonic().saturating_sub(self.asked_at)
    }

    fn record(&self, stage: InjectedStage, delay: Duration, held: Duration) {
        let delayed = Delayed { stage, key: &self.key, delay, held, fault: self.treatment.fault };
        self.shared.conduct.record(RequestKind::Generation, &delayed);
    }
}

/// The chunks, each at its time; then the vendor's `[DONE]`, or whatever the fault says.
fn paced(pace: Pace, steps: Vec<Step>) -> impl Stream<Item = Result<Event, io::Error>> {
    let cut = match pace.treatment.fault {
        Some(Fault::HalfOpen | Fault::Disconnect | Fault::Garbage) => CHUNKS_BEFORE_FAULT,
        Some(Fault::Stall | Fault::Refuse | Fault::RateLimit) | None => usize::MAX,
    };
    let fault = pace.treatment.fault;
    let progress = Progress { pace, steps: steps.into(), tokens: 0, first_token_held: None };
    let ending = stream::once(async move {
        match fault {
            Some(Fault::HalfOpen) => future::pending().await,
            Some(Fault::Disconnect) => {
                // What was said before has to leave first, or the connection breaks before its answer begins.
                tokio::time::sleep(BEFORE_DISCONNECT).await;
                Err(io::Error::from(io::ErrorKind::ConnectionReset))
            }
            Some(Fault::Garbage) => Ok(Event::default().data(r#"{"id":"chatcmpl-","choices":[{"delta":"#)),
            Some(Fault::Stall | Fault::Refuse | Fault::RateLimit) | None => {
                Ok(Event::default().data("[DONE]"))
            }
        }
    });
    stream::unfold(progress, Progress::next).take(cut).chain(ending)
}

struct Progress {
    pace: Pace,
    steps: VecDeque<Step>,
    tokens: u32,
    first_token_held: Option<Duration>,
}

impl Progress {
    async fn next(mut self) -> Option<(Result<Event, io::Error>, Self)> {
        let step = self.steps.pop_front()?;
        let first_token_held = if let Some(held) = self.first_token_held {
            held
        } else {
            // The vendor sends nothing, not even the role, before it has a token.
            self.pace.first_token().await;
            *self.first_token_held.insert(self.pace.held())
        };
        if step.token {
            self.pace.until(self.pace.treatment.delay + self.spent_on_tokens()).await;
            self.tokens += 1;
        }
        if let Some(milestone) = step.completes {
            let stage = match milestone {
                Milestone::FirstSentence => InjectedStage::FirstSentence,
                Milestone::ToolCalls => InjectedStage::ToolCalls,
            };
            // The token that completes it has been counted; the one after it is none of its time.
            let delay = self.pace.treatment.interval * self.tokens.saturating_sub(1);
            self.pace.record(stage, delay, self.pace.held().saturating_sub(first_token_held));
        }
        Some((Ok(Event::default().data(step.data)), self))
    }

    /// The time between the first token and the next.
    fn spent_on_tokens(&self) -> Duration {
        self.pace.treatment.interval * self.tokens
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_body_has_the_vendors_shape() {
        let body = wire::error_body("requests", Some("rate_limit_exceeded"), "Rate limit reached.");
        let expected = json!({ "error": { "message": "Rate limit reached.", "type": "requests", "param": null,
            "code": "rate_limit_exceeded" } });
        assert_eq!(body, expected);
    }
}
