//! What a plan costs in a month.
//!
//! `quantity * price`, nothing else: quantities come from the plan or from the [`Usage`], prices from the [`PriceTable`].
//! Each line says both, so that it can be computed by hand. What has no price is listed, never left out in silence.

mod coverage;
mod data_stores;
mod edge;
mod operations;
mod tasks;

pub use coverage::{Coverage, coverage};
pub use tasks::{Architecture, Clock, floor_over_the_day};

use crate::{
    amount::Amount,
    plan::{Plan, Resource, Side},
    prices::{Confidence, PriceError, PriceTable},
    usage::Usage,
};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// What a line belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Group {
    /// Fargate.
    Tasks,
    /// RDS.
    Database,
    /// ElastiCache.
    Cache,
    /// Load balancer, CloudFront, firewall, names.
    Edge,
    /// Logs, metrics, alarms.
    Watching,
    /// GuardDuty, Security Hub, Config, keys, secrets.
    Security,
    /// NAT, addresses, endpoints, transfer.
    Network,
    /// Recordings, images, logs in S3.
    Storage,
    /// Backups and copies.
    Backup,
}

impl Group {
    /// All of them, in the order of reports.
    pub const ALL: [Self; 9] = [
        Self::Tasks,
        Self::Database,
        Self::Cache,
        Self::Edge,
        Self::Watching,
        Self::Security,
        Self::Network,
        Self::Storage,
        Self::Backup,
    ];

    /// How reports call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tasks => "tasks (Fargate)",
            Self::Database => "database (RDS)",
            Self::Cache => "cache (ElastiCache)",
            Self::Edge => "edge (load balancer, CloudFront, firewall)",
            Self::Watching => "logs, metrics, alarms",
            Self::Security => "security and compliance",
            Self::Network => "network (NAT, addresses, transfer)",
            Self::Storage => "storage (S3, images)",
            Self::Backup => "backups",
        }
    }
}

/// One line of an estimate: `quantity * unit_price`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Line {
    /// What it belongs to.
    pub group: Group,
    /// What is paid for.
    pub what: String,
    /// How much of it, in [`unit`](Self::unit).
    pub quantity: f64,
    /// `GB`, `vCPU-hour` …
    pub unit: String,
    /// The price's name in the table.
    pub price: String,
    /// Dollars for one.
    pub unit_price: Amount,
    /// Dollars a month.
    pub monthly: Amount,
    /// Whether the quantity is an assumption of the usage file, not a fact of the plan.
    pub by_usage: bool,
    /// How far the price can be trusted.
    pub confidence: Confidence,
}

/// What a plan costs in a month, at a number of gateway tasks.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Estimate {
    /// Gateway tasks that run the whole month.
    pub tasks: u32,
    /// Least and most tasks by the plan.
    pub bounds: (u32, u32),
    /// Every line.
    pub lines: Vec<Line>,
}

impl Estimate {
    /// Dollars a month.
    pub fn total(&self) -> Amount {
        self.lines.iter().map(|line| line.monthly).sum()
    }

    /// Dollars a month of one group.
    pub fn of(&self, group: Group) -> Amount {
        self.lines.iter().filter(|line| line.group == group).map(|line| line.monthly).sum()
    }

    /// What does not hang on the usage file.
    pub fn fixed(&self) -> Amount {
        self.lines.iter().filter(|line| !line.by_usage).map(|line| line.monthly).sum()
    }

    /// What hangs on the usage file.
    pub fn used(&self) -> Amount {
        self.lines.iter().filter(|line| line.by_usage).map(|line| line.monthly).sum()
    }

    /// Dollars of lines by how far their prices can be trusted.
    pub fn by_confidence(&self) -> BTreeMap<Confidence, Amount> {
        let mut sums: BTreeMap<_, Amount> = BTreeMap::new();
        for line in &self.lines {
            *sums.entry(line.confidence).or_default() += line.monthly;
        }
        sums
    }

    /// Whether the plan would ever run so many tasks.
    pub fn is_within_bounds(&self) -> bool {
        (self.bounds.0..=self.bounds.1).contains(&self.tasks)
    }
}

/// Why a plan has no price.
#[derive(Debug, thiserror::Error)]
pub enum EstimateError {
    /// A price is missing.
    #[error(transparent)]
    Price(#[from] PriceError),
    /// A value that a price hangs on is not in the plan, or known only after it is applied.
    #[error("`{attribute}` of {address} is not in the plan, and its price hangs on it")]
    Unknown {
        /// Whose.
        address: String,
        /// Which.
        attribute: &'static str,
    },
    /// The table is for another region.
    #[error("the plan is for {plan}, the price table for {table}: give a table of {plan} with --prices")]
    Region {
        /// The plan's.
        plan: String,
        /// The table's.
        table: String,
    },
    /// A service runs tasks that are not described.
    #[error("{address} runs tasks of a definition that is not in the plan")]
    NoDefinition {
        /// The service.
        address: String,
    },
}

/// What to change about a plan before it is priced: how levers are computed.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Assume {
    /// Gateway tasks; the plan's minimum if not given.
    pub tasks: Option<u32>,
    /// All services other than the gateway on spare capacity, or none; as planned if not given.
    pub spot: Option<bool>,
    /// All tasks on this architecture; as planned if not given.
    pub architecture: Option<Architecture>,
    /// All caches with this engine, `redis` or `valkey`; as planned if not given.
    pub engine: Option<&'static str>,
}

/// Prices one side of a plan.
pub fn estimate(
    plan: &Plan,
    side: Side,
    prices: &PriceTable,
    usage: &Usage,
    assume: Assume,
) -> Result<Estimate, EstimateError> {
    if let Some(region) = plan.region.as_deref().filter(|&region| region != prices.region) {
        return Err(EstimateError::Region { plan: region.to_owned(), table: prices.region.clone() });
    }
    let resources: Vec<Resource<'_>> = plan.resources(side).collect();
    let mut bill = Bill { prices, usage, resources: &resources, lines: Vec::new() };
    let counted = tasks::lines(&mut bill, assume)?;
    data_stores::lines(&mut bill, assume)?;
    edge::lines(&mut bill)?;
    operations::lines(&mut bill, &counted)?;
    bill.lines.sort_by_key(|line| line.group);
    Ok(Estimate { tasks: counted.gateway, bounds: counted.bounds, lines: bill.lines })
}

/// An estimate under construction.
struct Bill<'a> {
    prices: &'a PriceTable,
    usage: &'a Usage,
    resources: &'a [Resource<'a>],
    lines: Vec<Line>,
}

impl<'a> Bill<'a> {
    /// Adds a line of the plan, unless the quantity is nothing.
    fn fixed(
        &mut self,
        group: Group,
        what: impl Into<String>,
        quantity: f64,
        price: &str,
    ) -> Result<(), PriceError> {
        self.add(group, what.into(), quantity, price, false, Amount::ZERO)
    }

    /// Adds a line whose quantity is assumed.
    fn used(
        &mut self,
        group: Group,
        what: impl Into<String>,
        quantity: f64,
        price: &str,
    ) -> Result<(), PriceError> {
        self.add(group, what.into(), quantity, price, true, Amount::ZERO)
    }

    fn add(
        &mut self,
        group: Group,
        what: String,
        quantity: f64,
        price: &str,
        by_usage: bool,
        discount: Amount,
    ) -> Result<(), PriceError> {
        if quantity <= 0.0 {
            return Ok(());
        }
        let found = self.prices.get(price, &what)?;
        let unit_price = found.amount.less(discount);
        self.lines.push(Line {
            group,
            what,
            quantity,
            unit: found.unit.clone(),
            price: price.to_owned(),
            unit_price,
            monthly: unit_price * quantity,
            by_usage,
            confidence: found.confidence,
        });
        Ok(())
    }

    fn hours(&self) -> f64 {
        self.prices.hours_per_month
    }

    /// The resources of a type.
    fn all(&self, kind: &'static str) -> impl Iterator<Item = Resource<'a>> + use<'a> {
        self.resources.iter().filter(move |resource| resource.kind == kind).copied()
    }

    fn count(&self, kind: &'static str) -> f64 {
        self.all(kind).count() as f64
    }

    fn any(&self, kind: &'static str) -> bool {
        self.all(kind).next().is_some()
    }

    /// Zones that subnets stand in. Which subnets an endpoint or a load balancer has is known only after the plan is
    /// applied; here all of them stand in every zone.
    fn zones(&self) -> f64 {
        let zones: BTreeSet<&str> =
            self.all("aws_subnet").filter_map(|subnet| subnet.values.text("availability_zone")).collect();
        zones.len() as f64
    }
}

/// A text that a price hangs on.
fn text<'a>(resource: &Resource<'a>, attribute: &'static str) -> Result<&'a str, EstimateError> {
    resource
        .values
        .text(attribute)
        .ok_or_else(|| EstimateError::Unknown { address: resource.address.to_owned(), attribute })
}

/// A number that a price hangs on.
fn number(resource: &Resource<'_>, attribute: &'static str) -> Result<f64, EstimateError> {
    resource
        .values
        .number(attribute)
        .ok_or_else(|| EstimateError::Unknown { address: resource.address.to_owned(), attribute })
}
