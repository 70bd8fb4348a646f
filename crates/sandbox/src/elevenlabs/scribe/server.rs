//! The socket of `/v1/speech-to-text/realtime`.

use super::wire::{self, ClientMessage, Session};
use crate::{
    Fault, RequestKind,
    conduct::Treatment,
    elevenlabs::server::refusal,
    line::Line,
    recogniser::{Confidence, Dialect, Ear, Endpoint, Goodbye, Heard, Output, Settings, Stream},
    sandbox::Shared,
    websocket::{self, code},
};
use axum::{
    Router,
    extract::{
        ConnectInfo, Query, State, WebSocketUpgrade,
        ws::{Message, rejection::WebSocketUpgradeRejection},
    },
    http::{HeaderMap, StatusCode, header::RETRY_AFTER},
    response::{IntoResponse, Response},
    routing::get,
};
use std::{sync::Arc, time::Duration};

/// What the client did not commit is committed after this long.
const LONGEST_STRETCH_MS: u64 = 90_000;

/// The least audio that is committed. Whether the vendor also closes over less is not known; the sandbox does not.
const LEAST_COMMIT_MS: usize = 300;

pub(crate) fn router() -> Router<Arc<Shared>> {
    Router::new().route("/v1/speech-to-text/realtime", get(realtime))
}

async fn realtime(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(line): ConnectInfo<Line>,
    headers: HeaderMap,
    Query(query): Query<Vec<(String, String)>>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    if !websocket::is_authorised(&headers, "xi-api-key", &[], shared.keys.elevenlabs.as_ref()) {
        return refusal(StatusCode::UNAUTHORIZED, "invalid_api_key", "Invalid API key");
    }
    let session = match Session::parse(&query) {
        Ok(session) => session,
        Err(error) => {
            return refusal(StatusCode::UNPROCESSABLE_ENTITY, "invalid_parameters", &error.to_string());
        }
    };
    let upgrade = match upgrade {
        Ok(upgrade) => websocket::bounded(upgrade),
        Err(rejection) => return rejection.into_response(),
    };
    let Treatment { fault, retry_after, .. } =
        websocket::delay_opening(&shared, RequestKind::ScribeOpening).await;
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
    let busy = shared.tracker.token();
    upgrade.on_upgrade(async move |mut socket| {
        let _busy = busy;
        if !websocket::survives_opening(fault, &line, &mut socket, "{\"message_type\":").await {
            return;
        }
        let ear = Ear::new(session.encoding, session.sample_rate_hz);
        let settings = settings(&session);
        let session_id = shared.conduct.identifier(RequestKind::ScribeOpening).simple().to_string();
        let scribe = Scribe { session, session_id, uncommitted_bytes: 0 };
        Stream::new(shared, line, scribe, ear, settings).run(socket).await;
    })
}

fn settings(session: &Session) -> Settings {
    let endpoint = session
        .vad_silence_threshold_secs
        .map_or(Endpoint::Commit, |seconds| Endpoint::Silence((seconds * 1e3).round() as u32));
    Settings {
        interim_results: true,
        endpoint,
        utterance_end_ms: None,
        vad_events: false,
        longest_stretch_ms: LONGEST_STRETCH_MS,
    }
}

/// Scribe's way of putting it.
struct Scribe {
    session: Session,
    session_id: String,
    uncommitted_bytes: usize,
}

impl Scribe {
    /// Audio, unless too little of it is to be committed.
    fn hear(&mut self, bytes: Vec<u8>, commit: bool) -> Heard {
        self.uncommitted_bytes += bytes.len();
        let least =
            LEAST_COMMIT_MS * self.session.encoding.bytes_per_sample() * self.session.sample_rate_hz as usize;
        if commit && self.uncommitted_bytes * 1_000 < least {
            let message = format!("A commit needs at least {LEAST_COMMIT_MS} ms of uncommitted audio.");
            return Heard::Objection(wire::error("commit_throttled", &message).to_string());
        }
        if commit {
            self.uncommitted_bytes = 0;
        }
        Heard::Audio { bytes, commit }
    }
}

impl Dialect for Scribe {
    const UTTERANCE: RequestKind = RequestKind::ScribeUtterance;
    const PATIENCE: Duration = Duration::from_secs(20);

    fn welcome(&self) -> Vec<String> {
        vec![wire::session_started(&self.session, &self.session_id).to_string()]
    }

    fn understand(&mut self, message: Message) -> Heard {
        match message {
            Message::Text(text) => match serde_json::from_str(&text) {
                Ok(ClientMessage::InputAudioChunk { audio_base_64, commit }) => {
                    match base64_simd::STANDARD.decode_to_vec(&audio_base_64) {
                        Ok(bytes) => self.hear(bytes, commit),
                        Err(error) => Heard::Wrong(fail(code::POLICY, "input_error", &error.to_string())),
                    }
                }
                Err(error) => Heard::Wrong(fail(code::POLICY, "input_error", &error.to_string())),
            },
            Message::Binary(_) => {
                Heard::Wrong(fail(code::POLICY, "input_error", "binary messages are not supported"))
            }
            Message::Close(_) | Message::Ping(_) | Message::Pong(_) => Heard::Gone,
        }
    }

    fn tell(&self, output: &Output) -> Vec<String> {
        let Output::Result { transcript, .. } = output else { return Vec::new() };
        if !transcript.is_final {
            return vec![wire::partial(transcript).to_string()];
        }
        // Nothing that was asked for and nothing that would be news.
        let silent = transcript.words.is_empty() && transcript.confidence != Confidence::Flagged;
        if silent && !transcript.from_finalize {
            return Vec::new();
        }
        let mut messages = vec![wire::committed(transcript).to_string()];
        if self.session.include_timestamps {
            let language = self.session.language_code.as_deref().unwrap_or("en");
            messages.push(wire::committed_with_timestamps(transcript, language).to_string());
        }
        messages
    }

    fn garbage(&self) -> String {
        "{\"message_type\":\"partial_transcript\",\"text\":[".to_owned()
    }

    fn refuse(&self) -> Goodbye {
        fail(code::INTERNAL, "transcriber_error", "The service is unavailable.")
    }

    fn limit(&self) -> Goodbye {
        fail(code::POLICY, "rate_limited", "Too many requests. Please try again later.")
    }

    fn lose_patience(&self) -> Goodbye {
        fail(code::POLICY, "insufficient_audio_activity", "No audio was received for too long.")
    }

    fn farewell(&self, _heard_ms: u64) -> Goodbye {
        Goodbye { message: None, code: code::NORMAL, reason: String::new() }
    }
}

fn fail(code: u16, kind: &str, message: &str) -> Goodbye {
    Goodbye {
        message: Some(wire::error(kind, message).to_string()),
        code,
        reason: message.chars().take(100).collect(),
    }
}
