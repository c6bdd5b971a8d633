"""Verdicts on signatures over the years: each check is a row, and can be made again.

A later revocation changes no past verdict. What a check relied on stays in the trust store's
tables for ever and is found there by its SHA-256.
"""

import hashlib
import logging
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from audit import events
from core import canonical, clock, db
from core.actor import RULE, Actor
from core.errors import NotFound, ServiceError
from core.sandbox import pool
from docflow.documents import authority, checking, checks, files, signed, visibility
from signatures import frozen, trusted_inputs
from signatures.report import POLICY
from storage import blobs

log = logging.getLogger(__name__)

_AGAIN_AFTER = timedelta(days=1)
_GIVE_UP_AFTER = timedelta(days=30)
_AT_ONCE = 100
_DIGESTS = ("sha256", "sha384", "sha512")


@dataclass(frozen=True, slots=True)
class Replay:
    """A past check made again from what it was made from; `missing` are inputs not found."""

    then: str
    verdict: str
    at: datetime
    policy: str
    is_same: bool
    missing: tuple[str, ...]


async def replay(actor: Actor, signature_id: uuid.UUID) -> Replay:
    """Make the first check of a signature again, for the moment it was made for.

    Reads stored bytes only, never the network; belongs outside a transaction. Raises NotFound,
    and `policy_unknown` where the rules of the time are gone.
    """
    visibility.reader(actor)
    row = await _signature(signature_id)
    with visibility.hiding(signature_id=signature_id):
        await files.visible_file(actor, row["file_id"])
    then = await db.row(
        "SELECT * FROM signature_check WHERE signature_id = $1 ORDER BY id LIMIT 1", signature_id
    )
    if then is None:
        raise NotFound(signature_id=str(signature_id))
    report = then["report"]
    if then["policy"] != POLICY:
        raise frozen.OtherRules(policy=then["policy"])
    store, missing = await trusted_inputs.load(report)
    made = await _checked(row, {
        "roots": list(store.roots), "others": list(store.others), "crls": list(store.crls),
        "ocsps": list(store.ocsps), "accredited": list(store.accredited),
        "at": then["checked_at"].isoformat(),
    })  # fmt: skip
    again = _same_one(made, report)
    return Replay(
        then=then["verdict"],
        verdict=again["verdict"] if again else made["verdict"],
        at=then["checked_at"],
        policy=then["policy"],
        is_same=again is not None and canonical.dumps(again) == canonical.dumps(report),
        missing=missing,
    )


async def recheck_unclear() -> int:
    """Check anew what could not be told so far: a list may have come since. Answers how many.

    Each check is a row of its own, at most one a day for thirty days.
    """
    now = clock.now()
    found = await db.rows(
        """SELECT s.id FROM signature AS s
           JOIN document_file AS f ON f.id = s.file_id AND f.is_current
           CROSS JOIN LATERAL (SELECT verdict, checked_at FROM signature_check AS c
               WHERE c.signature_id = s.id ORDER BY c.id DESC LIMIT 1) AS last
           WHERE s.verdict = 'indeterminate' AND last.verdict = 'indeterminate'
           AND last.checked_at < $1 AND s.checked_at > $2
           ORDER BY last.checked_at LIMIT $3""",
        now - _AGAIN_AFTER, now - _GIVE_UP_AFTER, _AT_ONCE,
    )  # fmt: skip
    for row in found:
        signature = await _signature(row["id"])
        try:
            made = await _checked(signature, await checking.trust())
        except ServiceError as problem:
            log.warning("signature %s not checked: %s", row["id"], problem.error_code)
            continue
        again = _same_one(made, signature["report"])
        if again is not None:
            await _adopt(signature, again, at=datetime.fromisoformat(made["at"]))
    return len(found)


async def _adopt(signature: db.Row, again: dict[str, Any], *, at: datetime) -> None:
    """Keep the new check; once it can tell, it becomes the signature's verdict.

    A document that only waited for this moves on.
    """
    async with db.transaction():
        await checks.record(signature["id"], again, at=at)
        if again["verdict"] == "indeterminate":
            return
        actor = RULE.acting_for(signature["organization_id"])
        document = await visibility.own_document(actor, signature["document_id"])
        await db.execute(
            "UPDATE signature SET verdict = $2, report = $3, checked_at = $4 WHERE id = $1",
            signature["id"], again["verdict"], again, at,
        )  # fmt: skip
        await events.record(
            actor, "document.signature_settled", subject=("signature", signature["id"]),
            document_id=document["id"],
            data={"verdict": again["verdict"],
                  "reasons": [reason["code"] for reason in again["reasons"]]},
        )  # fmt: skip
        await authority.assess(actor, signature["id"])
        await signed.settle(actor, document)


async def _signature(signature_id: uuid.UUID) -> db.Row:
    found = await db.row(
        """SELECT s.*, f.blob_id AS file_blob_id, f.size, d.organization_id FROM signature AS s
           JOIN document_file AS f ON f.id = s.file_id
           JOIN document AS d ON d.id = s.document_id WHERE s.id = $1""",
        signature_id,
    )
    if found is None:
        raise NotFound(signature_id=str(signature_id))
    return found


async def _checked(row: db.Row, trust: Mapping[str, Any]) -> dict[str, Any]:
    """The report on a stored file, or on a detached signature over it."""
    request: dict[str, Any] = dict(trust)
    if row["blob_id"] is not None:
        request["signature"] = await blobs.read(row["blob_id"], limit=1 << 20)
    if row["blob_id"] is None or row["size"] <= checking.WHOLE_UP_TO:
        request["data"] = await blobs.read(row["file_blob_id"], limit=checking.READ_UP_TO)
    else:
        hashed = {name: hashlib.new(name) for name in _DIGESTS}
        async for piece in await blobs.open_blob(row["file_blob_id"]):
            for one in hashed.values():
                one.update(piece)
        request["digests"] = {name: one.digest() for name, one in hashed.items()}
    made: dict[str, Any] = await pool().run("signatures.validation:validate_bytes", request)
    return made


def _same_one(made: Mapping[str, Any], report: Mapping[str, Any]) -> dict[str, Any] | None:
    """The signature of a new report that an old one is about."""
    for one in made["signatures"]:
        if all(one[key] == report[key] for key in ("field_name", "certificate_sha256", "level")):
            return dict(one)
    return None
