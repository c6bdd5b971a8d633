"""kill -9 and lost connections at any moment: nothing half done, and the retry goes on."""

import asyncio
import contextlib
import os
import random
import signal
import sys
import uuid
from pathlib import Path

import asyncpg
import pytest

from core import clock, db
from core.db import DB
from core.errors import ServiceError
from directory.selection import Selector
from docflow.documents import cards, files, intake
from docflow.routing import dispatch, recall, relay
from signatures import pdf
from storage import blobs
from tests import ground, people

JOURNEY = """
import asyncio, sys, uuid
from pathlib import Path
from core import db, sandbox
from core.actor import Actor
from core.db import DB
from directory.selection import Selector
from docflow.documents import cards, intake
from docflow.routing import dispatch, relay

async def main():
    await DB.open(size=4)
    union, region, account, folder = sys.argv[1:]
    def actor(home):
        return Actor(kind="user", id=uuid.UUID(account), organization_id=uuid.UUID(home),
                     roles=frozenset({"clerk"}))
    clerk, chancery = actor(union), actor(region)
    sandbox.pool().start()
    print("ready", flush=True)
    for path in sorted(Path(folder).iterdir()):
        async def stream():
            yield path.read_bytes()
        taken = await intake.take_in(
            clerk, card=cards.CardInput(kind="circular", title=path.name), stream=stream(),
            file_name=path.name, key=path.name,
        )
        wanted = dispatch.DispatchInput(
            selector=Selector(subtree_of=clerk.home_id), mode="chancery")
        await dispatch.send(
            clerk, taken.document_id, wanted=wanted, key="send " + path.name)
        delivery_id = await db.value(
            "SELECT id FROM delivery WHERE document_id = $1 AND recipient_id = $2",
            taken.document_id, chancery.home_id)
        await relay.pass_on(chancery, delivery_id)
    print("done", flush=True)
    await sandbox.pool().close()
    await DB.close()

asyncio.run(main())
"""

WRONG = {
    "a number without its registration, or the other way round": """
        SELECT d.id FROM document AS d LEFT JOIN registration AS r
            ON r.document_id = d.id AND r.organization_id = d.organization_id
        WHERE (d.status IN ('registered', 'sent', 'closed', 'recalled')) <> (r.id IS NOT NULL)
           OR d.number IS DISTINCT FROM r.number""",
    "a hole in a journal": """
        SELECT journal_id FROM registration GROUP BY journal_id, period
        HAVING count(*) <> max(ordinal) OR min(ordinal) <> 1""",
    "a counter that is not its journal's": """
        SELECT c.journal_id FROM journal_counter AS c
        WHERE last_ordinal <> (SELECT count(*) FROM registration AS r
            WHERE r.journal_id = c.journal_id AND r.period = c.period)""",
    "a dispatch that reached some": """
        SELECT s.id FROM dispatch AS s
        WHERE recipients <> (SELECT count(*) FROM delivery AS v WHERE v.dispatch_id = s.id)""",
    "a document sent to nobody": """
        SELECT d.id FROM document AS d
        WHERE (d.status = 'sent') <> EXISTS (SELECT 1 FROM dispatch WHERE document_id = d.id)""",
    "a delivery without its event": """
        SELECT v.id FROM delivery AS v WHERE 1 <> (SELECT count(*) FROM event AS e
            WHERE e.subject_id = v.id AND e.verb = 'delivery.made')""",
    "an event without its delivery": """
        SELECT e.id FROM event AS e WHERE e.subject_kind = 'delivery'
        AND NOT EXISTS (SELECT 1 FROM delivery AS v WHERE v.id = e.subject_id)""",
    "a delivery whose last event tells another state": """
        SELECT v.id FROM delivery AS v WHERE v.status <> (SELECT to_status FROM event AS e
            WHERE e.subject_id = v.id AND to_status IS NOT NULL ORDER BY e.at DESC LIMIT 1)""",
    "a letter that waits for a relay that has passed it on": """
        SELECT v.id FROM delivery AS v JOIN hop AS h ON h.delivery_id = v.via_id
        WHERE v.status = 'awaiting_relay'""",
    "a letter that went on without its relay": """
        SELECT v.id FROM delivery AS v WHERE v.via_id IS NOT NULL AND v.status <> 'awaiting_relay'
        AND NOT EXISTS (SELECT 1 FROM hop AS h WHERE h.delivery_id = v.via_id)""",
    "a hop that passed on another number than it says": """
        SELECT h.id FROM hop AS h WHERE passed <> (SELECT count(*) FROM delivery AS v
            WHERE v.via_id = h.delivery_id AND v.status <> 'awaiting_relay')""",
    "a key that leads nowhere": """
        SELECT key FROM idempotency_key AS k WHERE resource_id IS NULL OR NOT EXISTS (
            SELECT 1 FROM document WHERE id = k.resource_id
            UNION ALL SELECT 1 FROM document_file WHERE id = k.resource_id
            UNION ALL SELECT 1 FROM dispatch WHERE id = k.resource_id)""",
    "a signed file without its signature": """
        SELECT f.id FROM document_file AS f WHERE NOT EXISTS (
            SELECT 1 FROM signature AS s WHERE s.file_id = f.id)
        AND EXISTS (SELECT 1 FROM document AS d WHERE d.id = f.document_id AND d.kind = 'circular'
            AND d.title LIKE 'letter%')""",
    "a document without its event": """
        SELECT d.id FROM document AS d WHERE d.title LIKE 'letter%' AND NOT EXISTS (
            SELECT 1 FROM event AS e WHERE e.subject_id = d.id AND e.verb = 'document.created')""",
}


async def assert_nothing_half_done() -> None:
    found = {what: await db.rows(sql) for what, sql in WRONG.items()}
    assert {what: rows for what, rows in found.items() if rows} == {}
    for row in await db.rows("SELECT DISTINCT blob_id FROM document_file"):
        if not (await blobs.stat(row["blob_id"])).key.startswith("b/"):
            continue  # put there by SQL, without bytes
        assert await blobs.read(row["blob_id"], limit=1 << 20)


@pytest.fixture
async def line(database: str) -> ground.Ground:
    return await ground.a_ground()


async def letters(folder: Path, number: int, organization_id: uuid.UUID) -> dict[str, bytes]:
    made = {}
    issued = await people.give_key(organization_id)
    for n in range(number):
        content = await people.a_letter(f"Письмо {n}")
        signed = pdf.sign_pdf(content, key=issued.key())
        made[f"letter-{n:02}.pdf"] = signed
        (folder / f"letter-{n:02}.pdf").write_bytes(signed)
    return made


async def killed_journey(line: ground.Ground, folder: Path, *, seed: int, kills: int) -> int:
    """Run the journey again and again, killing the process; answers how often it was killed."""
    rng = random.Random(seed)  # noqa: S311 - moments, no secret
    clerk, killed = await people.clerk_of(line.union), 0
    while True:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", JOURNEY, str(line.union), str(line.region), str(clerk.id),
            str(folder), stdout=asyncio.subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": os.getcwd()},
        )  # fmt: skip
        assert process.stdout is not None
        assert await process.stdout.readline() == b"ready\n"
        if killed < kills:
            await asyncio.sleep(rng.uniform(0.0, 1.2))
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGKILL)
            killed += 1
        said, _ = await process.communicate()
        await assert_nothing_half_done()
        if said == b"done\n":
            return killed


@pytest.mark.parametrize(
    ("number", "kills"),
    [(4, 3), pytest.param(20, 40, marks=pytest.mark.prove, id="forty kills")],
)
async def test_journey_survives_being_killed(
    line: ground.Ground, tmp_path: Path, number: int, kills: int
) -> None:
    await letters(tmp_path, number, line.union)
    await killed_journey(line, tmp_path, seed=number, kills=kills)
    assert await db.value("SELECT count(*) FROM document WHERE status = 'sent'") == number
    assert await db.value("SELECT count(*) FROM delivery") == number * len(line.everybody)
    assert await db.value("SELECT count(*) FROM hop") == number
    assert await db.value("SELECT count(*) FROM document_file") == number
    waiting = await db.value("SELECT count(*) FROM delivery WHERE status = 'awaiting_relay'")
    assert waiting == number * 3, "the primaries wait for the local organization"


async def cut_connections(
    rng: random.Random, until: asyncio.Task[uuid.UUID] | asyncio.Task[relay.Hop], *, within: float
) -> None:
    """Terminate every backend of this database at some moment, then wait for the task."""
    name = os.environ["DATABASE_URL"].rsplit("/", 1)[1]
    superuser = await asyncpg.connect(os.environ["DOCFLOW_TEST_SUPERUSER"])
    try:
        await asyncio.sleep(rng.uniform(0.0, within))
        if not until.done():
            await superuser.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name
            )
    finally:
        await superuser.close()
    await asyncio.wait([until])
    # Idle connections were cut as well; the next caller of each would hear 503 and try again.
    if DB.pool is not None:
        await DB.pool.expire_connections()


async def many_primaries(under: uuid.UUID, number: int) -> None:
    await db.execute(
        """WITH made AS (
               INSERT INTO organization (id, code, kind, name, opened_on, created_at, updated_at)
               SELECT uuidv7(), 'm-' || n, 'primary', 'ППО ' || n, '1990-01-01', $2, $2
               FROM generate_series(1, $3) AS n RETURNING id)
           INSERT INTO organization_link (parent_id, child_id, line, valid_from)
           SELECT $1, id, 'branch', '1990-01-01' FROM made""",
        under, clock.now(), number,
    )  # fmt: skip


async def test_dispatch_and_relay_whose_connection_is_cut_are_whole_or_nothing(
    line: ground.Ground, tmp_path: Path
) -> None:
    clerk, chancery = await people.clerk_of(line.union), await people.clerk_of(line.region)
    await many_primaries(line.region, 1500)
    rng = random.Random(3)  # noqa: S311 - moments, no secret
    total = 1500 + len(line.everybody)
    wanted = dispatch.DispatchInput(selector=Selector(subtree_of=line.union), mode="chancery")
    cut = 0
    for name, content in (await letters(tmp_path, 5, line.union)).items():
        taken = await intake.take_in(
            clerk, card=cards.CardInput(kind="circular", title=name),
            stream=people.stream(content), file_name=name,
        )  # fmt: skip
        document_id = taken.document_id

        async def send(document_id: uuid.UUID = document_id) -> uuid.UUID:
            return await dispatch.send(clerk, document_id, wanted=wanted, key=str(document_id))

        sending = asyncio.create_task(send())
        await cut_connections(rng, sending, within=0.12)
        cut += sending.exception() is not None
        made = await db.value("SELECT count(*) FROM delivery WHERE document_id = $1", document_id)
        assert made in (0, total)
        assert (sending.exception() is None) <= (made == total)
        await assert_nothing_half_done()
        dispatch_id = await send()
        assert await db.value("SELECT recipients FROM dispatch WHERE id = $1", dispatch_id) == total
        delivery_id = await ground.delivery_to(document_id, line.region)
        passing = asyncio.create_task(relay.pass_on(chancery, delivery_id))
        await cut_connections(rng, passing, within=0.25)
        cut += passing.exception() is not None
        await assert_nothing_half_done()
        assert (await relay.pass_on(chancery, delivery_id)).passed == 1501
    await assert_nothing_half_done()
    assert cut, "no connection was cut in time"


async def test_file_whose_row_is_lost_leaves_no_trace_in_the_document(
    line: ground.Ground,
) -> None:
    """The object is put, then the connection is cut: no row without bytes, and the retry works."""
    clerk = await people.clerk_of(line.union)
    rng = random.Random(11)  # noqa: S311 - moments, no secret
    content = await people.a_letter()
    for n in range(6):
        document_id = await cards.create(
            clerk, card=cards.CardInput(kind="circular", title=f"draft {n}")
        )
        body = content + b"\n%% %d\n" % n
        attaching = asyncio.create_task(
            files.attach(
                clerk, document_id, stream=people.stream(body), file_name="a.pdf", key=f"f{n}"
            )
        )
        await cut_connections(rng, attaching, within=0.12)
        there = len(await files.current_files(document_id))
        assert (attaching.exception() is None) <= (there == 1)
        file_id = await files.attach(
            clerk, document_id, stream=people.stream(body), file_name="a.pdf", key=f"f{n}"
        )
        (file,) = await files.current_files(document_id)
        assert file["id"] == file_id
        assert await blobs.read(file["blob_id"], limit=1 << 20) == body


async def test_relay_recalled_while_it_checks_goes_no_further(
    line: ground.Ground, tmp_path: Path
) -> None:
    """The recall comes between the check of the signatures and the relay's transaction."""
    await letters(tmp_path, 1, line.union)
    await killed_journey(line, tmp_path, seed=1, kills=0)
    clerk, chancery = await people.clerk_of(line.union), await people.clerk_of(line.local)
    document_id = await db.value("SELECT id FROM document")
    delivery_id = await ground.delivery_to(document_id, line.local)
    passing = asyncio.create_task(relay.pass_on(chancery, delivery_id))
    await asyncio.sleep(0)
    await recall.recall(clerk, document_id, reason="Ошибка в дате")
    with contextlib.suppress(ServiceError):
        await passing
    hops = await db.value("SELECT count(*) FROM hop WHERE organization_id = $1", line.local)
    freed = await db.value(
        "SELECT count(*) FROM delivery WHERE via_id = $1 AND delivered_at IS NOT NULL", delivery_id
    )
    assert (hops, freed) in ((0, 0), (1, 3))
