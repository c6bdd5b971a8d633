"""Checks end to end: bytes in, a verdict with its reasons out, the same in ten years."""

import pytest

from compliance import checks
from compliance.checks import UseInput
from tests import ground, painted


@pytest.fixture
async def office(database: str) -> painted.Office:
    return await painted.an_office(await ground.an_organization("union"))


async def test_unknown_then_licensed(office: painted.Office) -> None:
    data = painted.jpeg(painted.scene(1))
    first = await checks.check(office.editor, data=data, use=UseInput("site"))
    shown = await checks.show(office.editor, first)
    assert shown.outcome == "needs_licence"
    assert [one.code for one in shown.verdict.reasons] == ["origin_unknown"]
    picture_id = await painted.a_picture(office, data)
    await painted.a_licence(office, picture_id)
    smaller = painted.jpeg(painted.scene(1).resize((450, 320)), quality=70)
    for copy in (data, smaller):
        check_id = await checks.check(office.editor, data=copy, use=UseInput("site"))
        shown = await checks.show(office.editor, check_id)
        assert shown.outcome == "clear", shown.verdict.reasons
        assert (await checks.replay(office.editor, check_id)).is_same
