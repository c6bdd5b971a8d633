"""Organizations (справочник организаций): the card, and what becomes of an organization.

What is true on a date is asked with dates (`opened_on`, `closed_on`), so a decision taken today
may take effect later, and the past can be asked; `status` only tells what was decided.
"""

import uuid
from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import date, datetime, time
from typing import Any

import asyncpg
import msgspec

from audit import events, transitions
from core import clock, db, idempotency, jobs
from core.actor import Actor
from core.errors import Conflict, InvalidInput, NotFound
from directory import links
from directory.cards import Card, as_card, card_of, checked, like_pattern, plain
from directory.states import TRANSITIONS, Line, OrganizationKind, OrganizationStatus

jobs.allow("routing.follow_merge")

CONTACT_FIELDS = frozenset(
    {"name", "short_name", "region_code", "district_code", "inn", "ogrn", "kpp", "address",
     "phone", "email", "time_zone", "channels"}
)  # fmt: skip
"""What `update` may change; code, kind and branch are what the organization is."""

_PUBLIC = """id, code, kind, name, short_name, branch_code, region_code, district_code, inn, ogrn,
    kpp, address, phone, email, time_zone, channels, status, opened_on, closed_on,
    merged_into_id, is_archive_source, demo, confirmed_at, external_ids, created_at, updated_at"""


async def create(
    actor: Actor, *, card: Card, parents: Mapping[Line, uuid.UUID] | None = None
) -> db.Row:
    """Enter an organization under its superiors, from its first day on.

    Needs an administrator of a superior, or of the center for one without. Raises `InvalidInput`
    as `checked` and `links.move` do, `Conflict` `inn_taken` or `code_taken` (codes of closed
    organizations are never used again).
    """
    for parent_id in (parents or {}).values():
        await links.require_authority(actor, parent_id)
    async with db.transaction():
        row = await insert(checked(card))
        if not parents:
            await links.require_authority(actor, row["id"], above=True)
        else:
            await links.lock_hierarchy()
        for line, parent_id in (parents or {}).items():
            await links.open_link(
                child_id=row["id"], line=line, parent_id=parent_id, since=row["opened_on"]
            )
        await events.record(
            actor, "organization.create", subject=("organization", row["id"]),
            change=(None, OrganizationStatus.ACTIVE),
            data={"code": row["code"], "kind": row["kind"],
                  "superiors": {line: str(parent) for line, parent in (parents or {}).items()}},
        )  # fmt: skip
    return row


async def create_once(
    actor: Actor, *, card: Card, parents: Mapping[Line, uuid.UUID], key: str | None
) -> db.Row:
    """As `create`; the same `key` leads to the same organization, shown as it is by then."""

    async def enter() -> uuid.UUID:
        return uuid.UUID(str((await create(actor, card=card, parents=parents))["id"]))

    said = msgspec.json.encode([card, parents], order="sorted", enc_hook=dict)
    organization_id, _ = await idempotency.once(
        scope=actor.home_id, key=key, request=idempotency.request_hash("organization", said),
        create=enter,
    )  # fmt: skip
    return await get(organization_id=organization_id)


async def insert(card: Card) -> db.Row:
    """Write a checked card without an event, for verbs that record one of their own."""
    await _refuse_taken(card)
    values = {each.name: getattr(card, each.name) for each in fields(card)} | {
        "id": clock.new_id(),
        "opened_on": card.opened_on or clock.today(),
        "channels": list(card.channels),
        "external_ids": dict(card.external_ids),
        "created_at": clock.now(),
        "updated_at": clock.now(),
    }
    places = ", ".join(f"${place}" for place in range(1, len(values) + 1))
    try:
        row = await db.row(
            f"INSERT INTO organization ({', '.join(values)}) VALUES ({places}) RETURNING {_PUBLIC}",
            *values.values(),
        )
    except asyncpg.UniqueViolationError as problem:
        raise _taken(problem.constraint_name) from problem
    assert row is not None  # noqa: S101 - INSERT … RETURNING always answers
    return row


async def update(actor: Actor, *, organization_id: uuid.UUID, changes: Mapping[str, Any]) -> db.Row:
    """Change contact data (`CONTACT_FIELDS`); what stays equal is not touched.

    Needs a clerk or administrator of the organization or of one above. The event names the
    fields, old and new values lie in its payload. Raises as `create` does, and `field_fixed`.
    """
    await links.require_authority(actor, organization_id, roles=("administrator", "clerk"))
    if unknown := sorted(set(changes) - CONTACT_FIELDS):
        raise InvalidInput(
            "Это поле карточки не изменяется.",
            "This field of the card does not change.",
            code="field_fixed", field=unknown[0],
        )  # fmt: skip
    async with db.transaction():
        before = await _locked(organization_id)
        card = checked(replace(card_of(before), **as_card(changes)))
        new = {name: plain(getattr(card, name)) for name in CONTACT_FIELDS}
        differing = {name: new[name] for name in sorted(new) if new[name] != before[name]}
        if not differing:
            return before
        await _refuse_taken(card, besides=organization_id)
        setters = ", ".join(f"{name} = ${place}" for place, name in enumerate(differing, start=3))
        try:
            row = await db.row(
                f"UPDATE organization SET updated_at = $2, {setters} WHERE id = $1"
                f" RETURNING {_PUBLIC}",
                organization_id, clock.now(), *differing.values(),
            )  # fmt: skip
        except asyncpg.UniqueViolationError as problem:
            raise _taken(problem.constraint_name) from problem
        await events.record(
            actor, "organization.update", subject=("organization", organization_id),
            data={"fields": list(differing)},
            detail={"before": {name: before[name] for name in differing}, "after": differing},
        )  # fmt: skip
    assert row is not None  # noqa: S101 - the row is locked
    return row


async def confirm(actor: Actor, *, organization_id: uuid.UUID) -> datetime:
    """Note that somebody looked at the card and found it right; answers the moment."""
    await links.require_authority(actor, organization_id, roles=("administrator", "clerk"))
    async with db.transaction():
        await _locked(organization_id)
        at = clock.now()
        await db.execute(
            "UPDATE organization SET confirmed_at = $2 WHERE id = $1", organization_id, at
        )
        await events.record(
            actor, "organization.confirm", subject=("organization", organization_id)
        )
    return at


async def close(actor: Actor, *, organization_id: uuid.UUID, as_of: date) -> db.Row:
    """Close an organization: from `as_of` it is not there, its superiors and posts have ended.

    Needs an administrator above it. Raises `has_subordinates` while anybody stands under it on
    that day or later: move them first; `date_before_opening`.
    """
    async with db.transaction():
        row = await _ready_to_end(actor, organization_id, as_of)
        if count := await _subordinates(organization_id, as_of):
            raise Conflict(
                f"Есть подчинённые организации ({count}). Сначала переведите или закройте их.",
                f"There are {count} subordinate organizations. Move or close them first.",
                code="has_subordinates", count=count,
            )  # fmt: skip
        return await _end(actor, row, as_of, OrganizationStatus.CLOSED, None)


async def merge(
    actor: Actor, *, organization_id: uuid.UUID, into_id: uuid.UUID, as_of: date
) -> db.Row:
    """Merge an organization into another of its kind; the other one takes its subordinates over.

    From `as_of` it is not there any more; deliveries that wait for it follow by the job
    `routing.follow_merge`, on that day at the earliest. Raises `merge_kind` unless the kinds are
    equal, `merge_target` when the other does not exist on that day, `hierarchy_cycle` when it
    stands below the one that is merged.
    """
    async with db.transaction():
        row = await _ready_to_end(actor, organization_id, as_of)
        await links.require_authority(actor, into_id)
        await _check_target(row, into_id, as_of)
        for child in await _children(organization_id, as_of):
            since = max(as_of, child["valid_from"])
            await links.move(
                actor, child_id=child["child_id"], line=Line(child["line"]),
                new_parent_id=into_id, as_of=since,
            )  # fmt: skip
        row = await _end(actor, row, as_of, OrganizationStatus.MERGED, into_id)
        at = datetime.combine(as_of, time.min, clock.MOSCOW)
        await jobs.defer(
            "routing.follow_merge",
            key=str(organization_id),
            at=at if at > clock.now() else None,
            organization_id=organization_id,
        )
    return row


async def get(*, organization_id: uuid.UUID) -> db.Row:
    """The card of an organization, whatever became of it; raises `organization_unknown`."""
    row = await db.row(f"SELECT {_PUBLIC} FROM organization WHERE id = $1", organization_id)
    if row is None:
        raise _unknown(organization_id)
    return row


async def is_center(organization_id: uuid.UUID) -> bool:
    """Is it the federal center?"""
    kind = await db.value("SELECT kind FROM organization WHERE id = $1", organization_id)
    return bool(kind == OrganizationKind.CENTER)


async def is_keeper(actor: Actor) -> bool:
    """Does the actor administer the federal center, whose installation this is?"""
    if "administrator" not in actor.roles or actor.organization_id is None:
        return False
    return await is_center(actor.organization_id)


async def by_code(*, code: str) -> db.Row:
    """The card by the organization's own code; raises `organization_unknown`."""
    row = await db.row(f"SELECT {_PUBLIC} FROM organization WHERE code = $1", code)
    if row is None:
        raise _unknown(code)
    return row


async def search(
    *,
    text: str = "",
    kinds: tuple[OrganizationKind, ...] = (),
    districts: tuple[str, ...] = (),
    regions: tuple[str, ...] = (),
    branches: tuple[str, ...] = (),
    active_on: date | None = None,
    after: uuid.UUID | None = None,
    limit: int = 50,
) -> list[db.Row]:
    """Cards by words of name or code (every word, any part of it), or by INN or OGRN.

    By name, a page at a time: `after` is the id of the last one seen. `limit` is at most 200.
    """
    words = [like_pattern(word) for word in text.lower().split()[:8]]
    return await db.rows(
        f"""SELECT {_PUBLIC} FROM organization o
            WHERE ((lower(name || ' ' || short_name || ' ' || code) LIKE ALL ($1::text[]))
                   OR inn = $2 OR ogrn = $2)
              AND (cardinality($3::text[]) = 0 OR kind = ANY ($3))
              AND (cardinality($4::text[]) = 0 OR district_code = ANY ($4))
              AND (cardinality($5::text[]) = 0 OR region_code = ANY ($5))
              AND (cardinality($6::text[]) = 0 OR branch_code = ANY ($6))
              AND ($7::date IS NULL
                   OR (opened_on <= $7 AND (closed_on IS NULL OR closed_on > $7)))
              AND ($8::uuid IS NULL
                   OR (name, id) > ((SELECT a.name FROM organization a WHERE a.id = $8), $8))
            ORDER BY name, id LIMIT $9""",
        words, text.strip(), list(kinds), list(districts), list(regions), list(branches),
        active_on, after, max(1, min(limit, 200)),
    )  # fmt: skip


async def _ready_to_end(actor: Actor, organization_id: uuid.UUID, as_of: date) -> db.Row:
    await links.require_authority(actor, organization_id, above=True)
    await links.lock_hierarchy()
    row = await _locked(organization_id)
    if as_of < row["opened_on"]:
        raise InvalidInput(
            "Дата раньше дня создания организации.",
            "The date lies before the organization's first day.",
            code="date_before_opening", field="as_of",
        )  # fmt: skip
    return row


async def _end(
    actor: Actor, row: db.Row, as_of: date, status: OrganizationStatus, into_id: uuid.UUID | None
) -> db.Row:
    ended = await links.end_links(row["id"], as_of=as_of)
    await db.execute(
        "DELETE FROM post WHERE organization_id = $1 AND valid_from >= $2", row["id"], as_of
    )
    posts = await db.execute(
        """UPDATE post SET valid_to = $2
           WHERE organization_id = $1 AND (valid_to IS NULL OR valid_to > $2)""",
        row["id"], as_of,
    )  # fmt: skip
    return await transitions.move(
        actor, "organization", row["id"], graph=TRANSITIONS,
        source=OrganizationStatus(row["status"]), target=status,
        verb="organization.close" if into_id is None else "organization.merge",
        assign={"closed_on": as_of, "merged_into_id": into_id},
        data={"as_of": as_of.isoformat(), "into": None if into_id is None else str(into_id),
              "links_ended": ended, "posts_ended": posts},
    )  # fmt: skip


async def _check_target(row: db.Row, into_id: uuid.UUID, as_of: date) -> None:
    into = await get(organization_id=into_id)
    if into["kind"] != row["kind"]:
        raise InvalidInput(
            "Объединяются только организации одного вида.",
            "Only organizations of the same kind can be merged.",
            code="merge_kind",
        )
    closed: date | None = into["closed_on"]
    if into_id == row["id"] or into["opened_on"] > as_of or (closed and closed <= as_of):
        raise Conflict(
            "Принимающая организация на эту дату не действует. Выберите другую.",
            "The organization to merge into does not exist on that date. Choose another.",
            code="merge_target",
        )


async def _children(organization_id: uuid.UUID, as_of: date) -> list[db.Row]:
    return await db.rows(
        """SELECT child_id, line, valid_from FROM organization_link
           WHERE parent_id = $1 AND (valid_to IS NULL OR valid_to > $2)""",
        organization_id, as_of,
    )  # fmt: skip


async def _subordinates(organization_id: uuid.UUID, as_of: date) -> int:
    return len(await _children(organization_id, as_of))


async def _locked(organization_id: uuid.UUID) -> db.Row:
    row = await db.row(
        f"SELECT {_PUBLIC} FROM organization WHERE id = $1 FOR UPDATE", organization_id
    )
    if row is None:
        raise _unknown(organization_id)
    return row


async def _refuse_taken(card: Card, *, besides: uuid.UUID | None = None) -> None:
    """Say whose INN it is before PostgreSQL says that it is taken."""
    if card.inn is None:
        return
    other = await db.row(
        "SELECT id, code FROM organization WHERE inn = $1 AND status = 'active'", card.inn
    )
    if other is not None and other["id"] != besides:
        raise _taken("organization_inn", inn=card.inn, holder=other["code"])


def _taken(constraint: str | None, **details: str) -> Conflict:
    if constraint == "organization_inn":
        return Conflict(
            "Организация с таким ИНН уже есть. Найдите её поиском по ИНН.",
            "An organization with this INN exists. Find it by its INN.",
            code="inn_taken", **details,
        )  # fmt: skip
    return Conflict(
        "Организация с таким кодом уже есть; коды закрытых организаций не используются снова.",
        "An organization with this code exists; codes of closed ones are not used again.",
        code="code_taken", **details,
    )  # fmt: skip


def _unknown(what: object) -> NotFound:
    return NotFound(
        "Такой организации нет в справочнике. Проверьте код или найдите её поиском.",
        "No such organization in the directory. Check the code or search for it.",
        code="organization_unknown", organization=str(what),
    )  # fmt: skip
