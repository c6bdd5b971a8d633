"""An installation that is older than the log: its events come in, its details get commitments."""

import os

import asyncpg
import pytest

from audit import commitments
from core import clock, db
from core.db import DB
from core.migrations import migrate
from evidence.log import checking, proofs, sequencing
from tests import ground, people

OLDER = """
ALTER TABLE event DROP COLUMN detail_sha256;
DROP INDEX event_xact;
DROP FUNCTION erase_event_payload(uuid[]);
DROP TABLE log_check, log_cosignature, log_witness, log_stamp, log_checkpoint, log_tile, log_leaf,
    log_state, log_key CASCADE;
DELETE FROM migration WHERE app_name = 'log' OR app_name = 'audit' AND name > '2026-11-22T09:3';
"""

WRITTEN = """
WITH told AS (
    INSERT INTO event (at, actor_kind, verb, subject_kind, subject_id, data)
    SELECT now() - make_interval(days => 400 - n % 400), 'rule', 'test.older', 'test', uuidv7(),
           jsonb_build_object('n', n, 'share', n / 7.0)
    FROM generate_series(1, 1300) AS n RETURNING id)
INSERT INTO event_payload (event_id, salt, detail)
SELECT id, sha256(uuid_send(id)), jsonb_build_object('name', 'Ёлкина «А»', 'share', 0.10)
FROM told"""


@pytest.mark.slow
async def test_earlier_events_come_in_whole(database: str) -> None:
    owner_url = os.environ["DATABASE_OWNER_URL"]
    keeper = await asyncpg.connect(os.environ["DOCFLOW_TEST_SUPERUSER"])
    await keeper.execute(f"ALTER DATABASE {database.rsplit('/', 1)[1]} OWNER TO docflow_owner")
    await keeper.close()
    owner = await asyncpg.connect(owner_url)
    try:
        await owner.execute(OLDER)
        await owner.execute(WRITTEN)
    finally:
        await owner.close()
    await DB.close()
    await migrate(owner_url=owner_url, app_url=database)
    await DB.open()
    taken = [await sequencing.take(limit=500) for _ in range(4)]
    assert taken == [500, 500, 301, 0]
    report = await checking.check_all()
    assert report.findings == 0, report.examples
    row = await db.row("SELECT e.id, e.detail_sha256, p.salt FROM event AS e JOIN event_payload p"
                       " ON p.event_id = e.id ORDER BY e.id LIMIT 1")  # fmt: skip
    assert row is not None
    proof = await proofs.inclusion(row["id"])
    assert proof.detail == '{"name":"Ёлкина «А»","share":{"$number":"0.10"}}'.encode()
    assert commitments.commitment(row["salt"], proof.detail) == row["detail_sha256"]
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await db.execute("UPDATE event SET detail_sha256 = NULL")
    # what is written from now on for an older time is not adopted any more
    await db.execute(
        """INSERT INTO event (at, actor_kind, verb, subject_kind, subject_id)
           VALUES ($1, 'rule', 'test.older', 'test', uuidv7())""",
        clock.now() - checking.BACKDATED * 2,
    )
    await sequencing.take()
    assert (await checking.check_all()).counts == {"event_backdated": 1}


async def test_a_registry_written_by_import_is_committed_to(database: str) -> None:
    """The import writes events of many people at once, a way of its own."""
    center = await ground.an_organization("center")
    rows = "code;kind;name;chairman\nA-1;union;Профсоюз культуры;Петрова Анна Сергеевна\n"
    async with ground.api(await people.clerk_of(center, "administrator")) as client:
        answer = await client.post(
            "/api/v1/organizations/import", content=rows.encode(),
            headers={"content-type": "text/csv"},
        )  # fmt: skip
    assert answer.json()["created"] == 1, answer.text
    details = await db.value("SELECT count(*) FROM event_payload")
    assert details > 0
    await sequencing.take()
    report = await checking.check_all()
    assert report.findings == 0, report.examples
