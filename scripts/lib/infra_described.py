"""Checks docs/infrastructure/described.md against the committed plans, the declarations and the tests it names.

A row is `| 3.1 Part: "line" | resources | proofs |`, with items of a cell between <br>:

  resource  `module.a.type.name` in [file]              in one plan at least, declared in that file of that module
            `…` (staging: `multi_az = false`) in [file] and so in that plan, at one of its instances at least
            `…` (off) in [file]                         in none of the plans, and declared there all the same
            [file]                                      a file alone
            none
  proof     [file] `run`: "piece"                       exactly one assertion of that run, or what it expects to fail, has the piece
  remark    *Differs:* *Elsewhere:* *Not built:* *Note:* and words; what they link exists

Where a [file] is stands at the end of the document. A row without a proof says why, by a remark that is no note. Run from the
repository's root.
"""

from __future__ import annotations

import functools
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

DOCUMENT = Path("docs/infrastructure/described.md")
ROOT = Path("infrastructure/terraform")
PLANS = Path("infrastructure/plans")

ROW = re.compile(r'\| (\w+)\.(\d+) (?:[^"|]+: )?"[^"]+" \| (.+) \| (.+) \|')
FILE = re.compile(r"\[([^\]]+)\]")
PLACE = re.compile(r"\[([^\]]+)\]: (\S+)")
RESOURCE = re.compile(r"`([a-z0-9_.]+)`( \(off\))?((?: \([a-z-]+: `[^`]+`(?:, `[^`]+`)*\))*) in " + FILE.pattern)
VALUES = re.compile(r" \(([a-z-]+): ((?:`[^`]+`(?:, )?)+)\)")
PROOF = re.compile(FILE.pattern + r' `(\w+)`: "([^"]+)"')
REMARK = re.compile(r"\*(Differs|Elsewhere|Not built|Note):\* .+")


@functools.cache
def plans() -> dict[str, dict[str, list[Any]]]:
    """By plan and address without indexes: what the instances are made with."""
    found: dict[str, dict[str, list[Any]]] = {}
    for file in sorted(PLANS.glob("*.json")):
        found[file.stem] = {}
        for change in json.loads(file.read_text())["resource_changes"]:
            address = re.sub(r"\[[^\]]*\]", "", change["address"])
            found[file.stem].setdefault(address, []).append(change["change"]["after"])
    return found


def value(settings: Any, path: str) -> str:
    """What stands at a path such as `setting.0.value`, as a plan's JSON writes it; nothing if there is no such thing."""
    for step in path.split("."):
        try:
            settings = settings[int(step) if step.isdigit() else step]
        except (KeyError, IndexError, TypeError):
            return ""
    return settings if isinstance(settings, str) else json.dumps(settings)


def directory(address: str) -> Path:
    """Where the module of an address is, by the sources from the root on."""
    here = ROOT
    for name in re.findall(r"module\.(\w+)\.", address):
        for file in sorted(here.glob("*.tf")):
            source = re.search(rf'^module "{name}" \{{.*?^  source += "([^"]+)"', file.read_text(), re.M | re.S)
            if source:
                here = (here / source.group(1)).resolve().relative_to(Path.cwd())
                break
        else:
            raise ValueError(f"{here} has no module {name}")
    return here


@functools.cache
def places() -> dict[str, str]:
    """Where the files are, by their names as the document has them."""
    return dict(match.groups() for line in DOCUMENT.read_text().splitlines() if (match := PLACE.fullmatch(line)))


def existing(link: str) -> Path:
    file = (DOCUMENT.parent / link.split("#")[0]).resolve()
    if not file.exists():
        raise ValueError(f"{link} does not exist")
    return file.relative_to(Path.cwd())


def named(label: str) -> Path:
    """A file that goes by its name, with as much of its path as is needed."""
    if label not in places():
        raise ValueError(f"where [{label}] is does not stand at the end")
    if not places()[label].endswith(f"/{label}"):
        raise ValueError(f"[{label}] is not {places()[label]}")
    return existing(places()[label])


def check_resource(address: str, off: str | None, values: str, label: str) -> None:
    file = named(label)
    *_, kind, name = address.split(".")
    if file.parent != directory(address):
        raise ValueError(f"{address} is declared in {directory(address)}, not in {file.parent}")
    if not re.search(rf'^resource "{kind}" "{name}" \{{', file.read_text(), re.M):
        raise ValueError(f"{file} does not declare {kind}.{name}")
    planned = [plan for plan, resources in plans().items() if address in resources]
    if bool(planned) == bool(off):
        raise ValueError(f"{address} is {'not off, ' + planned[0] + ' has it' if planned else 'in none of the plans'}")
    for plan, pairs in VALUES.findall(values):
        for path, wanted in (pair.split(" = ") for pair in re.findall("`([^`]+)`", pairs)):
            seen = [value(settings, path) for settings in plans().get(plan, {}).get(address, [])]
            if wanted not in seen:
                raise ValueError(f"{path} of {address} in {plan} is {', '.join(seen) or 'not there'}, not {wanted}")


def check_proof(label: str, run: str, piece: str) -> None:
    file = named(label)
    block = re.search(rf'^run "{run}" \{{\n(.*?)^\}}', file.read_text(), re.M | re.S)
    if not block:
        raise ValueError(f'{file} has no run "{run}"')
    claims = re.findall(r"^  assert \{\n(.*?)^  \}|^  (expect_failures = .*)", block.group(1), re.M | re.S)
    holding = sum(piece in "".join(claim) for claim in claims)
    if holding != 1:
        raise ValueError(f'{holding} assertions of run "{run}" in {file} have "{piece}", there should be one')


def check_row(resources: str, proofs: str, counted: dict[str, set[str]]) -> Iterator[str]:
    """Says what is wrong with a row."""
    excused = False
    for cell, patterns in (resources, (RESOURCE, FILE)), (proofs, (PROOF, REMARK)):
        for item in cell.split("<br>"):
            if cell is resources and item == "none":
                continue
            match = next((match for pattern in patterns if (match := pattern.fullmatch(item))), None)
            try:
                if not match:
                    raise ValueError(f"not understood: {item}")
                if match.re is RESOURCE:
                    counted["resources"].add(match.group(1))
                    check_resource(*match.groups())
                elif match.re is PROOF:
                    counted["proofs"].add(item)
                    check_proof(*match.groups())
                elif match.re is FILE:
                    named(match.group(1))
                else:
                    excused = excused or match.group(1) != "Note"
                    for link in re.findall(r"\]\(([^)]+)\)", item):
                        existing(link)
                    for label in re.findall(r"\[([^\]]+)\](?!\()", item):
                        named(label)
            except ValueError as error:
                yield str(error)
    if not excused and not any(PROOF.fullmatch(item) for item in proofs.split("<br>")):
        yield "no assertion, and no remark that says why"


def main() -> int:
    counted: dict[str, set[str]] = {"resources": set(), "proofs": set()}
    rows, failures, last = 0, 0, ("", 0)
    text = DOCUMENT.read_text()
    for number, line in enumerate(text.splitlines(), start=1):
        place = PLACE.fullmatch(line)
        if place and text.count(f"[{place.group(1)}]") == 1:
            failures += 1
            print(f"{DOCUMENT}:{number}: nothing refers to [{place.group(1)}]")
        if not line.startswith("|") or line.startswith(("| line |", "| --- |")):
            continue
        rows += 1
        match = ROW.fullmatch(line)
        wrong = list(check_row(match.group(3), match.group(4), counted)) if match else [f"not a row: {line}"]
        if match:
            here = (match.group(1), int(match.group(2)))
            if here[1] != (last[1] + 1 if here[0] == last[0] else 1):
                wrong.append(f"{here[0]}.{here[1]} does not follow {last[0]}.{last[1]}")
            last = here
        failures += len(wrong)
        for each in wrong:
            print(f"{DOCUMENT}:{number}: {each}")
    if not rows:
        print(f"{DOCUMENT}: there are no rows")
    if failures or not rows:
        return 1
    print(f"{rows} lines, {len(counted['resources'])} resources, {len(counted['proofs'])} assertions")
    return 0


if __name__ == "__main__":
    sys.exit(main())
