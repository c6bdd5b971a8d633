"""Who may sign for an organization: signatures that hold and bind nobody, and those that bind."""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from core import clock, db
from core.actor import RULE, Actor
from core.errors import Conflict, Forbidden, InvalidInput, NotFound, ServiceError
from directory import certificates
from docflow.documents import (
    attorneys,
    authority,
    authority_words,
    cards,
    files,
    kinds,
    signed,
    signing,
    signing_steps,
)
from signatures import cms, pdf
from signatures.authority import Issued, Subject
from tests import ground, people
from tests.mchd_files import CLERK, DEPUTY, HEAD, INN, OGRN, PARENT, Made, Who

ISSUED_ON = clock.today() - timedelta(days=10)
GOOD = Made(issued=ISSUED_ON.isoformat(), expires=(clock.today() + timedelta(days=10)).isoformat())


@dataclass(frozen=True, slots=True)
class Stage:
    """A clerk of an organization with numbers and a chairman, and its administrator."""

    clerk: Actor
    administrator: Actor
    chairman_id: uuid.UUID


async def a_person(who: Who) -> uuid.UUID:
    person_id = clock.new_id()
    await db.execute(
        """INSERT INTO person (id, last_name, first_name, middle_name, created_at)
           VALUES ($1, $2, $3, $4, $5)""",
        person_id, who.surname, who.given, who.patronymic, clock.now(),
    )  # fmt: skip
    return person_id


@pytest.fixture
async def stage(database: str) -> Stage:
    home = await ground.an_organization("union")
    await db.execute("UPDATE organization SET inn = $2, ogrn = $3 WHERE id = $1", home, INN, OGRN)
    clerk = await people.clerk_of(home)
    chairman_id = await a_person(HEAD)
    await db.execute(
        """INSERT INTO post (person_id, organization_id, kind, title, valid_from)
           VALUES ($1, $2, 'chairman', 'Председатель', '2020-01-01')""",
        chairman_id, home,
    )  # fmt: skip
    await db.execute("UPDATE person SET first_name = 'Ольга' WHERE id = $1", clerk.person_id)
    administrator = Actor(
        kind="user", id=clerk.id, organization_id=home, roles=frozenset({"administrator"}),
        person_id=clerk.person_id, second_factor=True, request_id=clock.new_id(),
    )  # fmt: skip
    return Stage(clerk, administrator, chairman_id)


async def issued(who: Who | None = None, **more: str) -> Issued:
    named: dict[str, str] = {"common_name": "Профсоюз «Пример»"}
    if who is not None:
        named = {
            "common_name": f"{who.surname} {who.given} {who.patronymic}", "surname": who.surname,
            "given_name": f"{who.given} {who.patronymic}", "snils": who.digits, "inn": who.inn,
        }  # fmt: skip
    return (await people.trusted_authority()).issue(Subject(**(named | more)))


async def a_draft(actor: Actor, kind: str = "circular") -> tuple[uuid.UUID, uuid.UUID, bytes]:
    card = cards.CardInput(kind=kind, title="О совещании", addressee="Всем")
    document_id = await cards.create(actor, card=card)
    file_id = await files.attach(
        actor, document_id, stream=people.stream(await people.a_letter()), file_name="a.pdf"
    )
    sha256 = await db.value("SELECT sha256 FROM document_file WHERE id = $1", file_id)
    return document_id, file_id, bytes(sha256)


async def brought(actor: Actor, key: Issued, kind: str = "circular") -> uuid.UUID:
    """A document with a detached signature made elsewhere with this key."""
    document_id, file_id, sha256 = await a_draft(actor, kind)
    made = cms.sign_detached(digest=sha256, key=key.key())
    await signing.bring(actor, document_id, file_id=file_id, signature=made)
    return document_id


async def found(document_id: uuid.UUID) -> tuple[str, str, str, list[str]]:
    """Status of the document; basis, state and reasons of its one signature."""
    (one,) = await signed.signatures_of(document_id)
    assert (one["verdict"], one["technically_valid"], one["certified_means"]) == (
        "valid", True, False,
    )  # fmt: skip
    said = one["authority"]
    assert said["ru"] != said["en"]
    codes = [word["code"] for word in said["reasons"]]
    status = await db.value("SELECT status FROM document WHERE id = $1", document_id)
    return str(status), said["basis"], said["state"], codes


async def refused_with(code: str, awaited: Any) -> None:
    with pytest.raises(ServiceError) as refused:
        await awaited
    assert refused.value.error_code == code


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


def people_hash() -> Any:
    from cryptography.hazmat.primitives import hashes

    return hashes.SHA256()


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


async def kept(stage: Stage, made: Made = GOOD, key: Issued | None = None) -> uuid.UUID:
    xml = made.bytes()
    signer = key or await issued(HEAD, inn_le=INN, ogrn=OGRN)
    return await attorneys.keep(stage.clerk, xml=xml, signature=_over(xml, signer))


def _over(xml: bytes, key: Issued) -> bytes:
    import hashlib

    return cms.sign_detached(digest=hashlib.sha256(xml).digest(), key=key.key())


NOT_ASKED = "revocation_not_checked"


async def test_power_of_attorney_makes_the_deputys_signature_count(stage: Stage) -> None:
    power_id = await kept(stage)
    document_id = await brought(stage.clerk, await issued(DEPUTY))
    assert await found(document_id) == ("signed", "mchd", "confirmed", [NOT_ASKED])
    (one,) = await signed.signatures_of(document_id)
    said = one["authority"]
    assert (said["mchd_id"], said["mchd_number"]) == (power_id, GOOD.number)
    assert (said["revocation"], said["ru"]) == (
        "not_checked", f"полномочия подтверждены: машиночитаемая доверенность № {GOOD.number}",
    )  # fmt: skip


CASES: dict[str, tuple[Made, list[str], str]] = {
    "another person": (GOOD.but(people=(CLERK,)), ["certificate_unknown"], "none"),
    "another organization": (
        GOOD.but(inn="7736050003", ogrn="1027700070518"),
        ["mchd_signer_other_organization", "mchd_other_principal", NOT_ASKED], "mchd"),
    "ended": (GOOD.but(issued="2020-01-01", expires="2020-12-31"), ["mchd_expired", NOT_ASKED],
              "mchd"),
    "not begun": (GOOD.but(issued="2040-01-01", expires="2041-01-01"),
                  ["mchd_not_yet", NOT_ASKED], "mchd"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
async def test_power_of_attorney_that_does_not_fit(stage: Stage, name: str) -> None:
    made, codes, basis = CASES[name]
    await kept(stage, made)
    document_id = await brought(stage.clerk, await issued(DEPUTY))
    status, found_basis, state, reasons = await found(document_id)
    assert (status, found_basis, state) == ("draft", basis, "refused")
    assert [code for code in reasons if code != "mchd_head_differs"] == codes


async def test_signed_by_somebody_else_or_changed_afterwards(stage: Stage) -> None:
    await kept(stage, key=await issued(DEPUTY, inn_le=INN))
    document_id = await brought(stage.clerk, await issued(DEPUTY))
    assert (await found(document_id))[2:] == ("refused", ["mchd_signer_not_head", NOT_ASKED])
    xml = GOOD.bytes()
    signature = _over(xml, await issued(HEAD, inn_le=INN))
    changed = xml.replace("писем".encode(), "счетов".encode())
    power_id = await attorneys.keep(stage.clerk, xml=changed, signature=signature)
    shown = await attorneys.shown(stage.clerk, power_id)
    assert (shown["verdict"], shown["reasons"][0]["code"]) == ("invalid", "digest_mismatch")
    document_id = await brought(stage.clerk, await issued(DEPUTY))
    assert (await found(document_id))[:3] == ("draft", "mchd", "refused")


async def test_powers_by_rules_an_administrator_adds(stage: Stage) -> None:
    await kept(stage, GOOD.but(powers="<ТекстПолн>Заверение протоколов</ТекстПолн>"))
    document_id = await brought(stage.clerk, await issued(DEPUTY), "letter")
    assert (await found(document_id))[2:] == ("indeterminate", ["powers_unclear", NOT_ASKED])
    for pattern, kinds_of in (("ab", ["letter"]), ("завер", ["nothing"]), ("завер", [])):
        await refused_with("power_rule", attorneys.add_rule(
            stage.administrator, matched_by="text", pattern=pattern, kinds=kinds_of))  # fmt: skip
    with pytest.raises(Forbidden):
        await attorneys.add_rule(stage.clerk, matched_by="text", pattern="завер", kinds=["letter"])
    rule_id = await attorneys.add_rule(
        stage.administrator, matched_by="text", pattern="заверен протокол", kinds=["letter"]
    )
    (one,) = await signed.signatures_of(document_id)
    async with ground.api(stage.clerk) as client:
        at = f"/api/v1/documents/{document_id}/signatures/{one['id']}/authority"
        answer = await client.post(at, json={})
        assert answer.status_code == 201, answer.text
        assert (answer.json()["basis"], answer.json()["state"]) == ("mchd", "confirmed")
        every = (await client.get(at)).json()
    assert [one["state"] for one in every] == ["indeterminate", "confirmed"]
    assert (await found(document_id))[0] == "signed"
    await attorneys.retire_rule(stage.administrator, rule_id)
    with pytest.raises(NotFound):
        await attorneys.retire_rule(stage.administrator, rule_id)


async def test_revoked_later_leaves_what_was_found(stage: Stage) -> None:
    power_id = await kept(stage)
    key = await issued(DEPUTY)
    before = await brought(stage.clerk, key)
    with pytest.raises(Forbidden):
        await attorneys.revoke(
            stage.clerk, power_id, effective_at=clock.now(), ground="Уведомление"
        )
    await attorneys.revoke(
        stage.administrator, power_id, effective_at=clock.now(), ground="Уведомление № 14"
    )
    # Signed in the very second of the revocation, its own clock could still save it.
    with clock.frozen(clock.now() + timedelta(minutes=1)):
        after = await brought(stage.clerk, key)
    assert await found(after) == ("draft", "mchd", "refused", ["mchd_revoked"])
    assert await found(before) == ("signed", "mchd", "confirmed", [NOT_ASKED])
    (one,) = await signed.signatures_of(before)
    async with db.transaction():
        document = {"id": before, "organization_id": stage.clerk.home_id}
        again = await authority.reassess(stage.clerk, document, one["id"])
    assert (again.state, again.reasons) == ("confirmed", (NOT_ASKED,))
    shown = await attorneys.shown(stage.clerk, power_id)
    assert (shown["revocation"], shown["statuses"][0]["source"]) == ("revoked", "administrator")


async def test_second_signer_leaves_the_first_ones_moment(stage: Stage) -> None:
    """The next signature makes a new revision; the first one was received when it was received."""
    power_id = await kept(stage)
    await people.give_key(stage.clerk.home_id)
    document_id, _, _ = await a_draft(stage.clerk)
    steps = [signing_steps.StepInput(position=1), signing_steps.StepInput(position=2)]
    await signing_steps.plan(stage.clerk, document_id, steps=steps)
    letter = await people.a_letter()
    by_deputy = pdf.sign_pdf(letter, key=(await issued(DEPUTY)).key())
    await files.attach(stage.clerk, document_id, stream=people.stream(by_deputy), file_name="a.pdf")
    (first,) = await signed.signatures_of(document_id)
    assert (first["authority"]["basis"], first["authority"]["state"]) == ("mchd", "confirmed")
    await attorneys.revoke(
        stage.administrator, power_id, effective_at=clock.now(), ground="Уведомление № 14"
    )
    await signing.submit(stage.clerk, document_id)
    with clock.frozen(clock.now() + timedelta(minutes=1)):
        await signing.seal(stage.clerk, document_id)
    again, sealed = await signed.signatures_of(document_id)
    assert (again["id"], sealed["authority"]["basis"]) != (first["id"], "mchd")
    assert (again["authority"]["state"], again["authority"]["at"]) == (
        "confirmed", first["authority"]["at"],
    )  # fmt: skip


async def test_answers_cannot_be_changed(stage: Stage) -> None:
    await kept(stage)
    await brought(stage.clerk, await issued(DEPUTY))
    for table in ("signature_authority", "power_of_attorney_check", "power_of_attorney_status"):
        for sql in (f"DELETE FROM {table}", f"UPDATE {table} SET id = id"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await db.execute(sql)


async def test_delegated_with_and_without_its_parent(stage: Stage) -> None:
    child = GOOD.but(parent=PARENT, people=(CLERK,))
    await kept(stage, child, key=await issued(DEPUTY))
    key = await issued(CLERK)
    document_id = await brought(stage.clerk, key)
    assert (await found(document_id))[2:] == ("indeterminate", ["mchd_parent_missing", NOT_ASKED])
    await kept(stage, GOOD.but(number=PARENT, delegation="2"))
    document_id = await brought(stage.clerk, key)
    assert await found(document_id) == ("signed", "mchd", "confirmed", [NOT_ASKED])


async def test_same_pair_again_is_checked_again(stage: Stage) -> None:
    xml = GOOD.bytes()
    signature = _over(xml, await issued(HEAD, inn_le=INN))
    first = await attorneys.keep(stage.clerk, xml=xml, signature=signature)
    assert await attorneys.keep(stage.clerk, xml=xml, signature=signature) == first
    assert await db.value("SELECT count(*) FROM power_of_attorney_check") == 2
    assert len(await attorneys.listed(stage.clerk)) == 1


async def test_what_is_no_power_of_attorney_is_not_kept(stage: Stage) -> None:
    signature = _over(b"x", await issued(HEAD))
    for xml, code in (
        (b"", "mchd_too_large"),
        (b"garbage", "broken_xml"),
        (b"<a/>", "mchd_not_recognized"),
        (b"<!DOCTYPE a><a/>", "xml_dtd"),
        (b" " * (3 << 20), "mchd_too_large"),
    ):
        await refused_with(code, attorneys.keep(stage.clerk, xml=xml, signature=signature))
    await refused_with(
        "signature_unreadable", attorneys.keep(stage.clerk, xml=GOOD.bytes(), signature=b"no")
    )
    unknown = GOOD.but(version="EMCHD_2").bytes()
    power_id = await attorneys.keep(
        stage.clerk, xml=unknown, signature=_over(unknown, await issued(HEAD))
    )
    (line,) = await attorneys.listed(stage.clerk)
    assert (line["id"], line["is_parsed"], line["version"]) == (power_id, False, "EMCHD_2")
    document_id = await brought(stage.clerk, await issued(DEPUTY))
    (one,) = await signed.signatures_of(document_id)
    async with db.transaction():
        document = {"id": document_id, "organization_id": stage.clerk.home_id}
        said = await authority.reassess(stage.clerk, document, one["id"], power_id=power_id)
    assert (said.basis, said.state, said.reasons) == (
        "mchd", "indeterminate", ("mchd_not_parsed",),
    )  # fmt: skip


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


async def test_over_http(stage: Stage) -> None:
    from base64 import b64encode

    xml = GOOD.but(encoding="windows-1251").bytes()
    signature = b64encode(_over(xml, await issued(HEAD, inn_le=INN, ogrn=OGRN))).decode()
    body = {"xml": b64encode(xml).decode(), "signature": signature}
    async with ground.api(stage.clerk) as client:
        made = await client.post("/api/v1/powers-of-attorney", json=body)
        assert made.status_code == 201, made.text
        power_id = made.json()["id"]
        (line,) = (await client.get("/api/v1/powers-of-attorney")).json()
        assert (line["verdict"], line["revocation"]) == ("valid", "not_checked")
        assert DEPUTY.digits not in str(line), "a list tells no numbers of people"
        shown = (await client.get(f"/api/v1/powers-of-attorney/{power_id}")).json()
        person = shown["content"]["representatives"][0]["person"]
        assert person["snils"] == DEPUTY.digits
        bad = await client.post(
            "/api/v1/powers-of-attorney",
            json={"xml": b64encode(b"<a/>").decode(), "signature": signature},
        )
        assert (bad.status_code, bad.json()["code"]) == (422, "mchd_not_recognized")
        document_id = await brought(stage.clerk, await issued(DEPUTY))
        document = (await client.get(f"/api/v1/documents/{document_id}")).json()
        said = document["signatures"][0]
        assert (said["technically_valid"], said["certified_means"]) == (True, False)
        assert said["authority"]["state"] == "confirmed"
        rules = (await client.get("/api/v1/power-rules")).json()
        assert len(rules) > 5
    looks = "SELECT count(*) FROM read_log WHERE subject_kind = 'power_of_attorney'"
    assert await db.value(looks) == 1
    async with ground.api(stage.administrator) as client:
        at = f"/api/v1/powers-of-attorney/{power_id}/revocations"
        said = {"effective_at": datetime.now(UTC).isoformat(), "ground": "Уведомление № 14"}
        assert (await client.post(at, json=said)).status_code == 204
        assert (await client.post(at, json={**said, "ground": ""})).json()["code"] == (
            "ground_length"
        )
        naive = {**said, "effective_at": "2026-11-20T09:00:00"}
        assert (await client.post(at, json=naive)).status_code in (400, 422)
        certificate = b64encode((await issued(CLERK)).der).decode()
        for changed, status in (({"person_id": str(clock.new_id())}, 404),
                                ({"organization_id": str(clock.new_id())}, 403)):  # fmt: skip
            wrong = {"person_id": str(stage.chairman_id), "certificate": certificate} | changed
            answer = await client.post("/api/v1/person-certificates", json=wrong)
            assert answer.status_code == status, answer.text
        made = await client.post(
            "/api/v1/person-certificates",
            json={"person_id": str(stage.chairman_id), "certificate": certificate},
        )
        assert made.status_code == 201, made.text
        made = await client.post(
            "/api/v1/person-certificates",
            json={"person_id": str(stage.chairman_id), "certificate": b64encode(b"no").decode()},
        )
        assert made.json()["code"] == "certificate_unreadable"


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
