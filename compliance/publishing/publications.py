"""Publications: a page, a post or a newspaper issue as a record of its pictures and their use.

Where it comes out, when, and every picture with its caption; whether it may come out is decided in
`gate`. What was made ready is changed only after it was opened again.
"""

import uuid
from datetime import date
from typing import Any, Literal

import msgspec

from audit import events, transitions
from compliance.publishing.publication_states import PUBLICATION_TRANSITIONS, PublicationStatus
from compliance.registers import register
from compliance.verdicts.case import Channel
from core import clock, db, idempotency
from core.actor import Actor
from core.errors import Conflict, IllegalTransition, InvalidInput, NotFound
from notify import webhooks
from storage import blobs

Kind = Literal["page", "post", "issue"]
WRITERS = ("editor", "lawyer")
MOST_PICTURES = 2_000
_CAPTION = 2_000


class PublicationCard(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What comes out, where and when."""

    kind: Kind
    channel: Channel
    place: str
    """Address of the page, or name and number of the newspaper."""
    title: str
    planned_on: date
    is_commercial: bool | None = False
    """Whether it earns money (advertising, paid newspaper); null: not known."""
    territory: str = "RU"


class PictureInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How a picture is used."""

    caption: str = ""
    is_changed: bool = False
    """Whether it was changed beyond format and size."""
    seat: str | None = None
    """Who of the licensed users publishes; for licences by seats."""


async def create(actor: Actor, *, card: PublicationCard, key: str | None = None) -> uuid.UUID:
    """A new draft of the actor's organization, without pictures. Raises `publication_card`."""
    actor.require(*WRITERS)
    _require_card(card)

    async def insert() -> uuid.UUID:
        publication_id, now = clock.new_id(), clock.now()
        await db.execute(
            """INSERT INTO publication (id, organization_id, kind, status, channel, place, title,
                   planned_on, is_commercial, territory, created_by, created_at, updated_at)
               VALUES ($1, $2, $3, 'draft', $4, $5, $6, $7, $8, $9, $10, $11, $11)""",
            publication_id, actor.home_id, card.kind, card.channel, card.place.strip(),
            card.title.strip(), card.planned_on, card.is_commercial, card.territory,
            actor.account_id, now,
        )  # fmt: skip
        await events.record(
            actor, "publication.created", subject=("publication", publication_id),
            change=(None, "draft"), data={"kind": card.kind, "channel": card.channel},
        )  # fmt: skip
        return publication_id

    request = idempotency.request_hash("publication", msgspec.json.encode(card))
    publication_id, _ = await idempotency.once(
        scope=actor.home_id, key=key, request=request, create=insert
    )
    return publication_id


async def correct(
    actor: Actor, publication_id: uuid.UUID, *, card: PublicationCard, version: int
) -> None:
    """Change the card of a draft; `version` is the one that was seen (`publication_changed`)."""
    actor.require(*WRITERS)
    _require_card(card)
    async with db.transaction():
        found = await draft(actor, publication_id)
        if found["version"] != version:
            raise Conflict(
                "Публикацию уже изменили. Обновите страницу и повторите.",
                "The publication was changed meanwhile. Reload and try again.",
                code="publication_changed",
            )
        if card.kind != found["kind"] and found["file_blob_id"] is not None:
            raise _bad("kind", "Вид номера с файлом не меняется.", "An issue with its file stays.")
        await db.execute(
            """UPDATE publication SET kind = $2, channel = $3, place = $4, title = $5,
                   planned_on = $6, is_commercial = $7, territory = $8 WHERE id = $1""",
            publication_id, card.kind, card.channel, card.place.strip(), card.title.strip(),
            card.planned_on, card.is_commercial, card.territory,
        )  # fmt: skip
        await db.execute(
            "UPDATE publication_picture SET check_id = NULL WHERE publication_id = $1",
            publication_id,
        )
        await touch(actor, publication_id, "publication.corrected")


async def add_picture(
    actor: Actor,
    publication_id: uuid.UUID,
    *,
    data: bytes,
    file_name: str,
    use: PictureInput,
    places: list[dict[str, Any]] | None = None,
) -> uuid.UUID:
    """Put a picture into a draft; the same picture again gets this caption and place.

    It is stored and not looked at yet: `gate.check_pictures` does that. Raises `unsupported_type`,
    `caption_too_long`, `too_many_pictures`.
    """
    actor.require(*WRITERS)
    require_use(use)
    await draft(actor, publication_id, lock=False)
    blob = await register.keep(data, limit=register.MAX_PICTURE)
    async with db.transaction():
        await draft(actor, publication_id)
        count = await db.value(
            "SELECT count(*) FROM publication_picture WHERE publication_id = $1", publication_id
        )
        if count >= MOST_PICTURES:
            raise InvalidInput(
                f"В публикации больше {MOST_PICTURES} изображений. Разделите её.",
                f"More than {MOST_PICTURES} pictures in one publication. Split it.",
                code="too_many_pictures",
            )
        picture_id = await db.value(
            """INSERT INTO publication_picture (id, publication_id, blob_id, sha256, file_name,
                   position, places, caption, is_changed, seat, created_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
               ON CONFLICT (publication_id, sha256) DO UPDATE SET caption = EXCLUDED.caption,
                   is_changed = EXCLUDED.is_changed, seat = EXCLUDED.seat,
                   places = EXCLUDED.places, check_id = NULL, problem = NULL
               RETURNING id""",
            clock.new_id(), publication_id, blob.id, bytes.fromhex(blob.sha256), file_name,
            count + 1, places or [], use.caption.strip(), use.is_changed, use.seat, clock.now(),
        )  # fmt: skip
        await touch(actor, publication_id, "publication.picture_added", sha256=blob.sha256)
    return uuid.UUID(str(picture_id))


async def correct_picture(
    actor: Actor, publication_id: uuid.UUID, picture_id: uuid.UUID, *, use: PictureInput
) -> None:
    """Another caption, change or seat; the picture is judged again afterwards."""
    actor.require(*WRITERS)
    require_use(use)
    async with db.transaction():
        await draft(actor, publication_id)
        done = await db.execute(
            """UPDATE publication_picture SET caption = $3, seat = $5, check_id = NULL,
                   is_changed = $4 OR EXISTS (SELECT 1 FROM jsonb_array_elements(places) AS place
                       WHERE (place->>'is_cropped')::boolean OR (place->>'is_masked')::boolean)
               WHERE publication_id = $1 AND id = $2""",
            publication_id, picture_id, use.caption.strip(), use.is_changed, use.seat,
        )  # fmt: skip
        if not done:
            raise NotFound(picture_id=str(picture_id))
        await touch(actor, publication_id, "publication.picture_corrected")


async def remove_picture(actor: Actor, publication_id: uuid.UUID, picture_id: uuid.UUID) -> None:
    """Take a picture out of a draft; `issue_picture` when a file holds it."""
    actor.require(*WRITERS)
    async with db.transaction():
        found = await draft(actor, publication_id)
        if found["file_blob_id"] is not None:
            raise Conflict(
                "Изображение стоит в файле номера. Уберите его из вёрстки и загрузите файл заново.",
                "The picture is in the issue's file. Take it out of the layout and send the file.",
                code="issue_picture",
            )
        done = await db.execute(
            "DELETE FROM publication_picture WHERE publication_id = $1 AND id = $2",
            publication_id, picture_id,
        )  # fmt: skip
        if not done:
            raise NotFound(picture_id=str(picture_id))
        await touch(actor, publication_id, "publication.picture_removed")


async def reopen(actor: Actor, publication_id: uuid.UUID) -> None:
    """Back from ready to draft, to change it."""
    actor.require(*WRITERS)
    async with db.transaction():
        found = await own(actor, publication_id)
        await transitions.move(
            actor, "publication", found["id"], graph=PUBLICATION_TRANSITIONS,
            source=PublicationStatus.READY, target=PublicationStatus.DRAFT,
            verb="publication.reopened",
        )  # fmt: skip


async def withdraw(actor: Actor, publication_id: uuid.UUID, *, reason: str) -> None:
    """Take it back, whatever its state; uses of its pictures end today. `reason_too_short`."""
    actor.require(*WRITERS)
    words = register.require_reason(reason)
    async with db.transaction():
        found = await own(actor, publication_id)
        moment = clock.now()
        await transitions.move(
            actor, "publication", found["id"], graph=PUBLICATION_TRANSITIONS,
            source=PublicationStatus(found["status"]), target=PublicationStatus.WITHDRAWN,
            verb="publication.withdrawn", detail={"reason": words},
            assign={"withdrawn_at": moment, "withdrawn_by": actor.account_id,
                    "withdrawn_reason": words},
        )  # fmt: skip
        ended = await db.execute(
            """UPDATE picture_use SET withdrawn_at = $2, updated_at = $2 WHERE withdrawn_at IS NULL
               AND id IN (SELECT use_id FROM publication_picture WHERE publication_id = $1)""",
            publication_id, moment,
        )  # fmt: skip
        await webhooks.announce(
            actor.home_id, "publication.withdrawn",
            {"publication_id": publication_id, "was": found["status"], "uses": ended},
        )  # fmt: skip


async def own(actor: Actor, publication_id: uuid.UUID, *, lock: bool = True) -> db.Row:
    """A publication of the actor's organization, locked for the transaction; else NotFound."""
    found = await db.row(
        f"""SELECT * FROM publication WHERE id = $1 AND organization_id = $2
            {"FOR NO KEY UPDATE" if lock else ""}""",
        publication_id, actor.home_id,
    )  # fmt: skip
    if found is None:
        raise NotFound(publication_id=str(publication_id))
    return found


async def draft(actor: Actor, publication_id: uuid.UUID, *, lock: bool = True) -> db.Row:
    """The same, only while it can be changed; IllegalTransition otherwise."""
    found = await own(actor, publication_id, lock=lock)
    if found["status"] != PublicationStatus.DRAFT:
        raise IllegalTransition(
            "Публикация уже не черновик. Верните её в черновики, чтобы изменить.",
            "The publication is no draft any more. Open it again to change it.",
            from_status=found["status"],
        )
    return found


async def touch(actor: Actor, publication_id: uuid.UUID, verb: str, **data: Any) -> None:
    """Count a change of what is in it, inside its transaction."""
    await db.execute(
        "UPDATE publication SET version = version + 1, updated_at = $2 WHERE id = $1",
        publication_id, clock.now(),
    )  # fmt: skip
    await events.record(actor, verb, subject=("publication", publication_id), data=data or None)


async def pictures_of(publication_id: uuid.UUID) -> list[db.Row]:
    """The pictures with what the newest check of each said, in their order."""
    return await db.rows(
        """SELECT p.*, encode(p.sha256, 'hex') AS digest, c.outcome, c.turns_on, c.verdict_json,
                  c.used_on, c.created_at AS checked_at
           FROM publication_picture AS p LEFT JOIN picture_check AS c ON c.id = p.check_id
           WHERE p.publication_id = $1 ORDER BY p.position, p.id""",
        publication_id,
    )


async def list_of(
    actor: Actor, *, status: str | None, after: uuid.UUID | None, limit: int
) -> list[db.Row]:
    """The organization's publications, newest first; `after`: the last id of the page before."""
    return await db.rows(
        """SELECT p.*, count(i.id) AS pictures,
                  count(i.id) FILTER (WHERE i.check_id IS NULL) AS unchecked
           FROM publication AS p LEFT JOIN publication_picture AS i ON i.publication_id = p.id
           WHERE p.organization_id = $1 AND ($2::text IS NULL OR p.status = $2)
             AND ($3::uuid IS NULL OR p.id < $3) GROUP BY p.id ORDER BY p.id DESC LIMIT $4""",
        actor.home_id, status, after, min(max(limit, 1), 200),
    )  # fmt: skip


async def content_of(actor: Actor, publication_id: uuid.UUID, picture_id: uuid.UUID) -> db.Row:
    """The blob of one picture; NotFound when it is not the organization's."""
    await own(actor, publication_id, lock=False)
    found = await db.row(
        """SELECT b.* , p.file_name FROM publication_picture AS p JOIN blob AS b ON b.id = p.blob_id
           WHERE p.publication_id = $1 AND p.id = $2""",
        publication_id, picture_id,
    )  # fmt: skip
    if found is None:
        raise NotFound(picture_id=str(picture_id))
    return found


async def read_picture(row: db.Row) -> bytes:
    """The bytes of a picture of a publication."""
    return await blobs.read(row["blob_id"], limit=register.MAX_PICTURE)


def require_use(use: PictureInput) -> None:
    """`caption_too_long`, or `seat_name` for a seat that cannot be."""
    if len(use.caption) > _CAPTION:
        raise InvalidInput(
            f"Подпись длиннее {_CAPTION} знаков.", f"The caption has more than {_CAPTION} signs.",
            code="caption_too_long",
        )  # fmt: skip
    if use.seat is not None and not 1 <= len(use.seat.strip()) <= 200:
        raise InvalidInput(
            "Имя пользователя лицензии: от 1 до 200 знаков.",
            "Name of the licensed user: 1 to 200 characters.",
            code="seat_name", field="seat",
        )  # fmt: skip


def _require_card(card: PublicationCard) -> None:
    if not 1 <= len(card.place.strip()) <= 2000:
        raise _bad("place", "Укажите, где выйдет публикация.", "Say where it comes out.")
    if not 1 <= len(card.title.strip()) <= 500:
        raise _bad("title", "Укажите заголовок, до 500 знаков.", "Give a title, up to 500 signs.")
    if len(card.territory) != 2 or not card.territory.isalpha() or not card.territory.isupper():
        raise _bad("territory", "Территория — код страны, например RU.",
                   "A territory is a country code, such as RU.")  # fmt: skip
    if not date(2000, 1, 1) <= card.planned_on <= date(2100, 1, 1):
        raise _bad("planned_on", "Дата выхода указана неверно.", "The date is not possible.")


def _bad(field: str, ru: str, en: str) -> InvalidInput:
    return InvalidInput(ru, en, code="publication_card", field=field)
