"""kill -9 and cut wires at every named point of the exchange: nothing is lost, nothing doubled.

Three nodes run as they do in production. At each point the process that comes by is held still,
something is killed (the process that receives, the one that sends, PostgreSQL's connections or the
server, the store, the wire), and everything goes on. At the end the receipts are counted anew.
"""

import asyncio
import os
import shutil
import signal
import sys
import time
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
import pytest

from core import db
from core.embedded import postgres, s3, services
from core.migrations import migrate
from core.settings import settings
from docflow.routing import deliveries
from docflow.routing.nodes import receipts
from docflow.routing.nodes.points import POINTS
from storage import s3 as store
from tests import nodes_rig, people
from tests.nodes_rig import Body, Node

FAST = {"fsync": "off", "full_page_writes": "off"}
"""A killed process loses nothing by this, only a machine would. Commits are synchronous: a server
that is killed may forget others, and then nobody could tell whether they were lost on the way."""

PATIENCE = 300.0
"""Seconds: nothing is slow, but a machine that is shared may be."""

NOTES = tuple(point for point in POINTS if point.startswith("note_"))
FAULTS = ("own", "other", "database", "store", "wire")
"""own: the process that stands at the point; other: the one it speaks to."""

SOME = {point: ("own", "other", FAULTS[2 + place % 3]) for place, point in enumerate(POINTS)}
"""For every day; all of them with all points is the long proof."""


@dataclass
class Stage:
    """Three nodes on engines of their own, and what is dispatched between them."""

    engines: services.Services
    folder: Path
    center: Node
    region: Node
    local: Node
    recipients: int
    server: postgres.Postgres
    store: s3.S3
    sent: list[uuid.UUID] = field(default_factory=list)
    noted: int = 0

    @property
    def nodes(self) -> list[Node]:
        return [self.center, self.region, self.local]

    def stop(self) -> None:
        """Stop the engines that run now; those of the fixture may have been killed."""
        self.store.stop()
        self.server.stop()

    def hold(self, point: str) -> None:
        """Whoever comes to this point next stands still there."""
        (self.folder / f"{point}.hold").touch()

    async def held(self, point: str) -> None:
        async def stands() -> bool:
            return (self.folder / f"{point}.held").exists()

        await nodes_rig.until(stands, seconds=PATIENCE, every=0.02)

    def release(self, point: str) -> None:
        for end in ("hold", "held"):
            (self.folder / f"{point}.{end}").unlink(missing_ok=True)


def bodies(number: int) -> list[Body]:
    """A union at the center, a region and a local organization, primaries on all three nodes."""
    fixed = [
        Body("U", "union", None, "center"),
        Body("R", "regional", "U", "region"),
        Body("L", "local", "R", "local"),
    ]
    homes = {"center": "U", "region": "R", "local": "L"}
    return fixed + [
        Body(f"P-{place}", "primary", homes[home], home)
        for place in range(number - 2)
        for home in [("center", "region", "local")[place % 3]]
    ]


@pytest.fixture
async def engines() -> AsyncIterator[services.Services]:
    """Engines that may be killed, with the environment leading to them."""
    folder = services.data_home() / "test-nodes" / f"{os.getpid()}"
    started = await asyncio.to_thread(services.start, folder, postgres_settings=FAST)
    before = dict(os.environ)
    os.environ.update(started.environment)
    os.environ["DOCFLOW_TEST_SUPERUSER"] = started.superuser_url
    settings.cache_clear()
    store.client.cache_clear()
    try:
        await migrate(
            owner_url=os.environ["DATABASE_OWNER_URL"], app_url=os.environ["DATABASE_URL"]
        )
        yield started
    finally:
        os.environ.clear()
        os.environ.update(before)
        settings.cache_clear()
        store.client.cache_clear()
        await asyncio.to_thread(started.stop)
        shutil.rmtree(folder, ignore_errors=True)


async def a_stage(engines: services.Services, made: list[Node], folder: Path, number: int) -> Stage:
    more = {"DOCFLOW_TESTING": "yes", "DOCFLOW_CRASH_AT": f"@{folder}"}
    for node in made:
        node.environment |= more
    await asyncio.gather(*(node.start_web() for node in made))
    await nodes_rig.settle(made, bodies(number))
    for node in made:
        await node.start_worker()
    async with made[0].inside():
        await people.give_key(made[0].clerks["U"].home_id)
    return Stage(
        engines, folder, made[0], made[1], made[2], number, engines.postgres, engines.s3
    )  # fmt: skip


async def dispatched(stage: Stage, title: str, *, is_large: bool) -> uuid.UUID:
    author = stage.center.clerks["U"]
    async with stage.center.inside():
        line = f"{title}: приложение к письму\n".encode()
        annex = line * (9_000_000 // len(line)) if is_large else b""
        document_id = await nodes_rig.a_circular(author, title=title, annex=annex)
        await nodes_rig.sent(author, document_id)
    stage.sent.append(document_id)
    return document_id


async def strike(stage: Stage, point: str, fault: str) -> None:
    """Kill what `fault` says while a process stands at `point`, then mend it."""
    at_sender = not POINTS[point].startswith("receiver")
    here, there = (stage.center, stage.region) if not _is_note(point) else (
        stage.region, stage.center)  # fmt: skip
    if fault in ("own", "other"):
        is_worker = at_sender == (fault == "own")
        node = here if is_worker else there
        process = node.worker if is_worker else node.web
        assert process is not None
        await process.kill()
        stage.release(point)
        if is_worker:
            await nodes_rig.sql(node, nodes_rig.LOST_LEASES)
        await (node.start_worker() if is_worker else node.start_web())
        return
    if fault == "database":
        await _cut_database(stage, is_server=os.environ.get("NODE_KILL_SERVER") == "yes")
        stage.release(point)
        for node in stage.nodes:
            await nodes_rig.sql(node, nodes_rig.LOST_LEASES)
    elif fault == "store":
        os.kill(stage.store.engine.pid, signal.SIGKILL)
        stage.release(point)
        await asyncio.to_thread(stage.store.stop)
        stage.store = await asyncio.to_thread(s3.start, stage.engines.data_dir)
    elif fault == "wire":
        for node in stage.nodes:
            node.wire.mode = "cut"
            node.wire.drop()
        stage.release(point)
        await asyncio.sleep(0.2)
        for node in stage.nodes:
            node.wire.mode = "open"
    stage.release(point)


def _is_note(point: str) -> bool:
    return point in NOTES


async def _cut_database(stage: Stage, *, is_server: bool) -> None:
    if is_server:
        os.kill(stage.server.engine.pid, signal.SIGKILL)
        await asyncio.to_thread(stage.server.stop)
        stage.server = await asyncio.to_thread(
            postgres.start, stage.engines.data_dir, settings=FAST
        )
        return
    keeper = await asyncpg.connect(stage.engines.superuser_url)
    try:
        await keeper.execute(
            """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
               WHERE datname = ANY($1) AND pid <> pg_backend_pid()""",
            [node.environment["DATABASE_URL"].rsplit("/", 1)[1] for node in stage.nodes],
        )
    finally:
        await keeper.close()


async def scenario(stage: Stage, point: str, fault: str) -> None:
    if _is_note(point):
        stage.hold(point)
        await _note_something(stage)
        await stage.held(point)
        await strike(stage, point, fault)
        await _until_noted(stage)
        return
    stage.hold(point)
    document_id = await dispatched(stage, f"{point} {fault}", is_large=point == "piece_sent")
    await stage.held(point)
    await strike(stage, point, fault)
    await _until_delivered(stage, document_id)


async def _note_something(stage: Stage) -> None:
    """Somebody in the region takes note of the first document."""
    (row,) = await nodes_rig.sql(
        stage.region,
        """SELECT v.id, v.recipient_id FROM delivery AS v WHERE v.status = 'delivered'
           ORDER BY v.id LIMIT 1""",
    )
    async with stage.region.inside():
        clerk = await people.clerk_of(row["recipient_id"])
        await deliveries.acknowledge(clerk, row["id"])
    stage.noted += 1


async def _until_noted(stage: Stage) -> None:
    async def is_noted() -> bool:
        await nodes_rig.hurry(stage.nodes)
        rows = await nodes_rig.sql(
            stage.center, "SELECT count(*) AS n FROM delivery WHERE status = 'acknowledged'"
        )
        return bool(rows[0]["n"] == stage.noted)

    await nodes_rig.until(is_noted, seconds=PATIENCE)


async def _until_delivered(stage: Stage, document_id: uuid.UUID) -> None:
    async def is_delivered() -> bool:
        await nodes_rig.hurry(stage.nodes)
        rows = await nodes_rig.sql(
            stage.center,
            """SELECT count(*) AS n FROM delivery WHERE document_id = $1
               AND status NOT IN ('delivered', 'acknowledged')""",
            document_id,
        )
        return bool(rows[0]["n"] == 0)

    await nodes_rig.until(is_delivered, seconds=PATIENCE)


async def assert_nothing_lost_or_doubled(stage: Stage) -> None:
    number = len(stage.sent)
    async with stage.center.inside():
        author = stage.center.clerks["U"]
        for document_id in stage.sent:
            counted = await receipts.recount(author, document_id)
            assert counted["agree"], counted
            assert counted["recipients"] == stage.recipients
            assert set(counted["from_receipts"]) <= {"delivered", "acknowledged"}
            assert counted["unsound"] == 0
        assert await db.value("SELECT count(*) FROM delivery") == number * stage.recipients
        doubled = await db.rows(
            """SELECT subject_id FROM event WHERE subject_kind = 'delivery'
               AND to_status IN ('delivered', 'acknowledged') GROUP BY subject_id, to_status
               HAVING count(*) > 1"""
        )
        assert doubled == [], "no delivery is delivered, or taken note of, twice"
        here = await db.value(
            """SELECT count(*) FROM node_residence AS r JOIN node AS n ON n.id = r.node_id
               WHERE n.status = 'own'"""
        )
    there = 0
    for node in (stage.region, stage.local):
        async with node.inside():
            assert await db.value("SELECT count(*) FROM document") == number
            residents = await db.value(
                """SELECT count(*) FROM node_residence AS r JOIN node AS n ON n.id = r.node_id
                   WHERE n.status = 'own'"""
            )
            assert await db.value("SELECT count(*) FROM delivery") == number * residents
            assert await db.value(
                "SELECT count(*) FROM delivery WHERE status IN ('delivered', 'acknowledged')"
            ) == number * residents  # fmt: skip
            there += residents
    assert here - 1 + there == stage.recipients, "all but the author"


async def walked(stage: Stage, faults_of: dict[str, tuple[str, ...]]) -> None:
    started = time.perf_counter()
    number = 0
    await dispatched(stage, "Первый", is_large=False)
    await _until_delivered(stage, stage.sent[0])
    for point, faults in faults_of.items():
        for fault in faults:
            began = time.perf_counter()
            await scenario(stage, point, fault)
            number += 1
            sys.stdout.write(f"{point:20} {fault:10} {time.perf_counter() - began:.1f} s\n")
    await assert_nothing_lost_or_doubled(stage)
    sys.stdout.write(f"{number} kills in {time.perf_counter() - started:.0f} s\n")


@pytest.mark.slow
@pytest.mark.timeout(1800)
async def test_sixty_recipients_on_three_nodes_whatever_is_killed(
    engines: services.Services, tmp_path: Path
) -> None:
    """Every point with the kills of both processes, and with one of the other faults in turn."""
    async with nodes_rig.nodes(
        "docflow", tmp_path, {"center": "U", "region": "R", "local": "L"}
    ) as made:
        stage = await a_stage(engines, made, tmp_path, 60)
        await walked(stage, SOME)
    await asyncio.to_thread(stage.stop)


@pytest.mark.prove
@pytest.mark.timeout(1800)
async def test_kill_7805_recipients_at_every_point(
    engines: services.Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The full number, and the database server itself killed; make prove NAME=kill_7805."""
    monkeypatch.setenv("NODE_KILL_SERVER", "yes")
    async with nodes_rig.nodes(
        "docflow", tmp_path, {"center": "U", "region": "R", "local": "L"}
    ) as made:
        stage = await a_stage(engines, made, tmp_path, 7805)
        await walked(stage, dict.fromkeys(POINTS, FAULTS))
    await asyncio.to_thread(stage.stop)
