"""Many at once: one entry, one approval, one chain."""

import asyncio
import hashlib

import pytest

from compliance.checking import checks
from compliance.checking.checks import UseInput
from compliance.registers import register
from compliance.registers.register import PictureCard
from core import db
from core.errors import Conflict
from tests import ground, painted

pytestmark = pytest.mark.slow


@pytest.fixture
async def office(database: str) -> painted.Office:
    return await painted.an_office(await ground.an_organization("union"))


async def test_the_same_picture_entered_at_once(office: painted.Office) -> None:
    data = painted.jpeg(painted.scene(71))
    told = await asyncio.gather(
        *(register.add(office.editor, data=data, card=PictureCard()) for _ in range(4)),
        return_exceptions=True,
    )
    assert len([one for one in told if isinstance(one, Conflict)]) == 3, told
    assert await db.value("SELECT count(*) FROM picture") == 1


async def test_approved_once_and_checked_once_by_key(office: painted.Office) -> None:
    data = painted.jpeg(painted.scene(72))
    picture_id = await painted.a_picture(office, data, approved=False)
    told = await asyncio.gather(
        *(register.approve(who, picture_id) for who in (office.other, office.lawyer)),  # type: ignore[arg-type]  # reason: id
        return_exceptions=True,
    )
    assert len([one for one in told if isinstance(one, Conflict)]) == 1, told
    same = await asyncio.gather(
        *(checks.check(office.editor, data=data, use=UseInput("site"), key="k") for _ in range(3))
    )
    assert len(set(same)) == 1
    assert await db.value("SELECT count(*) FROM picture_check") == 1


async def test_the_chain_holds_under_many_writers(office: painted.Office) -> None:
    await asyncio.gather(
        *(
            register.add(
                office.editor, data=painted.jpeg(painted.scene(80 + n)), card=PictureCard()
            )
            for n in range(6)
        ),
        *(
            checks.check(
                office.editor, data=painted.jpeg(painted.scene(90 + n)), use=UseInput("site")
            )
            for n in range(3)
        ),
    )
    digest = bytes(32)
    for row in await db.rows("SELECT content, digest FROM register_change ORDER BY id"):
        digest = hashlib.sha256(digest + row["content"]).digest()
        assert digest == row["digest"]
    known = {row["digest"] for row in await db.rows("SELECT digest FROM register_change")}
    stated = await db.rows("SELECT register_digest, register_change_id FROM picture_check")
    assert len(stated) == 3
    for row in stated:
        assert row["register_digest"] in known | {bytes(32)}
