"""Looking back over a million published pictures: seconds, and nothing is missed."""

import secrets
import sys
import time

import pytest

from compliance.checking import checks
from compliance.checking.checks import UseInput
from compliance.publishing import lookback, uses
from compliance.searching import published, references
from core import clock, db, sandbox
from tests import ground, painted
from tests.integration.test_checks_verdicts import a_claimant

HASHES = 1_000_000
WITH_FEATURES = 10_000


async def many_uses(office: painted.Office, check_id: object) -> None:
    """Other people's published pictures: random hashes, features of ten thousand of them."""
    actor, now = office.editor, clock.now()
    await db.execute(
        """INSERT INTO blob (id, sha256, size, media_type, key, created_at)
           SELECT uuidv7(), sha256(int8send(n)), 1, 'image/jpeg', n::text, $2
           FROM generate_series(1, $1::int) AS t (n)""",
        HASHES, now,
    )  # fmt: skip
    await db.execute(
        """INSERT INTO picture_print (blob_id, sha256, canon, hashes, features, created_at)
           SELECT id, sha256, 'canon-1', sha256(sha256), '', $1 FROM blob WHERE key ~ '^[0-9]+$'""",
        now,
    )
    await db.execute(
        """UPDATE picture_print SET features = decode(repeat(encode(sha256 || sha256 || sha256
               || sha256 || substring(sha256 FROM 1 FOR 16), 'hex'), 120), 'hex')
           WHERE blob_id IN (SELECT id FROM blob WHERE key ~ '^[0-9]+$' LIMIT $1)""",
        WITH_FEATURES,
    )
    await db.execute(
        """INSERT INTO picture_use (id, organization_id, channel, place, published_at, blob_id,
               check_id, last_check_id, outcome, judged_at, created_by, created_at, updated_at)
           SELECT uuidv7(), $1, 'site', key, $2, id, $3, $3, 'clear', $2, $4, $2, $2
           FROM blob WHERE key ~ '^[0-9]+$'""",
        actor.home_id, now, check_id, actor.id,
    )  # fmt: skip
    await db.execute("ANALYZE picture_print")
    await db.execute("ANALYZE picture_use")


@pytest.mark.prove
async def test_one_new_reference_among_a_million(database: str) -> None:
    office = await painted.an_office(await ground.an_organization("union"))
    scene = painted.scene(61)
    check_id = await checks.check(
        office.editor, data=painted.jpeg(scene.resize((450, 320))), use=UseInput("site")
    )
    use_id = await uses.record(office.editor, check_id, place=secrets.token_hex(8))
    await many_uses(office, check_id)
    await lookback.follow()
    original = painted.jpeg(scene, quality=95)
    looked = await sandbox.pool().run(references.looked, original, into=references.Looked)
    await published.near_by_hash([looked.needles])  # compiled and read once
    began = time.perf_counter()
    (near,) = await published.near_by_hash([looked.needles])
    seconds = time.perf_counter() - began
    own = await db.value("SELECT blob_id FROM picture_use WHERE id = $1", use_id)
    assert own in near
    await a_claimant(office, original)
    started, began = clock.now(), time.perf_counter()
    await lookback.follow()
    whole = time.perf_counter() - began
    judged_at = await db.value("SELECT judged_at FROM picture_use WHERE id = $1", use_id)
    until_judged = (judged_at - started).total_seconds()
    sys.stdout.write(
        f"{HASHES} hashes, {len(looked.needles)} needles: {seconds:.2f} s; judged after"
        f" {until_judged:.2f} s; with features of {WITH_FEATURES}: {whole:.2f} s\n"
    )
    outcome = await db.value("SELECT outcome FROM picture_use WHERE id = $1", use_id)
    assert outcome == "blocked"
    assert await db.value("SELECT count(*) FROM picture_use WHERE outcome <> 'clear'") == 1
    assert seconds < 10
    assert until_judged < 30
    assert whole < 300
