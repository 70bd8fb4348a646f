//! What the sandbox delayed and broke on purpose while calls were measured.

use crate::api::Api;
use anyhow::Context;
use seiketsu_carrier::summary::Distribution;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, time::Duration};

/// What was injected, by vendor and stage.
#[derive(Debug, Default, Serialize)]
pub(super) struct Injections {
    /// Delays in milliseconds, by `vendor stage`.
    delays: BTreeMap<String, Distribution>,
    /// Requests that suffered a fault, by `vendor stage fault`.
    pub faults: BTreeMap<String, u64>,
    /// Requests in all.
    pub requests: u64,
    /// Records that the sandbox had no room to keep.
    lost: u64,
}

/// One record of the sandbox, as far as it is summed up.
#[derive(Debug, Deserialize)]
struct Record {
    sequence: u64,
    vendor: String,
    stage: String,
    delay_ms: u64,
    fault: Option<String>,
}

/// The number of the sandbox' latest record; `None` without a sandbox.
pub(super) async fn position(api: &Api) -> anyhow::Result<Option<u64>> {
    let records = read(api, 0).await?;
    Ok(records.map(|records| records.last().map_or(0, |record| record.sequence)))
}

/// What was injected after that record.
pub(super) async fn since(api: &Api, position: u64) -> anyhow::Result<Option<Injections>> {
    let Some(records) = read(api, position).await? else { return Ok(None) };
    let mut delays: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    let mut injections = Injections { requests: records.len() as u64, ..Injections::default() };
    if let Some(first) = records.first() {
        injections.lost = first.sequence - position - 1;
    }
    for Record { vendor, stage, delay_ms, fault, .. } in records {
        let stage = format!("{vendor} {stage}");
        if let Some(fault) = fault {
            *injections.faults.entry(format!("{stage} {fault}")).or_default() += 1;
        }
        delays.entry(stage).or_default().push(delay_ms);
    }
    injections.delays = delays
        .into_iter()
        .map(|(stage, values)| (stage, Distribution::of(values.into_iter().map(Some))))
        .collect();
    Ok(Some(injections))
}

async fn read(api: &Api, after: u64) -> anyhow::Result<Option<Vec<Record>>> {
    let Some(sandbox) = &api.local.sandbox else { return Ok(None) };
    let mut url = sandbox.join("sandbox/injected").context("the sandbox' address")?;
    url.query_pairs_mut().append_pair("after", &after.to_string());
    let request = crate::vendors::http()?.get(url.clone()).timeout(Duration::from_secs(30));
    let body = async { request.send().await?.error_for_status()?.bytes().await };
    let body = body.await.with_context(|| format!("GET {url}"))?;
    serde_json::from_slice(&body)
        .map(Some)
        .with_context(|| format!("GET {url}: an answer of another version?"))
}
