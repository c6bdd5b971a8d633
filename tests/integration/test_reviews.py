"""Reviews: another person, a lawyer, a reason; never the editor's own word."""

from datetime import timedelta

import asyncpg
import pytest

from compliance.checking import checks, review
from compliance.checking.checks import UseInput
from core import clock, db
from core.actor import Actor
from core.errors import Conflict, Forbidden, NotFound, ServiceError
from tests import ground, painted
from tests.integration.test_checks_verdicts import a_claimant, judged

pytestmark = pytest.mark.slow

SITE = UseInput("site")


@pytest.fixture
async def office(database: str) -> painted.Office:
    return await painted.an_office(await ground.an_organization("union"))


async def refused(awaited: object) -> str:
    with pytest.raises(ServiceError) as told:
        await awaited  # type: ignore[misc]  # reason: a coroutine
    return told.value.error_code


async def asked(office: painted.Office, data: bytes, by: Actor | None = None) -> object:
    actor = by or office.editor
    check_id = await checks.check(actor, data=data, use=SITE)
    return await review.ask(actor, check_id, question="Договор есть")


async def test_the_editors_own_word_never_lifts_the_block(office: painted.Office) -> None:
    both = await painted.somebody(office.editor.home_id, "editor", "lawyer")
    data = painted.jpeg(painted.scene(21))
    review_id = await asked(office, data, both)
    assert await refused(
        review.decide(both, review_id, verdict="cleared", reason="сам себе")  # type: ignore[arg-type]  # reason: id
    ) == "second_person"  # fmt: skip
    with pytest.raises(Forbidden):
        await review.decide(office.editor, review_id, verdict="cleared", reason="без роли")  # type: ignore[arg-type]  # reason: id
    with pytest.raises(asyncpg.CheckViolationError):
        await db.execute(
            "UPDATE picture_review SET status = 'cleared', decided_by = asked_by,"
            " decided_at = now(),"
            " reason = 'сам', until = current_date WHERE id = $1",
            review_id,
        )
    await review.decide(office.lawyer, review_id, verdict="cleared", reason="Есть договор № 5")  # type: ignore[arg-type]  # reason: id
    answer = await judged(office.editor, data)
    assert (answer.outcome, answer.verdict.outcome) == ("clear", "needs_licence")
    assert answer.decision is not None
    assert "Решение юриста" in answer.decision.reason.ru
    assert "№ 5" in answer.decision.reason.ru


async def test_who_made_the_check_does_not_decide_either(office: painted.Office) -> None:
    both = await painted.somebody(office.editor.home_id, "editor", "lawyer")
    check_id = await checks.check(both, data=painted.jpeg(painted.scene(22)), use=SITE)
    review_id = await review.ask(office.editor, check_id)
    told = review.decide(both, review_id, verdict="cleared", reason="моя же проверка")
    assert await refused(told) == "second_person"


async def test_a_block_is_lifted_by_a_lawyer_with_a_document_only(office: painted.Office) -> None:
    scene = painted.scene(23)
    data = painted.jpeg(scene, quality=70)
    await a_claimant(office, painted.jpeg(scene))
    review_id = await asked(office, data)
    told = review.decide(office.lawyer, review_id, verdict="cleared", reason="Поверьте мне")  # type: ignore[arg-type]  # reason: id
    assert await refused(told) == "block_needs_document"
    with pytest.raises(asyncpg.CheckViolationError):  # nor past the verb
        await db.execute(
            "UPDATE picture_review SET status = 'cleared', decided_by = $2, decided_at = now(),"
            " reason = 'поверьте', until = current_date WHERE id = $1",
            review_id, office.lawyer.id,
        )  # fmt: skip
    await review.decide(
        office.lawyer, review_id, verdict="cleared", reason="Мировое соглашение",  # type: ignore[arg-type]  # reason: id
        document=painted.scan(),
    )  # fmt: skip
    assert (await judged(office.editor, data)).outcome == "clear"


async def test_a_decision_is_bound_to_its_use_and_reasons(office: painted.Office) -> None:
    scene = painted.scene(24)
    data = painted.jpeg(scene)
    review_id = await asked(office, data)
    until = clock.today() + timedelta(days=10)
    await review.decide(
        office.lawyer,
        review_id,
        verdict="cleared",
        reason="Есть договор",
        until=until,  # type: ignore[arg-type]  # reason: id
    )
    assert (await judged(office.editor, data)).outcome == "clear"
    for use in (UseInput("newspaper"), UseInput("site", on=until + timedelta(days=1))):
        assert (await judged(office.editor, data, use)).outcome == "needs_licence"
    elsewhere = await painted.somebody(await ground.an_organization("union"), "editor")
    assert (await judged(elsewhere, data)).outcome == "needs_licence"
    assert (await judged(office.editor, painted.jpeg(scene, quality=60))).outcome != "clear"
    await a_claimant(office, data)
    answer = await judged(office.editor, data)
    assert (answer.outcome, answer.decision) == ("blocked", None), "the lawyer had not seen this"


async def test_the_last_decision_counts(office: painted.Office) -> None:
    data = painted.jpeg(painted.scene(25))
    check_id = await checks.check(office.editor, data=data, use=SITE)
    first = await review.ask(office.editor, check_id)
    twice = review.ask(office.other, check_id)
    assert await refused(twice) == "review_open"
    assert await refused(
        review.decide(office.lawyer, first, verdict="refused", reason=" a ")
    ) == "reason_too_short"  # fmt: skip
    await review.decide(office.lawyer, first, verdict="refused", reason="Нет договора")
    again = review.decide(office.lawyer, first, verdict="cleared", reason="Передумал")
    assert await refused(again) == "illegal_transition"
    assert (await judged(office.editor, data)).outcome == "needs_licence"
    second = await review.ask(office.editor, check_id)
    await review.decide(office.lawyer, second, verdict="cleared", reason="Договор нашёлся")
    assert (await judged(office.editor, data)).outcome == "clear"
    assert await refused(review.ask(office.editor, check_id)) == "already_clear"


async def test_a_superiors_lawyer_reviews_and_strangers_do_not(database: str) -> None:
    here = await ground.a_ground()
    editor = await painted.somebody(here.primaries[0], "editor")
    lawyer = await painted.somebody(here.union, "lawyer")
    stranger = await painted.somebody(here.other_region, "lawyer")
    await ground.token_of(lawyer)  # the grant is what notices go by
    check_id = await checks.check(editor, data=painted.jpeg(painted.scene(26)), use=SITE)
    review_id = await review.ask(editor, check_id)
    assert [row["id"] for row in await review.queue(lawyer)] == [review_id]
    assert await review.queue(stranger) == []
    with pytest.raises(NotFound):
        await review.decide(stranger, review_id, verdict="cleared", reason="чужое дело")
    told = await db.rows("SELECT organization_id FROM notice WHERE kind = 'review_asked'")
    assert [row["organization_id"] for row in told] == [here.union]
    await review.decide(lawyer, review_id, verdict="cleared", reason="Есть договор")
    assert await db.value("SELECT count(*) FROM notice WHERE kind = 'review_decided'") == 1


async def test_deadlines_are_swept_once(office: painted.Office) -> None:
    review_id = await asked(office, painted.jpeg(painted.scene(27)))
    await review.sweep()
    assert await db.value("SELECT count(*) FROM notice WHERE kind = 'review_overdue'") == 0
    with clock.frozen(clock.now() + timedelta(days=5)):
        await review.sweep()
        await review.sweep()
    assert await db.value("SELECT count(*) FROM notice WHERE kind = 'review_overdue'") == 1
    with clock.frozen(clock.now() + timedelta(days=30)):
        await review.sweep()
    status = await db.value("SELECT status FROM picture_review WHERE id = $1", review_id)
    assert status == "expired"
    assert await db.value("SELECT count(*) FROM notice WHERE kind = 'review_expired'") == 1
    late = review.decide(office.lawyer, review_id, verdict="refused", reason="поздно")  # type: ignore[arg-type]  # reason: id
    with pytest.raises(Conflict):
        await late


async def test_bad_questions(office: painted.Office) -> None:
    check_id = await checks.check(office.editor, data=painted.jpeg(painted.scene(28)), use=SITE)
    past = review.ask(office.editor, check_id, due_on=clock.today() - timedelta(days=1))
    assert await refused(past) == "due_date"
    assert await refused(review.ask(office.editor, check_id, question="ж" * 3000)) == (
        "text_too_long"
    )
    review_id = await review.ask(office.editor, check_id)
    far = clock.today() + timedelta(days=1000)
    told = review.decide(office.lawyer, review_id, verdict="cleared", reason="Навсегда", until=far)
    assert await refused(told) == "decision_until"
