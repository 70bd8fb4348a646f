//! From an agent's configuration to the engine's plan.

use crate::{BeginCall, SessionOptions, activity, sentences};
use seiketsu_call::{Limits, Plan, Turns};
use seiketsu_domain::{Message, ToolSpec};
use std::time::Duration;

/// The tool that ends a call.
pub(crate) const ENDING_TOOL: &str = "end_call";

pub(crate) fn plan(
    begin: &BeginCall,
    system: String,
    tools: Vec<ToolSpec>,
    history: Vec<Message>,
    first_turn: u32,
    options: &SessionOptions,
) -> Plan {
    let agent = &begin.open.agent;
    let greeting = if begin.open.resumed {
        sentences::reconnected(agent.language).to_owned()
    } else {
        agent.greeting.clone()
    };
    Plan {
        system,
        model: agent.model.clone(),
        tools,
        ending_tool: Some(ENDING_TOOL.to_owned()),
        format: begin.format,
        greeting,
        goodbye: agent.goodbye.clone(),
        apology: agent.apology.clone(),
        unclear: sentences::unclear(agent.language).to_owned(),
        acknowledgements: agent.acknowledgements.clone(),
        history,
        first_turn,
        endpoint_silence: Duration::from_millis(u64::from(agent.endpoint_silence_ms)).max(activity::RELEASE),
        turns: Turns::ByVoice,
        limits: Limits {
            call: Duration::from_secs(u64::from(agent.max_call_seconds)),
            acknowledge_after: options.acknowledge_after,
            ..Limits::default()
        },
    }
}
