"""Writes what a run has shown into docs/infrastructure/apply-local.md: one part for each environment, the others are kept."""

from __future__ import annotations

import collections
import re
from typing import Any

from harness import ENVIRONMENTS, REPOSITORY

HEAD = """\
# The infrastructure, applied onto an emulator

Written by `scripts/infra-apply-local --record`, the last run for each environment, and `scripts/infra-deploy-local --record`, the
last runs of the deploy script. What is run and what it shows, and what it cannot: [the tests'
README](../../infrastructure/terraform/tests/moto/README.md).
"""
PAGE = REPOSITORY / "docs/infrastructure/apply-local.md"
TITLES = {"script": "The deploy script, with a small root", "script-whole": "The deploy script, with the whole root of staging"}
ORDER = [*ENVIRONMENTS, *TITLES]


def rows(head: list[str], lines: list[list[Any]]) -> str:
    return "\n".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in [head, ["---"] * len(head), *lines])


def title(name: str) -> str:
    return TITLES.get(name, name)


def part(result: dict[str, Any]) -> str:
    text = [
        f"## {title(result['name'])}",
        f"{result['date']}, {result['seconds']} seconds, with " + ", ".join(f"{name} {version}" for name, version in result["versions"].items()) + ".",
        rows(["step", "seconds", "what it said"], [[step["name"], step["seconds"], re.sub(r"127\.0\.0\.1:\d+", "loopback", step["said"]) or "ok"] for step in result["steps"]]),
    ]
    if "resources" in result:
        text += applied(result)
    return "\n\n".join(text) + "\n"


def applied(result: dict[str, Any]) -> list[str]:
    """What a run that looks at everything has found besides."""
    modules = result["resources"]["modules"]
    text = [
        f"**Resources:** {result['resources']['total']} of {result['resources']['types']} types: "
        + ", ".join(f"{name} {count}" for name, count in modules.items()) + ".",
        "**Switched off:** " + (", ".join(f"`{each['type']}` ({each['reason']})" for each in result["off"]) if result["off"] else "nothing") + ".",
        f"**Stand-ins:** {result['stand_ins']['used']} operations, {result['stand_ins']['calls']} times; what they are is in answers.py.",
        "**A second plan without a change** would change what follows, all of it known:" if result["drift"] else "**A second plan without a change** would change nothing.",
    ]
    if result["drift"]:
        text.append(rows(["type", "attribute", "resources", "reason"], [[f"`{each['type']}`", f"`{each['attribute']}`", len(each["resources"]), each["reason"]] for each in result["drift"]]))
    if result["stays"]:
        kinds = collections.Counter(result["stays"])
        text.append("**Left after destroying**, as is meant: " + ", ".join(f"{count} {kind}" for kind, count in kinds.items()) + ".")
    else:
        text.append("**Left after destroying:** nothing.")
    return text


def write(result: dict[str, Any]) -> None:
    known = {}
    if PAGE.exists():
        for found in re.split(r"(?m)^(?=## )", PAGE.read_text())[1:]:
            known[found.partition("\n")[0].removeprefix("## ")] = found.strip() + "\n"
    known[title(result["name"])] = part(result)
    PAGE.write_text(HEAD + "\n" + "\n".join(known[title(name)] for name in ORDER if title(name) in known))
