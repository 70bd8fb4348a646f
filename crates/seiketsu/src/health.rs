//! `seiketsu health`: what a container's health check runs, so that its image needs no other program.

use crate::{
    cli::Question,
    config::Config,
    exit::{Exit, Stop},
    terminal::Terminal,
};
use anyhow::Context;
use reqwest::StatusCode;
use seiketsu_gateway::health::Health;
use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

/// Less than the five seconds after which ECS and Docker give a check up.
const ANSWER_WITHIN: Duration = Duration::from_secs(3);

/// Asks the admin listener of this machine. Success is its 200.
pub(crate) async fn ask(config: &Config, question: Question, terminal: Terminal) -> anyhow::Result<Exit> {
    let path = match question {
        Question::Live => "live",
        Question::Ready => "ready",
        Question::Startup => "startup",
    };
    let url = format!("http://{}/health/{path}", reachable(config.admin_listen));
    // What asks this machine goes past any proxy.
    let http = reqwest::Client::builder().no_proxy().timeout(ANSWER_WITHIN).build();
    let response = http.context("building the HTTP client")?.get(&url).send().await.map_err(|error| {
        let why = match () {
            () if error.is_connect() => "nothing answers".to_owned(),
            () if error.is_timeout() => format!("no answer within {} s", ANSWER_WITHIN.as_secs()),
            () => format!("{:#}", anyhow::Error::new(error)),
        };
        Stop::because(Exit::NotRunning, format!("{url}: {why}; ADMIN_LISTEN says where to ask"))
    })?;
    let status = response.status();
    let body = response.text().await.with_context(|| url.clone())?;
    let health: Health = serde_json::from_str(&body)
        .with_context(|| format!("{url}: {status} from something that is not Seiketsu"))?;
    if terminal.json() {
        terminal.document(&health)?;
    } else {
        terminal.data(format_args!("{}, {} live calls", health.status, health.live_calls));
    }
    Ok(if status == StatusCode::OK { Exit::Success } else { Exit::Failure })
}

/// Who listens on every address is asked on loopback.
fn reachable(listens: SocketAddr) -> SocketAddr {
    let ip = match listens.ip() {
        own if !own.is_unspecified() => own,
        IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
    };
    SocketAddr::new(ip, listens.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_is_asked_on_loopback() {
        let asked = |listens: &str| reachable(listens.parse().unwrap()).to_string();
        assert_eq!(asked("0.0.0.0:9464"), "127.0.0.1:9464");
        assert_eq!(asked("[::]:9464"), "[::1]:9464");
        assert_eq!(asked("10.0.0.7:1"), "10.0.0.7:1");
    }
}
