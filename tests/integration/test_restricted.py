"""Documents of restricted use («ДСП»): read by those who may, not there for anybody else."""

import uuid
from typing import Any

import pypdfium2
import pytest

from core import db
from core.actor import Actor
from docflow.documents import registration, search, signing, visibility
from docflow.documents.search import Wanted
from docflow.routing import dispatch, inbox, lines, ways
from docflow.routing.email import links
from evidence.packages.states import ExportKind
from storage import blobs
from tests import ground, people, picture_ground, ways_stage
from tests.belongings import put

WORD = "Секретарево"


@pytest.fixture
async def line(database: str) -> ground.Ground:
    return await ground.a_ground()


async def a_head(organization_id: uuid.UUID, *roles: str) -> Actor:
    """The chairman, with an account."""
    person_id = await ways_stage.a_chairman(organization_id, "Орлова")
    actor = await picture_ground.another(organization_id, *(roles or ("clerk", "signatory")))
    await db.execute("UPDATE account SET person_id = $2 WHERE id = $1", actor.id, person_id)
    return Actor(
        kind="user", id=actor.id, organization_id=organization_id, person_id=person_id,
        roles=actor.roles, second_factor=True,
    )  # fmt: skip


async def a_restricted(author: Actor, *to: uuid.UUID) -> uuid.UUID:
    """A circular with the mark and a real file, dispatched."""
    document_id = await ground.a_sent(author, *to, title=f"О деле {WORD}")
    blob = await blobs.store(people.stream(await people.a_letter()), limit=1 << 24)
    await db.execute("UPDATE document SET mark = 'dsp' WHERE id = $1", document_id)
    await db.execute(
        "UPDATE document_file SET blob_id = $2, size = $3, sha256 = $4, pages = 1"
        " WHERE document_id = $1",
        document_id, blob.id, blob.size, bytes.fromhex(blob.sha256),
    )  # fmt: skip
    return document_id


async def colleague(organization_id: uuid.UUID) -> Actor:
    """A clerk with an account and a post, who wrote nothing and heads nothing."""
    actor = await picture_ground.another(organization_id, "clerk", "signatory", "lawyer")
    assert actor.person_id is not None
    await put("post", person_id=actor.person_id, organization_id=organization_id, kind="legal",
              valid_from=people.in_days(-100))  # fmt: skip
    return actor


async def refused(document_id: uuid.UUID) -> list[uuid.UUID]:
    rows = await db.rows(
        "SELECT actor_id FROM event WHERE document_id = $1 AND verb = 'document.read_refused'"
        " ORDER BY id",
        document_id,
    )
    return [row["actor_id"] for row in rows]


async def test_lists_counters_and_searches_show_it_to_readers_only(line: ground.Ground) -> None:
    author, other = await people.clerk_of(line.union), await colleague(line.union)
    head, clerk = await a_head(line.region), await colleague(line.region)
    document_id = await a_restricted(author, line.region)
    await db.execute("UPDATE delivery SET due_on = $1", people.in_days(3))
    for actor, sees in ((author, True), (other, False), (head, True), (clerk, False)):
        for wanted in (Wanted(), Wanted(text=WORD), Wanted(number="1"), Wanted(own=True)):
            found = await search.documents(actor, wanted=wanted)
            if not (wanted.own and actor.home_id == line.region) and wanted.number is None:
                assert [one["id"] for one in found] == ([document_id] if sees else []), wanted
            assert sees or not found
    for actor, number in ((head, 1), (clerk, 0)):
        assert len(await inbox.inbox(actor)) == number
        assert len(await inbox.inbox(actor, text=WORD)) == number
        assert (await inbox.counts(actor))["new"] == number
        assert (await inbox.counts(actor))["due"] == number
        assert len(await inbox.next_due(actor)) == number
        assert sum(count for _, count in await inbox.due_by_day(actor)) == number
    await db.execute("UPDATE document SET status = 'signing', number = NULL")
    assert [await signing.waiting(one) for one in (author, other)] == [1, 0]


async def test_all_doors_are_shut_and_trying_is_noted(line: ground.Ground) -> None:
    author, clerk = await people.clerk_of(line.union), await colleague(line.region)
    document_id = await a_restricted(author, line.region)
    file_id = await db.value("SELECT id FROM document_file WHERE document_id = $1", document_id)
    delivery_id = await ground.delivery_to(document_id, line.region)
    api = [
        f"documents/{document_id}", f"documents/{document_id}/events",
        f"documents/{document_id}/control", f"documents/{document_id}/readers",
        f"documents/{document_id}/questions", f"documents/{document_id}/hops",
        f"files/{file_id}/content", f"files/{file_id}/reader-copy",
        f"files/{file_id}/signed-revision", f"documents/{document_id}/files/{file_id}/marked-copy",
    ]  # fmt: skip
    async with ground.api(clerk) as client:
        for number, path in enumerate(api, 1):
            answer = await client.get(f"/api/v1/{path}")
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), path
            assert await refused(document_id) == [clerk.id] * number, path
        for verb, body in (("open", None), ("acknowledge", None), ("refuse", {"reason": "Нет"}),
                           ("questions", {"text": "Кому?"}), ("pass-on", {})):  # fmt: skip
            answer = await client.post(f"/api/v1/deliveries/{delivery_id}/{verb}", json=body)
            assert answer.status_code == 404, (verb, answer.text)
            assert WORD not in answer.text
    async with ground.browser(clerk) as client:
        for path in (f"documents/{document_id}", f"documents/{document_id}/read",
                     f"documents/{document_id}/readers", f"inbox/{delivery_id}",
                     f"files/{file_id}", f"files/{file_id}/pages/1"):  # fmt: skip
            assert (await client.get(f"/{path}")).status_code == 404, path
        for path in ("inbox", "documents", f"documents?q={WORD}", "deadlines", "notices", "stuck"):
            assert f"О деле {WORD}" not in (await client.get(f"/{path}")).text, path
    assert len(await refused(document_id)) > len(api) + 6
    state = await db.value("SELECT status FROM delivery WHERE id = $1", delivery_id)
    assert state == "delivered", "a refused reading is not the opening"


async def test_a_stranger_is_told_the_same_and_nothing_is_noted(line: ground.Ground) -> None:
    document_id = await a_restricted(await people.clerk_of(line.union), line.region)
    async with ground.api(await people.clerk_of(line.stranger)) as client:
        answer = await client.get(f"/api/v1/documents/{document_id}")
    assert answer.status_code == 404
    assert await refused(document_id) == []


async def test_readers_are_named_and_struck_by_the_author_and_the_head(line: ground.Ground) -> None:
    author, head = await people.clerk_of(line.union), await a_head(line.region)
    clerk, another = await colleague(line.region), await colleague(line.region)
    document_id = await a_restricted(author, line.region)
    path = f"/api/v1/documents/{document_id}/readers"
    async with ground.api(head) as client:
        made = await client.post(path, json={"person_id": str(clerk.person_id)})
        assert made.status_code == 201, made.text
        for body, code in (({}, "reader_unclear"), ({"post": "king"}, "unknown_post"),
                           ({"person_id": str(author.person_id)}, "person_not_there")):  # fmt: skip
            answer = await client.post(path, json=body)
            assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert (await visibility.visible_document(clerk, document_id))["id"] == document_id
    async with ground.api(clerk) as client:
        answer = await client.post(path, json={"person_id": str(another.person_id)})
        assert (answer.status_code, answer.json()["code"]) == (403, "not_the_holder")
        listed = (await client.get(path)).json()
        assert [one["person_id"] for one in listed] == [str(clerk.person_id)]
    async with ground.api(head) as client:
        answer = await client.delete(f"{path}/{made.json()['id']}")
        assert answer.status_code == 204, answer.text
    async with ground.api(clerk) as client:
        assert (await client.get(path)).status_code == 404
    async with ground.api(author) as client:
        answer = await client.post(path, json={"post": "legal"})
        assert answer.status_code == 201, answer.text
    for reader in (clerk, another):
        assert (await visibility.visible_document(reader, document_id))["id"] == document_id
    plain = await ground.a_sent(author, line.region)
    async with ground.api(author) as client:
        answer = await client.post(f"/api/v1/documents/{plain}/readers", json={"post": "legal"})
    assert answer.json()["code"] == "not_restricted"


def words_on(data: bytes) -> str:
    with pypdfium2.PdfDocument(data) as opened:
        return "".join(page.get_textpage().get_text_range() for page in opened)


@pytest.mark.slow
@pytest.mark.usefixtures("_sandbox")
async def test_copies_name_their_reader_and_originals_need_a_right(line: ground.Ground) -> None:
    author, head = await people.clerk_of(line.union), await a_head(line.region)
    document_id = await a_restricted(author, line.region)
    file_id = await db.value("SELECT id FROM document_file WHERE document_id = $1", document_id)
    async with ground.api(head) as client, ground.browser(head) as browser:
        content = f"/api/v1/files/{file_id}/content"
        answer = await client.get(content)
        assert (answer.status_code, answer.json()["code"]) == (403, "original_needs_right")
        answer = await client.get(f"/api/v1/files/{file_id}/signed-revision")
        assert answer.json()["code"] == "original_needs_right"
        copies = [
            await client.get(f"/api/v1/files/{file_id}/reader-copy"),
            await browser.get(f"/files/{file_id}"),
        ]
        for copy in copies:
            assert copy.status_code == 200, copy.text
            assert "ДСП · Орлова А. П." in words_on(copy.content)
        covered = await browser.get(f"/files/{file_id}/pages/1?width=400")
        assert covered.status_code == 200
        named = await client.post(
            f"/api/v1/documents/{document_id}/readers",
            json={"person_id": str(head.person_id), "may_take_original": True},
        )
        assert named.status_code == 201, named.text
        original = await client.get(content)
        assert original.status_code == 200
        assert "Орлова" not in words_on(original.content)
    async with ground.browser(author) as browser:
        assert (await browser.get(f"/files/{file_id}")).content == original.content
        page = (await browser.get(f"/files/{file_id}/pages/1?width=400")).content
    await db.execute("UPDATE document SET mark = 'none'")
    async with ground.browser(author) as browser:
        bare = (await browser.get(f"/files/{file_id}/pages/1?width=400")).content
    assert bare not in (page, covered.content)
    verbs = await db.rows(
        "SELECT verb, actor_id FROM event WHERE document_id = $1 AND (verb = 'document.copy_taken'"
        " OR verb = 'document.original_taken') ORDER BY id",
        document_id,
    )
    assert [(one["verb"].partition(".")[2], one["actor_id"]) for one in verbs] == [
        ("copy_taken", head.id), ("copy_taken", head.id), ("original_taken", head.id),
        ("original_taken", author.id),
    ]  # fmt: skip


async def test_no_letter_no_stick_no_link(line: ground.Ground) -> None:
    """The rule of channels, and a link of before the mark leads nowhere."""
    for channel in ("email", "offline", "medo"):
        assert channel in ways.forbidden("dsp")
    author = await people.clerk_of(line.union)
    stage = ways_stage.Ways(author, line.region, await people.clerk_of(line.region))
    primary = await ways_stage.a_primary(stage, "email", "offline", email="p@example.org")
    (document_id,) = await ground.signed_documents(author, 1, kind="appeal")
    await db.execute("UPDATE document SET addressee = 'x', mark = 'dsp' WHERE id = $1", document_id)

    await registration.register(author, document_id)
    await dispatch.send(
        author, document_id, wanted=dispatch.DispatchInput(selector=lines.only([primary]))
    )
    row: Any = await ways_stage.delivery_of(document_id)
    assert row["channel"] == "paper"
    message_id = await put(
        "consignment", document_id=document_id, sender_id=line.union, channel="email", target="a@b"
    )
    address, _ = await links.issue(message_id, row["id"])
    async with ground.api() as client:
        answer = await client.get("/r/" + address.rpartition("/")[2], headers={"accept": "*/*"})
    assert answer.status_code == 404


@pytest.mark.slow
async def test_a_package_holds_it_if_who_asks_may_read(line: ground.Ground) -> None:
    author, other = (
        await people.clerk_of(line.union, "clerk", "lawyer"),
        await colleague(line.union),
    )
    document_id = await a_restricted(author, line.region)
    for actor, status in ((other, 404), (author, 201)):
        async with ground.api(actor) as client:
            answer = await client.post(
                "/api/v1/evidence/exports",
                json={"kind": ExportKind.DOCUMENT, "subject_id": str(document_id), "purpose": "Суд",
                      "basis": "Определение", "recipient": "Суд"},
            )  # fmt: skip
        assert answer.status_code == status, answer.text
