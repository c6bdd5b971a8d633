"""Subordination: who stands above whom on which line, on any date.

A link holds from `valid_from` until the day before `valid_to`. Whoever changes links takes one
lock of the whole hierarchy first, so that two moves at once cannot close a circle together.
"""

import uuid
from datetime import date

from audit import events
from core import clock, db
from core.actor import Actor
from core.errors import Conflict, Forbidden, InvalidInput, NotFound
from directory.states import KIND_NAMES, LINE_NAMES, SUPERIORS, Line, OrganizationKind

_HIERARCHY_LOCK = 0x646972686965  # "dirhie"

_LIVE = "valid_from <= {on} AND (valid_to IS NULL OR valid_to > {on})"


async def move(
    actor: Actor,
    *,
    child_id: uuid.UUID,
    line: Line,
    new_parent_id: uuid.UUID | None,
    as_of: date,
) -> db.Row | None:
    """End the superior on `line` at `as_of` and put `new_parent_id` in its place from that day.

    Any date is good: the past is corrected, the future takes effect when it comes. The new link
    lasts as long as the one it replaces would have, so a later move that was already planned
    stays. None as the new superior only ends the old one. Answers the new link. Needs an
    administrator who stands above both. Raises `hierarchy_cycle` when the child would stand
    above itself on any day, `hierarchy_kind` when the kinds do not fit, `superior_closed` when
    the superior does not exist on that day, `same_superior` when nothing would change.
    """
    async with db.transaction():
        await require_authority(actor, child_id, above=True)
        if new_parent_id is not None:
            await require_authority(actor, new_parent_id)
        await lock_hierarchy()
        current = await _link_on(child_id, line, as_of)
        before = current["parent_id"] if current else None
        if before == new_parent_id:
            raise Conflict(
                "Организация уже подчинена этой вышестоящей на указанную дату.",
                "The organization already has this superior on that date.",
                code="same_superior",
            )
        until = await _end_of(current, child_id, line, as_of)
        if until is not None and until <= as_of:
            raise Conflict(
                "На указанную дату организация уже закрыта. Выберите более раннюю дату.",
                "The organization is closed on that date. Choose an earlier one.",
                code="organization_closed",
            )
        if current is not None:
            await _end(current, as_of)
        link = None
        if new_parent_id is not None:
            link = await open_link(
                child_id=child_id, line=line, parent_id=new_parent_id, since=as_of, until=until
            )
        await events.record(
            actor, "organization.move", subject=("organization", child_id),
            data={"line": line, "from": _text(before), "to": _text(new_parent_id),
                  "as_of": as_of.isoformat()},
        )  # fmt: skip
    return link


async def open_link(
    *,
    child_id: uuid.UUID,
    line: Line,
    parent_id: uuid.UUID,
    since: date,
    until: date | None = None,
) -> db.Row:
    """Write a checked link without an event, for verbs that record one of their own.

    Belongs inside a transaction that holds `lock_hierarchy`. Raises as `move` does.
    """
    await _check_no_cycle(child_id, parent_id, since, until)
    await _check_kinds(child_id, line, parent_id, since)
    link = await db.row(
        """INSERT INTO organization_link (id, parent_id, child_id, line, valid_from, valid_to)
           VALUES ($1, $2, $3, $4, $5, $6) RETURNING *""",
        clock.new_id(), parent_id, child_id, line, since, until,
    )  # fmt: skip
    assert link is not None  # noqa: S101 - INSERT … RETURNING always answers
    return link


async def end_links(child_id: uuid.UUID, *, as_of: date) -> int:
    """End every superior of an organization that ceases; links that had not begun go away."""
    gone = await db.execute(
        "DELETE FROM organization_link WHERE child_id = $1 AND valid_from >= $2", child_id, as_of
    )
    return gone + await db.execute(
        """UPDATE organization_link SET valid_to = $2
           WHERE child_id = $1 AND (valid_to IS NULL OR valid_to > $2)""",
        child_id, as_of,
    )  # fmt: skip


async def lock_hierarchy() -> None:
    """Let one transaction at a time change links; held until its end."""
    await db.execute("SELECT pg_advisory_xact_lock($1)", _HIERARCHY_LOCK)


async def superiors(*, organization_id: uuid.UUID, on: date) -> list[db.Row]:
    """The direct superiors on `on` (up to one a line), with the line and since when."""
    return await db.rows(
        f"""SELECT o.id, o.code, o.kind, o.name, o.short_name, l.line, l.valid_from, l.valid_to
            FROM organization_link l JOIN organization o ON o.id = l.parent_id
            WHERE l.child_id = $1 AND {_LIVE.format(on="$2")} ORDER BY l.line""",
        organization_id, on,
    )  # fmt: skip


async def children(
    *,
    organization_id: uuid.UUID,
    on: date,
    line: Line | None = None,
    after: uuid.UUID | None = None,
    limit: int = 100,
) -> list[db.Row]:
    """The direct subordinates on `on` by id, a page at a time (`after`: last id of the page)."""
    return await db.rows(
        f"""SELECT o.id, o.code, o.kind, o.name, o.short_name, o.status, l.line, l.valid_from,
                   l.valid_to
            FROM organization_link l JOIN organization o ON o.id = l.child_id
            WHERE l.parent_id = $1 AND {_LIVE.format(on="$2")} AND ($3::text IS NULL OR l.line = $3)
              AND ($4::uuid IS NULL OR o.id > $4)
            ORDER BY o.id LIMIT $5""",
        organization_id, on, line, after, limit,
    )  # fmt: skip


async def subtree(
    *, organization_id: uuid.UUID, line: Line | None = None, on: date
) -> list[uuid.UUID]:
    """Every id below an organization on `on`, without itself; None for the line means either.

    Follow `line` strictly: on the territorial line an association reaches its regional
    organizations and councils, on either line the primaries below them too.
    """
    found = await db.rows(
        f"""WITH RECURSIVE tree AS (
                SELECT $1::uuid AS id
                UNION
                SELECT l.child_id FROM tree JOIN organization_link l ON l.parent_id = tree.id
                WHERE {_LIVE.format(on="$2")} AND ($3::text IS NULL OR l.line = $3))
            SELECT id FROM tree WHERE id <> $1""",
        organization_id, on, line,
    )  # fmt: skip
    return [row["id"] for row in found]


async def path_up(
    *, organization_id: uuid.UUID, on: date, line: Line = Line.BRANCH
) -> list[db.Row]:
    """The chain of superiors on `on`, nearest first, up to the top.

    Where both lines lead up, `line` is followed; where only one does, that one.
    """
    return await db.rows(
        f"""WITH RECURSIVE path AS (
                SELECT $1::uuid AS id, NULL::text AS line, 0 AS step
                UNION ALL
                SELECT up.parent_id, up.line, path.step + 1
                FROM path CROSS JOIN LATERAL (
                    SELECT l.parent_id, l.line FROM organization_link l
                    WHERE l.child_id = path.id AND {_LIVE.format(on="$2")}
                    ORDER BY l.line = $3 DESC LIMIT 1) up
                WHERE path.step < 32)
            SELECT o.id, o.code, o.kind, o.name, o.short_name, path.line, path.step
            FROM path JOIN organization o USING (id) WHERE path.step > 0 ORDER BY path.step""",
        organization_id, on, line,
    )  # fmt: skip


async def history(*, organization_id: uuid.UUID) -> list[db.Row]:
    """All superiors there ever were or are planned, oldest first."""
    return await db.rows(
        """SELECT l.line, l.valid_from, l.valid_to, o.id, o.code, o.name
           FROM organization_link l JOIN organization o ON o.id = l.parent_id
           WHERE l.child_id = $1 ORDER BY l.line, l.valid_from""",
        organization_id,
    )  # fmt: skip


async def is_above(*, upper_id: uuid.UUID, lower_id: uuid.UUID, on: date) -> bool:
    """Does `upper_id` stand above `lower_id` on either line?"""
    found = await db.value(
        f"""WITH RECURSIVE up AS (
                SELECT $2::uuid AS id
                UNION
                SELECT l.parent_id FROM up JOIN organization_link l ON l.child_id = up.id
                WHERE {_LIVE.format(on="$3")})
            SELECT true FROM up WHERE id = $1""",
        upper_id, lower_id, on,
    )  # fmt: skip
    return bool(found) and upper_id != lower_id


async def require_authority(
    actor: Actor,
    organization_id: uuid.UUID,
    *,
    above: bool = False,
    roles: tuple[str, ...] = ("administrator",),
) -> None:
    """Raise Forbidden unless the actor, with one of `roles`, may keep this organization's data.

    That is: from the organization itself (not when `above`), from one that stands above it today,
    or from the federal center, which also keeps those that stand under nobody. Rules may.
    """
    if actor.kind == "rule":
        return
    actor.require(*roles)
    home = actor.home_id
    if home == organization_id and not above:
        return
    if await is_above(upper_id=home, lower_id=organization_id, on=clock.today()):
        return
    if (
        await db.value("SELECT kind FROM organization WHERE id = $1", home)
        != OrganizationKind.CENTER
    ):
        raise Forbidden(needs=["superior_organization"])


async def _link_on(child_id: uuid.UUID, line: Line, on: date) -> db.Row | None:
    return await db.row(
        f"""SELECT * FROM organization_link
            WHERE child_id = $1 AND line = $2 AND {_LIVE.format(on="$3")}""",
        child_id, line, on,
    )  # fmt: skip


async def _end_of(
    current: db.Row | None, child_id: uuid.UUID, line: Line, as_of: date
) -> date | None:
    """Until when a link that begins at `as_of` may last."""
    if current is not None:
        end: date | None = current["valid_to"]
    else:
        end = await db.value(
            """SELECT min(valid_from) FROM organization_link
               WHERE child_id = $1 AND line = $2 AND valid_from > $3""",
            child_id, line, as_of,
        )  # fmt: skip
    closed = await db.value("SELECT closed_on FROM organization WHERE id = $1", child_id)
    return min((day for day in (end, closed) if day is not None), default=None)


async def _end(link: db.Row, as_of: date) -> None:
    if link["valid_from"] == as_of:  # it never held for a day: corrected, not ended
        await db.execute("DELETE FROM organization_link WHERE id = $1", link["id"])
    else:
        await db.execute(
            "UPDATE organization_link SET valid_to = $2 WHERE id = $1", link["id"], as_of
        )


async def _check_no_cycle(
    child_id: uuid.UUID, parent_id: uuid.UUID, since: date, until: date | None
) -> None:
    """Climb from the superior, keeping only the days on which every step of the way holds."""
    meets = child_id == parent_id or await db.value(
        """WITH RECURSIVE up AS (
               SELECT $2::uuid AS id, daterange($3, $4) AS days
               UNION
               SELECT l.parent_id, up.days * daterange(l.valid_from, l.valid_to)
               FROM up JOIN organization_link l ON l.child_id = up.id
               WHERE up.days && daterange(l.valid_from, l.valid_to) AND up.id <> $1)
           SELECT true FROM up WHERE id = $1 LIMIT 1""",
        child_id, parent_id, since, until,
    )  # fmt: skip
    if meets:
        raise Conflict(
            "Так организация окажется вышестоящей самой себе. Выберите другую вышестоящую.",
            "The organization would stand above itself. Choose another superior.",
            code="hierarchy_cycle",
        )


async def _check_kinds(child_id: uuid.UUID, line: Line, parent_id: uuid.UUID, since: date) -> None:
    child = await _standing(child_id)
    parent = await _standing(parent_id)
    kind = OrganizationKind(child["kind"])
    if parent["kind"] not in SUPERIORS.get((kind, line), frozenset()):
        above = KIND_NAMES[OrganizationKind(parent["kind"])]
        below, along = KIND_NAMES[kind], LINE_NAMES[line]
        raise InvalidInput(
            f"Подчинение невозможно: {below[0]} → {above[0]} ({along[0]}).",
            f"Not a possible superior: {below[1]} under {above[1]} ({along[1]}).",
            code="hierarchy_kind", child=kind, parent=parent["kind"], line=line,
        )  # fmt: skip
    closed: date | None = parent["closed_on"]
    if parent["opened_on"] > since or (closed is not None and closed <= since):
        raise Conflict(
            "Вышестоящая организация на эту дату не действует. Выберите другую или другую дату.",
            "The superior does not exist on that date. Choose another one or another date.",
            code="superior_closed",
        )


async def _standing(organization_id: uuid.UUID) -> db.Row:
    found = await db.row(
        "SELECT id, kind, opened_on, closed_on FROM organization WHERE id = $1", organization_id
    )
    if found is None:
        raise NotFound(code="organization_unknown", id=str(organization_id))
    return found


def _text(value: uuid.UUID | None) -> str | None:
    return None if value is None else str(value)
