//! `seiketsu call`: a simulated caller over the telephone's own protocol, and what it measured.

mod live;
mod many;

use crate::{
    api::Api,
    cli::{CallArgs, Expectation},
    config::Config,
    exit::{Exit, Stop},
    serve,
    show::turn_in_words,
    speech::CallerVoice,
    terminal::Terminal,
    vendors,
    waterfall::{self, AtTheCaller},
};
use anyhow::Context;
use seiketsu_carrier::{
    CallReport, CallerOptions, Exchange, ExchangeOptions, PlaceCall, ScriptLine, Step, TurnEnd,
    call as place_call, exchange::RegisterAt, line::LineEffects, script,
};
use seiketsu_domain::PhoneNumber;
use seiketsu_gateway::v1::{agents::AgentView, call::CallDetail};
use serde::Serialize;
use std::{net::Ipv4Addr, time::Duration};
use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use url::Url;

/// The longest recording.
const RECORD_SECONDS: u32 = 1_800;
/// How long a call's last turn may take to be on record after its end.
const ON_RECORD: Duration = Duration::from_secs(5);

/// A conversation that books a viewing, for those who just want to hear one.
const FIRST_CALL: [&str; 5] = [
    "hi i am looking for a three bedroom house to buy",
    "the first one please book me the earliest time you have tomorrow",
    "my name is jordan lee",
    "no that is all thank you",
    "goodbye",
];

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

/// Runs one call, or many.
pub(crate) async fn run(config: &Config, args: CallArgs, terminal: Terminal) -> anyhow::Result<Exit> {
    let api = Api::open(config)?;
    if let Some(path) = &args.save {
        // Before the call, not after it.
        std::fs::File::create(path)
            .map_err(|error| Stop::because(Exit::Usage, format!("--save {}: {error}", path.display())))?;
    }
    let agents = api.agents(&args.tenant).await?;
    let (agent, to) = dial(&agents, &args)?;
    let webhook = Url::parse(&format!("{}/twilio/voice", api.local.public_url))?;
    let step = terminal.step("caller");
    let steps = script::prepare(&lines(&args)?, &CallerVoice::new()).await?;
    step.done(format_args!("{} steps ready; dialling {to}", steps.len()));
    let options = CallerOptions {
        patience_ms: args.patience,
        acknowledgements: agent.profile.acknowledgements.clone(),
        interrupt_after_ms: args.interrupt_after,
        record_seconds: args.save.is_some().then_some(RECORD_SECONDS),
        ..CallerOptions::default()
    };
    let telephone = Telephone::open(&api).await?;
    let from = args.from.clone().map_or_else(|| "+15125550199".parse(), Ok)?;
    let place = PlaceCall {
        status_callback: Some(Url::parse(&format!("{}/twilio/status", api.local.public_url))?),
        line: LineEffects { delay_ms: args.line_delay, ..LineEffects::default() },
        ..PlaceCall::new(webhook, from, to)
    };
    let exit = if args.calls == 1 {
        one(&api, &telephone, place, steps, options, &args, terminal).await
    } else {
        let endpoint_silence_ms = agent.profile.endpoint_silence_ms;
        many::run(&api, &telephone, place, steps, options, &args, endpoint_silence_ms, terminal).await
    };
    telephone.close().await;
    exit
}

fn dial<'a>(agents: &'a [AgentView], args: &CallArgs) -> anyhow::Result<(&'a AgentView, PhoneNumber)> {
    let numbers = || agents.iter().flat_map(|agent| agent.numbers.iter().map(move |number| (agent, number)));
    let found = match &args.to {
        Some(to) => numbers().find(|(_, number)| *number == to),
        None => numbers().next(),
    };
    found.map(|(agent, number)| (agent, number.clone())).ok_or_else(|| {
        let known: Vec<String> = numbers().map(|(_, number)| number.to_string()).collect();
        Stop::because(
            Exit::Usage,
            format!("no such number at `{}`; it has: {}", args.tenant, known.join(", ")),
        )
    })
}

fn lines(args: &CallArgs) -> anyhow::Result<Vec<ScriptLine>> {
    if let Some(path) = &args.script {
        let text =
            std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        return serde_json::from_str(&text).map_err(|error| {
            Stop::because(Exit::Usage, format!("{}: {error}; `--help` shows the form", path.display()))
        });
    }
    let mut lines: Vec<ScriptLine> = args.say.iter().cloned().map(ScriptLine::Say).collect();
    lines.extend(args.wav.iter().cloned().map(ScriptLine::Wav));
    if lines.is_empty() {
        lines.extend(FIRST_CALL.map(|line| ScriptLine::Say(line.to_owned())));
    }
    Ok(lines)
}

/// What one call left behind.
#[derive(Debug, Serialize)]
struct Outcome {
    report: CallReport,
    stored: Option<CallDetail>,
    /// Whether what was asked for is there; `None` if nothing was.
    expected: Option<bool>,
}

async fn one(
    api: &Api,
    telephone: &Telephone,
    place: PlaceCall,
    steps: Vec<Step>,
    options: CallerOptions,
    args: &CallArgs,
    terminal: Terminal,
) -> anyhow::Result<Exit> {
    let (events, shown) = live::printer(terminal);
    let report = place_call(&telephone.exchange, &place, steps, options, Some(events)).await;
    let _ = shown.await;
    if let (Some(path), Some(tracks)) = (&args.save, &report.tracks) {
        match tracks.save_stereo(path) {
            Ok(()) => terminal.talk(format_args!("\nsaved {} (caller left, agent right)", path.display())),
            Err(error) => terminal.talk(format_args!("\ncannot write {}: {error}", path.display())),
        }
    }
    // The call is over whatever becomes of the platform: what its caller heard is told in any case.
    let stored = stored(api, &args.tenant, report.call_sid.as_str()).await.unwrap_or_else(|error| {
        terminal.talk(format_args!("the platform's record of the call cannot be read: {error:#}"));
        None
    });
    let failed = report.streams == 0 || !report.ended_by.is_orderly();
    let expected = args.expect.map(|expectation| is_there(expectation, stored.as_ref()));
    if terminal.json() {
        terminal.document(&Outcome { report, stored, expected })?;
    } else {
        tell(&report, stored.as_ref(), terminal);
        if let (Some(expectation), Some(met)) = (args.expect, expected) {
            let verdict = if met { "is in the database" } else { "is NOT in the database" };
            terminal.data(format_args!("\nexpected: a {} {verdict}", name(expectation)));
        }
    }
    Ok(match expected {
        Some(false) => Exit::Unexpected,
        Some(true) | None if failed => Exit::Failure,
        Some(true) | None => Exit::Success,
    })
}

const fn name(expectation: Expectation) -> &'static str {
    match expectation {
        Expectation::Viewing => "viewing",
        Expectation::Lead => "lead",
        Expectation::Transfer => "transfer",
    }
}

fn is_there(expectation: Expectation, stored: Option<&CallDetail>) -> bool {
    stored.is_some_and(|call| match expectation {
        Expectation::Viewing => !call.viewings.is_empty(),
        Expectation::Lead => !call.leads.is_empty(),
        Expectation::Transfer => {
            call.turns.iter().flat_map(|turn| &turn.tools).any(|tool| tool.name == "transfer_to_human")
        }
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

/// The conversation with the waterfall of each turn.
fn tell(report: &CallReport, stored: Option<&CallDetail>, terminal: Terminal) {
    terminal.data("");
    let Some(stored) = stored else {
        terminal.data(format_args!(
            "call {} ended ({:?}); the platform has no record of it",
            report.call_sid, report.ended_by
        ));
        for turn in &report.turns {
            let said = turn.said.as_deref().unwrap_or("(a recording)");
            terminal.data(format_args!("  caller  {said}\n  agent   {}", turn.heard_text));
        }
        for error in &report.errors {
            terminal.data(format_args!("  error {}: {}", error.code, error.detail));
        }
        for announcement in &report.announcements {
            terminal.data(format_args!("  the carrier said: {announcement}"));
        }
        return;
    };
    terminal.data(format_args!("call {}", stored.call.id));
    for turn in &stored.turns {
        terminal.data(format_args!("\nturn {}", turn.number));
        terminal.data(turn_in_words(turn).trim_end());
        if turn.number == 0 {
            continue;
        }
        let heard = report.turns.iter().find(|heard| heard.number == turn.number);
        let at_the_caller = heard.map_or_else(AtTheCaller::default, |heard| AtTheCaller {
            first_audible_ms: heard.first_audible_ms,
            first_substantive_ms: heard.first_substantive_ms,
        });
        terminal.data(waterfall::draw(turn, at_the_caller).trim_end());
    }
    let stored_words = words(stored.turns.iter().map(|turn| turn.heard_text.expose().as_str()));
    let recovered_words = words([report.whole_agent_text.as_str()]);
    let agree = if stored_words == recovered_words { "equal" } else { "DIFFER from" };
    terminal.data(format_args!(
        "\n{} words of the agent recovered from the audio {agree} the stored transcript's {}",
        recovered_words.len(),
        stored_words.len()
    ));
    // An answer that was cut off cannot be whole.
    let whole = report.turns.iter().filter(|turn| turn.end != TurnEnd::Interrupted);
    for flag in whole.flat_map(|turn| &turn.flags) {
        terminal.data(format_args!("  the decoder noticed: {flag}"));
    }
    for viewing in &stored.viewings {
        terminal.data(format_args!("viewing {viewing}"));
    }
    for lead in &stored.leads {
        terminal.data(format_args!("lead {lead}"));
    }
}

/// Words as the sub-carrier can tell them.
fn words<'a>(texts: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    texts
        .into_iter()
        .flat_map(|text| {
            let normal = seiketsu_audio::subcarrier::normalise_text(text);
            normal.split_whitespace().map(str::to_owned).collect::<Vec<_>>()
        })
        .collect()
}
