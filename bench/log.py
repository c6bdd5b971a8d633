"""What the evidence log costs those who write events: the same work with it and without it."""

import asyncio
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, replace
from time import perf_counter

import asyncpg

from bench import actors
from bench.ground import Ground, open_pool
from bench.results import Result, against
from core import clock, db
from core.actor import Actor
from core.db import DB, Database
from core.embedded.services import CHECKOUT
from directory import dataset
from directory.dataset.sizes import SizeName
from directory.selection import Selector
from directory.states import Line
from docflow.documents import cards
from docflow.routing import deliveries, dispatch

SECONDS = 60.0
PAIRS = 3
FANOUTS = 5
WARM = 5.0
WRITERS = 4
DRAINED_WITHIN = 60.0

_CARD = cards.CardInput(kind="circular", title="О сроках представления отчётности")


@dataclass(frozen=True, slots=True)
class Side:
    """A database with a registry in it, and who writes there."""

    pool: Database
    url: str
    actor: Actor
    has_log: bool


async def overhead(ground: Ground) -> Result:
    """Letters drawn up, corrected, sent to a union's organizations, opened and acknowledged.

    Value: events a second that were under a signed checkpoint when the minute was over. Floor:
    events a second in a database without the log and without its index. In turn, a minute each.
    """
    before = DB.pool
    async with AsyncExitStack() as stack:
        try:
            logged, plain = [await _side(ground, stack, has_log=one) for one in (True, False)]
            with _keeping(logged.url):
                for side in (logged, plain):
                    await _written(side, WARM)
                values, floors, backlogs, drains = [], [], [], []
                for _ in range(PAIRS):
                    DB.pool = logged.pool.pool
                    began = await _size()
                    await _written(logged, SECONDS)
                    values.append((await _size() - began) / SECONDS)
                    backlogs.append(await _oldest_waiting())
                    drains.append(await _drained())
                    floors.append(await _written(plain, SECONDS) / SECONDS)
        finally:
            DB.pool = before
    return against(
        "log-overhead", values, floors, unit="events/s", seconds=SECONDS, writers=WRITERS,
        backlog_s=max(backlogs), drained_s=max(drains),
    )  # fmt: skip


async def after_fanout(ground: Ground) -> Result:
    """Seconds from the commit of a dispatch to everybody below the center until all its events are
    under a signed checkpoint; beside the seconds of the dispatch itself."""
    before = DB.pool
    async with AsyncExitStack() as stack:
        try:
            side = await _side(ground, stack, has_log=True, size="L")
            wanted = dispatch.DispatchInput(selector=Selector(subtree_of=side.actor.home_id))
            values, floors, events = [], [], 0
            with _keeping(side.url):
                for _ in range(FANOUTS):
                    await _drained()
                    began, size = perf_counter(), await _size()
                    letter = await actors.a_registered_document(
                        side.actor, f"01-01/{clock.new_id().hex[-8:]}"
                    )
                    await dispatch.send(side.actor, letter, wanted=wanted)
                    floors.append(perf_counter() - began)
                    values.append(await _drained())
                    events = await _size() - size
        finally:
            DB.pool = before
    return against(
        "log-fanout-100k", values, floors, unit="s", events=events, slowest_s=max(values)
    )


async def _side(
    ground: Ground, stack: AsyncExitStack, *, has_log: bool, size: SizeName = "S"
) -> Side:
    DB.pool = None  # migrations take an open pool for theirs
    app_url, owner_url = await stack.enter_async_context(ground.another())
    if not has_log:
        owner = await asyncpg.connect(owner_url)
        await owner.execute("DROP INDEX event_xact")
        await owner.close()
    pool = await open_pool(app_url)
    stack.push_async_callback(pool.close)
    DB.pool = pool.pool
    made = dataset.generate(size)
    await dataset.load(made)
    home = made.center_id if size == "L" else made.health_union_id
    return Side(pool, app_url, await actors.clerk_of(home), has_log)


@contextmanager
def _keeping(url: str) -> Iterator[None]:
    """The log's loop in a process of its own, as the job process runs it."""
    process = subprocess.Popen(  # reason: our own module
        [sys.executable, "-m", "bench.log_keeper"],
        env={**os.environ, "DATABASE_URL": url}, cwd=CHECKOUT,
    )  # fmt: skip
    try:
        yield
    finally:
        process.terminate()
        process.wait(30)


async def _written(side: Side, seconds: float) -> int:
    """Write for so long; answers how many events there are more."""
    DB.pool = side.pool.pool
    before = await db.value("SELECT count(*) FROM event")
    until = perf_counter() + seconds
    await asyncio.gather(*(_write(side.actor, until) for _ in range(WRITERS)))
    return int(await db.value("SELECT count(*) FROM event")) - int(before)


async def _write(actor: Actor, until: float) -> None:
    """The life of one letter after another."""
    wanted = dispatch.DispatchInput(
        selector=Selector(subtree_of=actor.home_id, line=Line.BRANCH), mode="direct"
    )
    while perf_counter() < until:
        draft = await cards.create(actor, card=_CARD)
        await cards.correct(actor, draft, card=_changed(), version=1)
        await cards.discard(actor, draft, reason="Заменён")
        letter = await actors.a_registered_document(actor, f"01-01/{clock.new_id().hex[-8:]}")
        await dispatch.send(actor, letter, wanted=wanted)
        for row in await db.rows(
            """SELECT id, recipient_id FROM delivery
               WHERE document_id = $1 AND status = 'delivered'""",
            letter,
        ):
            if perf_counter() > until:
                return
            await _read(replace(actor, organization_id=row["recipient_id"]), row["id"])


def _changed() -> cards.CardInput:
    return cards.CardInput(kind="circular", title=f"О сроках, редакция {clock.new_id().hex[-6:]}")


async def _read(recipient: Actor, delivery_id: uuid.UUID) -> None:
    await deliveries.open_delivery(recipient, delivery_id)
    await deliveries.acknowledge(recipient, delivery_id)


async def _size() -> int:
    """Leaves under a signed checkpoint."""
    return int(await db.value("SELECT coalesce(max(size), 0) FROM log_checkpoint"))


async def _oldest_waiting() -> float:
    """For how many seconds the oldest event has been waiting."""
    since = await db.value(
        """SELECT min(at) FROM event AS e
           WHERE NOT EXISTS (SELECT FROM log_leaf AS l WHERE l.event_id = e.id)"""
    )
    return 0.0 if since is None else (clock.now() - since).total_seconds()


_ANY_WAITING = """SELECT count(*) <> (SELECT coalesce(max(size), 0) FROM log_checkpoint)
    FROM event"""


async def _drained() -> float:
    """Seconds until nothing waits."""
    began = perf_counter()
    while await db.value(_ANY_WAITING):
        if perf_counter() - began > DRAINED_WITHIN:
            raise RuntimeError("the log does not catch up")
        await asyncio.sleep(0.05)
    return perf_counter() - began
