"""Verdicts on signatures, and what they were made from: certificates, lists, answers."""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from core import db
from evidence.packages import masking
from evidence.packages.members import Gathered, Source, as_json

_SUFFIXES = {"certificate": "cer", "crl": "crl", "ocsp": "ocsp"}


@dataclass(frozen=True, slots=True)
class Vouched:
    """Trusted material by SHA-256: short pieces as bytes, long lists as blobs with their size."""

    ders: Mapping[str, bytes]
    blobs: Mapping[str, tuple[uuid.UUID, int]]


async def vouching(rows: Iterable[db.Row]) -> Vouched:
    """What the trust store gave for the first checks of these signatures, found by SHA-256."""
    wanted = {
        bytes.fromhex(one["sha256"])
        for row in rows
        for one in _outside(row)
    }  # fmt: skip
    found = await db.rows(
        """SELECT sha256, der FROM trust_anchor WHERE sha256 = ANY($1::bytea[])
           UNION ALL SELECT sha256, der FROM ocsp_answer WHERE sha256 = ANY($1::bytea[])""",
        list(wanted),
    )
    lists = await db.rows(
        "SELECT sha256, blob_id, size FROM revocation_list WHERE sha256 = ANY($1::bytea[])",
        list(wanted),
    )
    return Vouched(
        {bytes(row["sha256"]).hex(): bytes(row["der"]) for row in found},
        {bytes(row["sha256"]).hex(): (row["blob_id"], row["size"]) for row in lists},
    )


def _outside(row: db.Row) -> list[Mapping[str, str]]:
    return [one for one in (row["report"] or {}).get("inputs", ()) if one["source"] != "file"]


def add(gathered: Gathered, name: str, row: db.Row, vouched: Vouched, *, level: str) -> None:
    """Add the verdict as member `name` and each thing it relied on as `trust/<sha256>.…`.

    The report is word for word the one of that day, so that it can be compared when it is made
    again; only a masked export loses the names in it.
    """
    inputs = []
    for one in _outside(row):
        sha256 = one["sha256"]
        member = f"trust/{sha256}.{_SUFFIXES.get(one['kind'], 'der')}"
        if sha256 in vouched.ders:
            gathered.sources.append(Source(member, vouched.ders[sha256]))
        elif sha256 in vouched.blobs:
            blob_id, size = vouched.blobs[sha256]
            gathered.sources.append(Source(member, blob_id=blob_id, size=size))
        else:
            gathered.lack("input_missing", sha256)
            continue
        inputs.append({**one, "member": member})
    content = {
        "form": "docflow-verdict-inputs-1", "signature": row["id"], "at": row["checked_at"],
        "policy": row["policy"], "inputs": inputs,
        "report": masking.report(level, row["report"] or {}),
    }  # fmt: skip
    gathered.sources.append(Source(name, as_json(content)))
