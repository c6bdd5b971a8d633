"""The exchange now, and not at the worker's next half minute."""

from core import db, jobs
from core.actor import Actor
from core.errors import Conflict
from core.settings import settings

POLL_JOB, SEND_JOB = "medo.poll", "medo.send"
jobs.allow(POLL_JOB)
jobs.allow(SEND_JOB)


async def exchange(actor: Actor) -> None:
    """Have the worker look into both folders at once; asked twice, it is done once.

    Raises Conflict `medo_off` where no folder is set up.
    """
    actor.require("clerk", "administrator")
    if settings().medo_in is None and settings().medo_out is None:
        raise Conflict(
            "Обмен по МЭДО не настроен: задайте MEDO_IN и MEDO_OUT (руководство оператора).",
            "МЭДО is not set up: give MEDO_IN and MEDO_OUT (the operator's guide).",
            code="medo_off",
        )
    async with db.transaction():
        for name in (POLL_JOB, SEND_JOB):
            await jobs.defer(name, key="now", lock=f"periodic:{name}", priority=5)
