"""What the root's outputs have to be once it is applied, and whether what they name is there."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import boto3
from botocore.exceptions import ClientError

ACCOUNT = "123456789012"
ARN = rf"arn:aws:[a-z0-9-]+:[a-z0-9-]*:{ACCOUNT}:.+"
# NAME is seiketsu-staging or seiketsu-production. A string is a pattern that the whole value matches; a dict has exactly these
# keys; a list of one element is a list of at least one such, and an empty one is empty.
EXPECTED: dict[str, Any] = {
    "public_url": r"https://voice\.seiketsu\.example\.com",
    "console_url": r"https://console\.seiketsu\.example\.com",
    "test_url": r"https://voice\.seiketsu\.example\.com:8443",
    "repository_url": rf"{ACCOUNT}\.dkr\.ecr\.us-east-1\.amazonaws\.com/NAME",
    "cluster_name": "NAME",
    "service_names": {"gateway": "NAME-gateway", "worker": "NAME-worker"},
    "task_definition_families": {"gateway": "NAME-gateway", "worker": "NAME-worker", "migrate": "NAME-migrate"},
    "deployment": {
        "application": "NAME-gateway",
        "group": "gateway",
        "configuration": "NAME-canary-10-percent-15-minutes",
        "container_name": "seiketsu",
        "container_port": 8080,
        "platform_version": "LATEST",
        "subnet_ids": ["subnet-[0-9a-f]+"],
        "security_group_ids": ["sg-[0-9a-f]+"],
    },
    "migration": {
        "cluster": "NAME",
        "task_definition": "NAME-migrate",
        "subnet_ids": ["subnet-[0-9a-f]+"],
        "security_group_ids": ["sg-[0-9a-f]+"],
    },
    "console_bucket": f"NAME-console-{ACCOUNT}",
    "distribution_id": "[A-Z0-9]+",
    "recordings_bucket": f"NAME-recordings-{ACCOUNT}",
    "database_address": r"NAME-database\.[a-z0-9.-]+\.rds\.amazonaws\.com",
    "replica_addresses": [],
    "database_master_secret_arn": rf"arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:.+",
    "secret_names": {name: f"NAME/{name}" for name in [
        "ELEVENLABS_API_KEY", "OPENAI_API_KEY", "DEEPGRAM_API_KEY", "TWILIO_AUTH_TOKEN", "JWT_SECRET", "RECORDING_MASTER_KEY",
        "DATABASE_PASSWORD", "SMTP_URL", "OPENAI_FALLBACK_API_KEY", "MONITORING_API_KEY", "SUPABASE_KEY",
    ]},
    "nat_public_ips": [r"\d+\.\d+\.\d+\.\d+"],
    "topic_arns": {"critical": rf"arn:aws:sns:us-east-1:{ACCOUNT}:NAME-critical", "warning": rf"arn:aws:sns:us-east-1:{ACCOUNT}:NAME-warning"},
    "dashboard_names": ["NAME-[a-z-]+"],
    "audit_bucket": f"NAME-audit-{ACCOUNT}",
    "backup_vault_arn": rf"arn:aws:backup:us-east-1:{ACCOUNT}:backup-vault:NAME",
    "tenant_databases": {"acme": r"NAME-acme-database\.[a-z0-9.-]+\.rds\.amazonaws\.com"},
}
# How many there are, where that is what environments differ in.
LENGTHS = {
    "staging": {"nat_public_ips": 1, "migration.subnet_ids": 2, "deployment.subnet_ids": 2},
    "production": {"nat_public_ips": 3, "migration.subnet_ids": 3, "deployment.subnet_ids": 3},
    "production-right-sized": {"nat_public_ips": 2, "migration.subnet_ids": 2, "deployment.subnet_ids": 2},
}


def name_of(environment: str) -> str:
    return "seiketsu-staging" if environment == "staging" else "seiketsu-production"


def check(values: dict[str, Any], environment: str) -> tuple[int, list[str]]:
    """How many values were compared, and what is wrong with them."""
    compared, wrong = 0, list[str]()

    def walk(path: str, expected: Any, value: Any) -> None:
        nonlocal compared
        if isinstance(expected, dict):
            if not isinstance(value, dict):
                wrong.append(f"{path}: expected keys, it is {value!r}")
                return
            for key in sorted(set(expected) - set(value)):
                wrong.append(f"{path}.{key}".lstrip(".") + " is missing")
            for key in sorted(set(value) - set(expected)):
                wrong.append(f"{path}.{key}".lstrip(".") + " is not expected; outputs.py does not say what it has to be")
            for key in expected.keys() & value.keys():
                walk(f"{path}.{key}".lstrip("."), expected[key], value[key])
        elif expected == []:
            compared += 1
            if value != []:
                wrong.append(f"{path}: expected nothing, it is {value!r}")
        elif isinstance(expected, list):
            if not isinstance(value, list) or not value:
                wrong.append(f"{path}: expected a list with something in it, it is {value!r}")
                return
            length = LENGTHS[environment].get(path)
            if length is not None and len(value) != length:
                wrong.append(f"{path}: expected {length} of them, there are {len(value)}")
            for each in value:
                walk(path, expected[0], each)
        else:
            compared += 1
            pattern = str(expected).replace("NAME", name_of(environment))
            if not re.fullmatch(pattern, str(value)):
                wrong.append(f"{path}: expected {pattern}, it is {value!r}")

    walk("", EXPECTED, values)
    return compared, wrong


def look_up(values: dict[str, Any], environment: str) -> tuple[int, list[str]]:
    """Asks the emulator for what outputs name, and whether it is wired as a release needs it."""
    looked, wrong = 0, list[str]()

    def expect(what: str, question: Callable[[], Any]) -> None:
        nonlocal looked
        looked += 1
        try:
            answer = question()
        except (ClientError, KeyError, IndexError) as error:
            answer = str(error)
        if answer is not True:
            wrong.append(f"{what}: {answer}")

    def equal(found: Any, wanted: Any) -> Any:
        return found == wanted or f"it is {found!r}, expected {wanted!r}"

    ecs, elb, deploy = boto3.client("ecs"), boto3.client("elbv2"), boto3.client("codedeploy")
    production = environment != "staging"

    def services() -> dict[str, Any]:
        names = list(values["service_names"].values())
        return {each["serviceName"]: each for each in ecs.describe_services(cluster=values["cluster_name"], services=names)["services"]}

    def group() -> Any:
        names = {"applicationName": values["deployment"]["application"], "deploymentGroupName": values["deployment"]["group"]}
        return deploy.get_deployment_group(**names)["deploymentGroupInfo"]

    def colours() -> Any:
        pair = group()["loadBalancerInfo"]["targetGroupPairInfoList"][0]
        names = {each["name"] for each in pair["targetGroups"]}
        there = {each["TargetGroupName"] for each in elb.describe_target_groups()["TargetGroups"]}
        listeners = {pair["prodTrafficRoute"]["listenerArns"][0]: 443, pair["testTrafficRoute"]["listenerArns"][0]: 8443}
        ports = {each["ListenerArn"]: each["Port"] for each in elb.describe_listeners(ListenerArns=list(listeners))["Listeners"]}
        return equal((len(names), names <= there, ports), (2, True, listeners))

    def rollback() -> Any:
        alarms = {each["name"] for each in group()["alarmConfiguration"]["alarms"]}
        there = {each["AlarmName"] for each in boto3.client("cloudwatch").get_paginator("describe_alarms").paginate().build_full_result()["MetricAlarms"]}
        return equal((len(alarms) > 0, sorted(alarms - there)), (True, []))

    def task(family: str) -> Any:
        definition = ecs.describe_task_definition(taskDefinition=family)["taskDefinition"]
        container = definition["containerDefinitions"][0]
        known = {each["ARN"] for each in boto3.client("secretsmanager").get_paginator("list_secrets").paginate().build_full_result()["SecretList"]}
        unknown = [each["valueFrom"] for each in container["secrets"] if not any(each["valueFrom"].startswith(arn) for arn in known)]
        roles = boto3.client("iam").get_paginator("list_roles").paginate().build_full_result()["Roles"]
        arns = {each["Arn"] for each in roles}
        return equal((unknown, {definition["taskRoleArn"], definition["executionRoleArn"]} <= arns), ([], True))

    def bucket(name: str) -> Any:
        policy = boto3.client("s3").get_bucket_policy(Bucket=name)["Policy"]
        return "aws:SecureTransport" in policy or "its policy does not demand TLS"

    def database() -> Any:
        there = boto3.client("rds").describe_db_instances(DBInstanceIdentifier=values["database_address"].partition(".")[0])["DBInstances"][0]
        return equal(
            (there["MultiAZ"], there["StorageEncrypted"], there["PubliclyAccessible"], there["DeletionProtection"]),
            (production, True, False, production),
        )

    def tenant(slug: str, address: str) -> Any:
        there = boto3.client("rds").describe_db_instances(DBInstanceIdentifier=address.partition(".")[0])["DBInstances"][0]
        aliases = {each.get("TargetKeyId"): each["AliasName"] for each in boto3.client("kms").list_aliases()["Aliases"]}
        return equal(aliases.get(there["KmsKeyId"].rpartition("/")[2]), f"alias/{name_of(environment)}-tenant-{slug}")

    def gateway() -> Any:
        service = services()[values["service_names"]["gateway"]]
        return equal((service["deploymentController"]["type"], service["launchType"]), ("CODE_DEPLOY", "FARGATE"))

    def worker() -> Any:
        service = services()[values["service_names"]["worker"]]
        return equal([each["capacityProvider"] for each in service["capacityProviderStrategy"]], ["FARGATE_SPOT"])

    def balancer() -> Any:
        names = {each["DNSName"]: each["State"]["Code"] for each in elb.describe_load_balancers()["LoadBalancers"]}
        zone = boto3.client("route53")
        zone_id = zone.list_hosted_zones()["HostedZones"][0]["Id"]
        records = zone.list_resource_record_sets(HostedZoneId=zone_id)["ResourceRecordSets"]
        target = next(each["AliasTarget"]["DNSName"] for each in records if each["Name"].startswith("voice.") and each["Type"] == "A")
        return any(target.rstrip(".").endswith(name) for name in names) or f"voice points to {target}, load balancers are {sorted(names)}"

    def topic(arn: str) -> Any:
        attributes = boto3.client("sns").get_topic_attributes(TopicArn=arn)["Attributes"]
        return bool(attributes.get("KmsMasterKeyId")) or "it is not sealed"

    def scaling() -> Any:
        target = boto3.client("application-autoscaling").describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"][0]
        wanted = f"service/{values['cluster_name']}/{values['service_names']['gateway']}"
        return equal((target["ResourceId"], target["MaxCapacity"]), (wanted, {"staging": 4, "production": 40, "production-right-sized": 18}[environment]))

    def distribution() -> Any:
        config = boto3.client("cloudfront").get_distribution_config(Id=values["distribution_id"])["DistributionConfig"]
        origins = {each["Id"]: each["DomainName"] for each in config["Origins"]["Items"]}
        wanted = {"console": f"{values['console_bucket']}.s3.us-east-1.amazonaws.com", "api": values["public_url"].removeprefix("https://")}
        return equal(origins, wanted)

    expect("the gateway is brought up by CodeDeploy, on Fargate", gateway)
    expect("the worker is on Spot", worker)
    expect("CodeDeploy switches two target groups between listeners that are there", colours)
    expect("CodeDeploy watches alarms that are there", rollback)
    expect("voice points to the load balancer", balancer)
    expect("the gateway's tasks scale within their bounds", scaling)
    expect("the distribution asks the console's bucket and the API", distribution)
    expect("the database is private, sealed and protected as the environment wants it", database)
    for slug, address in values["tenant_databases"].items():
        expect(f"the database of {slug} is sealed with a key of its own", lambda: tenant(slug, address))
    expect("the administrator's secret is there", lambda: bool(boto3.client("secretsmanager").describe_secret(SecretId=values["database_master_secret_arn"])["ARN"]))
    expect("the vault is there", lambda: equal(boto3.client("backup").describe_backup_vault(BackupVaultName=name_of(environment))["BackupVaultArn"], values["backup_vault_arn"]))
    for family in values["task_definition_families"].values():
        expect(f"task definition {family} names secrets and roles that are there", lambda: task(family))
    for name in ("console_bucket", "recordings_bucket", "audit_bucket"):
        expect(f"bucket {values[name]} wants TLS", lambda: bucket(values[name]))
    for secret in values["secret_names"].values():
        expect(f"secret {secret} is sealed with a key of ours", lambda: bool(boto3.client("secretsmanager").describe_secret(SecretId=secret)["KmsKeyId"]))
    for arn in values["topic_arns"].values():
        expect(f"topic {arn} is sealed", lambda: topic(arn))
    for subnet in values["migration"]["subnet_ids"]:
        expect(f"subnet {subnet} gives out no public addresses", lambda: equal(boto3.client("ec2").describe_subnets(SubnetIds=[subnet])["Subnets"][0]["MapPublicIpOnLaunch"], False))
    for dashboard in values["dashboard_names"]:
        expect(f"dashboard {dashboard} is there", lambda: bool(boto3.client("cloudwatch").get_dashboard(DashboardName=dashboard)["DashboardBody"]))
    return looked, wrong
