"""What the signatures of a document are worth: asked of the stored bytes, at arm's length."""

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from core import clock, db
from core.errors import InvalidInput, NotFound
from core.sandbox import pool
from docflow.documents.longevity import records
from signatures import algorithm_lives, anchors
from signatures import digests as hashing
from storage import blobs

Verdict = Literal["valid", "invalid", "indeterminate"]
_ORDER = ("valid", "indeterminate", "invalid")
READ_UP_TO = 256 * 1024 * 1024
WHOLE_UP_TO = 64 * 1024 * 1024
"""Bytes up to which a file goes to its check whole; of a larger one only digests do."""
MAX_SIGNATURE = 3 * 1024 * 1024
"""Bytes of a detached signature as it came; base64 in UTF-16 is nearly three times its DER."""

_CLAIM = re.compile(rb"/ByteRange|/Type\s*/(?:Sig|DocTimeStamp)\b")


class SignatureInvalid(InvalidInput):
    """A signature does not hold: the bytes were changed, or it was never good (422)."""

    code = "signature_invalid"


@dataclass(frozen=True, slots=True)
class Check:
    """A verdict with its reasons; `raw` is the whole report."""

    verdict: Verdict
    reasons: tuple[str, ...]
    signatures: int
    words: tuple[Mapping[str, str], ...] = ()
    raw: dict[str, Any] = field(default_factory=dict)

    @property
    def facts(self) -> dict[str, Any]:
        """What is kept with a hop: no names, only what was found."""
        return {
            "verdict": self.verdict,
            "reasons": list(self.reasons),
            "signatures": self.signatures,
            "certificates": [s.get("certificate_sha256") for s in self.raw.get("signatures", ())],
            "at": self.raw.get("at"),
        }


def claims_signature(content: bytes) -> bool:
    """Do the bytes of a PDF speak of a signature, whether or not a parser finds one?

    Two marks of a signature dictionary (ISO 32000-2 section 12.8.1), so that damage to one does
    not turn a signed file into an unsigned one.
    """
    return _CLAIM.search(content) is not None


async def validate(
    content: bytes, *, signature: bytes | None = None, proofs: Mapping[str, Any] | None = None
) -> Check:
    """Validate the signatures inside a PDF, or a detached one over any bytes, in the sandbox.

    `proofs` are what `proofs_of` answers for a stored one.
    """
    request = {"data": content, "signature": signature, **await trust(), **(proofs or {})}
    return _check(await pool().run("signatures.validation:validate_bytes", request))


async def validate_stored(
    file: db.Row,
    *,
    signature: bytes,
    digests: tuple[str, ...] = ("sha256",),
    proofs: Mapping[str, Any] | None = None,
) -> Check:
    """Validate a detached signature over a stored file of any size; outside a transaction.

    `digests` names the algorithms a large file is hashed by while it streams. Says "not parseable"
    of a signature that asks for another one.
    """
    if file["size"] <= WHOLE_UP_TO:
        content = await blobs.read(file["blob_id"], limit=READ_UP_TO)
        return await validate(content, signature=signature, proofs=proofs)
    hashed = {name: hashing.start(name) for name in digests if hashing.is_known(name)}
    async for piece in await blobs.open_blob(file["blob_id"]):
        for one in hashed.values():
            one.update(piece)
    request = {
        "signature": signature, "digests": {name: one.digest() for name, one in hashed.items()},
        **await trust(), **(proofs or {}),
    }  # fmt: skip
    return _check(await pool().run("signatures.validation:validate_bytes", request))


async def digest_of(file: db.Row, algorithm: str) -> bytes:
    """The digest of a stored file of any size by any algorithm that signatures use."""
    if algorithm == "sha256":
        return bytes(file["sha256"])
    hashed = hashing.start(algorithm)
    async for piece in await blobs.open_blob(file["blob_id"]):
        hashed.update(piece)
    return hashed.digest()


async def proofs_of(blob_id: uuid.UUID) -> dict[str, Any]:
    """What shows since when a stored signature exists, as a validation takes it."""
    record = await records.record_of(blob_id)
    if record is None:
        return {}
    ends = await algorithm_lives.ends()
    return {
        "evidence_records": [record],
        "algorithm_ends": {name: moment.isoformat() for name, moment in ends.items()},
    }


async def read_signed(content: bytes, media_type: str) -> tuple[dict[str, Any], Check]:
    """Text and pages of a PDF and the check of its signatures, in one call to the sandbox."""
    read = await pool().run(
        "docflow.documents.reading:read_signed", content, media_type, await trust(), timeout=40.0
    )
    return read, _check(read["report"])


async def trust() -> dict[str, Any]:
    """What the installation trusts now, and when that is, as the sandbox takes it."""
    return {**await anchors.request(), "at": clock.now().isoformat()}


async def check_document(document_id: uuid.UUID) -> Check:
    """Check every signature of the document's current files anew, as a relay must.

    Reads the stored originals; belongs outside a transaction. The worst verdict counts; a
    document without a signature is indeterminate.
    """
    found = await db.rows(
        """SELECT f.id, f.blob_id, f.size, s.blob_id AS signature_id FROM document_file AS f
           LEFT JOIN signature AS s ON s.file_id = f.id AND s.form = 'cades'
           WHERE f.document_id = $1 AND f.is_current
           AND (f.role = 'main' OR s.id IS NOT NULL) ORDER BY f.role DESC, f.position""",
        document_id,
    )
    if not found:
        raise NotFound(document_id=str(document_id))
    checks = []
    for row in found:
        if row["signature_id"]:
            detached = await blobs.read(row["signature_id"], limit=MAX_SIGNATURE)
            names = await pool().run("signatures.validation:digests_needed", detached)
            checks.append(
                await validate_stored(
                    row, signature=detached, digests=tuple(names),
                    proofs=await proofs_of(row["signature_id"]),
                )
            )  # fmt: skip
        else:
            content = await blobs.read(row["blob_id"], limit=READ_UP_TO)
            checks.append(await validate(content, proofs=await proofs_of(row["blob_id"])))
    return _worst(checks)


def require_not_invalid(check: Check) -> None:
    """Raise `signature_invalid`, in the words of the report, when a signature does not hold."""
    if check.verdict == "invalid":
        raise SignatureInvalid(
            "Подпись не подтверждена: "
            + "; ".join(word["ru"] for word in check.words)
            + " Запросите у отправителя подлинный файл.",
            "The signature does not hold: "
            + "; ".join(word["en"] for word in check.words)
            + " Ask the sender for the genuine file.",
            reasons=list(check.reasons),
            signers=_each(check),
        )


def _each(check: Check) -> list[str]:
    """Every signer's verdict and reasons, without names: "2: invalid, digest_mismatch"."""
    return [
        f"{place}: {', '.join([one['verdict'], *_codes(one)])}"
        for place, one in enumerate(check.raw.get("signatures", ()), start=1)
    ]


def require_readable(check: Check) -> None:
    """Raise `signature_invalid` for a file that claims signatures of which one cannot be read.

    A file damaged on its way must not pass for an unsigned one.
    """
    require_not_invalid(check)
    found = check.raw.get("signatures", ())
    if check.reasons == ("encrypted",):
        return
    if not found or any("not_parseable" in _codes(one) for one in found):
        raise SignatureInvalid(
            "Файл содержит подпись, но она или сам файл повреждены и не читаются. Запросите у "
            "отправителя подлинный файл.",
            "The file carries a signature, but it or the file is damaged and cannot be read. Ask "
            "the sender for the genuine file.",
            reasons=list(check.reasons) or ["not_parseable"],
        )


def _codes(one: Mapping[str, Any]) -> list[str]:
    return [reason["code"] for reason in one["reasons"]]


def _check(report: dict[str, Any]) -> Check:
    words = tuple(report["reasons"])
    return Check(
        verdict=report["verdict"],
        reasons=tuple(word["code"] for word in words),
        signatures=len(report["signatures"]),
        words=words,
        raw=report,
    )


def _worst(checks: list[Check]) -> Check:
    worst = max(checks, key=lambda check: _ORDER.index(check.verdict))
    merged = [one for check in checks for one in check.raw.get("signatures", ())]
    reasons = tuple(dict.fromkeys(code for check in checks for code in check.reasons))
    return Check(
        worst.verdict, reasons, len(merged), worst.words, {**worst.raw, "signatures": merged}
    )
