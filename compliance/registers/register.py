"""The register of pictures: where each comes from, who found it, who vouches for it.

What is entered is found by checks at once; whether it may be relied on is said by the second
person's approval. Claimants' works are entered by lawyers and stand for the whole federation.
"""

import uuid
from collections.abc import AsyncIterator
from datetime import date
from typing import Literal

import msgspec

from audit import events, transitions
from compliance.prints import Reference
from compliance.registers import changes
from compliance.states import ENTRY_TRANSITIONS, EntryStatus
from core import clock, db, idempotency, sandbox
from core.actor import Actor
from core.errors import Conflict, Forbidden, InvalidInput, NotFound, UnsupportedType
from directory import links
from directory.states import Line
from storage import blobs, scanning
from storage.blobs import StoredBlob

Kind = Literal["register", "claimant", "own"]

MAX_PICTURE = 64 << 20
MAX_DOCUMENT = 20 << 20
DOCUMENTS = frozenset({"application/pdf", "image/png", "image/jpeg", "image/tiff", "image/webp"})
"""Types of a licence, a consent, a contract."""
SNAPSHOTS = DOCUMENTS | {"text/html", "message/rfc822", "application/xhtml+xml"}
_READING_SECONDS = 30.0
_SHORT, _LONG = 500, 2000


class PictureCard(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What is said of a picture when it is entered."""

    kind: Kind = "register"
    title: str = ""
    author: str = ""
    source: str = ""
    """Address of the page it was taken from."""


class Entered(msgspec.Struct, frozen=True):
    """A picture that was read and stored and is in no register yet."""

    blob: StoredBlob
    read: Reference
    card: PictureCard


async def add(actor: Actor, *, data: bytes, card: PictureCard, key: str | None = None) -> uuid.UUID:
    """Enter a picture; checks find it from now on. Needs an editor or a lawyer.

    Raises as the parsers do for what is no picture, `picture_known` (409) when the organization
    has it already, `text_too_long`. A claimant's work needs a lawyer.
    """
    entered = await prepare(actor, data=data, card=card)
    request = idempotency.request_hash("picture", entered.read.sha256, msgspec.json.encode(card))
    picture_id, _ = await idempotency.once(
        scope=actor.home_id, key=key, request=request, create=lambda: enter(actor, entered)
    )
    return picture_id


async def prepare(actor: Actor, *, data: bytes, card: PictureCard) -> Entered:
    """Read a picture at arm's length and store it; outside a transaction."""
    actor.require("lawyer") if card.kind == "claimant" else actor.require("editor", "lawyer")
    require_texts(title=card.title, author=card.author, source=card.source)
    read: Reference = await sandbox.pool().run(
        "compliance.searching.references:reference", data, timeout=_READING_SECONDS, into=Reference
    )
    return Entered(await keep(data, limit=MAX_PICTURE), read, card)


async def enter(actor: Actor, entered: Entered) -> uuid.UUID:
    """Write a prepared picture into the register; in the caller's transaction if any."""
    read, blob, card = entered.read, entered.blob, entered.card
    picture_id, now = clock.new_id(), clock.now()
    async with db.transaction():
        await changes.lock()
        await _refuse_known(actor, read.sha256, card.kind)
        await db.execute(
            """INSERT INTO picture (id, organization_id, kind, status, blob_id, sha256, media_type,
                   size, width, height, title, author, source, carries_rights, evidence, found_by,
                   found_at, created_at, updated_at)
               VALUES ($1, $2, $3, 'active', $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15,
                       $16, $16, $16)""",
            picture_id, actor.home_id, card.kind, blob.id, bytes.fromhex(read.sha256),
            blob.media_type, blob.size, read.width, read.height, card.title.strip(),
            card.author.strip(), card.source.strip(), read.carries_rights,
            {"rights": read.rights}, actor.account_id, now,
        )  # fmt: skip
        await db.execute(
            """INSERT INTO picture_hash (picture_id, canon, pdq, quality, phash, dhash)
               VALUES ($1, $2, $3, $4, $5, $6)""",
            picture_id, read.canon, read.pdq, read.quality, read.phash, read.dhash,
        )  # fmt: skip
        await db.execute(
            "INSERT INTO picture_features (picture_id, canon, content) VALUES ($1, $2, $3)",
            picture_id, read.canon, read.content,
        )  # fmt: skip
        await changes.note("picture.added", ("picture", picture_id), picture_id=picture_id)
        await events.record(
            actor, "picture.add", subject=("picture", picture_id), change=(None, "active"),
            data={"sha256": read.sha256, "kind": card.kind},
            detail={"title": card.title, "author": card.author, "source": card.source},
        )  # fmt: skip
    return picture_id


async def attach_snapshot(actor: Actor, picture_id: uuid.UUID, *, data: bytes) -> None:
    """Keep the page the picture was found on (PDF, HTML, MHTML or a picture of it).

    Raises `picture_approved` (409) once somebody has vouched for what was there before.
    """
    actor.require("editor", "lawyer")
    await own_picture(actor, picture_id, lock=False)
    blob = await keep(data, limit=MAX_DOCUMENT, types=SNAPSHOTS)
    await put_snapshot(actor, picture_id, blob)


async def put_snapshot(actor: Actor, picture_id: uuid.UUID, blob: StoredBlob) -> None:
    """Write a stored snapshot into the entry; in the caller's transaction if any."""
    async with db.transaction():
        await changes.lock()
        found = await own_picture(actor, picture_id)
        if found["approved_by"] is not None:
            raise Conflict(
                "Запись уже одобрена: снимок страницы больше не меняется.",
                "The entry is approved: its snapshot does not change any more.",
                code="picture_approved",
            )
        await db.execute(
            "UPDATE picture SET snapshot_blob_id = $2, updated_at = $3 WHERE id = $1",
            picture_id, blob.id, clock.now(),
        )  # fmt: skip
        await changes.note("picture.snapshot", ("picture", picture_id), picture_id=picture_id)
        await events.record(
            actor, "picture.snapshot", subject=("picture", picture_id), data={"sha256": blob.sha256}
        )


async def approve(actor: Actor, picture_id: uuid.UUID) -> None:
    """Vouch for an entry; needs another person than the one who made it (`second_person`)."""
    actor.require("editor", "lawyer")
    async with db.transaction():
        await changes.lock()
        found = await own_picture(actor, picture_id)
        await require_other(actor, found["found_by"])
        if found["approved_by"] is not None:
            raise Conflict(
                "Запись уже одобрена.", "The entry is approved already.", code="picture_approved"
            )
        await db.execute(
            "UPDATE picture SET approved_by = $2, approved_at = $3, updated_at = $3 WHERE id = $1",
            picture_id, actor.account_id, clock.now(),
        )  # fmt: skip
        await changes.note("picture.approved", ("picture", picture_id), picture_id=picture_id)
        await events.record(actor, "picture.approve", subject=("picture", picture_id))


async def retire(actor: Actor, picture_id: uuid.UUID, *, reason: str) -> None:
    """Take an entry out of the register: checks find it no more, what was checked stays.

    A claimant's work is taken out by a lawyer.
    """
    actor.require("editor", "lawyer")
    words = require_reason(reason)
    async with db.transaction():
        await changes.lock()
        found = await own_picture(actor, picture_id, any_status=True)
        if found["kind"] == "claimant":
            actor.require("lawyer")
        await transitions.move(
            actor, "picture", picture_id, graph=ENTRY_TRANSITIONS, source=EntryStatus.ACTIVE,
            target=EntryStatus.RETIRED, verb="picture.retire",
            assign={"retired_reason": words}, detail={"reason": words},
        )  # fmt: skip
        await changes.note("picture.retired", ("picture", picture_id), picture_id=picture_id)


async def own_picture(
    actor: Actor, picture_id: uuid.UUID, *, lock: bool = True, any_status: bool = False
) -> db.Row:
    """An entry of the actor's own organization; NotFound otherwise, `picture_retired` if gone."""
    found = await db.row(
        f"""SELECT * FROM picture WHERE id = $1 AND organization_id = $2
            {"FOR NO KEY UPDATE" if lock else ""}""",
        picture_id, actor.home_id,
    )  # fmt: skip
    if found is None:
        raise NotFound(picture_id=str(picture_id))
    if found["status"] != "active" and not any_status:
        raise Conflict(
            "Изображение исключено из реестра.", "The picture was taken out of the register.",
            code="picture_retired",
        )  # fmt: skip
    return found


async def superiors_of(organization_id: uuid.UUID, *, on: date) -> dict[str, tuple[uuid.UUID, ...]]:
    """Who stands above on both lines on that day, nearest first."""
    found: dict[str, tuple[uuid.UUID, ...]] = {}
    for line in Line:
        above = await links.path_up(organization_id=organization_id, on=on, line=line)
        found[line.value] = tuple(row["id"] for row in above)
    return found


def everybody_above(superiors: dict[str, tuple[uuid.UUID, ...]]) -> list[uuid.UUID]:
    """The same without lines, each once."""
    return list(dict.fromkeys(one for line in superiors.values() for one in line))


def condition(picture: str, organization: str, superiors: str) -> str:
    """SQL: may the organization know of the row `picture`? The three are names or placeholders.

    Its own entries, the claimants' works, and what a superior may let it use.
    """
    return f"""({picture}.organization_id = {organization} OR {picture}.kind = 'claimant'
        OR EXISTS (SELECT 1 FROM licence AS reaching WHERE reaching.picture_id = {picture}.id
            AND {licence_condition("reaching", organization, superiors)})
        OR EXISTS (SELECT 1 FROM own_work AS shared WHERE shared.picture_id = {picture}.id
            AND shared.reach = 'subtree' AND shared.organization_id = ANY ({superiors})))"""


def licence_condition(licence: str, organization: str, superiors: str) -> str:
    """SQL: does the row `licence` matter to the organization?

    Those it has entered itself, and of those its superiors have entered the ones that are public,
    were given to it or reach down to it. What others enter obliges nobody.
    """
    return f"""({licence}.status = 'active' AND ({licence}.organization_id = {organization}
        OR ({licence}.organization_id = ANY ({superiors}) AND ({licence}.kind = 'public'
            OR {licence}.grantee_id = {organization}
            OR ({licence}.reach <> 'organization'
                AND {licence}.grantee_id = ANY ({superiors}))))))"""


async def keep(data: bytes, *, limit: int, types: frozenset[str] | None = None) -> StoredBlob:
    """Store bytes; `unsupported_type` when they are none of `types`, `malware_found`.

    Outside transactions.
    """

    async def whole() -> AsyncIterator[bytes]:
        yield data

    blob = await blobs.store(whole(), limit=limit)
    if types is not None and blob.media_type not in types:
        raise UnsupportedType(
            f"Файл имеет тип {blob.media_type}. Здесь принимаются: {', '.join(sorted(types))}.",
            f"The file is {blob.media_type}. Accepted here: {', '.join(sorted(types))}.",
            media_type=blob.media_type,
        )
    await scanning.require_clean(blob, content=data)
    return blob


async def require_other(actor: Actor, account_id: uuid.UUID) -> None:
    """Raise Forbidden `second_person` unless the actor is another person than the account's."""
    person = await db.value("SELECT person_id FROM account WHERE id = $1", account_id)
    if actor.account_id == account_id or (person is not None and person == actor.person_id):
        raise Forbidden(
            "Нужен второй сотрудник: свою запись подтвердить нельзя.",
            "A second person is needed: nobody confirms their own entry.",
            code="second_person",
        )


def require_reason(text: str) -> str:
    """The reason without blanks; `reason_too_short` below three characters."""
    words = text.strip()
    if not 3 <= len(words) <= _LONG:
        raise InvalidInput(
            f"Укажите причину: от 3 до {_LONG} знаков.",
            f"Give the reason: 3 to {_LONG} characters.",
            code="reason_too_short", field="reason",
        )  # fmt: skip
    return words


def require_texts(**texts: str) -> None:
    """`text_too_long` for what would not fit a line of the register."""
    for name, text in texts.items():
        if len(text) > (_LONG if name in ("source", "note") else _SHORT):
            raise InvalidInput(
                f"Слишком длинный текст в поле {name}.", f"The text of {name} is too long.",
                code="text_too_long", field=name,
            )  # fmt: skip


async def _refuse_known(actor: Actor, sha256: str, kind: Kind) -> None:
    known = await db.value(
        """SELECT id FROM picture WHERE sha256 = $1 AND status = 'active' AND CASE
           WHEN $3 = 'claimant' THEN kind = 'claimant'
           ELSE kind <> 'claimant' AND organization_id = $2 END""",
        bytes.fromhex(sha256), actor.home_id, kind,
    )  # fmt: skip
    if known is not None:
        raise Conflict(
            "Это изображение уже есть в реестре.",
            "The picture is in the register already.",
            code="picture_known", picture_id=str(known),
        )  # fmt: skip
