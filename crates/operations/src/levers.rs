//! What makes a plan cheaper: each lever with and without, in the total of the whole plan.

use crate::{
    amount::Amount,
    estimate::{Architecture, Assume, Estimate, EstimateError, Group, Line, estimate, floor_over_the_day},
    plan::{Plan, Side},
    prices::{PriceError, PriceTable},
    usage::Usage,
};
use serde::Serialize;

/// One lever at one number of tasks.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Lever {
    /// What is done.
    pub name: &'static str,
    /// Whether the plan does it already.
    pub in_plan: bool,
    /// Gateway tasks.
    pub tasks: f64,
    /// Dollars a month of the whole plan without it.
    pub without: Amount,
    /// Dollars a month of the whole plan with it.
    pub with: Amount,
    /// Dollars a month that it saves.
    pub saves: Amount,
    /// What holds of it here, and what it asks for.
    pub note: String,
}

/// All levers of a plan at a number of gateway tasks.
pub fn levers(
    plan: &Plan,
    prices: &PriceTable,
    usage: &Usage,
    tasks: u32,
) -> Result<Vec<Lever>, EstimateError> {
    let assume = Assume { tasks: Some(tasks), ..Assume::default() };
    let price = |assume| estimate(plan, Side::After, prices, usage, assume);
    let planned = price(assume)?;
    let total = planned.total();

    let (ordinary, spare) =
        (price(Assume { spot: Some(false), ..assume })?, price(Assume { spot: Some(true), ..assume })?);
    let mut levers = vec![Lever {
        name: "worker on spare capacity (Spot)",
        in_plan: total == spare.total(),
        tasks: f64::from(tasks),
        without: ordinary.total(),
        with: spare.total(),
        saves: ordinary.total() - spare.total(),
        note: "The worker only: spare capacity goes with two minutes' notice, and a call does not end in two minutes."
            .to_owned(),
    }];

    let (x86, arm) = (
        price(Assume { architecture: Some(Architecture::X86_64), ..assume })?,
        price(Assume { architecture: Some(Architecture::Arm64), ..assume })?,
    );
    levers.push(Lever {
        name: "tasks on Graviton (arm64)",
        in_plan: total == arm.total(),
        tasks: f64::from(tasks),
        without: x86.total(),
        with: arm.total(),
        saves: x86.total() - arm.total(),
        note:
            "Needs an image for arm64. Database and cache are on Graviton in every profile (r6g, m7g, t4g)."
                .to_owned(),
    });

    // Only where the table has both engines for these nodes.
    if let (Ok(redis), Ok(valkey)) = (
        price(Assume { engine: Some("redis"), ..assume }),
        price(Assume { engine: Some("valkey"), ..assume }),
    ) {
        levers.push(Lever {
            name: "cache on Valkey instead of Redis",
            in_plan: total == valkey.total(),
            tasks: f64::from(tasks),
            without: redis.total(),
            with: valkey.total(),
            saves: redis.total() - valkey.total(),
            note: "Valkey speaks Redis' protocol. The described system says Redis; the variable `cache.engine` chooses.".to_owned(),
        });
    }

    levers.push(reserved(
        &planned,
        prices,
        "database reserved for a year",
        "discount.rds_reserved",
        |line| line.group == Group::Database && line.price.starts_with("rds.postgres."),
    )?);
    levers.push(reserved(
        &planned,
        prices,
        "cache reserved for a year",
        "discount.elasticache_reserved",
        |line| {
            line.group == Group::Cache
                && line.price.starts_with("elasticache.")
                && line.price != "elasticache.snapshot"
        },
    )?);
    levers.push(committed(&planned, &price(Assume { tasks: Some(planned.bounds.0), ..assume })?, prices)?);
    Ok(levers)
}

/// Scheduled scaling, which is about the least number of tasks and so has no number of tasks of its own.
pub fn scheduled(plan: &Plan, prices: &PriceTable, usage: &Usage) -> Result<Lever, EstimateError> {
    let at = |tasks: Option<u32>| {
        estimate(plan, Side::After, prices, usage, Assume { tasks, ..Assume::default() })
            .map(|priced| priced.total())
    };
    let name = "least tasks by the clock (scheduled scaling)";
    let Some((average, most)) = floor_over_the_day(plan) else {
        let total = at(None)?;
        let least = estimate(plan, Side::After, prices, usage, Assume::default())?.bounds.0;
        return Ok(Lever {
            name,
            in_plan: false,
            tasks: f64::from(least),
            without: total,
            with: total,
            saves: Amount::ZERO,
            note: format!("This plan keeps {least} at any hour, and there is nothing to take away at night."),
        });
    };
    let without = at(Some(most))?;
    // Every task costs the same, so that the average of a day is priced by the difference of one.
    let one = at(Some(most + 1))? - without;
    let fewer = f64::from(most) - average;
    let with = Amount {
        low: without.low - one.low * fewer,
        likely: without.likely - one.likely * fewer,
        high: without.high - one.high * fewer,
    };
    Ok(Lever {
        name,
        in_plan: true,
        tasks: average,
        without,
        with,
        saves: one * fewer,
        note: format!(
            "Least tasks are {most} by day and fewer by night, {average} on average; without the clock they would be {most} at any hour."
        ),
    })
}

fn reserved(
    planned: &Estimate,
    prices: &PriceTable,
    name: &'static str,
    discount: &str,
    covered: impl Fn(&Line) -> bool,
) -> Result<Lever, PriceError> {
    let share = prices.get(discount, name)?.amount;
    let base = planned.lines.iter().filter(|line| covered(line)).map(|line| line.monthly).sum();
    Ok(Lever {
        name,
        in_plan: false,
        tasks: f64::from(planned.tasks),
        without: planned.total(),
        with: discounted(planned.total(), base, share),
        saves: share_of(base, share),
        note: format!("Not part of a plan: bought in the account, nothing up front. {}", break_even(share)),
    })
}

/// A commitment for the tasks that run at any hour; those beyond are paid for as before.
fn committed(planned: &Estimate, floor: &Estimate, prices: &PriceTable) -> Result<Lever, PriceError> {
    let name = "Compute Savings Plan for the least tasks, for a year";
    let share = prices.get("discount.compute_savings_plan", name)?.amount;
    // What spare capacity costs is not discounted again.
    let steady: Amount = floor
        .lines
        .iter()
        .filter(|line| line.group == Group::Tasks && !line.by_usage)
        .filter(|line| prices.get(&line.price, name).is_ok_and(|price| price.amount == line.unit_price))
        .map(|line| line.monthly)
        .sum();
    Ok(Lever {
        name,
        in_plan: false,
        tasks: f64::from(planned.tasks),
        without: planned.total(),
        with: discounted(planned.total(), steady, share),
        saves: share_of(steady, share),
        note: format!("Not part of a plan: bought in the account, nothing up front. {}", break_even(share)),
    })
}

/// A total of which `base` is paid at a discount.
fn discounted(total: Amount, base: Amount, share: Amount) -> Amount {
    Amount {
        low: total.low - base.low * share.high,
        likely: total.likely - base.likely * share.likely,
        high: total.high - base.high * share.low,
    }
}

/// What a discount on `base` saves: the least on the lowest price at the lowest discount.
fn share_of(base: Amount, share: Amount) -> Amount {
    Amount { low: base.low * share.low, likely: base.likely * share.likely, high: base.high * share.high }
}

/// A year at a discount of `d` costs what `1 - d` of a year costs without.
fn break_even(share: Amount) -> String {
    let months = |discount: f64| 12.0 * (1.0 - discount);
    format!("Pays if it runs for {:.1} to {:.1} of the twelve months.", months(share.high), months(share.low))
}
