"""Acts of destruction: what may enter, who has to agree, and what is left afterwards."""

import uuid
from collections.abc import Awaitable
from datetime import date
from typing import Any

import pytest

from audit import transitions
from core import clock, db
from core.actor import Actor
from core.errors import Forbidden, NotFound, ServiceError
from docflow.documents import files, holds, registration, search
from docflow.documents.records import (
    acts,
    cases,
    commission,
    destroying,
    filing,
    inventories,
    jobs,
)
from docflow.documents.records.states import ActStatus
from docflow.routing import inbox
from storage import blobs, fixity, s3
from tests import ground, people
from tests.records_stage import BASIS, Stage, a_plan, a_row, a_stage, articles, filed, moment


@pytest.fixture
async def stage(database: str) -> Stage:
    await blobs.ensure_bucket()
    return await a_stage()


async def code_of(work: Awaitable[Any]) -> str:
    with pytest.raises(ServiceError) as caught:
        await work
    return caught.value.error_code


async def closed(stage: Stage, made: dict[str, uuid.UUID], year: int) -> None:
    with clock.frozen(moment(year, 12, 31)):
        for case_id in made.values():
            await cases.close(stage.clerk, case_id)


async def an_agreed_act(stage: Stage, *case_ids: uuid.UUID) -> uuid.UUID:
    act_id = await acts.draft(stage.clerk, case_ids=list(case_ids), basis=BASIS)
    await acts.submit(stage.clerk, act_id)
    assert await acts.vote(stage.members[0], act_id, is_for=True) == ActStatus.REVIEW
    assert await acts.vote(stage.members[1], act_id, is_for=True) == ActStatus.AGREED
    return act_id


async def carried_out(stage: Stage, *case_ids: uuid.UUID) -> tuple[uuid.UUID, destroying.Done]:
    act_id = await an_agreed_act(stage, *case_ids)
    await acts.approve(stage.head, act_id, protocol="ЭК от 12.01.2026 № 1")
    await acts.execute(stage.clerk, act_id)
    waiting = "procrastinate_jobs WHERE task_name = 'records.execute'"
    assert await db.execute(f"DELETE FROM {waiting}") >= 1
    await jobs.sweep_acts()
    await jobs.sweep_acts()
    found = await db.value(f"SELECT count(*) FROM {waiting}")
    assert found == 1, "a lost job is found again, once"
    done = await destroying.carry_out(act_id)
    assert done is not None
    await jobs.execute(str(act_id))  # the second one finds nothing to do
    told = await db.rows("SELECT kind FROM notice WHERE subject_id = $1 ORDER BY id", act_id)
    kinds = [row["kind"] for row in told]
    assert kinds == ["act_to_judge", "act_to_approve", "act_executed"]
    return act_id, done


async def test_what_may_not_be_destroyed_enters_no_act(stage: Stage) -> None:
    known = await articles(stage)
    made = await a_plan(
        stage, 2015,
        [a_row("01-01"), a_row("01-02", years=50), a_row("01-03", years=5, needs_decision=True),
         a_row("01-04", years=None, term_kind="permanent"),
         a_row("01-05", years=None, term_kind="until_need"), a_row("01-06"), a_row("01-07")],
    )  # fmt: skip
    assert known
    held, *_ = await filed(stage, made["01-06"], 1, year=2015)
    lawyer = stage.members[0]
    await holds.place(lawyer, kind="document", subject_id=held, reason="Спор в суде")
    with clock.frozen(moment(2015, 12, 31)):
        for index in ("01-01", "01-02", "01-03", "01-04", "01-05", "01-06"):
            await cases.close(stage.clerk, made[index])

    async def refused(index: str) -> str:
        return await code_of(acts.draft(stage.clerk, case_ids=[made[index]], basis=BASIS))

    with clock.frozen(moment(2020, 12, 31)):
        assert await refused("01-01") == "not_expired", "the last day of its term"
    with clock.frozen(moment(2021, 1, 1)):
        act_id = await acts.draft(stage.clerk, case_ids=[made["01-01"]], basis=BASIS)
    assert await refused("01-01") == "in_another_act"
    assert await refused("01-02") == "not_expired"
    assert await refused("01-03") == "decision_missing"
    assert await refused("01-04") == "kept_for_ever"
    assert await refused("01-05") == "decision_missing"
    assert await refused("01-06") == "legal_hold"
    assert await refused("01-07") == "not_expired", "still open"
    assert await code_of(acts.draft(stage.clerk, case_ids=[], basis=BASIS)) == "nothing_chosen"
    proposed = {row["index"]: row for row in await acts.expired(stage.clerk)}
    assert set(proposed) == {"01-03", "01-06"}
    assert (proposed["01-03"]["waits"], proposed["01-06"]["is_held"]) == (True, True)
    await cases.appraise(stage.clerk, made["01-03"], protocol="ЭК № 7", keep=False)
    await cases.appraise(stage.clerk, made["01-05"], protocol="ЭК № 7", keep=False)
    both = [made["01-03"], made["01-05"]]
    assert await acts.draft(stage.clerk, case_ids=both, basis=BASIS)
    assert await db.value("SELECT number FROM destruction_act WHERE id = $1", act_id) == 1


async def test_a_decision_to_keep_makes_a_case_permanent(stage: Stage) -> None:
    made = await a_plan(stage, 2015, [a_row("01-01", needs_decision=True), a_row("01-02")])
    await closed(stage, made, 2015)
    await cases.appraise(stage.clerk, made["01-01"], protocol="ЭК № 7", keep=True)
    found = await cases.own(stage.clerk, made["01-01"])
    assert (found["term_kind"], found["expires_on"]) == ("permanent", None)
    again = cases.appraise(stage.clerk, made["01-02"], protocol="ЭК № 7", keep=True)
    assert await code_of(again) == "nothing_to_decide"


async def test_three_words_are_needed_and_nobody_gives_two(stage: Stage) -> None:
    made = await a_plan(stage, 2015, [a_row("01-01"), a_row("01-02")])
    await closed(stage, made, 2015)
    both = await people.clerk_of(stage.organization_id, "clerk", "signatory")
    act_id = await acts.draft(both, case_ids=[made["01-01"]], basis=BASIS)
    approve = acts.approve(stage.head, act_id, protocol="ЭК № 1")
    assert await code_of(approve) == "illegal_transition", "not agreed yet"
    await acts.submit(both, act_id)
    assert await code_of(acts.vote(stage.clerk, act_id, is_for=True)) == "not_a_member"
    await acts.vote(stage.members[0], act_id, is_for=True)
    assert await code_of(acts.vote(stage.members[0], act_id, is_for=True)) == "voted_already"
    assert await acts.vote(stage.members[1], act_id, is_for=True) == ActStatus.AGREED
    assert [row["is_for"] for row in await acts.votes(act_id)].count(True) == 2
    own = acts.approve(both, act_id, protocol="ЭК № 1")
    assert await code_of(own) == "drafter_approves"
    execute = acts.execute(stage.clerk, act_id)
    assert await code_of(execute) == "illegal_transition", "not approved"
    with pytest.raises(Forbidden):
        await acts.approve(stage.clerk, act_id, protocol="ЭК № 1")
    await acts.approve(stage.head, act_id, protocol="ЭК № 1")
    other = await acts.draft(stage.clerk, case_ids=[made["01-02"]], basis=BASIS)
    await acts.submit(stage.clerk, other)
    await acts.vote(stage.members[0], other, is_for=False, remark="Нужно ещё")
    assert await acts.vote(stage.members[1], other, is_for=False) == ActStatus.REJECTED
    assert await acts.draft(stage.clerk, case_ids=[made["01-02"]], basis=BASIS), "free again"
    assert await destroying.carry_out(other) is None
    with pytest.raises(NotFound):
        await acts.own((await a_stage()).clerk, act_id)


async def test_an_act_waits_for_the_inventories_of_its_years(stage: Stage) -> None:
    rows = [a_row("01-01"), a_row("01-02", years=None, term_kind="permanent"),
            a_row("01-03", years=50, is_personnel=True)]  # fmt: skip
    made = await a_plan(stage, 2015, rows)
    for case_id in made.values():
        await filed(stage, case_id, 1, year=2015)
    await closed(stage, made, 2015)
    act_id = await an_agreed_act(stage, made["01-01"])

    async def approve() -> None:
        await acts.approve(stage.head, act_id, protocol="ЭК № 1")

    assert await code_of(approve()) == "inventories_missing"
    listed = [
        await inventories.make(stage.clerk, year=2015, kind=kind, number=str(number))
        for number, kind in enumerate(("permanent", "personnel"), 1)  # type: ignore[arg-type]  # reason: literals
    ]
    again = inventories.make(stage.clerk, year=2015, kind="permanent", number="9")
    assert await code_of(again) == "nothing_to_list"
    assert [len(await inventories.cases_of(one)) for one in listed] == [1, 1]
    await inventories.approve(stage.head, listed[0], protocol="ЭПК № 2")
    assert await code_of(approve()) == "inventories_missing", "the personnel's is a draft"
    await inventories.cancel(stage.clerk, listed[1])
    second = await inventories.make(stage.clerk, year=2015, kind="personnel", number="3-лс")
    await inventories.approve(stage.head, second, protocol="ЭК № 2")
    await db.execute("UPDATE organization SET is_archive_source = true")
    assert await code_of(approve()) == "protocol_missing", "a source needs its archive's word"
    await acts.approve(stage.head, act_id, protocol="ЭК № 1", archive_protocol="ЭПК № 3")


async def test_commission_needs_three_who_belong_here(stage: Stage) -> None:
    ids = [one.account_id for one in stage.members]
    stranger = (await a_stage()).members[0].account_id

    async def appoint(members: list[uuid.UUID], chair: uuid.UUID) -> str:
        return await code_of(
            commission.appoint(stage.head, members=members, chair_id=chair, basis="Приказ № 1")
        )

    assert await appoint(ids[:2], ids[0]) == "commission_size"
    assert await appoint(ids, stranger) == "chair_not_member"
    assert await appoint([*ids, stranger], ids[0]) == "not_of_organization"
    assert len(await commission.members(stage.organization_id)) == 3


async def keys() -> set[str]:
    listing = await s3.off_loop(s3.Listing, blobs.PREFIX)
    found: set[str] = set()
    while page := await s3.call(listing.page):
        found |= {item.key for item in page}
    return found


async def with_content(stage: Stage, document_id: uuid.UUID, content: bytes) -> blobs.StoredBlob:
    blob = await blobs.store(people.stream(content), limit=1 << 20)
    await db.execute(
        "UPDATE document_file SET blob_id = $2, sha256 = $3 WHERE document_id = $1",
        document_id, blob.id, bytes.fromhex(blob.sha256),
    )  # fmt: skip
    return blob


async def test_content_goes_and_the_stub_stays(stage: Stage) -> None:
    made = await a_plan(stage, 2015, [a_row("01-01"), a_row("01-02")])
    first, second = await filed(stage, made["01-01"], 2, year=2015)
    (other,) = await filed(stage, made["01-02"], 1, year=2015)
    blob = await with_content(stage, first, b"the whole secret")
    shared = await with_content(stage, second, b"shared by two documents")
    await with_content(stage, other, b"shared by two documents")
    await db.execute(
        "UPDATE document_text SET body = 'редкостное' WHERE document_id = ANY($1)", [first, other]
    )
    number = await db.value("SELECT number FROM document WHERE id = $1", first)
    await closed(stage, {"01-01": made["01-01"]}, 2015)
    assert {blob.key, shared.key} <= await keys()
    act_id, done = await carried_out(stage, made["01-01"])
    assert done == destroying.Done(cases=1, dropped=0, documents=2, kept_for_others=0)
    left = await keys()
    assert (blob.key in left, shared.key in left) == (False, True)
    assert await code_of(blobs.read(blob.id, limit=1 << 20)) == "content_destroyed"
    assert await blobs.find_by_sha256(blob.sha256) is None
    assert await blobs.read(shared.id, limit=1 << 20) == b"shared by two documents"
    checked = [(await fixity.enter(one)).blob_id async for one in fixity.check(budget=1 << 30)]
    assert blob.id not in checked, "what was destroyed is no damage"
    card = await db.row("SELECT * FROM document WHERE id = $1", first)
    assert card is not None
    assert (card["status"], card["number"], card["addressee"]) == ("destroyed", number, "")
    assert card["title"] == f"Уничтожен по акту № 1 от {clock.today():%d.%m.%Y}"
    with pytest.raises(NotFound):
        await files.visible_file(stage.clerk, await file_of(first))
    found = await search.documents(stage.clerk, wanted=search.Wanted(text="редкостное"))
    assert [row["id"] for row in found] == [other]
    everything = await search.documents(stage.clerk, wanted=search.Wanted())
    assert {row["id"] for row in everything} == {other}
    stubs = await filing.tombstones(stage.clerk, number=str(number).upper())
    assert [(row["number"], row["act_number"], row["is_erased"]) for row in stubs] == [
        (number, 1, True)
    ]
    assert len(await filing.tombstones(stage.clerk)) == 2
    assert [row["title"] for row in await filing.of_case(stage.clerk, made["01-01"])] == [None] * 2
    assert (await acts.own(stage.clerk, act_id))["status"] == ActStatus.EXECUTED
    assert await destroying.carry_out(act_id) is None, "once is once"
    assert await db.value(
        "SELECT count(*) FROM event WHERE verb = 'document.destroyed' AND document_id = $1", first
    ) == 1  # fmt: skip
    whole = repr(await db.rows("SELECT * FROM document")) + repr(
        await db.rows("SELECT * FROM document_text")
    )
    assert whole.count("Секрет") == 1, "only the document that stays has its addressee"
    again = await blobs.store(people.stream(b"the whole secret"), limit=1 << 20)
    assert (again.id, await blobs.read(again.id, limit=1 << 20)) == (blob.id, b"the whole secret")


async def file_of(document_id: uuid.UUID) -> uuid.UUID:
    found = await db.value("SELECT id FROM document_file WHERE document_id = $1", document_id)
    return uuid.UUID(str(found))


async def test_others_keep_what_one_has_destroyed(stage: Stage) -> None:
    region = await a_stage(await ground.an_organization("regional", under=stage.organization_id))
    mine = await a_plan(stage, 2015, [a_row("01-01")])
    theirs = await a_plan(region, 2015, [a_row("05-01")])
    with clock.frozen(moment(2015)):
        document_id = await ground.a_sent(stage.clerk, region.organization_id)
        await registration.register_incoming(region.clerk, document_id)
        await filing.file(stage.clerk, mine["01-01"], document_id=document_id)
        await filing.file(region.clerk, theirs["05-01"], document_id=document_id)
    blob = await with_content(stage, document_id, b"a letter of the union")
    await closed(stage, mine, 2015)
    await closed(region, theirs, 2015)
    _, done = await carried_out(stage, mine["01-01"])
    assert (done.documents, done.kept_for_others) == (1, 1)
    assert await blobs.read(blob.id, limit=1 << 20) == b"a letter of the union"
    assert await search.documents(stage.clerk, wanted=search.Wanted()) == []
    assert len(await inbox.inbox(region.clerk)) == 1
    assert await files.visible_file(region.clerk, await file_of(document_id))
    with pytest.raises(NotFound):
        await files.visible_file(stage.clerk, await file_of(document_id))
    _, done = await carried_out(region, theirs["05-01"])
    assert (done.documents, done.kept_for_others) == (1, 0)
    assert await code_of(blobs.read(blob.id, limit=1 << 20)) == "content_destroyed"
    assert await inbox.inbox(region.clerk) == []
    assert await db.value("SELECT status FROM document") == "destroyed"
    stubs = await filing.tombstones(stage.clerk) + await filing.tombstones(region.clerk)
    assert [row["is_erased"] for row in stubs] == [True, True]


async def test_a_hold_that_comes_late_stops_what_is_not_gone_yet(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await a_plan(stage, 2015, [a_row("01-01"), a_row("01-02")])
    first, second = await filed(stage, made["01-01"], 2, year=2015)
    await filed(stage, made["01-02"], 1, year=2015)
    await closed(stage, made, 2015)
    act_id = await an_agreed_act(stage, made["01-01"], made["01-02"])
    await acts.approve(stage.head, act_id, protocol="ЭК № 1")
    await acts.execute(stage.clerk, act_id)
    before = transitions.move

    async def move(actor: Actor, table: str, row_id: uuid.UUID, **more: Any) -> db.Row:
        done = await before(actor, table, row_id, **more)
        if table == "document" and row_id == first:
            raise KeyboardInterrupt  # the machine goes down in the middle
        return done

    monkeypatch.setattr(transitions, "move", move)
    with pytest.raises(KeyboardInterrupt):
        await destroying.carry_out(act_id)
    monkeypatch.undo()
    assert await db.value("SELECT count(*) FROM case_filing WHERE status = 'destroyed'") == 0
    await holds.place(
        stage.members[0], kind="document", subject_id=second, reason="Прокурорская проверка"
    )
    done = await destroying.carry_out(act_id)
    assert done == destroying.Done(cases=1, dropped=1, documents=1, kept_for_others=0)
    statuses = await db.rows("SELECT index, status FROM record_case ORDER BY index")
    assert [row["status"] for row in statuses] == ["closed", "destroyed"]
    assert [row["reason"] for row in await acts.lines(act_id)] == ["legal_hold", ""]
    assert await db.value("SELECT status FROM document WHERE id = $1", first) == "closed"
    assert [row["is_held"] for row in await acts.expired(stage.clerk)] == [True]
    assert (await cases.own(stage.clerk, made["01-01"]))["expires_on"] == date(2021, 1, 1)
