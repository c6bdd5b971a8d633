"""Known vulnerabilities in the locked packages; says so and goes on where there is no network.

Advisories are OSV records (the open format of the advisory databases): out of the folder or ZIP
that ADVISORIES names, else asked of the public database for each locked version. Whether the answer
is needed, AUDIT=required says; without it a machine with no way out is told and not stopped.
Accepted ones stand in tools/advisories_accepted.toml, each with its reason and last day (ADR 0018).
"""

import hashlib
import json
import os
import sys
import tomllib
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import httpx
from locks import canonical, entries
from packaging.version import InvalidVersion, Version
from sources import ROOT

SERVICE = "https://api.osv.dev/v1/querybatch"
TIMEOUT = httpx.Timeout(10.0, connect=3.0)
ECOSYSTEM = "PyPI"
ACCEPTED = Path("tools/advisories_accepted.toml")
KEPT = Path(".venv/.audit.json")
"""The last answer; asked once a day for the same lock file."""

Found = dict[str, list[str]]
"""Ids of advisories by `package==version`."""


class NoAdvisories(Exception):
    """There is nothing to compare with; the words say why."""


def locked(root: Path) -> dict[str, str]:
    """Every locked package with its version."""
    text = (root / "requirements" / "dev.txt").read_text(encoding="utf-8")
    return {name: version for name, (version, _) in entries(text).items()}


def from_records(packages: Mapping[str, str], records: Iterable[dict[str, Any]]) -> Found:
    """What OSV records say of these versions; withdrawn records say nothing."""
    found: Found = {}
    for record in records:
        if record.get("withdrawn"):
            continue
        for affected in record.get("affected", ()):
            package = affected.get("package", {})
            name = canonical(package.get("name", ""))
            if package.get("ecosystem") != ECOSYSTEM or name not in packages:
                continue
            if concerns(affected, packages[name]):
                named = found.setdefault(f"{name}=={packages[name]}", [])
                if record["id"] not in named:
                    named.append(record["id"])
    return {name: sorted(ids) for name, ids in sorted(found.items())}


def concerns(affected: Mapping[str, Any], version: str) -> bool:
    """Is a version listed, or does it lie in a range: introduced ≤ version < fixed?

    A version that cannot be compared counts as concerned: better a question than a miss.
    """
    if version in affected.get("versions", ()):
        return True
    return any(
        _lies_in(one.get("events", ()), version)
        for one in affected.get("ranges", ())
        if one.get("type") == "ECOSYSTEM"
    )


def _lies_in(events: Iterable[Mapping[str, str]], version: str) -> bool:
    try:
        mine = Version(version)
        inside = False
        for event in sorted(events, key=_at):
            if "introduced" in event and mine >= _at(event):
                inside = True
            if "fixed" in event and mine >= _at(event):
                inside = False
            if "last_affected" in event and mine > _at(event):
                inside = False
    except InvalidVersion:
        return True
    return inside


def _at(event: Mapping[str, str]) -> Version:
    (text,) = event.values()
    return Version(text)


def read_records(place: Path) -> Iterator[dict[str, Any]]:
    """The records in a folder or ZIP."""
    try:
        if place.is_dir():
            for path in sorted(place.rglob("*.json")):
                yield json.loads(path.read_bytes())
            return
        with zipfile.ZipFile(place) as packed:
            for name in packed.namelist():
                if name.endswith(".json"):
                    yield json.loads(packed.read(name))
    except (OSError, ValueError, zipfile.BadZipFile) as problem:
        raise NoAdvisories(f"ADVISORIES={place}: {problem}") from problem


def asked(packages: Mapping[str, str], *, service: str = SERVICE) -> Found:
    """What the public database says of these versions, in one question."""
    queries = [
        {"package": {"name": name, "ecosystem": ECOSYSTEM}, "version": version}
        for name, version in packages.items()
    ]
    try:
        answer = httpx.post(service, json={"queries": queries}, timeout=TIMEOUT)
        answer.raise_for_status()
        results = answer.json()["results"]
        said = [sorted(one["id"] for one in result.get("vulns", ())) for result in results]
    except (httpx.HTTPError, ValueError, KeyError, TypeError) as problem:
        raise NoAdvisories(type(problem).__name__) from problem
    if len(said) != len(queries):
        raise NoAdvisories("the answer is of another length than the question")
    pairs = zip(packages.items(), said, strict=True)
    return {f"{name}=={version}": ids for (name, version), ids in pairs if ids}


def open_ones(found: Found, accepted: Mapping[str, Any], *, today: date) -> list[str]:
    """What is still to be mended, one line each: not accepted, or accepted until a day gone by."""
    lines = []
    for package, ids in found.items():
        for one in ids:
            known = accepted.get(one)
            if known is None:
                lines.append(f"{package}: {one}; raise the package, or accept it in {ACCEPTED}")
            elif known["until"] < today:
                lines.append(f"{package}: {one} was accepted until {known['until']}")
    return lines


def accepted_ones(root: Path) -> dict[str, Any]:
    """What was accepted, by id; each needs `reason` and `until`."""
    path = root / ACCEPTED
    known = tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    for name, one in known.items():
        if len(str(one.get("reason", ""))) < 10 or not isinstance(one.get("until"), date):
            raise SystemExit(f"{ACCEPTED}: {name}: give a reason and until = YYYY-MM-DD")
    return known


def _remembered(root: Path, packages: Mapping[str, str]) -> Found:
    """Today's answer for these versions, asked at most once a day."""
    if place := os.environ.get("ADVISORIES"):
        return from_records(packages, read_records(Path(place)))
    said = json.dumps(packages, sort_keys=True).encode()
    mark = f"{datetime.now(UTC).date()} {hashlib.sha256(said).hexdigest()}"
    try:
        kept = json.loads((root / KEPT).read_bytes())
    except (OSError, ValueError):
        kept = {}
    if isinstance(kept, dict) and kept.get("mark") == mark:
        return dict(kept["found"])
    found = asked(packages)
    if (root / KEPT).parent.is_dir():
        (root / KEPT).write_text(json.dumps({"mark": mark, "found": found}), encoding="utf-8")
    return found


def main(root: Path = ROOT) -> int:
    """Print what is open; 1 when anything is, or when an answer is required and there is none."""
    packages, accepted = locked(root), accepted_ones(root)
    try:
        found = _remembered(root, packages)
    except NoAdvisories as problem:
        is_needed = os.environ.get("AUDIT") == "required"
        print(
            f"dependency audit: NOT DONE, no advisories ({problem}); "
            + ("AUDIT=required" if is_needed else "set ADVISORIES or run it where there is a way"),
            file=sys.stderr,
        )
        return 1 if is_needed else 0
    lines = open_ones(found, accepted, today=datetime.now(UTC).date())
    for line in lines:
        print(line)
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
