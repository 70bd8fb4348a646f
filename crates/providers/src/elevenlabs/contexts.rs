//! Which syntheses are on their way, which wait, and which are being forgotten: the state of one socket, without it.

use super::wire::{self, Incoming};
use crate::{Failure, FailureKind, SynthesisId, Vendor, VoiceEvent};
use seiketsu_domain::{AudioFormat, VoiceChoice};
use std::collections::VecDeque;
use tracing::trace;

/// The vendor closes the socket over a sixth context; one is left for a context that it has not finished forgetting.
const MAX_OPEN: usize = 4;
/// More than a turn ever asks for ahead of what is spoken.
const MAX_WAITING: usize = 32;
/// The vendor's limit for the models of a conversation is many times a phrase; this is a page.
const MAX_TEXT_BYTES: usize = 5_000;
/// A context without progress for so many ticks is stuck.
pub(super) const MAX_IDLE_TICKS: u32 = 10;

/// What has to be done as the result of something.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    /// To be sent to the vendor, in order.
    pub(super) messages: VecDeque<String>,
    /// To be passed on, in order.
    pub(super) events: VecDeque<VoiceEvent>,
}

#[derive(Debug)]
pub(super) struct Contexts {
    voice: VoiceChoice,
    format: AudioFormat,
    progress_timeout_ms: u128,
    open: Vec<Context>,
    waiting: VecDeque<(SynthesisId, String)>,
}

#[derive(Debug)]
struct Context {
    id: SynthesisId,
    /// Audio that has come, in microseconds: where the next piece starts.
    audio_us: u64,
    idle_ticks: u32,
    /// Nobody wants the rest; the context only counts against the vendor's limit until it ends.
    forgotten: bool,
}

impl Contexts {
    pub(super) fn new(voice: VoiceChoice, format: AudioFormat, progress_timeout_ms: u128) -> Self {
        Self { voice, format, progress_timeout_ms, open: Vec::new(), waiting: VecDeque::new() }
    }

    /// Nothing is on its way or waiting.
    pub(super) fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.open.iter().all(|context| context.forgotten)
    }

    /// Says something now, or as soon as there is room.
    pub(super) fn speak(&mut self, id: SynthesisId, text: String, out: &mut Outbox) -> Result<(), Failure> {
        let refusal = if self.open.iter().any(|context| context.id == id)
            || self.waiting.iter().any(|(waiting, _)| *waiting == id)
        {
            Some((FailureKind::BadRequest, "an id that is already in use"))
        } else if text.len() > MAX_TEXT_BYTES {
            Some((FailureKind::BadRequest, "a text that is too long"))
        } else if self.waiting.len() >= MAX_WAITING {
            Some((FailureKind::RateLimited { retry_after: None }, "too many texts are waiting"))
        } else {
            None
        };
        if let Some((kind, detail)) = refusal {
            let failure = Failure::new(Vendor::ElevenLabs, kind, detail);
            out.events.push_back(VoiceEvent::Failed { id: Some(id), failure });
        } else if text.trim().is_empty() {
            // The vendor would take it for a keep-alive and never finish it.
            out.events.push_back(VoiceEvent::Finished { id });
        } else {
            self.waiting.push_back((id, text));
            self.fill(out)?;
        }
        Ok(())
    }

    /// Stops saying something. What has not been passed on yet is taken back.
    pub(super) fn cancel(&mut self, id: SynthesisId, out: &mut Outbox) -> Result<(), Failure> {
        self.waiting.retain(|(waiting, _)| *waiting != id);
        out.events.retain(|event| event_id(event) != Some(id));
        if let Some(context) = self.open.iter_mut().find(|context| context.id == id && !context.forgotten) {
            context.forget(out)?;
        }
        Ok(())
    }

    /// Takes what the vendor sent. An error is the end of the session.
    pub(super) fn take(&mut self, incoming: Incoming, out: &mut Outbox) -> Result<(), Failure> {
        match incoming {
            Incoming::Unknown => Ok(()),
            Incoming::Error { context: None, failure } => Err(failure),
            Incoming::Error { context: Some(context), failure } => {
                // After an error the vendor says nothing more in this context.
                if let Some(id) = self.end(&context) {
                    out.events.push_back(VoiceEvent::Failed { id: Some(id), failure });
                }
                self.fill(out)
            }
            Incoming::Piece { context, audio, mut alignment, last } => {
                let id = synthesis(&context);
                let Some(open) = self.open.iter_mut().find(|open| Some(open.id) == id) else {
                    trace!(context, bytes = audio.len(), "audio nobody waits for");
                    return Ok(());
                };
                open.idle_ticks = 0;
                let start_ms = (open.audio_us / 1_000) as u32;
                open.audio_us += self.format.duration_us(audio.len());
                let empty = audio.is_empty() && alignment.is_empty();
                if !open.forgotten && !empty {
                    for char in &mut alignment {
                        char.start_ms = char.start_ms.saturating_add(start_ms);
                    }
                    out.events.push_back(VoiceEvent::Audio { id: open.id, audio, alignment });
                }
                if last {
                    if let Some(id) = self.end(&context) {
                        out.events.push_back(VoiceEvent::Finished { id });
                    }
                    self.fill(out)?;
                }
                Ok(())
            }
        }
    }

    /// A tenth of the patience with a context is over.
    pub(super) fn tick(&mut self, out: &mut Outbox) -> Result<(), Failure> {
        for context in &mut self.open {
            context.idle_ticks += 1;
            if context.idle_ticks > MAX_IDLE_TICKS && !context.forgotten {
                let detail = format!("no audio for {} ms", self.progress_timeout_ms);
                let failure = Failure::new(Vendor::ElevenLabs, FailureKind::Timeout, detail);
                out.events.push_back(VoiceEvent::Failed { id: Some(context.id), failure });
                context.forget(out)?;
            }
        }
        // A forgotten context that does not end either is the vendor's to clear up.
        self.open.retain(|context| context.idle_ticks <= MAX_IDLE_TICKS);
        self.fill(out)
    }

    /// Closes a context on our side; its id, if somebody still waits for it.
    fn end(&mut self, context: &str) -> Option<SynthesisId> {
        let id = synthesis(context)?;
        let index = self.open.iter().position(|open| open.id == id)?;
        let ended = self.open.remove(index);
        (!ended.forgotten).then_some(ended.id)
    }

    fn fill(&mut self, out: &mut Outbox) -> Result<(), Failure> {
        while self.open.len() < MAX_OPEN
            && let Some((id, text)) = self.waiting.pop_front()
        {
            out.messages.extend(wire::speak(&id.0.to_string(), &text, &self.voice)?);
            self.open.push(Context { id, audio_us: 0, idle_ticks: 0, forgotten: false });
        }
        Ok(())
    }
}

impl Context {
    fn forget(&mut self, out: &mut Outbox) -> Result<(), Failure> {
        self.forgotten = true;
        self.idle_ticks = 0;
        out.messages.push_back(wire::close(&self.id.0.to_string())?);
        Ok(())
    }
}

/// The synthesis for which a context was opened: its number is the context's name.
fn synthesis(context: &str) -> Option<SynthesisId> {
    context.parse().ok().map(SynthesisId)
}

const fn event_id(event: &VoiceEvent) -> Option<SynthesisId> {
    match event {
        VoiceEvent::Audio { id, .. } | VoiceEvent::Finished { id } => Some(*id),
        VoiceEvent::Failed { id, .. } => *id,
    }
}

#[cfg(test)]
#[path = "contexts_tests.rs"]
mod tests;
