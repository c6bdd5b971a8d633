"""One rule of visibility: whatever way one asks, nothing foreign comes out."""

import random
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from core import db
from core.actor import Actor
from core.errors import Forbidden, NotFound, ServiceError
from docflow.documents import cards, files, links, search, timeline, visibility
from docflow.routing import clocks, control, deliveries, dispatch, inbox, lines, recall, relay
from tests import ground, people


@pytest.fixture
async def line(database: str) -> ground.Ground:
    return await ground.a_ground()


async def crossed(line: ground.Ground, rng: random.Random) -> dict[uuid.UUID, set[uuid.UUID]]:
    """Documents sent to and fro, in every state of their way; who may see each."""
    homes = [line.union, *line.everybody, line.stranger]
    seen: dict[uuid.UUID, set[uuid.UUID]] = {}
    for number in range(24):
        author = rng.choice(homes)
        actor = await people.clerk_of(author)
        to = rng.sample([home for home in homes if home != author], rng.randrange(1, 4))
        document_id = await ground.a_sent(actor, *to, title=f"Приказ о тайном деле {number}")
        seen[document_id] = {author}
        for home in to:
            status = rng.choice(
                ["awaiting_relay", "queued", "failed", "void", "delivered", "opened", "executed",
                 "refused", "recalled"]
            )  # fmt: skip
            await db.execute(
                "UPDATE delivery SET status = $3 WHERE document_id = $1 AND recipient_id = $2",
                document_id, home, status,
            )  # fmt: skip
            if status not in ("awaiting_relay", "queued", "failed", "void"):
                seen[document_id].add(home)
    for author in homes:
        actor = await people.clerk_of(author)
        for _ in range(2):
            draft = await cards.create(
                actor, card=cards.CardInput(kind="circular", title="Проект тайного дела")
            )
            seen[draft] = {author}
    return seen


async def reads(actor: Actor, document_id: uuid.UUID, file_id: uuid.UUID | None) -> dict[str, bool]:
    """Every way to one document, and whether it let the actor in."""
    ways: dict[str, Callable[[], Awaitable[Any]]] = {
        "card": lambda: visibility.visible_document(actor, document_id),
        "time line": lambda: timeline.timeline(actor, document_id),
        "hops": lambda: relay.hops_seen(actor, document_id),
        "totals": lambda: control.totals(actor, document_id),
        "recipients": lambda: control.recipients(actor, document_id),
        "silent": lambda: control.silent(actor, document_id),
        "roll-up": lambda: control.roll_up(actor, document_id),
    }
    if file_id is not None:
        ways["file"] = lambda: files.visible_file(actor, file_id)
    found = {}
    for name, way in ways.items():
        try:
            await way()
        except NotFound as refused:
            found[name] = refused.error_code == "not_dispatched"
        else:
            found[name] = True
    return found


@pytest.mark.parametrize("seed", range(3))
async def test_nobody_sees_what_was_not_for_them(line: ground.Ground, seed: int) -> None:
    seen = await crossed(line, random.Random(seed))  # noqa: S311 - a mixture, no secret
    file_of = {
        row["document_id"]: row["id"]
        for row in await db.rows("SELECT id, document_id FROM document_file")
    }
    for home in (line.union, *line.everybody, line.stranger):
        actor = await people.clerk_of(home)
        mine = {document_id for document_id, eyes in seen.items() if home in eyes}
        assert mine
        assert mine != set(seen)
        for wanted in (search.Wanted(), search.Wanted(text="тайное дело"),
                       search.Wanted(text="приказы OR проекты")):  # fmt: skip
            found = await search.documents(actor, wanted=wanted, limit=100)
            assert {row["id"] for row in found} == mine
        own = await search.documents(actor, wanted=search.Wanted(own=True), limit=100)
        assert {row["organization_id"] for row in own} == {home}
        for text in ("", "тайное дело"):
            got = {row["document_id"] for row in await inbox.inbox(actor, text=text, limit=200)}
            assert got == {one for one in mine if one not in {row["id"] for row in own}}
        for document_id in seen:
            let_in = await reads(actor, document_id, file_of.get(document_id))
            assert set(let_in.values()) == {document_id in mine}, let_in


async def test_common_and_rare_words_are_cut_alike(line: ground.Ground) -> None:
    """Rare words go by the index, common ones by the walk: the same documents come out."""
    clerk = await people.clerk_of(line.union)
    await ground.signed_documents(clerk, search.RARE + 20, title="Обычный тайный приказ")
    letter = await ground.a_sent(clerk, line.region, title="Редкостный тайный приказ")
    reader = await people.clerk_of(line.region)
    for text, is_rare in (("редкостный", True), ("тайный приказ", False)):
        assert await search.is_rare(text) is is_rare
        found = await search.documents(reader, wanted=search.Wanted(text=text))
        assert [row["id"] for row in found] == [letter]
        assert [row["document_id"] for row in await inbox.inbox(reader, text=text)] == [letter]


async def test_links_and_answers_do_not_show_the_other_end(line: ground.Ground) -> None:
    clerk = await people.clerk_of(line.union)
    secret = (await ground.signed_documents(clerk, 1, title="Тайное дело"))[0]
    letter = await ground.a_sent(clerk, line.region)
    await db.execute(
        """INSERT INTO document_link (from_id, to_id, kind, created_by, created_at)
           VALUES ($1, $2, 'relates_to', $3, now())""",
        letter, secret, clerk.id,
    )  # fmt: skip
    reader = await people.clerk_of(line.region)
    assert await links.links_of(reader, letter) == []
    assert len(await links.links_of(clerk, letter)) == 1
    (mine,) = await ground.signed_documents(reader, 1)
    with pytest.raises(NotFound):
        await links.link(reader, mine, to_id=secret, kind="reply_to")


async def test_relay_sees_those_behind_it_and_its_own_way_only(line: ground.Ground) -> None:
    clerk = await people.clerk_of(line.union)
    (document_id,) = await ground.signed_documents(clerk, 1)
    from docflow.documents import registration

    await registration.register(clerk, document_id)
    wanted = dispatch.DispatchInput(selector=lines.only(line.everybody), mode="chancery")
    await dispatch.send(clerk, document_id, wanted=wanted)
    for home in (line.region, line.other_region):
        chancery = await people.clerk_of(home)
        done = await registration.register_incoming(chancery, document_id)
        await db.execute(
            """INSERT INTO hop (id, delivery_id, document_id, organization_id, registration_id,
                                actor_id, verdict, report, passed, passed_at)
               VALUES (uuidv7(), $1, $2, $3, $4, $5, 'valid', '{}', 0, now())""",
            await ground.delivery_to(document_id, home), document_id, home, done.registration_id,
            chancery.id,
        )  # fmt: skip
    region, other = await people.clerk_of(line.region), await people.clerk_of(line.other_region)
    assert {hop["organization_id"] for hop in await relay.hops_seen(region, document_id)} == {
        line.region
    }
    assert len(await relay.hops_seen(clerk, document_id)) == 2
    assert control.by_status(await control.totals(region, document_id))["total"] == 4
    assert control.by_status(await control.totals(other, document_id))["total"] == 0
    assert control.by_status(await control.totals(clerk, document_id))["total"] == 6
    foreign = {row["organization_id"] for row in await timeline.timeline(region, document_id)}
    assert foreign == {line.union, line.region}
    verbs = {row["verb"] for row in await timeline.timeline(region, document_id)
             if row["organization_id"] == line.union}  # fmt: skip
    assert verbs <= set(timeline.SHOWN_TO_RECIPIENTS)


async def test_recalled_content_is_given_out_no_more(line: ground.Ground) -> None:
    clerk, reader = await people.clerk_of(line.union), await people.clerk_of(line.region)
    letter = await ground.a_sent(clerk, line.region)
    file_id = await db.value("SELECT id FROM document_file WHERE document_id = $1", letter)
    assert await files.visible_file(reader, file_id)
    await recall.recall(clerk, letter, reason="Ошибка в дате")
    with pytest.raises(NotFound) as refused:
        await files.visible_file(reader, file_id)
    assert refused.value.error_code == "document_recalled"
    assert (await visibility.visible_document(reader, letter))["status"] == "recalled"
    assert await files.visible_file(clerk, file_id)
    async with ground.api(reader) as client:
        answer = await client.get(f"/api/v1/files/{file_id}/content")
        assert (answer.status_code, answer.json()["code"]) == (404, "document_recalled")


async def test_delivery_verbs_know_only_what_arrived(line: ground.Ground) -> None:
    clerk, reader = await people.clerk_of(line.union), await people.clerk_of(line.region)
    letter = await ground.a_sent(clerk, line.region)
    delivery_id = await ground.delivery_to(letter, line.region)
    (mine,) = await ground.signed_documents(reader, 1)
    for status in ("awaiting_relay", "queued", "failed", "void"):
        await db.execute("UPDATE delivery SET status = $2 WHERE id = $1", delivery_id, status)
        for verb in (
            lambda: deliveries.open_delivery(reader, delivery_id),
            lambda: deliveries.acknowledge(reader, delivery_id),
            lambda: deliveries.refuse(reader, delivery_id, reason="Не по адресу"),
            lambda: relay.pass_on(reader, delivery_id),
            lambda: clocks.bypass_relay(reader, delivery_id),
        ):
            with pytest.raises(NotFound):
                await verb()
    del mine


async def test_superior_takes_note_only_of_what_it_sees(line: ground.Ground) -> None:
    """A letter from elsewhere straight to a primary is not its region's to acknowledge."""
    primary = line.primaries[0]
    outside = await people.clerk_of(await ground.an_organization("outside"))
    letter = await ground.a_sent(outside, primary)
    delivery_id = await ground.delivery_to(letter, primary)
    person_id = await people.a_person_at(primary)
    await db.execute(
        """INSERT INTO post (person_id, organization_id, kind, title, valid_from)
           VALUES ($1, $2, 'chairman', 'Председатель', '2020-01-01')""",
        person_id, primary,
    )  # fmt: skip
    region = await people.clerk_of(line.region)
    with pytest.raises(NotFound):
        await deliveries.acknowledge_for(region, delivery_id, person_id=person_id)
    also = await ground.a_sent(await people.clerk_of(line.union), primary, line.region)
    second = await ground.delivery_to(also, primary)
    await deliveries.acknowledge_for(region, second, person_id=person_id)
    assert await db.value("SELECT status FROM delivery WHERE id = $1", second) == "acknowledged"


async def test_without_a_reading_role_nothing_is_read(line: ground.Ground) -> None:
    letter = await ground.a_sent(await people.clerk_of(line.union), line.region)
    for roles in (("administrator",), ("editor",), ("administrator", "editor")):
        for home in (line.union, line.region):
            actor = await people.clerk_of(home, *roles)
            for way in (
                lambda who=actor: visibility.visible_document(who, letter),
                lambda who=actor: search.documents(who, wanted=search.Wanted()),
                lambda who=actor: inbox.inbox(who),
                lambda who=actor: inbox.counts(who),
                lambda who=actor: control.totals(who, letter),
                lambda who=actor: timeline.timeline(who, letter),
            ):
                with pytest.raises(Forbidden):
                    await way()


async def test_names_on_the_control_list_leave_a_trace(line: ground.Ground) -> None:
    clerk, reader = await people.clerk_of(line.union), await people.clerk_of(line.region)
    letter = await ground.a_sent(clerk, line.region)
    await control.recipients(clerk, letter)
    assert await db.value("SELECT count(*) FROM read_log") == 0, "nobody was named"
    await deliveries.acknowledge(reader, await ground.delivery_to(letter, line.region))
    await control.recipients(clerk, letter)
    logged = await db.row("SELECT actor_id, subject_id, purpose, count FROM read_log")
    assert logged == {"actor_id": clerk.id, "subject_id": letter, "purpose": "control_list",
                      "count": 1}  # fmt: skip


async def test_pages_go_on_by_key_without_holes_or_repeats(line: ground.Ground) -> None:
    clerk = await people.clerk_of(line.union)
    made = set(await ground.signed_documents(clerk, 23))
    got: list[uuid.UUID] = []
    after = None
    while page := await search.documents(clerk, wanted=search.Wanted(), after=after, limit=5):
        got += [row["id"] for row in page]
        after = page[-1]["id"]
    assert len(got) == 23
    assert set(got) == made
    assert got == sorted(got, reverse=True)
    with pytest.raises(ServiceError):
        await search.documents(clerk, wanted=search.Wanted(), limit=101)
