"""What a received message brings: its files stored, read, and their signatures checked."""

import uuid
from dataclasses import dataclass

from core.errors import InvalidInput
from core.sandbox import pool
from docflow.documents import checking, external
from docflow.documents.signing_entry import once
from docflow.gateways.medo.messages import File, Kind, Message, Role, Signature
from docflow.routing.medo import folders
from docflow.routing.medo.folders import Part
from storage import blobs
from storage.blobs import StoredBlob

TOGETHER = 32 << 20
"""Bytes of members that come out of the container in one call."""
MEMBER_MAX = 60 << 20
"""Bytes of one member; what the sandbox answers has a bound."""

_ROLES = {
    "утверждающая": "approving",
    "заверяющая": "certifying",
    "согласующая": "endorsing",
    "визирующая": "endorsing",
}


@dataclass(frozen=True, slots=True)
class Stored:
    """What is kept of a message: by name, parts in the store, and small ones in their rows."""

    blobs: dict[str, StoredBlob]
    small: frozenset[str] = frozenset()

    def rows(self, parts: list[Part]) -> list[folders.Row]:
        """As `folders.write_parts` takes them."""
        return [
            (one.name, one.size, one.sha256, self._id(one.name),
             one.content if one.name in self.small else None)
            for one in parts
        ]  # fmt: skip

    def _id(self, name: str) -> uuid.UUID | None:
        return self.blobs[name].id if name in self.blobs else None


async def keep(parts: list[Part], *, limit: int, message: Message | None = None) -> Stored:
    """Keep every part as it came; the files of a 2.x document in the store, however small.

    Raises Vanished, TooLarge, Unavailable.
    """
    loose = message.files if message and message.kind is Kind.DOCUMENT else ()
    needed = {name.lower() for one in loose for name in (one.name, one.stored_as)}
    kept, small = {}, set()
    for one in parts:
        if one.content is not None and (not one.size or one.name.lower() not in needed):
            small.add(one.name)
        elif blob := await folders.store(one.path, limit=limit):
            kept[one.name] = blob
    return Stored(kept, frozenset(small))


async def documents_of(
    message: Message, parts: list[Part], stored: Stored
) -> tuple[external.OutsideFile, ...]:
    """The files of the document that came, the main one first, each with its signatures checked.

    Raises InvalidInput `medo_no_document`, and what reading the container raises.
    """
    chosen = [one for one in message.files if one.role in (Role.DOCUMENT, Role.ATTACHMENT)]
    present = [one for one in chosen if one.size]
    if not present:
        raise InvalidInput(
            "В сообщении нет файла документа. Запросите его у отправителя.",
            "The message holds no document file. Ask the sender for it.",
            code="medo_no_document",
        )
    by_name = await _blobs_of(message, parts, stored)
    main = next((one for one in present if one.role is Role.DOCUMENT), present[0])
    rest = sorted((one for one in present if one is not main), key=lambda one: one.order or 0)
    return tuple(
        [
            await external.look_into(
                by_name[one.name], role="annex" if place else "main", position=place,
                file_name=one.name, title=one.description,
                signatures=_signatures(message, one, main, by_name),
            )
            for place, one in enumerate((main, *rest))
            if one.name in by_name
        ]
    )  # fmt: skip


def _signatures(
    message: Message, file: File, main: File, by_name: dict[str, StoredBlob]
) -> tuple[tuple[StoredBlob, str], ...]:
    named: list[Signature] = list(file.signatures)
    if file is main and message.document:
        named += [
            signature for author in message.document.authors for signer in author.signers
            for signature in signer.signatures
        ]  # fmt: skip
    unique = {one.name: one for one in named}
    return tuple(
        (by_name[one.name], _ROLES.get(one.kind.strip().lower(), "approving"))
        for one in unique.values()
        if one.name in by_name
    )


async def _blobs_of(message: Message, parts: list[Part], stored: Stored) -> dict[str, StoredBlob]:
    """Every file the message names, by its name there: beside the description or in the zip."""
    if message.kind is not Kind.CONTAINER or message.container is None:
        lower = {name.lower(): blob for name, blob in stored.blobs.items()}
        return {one.name: lower[one.name.lower()] for one in message.files
                if one.name.lower() in lower}  # fmt: skip
    body = next((one for one in parts if one.name.lower() == message.container.body.lower()), None)
    if body is None:
        return {}
    content = body.content
    if content is None:
        content = await blobs.read(stored.blobs[body.name].id, limit=1 << 30)
    return await _unpacked(content, [one for one in message.files if one.size and one.sha256])


async def _unpacked(content: bytes, named: list[File]) -> dict[str, StoredBlob]:
    kept: dict[str, StoredBlob] = {}
    batch: list[File] = []
    for one in [*named, None]:
        size = sum(each.size or 0 for each in batch)
        if batch and (one is None or size + (one.size or 0) > TOGETHER):
            await _unpack(content, batch, kept)
            batch = []
        if one is not None:
            batch.append(one)
    return kept


async def _unpack(content: bytes, batch: list[File], kept: dict[str, StoredBlob]) -> None:
    wanted = [(one.sha256, one.size) for one in batch]
    if any((one.size or 0) > MEMBER_MAX for one in batch):
        raise InvalidInput(
            "Файл в контейнере больше, чем принимает шлюз. Примите его другим способом.",
            "A file in the container is larger than the gateway takes. Get it another way.",
            code="medo_member_too_large",
        )
    found: dict[str, bytes] = await pool().run(
        "docflow.routing.medo.members:members", content, wanted, timeout=60.0
    )
    for one in batch:
        if (data := found.get(one.sha256)) is not None:
            kept[one.name] = await blobs.store(once(data), limit=checking.READ_UP_TO)


def verdict_of(outside: tuple[external.OutsideFile, ...], message: Message) -> str | None:
    """Why the signatures do not let the document in; None when nothing stands against it.

    Before 2.7 documents went unsigned, so a missing signature is no fault there.
    """
    if any("invalid" in one.verdicts for one in outside):
        return "signature_invalid"
    if message.kind is Kind.CONTAINER and not outside[0].verdicts:
        return "signature_missing"
    return None
