"""Stored verdicts made again, later checks beside them, files as they were signed."""

import uuid
from collections.abc import AsyncIterator
from datetime import timedelta

import asyncpg
import httpx
import pytest

from core import clock, db
from core.actor import RULE, Actor
from docflow.documents import verdicts
from signatures import anchors, pdf
from signatures.authority import Subject, create_authority, trust_of
from signatures.trust import TrustStore
from tests import ground, people

pytestmark = pytest.mark.slow


@pytest.fixture
async def clerk(database: str) -> Actor:
    return await people.clerk_of(await ground.an_organization("union"))


@pytest.fixture
async def client(clerk: Actor) -> AsyncIterator[httpx.AsyncClient]:
    async with ground.api(clerk) as opened:
        yield opened


async def _document(client: httpx.AsyncClient, data: bytes) -> tuple[str, str, str]:
    made = await client.post("/api/v1/documents", json={"kind": "circular", "title": "О совещании"})
    document = made.json()["id"]
    await client.put(f"/api/v1/documents/{document}/files/main", content=data)
    shown = (await client.get(f"/api/v1/documents/{document}")).json()
    return document, shown["files"][0]["id"], shown["signatures"][0]["id"]


async def test_stored_verdict_is_made_again(client: httpx.AsyncClient, clerk: Actor) -> None:
    issued = await people.give_key(clerk.home_id)
    data = pdf.sign_pdf(await people.a_letter(), key=issued.key())
    _, _, signature = await _document(client, data)
    authority = await people.trusted_authority()
    with clock.frozen(clock.now() + timedelta(days=3650)):
        answer = await verdicts.replay(clerk, uuid.UUID(signature))
    assert (answer.then, answer.verdict, answer.is_same) == ("valid", "valid", True), answer
    # What comes later changes nothing: the certificate is on a list now.
    revoked = authority.crl(revoked=[(issued.certificate, clock.now())], number=7)
    await anchors.add(RULE, TrustStore(crls=(revoked,)), is_test=True)
    shown = (await client.get(f"/api/v1/signatures/{signature}/replay")).json()
    assert (shown["verdict"], shown["is_same"], shown["missing"]) == ("valid", True, [])


async def test_checks_are_only_added(client: httpx.AsyncClient, clerk: Actor) -> None:
    issued = await people.give_key(clerk.home_id)
    data = pdf.sign_pdf(await people.a_letter(), key=issued.key())
    _, _, signature = await _document(client, data)
    assert await db.value("SELECT count(*) FROM signature_check") == 1
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await db.execute("UPDATE signature_check SET verdict = 'invalid'")
    assert await verdicts.recheck_unclear() == 0
    other = uuid.uuid4()
    assert (await client.get(f"/api/v1/signatures/{other}/replay")).status_code == 404
    assert signature


async def test_unclear_ones_are_checked_again(client: httpx.AsyncClient, clerk: Actor) -> None:
    authority = create_authority("Not yet known")
    issued = authority.issue(Subject("Иванов"))
    data = pdf.sign_pdf(await people.a_letter(), key=issued.key())
    await people.trusted_authority()
    _, _, signature = await _document(client, data)
    await anchors.add(RULE, trust_of(authority), is_test=True)
    with clock.frozen(clock.now() + timedelta(days=2)):
        assert await verdicts.recheck_unclear() == 1
        assert await verdicts.recheck_unclear() == 0
    found = await db.rows("SELECT verdict FROM signature_check ORDER BY id")
    assert [row["verdict"] for row in found] == ["indeterminate", "valid"]
    assert await db.value("SELECT verdict FROM signature") == "valid"
    first = await verdicts.replay(clerk, uuid.UUID(signature))
    assert (first.then, first.verdict, first.is_same) == ("indeterminate", "indeterminate", True)


async def test_reader_gets_the_signed_revision(client: httpx.AsyncClient, clerk: Actor) -> None:
    issued = await people.give_key(clerk.home_id)
    data = pdf.sign_pdf(await people.a_letter(), key=issued.key())
    _, file_id, _ = await _document(client, data)
    answer = await client.get(f"/api/v1/files/{file_id}/signed-revision")
    assert answer.content == data
    assert answer.headers["content-disposition"].startswith("attachment")
