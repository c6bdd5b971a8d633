"""The pictures of the README, taken of the pages as they are.

DOCFLOW_README_PICTURES=docs/pictures .venv/bin/python -m pytest tests/e2e/test_readme_pictures.py
"""

import io
import os
import uuid
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from core import db
from directory import dataset
from directory.selection import Selector
from docflow.documents import registration, signing
from docflow.routing import deliveries, dispatch, relay
from docflow.routing.resolutions import Resolution
from tests import letters, people, picture_ground
from tests.desks import Desk, an_account, an_authenticator

FOLDER = os.environ.get("DOCFLOW_README_PICTURES", "")
pytestmark = [
    pytest.mark.browser, pytest.mark.slow,
    pytest.mark.skipif(not FOLDER, reason="DOCFLOW_README_PICTURES names no folder"),
]  # fmt: skip

TITLES = (
    "О проведении отчётно-выборной кампании в 2026 году", "О Всероссийской спартакиаде",
    "О сборе предложений в отраслевое соглашение", "О днях охраны труда",
)  # fmt: skip


async def _keep(shown: Desk, name: str, *, height: int = 800) -> None:
    """The window as a small PNG: 256 colours are enough for a page."""
    page = shown.page
    wide = page.viewport_size["width"] if page.viewport_size else 1280
    await page.set_viewport_size({"width": wide, "height": height})
    await page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
    taken = await page.screenshot()
    with Image.open(io.BytesIO(taken)) as picture:
        small = picture.convert("RGB").quantize(64)
        small.save(Path(FOLDER) / f"{name}.png", optimize=True)


async def _sent(registry: dataset.Dataset) -> list[uuid.UUID]:
    """Letters through the chanceries; the region has passed the first one on."""
    union = registry.health_union_id
    clerk = await people.clerk_of(union)
    made = []
    for title in TITLES:
        document_id = await letters.a_numbered(clerk, title=title)
        wanted = dispatch.DispatchInput(
            selector=Selector(subtree_of=union), mode="chancery",
            deadlines={"regional": people.in_days(20), "primary": people.in_days(12)},
        )  # fmt: skip
        await dispatch.send(clerk, document_id, wanted=wanted)
        made.append(document_id)
    for place in (registry.relay_regional_id, registry.relay_local_id):
        relayer = await people.clerk_of(place)
        found = await db.rows(
            "SELECT id FROM delivery WHERE document_id = ANY ($1) AND recipient_id = $2",
            made[:2], place,
        )  # fmt: skip
        for row in found:
            text = Resolution("Довести до первичных организаций под роспись.")
            await relay.pass_on(relayer, row["id"], resolution=text)
    return made


async def _answered(document_id: uuid.UUID, number: int) -> None:
    rows = await db.rows(
        """SELECT id, recipient_id FROM delivery WHERE document_id = $1
           AND recipient_kind = 'primary' AND status = 'delivered' ORDER BY id LIMIT $2""",
        document_id, number,
    )  # fmt: skip
    for row in rows:
        reader = await people.clerk_of(row["recipient_id"])
        await deliveries.open_delivery(reader, row["id"])
        await deliveries.acknowledge(reader, row["id"])


async def test_the_pictures_of_the_readme(desk: Any, site: str) -> None:
    Path(FOLDER).mkdir(parents=True, exist_ok=True)  # noqa: ASYNC240 - once, before anything runs
    registry = dataset.generate("S")
    await dataset.load(registry)
    union = registry.health_union_id
    await people.give_key(union)
    first, second, *_ = await _sent(registry)
    await _answered(first, 3)
    one_time = await an_authenticator(await an_account("clerk", union, "clerk", "signatory"))
    await an_account("region", registry.relay_regional_id, "clerk")
    author = await people.clerk_of(union)
    waiting = await letters.a_draft(author, title="О бюджете на 2027 год")
    await signing.submit(author, waiting)

    clerk = await desk()
    await clerk.log_in("clerk", one_time)
    await clerk.page.goto(f"{site}/documents/{first}/control")
    await _keep(clerk, "control")
    await clerk.page.goto(f"{site}/documents/{await _unsent(author)}/dispatch")
    await clerk.page.check("#subtree")
    await clerk.page.check("#chancery")
    await clerk.page.wait_for_selector("#plan .bar")
    await _keep(clerk, "dispatch")
    region = await desk()
    await region.log_in("region")
    await _keep(region, "inbox")
    await region.page.goto(f"{site}/documents/{second}")
    await region.page.wait_for_load_state("networkidle")
    await _keep(region, "letter", height=900)
    await _phone(desk, second)
    await _picture(desk)


async def _unsent(author: people.Actor) -> uuid.UUID:
    document_id = await letters.a_draft(author, title="О детской оздоровительной кампании")
    await signing.submit(author, document_id)
    await signing.seal(author, document_id)
    await registration.register(author, document_id)
    return document_id


async def _phone(desk: Any, document_id: uuid.UUID) -> None:
    primary = await db.value(
        """SELECT recipient_id FROM delivery WHERE document_id = $1 AND recipient_kind = 'primary'
           AND status = 'delivered' ORDER BY id DESC LIMIT 1""",
        document_id,
    )
    await an_account("chairman", primary, "clerk", "signatory")
    await db.execute("DELETE FROM role_grant WHERE role = 'signatory'")
    phone = await desk(is_phone=True)
    await phone.log_in("chairman")
    await _keep(phone, "phone", height=844)


async def _picture(desk: Any) -> None:
    office = await picture_ground.an_office()
    await an_account("editor", office.home, "editor")
    await db.execute(
        "UPDATE organization SET name = 'Редакция газеты «Профсоюзный вестник»' WHERE id = $1",
        office.home,
    )
    await picture_ground.a_claimed(picture_ground.scene(2))
    editor = await desk()
    page = editor.page
    await editor.log_in("editor")
    await page.goto(editor.site + "/pictures")
    await page.set_input_files(
        "#file",
        {"name": "Снимок.jpg", "mimeType": "image/jpeg", "buffer": picture_ground.scene(2)},
    )
    await page.click("#drop button.main")
    await page.click(".result.bad >> text=Все причины")
    await page.wait_for_selector(".overlay img")
    await page.wait_for_load_state("networkidle")
    await _keep(editor, "picture", height=900)
