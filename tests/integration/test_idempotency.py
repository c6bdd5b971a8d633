"""The same key leads to the same document, however often and at once it is sent."""

import asyncio
import uuid

import pytest

from core import db, idempotency
from core.actor import Actor
from core.errors import IdempotencyMismatch, InvalidInput, ServiceError
from docflow.documents import cards, files, intake, signing
from docflow.routing import dispatch, lines
from tests import ground, people

CARD = cards.CardInput(kind="circular", title="О совещании")


@pytest.fixture
async def clerk(database: str) -> Actor:
    return await people.clerk_of(await ground.an_organization("union"))


async def submitted(clerk: Actor, number: int) -> set[uuid.UUID]:
    """`number` submits, each three times at once, in batches as many as programs would."""
    made: set[uuid.UUID] = set()
    for start in range(0, number, 250):
        keys = [f"key-{n}" for n in range(start, start + 250)]
        thrice = [cards.create(clerk, card=CARD, key=key) for key in keys for _ in range(3)]
        answers = await asyncio.gather(*thrice)
        triples = [answers[n : n + 3] for n in range(0, len(answers), 3)]
        assert all(len(set(three)) == 1 for three in triples)
        made.update(answers)
    return made


@pytest.mark.parametrize(
    "number", [500, pytest.param(10_000, marks=[pytest.mark.slow], id="10000")]
)
async def test_three_retries_at_once_make_one_document(clerk: Actor, number: int) -> None:
    made = await submitted(clerk, number)
    assert len(made) == number
    assert await db.value("SELECT count(*) FROM document") == number
    assert await db.value("SELECT count(*) FROM event WHERE verb = 'document.created'") == number


async def test_key_with_another_body_is_refused(clerk: Actor) -> None:
    await cards.create(clerk, card=CARD, key="one")
    with pytest.raises(IdempotencyMismatch) as refused:
        await cards.create(clerk, card=cards.CardInput(kind="circular", title="Иное"), key="one")
    assert refused.value.error_code == "idempotency_mismatch"
    assert await db.value("SELECT count(*) FROM document") == 1


async def test_key_belongs_to_one_organization(clerk: Actor) -> None:
    other = await people.clerk_of(await ground.an_organization("union"))
    mine = await cards.create(clerk, card=CARD, key="one")
    assert await cards.create(other, card=CARD, key="one") != mine


async def test_failed_attempt_does_not_burn_the_key(clerk: Actor) -> None:
    request = idempotency.request_hash("proof")
    document_id = await cards.create(clerk, card=CARD)

    async def fail() -> uuid.UUID:
        raise ZeroDivisionError

    async def succeed() -> uuid.UUID:
        return document_id

    with pytest.raises(ZeroDivisionError):
        await idempotency.once(scope=clerk.home_id, key="one", request=request, create=fail)
    answer = await idempotency.once(scope=clerk.home_id, key="one", request=request, create=succeed)
    assert answer == (document_id, True)
    again = await idempotency.once(scope=clerk.home_id, key="one", request=request, create=fail)
    assert again == (document_id, False)


async def test_who_waited_for_a_failed_attempt_makes_the_document(clerk: Actor) -> None:
    """Of two at once the first fails after a while: the second is not told of the failure."""
    request, begun = idempotency.request_hash("proof"), asyncio.Event()
    document_id = await cards.create(clerk, card=CARD)

    async def fail() -> uuid.UUID:
        begun.set()
        await asyncio.sleep(0.2)
        raise ZeroDivisionError

    async def succeed() -> uuid.UUID:
        return document_id

    first = asyncio.create_task(
        idempotency.once(scope=clerk.home_id, key="one", request=request, create=fail)
    )
    await begun.wait()
    answer = await idempotency.once(scope=clerk.home_id, key="one", request=request, create=succeed)
    assert answer == (document_id, True)
    with pytest.raises(ZeroDivisionError):
        await first


@pytest.mark.parametrize("key", ["", "k" * 201])
async def test_key_of_wrong_length_is_refused(clerk: Actor, key: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        await cards.create(clerk, card=CARD, key=key)
    assert refused.value.error_code == "idempotency_key_length"
    with pytest.raises(InvalidInput) as refused:
        await intake.take_in(
            clerk, card=CARD, stream=people.stream(b"x"), file_name="a.pdf", key=key
        )
    assert refused.value.error_code == "idempotency_key_length"
    assert await db.value("SELECT count(*) FROM document") == 0


async def test_refused_file_leaves_its_key_and_the_draft(clerk: Actor) -> None:
    document_id = await cards.create(clerk, card=CARD)
    pdf = await people.a_letter()

    async def attach(content: bytes) -> uuid.UUID:
        return await files.attach(
            clerk, document_id, stream=people.stream(content), file_name="a.pdf", key="file"
        )

    for bad in (b"", b"MZ\x90\x00 no pdf", b"%PDF-1.7 broken"):
        with pytest.raises(ServiceError):
            await attach(bad)
    file_id = await attach(pdf)
    assert await attach(pdf) == file_id
    with pytest.raises(IdempotencyMismatch):
        await attach(await people.a_letter("Иное письмо"))
    assert len(await files.current_files(document_id)) == 1
    # The document has gone on meanwhile; who was not answered still gets the answer.
    await people.give_key(clerk.home_id)
    await signing.seal(clerk, document_id)
    assert await attach(pdf) == file_id
    with pytest.raises(InvalidInput, match="document_frozen"):
        await files.attach(
            clerk, document_id, stream=people.stream(pdf), file_name="a.pdf", key="another"
        )


async def test_intake_at_once_and_again_takes_one_document(clerk: Actor) -> None:
    pdf = await people.a_letter()

    async def take(content: bytes) -> intake.Taken:
        return await intake.take_in(
            clerk, card=CARD, stream=people.stream(content), file_name="a.pdf", key="one"
        )

    answers = await asyncio.gather(*(take(pdf) for _ in range(5)))
    assert len(set(answers)) == 1
    assert await take(pdf) == answers[0]
    with pytest.raises(IdempotencyMismatch):
        await take(await people.a_letter("Иное письмо"))
    assert await db.value("SELECT count(*) FROM document_file") == 1
    await people.give_key(clerk.home_id)
    await signing.seal(clerk, answers[0].document_id)
    registered = await take(pdf)
    assert registered.number == "01-01/1"
    with pytest.raises(IdempotencyMismatch):
        await take(await people.a_letter("Иное письмо"))
    assert (await take(pdf)) == registered


async def test_dispatch_at_once_reaches_everybody_once(clerk: Actor) -> None:
    regions = [await ground.an_organization("regional", under=clerk.home_id) for _ in range(9)]
    (document_id,) = await ground.signed_documents(clerk, 1)
    from docflow.documents import registration

    await registration.register(clerk, document_id)
    wanted = dispatch.DispatchInput(selector=lines.only(regions))
    same = [dispatch.send(clerk, document_id, wanted=wanted, key="one") for _ in range(6)]
    assert len(set(await asyncio.gather(*same))) == 1
    # Without a key it is another dispatch, which finds nobody new.
    with pytest.raises(InvalidInput, match="no_recipients"):
        await dispatch.send(clerk, document_id, wanted=wanted)
    narrower = dispatch.DispatchInput(selector=lines.only(regions[:2]))
    with pytest.raises(IdempotencyMismatch):
        await dispatch.send(clerk, document_id, wanted=narrower, key="one")
    assert await db.value("SELECT count(*) FROM delivery") == 9
    assert await db.value("SELECT count(*) FROM event WHERE verb = 'delivery.made'") == 9
    assert await db.value("SELECT count(*) FROM dispatch") == 1


async def test_over_http_the_key_is_a_header(clerk: Actor) -> None:
    async with ground.api(clerk) as client:
        card = {"kind": "circular", "title": "О совещании"}
        headers = {"idempotency-key": "one"}
        answers = await asyncio.gather(
            *(client.post("/api/v1/documents", json=card, headers=headers) for _ in range(9))
        )
        assert {(one.status_code, one.json()["id"]) for one in answers} == {
            (201, answers[0].json()["id"])
        }
        other = await client.post(
            "/api/v1/documents", json=card | {"title": "Иное"}, headers=headers
        )
        assert other.headers["content-type"] == "application/problem+json"
        assert (other.status_code, other.json()["code"]) == (409, "idempotency_mismatch")
        wrong = await client.post("/api/v1/documents", json={"kind": "x", "title": "y"},
                                  headers={"idempotency-key": "two"})  # fmt: skip
        assert wrong.json()["code"] == "unknown_kind"
        right = await client.post(
            "/api/v1/documents", json=card, headers={"idempotency-key": "two"}
        )
        assert right.status_code == 201
    assert await db.value("SELECT count(*) FROM document") == 2
