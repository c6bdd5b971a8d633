"""Several signers: one after the other, in parallel, told when it is their turn."""

import asyncio
import uuid
from typing import Any

import pytest

from core import clock, db
from core.actor import Actor
from core.errors import ServiceError
from directory.tokens import SCOPES
from docflow.documents import cards, files, signed, signing, signing_steps
from docflow.documents.signing_steps import StepInput
from notify import notices
from signatures import cms
from signatures.authority import Subject
from tests import ground, people


@pytest.fixture
async def clerk(database: str) -> Actor:
    return await people.clerk_of(await ground.an_organization("union"))


async def a_signatory(home: Actor, surname: str, post: str | None = None) -> Actor:
    """Somebody of their own name with the role granted, and perhaps a post."""
    person_id, account_id = clock.new_id(), clock.new_id()
    await db.execute(
        "INSERT INTO person (id, last_name, created_at) VALUES ($1, $2, $3)",
        person_id, surname, clock.now(),
    )  # fmt: skip
    await db.execute(
        """INSERT INTO account (id, person_id, login, password_hash, created_at)
           VALUES ($1, $2, $3, 'none', $4)""",
        account_id, person_id, str(account_id), clock.now(),
    )  # fmt: skip
    await db.execute(
        """INSERT INTO role_grant (account_id, organization_id, role, granted_at)
           VALUES ($1, $2, 'signatory', $3)""",
        account_id, home.home_id, clock.now(),
    )  # fmt: skip
    if post:
        await db.execute(
            """INSERT INTO post (id, person_id, organization_id, kind, title, valid_from)
               VALUES ($1, $2, $3, $4, '', '2000-01-01')""",
            clock.new_id(), person_id, home.home_id, post,
        )  # fmt: skip
    return Actor(
        kind="user", id=account_id, organization_id=home.home_id, person_id=person_id,
        roles=frozenset({"signatory"}), second_factor=True, request_id=clock.new_id(),
    )  # fmt: skip


async def a_draft(actor: Actor) -> uuid.UUID:
    document_id = await cards.create(actor, card=cards.CardInput(kind="circular", title="О"))
    await files.attach(
        actor, document_id, stream=people.stream(await people.a_letter()), file_name="a.pdf"
    )
    return document_id


async def sign(actor: Actor, document_id: uuid.UUID, **more: Any) -> None:
    authority = await people.trusted_authority()
    person = authority.issue(Subject(f"Подписант {actor.id}"))
    begun = await signing.begin(
        actor, document_id, certificate=person.der, chain=person.chain, **more
    )
    answer = cms.sign_detached(digest=begun.digest, key=person.key())
    await signing.finish(actor, begun.session_id, answer=answer, is_cms=True)


async def refused_with(code: str, awaited: Any) -> None:
    with pytest.raises(ServiceError) as refused:
        await awaited
    assert refused.value.error_code == code


async def states(document_id: uuid.UUID) -> list[str]:
    return [one["status"] for one in await signing_steps.steps_of(document_id)]


async def status_of(document_id: uuid.UUID) -> str:
    return str(await db.value("SELECT status FROM document WHERE id = $1", document_id))


async def test_one_after_the_other(clerk: Actor) -> None:
    lawyer = await a_signatory(clerk, "Юрьев", "legal")
    deputy, chief = await a_signatory(clerk, "Замов"), await a_signatory(clerk, "Главин")
    document_id = await a_draft(clerk)
    await signing_steps.plan(clerk, document_id, steps=[
        StepInput(position=3, person_id=chief.person_id),
        StepInput(position=1, role="endorsing", post="legal"),
        StepInput(position=2, person_id=deputy.person_id),
    ])  # fmt: skip
    await refused_with("not_submitted", sign(lawyer, document_id))
    await signing.submit(clerk, document_id)
    assert await states(document_id) == ["due", "waiting", "waiting"]
    await refused_with("not_your_turn", sign(chief, document_id))
    await refused_with("not_a_signer", sign(await a_signatory(clerk, "Чужов"), document_id))
    await refused_with("not_a_signer", sign(lawyer, document_id, role="approving"))
    await sign(lawyer, document_id)
    assert await states(document_id) == ["signed", "due", "waiting"]
    await refused_with("not_a_signer", sign(lawyer, document_id))
    await sign(deputy, document_id)
    assert await status_of(document_id) == "signing", "one valid signature is not the order's"
    await sign(chief, document_id)
    assert await states(document_id) == ["signed"] * 3
    assert await status_of(document_id) == "signed"
    roles = [(one["role"], one["verdict"]) for one in await signed.signatures_of(document_id)]
    assert roles == [("endorsing", "valid"), ("approving", "valid"), ("approving", "valid")]
    told = [one for one in await notices.unread(clerk) if one.kind == "signature_due"]
    assert len(told) == 3
    assert {one.data["document_id"] for one in told} == {str(document_id)}


@pytest.mark.parametrize("form", ["pades", "cades"])
async def test_in_parallel(clerk: Actor, form: Any) -> None:
    pair = [await a_signatory(clerk, "Первый"), await a_signatory(clerk, "Второй")]
    document_id = await a_draft(clerk)
    await signing_steps.plan(
        clerk, document_id, steps=[StepInput(person_id=one.person_id) for one in pair]
    )
    await signing.submit(clerk, document_id)
    assert await states(document_id) == ["due", "due"]
    outcomes = await asyncio.gather(
        *(sign(one, document_id, form=form) for one in pair), return_exceptions=True
    )
    for one, outcome in zip(pair, outcomes, strict=True):
        if isinstance(outcome, ServiceError):
            assert outcome.error_code == "file_changed", "two embedded ones cannot share a revision"
            assert form == "pades"
            await sign(one, document_id, form=form)
        else:
            assert outcome is None
    assert await status_of(document_id) == "signed"
    assert await states(document_id) == ["signed", "signed"]
    assert len(await signed.signatures_of(document_id)) == 2


async def test_returned_to_the_author_everybody_signs_anew(clerk: Actor) -> None:
    first, second = await a_signatory(clerk, "Первый"), await a_signatory(clerk, "Второй")
    document_id = await a_draft(clerk)
    steps = [StepInput(position=1, person_id=first.person_id),
             StepInput(position=2, person_id=second.person_id)]  # fmt: skip
    await signing_steps.plan(clerk, document_id, steps=steps)
    await signing.submit(clerk, document_id)
    await sign(first, document_id)
    await signing.decline(second, document_id, reason="Не та дата")
    assert await states(document_id) == ["waiting", "waiting"]
    await files.attach(
        clerk, document_id, stream=people.stream(await people.a_letter("Иное")), file_name="b.pdf"
    )
    await signing.submit(clerk, document_id)
    await sign(first, document_id)
    await sign(second, document_id)
    assert await status_of(document_id) == "signed"


async def test_a_place_for_any_signatory_is_taken_once(clerk: Actor) -> None:
    pair = [await a_signatory(clerk, "Первый"), await a_signatory(clerk, "Второй")]
    document_id = await a_draft(clerk)
    await signing_steps.plan(clerk, document_id, steps=[
        StepInput(position=1, role="endorsing"), StepInput(position=2)
    ])  # fmt: skip
    await signing.submit(clerk, document_id)
    outcomes = await asyncio.gather(
        *(sign(one, document_id, form="cades") for one in pair), return_exceptions=True
    )
    codes = [one.error_code for one in outcomes if isinstance(one, ServiceError)]
    assert codes in ([], ["not_your_turn"]), "whoever came second found the place taken"
    assert sum(state == "signed" for state in await states(document_id)) == 2 - len(codes)


async def test_orders_that_make_no_sense(clerk: Actor) -> None:
    document_id = await a_draft(clerk)
    for steps, code in (
        ([StepInput(role="endorsing")], "signing_order_invalid"),
        ([StepInput(position=0)], "signing_order_invalid"),
        ([StepInput()] * 31, "signing_order_invalid"),
        ([StepInput(person_id=clerk.person_id, post="legal")], "signing_order_invalid"),
        ([StepInput(person_id=uuid.uuid4())], "unknown_signer"),
        ([StepInput(post="tsar")], "unknown_signer"),
    ):
        await refused_with(code, signing_steps.plan(clerk, document_id, steps=steps))
    await signing.submit(clerk, document_id)
    await refused_with("document_frozen", signing_steps.plan(clerk, document_id, steps=[]))


async def test_order_over_http(clerk: Actor) -> None:
    chief = await a_signatory(clerk, "Главин")
    document_id = await a_draft(clerk)
    at = f"/api/v1/documents/{document_id}/signers"
    async with ground.api(clerk, *SCOPES) as client:
        body = {"steps": [{"position": 1, "role": "endorsing", "post": "legal"},
                          {"position": 2, "person_id": str(chief.person_id)}]}  # fmt: skip
        assert (await client.put(at, json=body)).status_code == 204
        shown = (await client.get(at)).json()
    assert [(one["position"], one["status"]) for one in shown] == [(1, "waiting"), (2, "waiting")]
    assert (shown[0]["post"], shown[1]["last_name"]) == ("legal", "Главин")
