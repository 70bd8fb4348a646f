//! What is being said and what waits: one request for each text, a few at the same time.

use super::wire::{self, Samples};
use crate::{
    Failure, FailureKind, SynthesisId, Vendor, VoiceEvent,
    alarm::Alarm,
    openai::endpoint::{self, Body},
};
use futures_util::StreamExt;
use reqwest::RequestBuilder;
use std::{
    collections::VecDeque,
    future,
    pin::pin,
    task::{Context, Poll},
    time::Duration,
};

/// Enough for the next text to be ready when the one before has been said.
const MAX_RUNNING: usize = 3;
/// More than a turn ever asks for ahead of what is spoken.
const MAX_WAITING: usize = 32;

#[derive(Debug)]
pub(super) struct Requests {
    progress: Duration,
    running: Vec<Running>,
    waiting: VecDeque<(SynthesisId, RequestBuilder)>,
}

struct Running {
    id: SynthesisId,
    body: Body,
    samples: Samples,
    deadline: Alarm,
}

impl std::fmt::Debug for Running {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Running").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Requests {
    pub(super) const fn new(progress: Duration) -> Self {
        Self { progress, running: Vec::new(), waiting: VecDeque::new() }
    }

    pub(super) fn is_idle(&self) -> bool {
        self.running.is_empty() && self.waiting.is_empty()
    }

    pub(super) fn knows(&self, id: SynthesisId) -> bool {
        self.running.iter().any(|running| running.id == id)
            || self.waiting.iter().any(|(other, _)| *other == id)
    }

    /// Asks now, or as soon as there is room.
    pub(super) fn add(&mut self, id: SynthesisId, request: RequestBuilder) -> Result<(), Failure> {
        if self.waiting.len() >= MAX_WAITING {
            let kind = FailureKind::RateLimited { retry_after: None };
            return Err(Failure::new(Vendor::OpenAi, kind, "too many texts are waiting"));
        }
        self.waiting.push_back((id, request));
        self.fill();
        Ok(())
    }

    pub(super) fn cancel(&mut self, id: SynthesisId) {
        self.waiting.retain(|(waiting, _)| *waiting != id);
        self.running.retain(|running| running.id != id);
        self.fill();
    }

    fn fill(&mut self) {
        while self.running.len() < MAX_RUNNING
            && let Some((id, request)) = self.waiting.pop_front()
        {
            // Servers that do not know what they send call it a stream of octets.
            let body = endpoint::stream(request, &["audio/", "application/octet-stream"]);
            let deadline = Alarm::after(self.progress);
            self.running.push(Running { id, body, samples: Samples::default(), deadline });
        }
    }

    /// The next thing that happens to any of them, the oldest first; never anything while none is running. Cancel safe.
    pub(super) async fn next(&mut self) -> VoiceEvent {
        let (index, event) = future::poll_fn(|context| {
            for (index, running) in self.running.iter_mut().enumerate() {
                if let Poll::Ready(event) = running.poll(self.progress, context) {
                    return Poll::Ready((index, event));
                }
            }
            Poll::Pending
        })
        .await;
        match &event {
            VoiceEvent::Audio { .. } => {}
            VoiceEvent::Finished { .. } | VoiceEvent::Failed { .. } => {
                self.running.remove(index);
                self.fill();
            }
        }
        event
    }
}

impl Running {
    fn poll(&mut self, progress: Duration, context: &mut Context<'_>) -> Poll<VoiceEvent> {
        let id = self.id;
        let failed = |failure| Poll::Ready(VoiceEvent::Failed { id: Some(id), failure });
        // What has arrived is read before the request counts as late.
        while let Poll::Ready(piece) = self.body.poll_next_unpin(context) {
            let audio = match piece {
                Some(Ok(piece)) => self.samples.push(piece),
                Some(Err(failure)) => return failed(failure),
                None if self.samples.is_empty() => {
                    return failed(Failure::new(
                        Vendor::OpenAi,
                        FailureKind::Garbage,
                        "an answer without sound",
                    ));
                }
                None => return Poll::Ready(VoiceEvent::Finished { id }),
            };
            match audio {
                Err(error) => return failed(error.into()),
                Ok(audio) => {
                    self.deadline.set(progress);
                    if !audio.is_empty() {
                        return Poll::Ready(VoiceEvent::Audio { id, audio, alignment: Vec::new() });
                    }
                }
            }
        }
        if pin!(self.deadline.ring()).poll(context).is_ready() {
            let detail = format!("no audio for {} ms", progress.as_millis());
            return failed(Failure::new(Vendor::OpenAi, FailureKind::Timeout, detail));
        }
        Poll::Pending
    }
}

/// Why a text cannot be said, if it cannot.
pub(super) fn refusal(text: &str) -> Option<Failure> {
    (text.chars().count() > wire::MAX_TEXT_CHARS)
        .then(|| Failure::new(Vendor::OpenAi, FailureKind::BadRequest, "a text that is too long"))
}
