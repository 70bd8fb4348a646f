//! What one or more plans cost, for people, for programs and for the documentation.

use crate::{
    amount::Amount,
    document::{Document, Table},
    estimate::{Assume, Coverage, Estimate, EstimateError, Group, coverage, estimate},
    levers::{Lever, levers, scheduled},
    plan::{Plan, Side},
    prices::PriceTable,
    usage::Usage,
};
use serde::Serialize;
use std::fmt::Write;

/// What the described system says its production costs, in dollars a month: its lines, and which of ours they are.
const DESCRIBED: [(&str, f64, f64, &[Group]); 5] = [
    ("ECS Fargate, 2 to 40 tasks", 400.0, 800.0, &[Group::Tasks]),
    ("RDS PostgreSQL, db.r6g.2xlarge", 600.0, 600.0, &[Group::Database]),
    ("ElastiCache Redis, 3 x cache.r6g.xlarge", 350.0, 350.0, &[Group::Cache]),
    ("ALB and CloudFront", 150.0, 150.0, &[Group::Edge]),
    ("monitoring and logs", 200.0, 200.0, &[Group::Watching]),
];
/// The groups that the described system leaves out.
const LEFT_OUT: [Group; 4] = [Group::Security, Group::Network, Group::Storage, Group::Backup];
/// Calls per task that capacity is worked out for, beside the usage file's own.
const CALLS_PER_TASK: [f64; 5] = [10.0, 25.0, 50.0, 100.0, 200.0];

/// Infracost's figure for the same plan.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Infracost {
    /// Its total, in dollars a month.
    Total(f64),
    /// It is installed and gave no figure; why.
    Failed(String),
    /// It is not installed.
    Absent,
}

/// How many calls there are at once, and how many tasks they need.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Capacity {
    /// Calls at once in the busy hour, on average.
    pub busy_hour_calls: f64,
    /// Calls at once that there is room for.
    pub peak_calls: f64,
    /// Calls per task that the plan's scaling aims at.
    pub aimed_at: Option<f64>,
    /// One row for each number of calls per task.
    pub rows: Vec<CapacityRow>,
}

/// What a number of calls per task comes to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CapacityRow {
    /// Calls that a task is given.
    pub calls_per_task: f64,
    /// Tasks that the peak needs.
    pub tasks_for_peak: u32,
    /// Tasks that run, the plan's minimum at least.
    pub tasks: u32,
    /// Dollars a month if they run the whole month.
    pub monthly: Amount,
}

/// A plan, priced.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Priced {
    /// What it is called: its file, or the environment.
    pub name: String,
    /// Its variable `environment`.
    pub environment: Option<String>,
    /// At the minimum of the plan.
    pub least: Estimate,
    /// At each number of tasks that was asked for.
    pub at: Vec<Estimate>,
    /// Least tasks by the clock: the lever that has no number of tasks of its own.
    pub by_the_clock: Lever,
    /// Every other lever, at each number of tasks.
    pub levers: Vec<Lever>,
    /// How its resources are covered.
    pub coverage: Coverage,
    /// Calls and tasks.
    pub capacity: Capacity,
    /// Infracost's figure.
    pub infracost: Infracost,
    /// The assumptions.
    pub usage: Usage,
}

/// Prices a plan at so many tasks, with all levers.
pub fn price(
    name: impl Into<String>,
    plan: &Plan,
    prices: &PriceTable,
    usage: &Usage,
    tasks: &[u32],
    infracost: Infracost,
) -> Result<Priced, EstimateError> {
    let at = |tasks: Option<u32>| {
        estimate(plan, Side::After, prices, usage, Assume { tasks, ..Assume::default() })
    };
    let least = at(None)?;
    let mut counts = tasks.to_vec();
    counts.dedup();
    let all = counts.iter().map(|&tasks| at(Some(tasks))).collect::<Result<Vec<_>, _>>()?;
    let mut pulled = Vec::new();
    for &tasks in &counts {
        pulled.extend(levers(plan, prices, usage, tasks)?);
    }
    let mut calls_per_task: Vec<f64> = CALLS_PER_TASK.to_vec();
    calls_per_task.push(usage.calls.calls_per_task);
    calls_per_task.extend(plan.calls_per_task.filter(|calls| *calls >= 1.0));
    calls_per_task.sort_by(f64::total_cmp);
    calls_per_task.dedup();
    let rows = calls_per_task
        .into_iter()
        .map(|calls| {
            let needed = usage.tasks_for_peak(calls);
            let running = needed.max(least.bounds.0);
            Ok(CapacityRow {
                calls_per_task: calls,
                tasks_for_peak: needed,
                tasks: running,
                monthly: at(Some(running))?.total(),
            })
        })
        .collect::<Result<Vec<_>, EstimateError>>()?;
    Ok(Priced {
        name: name.into(),
        environment: plan.environment.clone(),
        capacity: Capacity {
            busy_hour_calls: usage.busy_hour_calls(),
            peak_calls: usage.peak_calls(),
            aimed_at: plan.calls_per_task,
            rows,
        },
        coverage: coverage(plan, Side::After),
        infracost,
        least,
        at: all,
        by_the_clock: scheduled(plan, prices, usage)?,
        levers: pulled,
        usage: usage.clone(),
    })
}

/// For people at a terminal of so many columns.
pub fn text(plans: &[Priced], prices: &PriceTable, width: u16) -> String {
    let mut page = Document::default();
    for priced in plans {
        page.heading(1, priced.name.clone());
        groups(&mut page, priced);
        notes(&mut page, priced);
        pulled(&mut page, priced);
        page.heading(2, "Calls and tasks");
        capacity(&mut page, priced);
    }
    if plans.len() > 1 {
        page.heading(1, "Beside each other");
        beside(&mut page, plans);
    }
    page.paragraph(disclaimer(prices));
    page.text(width)
}

/// For the documentation. `command` is how it was made.
pub fn markdown(plans: &[Priced], prices: &PriceTable, command: &str) -> String {
    let mut page = Document::default();
    page.heading(1, "What it costs on AWS");
    page.paragraph(disclaimer(prices));
    page.paragraph(
        "Made by this command from the plans in `infrastructure/plans`; a test fails when it is out of date:",
    );
    page.command(command);
    page.heading(2, "The totals");
    page.paragraph(
        "Dollars a month, without tax, without support, without what the vendors of speech, language and telephony charge. \
         First the likely figure, then the bounds: where public prices conflict, the lowest and the highest of them. The bounds are \
         of prices only; what is used may be more or less than assumed, and each table says what twice the use would cost.",
    );
    beside(&mut page, plans);
    for priced in plans {
        verdict(&mut page, priced);
    }
    for priced in plans {
        page.heading(2, format!("`{}`", priced.name));
        groups(&mut page, priced);
        notes(&mut page, priced);
        if described(priced) {
            page.heading(3, "The described system says");
            claim(&mut page, priced);
        }
        page.heading(3, "Calls and tasks");
        capacity(&mut page, priced);
        page.heading(3, "Levers");
        pulled(&mut page, priced);
        page.heading(3, "Every line");
        lines(&mut page, priced);
    }
    page.heading(2, "The prices");
    page.paragraph(
        "As they stand in `infrastructure/prices.toml`, where the words for confidence are explained. What is used in a month \
         is assumed in `infrastructure/usage`, with the reason for each figure.",
    );
    price_list(&mut page, prices);
    page.markdown()
}

/// For programs: everything that is known, with bounds, lines, levers and the dates of prices.
pub fn json(plans: &[Priced], prices: &PriceTable) -> serde_json::Value {
    let dates = prices.dates().map(|(first, last)| serde_json::json!({"from": first, "to": last}));
    let with_totals = |at: &Estimate| {
        serde_json::json!({
            "tasks": at.tasks,
            "within_bounds": at.is_within_bounds(),
            "total": at.total(),
            "by_the_plan_alone": at.fixed(),
            "groups": Group::ALL.map(|group| serde_json::json!({"group": group, "monthly": at.of(group)})),
            "lines": at.lines,
        })
    };
    let plans: Vec<_> = plans
        .iter()
        .map(|priced| {
            serde_json::json!({
                "name": priced.name,
                "environment": priced.environment,
                "bounds": priced.least.bounds,
                "at": priced.at.iter().map(with_totals).collect::<Vec<_>>(),
                "levers": std::iter::once(&priced.by_the_clock).chain(&priced.levers).collect::<Vec<_>>(),
                "capacity": priced.capacity,
                "coverage": priced.coverage,
                "infracost": priced.infracost,
                "usage": priced.usage,
            })
        })
        .collect();
    serde_json::json!({
        "note": disclaimer(prices),
        "currency": "USD",
        "per": "month",
        "region": prices.region,
        "prices_seen": dates,
        "plans": plans,
    })
}

fn disclaimer(prices: &PriceTable) -> String {
    let dates = match prices.dates() {
        Some((first, last)) if first != last => format!("from {first} to {last}"),
        Some((only, _)) => format!("on {only}"),
        None => "never".to_owned(),
    };
    format!(
        "These are public prices of {}, looked up {dates}, multiplied with what the plan has and what is assumed to be used. \
         They are an estimate, not a quotation and not a bill.",
        prices.region
    )
}

fn groups(page: &mut Document, priced: &Priced) {
    let mut header = vec!["dollars a month".to_owned()];
    for at in &priced.at {
        let beyond = if at.is_within_bounds() { "" } else { " (*)" };
        header.push(format!("{} tasks{beyond}", at.tasks));
    }
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    let mut table = Table::new(&header);
    for group in Group::ALL {
        let name = std::iter::once(group.name().to_owned());
        table.row(name.chain(priced.at.iter().map(|at| dollars(at.of(group)))));
    }
    let total = std::iter::once("total".to_owned());
    table.row(total.chain(priced.at.iter().map(|at| dollars(at.total()))));
    let fixed = std::iter::once("of which by the plan alone".to_owned());
    table.row(fixed.chain(priced.at.iter().map(|at| dollars(at.fixed()))));
    let twice = std::iter::once("with twice the assumed use".to_owned());
    table.row(twice.chain(priced.at.iter().map(|at| dollars(at.total() + at.used()))));
    page.table(table);
}

fn notes(page: &mut Document, priced: &Priced) {
    let (least, most) = priced.least.bounds;
    let mut text = format!(
        "So many gateway tasks run at every hour of the month, for the same calls; the plan runs {least} to {most}."
    );
    if priced.at.iter().any(|at| !at.is_within_bounds()) {
        text.push_str(" (*) The plan never runs so many.");
    }
    page.paragraph(text);
    if let Some(at) = priced.at.first() {
        let parts: Vec<String> = at
            .by_confidence()
            .into_iter()
            .rev()
            .map(|(confidence, amount)| {
                format!("{} on prices of {confidence} confidence", short(amount.likely))
            })
            .collect();
        page.paragraph(format!("At {} tasks, {}.", at.tasks, parts.join(", ")));
    }
    let Coverage { priced: with, free, cents, not_priced } = &priced.coverage;
    let sum = |types: &std::collections::BTreeMap<String, u32>| types.values().sum::<u32>();
    let mut text = format!(
        "Of {} resources, {} have a price, {} are free or in the price of another, {} cost cents by use, {} are not priced",
        sum(with) + sum(free) + sum(cents) + sum(not_priced),
        sum(with),
        sum(free),
        sum(cents),
        sum(not_priced)
    );
    if not_priced.is_empty() {
        text.push('.');
    } else {
        let named: Vec<String> = not_priced.iter().map(|(kind, count)| format!("{count} x {kind}")).collect();
        let _ = write!(text, ", so that the total is too low: {}.", named.join(", "));
    }
    page.paragraph(text);
    match &priced.infracost {
        Infracost::Total(total) => {
            page.paragraph(format!("Infracost says {} for the same plan, without any usage.", short(*total)));
        }
        Infracost::Failed(why) => page.paragraph(format!("Infracost is installed and gave no figure: {why}")),
        Infracost::Absent => {}
    }
}

fn pulled(page: &mut Document, priced: &Priced) {
    let mut header = vec!["lever".to_owned(), "in this plan<".to_owned()];
    header.extend(priced.at.iter().map(|at| format!("{} tasks: without, with", at.tasks)));
    header.push("saves a month".to_owned());
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    let mut table = Table::new(&header);
    let mut notes: Vec<(&str, &str)> = Vec::new();
    let yes = |lever: &Lever| if lever.in_plan { "yes" } else { "no" }.to_owned();
    let pair = |lever: &Lever| format!("{}, {}", short(lever.without.likely), short(lever.with.likely));
    for lever in &priced.levers {
        if notes.iter().any(|(name, _)| *name == lever.name) {
            continue;
        }
        notes.push((lever.name, &lever.note));
        let same: Vec<&Lever> = priced.levers.iter().filter(|other| other.name == lever.name).collect();
        let mut row = vec![lever.name.to_owned(), yes(lever)];
        row.extend(same.iter().map(|lever| pair(lever)));
        let (first, last) =
            (saved(lever.saves), same.last().map_or_else(String::new, |last| saved(last.saves)));
        row.push(if first == last { first } else { format!("{first}; {last}") });
        table.row(row);
    }
    page.table(table);
    let clock = &priced.by_the_clock;
    page.paragraph(format!(
        "{}, in this plan: {}. Without {}, with {}, saves {}.",
        sentence(clock.name),
        yes(clock),
        dollars(clock.without),
        dollars(clock.with),
        saved(clock.saves)
    ));
    notes.push((clock.name, &clock.note));
    for (name, note) in notes {
        page.paragraph(format!("{}: {note}", sentence(name)));
    }
}

fn saved(amount: Amount) -> String {
    if amount.likely.abs() < 0.005 { "nothing".to_owned() } else { dollars(amount) }
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn capacity(page: &mut Document, priced: &Priced) {
    let calls = &priced.usage.calls;
    let capacity = &priced.capacity;
    page.paragraph(format!(
        "{} tenants x {} calls / {} days x {} in the busy hour x {} min / 60 = {:.1} calls at once on average; with {} standard \
         deviations of random arrivals {:.1} + {} x sqrt({:.1}) = {:.1} at the peak. Tasks = peak / calls per task, rounded up, \
         and the plan's least number at least.",
        calls.tenants,
        calls.calls_per_tenant,
        calls.busy_days,
        calls.busy_hour_share,
        calls.minutes_per_call,
        capacity.busy_hour_calls,
        calls.margin_deviations,
        capacity.busy_hour_calls,
        calls.margin_deviations,
        capacity.busy_hour_calls,
        capacity.peak_calls,
    ));
    if let Some(aimed_at) = capacity.aimed_at {
        page.paragraph(format!(
            "Scaling of this plan aims at {aimed_at} calls per task, so that there is room until a further one has started."
        ));
    }
    let mut table =
        Table::new(&["calls per task", "tasks for the peak", "tasks that run", "dollars a month"]);
    for row in &capacity.rows {
        table.row([
            format!("{}", row.calls_per_task),
            row.tasks_for_peak.to_string(),
            row.tasks.to_string(),
            dollars(row.monthly),
        ]);
    }
    page.table(table);
}

fn beside(page: &mut Document, plans: &[Priced]) {
    let mut header = vec!["dollars a month".to_owned()];
    header.extend(plans.iter().map(|priced| priced.name.clone()));
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    let mut table = Table::new(&header);
    let row = |name: String, figure: &dyn Fn(&Priced) -> String| {
        std::iter::once(name).chain(plans.iter().map(figure)).collect::<Vec<_>>()
    };
    table.row(row("tasks at least".to_owned(), &|priced| priced.least.bounds.0.to_string()));
    table.row(row("total at the least tasks".to_owned(), &|priced| dollars(priced.least.total())));
    if plans.iter().any(|priced| priced.by_the_clock.in_plan) {
        table.row(row("tasks at least by the clock, on average".to_owned(), &|priced| {
            priced.by_the_clock.tasks.to_string()
        }));
        table.row(row("total at the least tasks by the clock".to_owned(), &|priced| {
            dollars(priced.by_the_clock.with)
        }));
    }
    let mut counts: Vec<u32> = plans.iter().flat_map(|priced| priced.at.iter().map(|at| at.tasks)).collect();
    counts.sort_unstable();
    counts.dedup();
    for count in counts {
        table.row(row(format!("total at {count} tasks"), &|priced| {
            let found = priced.at.iter().find(|at| at.tasks == count);
            found.map_or_else(String::new, |at| {
                format!("{}{}", dollars(at.total()), if at.is_within_bounds() { "" } else { " (*)" })
            })
        }));
    }
    page.table(table);
    let first = plans.first();
    for priced in plans.iter().skip(1) {
        let Some(first) = first.filter(|first| first.environment == priced.environment) else { continue };
        let likely = |priced: &Priced| priced.least.total().likely;
        let (dear, cheap) = if likely(first) < likely(priced) { (priced, first) } else { (first, priced) };
        page.paragraph(format!(
            "`{}` instead of `{}` saves {} a month at {} tasks: {:.0} % of the likely figure.",
            cheap.name,
            dear.name,
            dollars(dear.least.total() - cheap.least.total()),
            cheap.least.tasks,
            100.0 * (1.0 - likely(cheap) / likely(dear))
        ));
    }
    if plans.iter().any(|priced| priced.at.iter().any(|at| !at.is_within_bounds())) {
        page.paragraph("(*) The plan never runs so many.");
    }
}

/// What a month is meant to cost at most with the tenants of the usage file.
const GOAL: f64 = 1_000.0;

/// What the tenants cost, against what was said or is wished for.
fn verdict(page: &mut Document, priced: &Priced) {
    if priced.environment.as_deref() != Some("production") {
        return;
    }
    let calls = &priced.usage.calls;
    let Some(row) =
        priced.capacity.rows.iter().find(|row| (row.calls_per_task - calls.calls_per_task).abs() < 0.5)
    else {
        return;
    };
    let room = f64::from(row.tasks) * calls.calls_per_task;
    let found = if described(priced) {
        "The described system says $1,700 to $2,100.".to_owned()
    } else if row.monthly.high < GOAL {
        format!(
            "That is under {} by {} at the highest of all prices.",
            short(GOAL),
            short(GOAL - row.monthly.high)
        )
    } else {
        format!(
            "That is not under {}: {} too much at the highest of all prices.",
            short(GOAL),
            short(row.monthly.high - GOAL)
        )
    };
    page.paragraph(format!(
        "`{}`: {} tenants have {:.0} calls at once at the peak; {} tasks of {} calls have room for {room:.0}, and cost {} a month with \
         everything. {found}",
        priced.name,
        calls.tenants,
        priced.capacity.peak_calls.ceil(),
        row.tasks,
        calls.calls_per_task,
        dollars(row.monthly),
    ));
}

/// Whether this is the configuration that the described system names a price for.
fn described(priced: &Priced) -> bool {
    let has = |price: &str| priced.least.lines.iter().any(|line| line.price == price);
    has("rds.postgres.db.r6g.2xlarge") && priced.environment.as_deref() == Some("production")
}

fn claim(page: &mut Document, priced: &Priced) {
    let (Some(few), Some(many)) = (priced.at.first(), priced.at.last()) else { return };
    let few_name = format!("here, {} tasks", few.tasks);
    let many_name = format!("here, {} tasks", many.tasks);
    let mut table = Table::new(&["line", "the described system", &few_name, &many_name]);
    let sum = |at: &Estimate, groups: &[Group]| groups.iter().map(|&group| at.of(group)).sum::<Amount>();
    let mut all: Vec<Group> = Vec::new();
    for (name, low, high, groups) in DESCRIBED {
        let said =
            if (low - high).abs() < 0.5 { short(low) } else { format!("{} to {}", short(low), short(high)) };
        table.row([name.to_owned(), said, dollars(sum(few, groups)), dollars(sum(many, groups))]);
        all.extend(groups);
    }
    let (low, high) = DESCRIBED.iter().fold((0.0, 0.0), |(low, high), line| (low + line.1, high + line.2));
    table.row([
        "these five lines".to_owned(),
        format!("{} to {}", short(low), short(high)),
        dollars(sum(few, &all)),
        dollars(sum(many, &all)),
    ]);
    table.row([
        "left out: security, network, storage, backups".to_owned(),
        "nothing".to_owned(),
        dollars(sum(few, &LEFT_OUT)),
        dollars(sum(many, &LEFT_OUT)),
    ]);
    table.row([
        "total".to_owned(),
        format!("{} to {}", short(low), short(high)),
        dollars(few.total()),
        dollars(many.total()),
    ]);
    page.table(table);
    let ratio = few.total().likely / high;
    page.paragraph(format!(
        "At the least tasks everything costs {:.1} to {:.1} times what is said. {} to {} for tasks is the price of {:.0} to {:.0} of \
         them, not of 2 to 40.",
        ratio,
        few.total().likely / low,
        short(DESCRIBED[0].1),
        short(DESCRIBED[0].2),
        DESCRIBED[0].1 / per_task(few, many),
        DESCRIBED[0].2 / per_task(few, many),
    ));
    // As described it is Redis, which costs more than Valkey.
    if let Some(valkey) = priced.levers.iter().find(|lever| lever.name.contains("Valkey") && lever.in_plan) {
        let others: (f64, f64) = DESCRIBED
            .iter()
            .filter(|(.., groups)| !groups.contains(&Group::Database) && !groups.contains(&Group::Cache))
            .fold((0.0, 0.0), |sum, line| (sum.0 + line.1, sum.1 + line.2));
        let redis = valkey.without - valkey.with + few.of(Group::Cache);
        let both = redis + few.of(Group::Database);
        page.paragraph(format!(
            "The plan runs Valkey. With Redis, as described, the cache costs {} and everything {}. With nothing but the database \
             and the cache put right and the other three lines left as they are said, the sum is {} to {}; with the lowest price of \
             every public table, {} to {}.",
            dollars(redis),
            dollars(valkey.without),
            short(others.0 + both.likely),
            short(others.1 + both.likely),
            short(others.0 + both.low),
            short(others.1 + both.low),
        ));
    }
}

/// Dollars of one task for a month, from two estimates of the same plan.
fn per_task(few: &Estimate, many: &Estimate) -> f64 {
    let tasks = f64::from(many.tasks) - f64::from(few.tasks);
    (many.of(Group::Tasks).likely - few.of(Group::Tasks).likely) / tasks.max(1.0)
}

fn lines(page: &mut Document, priced: &Priced) {
    let Some(at) = priced.at.first() else { return };
    page.paragraph(format!("At {} tasks. Quantities marked *u* are assumptions about use.", at.tasks));
    let mut table =
        Table::new(&["group", "what<", "quantity", "unit<", "price", "dollars a month", "confidence<"]);
    for line in &at.lines {
        table.row([
            line.group.name().split(' ').next().unwrap_or_default().to_owned(),
            line.what.clone(),
            format!("{}{}", quantity(line.quantity), if line.by_usage { " *u*" } else { "" }),
            line.unit.clone(),
            unit_price(line.unit_price),
            dollars(line.monthly),
            line.confidence.to_string(),
        ]);
    }
    page.table(table);
}

fn price_list(page: &mut Document, prices: &PriceTable) {
    let mut table = Table::new(&["price", "dollars", "unit<", "confidence<", "seen<", "where<"]);
    for (name, price) in prices.iter() {
        table.row([
            format!("`{name}`"),
            unit_price(price.amount),
            price.unit.clone(),
            price.confidence.to_string(),
            price.date.to_string(),
            price.source.clone(),
        ]);
    }
    page.table(table);
}

fn quantity(quantity: f64) -> String {
    if (quantity - quantity.round()).abs() < 1e-9 { grouped(quantity) } else { format!("{quantity:.2}") }
}

/// `0.0450`, or with its bounds.
fn unit_price(amount: Amount) -> String {
    let one = |dollars: f64| {
        let text = format!("{dollars:.10}");
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    };
    if (amount.high - amount.low).abs() < 1e-12 {
        one(amount.likely)
    } else {
        let likely = (amount.likely * 1e6).round() / 1e6;
        format!("{} ({} to {})", one(likely), one(amount.low), one(amount.high))
    }
}

/// `$1,234`, and cents below a hundred.
pub(crate) fn short(dollars: f64) -> String {
    let sign = if dollars < -0.005 { "-" } else { "" };
    let dollars = dollars.abs();
    if dollars < 99.995 {
        format!("{sign}${dollars:.2}")
    } else {
        format!("{sign}${}", grouped(dollars.round()))
    }
}

/// `$1,234 (1,100 to 1,300)`
pub(crate) fn dollars(amount: Amount) -> String {
    let likely = short(amount.likely);
    if amount.is_certain() {
        return likely;
    }
    let (low, high) = (short(amount.low), short(amount.high));
    if low == high {
        likely
    } else {
        format!("{likely} ({} to {})", low.replacen('$', "", 1), high.replacen('$', "", 1))
    }
}

fn grouped(whole: f64) -> String {
    let digits = format!("{:.0}", whole.abs());
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_written_for_people() {
        assert_eq!(short(1234.5), "$1,235");
        assert_eq!(short(36.0401), "$36.04");
        assert_eq!(short(-12.0), "-$12.00");
        assert_eq!(short(1_234_567.0), "$1,234,567");
        let doubtful = Amount { low: 1090.4, likely: 1200.0, high: 1310.0 };
        assert_eq!(dollars(doubtful), "$1,200 (1,090 to 1,310)");
        assert_eq!(dollars(Amount::exactly(5.0)), "$5.00");
    }
}
