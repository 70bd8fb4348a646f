//! What a plan does, for people: by module and type, with the cost before and after.

use crate::{
    document::{Document, Table},
    estimate::{Assume, EstimateError, estimate},
    plan::{Action, Plan, Side},
    prices::PriceTable,
    report::dollars,
    usage::Usage,
};
use std::collections::BTreeMap;

/// Addresses that are named one by one, because they end or are made anew.
const NAMED: usize = 40;

/// How many resources are made, changed, made anew, destroyed and kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Made.
    pub create: u32,
    /// Changed as they stand.
    pub update: u32,
    /// Destroyed and made anew.
    pub replace: u32,
    /// Destroyed.
    pub destroy: u32,
    /// Forgotten by Terraform.
    pub forget: u32,
    /// Kept as they are.
    pub keep: u32,
}

impl Counts {
    /// Of a whole plan.
    pub fn of(plan: &Plan) -> Self {
        let mut counts = Self::default();
        for change in &plan.changes {
            counts.add(change.action);
        }
        counts
    }

    fn add(&mut self, action: Action) {
        *match action {
            Action::Create => &mut self.create,
            Action::Update => &mut self.update,
            Action::Replace => &mut self.replace,
            Action::Destroy => &mut self.destroy,
            Action::Forget => &mut self.forget,
            Action::Keep => &mut self.keep,
        } += 1;
    }

    /// Things that Terraform will do.
    pub const fn steps(self) -> u32 {
        self.create + self.update + self.replace * 2 + self.destroy
    }
}

/// The summary of a plan, for a terminal of so many columns. Where it cannot be priced, it says why instead of a price.
pub fn summary(plan: &Plan, prices: &PriceTable, usage: &Usage, width: u16) -> String {
    let mut page = Document::default();
    let mut by_module: BTreeMap<String, (Counts, BTreeMap<String, u32>)> = BTreeMap::new();
    for change in &plan.changes {
        if change.action == Action::Keep {
            continue;
        }
        let module = module(&change.module);
        let (counts, types) = by_module.entry(module).or_default();
        counts.add(change.action);
        *types.entry(change.kind.trim_start_matches("aws_").to_owned()).or_default() += 1;
    }
    let counts = Counts::of(plan);
    if by_module.is_empty() {
        page.paragraph(format!("Nothing changes: {} resources are as they should be.", counts.keep));
    } else {
        let mut table = Table::new(&["module", "create", "change", "replace", "destroy", "what<"]);
        for (module, (counts, types)) in by_module {
            let mut types: Vec<(String, u32)> = types.into_iter().collect();
            types.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
            table.row([
                module,
                number(counts.create),
                number(counts.update),
                number(counts.replace),
                number(counts.destroy + counts.forget),
                listed(&types),
            ]);
        }
        table.row([
            "all".to_owned(),
            number(counts.create),
            number(counts.update),
            number(counts.replace),
            number(counts.destroy + counts.forget),
            format!("{} stay as they are", counts.keep),
        ]);
        page.table(table);
    }
    for (action, what) in [
        (Action::Destroy, "are destroyed"),
        (Action::Replace, "are destroyed and made anew"),
        (Action::Forget, "are forgotten by Terraform and stay"),
    ] {
        let named: Vec<&str> = plan
            .changes
            .iter()
            .filter(|change| change.action == action)
            .map(|change| change.address.as_str())
            .collect();
        if named.is_empty() {
            continue;
        }
        let rest = named.len().saturating_sub(NAMED);
        let more = if rest > 0 { format!(" and {rest} more") } else { String::new() };
        page.paragraph(format!("These {what}: {}{more}.", named[..named.len() - rest].join(", ")));
    }
    match cost(plan, prices, usage) {
        Ok(text) => page.paragraph(text),
        Err(error) => page.paragraph(format!("The cost is not known: {error}.")),
    }
    page.text(width)
}

/// `Cost a month, at the least tasks: $209 before, $720 (693 to 746) after.`
fn cost(plan: &Plan, prices: &PriceTable, usage: &Usage) -> Result<String, EstimateError> {
    let at = |side| {
        estimate(plan, side, prices, usage, Assume::default())
            .map(|estimate| (estimate.total(), estimate.tasks))
    };
    let ((before, _), (after, least)) = (at(Side::Before)?, at(Side::After)?);
    let tasks = if least == 0 { String::new() } else { format!(", at the least gateway tasks ({least})") };
    Ok(format!(
        "Cost a month{tasks}: {} before, {} after, by public prices of {} and the assumed usage.",
        dollars(before),
        dollars(after),
        prices.region
    ))
}

/// `module.ecs` is `ecs`; a module of a module counts to the outer one.
fn module(address: &str) -> String {
    let name = address.split('.').nth(1).unwrap_or("root");
    name.split('[').next().unwrap_or(name).to_owned()
}

fn number(count: u32) -> String {
    if count == 0 { String::new() } else { count.to_string() }
}

fn listed(types: &[(String, u32)]) -> String {
    let mut parts: Vec<String> = types
        .iter()
        .take(5)
        .map(|(kind, count)| if *count == 1 { kind.clone() } else { format!("{count} {kind}") })
        .collect();
    let rest: u32 = types.iter().skip(5).map(|(_, count)| count).sum();
    if rest > 0 {
        parts.push(format!("{rest} more"));
    }
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prices::BUILT_IN;

    fn plan(changes: &str) -> Plan {
        Plan::parse(format!(r#"{{"format_version": "1.2", "resource_changes": [{changes}]}}"#).as_bytes())
            .unwrap()
    }

    fn told(plan: &Plan) -> String {
        summary(plan, &PriceTable::parse(BUILT_IN).unwrap(), &Usage::built_in("staging").unwrap(), 100)
    }

    #[test]
    fn what_ends_is_named_and_the_cost_stands_before_and_after() {
        let plan = plan(
            r#"{"address": "module.networking.aws_nat_gateway.this[\"a\"]", "module_address": "module.networking", "mode": "managed",
                "type": "aws_nat_gateway", "change": {"actions": ["delete"], "before": {"connectivity_type": "public"}}},
               {"address": "module.security.aws_kms_key.k", "module_address": "module.security", "mode": "managed",
                "type": "aws_kms_key", "change": {"actions": ["create"], "after": {"enable_key_rotation": true}}},
               {"address": "module.tenant[\"a\"].aws_iam_role.r", "module_address": "module.tenant[\"a\"]", "mode": "managed",
                "type": "aws_iam_role", "change": {"actions": ["delete", "create"], "before": {}, "after": {}}}"#,
        );
        let text = told(&plan);
        assert!(
            text.contains("These are destroyed: module.networking.aws_nat_gateway.this[\"a\"]."),
            "{text}"
        );
        assert!(text.contains("made anew: module.tenant[\"a\"].aws_iam_role.r."), "{text}");
        // Before: 0.045 * 730 = 32.85 for the gateway, and 25 + GB through it; after: the key and its requests.
        assert!(text.contains("before") && text.contains("$1.30 after"), "{text}");
        assert_eq!(Counts::of(&plan), Counts { create: 1, replace: 1, destroy: 1, ..Counts::default() });
        assert_eq!(Counts::of(&plan).steps(), 4);
    }

    #[test]
    fn a_plan_without_changes_says_so() {
        let text = told(&plan(
            r#"{"address": "aws_kms_key.k", "mode": "managed", "type": "aws_kms_key",
                "change": {"actions": ["no-op"], "before": {}, "after": {}}}"#,
        ));
        assert!(text.contains("Nothing changes: 1 resources"), "{text}");
    }

    #[test]
    fn a_plan_that_cannot_be_priced_says_why() {
        let text = told(&plan(
            r#"{"address": "aws_db_instance.x", "mode": "managed", "type": "aws_db_instance",
                "change": {"actions": ["create"], "after": {"instance_class": "db.z9.big", "allocated_storage": 20}}}"#,
        ));
        assert!(text.contains("The cost is not known") && text.contains("rds.postgres.db.z9.big"), "{text}");
    }
}
