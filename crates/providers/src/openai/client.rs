//! Chat completions over HTTP.

use super::{
    endpoint::{self, Endpoint},
    wire::{StreamParser, request_body},
};
use crate::{Failure, FailureKind, Generation, GenerationEvent, GenerationRequest, LanguageModel, Vendor};
use async_trait::async_trait;
use http::{Method, header};
use reqwest::Response;
use secrecy::SecretString;
use std::time::Duration;
use tokio::{sync::mpsc, time};
use tokio_util::task::TaskTracker;
use tracing::debug;
use url::Url;

/// Events that wait for a slow reader before the vendor has to.
const EVENT_QUEUE: usize = 64;

/// Where, as whom and how patiently.
#[derive(Debug, Clone)]
pub struct OpenAiConfig {
    /// Up to and including the version: `https://api.openai.com/v1`.
    pub base_url: Url,
    /// The API key.
    pub api_key: SecretString,
    /// From asking to the first token.
    pub first_token_timeout: Duration,
    /// The longest pause within an answer: so long without a byte, and the connection counts as half open.
    pub idle_timeout: Duration,
}

impl OpenAiConfig {
    /// Patience that suits a phone call: 5 s for the first token, because whoever cannot wait asks somebody else
    /// meanwhile, and 1.8 s within an answer that has begun.
    pub fn new(base_url: Url, api_key: SecretString) -> Self {
        Self {
            base_url,
            api_key,
            first_token_timeout: Duration::from_secs(5),
            idle_timeout: Duration::from_millis(1_800),
        }
    }
}

/// The client. Cheap to share; connections are the HTTP client's.
#[derive(Debug, Clone)]
pub struct OpenAi {
    endpoint: Endpoint,
    first_token_timeout: Duration,
    idle_timeout: Duration,
    tasks: TaskTracker,
}

impl OpenAi {
    /// A client whose runs are tasks of `tasks`.
    pub fn new(config: OpenAiConfig, http: reqwest::Client, tasks: TaskTracker) -> Self {
        let OpenAiConfig { base_url, api_key, first_token_timeout, idle_timeout } = config;
        let endpoint = Endpoint::new(base_url, api_key, http);
        Self { endpoint, first_token_timeout, idle_timeout, tasks }
    }
}

#[async_trait]
impl LanguageModel for OpenAi {
    async fn generate(&self, request: GenerationRequest) -> Result<Generation, Failure> {
        let asked = self
            .endpoint
            .request(Method::POST, &["chat", "completions"])?
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::ACCEPT, "text/event-stream")
            .body(request_body(&request)?);
        let (sender, events) = mpsc::channel(EVENT_QUEUE);
        let run = Run {
            events: sender,
            first_token_timeout: self.first_token_timeout,
            idle_timeout: self.idle_timeout,
        };
        self.tasks.spawn(run.drive(asked));
        Ok(Generation { events })
    }

    async fn warm(&self) {
        let request = async {
            let request = self.endpoint.request(Method::GET, &["models"])?;
            let mut response = request.send().await.map_err(endpoint::broken)?;
            // Only a connection whose answer has been read to its end is used again.
            while let Ok(Some(_)) = response.chunk().await {}
            Ok::<_, Failure>(response.status())
        };
        match time::timeout(self.first_token_timeout, request).await {
            Ok(Ok(status)) => debug!(vendor = %Vendor::OpenAi, %status, "connection is warm"),
            Ok(Err(failure)) => debug!(%failure, "connection could not be warmed"),
            Err(_) => debug!(vendor = %Vendor::OpenAi, "connection could not be warmed in time"),
        }
    }
}

/// One request, from its sending to its last event.
struct Run {
    events: mpsc::Sender<GenerationEvent>,
    first_token_timeout: Duration,
    idle_timeout: Duration,
}

/// Nobody listens any more.
struct Cancelled;

impl Run {
    async fn drive(self, request: reqwest::RequestBuilder) {
        // Leaving the select drops the request and with it the connection (or its HTTP/2 stream).
        tokio::select! {
            () = self.events.closed() => {}
            outcome = self.exchange(request) => {
                if let Err(failure) = outcome {
                    // If nobody listens, nobody has to know.
                    let _ = self.events.send(GenerationEvent::Failed(failure)).await;
                }
            }
        }
    }

    async fn exchange(&self, request: reqwest::RequestBuilder) -> Result<(), Failure> {
        let first_token = time::sleep(self.first_token_timeout);
        tokio::pin!(first_token);
        let no_token = || timeout("no token", self.first_token_timeout);
        let mut response = tokio::select! {
            response = endpoint::begin(request, &["text/event-stream"]) => response?,
            () = &mut first_token => return Err(no_token()),
        };
        let mut parser = StreamParser::new();
        let mut events = Vec::new();
        let mut waiting_for_first = true;
        loop {
            let more = if waiting_for_first {
                tokio::select! {
                    more = read(&mut response, &mut parser, &mut events) => more,
                    () = &mut first_token => Err(no_token()),
                }
            } else {
                time::timeout(self.idle_timeout, read(&mut response, &mut parser, &mut events))
                    .await
                    .unwrap_or_else(|_| Err(timeout("nothing more", self.idle_timeout)))
            };
            waiting_for_first &= events.is_empty();
            // What was read before it broke is as good as before.
            if self.pass_on(&mut events).await.is_err() || parser.is_done() {
                return Ok(());
            }
            let failure = match more {
                Ok(true) => continue,
                Ok(false) => Failure::new(Vendor::OpenAi, FailureKind::Closed, "the answer ended too early"),
                Err(failure) => failure,
            };
            return match parser.end() {
                Some(end) => {
                    let _ = self.events.send(end).await;
                    Ok(())
                }
                None => Err(failure),
            };
        }
    }

    async fn pass_on(&self, events: &mut Vec<GenerationEvent>) -> Result<(), Cancelled> {
        for event in events.drain(..) {
            self.events.send(event).await.map_err(|_| Cancelled)?;
        }
        Ok(())
    }
}

/// Reads a piece of the answer; `false` at its end.
async fn read(
    response: &mut Response,
    parser: &mut StreamParser,
    events: &mut Vec<GenerationEvent>,
) -> Result<bool, Failure> {
    let chunk = response.chunk().await.map_err(endpoint::broken)?;
    let Some(chunk) = chunk else { return Ok(false) };
    parser.push(&chunk, events)?;
    Ok(true)
}

fn timeout(what: &str, limit: Duration) -> Failure {
    Failure::new(Vendor::OpenAi, FailureKind::Timeout, format!("{what} within {} ms", limit.as_millis()))
}

#[cfg(test)]
#[path = "client_tests.rs"]
mod tests;
