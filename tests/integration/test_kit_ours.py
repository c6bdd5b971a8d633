"""The partner test kit finds nothing in our own node, and finds what is spoilt around it."""

import asyncio
import contextlib
import dataclasses
import json
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from core import clock, db
from core.embedded.process import free_port
from core.settings import settings
from docflow.gateways.node.kit import running, standing
from docflow.gateways.node.kit.checking import Bench
from docflow.gateways.node.kit.line import Line
from docflow.gateways.node.kit.listener import Listener
from docflow.routing.nodes import notes, peers, reports
from litestar_app import create_app
from tests import ground, kit_node_notes, node_neighbour

pytestmark = pytest.mark.slow


async def _working(node_id: object) -> None:
    """What the job process does, with pauses that end at once."""
    while True:
        with contextlib.suppress(peers.NotFound):
            await reports.sweep()
            await db.execute(
                "UPDATE node_note SET next_attempt_at = $1 WHERE status = 'waiting'", clock.now()
            )
            await notes.tell(node_id)  # type: ignore[arg-type]  # reason: a node's id
        await asyncio.sleep(0.2)


@pytest.fixture
async def bench(database: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bench]:
    """The kit before our web process, entered there as a partner would enter it."""
    monkeypatch.setenv("NODE_ALLOW_HTTP", "yes")
    monkeypatch.setattr(notes, "SECONDS", 3.0)  # a late answer need not be waited for a minute
    settings.cache_clear()
    who, port = standing.fresh(), free_port()
    ear = Listener(who, f"http://127.0.0.1:{port}", late=30.0)
    async with (
        node_neighbour.a_home() as home,
        kit_node_notes.serving(create_app(), free_port()) as url,
        Line(url, who, seconds=60.0).opened() as line,
        ear.listening("127.0.0.1", port),
    ):
        made = await ground.an_organization("union")
        await db.execute("UPDATE organization SET code = 'KIT' WHERE id = $1", made)
        bench = Bench(line, author="KIT", recipient="P-0", listener=ear, base_url=ear.base_url,
                      document=await running.a_document(None), patience=60.0, slow=4.0)  # fmt: skip
        ready, why = await running.is_known(bench)
        assert not ready
        assert "node_unknown" in why
        node_id, prints = await peers.enroll(
            home.admin, base_url=ear.base_url, allow_private=True
        )  # fmt: skip
        card = who.card(base_url=ear.base_url, author="KIT", recipient="P-0")
        assert node_id == who.node
        assert card["fingerprint"] in prints
        assert not (await running.is_known(bench))[0], "entered, and not yet confirmed"
        await peers.confirm(home.admin, node_id, fingerprint=card["fingerprint"])
        assert await running.is_known(bench) == (True, "")
        work = asyncio.create_task(_working(node_id))
        yield bench
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
    settings.cache_clear()


@pytest.mark.timeout(600)
async def test_nothing_is_found_in_ours(bench: Bench) -> None:
    results = await running.run(bench, running.chosen(listens=True))
    told = running.report(bench, results, ready=True, why="")
    assert [one for one in results if one.verdict != "pass"] == [], json.dumps(told)
    assert len(results) == len(running.CHECKS)
    assert running.exit_code(results) == 0
    deliveries = await db.value("SELECT count(*) FROM delivery")
    documents = await db.value("SELECT count(*) FROM document")
    assert deliveries == documents > 0, "one delivery for each document, whatever was repeated"


async def test_a_wide_window_for_clocks_is_found_in_ours(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A setting of ours that no installation should have: the kit says so."""
    monkeypatch.setenv("NODE_CLOCK_WINDOW", str(int(timedelta(days=2).total_seconds())))
    settings.cache_clear()
    (result,) = await running.run(bench, running.chosen(only=["clock"]))
    assert (result.verdict, result.check) == ("fail", "clock")


async def test_an_author_who_moved_in_here_is_found(bench: Bench) -> None:
    """Somebody let our organization live with the kit: it may then write in its name."""
    await db.execute(
        """UPDATE node_residence SET node_id = $1 WHERE organization_id =
           (SELECT id FROM organization WHERE code = 'P-0')""",
        bench.standing.node,
    )  # fmt: skip
    (result,) = await running.run(bench, running.chosen(only=["author_of_another"]))
    assert result.verdict == "fail"
    assert dataclasses.asdict(result)["seen"]
