"""What runs on the emulator have in common: where they work, the emulator itself, Terraform, and how they end."""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import datetime
import io
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
REPOSITORY = ROOT.parent.parent

ACCOUNT = "123456789012"
DOMAIN = "seiketsu.example.com"
ENVIRONMENTS = ["staging", "production", "production-right-sized"]
IMAGE_DIGEST = "sha256:" + "0123456789abcdef" * 4


class Failed(Exception):
    """What was asked of the infrastructure does not hold."""


class Skipped(Exception):
    """A tool is missing, so nothing was tried."""


@dataclasses.dataclass
class Step:
    name: str
    seconds: float
    said: str


class Run:
    """What is known of one run: where it works, what it has done, how long that took."""

    def __init__(self, environment: str, name: str) -> None:
        self.environment = environment
        self.name = name
        self.work = REPOSITORY / "target/infra/apply-local" / name
        shutil.rmtree(self.work, ignore_errors=True)
        self.work.mkdir(parents=True)
        self.began = time.monotonic()
        self.steps: list[Step] = []
        self.facts: dict[str, Any] = {}
        self.emulator: subprocess.Popen[bytes] | None = None
        self.child: subprocess.Popen[str] | None = None

    def say(self, text: str) -> None:
        minutes, seconds = divmod(int(time.monotonic() - self.began), 60)
        print(f"  {minutes:2d}:{seconds:02d}  {text}", file=sys.stderr, flush=True)

    @contextlib.contextmanager
    def step(self, name: str) -> Iterator[list[str]]:
        began, said = time.monotonic(), list[str]()
        yield said
        step = Step(name, round(time.monotonic() - began, 1), ", ".join(said))
        self.steps.append(step)
        self.say(f"{name}: {step.said or 'ok'} ({step.seconds:.0f} s)")

    @property
    def variables(self) -> list[str]:
        return [f"-var-file=environments/{self.environment}.tfvars", f"-var-file={self.work}/emulator.tfvars"]


# --- the emulator


def start_emulator(run: Run) -> str:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    log = (run.work / "emulator.log").open("wb")
    environment = {**os.environ, "MOTO_IAM_LOAD_MANAGED_POLICIES": "true", "PYTHONDONTWRITEBYTECODE": "1"}
    run.emulator = subprocess.Popen(
        [sys.executable, str(HERE / "emulator.py"), str(port)], stdout=log, stderr=log, env=environment, start_new_session=True,
    )
    address = f"http://127.0.0.1:{port}"
    for _ in range(240):
        if run.emulator.poll() is not None:
            raise Failed(f"the emulator did not start: see {run.work}/emulator.log")
        with contextlib.suppress(OSError):
            asked(address)
            return address
        time.sleep(0.25)
    raise Failed("the emulator did not answer within a minute")


def asked(address: str) -> dict[str, Any]:
    """What the emulator says of its stand-ins."""
    with urllib.request.urlopen(f"{address}/seiketsu/answers", timeout=10) as answer:
        return dict(json.load(answer))


def alive(run: Run) -> bool:
    return run.emulator is not None and run.emulator.poll() is None


# --- Terraform


def terraform(run: Run, directory: Path, *arguments: str, log: str, accept: tuple[int, ...] = (0,)) -> subprocess.CompletedProcess[str]:
    """Runs it to its end, its output in a log. The emulator is looked after meanwhile: without it, Terraform would go on
    trying for many minutes and then name a hundred errors instead of the one that matters."""
    path = run.work / f"{log}.log"
    with path.open("w") as out:
        run.child = subprocess.Popen(
            ["terraform", *arguments], cwd=directory, stdout=out, stderr=subprocess.STDOUT, text=True, start_new_session=True,
        )
        while run.child.poll() is None:
            if run.emulator is not None and not alive(run):
                stop(run.child)
                raise Failed(f"the emulator died while `terraform {arguments[0]}` ran (see {run.work}/emulator.log)")
            time.sleep(0.2)
    code = run.child.returncode
    run.child = None
    text = path.read_text()
    if code not in accept:
        raise Failed(f"`terraform {' '.join(arguments[:2])}` failed, {path} has all of it:\n{errors_in(text)}")
    return subprocess.CompletedProcess(arguments, code, text)


def errors_in(text: str) -> str:
    """Errors of a log, whether of lines or of JSON events; its end if there is none."""
    found = []
    for line in text.splitlines():
        with contextlib.suppress(ValueError):
            event = json.loads(line)
            if event.get("@level") == "error":
                diagnostic = event.get("diagnostic", {})
                found.append(f"{diagnostic.get('address', '')} {event['@message']} {diagnostic.get('detail', '')[:300]}".strip())
    found += re.findall(r"^(?:│ )?Error: (.*)$", text, re.MULTILINE)
    return "\n".join(f"      {error}" for error in found or text.splitlines()[-10:])


def shown(run: Run, directory: Path, plan: str) -> dict[str, Any]:
    out = subprocess.run(["terraform", "show", "-json", plan], cwd=directory, check=True, capture_output=True, text=True)
    return dict(json.loads(out.stdout))


def apply_plan(run: Run, directory: Path, plan: str, total: int, verb: str, log: str) -> collections.Counter[str]:
    """Applies a plan and says every quarter of a minute how far it is."""
    path = run.work / f"{log}.log"
    done: collections.Counter[str] = collections.Counter()
    running: dict[str, float] = {}
    with path.open("w") as out:
        run.child = subprocess.Popen(
            ["terraform", "apply", "-json", "-input=false", "-parallelism=30", plan], cwd=directory, stdout=out,
            stderr=subprocess.STDOUT, text=True, start_new_session=True,
        )
        spoken = time.monotonic()
        with path.open() as events:
            rest = ""
            while True:
                over = run.child.poll() is not None
                # The last line may not be whole yet.
                rest += events.read()
                *lines, rest = rest.split("\n")
                for line in lines:
                    with contextlib.suppress(ValueError):
                        event = json.loads(line)
                        address = event.get("hook", {}).get("resource", {}).get("addr", "")
                        if event["type"] == "apply_start":
                            running[address] = time.monotonic()
                        elif event["type"] in ("apply_complete", "apply_errored"):
                            running.pop(address, None)
                            done[f"{event['hook']['action']} {'done' if event['type'] == 'apply_complete' else 'failed'}"] += 1
                if over:
                    break
                if not alive(run):
                    stop(run.child)
                    raise Failed(
                        f"the emulator died in the middle of `terraform apply`, {sum(done.values())} of {total} {verb} "
                        f"(see {run.work}/emulator.log)"
                    )
                if time.monotonic() - spoken > 15:
                    spoken = time.monotonic()
                    slowest = min(running, key=lambda address: running[address]) if running else ""
                    waits = f", waits for {slowest}" if running and len(running) < 4 else ""
                    run.say(f"  {sum(done.values())} of {total} {verb}{waits}")
                time.sleep(0.2)
    code = run.child.returncode
    run.child = None
    if code != 0:
        raise Failed(f"`terraform apply` failed, {path} has all of it:\n{errors_in(path.read_text())}")
    return done


def stop(process: subprocess.Popen[Any]) -> None:
    """Politely, and after ten seconds not. Each leads a group of its own, so that providers go with the Terraform that started
    them: by themselves they would stay for ever."""
    if process.poll() is None:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(10)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


# --- what is laid over the root


LEFT_OUT = shutil.ignore_patterns(".terraform", "tests", ".terraform.lock.hcl", "*.tfstate*", "terraform.tfvars")


def copy_root(to: Path) -> None:
    """The root, and what the emulator needs laid over it."""
    to.mkdir()
    for path in [*sorted(ROOT.glob("*.tf")), *(ROOT / name for name in ["modules", "objectives", "environments"])]:
        if path.is_dir():
            shutil.copytree(path, to / path.name, ignore=LEFT_OUT)
        else:
            shutil.copy(path, to)
    shutil.copytree(HERE / "overlay/root", to, dirs_exist_ok=True)


def copy_bootstrap(to: Path) -> None:
    """Bootstrap likewise."""
    shutil.copytree(ROOT / "bootstrap", to, ignore=LEFT_OUT)
    shutil.copytree(HERE / "overlay/bootstrap", to, dirs_exist_ok=True)


def table(name: str, columns: int) -> list[list[str]]:
    """Lines of a table in this directory; each has all its columns, or it is refused."""
    rows = []
    for number, line in enumerate((HERE / name).read_text().splitlines(), 1):
        if line.strip() and not line.startswith("#"):
            row = [field.strip() for field in line.split("|")]
            if len(row) != columns or not all(row) or len(row[-1]) < 10:
                raise Failed(f"{name}, line {number}: expected {columns} columns, the last of them a reason")
            rows.append(row)
    return rows


# --- an account


def lead_to(address: str) -> dict[str, str]:
    """Variables of the environment that lead everybody to the emulator, and nobody into an account."""
    # Requests whose host begins with the account's number resolve nowhere: they come as a proxy's. Loopback itself never does.
    return {
        "AWS_ENDPOINT_URL": address, "AWS_ACCESS_KEY_ID": "emulator", "AWS_SECRET_ACCESS_KEY": "emulator", "HTTP_PROXY": address,
        "AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1", "NO_PROXY": "127.0.0.1,localhost",
    }


def make_zone() -> str:
    """The domain's zone, which is there before everything else."""
    zone = boto3.client("route53").create_hosted_zone(Name=DOMAIN, CallerReference="emulator")
    return str(zone["HostedZone"]["Id"]).rpartition("/")[2]


def put_forwarder(bucket: str) -> str:
    """The forwarder that a release put into the artifacts bucket; what Terraform is told of it."""
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("bootstrap", "#!/bin/sh\n")
    boto3.client("s3").put_object(Bucket=bucket, Key="forwarder/1.zip", Body=package.getvalue())
    return f'{{ bucket = "{bucket}", key = "forwarder/1.zip" }}'


def variables_of(zone: str) -> str:
    """What no file of the repository can know, as somebody would fill in terraform.tfvars."""
    return f"""\
domain            = "{DOMAIN}"
zone_id           = "{zone}"
image_digest      = "{IMAGE_DIGEST}"
variables         = {{ TWILIO_ACCOUNT_SID = "AC{'0' * 32}" }}
alert_emails      = ["operations@example.com"]
dedicated_tenants = {{ acme = {{}} }}
"""


def versions(directory: Path) -> dict[str, str]:
    import moto

    out = json.loads(subprocess.run(["terraform", "version", "-json"], cwd=directory, check=True, capture_output=True, text=True).stdout)
    return {
        "terraform": out["terraform_version"],
        "hashicorp/aws": out["provider_selections"]["registry.terraform.io/hashicorp/aws"],
        "moto": moto.__version__,
        "python": sys.version.split()[0],
    }


def initialise(run: Run, directory: Path, log: str, *arguments: str) -> None:
    mirror = os.environ.get("TF_PLUGIN_DIR")
    try:
        terraform(
            run, directory, "init", "-input=false", "-no-color", *([f"-plugin-dir={mirror}"] if mirror else []), *arguments, log=log
        )
    except Failed as error:
        if not mirror and "registry" in str(error).lower():
            raise Skipped("hashicorp/aws is not installed and no registry answers (TF_PLUGIN_DIR names a directory that has it)") from error
        raise


# --- how a run ends


def lead(run: Run, prove: Callable[[Run], None]) -> tuple[int, dict[str, Any]]:
    """Proves something, stops whatever was started, says how it ended: the exit code, and the result for programs."""
    # An interrupt is a failure like any other: what was started is stopped.
    signal.signal(signal.SIGTERM, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt()))
    run.say(f"{run.name}; logs are in {run.work.relative_to(REPOSITORY)}")
    verdict, problem = "failed", ""
    try:
        prove(run)
        verdict = "passed"
    except Skipped as reason:
        verdict, problem = "skipped", str(reason)
    except (Failed, ClientError, BotoCoreError, OSError, subprocess.SubprocessError) as error:
        problem = str(error)
        if run.emulator is not None and not alive(run) and "emulator died" not in problem:
            problem = f"the emulator died (see {run.work}/emulator.log); {problem}"
        if isinstance(error, subprocess.CalledProcessError) and error.stderr:
            problem += f"\n{error.stderr}"
    except KeyboardInterrupt:
        problem = "interrupted"
    finally:
        for process in (run.child, run.emulator):
            if process is not None:
                stop(process)
    seconds = round(time.monotonic() - run.began)
    if verdict == "skipped":
        print(f"SKIPPED: {problem}", file=sys.stderr)
    if verdict == "failed":
        print(f"FAILED after {seconds} s, {len(run.steps)} steps done: {problem}", file=sys.stderr)
    return int(verdict == "failed"), {
        "name": run.name,
        "environment": run.environment,
        "verdict": verdict,
        "problem": problem or None,
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "seconds": seconds,
        "steps": [dataclasses.asdict(step) for step in run.steps],
        **run.facts,
    }
