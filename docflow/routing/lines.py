"""Questions of subordination that routing asks of the directory, as SQL for one day."""

import uuid
from collections.abc import Sequence
from datetime import date
from typing import Any

from core import db
from core.errors import InvalidInput
from directory.selection import Selector


def only(organization_ids: Sequence[uuid.UUID]) -> Selector:
    """The selector of exactly these organizations."""
    return Selector(include=tuple(organization_ids))


async def require_known(selector: Selector) -> None:
    """Raise `organization_unknown` when a selector names an organization that is not there."""
    named = {one for part in _parts(selector) for one in (*part.include, part.subtree_of) if one}
    unknown = await db.rows(
        """SELECT id FROM unnest($1::uuid[]) AS named (id)
           WHERE NOT EXISTS (SELECT 1 FROM organization AS o WHERE o.id = named.id) LIMIT 10""",
        list(named),
    )
    if unknown:
        raise InvalidInput(
            "В выборке указана организация, которой нет в справочнике. Проверьте получателей.",
            "The selection names an organization that is not in the directory. Check it.",
            code="organization_unknown",
            organizations=[str(row["id"]) for row in unknown],
        )


async def require_open(selector: Selector, *, on: date) -> None:
    """Raise `organization_ceased` when an organization named by itself does not exist on `on`.

    Conditions find only those that exist; whom a clerk has named must not be left out silently.
    """
    named = {one for part in _parts(selector) for one in part.include} - set(selector.exclude)
    row = await db.row(
        """SELECT o.id, o.name, later.id AS later_id, later.name AS later
           FROM organization AS o LEFT JOIN organization AS later ON later.id = o.merged_into_id
           WHERE o.id = ANY($1) AND NOT (o.opened_on <= $2
               AND (o.closed_on IS NULL OR o.closed_on > $2)) ORDER BY o.code LIMIT 1""",
        list(named), on,
    )  # fmt: skip
    if row is None:
        return
    instead = row["later"]
    raise InvalidInput(
        f"«{row['name']}» сейчас не действует"
        + (f": вошла в «{instead}». Выберите её." if instead else ". Уберите её из получателей."),
        f"{row['name']!r} does not exist today"
        + (f": it became part of {instead!r}. Choose that." if instead else ". Take it out."),
        code="organization_ceased",
        organization=str(row["id"]),
        successor=str(row["later_id"]) if instead else None,
    )


def _parts(selector: Selector) -> list[Selector]:
    return [selector, *(one for part in selector.any_of for one in _parts(part))]


def is_below(selector: Selector, organization_id: uuid.UUID) -> bool:
    """Does the selector, by its form alone, name nobody but subordinates of this organization?"""
    return (
        selector.subtree_of == organization_id and not selector.include and not selector.with_root
    )


def stray_sql(
    organization_id: uuid.UUID, *, route: str, on: date, first: int
) -> tuple[str, list[Any]]:
    """Who of the table ``chosen`` may not be written to, because they are not below (`down`) or
    above (`up`) on either line: the name of one. Goes after ``WITH RECURSIVE chosen AS (…)``.

    Each chosen one's way up is climbed: a few are few, however many stand below.
    """
    home, day = f"${first}::uuid", f"${first + 1}::date"
    live = f"l.valid_from <= {day} AND (l.valid_to IS NULL OR l.valid_to > {day})"
    start = "SELECT recipient_id, recipient_id FROM chosen"
    if route == "up":
        start, reached = f"SELECT {home}, {home}", f"SELECT id FROM climbed WHERE id <> {home}"
    else:
        reached = f"SELECT origin FROM climbed WHERE id = {home} AND origin <> {home}"
    sql = f""", climbed (origin, id) AS (
            {start}
            UNION
            SELECT c.origin, l.parent_id FROM climbed AS c
            JOIN organization_link AS l ON l.child_id = c.id AND {live})
        SELECT o.name FROM chosen JOIN organization AS o ON o.id = chosen.recipient_id
        WHERE chosen.recipient_id NOT IN ({reached}) LIMIT 1"""
    return sql, [organization_id, on]


def branches_sql(organization_id: uuid.UUID, *, on: date, first: int) -> tuple[str, list[Any]]:
    """Everybody below the organization, each with the direct subordinate it sits under.

    Columns ``branch_id`` and ``organization_id``; who is reached on both lines comes once, under
    the nearer one.
    """
    home, day = f"${first}::uuid", f"${first + 1}::date"
    live = f"l.valid_from <= {day} AND (l.valid_to IS NULL OR l.valid_to > {day})"
    sql = f"""WITH RECURSIVE below AS (
            SELECT l.child_id AS branch_id, l.child_id AS organization_id, 1 AS step
            FROM organization_link AS l WHERE l.parent_id = {home} AND {live}
            UNION
            SELECT b.branch_id, l.child_id, b.step + 1 FROM below AS b
            JOIN organization_link AS l ON l.parent_id = b.organization_id AND {live}
            WHERE b.step < 32)
        SELECT DISTINCT ON (organization_id) organization_id, branch_id FROM below
        ORDER BY organization_id, step, branch_id"""
    return sql, [organization_id, on]
