"""Condenses plans (`terraform show -json`) to two graphs in Mermaid, of the first plan, and a table. scripts/infra-plans runs it.

What talks with what is read from the security groups' rules, the distribution's origins and the services' settings; what a module
takes from another is read from the references of the root. Nothing is drawn that the plan does not say; what of it is worth a
place, and what it is called, is chosen here.
"""

from __future__ import annotations

import collections
import json
import re
import sys
from collections.abc import Iterator
from typing import Any

MODULES = {
    "networking": "the network", "security": "keys and security groups", "edge": "what the world sees",
    "ecs": "tasks and releases", "database": "PostgreSQL", "cache": "Valkey or Redis", "secrets": "secrets",
    "monitoring": "logs, alarms, dashboards", "backup": "backups", "compliance": "audit and findings", "cost": "budgets",
    "tenant": "a tenant's own database",
}
# Types that a reader looks for, in words; the others of a module are counted.
MAIN = {
    "aws_vpc": "VPC", "aws_subnet": "subnets", "aws_nat_gateway": "NAT gateways", "aws_vpc_endpoint": "endpoints",
    "aws_network_acl": "network ACLs", "aws_kms_key": "keys", "aws_security_group": "security groups",
    "aws_lb": "load balancer", "aws_lb_listener": "listeners", "aws_lb_target_group": "target groups",
    "aws_cloudfront_distribution": "CloudFront distribution", "aws_wafv2_web_acl": "firewalls", "aws_acm_certificate": "certificates",
    "aws_route53_record": "DNS records", "aws_s3_bucket": "buckets", "aws_ecs_cluster": "cluster", "aws_ecs_service": "services",
    "aws_ecs_task_definition": "task definitions", "aws_codedeploy_deployment_group": "blue/green deployment group",
    "aws_appautoscaling_policy": "scaling policies", "aws_appautoscaling_scheduled_action": "scheduled actions",
    "aws_ecr_repository": "image repository", "aws_service_discovery_service": "name in Cloud Map", "aws_db_instance": "instances",
    "aws_db_proxy": "proxy", "aws_elasticache_replication_group": "replication group", "aws_elasticache_user": "users",
    "aws_secretsmanager_secret": "secrets", "aws_cloudwatch_log_group": "log groups", "aws_cloudwatch_metric_alarm": "alarms",
    "aws_cloudwatch_composite_alarm": "alarms of alarms", "aws_cloudwatch_dashboard": "dashboards", "aws_sns_topic": "topics",
    "aws_lambda_function": "functions", "aws_backup_vault": "vaults", "aws_backup_plan": "backup plan",
    "aws_backup_restore_testing_plan": "restore test", "aws_cloudtrail": "trail", "aws_guardduty_detector": "GuardDuty detector",
    "aws_securityhub_standards_subscription": "Security Hub standards", "aws_config_config_rule": "Config rules",
    "aws_accessanalyzer_analyzer": "access analyzer", "aws_inspector2_enabler": "Inspector", "aws_budgets_budget": "budget",
    "aws_ce_anomaly_monitor": "anomaly monitor", "aws_flow_log": "flow log",
}


def resources(module: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from (each for each in module.get("resources", []) if each["mode"] == "managed")
    for child in module.get("child_modules", []):
        yield from resources(child)


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from value.get("references", [])
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def counted_words(count: int, words: str) -> str:
    """Words stand in the plural where there can be several."""
    single = {"scaling policies": "scaling policy", "alarms of alarms": "alarm of alarms", "Security Hub standards": words}
    return f"{count} {words}" if count > 1 else single.get(words, words.removesuffix("s"))


def quoted(text: str) -> str:
    return '"' + text.replace('"', "'") + '"'


class Plan:
    def __init__(self, plan: dict[str, Any]) -> None:
        self.plan = plan
        self.all = sorted(resources(plan["planned_values"]["root_module"]), key=lambda each: str(each["address"]))
        self.variables = {name: each.get("value") for name, each in plan["variables"].items()}

    def of(self, kind: str, module: str = "") -> list[dict[str, Any]]:
        return [each for each in self.all if each["type"] == kind and each["address"].startswith(f"module.{module}")]

    def one(self, kind: str, module: str = "") -> dict[str, Any]:
        found = self.of(kind, module)
        if len(found) != 1:
            raise SystemExit(f"expected one {kind}, there are {len(found)}: infra_graph.py has to learn of it")
        return dict(found[0]["values"])


def traffic(plan: Plan) -> list[str]:
    """Who opens connections to whom, with ports: an egress rule that has its ingress rule."""
    database, cache, distribution = plan.one("aws_db_instance", "database"), plan.one("aws_elasticache_replication_group"), plan.one("aws_cloudfront_distribution")
    gateway, worker = (next(each["values"] for each in plan.of("aws_ecs_service") if each["name"] == name) for name in ("gateway", "worker"))
    target = plan.one("aws_appautoscaling_target")
    spot = [each["capacity_provider"] for each in worker["capacity_provider_strategy"]]
    sizes = {each["index"]: each["values"] for each in plan.of("aws_ecs_task_definition")}
    zones = len(plan.variables["availability_zones"])

    def size(task: str) -> str:
        return f"{int(sizes[task]['cpu']) / 1024:g} vCPU, {int(sizes[task]['memory']) / 1024:g} GB"

    origins = {each["origin_id"] for each in distribution["origin"]}
    if origins != {"console", "api"}:
        raise SystemExit(f"the distribution has the origins {', '.join(sorted(origins))}: infra_graph.py has to learn of them")
    paths = ", ".join(each["path_pattern"] for each in distribution["ordered_cache_behavior"] if each["target_origin_id"] == "api")
    names = {
        "load_balancer": "Load balancer<br/>HTTPS, HTTP to HTTPS",
        "gateway": f"Gateway tasks<br/>{target['min_capacity']} to {target['max_capacity']} on {gateway['launch_type']}<br/>{size('gateway')}",
        "worker": f"Worker tasks<br/>{worker['desired_count']} on {', '.join(spot)}<br/>{size('worker')}",
        "database": f"PostgreSQL {database['engine_version']}<br/>{database['instance_class']}, {database['allocated_storage']} GB"
        + (", standby in another zone" if database["multi_az"] else ""),
        "database_proxy": "RDS Proxy",
        "cache": f"{cache['engine'].title()} {cache['engine_version']}<br/>{cache['num_cache_clusters']} x {cache['node_type']}",
    }
    shapes = {"database": ("[(", ")]"), "cache": ("[(", ")]")}
    lines = ["flowchart LR", '  callers(["Callers, Twilio, programs"])', '  people(["People: the console"])']
    if plan.of("aws_wafv2_web_acl_association"):
        lines.append('  firewall_edge{{"Firewall"}}')
    lines += ['  firewall_console{{"Firewall"}}', f"  distribution[{quoted('CloudFront')}]", f"  console[({quoted('Console bucket')})]"]
    groups = sorted(each["index"] for each in plan.of("aws_security_group", "security"))
    tiers = {"public": ["load_balancer"], "app": ["gateway", "worker"], "data": ["database_proxy", "database", "cache"]}
    if unplaced := set(groups) - {group for members in tiers.values() for group in members}:
        raise SystemExit(f"security groups without a tier: {', '.join(sorted(unplaced))}: infra_graph.py has to learn of them")
    lines.append(f"  subgraph vpc[{quoted('VPC ' + plan.one('aws_vpc')['cidr_block'] + f', {zones} zones')}]")
    for tier, members in tiers.items():
        lines.append(f"    subgraph {tier}[{quoted(tier + ' subnets')}]")
        for group in members:
            if group in groups:
                left, right = shapes.get(group, ("[", "]"))
                lines.append(f"      {group}{left}{quoted(names[group])}{right}")
        if tier == "public":
            lines.append(f"      nat[{quoted(str(len(plan.of('aws_nat_gateway'))) + ' NAT gateways')}]")
        lines.append("    end")
    lines += ["  end", f"  vendors([{quoted('Vendors, AWS, mail')}])", f"  recordings[({quoted('Recordings bucket')})]"]

    ports = sorted(each["values"]["from_port"] for each in plan.of("aws_vpc_security_group_ingress_rule", "security") if each["name"] == "internet")
    entry = "firewall_edge" if plan.of("aws_wafv2_web_acl_association") else "load_balancer"
    lines.append(f"  callers -->|{' and '.join(map(str, ports))}| {entry}")
    if entry == "firewall_edge":
        lines.append("  firewall_edge --> load_balancer")
    lines += ["  people --> firewall_console --> distribution", "  distribution -->|signed| console"]
    lines.append(f"  distribution -->|{quoted(paths)}| {entry}")
    # A connection is drawn if both ends let it through.
    inward = {each["index"]: each["values"]["from_port"] for each in plan.of("aws_vpc_security_group_ingress_rule", "security") if each["name"] == "between"}
    outward = {each["index"]: each["values"]["from_port"] for each in plan.of("aws_vpc_security_group_egress_rule", "security") if each["name"] == "between"}
    if inward != outward:
        raise SystemExit("a security group lets out what no other lets in, or the other way round")
    for pair, port in sorted(inward.items()):
        source, _, sink = pair.partition("-")
        lines.append(f"  {source} -->|{port}| {sink}")
    outside: dict[str, list[int]] = collections.defaultdict(list)
    for each in plan.of("aws_vpc_security_group_egress_rule", "security"):
        if each["name"] == "outward":
            outside[each["index"].split("-")[0]].append(each["values"]["from_port"])
    for group, ports in sorted(outside.items()):
        lines.append(f"  {group} -->|{quoted(', '.join(map(str, sorted(ports))))}| nat")
    lines.append("  nat --> vendors")
    if any(each["values"]["vpc_endpoint_type"] == "Gateway" for each in plan.of("aws_vpc_endpoint")):
        lines.append("  gateway -->|endpoint| recordings")
    return lines


def parts(plan: Plan) -> list[str]:
    """Modules with what they mainly make, and what they take from one another: an arrow goes to who takes."""
    counted: dict[str, collections.Counter[str]] = collections.defaultdict(collections.Counter)
    for each in plan.all:
        counted[each["address"].split(".")[1].split("[")[0]][each["type"]] += 1
    unknown = set(counted) - set(MODULES)
    if unknown:
        raise SystemExit(f"modules without a name here: {', '.join(sorted(unknown))}: infra_graph.py has to learn of them")
    lines = ["flowchart TB"]
    for module in MODULES:
        kinds = counted.get(module)
        if not kinds:
            continue
        main = [counted_words(count, MAIN[kind]) for kind, count in sorted(kinds.items(), key=lambda item: list(MAIN).index(item[0]) if item[0] in MAIN else 99) if kind in MAIN]
        rest = sum(count for kind, count in kinds.items() if kind not in MAIN)
        text = f"<b>{module}</b>: {MODULES[module]}<br/>" + "<br/>".join(", ".join(main[at:at + 2]) for at in range(0, len(main), 2))
        lines.append(f"  {module}[{quoted(text + (f'<br/>and {rest} more' if rest else ''))}]")
    taken: dict[tuple[str, str], set[str]] = collections.defaultdict(set)
    for module, call in plan.plan["configuration"]["root_module"]["module_calls"].items():
        for reference in references(call["expressions"]):
            found = re.match(r"module\.([a-z_]+)\.([a-z_]+)", reference)
            if found and module in counted and found.group(1) in counted:
                taken[(found.group(1), module)].add(found.group(2))
    # Keys and alert channels go to nearly everybody; their arrows would hide the others. The table has them.
    common = {"kms_key_arns", "topic_arns"}
    for (source, sink), names in sorted(taken.items()):
        if names - common:
            lines.append(f"  {source} --> {sink}")
    table = ["| takes | from | what |", "| --- | --- | --- |"]
    for source, sink in sorted(taken, key=lambda pair: (pair[1], pair[0])):
        table.append(f"| {sink} | {source} | {', '.join(f'`{name}`' for name in sorted(taken[(source, sink)]))} |")
    return ["```mermaid", *lines, "```", "", "Keys (`security`) and alert channels (`monitoring`) go to nearly all; only the table has them.", "", *table]


def sizes(plans: dict[str, Plan]) -> list[str]:
    """How many resources each module makes in each environment."""
    counted = {name: collections.Counter(each["address"].split(".")[1].split("[")[0] for each in plan.all) for name, plan in plans.items()}
    return [
        "| module | " + " | ".join(plans) + " |",
        "| --- |" + " ---: |" * len(plans),
        *(f"| {module}: {what} | " + " | ".join(str(counted[name][module]) for name in plans) + " |" for module, what in MODULES.items()),
        "| all | " + " | ".join(str(len(plan.all)) for plan in plans.values()) + " |",
    ]


def main() -> None:
    plans = {}
    for path in sys.argv[1:]:
        with open(path) as file:
            plans[path.rpartition("/")[2].removesuffix(".plan.json")] = Plan(json.load(file))
    plan = next(iter(plans.values()))
    print("\n".join([
        "# The infrastructure as a graph", "",
        "Drawn by `scripts/infra-plans` from the plan of production; `scripts/infra-check` fails when it is out of date.", "",
        "## Who talks with whom", "",
        "Arrows between security groups are their rules, with ports; nothing else gets through.", "",
        "```mermaid", *traffic(plan), "```", "",
        "## What it is made of", "",
        f"{len(plan.all)} resources. An arrow goes to the module that takes something.", "",
        *parts(plan), "",
        "## How much of it, in each environment", "",
        "What a plan makes in an empty account. Databases of tenants' own come on top, one by one.", "",
        *sizes(plans),
    ]))


if __name__ == "__main__":
    main()
