"""Two nodes exchange documents over TLS: there, back, later states, answers, recalls, refusals."""

import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from core import clock, db
from docflow.routing import (
    answers,
    carriers,
    carrying,
    consignments,
    control,
    deliveries,
    inbox,
    recall,
    relay,
)
from docflow.routing.nodes import receipts
from docflow.routing.nodes.sending import NODE
from tests import ground, nodes_rig, people
from tests.nodes_rig import Body, Node

pytestmark = pytest.mark.slow

BODIES = [
    Body("C", "center", None, "center"),
    Body("U", "union", "C", "center"),
    Body("R", "regional", "U", "region"),
    *(Body(f"P-{number}", "primary", "R", "region") for number in range(3)),
    Body("Q", "primary", "U", "center"),
]


@pytest.fixture
async def pair(template: str, tmp_path: Path) -> AsyncIterator[tuple[Node, Node]]:
    async with nodes_rig.nodes(template, tmp_path, {"center": "C", "region": "R"}) as made:
        for node in made:
            await node.start_web()
        await nodes_rig.settle(made, BODIES)
        for node in made:
            await node.start_worker()
        yield made[0], made[1]


async def test_there_and_back_with_later_states(pair: tuple[Node, Node]) -> None:
    center, region = pair
    author = center.clerks["U"]
    async with center.inside():
        await people.give_key(author.home_id)
        document_id = await nodes_rig.a_circular(author)
        await nodes_rig.sent(author, document_id)

        async def arrived() -> bool:
            return await nodes_rig.states(document_id) == {"delivered": 5}

        await nodes_rig.until(arrived)
        counted = await receipts.recount(author, document_id)
        assert counted["agree"]
        assert counted["from_receipts"] == {"delivered": 5}
        assert counted["receipts"] == 1
    async with region.inside():
        row = await db.row("SELECT * FROM document WHERE origin = 'external'")
        assert row is not None
        clerk = region.clerks["R"]
        delivery_id = await db.value(
            "SELECT id FROM delivery WHERE document_id = $1 AND recipient_id = $2",
            row["id"], clerk.home_id,
        )  # fmt: skip
        await deliveries.open_delivery(clerk, delivery_id)
        await deliveries.acknowledge(clerk, delivery_id)
        verdicts = await db.rows("SELECT verdict FROM signature WHERE document_id = $1", row["id"])
        assert [one["verdict"] for one in verdicts] == ["valid"]
    async with center.inside():

        async def acknowledged() -> bool:
            return (await nodes_rig.states(document_id)).get("acknowledged") == 1

        await nodes_rig.until(acknowledged)
        listed = await control.recipients(author, document_id, statuses=["acknowledged"])
        assert [(one["code"], one["last_name"]) for one in listed] == [("R", "Иванова")]
        assert (await receipts.recount(author, document_id))["agree"]
        await recall.recall(author, document_id, reason="Отправлено по ошибке")
    async with region.inside():

        async def recalled() -> bool:
            return bool(await db.value("SELECT status = 'recalled' FROM document"))

        await nodes_rig.until(recalled)
        assert await nodes_rig.states(row["id"]) == {"recalled": 4}


async def test_a_chancery_on_another_node_passes_it_on_and_it_is_answered(
    pair: tuple[Node, Node],
) -> None:
    """The relay lives with the region, one behind it with the center; an answer comes back."""
    center, region = pair
    author = center.clerks["U"]
    async with center.inside():
        await people.give_key(author.home_id)
        document_id = await nodes_rig.a_circular(author)
        await nodes_rig.sent(author, document_id, mode="chancery")
        before = await nodes_rig.states(document_id)
        assert before["awaiting_relay"] == 3
    async with region.inside():

        async def came() -> object:
            return await db.value("SELECT count(*) = 4 FROM delivery")

        await nodes_rig.until(came)
        clerk = region.clerks["R"]
        received = await db.value("SELECT id FROM document")
        assert await nodes_rig.states(received) == {"delivered": 1, "awaiting_relay": 3}
        delivery_id = await ground.delivery_to(received, clerk.home_id)
        hop = await relay.pass_on(clerk, delivery_id, resolution="Исполнить до 1 декабря")
        assert hop.passed == 3
        await people.give_key(clerk.home_id)
        reply = await nodes_rig.a_circular(clerk, title="Отчёт об исполнении", kind="appeal")
        await answers.answer(clerk, delivery_id, document_id=reply)
    async with center.inside():

        async def executed() -> object:
            return await nodes_rig.states(document_id) == {"executed": 1, "delivered": 4}

        await nodes_rig.until(executed)
        (seen,) = await relay.hops_seen(author, document_id)
        assert (seen["id"], seen["number"], seen["passed"]) == (hop.hop_id, hop.number, 3)
        counted = await receipts.recount(author, document_id)
        assert counted["agree"], counted

        async def answered() -> object:
            return await db.value(
                """SELECT true FROM answer AS a JOIN document_link AS l ON l.from_id = a.document_id
                   WHERE l.to_id = $1 AND l.kind = 'reply_to'""",
                document_id,
            )

        await nodes_rig.until(answered)
        assert len(await inbox.inbox(author)) == 1


@pytest.fixture
async def old_and_new(template: str, tmp_path: Path) -> AsyncIterator[tuple[Node, Node]]:
    tops = {"center": "C", "region": "R"}
    async with nodes_rig.nodes(template, tmp_path, tops, versions={"region": "1"}) as made:
        for node in made:
            await node.start_web()
        await nodes_rig.settle(made, BODIES)
        yield made[0], made[1]


async def test_versions_differ_by_one_and_an_update_is_noticed(
    old_and_new: tuple[Node, Node],
) -> None:
    center, region = old_and_new
    author = center.clerks["U"]
    async with center.inside():
        await people.give_key(author.home_id)
        for version, running in ((1, "1"), (2, "1,2"), (1, "1")):
            if running != region.environment["NODE_VERSIONS"]:
                assert region.web is not None
                await region.web.kill()
                region.environment["NODE_VERSIONS"] = running
                await region.start_web()
                if version == 2:  # told by a statement; going back is found out by being declined
                    await db.execute("UPDATE node SET versions = '{1,2}' WHERE id = $1", region.id)
            document_id = await nodes_rig.a_circular(author, title=f"Версия {version}")
            await nodes_rig.sent(author, document_id, "R")
            dispatch_id = await db.value(
                "SELECT id FROM dispatch WHERE document_id = $1", document_id
            )
            await consignments.make(dispatch_id)

            async def arrived(document_id: uuid.UUID = document_id) -> object:
                await db.execute(nodes_rig.HURRY[0])
                await carriers.carry_waiting()
                return await nodes_rig.states(document_id) == {"delivered": 1}

            await nodes_rig.until(arrived)
            spoken = await db.value(
                "SELECT version FROM node_outgoing WHERE document_id = $1", document_id
            )
            assert spoken == version


async def test_a_lost_answer_and_a_large_file(old_and_new: tuple[Node, Node]) -> None:
    """The receipt is lost on the wire; the next try of the same message is a duplicate."""
    center, region = old_and_new
    author = center.clerks["U"]
    async with center.inside():
        await people.give_key(author.home_id)
        annex = b"0123456789abcdef" * (1 << 20)
        document_id = await nodes_rig.a_circular(author, annex=annex)
        await nodes_rig.sent(author, document_id, "R", "P-0")
        dispatch_id = await db.value("SELECT id FROM dispatch WHERE document_id = $1", document_id)
        await consignments.make(dispatch_id)
        for mode in ("once", "once", "once", "once", "cut", "open", "open"):
            region.wire.mode = mode
            await db.execute("UPDATE consignment SET next_attempt_at = NULL")
            await db.execute("DELETE FROM channel_gate")
            (message,) = await carrying.claim(NODE, carrier_id=clock.new_id(), room=1) or (None,)
            if message is None:
                break
            carrier_id = await db.value("SELECT carrier_id FROM consignment")
            outcome = await carrying.carry(NODE, message, carrier_id=carrier_id)
            if outcome.kind == "delivered":
                break
            assert outcome.code == "node_unreachable"
        region.wire.mode = "open"
        assert await nodes_rig.states(document_id) == {"delivered": 2}
        assert (await receipts.recount(author, document_id))["agree"]
        assert region.wire.lost >= 3
    async with region.inside():
        assert await db.value("SELECT count(*) FROM document") == 1
        assert await db.value("SELECT count(*) FROM delivery") == 2
        sizes = await db.rows("SELECT size FROM document_file ORDER BY size DESC")
        assert sizes[0]["size"] == len(annex)
