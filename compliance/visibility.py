"""The one rule on who may see what the editors of an organization asked and published."""

import uuid

from core import clock
from core.actor import Actor
from directory import links


async def may_see(actor: Actor, owner_id: uuid.UUID) -> bool:
    """One's own organization; for a lawyer also those below it, on either line, today."""
    if owner_id == actor.home_id:
        return True
    return "lawyer" in actor.roles and await links.is_above(
        upper_id=actor.home_id, lower_id=owner_id, on=clock.today()
    )
