"""A steady rate for a long time: nothing gets slower, nothing piles up, nothing grows.

Only by name: it takes half an hour; SOAK_SECONDS makes it shorter, SOAK_RATE is letters a second.
"""

import asyncio
import os
from collections import Counter
from dataclasses import dataclass, field
from time import perf_counter

import msgspec

from bench import actors
from bench.ground import Ground, environment
from bench.http_client import Connection
from bench.relay import relaying
from bench.results import Result, percentile
from bench.web import serving
from bench.worker import resident_mb, working
from core import clock, db
from core.actor import Actor
from directory import dataset, selection
from directory.selection import Selector

INSIDE = 19
"""Recipients inside of each letter; one more is reached by e-mail."""
WITHIN = 120.0


@dataclass
class _Run:
    """What was seen."""

    latencies: list[tuple[float, float]] = field(default_factory=list)
    """When a letter began, in seconds from the start, and how long it took."""
    memory: list[tuple[float, float]] = field(default_factory=list)
    failures: Counter[str] = field(default_factory=Counter)
    """How many letters did not go through, by what was answered."""


async def measure(ground: Ground) -> Result:
    """p95 latency of the last sixth of the time over that of the first sixth.

    Latency: from the request over HTTP until the last recipient has the letter, which is the one
    by e-mail. Letters come at their times whether those before are done or not.
    """
    seconds = float(os.environ.get("SOAK_SECONDS", "1800"))
    rate = float(os.environ.get("SOAK_RATE", "2"))
    async with relaying() as relay:
        mail = {"SMTP_HOST": "127.0.0.1", "SMTP_PORT": str(relay.port), "QUIET_HOURS": "none"}
        with environment(mail):
            async with ground.database():
                clerk, token = await _laid_out()
                async with serving() as web, working() as worker:
                    run = await _steady(
                        clerk, token, port=web.port, pids=(web.pid, worker), seconds=seconds,
                        rate=rate,
                    )  # fmt: skip
                    backlog = await _backlog()
    return _judged(run, seconds=seconds, rate=rate, backlog=backlog)


def _judged(run: _Run, *, seconds: float, rate: float, backlog: int) -> Result:
    part = seconds / 6
    first = [took for at, took in run.latencies if at < part]
    last = [took for at, took in run.latencies if at >= seconds - part]
    if not first or not last:
        raise RuntimeError("too short to compare: raise SOAK_SECONDS or SOAK_RATE")
    value, floor = percentile(last, 0.95), percentile(first, 0.95)
    settled = [mb for at, mb in run.memory if at >= part] or [mb for _, mb in run.memory]
    return Result(
        "soak", value, "s", floor, value / floor, len(run.latencies),
        {"seconds": seconds, "letters_a_second": rate, "recipients_each": INSIDE + 1,
         "backlog": backlog, "failures": run.failures.total(), "failed": dict(run.failures),
         "memory_first_mb": settled[0],
         "memory_last_mb": settled[-1], "memory_growth_mb": settled[-1] - settled[0]},
    )  # fmt: skip


async def _laid_out() -> tuple[Actor, str]:
    made = dataset.generate("M")
    await dataset.load(made)
    await db.execute(
        """UPDATE organization SET channels = '{email}', email = id || '@org.example'
           WHERE kind = 'primary' AND abs(hashtext(id::text)) % 10 = 0"""
    )
    clerk = await actors.clerk_of(made.health_union_id)
    return clerk, await actors.token_of(clerk)


async def _steady(
    clerk: Actor, token: str, *, port: int, pids: tuple[int, ...], seconds: float, rate: float
) -> _Run:  # fmt: skip
    run, tasks = _Run(), set[asyncio.Task[None]]()
    inside = [
        str(row["id"])
        for row in await db.rows(
            "SELECT id FROM organization WHERE kind = 'primary' AND channels[1] = 'internal'"
            " ORDER BY id LIMIT $1",
            INSIDE,
        )
    ]
    outside = await _mailboxes(clerk, int(seconds * rate) + 1)
    # the processes have started when the first letter is through; it is not counted
    await _letter(clerk, token, _Run(), port, 0.0, inside, outside[0])
    began = perf_counter()
    for number, mailbox in enumerate(outside):
        at = number / rate
        if at >= seconds:
            break
        await asyncio.sleep(max(0.0, began + at - perf_counter()))
        if number % max(1, int(rate * seconds / 60)) == 0:
            run.memory.append((at, sum(resident_mb(pid) for pid in pids)))
        task = asyncio.create_task(_letter(clerk, token, run, port, at, inside, mailbox))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    await asyncio.gather(*tasks)
    run.memory.append((seconds, sum(resident_mb(pid) for pid in pids)))
    return run


async def _mailboxes(clerk: Actor, number: int) -> list[str]:
    """So many organizations below the sender that are reached by e-mail, in turn."""
    below, values = selection.ids_sql(Selector(subtree_of=clerk.home_id), on=clock.today())
    rows = await db.rows(
        f"""SELECT id FROM organization WHERE channels = '{{email}}' AND id IN ({below})
            ORDER BY id""",
        *values,
    )
    found = [str(row["id"]) for row in rows]
    return [found[place % len(found)] for place in range(number)]


async def _letter(
    clerk: Actor, token: str, run: _Run, port: int, at: float, inside: list[str], mailbox: str
) -> None:  # fmt: skip
    document_id = await actors.a_registered_document(clerk, f"01-01/{clock.new_id().hex[-10:]}")
    began = perf_counter()
    connection = await Connection.open(port)
    try:
        status, told = await connection.send(
            "POST", f"/api/v1/documents/{document_id}/dispatches",
            {"authorization": f"Bearer {token}", "content-type": "application/json"},
            _body([*inside, mailbox]),
        )  # fmt: skip
    finally:
        connection.close()
    if status != 201:
        run.failures[f"{status} {told.get('code', '')}"] += 1
        return
    if not await _handed_over(document_id, began):
        run.failures["not sent in time"] += 1
        return
    run.latencies.append((at, perf_counter() - began))


def _body(to: list[str]) -> bytes:
    return msgspec.json.encode({"selector": {"include": to}})


async def _handed_over(document_id: object, began: float) -> bool:
    """Until the relay has the letter, as the service has recorded it."""
    while perf_counter() - began < WITHIN:
        if await db.value(
            "SELECT 1 FROM consignment WHERE document_id = $1 AND status = 'sent'", document_id
        ):
            return True
        await asyncio.sleep(0.05)
    return False


async def _backlog() -> int:
    return int(
        await db.value("SELECT count(*) FROM consignment WHERE status IN ('waiting', 'sending')")
    )
