"""How soon an urgent letter is there while a circular to everybody goes out.

The circular goes to everything below the center; every tenth organization is reached by e-mail
only. Meanwhile urgent letters go to one recipient inside and to one by e-mail.
"""

import asyncio
import logging
import statistics
import uuid
from contextlib import suppress
from time import perf_counter

from bench import actors
from bench.ground import Ground, environment
from bench.relay import Relay, relaying
from bench.results import Result
from bench.worker import working
from core import clock, db
from core.actor import Actor
from directory import dataset
from directory.selection import Selector
from docflow.routing import dispatch, lines

log = logging.getLogger(__name__)

WITHIN = 120.0
EVERY = 1.0
QUIET = 5
"""Urgent letters sent while nothing else goes on: the floor."""
LETTERS_SEEN = 500
"""The measuring goes on until so many letters of the circular have gone out."""
MOST = 60


async def measure(ground: Ground) -> Result:
    """Seconds from the request until the recipient inside has it and the relay has the letter.

    Value: the median of those sent from the beginning of the dispatch until its letters are on
    their way by the thousand; the worst of them stands in `notes`.
    """
    async with relaying() as relay:
        mail = {"SMTP_HOST": "127.0.0.1", "SMTP_PORT": str(relay.port), "QUIET_HOURS": "none"}
        with environment(mail):
            async with ground.database():
                clerk = await _laid_out()
                async with working():
                    await _urgent(clerk, relay, 0)
                    quiet = [await _urgent(clerk, relay, one + 1) for one in range(QUIET)]
                    before = relay.number
                    circular = asyncio.create_task(_circular(clerk))
                    busy = await _during(clerk, relay, circular)
                    took = await circular
                    letters = relay.number - before - len(busy)
    value, floor = statistics.median(busy), statistics.median(quiet)
    return Result(
        "urgent", value, "s", floor, value / floor, len(busy),
        {"worst_s": max(busy), "dispatch_s": took, "letters_meanwhile": letters,
         "samples": [round(one, 2) for one in busy]},
    )  # fmt: skip


async def _laid_out() -> Actor:
    """The registry, every tenth organization by e-mail only; who sends."""
    made = dataset.generate("L")
    await dataset.load(made)
    await db.execute(
        """UPDATE organization SET channels = '{email}', email = id || '@org.example'
           WHERE kind = 'primary' AND abs(hashtext(id::text)) % 10 = 0"""
    )
    return await actors.clerk_of(made.center_id)


async def _circular(clerk: Actor) -> float:
    began = perf_counter()
    document_id = await actors.a_registered_document(clerk, "01-01/1")
    await dispatch.send(
        clerk, document_id,
        wanted=dispatch.DispatchInput(selector=Selector(subtree_of=clerk.home_id)),
    )  # fmt: skip
    return perf_counter() - began


async def _during(clerk: Actor, relay: Relay, circular: "asyncio.Task[float]") -> list[float]:
    """Urgent letters one after another until the circular's letters are well on their way."""
    taken: list[float] = []
    before = relay.number
    while len(taken) < MOST and (
        not circular.done() or relay.number - before < LETTERS_SEEN + len(taken)
    ):
        began = perf_counter()
        taken.append(await _urgent(clerk, relay, QUIET + 1 + len(taken)))
        log.info("urgent letter %d: %.2f s", len(taken), taken[-1])
        with suppress(TimeoutError):
            await asyncio.sleep(max(0.0, EVERY - (perf_counter() - began)))
    return taken


async def _urgent(clerk: Actor, relay: Relay, number: int) -> float:
    """One urgent letter to two recipients of its own; seconds until both have it."""
    inside, outside = await _recipients(number)
    document_id = await actors.a_registered_document(clerk, f"01-02/{number}")
    began = perf_counter()
    await dispatch.send(
        clerk, document_id,
        wanted=dispatch.DispatchInput(selector=lines.only([inside, outside]), urgent=True),
    )  # fmt: skip
    status = await db.value(
        "SELECT status FROM delivery WHERE document_id = $1 AND recipient_id = $2",
        document_id, inside,
    )  # fmt: skip
    if status != "delivered":
        raise RuntimeError(f"the recipient inside has it not: {status}")
    return await relay.reaches(f"{outside}@urgent.example", within=WITHIN) - began


async def _recipients(number: int) -> tuple[uuid.UUID, uuid.UUID]:
    """One organization inside, and one with a mailbox of its own for this letter."""
    inside, outside = await db.rows(
        """SELECT id FROM organization WHERE kind = 'primary' AND channels[1] = 'internal'
           ORDER BY id OFFSET $1 LIMIT 2""",
        number * 2,
    )
    await db.execute(
        """UPDATE organization SET channels = '{email}', email = id || '@urgent.example',
               updated_at = $2 WHERE id = $1""",
        outside["id"], clock.now(),
    )  # fmt: skip
    return inside["id"], outside["id"]
