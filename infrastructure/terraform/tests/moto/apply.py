"""Applies the infrastructure onto the emulator, proves it, destroys it. scripts/infra-apply-local runs this; see README.md."""

from __future__ import annotations

import argparse
import collections
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import ClientError

import inventory
import outputs
import record
from harness import (
    ACCOUNT,
    ENVIRONMENTS,
    HERE,
    Failed,
    Run,
    apply_plan,
    asked,
    copy_bootstrap,
    copy_root,
    initialise,
    lead,
    lead_to,
    make_zone,
    put_forwarder,
    shown,
    start_emulator,
    table,
    terraform,
    variables_of,
    versions,
)

TYPES_OFF_AT_MOST = 15


# --- what is switched off


def check_off() -> list[list[str]]:
    """The table of what is off against what the overlay switches off."""
    listed = {(kind, file) for kind, file, _ in table("off.txt", 3)}
    switched = set()
    for path in sorted((HERE / "overlay").rglob("*.tf")):
        for kind in re.findall(r'^resource "([a-z0-9_]+)"', path.read_text(), re.MULTILINE):
            switched.add((kind, str(path.relative_to(HERE / "overlay"))))
    for kind, file in sorted(listed - switched):
        raise Failed(f"off.txt: {kind} is not switched off in overlay/{file}")
    for kind, file in sorted(switched - listed):
        raise Failed(f"overlay/{file} changes {kind}, and off.txt does not say why")
    kinds = {kind for kind, _ in listed}
    if len(kinds) > TYPES_OFF_AT_MOST:
        raise Failed(f"{len(kinds)} types are switched off; {TYPES_OFF_AT_MOST} are the most that still prove something")
    return table("off.txt", 3)


# --- drift


def differences(before: Any, after: Any, unknown: Any, path: str = "") -> Iterator[str]:
    """Paths of attributes that a plan would change; places in lists are left out, so that one line of the table fits all."""
    if unknown is True or (path in ("tags", "tags_all") and before != after):
        yield path
    elif isinstance(before, dict) and isinstance(after, dict):
        for key in sorted({*before, *after, *(unknown if isinstance(unknown, dict) else {})}):
            inner = unknown.get(key) if isinstance(unknown, dict) else None
            yield from differences(before.get(key), after.get(key), inner, f"{path}.{key}" if path else key)
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index, (old, new) in enumerate(zip(before, after)):
            inner = unknown[index] if isinstance(unknown, list) and index < len(unknown) else None
            yield from differences(old, new, inner, path)
    elif before != after and not (before in (None, "", [], {}) and after in (None, "", [], {})):
        yield path


def drift_of(plan: dict[str, Any]) -> dict[tuple[str, str], set[str]]:
    """(type, attribute) that a second plan would change, or (type, action) for what it would make or remove, with addresses."""
    found: dict[tuple[str, str], set[str]] = collections.defaultdict(set)
    for resource in plan.get("resource_changes", []):
        change = resource["change"]
        if change["actions"] in (["no-op"], ["read"]):
            continue
        if change["actions"] == ["update"]:
            paths = sorted(set(differences(change["before"], change["after"], change.get("after_unknown"))))
        elif "replace_paths" in change:
            paths = sorted({f"(replaced for) {path[0]}" for path in change["replace_paths"]})
        else:
            paths = ["(" + " and ".join(change["actions"]) + ")"]
        for path in paths or ["(update)"]:
            found[(resource["type"], path)].add(resource["address"])
    for name, change in plan.get("output_changes", {}).items():
        if change["actions"] != ["no-op"]:
            found[("output", name)].add(name)
    return found


def compare_drift(run: Run, found: dict[tuple[str, str], set[str]]) -> tuple[list[str], list[str]]:
    """Drift that no line of drift.txt knows, and lines that know what does not occur any more."""
    allowed = {}
    for environments, kind, attribute, reason in table("drift.txt", 4):
        names = environments.split()
        if unknown := set(names) - {*ENVIRONMENTS, "all"}:
            raise Failed(f"drift.txt: {' '.join(sorted(unknown))} is no environment")
        if "all" in names or run.environment in names:
            allowed[(kind, attribute)] = reason
    run.facts["drift"] = [
        {"type": kind, "attribute": attribute, "resources": sorted(found[(kind, attribute)]), "reason": allowed.get((kind, attribute))}
        for kind, attribute in sorted(found)
    ]
    unknown_drift = [
        f"{kind}: {attribute} ({', '.join(sorted(addresses)[:3])}{' …' if len(addresses) > 3 else ''})"
        for (kind, attribute), addresses in sorted(found.items()) if (kind, attribute) not in allowed
    ]
    stale = [f"{kind}: {attribute}" for kind, attribute in sorted(set(allowed) - set(found))]
    return unknown_drift, stale


# --- the run


def bootstrap(run: Run) -> dict[str, Any]:
    """As the README says of an account's first day; its resources stay, as they do there."""
    directory = run.work / "bootstrap"
    variables = [f"-var=account_id={ACCOUNT}", "-var=repository=seiketsu/seiketsu"]
    terraform(run, directory, "apply", "-auto-approve", "-input=false", "-no-color", "-parallelism=30", *variables, log="bootstrap-apply")
    out = subprocess.run(["terraform", "output", "-json"], cwd=directory, check=True, capture_output=True, text=True).stdout
    return {name: value["value"] for name, value in json.loads(out).items()}


def prepare_account(made: dict[str, Any], run: Run) -> None:
    """What is there before the root is applied and is not Terraform's: the domain's zone, and the forwarder that a release put
    into the artifacts bucket."""
    zone, forwarder = make_zone(), put_forwarder(made["artifacts_bucket"])
    secrets = {"JWT_SECRET": "emulator-emulator-emulator-emulator", "DATABASE_PASSWORD": "emulator"}
    os.environ["TF_VAR_secret_values"] = json.dumps(secrets)
    role = made["role_arns"]["apply"]["staging" if run.environment == "staging" else "production"]
    (run.work / "emulator.tfvars").write_text(f"""\
{variables_of(zone)}
account_id           = "{ACCOUNT}"
forwarder_package    = {forwarder}
secrets_written_here = {json.dumps(sorted(secrets))}
deployer_role_arns   = ["{role}"]
""")


def module_of(address: str) -> str:
    found = re.match(r"module\.([a-z_]+)", address)
    return found.group(1) if found else "root"


def check_secrets(run: Run, state: str) -> str:
    """What is written through write-only arguments is in Secrets Manager, and in no state."""
    written = json.loads(os.environ["TF_VAR_secret_values"])
    name = f"seiketsu-{'staging' if run.environment == 'staging' else 'production'}"
    client = boto3.client("secretsmanager")
    for key, value in written.items():
        there = client.get_secret_value(SecretId=f"{name}/{key}")["SecretString"]
        if value != (json.loads(there)["password"] if key == "DATABASE_PASSWORD" else there):
            raise Failed(f"secret {name}/{key} is not what was given")
    if written["JWT_SECRET"] in state:
        raise Failed("the state holds the value of JWT_SECRET")
    return f"{len(written)} secrets written, none of them in the state"


def prove(run: Run) -> None:
    environment = "staging" if run.environment == "staging" else "production"
    with run.step("overlay") as said:
        off = check_off()
        table("drift.txt", 4)
        bootstrap_copy, root = run.work / "bootstrap", run.work / "root"
        copy_bootstrap(bootstrap_copy)
        copy_root(root)
        said.append(f"{len({kind for kind, _, _ in off})} types off")
        run.facts["off"] = [{"type": kind, "overlay": file, "reason": reason} for kind, file, reason in off]

    with run.step("init bootstrap"):
        initialise(run, bootstrap_copy, "bootstrap-init")
        run.facts["versions"] = versions(bootstrap_copy)

    with run.step("emulator") as said:
        address = start_emulator(run)
        os.environ.update(lead_to(address))
        said.append(f"moto {run.facts['versions']['moto']} on {address}")

    with run.step("bootstrap") as said:
        made = bootstrap(run)
        prepare_account(made, run)
        said.append("state bucket, artifacts bucket, roles")

    with run.step("init") as said:
        config = run.work / "backend.hcl"
        config.write_text("".join(f'{key} = "{value}"\n' for key, value in made["backend_config"][environment].items()))
        initialise(run, root, "init", f"-backend-config={config}")
        bucket, key = (made["backend_config"][environment][name] for name in ("bucket", "key"))
        said.append(f"state in s3://{bucket}/{key}")

    before = inventory.take()

    with run.step("plan") as said:
        terraform(run, root, "plan", "-input=false", "-no-color", "-parallelism=30", *run.variables, "-out=first.tfplan", log="plan")
        plan = shown(run, root, "first.tfplan")
        resources = [change for change in plan["resource_changes"] if change["mode"] == "managed"]
        wrong = [change["address"] for change in resources if change["change"]["actions"] != ["create"]]
        if wrong or not resources:
            raise Failed(f"in an empty account everything is created, but not {', '.join(wrong) or 'anything'}")
        modules = collections.Counter(module_of(change["address"]) for change in resources)
        run.facts["resources"] = {"total": len(resources), "types": len({change["type"] for change in resources}), "modules": dict(sorted(modules.items()))}
        still_on = {kind for kind, _, _ in off} & {change["type"] for change in resources}
        if still_on:
            raise Failed(f"off.txt says that these are off, but they are planned: {', '.join(sorted(still_on))}")
        said.append(f"{len(resources)} resources of {run.facts['resources']['types']} types in {len(modules)} modules")

    with run.step("apply") as said:
        done = apply_plan(run, root, "first.tfplan", len(resources), "created", "apply")
        if done["create done"] != len(resources):
            raise Failed(f"{done['create done']} resources were created, {len(resources)} were planned")
        said.append(f"{done['create done']} of {len(resources)} created")

    with run.step("state") as said:
        state = boto3.client("s3").get_object(Bucket=bucket, Key=key)
        text = state["Body"].read().decode()
        in_state = sum(len(each["instances"]) for each in json.loads(text)["resources"] if each["mode"] == "managed")
        if in_state != len(resources):
            raise Failed(f"{in_state} resources are in the state, {len(resources)} were planned")
        said.append(f"{in_state} resources, sealed with {state['ServerSideEncryption']}")
        if state["ServerSideEncryption"] != "aws:kms":
            raise Failed("the state is not sealed with its key")
        said.append(check_secrets(run, text))

    with run.step("outputs") as said:
        out = subprocess.run(["terraform", "output", "-json"], cwd=root, check=True, capture_output=True, text=True).stdout
        values = {name: value["value"] for name, value in json.loads(out).items()}
        count, wrong = outputs.check(values, run.environment)
        if wrong:
            raise Failed("outputs are not as tests/moto/outputs.py has them:\n" + "\n".join(f"      {each}" for each in wrong))
        looked, wrong = outputs.look_up(values, run.environment)
        if wrong:
            raise Failed("the emulator does not know what outputs name:\n" + "\n".join(f"      {each}" for each in wrong))
        run.facts["outputs"] = {"names": len(values), "shapes": count, "looked_up": looked}
        said.append(f"{len(values)} outputs, {count} values of the shape expected, {looked} things that they name found in the emulator")

    with run.step("second plan") as said:
        terraform(
            run, root, "plan", "-input=false", "-no-color", "-parallelism=30", "-detailed-exitcode", *run.variables, "-out=second.tfplan",
            log="second-plan", accept=(0, 2),
        )
        unknown, stale = compare_drift(run, drift_of(shown(run, root, "second.tfplan")))
        run.facts["drift_not_seen"] = stale
        if unknown:
            raise Failed("a second plan would change what drift.txt does not know:\n" + "\n".join(f"      {each}" for each in unknown))
        said.append(f"{len(run.facts['drift'])} kinds of drift, all known" if run.facts["drift"] else "no drift")
        if stale:
            said.append(f"{len(stale)} lines of drift.txt not seen")
    for each in stale:
        run.say(f"  drift.txt: not seen any more, to be removed: {each}")

    with run.step("destroy") as said:
        destroy(run, root, said)

    with run.step("leftovers") as said:
        after = inventory.take()
        left, stays = inventory.compare(before, after)
        objects = boto3.client("s3").list_objects_v2(Bucket=bucket).get("Contents", [])
        if [each["Key"] for each in objects] != [key]:
            raise Failed(f"beside the state, its bucket holds {', '.join(each['Key'] for each in objects if each['Key'] != key)}")
        if json.loads(boto3.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read())["resources"]:
            raise Failed("the state still has resources")
        kept = [" ".join(each) for each in asked(address)["kept"]]
        if left or kept:
            raise Failed("destroyed, but still there:\n" + "\n".join(f"      {each}" for each in [*left, *kept]))
        run.facts["stays"] = stays
        run.facts["asked"] = len(inventory.QUESTIONS)
        said.append(f"nothing in {len(inventory.QUESTIONS)} lists beyond {len(stays)} things that are meant to stay")

    answers = asked(address)
    run.facts["stand_ins"] = {"used": len(answers["used"]), "calls": sum(answers["used"].values()), "unused": answers["unused"]}
    run.say(f"{len(answers['used'])} operations answered by stand-ins, {len(answers['unused'])} never asked for")


def destroy(run: Run, root: Path, said: list[str]) -> None:
    """Production refuses to be destroyed until its protection is lifted, which is a change of its own."""
    protected = json.loads(subprocess.run(
        ["terraform", "show", "-json"], cwd=root, check=True, capture_output=True, text=True).stdout)
    instances = [
        each for module in protected["values"]["root_module"]["child_modules"] for each in module.get("resources", [])
        if each["type"] == "aws_db_instance" and each["values"]["deletion_protection"]
    ]
    variables, lifted = run.variables, 0
    if instances:
        client = boto3.client("rds")
        try:
            client.delete_db_instance(DBInstanceIdentifier=instances[0]["values"]["identifier"], SkipFinalSnapshot=True)
        except ClientError as error:
            if "deletion protection" not in str(error).lower():
                raise Failed(f"the database refused to be deleted for another reason than its protection: {error}") from error
        else:
            raise Failed("the database let itself be deleted in spite of its protection")
        variables = [*variables, "-var=deletion_protection=false"]
        out = terraform(
            run, root, "apply", "-auto-approve", "-refresh=false", "-input=false", "-no-color", "-parallelism=30", *variables, log="unprotect"
        ).stdout
        found = re.search(r"Apply complete! Resources: 0 added, \d+ changed, (\d+) destroyed", out)
        if found is None:
            raise Failed("lifting the protection adds something")
        lifted = int(found.group(1))
        said.append(f"refused while protected; protection lifted ({lifted} of it were resources)")
    # What is there was read a moment ago, and nobody else has been here.
    terraform(run, root, "plan", "-destroy", "-refresh=false", "-input=false", "-no-color", *variables, "-out=destroy.tfplan", log="destroy-plan")
    total = sum("delete" in change["change"]["actions"] for change in shown(run, root, "destroy.tfplan")["resource_changes"])
    done = apply_plan(run, root, "destroy.tfplan", total, "destroyed", "destroy")
    if done["delete done"] != total or total + lifted != run.facts["resources"]["total"]:
        raise Failed(f"{done['delete done']} of {total} resources were destroyed, {run.facts['resources']['total']} had been created")
    said.append(f"{total} destroyed")


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/infra-apply-local", description=__doc__)
    parser.add_argument("--environment", choices=ENVIRONMENTS, default="staging")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the result there")
    parser.add_argument("--record", action="store_true", help="write docs/infrastructure/apply-local.md")
    arguments = parser.parse_args()
    target = arguments.json.resolve() if arguments.json else None

    run = Run(arguments.environment, arguments.environment)
    code, result = lead(run, prove)
    if target:
        target.write_text(json.dumps(result, indent=2) + "\n")
    if result["verdict"] == "passed":
        if arguments.record:
            record.write(result)
        print(f"{run.environment}: {run.facts['resources']['total']} resources applied, proved and destroyed in {result['seconds']} s", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
