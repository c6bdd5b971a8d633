"""Numbers of journals: never twice, never with a hole, whoever asks and whoever dies."""

import asyncio
import contextlib
import os
import random
import re
import signal
import sys
import uuid
from datetime import date

import pytest

from core import clock, db
from core.actor import Actor
from core.errors import InvalidInput
from docflow.documents import cards, journals, registration
from tests import ground, people

LOOP = """
import asyncio, sys, uuid
from core.actor import Actor
from core.db import DB
from core import db
from docflow.documents import registration

async def main():
    await DB.open(size=4)
    home, account = (uuid.UUID(text) for text in sys.argv[1:3])
    actor = Actor(kind="user", id=account, organization_id=home, roles=frozenset({"clerk"}))
    rows = await db.rows("SELECT id FROM document WHERE status = 'signed' ORDER BY id")
    print("ready", flush=True)
    todo = [row["id"] for row in rows]
    async def work():
        while todo:
            await registration.register(actor, todo.pop())
    await asyncio.gather(*(work() for _ in range(4)))
    await DB.close()

asyncio.run(main())
"""


@pytest.fixture
async def clerk(database: str) -> Actor:
    return await people.clerk_of(await ground.an_organization("union"))


async def given_numbers() -> list[int]:
    rows = await db.rows("SELECT number FROM registration ORDER BY ordinal")
    return [int(row["number"].rpartition("/")[2]) for row in rows]


async def test_200_at_once_get_200_numbers(clerk: Actor) -> None:
    documents = await ground.signed_documents(clerk, 200)
    # Each is asked for twice, as programs do that were not answered in time.
    done = await asyncio.gather(
        *(registration.register(clerk, one) for one in documents + documents[:50])
    )
    assert {one.number for one in done[:200]} == {f"01-01/{n}" for n in range(1, 201)}
    assert done[200:] == done[:50]
    assert await given_numbers() == list(range(1, 201))
    assert await db.value("SELECT count(*) FROM event WHERE verb = 'document.registered'") == 200


async def test_a_failed_registration_gives_its_number_back(clerk: Actor) -> None:
    good = await ground.signed_documents(clerk, 30)
    bad = await ground.signed_documents(clerk, 30)

    async def fail(document_id: uuid.UUID) -> None:
        with contextlib.suppress(ZeroDivisionError):
            async with db.transaction():
                await registration.register(clerk, document_id)
                raise ZeroDivisionError

    mixed = [registration.register(clerk, one) for one in good] + [fail(one) for one in bad]
    random.Random(1).shuffle(mixed)  # noqa: S311 - an order, no secret
    await asyncio.gather(*mixed)
    assert await given_numbers() == list(range(1, 31))
    assert await db.value("SELECT count(*) FROM document WHERE status = 'registered'") == 30


async def test_killed_while_registering_leaves_no_hole(clerk: Actor) -> None:
    """kill -9 at random moments until all documents have a number."""
    total, rng, kills = 200, random.Random(7), 0  # noqa: S311 - moments, no secret
    await ground.signed_documents(clerk, total)
    while await db.value("SELECT count(*) FROM document WHERE status = 'signed'"):
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", LOOP, str(clerk.home_id), str(clerk.id),
            stdout=asyncio.subprocess.PIPE, env=os.environ | {"PYTHONPATH": os.getcwd()},
        )  # fmt: skip
        assert process.stdout is not None
        assert await process.stdout.readline() == b"ready\n"
        if kills < 4:
            await asyncio.sleep(rng.uniform(0.02, 0.15))
            process.send_signal(signal.SIGKILL)
            kills += 1
        await process.communicate()
    assert kills >= 2
    assert await given_numbers() == list(range(1, total + 1))
    assert await db.value("SELECT count(DISTINCT document_id) FROM registration") == total
    assert await db.value("SELECT count(*) FROM document WHERE number IS NULL") == 0
    assert await db.value("SELECT last_ordinal FROM journal_counter") == total


@pytest.mark.parametrize(
    ("form", "scope", "variables", "numbers"),
    [
        ("{index}/{n}", ["year"], {"index": "01-12"}, ["01-12/1", "01-12/2"]),
        ("{convocation:roman}-{n}", ["convocation"], {"convocation": "7"}, ["VII-1", "VII-2"]),
        ("{sitting}-{n}-Р", ["sitting"], {"sitting": "24"}, ["24-1-Р", "24-2-Р"]),
        ("{sitting}-{n}", ["year", "sitting"], {"sitting": "14"}, ["14-1", "14-2"]),
        ("{n:04}/{yy}", ["year"], {}, ["0001/26", "0002/26"]),
    ],
)
async def test_templates_give_the_fields_own_numbers(
    clerk: Actor, form: str, scope: list[str], variables: dict[str, str], numbers: list[str]
) -> None:
    journal_id = await journals.open_journal(
        clerk, code="own", title="Свой", direction="out", kinds=["circular"], template=form,
        scope=scope,
    )  # fmt: skip
    documents = await ground.signed_documents(clerk, 2)
    with clock.frozen(clock.now().replace(year=2026)):
        done = [
            await registration.register(clerk, one, journal_id=journal_id, variables=variables)
            for one in documents
        ]
    assert [one.number for one in done] == numbers


async def test_every_year_and_every_sitting_begins_at_one(clerk: Actor) -> None:
    first, second, third = await ground.signed_documents(clerk, 3)
    assert (await registration.register(clerk, first, on=date(2025, 12, 31))).number == "01-01/1"
    assert (await registration.register(clerk, second, on=date(2026, 1, 1))).number == "01-01/1"
    assert (await registration.register(clerk, third, on=date(2025, 12, 31))).number == "01-01/2"
    decisions = await ground.signed_documents(clerk, 3, kind="resolution")
    await db.execute("""UPDATE document SET fields = '{"body": "Президиум"}'""")
    given = [
        (await registration.register(clerk, one, variables={"sitting": sitting})).number
        for one, sitting in zip(decisions, ("20", "20", "21"), strict=True)
    ]
    assert given == ["20-1", "20-2", "21-1"]


async def test_the_same_convocation_written_otherwise_is_the_same_count(clerk: Actor) -> None:
    journal_id = await journals.open_journal(
        clerk, code="k", title="Созыв", direction="out", kinds=["circular"],
        template="{convocation:roman}-{n}", scope=["convocation"],
    )  # fmt: skip
    numbers = []
    for one, text in zip(await ground.signed_documents(clerk, 3), ("7", "VII", "07"), strict=True):
        done = await registration.register(
            clerk, one, journal_id=journal_id, variables={"convocation": text}
        )
        numbers.append(done.number)
    assert numbers == ["VII-1", "VII-2", "VII-3"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"variables": {"index": "a b"}}, "number_variable"),
        ({"variables": {"n": "5"}}, "number_variable"),
        ({"variables": {"index": "1\x00"}}, "number_variable"),
        ({"on": date(2999, 1, 1)}, "date_in_future"),
    ],
)
async def test_registration_refuses_and_takes_no_number(
    clerk: Actor, change: dict[str, object], code: str
) -> None:
    (document_id,) = await ground.signed_documents(clerk, 1)
    with pytest.raises(InvalidInput) as refused:
        await registration.register(clerk, document_id, **change)
    assert refused.value.error_code == code
    assert await db.value("SELECT count(*) FROM journal_counter") == 0
    assert (await registration.register(clerk, document_id)).number == "01-01/1"


async def test_registration_asks_for_what_the_kind_needs(clerk: Actor) -> None:
    draft = await cards.create(clerk, card=cards.CardInput(kind="minutes", title="Протокол"))
    (unsigned,) = await ground.signed_documents(clerk, 1)
    (extract,) = await ground.signed_documents(clerk, 1, kind="extract")
    await db.execute("UPDATE document SET status = 'draft' WHERE id = $1", unsigned)
    await db.execute("""UPDATE document SET fields = '{"item": 1}' WHERE id = $1""", extract)
    for document_id, code in (
        (draft, "field_missing"), (unsigned, "signature_missing"), (extract, "link_missing"),
    ):  # fmt: skip
        with pytest.raises(InvalidInput) as refused:
            await registration.register(clerk, document_id)
        assert refused.value.error_code == code
    assert await db.value("SELECT count(*) FROM registration") == 0


async def test_several_journals_that_fit_are_named(clerk: Actor) -> None:
    for code in ("a", "b"):
        await journals.open_journal(
            clerk, code=code, title=code, direction="out", kinds=["circular"], template="{n}",
            scope=["year"],
        )  # fmt: skip
    (document_id,) = await ground.signed_documents(clerk, 1)
    with pytest.raises(InvalidInput, match="journal_ambiguous"):
        await registration.register(clerk, document_id)


async def test_incoming_numbers_of_one_letter_are_given_once(clerk: Actor) -> None:
    region = await ground.an_organization("regional", under=clerk.home_id)
    document_id = await ground.a_sent(clerk, region)
    reader = await people.clerk_of(region)
    done = await asyncio.gather(
        *(registration.register_incoming(reader, document_id) for _ in range(20))
    )
    assert {one.number for one in done} == {"вх-1"}
    assert re.fullmatch(r"01-01/1", (await registration.register(clerk, document_id)).number)
