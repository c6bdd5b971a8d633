"""kill -9 of the process that polls and sends, at any moment; and 10,000 messages that wait."""

import asyncio
import os
import random
import signal
import sys
import time
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from core import db
from docflow.gateways.medo.messages import Event, Kind
from docflow.routing.medo import incoming
from tests import medo_stage, people
from tests.medo_stage import Stage

pytestmark = pytest.mark.slow

WORKER = """
import asyncio
from core import sandbox
from core.db import DB
from docflow.routing.medo import incoming, outgoing, replies

async def main():
    await DB.open(size=3)
    sandbox.pool().start()
    print("ready", flush=True)
    await incoming.poll()
    await replies.notify()
    await outgoing.send_waiting()
    print("done", flush=True)
    await sandbox.pool().close()
    await DB.close()

asyncio.run(main())
"""

LETTERS, NOTES = 12, 12


@pytest.fixture
async def stage(database: str, tmp_path: Path) -> AsyncIterator[Stage]:
    with medo_stage.transport(tmp_path):
        yield await medo_stage.a_stage(tmp_path)


async def killed_after(seconds: float) -> bool:
    """Run the worker and kill it; True when it was done before."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", WORKER, stdout=asyncio.subprocess.PIPE, env=os.environ
    )
    assert process.stdout is not None
    assert (await process.stdout.readline()).strip() == b"ready"
    try:
        line = await asyncio.wait_for(process.stdout.readline(), seconds)
    except TimeoutError:
        line = b""
    if process.returncode is None:
        process.send_signal(signal.SIGKILL)
    await process.wait()
    return line.strip() == b"done"


@pytest.mark.slow
async def test_killed_at_any_moment_nothing_is_lost_or_doubled(stage: Stage) -> None:
    for place in range(LETTERS):
        stage.they.put(
            *stage.they.letter(await people.a_letter(f"Письмо {place}"), number=f"14/{place}")
        )
        stage.they.put(stage.they.receipt(str(uuid.uuid4())))
    kills, chance = 0, random.Random(7)  # noqa: S311 - a schedule, no secret
    while not await killed_after(chance.uniform(0.02, 1.2) * (1 + kills / 4)):
        kills += 1
        assert kills < 60
    sys.stdout.write(f"killed {kills} times\n")
    assert kills >= 2
    assert await db.value("SELECT count(*) FROM document WHERE origin = 'external'") == LETTERS
    assert await db.value(
        "SELECT count(*) FROM medo_message WHERE direction = 'in'"
    ) == LETTERS + NOTES  # fmt: skip
    assert await db.value("SELECT count(DISTINCT header_uid) FROM medo_message"
                          " WHERE direction = 'in'") == LETTERS + NOTES  # fmt: skip
    assert await db.value("SELECT count(*) FROM delivery WHERE status = 'delivered'") == LETTERS
    assert not list(stage.inbox.iterdir())
    receipts = [one.receipt for one in stage.they.collected(Kind.RECEIPT)]
    assert len(receipts) == len({one.uid for one in receipts if one}) == LETTERS


@pytest.mark.prove
async def test_ten_thousand_waiting_messages_are_taken_in_linearly(stage: Stage) -> None:
    """Without loss, the last thousand as fast as the first; make prove NAME=ten_thousand."""
    await medo_stage.a_sent(stage)
    (went,) = stage.they.collected()
    number, step = int(os.environ.get("MEDO_MESSAGES", "10000")), 1000
    seconds: list[float] = []
    for begin in range(0, number, step):
        for place in range(begin, begin + step):
            if place % 50 == 0:
                stage.they.put(
                    *stage.they.letter(await people.a_letter(f"№ {place}"), number=str(place))
                )
            else:
                stage.they.put(
                    stage.they.notification(
                        went.header_uid, Event.COURSE, type="Исполнение", course=str(place)
                    ),
                )
    total = 0
    waiting = await asyncio.to_thread(lambda: sorted(
        stage.inbox.iterdir(), key=lambda one: one.stat().st_mtime_ns))  # fmt: skip
    assert len(waiting) == number
    for begin in range(0, number, step):
        started = time.perf_counter()
        for folder in waiting[begin : begin + step]:
            assert await incoming.take_in(folder) in ("taken", "matched")
            total += 1
        seconds.append(time.perf_counter() - started)
    sys.stdout.write(f"seconds a thousand: {[round(one, 1) for one in seconds]}\n")
    assert total == number
    assert await db.value("SELECT count(*) FROM medo_message WHERE direction = 'in'") == number
    assert not list(stage.inbox.iterdir())
    assert seconds[-1] < seconds[0] * 2, "linear"
