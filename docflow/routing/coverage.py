"""Coverage (охват): can every organization be reached, by what, and what is missing where not."""

import csv
import io
import uuid
from collections.abc import Sequence
from typing import Any

from core import clock, db
from core.actor import Actor
from core.errors import InvalidInput
from core.paging import require_limit
from directory import links
from directory.selection import Selector, ids_sql
from directory.states import KIND_NAMES, OrganizationKind
from docflow.routing import ways
from docflow.routing.control import MAX_LIMIT

NOBODY = "nobody"
"""No way of its own card can be taken: only a sheet its superior carries there."""

_REACHED_BY = ("channels", "email", "phone", "address")
_CASES = ("all", "reachable", NOBODY, "no_account")
MOST_ROWS = 200_000


def _table(actor: Actor, *, kinds: Sequence[str], regions: Sequence[str]) -> tuple[str, list[Any]]:
    """The common table ``covered``: each organization below with its first way and its reasons."""
    ids, values = ids_sql(Selector(subtree_of=actor.home_id), on=clock.today())
    place = len(values)
    barred, closed = f"${place + 1}::text[]", f"${place + 2}::text[]"
    reason = ways.reason_sql("c.name", "o", closed=closed)
    sql = f"""covered AS MATERIALIZED (
        SELECT o.id, o.code, o.kind, o.name, o.region_code, o.phone <> '' AS has_phone,
               {ways.all_sql("o", barred=barred, closed=closed)} AS ways,
               coalesce((SELECT c.name FROM unnest(o.channels) WITH ORDINALITY AS c (name, place)
                   WHERE {reason} IS NULL ORDER BY c.place LIMIT 1), '{NOBODY}') AS way,
               EXISTS (SELECT 1 FROM role_grant AS g WHERE g.organization_id = o.id
                       AND g.revoked_at IS NULL) AS has_account
        FROM organization AS o WHERE o.id IN ({ids})
        AND (cardinality(${place + 3}::text[]) = 0 OR o.kind = ANY(${place + 3}))
        AND (cardinality(${place + 4}::text[]) = 0 OR o.region_code = ANY(${place + 4})))"""
    return sql, [*values, [], ways.not_set_up(), list(kinds), list(regions)]


def _check(kinds: Sequence[str]) -> None:
    if unknown := set(kinds) - set(OrganizationKind):
        raise InvalidInput(code="unknown_level", kinds=sorted(unknown))


async def totals(
    actor: Actor, *, kinds: Sequence[str] = (), regions: Sequence[str] = ()
) -> dict[str, Any]:
    """How many below the actor's organization are reached first by what; they sum to the total.

    `no_account`: their first way is this installation, and nobody there can sign in yet.
    """
    actor.require("clerk", "administrator")
    _check(kinds)
    table, values = _table(actor, kinds=kinds, regions=regions)
    rows = await db.rows(
        f"""WITH {table} SELECT kind, coalesce(region_code, '') AS region, way, count(*) AS number,
                count(*) FILTER (WHERE way = 'internal' AND NOT has_account) AS no_account
            FROM covered GROUP BY 1, 2, 3""",
        *values,
    )
    summed: dict[str, Any] = {"total": 0, "no_account": 0, "by_way": {}, "by_kind": {},
                              "by_region": {}}  # fmt: skip
    for row in rows:
        summed["total"] += row["number"]
        summed["no_account"] += row["no_account"]
        _add(summed["by_way"], row["way"], row["number"])
        for name in ("kind", "region"):
            _add(summed[f"by_{name}"].setdefault(row[name], {}), row["way"], row["number"])
    return {**summed, "reachable": summed["total"] - summed["by_way"].get(NOBODY, 0)}


def _add(tally: dict[str, int], name: str, number: int) -> None:
    tally[name] = tally.get(name, 0) + number


async def listed(
    actor: Actor, *, case: str = NOBODY, kinds: Sequence[str] = (), regions: Sequence[str] = (),
    after: str | None = None, limit: int = 50,
) -> list[db.Row]:  # fmt: skip
    """One page of organizations by code, with every way and what stands in it.

    `case`: all, reachable, nobody (no way of its own), no_account (see `totals`).
    """
    actor.require("clerk", "administrator")
    require_limit(limit, most=MAX_LIMIT)
    return await _rows(actor, case=case, kinds=kinds, regions=regions, after=after, limit=limit)


async def _rows(
    actor: Actor, *, case: str, kinds: Sequence[str], regions: Sequence[str], after: str | None,
    limit: int,
) -> list[db.Row]:  # fmt: skip
    _check(kinds)
    if case not in _CASES:
        raise InvalidInput(
            f"Вид списка: {', '.join(_CASES)}.", f"The list is one of {', '.join(_CASES)}.",
            code="unknown_case",
        )  # fmt: skip
    table, values = _table(actor, kinds=kinds, regions=regions)
    place = len(values)
    cut = {
        "all": "true",
        "reachable": f"way <> '{NOBODY}'",
        NOBODY: f"way = '{NOBODY}'",
        "no_account": "way = 'internal' AND NOT has_account",
    }[case]
    return await db.rows(
        f"""WITH {table} SELECT * FROM covered WHERE {cut}
            AND (${place + 1}::text IS NULL OR code > ${place + 1}) ORDER BY code
            LIMIT ${place + 2}""",
        *values, after, limit,
    )  # fmt: skip


async def as_csv(
    actor: Actor, *, case: str = "all", kinds: Sequence[str] = (), regions: Sequence[str] = ()
) -> bytes:
    """The list as a table for a spreadsheet (UTF-8 with mark, semicolons)."""
    actor.require("clerk", "administrator")
    rows = await _rows(actor, case=case, kinds=kinds, regions=regions, after=None, limit=MOST_ROWS)
    out = io.StringIO()
    table = csv.writer(out, delimiter=";", lineterminator="\r\n")
    table.writerow(["Код", "Вид", "Наименование", "Регион", "Первый канал", "Порядок каналов",
                    "Что мешает", "Учётная запись"])  # fmt: skip
    for row in rows:
        stands = "; ".join(
            f"{one['channel']}: {ways.REASONS[one['reason']][0]}"
            for one in row["ways"] if one["reason"]
        )  # fmt: skip
        table.writerow([
            row["code"], KIND_NAMES[OrganizationKind(row["kind"])][0], _cell(row["name"]),
            row["region_code"] or "", "" if row["way"] == NOBODY else row["way"],
            " ".join(one["channel"] for one in row["ways"]), stands,
            "да" if row["has_account"] else "нет",
        ])  # fmt: skip
    return "\ufeff".encode() + out.getvalue().encode()


def _cell(text: str) -> str:
    """No spreadsheet takes it for a formula."""
    return f"'{text}" if text[:1] in "=+-@\t\r" else text


async def history(
    actor: Actor, organization_id: uuid.UUID, *, limit: int = 50
) -> list[dict[str, Any]]:
    """Who changed an organization's order of channels and its addresses, when, from what to what.

    Newest first, from the events of its card, for those who may change it; what was erased since
    is empty.
    """
    await links.require_authority(actor, organization_id, roles=("administrator", "clerk"))
    require_limit(limit, most=MAX_LIMIT)
    rows = await db.rows(
        """SELECT e.at, e.actor_id, p.detail FROM event AS e
           LEFT JOIN event_payload AS p ON p.event_id = e.id
           WHERE e.subject_id = $1 AND e.verb = 'organization.update'
           AND e.data -> 'fields' ?| $2::text[] ORDER BY e.id DESC LIMIT $3""",
        organization_id, list(_REACHED_BY), limit,
    )  # fmt: skip
    return [
        {"at": row["at"], "actor_id": row["actor_id"], "before": _kept(row, "before"),
         "after": _kept(row, "after")}
        for row in rows
    ]  # fmt: skip


def _kept(row: db.Row, side: str) -> dict[str, Any]:
    told = (row["detail"] or {}).get(side, {})
    return {name: told[name] for name in _REACHED_BY if name in told}
