//! `seiketsu sandbox`: the loopback vendors, and the telephone exchange beside them, in a process of their own.

use crate::{
    cli::SandboxArgs,
    config::Config,
    exit::{Exit, Stop},
    serve,
    terminal::Terminal,
    vendors,
};
use anyhow::Context;
use secrecy::ExposeSecret;
use seiketsu_carrier::{Exchange, ExchangeOptions};
use seiketsu_sandbox::{Sandbox, SandboxOptions};
use serde::{Deserialize, Serialize};
use std::{net::Ipv4Addr, process::Stdio, sync::Arc};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, BufReader},
    process::{Child, ChildStdin, Command},
};
use tokio_util::task::TaskTracker;
use url::Url;

/// Where a running sandbox is: the line of JSON that it prints.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Addresses {
    pub openai: Url,
    pub deepgram: Url,
    pub elevenlabs: Url,
    /// Twilio's REST API, as the simulated exchange has it.
    pub twilio: Url,
    /// Where the sandbox is controlled.
    pub sandbox: Url,
}

/// Serves until Ctrl-C, SIGTERM or (if asked to) the end of stdin.
pub(crate) async fn run(config: &Config, args: &SandboxArgs, terminal: Terminal) -> anyhow::Result<Exit> {
    crate::logging::install(config)?;
    let ids = serve::identity()?;
    let tracker = TaskTracker::new();
    let (account_sid, auth_token) = match &config.twilio.account {
        Some((sid, token)) => (sid.clone(), token.expose_secret().to_owned()),
        None => (String::new(), String::new()),
    };
    let options = ExchangeOptions { account_sid, auth_token, register_at: None };
    let exchange = Exchange::new(options, vendors::http()?, ids.clone(), tracker.clone());
    let options = SandboxOptions {
        bind: (Ipv4Addr::LOCALHOST, args.port).into(),
        profile: config.profile,
        seed: config.seed,
        clock: Arc::clone(ids.clock()),
        also: exchange.router(),
        ..SandboxOptions::default()
    };
    let running = Sandbox::start(options, &tracker).await?;
    let base = Url::parse(&format!("http://{}/", running.address()))?;
    let addresses = Addresses {
        openai: running.openai_base(),
        deepgram: running.deepgram_base(),
        elevenlabs: running.elevenlabs_base(),
        twilio: base.clone(),
        sandbox: base,
    };
    terminal.data(serde_json::to_string(&addresses)?);
    if args.until_stdin_closes {
        // Ctrl-C on a terminal reaches this process too; the server that holds our stdin decides when we go.
        let ignored = async {
            loop {
                if serve::told_to_stop().await.is_err() {
                    std::future::pending::<()>().await;
                }
            }
        };
        let (mut stdin, mut rest) = (tokio::io::stdin(), Vec::new());
        tokio::select! {
            _ = stdin.read_to_end(&mut rest) => {}
            () = ignored => {}
        }
    } else {
        serve::told_to_stop().await?;
    }
    running.stop();
    Ok(Exit::Success)
}

/// A sandbox as a child process; it ends with us, however we end.
#[derive(Debug)]
pub(crate) struct SandboxProcess {
    child: Child,
    /// Held apart, because waiting for a child closes what it holds of its stdin.
    stdin: Option<ChildStdin>,
    pub addresses: Addresses,
}

impl SandboxProcess {
    /// Starts it and waits for its addresses.
    pub(crate) async fn start(config: &Config, account: (&str, &str)) -> anyhow::Result<Self> {
        let program = std::env::current_exe().context("finding our own program")?;
        let mut command = Command::new(program);
        command
            .args(["sandbox", "--until-stdin-closes"])
            .args(["--profile", &config.profile.to_string(), "--seed", &config.seed.to_string()])
            .env("TWILIO_ACCOUNT_SID", account.0)
            .env("TWILIO_AUTH_TOKEN", account.1)
            .env("LOG", &config.log_filter)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true);
        let mut child = command.spawn().context("starting the sandbox")?;
        let stdin = child.stdin.take();
        let stdout = child.stdout.take().context("the sandbox has no stdout")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line).await.context("reading the sandbox's addresses")?;
        let addresses = serde_json::from_str(&line).map_err(|_| {
            Stop::because(Exit::Failure, "the sandbox did not start; its own words are above")
        })?;
        Ok(Self { child, stdin, addresses })
    }

    pub(crate) fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// Waits for its end, which nobody asked for.
    pub(crate) async fn ended(&mut self) {
        let _ = self.child.wait().await;
    }

    /// Closes its stdin and waits for it to go.
    pub(crate) async fn stop(mut self) {
        drop(self.stdin.take());
        if tokio::time::timeout(std::time::Duration::from_secs(3), self.child.wait()).await.is_err() {
            let _ = self.child.kill().await;
        }
    }
}
