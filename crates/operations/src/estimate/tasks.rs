//! Fargate: vCPUs and memory of every service, by the hour.

use super::{Assume, Bill, EstimateError, Group, number, text};
use crate::{
    amount::Amount,
    plan::{Plan, Resource, Side},
};
use serde::Serialize;
use std::collections::BTreeMap;

/// The processor of tasks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Architecture {
    /// Intel and AMD.
    X86_64,
    /// Graviton.
    Arm64,
}

impl Architecture {
    const fn name(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64",
            Self::Arm64 => "arm64",
        }
    }
}

/// What the tasks of a plan come to, for lines that hang on their number.
pub(super) struct Counted {
    /// Tasks of the service that scales.
    pub gateway: u32,
    /// Least and most of them.
    pub bounds: (u32, u32),
    /// All tasks.
    pub all: f64,
    /// vCPUs of all tasks.
    pub vcpus: f64,
    /// Services.
    pub services: f64,
}

struct Size {
    vcpus: f64,
    gigabytes: f64,
    architecture: Architecture,
}

pub(super) fn lines(bill: &mut Bill<'_>, assume: Assume) -> Result<Counted, EstimateError> {
    let definitions: BTreeMap<&str, Resource<'_>> = bill
        .all("aws_ecs_task_definition")
        .filter_map(|definition| Some((definition.values.text("family")?, definition)))
        .collect();
    let targets: Vec<Resource<'_>> = bill.all("aws_appautoscaling_target").collect();
    let mut counted = Counted { gateway: 0, bounds: (0, 0), all: 0.0, vcpus: 0.0, services: 0.0 };
    for service in bill.all("aws_ecs_service") {
        let name = text(&service, "name")?;
        let size = size(&service, name, &definitions, assume.architecture)?;
        let target = targets.iter().find(|target| {
            target.values.text("resource_id").and_then(|id| id.rsplit('/').next()) == Some(name)
        });
        let tasks = if let Some(target) = target {
            let bounds = (number(target, "min_capacity")? as u32, number(target, "max_capacity")? as u32);
            let tasks = assume.tasks.unwrap_or(bounds.0);
            (counted.gateway, counted.bounds) = (tasks, bounds);
            tasks
        } else {
            number(&service, "desired_count")? as u32
        };
        // What holds calls is never on spare capacity, so the lever does not touch it.
        let share = spot_share(&service);
        let spot = match assume.spot {
            Some(all) if target.is_none() => f64::from(u8::from(all)),
            Some(_) | None => share,
        };
        let tasks = f64::from(tasks);
        counted.all += tasks;
        counted.vcpus += tasks * size.vcpus;
        counted.services += 1.0;
        run(bill, name, &size, tasks * (1.0 - spot), bill.hours(), false, false)?;
        run(bill, name, &size, tasks * spot, bill.hours(), true, false)?;
        if target.is_some() {
            let deployments = &bill.usage.deployments;
            let hours = deployments.per_month * deployments.hours;
            run(bill, &format!("{name}, blue beside green"), &size, tasks, hours, false, true)?;
        }
    }
    Ok(counted)
}

/// Two lines: vCPU-hours and GB-hours of so many tasks.
fn run(
    bill: &mut Bill<'_>,
    name: &str,
    size: &Size,
    tasks: f64,
    hours: f64,
    spot: bool,
    by_usage: bool,
) -> Result<(), EstimateError> {
    if tasks <= 0.0 {
        return Ok(());
    }
    let discount = if spot { bill.prices.get("discount.fargate_spot", name)?.amount } else { Amount::ZERO };
    let architecture = size.architecture.name();
    let label = format!(
        "{name}: {tasks} x {} vCPU, {} GB, {architecture}{}",
        size.vcpus,
        size.gigabytes,
        if spot { ", spot" } else { "" }
    );
    for (part, each) in [("vcpu", size.vcpus), ("memory", size.gigabytes)] {
        let what = if part == "vcpu" { label.clone() } else { format!("{name}: its memory") };
        bill.add(
            Group::Tasks,
            what,
            tasks * each * hours,
            &format!("fargate.{architecture}.{part}"),
            by_usage,
            discount,
        )?;
    }
    Ok(())
}

/// The definition is found by the ARN, or, before it has one, by the family of the service's name.
fn size(
    service: &Resource<'_>,
    name: &str,
    definitions: &BTreeMap<&str, Resource<'_>>,
    architecture: Option<Architecture>,
) -> Result<Size, EstimateError> {
    let family = service
        .values
        .text("task_definition")
        .and_then(|arn| arn.rsplit('/').next())
        .and_then(|revision| revision.split(':').next())
        .unwrap_or(name);
    let definition = definitions
        .get(family)
        .ok_or_else(|| EstimateError::NoDefinition { address: service.address.to_owned() })?;
    let planned = definition
        .values
        .blocks("runtime_platform")
        .find_map(|platform| platform.text("cpu_architecture").map(|name| name == "ARM64"))
        .unwrap_or(false);
    Ok(Size {
        vcpus: number(definition, "cpu")? / 1024.0,
        gigabytes: number(definition, "memory")? / 1024.0,
        architecture: architecture.unwrap_or(if planned {
            Architecture::Arm64
        } else {
            Architecture::X86_64
        }),
    })
}

fn spot_share(service: &Resource<'_>) -> f64 {
    let (mut spot, mut all) = (0.0, 0.0);
    for strategy in service.values.blocks("capacity_provider_strategy") {
        let weight = strategy.number("weight").unwrap_or(1.0);
        all += weight;
        if strategy.text("capacity_provider") == Some("FARGATE_SPOT") {
            spot += weight;
        }
    }
    if all > 0.0 { spot / all } else { 0.0 }
}

/// A time of day at which the least number of tasks changes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Clock {
    /// Hours since midnight, in the schedule's own time zone.
    pub hour: f64,
    /// Least tasks from then on.
    pub min: u32,
}

/// The least number of tasks over a day, if the plan has schedules: `(average, most)`. Schedules that do not come every
/// day at the same time are not understood, and nothing is said of them.
pub fn floor_over_the_day(plan: &Plan) -> Option<(f64, u32)> {
    let mut clocks: Vec<Clock> = plan
        .resources(Side::After)
        .filter(|resource| resource.kind == "aws_appautoscaling_scheduled_action")
        .map(|action| {
            let min = action
                .values
                .blocks("scalable_target_action")
                .find_map(|block| block.number("min_capacity"))?;
            Some(Clock { hour: daily(action.values.text("schedule")?)?, min: min as u32 })
        })
        .collect::<Option<_>>()?;
    clocks.sort_by(|a, b| a.hour.total_cmp(&b.hour));
    let (first, last) = (clocks.first()?.hour, clocks.last()?);
    let mut task_hours = f64::from(last.min) * (24.0 - last.hour + first);
    for pair in clocks.windows(2) {
        task_hours += f64::from(pair[0].min) * (pair[1].hour - pair[0].hour);
    }
    Some((task_hours / 24.0, clocks.iter().map(|clock| clock.min).max()?))
}

/// `cron(0 7 ? * * *)` is at 7; anything that does not come every day is not understood.
fn daily(schedule: &str) -> Option<f64> {
    let fields: Vec<&str> = schedule.strip_prefix("cron(")?.strip_suffix(')')?.split_whitespace().collect();
    let [minute, hour, day, "*", weekday, "*"] = fields.as_slice() else { return None };
    if !["*", "?"].contains(day) || !["*", "?"].contains(weekday) {
        return None;
    }
    let (minute, hour): (u32, u32) = (minute.parse().ok()?, hour.parse().ok()?);
    (minute < 60 && hour < 24).then(|| f64::from(hour) + f64::from(minute) / 60.0)
}

#[cfg(test)]
mod tests {
    use super::daily;

    #[test]
    fn only_daily_schedules_are_understood() {
        assert_eq!(daily("cron(0 7 ? * * *)"), Some(7.0));
        assert_eq!(daily("cron(30 22 * * ? *)"), Some(22.5));
        for other in
            ["cron(0 7 ? * MON-FRI *)", "rate(1 hour)", "cron(0 */2 ? * * *)", "cron(0 7 1 * ? *)", ""]
        {
            assert_eq!(daily(other), None, "{other}");
        }
    }
}
