//! The arrows of ARCHITECTURE.md, as a check.

use anyhow::{Context, bail};
use cargo_metadata::{DependencyKind, MetadataCommand};
use std::{collections::BTreeMap, io::Write};

/// All crates that the binary wires together.
const BELOW_THE_BINARY: &[&str] = &[
    "gateway",
    "brokerage",
    "session",
    "call",
    "audio",
    "providers",
    "storage",
    "sandbox",
    "carrier",
    "operations",
    "domain",
];

/// Every arrow there is. `seiketsu` may use everything; `testkit` may too, and may itself only be used by tests.
const ARROWS: [(&str, &[&str]); 14] = [
    ("gateway", &["session", "storage", "domain"]),
    ("brokerage", &["session", "storage", "domain"]),
    ("session", &["call", "audio", "providers", "domain"]),
    ("call", &["domain"]),
    ("audio", &[]),
    ("providers", &["domain"]),
    ("storage", &["domain"]),
    ("sandbox", &["providers", "audio", "domain"]),
    ("carrier", &["audio", "domain"]),
    ("operations", &["carrier", "storage", "domain"]),
    ("domain", &[]),
    ("xtask", &[]),
    ("testkit", BELOW_THE_BINARY),
    ("seiketsu", BELOW_THE_BINARY),
];

/// Compares the workspace with the arrows.
pub(crate) fn check() -> anyhow::Result<()> {
    let metadata = MetadataCommand::new().no_deps().exec().context("reading the workspace")?;
    let allowed: BTreeMap<&str, &[&str]> = ARROWS.into_iter().collect();
    let mut wrong = Vec::new();
    let mut arrows = 0;
    for package in &metadata.packages {
        let name = short(&package.name);
        let Some(allowed) = allowed.get(name) else {
            wrong
                .push(format!("`{name}` is not in the architecture: draw its arrows in xtask/src/arrows.rs"));
            continue;
        };
        for dependency in package.dependencies.iter().filter(|dependency| dependency.path.is_some()) {
            let to = short(&dependency.name);
            arrows += 1;
            let development = dependency.kind == DependencyKind::Development;
            if !development && (!allowed.contains(&to) || to == "testkit") {
                wrong.push(format!("`{name}` -> `{to}` is no arrow of the architecture"));
            }
        }
    }
    if wrong.is_empty() {
        writeln!(
            std::io::stdout(),
            "arrows: {arrows} dependencies between {} crates, all of them drawn",
            metadata.packages.len()
        )?;
        return Ok(());
    }
    bail!("{}", wrong.join("\n"));
}

fn short(name: &str) -> &str {
    name.strip_prefix("seiketsu-").unwrap_or(name)
}
