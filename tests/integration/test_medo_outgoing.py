"""What keeps a document from going by МЭДО, in words, and the clocks of what went."""

import shutil
import uuid
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from core import clock, db
from core.errors import Conflict, InvalidInput
from docflow.documents import links, registration, signed
from docflow.gateways.medo.messages import Event
from docflow.routing import recall
from docflow.routing.medo import checks, clocks, outgoing, partners
from tests import ground, medo_stage, people
from tests.medo_stage import Stage

pytestmark = pytest.mark.slow


@pytest.fixture
async def stage(database: str, tmp_path: Path) -> AsyncIterator[Stage]:
    with medo_stage.transport(tmp_path):
        yield await medo_stage.a_stage(tmp_path)


async def stopped(stage: Stage, document_id: uuid.UUID) -> str:
    """The reason, which stands on the message and on the delivery."""
    assert await outgoing.send_waiting() == {"blocked": 1}
    row = await medo_stage.sent_row(document_id)
    delivery = await db.row("SELECT status, reason FROM delivery WHERE id = $1", row["delivery_id"])
    assert dict(delivery or {}) == {"status": "failed", "reason": row["reason"]}
    assert not list(stage.outbox.iterdir())
    async with ground.api(stage.clerk) as client:
        (shown,) = (await client.get(f"/api/v1/documents/{document_id}/medo/")).json()
    assert (shown["status"], shown["reason"]) == ("blocked", row["reason"])
    code = str(row["reason"]).partition(":")[0]
    assert shown["what_to_do"] == checks.REASONS[code][0]
    assert await db.value("SELECT count(*) FROM notice WHERE kind = 'medo_blocked'") == 1
    return code


def a_plain_pdf() -> bytes:
    """A PDF that says nothing of PDF/A."""
    parts = [b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
             b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>"]  # fmt: skip
    made, places = bytearray(b"%PDF-1.4\n"), []
    for number, body in enumerate(parts, start=1):
        places.append(len(made))
        made += b"%d 0 obj%s endobj\n" % (number, body)
    start = len(made)
    made += b"xref\n0 4\n0000000000 65535 f \n"
    made += b"".join(b"%010d 00000 n \n" % place for place in places)
    made += b"trailer<</Size 4/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % start
    return bytes(made)


async def test_no_pdfa_stops_it_and_says_what_to_do(stage: Stage) -> None:
    document_id = await medo_stage.a_draft(stage, "Не PDF/A", pdf=a_plain_pdf())
    await medo_stage.sign(stage, document_id)
    await medo_stage.send(stage, document_id)
    assert await stopped(stage, document_id) == "pdfa_needed"
    message_id = (await medo_stage.sent_row(document_id))["id"]
    await partners.enter(people.RULE, stage.ministry.organization_id, wanted=partners.PartnerInput(
        participant_uid=medo_stage.THEIRS, address="MINTRUD~MEDOGU", signatures="gost",
        pdfa="none"))  # fmt: skip
    uid = (await medo_stage.sent_row(document_id))["header_uid"]
    await outgoing.retry(stage.clerk, message_id)
    assert await outgoing.send_waiting() == {"sent": 1}
    assert (await medo_stage.sent_row(document_id))["header_uid"] == uid, "given once"
    with pytest.raises(Conflict):
        await outgoing.retry(stage.clerk, message_id)


async def test_a_letter_without_a_detached_signature_stops(stage: Stage) -> None:
    document_id = await medo_stage.a_draft(stage, "Подпись внутри")
    await people.give_key(stage.own.organization_id)
    from docflow.documents import signing

    await signing.submit(stage.clerk, document_id)
    await signing.seal(stage.clerk, document_id)
    await medo_stage.send(stage, document_id)
    assert await stopped(stage, document_id) == "detached_signature_needed"


async def test_an_annex_needs_a_signature_of_its_own(stage: Stage) -> None:
    document_id = await medo_stage.a_draft(stage, "С приложением")
    await medo_stage.an_annex(stage, document_id, signed=False)
    await medo_stage.sign(stage, document_id)
    await medo_stage.send(stage, document_id)
    assert await stopped(stage, document_id) == "detached_signature_needed"


@pytest.mark.parametrize(
    ("demand", "reason"),
    [("qualified", "signature_not_qualified"), ("qualified_gost", "signature_not_qualified")],
)
async def test_the_addressee_asks_for_more_than_the_signature_is(
    stage: Stage, demand: partners.Demand, reason: str
) -> None:
    await medo_stage.a_partner(
        stage.ministry.organization_id, medo_stage.THEIRS, "M~G", signatures=demand
    )
    document_id = await medo_stage.a_draft(stage, "Требования")
    await medo_stage.sign(stage, document_id)
    await medo_stage.send(stage, document_id)
    assert await stopped(stage, document_id) == reason


async def test_a_switched_off_participant_and_a_sender_that_is_none(stage: Stage) -> None:
    document_id = await medo_stage.a_draft(stage, "Отключён")
    await medo_stage.sign(stage, document_id)
    await medo_stage.send(stage, document_id)
    await db.execute("UPDATE medo_partner SET is_active = false WHERE NOT is_own")
    assert await stopped(stage, document_id) == "no_partner"


async def test_recalled_before_it_went_it_does_not_go(stage: Stage) -> None:
    document_id = await medo_stage.a_draft(stage, "Отзыв")
    await medo_stage.sign(stage, document_id)
    await medo_stage.send(stage, document_id)
    await outgoing.queue()
    await recall.recall(stage.clerk, document_id, reason="Ошибка в тексте")
    assert await outgoing.send_waiting() == {"cancelled": 1}
    assert not list(stage.outbox.iterdir())


async def test_no_receipt_in_72_hours_is_told_once_and_blocks_nothing(stage: Stage) -> None:
    document_id = await medo_stage.a_sent(stage)
    (went,) = stage.they.collected()
    sent_at = (await medo_stage.sent_row(document_id))["sent_at"]
    with clock.frozen(sent_at + timedelta(hours=72) - timedelta(seconds=1)):
        assert await clocks.watch() == 0
    with clock.frozen(sent_at + timedelta(hours=72)):
        assert await clocks.watch() == 1
        assert await clocks.watch() == 0
    told = await db.row("SELECT kind, organization_id FROM notice WHERE kind LIKE 'medo%'")
    assert dict(told or {}) == {
        "kind": "medo_undelivered", "organization_id": stage.own.organization_id}  # fmt: skip
    stage.they.put(stage.they.receipt(went.header_uid))
    assert await medo_stage.polled(stage) == {"matched": 1}, "a late receipt counts"
    assert (await medo_stage.sent_row(document_id))["status"] == "delivered"


async def test_thirty_days_from_their_registration_and_a_prolongation(stage: Stage) -> None:
    document_id = await medo_stage.a_sent(stage)
    (went,) = stage.they.collected()
    day = clock.today()
    stage.they.put(stage.they.notification(went.header_uid, Event.ACCEPTED, number="В-5", date=day))
    await medo_stage.polled(stage)
    row = await medo_stage.sent_row(document_id)
    assert row["overdue_on"] == day + timedelta(days=30)
    now = clock.now()
    with clock.frozen(now + timedelta(days=29)):
        assert await clocks.watch() == 0
    with clock.frozen(now + timedelta(days=30)):
        assert await clocks.watch() == 1
        assert await clocks.watch() == 0
    for days, notice, code in ((31, "Уведомление № 1", "extension_length"),
                               (0, "Уведомление № 1", "extension_length"),
                               (10, " ", "notice_missing")):  # fmt: skip
        with pytest.raises(InvalidInput) as refused:
            await clocks.extend(stage.clerk, row["id"], days=days, notice=notice)
        assert refused.value.error_code == code
    await clocks.extend(stage.clerk, row["id"], days=20, notice="Уведомление № 14-2/1")
    with pytest.raises(InvalidInput):
        await clocks.extend(stage.clerk, row["id"], days=11, notice="Уведомление № 14-2/2")
    await clocks.extend(stage.clerk, row["id"], days=10, notice="Уведомление № 14-2/3")
    row = await medo_stage.sent_row(document_id)
    assert (row["overdue_on"], row["extended_days"]) == (day + timedelta(days=60), 30)
    with clock.frozen(now + timedelta(days=59)):
        assert await clocks.watch() == 0
    with clock.frozen(now + timedelta(days=60)):
        assert await clocks.watch() == 1


async def test_older_versions_go_as_their_participants_take_them(stage: Stage) -> None:
    for version in ("2.7", "2.6"):
        await medo_stage.a_partner(
            stage.ministry.organization_id, medo_stage.THEIRS, "M~G", signatures="gost",
            version=version,
        )  # fmt: skip
        await medo_stage.a_sent(stage, f"Версия {version}", annex=True)
        (went,) = stage.they.collected()
        assert (went.version, went.kind.value) == (
            version, "container" if version == "2.7" else "document")  # fmt: skip


LIST = """код;наименование;идентификатор;транспортный адрес;версия;подписи
mintrud;Минтруд России;{B0000002-0000-4000-8000-000000000123};MINTRUD2~MEDOGU;2.7.1;gost
minzdrav;Минздрав России;b0000002-0000-4000-8000-000000000124;MINZDRAV~MEDOGU;;
bad1;Без адреса;b0000002-0000-4000-8000-000000000125;;;
bad2;Не GUID;12345;X~Y;;
bad3;Формула;b0000002-0000-4000-8000-000000000126;=1+1;;
bad4;Чужой GUID;b0000002-0000-4000-8000-000000000124;X~Y;;
bad5;Версия;b0000002-0000-4000-8000-000000000127;X~Y;9.9;
"""


async def test_participants_are_imported_row_by_row(stage: Stage) -> None:
    administrator = await people.clerk_of(stage.own.organization_id, "administrator", "clerk")
    async with ground.api(administrator) as client:
        for dry_run, created in ((True, 2), (False, 2), (False, 0)):
            answer = await client.post(
                f"/api/v1/medo/partners/import?dry_run={dry_run}", content=LIST.encode("cp1251")
            )
            assert answer.status_code == 200, answer.text
            report = answer.json()
            assert (report["rows"], report["created"]) == (7, created)
            assert {one["row"]: one["code"] for one in report["problems"]} == {
                4: "field_missing", 5: "value_invalid", 6: "formula",
                7: "participant_uid_taken", 8: "value_invalid"}, report  # fmt: skip
        assert report["unchanged"] == 2
        listed = (await client.get("/api/v1/medo/partners/")).json()
    assert {one["name"] for one in listed} >= {"Минтруд России", "Минздрав России"}
    channels = await db.value("SELECT channels FROM organization WHERE code = 'mintrud'")
    assert channels[0] == "medo"


async def test_registered_before_it_is_dispatched(stage: Stage) -> None:
    document_id = await medo_stage.a_draft(stage, "Номер")
    await medo_stage.sign(stage, document_id)
    done = await registration.register(stage.clerk, document_id)
    assert done.number
    assert await outgoing.send_waiting() == {}


async def test_a_number_told_by_telephone_starts_the_term(stage: Stage) -> None:
    document_id = await medo_stage.a_sent(stage)
    row = await medo_stage.sent_row(document_id)
    day = clock.today() - timedelta(days=2)
    late = clock.today() + timedelta(days=1)
    for number, on, code in ((" ", day, "field_missing"), ("5", late, "date_in_future")):
        with pytest.raises(InvalidInput) as refused:
            await clocks.enter_their_number(stage.clerk, row["id"], number=number, on=on)
        assert refused.value.error_code == code
    await clocks.enter_their_number(stage.clerk, row["id"], number="Т-5", on=day)
    row = await medo_stage.sent_row(document_id)
    assert (row["status"], row["their_number"]) == ("registered", "Т-5")
    assert row["overdue_on"] == day + timedelta(days=30)
    with pytest.raises(Conflict):
        await clocks.enter_their_number(stage.clerk, row["id"], number="Т-6", on=day)


async def test_made_over_into_pdfa_it_is_another_document_signed_anew(stage: Stage) -> None:
    if shutil.which("gs") is None:
        pytest.skip("ghostscript is not installed")
    document_id = await medo_stage.a_draft(stage, "Не PDF/A", pdf=a_plain_pdf())
    await medo_stage.sign(stage, document_id)
    await medo_stage.send(stage, document_id)
    assert await stopped(stage, document_id) == "pdfa_needed"
    async with ground.api(stage.clerk) as client:
        answer = await client.post(f"/api/v1/documents/{document_id}/medo/pdfa")
    assert answer.status_code == 201, answer.text
    draft_id = uuid.UUID(answer.json()["id"])
    assert await signed.signatures_of(draft_id) == [], "no signature is carried over"
    (tied,) = await links.links_of(stage.clerk, draft_id)
    assert (tied["kind"], tied["id"]) == ("instead_of", document_id)
    await partners.enter(people.RULE, stage.ministry.organization_id, wanted=partners.PartnerInput(
        participant_uid=medo_stage.THEIRS, address="MINTRUD~MEDOGU", signatures="gost",
        pdfa="1"))  # fmt: skip
    await medo_stage.sign(stage, draft_id)
    await medo_stage.send(stage, draft_id)
    assert await outgoing.send_waiting() == {"sent": 1}
