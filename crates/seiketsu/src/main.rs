//! Seiketsu: the one binary. Parses, builds, runs, drains; everything else is in the crates below.

mod api;
mod call;
mod caller_voice;
mod cli;
mod config;
mod dev_cert;
mod doctor;
mod exit;
mod health;
mod infra;
mod keys;
mod local;
mod logging;
mod members;
mod recordings;
mod sandbox;
mod serve;
mod show;
mod speech;
mod task_protection;
mod terminal;
mod up;
mod vendors;
mod waterfall;

use clap::Parser;
use cli::{Cli, Command};
use config::Config;
use exit::Exit;
use std::process::ExitCode;
use terminal::Terminal;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let terminal = Terminal::new(cli.json);
    let outcome = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(run(cli, terminal)),
        Err(error) => Err(error.into()),
    };
    let exit = outcome.unwrap_or_else(|error| {
        terminal.talk(format_args!("error: {error:#}"));
        exit::code_of(&error)
    });
    exit.into()
}

async fn run(cli: Cli, terminal: Terminal) -> anyhow::Result<Exit> {
    // The process' one choice of cryptography. A second installation is refused, which is fine.
    let _ = rustls::crypto::ring::default_provider().install_default();
    // What is deployed is configured by Terraform; a configuration of this machine is neither needed nor in the way.
    let cli = match cli {
        Cli { command: Command::Infra { action }, .. } => return infra::run(action, terminal).await,
        other => other,
    };
    let mut flags: Vec<(&str, String)> = Vec::new();
    match &cli.command {
        Command::Up(args) => {
            flags.extend(args.profile.clone().map(|profile| ("sandbox.profile", profile)));
            flags.extend(args.seed.map(|seed| ("sandbox.seed", seed.to_string())));
            if let Some(port) = args.port {
                flags.push(("public_url", format!("http://localhost:{port}")));
            }
        }
        Command::Sandbox(args) => {
            flags.extend(args.profile.clone().map(|profile| ("sandbox.profile", profile)));
            flags.extend(args.seed.map(|seed| ("sandbox.seed", seed.to_string())));
        }
        Command::Serve
        | Command::Worker
        | Command::Migrate
        | Command::Health { .. }
        | Command::Call(_)
        | Command::Tenants
        | Command::Calls(_)
        | Command::CallShow { .. }
        | Command::Recordings(_)
        | Command::RecordingGet(_)
        | Command::Key { .. }
        | Command::Member { .. }
        | Command::DevCert
        | Command::Openapi
        | Command::Doctor { .. }
        | Command::Infra { .. }
        | Command::Config { .. } => {}
    }
    let config = Config::load(cli.config.as_deref(), |name| std::env::var(name).ok(), &flags)?;
    match cli.command {
        Command::Up(args) => Box::pin(up::run(config, &args, terminal)).await,
        Command::Serve => serve::serve(config, terminal).await,
        Command::Worker => serve::worker(&config, terminal).await,
        Command::Health { question } => health::ask(&config, question, terminal).await,
        Command::Migrate => serve::migrate(&config, terminal).await,
        Command::Sandbox(args) => sandbox::run(&config, &args, terminal).await,
        Command::Call(args) => call::run(&config, *args, terminal).await,
        Command::Tenants => show::tenants(&config, terminal).await,
        Command::Calls(args) => show::calls(&config, &args, terminal).await,
        Command::CallShow { id } => show::call(&config, id, terminal).await,
        Command::Recordings(args) => recordings::list(&config, &args, terminal).await,
        Command::RecordingGet(args) => recordings::get(&config, &args, terminal).await,
        Command::Key { action } => keys::run(&config, action, terminal).await,
        Command::Member { action } => members::run(&config, action, terminal).await,
        Command::DevCert => dev_cert::make(&config, serve::identity()?.clock().now(), terminal),
        Command::Openapi => {
            terminal.data(seiketsu_gateway::v1::openapi_document().trim_end());
            Ok(Exit::Success)
        }
        Command::Doctor { check } => doctor::run(&config, check, terminal).await,
        Command::Infra { action } => infra::run(action, terminal).await,
        Command::Config { defaults } => show::config(&config, defaults, terminal),
    }
}
