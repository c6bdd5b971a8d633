"""Own works: pictures by one's own author, and the consent they gave."""

import uuid
from datetime import date
from typing import Literal

import msgspec

from audit import events
from compliance.registers import changes, register
from compliance.registers.register import MAX_DOCUMENT
from compliance.verdicts.case import Channel
from core import clock, db, idempotency
from core.actor import Actor
from core.errors import Conflict, InvalidInput, NotFound
from storage.blobs import StoredBlob


class Consent(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What the author has agreed to; no channels means every one."""

    author: str
    person_id: uuid.UUID | None = None
    reach: Literal["organization", "subtree"] = "subtree"
    channels: tuple[Channel, ...] = ()
    since: date | None = None
    until: date | None = None
    attribution: str = ""
    """The line the author wants under the picture."""


async def add(
    actor: Actor,
    picture_id: uuid.UUID,
    *,
    consent: Consent,
    document: bytes,
    key: str | None = None,
) -> uuid.UUID:
    """Enter the author's consent with its document; it counts when a second person confirms it.

    Raises `own_work_terms` with the field, `unsupported_type`, `picture_retired`.
    """
    actor.require("editor", "lawyer")
    _check(consent)
    await register.own_picture(actor, picture_id, lock=False)
    blob = await register.keep(document, limit=MAX_DOCUMENT, types=register.DOCUMENTS)
    request = idempotency.request_hash(
        "own_work", str(picture_id), msgspec.json.encode(consent), blob.sha256
    )
    work_id, _ = await idempotency.once(
        scope=actor.home_id, key=key, request=request,
        create=lambda: _enter(actor, picture_id, consent, blob),
    )  # fmt: skip
    return work_id


async def _enter(
    actor: Actor, picture_id: uuid.UUID, consent: Consent, blob: StoredBlob
) -> uuid.UUID:
    work_id, now = clock.new_id(), clock.now()
    async with db.transaction():
        await changes.lock()
        await register.own_picture(actor, picture_id)
        if consent.person_id is not None and not await db.value(
            "SELECT true FROM person WHERE id = $1", consent.person_id
        ):
            raise NotFound(code="person_unknown", person=str(consent.person_id))
        await db.execute(
            """INSERT INTO own_work (id, organization_id, picture_id, author, person_id,
                   consent_blob_id, reach, channels, since, until, attribution, created_by,
                   created_at, updated_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $13)""",
            work_id, actor.home_id, picture_id, consent.author.strip(), consent.person_id, blob.id,
            consent.reach, list(consent.channels), consent.since, consent.until,
            consent.attribution.strip(), actor.account_id, now,
        )  # fmt: skip
        await changes.note("own_work.added", ("own_work", work_id), picture_id=picture_id)
        await events.record(
            actor, "own_work.add", subject=("own_work", work_id),
            data={"picture_id": str(picture_id)}, detail={"author": consent.author},
        )  # fmt: skip
    return work_id


async def confirm(actor: Actor, work_id: uuid.UUID) -> None:
    """A second person has seen the consent; checks rely on it from now on (`second_person`)."""
    actor.require("editor", "lawyer")
    async with db.transaction():
        await changes.lock()
        found = await _own(actor, work_id)
        await register.require_other(actor, found["created_by"])
        if found["confirmed_by"] is not None:
            raise Conflict(
                "Согласие уже подтверждено.", "The consent is confirmed already.",
                code="consent_confirmed",
            )  # fmt: skip
        await db.execute(
            "UPDATE own_work SET confirmed_by = $2, confirmed_at = $3, updated_at = $3"
            " WHERE id = $1",
            work_id, actor.account_id, clock.now(),
        )  # fmt: skip
        await changes.note(
            "own_work.confirmed", ("own_work", work_id), picture_id=found["picture_id"]
        )
        await events.record(actor, "own_work.confirm", subject=("own_work", work_id))


async def withdraw(actor: Actor, work_id: uuid.UUID, *, on: date) -> None:
    """The author has taken the consent back from `on`; what is published is judged again."""
    actor.require("editor", "lawyer")
    async with db.transaction():
        await changes.lock()
        found = await _own(actor, work_id)
        if found["withdrawn_on"] is not None and found["withdrawn_on"] <= on:
            raise Conflict(
                "Согласие уже отозвано.", "The consent is withdrawn already.",
                code="consent_withdrawn",
            )  # fmt: skip
        await db.execute(
            "UPDATE own_work SET withdrawn_on = $2, updated_at = $3 WHERE id = $1",
            work_id, on, clock.now(),
        )  # fmt: skip
        await changes.note(
            "own_work.withdrawn", ("own_work", work_id), picture_id=found["picture_id"]
        )
        await events.record(
            actor, "own_work.withdraw", subject=("own_work", work_id), data={"on": on.isoformat()}
        )


async def _own(actor: Actor, work_id: uuid.UUID) -> db.Row:
    found = await db.row(
        "SELECT * FROM own_work WHERE id = $1 AND organization_id = $2 FOR NO KEY UPDATE",
        work_id, actor.home_id,
    )  # fmt: skip
    if found is None:
        raise NotFound(own_work_id=str(work_id))
    return found


def _check(consent: Consent) -> None:
    register.require_texts(author=consent.author, note=consent.attribution)
    if not consent.author.strip():
        raise InvalidInput(
            "Укажите автора.", "Name the author.", code="own_work_terms", field="author"
        )
    if consent.since and consent.until and consent.since > consent.until:
        raise InvalidInput(
            "Окончание раньше начала.", "It ends before it begins.", code="own_work_terms",
            field="until",
        )  # fmt: skip
