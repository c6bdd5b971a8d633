"""The menu: one line on a telephone, unfolded by finger or key, without script; whole at a desk."""

from typing import Any

import pytest
from playwright.async_api import Browser

from tests import ground
from tests.desks import PASSWORD, Desk, an_account, an_authenticator

pytestmark = [pytest.mark.browser, pytest.mark.slow]

ROLES = {
    "chairman": ("signatory", "clerk"), "clerk": ("clerk",), "administrator": ("administrator",),
    "lawyer": ("lawyer",),
}  # fmt: skip
LOOKS = {"desktop-light": (1280, 900), "desktop-dark": (1280, 900), "small-light": (360, 740),
         "small-dark": (360, 740)}  # fmt: skip
SMALL = {"width": 360, "height": 740}
ALWAYS = 3
"""Links that stay at most: the inbox, what waits for a signature, the page one is on."""


async def _shown(desk: Desk) -> int:
    found = await desk.page.locator(".top nav a").all()
    return sum([await one.is_visible() for one in found])


@pytest.mark.parametrize("who", ROLES)
async def test_the_menu_folds_on_a_telephone(desk: Any, who: str) -> None:
    home = await ground.an_organization("center")
    one_time = await an_authenticator(await an_account(who, home, *ROLES[who]))
    person: Desk = await desk()
    person.looks = LOOKS
    await person.log_in(who, one_time)
    page, menu = person.page, person.page.locator(".menu > summary")
    await page.goto(person.site + "/organizations")
    everything = await page.locator(".top nav a").count()
    assert await _shown(person) == everything
    assert not await menu.is_visible()
    await person.picture(f"menu-{who}")

    await page.set_viewport_size(SMALL)
    assert await _shown(person) <= ALWAYS < everything
    assert await page.locator(".top nav a[aria-current]").is_visible()
    await menu.focus()
    for key, shown in (("Enter", everything), ("Space", None), ("Space", everything)):
        await page.keyboard.press(key)
        assert await _shown(person) == shown or (shown is None and await _shown(person) <= ALWAYS)
    await person.picture(f"menu-{who}-unfolded")
    await page.set_viewport_size(SMALL)
    await page.keyboard.press("Tab")
    assert await page.evaluate("document.activeElement.closest('.top nav') !== null")


async def test_a_short_menu_is_not_folded(desk: Any) -> None:
    home = await ground.an_organization("center")
    await an_account("editor", home, "editor")
    editor: Desk = await desk()
    editor.looks = LOOKS
    await editor.log_in("editor")
    assert await editor.page.locator(".menu").count() == 0
    await editor.page.set_viewport_size(SMALL)
    assert await _shown(editor) == await editor.page.locator(".top nav a").count() == ALWAYS
    await editor.picture("menu-editor")


async def test_the_menu_unfolds_without_script(browser: Browser, site: str) -> None:
    await an_account("clerk", await ground.an_organization("union"), "clerk")
    context = await browser.new_context(java_script_enabled=False, viewport=SMALL)
    page = await context.new_page()
    await page.goto(site + "/")
    await page.fill("#login", "clerk")
    await page.fill("#password", PASSWORD)
    await page.click("main button")
    link = page.locator(".top nav a[href='/notices']")
    assert not await link.is_visible()
    await page.click(".menu > summary")
    await link.click()
    assert page.url.endswith("/notices")
    await context.close()
