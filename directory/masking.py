"""Who is shown people's contacts in full, and how they look to everybody else (152-ФЗ ст. 5).

Names and posts of officers are for all who work in the federation. Their telephones and addresses
are for those who have to do with them: the same organization, one above or one below it on either
line, the center; and for the roles that write to people, not for editors.
"""

import uuid
from collections.abc import Iterable, Sequence

from core import clock, db
from core.actor import Actor

ROLES = frozenset({"clerk", "signatory", "lawyer", "administrator"})

_RELATED = """
WITH RECURSIVE climbed (origin, id) AS (
    SELECT o, o FROM unnest($1::uuid[]) AS o UNION SELECT $2::uuid, $2::uuid
    UNION
    SELECT c.origin, l.parent_id FROM climbed AS c JOIN organization_link AS l
        ON l.child_id = c.id AND l.valid_from <= $3 AND (l.valid_to IS NULL OR l.valid_to > $3))
SELECT DISTINCT o FROM unnest($1::uuid[]) AS o
WHERE EXISTS (SELECT FROM climbed WHERE origin = o AND id = $2)
   OR EXISTS (SELECT FROM climbed WHERE origin = $2 AND id = o)
   OR EXISTS (SELECT FROM organization WHERE id = $2 AND kind = 'center')
"""


async def related(actor: Actor, organization_ids: Iterable[uuid.UUID]) -> set[uuid.UUID]:
    """Which of these organizations' people the actor may call: own, above, below; all for rules."""
    wanted = set(organization_ids)
    if actor.kind == "rule":
        return wanted
    if not actor.roles & ROLES or actor.organization_id is None:
        return set()
    found = await db.rows(_RELATED, sorted(wanted), actor.organization_id, clock.today())
    return {row["o"] for row in found}


async def masked(actor: Actor, rows: Sequence[db.Row]) -> list[db.Row]:
    """Rows of people in their organizations, contacts as this actor may see them."""
    near = await related(actor, {row["organization_id"] for row in rows})
    return [
        row if row["organization_id"] in near
        else row | {"email": email(row["email"]), "phone": phone(row["phone"])}
        for row in rows
    ]  # fmt: skip


def email(text: str) -> str:
    """The first letter and the domain."""
    name, at, domain = text.partition("@")
    return f"{name[:1]}•••@{domain}" if at else ("•••" if text else "")


def phone(text: str) -> str:
    """The last two digits."""
    return f"•••{text[-2:]}" if text else ""
