"""Real browsers for the journeys: a desk is one person's browser that watches its pages."""

import asyncio
import contextlib
import os
import re
import shutil
import socket
import uuid
from collections.abc import AsyncIterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import argon2
import pyotp
import pytest
import uvicorn
from playwright.async_api import Browser, Locator, Page, async_playwright
from playwright.async_api import Error as PlaywrightError

import litestar_app
from core import clock, db
from core.actor import RULE, Actor
from directory import accounts, grants, passwords, second_factor, sessions
from storage import blobs
from tests import people
from web.translation import catalogue

CHEAP = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
PASSWORD = "синий трактор едет в поле"
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
BUDGET = 200 * 1024
KEPT = os.environ.get("DOCFLOW_SCREENSHOTS", "")
AXE = (files("axe_playwright_python") / "axe.min.js").read_text("utf-8")
LOOKS = {"desktop-light": (1280, 900), "phone-dark": (390, 844)}
"""What pages are looked at in: the kind of window, its colours, its width and height."""
PHONE = LOOKS["phone-dark"]

SAID = """() => {
  const found = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const theirs = "script, style, code, pre, blockquote, textarea, .swagger, .key, [lang=en], "
    + "[translate=no]";
  while (walker.nextNode()) {
    const at = walker.currentNode.parentElement, text = walker.currentNode.data.trim();
    if (text && !at.closest(theirs)) found.push(text.replace(/\\s+/g, " "));
  }
  for (const one of document.querySelectorAll(".chip")) found.push("chip: " + one.innerText);
  for (const one of document.querySelectorAll("[aria-label], [placeholder], [title], [alt]"))
    for (const name of ["aria-label", "placeholder", "title", "alt"])
      if (one.getAttribute(name) && !one.closest(theirs)) found.push(one.getAttribute(name));
  return found;
}"""
"""Everything a page says, to the eye and to a screen reader."""
DRAWN = """() => Promise.all([...document.images].map((one) => {
  one.loading = "eager";
  return one.decode().catch(() => {});
}))"""
"""Every picture is there, those below the window too."""
WORDS = re.compile(r"\b[A-Za-z]{2,} [a-z]{2,}\b(?! *=)")
CODE = re.compile(r"(?<![\w./-])[a-z]+(_[a-z]+)+(?![\w/])(?!\.py)")
CYRILLIC = re.compile("[а-яё]", re.IGNORECASE)


@pytest.fixture(scope="session")
async def server() -> AsyncIterator[str]:
    """The web process on a port of its own, in this loop; one for all tests, which bring each
    their own database."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        config = uvicorn.Config(
            litestar_app.create_app(), lifespan="off", log_level="warning", ws="none"
        )
        serving = uvicorn.Server(config)
        task = asyncio.create_task(serving._serve(sockets=[listening]))
        while not serving.started:  # noqa: ASYNC110 - uvicorn offers nothing to wait for
            await asyncio.sleep(0.02)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        serving.should_exit = True
        await task


@pytest.fixture
async def site(database: str, server: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of the web process, which works on this test's database."""
    monkeypatch.setattr(passwords, "hasher", CHEAP)
    monkeypatch.setattr(sessions, "refusal_takes", 0.0)
    await blobs.ensure_bucket()
    return server


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    path = shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("no Chromium: apt-get install chromium")
    async with async_playwright() as playwright:
        opened = await playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield opened
        await opened.close()


@pytest.fixture(scope="session")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pictures of the pages go; DOCFLOW_SCREENSHOTS keeps them."""
    folder = Path(KEPT) if KEPT else tmp_path_factory.mktemp("screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


async def an_account(login: str, organization_id: uuid.UUID, *roles: str) -> uuid.UUID:
    person_id = await people.a_person_at(organization_id)
    account_id = await accounts.create(RULE, person_id=person_id, login=login, password=PASSWORD)
    for role in roles:
        await grants.grant(RULE, account_id=account_id, organization_id=organization_id, role=role)
    return account_id


async def an_authenticator(account_id: uuid.UUID) -> pyotp.TOTP:
    actor = Actor(kind="user", id=account_id, organization_id=None)
    begun = await second_factor.begin(actor, password=PASSWORD)
    one_time = pyotp.TOTP(begun.secret)
    await second_factor.confirm(actor, code=one_time.at(clock.now()))
    # The code just taken is used up; the next log-in may come within its half minute.
    await db.execute("UPDATE account SET totp_last_step = 0 WHERE id = $1", account_id)
    return one_time


def _is_english(text: str) -> bool:
    if catalogue("ru").gettext(text) not in ("", text):
        return True
    if text.startswith("chip: "):
        return not CYRILLIC.search(text)
    return bool(CODE.search(text) or (WORDS.search(text) and not CYRILLIC.search(text)))


class Desk:
    """One person's browser, which watches what pages load and complain of."""

    def __init__(self, page: Page, site: str, gallery: Path, *, is_phone: bool = False) -> None:
        self.page, self.site, self.gallery = page, site, gallery
        self.looks = dict(LOOKS) if not is_phone else {"phone-dark": PHONE}
        self.taps = 0
        self.complaints: list[str] = []
        self.weight = 0
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("requestfinished", self._loaded)

    def _heard(self, message: Any) -> None:
        if message.type in ("error", "warning") and "status of 4" not in message.text:
            self.complaints.append(message.text)

    async def _loaded(self, request: Any) -> None:
        if not request.url.startswith((self.site, "data:")):
            self.complaints.append(f"loaded from outside: {request.url}")
        with contextlib.suppress(PlaywrightError):  # a stream ends with its page
            sizes = await request.sizes()
            self.weight += sizes["responseBodySize"]

    async def _look_for_barriers(self, name: str) -> None:
        await self.page.evaluate(AXE)
        found = await self.page.evaluate(
            """async () => (await axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a",
               "wcag21aa", "wcag22aa", "best-practice"], resultTypes: ["violations"]})).violations
               .filter(one => ["serious", "critical"].includes(one.impact))
               .map(one => one.id + ": " + one.nodes.map(n => n.target + " " + n.html).join(" | "))
            """
        )
        self.complaints += [f"{name}: {one}" for one in found]

    async def _look_for_english(self, name: str) -> None:
        """What a Russian page says in English: a message without its translation, or a code."""
        if await self.page.evaluate("document.documentElement.lang") != "ru":
            return
        said = await self.page.evaluate(SAID)
        self.complaints += [f"{name}: not in Russian: {one}" for one in said if _is_english(one)]

    async def tap(self, place: Locator) -> None:
        """A finger on a phone, a click at a desk; counted."""
        self.taps += 1
        if "desktop-light" in self.looks:
            await place.click()
        else:
            await place.tap()

    async def follow(self, place: Locator) -> None:
        """The same, and wait for the page it leads to."""
        async with self.page.expect_navigation():
            await self.tap(place)

    async def forget_the_code(self, login: str) -> None:
        """The same half minute's code may be used again: a second desk of the same person."""
        await db.execute("UPDATE account SET totp_last_step = 0 WHERE login = $1", login)

    async def log_in(self, login: str, one_time: pyotp.TOTP | None = None) -> None:
        page = self.page
        await page.goto(self.site + "/")
        await page.fill("#login", login)
        await page.fill("#password", PASSWORD)
        await page.click("main button")
        if one_time is not None:
            await page.fill("#code", one_time.at(clock.now()))
            await page.click("main button")
        await page.wait_for_selector("form[action='/logout']")

    async def picture(self, name: str) -> None:
        """The page wide and light, narrow and dark; nothing may stick out sideways.

        axe-core looks at both: no serious or critical finding by the rules of WCAG 2.2 A and AA.
        A Russian page says nothing in English but names (`translate="no"`) and what it quotes.
        Pictures are only taken where they are kept (DOCFLOW_SCREENSHOTS).
        """
        for look, (width, height) in self.looks.items():
            await self.page.set_viewport_size({"width": width, "height": height})
            await self.page.wait_for_load_state()
            await self.page.evaluate(DRAWN)
            wide = await self.page.evaluate(
                "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
            assert wide <= 0, f"{name} sticks out by {wide} px at {look}"
            dark = look.endswith("dark")
            await self.page.emulate_media(color_scheme="dark" if dark else "light")
            if KEPT:
                place = self.gallery / f"{name}-{look}.png"
                await self.page.screenshot(path=place, full_page=True)
            await self._look_for_barriers(f"{name}-{look}")
        await self._look_for_english(name)
        await self.page.emulate_media(color_scheme="light")
        width, height = next(iter(self.looks.values()))
        await self.page.set_viewport_size({"width": width, "height": height})


@pytest.fixture
async def desk(browser: Browser, site: str, gallery: Path) -> AsyncIterator[Any]:
    desks: list[Desk] = []

    async def opened(*, is_phone: bool = False) -> Desk:
        more: dict[str, Any] = {}
        if is_phone:
            more = {"has_touch": True, "is_mobile": True,
                    "viewport": {"width": PHONE[0], "height": PHONE[1]}}  # fmt: skip
        context = await browser.new_context(locale="ru-RU", accept_downloads=True, **more)
        desks.append(Desk(await context.new_page(), site, gallery, is_phone=is_phone))
        return desks[-1]

    yield opened
    for one in desks:
        await one.page.context.close()
    complaints = [complaint for one in desks for complaint in one.complaints]
    assert not complaints, "\n".join(complaints)
