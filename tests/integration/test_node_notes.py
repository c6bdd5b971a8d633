"""Statements, reports, disputes: who lives where, what became of ours elsewhere; in any order."""

import asyncio
import itertools
import uuid
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from core import clock, db
from core.errors import Conflict, InvalidInput
from directory.selection import Selector
from docflow.gateways.node import keys
from docflow.gateways.node.messages import Hop, Identity, Report, State, Statement, Who
from docflow.routing import carrying, consignments, control, relay
from docflow.routing.carriage import Consignment
from docflow.routing.channels import CHANNELS
from docflow.routing.nodes import composing, own, peers, receipts, residence
from tests import ground, node_neighbour, people
from tests.node_neighbour import Home, Neighbour


@pytest.fixture
async def home(database: str) -> AsyncIterator[Home]:
    async with node_neighbour.a_home() as made:
        yield made


def statement(
    they: Neighbour, number: int, *codes: str, more: tuple[keys.SigningKey, ...] = ()
) -> Statement:
    now = clock.now()
    known = tuple(
        keys.key_info(key.private.public_key().public_bytes_raw(),
                      valid_from=now - timedelta(days=1), valid_to=now + timedelta(days=30))
        for key in (they.key, *more)
    )  # fmt: skip
    identity = Identity(node=they.id, name="Центр", keys=known, versions=(1, 2), time=now)
    return Statement(
        uid=clock.new_id(), number=number, issued_at=now, identity=identity, serves=codes
    )


async def channels(code: str) -> list[str]:
    found: list[str] = await db.value("SELECT channels FROM organization WHERE code = $1", code)
    return found


async def lives_with(code: str) -> uuid.UUID | None:
    found = await db.value(
        """SELECT r.node_id FROM node_residence AS r JOIN organization AS o
           ON o.id = r.organization_id WHERE o.code = $1""",
        code,
    )
    return None if found is None else uuid.UUID(str(found))


@pytest.mark.slow
async def test_statements_count_up_and_move_organizations(home: Home) -> None:
    they = home.neighbour
    for code in ("A-1", "A-2"):
        made = await ground.an_organization("primary")
        await db.execute("UPDATE organization SET code = $2 WHERE id = $1", made, code)
    first = statement(they, 5, "N-1", "A-1", "Z-99")
    assert (await they.note(first)).status == "accepted"
    assert (await they.note(first)).status == "duplicate"
    assert await channels("A-1") == ["node"]
    assert await channels("A-2") == ["internal"]
    for number in (5, 4):
        old = await they.note(statement(they, number, "N-1", "A-2"))
        assert (old.status, old.reason) == ("refused", "statement_old")
    assert await lives_with("A-2") is None
    assert (await they.note(statement(they, 6, "N-1", "A-2"))).status == "accepted"
    assert (await channels("A-1"), await lives_with("A-1")) == (["internal"], None)
    assert (await channels("A-2"), await lives_with("A-2")) == (["node"], they.id)


@pytest.mark.slow
async def test_a_dispute_is_seen_and_decided_by_an_administrator(home: Home) -> None:
    they = home.neighbour
    await they.note(statement(they, 1, "N-1", "P-0", "P-1"))
    assert await lives_with("P-0") == they.our_id, "who holds it holds it until it is decided"
    assert await db.value("SELECT count(*) FROM notice WHERE kind = 'node_conflict'") == 1
    disputed = {row["code"]: row for row in await residence.conflicts(home.admin)}
    assert set(disputed) == {"P-0", "P-1"}
    with pytest.raises(InvalidInput):
        await residence.decide(home.admin, disputed["P-0"]["id"], for_node=clock.new_id())
    await residence.decide(home.admin, disputed["P-0"]["id"], for_node=they.id)
    await residence.decide(home.admin, disputed["P-1"]["id"], for_node=they.our_id)
    with pytest.raises(Conflict):
        await residence.decide(home.admin, disputed["P-1"]["id"], for_node=they.id)
    assert (await lives_with("P-0"), await channels("P-0")) == (they.id, ["node"])
    assert (await lives_with("P-1"), await channels("P-1")) == (they.our_id, ["internal"])
    await they.note(statement(they, 2, "N-1", "P-0", "P-1"))
    assert {row["status"] for row in await residence.conflicts(home.admin)} == {"decided"}
    await they.note(statement(they, 3, "N-1"))
    assert await residence.conflicts(home.admin) == []


@pytest.mark.slow
async def test_a_new_key_comes_by_a_statement_signed_with_the_old_one(home: Home) -> None:
    they, (fresh, _) = home.neighbour, keys.new_key()
    await they.note(statement(they, 1, "N-1", more=(fresh,)))
    they.key, old = fresh, they.key
    assert (await they.note(statement(they, 2, "N-1"))).status == "accepted"
    answer = await they.ask("POST", "/notes", b"{}", key=old)
    assert (answer.status_code, answer.json()["code"]) == (401, "node_key_revoked")


@pytest.mark.slow
async def test_our_own_next_key_signs_from_its_day(home: Home) -> None:
    first = await own.signing_key()
    shown = await own.rotate(home.admin, starts_at=clock.now() + timedelta(days=7))
    assert (await own.signing_key()).kid == first.kid
    assert len((await own.identity()).keys) == 2
    with clock.frozen(clock.now() + timedelta(days=8)):
        second = await own.signing_key()
        assert keys.fingerprint(second.kid) == shown
    listed = await peers.listed(home.admin)
    assert len(listed[0]["keys"]) == 2
    with clock.frozen(clock.now() + timedelta(days=800)), pytest.raises(Exception, match="expired"):
        await own.signing_key()


@pytest.mark.slow
async def test_confirming_needs_the_right_fingerprint(home: Home) -> None:
    key, _ = keys.new_key()
    node_id = clock.new_id()
    await db.execute(
        """INSERT INTO node (id, name, base_url, status, versions, created_at, updated_at)
           VALUES ($1, 'Третий', 'https://third.test', 'waiting', '{2}', $2, $2)""",
        node_id, clock.now(),
    )  # fmt: skip
    await node_neighbour.give_key(node_id, key, is_confirmed=False)
    with pytest.raises(InvalidInput, match="fingerprint_differs"):
        await peers.confirm(
            home.admin, node_id, fingerprint=keys.fingerprint(keys.new_key()[0].kid)
        )
    await peers.confirm(home.admin, node_id, fingerprint=keys.fingerprint(key.kid))
    assert (await peers.peer(node_id)).status == "active"
    primary = await people.clerk_of(home.primaries[0], "administrator")
    with pytest.raises(Exception, match="node_keeper_needed"):
        await peers.suspend(primary, node_id, reason="Чужой администратор")


async def claimed(home: Home) -> Consignment:
    """A document of ours about to go to the neighbour's union."""
    union = await db.value("SELECT id FROM organization WHERE code = 'N-1'")
    document_id = await ground.a_sent(home.admin, union)
    dispatch_id = await db.value("SELECT id FROM dispatch WHERE document_id = $1", document_id)
    await consignments.make(dispatch_id)
    (message,) = await carrying.claim(CHANNELS["node"], carrier_id=clock.new_id(), room=1)
    return message


async def sent_there(home: Home) -> tuple[uuid.UUID, uuid.UUID]:
    """A document of ours on its way to the neighbour's union; document and delivery."""
    message = await claimed(home)
    peer = await peers.peer(home.neighbour.id)
    await composing.frozen(message, peer, version=2)
    return message.document_id, message.deliveries[0].delivery_id


async def test_a_manifest_made_by_several_at_once_is_one(home: Home) -> None:
    message, peer = await claimed(home), await peers.peer(home.neighbour.id)
    await asyncio.gather(*(db.value("SELECT pg_sleep(0.1)") for _ in range(4)))  # connections
    made = await asyncio.gather(
        *(composing.frozen(message, peer, version=version) for version in (2, 1, 2, 1))
    )
    assert len({(bytes(one["manifest"]), one["version"]) for one in made}) == 1
    assert await db.value("SELECT count(*) FROM node_outgoing") == 1
    assert await db.value("SELECT count(*) FROM node_carried") == len(message.deliveries)


def told(document_id: uuid.UUID, *states: State) -> Report:
    return Report(uid=clock.new_id(), document=document_id, states=states)


@pytest.mark.slow
async def test_reports_in_any_order_lead_to_the_same_end(home: Home) -> None:
    they, now = home.neighbour, clock.now()
    who = Who(id=clock.new_id(), last_name="Сидорова", first_name="Анна", post="Председатель")
    facts: dict[str, Any] = {"delivered_at": now, "acknowledged_at": now, "acknowledged_by": who}
    for order in itertools.permutations(range(3)):
        document_id, delivery_id = await sent_there(home)
        steps = [
            State(delivery=delivery_id, status="delivered", delivered_at=now),
            State(delivery=delivery_id, status="acknowledged", **facts),
            State(delivery=delivery_id, status="executed", executed_at=now, **facts),
        ]
        for place in order:
            assert (await they.note(told(document_id, steps[place]))).status == "accepted"
        row = await db.row("SELECT * FROM delivery WHERE id = $1", delivery_id)
        assert row is not None
        assert (row["status"], row["acknowledged_by"]) == ("executed", who.id)
        counted = await receipts.recount(home.admin, document_id)
        assert (counted["agree"], counted["receipts"]) == (True, 3)
        assert counted["from_receipts"] == {"executed": 1}
        (line,) = await control.recipients(home.admin, document_id)
        assert line["last_name"] == "Сидорова"


@pytest.mark.slow
async def test_a_node_reports_only_on_what_went_to_it(home: Home) -> None:
    they = home.neighbour
    document_id = await ground.a_sent(home.admin, home.primaries[0])
    delivery_id = await ground.delivery_to(document_id, home.primaries[0])
    state = State(delivery=delivery_id, status="executed", executed_at=clock.now())
    answer = await they.note(told(document_id, state))
    assert (answer.status, answer.reason) == ("refused", "delivery_unknown")
    assert await db.value("SELECT status FROM delivery WHERE id = $1", delivery_id) == "delivered"


@pytest.mark.slow
async def test_a_hop_elsewhere_is_known_with_its_proof(home: Home) -> None:
    they = home.neighbour
    document_id, delivery_id = await sent_there(home)
    hop = Hop(id=clock.new_id(), organization="N-1", number="вх-12", date=clock.today(),
              verdict="valid", passed_at=clock.now(), passed=2)  # fmt: skip
    state = State(delivery=delivery_id, status="delivered", hop=hop)
    assert (await they.note(told(document_id, state))).status == "accepted"
    (seen,) = await relay.hops_seen(home.admin, document_id)
    assert (seen["id"], seen["number"]) == (hop.id, "вх-12")
    (again,) = await composing.hops_of(document_id)
    assert again.proof is not None
    assert '"node-from": ' + str(they.id) in again.proof.base


@pytest.mark.slow
async def test_a_changed_receipt_is_found_by_the_recount(home: Home) -> None:
    they = home.neighbour
    document_id, delivery_id = await sent_there(home)
    await they.note(told(document_id, State(delivery=delivery_id, status="delivered")))
    row = await db.row("SELECT * FROM node_receipt")
    assert row is not None
    await db.execute(
        """INSERT INTO node_receipt (id, node_id, uid, kind, document_id, base, signature, kid,
                                     body, received_at)
           VALUES ($1, $2, $3, 'report', $4, $5, $6, $7, $8, $9)""",
        clock.new_id(), row["node_id"], row["uid"], document_id, row["base"], row["signature"],
        row["kid"], bytes(row["body"]).replace(b"delivered", b"executed "), clock.now(),
    )  # fmt: skip
    counted = await receipts.recount(home.admin, document_id)
    assert (counted["unsound"], counted["agree"], counted["from_receipts"]) == (
        1, True, {"delivered": 1})  # fmt: skip


@pytest.mark.slow
async def test_serving_nobody_is_refused(home: Home) -> None:
    with pytest.raises(InvalidInput, match="no_organizations"):
        await residence.serve(home.admin, selector=Selector(include=(clock.new_id(),)))
