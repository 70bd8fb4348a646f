"""Asks the emulator what there is, before the infrastructure is made and after it is destroyed."""

from __future__ import annotations

import re
from typing import Any

import boto3
import jmespath

HOME, REPLICA = "us-east-1", "us-west-2"

# Service, operation, its arguments, and where the names are in the answer. What cannot be listed is kept by answers.py,
# and is asked for there.
QUESTIONS: list[tuple[str, str, str, dict[str, Any], str]] = [
    (HOME, "acm", "list_certificates", {}, "CertificateSummaryList[].CertificateArn"),
    (HOME, "application-autoscaling", "describe_scalable_targets", {"ServiceNamespace": "ecs"}, "ScalableTargets[].ResourceId"),
    (HOME, "application-autoscaling", "describe_scaling_policies", {"ServiceNamespace": "ecs"}, "ScalingPolicies[].PolicyName"),
    (HOME, "application-autoscaling", "describe_scheduled_actions", {"ServiceNamespace": "ecs"}, "ScheduledActions[].ScheduledActionName"),
    (HOME, "backup", "list_backup_plans", {}, "BackupPlansList[].BackupPlanName"),
    (HOME, "backup", "list_backup_vaults", {}, "BackupVaultList[].BackupVaultName"),
    (REPLICA, "backup", "list_backup_vaults", {}, "BackupVaultList[].BackupVaultName"),
    (HOME, "budgets", "describe_budgets", {"AccountId": "123456789012"}, "Budgets[].BudgetName"),
    (HOME, "cloudfront", "list_distributions", {}, "DistributionList.Items[].Id"),
    (HOME, "cloudfront", "list_functions", {}, "FunctionList.Items[].Name"),
    (HOME, "cloudfront", "list_origin_access_controls", {}, "OriginAccessControlList.Items[].Name"),
    (HOME, "cloudtrail", "list_trails", {}, "Trails[].Name"),
    (HOME, "cloudwatch", "describe_alarms", {}, "[MetricAlarms[].AlarmName, CompositeAlarms[].AlarmName][]"),
    (HOME, "cloudwatch", "list_dashboards", {}, "DashboardEntries[].DashboardName"),
    (HOME, "codedeploy", "list_applications", {}, "applications"),
    (HOME, "config", "describe_config_rules", {}, "ConfigRules[].ConfigRuleName"),
    (HOME, "config", "describe_configuration_recorders", {}, "ConfigurationRecorders[].name"),
    (HOME, "config", "describe_delivery_channels", {}, "DeliveryChannels[].name"),
    (HOME, "ec2", "describe_addresses", {}, "Addresses[].PublicIp"),
    (HOME, "ec2", "describe_flow_logs", {}, "FlowLogs[].FlowLogId"),
    (HOME, "ec2", "describe_internet_gateways", {}, "InternetGateways[].InternetGatewayId"),
    (HOME, "ec2", "describe_nat_gateways", {}, "NatGateways[?State!='deleted'].NatGatewayId"),
    (HOME, "ec2", "describe_network_acls", {}, "NetworkAcls[].NetworkAclId"),
    (HOME, "ec2", "describe_route_tables", {}, "RouteTables[].RouteTableId"),
    (HOME, "ec2", "describe_security_groups", {}, "SecurityGroups[].GroupId"),
    (HOME, "ec2", "describe_subnets", {}, "Subnets[].SubnetId"),
    (HOME, "ec2", "describe_vpc_endpoints", {}, "VpcEndpoints[?State!='deleted'].VpcEndpointId"),
    (HOME, "ec2", "describe_vpcs", {}, "Vpcs[].VpcId"),
    (HOME, "ecr", "describe_repositories", {}, "repositories[].repositoryName"),
    (HOME, "ecs", "list_clusters", {}, "clusterArns"),
    (HOME, "ecs", "list_task_definitions", {}, "taskDefinitionArns"),
    (HOME, "elasticache", "describe_cache_subnet_groups", {}, "CacheSubnetGroups[].CacheSubnetGroupName"),
    (HOME, "elasticache", "describe_replication_groups", {}, "ReplicationGroups[].ReplicationGroupId"),
    (HOME, "elasticache", "describe_users", {}, "Users[?Status!='deleting'].UserId"),
    (HOME, "elbv2", "describe_load_balancers", {}, "LoadBalancers[].LoadBalancerName"),
    (HOME, "elbv2", "describe_target_groups", {}, "TargetGroups[].TargetGroupName"),
    (HOME, "events", "list_rules", {}, "Rules[].Name"),
    (HOME, "guardduty", "list_detectors", {}, "DetectorIds"),
    (HOME, "iam", "list_roles", {}, "Roles[].RoleName"),
    (HOME, "iam", "list_policies", {"Scope": "Local"}, "Policies[].PolicyName"),
    (HOME, "kms", "list_aliases", {}, "Aliases[].AliasName"),
    (HOME, "lambda", "list_functions", {}, "Functions[].FunctionName"),
    (HOME, "logs", "describe_log_groups", {}, "logGroups[].logGroupName"),
    (HOME, "rds", "describe_db_instances", {}, "DBInstances[].DBInstanceIdentifier"),
    (HOME, "rds", "describe_db_parameter_groups", {}, "DBParameterGroups[].DBParameterGroupName"),
    (HOME, "rds", "describe_db_subnet_groups", {}, "DBSubnetGroups[].DBSubnetGroupName"),
    (HOME, "rds", "describe_event_subscriptions", {}, "EventSubscriptionsList[].CustSubscriptionId"),
    (HOME, "route53", "list_hosted_zones", {}, "HostedZones[].Name"),
    (HOME, "s3", "list_buckets", {}, "Buckets[].Name"),
    (HOME, "servicediscovery", "list_namespaces", {}, "Namespaces[].Name"),
    (HOME, "servicediscovery", "list_services", {}, "Services[].Name"),
    (HOME, "sns", "list_topics", {}, "Topics[].TopicArn"),
    (HOME, "sns", "list_subscriptions", {}, "Subscriptions[].SubscriptionArn"),
    (HOME, "sqs", "list_queues", {}, "QueueUrls"),
    (HOME, "wafv2", "list_ip_sets", {"Scope": "REGIONAL"}, "IPSets[].Name"),
    (HOME, "wafv2", "list_web_acls", {"Scope": "REGIONAL"}, "WebACLs[].Name"),
    (HOME, "wafv2", "list_web_acls", {"Scope": "CLOUDFRONT"}, "WebACLs[].Name"),
    # With what becomes of them, since AWS keeps both for a while.
    (HOME, "kms", "keys", {}, ""),
    (REPLICA, "kms", "keys", {}, ""),
    (HOME, "secretsmanager", "list_secrets", {"IncludePlannedDeletion": True}, "SecretList[].join(': ', [Name, DeletedDate && 'scheduled to go' || 'stays'])"),
]

# What stays: AWS does not delete keys and secrets at once, and the emulator does as AWS; revisions of tasks are left on purpose,
# because a rollback may name one, and cost nothing.
STAYS = {
    "keys that wait for their deletion": re.compile(r" \(PendingDeletion\)$"),
    "secrets that can still be restored": re.compile(r": scheduled to go$"),
    "revisions of task definitions": re.compile(r"^ecs list_task_definitions "),
}


def take() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for region, service, operation, arguments, path in QUESTIONS:
        client = boto3.client(service, region_name=region)
        question = f"{service} {operation} {' '.join(map(str, arguments.values()))} in {region}".replace("  ", " ")
        if operation == "keys":
            names = [
                f"{key['KeyId']} ({client.describe_key(KeyId=key['KeyId'])['KeyMetadata']['KeyState']})"
                for key in client.get_paginator("list_keys").paginate().build_full_result()["Keys"]
            ]
        elif client.can_paginate(operation):
            names = jmespath.search(path, client.get_paginator(operation).paginate(**arguments).build_full_result())
        else:
            names = jmespath.search(path, getattr(client, operation)(**arguments))
        found[question] = set(names or [])
    return found


def compare(before: dict[str, set[str]], after: dict[str, set[str]]) -> tuple[list[str], list[str]]:
    """What is left that was not there before, and the kinds of what is meant to stay of it."""
    left, stays = list[str](), list[str]()
    for question in after:
        for name in sorted(after[question] - before[question]):
            new = f"{question}: {name}"
            kind = next((kind for kind, pattern in STAYS.items() if pattern.search(new)), None)
            (left if kind is None else stays).append(kind or new)
    return left, stays
