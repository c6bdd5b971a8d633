"""An issue's file: kept, taken apart at arm's length, its pictures put into the publication."""

import uuid
from collections.abc import AsyncIterator
from typing import Any

from compliance.publishing import gate, issues, publications
from core import db, jobs
from core.actor import Actor
from core.errors import Conflict, InvalidInput, UnsupportedType
from core.sandbox import pool
from storage import blobs, scanning

LARGEST = 128 << 20
CHECK_JOB = "compliance.check_publication"
_SECONDS = 60.0
_MEMORY_MB = 1536


async def take_in(
    actor: Actor, publication_id: uuid.UUID, *, stream: AsyncIterator[bytes], file_name: str
) -> dict[str, Any]:
    """Put the file of an issue (PDF, DOCX, ODT, PPTX, ODP) and its pictures into a draft.

    Answers the report: pages, what each page holds, what was left out and why. A new file takes
    the place of the former one; captions of pictures that are in both stay. The checks follow in
    the background, `make_ready` does not wait for them. Raises `unsupported_type`, `too_large`,
    `not_an_issue`, and what reading the file raises (`broken_pdf`, `pdf_encrypted`, `zip_bomb` …).
    """
    actor.require(*publications.WRITERS)
    found = await publications.draft(actor, publication_id, lock=False)
    if found["kind"] != "issue":
        raise InvalidInput(
            "Файл целиком загружают в публикацию вида «номер».",
            "A whole file goes into a publication of the kind `issue`.",
            code="not_an_issue",
        )
    blob = await blobs.store(stream, limit=LARGEST)
    if blob.media_type not in issues.READABLE:
        raise UnsupportedType(media_type=blob.media_type, accepted=list(issues.READABLE))
    data = await blobs.read(blob.id, limit=LARGEST)
    await scanning.require_clean(blob, content=data)
    report, kept = await _taken(data, blob.media_type)
    async with db.transaction():
        locked = await publications.draft(actor, publication_id)
        if locked["version"] != found["version"]:
            raise Conflict(code="publication_changed")
        await db.execute(
            """UPDATE publication SET file_blob_id = $2, file_name = $3, report = $4
               WHERE id = $1""",
            publication_id, blob.id, file_name, report,
        )  # fmt: skip
        await _enter(publication_id, kept, file_name)
        await publications.touch(
            actor, publication_id, "publication.file", sha256=blob.sha256, pictures=len(kept)
        )
        await jobs.defer(
            CHECK_JOB, key=str(publication_id), publication_id=str(publication_id),
            account_id=str(actor.account_id),
        )  # fmt: skip
    return report


async def check_in_background(*, publication_id: uuid.UUID, account_id: uuid.UUID) -> None:
    """Judge what nobody has judged yet, in the name of who sent the file."""
    found = await db.row(
        "SELECT organization_id, status FROM publication WHERE id = $1", publication_id
    )
    if found is None or found["status"] != "draft":
        return
    person = await db.value("SELECT person_id FROM account WHERE id = $1", account_id)
    actor = Actor(
        kind="user", id=account_id, organization_id=found["organization_id"],
        roles=frozenset({"editor"}), person_id=person,
    )  # fmt: skip
    await gate.check_pictures(actor, publication_id)


async def _taken(data: bytes, media_type: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The report and the stored pictures, batch by batch, so that no answer grows too large."""
    report: dict[str, Any] = {"media_type": media_type, "pages": None, "page_report": [],
                              "ignored": [], "problems": []}  # fmt: skip
    kept: dict[str, dict[str, Any]] = {}
    after: int | None = 0
    while after is not None:
        part: dict[str, Any] = await pool().run(
            "compliance.publishing.issues:take_out", data, media_type, after=after,
            known=list(kept), timeout=_SECONDS, memory_mb=_MEMORY_MB,
        )  # fmt: skip
        for picture in part["pictures"]:
            known = kept.setdefault(picture["sha256"], {**picture, "data": None, "places": []})
            known["places"] += picture["places"]
            if picture["data"] is not None:
                known["blob"] = await _store(picture["data"])
        report["pages"] = part["pages"]
        for name in ("page_report", "ignored", "problems"):
            report[name] += part[name]
        after = part["next"]
    report["pictures"] = len(kept)
    return report, list(kept.values())


async def _store(content: bytes) -> uuid.UUID:
    async def whole() -> AsyncIterator[bytes]:
        yield content

    return (await blobs.store(whole(), limit=LARGEST)).id


async def _enter(publication_id: uuid.UUID, kept: list[dict[str, Any]], file_name: str) -> None:
    digests = [bytes.fromhex(one["sha256"]) for one in kept]
    await db.execute(
        "DELETE FROM publication_picture WHERE publication_id = $1 AND sha256 <> ALL ($2)",
        publication_id, digests,
    )  # fmt: skip
    for number, one in enumerate(kept, start=1):
        is_changed = any(place["is_cropped"] or place["is_masked"] for place in one["places"])
        await db.execute(
            """INSERT INTO publication_picture (id, publication_id, blob_id, sha256, file_name,
                   position, places, is_changed, created_at)
               VALUES (uuidv7(), $1, $2, $3, $4, $5, $6, $7, now())
               ON CONFLICT (publication_id, sha256) DO UPDATE SET position = EXCLUDED.position,
                   places = EXCLUDED.places, check_id = NULL, problem = NULL,
                   is_changed = EXCLUDED.is_changed OR publication_picture.is_changed""",
            publication_id, one["blob"], bytes.fromhex(one["sha256"]),
            f"{file_name[:200]} #{number}", number, one["places"], is_changed,
        )  # fmt: skip
