"""The expert commission (экспертная комиссия, ЭК): who judges what may be destroyed."""

import uuid

from audit import events
from core import clock, db
from core.actor import Actor
from core.errors import InvalidInput
from directory import second_factor
from docflow.documents import visibility
from docflow.documents.records import plans

LEAST = 3
"""Members without whom it cannot decide; practice under the text of 1995 (docs/records.md)."""
MOST = 25


async def appoint(
    actor: Actor, *, members: list[uuid.UUID], chair_id: uuid.UUID, basis: str
) -> None:
    """Set up the commission by an order; who is not named leaves it.

    Accounts that hold a role in the organization; by the head, with a second factor. Raises
    `commission_size`, `chair_not_member`, `not_of_organization`.
    """
    actor.require("signatory")
    second_factor.demand(actor)
    plans.require_protocol(basis, field="basis")
    named = sorted(set(members))
    _require_size(named, chair_id)
    async with db.transaction():
        known = await db.value(
            """SELECT count(DISTINCT account_id) FROM role_grant WHERE organization_id = $1
               AND account_id = ANY($2::uuid[]) AND revoked_at IS NULL""",
            actor.home_id, named,
        )  # fmt: skip
        if known != len(named):
            raise InvalidInput(
                "В комиссию входят только те, у кого есть роль в организации.",
                "Only those who hold a role in the organization can be members.",
                code="not_of_organization", field="members",
            )  # fmt: skip
        await _seat(actor, named, chair_id, basis.strip())
        await events.record(
            actor, "commission.appointed", subject=("organization", actor.home_id),
            data={"members": [str(one) for one in named], "chair_id": str(chair_id),
                  "basis": basis.strip()},
        )  # fmt: skip


def _require_size(named: list[uuid.UUID], chair_id: uuid.UUID) -> None:
    if not LEAST <= len(named) <= MOST:
        raise InvalidInput(
            f"В экспертной комиссии от {LEAST} до {MOST} человек.",
            f"A commission has {LEAST} to {MOST} members.",
            code="commission_size", field="members",
        )  # fmt: skip
    if chair_id not in named:
        raise InvalidInput(
            "Председатель должен быть членом комиссии.", "The chair has to be a member.",
            code="chair_not_member", field="chair_id",
        )  # fmt: skip


async def _seat(actor: Actor, named: list[uuid.UUID], chair_id: uuid.UUID, basis: str) -> None:
    moment = clock.now()
    await db.execute(
        "UPDATE commission_member SET until = $2 WHERE organization_id = $1 AND until IS NULL",
        actor.home_id, moment,
    )  # fmt: skip
    await db.execute(
        """INSERT INTO commission_member (id, organization_id, account_id, is_chair, basis, since)
           SELECT uuidv7(), $1, id, id = $3, $4, $5 FROM unnest($2::uuid[]) AS t (id)""",
        actor.home_id, named, chair_id, basis, moment,
    )  # fmt: skip


async def members(organization_id: uuid.UUID) -> list[db.Row]:
    """Who sits in it now, the chair first, with names."""
    return await db.rows(
        """SELECT m.account_id, m.is_chair, m.basis, m.since,
                  concat_ws(' ', p.last_name, p.first_name, p.middle_name) AS name
           FROM commission_member AS m JOIN account AS a ON a.id = m.account_id
           JOIN person AS p ON p.id = a.person_id
           WHERE m.organization_id = $1 AND m.until IS NULL ORDER BY m.is_chair DESC, name""",
        organization_id,
    )


async def candidates(actor: Actor) -> list[db.Row]:
    """Whom one may appoint: accounts with a role in the organization."""
    return await db.rows(
        """SELECT DISTINCT a.id AS account_id,
                  concat_ws(' ', p.last_name, p.first_name, p.middle_name) AS name
           FROM role_grant AS g JOIN account AS a ON a.id = g.account_id
           JOIN person AS p ON p.id = a.person_id
           WHERE g.organization_id = $1 AND g.revoked_at IS NULL ORDER BY name LIMIT 500""",
        visibility.reader(actor),
    )
