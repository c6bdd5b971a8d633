"""Two workers beside one: e-mail to a relay over a socket, offline packages into a folder.

The relay thinks about each letter as one across a network does (THINKS). Packages wait for nothing
but processor and disk: of 19 ms a package the worker takes 11, database and store 8, so on two
cores a second worker finds hardly a core left. What it gains where it has one is measured with each
worker held to a part of a core (`offline_held_…`, null where we may not hold processes): the rest
of both cores stays with database and store. That figure stands beside the result and is not it.
"""

import asyncio
import os
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager, suppress
from pathlib import Path
from time import perf_counter
from uuid import UUID

from bench import actors, held
from bench.ground import Ground, environment
from bench.results import Result, against
from core import clock, db
from core.actor import Actor
from core.embedded.services import CHECKOUT
from docflow.routing import consignments, dispatch, lines
from storage import blobs

THINKS = 0.25
MESSAGES = int(os.environ.get("CHANNEL_MESSAGES", "300"))
ROUNDS = 3
SIZE = 300_000
HELD = 0.35
"""The part of a core that each held worker may use."""
GIVE_UP = 300.0


async def scale(ground: Ground) -> Result:
    """Messages a second handed over by two workers, over those by one; the worse channel counts."""
    with tempfile.TemporaryDirectory(prefix="docflow-bench-") as folder:
        async with ground.database():
            clerk, to = await _stage()
            figures: dict[str, list[tuple[float, float]]] = {}
            for _ in range(ROUNDS):
                for channel, thinks in (("email", THINKS), ("offline", 0.0)):
                    one = await _rate(folder, clerk, to[channel], channel, thinks, workers=1)
                    two = await _rate(folder, clerk, to[channel], channel, thinks, workers=2)
                    figures.setdefault(channel, []).append((two, one))
            alone, both = await _held(folder, clerk, to["offline"])
    worst = min(
        ("email", "offline"), key=lambda name: sorted(t / o for t, o in figures[name])[ROUNDS // 2]
    )
    return against(
        "channels-scale", [two for two, _ in figures[worst]], [one for _, one in figures[worst]],
        unit="messages/s", channel=worst, messages=MESSAGES, relay_thinks_seconds=THINKS,
        **{f"{name}_two_over_one": sorted(t / o for t, o in pairs)[ROUNDS // 2]
           for name, pairs in figures.items()},
        **{f"{name}_one": sorted(o for _, o in pairs)[ROUNDS // 2]
           for name, pairs in figures.items()},
        held_to_cores=HELD, offline_held_one=alone,
        offline_held_two_over_one=both / alone if both and alone else None,
    )  # fmt: skip


async def _held(
    folder: str, clerk: Actor, to: list[UUID]
) -> tuple[float, float] | tuple[None, None]:
    """Packages a second by one held worker and by two; the medians."""
    if not held.possible():
        return None, None
    rates: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(ROUNDS):
        for workers, found in rates.items():
            found.append(
                await _rate(folder, clerk, to, "offline", 0.0, workers=workers, share=HELD)
            )
    return sorted(rates[1])[ROUNDS // 2], sorted(rates[2])[ROUNDS // 2]


async def _stage() -> tuple[Actor, dict[str, list[UUID]]]:
    union = await _organization("union", ["internal"])
    clerk = await actors.clerk_of(union)
    to: dict[str, list[UUID]] = {"email": [], "offline": []}
    for channel, ids in to.items():
        for _ in range(MESSAGES):
            ids.append(await _organization("primary", [channel], under=union))
    return clerk, to


async def _organization(kind: str, channels: list[str], *, under: UUID | None = None) -> UUID:
    made = clock.new_id()
    await db.execute(
        """INSERT INTO organization (id, code, kind, name, channels, email, opened_on, created_at,
                                     updated_at)
           VALUES ($1, $2, $3, $4, $5, $6, '1990-01-01', $7, $7)""",
        made, str(made), kind, f"{kind} {made}", channels, f"org-{made}@example.org", clock.now(),
    )  # fmt: skip
    if under is not None:
        await db.execute(
            """INSERT INTO organization_link (parent_id, child_id, line, valid_from)
               VALUES ($1, $2, 'branch', '1990-01-01')""",
            under, made,
        )  # fmt: skip
    return made


async def _document(actor: Actor) -> UUID:
    document_id = await actors.a_registered_document(actor, "01-12/345")

    async def stream() -> AsyncIterator[bytes]:
        yield b"%PDF-1.7\n" + os.urandom(SIZE)

    blob = await blobs.store(stream(), limit=SIZE * 2)
    await db.execute(
        """INSERT INTO document_file (id, document_id, role, title, file_name, blob_id,
               media_type, size, sha256, created_by, created_at)
           VALUES ($1, $2, 'main', '', 'letter.pdf', $3, 'application/pdf', $4, $5, $6, $7)""",
        clock.new_id(), document_id, blob.id, blob.size, bytes.fromhex(blob.sha256), actor.id,
        clock.now(),
    )  # fmt: skip
    return document_id


async def _rate(
    folder: str, clerk: Actor, to: list[UUID], channel: str, thinks: float, *, workers: int,
    share: float | None = None,
) -> float:  # fmt: skip
    """Messages a second from the moment they are there until the last is handed over."""
    document_id = await _document(clerk)
    out = Path(folder) / str(document_id)
    async with _relay(thinks) as port:
        given = {
            "SMTP_HOST": "127.0.0.1", "SMTP_PORT": str(port), "SMTP_SENDER": "docflow@bench.test",
            "OFFLINE_OUT": str(out),
        }  # fmt: skip
        with environment(given):
            async with _workers(workers, share):
                # urgent: the rate does not hang on the hour at which it is measured
                wanted = dispatch.DispatchInput(selector=lines.only(to), urgent=True)
                dispatch_id = await dispatch.send(clerk, document_id, wanted=wanted)
                began = perf_counter()
                await consignments.make(dispatch_id)
                await _all_sent(document_id, began)
                seconds = perf_counter() - began
    if channel == "offline" and len(list(out.rglob("*.zip"))) != len(to):
        raise RuntimeError("packages are missing")
    await db.execute(
        """UPDATE delivery SET status = 'void', reason = 'measured', ended_at = now()
           WHERE document_id = $1""",
        document_id,
    )
    return len(to) / seconds


async def _all_sent(document_id: UUID, began: float) -> None:
    while await db.value(
        "SELECT EXISTS (SELECT FROM consignment WHERE document_id = $1 AND status <> 'sent')",
        document_id,
    ):
        if perf_counter() - began > GIVE_UP:
            raise RuntimeError("not everything was handed over")
        await asyncio.sleep(0.05)


@asynccontextmanager
async def _relay(thinks: float) -> AsyncIterator[int]:
    process = await _started("bench.mail_sink", str(thinks))
    try:
        assert process.stdout is not None
        yield int(await process.stdout.readline())
    finally:
        await _ended(process)


@asynccontextmanager
async def _workers(number: int, share: float | None) -> AsyncIterator[None]:
    with ExitStack() as stack:
        async with _running(number) as pids:
            if share is not None:
                stack.enter_context(held.held(pids, share))
            yield


@asynccontextmanager
async def _running(number: int) -> AsyncIterator[list[int]]:
    running = [await _started("bench.channels_carrier") for _ in range(number)]
    try:
        for one in running:
            assert one.stdout is not None
            if (await one.stdout.readline()).strip() != b"ready":
                raise RuntimeError("a worker did not start")
        yield [one.pid for one in running]
    finally:
        for one in running:
            await _ended(one)


async def _started(module: str, *words: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, *words, cwd=CHECKOUT, stdout=asyncio.subprocess.PIPE
    )


async def _ended(process: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        process.terminate()
    await process.wait()
