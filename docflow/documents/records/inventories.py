"""Inventories (описи дел): which closed cases stay: permanent, above ten years, personnel.

One inventory holds one kind of cases only (ARC-1). Cases for up to ten years are not listed: they
stay in office work until an act destroys them.
"""

import uuid
from typing import Literal, get_args

from audit import events, transitions
from core import clock, db
from core.actor import Actor
from core.errors import Conflict, InvalidInput, NotFound
from directory import second_factor
from docflow.documents import visibility
from docflow.documents.cards import require_text
from docflow.documents.records import cases, plans, terms
from docflow.documents.records.states import INVENTORY, InventoryStatus

Kind = Literal["permanent", "long", "personnel"]

_OF_KIND = {
    "permanent": """NOT c.is_personnel AND c.term_kind IN ('permanent', 'until_liquidation')""",
    "long": f"NOT c.is_personnel AND c.years > {terms.LONG}",
    "personnel": "c.is_personnel",
}


async def make(actor: Actor, *, year: int, kind: Kind, number: str) -> uuid.UUID:
    """A draft of the closed cases of a year and kind that are in no inventory yet.

    Raises `unknown_kind`, `nothing_to_list`, `number_taken`.
    """
    actor.require("clerk")
    if kind not in get_args(Kind):
        raise InvalidInput(
            f"Вид описи: {', '.join(get_args(Kind))}.",
            f"Kind of inventory: {', '.join(get_args(Kind))}.",
            code="unknown_kind", field="kind",
        )  # fmt: skip
    require_text(number, most=50, field="number")
    if not number.strip():
        raise InvalidInput(code="field_missing", field="number")
    async with db.transaction():
        inventory_id, moment = clock.new_id(), clock.now()
        made = await db.execute(
            """INSERT INTO case_inventory (id, organization_id, year, kind, number, status,
                   created_by, created_at, updated_at)
               VALUES ($1, $2, $3, $4, $5, 'draft', $6, $7, $7) ON CONFLICT DO NOTHING""",
            inventory_id, actor.home_id, year, kind, number.strip(), actor.account_id, moment,
        )  # fmt: skip
        if not made:
            raise Conflict(
                "Опись с таким номером уже есть.", "There is an inventory with this number.",
                code="number_taken", field="number",
            )  # fmt: skip
        listed = await db.execute(
            f"""UPDATE record_case AS c SET inventory_id = $1, updated_at = $4
                WHERE c.organization_id = $2 AND c.year = $3 AND c.status = 'closed'
                AND c.inventory_id IS NULL AND {_OF_KIND[kind]} AND EXISTS (
                    SELECT 1 FROM case_filing AS f WHERE f.case_id = c.id)""",
            inventory_id, actor.home_id, year, moment,
        )  # fmt: skip
        if not listed:
            raise Conflict(
                f"За {year} год нет закрытых дел этого вида вне описей.",
                f"There is no closed case of this kind of {year} outside inventories.",
                code="nothing_to_list",
            )
        await events.record(
            actor, "case_inventory.made", subject=("case_inventory", inventory_id),
            change=(None, InventoryStatus.DRAFT),
            data={"year": year, "kind": kind, "number": number.strip(), "cases": listed},
        )  # fmt: skip
    return inventory_id


async def approve(actor: Actor, inventory_id: uuid.UUID, *, protocol: str) -> None:
    """Enter the protocol by which it was approved; by the head, with a second factor."""
    actor.require("signatory")
    second_factor.demand(actor)
    plans.require_protocol(protocol)
    async with db.transaction():
        found = await own(actor, inventory_id, lock=True)
        await transitions.move(
            actor, "case_inventory", inventory_id, graph=INVENTORY,
            source=InventoryStatus(found["status"]), target=InventoryStatus.APPROVED,
            verb="case_inventory.approved",
            assign={"protocol": protocol.strip(), "approved_by": actor.account_id,
                    "approved_on": clock.today()},
        )  # fmt: skip


async def cancel(actor: Actor, inventory_id: uuid.UUID) -> None:
    """Give up a draft; its cases can be listed anew."""
    actor.require("clerk")
    async with db.transaction():
        found = await own(actor, inventory_id, lock=True)
        await transitions.move(
            actor, "case_inventory", inventory_id, graph=INVENTORY,
            source=InventoryStatus(found["status"]), target=InventoryStatus.CANCELLED,
            verb="case_inventory.cancelled",
        )  # fmt: skip
        await db.execute(
            "UPDATE record_case SET inventory_id = NULL WHERE inventory_id = $1", inventory_id
        )


async def missing(organization_id: uuid.UUID, years: list[int]) -> list[db.Row]:
    """Cases of these years that have to stand in an approved inventory and do not (ACT-1).

    Permanent ones and those on personnel: an act says that their inventories are approved.
    """
    return await db.rows(
        """SELECT c.index, c.year FROM record_case AS c
           LEFT JOIN case_inventory AS i ON i.id = c.inventory_id AND i.status = 'approved'
           WHERE c.organization_id = $1 AND c.year = ANY($2::int[]) AND c.status = 'closed'
           AND (c.is_personnel OR c.term_kind IN ('permanent', 'until_liquidation'))
           AND i.id IS NULL AND EXISTS (SELECT 1 FROM case_filing AS f WHERE f.case_id = c.id)
           ORDER BY c.year, c.index""",
        organization_id, years,
    )  # fmt: skip


async def own(actor: Actor, inventory_id: uuid.UUID, *, lock: bool = False) -> db.Row:
    """An inventory of the actor's organization. Raises NotFound."""
    found = await db.row(
        f"""SELECT * FROM case_inventory WHERE id = $1 AND organization_id = $2
            {"FOR UPDATE" if lock else ""}""",
        inventory_id, visibility.reader(actor),
    )  # fmt: skip
    if found is None:
        raise NotFound(inventory_id=str(inventory_id))
    return found


async def listed(actor: Actor) -> list[db.Row]:
    """The organization's inventories, the newest year first."""
    return await db.rows(
        """SELECT i.*, (SELECT count(*) FROM record_case AS c WHERE c.inventory_id = i.id) AS cases
           FROM case_inventory AS i WHERE i.organization_id = $1
           ORDER BY i.year DESC, i.id DESC LIMIT 500""",
        visibility.reader(actor),
    )


async def approved(organization_id: uuid.UUID) -> list[db.Row]:
    """The approved inventories of an organization, as an act of destruction names them."""
    return await db.rows(
        """SELECT year, kind, number, protocol FROM case_inventory
           WHERE organization_id = $1 AND status = 'approved' ORDER BY year, number""",
        organization_id,
    )


async def cases_of(inventory_id: uuid.UUID) -> list[db.Row]:
    """The cases of an inventory by index, with the first and last day of their documents."""
    return await db.rows(
        f"""SELECT s.*, (SELECT min(f.date) FROM case_filing AS f WHERE f.case_id = s.id) AS first,
                   (SELECT max(f.date) FROM case_filing AS f WHERE f.case_id = s.id) AS last
            FROM ({cases.SELECT} WHERE c.inventory_id = $1) AS s ORDER BY s.year, s.index""",
        inventory_id,
    )
