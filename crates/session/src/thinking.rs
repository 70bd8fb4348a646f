//! One request to a language model: which route it takes, what that model is told, and how the answer comes back.

use crate::links;
use seiketsu_call::{Finish, GenerationEvent, Prompt, Retry};
use seiketsu_domain::AgentProfile;
use seiketsu_providers::{
    failover::{Attempt, ModelRoute, Models},
    failure::{self, Failure, FailureKind, Vendor},
    language_model::{self, FinishReason, Generation, GenerationRequest, TokenUsage},
};
use std::{sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;

/// The language models of one call.
#[derive(Debug, Clone)]
pub(crate) struct Thinking {
    /// Never empty.
    routes: Arc<[ModelRoute]>,
    /// What the agent is told, as it stands in the system text.
    instructions: Arc<str>,
    /// Routes that were asked for the answer that was asked for last, in order.
    tried: Vec<usize>,
}

/// A request on its way.
#[derive(Debug)]
pub(crate) struct Thought {
    routes: Arc<[ModelRoute]>,
    route: ModelRoute,
    request: GenerationRequest,
}

/// Takes the events of a thought; `false` when nobody wants them any more.
pub(crate) trait Listener: Send {
    fn take(&mut self, event: GenerationEvent) -> impl Future<Output = bool> + Send;
}

impl Thinking {
    pub(crate) fn new(models: &Models, agent: &AgentProfile) -> Self {
        Self {
            routes: models.of(agent).into(),
            instructions: agent.instructions.trim().into(),
            tried: Vec::new(),
        }
    }

    /// The request after so many others for the same answer; none only if there is no route at all.
    pub(crate) fn thought(&mut self, attempt: u32, prompt: Prompt) -> Option<Thought> {
        if attempt == 0 {
            self.tried.clear();
        }
        let (at, route) = ModelRoute::pick(&self.routes, &self.tried)?;
        self.tried.retain(|tried| *tried != at);
        self.tried.push(at);
        let route = route.clone();
        let Prompt { model, system, messages, tools, tool_choice, max_tokens } = prompt;
        let mut model = route.model.clone().unwrap_or(model);
        model.max_tokens = model.max_tokens.min(max_tokens);
        let system = match &route.instructions {
            Some(other) => instead(&system, &self.instructions, other),
            None => system,
        };
        let request = GenerationRequest { model, system, messages, tools, tool_choice };
        Some(Thought { routes: Arc::clone(&self.routes), route, request })
    }
}

/// The system text with other instructions in the place of the agent's own.
fn instead(system: &str, own: &str, other: &str) -> String {
    if own.is_empty() || !system.contains(own) {
        return format!("{}\n\n{system}", other.trim());
    }
    system.replacen(own, other.trim(), 1)
}

impl Thought {
    /// Whether it goes to another place than the agent's first choice.
    pub(crate) fn fails_over(&self) -> Option<&str> {
        self.route.model.is_some().then(|| self.route.health.endpoint())
    }

    /// Asks, and passes the answer on; returns why it broke, if it did. The listener has been told of that, too.
    ///
    /// When it is `unwanted` before the first token, because another route was faster, say, it waits in silence until it
    /// is known whether this one works; at most for [`Patience::stall`](seiketsu_providers::failover::Patience::stall).
    pub(crate) async fn run(
        self,
        unwanted: &CancellationToken,
        listener: &mut impl Listener,
    ) -> Option<Failure> {
        let mut attempt = self.route.health.begin();
        let failure = match self.route.client.generate(self.request).await {
            Ok(generation) => {
                let stall = self.route.health.patience().stall;
                forward(generation, &mut attempt, stall, unwanted, listener).await
            }
            Err(failure) => Some(failure),
        }?;
        attempt.failed(&failure);
        let retry = match ModelRoute::retry(&self.routes, &failure) {
            failure::Retry::No => Retry::Never,
            failure::Retry::Soon => Retry::Now,
            failure::Retry::After(wait) => Retry::After(wait),
        };
        listener.take(GenerationEvent::Failed { retry }).await;
        Some(failure)
    }
}

/// Passes a generation on in the engine's words; returns why it broke, if it did.
async fn forward(
    mut generation: Generation,
    attempt: &mut Attempt,
    stall: Duration,
    unwanted: &CancellationToken,
    listener: &mut impl Listener,
) -> Option<Failure> {
    let (mut begun, mut wanted) = (false, true);
    loop {
        let doubtful_in = attempt.doubtful_in();
        let ends_in = attempt.stalls_in().or(begun.then(|| stall.saturating_sub(attempt.silent_for())));
        let event = tokio::select! {
            biased;
            () = unwanted.cancelled(), if wanted => {
                wanted = false;
                if begun {
                    // What it consumed may have come already.
                    while let Ok(event) = generation.events.try_recv() {
                        if let language_model::GenerationEvent::Finished { reason, usage } = event {
                            attempt.finished();
                            listener.take(finished(reason, usage)).await;
                        }
                    }
                    return None;
                }
                continue;
            }
            event = generation.events.recv() => event,
            () = links::after(doubtful_in) => {
                attempt.doubted();
                continue;
            }
            () = links::after(ends_in) => {
                if begun {
                    let detail = format!("nothing more for {} ms", stall.as_millis());
                    return Some(Failure::new(Vendor::OpenAi, FailureKind::Timeout, detail));
                }
                // It may still answer; the engine has timers of its own for giving it up.
                attempt.stalled();
                if !wanted {
                    return None;
                }
                continue;
            }
        };
        let (event, last) = match event {
            Some(language_model::GenerationEvent::Text(text)) => (GenerationEvent::Text(text), false),
            Some(language_model::GenerationEvent::ToolCallBegun) => (GenerationEvent::ToolCallBegun, false),
            Some(language_model::GenerationEvent::ToolCall { request, name, arguments }) => {
                (GenerationEvent::ToolCall { request, name, arguments }, false)
            }
            Some(language_model::GenerationEvent::Finished { reason, usage }) => {
                (finished(reason, usage), true)
            }
            Some(language_model::GenerationEvent::Failed(failure)) => return Some(failure),
            None => {
                let detail = "the generation ended without a last event";
                return Some(Failure::new(Vendor::OpenAi, FailureKind::Closed, detail));
            }
        };
        attempt.begun();
        if last {
            attempt.finished();
        }
        begun = true;
        if last {
            // Also of an answer that nobody wants: it tells what that consumed.
            listener.take(event).await;
            return None;
        }
        if !wanted || !listener.take(event).await {
            return None;
        }
    }
}

/// The end of an answer, with what it consumed as far as the vendor told.
fn finished(reason: FinishReason, usage: Option<TokenUsage>) -> GenerationEvent {
    let TokenUsage { input_tokens, output_tokens } = usage.unwrap_or_default();
    let finish = match reason {
        FinishReason::Stop | FinishReason::ToolCalls => Finish::Whole,
        FinishReason::Length => Finish::TooLong,
        FinishReason::ContentFilter => Finish::Withheld,
    };
    GenerationEvent::Finished { input_tokens, output_tokens, finish }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fallback_model_is_told_its_own_instructions_and_everything_else_stays() {
        let system = "You are Ava.\nBe kind.\n\nToday is Tuesday.";
        assert_eq!(instead(system, "Be kind.", "Be brief. "), "You are Ava.\nBe brief.\n\nToday is Tuesday.");
        assert_eq!(instead("Rules.", "", "Be brief."), "Be brief.\n\nRules.");
        assert_eq!(instead("Rules.", "Be kind.", "Be brief."), "Be brief.\n\nRules.");
    }
}
