"""Checks end to end: bytes in, a verdict with its reasons out, the same in ten years."""

import asyncio
from datetime import date, timedelta

import pytest

from compliance.checking import checks
from compliance.checking.checks import UseInput
from compliance.registers import claimants, licences, own_works, register
from compliance.registers.claimants import ClaimantCard
from compliance.registers.own_works import Consent
from compliance.registers.register import PictureCard
from compliance.searching import register_index
from core import clock, db
from core.actor import Actor
from core.errors import Forbidden, IdempotencyMismatch, NotFound, ServiceError
from tests import ground, painted

pytestmark = pytest.mark.slow

SITE = UseInput("site")


@pytest.fixture
async def office(database: str) -> painted.Office:
    return await painted.an_office(await ground.an_organization("union"))


async def judged(actor: Actor, data: bytes, use: UseInput = SITE) -> checks.Answer:
    return await checks.show(actor, await checks.check(actor, data=data, use=use))


def codes(answer: checks.Answer) -> set[str]:
    return {one.code for one in answer.verdict.reasons}


async def a_claimant(office: painted.Office, data: bytes) -> object:
    second = await painted.somebody(office.lawyer.home_id, "lawyer")
    theirs = await register.add(office.lawyer, data=data, card=PictureCard(kind="claimant"))
    claimant = await claimants.add(office.lawyer, card=ClaimantCard(name="Иван Истцов"))
    await claimants.add_work(office.lawyer, claimant, picture_id=theirs)  # type: ignore[arg-type]  # reason: id
    await claimants.approve(second, claimant)
    return theirs


async def test_unknown_then_licensed(office: painted.Office) -> None:
    data = painted.jpeg(painted.scene(1))
    first = await judged(office.editor, data)
    assert (first.outcome, codes(first) & {"origin_unknown"}) == (
        "needs_licence", {"origin_unknown"},
    )  # fmt: skip
    picture_id = await painted.a_picture(office, data)
    pending = await judged(office.editor, data)
    assert pending.outcome == "needs_licence"
    await painted.a_licence(office, picture_id)
    smaller = painted.jpeg(painted.scene(1).resize((450, 320)), quality=70)
    for copy, level in ((data, "exact"), (smaller, "verified")):
        answer = await judged(office.editor, copy)
        assert answer.outcome == "clear", answer.verdict.reasons
        assert [one.level for one in answer.case.matches] == [level]
        replayed = await checks.replay(office.editor, answer.row["id"])
        assert replayed.is_same


async def test_another_scene_is_no_match(office: painted.Office) -> None:
    picture_id = await painted.a_picture(office, painted.jpeg(painted.scene(1)))
    await painted.a_licence(office, picture_id)
    answer = await judged(office.editor, painted.jpeg(painted.scene(2)))
    assert answer.case.matches == ()
    assert answer.outcome == "needs_licence"


async def test_attribution_is_given_and_asked_for(office: painted.Office) -> None:
    data = painted.jpeg(painted.scene(3))
    picture_id = await painted.a_picture(office, data, source="https://example.org/p/3")
    await painted.a_licence(office, picture_id, kind="public", public="CC BY 4.0", holder="")
    bare = await judged(office.editor, data)
    assert "attribution_missing" in codes(bare)
    line = bare.verdict.attribution[0].line
    answer = await judged(office.editor, data, UseInput("site", caption=line))
    assert answer.outcome == "clear", answer.verdict.reasons


async def test_a_claimants_work_blocks_even_cropped(office: painted.Office) -> None:
    scene = painted.scene(4)
    await a_claimant(office, painted.jpeg(scene))
    for copy in (scene, painted.cropped(scene), scene.rotate(90, expand=True)):
        answer = await judged(office.editor, painted.jpeg(copy, quality=80))
        assert answer.outcome == "blocked", answer.verdict.reasons
        assert "claimant_work" in codes(answer)
    elsewhere = await painted.an_office(await ground.an_organization("union"))
    answer = await judged(elsewhere.editor, painted.jpeg(scene))
    assert answer.outcome == "blocked", "claimants are known to the whole federation"


async def test_a_licence_reaches_down_and_not_aside(database: str) -> None:
    here = await ground.a_ground()
    office = await painted.an_office(here.region)
    data = painted.jpeg(painted.scene(5))
    picture_id = await painted.a_picture(office, data)
    await painted.a_licence(office, picture_id, reach="subtree")
    below = await painted.somebody(here.primaries[0], "editor")
    aside = await painted.somebody(here.other_region, "editor")
    assert (await judged(below, data)).outcome == "clear"
    other = await judged(aside, data)
    assert (other.outcome, other.case.matches) == ("needs_licence", ())
    with pytest.raises(NotFound):
        await checks.show(aside, (await judged(below, data)).row["id"])


async def test_what_others_enter_obliges_nobody(database: str) -> None:
    here = await ground.a_ground()
    stranger = await painted.an_office(here.stranger)
    data = painted.jpeg(painted.scene(6))
    picture_id = await painted.a_picture(stranger, data)
    await painted.a_licence(stranger, picture_id, kind="public", public="CC0 1.0", holder="")
    assert (await judged(stranger.editor, data)).outcome == "clear"
    editor = await painted.somebody(here.region, "editor")
    assert (await judged(editor, data)).outcome == "needs_licence"


async def test_own_works_with_consent(office: painted.Office) -> None:
    data = painted.jpeg(painted.scene(7))
    picture_id = await painted.a_picture(office, data, kind="own")
    work = await own_works.add(
        office.editor,
        picture_id,
        consent=Consent("Анна Петрова"),
        document=painted.scan(),  # type: ignore[arg-type]  # reason: id
    )
    assert (await judged(office.editor, data)).outcome == "needs_licence", "not confirmed yet"
    await own_works.confirm(office.other, work)
    assert (await judged(office.editor, data)).outcome == "clear"
    await own_works.withdraw(office.editor, work, on=clock.today())
    answer = await judged(office.editor, data)
    assert (answer.outcome, "consent_ended" in codes(answer)) == ("needs_licence", True)


async def test_the_day_on_which_the_answer_turns(office: painted.Office) -> None:
    data = painted.jpeg(painted.scene(8))
    picture_id = await painted.a_picture(office, data)
    last = clock.today() + timedelta(days=30)
    await painted.a_licence(office, picture_id, until=last)
    answer = await judged(office.editor, data)
    turns = answer.verdict.turns
    assert turns is not None
    assert (turns.on, turns.outcome) == (last + timedelta(days=1), "needs_licence")
    assert answer.row["turns_on"] == turns.on
    later = await judged(office.editor, data, UseInput("site", on=last + timedelta(days=1)))
    assert later.outcome == "needs_licence"


async def test_seats_are_taken_once_each(office: painted.Office) -> None:
    data = painted.jpeg(painted.scene(9))
    picture_id = await painted.a_picture(office, data)
    licence = await painted.a_licence(office, picture_id, kind="stock", max_seats=2)
    assert (await judged(office.editor, data)).outcome == "needs_licence", "nobody named"
    both = await asyncio.gather(
        *(judged(office.editor, data, UseInput("site", seat=who)) for who in ("a", "b", "c"))
    )
    assert sorted(one.outcome for one in both) == ["clear", "clear", "needs_licence"]
    seats = await db.rows("SELECT seat FROM licence_seat WHERE released_at IS NULL")
    assert len(seats) == 2
    seated = seats[0]["seat"]
    assert (await judged(office.editor, data, UseInput("site", seat=seated))).outcome == "clear"
    await licences.release_seat(office.editor, licence, seat=seated)  # type: ignore[arg-type]  # reason: id
    assert (await judged(office.editor, data, UseInput("site", seat="new"))).outcome == "clear"


async def test_keys_and_bad_uses(office: painted.Office) -> None:
    data = painted.jpeg(painted.scene(10))
    first = await checks.check(office.editor, data=data, use=SITE, key="k")
    assert first == await checks.check(office.editor, data=data, use=SITE, key="k")
    with pytest.raises(IdempotencyMismatch):
        await checks.check(office.editor, data=data, use=UseInput("newspaper"), key="k")
    told = {}
    for use in (
        UseInput("site", on=date(2020, 1, 1)), UseInput("site", on=date(2099, 1, 1)),
        UseInput("site", caption="ж" * 6000), UseInput("site", territory="Россия"),
        UseInput("site", seat=" "),
    ):  # fmt: skip
        with pytest.raises(ServiceError) as problem:
            await checks.check(office.editor, data=data, use=use)
        told[problem.value.error_code] = True
    assert set(told) == {"use_date", "caption_too_long", "use_territory", "seat_name"}
    clerk = await painted.somebody(office.editor.home_id, "clerk")
    with pytest.raises(Forbidden):
        await checks.check(clerk, data=data, use=SITE)
    for bad in (b"", b"no picture at all", data[:3000]):
        with pytest.raises(ServiceError):
            await checks.check(office.editor, data=bad, use=SITE)
    assert await db.value("SELECT count(*) FROM picture_check") == 1


async def test_changes_are_seen_at_once_without_a_rebuild(office: painted.Office) -> None:
    scene = painted.scene(11)
    assert (await judged(office.editor, painted.jpeg(scene))).case.matches == ()
    index = await register_index.refreshed()
    picture_id = await painted.a_picture(office, painted.jpeg(scene))
    copy = painted.jpeg(painted.cropped(scene))
    assert [one.picture for one in (await judged(office.editor, copy)).case.matches] == [
        str(picture_id)
    ]
    await register.retire(office.editor, picture_id, reason="Ошибка")  # type: ignore[arg-type]  # reason: id
    assert (await judged(office.editor, copy)).case.matches == ()
    assert await register_index.refreshed() is index
    register_index._held.clear()  # another process, started now
    fresh = await register_index.refreshed()
    assert (len(fresh.local), fresh.seen) == (len(index.local), index.seen)
