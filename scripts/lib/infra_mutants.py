"""Breaks a copy of the Terraform, one mutant at a time, and expects an assertion to fail. scripts/infra-mutants runs it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

SOURCE = Path("infrastructure/terraform")
COPY = Path("target/infra/mutants")
ENVIRONMENTS = ["staging", "production", "production-right-sized"]


def terraform(directory: Path, *arguments: str) -> tuple[int, str]:
    out = subprocess.run(["terraform", *arguments], cwd=directory, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return out.returncode, out.stdout


def directory_of(by: str) -> Path:
    if by in ENVIRONMENTS:
        return COPY
    return COPY / by if by == "bootstrap" else COPY / "modules" / by


def prepare(by: str, ready: set[Path]) -> None:
    directory = directory_of(by)
    if directory in ready:
        return
    mirror = os.environ.get("TF_PLUGIN_DIR")
    code, said = terraform(directory, "init", "-backend=false", "-input=false", "-no-color", *([f"-plugin-dir={Path(mirror).resolve()}"] if mirror else []))
    if code != 0:
        sys.exit(f"terraform init in {directory} failed:\n{said}")
    ready.add(directory)


def noticed(by: str) -> list[str]:
    """Messages of assertions that fail."""
    chosen = [f"-filter=tests/{by}.tftest.hcl", f"-var-file=environments/{by}.tfvars"] if by in ENVIRONMENTS else []
    code, said = terraform(directory_of(by), "test", "-no-color", *chosen)
    if code == 0:
        return []
    # Each has a place, the values that were compared, and then its message, which is the first text at the margin.
    failed = [re.search(r"(?m)^(?!\s|on )\S.*$", block) for block in said.split("Error: Test assertion failed\n")[1:]]
    messages = [found.group() for found in failed if found]
    # A mutant that is no valid configuration proves nothing.
    return messages or [f"(no assertion) {said[-400:]}"]


def main() -> int:
    mutants = tomllib.loads((SOURCE / "tests/mutants.toml").read_text())["mutant"]
    chosen = [each for each in mutants if not sys.argv[1:] or each["by"] in sys.argv[1:]]
    shutil.rmtree(COPY, ignore_errors=True)
    shutil.copytree(SOURCE, COPY, ignore=shutil.ignore_patterns(".terraform", "moto", "*.tfstate*"))
    if not chosen:
        sys.exit(f"no mutant is of {' or '.join(sys.argv[1:])}; there are {', '.join(sorted({each['by'] for each in mutants}))}")
    ready: set[Path] = set()
    for by in dict.fromkeys(each["by"] for each in chosen):
        prepare(by, ready)
        if messages := noticed(by):
            sys.exit(f"the tests of {by} fail already without a mutant: {messages[0]}")
    wrong = 0
    for mutant in chosen:
        path = COPY / mutant["file"]
        whole = path.read_text()
        pattern = r"\s+".join(re.escape(word) for word in mutant["from"].split())
        places = len(re.findall(pattern, whole))
        old, new = (" ".join(mutant[side].split()) for side in ("from", "to"))
        what = f"{mutant['file']}: {old} -> {new or 'nothing'}"
        if places != 1:
            print(f"  STALE     {what}: found {places} times, expected once", flush=True)
            wrong += 1
            continue
        path.write_text(re.sub(pattern, lambda _: mutant["to"], whole))
        messages = noticed(mutant["by"])
        path.write_text(whole)
        if messages and not messages[0].startswith("(no assertion)"):
            print(f"  noticed   {what}\n            {messages[0]}", flush=True)
        else:
            print(f"  {'INVALID ' if messages else 'SURVIVED'}  {what}\n            {messages[0] if messages else 'every test passed'}", flush=True)
            wrong += 1
    print(f"{len(chosen)} mutants, {len(chosen) - wrong} noticed, {wrong} not")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
