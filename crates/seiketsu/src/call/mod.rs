//! `seiketsu call`: simulated callers over the telephone's own protocol, and what they measured.

mod classify;
mod dialogues;
mod expect;
mod injected;
mod late;
mod live;
mod many;
mod markdown;
mod one;

use crate::{
    api::Api,
    cli::{CallArgs, HumanArg},
    config::Config,
    exit::{Exit, Stop},
    serve,
    speech::CallerVoice,
    terminal::Terminal,
    vendors,
};
use anyhow::Context;
use seiketsu_carrier::{
    CallerOptions, Exchange, ExchangeOptions, Human, PlaceCall, Script, ScriptLine, Step,
    exchange::RegisterAt,
    line::{Echo, LineEffects},
    noise::Noise,
    script,
};
use seiketsu_domain::{Language, PhoneNumber};
use seiketsu_gateway::v1::{agents::AgentView, call::CallDetail};
use std::{net::Ipv4Addr, path::Path, time::Duration};
use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use url::Url;

/// The longest recording.
const RECORD_SECONDS: u32 = 1_800;
/// How long a call's last turn may take to be on record after its end.
const ON_RECORD: Duration = Duration::from_secs(5);

/// A simulated telephone company in this process, registered with the one the platform calls.
pub(crate) struct Telephone {
    pub exchange: Exchange,
    tracker: TaskTracker,
    stop: CancellationToken,
}

impl Telephone {
    async fn open(api: &Api) -> anyhow::Result<Self> {
        let tracker = TaskTracker::new();
        let stop = CancellationToken::new();
        let listener =
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("opening a port for hang-ups")?;
        let control = Url::parse(&format!("http://{}/", listener.local_addr()?))?;
        let local = &api.local;
        let options = ExchangeOptions {
            account_sid: local.account_sid.clone(),
            auth_token: local.auth_token.clone(),
            register_at: local.exchange.clone().map(|exchange| RegisterAt { exchange, control }),
        };
        let exchange = Exchange::new(options, vendors::http()?, serve::identity()?, tracker.clone());
        let router = exchange.router();
        let stopping = stop.clone();
        tracker.spawn(async move {
            if let Err(error) = seiketsu_gateway::serve(listener, router, stopping).await {
                tracing::warn!(%error, "hang-ups cannot be received");
            }
        });
        Ok(Self { exchange, tracker, stop })
    }

    async fn close(self) {
        self.stop.cancel();
        self.tracker.close();
        let _ = tokio::time::timeout(Duration::from_secs(2), self.tracker.wait()).await;
    }
}

/// Somebody about to call.
#[derive(Debug, Clone)]
struct Caller {
    /// The brokerage called.
    tenant: String,
    place: PlaceCall,
    steps: Vec<Step>,
    options: CallerOptions,
    /// Of the agent that answers.
    endpoint_silence_ms: u32,
}

/// Runs one call, or many.
pub(crate) async fn run(config: &Config, args: CallArgs, terminal: Terminal) -> anyhow::Result<Exit> {
    let many = args.calls > 1 || args.turns.is_some();
    check(&args, many)?;
    let api = Api::open(config)?;
    for path in [&args.save, &args.markdown].into_iter().flatten() {
        // Before the call, not after it.
        std::fs::File::create(path)
            .map_err(|error| Stop::because(Exit::Usage, format!("{}: {error}", path.display())))?;
    }
    let mut agents = Vec::new();
    for tenant in &args.tenant {
        agents.push((tenant, api.agents(tenant).await?));
    }
    let step = terminal.step("caller");
    let scripts = scripts(&args, many)?;
    let mut callers = Vec::new();
    for script in &scripts {
        // Once for all brokerages: the sound is shared.
        let steps = script::prepare(&script.steps, &CallerVoice::speaking(script.language)).await?;
        for (tenant, agents) in &agents {
            callers.push(caller(&api, &args, tenant, agents, script, steps.clone())?);
        }
    }
    step.done(format_args!("{} steps ready", callers.iter().map(|caller| caller.steps.len()).sum::<usize>()));
    let telephone = Telephone::open(&api).await?;
    let exit = match <[Caller; 1]>::try_from(callers) {
        // Boxed: what a call keeps while it lasts is large.
        Ok([caller]) if !many => Box::pin(one::run(&api, &telephone, caller, &args, terminal)).await,
        Ok([caller]) => Box::pin(many::run(&api, &telephone, vec![caller], &args, terminal)).await,
        Err(callers) => Box::pin(many::run(&api, &telephone, callers, &args, terminal)).await,
    };
    telephone.close().await;
    exit
}

/// What the command line's grammar cannot say.
fn check(args: &CallArgs, many: bool) -> anyhow::Result<()> {
    if many && (args.save.is_some() || args.markdown.is_some()) {
        return Err(Stop::because(Exit::Usage, "--save and --markdown are for a single call"));
    }
    if !many && (args.tenant.len() > 1 || args.script.len() > 1) {
        return Err(Stop::because(Exit::Usage, "several brokerages or scripts need --calls or --turns"));
    }
    Ok(())
}

/// A caller of this brokerage with this script.
fn caller(
    api: &Api,
    args: &CallArgs,
    tenant: &str,
    agents: &[AgentView],
    script: &Script,
    steps: Vec<Step>,
) -> anyhow::Result<Caller> {
    let (agent, to) = dial(agents, args, tenant, script.language)?;
    let webhook = Url::parse(&format!("{}/twilio/voice", api.local.public_url))?;
    let from = args.from.clone().map_or_else(|| "+15125550199".parse(), Ok)?;
    let longest_ms = script.steps.iter().map(longest_ms).sum::<u64>().clamp(600_000, 3_600_000);
    let options = CallerOptions {
        patience_ms: args.patience,
        acknowledgements: agent.bridges.clone(),
        interrupt_after_ms: args.interrupt_after,
        record_seconds: args.save.is_some().then_some(RECORD_SECONDS),
        max_call_ms: longest_ms as u32,
        ..CallerOptions::default()
    };
    let place = PlaceCall {
        status_callback: Some(Url::parse(&format!("{}/twilio/status", api.local.public_url))?),
        line: line(args, &script.line),
        human: human(args.human),
        ..PlaceCall::new(webhook, from, to)
    };
    let endpoint_silence_ms = agent.profile.endpoint_silence_ms;
    Ok(Caller { tenant: tenant.to_owned(), place, steps, options, endpoint_silence_ms })
}

/// How long a step may take, answer included, generously.
fn longest_ms(step: &ScriptLine) -> u64 {
    match step {
        ScriptLine::WaitMs(millis) | ScriptLine::SilenceMs(millis) | ScriptLine::HoldMs(millis) => {
            u64::from(*millis) + 30_000
        }
        ScriptLine::Say(_)
        | ScriptLine::Interrupt(_)
        | ScriptLine::Murmur(_)
        | ScriptLine::Cough { .. }
        | ScriptLine::Wav(_)
        | ScriptLine::Keys(_)
        | ScriptLine::CutStream
        | ScriptLine::HangUp => 60_000,
    }
}

/// What the script says of the line, and what the command line says besides.
fn line(args: &CallArgs, script: &LineEffects) -> LineEffects {
    let mut line = args.line.line.clone().unwrap_or_else(|| script.clone());
    if args.line.line_delay > 0 {
        line.delay_ms = args.line.line_delay;
    }
    if let Some(level_db) = args.line.echo_db {
        line.echo = Some(Echo { level_db, delay_ms: args.line.echo_delay });
    }
    if let Some(level_dbfs) = args.line.noise_db {
        line.noise = Some(Noise { kind: args.line.noise, level_dbfs });
    }
    line
}

fn human(human: HumanArg) -> Human {
    match human {
        HumanArg::Answers => Human::default(),
        HumanArg::HangsUp => Human::HangsUp { after_ms: 1_500 },
        HumanArg::Ignores => Human::Ignores { after_ms: 1_500 },
        HumanArg::Silent => Human::Silent,
        HumanArg::Busy => Human::Busy,
        HumanArg::Unreachable => Human::Unreachable,
    }
}

/// The agent to call: the one of the number that was asked for, or the first that speaks the caller's language.
fn dial<'a>(
    agents: &'a [AgentView],
    args: &CallArgs,
    tenant: &str,
    language: Language,
) -> anyhow::Result<(&'a AgentView, PhoneNumber)> {
    let numbers = || agents.iter().flat_map(|agent| agent.numbers.iter().map(move |number| (agent, number)));
    let found = match &args.to {
        Some(to) => numbers().find(|(_, number)| *number == to),
        None => numbers().find(|(agent, _)| agent.profile.language == language).or_else(|| numbers().next()),
    };
    found.map(|(agent, number)| (agent, number.clone())).ok_or_else(|| {
        let known: Vec<String> = numbers().map(|(_, number)| number.to_string()).collect();
        Stop::because(Exit::Usage, format!("no such number at `{tenant}`; it has: {}", known.join(", ")))
    })
}

fn scripts(args: &CallArgs, many: bool) -> anyhow::Result<Vec<Script>> {
    if !args.script.is_empty() {
        return args.script.iter().map(|path| read_script(path)).collect();
    }
    let mut lines: Vec<ScriptLine> = args.say.iter().cloned().map(ScriptLine::Say).collect();
    lines.extend(args.wav.iter().cloned().map(ScriptLine::Wav));
    Ok(match (lines.is_empty(), many) {
        (false, _) => vec![Script { language: args.language, ..Script::of(lines) }],
        (true, false) => vec![dialogues::one()],
        (true, true) => dialogues::many(),
    })
}

fn read_script(path: &Path) -> anyhow::Result<Script> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    Script::parse(&text).map_err(|error| {
        Stop::because(
            Exit::Usage,
            format!("{}: {error}; `seiketsu call --help` shows the form", path.display()),
        )
    })
}

/// The platform's own record of the call, once it is final.
async fn stored(api: &Api, tenant: &str, call_sid: &str) -> anyhow::Result<Option<CallDetail>> {
    let find = async {
        loop {
            let page = api.calls(tenant, 100).await?;
            let found = page.items.iter().find(|call| call.vendor_call_sid.as_deref() == Some(call_sid));
            match found {
                Some(call) if call.ended.is_some() => return api.call(call.id).await.map(Some),
                Some(_) => tokio::time::sleep(Duration::from_millis(100)).await,
                None => return Ok(None),
            }
        }
    };
    tokio::time::timeout(ON_RECORD, find).await.unwrap_or(Ok(None))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scripts_of_the_documentation_can_be_read() {
        let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/conversations");
        let mut read = 0;
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "json") {
                assert!(!read_script(&path).unwrap().steps.is_empty(), "{}", path.display());
                read += 1;
            }
        }
        assert!(read > 0);
    }

    #[test]
    fn the_command_line_adds_to_the_line_of_the_script() {
        use clap::Parser;
        let parsed = crate::cli::Cli::try_parse_from([
            "seiketsu",
            "call",
            "--tenant",
            "a",
            "--echo-db",
            "-20",
            "--noise-db",
            "-35",
            "--noise",
            "babble",
            "--line",
            r#"{"drift_ppm":80}"#,
        ])
        .unwrap();
        let crate::cli::Command::Call(args) = parsed.command else { panic!("another command") };
        let effects = line(&args, &LineEffects { delay_ms: 70, ..LineEffects::default() });
        assert_eq!(effects.echo, Some(Echo { level_db: -20, delay_ms: 180 }));
        assert_eq!(effects.noise.map(|noise| noise.level_dbfs), Some(-35));
        assert_eq!((effects.drift_ppm, effects.delay_ms), (80, 0), "--line takes the place of the script's");
    }
}
