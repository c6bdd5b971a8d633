"""Events of one change written at once: all of them, in that change's transaction, or none."""

import uuid

import pytest

from audit import events, transitions
from core import clock, db
from core.actor import RULE
from docflow.documents.states import TRANSITIONS, DocumentStatus
from tests import ground, people

pytestmark = pytest.mark.usefixtures("database")


async def _of(subject_id: uuid.UUID) -> list[str]:
    return [row["verb"] for row in await events.of_subject(subject_id)]


async def test_they_stand_after_the_block_in_the_order_of_their_making() -> None:
    subject = clock.new_id()
    async with db.transaction():
        async with events.together():
            await events.record(RULE, "test.first", subject=("test", subject))
            async with events.together():  # the outer block is the one that writes
                await events.record(
                    RULE, "test.second", subject=("test", subject), detail={"name": "Иванова"}
                )
            await events.record(RULE, "test.third", subject=("test", subject))
            assert await _of(subject) == []
        assert await _of(subject) == ["test.first", "test.second", "test.third"]
    kept = await db.value(
        """SELECT p.detail ->> 'name' FROM event_payload AS p JOIN event AS e ON e.id = p.event_id
           WHERE e.subject_id = $1 AND e.detail_sha256 IS NOT NULL""",
        subject,
    )
    assert kept == "Иванова"
    await events.record(RULE, "test.later", subject=("test", subject))
    assert (await _of(subject))[-1] == "test.later"  # nothing is gathered any more


async def test_who_fails_tells_nothing() -> None:
    subject = clock.new_id()

    async def failing() -> None:
        async with db.transaction(), events.together():
            await events.record(RULE, "test.lost", subject=("test", subject))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await failing()
    await events.record(RULE, "test.next", subject=("test", subject))
    assert await _of(subject) == ["test.next"]


async def test_outside_a_transaction_it_refuses() -> None:
    with pytest.raises(RuntimeError, match="transaction"):
        async with events.together():
            pass


async def test_a_move_writes_its_event_at_once_whoever_gathers() -> None:
    clerk = await people.clerk_of(await ground.an_organization("union"))
    (document_id,) = await ground.signed_documents(clerk, 1)
    async with db.transaction(), events.together():
        moved = await transitions.move(
            clerk, "document", document_id, graph=TRANSITIONS, source=DocumentStatus.SIGNED,
            target=DocumentStatus.DISCARDED, verb="document.discarded", document_id=document_id,
        )  # fmt: skip
        assert moved["status"] == DocumentStatus.DISCARDED
        assert (await _of(document_id))[-1] == "document.discarded"
