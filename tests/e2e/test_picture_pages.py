"""Journeys of the editor and the lawyer in a real browser."""

import asyncio
import io
import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.async_api import expect

from core import clock, db
from evidence.log import sequencing
from evidence.packages import exports
from tests import ground, people, picture_ground, twins
from tests.desks import Desk, an_account
from web import words

pytestmark = [pytest.mark.browser, pytest.mark.slow]

CAPTION = "На митинге. Фото: И. Петров"
QUESTION = "Автор передал нам снимок по договору № 7."
ISSUE = "Солидарность, № 44"
WHY = "Договор не даёт права на сайт."


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


def _smaller(data: bytes) -> bytes:
    with Image.open(io.BytesIO(data)) as image:
        out = io.BytesIO()
        image.convert("RGB").resize((360, 270)).save(out, "JPEG", quality=85)
    return out.getvalue()


async def test_ten_pictures_and_a_lawyer(desk: Any, site: str, tmp_path: Path) -> None:
    office = await picture_ground.an_office()
    home = office.editor.home_id
    await an_account("editor", home, "editor")
    await an_account("lawyer", home, "lawyer")
    licensed, claimed = picture_ground.scene(1), picture_ground.scene(2)
    await picture_ground.a_licensed(office, licensed, attribution="Фото: И. Петров")
    await picture_ground.a_claimed(claimed)
    strangers = [_smaller(picture_ground.scene(number)) for number in range(10, 17)]
    files = _files(tmp_path, [licensed, _cropped(claimed), b"no picture", *strangers])

    editor = await desk()
    await editor.log_in("editor")
    before = await twins.traces()
    await _ten(editor, site, files)
    ten = twins.made(before, await twins.traces())
    program = await twins.a_session("editor")
    before = await twins.traces()
    checked = await _checks_over_http(program, files)
    twins.same(ten, twins.made(before, await twins.traces()))

    before = await twins.traces()
    await _question(editor)
    lawyer = await desk()
    await lawyer.log_in("lawyer")
    await _decision(lawyer, site)
    page = twins.made(before, await twins.traces())
    before = await twins.traces()
    await _review_over_http(program, checked[1])
    twins.same(page, twins.made(before, await twins.traces()))


async def test_a_newspaper_and_a_claim(desk: Any, site: str, tmp_path: Path) -> None:
    office = await picture_ground.an_office()
    home = office.editor.home_id
    await an_account("editor", home, "editor")
    await an_account("lawyer", home, "lawyer")
    await people.give_key(home)
    await picture_ground.a_licensed(office, picture_ground.scene(1), attribution="")
    crop = _cropped(picture_ground.scene(2))
    await picture_ground.a_claimed(picture_ground.scene(2))
    pages = picture_ground.a_newspaper(tmp_path, picture_ground.scene(1), crop)
    paper, clean, copy = (tmp_path / name for name in ("Номер.pdf", "Замена.pdf", "Копия.jpg"))
    for path, data in (
        (paper, pages), (copy, _cropped(picture_ground.scene(1))),
        (clean, picture_ground.a_newspaper(tmp_path, picture_ground.scene(1))),
    ):  # fmt: skip
        path.write_bytes(data)
    editor, lawyer = await desk(), await desk()
    await editor.log_in("editor")
    before = await twins.traces()
    await _newspaper(editor, paper, clean)
    page = twins.made(before, await twins.traces())
    program = await twins.a_session("editor")
    before = await twins.traces()
    await _newspaper_over_http(program, paper, clean)
    twins.same(page, twins.made(before, await twins.traces()))
    await lawyer.log_in("lawyer")
    before = await twins.traces()
    await _uses(lawyer, copy)
    page = twins.made(before, await twins.traces())
    program = await twins.a_session("lawyer")
    before = await twins.traces()
    await twins.did(await program.post("/api/v1/pictures/uses/search", content=copy.read_bytes()))
    twins.same(page, twins.made(before, await twins.traces()))
    package = await _package(lawyer, tmp_path)
    anybody = await desk(is_phone=True)
    await _check(anybody, package)


async def _ten(editor: Desk, site: str, files: list[Path]) -> None:
    page = editor.page
    await page.click("nav >> text=Изображения")
    await editor.picture("pictures-empty")
    await page.fill("#caption", CAPTION)
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
    await page.fill("#question", QUESTION)
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
    await page.fill("#reason", WHY)
    await page.click("text=Записать решение")
    assert "Решение записано" in await page.inner_text("main")
    assert await db.value("SELECT status FROM picture_review") == "refused"


async def _checks_over_http(program: Any, files: list[Path]) -> list[str]:
    """The same ten; one of them is no picture."""
    made = []
    for path in files:
        data = await asyncio.to_thread(path.read_bytes)
        answer = await program.post(
            "/api/v1/pictures/checks",
            files={"picture": (path.name, data, "image/jpeg")},
            data={"use": json.dumps({"channel": "site", "caption": CAPTION})},
        )
        if answer.is_success:
            made.append(str(answer.json()["id"]))
        else:
            assert (answer.status_code, data) == (422, b"no picture"), answer.text
    assert len(made) == len(files) - 1
    return made


async def _review_over_http(program: Any, check_id: str) -> None:
    asked = await twins.did(await program.post(
        f"/api/v1/pictures/checks/{check_id}/reviews", json={"question": QUESTION}
    ))  # fmt: skip
    lawyer = await twins.a_session("lawyer")
    await twins.did(await lawyer.post(
        f"/api/v1/pictures/reviews/{asked['id']}/decide",
        json={"verdict": "refused", "reason": WHY},
    ))  # fmt: skip


async def _newspaper(editor: Desk, paper: Path, clean: Path) -> None:
    """An issue page by page; the one that stands in the way, then the issue without it."""
    page = editor.page
    await page.goto(editor.site + "/pictures/publications")
    await page.select_option("#kind", "issue")
    await page.select_option("#channel", "newspaper")
    await page.fill("#title", ISSUE)
    await page.fill("#place", ISSUE)
    await page.fill("#planned_on", clock.today().isoformat())
    await editor.follow(page.locator("text=Начать"))
    await editor.picture("publication-empty")
    for path in (paper, clean):
        await page.set_input_files("#file", path)
        await editor.follow(page.locator("button", has_text="Прочитать файл"))
        await picture_ground.run_checks()
        await page.reload()
        if path == paper:
            assert "Страница 2" in await page.inner_text("main")
            assert "мешает 1" in await page.inner_text(".message.problem")
            await editor.picture("publication-pages")
    await editor.follow(page.locator("button", has_text="Готово"))
    await editor.follow(page.locator("button", has_text="Опубликовать"))
    assert await db.value("SELECT status FROM publication") == "published"
    await editor.picture("publication-published")


async def _newspaper_over_http(program: Any, paper: Path, clean: Path) -> None:
    made = await twins.did(await program.post("/api/v1/publications", json={
        "kind": "issue", "channel": "newspaper", "title": ISSUE, "place": ISSUE,
        "planned_on": clock.today().isoformat(),
    }))  # fmt: skip
    at = f"/api/v1/publications/{made['id']}"
    for path in (paper, clean):
        await twins.did(await program.put(
            f"{at}/file", params={"file_name": path.name},
            content=await asyncio.to_thread(path.read_bytes),
        ))  # fmt: skip
        await picture_ground.run_checks()
    await twins.did(await program.post(f"{at}/ready"))
    await twins.did(await program.post(f"{at}/publish"))


async def _uses(lawyer: Desk, copy: Path) -> None:
    """Every use of what a claimant sent a copy of."""
    page = lawyer.page
    await page.goto(lawyer.site + "/pictures/uses")
    await page.set_input_files("#file", copy)
    await lawyer.follow(page.locator("main button.main"))
    assert ISSUE in await page.inner_text(".list")
    await lawyer.picture("uses")


async def _package(lawyer: Desk, folder: Path) -> Path:
    """The evidence package of that use, asked for, made by the worker, taken."""
    page = lawyer.page
    await lawyer.follow(page.locator("text=Доказательства >> nth=1"))
    subject = await page.input_value("#subject_id")
    wanted = {"purpose": "Ответ на претензию", "basis": "Претензия от 20.11.2026",
              "recipient": "Юрист правообладателя"}  # fmt: skip
    for name, text in wanted.items():
        await page.fill(f"#{name}", text)
    await lawyer.picture("evidence-asked")
    before = await twins.traces()
    await lawyer.follow(page.locator("button", has_text="Подготовить пакет"))
    made = twins.made(before, await twins.traces())
    export_id = await db.value("SELECT id FROM evidence_export")
    program = await twins.a_session("lawyer")
    before = await twins.traces()
    body = wanted | {"kind": "picture", "subject_id": subject}
    await twins.did(await program.post("/api/v1/evidence/exports", json=body))
    twins.same(made, twins.made(before, await twins.traces()))
    await sequencing.take()
    await exports.build(export_id)
    await page.reload()
    await lawyer.picture("evidence-ready")
    async with page.expect_download() as downloading:
        await page.click("a[href$='/package']")
    path = folder / "evidence.zip"
    await (await downloading.value).save_as(path)
    return path


async def _check(anybody: Desk, package: Path) -> None:
    """Anybody has it checked, without an account and without a trace."""
    page = anybody.page
    await page.goto(anybody.site + "/check")
    await anybody.picture("check-empty")
    await page.set_input_files("#file", package)
    before = await twins.traces()
    await anybody.follow(page.locator("main button.main"))
    text = await page.inner_text(".result")
    assert "повреждён" not in text
    await anybody.picture("check-package")
    assert twins.made(before, await twins.traces()) == {}
    async with ground.api() as program:
        sent = {
            "file": ("evidence.zip", await asyncio.to_thread(package.read_bytes), "application/zip")
        }
        answer = await program.post("/api/v1/check", files=sent)
    told = answer.json()
    assert (answer.status_code, told["kind"], told["verdict"]) == (200, "package", "whole")
    said = words.said(words.PACKAGES, told["verdict"])
    assert said in text, "the page says what the program is told"
    assert twins.made(before, await twins.traces()) == {}
