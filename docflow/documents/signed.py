"""Signatures a document carries: found in its file, made here, or brought along."""

import uuid
from datetime import datetime
from typing import Any

from audit import events, transitions
from core import clock, db
from core.actor import Actor
from docflow.documents.kinds import kind_of
from docflow.documents.states import TRANSITIONS, DocumentStatus


async def record_found(
    actor: Actor, document: db.Row, file_id: uuid.UUID, report: dict[str, Any]
) -> None:
    """Enter the signatures a PDF came with; enough good ones make the document `signed`."""
    for one in report["signatures"]:
        await record(
            actor, document["id"], file_id, form="pades", role="approving", one=one,
            at=report["at"],
        )  # fmt: skip
    await settle(actor, document)


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
) -> uuid.UUID:
    """Write one signature with the whole answer of its check; inside the caller's transaction."""
    signature_id = clock.new_id()
    signed_at = (one.get("timestamp") or {}).get("time") or one.get("signing_time")
    certificate = one.get("certificate_sha256") or ""
    await db.execute(
        """INSERT INTO signature (id, document_id, file_id, form, role, blob_id, account_id, signer,
               certificate_sha256, signed_at, verdict, report, checked_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)""",
        signature_id, document_id, file_id, form, role, blob_id, account_id, one["signer"],
        bytes.fromhex(certificate), signed_at and datetime.fromisoformat(signed_at),
        one["verdict"], one, datetime.fromisoformat(at),
    )  # fmt: skip
    await events.record(
        actor, "document.signature_added", subject=("signature", signature_id),
        document_id=document_id,
        data={"verdict": one["verdict"], "form": form, "role": role, "certificate": certificate,
              "reasons": [reason["code"] for reason in one["reasons"]]},
        detail={"signer": one["signer"]},
    )  # fmt: skip
    return signature_id


async def settle(actor: Actor, document: db.Row) -> None:
    """Move the document to `signed` once its main file has the signatures its kind asks for.

    Only valid approving ones count, and one for each certificate.
    """
    if document["status"] not in (DocumentStatus.DRAFT, DocumentStatus.SIGNING):
        return
    good = await db.value(
        """SELECT count(DISTINCT s.certificate_sha256) FROM signature AS s
           JOIN document_file AS f ON f.id = s.file_id
           WHERE s.document_id = $1 AND f.role = 'main' AND f.is_current
           AND s.verdict = 'valid' AND s.role = 'approving'""",
        document["id"],
    )
    needed = kind_of(document["kind"]).signatures
    if good and good >= needed:
        await transitions.move(
            actor, "document", document["id"], graph=TRANSITIONS,
            source=DocumentStatus(document["status"]), target=DocumentStatus.SIGNED,
            verb="document.signed", document_id=document["id"], data={"signatures": good},
        )  # fmt: skip


async def signatures_of(document_id: uuid.UUID) -> list[db.Row]:
    """The signatures on the current files of a document, with what their check found."""
    return await db.rows(
        """SELECT s.id, s.file_id, s.form, s.role, s.signer, s.signed_at, s.verdict, s.report,
                  s.checked_at, encode(s.certificate_sha256, 'hex') AS certificate
           FROM signature AS s JOIN document_file AS f ON f.id = s.file_id AND f.is_current
           WHERE s.document_id = $1 ORDER BY s.id""",
        document_id,
    )
