"""Powers of attorney kept, judged and revoked; what was found of a signature stays."""

from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from core import clock, db
from core.errors import Forbidden, NotFound
from docflow.documents import (
    attorneys,
    authority,
    files,
    signed,
    signing,
    signing_steps,
)
from signatures import pdf
from tests import ground, people
from tests.authority_stage import (
    GOOD,
    NOT_ASKED,
    Stage,
    a_draft,
    a_stage,
    brought,
    found,
    issued,
    kept,
    over,
    refused_with,
)
from tests.mchd_files import CLERK, DEPUTY, HEAD, INN, OGRN, PARENT, Made

pytestmark = pytest.mark.slow


@pytest.fixture
async def stage(database: str) -> Stage:
    return await a_stage()


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
    signature = over(xml, await issued(HEAD, inn_le=INN))
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
    signature = over(xml, await issued(HEAD, inn_le=INN))
    first = await attorneys.keep(stage.clerk, xml=xml, signature=signature)
    assert await attorneys.keep(stage.clerk, xml=xml, signature=signature) == first
    assert await db.value("SELECT count(*) FROM power_of_attorney_check") == 2
    assert len(await attorneys.listed(stage.clerk)) == 1


async def test_what_is_no_power_of_attorney_is_not_kept(stage: Stage) -> None:
    signature = over(b"x", await issued(HEAD))
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
        stage.clerk, xml=unknown, signature=over(unknown, await issued(HEAD))
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


async def test_over_http(stage: Stage) -> None:
    from base64 import b64encode

    xml = GOOD.but(encoding="windows-1251").bytes()
    signature = b64encode(over(xml, await issued(HEAD, inn_le=INN, ogrn=OGRN))).decode()
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


async def test_what_an_administrator_enters_over_http(stage: Stage) -> None:
    from base64 import b64encode

    power_id = await kept(stage)
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
