"""Two nodes exchange documents over TLS: there, back, later states, answers, recalls, refusals."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from core import db
from docflow.routing import control, deliveries, recall
from docflow.routing.nodes import receipts
from tests import nodes_rig, people
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
