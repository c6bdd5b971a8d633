"""Signatures a document carries: found in its file, made here, or brought along."""

import uuid
from datetime import datetime
from typing import Any

from audit import events, transitions
from core import clock, db
from core.actor import Actor
from docflow.documents import authority, authority_words, checks, signing_steps
from docflow.documents.kinds import kind_of
from docflow.documents.states import TRANSITIONS, DocumentStatus


async def record_found(
    actor: Actor, document: db.Row, file_id: uuid.UUID, report: dict[str, Any]
) -> None:
    """Enter the signatures a PDF came with; enough good ones make the document `signed`."""
    for one in of_people(report):
        await record(
            actor, document["id"], file_id, form="pades", role="approving", one=one,
            at=report["at"],
        )  # fmt: skip
    await settle(actor, document)


def of_people(report: dict[str, Any]) -> list[dict[str, Any]]:
    """The signatures of a report without the document time stamps, which sign for nobody."""
    return [one for one in report["signatures"] if one["level"] != "DocTimeStamp"]


async def record(
    actor: Actor,
    document_id: uuid.UUID,
    file_id: uuid.UUID,
    *,
    form: str,
    role: str,
    one: dict[str, Any],
    at: str,
    account_id: uuid.UUID | None = None,
    blob_id: uuid.UUID | None = None,
    known_at: datetime | None = None,
    lacks: tuple[str, ...] = (),
) -> uuid.UUID:
    """Write one signature with the whole answer of its check, and what authority its signer has.

    Belongs inside the caller's transaction. `known_at`: when it was received in an earlier revision
    of the same file. `lacks`: what kept a signature made here from its best level.
    """
    signature_id = clock.new_id()
    signed_at = (one.get("timestamp") or {}).get("time") or one.get("signing_time")
    certificate = one.get("certificate_sha256") or ""
    await db.execute(
        f"""WITH made AS (
               INSERT INTO signature (id, document_id, file_id, form, role, blob_id, account_id,
                   signer, certificate_sha256, signed_at, verdict, report, checked_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13))
           {checks.INTO} VALUES ($14, $1, $11, $15, $12, $13)""",
        signature_id, document_id, file_id, form, role, blob_id, account_id, one["signer"],
        bytes.fromhex(certificate), signed_at and datetime.fromisoformat(signed_at),
        one["verdict"], one, datetime.fromisoformat(at), clock.new_id(), one.get("policy", ""),
    )  # fmt: skip
    await events.record(
        actor, "document.signature_added", subject=("signature", signature_id),
        document_id=document_id,
        data={"verdict": one["verdict"], "form": form, "role": role, "certificate": certificate,
              "level": one["level"], "lacks": list(lacks),
              "reasons": [reason["code"] for reason in one["reasons"]]},
        detail={"signer": one["signer"]},
    )  # fmt: skip
    await authority.assess(actor, signature_id, known_at=known_at)
    return signature_id


async def settle(actor: Actor, document: db.Row) -> None:
    """Move the document to `signed` once its main file has the signatures its kind asks for.

    Only valid approving ones count whose signer has the authority the kind asks for, and one for
    each certificate. Where a signing order is set, every approving signature of it has to be
    in.
    """
    if document["status"] not in (DocumentStatus.DRAFT, DocumentStatus.SIGNING):
        return
    kind = kind_of(document["kind"])
    good = await db.value(
        f"""SELECT count(DISTINCT s.certificate_sha256) FROM signature AS s
            JOIN document_file AS f ON f.id = s.file_id CROSS JOIN {authority.NEWEST}
            WHERE s.document_id = $1 AND f.role = 'main' AND f.is_current
            AND s.verdict = 'valid' AND s.role = 'approving'
            AND {authority.COUNTS[kind.authority]}""",
        document["id"],
    )
    needed = kind.signatures
    if good and good >= needed and not await signing_steps.is_awaiting(document["id"]):
        await transitions.move(
            actor, "document", document["id"], graph=TRANSITIONS,
            source=DocumentStatus(document["status"]), target=DocumentStatus.SIGNED,
            verb="document.signed", document_id=document["id"], data={"signatures": good},
        )  # fmt: skip
        await signing_steps.skip_rest(actor, document["id"])


async def signatures_of(document_id: uuid.UUID) -> list[db.Row]:
    """The signatures on the current files of a document, with what their check found.

    Four answers that are never mixed: `verdict` (does it hold), `qualified`, `certified_means`
    (this service's own check is not one by certified means, 63-FZ art. 11), `authority`.
    """
    found = await db.rows(
        f"""SELECT s.id, s.file_id, s.form, s.role, s.signer, s.signed_at, s.verdict, s.report,
                   s.checked_at, encode(s.certificate_sha256, 'hex') AS certificate,
                   a.basis, a.state, a.reasons, a.power_id, a.revocation, a.at,
                   a.checked_at AS authority_at, p.number AS mchd_number
            FROM signature AS s JOIN document_file AS f ON f.id = s.file_id AND f.is_current
            LEFT JOIN {authority.NEWEST} ON true
            LEFT JOIN power_of_attorney AS p ON p.id = a.power_id
            WHERE s.document_id = $1 ORDER BY s.id""",
        document_id,
    )
    return [
        {
            **row,
            "technically_valid": row["verdict"] == "valid",
            "qualified": _flag(row["report"].get("qualified")),
            "certified_means": False,
            "authority": authority_words.described({**row, "checked_at": row["authority_at"]}),
        }
        for row in found
    ]


def _flag(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None
