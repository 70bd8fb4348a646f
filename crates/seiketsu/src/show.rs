//! The commands that only look: tenants, calls, one call, configuration.

use crate::{
    api::Api,
    cli::CallsArgs,
    config::{self, Config},
    exit::Exit,
    terminal::Terminal,
    waterfall::{self, AtTheCaller},
};
use jiff::tz::TimeZone;
use seiketsu_domain::{AgentId, CallId, ToolOutcome};
use seiketsu_gateway::v1::{
    call::{CallDetail, TurnView},
    tenants::TenantView,
};
use serde::Serialize;
use std::collections::BTreeMap;

/// `seiketsu tenants`
pub(crate) async fn tenants(config: &Config, terminal: Terminal) -> anyhow::Result<Exit> {
    #[derive(Serialize)]
    struct Row {
        #[serde(flatten)]
        tenant: seiketsu_gateway::v1::tenants::TenantView,
        agents: Vec<seiketsu_gateway::v1::agents::AgentView>,
    }
    let api = Api::open(config)?;
    let mut rows = Vec::new();
    for tenant in api.tenants().await? {
        let agents = api.agents(&tenant.slug).await?;
        rows.push(Row { tenant, agents });
    }
    if terminal.json() {
        terminal.document(&rows)?;
        return Ok(Exit::Success);
    }
    let mut table = terminal.table(["brokerage", "name", "time zone", "agent", "number"]);
    for row in &rows {
        for agent in &row.agents {
            let numbers: Vec<String> = agent.numbers.iter().map(ToString::to_string).collect();
            table.add_row([
                &row.tenant.slug,
                &row.tenant.name,
                &row.tenant.time_zone,
                &agent.profile.name,
                &numbers.join(", "),
            ]);
        }
    }
    terminal.show(table);
    Ok(Exit::Success)
}

/// `seiketsu calls`
pub(crate) async fn calls(config: &Config, args: &CallsArgs, terminal: Terminal) -> anyhow::Result<Exit> {
    let api = Api::open(config)?;
    let page = api.calls(&args.tenant, args.limit).await?;
    if terminal.json() {
        terminal.document(&page)?;
        return Ok(Exit::Success);
    }
    let named = |tenant: &TenantView| tenant.slug == args.tenant || tenant.id.to_string() == args.tenant;
    let zone = api.tenants().await?.into_iter().find(named).map(|tenant| tenant.time_zone);
    let zone = zone.and_then(|zone| TimeZone::get(&zone).ok()).unwrap_or(TimeZone::UTC);
    let agents: BTreeMap<AgentId, String> = api
        .agents(&args.tenant)
        .await?
        .into_iter()
        .map(|agent| (agent.profile.id, agent.profile.name))
        .collect();
    let mut table = terminal.table(["call", "began", "agent", "from", "to", "ended", "turns"]);
    for call in &page.items {
        let (ended, turns) = match &call.ended {
            Some(end) => (end.reason.name().to_owned(), end.turns.to_string()),
            None => ("live".to_owned(), String::new()),
        };
        let from = call.from.as_ref().map_or_else(String::new, |from| from.expose().to_string());
        let began = call.started_at.to_zoned_datetime(zone.clone()).strftime("%F %T %Z").to_string();
        let agent = agents.get(&call.agent_id).cloned().unwrap_or_else(|| call.agent_id.to_string());
        table.add_row([
            call.id.to_string(),
            began,
            agent,
            from,
            call.to.as_ref().map_or_else(|| "API".to_owned(), ToString::to_string),
            ended,
            turns,
        ]);
    }
    terminal.show(table);
    Ok(Exit::Success)
}

/// `seiketsu call-show`
pub(crate) async fn call(config: &Config, id: CallId, terminal: Terminal) -> anyhow::Result<Exit> {
    let detail = Api::open(config)?.call(id).await?;
    if terminal.json() {
        terminal.document(&detail)?;
    } else {
        terminal.data(stored(&detail));
    }
    Ok(Exit::Success)
}

/// A stored call in words.
fn stored(detail: &CallDetail) -> String {
    use std::fmt::Write;
    let mut text = String::new();
    let ended = detail.call.ended.as_ref().map_or("live", |end| end.reason.name());
    let _ = writeln!(text, "{}  {}  {ended}\n", detail.call.id, detail.call.started_at.strftime("%F %T UTC"));
    for turn in &detail.turns {
        text.push_str(&turn_in_words(turn));
        if turn.number > 0 {
            text.push_str(&waterfall::draw(turn, AtTheCaller::default()));
        }
        text.push('\n');
    }
    let usage = &detail.usage;
    let _ = writeln!(
        text,
        "usage: {} s heard, {} s spoken, {} + {} tokens, {} characters synthesised",
        usage.recognised_ms / 1_000,
        usage.playout_ms / 1_000,
        usage.input_tokens,
        usage.output_tokens,
        usage.synthesised_characters
    );
    for viewing in &detail.viewings {
        let _ = writeln!(text, "viewing: {viewing}");
    }
    for lead in &detail.leads {
        let _ = writeln!(text, "lead: {lead}");
    }
    text
}

/// One turn: who said what, and which tools ran.
pub(crate) fn turn_in_words(turn: &TurnView) -> String {
    use std::fmt::Write;
    let mut text = String::new();
    if !turn.caller_text.expose().is_empty() {
        let _ = writeln!(text, "  caller  {}", turn.caller_text.expose());
    }
    for tool in &turn.tools {
        let outcome = match &tool.outcome {
            None => "no answer".to_owned(),
            Some(ToolOutcome::Done(value) | ToolOutcome::Refused(value)) => shorten(&value.to_string()),
            Some(ToolOutcome::Failed(why)) => format!("failed: {why}"),
        };
        let _ = writeln!(text, "  tool    {}({}) -> {outcome}", tool.name, shorten(&tool.arguments));
    }
    let _ = writeln!(text, "  agent   {}  [{}]", turn.heard_text.expose(), turn.outcome.name());
    text
}

fn shorten(text: &str) -> String {
    const LONGEST: usize = 120;
    match text.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// `seiketsu config`
pub(crate) fn config(config: &Config, defaults: bool, terminal: Terminal) -> anyhow::Result<Exit> {
    if defaults {
        terminal.data(config::DEFAULT.trim_end());
    } else if terminal.json() {
        terminal.document(&config.shown)?;
    } else {
        terminal.data(toml::to_string(&config.shown)?.trim_end());
        terminal.talk(format_args!(
            "\nread from the environment: {}",
            Config::environment_names().collect::<Vec<_>>().join(", ")
        ));
    }
    Ok(Exit::Success)
}
