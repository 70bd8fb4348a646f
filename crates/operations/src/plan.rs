//! A Terraform plan, as `terraform show -json` writes it.
//!
//! Of the values in a plan only those are read that a price hangs on ([`ATTRIBUTES`]), and the name that a resource can be
//! found by. Everything else is dropped while reading, so that nothing here can print a password that a plan holds in plain text.

use crate::under_way;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::{collections::BTreeMap, fmt};

/// A plan of four hundred resources has a megabyte; more than this is something else.
pub const MAX_BYTES: usize = 64 << 20;
const MAX_CHANGES: usize = 20_000;

/// What is read of each type of resource. `rule/name` is the `name` of each block `rule`.
pub const ATTRIBUTES: &[(&str, &[&str])] = &[
    (
        "aws_appautoscaling_scheduled_action",
        &["resource_id", "schedule", "scalable_target_action/min_capacity"],
    ),
    ("aws_appautoscaling_target", &["resource_id", "min_capacity", "max_capacity"]),
    ("aws_backup_plan", &["rule/rule_name", "rule/copy_action/lifecycle/delete_after"]),
    ("aws_backup_restore_testing_plan", &["name"]),
    ("aws_cloudfront_distribution", &["enabled"]),
    ("aws_cloudtrail", &["name"]),
    ("aws_cloudwatch_composite_alarm", &["alarm_name"]),
    ("aws_cloudwatch_dashboard", &["dashboard_name"]),
    ("aws_cloudwatch_log_group", &["name", "retention_in_days"]),
    ("aws_cloudwatch_metric_alarm", &["alarm_name", "metric_name", "metric_query/metric/metric_name"]),
    ("aws_config_config_rule", &["name"]),
    ("aws_config_configuration_recorder", &["name"]),
    (
        "aws_db_instance",
        &["identifier", "engine", "instance_class", "allocated_storage", "storage_type", "multi_az", "iops"],
    ),
    ("aws_db_proxy", &["name"]),
    ("aws_ecr_repository", &["name"]),
    ("aws_ecs_cluster", &["name", "setting/name", "setting/value"]),
    (
        "aws_ecs_service",
        &[
            "name",
            "desired_count",
            "task_definition",
            "capacity_provider_strategy/capacity_provider",
            "capacity_provider_strategy/weight",
        ],
    ),
    ("aws_ecs_task_definition", &["family", "cpu", "memory", "runtime_platform/cpu_architecture"]),
    ("aws_eip", &["domain"]),
    (
        "aws_elasticache_replication_group",
        &["engine", "node_type", "num_cache_clusters", "snapshot_retention_limit"],
    ),
    ("aws_flow_log", &["traffic_type"]),
    ("aws_guardduty_detector", &["enable"]),
    ("aws_guardduty_detector_feature", &["name", "status"]),
    ("aws_inspector2_enabler", &["resource_types"]),
    ("aws_kms_key", &["enable_key_rotation"]),
    ("aws_lambda_function", &["function_name", "memory_size"]),
    ("aws_lb", &["load_balancer_type", "internal"]),
    ("aws_nat_gateway", &["connectivity_type"]),
    ("aws_s3_bucket", &["bucket"]),
    ("aws_secretsmanager_secret", &["name"]),
    ("aws_securityhub_standards_subscription", &["standards_arn"]),
    ("aws_service_discovery_private_dns_namespace", &["name"]),
    ("aws_shield_protection", &["name"]),
    ("aws_shield_subscription", &["auto_renew"]),
    ("aws_subnet", &["availability_zone"]),
    ("aws_vpc_endpoint", &["vpc_endpoint_type", "service_name"]),
    ("aws_wafv2_web_acl", &["scope", "rule/name"]),
];

/// What is wrong with a plan.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// It is not JSON, or not a plan.
    #[error("this is no plan as `terraform show -json PLAN` writes it: {0}")]
    Malformed(#[from] serde_json::Error),
    /// It is too long.
    #[error("the plan has {0} bytes; {MAX_BYTES} are the most")]
    TooLong(usize),
    /// It has too many changes.
    #[error("the plan has {0} changes; {MAX_CHANGES} are the most")]
    TooMany(usize),
    /// Its format is one that is not known here.
    #[error("the plan has the format version `{0}`; 1.x is known")]
    Version(String),
    /// Terraform could not finish it.
    #[error("Terraform could not finish this plan; its errors stand where it was made")]
    Errored,
}

/// What happens to a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// It is made.
    Create,
    /// It is changed as it stands.
    Update,
    /// It is destroyed and made anew, in either order.
    Replace,
    /// It is destroyed.
    Destroy,
    /// Terraform forgets it; it stays.
    Forget,
    /// Nothing: it stays as it is.
    Keep,
}

impl Action {
    fn of(actions: &[String]) -> Option<Self> {
        let actions: Vec<&str> = actions.iter().map(String::as_str).collect();
        match actions.as_slice() {
            ["create"] => Some(Self::Create),
            ["update"] => Some(Self::Update),
            ["delete", "create"] | ["create", "delete"] => Some(Self::Replace),
            ["delete"] => Some(Self::Destroy),
            ["forget"] | ["create", "forget"] | ["forget", "create"] => Some(Self::Forget),
            ["no-op"] => Some(Self::Keep),
            // Data is read, and costs nothing.
            _ => None,
        }
    }
}

/// The values of a resource that a price hangs on.
#[derive(Clone, PartialEq, Default)]
pub struct Values(Map<String, Value>);

impl Values {
    /// A text; numbers as AWS' provider writes them in texts count.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str()
    }

    /// A number, also one in a text.
    pub fn number(&self, name: &str) -> Option<f64> {
        number(self.0.get(name)?)
    }

    /// Yes or no.
    pub fn flag(&self, name: &str) -> Option<bool> {
        self.0.get(name)?.as_bool()
    }

    /// The blocks of that name.
    pub fn blocks(&self, name: &str) -> impl Iterator<Item = Self> {
        let blocks = self.0.get(name).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        blocks.iter().filter_map(|block| block.as_object().cloned().map(Self))
    }

    /// Whether a list of texts has this one.
    pub fn lists(&self, name: &str, text: &str) -> bool {
        let list = self.0.get(name).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        list.iter().any(|item| item.as_str() == Some(text))
    }
}

fn number(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| value.as_str()?.trim().parse().ok()).filter(|number| number.is_finite())
}

/// One line of a plan.
#[derive(Clone, PartialEq)]
pub struct Change {
    /// `module.database.aws_db_instance.primary`
    pub address: String,
    /// `module.database`, or nothing for the root.
    pub module: String,
    /// `aws_db_instance`
    pub kind: String,
    /// What happens to it.
    pub action: Action,
    /// What it can be imported by, should it be made and Terraform not learn of it.
    pub(crate) id: Option<String>,
    before: Option<Values>,
    after: Option<Values>,
}

/// Without values, whatever they are.
impl fmt::Debug for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {}", self.action, self.address)
    }
}

/// Which of the two states of a plan is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// What stands now.
    Before,
    /// What will stand.
    After,
}

/// A resource as it stands, or will stand.
#[derive(Clone, Copy)]
pub struct Resource<'a> {
    /// Its address.
    pub address: &'a str,
    /// Its type.
    pub kind: &'a str,
    /// What its price hangs on.
    pub values: &'a Values,
}

/// A plan.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The variable `environment`.
    pub environment: Option<String>,
    /// The variable `region`.
    pub region: Option<String>,
    /// Calls that scaling aims at for each task, of the variable `gateway`.
    pub calls_per_task: Option<f64>,
    /// What happens to managed resources, by address.
    pub changes: Vec<Change>,
}

#[derive(Deserialize)]
struct Document {
    format_version: String,
    #[serde(default)]
    errored: bool,
    #[serde(default)]
    variables: BTreeMap<String, Variable>,
    #[serde(default)]
    resource_changes: Vec<Line>,
}

#[derive(Deserialize)]
struct Variable {
    #[serde(default)]
    value: Value,
}

#[derive(Deserialize)]
struct Line {
    address: String,
    #[serde(default)]
    module_address: String,
    mode: String,
    r#type: String,
    change: Delta,
}

#[derive(Deserialize)]
struct Delta {
    actions: Vec<String>,
    #[serde(default)]
    before: Value,
    #[serde(default)]
    after: Value,
}

impl Plan {
    /// Reads a plan.
    pub fn parse(json: &[u8]) -> Result<Self, PlanError> {
        if json.len() > MAX_BYTES {
            return Err(PlanError::TooLong(json.len()));
        }
        let document: Document = serde_json::from_slice(json)?;
        if !document.format_version.starts_with("1.") {
            return Err(PlanError::Version(document.format_version));
        }
        if document.errored {
            return Err(PlanError::Errored);
        }
        if document.resource_changes.len() > MAX_CHANGES {
            return Err(PlanError::TooMany(document.resource_changes.len()));
        }
        let text = |name: &str| document.variables.get(name)?.value.as_str().map(str::to_owned);
        let calls_per_task = document
            .variables
            .get("gateway")
            .and_then(|gateway| number(gateway.value.get("calls_per_task")?));
        let (environment, region) = (text("environment"), text("region"));
        let mut changes: Vec<Change> =
            document.resource_changes.into_iter().filter_map(Line::change).collect();
        changes.sort_by(|a, b| a.address.cmp(&b.address));
        Ok(Self { environment, region, calls_per_task, changes })
    }

    /// The resources of one side. A resource that is forgotten goes on costing; Terraform only does not know of it.
    pub fn resources(&self, side: Side) -> impl Iterator<Item = Resource<'_>> {
        self.changes.iter().filter_map(move |change| {
            let values = match side {
                Side::Before => change.before.as_ref(),
                Side::After if change.action == Action::Forget => change.before.as_ref(),
                Side::After => change.after.as_ref(),
            };
            Some(Resource { address: &change.address, kind: &change.kind, values: values? })
        })
    }

    /// Whether anything changes.
    pub fn changes_anything(&self) -> bool {
        self.changes.iter().any(|change| change.action != Action::Keep)
    }

    /// The plan with nothing in it but what is read: what is kept as an example for tests.
    pub fn trimmed(&self) -> Value {
        let mut variables = Map::new();
        let mut add = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                variables.insert(name.to_owned(), serde_json::json!({ "value": value }));
            }
        };
        add("environment", self.environment.clone().map(Value::from));
        add("region", self.region.clone().map(Value::from));
        add("gateway", self.calls_per_task.map(|calls| serde_json::json!({ "calls_per_task": calls })));
        let changes: Vec<Value> = self
            .changes
            .iter()
            .map(|change| {
                let mut delta = Map::new();
                delta.insert("actions".to_owned(), actions(change.action));
                for (name, values) in [("before", &change.before), ("after", &change.after)] {
                    if let Some(values) = values {
                        delta.insert(name.to_owned(), Value::Object(values.0.clone()));
                    }
                }
                let mut line = Map::new();
                line.insert("address".to_owned(), change.address.clone().into());
                if !change.module.is_empty() {
                    line.insert("module_address".to_owned(), change.module.clone().into());
                }
                line.insert("mode".to_owned(), "managed".into());
                line.insert("type".to_owned(), change.kind.clone().into());
                line.insert("change".to_owned(), Value::Object(delta));
                Value::Object(line)
            })
            .collect();
        serde_json::json!({ "format_version": "1.2", "variables": variables, "resource_changes": changes })
    }
}

fn actions(action: Action) -> Value {
    match action {
        Action::Create => serde_json::json!(["create"]),
        Action::Update => serde_json::json!(["update"]),
        Action::Replace => serde_json::json!(["delete", "create"]),
        Action::Destroy => serde_json::json!(["delete"]),
        Action::Forget => serde_json::json!(["forget"]),
        Action::Keep => serde_json::json!(["no-op"]),
    }
}

impl Line {
    fn change(self) -> Option<Change> {
        if self.mode != "managed" {
            return None;
        }
        let action = Action::of(&self.change.actions)?;
        let wanted =
            ATTRIBUTES.iter().find(|(kind, _)| *kind == self.r#type).map_or(&[][..], |(_, names)| names);
        let id = self.change.after.as_object().and_then(|after| under_way::id(&self.r#type, after));
        let values = |value: Value| match value {
            Value::Object(all) => Some(Values(retain(all, wanted))),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => None,
        };
        Some(Change {
            before: values(self.change.before),
            after: values(self.change.after),
            address: self.address,
            module: self.module_address,
            kind: self.r#type,
            action,
            id,
        })
    }
}

/// What of an object is named in `paths`.
fn retain(all: Map<String, Value>, paths: &[&str]) -> Map<String, Value> {
    let mut kept = Map::new();
    for (name, value) in all {
        if paths.contains(&name.as_str()) {
            if !value.is_null() {
                kept.insert(name, value);
            }
            continue;
        }
        let within: Vec<&str> =
            paths.iter().filter_map(|path| path.strip_prefix(name.as_str())?.strip_prefix('/')).collect();
        if within.is_empty() {
            continue;
        }
        if let Value::Array(blocks) = value {
            let blocks = blocks
                .into_iter()
                .filter_map(|block| match block {
                    Value::Object(block) => Some(Value::Object(retain(block, &within))),
                    Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                        None
                    }
                })
                .collect();
            kept.insert(name, Value::Array(blocks));
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &str = r#"{
        "format_version": "1.2",
        "variables": {"environment": {"value": "staging"}, "region": {"value": "us-east-1"}, "nothing": {},
                      "gateway": {"value": {"calls_per_task": 50}}},
        "resource_changes": [
          {"address": "module.database.aws_db_instance.primary", "module_address": "module.database", "mode": "managed",
           "type": "aws_db_instance", "change": {"actions": ["update"],
             "before": {"instance_class": "db.t4g.medium", "password": "hunter2-hunter2", "multi_az": false},
             "after": {"instance_class": "db.m7g.large", "password": "hunter2-hunter2", "multi_az": true, "iops": null}}},
          {"address": "aws_wafv2_web_acl.a", "mode": "managed", "type": "aws_wafv2_web_acl", "change": {"actions": ["create"],
             "before": null, "after": {"scope": "REGIONAL", "rule": [{"name": "one", "statement": [{}]}, {"name": "two"}]}}},
          {"address": "aws_iam_role.r", "mode": "managed", "type": "aws_iam_role", "change": {"actions": ["delete"],
             "before": {"name": "secret-name"}, "after": null}},
          {"address": "data.aws_region.r", "mode": "data", "type": "aws_region", "change": {"actions": ["read"]}}
        ]}"#;

    #[test]
    fn only_what_a_price_hangs_on_is_read() {
        let plan = Plan::parse(SMALL.as_bytes()).unwrap();
        assert_eq!((plan.environment.as_deref(), plan.calls_per_task), (Some("staging"), Some(50.0)));
        assert_eq!(plan.changes.len(), 3, "data is not a resource");
        let before: Vec<_> = plan.resources(Side::Before).map(|resource| resource.kind).collect();
        assert_eq!(before, ["aws_iam_role", "aws_db_instance"]);
        let waf = plan.resources(Side::After).find(|resource| resource.kind == "aws_wafv2_web_acl").unwrap();
        assert_eq!(waf.values.blocks("rule").count(), 2);
        let text = format!("{plan:?}{}", plan.trimmed());
        assert!(
            !text.contains("hunter2") && !text.contains("secret-name") && !text.contains("statement"),
            "{text}"
        );
    }

    #[test]
    fn a_trimmed_plan_reads_as_the_whole_one() {
        let plan = Plan::parse(SMALL.as_bytes()).unwrap();
        let again = Plan::parse(plan.trimmed().to_string().as_bytes()).unwrap();
        assert_eq!(again, plan);
    }

    #[test]
    fn what_is_no_plan_is_refused() {
        for (text, expected) in [
            ("", "no plan"),
            ("{", "no plan"),
            ("[]", "no plan"),
            (r#"{"resource_changes": []}"#, "format_version"),
            (r#"{"format_version": "2.0"}"#, "`2.0`"),
            (r#"{"format_version": "1.2", "errored": true}"#, "could not finish"),
            (r#"{"format_version": "1.2", "resource_changes": [{"address": 3}]}"#, "no plan"),
        ] {
            let told = Plan::parse(text.as_bytes()).unwrap_err().to_string();
            assert!(told.contains(expected), "{text}: {told}");
        }
        assert!(matches!(Plan::parse(&vec![b' '; MAX_BYTES + 1]), Err(PlanError::TooLong(_))));
    }

    #[test]
    fn replacing_is_told_in_either_order() {
        let of = |actions: &[&str]| Action::of(&actions.iter().map(|&a| a.to_owned()).collect::<Vec<_>>());
        assert_eq!(of(&["delete", "create"]), Some(Action::Replace));
        assert_eq!(of(&["create", "delete"]), Some(Action::Replace));
        assert_eq!(of(&["no-op"]), Some(Action::Keep));
        assert_eq!(of(&["read"]), None);
    }
}
