"""Plans of cases: one a year, approved, copied with four counts, closed with a true final note."""

import asyncio
from datetime import date

import pytest

from core import clock, db
from core.errors import Forbidden, NotFound, ServiceError
from docflow.documents.records import cases, copying, filing, plans, retention, terms
from docflow.documents.records.terms import Term
from tests import ground, people
from tests.records_stage import Stage, a_plan, a_row, a_stage, articles, filed, moment


@pytest.fixture
async def stage(database: str) -> Stage:
    return await a_stage()


async def code_of(work: object) -> str:
    with pytest.raises(ServiceError) as caught:
        await work  # type: ignore[misc]  # reason: any coroutine of ours
    return caught.value.error_code


@pytest.mark.parametrize(
    ("term", "closed", "over"),
    [
        (Term("years", 5), date(2026, 2, 3), date(2032, 1, 1)),
        (Term("years", 5), date(2026, 12, 31), date(2032, 1, 1)),
        (Term("years", 1), date(2026, 1, 1), date(2028, 1, 1)),
        (Term("years", 50, True), date(2003, 1, 1), date(2054, 1, 1)),
        (Term("permanent"), date(2026, 2, 3), None),
        (Term("until_need"), date(2026, 2, 3), None),
    ],
)
def test_a_term_runs_from_the_first_of_january_after(
    term: Term, closed: date, over: date | None
) -> None:
    assert terms.expires_on(term, closed_on=closed) == over


@pytest.mark.parametrize(
    ("asked", "least", "shorter"),
    [
        (Term("years", 3), Term("years", 5), True),
        (Term("years", 5), Term("years", 5), False),
        (Term("years", 10), Term("years", 5), False),
        (Term("years", 10), Term("years", 5, True), True),
        (Term("years", 5, True), Term("years", 5), False),
        (Term("years", 75), Term("permanent"), True),
        (Term("until_liquidation"), Term("permanent"), True),
        (Term("permanent"), Term("until_liquidation"), False),
        (Term("permanent"), Term("years", 50, True), False),
        (Term("until_need"), Term("years", 5), True),
        (Term("years", 5), Term("until_need"), True),
    ],
)
def test_a_term_may_grow_and_not_shrink(asked: Term, least: Term, shorter: bool) -> None:
    assert terms.is_shorter(asked, least) is shorter


def test_terms_are_said_as_in_the_fourth_column() -> None:
    said = [Term("years", n, n == 5).said() for n in (1, 2, 5, 11, 21, 50)]
    assert said == ["1 год", "2 года", "5 лет ЭПК", "11 лет", "21 год", "50 лет"]
    assert Term("permanent").said() == "постоянно"


async def test_article_decides_the_term_and_the_archive_decides_how_it_reads(stage: Stage) -> None:
    known = await articles(stage)
    plan_id = await plans.open_plan(stage.clerk, year=2026)
    first = await cases.add(
        stage.clerk, plan_id, a_row("01-01", article_id=known["rosarchive-236/19а"])
    )
    assert (await cases.own(stage.clerk, first))["term_kind"] == "until_liquidation"
    await db.execute("UPDATE organization SET is_archive_source = true")
    second = await cases.add(
        stage.clerk, plan_id, a_row("01-02", article_id=known["rosarchive-236/19а"])
    )
    assert (await cases.own(stage.clerk, second))["term_kind"] == "permanent"


async def test_rows_that_cannot_stand_are_refused(stage: Stage) -> None:
    known = await articles(stage)
    plan_id = await plans.open_plan(stage.clerk, year=2026)
    five = known["rosarchive-236/19б"]

    async def refused(**more: object) -> str:
        index = str(more.pop("index", "01-01"))
        return await code_of(cases.add(stage.clerk, plan_id, a_row(index, **more)))

    assert await refused(article_id=five, years=3) == "term_too_short"
    assert await refused(article_id=five, years=10) == "protocol_missing"
    assert await refused(article_id=known["rosarchive-236/18а"]) == "article_unverified"
    assert await refused(article_id=known["minkult-558/977"]) == "list_not_in_force"
    assert await refused(protocol="") == "protocol_missing"
    assert await refused(years=None) == "term_missing"
    assert await refused(term_kind="permanent") == "term_missing"
    for index in ("", "1", "01_12", "01-12/", "../..", "01-12\x00"):
        assert await refused(index=index) in ("bad_index", "bad_character")
    await cases.add(stage.clerk, plan_id, a_row("01-01", article_id=five, years=10, protocol="№ 1"))
    assert await refused() == "index_taken"
    assert await db.value("SELECT count(*) FROM record_case") == 1
    head_only = people.clerk_of(stage.organization_id, "lawyer")
    with pytest.raises(Forbidden):
        await cases.add(await head_only, plan_id, a_row("01-02"))


async def test_an_unverified_article_is_attached_after_somebody_confirmed_it(stage: Stage) -> None:
    known = await articles(stage)
    article_id = known["rosarchive-236/18а"]
    assert await code_of(retention.confirm(stage.clerk, article_id, source="Номер 12")) == (
        "center_only"
    )
    await retention.confirm(stage.keeper, article_id, source="Официальное издание, с. 12")
    plan_id = await plans.open_plan(stage.clerk, year=2026)
    await cases.add(stage.clerk, plan_id, a_row("01-01", article_id=article_id))


async def test_an_edition_is_loaded_once_and_never_changed(stage: Stage) -> None:
    given = retention.built_in()[0]
    first = await retention.load(stage.keeper, given)
    assert await retention.load(stage.keeper, given) == first
    import msgspec

    changed = msgspec.structs.replace(given, title="Другой")
    assert await code_of(retention.load(stage.keeper, changed)) == "edition_taken"
    assert len(await retention.lists()) == 1
    twice = msgspec.structs.replace(
        given, edition="вторая", articles=[given.articles[0], given.articles[0]]
    )
    assert await code_of(retention.load(stage.keeper, twice)) == "bad_article"


async def test_a_plan_is_one_a_year_and_stands_once_approved(stage: Stage) -> None:
    first = await plans.open_plan(stage.clerk, year=2026)
    again = await asyncio.gather(*(plans.open_plan(stage.clerk, year=2026) for _ in range(4)))
    assert set(again) == {first}
    assert await code_of(plans.approve(stage.head, first, agreement="ЭК № 1")) == "plan_empty"
    case_id = await cases.add(stage.clerk, first, a_row("01-01"))
    await cases.correct(stage.clerk, case_id, a_row("01-03", title="Другое"))
    assert await code_of(plans.approve(stage.head, first, agreement="")) == "protocol_missing"
    with pytest.raises(Forbidden):
        await plans.approve(stage.clerk, first, agreement="ЭК № 1")
    await plans.approve(stage.head, first, agreement="ЭК от 19.12.2025 № 4")
    assert await code_of(cases.correct(stage.clerk, case_id, a_row("01-04"))) == "case_fixed"
    assert await code_of(cases.remove(stage.clerk, case_id)) == "case_fixed"
    assert await code_of(cases.add(stage.clerk, first, a_row("01-05"))) == "reason_missing"
    added = await cases.add(stage.clerk, first, a_row("01-05", reason="Новая комиссия"))
    assert (await cases.own(stage.clerk, added))["status"] == "open"
    stranger = await a_stage()
    with pytest.raises(NotFound):
        await cases.own(stranger.clerk, case_id)
    with pytest.raises(NotFound):
        await plans.own(stranger.clerk, first)


async def test_the_yearly_copy_counts_four_ways_and_can_be_repeated(stage: Stage) -> None:
    known = await articles(stage)
    old = known["minkult-558/977"]
    await a_plan(
        stage, 2019,
        [a_row("01-01"), a_row("01-02", years=10), a_row("02-01", article_id=old)],
    )  # fmt: skip
    await plans.open_plan(stage.clerk, year=2020)
    plan = await plans.of_year(stage.clerk, year=2020)
    await cases.add(stage.clerk, plan["id"], a_row("01-02", title="Уже здесь"))
    done = await copying.copy(stage.clerk, from_year=2019, to_year=2020)
    assert (done.total, done.copied, done.failed, done.already) == (3, 1, 1, 1)
    assert [(one.index, one.code) for one in done.failures] == [("02-01", "list_not_in_force")]
    again = await copying.copy(stage.clerk, from_year=2019, to_year=2020)
    assert (again.total, again.copied, again.failed, again.already) == (3, 0, 1, 2)
    kept = "SELECT title FROM record_case WHERE year = 2020 AND index = '01-02'"
    assert await db.value(kept) == "Уже здесь"
    fixed = a_row("02-01", article_id=known["rosarchive-236/19б"])
    await cases.add(stage.clerk, plan["id"], fixed)
    last = await copying.copy(stage.clerk, from_year=2019, to_year=2020)
    assert (last.total, last.copied, last.failed, last.already) == (3, 0, 0, 3)
    await plans.approve(stage.head, plan["id"], agreement="ЭК № 5")
    assert (await copying.copy(stage.clerk, from_year=2019, to_year=2020)).already == 3
    both = await asyncio.gather(
        *(copying.copy(stage.clerk, from_year=2019, to_year=2021) for _ in range(3))
    )
    assert sorted(one.copied for one in both) == [0, 0, 2]
    with pytest.raises(NotFound):
        await copying.copy(stage.clerk, from_year=1999, to_year=2021)


async def test_a_document_is_filed_in_one_case_of_each_who_holds_it(stage: Stage) -> None:
    region = await a_stage(await ground.an_organization("regional", under=stage.organization_id))
    theirs = await a_plan(region, 2026, [a_row("05-01")])
    mine = await a_plan(stage, 2026, [a_row("01-01"), a_row("01-02", years=10)])
    with clock.frozen(moment(2026)):
        document_id = await ground.a_sent(stage.clerk, region.organization_id)
        from docflow.routing import deliveries

        assert await code_of(
            filing.file(region.clerk, theirs["05-01"], document_id=document_id)
        ) == ("not_registered")
        await registration_incoming(region, document_id)
        await filing.file(region.clerk, theirs["05-01"], document_id=document_id)
        assert await db.value("SELECT status FROM document") == "sent", "the author's own step"
        assert await code_of(
            filing.close_document(stage.clerk, document_id, file_index="09-09")
        ) == ("unknown_case")
        await filing.close_document(stage.clerk, document_id, file_index="01-01")
        card = await db.row("SELECT * FROM document")
        assert card is not None
        assert (card["status"], card["file_index"], card["retention_code"]) == (
            "closed", "01-01", "5 лет",
        )  # fmt: skip
        await filing.file(stage.clerk, mine["01-02"], document_id=document_id)
        assert await db.value("SELECT retention_code FROM document") == "10 лет"
        assert len(await filing.of_case(stage.clerk, mine["01-01"])) == 0
        assert [row["title"] for row in await filing.of_case(stage.clerk, mine["01-02"])] == (
            ["О совещании"]
        )
        assert await code_of(filing.file(region.clerk, mine["01-02"], document_id=document_id)) == (
            "not_found"
        )
    assert deliveries


async def registration_incoming(stage: Stage, document_id: object) -> None:
    from docflow.documents import registration

    await registration.register_incoming(stage.clerk, document_id)  # type: ignore[arg-type]  # reason: an id


async def test_a_year_is_closed_with_a_note_that_counts_right(stage: Stage) -> None:
    known = await articles(stage)
    rows = [
        a_row("01-01", article_id=known["rosarchive-236/19а"]),
        a_row("01-02", article_id=known["rosarchive-236/434"], is_personnel=True),
        a_row("01-03"),
        a_row("01-04", is_carried=True),
        a_row("01-05"),
    ]
    made = await a_plan(stage, 2024, rows)
    for index in ("01-01", "01-02", "01-03", "01-04"):
        await filed(stage, made[index], 1, year=2024)
    plan = await plans.of_year(stage.clerk, year=2024)
    with clock.frozen(moment(2024, 12, 30)):
        await copying.copy(stage.clerk, from_year=2024, to_year=2025)
        assert await code_of(plans.close(stage.clerk, plan["id"])) == "year_not_over"
    with clock.frozen(moment(2025, 1, 15)):
        assert await code_of(plans.close(stage.clerk, plan["id"])) == "successor_missing"
        following = await plans.of_year(stage.clerk, year=2025)
        await plans.approve(stage.head, following["id"], agreement="ЭК № 6")
        assert await code_of(plans.close(stage.clerk, plan["id"])) == "cases_open"
        for index in ("01-01", "01-02", "01-03", "01-05"):
            await cases.close(stage.clerk, made[index], on=date(2024, 12, 31))
        counted = await plans.close(stage.clerk, plan["id"])
    assert counted["permanent"] == {"cases": 1, "carried": 0, "decision": 0}
    assert counted["long"] == {"cases": 1, "carried": 0, "decision": 1}
    assert counted["short"] == {"cases": 2, "carried": 1, "decision": 0}
    assert counted["total"] == {"cases": 4, "carried": 1, "decision": 1}
    moved = await db.row(
        """SELECT c.year, c.index FROM case_filing AS f JOIN record_case AS c ON c.id = f.case_id
           WHERE c.index = '01-04'"""
    )
    assert moved == {"year": 2025, "index": "01-04"}
    closed = await cases.own(stage.clerk, made["01-03"])
    assert closed["expires_on"] == date(2030, 1, 1)


async def test_a_case_is_not_closed_before_its_last_document(stage: Stage) -> None:
    made = await a_plan(stage, 2024, [a_row("01-01")])
    await filed(stage, made["01-01"], 1, year=2024)
    with clock.frozen(moment(2024, 12, 1)):
        late = cases.close(stage.clerk, made["01-01"], on=date(2024, 5, 1))
        assert await code_of(late) == "closed_before_filed"
        future = cases.close(stage.clerk, made["01-01"], on=date(2024, 12, 2))
        assert await code_of(future) == "date_in_future"
        await cases.close(stage.clerk, made["01-01"])
        again = cases.close(stage.clerk, made["01-01"])
        assert await code_of(again) == "illegal_transition"
