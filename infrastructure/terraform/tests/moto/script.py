"""Runs the deploy script against the emulator, from nothing to outputs and back. scripts/infra-deploy-local runs this."""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import boto3

import inventory
import outputs
import record
from harness import (
    ACCOUNT,
    HERE,
    REPOSITORY,
    Failed,
    Run,
    alive,
    copy_bootstrap,
    copy_root,
    lead,
    lead_to,
    make_zone,
    put_forwarder,
    start_emulator,
    stop,
    variables_of,
    versions,
)

SCRIPT = REPOSITORY / "scripts/deploy-infrastructure.sh"
# What the Quick Start exports. Each is told from everything else that may be printed, so that it is found wherever it gets to.
SECRETS = {
    "ELEVENLABS_API_KEY": "xi-3f1c8a52d7e94b06",
    "OPENAI_API_KEY": "sk-proj-7d20b9e1c4f8a365",
    "JWT_SECRET": "jwt-5e8f02c7a91b4d63-5e8f02c7a91b4d63",
    "MONITORING_API_KEY": "21dev-c9a4e07f3b5d1826",
    "SUPABASE_KEY": "sb-18f6d3a0e7b2c594",
}
# Exit codes of `seiketsu infra`.
DONE, MISSING, NOT_CONFIRMED, INTERRUPTED = 0, 5, 6, 8


class Place:
    """Where the script works, and what it is told."""

    def __init__(self, run: Run, environment: str) -> None:
        self.run, self.environment = run, environment
        self.root, self.work, self.home = run.work / "root", run.work / "var", run.work / "home"
        self.home.mkdir()
        self.variables: dict[str, str] = {}
        self.transcript = run.work / "transcript.txt"
        self.runs = 0

    def script(
        self, action: str, *options: str, expect: int = DONE, typed: str = "", interrupt_after: int = 0, in_bootstrap: bool = False,
        bare: bool = False,
    ) -> tuple[str, str]:
        """Runs it; what it wrote to stdout and stderr. `interrupt_after`: SIGTERM after so many steps of the environment's plan,
        or, `in_bootstrap`, of the one that comes first."""
        self.runs += 1
        where = ["--root", str(self.root), "--work", str(self.work)] if action != "cost" else ["--work", str(self.work)]
        command = [str(SCRIPT), self.environment, action, *options, *where]
        kept = ["PATH", "TF_PLUGIN_DIR", "TF_CLI_CONFIG_FILE", "CARGO_TARGET_DIR", "SEIKETSU", "CARGO_HOME", "RUSTUP_HOME"]
        environment = {name: os.environ[name] for name in kept if name in os.environ} | {"HOME": str(self.home)}
        if not bare:
            environment |= self.variables | SECRETS
        out_path, err_path = (self.run.work / f"{self.runs:02d}-{action}.{kind}" for kind in ("out", "err"))
        with out_path.open("w") as out, err_path.open("w") as err:
            self.run.child = child = subprocess.Popen(
                command, env=environment, stdin=subprocess.PIPE, stdout=out, stderr=err, text=True, start_new_session=True,
            )
            assert child.stdin is not None
            child.stdin.write(typed)
            child.stdin.close()
            interrupted = False
            while child.poll() is None:
                if self.run.emulator is not None and not alive(self.run):
                    stop(child)
                    raise Failed(f"the emulator died while the script ran (see {self.run.work}/emulator.log)")
                if interrupt_after and not interrupted and self.steps_done(err_path, in_bootstrap) >= interrupt_after:
                    child.terminate()
                    interrupted = True
                time.sleep(0.05)
        self.run.child = None
        told, said = out_path.read_text(), err_path.read_text()
        with self.transcript.open("a") as transcript:
            transcript.write(f"$ deploy-infrastructure.sh {self.environment} {action} {' '.join(options)}\n{said}{told}exit code {child.returncode}\n\n")
        if child.returncode != expect:
            raise Failed(f"`{action}` ended with {child.returncode}, expected {expect} ({err_path}):\n{said[-2000:]}")
        for name, secret in SECRETS.items():
            if secret in told + said:
                raise Failed(f"`{action}` shows the value of {name} ({err_path})")
        return told, said

    @staticmethod
    def steps_done(log: Path, in_bootstrap: bool) -> int:
        """Steps of the plan that is being applied: bootstrap's come before the line that tells of the environment's."""
        first, *later = re.split(r"(?m)^terraform apply .*$", log.read_text())
        told = first if in_bootstrap else "".join(later[-1:])
        return len(re.findall(r"(?m)^ +\[ *\d+/\d+\] ", told))


def must_say(what: str, said: str, *expected: str) -> None:
    for each in expected:
        if each not in said:
            raise Failed(f"{what} does not say {each!r}:\n{said[-3000:]}")


def journal(place: Place) -> dict[str, Any]:
    return dict(json.loads((place.work / place.environment / "journal.json").read_text()))


def state(place: Place) -> dict[str, Any]:
    key = f"{place.environment}/terraform.tfstate"
    return dict(json.loads(boto3.client("s3").get_object(Bucket=f"seiketsu-state-{ACCOUNT}", Key=key)["Body"].read()))


def prove(run: Run) -> None:
    whole = run.facts["root"] == "whole"
    place = Place(run, run.environment)
    with run.step("the root"):
        if whole:
            copy_root(place.root)
        else:
            shutil.copytree(HERE / "small", place.root)
        copy_bootstrap(place.root / "bootstrap")

    with run.step("check, with nothing set") as said:
        told, _ = place.script("check", "--json", expect=MISSING, bare=True)
        missing = {each["what"] for each in json.loads(told) if not each["ok"]}
        wanted = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", *SECRETS, "domain", "zone_id", "image_digest", "variables"}
        if not wanted <= missing:
            raise Failed(f"check does not name {', '.join(sorted(wanted - missing))}")
        said.append(f"{len(wanted)} missing variables named")

    with run.step("emulator"):
        place.variables = lead_to(start_emulator(run))
        os.environ.update(place.variables)
        zone = make_zone()
        (place.root / "terraform.tfvars").write_text(variables_of(zone))

    with run.step("check") as said:
        told, _ = place.script("check", "--json")
        found = {each["what"]: each for each in json.loads(told)}
        must_say("check", found["credentials"]["detail"], ACCOUNT)
        if found["state"]["ok"] or found["state"]["needed"]:
            raise Failed(f"there is no state yet, and `apply` makes it; check says {found['state']}")
        said.append("credentials known, no state yet")

    with run.step("plan, before bootstrap"):
        _, told = place.script("plan", expect=MISSING)
        must_say("plan", told, "no state bucket yet")

    confirmed = ["--yes", place.environment] if place.environment == "production" else []
    if confirmed:
        with run.step("apply, not confirmed"):
            _, told = place.script("apply", "--repository", "seiketsu/seiketsu", expect=NOT_CONFIRMED, typed="staging\n")
            must_say("apply", told, "nothing was changed")
            if boto3.client("s3").list_buckets()["Buckets"]:
                raise Failed("there are buckets, although nobody confirmed anything")

    before = inventory.take()
    with run.step("apply, interrupted in bootstrap") as said:
        _, told = place.script(
            "apply", "--repository", "seiketsu/seiketsu", *confirmed, expect=INTERRUPTED, interrupt_after=3, in_bootstrap=True,
        )
        must_say("apply", told, "bootstrap first", "run the same command again to go on")
        if "terraform apply" in told:
            raise Failed(f"it went on to the environment:\n{told}")
        done = re.findall(r"after (\d+) of (\d+) steps", told)
        said.append(f"{done[-1][0]} of {done[-1][1]} steps" if done else "no steps told")

    with run.step("apply, interrupted") as said:
        _, told = place.script(
            "apply", "--repository", "seiketsu/seiketsu", *confirmed, expect=INTERRUPTED, interrupt_after=60 if whole else 2,
        )
        must_say("apply", told, "was not finished: it comes first", "gives the lock back", "run the same command again to go on")
        if destroyed := re.findall(r"(?m)^ +\[.*\] destroyed .*$", told):
            raise Failed("the second run destroys what bootstrap had made:\n" + "\n".join(destroyed))
        entry = journal(place)
        if entry["stage"] != "interrupted" or not 0 < entry["done"] < entry["steps"]:
            raise Failed(f"the journal does not say that it was interrupted in the middle: {entry}")
        said.append(f"bootstrap finished, then {entry['done']} of {entry['steps']} steps")
        first = entry

    with run.step("destroy, not confirmed"):
        _, told = place.script("destroy", expect=NOT_CONFIRMED)
        must_say("destroy", told, "nothing was changed")

    with run.step("apply, again") as said:
        told, log = place.script("apply", "--json", *confirmed)
        values = json.loads(told)
        run.facts["versions"] = versions(place.root)
        entry = journal(place)
        if entry["stage"] != "applied":
            raise Failed(f"the journal does not say that it was applied: {entry}")
        # What AWS had made when the interrupt cut off the answer is kept: a secret that is destroyed keeps its name for weeks.
        if destroyed := re.findall(r"(?m)^ +\[.*\] destroyed .*$", log):
            raise Failed("the second run destroys what the first one has made:\n" + "\n".join(destroyed))
        made = sum(len(each["instances"]) for each in state(place)["resources"] if each["mode"] == "managed")
        if made != first["steps"]:
            raise Failed(f"{made} resources are in the state, {first['steps']} were planned")
        kept = log.count("it is kept")
        said.append(f"went on with {entry['done']} steps; {kept} that were being made at the interrupt are kept; all {made} are there")

    with run.step("output") as said:
        told, _ = place.script("output")
        written = json.loads((place.work / place.environment / "outputs.json").read_text())
        if not json.loads(told) == written == values:
            raise Failed("output, outputs.json and what apply printed are not the same")
        if whole:
            compared, wrong = outputs.check(values, run.environment)
            if wrong:
                raise Failed("outputs are not as outputs.py has them:\n" + "\n".join(f"      {each}" for each in wrong))
            said.append(f"{len(values)} outputs, {compared} values of the shape expected")
        else:
            if values["key"] != "(secret)" or len(values["topic_arns"]) != 1:
                raise Failed(f"unexpected outputs: {values}")
            said.append(f"{len(values)} outputs")

    with run.step("a change") as said:
        bucket = f"seiketsu-artifacts-{ACCOUNT}"
        change = f"forwarder_package = {put_forwarder(bucket)}\n" if whole else "topics = 3\n"
        (place.root / "terraform.tfvars").write_text(variables_of(zone) + change)
        _, told = place.script("plan")
        must_say("plan", told, " before, ", " after", "saved; ")
        costs = re.search(r"\$[\d.,]+(?:-[\d.,]+)? before, \$[\d.,]+(?:-[\d.,]+)? after", told)
        _, told = place.script("apply", *confirmed)
        must_say("apply", told, "taking that plan up", "steps done")
        if costs:
            said.append(costs.group())
        said.append(f"{journal(place)['steps']} steps, the kept plan taken up")

    if not whole:
        with run.step("plan, with nothing to do"):
            _, told = place.script("plan", "--json")
            if "saved" in told:
                raise Failed(f"nothing was changed, but there is something to do:\n{told}")

    with run.step("cost") as said:
        table, _ = place.script("cost", "--json")
        said.append(f"{len(json.loads(table)['plans'])} plan priced")

    with run.step("destroy") as said:
        _, told = place.script("destroy", typed=f"{place.environment}\n")
        must_say("destroy", told, "everything of the environment is destroyed; the state bucket stays")
        said.append(f"{journal(place)['done']} destroyed")

    with run.step("what is left") as said:
        if state(place)["resources"]:
            raise Failed("the state still has resources")
        left, stays = inventory.compare(before, inventory.take())
        stays_for_good = made_by_bootstrap()
        left = [each for each in left if each.partition(": ")[2] not in stays_for_good]
        if left:
            raise Failed("destroyed, but still there:\n" + "\n".join(f"      {each}" for each in left))
        said.append(f"bootstrap, and {len(stays)} things that are meant to stay")

    with run.step("secrets") as said:
        files = [path for path in run.work.rglob("*") if path.is_file() and path.name != "emulator.log" and not path.is_symlink()]
        for path in files:
            content = path.read_bytes() if ".terraform" not in path.parts and "providers" not in path.parts else b""
            for name, secret in SECRETS.items():
                if secret.encode() in content:
                    raise Failed(f"{path} holds the value of {name}")
        said.append(f"in none of {len(files)} files, nor on any screen of {place.runs} runs")


def made_by_bootstrap() -> set[str]:
    """What an account keeps after its first day: the buckets of state and artifacts, their key, the roles of the workflows."""
    alias = "alias/seiketsu-state"
    key = boto3.client("kms").describe_key(KeyId=alias)["KeyMetadata"]["KeyId"]
    roles = {f"seiketsu-{environment}-{may}" for environment in ("staging", "production") for may in ("plan", "apply")}
    return {f"seiketsu-state-{ACCOUNT}", f"seiketsu-artifacts-{ACCOUNT}", alias, f"{key} (Enabled)", *roles}


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/infra-deploy-local", description=__doc__)
    parser.add_argument("--whole", action="store_true", help="the whole root, as staging, instead of a small one, as production")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the result there")
    parser.add_argument("--record", action="store_true", help="write docs/infrastructure/apply-local.md")
    arguments = parser.parse_args()
    target = arguments.json.resolve() if arguments.json else None
    run = Run("staging" if arguments.whole else "production", "script-whole" if arguments.whole else "script")
    run.facts["root"] = "whole" if arguments.whole else "small"
    code, result = lead(run, prove)
    if target:
        target.write_text(json.dumps(result, indent=2) + "\n")
    if result["verdict"] == "passed":
        if arguments.record:
            record.write(result)
        print(f"the deploy script, {run.facts['root']} root: from nothing to outputs and back in {result['seconds']} s", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
