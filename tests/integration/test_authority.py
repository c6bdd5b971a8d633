"""Who may sign for an organization: signatures that hold and bind nobody, and those that bind."""

import pytest

from core import clock, db
from core.actor import RULE
from core.errors import Conflict, Forbidden, InvalidInput, NotFound, ServiceError
from directory import certificates
from docflow.documents import (
    attorneys,
    authority,
    authority_words,
    cards,
    kinds,
    signed,
    signing,
    signing_steps,
)
from signatures import cms
from tests import ground, people
from tests.authority_stage import (
    Stage,
    a_draft,
    a_person,
    a_stage,
    brought,
    found,
    issued,
    kept,
    people_hash,
)
from tests.mchd_files import CLERK, DEPUTY, HEAD, INN, OGRN


@pytest.fixture
async def stage(database: str) -> Stage:
    return await a_stage()


async def test_certificate_of_nobody_makes_nothing_signed(stage: Stage) -> None:
    """Trusted issuer, sound signature, name like the chairman's: and no tie to the organization."""
    named = "Галиев Рустам Ильдарович"
    for key in (await issued(CLERK), await issued(common_name=named), await issued(HEAD)):
        document_id = await brought(stage.clerk, key)
        assert await found(document_id) == ("draft", "none", "refused", ["certificate_unknown"])


async def test_certificate_of_another_organization(stage: Stage) -> None:
    """Refused whatever else speaks for it: a registration, the chairman's name, a power."""
    key = await issued(HEAD, inn_le="7736050003")
    await certificates.register(
        RULE, person_id=stage.chairman_id, organization_id=stage.clerk.home_id,
        sha256=key.certificate.fingerprint(people_hash()),
    )  # fmt: skip
    await kept(stage)
    for one in (key, await issued(DEPUTY, inn_le="7736050003")):
        document_id = await brought(stage.clerk, one)
        assert await found(document_id) == ("draft", "none", "refused", ["organization_differs"])


async def test_head_by_name_then_by_numbers(stage: Stage) -> None:
    first = await issued(HEAD, inn_le=INN)
    document_id = await brought(stage.clerk, first)
    assert await found(document_id) == ("signed", "head", "confirmed", ["head_by_name"])
    await certificates.register(
        RULE, person_id=stage.chairman_id, organization_id=stage.clerk.home_id,
        sha256=first.certificate.fingerprint(people_hash()),
        numbers=certificates.Numbers(HEAD.digits, HEAD.inn),
    )  # fmt: skip
    next_one = await issued(HEAD, ogrn=OGRN)
    assert await found(await brought(stage.clerk, next_one)) == ("signed", "head", "confirmed", [])
    namesake = await issued(HEAD, ogrn=OGRN, snils="99999999999")
    document_id = await brought(stage.clerk, namesake)
    assert await found(document_id) == ("draft", "none", "refused", ["not_the_head"])


async def test_organization_certificate_of_somebody_else_and_of_nobody(stage: Stage) -> None:
    document_id = await brought(stage.clerk, await issued(DEPUTY, ogrn=OGRN))
    assert await found(document_id) == ("draft", "none", "refused", ["not_the_head"])
    document_id = await brought(stage.clerk, await issued(ogrn=OGRN))
    assert await found(document_id) == ("signed", "seal", "confirmed", [])
    await db.execute("DELETE FROM post WHERE person_id = $1", stage.chairman_id)
    document_id = await brought(stage.clerk, await issued(HEAD, ogrn=OGRN))
    assert await found(document_id) == ("signed", "head", "indeterminate", ["head_unknown"])


async def test_registered_certificate_needs_the_role(stage: Stage) -> None:
    key = await issued(DEPUTY)
    person_id = await a_person(DEPUTY)
    sha256 = key.certificate.fingerprint(people_hash())
    await certificates.register(
        stage.administrator, person_id=person_id, organization_id=stage.clerk.home_id,
        sha256=sha256,
    )  # fmt: skip
    document_id = await brought(stage.clerk, key)
    assert await found(document_id) == ("draft", "none", "refused", ["no_signatory_role"])
    account_id = clock.new_id()
    await db.execute(
        """INSERT INTO account (id, person_id, login, password_hash, created_at)
           VALUES ($1, $2, 'deputy', 'none', $3)""",
        account_id, person_id, clock.now(),
    )  # fmt: skip
    await db.execute(
        """INSERT INTO role_grant (account_id, organization_id, role, granted_at)
           VALUES ($1, $2, 'signatory', $3)""",
        account_id, stage.clerk.home_id, clock.now(),
    )  # fmt: skip
    document_id = await brought(stage.clerk, key)
    assert await found(document_id) == ("signed", "post", "confirmed", [])
    other = await a_person(CLERK)
    with pytest.raises(Conflict):
        await certificates.register(
            stage.administrator, person_id=other, organization_id=stage.clerk.home_id,
            sha256=sha256,
        )  # fmt: skip
    (binding,) = await certificates.of_organization(organization_id=stage.clerk.home_id)
    await certificates.withdraw(stage.administrator, certificate_id=binding["id"])
    document_id = await brought(stage.clerk, key)
    assert await found(document_id) == ("draft", "none", "refused", ["certificate_unknown"])


async def test_own_key_and_own_session(stage: Stage) -> None:
    await people.give_key(stage.clerk.home_id)
    document_id, _, _ = await a_draft(stage.clerk)
    await signing.seal(stage.clerk, document_id)
    assert await found(document_id) == ("signed", "seal", "confirmed", [])
    key = await issued(CLERK)
    document_id, _, _ = await a_draft(stage.clerk)
    begun = await signing.begin(stage.clerk, document_id, certificate=key.der, chain=key.chain)
    made = cms.sign_detached(digest=begun.digest, key=key.key())
    await signing.finish(stage.clerk, begun.session_id, answer=made)
    assert await found(document_id) == ("signed", "post", "confirmed", ["name_differs"])
    (binding,) = await certificates.of_organization(organization_id=stage.clerk.home_id)
    assert (binding["person_id"], binding["source"]) == (stage.clerk.person_id, "session")


async def test_only_ones_own(stage: Stage) -> None:
    power_id = await kept(stage)
    stranger = await people.clerk_of(await ground.an_organization("union"))
    with pytest.raises(NotFound):
        await attorneys.shown(stranger, power_id)
    assert await attorneys.listed(stranger) == []
    editor = await people.clerk_of(stage.clerk.home_id, "editor")
    with pytest.raises(Forbidden):
        await attorneys.keep(editor, xml=b"<a/>", signature=b"x")
    document_id = await brought(stage.clerk, await issued(DEPUTY))
    (one,) = await signed.signatures_of(document_id)
    foreign = {"id": document_id, "organization_id": stranger.home_id}
    with pytest.raises(NotFound):
        await authority.reassess(stranger, foreign, one["id"], power_id=power_id)


async def test_kinds_that_need_more_or_nothing(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace

    usual = kinds.DOCUMENT_KINDS
    strict = {**usual, "circular": replace(usual["circular"], authority="head_or_mchd"),
              "appeal": replace(usual["appeal"], authority="none")}  # fmt: skip
    monkeypatch.setattr(kinds, "DOCUMENT_KINDS", strict)
    await people.give_key(stage.clerk.home_id)
    document_id, _, _ = await a_draft(stage.clerk)
    await signing.seal(stage.clerk, document_id)
    assert await found(document_id) == ("draft", "seal", "confirmed", [])
    by_head = await brought(stage.clerk, await issued(HEAD, ogrn=OGRN))
    assert (await found(by_head))[0] == "signed"
    by_anybody = await brought(stage.clerk, await issued(CLERK), "appeal")
    assert await found(by_anybody) == ("signed", "none", "refused", ["certificate_unknown"])


async def test_a_signing_order_waits_for_its_own_signers(stage: Stage) -> None:
    """A stranger's signature takes nobody's turn; one recognized afterwards takes its own."""
    document_id, file_id, sha256 = await a_draft(stage.clerk)
    step = signing_steps.StepInput(position=1)
    await signing_steps.plan(stage.clerk, document_id, steps=[step])
    await signing.submit(stage.clerk, document_id)
    for who in (CLERK, DEPUTY):
        made = cms.sign_detached(digest=sha256, key=(await issued(who)).key())
        await signing.bring(stage.clerk, document_id, file_id=file_id, signature=made)
        assert [one["status"] for one in await signing_steps.steps_of(document_id)] == ["due"]
    await kept(stage)
    of_deputy = (await signed.signatures_of(document_id))[1]
    async with ground.api(stage.clerk) as client:
        at = f"/api/v1/documents/{document_id}/signatures/{of_deputy['id']}/authority"
        assert (await client.post(at, json={})).json()["state"] == "confirmed"
    assert [one["status"] for one in await signing_steps.steps_of(document_id)] == ["signed"]
    assert await db.value("SELECT status FROM document WHERE id = $1", document_id) == "signed"


async def test_intake_numbers_what_the_head_has_signed(database: str) -> None:
    """The benchmark's files: signed by the chairman the directory names, numbered at once."""
    from bench import actors
    from bench import files as papers
    from directory import dataset
    from docflow.documents import intake

    made = dataset.generate("S")
    await dataset.load(made)
    chairman = await actors.chairman_of(made.health_union_id)
    authority_of_tests = await people.trusted_authority()
    (paper,) = papers.signed(1, authority_of_tests, subject=chairman, bases=1)
    clerk = await people.clerk_of(made.health_union_id)
    taken = await intake.take_in(
        clerk, card=cards.CardInput(kind="circular", title="О сроках"),
        stream=people.stream(paper), file_name="a.pdf",
    )  # fmt: skip
    assert (taken.status, taken.verdict) == ("registered", "valid")
    (one,) = await signed.signatures_of(taken.document_id)
    assert (one["authority"]["basis"], one["authority"]["state"]) == ("head", "confirmed")
    with pytest.raises(NotFound):
        await certificates.register(
            RULE, person_id=clerk.person_id or clock.new_id(), organization_id=clock.new_id(),
            sha256=b"x" * 32,
        )  # fmt: skip


async def test_wrong_input_has_words() -> None:
    for words in authority_words.WORDS.values():
        assert words.ru != words.en
    assert issubclass(InvalidInput, ServiceError)
