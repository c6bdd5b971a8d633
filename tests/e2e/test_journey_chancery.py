"""A regional chancery takes letters in, by the keyboard alone: number, resolution, passed down."""

import time
import uuid
from typing import Any

import pytest

from core import clock, db
from tests import ground, letters, people, twins
from tests.desks import PASSWORD, Desk, an_account

pytestmark = [pytest.mark.browser, pytest.mark.slow]

TEXT = "Довести до первичных организаций."
LETTERS = 5
STROKE = 0.28
"""Seconds a stroke takes a person who is no typist (Card, Moran and Newell, 1980)."""
LOOK = 8.0
"""Seconds left for looking at one document before it is passed on."""
AT_ONCE, WITHIN = 50, 600.0
"""Fifty documents in ten minutes."""


async def _region(login: str) -> tuple[ground.Ground, uuid.UUID]:
    made = await ground.a_ground()
    await people.give_key(made.union)
    author = await people.clerk_of(made.union)
    executor = await people.a_person_at(made.region)
    await db.execute(
        """INSERT INTO post (id, person_id, organization_id, kind, title, valid_from)
           VALUES ($1, $2, $3, 'deputy', 'Заместитель председателя', '2020-01-01')""",
        clock.new_id(), executor, made.region,
    )  # fmt: skip
    await an_account(login, made.region, "clerk")
    for _ in range(LETTERS):
        await letters.a_sent(
            author, made.region, made.local, *made.primaries, mode="chancery",
            due_on=people.in_days(9),
        )  # fmt: skip
    return made, executor


async def test_letters_are_taken_in_by_the_keyboard(desk: Any) -> None:
    await _region("chancery")
    twin, executor = await _region("program")
    chancery = await desk()
    await _log_in(chancery)
    before = await twins.traces()
    await chancery.picture("chancery-today")
    await _first(chancery)
    strokes, seconds = await _the_rest(chancery)
    page = twins.made(before, await twins.traces())
    each = seconds / (LETTERS - 1)
    human = strokes / (LETTERS - 1) * STROKE + LOOK
    print(f"a document: {each:.2f} s of the machine, {strokes / (LETTERS - 1):.0f} strokes")  # noqa: T201
    assert AT_ONCE * (each + human) <= WITHIN, (each, human)

    program = await twins.a_session("program")
    before = await twins.traces()
    await _over_http(program, executor)
    twins.same(page, twins.made(before, await twins.traces()))
    assert await db.value(
        "SELECT count(*) FROM delivery WHERE recipient_id = $1 AND status = 'delivered'", twin.local
    ) == LETTERS  # fmt: skip


async def _log_in(chancery: Desk) -> None:
    page = chancery.page
    await page.goto(chancery.site + "/")
    await page.wait_for_selector("#login:focus")
    await page.keyboard.type("chancery")
    await page.keyboard.press("Tab")
    await page.keyboard.type(PASSWORD)
    async with page.expect_navigation(url="**/inbox"):
        await page.keyboard.press("Enter")


async def _reach(chancery: Desk, wanted: str, *, most: int) -> None:
    """Tab until what is wanted has the focus; where it is, can be seen."""
    page = chancery.page
    for _ in range(most):
        await page.keyboard.press("Tab")
        if await page.evaluate("at => document.activeElement.matches(at)", wanted):
            line = "getComputedStyle(document.activeElement).outlineStyle"
            assert await page.evaluate(line) != "none", wanted
            return
    raise AssertionError(f"{wanted} is not reached with {most} strokes")


async def _first(chancery: Desk) -> None:
    """To the letters by the skip link; the first resolution is written out."""
    page = chancery.page
    await _reach(chancery, ".skip", most=1)
    await page.keyboard.press("Enter")
    await _reach(chancery, "a[href='/inbox/next']", most=8)
    async with page.expect_navigation(url="**queue=1"):
        await page.keyboard.press("Enter")
    assert await page.evaluate("document.activeElement.id") == "resolution"
    await page.keyboard.type(TEXT)
    await _reach(chancery, "#executor_id", most=1)
    await page.keyboard.press("ArrowDown")
    await _reach(chancery, "#carry_out_by", most=1)
    day = people.in_days(7)
    # A browser without a window shows dates in its own way, whatever the page's language.
    await page.keyboard.type(f"{day:%m%d%Y}")
    assert await page.input_value("#carry_out_by") == day.isoformat()
    await chancery.picture("chancery-letter")
    await page.focus("#carry_out_by")
    await _reach(chancery, "button[name=next]", most=4)
    async with page.expect_navigation(url="**queue=1"):
        await page.keyboard.press("Enter")


async def _the_rest(chancery: Desk) -> tuple[int, float]:
    """The usual resolution again: strokes and seconds of the machine for all of them."""
    page, strokes, seconds = chancery.page, 0, 0.0
    await chancery.picture("chancery-usual")
    await page.focus("#usual-0")
    for number in range(LETTERS - 1):
        assert await page.evaluate("document.activeElement.id") == "usual-0"
        is_last = number == LETTERS - 2
        begun = time.perf_counter()
        await page.keyboard.press("ArrowDown")
        async with page.expect_navigation(url="**/inbox" if is_last else "**queue=1"):
            await page.keyboard.press("Enter")
        strokes, seconds = strokes + 2, seconds + time.perf_counter() - begun
    assert "Разобрать по порядку" not in await page.inner_text("main")
    await chancery.picture("chancery-all-taken-in")
    return strokes, seconds


async def _over_http(program: Any, executor: uuid.UUID) -> None:
    found = (await twins.did(await program.get("/api/v1/deliveries")))["items"]
    for number, one in enumerate(reversed(found)):
        body: dict[str, Any] = {"resolution": TEXT}
        if number == 0:
            body |= {"executor_id": str(executor), "due_on": people.in_days(7).isoformat()}
        at = f"/api/v1/deliveries/{one['id']}"
        await twins.did(await program.post(f"{at}/open"))
        await twins.did(await program.post(f"{at}/pass-on", json=body))
