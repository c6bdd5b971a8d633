"""The case of a check, put together from the registers as they are now."""

import uuid
from collections.abc import Iterable
from datetime import date

from compliance.registers import register
from compliance.registers.changes import Head
from compliance.verdicts.attribution import folded
from compliance.verdicts.case import (
    Case,
    Claimant,
    Evidence,
    Licence,
    Match,
    OwnWork,
    Picture,
    Use,
)
from core import db


async def assembled(*, use: Use, evidence: Evidence, matches: Iterable[Match], head: Head) -> Case:
    """Everything the registers say of the matched pictures to the organization of the use.

    Belongs inside a transaction that keeps the registers as `head` says (`changes.hold`).
    """
    organization_id = uuid.UUID(use.organization)
    above = [uuid.UUID(one) for line in use.superiors.values() for one in line]
    wanted = {uuid.UUID(match.picture): match for match in matches}
    pictures = await db.rows(
        f"""SELECT p.* FROM picture AS p WHERE p.status = 'active' AND p.id = ANY ($1)
            AND {register.condition("p", "$2", "$3")} ORDER BY p.id""",
        list(wanted), organization_id, above,
    )  # fmt: skip
    ids = [row["id"] for row in pictures]
    return Case(
        use=use,
        evidence=evidence,
        matches=tuple(wanted[one] for one in ids),
        pictures=tuple(_picture(row) for row in pictures),
        licences=await _licences(ids, organization_id, above),
        own_works=await _own_works(ids, organization_id, above),
        claimants=await _claimants(ids, evidence),
        register=head.digest,
    )


def _picture(row: db.Row) -> Picture:
    return Picture(
        id=str(row["id"]), title=row["title"], author=row["author"], source=row["source"],
        has_snapshot=row["snapshot_blob_id"] is not None,
        approved_by=None if row["approved_by"] is None else str(row["approved_by"]),
        carries_rights=row["carries_rights"],
    )  # fmt: skip


async def _licences(
    ids: list[uuid.UUID], organization_id: uuid.UUID, above: list[uuid.UUID]
) -> tuple[Licence, ...]:
    rows = await db.rows(
        f"""SELECT l.*, ARRAY(SELECT s.seat FROM licence_seat AS s WHERE s.licence_id = l.id
                AND s.released_at IS NULL ORDER BY s.seat) AS seats
            FROM licence AS l WHERE l.picture_id = ANY ($1)
            AND {register.licence_condition("l", "$2", "$3")} ORDER BY l.id""",
        ids, organization_id, above,
    )  # fmt: skip
    return tuple(
        Licence(
            id=str(row["id"]), picture=str(row["picture_id"]), kind=row["kind"],
            holder=row["holder"], number=row["number"] or "", public=row["public"],
            grantee=None if row["grantee_id"] is None else str(row["grantee_id"]),
            reach=row["reach"], line=row["line"], channels=tuple(row["channels"]),
            territories=tuple(row["territories"]), since=row["since"], until=row["until"],
            attribution=row["attribution"], seats=tuple(row["seats"]), max_seats=row["max_seats"],
            allows_changes=row["allows_changes"], allows_commercial=row["allows_commercial"],
            is_confirmed=row["confirmed_at"] is not None, revoked_on=row["revoked_on"],
        )
        for row in rows
    )  # fmt: skip


async def _own_works(
    ids: list[uuid.UUID], organization_id: uuid.UUID, above: list[uuid.UUID]
) -> tuple[OwnWork, ...]:
    rows = await db.rows(
        """SELECT * FROM own_work WHERE picture_id = ANY ($1) AND confirmed_at IS NOT NULL
           AND (organization_id = $2 OR (reach = 'subtree' AND organization_id = ANY ($3)))
           ORDER BY id""",
        ids, organization_id, above,
    )  # fmt: skip
    return tuple(
        OwnWork(
            picture=str(row["picture_id"]), organization=str(row["organization_id"]),
            author=row["author"], reach=row["reach"], channels=tuple(row["channels"]),
            since=row["since"], until=row["until"], withdrawn_on=row["withdrawn_on"],
            attribution=row["attribution"],
        )
        for row in rows
    )  # fmt: skip


async def _claimants(ids: list[uuid.UUID], evidence: Evidence) -> tuple[Claimant, ...]:
    """Those in force whose works were matched or whose names the file bears."""
    rows = await db.rows(
        """SELECT c.id, c.name, c.aliases, c.since, c.until, w.picture_id, w.since AS work_since,
                  w.until AS work_until
           FROM claimant AS c
           LEFT JOIN claimant_work AS w ON w.claimant_id = c.id AND w.picture_id = ANY ($1)
               AND w.approved_at IS NOT NULL
           WHERE c.status = 'active' ORDER BY c.id, w.id""",
        ids,
    )
    said = " ".join(
        folded(text)
        for text in (
            *(
                part or ""
                for one in evidence.credits
                for part in (one.author, one.agency, one.stock)
            ),
            *evidence.rights.values(),
        )
    )
    grouped: dict[tuple[uuid.UUID, date | None, date | None], list[db.Row]] = {}
    for row in rows:
        names = [folded(name) for name in (row["name"], *row["aliases"])]
        if row["picture_id"] is not None or any(name and name in said for name in names):
            days = (
                _later(row["since"], row["work_since"]),
                _sooner(row["until"], row["work_until"]),
            )
            grouped.setdefault((row["id"], *days), []).append(row)
    return tuple(
        Claimant(
            id=str(claimant_id), name=some[0]["name"], aliases=tuple(some[0]["aliases"]),
            works=tuple(str(row["picture_id"]) for row in some if row["picture_id"] is not None),
            since=since, until=until,
        )
        for (claimant_id, since, until), some in grouped.items()
    )  # fmt: skip


def _later(one: date | None, other: date | None) -> date | None:
    return max((day for day in (one, other) if day is not None), default=None)


def _sooner(one: date | None, other: date | None) -> date | None:
    return min((day for day in (one, other) if day is not None), default=None)
