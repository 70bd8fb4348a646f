"""What moto has no answer for, or a wrong one, as far as the infrastructure asks for it.

A stand-in keeps what it is given and gives it back in the form of the service's model. It shows that the provider's request is
well-formed, that what it refers to exists and that the resource can be read, changed and removed again; nothing about AWS.
`repair_moto` changes moto itself, where an answer of its own is wrong. To add one: find the operation in moto's log (a 404 or a
500), write a function with its name, and look into the model for the members that the provider reads.
"""

from __future__ import annotations

import datetime
import hashlib
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from moto.backends import get_backend
from moto.core.exceptions import ServiceException

ACCOUNT = "123456789012"
NOW = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)


class Refusal(ServiceException):
    """An error as AWS answers it. moto looks for the models of its own classes by their modules, and finds none for this one."""


@dataclass
class Call:
    region: str
    parameters: dict[str, Any]

    def __getitem__(self, name: str) -> Any:
        return self.parameters[name]

    def get(self, name: str, otherwise: Any = None) -> Any:
        return self.parameters.get(name, otherwise)

    def backend(self, service: str) -> Any:
        """moto's own state of a service."""
        return get_backend(service)[ACCOUNT][self.region]


Answer = Callable[[Call], Any]
ANSWERS: dict[tuple[str, str], Answer] = {}
# What stand-ins keep: (kind, region, name) to whatever they were given. Empty again once all is destroyed.
KEPT: dict[tuple[str, str, str], Any] = {}


def answers(service: str, *operations: str) -> Callable[[Answer], Answer]:
    def register(answer: Answer) -> Answer:
        for operation in operations:
            ANSWERS[(service, operation)] = answer
        return answer

    return register


def kept(kind: str, region: str, name: str, error: str) -> Any:
    try:
        return KEPT[(kind, region, name)]
    except KeyError:
        raise Refusal(error, f"{kind} {name} does not exist") from None


def all_kept(kind: str, region: str) -> list[Any]:
    return [value for (its_kind, its_region, _), value in sorted(KEPT.items()) if (its_kind, its_region) == (kind, region)]


# --- Backup: policies of vaults, selections, restore tests


@answers("backup", "PutBackupVaultAccessPolicy")
def put_vault_policy(call: Call) -> None:
    call.backend("backup").describe_backup_vault(call["BackupVaultName"])
    KEPT[("vault policy", call.region, call["BackupVaultName"])] = call["Policy"]


@answers("backup", "GetBackupVaultAccessPolicy")
def get_vault_policy(call: Call) -> Any:
    name = call["BackupVaultName"]
    vault = call.backend("backup").describe_backup_vault(name)
    policy = kept("vault policy", call.region, name, "ResourceNotFoundException")
    return {"BackupVaultName": name, "BackupVaultArn": vault.backup_vault_arn, "Policy": policy}


@answers("backup", "DeleteBackupVaultAccessPolicy")
def delete_vault_policy(call: Call) -> None:
    KEPT.pop(("vault policy", call.region, call["BackupVaultName"]), None)


@answers("backup", "ListRecoveryPointsByBackupVault")
def list_recovery_points(call: Call) -> Any:
    # moto makes no backups.
    call.backend("backup").describe_backup_vault(call["BackupVaultName"])
    return {"RecoveryPoints": []}


@answers("backup", "ListTags")
def list_backup_tags(call: Call) -> Any:
    # moto looks for the ARN in another part of the address than the provider puts it.
    return {"Tags": call.backend("backup").list_tags(call["ResourceArn"])}


@answers("backup", "CreateBackupSelection")
def create_selection(call: Call) -> Any:
    call.backend("backup").get_backup_plan(call["BackupPlanId"], None)
    name = str(uuid.uuid4())
    selection = {"BackupPlanId": call["BackupPlanId"], "SelectionId": name, "CreationDate": NOW}
    KEPT[("backup selection", call.region, name)] = {**selection, "BackupSelection": call["BackupSelection"]}
    return selection


@answers("backup", "GetBackupSelection")
def get_selection(call: Call) -> Any:
    return kept("backup selection", call.region, call["SelectionId"], "ResourceNotFoundException")


@answers("backup", "DeleteBackupSelection")
def delete_selection(call: Call) -> None:
    KEPT.pop(("backup selection", call.region, call["SelectionId"]), None)


@answers("backup", "CreateRestoreTestingPlan")
def create_restore_plan(call: Call) -> Any:
    plan = call["RestoreTestingPlan"]
    name = plan["RestoreTestingPlanName"]
    made = {
        "CreationTime": NOW,
        "RestoreTestingPlanArn": f"arn:aws:backup:{call.region}:{ACCOUNT}:restore-testing-plan:{name}",
        "RestoreTestingPlanName": name,
    }
    tags = [{"Key": key, "Value": value} for key, value in (call.get("Tags") or {}).items()]
    call.backend("backup").tagger.tag_resource(made["RestoreTestingPlanArn"], tags)
    KEPT[("restore testing plan", call.region, name)] = {**plan, **made}
    return made


@answers("backup", "GetRestoreTestingPlan")
def get_restore_plan(call: Call) -> Any:
    name = call["RestoreTestingPlanName"]
    return {"RestoreTestingPlan": kept("restore testing plan", call.region, name, "ResourceNotFoundException")}


@answers("backup", "DeleteRestoreTestingPlan")
def delete_restore_plan(call: Call) -> None:
    KEPT.pop(("restore testing plan", call.region, call["RestoreTestingPlanName"]), None)


@answers("backup", "CreateRestoreTestingSelection")
def create_restore_selection(call: Call) -> Any:
    plan = kept("restore testing plan", call.region, call["RestoreTestingPlanName"], "ResourceNotFoundException")
    selection = call["RestoreTestingSelection"]
    name = f"{plan['RestoreTestingPlanName']}/{selection['RestoreTestingSelectionName']}"
    made = {
        "CreationTime": NOW,
        "RestoreTestingPlanArn": plan["RestoreTestingPlanArn"],
        "RestoreTestingPlanName": plan["RestoreTestingPlanName"],
        "RestoreTestingSelectionName": selection["RestoreTestingSelectionName"],
    }
    KEPT[("restore testing selection", call.region, name)] = {**selection, **made}
    return made


@answers("backup", "GetRestoreTestingSelection")
def get_restore_selection(call: Call) -> Any:
    name = f"{call['RestoreTestingPlanName']}/{call['RestoreTestingSelectionName']}"
    return {"RestoreTestingSelection": kept("restore testing selection", call.region, name, "ResourceNotFoundException")}


@answers("backup", "DeleteRestoreTestingSelection")
def delete_restore_selection(call: Call) -> None:
    name = f"{call['RestoreTestingPlanName']}/{call['RestoreTestingSelectionName']}"
    KEPT.pop(("restore testing selection", call.region, name), None)


# --- ElastiCache: parameter groups, groups of users


@answers("elasticache", "CreateCacheParameterGroup")
def create_cache_parameter_group(call: Call) -> Any:
    name = call["CacheParameterGroupName"]
    group = {
        "CacheParameterGroupName": name,
        "CacheParameterGroupFamily": call["CacheParameterGroupFamily"],
        "Description": call["Description"],
        "IsGlobal": False,
        "ARN": f"arn:aws:elasticache:{call.region}:{ACCOUNT}:parametergroup:{name}",
    }
    call.backend("elasticache").add_tags_to_resource(group["ARN"], call.get("Tags", []))
    KEPT[("cache parameter group", call.region, name)] = {"group": group, "parameters": {}}
    return {"CacheParameterGroup": group}


@answers("elasticache", "DescribeCacheParameterGroups")
def describe_cache_parameter_groups(call: Call) -> Any:
    entry = kept("cache parameter group", call.region, call["CacheParameterGroupName"], "CacheParameterGroupNotFound")
    return {"CacheParameterGroups": [entry["group"]]}


@answers("elasticache", "ModifyCacheParameterGroup")
def modify_cache_parameter_group(call: Call) -> Any:
    entry = kept("cache parameter group", call.region, call["CacheParameterGroupName"], "CacheParameterGroupNotFound")
    for parameter in call["ParameterNameValues"]:
        entry["parameters"][parameter["ParameterName"]] = parameter["ParameterValue"]
    return {"CacheParameterGroupName": call["CacheParameterGroupName"]}


@answers("elasticache", "DescribeCacheParameters")
def describe_cache_parameters(call: Call) -> Any:
    entry = kept("cache parameter group", call.region, call["CacheParameterGroupName"], "CacheParameterGroupNotFound")
    return {"Parameters": [
        {"ParameterName": name, "ParameterValue": value, "Source": "user", "IsModifiable": True}
        for name, value in entry["parameters"].items()
    ]}


@answers("elasticache", "DeleteCacheParameterGroup")
def delete_cache_parameter_group(call: Call) -> None:
    KEPT.pop(("cache parameter group", call.region, call["CacheParameterGroupName"]), None)


@answers("elasticache", "CreateUserGroup")
def create_user_group(call: Call) -> Any:
    for user in call.get("UserIds", []):
        call.backend("elasticache").describe_users(user)
    group = {
        "UserGroupId": call["UserGroupId"],
        "Status": "active",
        "Engine": call["Engine"].lower(),
        "UserIds": call.get("UserIds", []),
        "ARN": f"arn:aws:elasticache:{call.region}:{ACCOUNT}:usergroup:{call['UserGroupId']}",
    }
    call.backend("elasticache").add_tags_to_resource(group["ARN"], call.get("Tags", []))
    KEPT[("cache user group", call.region, call["UserGroupId"])] = group
    return group


@answers("elasticache", "DescribeUserGroups")
def describe_user_groups(call: Call) -> Any:
    return {"UserGroups": [kept("cache user group", call.region, call["UserGroupId"], "UserGroupNotFoundFault")]}


@answers("elasticache", "DeleteUserGroup")
def delete_user_group(call: Call) -> Any:
    group = kept("cache user group", call.region, call["UserGroupId"], "UserGroupNotFoundFault")
    return {**KEPT.pop(("cache user group", call.region, group["UserGroupId"])), "Status": "deleting"}


@answers("elasticache", "DeleteCacheSubnetGroup")
def delete_cache_subnet_group(call: Call) -> Any:
    backend, name = call.backend("elasticache"), call["CacheSubnetGroupName"]
    if any(group.cache_subnet_group_name == name for group in backend.replication_groups.values()):
        raise Refusal("CacheSubnetGroupInUse", f"{name} is in use")
    if backend.cache_subnet_groups.pop(name, None) is None:
        raise Refusal("CacheSubnetGroupNotFoundFault", f"{name} does not exist")


@answers("elasticache", "DescribeCacheClusters")
def describe_cache_clusters(call: Call) -> Any:
    # moto gives a group members that it then does not know.
    backend = call.backend("elasticache")
    for group in backend.replication_groups.values():
        if call["CacheClusterId"] in group.member_clusters:
            return {"CacheClusters": [{
                "CacheClusterId": call["CacheClusterId"],
                "CacheClusterStatus": "available",
                "Engine": group.engine,
                "EngineVersion": f"{group.engine_version}.1",
                "CacheNodeType": group.cache_node_type,
                "NumCacheNodes": 1,
                "CacheParameterGroup": {"CacheParameterGroupName": group.cache_parameter_group_name, "ParameterApplyStatus": "in-sync"},
                "CacheSubnetGroupName": group.cache_subnet_group_name,
                "SecurityGroups": [{"SecurityGroupId": each, "Status": "active"} for each in group.security_group_ids or []],
                "NotificationConfiguration": {"TopicArn": group.notification_topic_arn, "TopicStatus": "active"},
                "PreferredMaintenanceWindow": group.preferred_maintenance_window,
                "SnapshotRetentionLimit": group.snapshot_retention_limit,
                "SnapshotWindow": group.snapshot_window,
                "AutoMinorVersionUpgrade": group.auto_minor_version_upgrade,
                "ReplicationGroupId": group.replication_group_id,
                "TransitEncryptionEnabled": group.transit_encryption_enabled,
                "AtRestEncryptionEnabled": group.at_rest_encryption_enabled,
                "ARN": f"arn:aws:elasticache:{call.region}:{ACCOUNT}:cluster:{call['CacheClusterId']}",
            }]}
    return {"CacheClusters": backend.describe_cache_clusters(call["CacheClusterId"], 100, "")}


@answers("elasticache", "ListTagsForResource")
def list_cache_tags(call: Call) -> Any:
    # moto knows no ARN of a group.
    return {"TagList": call.backend("elasticache").tagging_service.list_tags_for_resource(call["ResourceName"])["Tags"]}


# --- CloudWatch: alarms made of alarms


@answers("cloudwatch", "PutCompositeAlarm")
def put_composite_alarm(call: Call) -> None:
    backend = call.backend("cloudwatch")
    for name in re.findall(r'(?:ALARM|OK|INSUFFICIENT_DATA)\("?([^")]+)"?\)', call["AlarmRule"]):
        if name not in backend.alarms:
            raise Refusal("ValidationError", f"AlarmRule names alarm {name}, which does not exist")
    backend.put_metric_alarm(
        name=call["AlarmName"], namespace="", metric_name="", comparison_operator="", evaluation_periods=0, period=0, threshold=0,
        statistic="", description=call.get("AlarmDescription", ""), dimensions=[], alarm_actions=call.get("AlarmActions", []),
        ok_actions=call.get("OKActions"), insufficient_data_actions=call.get("InsufficientDataActions"),
        actions_enabled=call.get("ActionsEnabled", True), rule=call["AlarmRule"], tags=call.get("Tags"),
    )


# --- Security Hub, Access Analyzer


@answers("securityhub", "UpdateSecurityHubConfiguration")
def update_hub(call: Call) -> None:
    # moto says of every hub that it enables new controls by itself, which is what is asked for here.
    call.backend("securityhub").describe_hub()
    if not call["AutoEnableControls"]:
        raise Refusal("InvalidInputException", "moto's hubs always enable new controls")


@answers("securityhub", "BatchEnableStandards")
def enable_standards(call: Call) -> Any:
    call.backend("securityhub").describe_hub()
    made = []
    for request in call["StandardsSubscriptionRequests"]:
        standard = request["StandardsArn"]
        name = standard.partition("standards/")[2]
        subscription = {
            "StandardsSubscriptionArn": f"arn:aws:securityhub:{call.region}:{ACCOUNT}:subscription/{name}",
            "StandardsArn": standard,
            "StandardsInput": {},
            "StandardsStatus": "READY",
        }
        KEPT[("standards subscription", call.region, subscription["StandardsSubscriptionArn"])] = subscription
        made.append(subscription)
    return {"StandardsSubscriptions": made}


@answers("securityhub", "GetEnabledStandards")
def get_standards(call: Call) -> Any:
    wanted = call.get("StandardsSubscriptionArns")
    found = all_kept("standards subscription", call.region)
    return {"StandardsSubscriptions": [each for each in found if not wanted or each["StandardsSubscriptionArn"] in wanted]}


@answers("securityhub", "BatchDisableStandards")
def disable_standards(call: Call) -> Any:
    gone = [KEPT.pop(("standards subscription", call.region, arn)) for arn in call["StandardsSubscriptionArns"]]
    return {"StandardsSubscriptions": [{**each, "StandardsStatus": "DELETING"} for each in gone]}


@answers("accessanalyzer", "CreateAnalyzer")
def create_analyzer(call: Call) -> Any:
    name = call["analyzerName"]
    arn = f"arn:aws:access-analyzer:{call.region}:{ACCOUNT}:analyzer/{name}"
    KEPT[("analyzer", call.region, name)] = {
        "arn": arn, "name": name, "type": call["type"], "createdAt": NOW, "status": "ACTIVE", "tags": call.get("tags", {}),
    }
    return {"arn": arn}


@answers("accessanalyzer", "GetAnalyzer")
def get_analyzer(call: Call) -> Any:
    return {"analyzer": kept("analyzer", call.region, call["analyzerName"], "ResourceNotFoundException")}


@answers("accessanalyzer", "DeleteAnalyzer")
def delete_analyzer(call: Call) -> None:
    KEPT.pop(("analyzer", call.region, call["analyzerName"]), None)


# --- Budgets and Cost Explorer


@answers("budgets", "DescribeSubscribersForNotification")
def describe_subscribers(call: Call) -> Any:
    budget = get_backend("budgets")[ACCOUNT]["aws"].budgets[call["AccountId"]][call["BudgetName"]]
    wanted = call["Notification"]
    for notification in budget.notifications:
        if all(notification.details.get(key) == wanted[key] for key in ("NotificationType", "ComparisonOperator", "Threshold")):
            return {"Subscribers": notification.subscribers}
    raise Refusal("NotFoundException", "there is no such notification")


@answers("budgets", "ListTagsForResource")
def list_budget_tags(call: Call) -> Any:
    budgets = get_backend("budgets")[ACCOUNT]["aws"].budgets[ACCOUNT]
    return {"ResourceTags": budgets[call["ResourceARN"].rpartition("/")[2]].tags}


@answers("ce", "CreateAnomalyMonitor")
def create_monitor(call: Call) -> Any:
    arn = f"arn:aws:ce::{ACCOUNT}:anomalymonitor/{uuid.uuid4()}"
    KEPT[("anomaly monitor", "", arn)] = {"body": {**call["AnomalyMonitor"], "MonitorArn": arn}, "tags": call.get("ResourceTags", [])}
    return {"MonitorArn": arn}


@answers("ce", "GetAnomalyMonitors")
def get_monitors(call: Call) -> Any:
    return {"AnomalyMonitors": [kept("anomaly monitor", "", arn, "UnknownMonitorException")["body"] for arn in call["MonitorArnList"]]}


@answers("ce", "DeleteAnomalyMonitor")
def delete_monitor(call: Call) -> None:
    KEPT.pop(("anomaly monitor", "", call["MonitorArn"]), None)


@answers("ce", "CreateAnomalySubscription")
def create_anomaly_subscription(call: Call) -> Any:
    for monitor in call["AnomalySubscription"]["MonitorArnList"]:
        kept("anomaly monitor", "", monitor, "UnknownMonitorException")
    arn = f"arn:aws:ce::{ACCOUNT}:anomalysubscription/{uuid.uuid4()}"
    body = {**call["AnomalySubscription"], "SubscriptionArn": arn, "AccountId": ACCOUNT}
    KEPT[("anomaly subscription", "", arn)] = {"body": body, "tags": call.get("ResourceTags", [])}
    return {"SubscriptionArn": arn}


@answers("ce", "GetAnomalySubscriptions")
def get_anomaly_subscriptions(call: Call) -> Any:
    return {"AnomalySubscriptions": [
        kept("anomaly subscription", "", arn, "UnknownSubscriptionException")["body"] for arn in call["SubscriptionArnList"]
    ]}


@answers("ce", "DeleteAnomalySubscription")
def delete_anomaly_subscription(call: Call) -> None:
    KEPT.pop(("anomaly subscription", "", call["SubscriptionArn"]), None)


@answers("ce", "ListTagsForResource")
def list_anomaly_tags(call: Call) -> Any:
    arn = call["ResourceArn"]
    kind = "anomaly monitor" if ":anomalymonitor/" in arn else "anomaly subscription"
    return {"ResourceTags": kept(kind, "", arn, "ResourceNotFoundException")["tags"]}


# --- CodeDeploy: configurations of our own


@answers("codedeploy", "CreateDeploymentConfig")
def create_deployment_config(call: Call) -> Any:
    name = call["deploymentConfigName"]
    made = str(uuid.uuid4())
    KEPT[("deployment config", call.region, name)] = {**call.parameters, "deploymentConfigId": made, "createTime": NOW}
    return {"deploymentConfigId": made}


@answers("codedeploy", "GetDeploymentConfig")
def get_deployment_config(call: Call) -> Any:
    name = call["deploymentConfigName"]
    return {"deploymentConfigInfo": kept("deployment config", call.region, name, "DeploymentConfigDoesNotExistException")}


@answers("codedeploy", "DeleteDeploymentConfig")
def delete_deployment_config(call: Call) -> None:
    KEPT.pop(("deployment config", call.region, call["deploymentConfigName"]), None)


@answers("codedeploy", "DeleteDeploymentGroup")
def delete_deployment_group(call: Call) -> Any:
    backend = call.backend("codedeploy")
    backend.get_deployment_group(call["applicationName"], call["deploymentGroupName"])
    del backend.deployment_groups[call["applicationName"]][call["deploymentGroupName"]]
    return {"hooksNotCleanedUp": []}


@answers("codedeploy", "DeleteApplication")
def delete_application(call: Call) -> None:
    backend = call.backend("codedeploy")
    if backend.deployment_groups.get(call["applicationName"]):
        raise Refusal("InvalidApplicationNameException", "the application still has deployment groups")
    backend.applications.pop(call["applicationName"], None)


# --- CloudFront: functions once they are published, policies of headers


@answers("cloudfront", "PublishFunction")
def publish_function(call: Call) -> Any:
    function = get_backend("cloudfront")[ACCOUNT]["aws"].get_function(call["Name"])
    if call["IfMatch"] != function.etag:
        raise Refusal("InvalidIfMatchVersion", "the function has changed since")
    function.stage, function.status = "LIVE", "UNASSOCIATED"
    return {"FunctionSummary": function.function_summary}


@answers("cloudfront", "CreateResponseHeadersPolicy")
def create_headers_policy(call: Call) -> Any:
    policy = {"Id": str(uuid.uuid4()), "LastModifiedTime": NOW, "ResponseHeadersPolicyConfig": call["ResponseHeadersPolicyConfig"]}
    KEPT[("response headers policy", "", policy["Id"])] = policy
    return {"ResponseHeadersPolicy": policy, "ETag": "E1"}


@answers("cloudfront", "GetResponseHeadersPolicy")
def get_headers_policy(call: Call) -> Any:
    return {"ResponseHeadersPolicy": kept("response headers policy", "", call["Id"], "NoSuchResponseHeadersPolicy"), "ETag": "E1"}


@answers("cloudfront", "DeleteResponseHeadersPolicy")
def delete_headers_policy(call: Call) -> None:
    KEPT.pop(("response headers policy", "", call["Id"]), None)


# --- Application Auto Scaling: tags, which moto takes and forgets


@answers("application-autoscaling", "ListTagsForResource")
def list_scaling_tags(call: Call) -> Any:
    for dimension in call.backend("application-autoscaling").targets.values():
        for target in dimension.values():
            if target.arn == call["ResourceARN"]:
                return {"Tags": target.tags}
    raise Refusal("ResourceNotFoundException", f"{call['ResourceARN']} is no scalable target")


# --- moto's own answers that are wrong


def repair_moto() -> None:
    repair_tags()
    repair_load_balancing()
    repair_cache()
    repair_databases()
    repair_detectors()
    repair_services()
    repair_distributions()
    repair_parameters()
    repair_lifecycles()
    repair_policies()
    repair_deletions()


def repair_tags() -> None:
    """Tags that moto takes and forgets."""
    from moto.applicationautoscaling.responses import ApplicationAutoScalingResponse
    from moto.budgets.responses import BudgetsResponse

    register = ApplicationAutoScalingResponse.register_scalable_target

    def register_scalable_target(self: Any) -> Any:
        answer = register(self)
        target = self.applicationautoscaling_backend.targets[self._get_param("ScalableDimension")][self._get_param("ResourceId")]
        target.tags = self._get_param("Tags") or getattr(target, "tags", {})
        return answer

    ApplicationAutoScalingResponse.register_scalable_target = register_scalable_target  # type: ignore[method-assign]

    create = BudgetsResponse.create_budget

    def create_budget(self: Any) -> Any:
        answer = create(self)
        budget = self.backend.budgets[self._get_param("AccountId")][self._get_param("Budget")["BudgetName"]]
        budget.tags = self._get_param("ResourceTags") or []
        return answer

    BudgetsResponse.create_budget = create_budget  # type: ignore[method-assign]


def repair_load_balancing() -> None:
    """AWS takes 0 to 3600 seconds for targets that go; moto refuses 3600 itself."""
    from moto.elbv2.models import ELBv2Backend

    modify = ELBv2Backend.modify_target_group_attributes
    name = "deregistration_delay.timeout_seconds"

    def modify_target_group_attributes(self: Any, target_group_arn: str, attributes: dict[str, Any]) -> None:
        if attributes.get(name) == "3600":
            modify(self, target_group_arn, {key: value for key, value in attributes.items() if key != name})
            self.target_groups[target_group_arn].attributes[name] = "3600"
        else:
            modify(self, target_group_arn, attributes)

    ELBv2Backend.modify_target_group_attributes = modify_target_group_attributes  # type: ignore[method-assign]


def repair_databases() -> None:
    """moto gives every instance the same resource id, by which the provider tells them apart."""
    from moto.rds.models import DBInstance

    make = DBInstance.__init__

    def instance(self: Any, *arguments: Any, **settings: Any) -> None:
        make(self, *arguments, **settings)
        self.dbi_resource_id = "db-" + hashlib.sha256(self.db_instance_identifier.encode()).hexdigest()[:26].upper()

    DBInstance.__init__ = instance  # type: ignore[method-assign]


def repair_cache() -> None:
    """moto counts replicas per node group, and takes any number of nodes for one; what it deletes goes on being deleted for ever."""
    from moto.elasticache.models import ElastiCacheBackend, ReplicationGroup

    make = ReplicationGroup.__init__

    def replication_group(self: Any, **settings: Any) -> None:
        settings["replicas_per_node_group"] = settings["replicas_per_node_group"] or (settings["num_cache_clusters"] or 1) - 1
        make(self, **settings)

    ReplicationGroup.__init__ = replication_group  # type: ignore[method-assign]

    delete = ElastiCacheBackend.delete_replication_group

    def delete_replication_group(self: Any, replication_group_id: str, retain_primary_cluster: bool | None) -> Any:
        answer = delete(self, replication_group_id, retain_primary_cluster)
        del self.replication_groups[replication_group_id]
        return answer

    ElastiCacheBackend.delete_replication_group = delete_replication_group  # type: ignore[method-assign]


def repair_detectors() -> None:
    """Each request to GuardDuty names one feature; moto forgets the others."""
    from moto.guardduty.models import Detector

    update = Detector.update

    def update_detector(self: Any, enable: Any, frequency: Any, data_sources: Any, features: Any) -> None:
        known = {feature["name"]: feature for feature in self.features}
        known.update({feature["name"]: feature for feature in features or []})
        update(self, enable, frequency, data_sources, list(known.values()))

    Detector.update = update_detector  # type: ignore[method-assign]


def repair_services() -> None:
    """What moto forgets of ECS services, and of what CodeDeploy watches: the tests ask for both."""
    from moto.codedeploy import responses as codedeploy
    from moto.ecs.responses import EC2ContainerServiceResponse

    create = EC2ContainerServiceResponse.create_service

    def create_service(self: Any) -> Any:
        answer = create(self)
        service = answer.result["service"]
        service.capacity_provider_strategy = self._get_param("capacityProviderStrategy") or []
        service.enable_ecs_managed_tags = self._get_param("enableECSManagedTags")
        service.health_check_grace_period_seconds = self._get_param("healthCheckGracePeriodSeconds")
        service.availability_zone_rebalancing = self._get_param("availabilityZoneRebalancing") or "DISABLED"
        return answer

    EC2ContainerServiceResponse.create_service = create_service  # type: ignore[method-assign]

    describe = codedeploy._deployment_group_info

    def deployment_group_info(group: Any) -> dict[str, Any]:
        return {**describe(group), "alarmConfiguration": group.alarm_configuration}

    codedeploy._deployment_group_info = deployment_group_info


def repair_distributions() -> None:
    """What moto forgets of a distribution: functions, who may read the bucket, and that a certificate of its own is used."""
    from moto.cloudfront.models import DefaultCacheBehaviour, Origin, ViewerCertificate

    behaviour, origin, certificate = DefaultCacheBehaviour.__init__, Origin.__init__, ViewerCertificate.__init__

    def make_behaviour(self: Any, config: dict[str, Any]) -> None:
        behaviour(self, config)
        self.function_associations = config.get("FunctionAssociations") or {"Quantity": 0}
        if self.cache_policy_id:
            self.forwarded_values = None

    def make_origin(self: Any, config: dict[str, Any]) -> None:
        origin(self, config)
        self.origin_access_control_id = config.get("OriginAccessControlId") or ""

    def make_certificate(self: Any, config: dict[str, Any]) -> None:
        certificate(self, config)
        self.cloud_front_default_certificate = not (self.acm_certificate_arn or self.iam_certificate_id)

    DefaultCacheBehaviour.__init__ = make_behaviour  # type: ignore[method-assign]
    Origin.__init__ = make_origin  # type: ignore[method-assign]
    ViewerCertificate.__init__ = make_certificate  # type: ignore[method-assign]


def repair_parameters() -> None:
    """RDS says which parameters somebody has set; the provider reads only those."""
    from moto.rds.models import DBParameterGroup

    update = DBParameterGroup.update_parameters

    def update_parameters(self: Any, new_parameters: Any) -> None:
        update(self, [{**parameter, "Source": "user"} for parameter in new_parameters])

    DBParameterGroup.update_parameters = update_parameters  # type: ignore[method-assign]


def repair_lifecycles() -> None:
    """moto forgets how many earlier versions of an object are kept whatever their age; the provider waits until it sees them."""
    from moto.s3.models import FakeBucket
    from moto.s3.responses import S3Response

    put, get = FakeBucket.set_lifecycle, S3Response.get_bucket_lifecycle

    def set_lifecycle(self: Any, rules: Any) -> None:
        put(self, rules)
        self.newer_versions = {
            rule.get("ID"): (rule.get("NoncurrentVersionExpiration") or {}).get("NewerNoncurrentVersions")
            for rule in (rules if isinstance(rules, list) else [rules])
        }

    def get_bucket_lifecycle(self: Any) -> Any:
        serialize = self.serialized

        def serialized(answer: Any) -> Any:
            newer = self.backend.get_bucket(self.bucket_name).newer_versions
            for rule in answer.result["Rules"]:
                if newer.get(rule["ID"]):
                    rule["NoncurrentVersionExpiration"]["NewerNoncurrentVersions"] = newer[rule["ID"]]
            return serialize(answer)

        self.serialized = serialized
        try:
            return get(self)
        finally:
            del self.serialized

    FakeBucket.set_lifecycle = set_lifecycle  # type: ignore[method-assign]
    S3Response.get_bucket_lifecycle = get_bucket_lifecycle  # type: ignore[method-assign]


def repair_policies() -> None:
    """moto takes a denial whose condition does not hold for a denial. Loopback stands for TLS here, so that what is denied
    without TLS is not denied."""
    from moto.iam.access_control import IAMPolicyStatement, PermissionResult

    permitted = IAMPolicyStatement.is_action_permitted

    def is_action_permitted(self: Any, *arguments: Any, **named: Any) -> Any:
        if self._statement["Effect"] == "Deny" and self._statement.get("Condition") == {"Bool": {"aws:SecureTransport": "false"}}:
            return PermissionResult.NEUTRAL
        return permitted(self, *arguments, **named)

    IAMPolicyStatement.is_action_permitted = is_action_permitted  # type: ignore[method-assign]


def repair_deletions() -> None:
    """What moto does not delete, or goes on listing."""
    from moto.cloudtrail.models import CloudTrailBackend
    from moto.ec2.models import EC2Backend
    from moto.ecs.models import EC2ContainerServiceBackend
    from moto.route53 import route53_backends
    from moto.servicediscovery.models import ServiceDiscoveryBackend

    trail, vpc, clusters, namespace = (
        CloudTrailBackend.delete_trail, EC2Backend.delete_vpc, EC2ContainerServiceBackend.list_clusters,
        ServiceDiscoveryBackend.delete_namespace,
    )

    def delete_trail(self: Any, name: str) -> None:
        trail(self, name.rpartition("/")[2])

    def delete_vpc(self: Any, vpc_id: str) -> Any:
        gone = vpc(self, vpc_id)
        for acl in [each for each in self.network_acls.values() if each.vpc_id == vpc_id and each.default]:
            del self.network_acls[acl.id]
        return gone

    def list_clusters(self: Any) -> list[str]:
        inactive = {each.arn for each in self.clusters.values() if each.status == "INACTIVE"}
        return [arn for arn in clusters(self) if arn not in inactive]

    def delete_namespace(self: Any, namespace_id: str) -> str:
        zone = self.get_namespace(namespace_id).dns_properties["HostedZoneId"]
        operation = namespace(self, namespace_id)
        route53_backends[self.account_id][self.partition].delete_hosted_zone(zone)
        return operation

    CloudTrailBackend.delete_trail = delete_trail  # type: ignore[method-assign]
    EC2Backend.delete_vpc = delete_vpc  # type: ignore[method-assign]
    EC2ContainerServiceBackend.list_clusters = list_clusters  # type: ignore[method-assign]
    ServiceDiscoveryBackend.delete_namespace = delete_namespace  # type: ignore[method-assign]
