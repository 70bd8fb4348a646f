//! From an agent's configuration to the engine's plan.

use crate::{Arrival, BeginCall, SessionOptions, activity, sentences};
use seiketsu_call::{Limits, Plan, Turns, speech::speakable};
use seiketsu_domain::{Message, ToolSpec};
use std::time::Duration;

/// The tool that ends a call.
pub(crate) const ENDING_TOOL: &str = "end_call";
/// The tool that has the caller put through to a human.
pub(crate) const TRANSFERRING_TOOL: &str = "transfer_to_human";

/// How long a tool may take where some are the client's.
const CLIENT_TOOL: Duration = Duration::from_secs(20);

/// Whether the call is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Recording {
    /// Its tenant records nothing.
    Never,
    /// The caller is asked.
    Asks,
    /// The caller has agreed before the call was cut.
    Agreed,
}

pub(crate) fn plan(
    begin: &BeginCall,
    system: String,
    tools: Vec<ToolSpec>,
    history: Vec<Message>,
    first_turn: u32,
    recording: Recording,
    options: &SessionOptions,
) -> Plan {
    let agent = &begin.open.agent;
    let language = agent.language;
    let mut greeting = match begin.open.arrival {
        Arrival::New => agent.greeting.clone(),
        Arrival::Cut => sentences::reconnected(language).to_owned(),
        Arrival::NotPutThrough => sentences::not_put_through(language).to_owned(),
    };
    // A client that asks for its answers is not spoken to before it does.
    let has_telephone = begin.vendor_call_sid.is_some();
    let turns = begin.update.turns.unwrap_or(Turns::ByVoice);
    if !turns.are_answered() {
        greeting.clear();
    }
    let asks_to_record = turns.are_answered() && recording == Recording::Asks;
    if asks_to_record {
        greeting.push(' ');
        greeting.push_str(sentences::may_record(language));
    }
    Plan {
        system,
        model: agent.model.clone(),
        tools,
        tool_choice: begin.update.tool_choice.clone().unwrap_or_default(),
        max_tokens: begin.update.max_tokens.unwrap_or(u32::MAX),
        ending_tool: Some(ENDING_TOOL.to_owned()),
        format: begin.format,
        speaks: begin.update.speaks.unwrap_or(true),
        greeting: speakable(&greeting, language),
        asks_to_record,
        records: recording == Recording::Agreed,
        goodbye: speakable(&agent.goodbye, language),
        apology: speakable(&agent.apology, language),
        unclear: sentences::unclear(language).to_owned(),
        putting_through: sentences::putting_through(language).to_owned(),
        not_put_through: sentences::not_put_through(language).to_owned(),
        reprompts: sentences::reprompts(language).map(str::to_owned).to_vec(),
        acknowledgements: sentences::acknowledgements(agent),
        menu: agent.menu.clone(),
        transferring_tool: has_telephone.then(|| TRANSFERRING_TOOL.to_owned()),
        language,
        history,
        first_turn,
        endpoint_silence: Duration::from_millis(u64::from(agent.endpoint_silence_ms)).max(activity::RELEASE),
        turns,
        is_interruptible: begin.update.is_interruptible.unwrap_or(true),
        limits: Limits {
            call: Duration::from_secs(u64::from(agent.max_call_seconds)),
            acknowledge_after: options.acknowledge_after,
            speculations: options.speculations,
            hedge_after: options.hedge_after,
            // A client's tools run at the far end of its own connection.
            tool: if has_telephone { Limits::default().tool } else { CLIENT_TOOL },
            ..Limits::default()
        },
    }
}
