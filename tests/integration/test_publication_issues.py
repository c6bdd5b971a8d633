"""A newspaper issue as a file: every picture checked with its page before it comes out."""

from pathlib import Path
from typing import Any

import pytest

from core import db
from demo import scenes
from tests import ground, picture_ground
from tests.picture_ground import Office, scene

pytestmark = pytest.mark.slow


@pytest.fixture
async def office(database: str, _sandbox: None) -> Office:
    return await picture_ground.an_office()


async def test_an_issue_comes_out_when_all_its_pictures_are_clear(
    office: Office, tmp_path: Path
) -> None:
    await picture_ground.a_licensed(office, scene(1), attribution="")
    await picture_ground.a_claimed(scene(2))
    crop = scenes.as_jpeg(scenes.cropped(scenes.scene(2), share=0.25), quality=80)
    async with ground.api(office.editor) as client:
        issue = await picture_ground.a_page(client, kind="issue", channel="newspaper")
        path = f"/api/v1/publications/{issue}"
        early = await client.post(f"{path}/ready")
        assert (early.status_code, early.json()["code"]) == (409, "issue_file_missing")
        first = await client.put(
            f"{path}/file", content=picture_ground.a_newspaper(tmp_path, scene(1), crop)
        )
        assert first.status_code == 200, first.text
        assert (first.json()["pages"], first.json()["pictures"]) == (2, 2)
        await picture_ground.run_checks()
        shown = (await client.get(path)).json()
        assert [one["outcome"] for one in shown["pictures"]] == ["clear", "blocked"]
        assert [one["places"][0]["page"] for one in shown["pictures"]] == [1, 2]
        removed = await client.post(f"{path}/pictures/{shown['pictures'][1]['id']}/remove")
        assert (removed.status_code, removed.json()["code"]) == (409, "issue_picture")
        stopped = await client.post(f"{path}/ready")
        assert set(stopped.json()["details"]["pictures"]) == {shown["pictures"][1]["id"]}
        docx = await client.put(f"{path}/file", content=picture_ground.a_docx(scene(1)))
        assert (docx.status_code, docx.json()["pictures"]) == (200, 1)
        assert (await client.post(f"{path}/ready")).status_code == 204
        assert (await client.post(f"{path}/publish")).json() == {"uses": 1}


async def test_files_that_are_no_issue(office: Office) -> None:
    async with ground.api(office.editor) as client:
        issue = await picture_ground.a_page(client, kind="issue", channel="newspaper")
        page = await picture_ground.a_page(client)
        wrong: Any
        for target, wrong, status, code in (
            (issue, b"just text", 415, "unsupported_type"),
            (issue, b"%PDF-1.7\nbroken", 422, "broken_pdf"),
            (issue, scene(1), 415, "unsupported_type"),
            (issue, b"", 422, "empty_file"),
            (page, b"%PDF-1.7", 422, "not_an_issue"),
        ):  # fmt: skip
            answer = await client.put(f"/api/v1/publications/{target}/file", content=wrong)
            assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_programs_are_told_of_decisions(office: Office) -> None:
    await picture_ground.a_licensed(office, scene(1))
    await db.execute(
        """INSERT INTO webhook (id, organization_id, url, secret, event_types, created_at)
           VALUES (uuidv7(), $1, 'https://hooks.example.org/a', 'sealed', '{*}', now())""",
        office.home,
    )
    async with ground.api(office.editor) as client:
        page = await picture_ground.a_page(client)
        await picture_ground.put_picture(client, page, scene(1))
        unknown = await picture_ground.put_picture(client, page, scene(3))
        await client.post(f"/api/v1/publications/{page}/ready")
        await client.post(f"/api/v1/publications/{page}/pictures/{unknown['id']}/remove")
        for name in ("ready", "publish"):
            await client.post(f"/api/v1/publications/{page}/{name}")
        await client.post(f"/api/v1/publications/{page}/withdraw", json={"reason": "Ошибка"})
    told = await db.rows("SELECT event_type FROM webhook_message ORDER BY id")
    assert [row["event_type"] for row in told] == [
        "publication.blocked", "publication.ready", "publication.published",
        "publication.withdrawn",
    ]  # fmt: skip
