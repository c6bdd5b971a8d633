"""Packages in: judged, then entered whole in one transaction, or refused whole with the reason."""

import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

from audit import events
from core import clock, db
from core.actor import RULE, Actor
from core.errors import Conflict, InvalidInput
from core.sandbox import pool
from docflow.documents import external
from docflow.gateways.offline import seals
from docflow.gateways.offline.manifests import (
    DocumentEntry,
    FileEntry,
    Manifest,
    Seal,
    SignatureEntry,
)
from docflow.gateways.offline.reading import Found
from docflow.routing.offline import entering, keys
from storage import blobs
from storage.blobs import StoredBlob

_READER = "docflow.gateways.offline.reading:read"
_SECONDS = 600.0
_CHUNK = 1 << 18
MOST_BYTES = 16 << 30


@dataclass(frozen=True, slots=True)
class Taken:
    """What a package changed here (итог приёма пакета)."""

    package_id: uuid.UUID
    sequence: int
    sender: str
    is_repeat: bool
    """It was taken before; nothing has changed."""
    documents: int
    """New documents."""
    answers: dict[str, int] = field(default_factory=dict)
    """Answers by what they did: ``acknowledged``, ``delivered`` …, ``known``."""


async def take(path: Path, *, actor: Actor | None = None) -> Taken:
    """Take a package in; belongs outside a transaction.

    The same package again answers the same and changes nothing. Raises HostileInput for what is
    no whole package (`package_tampered` …) and for `package_key_unknown`; Conflict
    `package_older`; InvalidInput `package_foreign`, `package_own`.
    """
    found: Found = await pool().run(_READER, str(path), into=Found, timeout=_SECONDS)
    manifest, seal = found.parsed()
    trusts = await _judge(found.manifest, seal)
    sender_id, recipient_id = await entering.parties(manifest, trusts=trusts)
    if actor is not None and actor.home_id != recipient_id:
        raise entering.foreign("recipient")
    if (known := await _known(manifest)) is not None:
        return known
    await _require_newest(manifest, seal, sender_id, recipient_id)
    fresh = await entering.unknown_documents(manifest)
    looked = {one.uid: await _looked(path, found, one) for one in fresh}
    who = actor or RULE.acting_for(recipient_id)
    async with db.transaction():
        await db.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", f"offline in:{manifest.id}"
        )
        if (known := await _known(manifest)) is not None:
            return known
        await _require_newest(manifest, seal, sender_id, recipient_id)
        await _enter(who, manifest, seal, sender_id, recipient_id)
        entered = 0
        for one in fresh:
            entered += await entering.document(
                one,
                looked[one.uid],
                sender=manifest.sender,
                sender_id=sender_id,
                recipient_id=recipient_id,
            )
        answers = await entering.answers(
            manifest, seal, sender_id=sender_id, recipient_id=recipient_id
        )
        await events.record(
            who, "offline.taken", subject=("offline_package", manifest.id),
            data={"sequence": manifest.sequence, "documents": entered, "answers": answers},
        )  # fmt: skip
    return Taken(manifest.id, manifest.sequence, manifest.sender.name, False, entered, answers)


async def _judge(said: bytes, seal: Seal) -> list[keys.Trust] | None:
    """Who vouches for it: another installation, or (None) somebody who answers one of ours."""
    if seal.form == "reply":
        package_id = _uuid(seal.key)
        seals.require_good(
            said, seal, keys={}, reply_keys={seal.key: keys.reply_key(package_id)}
        )  # fmt: skip
        return None
    if seal.key == await keys.public_hex():
        raise InvalidInput(
            "Это пакет этой же установки, на него никто не ответил. Загрузите файл ответов.",
            "This is a package of this very installation, unanswered. Load the answers instead.",
            code="package_own",
        )
    trusted = await keys.trusted()
    seals.require_good(said, seal, keys=trusted, reply_keys={})
    return trusted[seal.key]


def _uuid(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError as problem:
        raise seals.unknown(text[:100]) from problem


async def _known(manifest: Manifest) -> Taken | None:
    row = await db.row(
        """SELECT p.*, o.name FROM offline_package AS p
           JOIN organization AS o ON o.id = p.sender_id
           WHERE p.id = $1 AND p.direction = 'in'""",
        manifest.id,
    )
    if row is None:
        return None
    return Taken(row["id"], row["sequence"], row["name"], True, 0)


async def _require_newest(
    manifest: Manifest, seal: Seal, sender_id: uuid.UUID, recipient_id: uuid.UUID
) -> None:
    """An installation's packages replace each other: an older one has nothing to say any more."""
    if seal.form != "ed25519":
        return
    newest = await db.value(
        """SELECT max(sequence) FROM offline_package WHERE direction = 'in'
           AND sender_id = $1 AND recipient_id = $2 AND seal_key = $3""",
        sender_id, recipient_id, seal.key,
    )  # fmt: skip
    if newest is not None and newest >= manifest.sequence:
        raise Conflict(
            f"Уже принят более новый пакет этого отправителя, № {newest}."
            " Возьмите у отправителя свежий.",
            f"A newer package of this sender, No. {newest}, was taken already. Get a fresh one.",
            code="package_older", newest=newest, sequence=manifest.sequence,
        )  # fmt: skip


async def _enter(
    actor: Actor, manifest: Manifest, seal: Seal, sender_id: uuid.UUID, recipient_id: uuid.UUID
) -> None:
    await db.execute(
        """INSERT INTO offline_package (id, direction, sender_id, recipient_id, sequence, sha256,
                                        seal_key, documents, answers, actor_id, created_at)
           VALUES ($1, 'in', $2, $3, $4, '', $5, $6, $7, $8, $9)""",
        manifest.id, sender_id, recipient_id, manifest.sequence, seal.key,
        len(manifest.documents), len(manifest.answers), actor.id, clock.now(),
    )  # fmt: skip


async def _looked(
    path: Path, found: Found, document: DocumentEntry
) -> tuple[external.OutsideFile, ...]:
    """Store a document's files and check their signatures here, whatever the sender found."""
    files = []
    for one in document.files:
        blob = await _stored(path, found, one)
        marks = tuple(
            [(await _stored(path, found, mark), mark.role) for mark in one.signatures]
        )  # fmt: skip
        files.append(
            await external.look_into(
                blob, role=one.role, position=one.position, file_name=one.file_name,
                title=one.title, signatures=marks,
            )
        )  # fmt: skip
    return tuple(files)


async def _stored(path: Path, found: Found, one: FileEntry | SignatureEntry) -> StoredBlob:
    """Keep the bytes of a member; they are taken by offset, nothing is unpacked."""
    blob = await blobs.store(
        _piece(path, found.offsets[one.path], one.size), limit=MOST_BYTES
    )  # fmt: skip
    if blob.sha256 != one.sha256:
        raise seals.tampered(one.path[:200])  # the file was exchanged after it was judged
    return blob


async def _piece(path: Path, start: int, size: int) -> AsyncIterator[bytes]:
    with path.open("rb") as opened:
        opened.seek(start)
        while size > 0 and (chunk := opened.read(min(_CHUNK, size))):
            size -= len(chunk)
            yield chunk
