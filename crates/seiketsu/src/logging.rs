//! Structured logs on stderr, with a level that can be changed while the server runs.

use crate::config::Config;
use anyhow::Context;
use seiketsu_gateway::admin::log_level::LogLevel;
use std::io::IsTerminal;
use tracing_subscriber::{
    EnvFilter, Layer, Registry, fmt, layer::SubscriberExt, reload, util::SubscriberInitExt,
};

/// The handle on the filter in force.
#[derive(Debug)]
pub(crate) struct Filter(reload::Handle<EnvFilter, Registry>);

impl LogLevel for Filter {
    fn current(&self) -> String {
        self.0.with_current(ToString::to_string).unwrap_or_default()
    }
    fn change(&self, filter: &str) -> Result<(), String> {
        let filter: EnvFilter = filter.parse().map_err(|error| format!("{error}"))?;
        self.0.reload(filter).map_err(|error| error.to_string())
    }
}

/// Installs the subscriber of the process.
pub(crate) fn install(config: &Config) -> anyhow::Result<Filter> {
    let filter: EnvFilter = config.log_filter.parse().context("log.filter (LOG)")?;
    let (filter, handle) = reload::Layer::new(filter);
    let json = match config.log_format.as_str() {
        "json" => true,
        "text" => false,
        _ => !std::io::stderr().is_terminal(),
    };
    let lines = fmt::layer().with_writer(std::io::stderr);
    let lines = if json { lines.json().flatten_event(true).boxed() } else { lines.compact().boxed() };
    tracing_subscriber::registry()
        .with(filter)
        .with(lines)
        .try_init()
        .context("a subscriber is installed already")?;
    Ok(Filter(handle))
}
