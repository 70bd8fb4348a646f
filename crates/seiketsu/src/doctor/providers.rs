//! `seiketsu doctor providers`: one cheap real request per configured vendor.
//!
//! Each goes through the same client as a call, so what works here works there. All of them together cost less than a
//! cent. Nothing is sent to a vendor without a key; if a platform with a sandbox runs here, the sandbox is asked instead.

use crate::{
    cli::DoctorProvidersArgs,
    config::Config,
    exit::{Exit, Stop},
    local::Local,
    serve,
    terminal::Terminal,
    vendors::{self, Place, Tools},
};
use futures_util::future::{BoxFuture, FutureExt, join_all};
use secrecy::SecretString;
use seiketsu_domain::ModelChoice;
use seiketsu_providers::{
    Failure, FailureKind, Vendor,
    probe::{self, ProbeReport},
};
use serde::Serialize;
use std::{sync::Arc, time::Duration};
use tokio_util::task::TaskTracker;
use url::Url;

/// One line of the report.
#[derive(Debug, Serialize)]
struct Finding {
    /// What the vendor is asked for.
    service: &'static str,
    /// Where.
    endpoint: Url,
    /// Whether it is the vendor itself, not the sandbox.
    real: bool,
    ok: bool,
    /// From the first byte sent to the complete answer, in milliseconds.
    latency_ms: Option<f64>,
    /// The answer, or the exact error.
    detail: String,
    /// What to do about the error.
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<String>,
}

/// A request to be made.
struct Check {
    service: &'static str,
    /// The environment variables that the service is configured with: its key and its address.
    variables: (&'static str, &'static str),
    place: Place,
    ask: BoxFuture<'static, Result<ProbeReport, Failure>>,
}

pub(super) async fn run(
    config: &Config,
    args: &DoctorProvidersArgs,
    terminal: Terminal,
) -> anyhow::Result<Exit> {
    let ids = serve::identity()?;
    let tools = Tools { http: vendors::http()?, tasks: TaskTracker::new(), clock: Arc::clone(ids.clock()) };
    let checks = checks(config, args, &tools);
    if checks.is_empty() {
        return Err(Stop::because(
            Exit::Usage,
            "no vendor is configured and no sandbox runs here; set OPENAI_API_KEY, DEEPGRAM_API_KEY, \
             ELEVENLABS_API_KEY, TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN, or start one with `seiketsu up`",
        ));
    }
    let step = terminal.step("providers");
    let findings = join_all(checks.into_iter().map(find)).await;
    let failed = findings.iter().filter(|finding| !finding.ok).count();
    step.done(format_args!("{} asked, {failed} failed", findings.len()));
    if terminal.json() {
        terminal.document(&findings)?;
    } else {
        show(&findings, terminal);
    }
    Ok(if failed == 0 { Exit::Success } else { Exit::Failure })
}

/// Every service for which there is a key, or a sandbox.
fn checks(config: &Config, args: &DoctorProvidersArgs, tools: &Tools) -> Vec<Check> {
    let local = Local::read(config).ok();
    let sandbox = local.as_ref().and_then(|local| local.sandbox.clone());
    let place = |key: &Option<SecretString>, base: &Url, path: &str| match (key, &sandbox) {
        (Some(key), _) => Some(Place { base: base.clone(), key: key.clone(), real: true }),
        (None, Some(sandbox)) => {
            Some(Place { base: sandbox.join(path).ok()?, key: SecretString::from("sandbox"), real: false })
        }
        (None, None) => None,
    };
    let openai = place(&config.openai.api_key, &config.openai.base_url, "v1");
    let deepgram = place(&config.deepgram.api_key, &config.deepgram.base_url, "");
    let elevenlabs = place(&config.elevenlabs.api_key, &config.elevenlabs.base_url, "");
    let fallback = config.openai_fallback.as_ref().map(|(base, key)| Place {
        base: base.clone(),
        key: key.clone(),
        real: true,
    });

    let mut checks = Vec::new();
    if let Some(place) = openai.clone() {
        let ask = ask_model(config, &place, &args.model, tools);
        let variables = ("OPENAI_API_KEY", "OPENAI_BASE_URL");
        checks.push(Check { service: "OpenAI language model", variables, place, ask });
    }
    if let Some(place) = fallback {
        let model = args.fallback_model.as_ref().unwrap_or(&args.model);
        let ask = ask_model(config, &place, model, tools);
        let variables = ("OPENAI_FALLBACK_API_KEY", "OPENAI_FALLBACK_BASE_URL");
        checks.push(Check { service: "fallback language model", variables, place, ask });
    }
    if let Some(place) = deepgram {
        let ask = ask_recogniser(vendors::deepgram(&place, tools), Vendor::Deepgram, tools);
        let variables = ("DEEPGRAM_API_KEY", "DEEPGRAM_BASE_URL");
        checks.push(Check { service: "Deepgram recogniser", variables, place, ask });
    }
    if let Some(place) = elevenlabs {
        let variables = ("ELEVENLABS_API_KEY", "ELEVENLABS_BASE_URL");
        let ask = ask_voice(vendors::elevenlabs(&place, tools), Vendor::ElevenLabs, tools);
        checks.push(Check { service: "ElevenLabs voice", variables, place: place.clone(), ask });
        let ask = ask_recogniser(vendors::scribe(&place, tools), Vendor::ElevenLabs, tools);
        checks.push(Check { service: "ElevenLabs recogniser", variables, place, ask });
    }
    if let Some(place) = openai {
        let variables = ("OPENAI_API_KEY", "OPENAI_BASE_URL");
        let ask = ask_recogniser(vendors::transcription(&place, tools), Vendor::OpenAi, tools);
        checks.push(Check { service: "OpenAI recogniser", variables, place: place.clone(), ask });
        let ask = ask_voice(vendors::speech(&place, tools), Vendor::OpenAi, tools);
        checks.push(Check { service: "OpenAI voice", variables, place, ask });
    }
    let account = match (&config.twilio.account, &local) {
        (Some((sid, token)), _) => {
            let base = config.twilio.base_url.clone();
            Some((sid.clone(), Place { base, key: token.clone(), real: true }))
        }
        (None, Some(local)) => local.exchange.clone().map(|base| {
            let key = SecretString::from(local.auth_token.clone());
            (local.account_sid.clone(), Place { base, key, real: false })
        }),
        (None, None) => None,
    };
    if let Some((sid, place)) = account {
        let ask = ask_telephone(&place, &sid, tools);
        let variables = ("TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN", "TWILIO_BASE_URL");
        checks.push(Check { service: "Twilio account", variables, place, ask });
    }
    checks
}

type Ask = BoxFuture<'static, Result<ProbeReport, Failure>>;

fn ask_model(config: &Config, place: &Place, model: &str, tools: &Tools) -> Ask {
    let client = vendors::language_model(config, place, tools);
    let (clock, model) = (Arc::clone(&tools.clock), model.to_owned());
    async move {
        let choice = ModelChoice { model, temperature: 0.0, max_tokens: 1 };
        probe::language_model(client.as_ref(), choice, clock.as_ref()).await
    }
    .boxed()
}

fn ask_recogniser(client: Arc<dyn seiketsu_providers::Recogniser>, vendor: Vendor, tools: &Tools) -> Ask {
    let clock = Arc::clone(&tools.clock);
    async move { probe::recogniser(client.as_ref(), vendor, clock.as_ref()).await }.boxed()
}

fn ask_voice(client: Arc<dyn seiketsu_providers::Voice>, vendor: Vendor, tools: &Tools) -> Ask {
    let clock = Arc::clone(&tools.clock);
    async move { probe::voice(client.as_ref(), vendors::probe_voice(), vendor, clock.as_ref()).await }.boxed()
}

fn ask_telephone(place: &Place, sid: &str, tools: &Tools) -> Ask {
    let (twilio, clock) = (vendors::twilio(place, sid, &tools.http), Arc::clone(&tools.clock));
    async move {
        let began = clock.monotonic();
        twilio.probe().await?;
        let latency = clock.monotonic().saturating_sub(began);
        Ok(ProbeReport { latency, detail: "the account answers".to_owned() })
    }
    .boxed()
}

async fn find(check: Check) -> Finding {
    let Check { service, variables, place, ask } = check;
    let outcome = ask.await;
    let ms = |latency: Duration| latency.as_secs_f64() * 1_000.0;
    let remedy = outcome.as_ref().err().map(|failure| remedy(failure, variables));
    Finding {
        service,
        endpoint: place.base,
        real: place.real,
        ok: outcome.is_ok(),
        latency_ms: outcome.as_ref().ok().map(|report| ms(report.latency)),
        detail: match outcome {
            Ok(report) => report.detail,
            Err(failure) => failure.to_string(),
        },
        remedy,
    }
}

/// What to do about a failure of a service that is configured with these variables.
fn remedy(failure: &Failure, (key, address): (&str, &str)) -> String {
    match failure.kind {
        FailureKind::Unauthorized => format!("{key}: wrong, expired, or without the right to this service"),
        FailureKind::Unreachable => {
            format!("no connection: check the network, a proxy or firewall, and {address} if it is set")
        }
        FailureKind::Timeout => {
            format!("no answer in time: the vendor's status page; {address} if it is set; or try again")
        }
        FailureKind::RateLimited { .. } => {
            format!(
                "the account of {key} is out of credit or over its limit: the vendor's billing and limits pages"
            )
        }
        FailureKind::BadRequest => {
            "the vendor has no such model or voice for this account: choose another".to_owned()
        }
        FailureKind::Closed | FailureKind::VendorFault => {
            "the vendor failed: its status page, or try again".to_owned()
        }
        FailureKind::Garbage => format!("something else answers there: check {address}"),
    }
}

fn show(findings: &[Finding], terminal: Terminal) {
    let mut table = terminal.table(["service", "endpoint", "", "latency", ""]);
    for finding in findings {
        let place = format!("{}{}", finding.endpoint, if finding.real { "" } else { " (sandbox)" });
        let latency = finding.latency_ms.map_or_else(String::new, |ms| format!("{ms:.0} ms"));
        let mut detail = finding.detail.clone();
        if let Some(remedy) = &finding.remedy {
            detail = format!("{detail}\n-> {remedy}");
        }
        let verdict = if finding.ok { "ok" } else { "FAILED" };
        table.add_row([finding.service, &place, verdict, &latency, &detail]);
    }
    terminal.show(table);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_key_is_answered_with_the_variable_that_holds_it() {
        let of = |kind| {
            let failure = Failure::new(Vendor::Deepgram, kind, "x");
            remedy(&failure, ("DEEPGRAM_API_KEY", "DEEPGRAM_BASE_URL"))
        };
        assert!(of(FailureKind::Unauthorized).starts_with("DEEPGRAM_API_KEY:"));
        assert!(of(FailureKind::Unreachable).contains("DEEPGRAM_BASE_URL"));
        assert!(of(FailureKind::Garbage).contains("DEEPGRAM_BASE_URL"));
        assert!(of(FailureKind::RateLimited { retry_after: None }).contains("limit"));
    }
}
