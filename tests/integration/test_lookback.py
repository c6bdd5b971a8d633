"""Looking back: what was published is judged again before the letter comes."""

from datetime import timedelta

import pytest
from PIL import Image

from compliance.checking import checks, review
from compliance.checking.checks import UseInput
from compliance.publishing import lookback, uses
from compliance.registers import claimants, licences, own_works, register
from compliance.registers.claimants import ClaimantCard
from compliance.registers.own_works import Consent
from compliance.registers.register import PictureCard
from core import clock, db
from core.errors import Conflict, NotFound, ServiceError
from tests import ground, painted
from tests.integration.test_checks_verdicts import a_claimant

pytestmark = pytest.mark.slow

SITE = UseInput("site")
PLACE = "https://example.org/news/1"


@pytest.fixture
async def office(database: str) -> painted.Office:
    return await painted.an_office(await ground.an_organization("union"))


async def a_use(office: painted.Office, data: bytes) -> object:
    check_id = await checks.check(office.editor, data=data, use=SITE)
    return await uses.record(office.editor, check_id, place=PLACE)


async def of_use(use_id: object) -> db.Row:
    found = await db.row("SELECT * FROM picture_use WHERE id = $1", use_id)
    assert found is not None
    return found


async def notices_of(kind: str) -> list[db.Row]:
    return await db.rows("SELECT * FROM notice WHERE kind = $1", kind)


async def test_a_licence_revoked_or_consent_withdrawn(office: painted.Office) -> None:
    licensed, own = painted.jpeg(painted.scene(31)), painted.jpeg(painted.scene(32))
    licence = await painted.a_licence(office, await painted.a_picture(office, licensed))
    picture = await painted.a_picture(office, own, kind="own")
    work = await own_works.add(
        office.editor,
        picture,
        consent=Consent("Анна Петрова"),
        document=painted.scan(),  # type: ignore[arg-type]  # reason: id
    )
    await own_works.confirm(office.other, work)
    first, second = await a_use(office, licensed), await a_use(office, own)
    await lookback.follow()
    assert await uses.listed(office.editor, to_take_down=True) == []
    await licences.revoke(office.editor, licence, on=clock.today(), reason="Письмо автора")  # type: ignore[arg-type]  # reason: id
    await own_works.withdraw(office.editor, work, on=clock.today())
    assert await lookback.follow() == 2
    down = {
        row["id"]: row["outcome"] for row in await uses.listed(office.editor, to_take_down=True)
    }
    assert down == {first: "needs_licence", second: "needs_licence"}
    assert len(await notices_of("picture_take_down")) == 2
    again = await of_use(first)
    assert again["last_check_id"] != again["check_id"]
    made = await checks.show(office.editor, again["last_check_id"])
    assert made.row["origin"] == "lookback"
    assert made.row["previous_id"] == again["check_id"]
    assert (await checks.replay(office.editor, again["last_check_id"])).is_same
    assert await lookback.follow() == 0, "nothing new"
    await uses.withdraw(office.editor, first)  # type: ignore[arg-type]  # reason: id
    with pytest.raises(Conflict):
        await uses.withdraw(office.editor, first)  # type: ignore[arg-type]  # reason: id
    assert len(await uses.listed(office.editor, to_take_down=True)) == 1


async def test_a_new_work_of_a_claimant_finds_copies_and_crops(office: painted.Office) -> None:
    scene = painted.scene(33)
    picture = await painted.a_picture(office, painted.jpeg(scene), kind="own")
    work = await own_works.add(
        office.editor,
        picture,
        consent=Consent("Анна Петрова"),
        document=painted.scan(),  # type: ignore[arg-type]  # reason: id
    )
    await own_works.confirm(office.other, work)
    copies = (scene.resize((450, 320)), painted.cropped(scene, 0.4), scene.rotate(90, expand=True))
    published = [await a_use(office, painted.jpeg(copy, quality=80)) for copy in copies]
    other = await a_use(office, painted.jpeg(painted.scene(34)))
    await lookback.follow()
    elsewhere = await painted.an_office(await ground.an_organization("union"))
    await a_claimant(elsewhere, painted.jpeg(scene, quality=95))
    await lookback.follow()
    assert [(await of_use(one))["outcome"] for one in published] == ["blocked"] * 3
    assert (await of_use(other))["outcome"] == "needs_licence"
    assert {row["subject_id"] for row in await notices_of("picture_take_down")} == set(published)


async def test_it_says_so_two_weeks_ahead_and_on_the_day(office: painted.Office) -> None:
    data = painted.jpeg(painted.scene(35))
    last = clock.today() + timedelta(days=40)
    await painted.a_licence(office, await painted.a_picture(office, data), until=last)
    use_id = await a_use(office, data)
    await lookback.follow()
    await lookback.sweep()
    assert (await of_use(use_id))["turns_on"] == last + timedelta(days=1)
    assert await notices_of("picture_turning") == []
    with clock.frozen(clock.now() + timedelta(days=27)):
        await lookback.sweep()
        await lookback.sweep()
    turning = await notices_of("picture_turning")
    assert [row["about"] for row in turning] == [last + timedelta(days=1)]
    assert turning[0]["data"]["place"] == PLACE
    assert (await of_use(use_id))["outcome"] == "clear"
    with clock.frozen(clock.now() + timedelta(days=41)):
        await lookback.sweep()
    assert (await of_use(use_id))["outcome"] == "needs_licence"
    assert len(await notices_of("picture_take_down")) == 1


async def test_a_lawyers_decision_holds_and_ends(office: painted.Office) -> None:
    data = painted.jpeg(painted.scene(36))
    check_id = await checks.check(office.editor, data=data, use=SITE)
    review_id = await review.ask(office.editor, check_id)
    until = clock.today() + timedelta(days=20)
    await review.decide(
        office.lawyer, review_id, verdict="cleared", reason="Есть договор", until=until
    )
    use_id = await uses.record(office.editor, check_id, place=PLACE)
    found = await of_use(use_id)
    assert (found["outcome"], found["turns_on"]) == ("clear", until + timedelta(days=1))
    with clock.frozen(clock.now() + timedelta(days=10)):
        await lookback.sweep()
    assert len(await notices_of("picture_turning")) == 1
    with clock.frozen(clock.now() + timedelta(days=21)):
        await lookback.sweep()
    assert (await of_use(use_id))["outcome"] == "needs_licence"


async def test_what_gets_a_licence_later_comes_off_the_list(office: painted.Office) -> None:
    data = painted.jpeg(painted.scene(37))
    use_id = await a_use(office, data)
    assert (await of_use(use_id))["outcome"] == "needs_licence"
    await painted.a_licence(office, await painted.a_picture(office, data))
    await lookback.follow()
    assert (await of_use(use_id))["outcome"] == "clear"


async def test_a_claimant_retired_blocks_no_more(office: painted.Office) -> None:
    scene = painted.scene(38)
    use_id = await a_use(office, painted.jpeg(scene))
    theirs = await register.add(
        office.lawyer, data=painted.jpeg(scene, quality=95), card=PictureCard(kind="claimant")
    )
    claimant = await claimants.add(office.lawyer, card=ClaimantCard(name="Иван Истцов"))
    await claimants.add_work(office.lawyer, claimant, picture_id=theirs)
    second = await painted.somebody(office.lawyer.home_id, "lawyer")
    await claimants.approve(second, claimant)
    await lookback.follow()
    assert (await of_use(use_id))["outcome"] == "blocked"
    await claimants.retire(office.lawyer, claimant, reason="Иск отклонён")
    await lookback.follow()
    assert (await of_use(use_id))["outcome"] == "needs_licence"


async def test_bad_uses_have_their_codes(office: painted.Office) -> None:
    check_id = await checks.check(office.editor, data=painted.jpeg(painted.scene(39)), use=SITE)
    later = clock.now() + timedelta(days=1)
    for told, code in (
        (uses.record(office.editor, check_id, place=" "), "place_empty"),
        (uses.record(office.editor, check_id, place="a", published_at=later), "published_later"),
        (uses.withdraw(office.editor, check_id), "not_found"),
    ):
        with pytest.raises(ServiceError) as problem:
            await told
        assert problem.value.error_code == code
    stranger = await painted.somebody(await ground.an_organization("union"), "editor")
    with pytest.raises(NotFound):
        await uses.record(stranger, check_id, place=PLACE)


async def test_many_new_works_at_once_and_prints_of_an_older_make(office: painted.Office) -> None:
    first, second = painted.scene(37), painted.scene(38)
    sheet = Image.new("RGB", (1000, 711))
    for place, scene in enumerate((first, second)):
        sheet.paste(scene.resize((500, 356)), (500 * place, 178))
    both = await a_use(office, painted.jpeg(sheet))
    one = await a_use(office, painted.jpeg(painted.cropped(second, 0.4)))
    await a_use(office, painted.jpeg(painted.scene(39)))
    await lookback.follow()
    await db.execute("UPDATE picture_print SET sketches = '', sketch_canon = ''")
    await a_claimant(office, painted.jpeg(first, quality=95))
    claimant = await db.value("SELECT id FROM claimant")
    work = await register.add(
        office.lawyer, data=painted.jpeg(second, quality=95), card=PictureCard(kind="claimant")
    )
    await claimants.add_work(office.lawyer, claimant, picture_id=work)
    await lookback.follow()
    assert (await of_use(one))["outcome"] != "blocked", "one lawyer alone forbids nothing"
    await claimants.approve(await painted.somebody(office.lawyer.home_id, "lawyer"), claimant)
    await lookback.follow()
    known = await db.rows("SELECT id FROM picture WHERE kind = 'claimant' ORDER BY id")
    shown = [row["id"] for row in known]
    assert sorted((await of_use(both))["pictures"]) == shown
    assert (await of_use(one))["pictures"] == shown[1:]
    assert await db.value("SELECT count(*) FROM picture_use WHERE outcome = 'blocked'") == 2
