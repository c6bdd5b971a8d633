"""Packages out (пакеты на носителе): everything unanswered for one organization, in one file."""

import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from audit import events
from core import clock, db
from core.actor import Actor
from core.errors import InvalidInput
from core.settings import settings
from docflow.gateways.offline import packing, seals
from docflow.gateways.offline.manifests import (
    AnswerEntry,
    AnswerKind,
    DocumentEntry,
    FileEntry,
    Manifest,
    Named,
    Party,
    SignatureEntry,
)
from docflow.gateways.offline.packing import Source
from docflow.routing import answer_codes, letters, ways
from docflow.routing.letters import Contents, in_words
from docflow.routing.offline import keys
from storage import blobs

NAME = "offline"
MOST_DOCUMENTS = 1000
TOLD_FOR = timedelta(days=183)
_ANSWERED: dict[str, AnswerKind] = {
    "delivered": "delivered", "opened": "opened", "acknowledged": "acknowledged",
    "executed": "executed", "refused": "refused",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Packed:
    """A package that lies in a file."""

    id: uuid.UUID
    path: Path
    sequence: int
    documents: int
    answers: int
    uids: frozenset[uuid.UUID]


async def make(
    actor: Actor, recipient_id: uuid.UUID, *, folder: Path, is_named_by_place: bool = False
) -> Packed:
    """Write the package of the actor's organization for another one into `folder`.

    In it lies every document that waits for it on this channel and has no answer yet, and what
    became of the documents that came from there. A later package holds all that an earlier one
    held and was not answered. Raises `nothing_to_pack`. Belongs outside a transaction.
    """
    actor.require("clerk")
    sender, recipient = await _parties(actor.home_id, recipient_id)
    wanted = await _waiting(actor.home_id, recipient_id)
    answers = await _answers(actor.home_id, recipient_id)
    if not wanted and not answers:
        raise InvalidInput(
            "Для этой организации нет ни документов, ни ответов к передаче на носителе.",
            "There is nothing to take to this organization on a stick.",
            code="nothing_to_pack",
        )
    package_id = clock.new_id()
    key = await keys.own_key()
    documents, sources = await _documents(wanted)
    async with db.transaction():
        sequence = await _enter(
            actor, package_id, recipient_id, documents=documents, answers=len(answers),
            seal_key=key.public_key().public_bytes_raw().hex(),
        )  # fmt: skip
    made = Manifest(
        id=package_id, sequence=sequence, made_at=clock.now(), sender=sender,
        recipient=recipient, documents=tuple(documents), answers=tuple(answers),
        reply_key=keys.reply_key(package_id),
    )  # fmt: skip
    made, page = packing.with_index(made, address=f"{settings().public_url.rstrip('/')}/ack/")
    name = packing.safe_name(f"{recipient.code} {sequence:04}") + packing.SUFFIX
    place = folder / packing.safe_name(recipient.code) if is_named_by_place else folder
    target = place / name
    digest = await packing.write(
        target, made, page=page, sources=sources, seal=lambda said: seals.sealed_by_key(said, key)
    )
    await db.execute(
        "UPDATE offline_package SET sha256 = $2 WHERE id = $1", package_id, bytes.fromhex(digest)
    )
    return Packed(package_id, target, sequence, len(documents), len(answers),
                  frozenset(one.uid for one in documents))  # fmt: skip


async def _parties(*ids: uuid.UUID) -> list[Party]:
    rows = await db.rows("SELECT id, code, name FROM organization WHERE id = ANY($1)", list(ids))
    known = {row["id"]: Party(row["id"], row["code"], row["name"]) for row in rows}
    if not known.keys() >= set(ids):
        raise InvalidInput(code="organization_unknown")
    return [known[one] for one in ids]


async def _waiting(sender_id: uuid.UUID, recipient_id: uuid.UUID) -> list[db.Row]:
    """Deliveries by this channel without any answer, oldest first; nothing a mark forbids."""
    return await db.rows(
        """SELECT m.id AS uid, m.document_id, v.id AS delivery_id, v.due_on
           FROM consignment AS m JOIN consignment_delivery AS l ON l.consignment_id = m.id
           JOIN delivery AS v ON v.id = l.delivery_id JOIN document AS d ON d.id = m.document_id
           WHERE m.channel = $1 AND m.sender_id = $2 AND v.recipient_id = $3
           AND m.status IN ('waiting', 'sending', 'sent') AND l.outcome IS NULL
           AND v.status = 'queued' AND NOT EXISTS (
               SELECT 1 FROM unnest($4::text[], $5::text[]) AS r (mark, name)
               WHERE r.mark = d.mark AND r.name = $1)
           ORDER BY m.id LIMIT $6""",
        NAME, sender_id, recipient_id, *map(list, zip(*ways.all_forbidden(), strict=True)),
        MOST_DOCUMENTS,
    )  # fmt: skip


async def _answers(home_id: uuid.UUID, to_id: uuid.UUID) -> list[AnswerEntry]:
    """What became here of deliveries that came from there on a stick.

    Told in every package for half a year: sticks are lost, and an answer told twice is one.
    """
    rows = await db.rows(
        """SELECT a.uid, a.origin_id, v.status, v.reason, v.acknowledged_at, v.updated_at,
                  p.last_name, p.first_name, p.middle_name
           FROM offline_arrival AS a JOIN delivery AS v ON v.id = a.delivery_id
           LEFT JOIN person AS p ON p.id = v.acknowledged_by
           WHERE a.sender_id = $1 AND v.recipient_id = $2 AND v.status = ANY($3)
           AND v.updated_at > $4 ORDER BY a.delivery_id""",
        to_id, home_id, list(_ANSWERED), clock.now() - TOLD_FOR,
    )  # fmt: skip
    return [
        AnswerEntry(
            uid=row["uid"], delivery_id=row["origin_id"], kind=_ANSWERED[row["status"]],
            at=row["acknowledged_at"] or row["updated_at"], reason=row["reason"] or "",
            person=Named(row["last_name"], row["first_name"] or "", row["middle_name"] or "")
            if row["last_name"] else None,
        )
        for row in rows
    ]  # fmt: skip


async def _documents(wanted: list[db.Row]) -> tuple[list[DocumentEntry], dict[str, Source]]:
    codes = await answer_codes.of_deliveries([row["delivery_id"] for row in wanted])
    entries, sources = [], dict[str, Source]()
    for place, row in enumerate(wanted, 1):
        contents = await letters.contents_of(row["document_id"])
        files = _files(f"documents/{place:03}", contents, sources)
        entries.append(
            DocumentEntry(
                uid=row["uid"], delivery_id=row["delivery_id"], document_id=row["document_id"],
                code=answer_codes.shown(codes[row["delivery_id"]]),
                author=Party(contents.organization_id, contents.organization_code,
                             contents.organization),
                kind=contents.kind, title=contents.title, number=contents.number,
                date=in_words(contents.day), addressee=contents.addressee, mark=contents.mark,
                due_on=in_words(row["due_on"]), files=files,
            )
        )  # fmt: skip
    return entries, sources


def _files(folder: str, contents: Contents, sources: dict[str, Source]) -> tuple[FileEntry, ...]:
    entries = []
    for number, one in enumerate(contents.files):
        path = f"{folder}/{number:02} {packing.safe_name(one['file_name'])}"
        sources[path] = _blob(one["blob_id"])
        marks = []
        for place, mark in enumerate(one["signatures"], 1):
            beside = f"{path}.{place}.sig"
            sources[beside] = _blob(mark["blob_id"])
            marks.append(SignatureEntry(beside, mark["role"], mark["size"], mark["sha256"]))
        entries.append(
            FileEntry(
                path=path, file_name=one["file_name"], title=one["title"], role=one["role"],
                position=one["position"], media_type=one["media_type"], size=one["size"],
                sha256=one["sha256"], signatures=tuple(marks),
            )
        )  # fmt: skip
    return tuple(entries)


def _blob(blob_id: uuid.UUID) -> Source:
    async def stream() -> AsyncIterator[bytes]:
        async for chunk in await blobs.open_blob(blob_id):
            yield chunk

    return stream


async def _enter(
    actor: Actor,
    package_id: uuid.UUID,
    recipient_id: uuid.UUID,
    *,
    documents: list[DocumentEntry],
    answers: int,
    seal_key: str,
) -> int:
    """Write the package's row with the next number of its line; answers the number.

    The digest follows when the file stands; a number whose file was never finished stays unused.
    """
    await db.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))",
        f"offline:{actor.home_id}:{recipient_id}",
    )
    sequence = await db.value(
        """INSERT INTO offline_package (id, direction, sender_id, recipient_id, sequence, sha256,
                                        seal_key, documents, answers, actor_id, created_at)
           SELECT $1, 'out', $2, $3, coalesce(max(sequence), 0) + 1, '', $4, $5, $6, $7, $8
           FROM offline_package WHERE direction = 'out' AND sender_id = $2 AND recipient_id = $3
           RETURNING sequence""",
        package_id, actor.home_id, recipient_id, seal_key, len(documents), answers, actor.id,
        clock.now(),
    )  # fmt: skip
    await db.execute(
        """INSERT INTO offline_item (package_id, uid, delivery_id)
           SELECT $1, w.uid, w.id FROM unnest($2::uuid[], $3::uuid[]) AS w (uid, id)""",
        package_id, [one.uid for one in documents], [one.delivery_id for one in documents],
    )  # fmt: skip
    await events.record(
        actor, "offline.packed", subject=("offline_package", package_id),
        data={"recipient_id": str(recipient_id), "sequence": sequence,
              "documents": len(documents), "answers": answers},
    )  # fmt: skip
    return int(sequence)


async def listed(actor: Actor, *, after: uuid.UUID | None = None, limit: int = 50) -> list[db.Row]:
    """Packages the actor's organization handed out or took in, newest first."""
    actor.require("clerk")
    return await db.rows(
        """SELECT p.id, p.direction, p.sender_id, s.name AS sender, p.recipient_id,
                  r.name AS recipient, p.sequence, p.documents, p.answers, p.created_at
           FROM offline_package AS p JOIN organization AS s ON s.id = p.sender_id
           JOIN organization AS r ON r.id = p.recipient_id
           WHERE ((p.direction = 'out' AND p.sender_id = $1)
                  OR (p.direction = 'in' AND p.recipient_id = $1))
           AND ($2::uuid IS NULL OR p.id < $2) ORDER BY p.id DESC LIMIT $3""",
        actor.home_id, after, max(1, min(limit, 200)),
    )  # fmt: skip


async def waiting(actor: Actor) -> list[db.Row]:
    """For whom something lies ready, and how many documents: the list before a trip."""
    actor.require("clerk")
    return await db.rows(
        """SELECT o.id, o.code, o.name, o.region_code, count(*) AS documents,
                  min(v.due_on) AS due_on
           FROM consignment AS m JOIN consignment_delivery AS l ON l.consignment_id = m.id
           JOIN delivery AS v ON v.id = l.delivery_id
           JOIN organization AS o ON o.id = v.recipient_id
           WHERE m.channel = $1 AND m.sender_id = $2 AND l.outcome IS NULL
           AND m.status IN ('waiting', 'sending', 'sent') AND v.status = 'queued'
           GROUP BY o.id ORDER BY o.code LIMIT 20000""",
        NAME, actor.home_id,
    )  # fmt: skip


async def digest_of(package_id: uuid.UUID) -> bytes:
    """SHA-256 of a package that was written."""
    return bytes(await db.value("SELECT sha256 FROM offline_package WHERE id = $1", package_id))
