"""Claimants: who is known to sue, and for which works; one list for the whole federation.

Entered by a lawyer, in force from another lawyer's word on, so that nobody alone can forbid a
picture to everybody; the same goes for each of the works.
"""

import uuid
from datetime import date

import msgspec

from audit import events, transitions
from compliance.registers import changes, register
from compliance.states import CLAIMANT_TRANSITIONS, ClaimantStatus
from core import clock, db, idempotency
from core.actor import Actor
from core.errors import Conflict, InvalidInput, NotFound

_MOST_ALIASES = 50


class ClaimantCard(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Who it is, under which other names, and from when to when claims are to be expected."""

    name: str
    aliases: tuple[str, ...] = ()
    note: str = ""
    since: date | None = None
    until: date | None = None


async def add(actor: Actor, *, card: ClaimantCard, key: str | None = None) -> uuid.UUID:
    """Propose a claimant; raises `claimant_terms` with the field, `claimant_known` (409)."""
    actor.require("lawyer")
    check(card)
    claimant_id, _ = await idempotency.once(
        scope=actor.home_id, key=key,
        request=idempotency.request_hash("claimant", msgspec.json.encode(card)),
        create=lambda: enter(actor, card),
    )  # fmt: skip
    return claimant_id


async def enter(actor: Actor, card: ClaimantCard) -> uuid.UUID:
    """The same without a key; the card is checked already."""
    claimant_id, now = clock.new_id(), clock.now()
    async with db.transaction():
        await changes.lock()
        if await db.value(
            "SELECT true FROM claimant WHERE lower(name) = lower($1) AND status <> 'retired'",
            card.name.strip(),
        ):
            raise Conflict(
                "Этот заявитель уже есть в реестре.", "This claimant is in the register already.",
                code="claimant_known",
            )  # fmt: skip
        await db.execute(
            """INSERT INTO claimant (id, organization_id, status, name, aliases, note, since, until,
                   created_by, created_at, updated_at)
               VALUES ($1, $2, 'proposed', $3, $4, $5, $6, $7, $8, $9, $9)""",
            claimant_id, actor.home_id, card.name.strip(), [one.strip() for one in card.aliases],
            card.note, card.since, card.until, actor.account_id, now,
        )  # fmt: skip
        await changes.note("claimant.added", ("claimant", claimant_id), picture_id=None)
        await events.record(
            actor, "claimant.add", subject=("claimant", claimant_id), change=(None, "proposed"),
            detail={"name": card.name},
        )  # fmt: skip
    return claimant_id


async def approve(actor: Actor, claimant_id: uuid.UUID) -> None:
    """Put a claimant in force, or the works added since, as another lawyer than who entered them.

    Works the approving lawyer has added wait for somebody else. Raises `second_person`, and
    `illegal_transition` where nothing waits.
    """
    actor.require("lawyer")
    async with db.transaction():
        await changes.lock()
        found = await get(claimant_id)
        waiting = await _waiting_works(claimant_id)
        if found["status"] != ClaimantStatus.ACTIVE or not waiting:
            await register.require_other(actor, found["created_by"])
            await transitions.move(
                actor, "claimant", claimant_id, graph=CLAIMANT_TRANSITIONS,
                source=ClaimantStatus.PROPOSED, target=ClaimantStatus.ACTIVE,
                verb="claimant.approve",
                assign={"approved_by": actor.account_id, "approved_at": clock.now()},
            )  # fmt: skip
            await changes.note("claimant.approved", ("claimant", claimant_id), picture_id=None)
        elif not [one for one in waiting if one["created_by"] != actor.account_id]:
            await register.require_other(actor, waiting[0]["created_by"])
        for work in waiting:
            if work["created_by"] != actor.account_id:
                await _approve_work(actor, claimant_id, work)


async def _waiting_works(claimant_id: uuid.UUID) -> list[db.Row]:
    return await db.rows(
        """SELECT id, picture_id, created_by FROM claimant_work
           WHERE claimant_id = $1 AND approved_at IS NULL ORDER BY id""",
        claimant_id,
    )


async def _approve_work(actor: Actor, claimant_id: uuid.UUID, work: db.Row) -> None:
    """Let a work count from now on; by another person than the one who added it."""
    await register.require_other(actor, work["created_by"])
    await db.execute(
        "UPDATE claimant_work SET approved_by = $2, approved_at = $3 WHERE id = $1",
        work["id"], actor.account_id, clock.now(),
    )  # fmt: skip
    await changes.note(
        "work.approved", ("claimant_work", work["id"]), picture_id=work["picture_id"]
    )
    await events.record(
        actor, "claimant.approve_work", subject=("claimant", claimant_id),
        data={"picture_id": str(work["picture_id"])},
    )  # fmt: skip


async def retire(actor: Actor, claimant_id: uuid.UUID, *, reason: str) -> None:
    """Take a claimant off the list; a lawyer of the organization that entered them."""
    actor.require("lawyer")
    words = register.require_reason(reason)
    async with db.transaction():
        await changes.lock()
        found = await get(claimant_id)
        if found["organization_id"] != actor.home_id:
            raise NotFound(claimant_id=str(claimant_id))
        await transitions.move(
            actor, "claimant", claimant_id, graph=CLAIMANT_TRANSITIONS,
            source=ClaimantStatus(found["status"]), target=ClaimantStatus.RETIRED,
            verb="claimant.retire", detail={"reason": words},
        )  # fmt: skip
        await _note_all("claimant.retired", claimant_id)


async def add_work(
    actor: Actor,
    claimant_id: uuid.UUID,
    *,
    picture_id: uuid.UUID,
    since: date | None = None,
    until: date | None = None,
) -> uuid.UUID:
    """Say that this picture (of kind `claimant`) is one they sue for.

    It counts, and published copies of it are judged, once another lawyer has approved. Raises
    `claimant_work_kind`, `claimant_work_known` (409).
    """
    actor.require("lawyer")
    work_id = clock.new_id()
    async with db.transaction():
        await changes.lock()
        if (await get(claimant_id))["status"] == ClaimantStatus.RETIRED:
            raise NotFound(claimant_id=str(claimant_id))
        picture = await register.own_picture(actor, picture_id)
        if picture["kind"] != "claimant":
            raise InvalidInput(
                "Внесите изображение в реестр с видом claimant.",
                "Enter the picture with the kind claimant.",
                code="claimant_work_kind",
            )
        _check_days(since, until)
        if await db.value(
            "SELECT true FROM claimant_work WHERE claimant_id = $1 AND picture_id = $2",
            claimant_id, picture_id,
        ):  # fmt: skip
            raise Conflict(
                "Это произведение уже записано за заявителем.",
                "The work is the claimant's already.",
                code="claimant_work_known",
            )
        await db.execute(
            """INSERT INTO claimant_work (id, claimant_id, picture_id, since, until, created_by,
                   created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)""",
            work_id, claimant_id, picture_id, since, until, actor.account_id, clock.now(),
        )  # fmt: skip
        await changes.note("work.added", ("claimant_work", work_id), picture_id=picture_id)
        await events.record(
            actor, "claimant.add_work", subject=("claimant", claimant_id),
            data={"picture_id": str(picture_id)},
        )  # fmt: skip
    return work_id


async def listed(actor: Actor, *, after: uuid.UUID | None = None, limit: int = 50) -> list[db.Row]:
    """The list as everybody sees it, newest first, with the number of works."""
    actor.require("editor", "lawyer")
    return await db.rows(
        """SELECT c.*, (SELECT count(*) FROM claimant_work w WHERE w.claimant_id = c.id) AS works,
                  (SELECT count(*) FROM claimant_work w WHERE w.claimant_id = c.id
                      AND w.approved_at IS NULL) AS waiting_works
           FROM claimant c WHERE ($1::uuid IS NULL OR c.id < $1) ORDER BY c.id DESC LIMIT $2""",
        after, limit,
    )  # fmt: skip


async def get(claimant_id: uuid.UUID) -> db.Row:
    """One claimant; NotFound."""
    found = await db.row("SELECT * FROM claimant WHERE id = $1", claimant_id)
    if found is None:
        raise NotFound(claimant_id=str(claimant_id))
    return found


async def _note_all(change: str, claimant_id: uuid.UUID) -> None:
    """The claimant's change, and one for each of the works whose copies it touches."""
    await changes.note(change, ("claimant", claimant_id), picture_id=None)
    for work in await db.rows(
        "SELECT id, picture_id FROM claimant_work WHERE claimant_id = $1 ORDER BY id", claimant_id
    ):
        await changes.note(change, ("claimant_work", work["id"]), picture_id=work["picture_id"])


def check(card: ClaimantCard) -> None:
    """Raise `claimant_terms` with the field that cannot be."""
    longest = max(card.aliases, key=len, default="")
    register.require_texts(name=card.name, note=card.note, aliases=longest)
    if len(card.name.strip()) < 2 or any(len(one.strip()) < 2 for one in card.aliases):
        raise InvalidInput(
            "Укажите имя заявителя.", "Give the claimant's name.", code="claimant_terms",
            field="name",
        )  # fmt: skip
    if len(card.aliases) > _MOST_ALIASES:
        raise InvalidInput(
            f"Других имён: не больше {_MOST_ALIASES}.", f"At most {_MOST_ALIASES} other names.",
            code="claimant_terms", field="aliases",
        )  # fmt: skip
    _check_days(card.since, card.until)


def _check_days(since: date | None, until: date | None) -> None:
    if since and until and since > until:
        raise InvalidInput(
            "Окончание раньше начала.", "It ends before it begins.", code="claimant_terms",
            field="until",
        )  # fmt: skip
