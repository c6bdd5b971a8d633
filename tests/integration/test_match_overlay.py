"""The picture that shows a match: drawn from what the check kept, for those who may see it."""

import io
import uuid

import numpy as np
import pytest
from PIL import Image

from compliance.registers import register
from core import db
from tests import ground, painted
from tests.integration.test_checks_http import checked

pytestmark = pytest.mark.slow


@pytest.fixture
async def office(database: str) -> painted.Office:
    return await painted.an_office(await ground.an_organization("union"))


async def test_whoever_sees_the_check_sees_the_match(office: painted.Office) -> None:
    scene = painted.scene(61)
    picture = await painted.a_picture(office, painted.jpeg(scene))
    stranger = await painted.an_office(await ground.an_organization("union"))
    async with ground.api(office.editor) as editor, ground.api(stranger.editor) as other:
        told = (await checked(editor, painted.jpeg(painted.cropped(scene), quality=80))).json()
        assert [one["level"] for one in told["matches"]] == ["verified"]
        address = f"/api/v1/pictures/checks/{told['id']}/matches"
        shown = await editor.get(f"{address}/{picture}/overlay")
        assert shown.headers["content-type"] == "image/png"
        with Image.open(io.BytesIO(shown.content)) as sheet:
            green = np.asarray(sheet.convert("RGB")).astype(int) - (30, 200, 60)
        outlined = (np.abs(green).max(axis=2) < 12).any(axis=0)
        assert outlined[:900].any()
        assert outlined[924:].any()
        assert (await editor.get(f"{address}/{uuid.uuid4()}/overlay")).status_code == 404
        assert (await other.get(f"{address}/{picture}/overlay")).status_code == 404


async def test_the_same_file_and_a_retired_entry(office: painted.Office) -> None:
    data = painted.jpeg(painted.scene(62))
    picture = await painted.a_picture(office, data)
    async with ground.api(office.editor) as editor:
        told = (await checked(editor, data)).json()
        await register.retire(office.editor, picture, reason="Внесено дважды")  # type: ignore[arg-type]  # reason: id
        assert await db.value("SELECT status FROM picture WHERE id = $1", picture) == "retired"
        shown = await editor.get(f"/api/v1/pictures/checks/{told['id']}/matches/{picture}/overlay")
        assert shown.status_code == 200, shown.text
        assert shown.content.startswith(b"\x89PNG")
