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
    """The parts of a message in the store, by name; None for an empty file."""

    blobs: dict[str, StoredBlob | None]

    def rows(self, parts: list[Part]) -> list[tuple[str, int, bytes, uuid.UUID | None]]:
        """As `folders.write_parts` takes them."""
        kept = self.blobs
        return [(one.name, one.size, one.sha256, _id(kept.get(one.name))) for one in parts]


def _id(blob: StoredBlob | None) -> uuid.UUID | None:
    return blob.id if blob else None


async def keep(parts: list[Part], *, limit: int) -> Stored:
    """Store every part as it came. Raises Vanished, TooLarge, Unavailable."""
    return Stored({one.name: await folders.store(one.path, limit=limit) for one in parts})


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
        lower = {name.lower(): blob for name, blob in stored.blobs.items() if blob}
        return {one.name: lower[one.name.lower()] for one in message.files
                if one.name.lower() in lower}  # fmt: skip
    body = next((one for one in parts if one.name.lower() == message.container.body.lower()), None)
    if body is None:
        return {}
    content = await blobs.read(_blob(stored, body).id, limit=1 << 30)
    return await _unpacked(content, [one for one in message.files if one.size and one.sha256])


def _blob(stored: Stored, part: Part) -> StoredBlob:
    blob = stored.blobs[part.name]
    if blob is None:
        raise InvalidInput(code="empty_file")
    return blob


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
