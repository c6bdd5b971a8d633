"""Journeys of the editor and the lawyer in a real browser."""

import io
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.async_api import expect

from core import clock, db
from tests import picture_ground
from tests.desks import Desk, an_account

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def _files(folder: Path, office: Any) -> list[Path]:
    """Ten files: a licensed one, a crop of a claimant's, one that is no picture, strangers."""
    found = []
    for number, data in enumerate(office):
        path = folder / f"Снимок {number + 1}.jpg"
        path.write_bytes(data)
        found.append(path)
    return found


def _cropped(data: bytes) -> bytes:
    with Image.open(io.BytesIO(data)) as image:
        wide, high = image.size
        part = image.crop((wide // 10, high // 10, wide, high))
        out = io.BytesIO()
        part.convert("RGB").save(out, "JPEG", quality=85)
    return out.getvalue()


async def test_ten_pictures_and_a_lawyer(desk: Any, site: str, tmp_path: Path) -> None:
    office = await picture_ground.an_office()
    home = office.editor.home_id
    await an_account("editor", home, "editor")
    await an_account("lawyer", home, "lawyer")
    licensed, claimed = picture_ground.scene(1), picture_ground.scene(2)
    await picture_ground.a_licensed(office, licensed, attribution="Фото: И. Петров")
    await picture_ground.a_claimed(claimed)
    strangers = [picture_ground.scene(number) for number in range(10, 17)]
    files = _files(tmp_path, [licensed, _cropped(claimed), b"no picture", *strangers])

    editor = await desk()
    await _ten(editor, site, files)
    await _question(editor)
    lawyer = await desk()
    await lawyer.log_in("lawyer")
    await _decision(lawyer, site)
    await _uses(lawyer, site, files[0])


async def _ten(editor: Desk, site: str, files: list[Path]) -> None:
    page = editor.page
    await editor.log_in("editor")
    await page.click("nav >> text=Изображения")
    await editor.picture("pictures-empty")
    await page.fill("#caption", "На митинге. Фото: И. Петров")
    await page.set_input_files("#file", files)
    await page.click("#drop button.main")
    answered = page.locator("#answers .result, #answers .problem")
    await expect(answered).to_have_count(10, timeout=120_000)
    text = await page.inner_text("#answers")
    assert "Публиковать можно" in text
    assert "Публиковать нельзя" in text
    assert "Это не изображение" in text
    await editor.picture("pictures-ten")
    assert await db.value("SELECT count(*) FROM picture_check") == 9


async def _question(editor: Desk) -> None:
    page = editor.page
    await page.click(".result.bad >> text=Все причины")
    await page.wait_for_selector(".overlay img")
    await page.wait_for_load_state("networkidle")
    await editor.picture("picture-blocked")
    await page.fill("#question", "Автор передал нам снимок по договору № 7.")
    await page.click("text=Спросить юриста")
    assert "Вопрос передан юристу" in await page.inner_text("main")
    await page.goto(editor.site + "/pictures")
    await editor.picture("pictures-list")
    await page.click("text=Снимок 1.jpg")
    assert "Публиковать можно" in await page.inner_text("h1")
    await editor.picture("picture-clear")


async def _decision(lawyer: Desk, site: str) -> None:
    page = lawyer.page
    await page.goto(site + "/pictures/reviews")
    await lawyer.picture("reviews")
    await page.click(".list a")
    await lawyer.picture("review")
    await page.check("#refused")
    await page.fill("#reason", "Договор не даёт права на сайт.")
    await page.click("text=Записать решение")
    assert "Решение записано" in await page.inner_text("main")
    assert await db.value("SELECT status FROM picture_review") == "refused"


async def _uses(lawyer: Desk, site: str, copy: Path) -> None:
    page = lawyer.page
    await page.goto(site + "/pictures/uses")
    await page.set_input_files("#file", copy)
    await page.click("main button.main")
    assert "Ни одно опубликованное" in await page.inner_text("main")
    await lawyer.picture("uses")
    await page.goto(site + "/pictures/publications")
    await page.select_option("#kind", "issue")
    await page.select_option("#channel", "newspaper")
    await page.fill("#title", "Солидарность, № 44")
    await page.fill("#place", "Солидарность, № 44")
    await page.fill("#planned_on", (clock.today() + timedelta(days=3)).isoformat())
    await page.click("text=Начать")
    await lawyer.picture("publication-empty")
