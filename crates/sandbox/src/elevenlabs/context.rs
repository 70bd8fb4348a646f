//! One context: its texts, spoken one after the other.

use super::{
    speech::{self, Chunk},
    wire::{self, AudioMessage, ErrorMessage},
};
use crate::{
    EspeakError, EspeakVoice, Fault, RequestKind,
    conduct::Treatment,
    injected::{Delayed, InjectedStage},
    sandbox::Shared,
    voice::OutputFormat,
    websocket::code,
};
use std::sync::Arc;
use tokio::sync::mpsc;

/// Texts of a context that may wait to be spoken.
pub(super) const MAX_WAITING_TEXTS: usize = 16;

/// What a context has for its socket.
#[derive(Debug)]
pub(super) enum Outgoing {
    /// The next message.
    Message(String),
    /// The context is done; its last message.
    Final { context: String, message: String },
    /// The vendor's error, and a close.
    Error(ErrorMessage),
    /// The connection breaks.
    Disconnect,
    /// The connection stays, and nothing more comes.
    HalfOpen,
}

/// The socket has gone; nobody is left to speak to.
struct Gone;

/// How a context speaks.
#[derive(Debug, Clone)]
pub(super) struct Speaker {
    pub(super) shared: Arc<Shared>,
    pub(super) voice: EspeakVoice,
    pub(super) format: OutputFormat,
}

impl Speaker {
    /// Speaks the texts of one context until there are no more.
    pub(super) async fn run(
        self,
        context: String,
        mut texts: mpsc::Receiver<String>,
        out: mpsc::Sender<Outgoing>,
    ) {
        while let Some(text) = texts.recv().await {
            if let Err(Gone) = self.speak(&context, &text, &out).await {
                return;
            }
        }
        let message = message(&context, None);
        // Without a socket there is nobody to tell.
        let _ = out.send(Outgoing::Final { context, message }).await;
    }

    async fn speak(&self, context: &str, text: &str, out: &mpsc::Sender<Outgoing>) -> Result<(), Gone> {
        let send = async |outgoing| out.send(outgoing).await.map_err(|_| Gone);
        let conduct = &self.shared.conduct;
        let asked_at = conduct.clock().monotonic();
        let Treatment { delay, interval, fault, .. } = conduct.next(RequestKind::Synthesis);
        let held = || conduct.clock().monotonic().saturating_sub(asked_at);
        let record = || {
            let delayed = Delayed { stage: InjectedStage::FirstByte, key: text, delay, held: held(), fault };
            conduct.record(RequestKind::Synthesis, &delayed);
        };
        let spoken = match fault {
            Some(Fault::Refuse | Fault::RateLimit) => None,
            Some(Fault::Stall | Fault::HalfOpen | Fault::Disconnect | Fault::Garbage) | None => {
                Some(self.shared.espeak.speak(text, &self.voice).await)
            }
        };
        tokio::time::sleep(delay.saturating_sub(held())).await;
        record();
        let spoken = match (spoken, fault) {
            (Some(Ok(spoken)), _) => spoken,
            (Some(Err(error)), _) => {
                tracing::error!(error = &error as &dyn std::error::Error, "the sandbox's voice failed");
                return send(Outgoing::Error(failed(&error))).await;
            }
            (None, Some(Fault::RateLimit)) => return send(Outgoing::Error(rate_limited())).await,
            (None, _) => return send(Outgoing::Error(refused())).await,
        };
        let chunks = speech::chunks(text, &spoken, self.format);
        let last = chunks.len().saturating_sub(1);
        for (index, chunk) in chunks.iter().enumerate() {
            // A fault in mid-stream strikes after the first chunk: the client has begun to play.
            match (index, fault) {
                (1, Some(Fault::HalfOpen)) => return send(Outgoing::HalfOpen).await,
                (1, Some(Fault::Disconnect)) => return send(Outgoing::Disconnect).await,
                (1, Some(Fault::Garbage)) => {
                    let garbage =
                        format!(r#"{{"audio":"@@@not base64@@@","contextId":"{context}","isFinal":7"#);
                    return send(Outgoing::Message(garbage)).await;
                }
                (_, _) => send(Outgoing::Message(message(context, Some(chunk)))).await?,
            }
            if !interval.is_zero() && index < last {
                tokio::time::sleep(interval).await;
            }
        }
        Ok(())
    }
}

/// A chunk's message, or without a chunk the last message of a context.
fn message(context: &str, chunk: Option<&Chunk>) -> String {
    let alignment = chunk.map(|chunk| &chunk.alignment).filter(|alignment| !alignment.chars.is_empty());
    wire::to_text(&AudioMessage {
        audio: chunk.map(|chunk| base64_simd::STANDARD.encode_to_string(&chunk.audio)),
        is_final: chunk.is_none().then_some(true),
        alignment,
        normalized_alignment: alignment,
        context_id: context,
    })
}

fn failed(error: &EspeakError) -> ErrorMessage {
    ErrorMessage { message: error.to_string(), error: "internal_server_error", code: code::INTERNAL }
}

fn refused() -> ErrorMessage {
    ErrorMessage {
        message: "The service is unavailable.".into(),
        error: "service_unavailable",
        code: code::INTERNAL,
    }
}

fn rate_limited() -> ErrorMessage {
    ErrorMessage::policy("rate_limit_exceeded", "Too many requests. Please try again later.")
}
