"""Seals and sessions over a real time-stamp authority: the level is kept, a lack is said."""

import uuid
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest

from core import db
from core.actor import RULE, Actor
from core.settings import settings
from docflow.documents import cards, files, signed, signing
from signatures import stamp_client
from signatures.authority import Subject
from signatures.stamping import StampAuthority
from signatures.trust import TrustStore
from signatures.validation import validate_pdf
from storage import blobs
from tests import ground, people
from tests.integration.test_trust_fetching import REPLY, Server, serving

pytestmark = pytest.mark.slow


@pytest.fixture
async def clerk(database: str) -> Actor:
    return await people.clerk_of(await ground.an_organization("union"))


@pytest.fixture
async def authority_url(clerk: Actor, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[str]:
    monkeypatch.setenv("WEBHOOK_ALLOW_PRIVATE", "yes")
    settings.cache_clear()
    issuer = await people.trusted_authority()
    stamp = StampAuthority(issuer.stamping_key())
    opened: AbstractAsyncContextManager[Server] = serving(
        lambda body: ("200 OK", stamp.answer(body), REPLY)
    )
    async with opened as server:
        yield server.url


async def _a_draft(actor: Actor) -> uuid.UUID:
    card = cards.CardInput(kind="circular", title="О совещании")
    document_id = await cards.create(actor, card=card)
    letter = people.stream(await people.a_letter())
    await files.attach(actor, document_id, stream=letter, file_name="a.pdf")
    return document_id


async def _entered(document_id: uuid.UUID) -> tuple[list[Any], list[Any], bytes]:
    """Signatures, what their events say, and the current file."""
    told = await db.rows(
        """SELECT data FROM event WHERE document_id = $1 AND verb = 'document.signature_added'
           ORDER BY id""",
        document_id,
    )
    (file,) = await files.current_files(document_id)
    content = await blobs.read(file["blob_id"], limit=1 << 24)
    return await signed.signatures_of(document_id), [row["data"] for row in told], content


async def test_a_seal_reaches_the_highest_level(clerk: Actor, authority_url: str) -> None:
    await people.give_key(clerk.home_id)
    await stamp_client.add_service(RULE, name="TSA", url=authority_url)
    document_id = await _a_draft(clerk)
    await signing.seal(clerk, document_id, role="approving")
    signatures, told, content = await _entered(document_id)
    assert [one["verdict"] for one in signatures] == ["valid"]
    assert [(one["level"], one["lacks"]) for one in told] == [("B-LTA", [])]
    root = await people.trusted_authority()
    offline = validate_pdf(content, trust=TrustStore(roots=(root.der,)))
    assert offline.verdict == "valid"
    assert [one.level for one in offline.signatures] == ["B-LTA", "DocTimeStamp"]


async def test_an_annex_is_sealed_with_a_stamp(clerk: Actor, authority_url: str) -> None:
    await people.give_key(clerk.home_id)
    await stamp_client.add_service(RULE, name="TSA", url=authority_url)
    document_id = await _a_draft(clerk)
    annex = await files.attach(
        clerk, document_id, stream=people.stream(b"a;b\n1;2\n"), file_name="t.csv", role="annex",
        position=1,
    )  # fmt: skip
    await signing.seal(clerk, document_id, file_id=annex)
    (one,) = await signed.signatures_of(document_id)
    assert (one["form"], one["verdict"], one["report"]["level"]) == ("cades", "valid", "B-T")


async def test_without_an_authority_the_lack_is_said(clerk: Actor) -> None:
    await people.give_key(clerk.home_id)
    document_id = await _a_draft(clerk)
    await signing.seal(clerk, document_id)
    _, told, _ = await _entered(document_id)
    assert [(one["level"], one["lacks"]) for one in told] == [("B-B", ["timestamp_unavailable"])]


async def test_a_clients_key_reaches_it_too_and_a_stamp_is_nobodys(
    clerk: Actor, authority_url: str
) -> None:
    await stamp_client.add_service(RULE, name="TSA", url=authority_url)
    issuer = await people.trusted_authority()
    document_id = await _a_draft(clerk)
    person = issuer.issue(Subject("Смирнов Пётр Ильич"))
    challenge = await signing.begin(clerk, document_id, certificate=person.der, chain=person.chain)
    value = person.key().sign(challenge.attributes, "sha256")
    await signing.finish(clerk, challenge.session_id, answer=value)
    signatures, told, _ = await _entered(document_id)
    assert [(one["signer"], one["role"]) for one in signatures] == [
        ("Смирнов Пётр Ильич", "approving")
    ]
    assert [(one["level"], one["lacks"]) for one in told] == [("B-LTA", [])]


async def test_a_file_that_comes_with_a_stamp_brings_one_signature(
    clerk: Actor, authority_url: str
) -> None:
    await people.give_key(clerk.home_id)
    await stamp_client.add_service(RULE, name="TSA", url=authority_url)
    first = await _a_draft(clerk)
    await signing.seal(clerk, first)
    _, _, content = await _entered(first)
    second = await cards.create(clerk, card=cards.CardInput(kind="circular", title="Ещё одно"))
    await files.attach(clerk, second, stream=people.stream(content), file_name="b.pdf")
    assert len(await signed.signatures_of(second)) == 1
