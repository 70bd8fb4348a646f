//! What of a plan has a price, what is free, and what is not priced.

use crate::plan::{ATTRIBUTES, Plan, Side};
use serde::Serialize;
use std::collections::BTreeMap;

/// Types that cost nothing by themselves: AWS does not charge for them, or what they cost is in another line.
const FREE: &[&str] = &[
    "aws_accessanalyzer_analyzer", // of access from outside; of unused access it would cost
    "aws_acm_certificate",
    "aws_acm_certificate_validation",
    "aws_appautoscaling_policy",
    "aws_backup_restore_testing_selection",
    "aws_backup_selection",
    "aws_backup_vault",
    "aws_backup_vault_lock_configuration",
    "aws_backup_vault_notifications",
    "aws_backup_vault_policy",
    "aws_budgets_budget",
    "aws_ce_anomaly_monitor",
    "aws_ce_anomaly_subscription",
    "aws_ce_cost_allocation_tag",
    "aws_chatbot_slack_channel_configuration",
    "aws_cloudfront_origin_access_control",
    "aws_cloudfront_response_headers_policy",
    "aws_codedeploy_app",
    "aws_codedeploy_deployment_config",
    "aws_codedeploy_deployment_group",
    "aws_config_configuration_recorder_status",
    "aws_config_delivery_channel",
    "aws_db_event_subscription",
    "aws_db_parameter_group",
    "aws_db_proxy_default_target_group",
    "aws_db_proxy_target",
    "aws_db_subnet_group",
    "aws_default_security_group",
    "aws_ebs_encryption_by_default",
    "aws_ecr_lifecycle_policy",
    "aws_ecs_cluster_capacity_providers",
    "aws_elasticache_parameter_group",
    "aws_elasticache_subnet_group",
    "aws_elasticache_user",
    "aws_elasticache_user_group",
    "aws_iam_account_password_policy",
    "aws_iam_role",
    "aws_iam_role_policy",
    "aws_iam_role_policy_attachment",
    "aws_internet_gateway",
    "aws_kms_alias",
    "aws_kms_key_policy",
    "aws_lambda_function_event_invoke_config",
    "aws_lambda_permission",
    "aws_lb_listener",
    "aws_lb_listener_rule",
    "aws_lb_target_group",
    "aws_network_acl",
    "aws_network_acl_rule",
    "aws_route",
    "aws_route53_record",
    "aws_route_table",
    "aws_route_table_association",
    "aws_s3_account_public_access_block",
    "aws_s3_bucket_lifecycle_configuration",
    "aws_s3_bucket_logging",
    "aws_s3_bucket_object_lock_configuration",
    "aws_s3_bucket_ownership_controls",
    "aws_s3_bucket_policy",
    "aws_s3_bucket_public_access_block",
    "aws_s3_bucket_server_side_encryption_configuration",
    "aws_s3_bucket_versioning",
    "aws_secretsmanager_secret_policy",
    "aws_secretsmanager_secret_version",
    "aws_security_group",
    "aws_securityhub_account",
    "aws_service_discovery_service",
    "aws_vpc",
    "aws_vpc_security_group_egress_rule",
    "aws_vpc_security_group_ingress_rule",
    "aws_wafv2_ip_set",
    "aws_wafv2_web_acl_association",
    "aws_wafv2_web_acl_logging_configuration",
    "terraform_data",
];

/// Types that are charged by use, and by cents at the use that is assumed.
const CENTS: &[&str] = &[
    "aws_cloudfront_function",
    "aws_cloudwatch_event_rule",
    "aws_cloudwatch_event_target",
    "aws_scheduler_schedule",
    "aws_sns_topic",
    "aws_sns_topic_policy",
    "aws_sns_topic_subscription",
    "aws_sqs_queue",
    "aws_sqs_queue_policy",
];

/// How the resources of a plan are covered. Each map goes from type to number.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Coverage {
    /// In lines of the estimate.
    pub priced: BTreeMap<String, u32>,
    /// Free, or in the line of another.
    pub free: BTreeMap<String, u32>,
    /// Charged by use, and by cents.
    pub cents: BTreeMap<String, u32>,
    /// Not priced: nobody looked up what they cost. The estimate is too low by that.
    pub not_priced: BTreeMap<String, u32>,
}

/// Sorts the resources of one side of a plan by how they are covered.
pub fn coverage(plan: &Plan, side: Side) -> Coverage {
    let mut coverage = Coverage::default();
    for resource in plan.resources(side) {
        let kind = resource.kind;
        let sorted = if ATTRIBUTES.iter().any(|(priced, _)| *priced == kind) {
            &mut coverage.priced
        } else if FREE.contains(&kind) {
            &mut coverage.free
        } else if CENTS.contains(&kind) {
            &mut coverage.cents
        } else {
            &mut coverage.not_priced
        };
        *sorted.entry(kind.to_owned()).or_default() += 1;
    }
    coverage
}
