//! The command line.

use clap::{Args, Parser, Subcommand};
use seiketsu_domain::{CallId, PhoneNumber};
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
    /// Create roles and schemas where they are missing and apply the migrations.
    Migrate,
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
    /// Show the configuration in force, secrets blotted out.
    Config {
        /// Show the documented defaults instead.
        #[arg(long)]
        defaults: bool,
    },
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
pub(crate) struct CallArgs {
    /// The brokerage's short name; `seiketsu tenants` lists them.
    #[arg(long)]
    pub tenant: String,
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
    /// A script: a JSON list such as [{"say":"hello"},{"wait_ms":300},{"digits":"1"},{"wav":"a.wav"},"hang_up"].
    #[arg(long, value_name = "FILE", conflicts_with_all = ["say", "wav"])]
    pub script: Option<PathBuf>,
    /// The caller interrupts each answer so many milliseconds after it began, with the next line.
    #[arg(long, value_name = "MS")]
    pub interrupt_after: Option<u32>,
    /// Silence of the agent after which the caller speaks again.
    #[arg(long, value_name = "MS", default_value_t = 900)]
    pub patience: u32,
    /// Delay of the line, each way.
    #[arg(long, value_name = "MS", default_value_t = 0, value_parser = clap::value_parser!(u32).range(..=2000))]
    pub line_delay: u32,
    /// Save both sides as a stereo WAV: the caller left, the agent right.
    #[arg(long, value_name = "FILE")]
    pub save: Option<PathBuf>,
    /// Fail (exit code 3) unless the call left this behind.
    #[arg(long, value_enum)]
    pub expect: Option<Expectation>,
    /// Place so many calls and print the distribution.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=5000))]
    pub calls: u32,
    /// From the start of one call to the start of the next.
    #[arg(long, value_name = "MS", default_value_t = 50)]
    pub ramp: u32,
    /// Calls at once, with `--calls`; all of them if not given.
    #[arg(long)]
    pub at_once: Option<u32>,
}

/// What a call is expected to leave behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Expectation {
    /// A booked viewing.
    Viewing,
    /// A lead.
    Lead,
    /// A hand-over to a person.
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
