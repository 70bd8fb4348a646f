//! The command line.

use clap::{Args, Parser, Subcommand};
use seiketsu_carrier::{line::LineEffects, noise::NoiseKind};
use seiketsu_domain::{CallId, Language, PhoneNumber};
use std::path::PathBuf;

/// AI phone agents for many brokerages on one platform.
#[derive(Debug, Parser)]
#[command(name = "seiketsu", version, about, max_term_width = 110)]
pub(crate) struct Cli {
    /// Configuration file, over the documented defaults.
    #[arg(long, global = true, env = "SEIKETSU_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Data as JSON on stdout.
    #[arg(long, global = true)]
    pub json: bool,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start everything on this machine: database, demo brokerages, sandbox vendors, server. Ctrl-C stops it all.
    Up(UpArgs),
    /// Serve calls with the database and vendors of the configuration (production).
    Serve,
    /// Do what is due apart from any call, beside `serve`: mail, deletions, calls that nobody holds any more. Takes none.
    Worker,
    /// Create roles and schemas where they are missing and apply the migrations.
    Migrate,
    /// Ask the server or worker of this machine how it is; the exit code is a container's health check.
    Health {
        /// Whether it lives, may get new calls, or has begun.
        #[arg(value_enum, default_value = "live")]
        question: Question,
    },
    /// Run only the sandbox vendors; prints their addresses as one line of JSON.
    Sandbox(SandboxArgs),
    /// Place a simulated phone call, or many, to a brokerage's agent.
    Call(Box<CallArgs>),
    /// List the brokerages, their agents and numbers.
    Tenants,
    /// List calls, the newest first.
    Calls(CallsArgs),
    /// Show a stored call: turns, tools, and where each millisecond went.
    CallShow {
        /// The call's id, `call_…`.
        id: CallId,
    },
    /// List the recorded calls of a brokerage, the newest first.
    Recordings(RecordingsArgs),
    /// Fetch a part of a recorded call as a WAV file: the caller left, what they heard right.
    RecordingGet(RecordingGetArgs),
    /// Make, list and revoke the API keys of a brokerage's own programs.
    Key {
        /// What to do with them.
        #[command(subcommand)]
        action: KeyAction,
    },
    /// List the members of a brokerage, and give them passwords for the console.
    Member {
        /// What to do with them.
        #[command(subcommand)]
        action: MemberAction,
    },
    /// Make a certificate for this machine, for clients that insist on TLS; `up` then listens with it as well.
    DevCert,
    /// Print the description of the API (OpenAPI 3.1), as `/openapi.json` serves it.
    Openapi,
    /// Find out what is wrong with what this platform needs.
    Doctor {
        /// What to look at.
        #[command(subcommand)]
        check: DoctorCheck,
    },
    /// Check, plan, apply and destroy the infrastructure on AWS, and say what it costs.
    #[command(after_long_help = INFRA_HELP)]
    Infra {
        /// What to do.
        #[command(subcommand)]
        action: InfraAction,
    },
    /// Show the configuration in force, secrets blotted out.
    Config {
        /// Show the documented defaults instead.
        #[arg(long)]
        defaults: bool,
    },
}

/// The three questions of `/health`.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub(crate) enum Question {
    /// The process answers.
    Live,
    /// New calls may come.
    Ready,
    /// Everything is wired.
    Startup,
}

#[derive(Debug, Subcommand)]
pub(crate) enum KeyAction {
    /// Make a key. It is shown once.
    Create {
        /// Whose.
        #[command(flatten)]
        of: KeyOf,
        /// What it is for.
        #[arg(long)]
        name: String,
    },
    /// List the keys by their first characters.
    List {
        /// Whose.
        #[command(flatten)]
        of: KeyOf,
    },
    /// Revoke a key; conversations it opened go on until they are over, streams of live calls end within ten seconds.
    Revoke {
        /// Whose.
        #[command(flatten)]
        of: KeyOf,
        /// Its first characters, as `key list` shows them.
        prefix: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum MemberAction {
    /// List the members.
    List {
        /// Whose.
        #[command(flatten)]
        of: KeyOf,
    },
    /// Give a member a password and sign them out everywhere. Without --stdin one is made, and shown once.
    Password {
        /// Whose.
        #[command(flatten)]
        of: KeyOf,
        /// The member's address.
        #[arg(long)]
        email: String,
        /// Read the password from the first line of standard input.
        #[arg(long)]
        stdin: bool,
    },
}

#[derive(Debug, Args)]
pub(crate) struct KeyOf {
    /// The brokerage's short name; `seiketsu tenants` lists them.
    #[arg(long)]
    pub tenant: String,
}

#[derive(Debug, Subcommand)]
pub(crate) enum InfraAction {
    /// Look at tools, variables, credentials and state; each missing variable is named, with how to get it.
    #[command(after_long_help = INFRA_HELP)]
    Check(InfraArgs),
    /// Make a plan, and say what it does and what it costs before and after. `apply` takes it up.
    #[command(after_long_help = INFRA_HELP)]
    Plan(InfraArgs),
    /// Make what a plan says; goes on where an earlier run stopped. In production, the environment's name is asked for.
    #[command(after_long_help = INFRA_HELP)]
    Apply(InfraArgs),
    /// Destroy everything of an environment; its name is asked for. What production protects from deletion stays.
    #[command(after_long_help = INFRA_HELP)]
    Destroy(InfraArgs),
    /// Say what a plan costs in a month, with every lever, as a table, JSON or Markdown. Asks no account.
    Cost(InfraCostArgs),
    /// Print the outputs as JSON, sensitive ones blotted out, and write them to outputs.json.
    #[command(after_long_help = INFRA_HELP)]
    Output(InfraArgs),
    /// Print a plan with nothing in it but what a price hangs on: examples for tests.
    #[command(hide = true)]
    Trim {
        /// A plan as `terraform show -json` writes it.
        plan: PathBuf,
    },
}

#[derive(Debug, Args)]
pub(crate) struct InfraArgs {
    /// The environment.
    #[arg(value_enum)]
    pub environment: InfraEnvironment,
    /// A variant of it: `right-sized` takes environments/production-right-sized.tfvars.
    #[arg(long, value_name = "NAME", value_parser = profile_name)]
    pub profile: Option<String>,
    /// A further file of variables. Repeatable; terraform.tfvars and terraform.ENVIRONMENT.tfvars are read anyway.
    #[arg(long, value_name = "FILE")]
    pub var_file: Vec<PathBuf>,
    /// Confirm without being asked, by giving the environment's name.
    #[arg(long, value_name = "NAME")]
    pub yes: Option<String>,
    /// Take this lock away first, if the run that held it is over.
    #[arg(long, value_name = "ID")]
    pub unlock: Option<String>,
    /// The repository on GitHub whose workflows may deploy, as owner/name; asked for once, when the state bucket is made.
    #[arg(long, value_name = "OWNER/NAME")]
    pub repository: Option<String>,
    /// The Terraform root.
    #[arg(long, value_name = "DIR", default_value = "infrastructure/terraform")]
    pub root: PathBuf,
    /// Where plans, journals and outputs are kept.
    #[arg(long, value_name = "DIR", default_value = "var/infra")]
    pub work: PathBuf,
    /// Where the state is; `local` is for roots whose overlay says so, in tests.
    #[arg(long, value_enum, default_value_t = InfraState::S3)]
    pub state: InfraState,
    /// Region of the state.
    #[arg(long, env = "AWS_REGION", default_value = "us-east-1", value_parser = region_name)]
    pub region: String,
    #[command(flatten)]
    pub tables: InfraTables,
}

#[derive(Debug, Args)]
pub(crate) struct InfraCostArgs {
    /// Plans as `terraform show -json` writes them; or staging or production, for the last plan made here.
    #[arg(required = true, value_name = "PLAN.json")]
    pub plans: Vec<PathBuf>,
    #[command(flatten)]
    pub tables: InfraTables,
    /// Numbers of gateway tasks.
    #[arg(long, value_delimiter = ',', default_value = "2,10,40", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub tasks: Vec<u32>,
    /// As Markdown: docs/infrastructure/cost.md is made so.
    #[arg(long, conflicts_with = "json")]
    pub markdown: bool,
    /// Where plans are kept.
    #[arg(long, value_name = "DIR", default_value = "var/infra")]
    pub work: PathBuf,
}

/// Files that stand in for those that are part of the binary.
#[derive(Debug, Args)]
pub(crate) struct InfraTables {
    /// Another price table than infrastructure/prices.toml.
    #[arg(long, value_name = "FILE")]
    pub prices: Option<PathBuf>,
    /// Other assumptions than those of infrastructure/usage.
    #[arg(long, value_name = "FILE")]
    pub usage: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum InfraEnvironment {
    Staging,
    Production,
}

impl InfraEnvironment {
    /// As Terraform has it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Staging => "staging",
            Self::Production => "production",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum InfraState {
    S3,
    Local,
}

fn profile_name(text: &str) -> Result<String, String> {
    let fits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
    if fits { Ok(text.to_owned()) } else { Err("expected small letters and hyphens".to_owned()) }
}

fn region_name(text: &str) -> Result<String, String> {
    let fits = text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if fits && text.len() >= 9 {
        Ok(text.to_owned())
    } else {
        Err("expected something like us-east-1".to_owned())
    }
}

const INFRA_HELP: &str = "\
Variables (the Quick Start's): AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (or AWS_PROFILE, or a role), ELEVENLABS_API_KEY,
OPENAI_API_KEY, JWT_SECRET, MONITORING_API_KEY, SUPABASE_KEY. They become secrets in AWS and are in no plan and no state.
terraform.tfvars says what no file of the repository can know; `seiketsu infra check` names what is missing.
TF_PLUGIN_DIR is where the AWS provider is on a machine without a registry; AWS_ENDPOINT_URL leads to another AWS.

Exit codes:
  0  done
  1  it failed; stderr says why
  2  the command line is wrong
  5  a tool, a variable or a credential is missing
  6  the environment's name was not given, and nothing was changed
  7  another run holds the state
  8  interrupted: what was done is in the state, and the same command goes on
  9  some steps were done and one failed; the same command goes on

Ctrl-C during apply: Terraform finishes what is under way, keeps it in its state and gives its lock back.";

#[derive(Debug, Subcommand)]
pub(crate) enum DoctorCheck {
    /// Make one cheap real request per configured vendor (of the running sandbox where there is no key): latency, and
    /// for an error its remedy. Fails if any of them fails.
    Providers(DoctorProvidersArgs),
}

#[derive(Debug, Args)]
pub(crate) struct DoctorProvidersArgs {
    /// The language model to ask at OpenAI.
    #[arg(long, value_name = "NAME", default_value = "gpt-4.1-mini")]
    pub model: String,
    /// The language model to ask at the fallback endpoint (default: the same).
    #[arg(long, value_name = "NAME")]
    pub fallback_model: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct UpArgs {
    /// The port of the public listener (default: that of the public URL, 8080).
    #[arg(long)]
    pub port: Option<u16>,
    /// Latencies of the sandbox vendors: zero, fast, typical, slow or stalling.
    #[arg(long, value_name = "PROFILE")]
    pub profile: Option<String>,
    /// Seed of the sandbox's delays and faults.
    #[arg(long)]
    pub seed: Option<u64>,
    /// Leave the database as it is: no demo brokerages.
    #[arg(long)]
    pub no_demo: bool,
}

#[derive(Debug, Args)]
pub(crate) struct SandboxArgs {
    /// Port on loopback; 0 takes any free one.
    #[arg(long, default_value_t = 0)]
    pub port: u16,
    /// Latency profile.
    #[arg(long)]
    pub profile: Option<String>,
    /// Seed of delays and faults.
    #[arg(long)]
    pub seed: Option<u64>,
    /// End when stdin does: whoever started this holds the other end.
    #[arg(long, hide = true)]
    pub until_stdin_closes: bool,
}

#[derive(Debug, Args)]
#[command(after_long_help = SCRIPT_HELP)]
pub(crate) struct CallArgs {
    /// The brokerage's short name; `seiketsu tenants` lists them. Several, separated by commas, with `--calls` or `--turns`.
    #[arg(long, required = true, value_delimiter = ',')]
    pub tenant: Vec<String>,
    /// The number to dial, if the brokerage has several.
    #[arg(long)]
    pub to: Option<PhoneNumber>,
    /// The number the caller calls from.
    #[arg(long)]
    pub from: Option<PhoneNumber>,
    /// What the caller says, line by line; each line waits for the answer to the one before. Repeatable.
    #[arg(long, value_name = "TEXT")]
    pub say: Vec<String>,
    /// A WAV file that the caller plays after the lines of `--say`. Repeatable.
    #[arg(long, value_name = "FILE")]
    pub wav: Vec<PathBuf>,
    /// A script, as described below. Several with `--calls` or `--turns`: callers take them in turn.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["say", "wav"])]
    pub script: Vec<PathBuf>,
    /// The language of `--say` (a script says its own): en, es or zh.
    #[arg(long, default_value = "en")]
    pub language: Language,
    /// The caller interrupts each answer so many milliseconds after it began, with the next line.
    #[arg(long, value_name = "MS")]
    pub interrupt_after: Option<u32>,
    /// Silence of the agent after which the caller speaks again. An agent that is looking something up says so after 2.5 s
    /// at the latest; with less patience than that, callers talk over its answers.
    #[arg(long, value_name = "MS", default_value_t = 2_600)]
    pub patience: u32,
    /// What those do to whom the platform puts the caller through.
    #[arg(long, value_enum, default_value_t = HumanArg::Answers)]
    pub human: HumanArg,
    #[command(flatten)]
    pub line: LineArgs,
    /// Save both sides as a stereo WAV: the caller left, the agent right.
    #[arg(long, value_name = "FILE")]
    pub save: Option<PathBuf>,
    /// Write the conversation, with the waterfall of each turn, as Markdown.
    #[arg(long, value_name = "FILE")]
    pub markdown: Option<PathBuf>,
    /// Fail (exit code 3) unless the call left this behind.
    #[arg(long, value_enum)]
    pub expect: Option<Expectation>,
    /// Place so many calls and print the distribution. Without a script, callers take a dozen dialogues in turn.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub calls: u32,
    /// Place calls until so many turns of callers were measured; p99.9 is told from 2,995 on.
    #[arg(long, conflicts_with = "calls", value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub turns: Option<u64>,
    /// From the start of one call to the start of the next, at least.
    #[arg(long, value_name = "MS", default_value_t = 50)]
    pub ramp: u32,
    /// Calls at once: with `--calls` all of them if not given, with `--turns` ten.
    #[arg(long, visible_alias = "at-once", value_parser = clap::value_parser!(u32).range(1..=5_000))]
    pub concurrency: Option<u32>,
}

/// What happens to sound on the caller's line; more than a script says.
#[derive(Debug, Args)]
pub(crate) struct LineArgs {
    /// Delay of the line, each way.
    #[arg(long, value_name = "MS", default_value_t = 0, value_parser = clap::value_parser!(u32).range(..=2000))]
    pub line_delay: u32,
    /// The agent's own voice comes back from the caller's end, by so much softer: -20, say.
    #[arg(long, value_name = "DB", allow_negative_numbers = true, value_parser = clap::value_parser!(i8).range(-90..=0))]
    pub echo_db: Option<i8>,
    /// How much later the echo comes.
    #[arg(long, value_name = "MS", default_value_t = 180, value_parser = clap::value_parser!(u32).range(..=2000))]
    pub echo_delay: u32,
    /// Noise beside the caller, in dBFS: -45, say; speech is at about -31.
    #[arg(long, value_name = "DBFS", allow_negative_numbers = true, value_parser = clap::value_parser!(i8).range(-90..=-10))]
    pub noise_db: Option<i8>,
    /// Which noise: room, hum, babble, street or hiss. Hiss above -51 dBFS covers the words of simulated voices.
    #[arg(long, value_name = "KIND", default_value = "room", value_parser = noise_kind)]
    pub noise: NoiseKind,
    /// Everything else about the line, as a script has it: {"drift_ppm":80,"gaps":{"every_ms":5000,"frames":3}}, say.
    #[arg(long, value_name = "JSON", value_parser = line_effects)]
    pub line: Option<LineEffects>,
}

fn noise_kind(text: &str) -> Result<NoiseKind, serde_json::Error> {
    serde_json::from_value(serde_json::Value::String(text.to_owned()))
}

fn line_effects(text: &str) -> Result<LineEffects, serde_json::Error> {
    serde_json::from_str(text)
}

/// What somebody does to whom a caller is put through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum HumanArg {
    /// Takes the call.
    Answers,
    /// Picks up, and hangs up while being told who calls.
    HangsUp,
    /// Picks up and presses nothing, as an answering machine does.
    Ignores,
    /// Never picks up.
    Silent,
    /// Is on the telephone.
    Busy,
    /// Cannot be rung.
    Unreachable,
}

const SCRIPT_HELP: &str = "\
A script is a JSON list of steps, or an object with `language`, `line` and `steps`:

  {
    \"language\": \"en\",
    \"line\": { \"noise\": { \"kind\": \"room\", \"level_dbfs\": -45 },
              \"echo\": { \"level_db\": -25, \"delay_ms\": 180 } },
    \"steps\": [
      { \"say\": \"hi i am looking for a three bedroom house\" },
      { \"murmur\": { \"say\": \"mm-hm\", \"after_ms\": 1500 } },
      { \"interrupt\": { \"say\": \"wait i meant a condo\", \"after_ms\": 2000 } },
      { \"keys\": \"5125550147#\" },
      { \"say\": \"let me talk to a person\" },
      { \"hold_ms\": 60000 },
      \"hang_up\"
    ]
  }

Steps; each waits until the agent has finished, unless it says otherwise:
  say         speaks a text
  wav         plays a file
  keys        presses keys, and listens for an answer
  wait_ms     goes on after so long, answer or not (right after a line it replaces listening)
  silence_ms  says nothing for so long when it is the caller's turn
  interrupt   speaks a text so long after the answer began; in its turn if the answer is over by then
  murmur      the same for a sound that asks for no answer; left out if the answer is over by then
  cough       { \"cough\": { \"after_ms\": 900 } }: a cough while the agent speaks
  hold_ms     holds the line until the agent speaks again or the call ends, at most so long
  cut_stream  loses the media connection; the call goes on if the platform takes it up again
  hang_up     hangs up, as the end of the script does";

/// What a call is expected to leave behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Expectation {
    /// A booked viewing.
    Viewing,
    /// A lead.
    Lead,
    /// A person who took the caller over.
    Transfer,
}

#[derive(Debug, Args)]
pub(crate) struct CallsArgs {
    /// Only this brokerage's.
    #[arg(long)]
    pub tenant: String,
    /// How many at most.
    #[arg(long, default_value_t = 20)]
    pub limit: u32,
}

#[derive(Debug, Args)]
pub(crate) struct RecordingsArgs {
    /// Only this brokerage's.
    #[arg(long)]
    pub tenant: String,
    /// How many calls at most.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=200))]
    pub limit: u32,
}

#[derive(Debug, Args)]
pub(crate) struct RecordingGetArgs {
    /// The call's id, `call_…`.
    pub call: CallId,
    /// Which part: 0, and one more each time the call was cut and came back.
    #[arg(long, default_value_t = 0)]
    pub part: u32,
    /// Where it goes. An existing file is replaced once the whole part is there.
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
}
