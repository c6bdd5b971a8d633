"""Documents made outside: files that name one place twice, and the mark of access."""

from collections.abc import AsyncIterator

import pytest

from core import db
from core.actor import RULE
from docflow.documents import external
from storage import blobs
from tests import ground

pytestmark = pytest.mark.usefixtures("database")


async def _file(content: bytes, position: int) -> external.OutsideFile:
    async def stream() -> AsyncIterator[bytes]:
        yield content

    blob = await blobs.store(stream(), limit=1000)
    return external.OutsideFile(blob, "annex" if position else "main", position, "письмо.txt")


async def test_two_files_of_one_place_are_two_revisions_and_the_last_one_stands() -> None:
    author = RULE.acting_for(await ground.an_organization("union"))
    found = (await _file(b"one", 0), await _file(b"two", 1), await _file(b"three", 1))
    async with db.transaction():
        document_id = await external.enter(
            author, card=external.OutsideCard(kind="letter", title="Ответ", mark="dsp"),
            outside_files=found,
        )  # fmt: skip
    rows = await db.rows(
        """SELECT position, revision, is_current FROM document_file WHERE document_id = $1
           ORDER BY position, revision""",
        document_id,
    )
    assert [tuple(row.values()) for row in rows] == [(0, 1, True), (1, 1, False), (1, 2, True)]
    assert await db.value("SELECT mark FROM document WHERE id = $1", document_id) == "dsp"
