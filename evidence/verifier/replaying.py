"""Verdicts made again from a package alone, by this service's own validation, word for word."""

import asyncio
import json
from datetime import datetime
from pathlib import Path
from typing import Any

from core import canonical
from core.errors import ServiceError
from core.sandbox import Sandbox
from evidence.verifier.archive import read_archive, reader
from evidence.verifier.findings import Report
from signatures.frozen import accreditation
from signatures.report import POLICY

_SECONDS = 60.0
_SAME = ("field_name", "certificate_sha256", "level")
_PLACES = {("certificate", "root"): "roots", ("certificate", "store"): "others",
           ("crl", "store"): "crls", ("ocsp", "store"): "ocsps"}  # fmt: skip


def replay(path: Path, report: Report) -> None:
    """Make the verdict on every signature again, in another process, and compare it."""
    asyncio.run(_replay(path, report))


async def _replay(path: Path, report: Report) -> None:
    counts = {"same": 0, "other": 0, "not_made": 0}
    pool = Sandbox(workers=1, preload=("signatures.validation",))
    pool.start()
    try:
        with path.open("rb") as stream:
            members = read_archive(stream)
            read = reader(stream, members)
            for name in [one.name for one in members]:
                if not (name.startswith("documents/") and name.endswith("/document.json")):
                    continue
                for said in json.loads(read(name))["signatures"]:
                    found = await _again(pool, said, read)
                    counts[found] += 1
                    if found == "other":
                        report.add(report.problems, "verdict_differs", said["verdict_member"])
                    elif found == "not_made":
                        report.add(report.not_checked, "verdict_not_made", said["verdict_member"])
    finally:
        await pool.close()
    report.facts["verdicts_made_again"] = counts


async def _again(pool: Sandbox, said: dict[str, Any], read: Any) -> str:
    kept = json.loads(read(said["verdict_member"]))
    if kept["policy"] != POLICY or not kept["report"].get("subject"):
        return "not_made"  # by older rules, or masked
    request: dict[str, Any] = {name: [] for name in _PLACES.values()}
    for one in kept["inputs"]:
        request[_PLACES[one["kind"], one["source"]]].append(read(one["member"]))
    request["accredited"] = list(accreditation([kept["report"]]))
    request["at"] = datetime.fromisoformat(kept["at"]).isoformat()
    request["data"] = read(said["file"])
    if said["signature"] is not None:
        request["signature"] = read(said["signature"])
    try:
        made = await pool.run("signatures.validation:validate_bytes", request, timeout=_SECONDS)
    except ServiceError:
        return "not_made"
    report = kept["report"]
    for one in made["signatures"]:
        if all(one[key] == report[key] for key in _SAME):
            return "same" if canonical.dumps(one) == canonical.dumps(report) else "other"
    return "other"
