//! The socket of `/v1/listen`.

use super::{
    listener::{InjectedDelay, Listener, Output},
    wire::{self, ControlMessage, Encoding, ListenOptions},
};
use crate::{
    Fault, RequestKind,
    conduct::{RETRY_AFTER, Treatment},
    injected::{Delayed, InjectedStage},
    sandbox::Shared,
    websocket::{self, Over, code},
};
use axum::{
    Json, Router,
    extract::{
        Query, State, WebSocketUpgrade,
        ws::{Message, WebSocket, rejection::WebSocketUpgradeRejection},
    },
    http::{HeaderMap, StatusCode, header::RETRY_AFTER as RETRY_AFTER_HEADER},
    response::{IntoResponse, Response},
    routing::get,
};
use seiketsu_audio::{
    g711,
    resample::{Ratio, Resampler},
};
use std::{sync::Arc, time::Duration};

/// How long a stream may go without audio and without `KeepAlive`.
const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) fn router() -> Router<Arc<Shared>> {
    Router::new().route("/v1/listen", get(listen))
}

async fn listen(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Query(query): Query<Vec<(String, String)>>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let Treatment { delay, fault, .. } = shared.conduct.next(RequestKind::RecogniserOpening);
    let request_id = shared.conduct.identifier(RequestKind::RecogniserOpening).to_string();
    let refuse = |status: StatusCode, code: &str, message: &str| {
        (status, Json(wire::refusal(code, message, &request_id))).into_response()
    };
    if websocket::accepted_key(&headers, "authorization", &["token", "bearer"]).is_none() {
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
    tokio::time::sleep(delay).await;
    if fault.is_some() {
        let delayed = Delayed { stage: InjectedStage::Opening, key: "", delay, held: delay, fault };
        shared.conduct.record(RequestKind::RecogniserOpening, &delayed);
    }
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
            return ([(RETRY_AFTER_HEADER, RETRY_AFTER.as_secs().to_string())], response).into_response();
        }
        Some(Fault::Stall | Fault::HalfOpen | Fault::Disconnect | Fault::Garbage) | None => {}
    }
    let busy = shared.tracker.token();
    upgrade.on_upgrade(async move |mut socket| {
        let _busy = busy;
        match fault {
            Some(Fault::HalfOpen) => websocket::half_open(socket, &shared.shutdown).await,
            Some(Fault::Disconnect) => drop(socket),
            Some(Fault::Garbage) => {
                // Whether it arrives or not, the connection ends here.
                let _ = websocket::send_text(&mut socket, "{\"type\":\"Resul".to_owned()).await;
            }
            Some(Fault::Stall | Fault::Refuse | Fault::RateLimit) | None => {
                Stream::new(shared, options, request_id).run(socket).await;
            }
        }
    })
}

/// One stream.
struct Stream {
    shared: Arc<Shared>,
    model: String,
    request_id: String,
    ear: Ear,
    listener: Listener,
    /// The client has said that no more audio will come.
    closing: bool,
    deadline: Duration,
}

/// How the conversation with the socket goes on.
enum Ending {
    /// It is over.
    Over,
    /// The connection stays and nothing more comes.
    HalfOpen,
}

impl From<Over> for Ending {
    fn from(_: Over) -> Self {
        Self::Over
    }
}

impl Stream {
    fn new(shared: Arc<Shared>, options: ListenOptions, request_id: String) -> Self {
        let deadline = shared.conduct.clock().monotonic() + PATIENCE;
        let ear = Ear::new(options.encoding, options.sample_rate_hz);
        let model = options.model.clone();
        let drawing = Arc::clone(&shared);
        let listener = Listener::new(options, Box::new(move || drawing.conduct.next(RequestKind::Utterance)));
        Self { shared, model, request_id, ear, listener, closing: false, deadline }
    }

    async fn run(mut self, mut socket: WebSocket) {
        let shutdown = self.shared.shutdown.clone();
        loop {
            let step = tokio::select! {
                () = shutdown.cancelled() => {
                    Err(websocket::close(&mut socket, code::GOING_AWAY, "the sandbox is shutting down").await.into())
                }
                step = self.step(&mut socket) => step,
            };
            match step {
                Ok(()) => {}
                Err(Ending::Over) => return,
                Err(Ending::HalfOpen) => return websocket::half_open(socket, &shutdown).await,
            }
        }
    }

    /// Says what is due; then waits for the next thing that happens and takes it in.
    async fn step(&mut self, socket: &mut WebSocket) -> Result<(), Ending> {
        let now = self.now();
        while let Some(output) = self.listener.poll(now) {
            self.say(socket, output).await?;
        }
        let due = self.listener.poll_timeout();
        if !self.closing && now >= self.deadline {
            let reason = "NET-0001: no audio data or KeepAlive was received within the timeout window";
            return Err(websocket::close(socket, code::INTERNAL, reason).await.into());
        }
        if self.closing && due.is_none() {
            let created = self.shared.conduct.clock().now().to_string();
            let metadata = wire::metadata(&self.request_id, &created, self.listener.heard_ms());
            websocket::send_text(socket, metadata.to_string()).await?;
            return Err(websocket::close(socket, code::NORMAL, "").await.into());
        }
        let wake =
            if self.closing { due } else { Some(due.map_or(self.deadline, |due| due.min(self.deadline))) };
        let wait = wake.unwrap_or(self.deadline).saturating_sub(self.now());
        tokio::select! {
            message = socket.recv() => match message {
                Some(Ok(message)) => self.handle(socket, message).await,
                Some(Err(_)) | None => Err(Ending::Over),
            },
            () = tokio::time::sleep(wait) => Ok(()),
        }
    }

    async fn handle(&mut self, socket: &mut WebSocket, message: Message) -> Result<(), Ending> {
        let now = self.now();
        match message {
            Message::Binary(audio) => {
                if !audio.is_empty() && !self.closing {
                    self.deadline = now + PATIENCE;
                    self.listener.push(self.ear.hear(&audio), now);
                }
                Ok(())
            }
            Message::Text(text) => match serde_json::from_str(&text) {
                Ok(ControlMessage::KeepAlive) => {
                    self.deadline = now + PATIENCE;
                    Ok(())
                }
                Ok(ControlMessage::Finalize) => {
                    self.listener.finalize(now);
                    Ok(())
                }
                Ok(ControlMessage::CloseStream) => {
                    self.listener.close(now);
                    self.closing = true;
                    Ok(())
                }
                Err(error) => Err(fail(socket, code::POLICY, "DATA-0000", &error.to_string()).await.into()),
            },
            Message::Close(_) => Err(Ending::Over),
            Message::Ping(_) | Message::Pong(_) => Ok(()),
        }
    }

    async fn say(&self, socket: &mut WebSocket, output: Output) -> Result<(), Ending> {
        let message = match output {
            Output::SpeechStarted { at_ms } => wire::speech_started(at_ms),
            Output::UtteranceEnd { last_word_end_ms } => wire::utterance_end(last_word_end_ms),
            Output::Result { transcript, injected } => {
                if let Some(InjectedDelay { heard_at, delay, fault }) = injected {
                    let held = self.now().saturating_sub(heard_at);
                    let (stage, text) = (InjectedStage::FinalTranscript, transcript.text());
                    let delayed = Delayed { stage, key: &text, delay, held, fault };
                    self.shared.conduct.record(RequestKind::Utterance, &delayed);
                }
                wire::results(&transcript, &self.model, &self.request_id)
            }
            Output::Fault(fault) => return self.suffer(socket, fault).await,
        };
        Ok(websocket::send_text(socket, message.to_string()).await?)
    }

    async fn suffer(&self, socket: &mut WebSocket, fault: Fault) -> Result<(), Ending> {
        match fault {
            // A stall is a delay, and has passed by now.
            Fault::Stall => Ok(()),
            Fault::HalfOpen => Err(Ending::HalfOpen),
            Fault::Disconnect => Err(Ending::Over),
            Fault::Garbage => {
                Ok(websocket::send_text(socket, "{\"type\":\"Results\",\"channel\":[".to_owned()).await?)
            }
            Fault::Refuse => {
                Err(fail(socket, code::INTERNAL, "NET-0000", "The service is unavailable.").await.into())
            }
            Fault::RateLimit => {
                Err(fail(socket, code::POLICY, "TOO_MANY_REQUESTS", "Too many requests.").await.into())
            }
        }
    }

    fn now(&self) -> Duration {
        self.shared.conduct.clock().monotonic()
    }
}

async fn fail(socket: &mut WebSocket, code: u16, variant: &str, description: &str) -> Over {
    match websocket::send_text(socket, wire::error(variant, description).to_string()).await {
        Ok(()) => websocket::close(socket, code, variant.to_owned()).await,
        Err(over) => over,
    }
}

/// Bytes as they come to samples at 8 kHz.
#[derive(Debug)]
struct Ear {
    encoding: Encoding,
    resampler: Option<Resampler>,
    /// The first half of a sample that was cut in two.
    half: Option<u8>,
    samples: Vec<i16>,
    resampled: Vec<i16>,
}

impl Ear {
    fn new(encoding: Encoding, sample_rate_hz: u32) -> Self {
        let resampler = match sample_rate_hz {
            24_000 => Some(Ratio::Down3),
            16_000 => Some(Ratio::Down2),
            _ => None,
        }
        .map(Resampler::new);
        Self { encoding, resampler, half: None, samples: Vec::new(), resampled: Vec::new() }
    }

    fn hear(&mut self, audio: &[u8]) -> &[i16] {
        self.samples.clear();
        match self.encoding {
            Encoding::Mulaw => g711::mulaw_decode(audio, &mut self.samples),
            Encoding::Alaw => g711::alaw_decode(audio, &mut self.samples),
            Encoding::Linear16 => self.hear_linear(audio),
        }
        let Some(resampler) = &mut self.resampler else { return &self.samples };
        self.resampled.clear();
        resampler.process(&self.samples, &mut self.resampled);
        &self.resampled
    }

    fn hear_linear(&mut self, mut audio: &[u8]) {
        if let (Some(low), Some((&high, rest))) = (self.half, audio.split_first()) {
            self.samples.push(i16::from_le_bytes([low, high]));
            self.half = None;
            audio = rest;
        }
        let (pairs, rest) = audio.as_chunks::<2>();
        self.samples.extend(pairs.iter().map(|&pair| i16::from_le_bytes(pair)));
        if let [half] = rest {
            self.half = Some(*half);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn samples_cut_anywhere_are_heard_whole(
            samples in prop::collection::vec(any::<i16>(), 0..50),
            cuts in prop::collection::vec(1_usize..7, 0..50),
        ) {
            let bytes: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
            let mut ear = Ear::new(Encoding::Linear16, 8_000);
            let (mut heard, mut rest) = (Vec::new(), bytes.as_slice());
            for cut in cuts {
                let (head, tail) = rest.split_at(cut.min(rest.len()));
                heard.extend_from_slice(ear.hear(head));
                rest = tail;
            }
            heard.extend_from_slice(ear.hear(rest));
            prop_assert_eq!(heard, samples);
        }
    }
}
