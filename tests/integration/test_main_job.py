"""A circular travels from the union to its primaries through two relays, by the verbs alone."""

import dataclasses

import pytest

from core import clock, db
from core.actor import RULE
from core.errors import InvalidInput, ServiceError
from directory import dataset, links
from directory.selection import Selector
from directory.states import Line
from docflow.documents import cards, files, registration, signing
from docflow.routing import answers, control, deliveries, dispatch, inbox, recall, relay
from tests import people


@pytest.fixture
async def union(database: str) -> dataset.Dataset:
    made = dataset.generate("S")
    await dataset.load(made)
    await people.give_key(made.health_union_id)
    return made


async def a_registered_circular(actor: people.Actor, **more: object):
    document_id = await cards.create(
        actor, card=cards.CardInput(kind="circular", title="О проведении совещания", **more)
    )
    await files.attach(
        actor, document_id, stream=people.stream(await people.a_letter()), file_name="письмо.pdf"
    )
    await signing.seal(actor, document_id)
    return document_id, await registration.register(actor, document_id)


async def test_circular_goes_down_through_two_relays(union: dataset.Dataset) -> None:
    clerk = await people.clerk_of(union.health_union_id)
    document_id, registered = await a_registered_circular(clerk)
    assert registered.number == "01-01/1"
    wanted = dispatch.DispatchInput(
        selector=Selector(subtree_of=union.health_union_id, line=Line.BRANCH), mode="chancery",
        deadlines={"regional": people.in_days(10), "primary": people.in_days(7)},
    )  # fmt: skip
    planned = await dispatch.plan(clerk, document_id, wanted=wanted)
    assert (planned.total, planned.by_kind) == (45, {"regional": 3, "local": 6, "primary": 36})
    await dispatch.send(clerk, document_id, wanted=wanted, key="one")
    await dispatch.send(clerk, document_id, wanted=wanted, key="one")
    totals = control.by_status(await control.totals(clerk, document_id))
    assert totals["total"] == 45
    assert totals["awaiting_relay"] == 42

    region = await people.clerk_of(union.relay_regional_id)
    (arrived,) = await inbox.inbox(region)
    await deliveries.open_delivery(region, arrived["id"])
    hop = await relay.pass_on(region, arrived["id"], resolution="Довести до первичных")
    assert (hop.number, hop.verdict) == ("вх-1", "valid")
    assert await relay.pass_on(region, arrived["id"]) == hop

    local = await people.clerk_of(union.relay_local_id)
    (at_local,) = await inbox.inbox(local)
    second = await relay.pass_on(local, at_local["id"])
    assert second.passed > 0
    primary_id = await db.value(
        "SELECT recipient_id FROM delivery WHERE via_id = $1 AND status = 'delivered' LIMIT 1",
        at_local["id"],
    )
    chairman = await people.clerk_of(primary_id, "signatory")
    (mine,) = await inbox.inbox(chairman)
    await deliveries.acknowledge(chairman, mine["id"])
    assert [h["number"] for h in await relay.hops_of(document_id)] == ["вх-1", "вх-1"]
    after = control.by_status(await control.totals(clerk, document_id))
    assert after["total"] == 45
    assert after["acknowledged"] == 1
    named = await control.recipients(clerk, document_id, statuses=["acknowledged"])
    assert named[0]["last_name"]
    assert await db.value("SELECT count FROM read_log WHERE purpose = 'control_list'") == 1
    assert sum(r["number"] for r in await control.roll_up(clerk, document_id)) == 45
    made = await db.value("SELECT count(*) FROM event WHERE verb = 'delivery.made'")
    assert made == 45


async def test_refused_answered_and_recalled(union: dataset.Dataset) -> None:
    clerk = await people.clerk_of(union.health_union_id)
    document_id, _ = await a_registered_circular(clerk)
    regionals = Selector(subtree_of=union.health_union_id, kinds=("regional",))
    await dispatch.send(clerk, document_id, wanted=dispatch.DispatchInput(selector=regionals))
    rows = await control.recipients(clerk, document_id)
    refusing = await people.clerk_of(rows[0]["recipient_id"])
    await deliveries.refuse(refusing, rows[0]["id"], reason="Не по адресу")
    answering = await people.clerk_of(rows[1]["recipient_id"])
    await people.give_key(answering.home_id)
    reply = await cards.create(
        answering,
        card=cards.CardInput(kind="report", title="Отчёт", fields={"period": "2026"}),
    )
    await files.attach(
        answering, reply, stream=people.stream(await people.a_letter("Отчёт")), file_name="o.pdf"
    )
    await signing.seal(answering, reply)
    await registration.register(answering, reply)
    dispatched = await answers.answer(answering, rows[1]["id"], document_id=reply)
    assert await answers.answer(answering, rows[1]["id"], document_id=reply) == dispatched
    assert [r["title"] for r in await inbox.inbox(clerk)] == ["Отчёт"]
    assert await recall.recall(clerk, document_id, reason="Ошибка в дате") == 1
    totals = control.by_status(await control.totals(clerk, document_id))
    assert (totals["refused"], totals["executed"], totals["recalled"]) == (1, 1, 1)


async def test_tampered_copy_is_refused_and_quarantined(union: dataset.Dataset) -> None:
    clerk = await people.clerk_of(union.health_union_id)
    document_id, _ = await a_registered_circular(clerk)
    file = (await files.current_files(document_id))[0]
    from storage import blobs

    signed = bytearray(await blobs.read(file["blob_id"], limit=1 << 20))
    place = signed.index(b"/Type")
    signed[place - 40] ^= 1
    draft = await cards.create(clerk, card=cards.CardInput(kind="circular", title="Копия"))
    with pytest.raises(ServiceError) as refused:
        await files.attach(clerk, draft, stream=people.stream(bytes(signed)), file_name="к.pdf")
    assert refused.value.error_code in ("signature_invalid", "broken_pdf")
    assert await files.current_files(draft) == []
    assert await db.value("SELECT reason FROM quarantine") == refused.value.error_code


async def test_move_takes_effect_from_its_date(union: dataset.Dataset) -> None:
    """Route and roll-up follow the primary from the day of the move and not before."""
    clerk = await people.clerk_of(union.health_union_id)
    primary = await db.row(
        """SELECT o.id, l.parent_id FROM organization AS o JOIN organization_link AS l
           ON l.child_id = o.id AND l.valid_to IS NULL JOIN organization AS p ON p.id = l.parent_id
           WHERE o.kind = 'primary' AND p.kind = 'local' AND o.branch_code = '07' LIMIT 1"""
    )
    elsewhere = await db.value(
        """SELECT id FROM organization WHERE kind = 'local' AND branch_code = '07' AND id <> $1
           AND status = 'active' LIMIT 1""",
        primary["parent_id"],
    )
    move_day = people.in_days(30)
    await links.move(
        RULE, child_id=primary["id"], line=Line.BRANCH, new_parent_id=elsewhere, as_of=move_day
    )

    async def via_of(document_id: object) -> object:
        await dispatch.send(
            clerk, document_id,
            wanted=dispatch.DispatchInput(
                selector=Selector(subtree_of=union.health_union_id), mode="chancery"
            ),
        )  # fmt: skip
        return await db.value(
            """SELECT via.recipient_id FROM delivery AS v JOIN delivery AS via ON via.id = v.via_id
               WHERE v.document_id = $1 AND v.recipient_id = $2""",
            document_id, primary["id"],
        )  # fmt: skip

    document_id, _ = await a_registered_circular(clerk)
    later_id, _ = await a_registered_circular(clerk)
    assert await via_of(document_id) == primary["parent_id"]
    local = await people.clerk_of(elsewhere)
    old = dataclasses.replace(local, organization_id=primary["parent_id"])
    with clock.frozen(clock.now() + people.timedelta(days=31)):
        assert await via_of(later_id) == elsewhere
    for actor, day, expected in (
        (old, people.in_days(0), 1), (old, move_day, 0), (local, move_day, 1),
    ):  # fmt: skip
        seen = await db.value(
            "UPDATE delivery SET status = 'delivered' WHERE document_id = $1 AND recipient_id = $2",
            document_id, actor.organization_id,
        )  # fmt: skip
        del seen
        lines = await control.roll_up(actor, document_id, on=day)
        assert sum(r["number"] for r in lines if r["id"] == primary["id"]) == expected


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"deadlines": {"primary": people.in_days(-1)}}, "deadline_past"),
        ({"deadlines": {"local": people.in_days(2), "primary": people.in_days(5)}},
         "deadline_order"),
        ({"deadlines": {"nobody": people.in_days(2)}}, "unknown_level"),
    ],
)  # fmt: skip
async def test_dispatch_refuses(
    union: dataset.Dataset, change: dict[str, object], code: str
) -> None:
    clerk = await people.clerk_of(union.health_union_id)
    document_id, _ = await a_registered_circular(clerk)
    wanted = dispatch.DispatchInput(selector=Selector(subtree_of=union.health_union_id), **change)
    with pytest.raises(InvalidInput) as refused:
        await dispatch.send(clerk, document_id, wanted=wanted)
    assert refused.value.error_code == code
    assert await db.value("SELECT count(*) FROM delivery") == 0


async def test_circular_to_strangers_is_refused(union: dataset.Dataset) -> None:
    clerk = await people.clerk_of(union.relay_regional_id)
    await people.give_key(clerk.home_id)
    document_id, _ = await a_registered_circular(clerk)
    wanted = dispatch.DispatchInput(selector=Selector(include=(union.health_union_id,)))
    with pytest.raises(InvalidInput) as refused:
        await dispatch.send(clerk, document_id, wanted=wanted)
    assert refused.value.error_code == "route_forbidden"
