"""Before a document goes: is it PDF/A, is all of it signed as the addressee demands.

What fails stops the delivery with a code, and the words here say what to do about it.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core import db
from core.errors import ServiceError, Unavailable
from core.sandbox import pool
from docflow.documents import checking
from docflow.routing.medo.partners import Partner
from storage import blobs

PDFA_UP_TO = 64 << 20
"""Bytes of a main file that are looked into."""

REASONS: Mapping[str, tuple[str, str]] = {
    "pdfa_needed": (
        "Основной файл не PDF/A. Сделайте новый документ «взамен» с файлом PDF/A («Преобразовать"
        " в PDF/A» готовит проект) и подпишите его заново: подпись к прежнему файлу на новый не"
        " переносится.",
        "The main file is not PDF/A. Make a document instead of this one with a PDF/A file and"
        " sign it anew: a signature is never carried over to a converted file.",
    ),
    "pdf_needed": (
        "МЭДО принимает основной файл только в PDF.",
        "МЭДО takes the main file as PDF only.",
    ),
    "detached_signature_needed": (
        "Нужна отсоединённая подпись к каждому файлу. Подпишите основной файл и приложения"
        " отдельными файлами подписи в новом документе «взамен».",
        "Each file needs a detached signature. Sign main file and annexes so in a new document.",
    ),
    "signature_not_valid": (
        "Подпись не подтверждена при проверке перед отправкой. Откройте сведения о подписи.",
        "A signature did not hold when it was checked before sending. Look at its report.",
    ),
    "signature_not_qualified": (
        "Адресат принимает только квалифицированную подпись. Подпишите квалифицированной.",
        "The addressee takes qualified signatures only. Sign with a qualified one.",
    ),
    "signature_not_gost": (
        "Адресат принимает только подпись по ГОСТ Р 34.10-2012.",
        "The addressee takes signatures by GOST R 34.10-2012 only.",
    ),
    "message_too_large": (
        "Сообщение больше, чем принимает адресат. Разделите приложения на несколько писем.",
        "The message is larger than the addressee takes. Split the annexes over several letters.",
    ),
    "no_partner": (
        "Адресат не внесён в справочник участников МЭДО или отключён. Внесите его.",
        "The addressee is not among the МЭДО participants, or is switched off. Enter it.",
    ),
    "not_a_participant": (
        "Ваша организация не внесена в справочник как собственный участник МЭДО.",
        "Your organization is not entered as a participant of its own.",
    ),
    "restricted": (
        "Документ с пометкой «ДСП» по этому каналу не отправляется.",
        "A document marked for official use only does not go this way.",
    ),
    "write_refused": (
        "Сообщение не составлено: данных карточки не хватает для формата.",
        "The message could not be made: the card lacks what the format asks for.",
    ),
}
"""What stops a message, and what to do."""


@dataclass(frozen=True, slots=True)
class DetachedSignature:
    """A detached signature over one file, found good enough for the addressee."""

    signature_id: uuid.UUID
    file_id: uuid.UUID
    blob_id: uuid.UUID
    role: str
    signer: str
    report: dict[str, Any]


class Blocked(Exception):
    """The message cannot go; `code` is a key of REASONS."""

    def __init__(self, code: str, words: str = "") -> None:
        self.code = code
        self.words = words
        super().__init__(code)


async def pdfa(main: db.Row, partner: Partner) -> None:
    """Raise Blocked unless the main file declares the PDF/A the addressee takes."""
    if main["media_type"] != "application/pdf":
        raise Blocked("pdf_needed")
    if partner.pdfa == "none":
        return
    if main["size"] > PDFA_UP_TO:
        raise Blocked("message_too_large")
    content = await blobs.read(main["blob_id"], limit=PDFA_UP_TO)
    try:
        found: dict[str, Any] = await pool().run("signatures.pdfa:claim", content)
    except Unavailable:
        raise
    except ServiceError as problem:
        raise Blocked("pdfa_needed", problem.error_code) from problem
    problems = list(found["problems"])
    if partner.pdfa == "1" and found["part"] not in ("", "1"):
        problems.append(f"part_{found['part']}")
    if problems:
        raise Blocked("pdfa_needed", ", ".join(problems))


async def signatures(
    document_id: uuid.UUID, rows: list[db.Row], partner: Partner
) -> dict[uuid.UUID, list[DetachedSignature]]:
    """Check every detached signature anew; answers the good ones by file.

    Raises Blocked for one that does not hold, or where a file that needs one has none.
    """
    found: dict[uuid.UUID, list[DetachedSignature]] = {row["id"]: [] for row in rows}
    for one in await _detached(document_id):
        row = next((row for row in rows if row["id"] == one["file_id"]), None)
        if row is None:
            continue
        report = await _checked(row, one)
        _require_good(report, partner)
        found[row["id"]].append(
            DetachedSignature(one["id"], row["id"], one["blob_id"], one["role"], one["signer"],
                              report)
        )  # fmt: skip
    for row in rows:
        is_needed = row["role"] == "main" or (row["role"] == "annex" and partner.signs_annexes)
        if is_needed and not found[row["id"]]:
            raise Blocked("detached_signature_needed", row["file_name"])
    return found


async def _detached(document_id: uuid.UUID) -> list[db.Row]:
    """Each detached file once, with the role of its first signer."""
    return await db.rows(
        """SELECT DISTINCT ON (s.file_id, s.blob_id) s.id, s.file_id, s.blob_id, s.role, s.signer
           FROM signature AS s JOIN document_file AS f ON f.id = s.file_id AND f.is_current
           WHERE s.document_id = $1 AND s.form = 'cades' ORDER BY s.file_id, s.blob_id, s.id""",
        document_id,
    )


async def _checked(file: db.Row, one: db.Row) -> dict[str, Any]:
    made = await blobs.read(one["blob_id"], limit=checking.MAX_SIGNATURE)
    try:
        names: list[str] = await pool().run("signatures.validation:digests_needed", made)
        row = {**file, "sha256": bytes.fromhex(file["sha256"])}
        check = await checking.validate_stored(
            row, signature=made, digests=tuple(names),
            proofs=await checking.proofs_of(one["blob_id"]),
        )  # fmt: skip
    except Unavailable:
        raise
    except ServiceError as problem:
        raise Blocked("signature_not_valid", problem.error_code) from problem
    return check.raw


def _require_good(report: dict[str, Any], partner: Partner) -> None:
    for one in report["signatures"] or [None]:
        if one is None or one["verdict"] != "valid":
            codes = [reason["code"] for reason in one["reasons"]] if one else []
            raise Blocked("signature_not_valid", ", ".join(codes))
        if "qualified" in partner.signatures and one.get("qualified") is not True:
            raise Blocked("signature_not_qualified")
        if "gost" in partner.signatures and not is_gost(one):
            raise Blocked("signature_not_gost")


def is_gost(one: dict[str, Any]) -> bool:
    """Was the signature made by GOST R 34.10-2012?"""
    return "gost" in str(one.get("algorithm", "")).lower() or "streebog" in str(
        one.get("algorithm", "")
    )
