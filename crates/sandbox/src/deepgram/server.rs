//! The socket of `/v1/listen`.

use super::wire::{self, ControlMessage, ListenOptions};
use crate::{
    Fault, RequestKind,
    conduct::Treatment,
    line::Line,
    recogniser::{Dialect, Ear, Endpoint, Goodbye, Heard, Output, Settings, Stream},
    sandbox::Shared,
    websocket::{self, code},
};
use axum::{
    Json, Router,
    extract::{
        ConnectInfo, Query, State, WebSocketUpgrade,
        ws::{Message, rejection::WebSocketUpgradeRejection},
    },
    http::{HeaderMap, StatusCode, header::RETRY_AFTER},
    response::{IntoResponse, Response},
    routing::get,
};
use std::{sync::Arc, time::Duration};

/// A stretch is reported as final after this long, however long the caller goes on.
const LONGEST_STRETCH_MS: u64 = 10_000;

pub(crate) fn router() -> Router<Arc<Shared>> {
    Router::new().route("/v1/listen", get(listen))
}

async fn listen(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(line): ConnectInfo<Line>,
    headers: HeaderMap,
    Query(query): Query<Vec<(String, String)>>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let request_id = shared.conduct.identifier(RequestKind::RecogniserOpening).to_string();
    let refuse = |status: StatusCode, code: &str, message: &str| {
        (status, Json(wire::refusal(code, message, &request_id))).into_response()
    };
    let key = shared.keys.deepgram.as_ref();
    if !websocket::is_authorised(&headers, "authorization", &["token", "bearer"], key) {
        return refuse(StatusCode::UNAUTHORIZED, "INVALID_AUTH", "Invalid credentials.");
    }
    let options = match ListenOptions::parse(&query) {
        Ok(options) => options,
        Err(error) => return refuse(StatusCode::BAD_REQUEST, "INVALID_QUERY_PARAMETER", &error.to_string()),
    };
    let upgrade = match upgrade {
        Ok(upgrade) => websocket::bounded(upgrade),
        Err(rejection) => return rejection.into_response(),
    };
    let Treatment { fault, retry_after, .. } =
        websocket::delay_opening(&shared, RequestKind::RecogniserOpening).await;
    match fault {
        Some(Fault::Refuse) => {
            return refuse(
                StatusCode::SERVICE_UNAVAILABLE,
                "SERVICE_UNAVAILABLE",
                "The service is unavailable.",
            );
        }
        Some(Fault::RateLimit) => {
            let response = refuse(StatusCode::TOO_MANY_REQUESTS, "TOO_MANY_REQUESTS", "Too many requests.");
            return ([(RETRY_AFTER, retry_after.as_secs().to_string())], response).into_response();
        }
        Some(Fault::Stall | Fault::HalfOpen | Fault::Disconnect | Fault::Garbage) | None => {}
    }
    let busy = shared.tracker.token();
    upgrade.on_upgrade(async move |mut socket| {
        let _busy = busy;
        if !websocket::survives_opening(fault, &line, &mut socket, "{\"type\":\"Resul").await {
            return;
        }
        let ear = Ear::new(options.encoding, options.sample_rate_hz);
        let settings = settings(&options);
        let created = shared.conduct.clock().now().to_string();
        let deepgram = Deepgram { model: options.model, request_id, created };
        Stream::new(shared, line, deepgram, ear, settings).run(socket).await;
    })
}

fn settings(options: &ListenOptions) -> Settings {
    Settings {
        interim_results: options.interim_results,
        endpoint: options.endpointing_ms.map_or(Endpoint::Off, Endpoint::Silence),
        utterance_end_ms: options.utterance_end_ms,
        vad_events: options.vad_events,
        longest_stretch_ms: LONGEST_STRETCH_MS,
    }
}

/// Deepgram's way of putting it.
struct Deepgram {
    model: String,
    request_id: String,
    created: String,
}

impl Dialect for Deepgram {
    const UTTERANCE: RequestKind = RequestKind::Utterance;
    const PATIENCE: Duration = Duration::from_secs(10);

    fn welcome(&self) -> Vec<String> {
        Vec::new()
    }

    fn understand(&mut self, message: Message) -> Heard {
        match message {
            Message::Binary(audio) => Heard::Audio { bytes: audio.into(), commit: false },
            Message::Text(text) => match serde_json::from_str(&text) {
                Ok(ControlMessage::KeepAlive) => Heard::KeepAlive,
                Ok(ControlMessage::Finalize) => Heard::Finalize,
                Ok(ControlMessage::CloseStream) => Heard::Close,
                Err(error) => Heard::Wrong(fail(code::POLICY, "DATA-0000", &error.to_string())),
            },
            Message::Close(_) | Message::Ping(_) | Message::Pong(_) => Heard::Gone,
        }
    }

    fn tell(&self, output: &Output) -> Vec<String> {
        let message = match output {
            Output::SpeechStarted { at_ms } => wire::speech_started(*at_ms),
            Output::UtteranceEnd { last_word_end_ms } => wire::utterance_end(*last_word_end_ms),
            Output::Result { transcript, .. } => wire::results(transcript, &self.model, &self.request_id),
            Output::Fault(_) => return Vec::new(),
        };
        vec![message.to_string()]
    }

    fn garbage(&self) -> String {
        "{\"type\":\"Results\",\"channel\":[".to_owned()
    }

    fn refuse(&self) -> Goodbye {
        fail(code::INTERNAL, "NET-0000", "The service is unavailable.")
    }

    fn limit(&self) -> Goodbye {
        fail(code::POLICY, "TOO_MANY_REQUESTS", "Too many requests.")
    }

    fn lose_patience(&self) -> Goodbye {
        let reason = "NET-0001: no audio data or KeepAlive was received within the timeout window";
        Goodbye { message: None, code: code::INTERNAL, reason: reason.to_owned() }
    }

    fn farewell(&self, heard_ms: u64) -> Goodbye {
        let metadata = wire::metadata(&self.request_id, &self.created, heard_ms);
        Goodbye { message: Some(metadata.to_string()), code: code::NORMAL, reason: String::new() }
    }
}

fn fail(code: u16, variant: &str, description: &str) -> Goodbye {
    let message = wire::error(variant, description).to_string();
    Goodbye { message: Some(message), code, reason: variant.to_owned() }
}
