//! What the plans of the repository cost, against figures that were computed by hand.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on must fail loudly")]

use seiketsu_operations::{
    amount::Amount,
    estimate::{
        Architecture, Assume, Estimate, EstimateError, Group, coverage, estimate, floor_over_the_day,
    },
    levers::{levers, scheduled},
    plan::{Plan, Side},
    prices::{BUILT_IN, PriceError, PriceTable},
    report::{self, Infracost, Priced},
    usage::Usage,
};
use std::path::{Path, PathBuf};

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

fn plan(name: &str) -> Plan {
    Plan::parse(
        &std::fs::read(repository().join("infrastructure/plans").join(format!("{name}.json"))).unwrap(),
    )
    .unwrap()
}

fn prices() -> PriceTable {
    PriceTable::parse(BUILT_IN).unwrap()
}

fn usage(plan: &Plan) -> Usage {
    Usage::built_in(plan.environment.as_deref().unwrap()).unwrap()
}

fn at(plan: &Plan, assume: Assume) -> Estimate {
    estimate(plan, Side::After, &prices(), &usage(plan), assume).unwrap()
}

fn with_tasks(plan: &Plan, tasks: u32) -> Estimate {
    at(plan, Assume { tasks: Some(tasks), ..Assume::default() })
}

fn priced(name: &str) -> Priced {
    let plan = plan(name);
    report::price(name, &plan, &prices(), &usage(&plan), &[2, 10, 40], Infracost::Absent).unwrap()
}

fn near(found: f64, expected: f64) {
    assert!((found - expected).abs() < 0.005, "{found} is not {expected}");
}

/// A plan of one resource of each given type.
fn of(resources: &[(&str, &str)]) -> Plan {
    let changes: Vec<String> = resources
        .iter()
        .enumerate()
        .map(|(at, (kind, after))| {
            format!(
                r#"{{"address": "{kind}.r{at}", "mode": "managed", "type": "{kind}", "change": {{"actions": ["create"], "after": {after}}}}}"#
            )
        })
        .collect();
    Plan::parse(
        format!(r#"{{"format_version": "1.2", "resource_changes": [{}]}}"#, changes.join(",")).as_bytes(),
    )
    .unwrap()
}

const TASK: (&str, &str) = (
    "aws_ecs_task_definition",
    r#"{"family": "worker", "cpu": "1024", "memory": "2048", "runtime_platform": [{"cpu_architecture": "X86_64"}]}"#,
);

fn line_sum(plan: &Plan, group: Group, assume: Assume) -> Amount {
    estimate(plan, Side::After, &prices(), &Usage::built_in("production").unwrap(), assume).unwrap().of(group)
}

#[test]
fn a_task_of_one_vcpu_and_two_gigabytes_costs_36_dollars_and_4_cents() {
    let plan = of(&[TASK, ("aws_ecs_service", r#"{"name": "worker", "desired_count": 1}"#)]);
    // (0.04048 + 2 * 0.004445) * 730
    near(line_sum(&plan, Group::Tasks, Assume::default()).likely, 36.0401);
    // (0.03238 + 2 * 0.00356) * 730
    let arm = Assume { architecture: Some(Architecture::Arm64), ..Assume::default() };
    near(line_sum(&plan, Group::Tasks, arm).likely, 28.835);
    let spot = line_sum(&plan, Group::Tasks, Assume { spot: Some(true), ..Assume::default() });
    near(spot.low, 36.0401 * 0.3);
    near(spot.high, 36.0401 * 0.7);
}

#[test]
fn a_definition_is_found_by_its_arn_and_its_absence_is_an_error() {
    let known = r#"{"name": "a", "desired_count": 2, "task_definition": "arn:aws:ecs:us-east-1:1:task-definition/worker:7"}"#;
    near(line_sum(&of(&[TASK, ("aws_ecs_service", known)]), Group::Tasks, Assume::default()).likely, 72.0802);
    let plan = of(&[("aws_ecs_service", r#"{"name": "a", "desired_count": 2}"#)]);
    let error =
        estimate(&plan, Side::After, &prices(), &Usage::built_in("production").unwrap(), Assume::default());
    assert!(matches!(error, Err(EstimateError::NoDefinition { address }) if address == "aws_ecs_service.r0"));
}

#[test]
fn the_database_as_described_costs_1543_dollars() {
    let database = r#"{"identifier": "d", "instance_class": "db.r6g.2xlarge", "allocated_storage": 1000, "storage_type": "gp3", "multi_az": true}"#;
    let sum = line_sum(&of(&[("aws_db_instance", database)]), Group::Database, Assume::default());
    // 2 * 0.899 * 730 + 2 * 1000 * 0.115
    near(sum.likely, 1542.54);
    // 2 * 0.864 * 730 + 230
    near(sum.low, 1491.44);
    let single = database.replace("true", "false");
    let sum = line_sum(&of(&[("aws_db_instance", &single)]), Group::Database, Assume::default());
    near(sum.likely, 771.27);
    let fast = database.replace("\"multi_az\"", "\"iops\": 13000, \"multi_az\"");
    let sum = line_sum(&of(&[("aws_db_instance", &fast)]), Group::Database, Assume::default());
    // 12,000 are in 1 TB; a thousand more, twice, at 0.02
    near(sum.likely, 1582.54);
}

#[test]
fn the_cache_as_described_costs_900_dollars_on_redis_and_720_on_valkey() {
    let cache = r#"{"engine": "redis", "node_type": "cache.r6g.xlarge", "num_cache_clusters": 3}"#;
    let plan = of(&[("aws_elasticache_replication_group", cache)]);
    // 3 * 0.411 * 730, 3 * 0.3288 * 730
    near(line_sum(&plan, Group::Cache, Assume::default()).likely, 900.09);
    let valkey = Assume { engine: Some("valkey"), ..Assume::default() };
    near(line_sum(&plan, Group::Cache, valkey).likely, 720.072);
    near(line_sum(&plan, Group::Cache, Assume::default()).low, 551.88);
}

#[test]
fn what_hangs_on_zones_counts_zones() {
    let subnet = |zone: &'static str| ("aws_subnet", zone);
    let plan = of(&[
        subnet(r#"{"availability_zone": "us-east-1a"}"#),
        subnet(r#"{"availability_zone": "us-east-1b"}"#),
        subnet(r#"{"availability_zone": "us-east-1a"}"#),
        ("aws_vpc_endpoint", r#"{"vpc_endpoint_type": "Interface"}"#),
        ("aws_vpc_endpoint", r#"{"vpc_endpoint_type": "Gateway"}"#),
        ("aws_eip", "{}"),
        ("aws_lb", r#"{"load_balancer_type": "application", "internal": false}"#),
    ]);
    let estimate =
        estimate(&plan, Side::After, &prices(), &Usage::built_in("production").unwrap(), Assume::default())
            .unwrap();
    let cost =
        |what: &str| estimate.lines.iter().find(|line| line.what.starts_with(what)).unwrap().monthly.likely;
    // One endpoint in two zones; one address and two of the load balancer.
    near(cost("interface endpoints"), 2.0 * 7.3);
    near(cost("public addresses"), 3.0 * 3.65);
    near(cost("load balancers"), 16.425);
}

#[test]
fn a_missing_price_a_missing_value_and_another_region_are_errors_with_names() {
    let usage = Usage::built_in("production").unwrap();
    let price = |plan: &Plan| estimate(plan, Side::After, &prices(), &usage, Assume::default()).unwrap_err();
    let plan = of(&[("aws_db_instance", r#"{"instance_class": "db.r9g.large", "allocated_storage": 20}"#)]);
    let error = price(&plan);
    assert!(
        matches!(&error, EstimateError::Price(PriceError::Missing { name, .. }) if name == "rds.postgres.db.r9g.large"),
        "{error}"
    );
    let plan = of(&[("aws_db_instance", r#"{"allocated_storage": 20}"#)]);
    let told = price(&plan).to_string();
    assert!(told.contains("`instance_class` of aws_db_instance.r0"), "{told}");
    let plan = Plan::parse(br#"{"format_version": "1.2", "variables": {"region": {"value": "eu-west-1"}}}"#)
        .unwrap();
    assert!(matches!(price(&plan), EstimateError::Region { .. }));
}

#[test]
fn types_that_nobody_knows_are_listed_as_not_priced() {
    let plan =
        of(&[("aws_kms_key", "{}"), ("aws_msk_cluster", "{}"), ("aws_msk_cluster", "{}"), ("aws_vpc", "{}")]);
    let covered = coverage(&plan, Side::After);
    assert_eq!(covered.not_priced, [("aws_msk_cluster".to_owned(), 2)].into());
    assert_eq!((covered.priced.len(), covered.free.len()), (1, 1));
    let priced = report::price(
        "x",
        &plan,
        &prices(),
        &Usage::built_in("production").unwrap(),
        &[2],
        Infracost::Absent,
    )
    .unwrap();
    let text = report::text(&[priced], &prices(), 100);
    assert!(text.contains("2 x aws_msk_cluster") && text.contains("too low"), "{text}");
}

#[test]
fn everything_in_our_plans_is_covered() {
    for name in ["production", "production-right-sized", "staging"] {
        let plan = plan(name);
        let covered = coverage(&plan, Side::After);
        assert!(covered.not_priced.is_empty(), "{name}: {:?}", covered.not_priced);
        assert!(covered.priced.len() > 25, "{name}: {covered:?}");
        near(
            estimate(&plan, Side::Before, &prices(), &usage(&plan), Assume::default()).unwrap().total().high,
            0.0,
        );
    }
}

#[test]
fn production_as_described_costs_more_than_is_said() {
    let production = plan("production");
    let two = with_tasks(&production, 2);
    // Two tasks, a share of two workers on spare capacity, and deployments.
    near(two.of(Group::Database).likely, 1542.54);
    near(two.of(Group::Cache).likely, 720.072 + 2.0 * 0.085);
    assert!(two.total().low > 2_100.0, "{:?}", two.total());
    // Thirty-eight more tasks at 36.04, and what each is watched and guarded for.
    let more = with_tasks(&production, 40).of(Group::Tasks).likely - two.of(Group::Tasks).likely;
    near(more, 38.0 * 36.0401 * (730.0 + 12.0) / 730.0);
    let text = report::markdown(&[priced("production")], &prices(), "x").replace('\n', " ");
    // The look-up's own arithmetic: 400 to 800 + 1,543 + 900 + 150 + 200.
    assert!(text.contains("the sum is $3,193 to $3,593"), "{text}");
    assert!(text.contains("with the lowest price of every public table, $2,793 to $3,193"), "{text}");
}

#[test]
fn the_right_sized_profile_keeps_two_of_everything_for_less_than_a_thousand_dollars() {
    let plan = plan("production-right-sized");
    let count = |kind: &str| plan.resources(Side::After).filter(|resource| resource.kind == kind).count();
    let first =
        |kind: &'static str| plan.resources(Side::After).find(|resource| resource.kind == kind).unwrap();
    let zones: std::collections::BTreeSet<_> = plan
        .resources(Side::After)
        .filter_map(|resource| resource.values.text("availability_zone").map(str::to_owned))
        .collect();
    assert!(zones.len() >= 2 && count("aws_nat_gateway") >= 2);
    assert_eq!(first("aws_db_instance").values.flag("multi_az"), Some(true));
    assert!(first("aws_elasticache_replication_group").values.number("num_cache_clusters").unwrap() >= 2.0);
    let estimate = at(&plan, Assume::default());
    assert_eq!(estimate.tasks, 2);
    let usage = usage(&plan);
    assert_eq!((usage.calls.tenants, usage.calls.calls_per_task), (40.0, 200.0));
    assert!(usage.tasks_for_peak(usage.calls.calls_per_task) <= estimate.tasks);
    assert!(estimate.total().high < 1_000.0, "{:?}", estimate.total());
    // Assumptions may be wrong: even with twice the use, at the highest prices.
    let twice = estimate.total() + estimate.used();
    assert!(twice.high < 1_000.0, "{twice:?}");
}

#[test]
fn levers_say_with_and_without_and_whether_the_plan_has_them() {
    let (described, right) = (plan("production"), plan("production-right-sized"));
    let by_name = |plan: &Plan, tasks, name: &str| {
        let all = levers(plan, &prices(), &usage(plan), tasks).unwrap();
        all.into_iter().find(|lever| lever.name.contains(name)).unwrap_or_else(|| panic!("no lever {name}"))
    };
    // Two workers of half a vCPU and a gigabyte: 36.0401 without, half of it likely with.
    let spot = by_name(&described, 2, "Spot");
    assert!(spot.in_plan);
    near(spot.saves.likely, 18.020_05);
    let arm = by_name(&described, 40, "Graviton");
    assert!(!arm.in_plan && by_name(&right, 2, "Graviton").in_plan);
    assert!(arm.saves.likely > 38.0 * 7.2, "{arm:?}");
    let database = by_name(&described, 2, "database reserved");
    // 1,312.54 * 0.31, storage is not reserved
    near(database.saves.likely, 1312.54 * 0.31);
    assert!(database.note.contains("8.0 to 8.5"), "{}", database.note);
    near(database.without.likely - database.with.likely, database.saves.likely);
    let committed = by_name(&described, 40, "Savings Plan");
    // Only the least tasks are committed, and no deployments: 72.08 * 0.21
    near(committed.saves.likely, 72.0802 * 0.21);
    let clock = scheduled(&described, &prices(), &usage(&described)).unwrap();
    assert_eq!(floor_over_the_day(&described), Some((3.25, 4)));
    assert!(clock.in_plan && clock.saves.likely > 0.75 * 36.0, "{clock:?}");
    let none = scheduled(&right, &prices(), &usage(&right)).unwrap();
    assert!(
        !none.in_plan && none.saves == Amount::ZERO && none.note.contains("keeps 2 at any hour"),
        "{none:?}"
    );
}

#[test]
fn the_documentation_follows_from_the_plans() {
    let names = ["production", "production-right-sized", "staging"];
    let all: Vec<Priced> = names.into_iter().map(priced).collect();
    let files: Vec<String> = names.iter().map(|name| format!("infrastructure/plans/{name}.json")).collect();
    let made =
        report::markdown(&all, &prices(), &format!("seiketsu infra cost --markdown {}", files.join(" ")));
    let there = std::fs::read_to_string(repository().join("docs/infrastructure/cost.md")).unwrap();
    assert!(
        made.trim_end() == there.trim_end(),
        "docs/infrastructure/cost.md is out of date; scripts/infra-plans makes it anew"
    );
    for needed in ["not a bill", "under $1,000", "The described system says $1,700 to $2,100"] {
        assert!(made.replace('\n', " ").contains(needed), "{needed}");
    }
}

#[test]
fn json_has_every_line_and_both_bounds() {
    let json = report::json(&[priced("staging")], &prices());
    let at = &json["plans"][0]["at"][0];
    assert_eq!(at["tasks"], 2);
    let lines = at["lines"].as_array().unwrap();
    let sum: f64 = lines.iter().map(|line| line["monthly"]["likely"].as_f64().unwrap()).sum();
    near(at["total"]["likely"].as_f64().unwrap(), sum);
    for line in lines {
        let product = line["quantity"].as_f64().unwrap() * line["unit_price"]["high"].as_f64().unwrap();
        near(line["monthly"]["high"].as_f64().unwrap(), product);
    }
    assert!(json["prices_seen"]["from"].as_str().expect("a date").starts_with("2026"));
    assert_eq!(json["plans"][0]["infracost"], "absent");
}
