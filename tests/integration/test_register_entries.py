"""The register: two persons for every entry, nobody obliged by others, all of it chained."""

import hashlib
from datetime import date

import asyncpg
import pytest

from compliance.registers import changes, claimant_lists, claimants, licences, own_works, register
from compliance.registers.claimants import ClaimantCard
from compliance.registers.licences import Terms
from compliance.registers.own_works import Consent
from compliance.registers.register import PictureCard
from core import db
from core.errors import Conflict, Forbidden, InvalidInput, NotFound, ServiceError, UnsupportedType
from tests import ground, painted, people


@pytest.fixture
async def office(database: str) -> painted.Office:
    return await painted.an_office(await ground.an_organization("union"))


async def refused(awaited: object) -> str:
    with pytest.raises(ServiceError) as told:
        await awaited  # type: ignore[misc]  # reason: a coroutine
    assert told.value.message_ru != told.value.message_en
    return told.value.error_code


async def test_an_entry_needs_two_persons(office: painted.Office) -> None:
    data = painted.jpeg(painted.scene(1))
    picture_id = await painted.a_picture(office, data, approved=False)
    assert await refused(register.approve(office.editor, picture_id)) == "second_person"
    await register.attach_snapshot(office.editor, picture_id, data=painted.page())
    await register.approve(office.other, picture_id)
    assert await refused(register.approve(office.lawyer, picture_id)) == "picture_approved"
    snapshot = register.attach_snapshot(office.editor, picture_id, data=painted.page())
    assert await refused(snapshot) == "picture_approved"
    with pytest.raises(asyncpg.CheckViolationError):  # not only the verb holds it
        await db.execute("UPDATE picture SET approved_by = found_by WHERE id = $1", picture_id)


async def test_a_second_account_is_no_second_person(office: painted.Office) -> None:
    picture_id = await painted.a_picture(office, painted.jpeg(painted.scene(1)), approved=False)
    alias = await people.clerk_of(office.editor.home_id, "editor")
    await db.execute(
        "UPDATE account SET person_id = $2 WHERE id = $1", alias.id, office.editor.person_id
    )
    from dataclasses import replace

    same = replace(alias, person_id=office.editor.person_id)
    assert await refused(register.approve(same, picture_id)) == "second_person"


async def test_the_same_picture_once_and_again_after_retiring(office: painted.Office) -> None:
    data = painted.jpeg(painted.scene(1))
    card = PictureCard(title="Мост")
    first = await register.add(office.editor, data=data, card=card, key="k")
    assert await register.add(office.editor, data=data, card=card, key="k") == first
    assert await refused(register.add(office.editor, data=data, card=card)) == "picture_known"
    await register.retire(office.editor, first, reason="Внесено дважды")
    again = await register.add(office.editor, data=data, card=card)
    assert again != first
    assert await refused(register.retire(office.editor, first, reason="ещё раз")) == (
        "illegal_transition"
    )


async def test_bad_pictures_have_their_codes(office: painted.Office) -> None:
    good = painted.jpeg(painted.scene(1))
    codes = {}
    for name, data in {
        "text": b"hello" * 100, "empty": b"", "pdf": b"%PDF-1.7\n%%EOF", "half": good[:5000],
        "header": good[:20],
    }.items():  # fmt: skip
        codes[name] = await refused(register.add(office.editor, data=data, card=PictureCard()))
    assert codes["text"] == "not_a_picture"
    assert codes["half"] == "broken_picture"
    assert set(codes.values()) <= {"not_a_picture", "broken_picture"}, codes
    assert await db.value("SELECT count(*) FROM picture") == 0
    long = PictureCard(title="ж" * 501)
    assert await refused(register.add(office.editor, data=good, card=long)) == "text_too_long"


async def test_roles_and_organizations(office: painted.Office, database: str) -> None:
    data = painted.jpeg(painted.scene(1))
    clerk = await painted.somebody(office.editor.home_id, "clerk")
    stranger = await painted.somebody(await ground.an_organization("union"), "editor", "lawyer")
    claimed = PictureCard(kind="claimant")
    for told in (
        register.add(clerk, data=data, card=PictureCard()),
        register.add(office.editor, data=data, card=claimed),
        claimants.add(office.editor, card=ClaimantCard(name="Истцов")),
    ):
        with pytest.raises(Forbidden):
            await told
    picture_id = await painted.a_picture(office, data)
    for told in (
        register.approve(stranger, picture_id),
        register.retire(stranger, picture_id, reason="чужое"),
        licences.add(stranger, picture_id, terms=Terms("public", public="CC0 1.0")),
    ):
        with pytest.raises(NotFound):
            await told


BAD_TERMS = [
    (Terms("contract"), "holder"),
    (Terms("contract", holder="А", public="CC0 1.0"), "public"),
    (Terms("public", public="почти свободная"), "public"),
    (Terms("public"), "public"),
    (Terms("public", public="CC BY 4.0", reach="subtree"), "grantee_id"),
    (Terms("contract", holder="А", reach="line"), "line"),
    (Terms("contract", holder="А", line="branch"), "line"),
    (Terms("contract", holder="А", since=date(2026, 2, 1), until=date(2026, 1, 1)), "until"),
    (Terms("stock", holder="А", max_seats=0), "max_seats"),
    (Terms("stock", holder="А", territories=("Россия",)), "territories"),
]


async def test_terms_that_cannot_be(office: painted.Office) -> None:
    picture_id = await painted.a_picture(office, painted.jpeg(painted.scene(1)))
    for terms, field in BAD_TERMS:
        with pytest.raises(InvalidInput) as told:
            await licences.add(office.editor, picture_id, terms=terms)
        assert (told.value.error_code, told.value.details["field"]) == ("licence_terms", field)
    assert await db.value("SELECT count(*) FROM licence") == 0


async def test_a_licence_waits_for_the_second_person_and_its_document(
    office: painted.Office,
) -> None:
    picture_id = await painted.a_picture(office, painted.jpeg(painted.scene(1)))
    terms = Terms("contract", holder="ООО «Фото»")
    bare = await licences.add(office.editor, picture_id, terms=terms)
    assert await refused(licences.confirm(office.other, bare, terms=terms)) == (
        "licence_document_missing"
    )
    full = await licences.add(office.editor, picture_id, terms=terms, document=painted.scan())
    assert await refused(licences.confirm(office.editor, full, terms=terms)) == "second_person"
    await licences.confirm(office.other, full, terms=terms)
    assert await refused(licences.confirm(office.other, full, terms=terms)) == "licence_confirmed"
    with pytest.raises(UnsupportedType):
        await licences.add(office.editor, picture_id, terms=terms, document=b"MZ\x90\x00 program")
    await licences.revoke(office.editor, full, on=date(2027, 1, 1), reason="Письмо автора")
    assert await refused(
        licences.revoke(office.editor, full, on=date(2027, 1, 1), reason="Письмо автора")
    ) == "licence_revoked"  # fmt: skip
    with pytest.raises(Forbidden):
        await licences.retire(office.editor, bare)
    await licences.retire(office.lawyer, bare)
    assert await refused(licences.confirm(office.other, bare, terms=terms)) == "licence_retired"


async def test_consents(office: painted.Office) -> None:
    picture_id = await painted.a_picture(office, painted.jpeg(painted.scene(1)), kind="own")
    consent = Consent(author="Анна Петрова")
    assert await refused(
        own_works.add(office.editor, picture_id, consent=Consent(" "), document=painted.scan())
    ) == "own_work_terms"  # fmt: skip
    work = await own_works.add(
        office.editor, picture_id, consent=consent, document=painted.scan(), key="c"
    )
    assert work == await own_works.add(
        office.editor, picture_id, consent=consent, document=painted.scan(), key="c"
    )
    assert await refused(own_works.confirm(office.editor, work)) == "second_person"
    await own_works.confirm(office.other, work)
    await own_works.withdraw(office.editor, work, on=date(2026, 12, 1))
    assert await refused(own_works.withdraw(office.editor, work, on=date(2026, 12, 1))) == (
        "consent_withdrawn"
    )


async def test_claimants_need_two_lawyers(office: painted.Office) -> None:
    card = ClaimantCard(name="Иван Истцов")
    claimant = await claimants.add(office.lawyer, card=card)
    assert await refused(claimants.add(office.lawyer, card=card)) == "claimant_known"
    assert await refused(claimants.approve(office.lawyer, claimant)) == "second_person"
    second = await painted.somebody(office.lawyer.home_id, "lawyer")
    await claimants.approve(second, claimant)
    assert await refused(claimants.approve(second, claimant)) == "illegal_transition"
    data = painted.jpeg(painted.scene(1))
    ordinary = await painted.a_picture(office, data)
    work = claimants.add_work(office.lawyer, claimant, picture_id=ordinary)
    with pytest.raises((InvalidInput, NotFound)):
        await work
    theirs = await register.add(office.lawyer, data=data, card=PictureCard(kind="claimant"))
    await claimants.add_work(office.lawyer, claimant, picture_id=theirs)
    assert await refused(
        claimants.add_work(office.lawyer, claimant, picture_id=theirs)
    ) == "claimant_work_known"  # fmt: skip
    assert await refused(claimants.approve(office.lawyer, claimant)) == "second_person"
    assert [row["waiting_works"] for row in await claimants.listed(office.editor)] == [1]
    await claimants.approve(second, claimant)
    assert [row["waiting_works"] for row in await claimants.listed(office.editor)] == [0]
    assert await refused(claimants.approve(second, claimant)) == "illegal_transition"
    await claimants.retire(office.lawyer, claimant, reason="Умер")


async def test_a_list_of_claimants(office: painted.Office) -> None:
    await claimants.add(office.lawyer, card=ClaimantCard(name="Иван Истцов"))
    table = (
        "имя;другие имена;примечание;с;по\n"
        "ООО «Ловец»;Lovets | Ловец;Иски с 2023 года;01.02.2023;\n"
        "иван истцов;;;;\nЯ;;;;\n=1+1;;;;\nАгент;;;31.12.2026;01.01.2026\nЧетвёртый;;;вчера;\n"
    ).encode("cp1251")
    dry = await claimant_lists.import_list(office.lawyer, data=table, dry_run=True)
    assert (dry.created, await db.value("SELECT count(*) FROM claimant")) == (1, 1)
    told = await claimant_lists.import_list(office.lawyer, data=table)
    assert [(one.row, one.status, one.code) for one in told.rows] == [
        (2, "created", ""), (3, "known", "claimant_known"), (4, "refused", "claimant_terms"),
        (5, "refused", "row_invalid"), (6, "refused", "claimant_terms"),
        (7, "refused", "row_invalid"),
    ]  # fmt: skip
    made = await claimants.get(told.rows[0].claimant_id)  # type: ignore[arg-type]  # reason: created
    assert (made["status"], made["aliases"]) == ("proposed", ["Lovets", "Ловец"])
    again = await claimant_lists.import_list(office.lawyer, data=table)
    assert (again.created, again.known) == (0, 2)
    with pytest.raises(Forbidden):
        await claimant_lists.import_list(office.editor, data=table)
    assert await refused(claimant_lists.import_list(office.lawyer, data=b"a;b\n1;2\n")) == (
        "column_missing"
    )


async def test_changes_are_chained_and_stay(office: painted.Office) -> None:
    picture_id = await painted.a_picture(office, painted.jpeg(painted.scene(1)))
    await painted.a_licence(office, picture_id)
    rows = await db.rows("SELECT * FROM register_change ORDER BY id")
    assert [row["change"] for row in rows] == [
        "picture.added", "picture.snapshot", "picture.approved", "licence.added",
        "licence.confirmed",
    ]  # fmt: skip
    digest = bytes(32)
    for row in rows:
        digest = hashlib.sha256(digest + row["content"]).digest()
        assert digest == row["digest"]
    assert (await changes.head()).digest == digest.hex()
    for sql in ("UPDATE register_change SET change = 'x'", "DELETE FROM register_change",
                "DELETE FROM picture_check",
                "UPDATE picture_check SET outcome = 'clear'"):  # fmt: skip
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await db.execute(sql)


async def test_a_failed_change_leaves_nothing(office: painted.Office) -> None:
    picture_id = await painted.a_picture(office, painted.jpeg(painted.scene(1)))
    before = await changes.head()
    terms = Terms("contract", holder="А", grantee_id=office.editor.id)  # an account's id
    with pytest.raises((NotFound, Conflict)):
        await licences.add(office.editor, picture_id, terms=terms, key="again")
    assert await changes.head() == before
    good = Terms("contract", holder="А")
    assert await licences.add(office.editor, picture_id, terms=good, key="again")
