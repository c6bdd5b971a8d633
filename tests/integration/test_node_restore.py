"""A node is restored from a backup taken in the middle of a fan-out, its store kept newer."""

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest

from core import clock, db
from core.embedded.binaries import postgres_bin
from docflow.gateways.node.messages import KnownMessage, Receipt
from docflow.routing import deliveries
from docflow.routing.nodes import receipts, reconciling
from tests import node_neighbour, nodes_rig, people
from tests.nodes_rig import Body, Node

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

BODIES = [
    Body("C", "center", None, "center"),
    Body("U", "union", "C", "center"),
    Body("R", "regional", "U", "region"),
    *(Body(f"P-{number}", "primary", "R", "region") for number in range(3)),
]
LONG = 120.0


@pytest.fixture
async def pair(template: str, tmp_path: Path) -> AsyncIterator[tuple[Node, Node]]:
    async with nodes_rig.nodes(template, tmp_path, {"center": "C", "region": "R"}) as made:
        for node in made:
            await node.start_web()
        await nodes_rig.settle(made, BODIES)
        for node in made:
            await node.start_worker()
        async with made[0].inside():
            await people.give_key(made[0].clerks["U"].home_id)
        yield made[0], made[1]


def _run(program: str, *words: str) -> None:
    done = subprocess.run([postgres_bin(None) / program, *words], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()


async def until_under_way(node: Node, document_id: UUID) -> None:
    """The message is made, and so in the backup; one made after it would have another uid."""

    async def is_made() -> bool:
        found = f"SELECT 1 FROM consignment WHERE document_id = '{document_id}'"
        return bool(await nodes_rig.sql(node, found))

    await nodes_rig.until(is_made, seconds=LONG)


async def backed_up(node: Node, file: Path) -> datetime:
    """pg_dump of the node, which goes on working; answers when it was."""
    moment = clock.now()
    url = node.environment["DATABASE_OWNER_URL"]
    await asyncio.to_thread(_run, "pg_dump", "--format=custom", f"--file={file}", url)
    return moment


async def restored(node: Node, file: Path) -> None:
    """The node as it was: processes stopped, database made anew, processes started."""
    for process in (node.web, node.worker):
        assert process is not None
        await process.kill()
    name = node.environment["DATABASE_URL"].rsplit("/", 1)[1]
    superuser = os.environ["DOCFLOW_TEST_SUPERUSER"]
    keeper = await asyncpg.connect(superuser)
    await keeper.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await keeper.execute(
        f"""CREATE DATABASE {name} OWNER docflow_owner ENCODING 'UTF8' LOCALE_PROVIDER builtin
            BUILTIN_LOCALE 'C.UTF-8' TEMPLATE template0"""
    )
    await keeper.close()
    target = superuser.rsplit("/", 1)[0] + "/" + name
    await asyncio.to_thread(
        _run, "pg_restore", "--no-comments", "--exit-on-error", f"--dbname={target}", str(file)
    )
    await node.start_web()
    await node.start_worker()


async def a_sent_circular(center: Node, title: str) -> UUID:
    author = center.clerks["U"]
    async with center.inside():
        document_id = await nodes_rig.a_circular(author, title=title)
        await nodes_rig.sent(author, document_id)
    return document_id


async def until_delivered(center: Node, document_id: UUID, made: tuple[Node, Node]) -> None:
    async def all_there() -> bool:
        await nodes_rig.hurry(list(made))
        rows = await nodes_rig.sql(
            center, "SELECT status FROM delivery WHERE document_id = $1", document_id
        )
        return len(rows) == 4 and {row["status"] for row in rows} <= {"delivered", "acknowledged"}

    await nodes_rig.until(all_there, seconds=LONG)


async def numbers(node: Node) -> list[int]:
    rows = await nodes_rig.sql(node, "SELECT ordinal FROM registration ORDER BY ordinal")
    return [row["ordinal"] for row in rows]


async def one_is_acknowledged(region: Node, number: str) -> None:
    async with region.inside():
        row = await db.row(
            """SELECT v.id, v.recipient_id FROM delivery AS v JOIN document AS d
               ON d.id = v.document_id WHERE d.number = $1 ORDER BY v.id LIMIT 1""",
            number,
        )
        assert row is not None
        await deliveries.acknowledge(await people.clerk_of(row["recipient_id"]), row["id"])


async def acknowledged(center: Node, made: tuple[Node, Node]) -> None:
    async def is_told() -> bool:
        await nodes_rig.hurry(list(made))
        rows = await nodes_rig.sql(center, "SELECT 1 FROM delivery WHERE status = 'acknowledged'")
        return len(rows) == 1

    await nodes_rig.until(is_told, seconds=LONG)


async def number_of(node: Node, document_id: UUID) -> str:
    (row,) = await nodes_rig.sql(node, "SELECT number FROM document WHERE id = $1", document_id)
    return str(row["number"])


async def test_the_sender_is_restored(pair: tuple[Node, Node], tmp_path: Path) -> None:
    center, region = pair
    first = await a_sent_circular(center, "До копии")
    await until_delivered(center, first, pair)
    center.wire.mode = region.wire.mode = "cut"
    region.wire.drop()
    second = await a_sent_circular(center, "Рассылка идёт")
    await until_under_way(center, second)
    moment = await backed_up(center, tmp_path / "center.dump")
    center.wire.mode = region.wire.mode = "open"
    await until_delivered(center, second, pair)
    third = await a_sent_circular(center, "После копии")
    await until_delivered(center, third, pair)
    lost_number = await number_of(center, third)
    await one_is_acknowledged(region, await number_of(center, first))
    await acknowledged(center, pair)

    await restored(center, tmp_path / "center.dump")
    assert await numbers(center) == [1, 2]
    await until_delivered(center, second, pair)  # sent again, and absorbed
    admin, author = center.admin, center.clerks["U"]
    assert admin is not None
    assert region.id is not None
    async with center.inside():
        found = await reconciling.ask(admin, region.id, since=moment)
        assert (found.known, found.lost, found.is_complete) == (2, 1, True)
        (gone,) = await reconciling.lost(admin)
        assert (gone["document_id"], gone["number"], gone["recipients"]) == (third, lost_number, 4)
        assert (await reconciling.ask(admin, region.id, since=moment)).lost == 1, "again at will"
        assert len(await reconciling.lost(admin)) == 1
    await acknowledged(center, pair)  # told once more, for the restore has forgotten it
    fourth = await a_sent_circular(center, "После восстановления")
    await until_delivered(center, fourth, pair)
    assert await numbers(center) == [1, 2, 4], "3 is at the recipients and is not given twice"
    assert await number_of(center, fourth) != lost_number
    async with center.inside():
        for document_id in (first, second, fourth):
            assert (await receipts.recount(author, document_id))["agree"]
    async with region.inside():
        assert await db.value("SELECT count(*) FROM document") == 4
        assert await db.value("SELECT count(*) FROM delivery") == 16
        assert await db.value("SELECT count(DISTINCT number) FROM document") == 4


async def test_the_receiver_is_restored(pair: tuple[Node, Node], tmp_path: Path) -> None:
    center, region = pair
    first = await a_sent_circular(center, "До копии")
    await until_delivered(center, first, pair)
    moment = await backed_up(region, tmp_path / "region.dump")
    second = await a_sent_circular(center, "После копии")
    await until_delivered(center, second, pair)
    await restored(region, tmp_path / "region.dump")
    assert region.admin is not None
    assert center.id is not None
    async with region.inside():
        assert await db.value("SELECT count(*) FROM document") == 1
        found = await reconciling.ask(region.admin, center.id, since=moment)
        assert (found.lost, found.again) == (0, 1)

    async def is_back() -> bool:
        rows = await nodes_rig.sql(region, "SELECT 1 FROM delivery WHERE status = 'delivered'")
        return len(rows) == 8

    await nodes_rig.until(is_back, seconds=LONG)
    async with center.inside():
        counted = await receipts.recount(center.clerks["U"], second)
        assert counted["agree"]
        assert counted["receipts"] == 2, "the receipt of the first time and that of the second"


async def test_a_dispatch_made_anew_finds_its_recipients(database: str) -> None:
    """The restored sender dispatches the same document again: other deliveries, one effect."""
    async with node_neighbour.a_home() as home:
        they, letter = home.neighbour, await node_neighbour.a_signed_letter()
        first = they.manifest(letter, to=("P-0", "P-1"))
        assert (await they.send(first, [letter])).status == "accepted"
        anew = they.manifest(letter, to=("P-0", "P-1"), card=first.card)
        told = await they.send(anew, [letter])
        assert told.status == "accepted"
        assert set(told.delivered) == {one.delivery for one in anew.recipients}
        assert await db.value("SELECT count(*) FROM delivery") == 2


async def test_a_message_whose_deliveries_are_all_here_is_not_lost(database: str) -> None:
    """The backup stood between the dispatch and its message, which now goes under another uid."""
    async with node_neighbour.a_home() as home:
        they, letter = home.neighbour, await node_neighbour.a_signed_letter()
        assert (await they.send(they.manifest(letter, to=("P-0",)), [letter])).status == "accepted"
        known = await db.value("SELECT id FROM delivery LIMIT 1")
        for deliveries, lost in (((known,), 0), ((known, clock.new_id()), 1), ((), 1)):
            uid = clock.new_id()
            receipt = Receipt(uid=uid, sha256="", status="accepted", time=clock.now(),
                              committed_at=clock.now(), delivered=deliveries)  # fmt: skip
            told = KnownMessage(uid=uid, document=clock.new_id(), author="", kind="letter",
                                receipt=receipt)  # fmt: skip
            ours = await reconciling._ours((told,))
            assert len({uid} - ours) == lost
