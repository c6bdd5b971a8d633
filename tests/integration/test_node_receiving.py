"""What our node takes from a neighbour, what it refuses, and that both happen once."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from datetime import timedelta

import msgspec
import pytest

from core import clock, db
from core.settings import settings
from docflow.documents import visibility
from docflow.gateways.node import container, keys, messages
from docflow.gateways.node.messages import Card, Had, Needs, Recall, Receipt, Recipient, Signature
from docflow.routing import deliveries, relay
from docflow.routing.nodes import peers, reports
from tests import ground, node_neighbour, people
from tests.node_neighbour import Home


@pytest.fixture
async def home(database: str) -> AsyncIterator[Home]:
    async with node_neighbour.a_home() as made:
        yield made


async def documents() -> int:
    return int(await db.value("SELECT count(*) FROM document"))


async def test_a_message_is_accepted_once_and_a_duplicate_ever_after(home: Home) -> None:
    they, letter = home.neighbour, await node_neighbour.a_signed_letter()
    manifest = they.manifest(letter, to=("R-1", "P-0", "N-1", "X-9"))
    first = await they.send(manifest, [letter])
    assert (first.status, first.uid) == ("accepted", manifest.uid)
    assert set(first.delivered) == {one.delivery for one in manifest.recipients[:2]}
    assert set(first.not_here) == {one.delivery for one in manifest.recipients[2:]}
    again = await they.send(manifest, [letter])
    assert (again.status, again.document, again.delivered) == (
        "duplicate", first.document, first.delivered)  # fmt: skip
    assert again.committed_at == first.committed_at
    assert await documents() == 1
    row = await db.row("SELECT * FROM document")
    assert row is not None
    assert (row["origin"], row["status"], row["number"]) == ("external", "sent", "7/1")
    assert await db.value("SELECT verdict FROM signature") == "valid"
    assert await db.value("SELECT count(*) FROM delivery WHERE status = 'delivered'") == 2
    shown = await visibility.visible_document(home.admin, row["id"])
    assert shown["organization_id"] == await db.value(
        "SELECT id FROM organization WHERE code = 'N-1'"
    )


@pytest.mark.slow
async def test_ten_at_once_are_one(home: Home) -> None:
    they, letter = home.neighbour, await node_neighbour.a_signed_letter()
    manifest = they.manifest(letter)
    told = await asyncio.gather(*(they.send(manifest, [letter]) for _ in range(6)))
    assert sorted(one.status for one in told) == ["accepted", *["duplicate"] * 5]
    assert await documents() == 1


@pytest.mark.slow
async def test_the_same_uid_with_other_content_is_refused_aloud(home: Home) -> None:
    they, letter = home.neighbour, await node_neighbour.a_signed_letter()
    manifest = they.manifest(letter)
    await they.send(manifest, [letter])
    again = msgspec.structs.replace(manifest, made_at=manifest.made_at + timedelta(seconds=1))
    restored = await they.send(again, [letter])
    assert restored.status == "duplicate", "made anew by a sender restored from its backup"
    other = msgspec.structs.replace(
        manifest, card=msgspec.structs.replace(manifest.card, title="Другое")
    )
    told = await they.send(other, [letter])
    assert (told.status, told.reason) == ("refused", "uid_reused")
    assert await db.value("SELECT count(*) FROM notice WHERE kind = 'node_uid_reused'") == 1
    assert await db.value("SELECT count(*) FROM event WHERE verb = 'node.uid_reused'") == 1
    assert (await they.send(manifest, [letter])).status == "duplicate"


@pytest.mark.slow
async def test_a_refused_attempt_does_not_burn_the_uid(home: Home) -> None:
    they, letter = home.neighbour, await node_neighbour.a_signed_letter()
    manifest = they.manifest(letter)
    await db.execute("DELETE FROM node_residence WHERE node_id = $1", they.id)
    told = await they.send(manifest, [letter])
    assert (told.status, told.reason) == ("refused", "author_not_here")
    await db.execute(
        """INSERT INTO node_residence (organization_id, node_id, created_at)
           SELECT id, $1, $2 FROM organization WHERE code = 'N-1'""",
        they.id, clock.now(),
    )  # fmt: skip
    assert (await they.send(manifest, [letter])).status == "accepted"
    assert await documents() == 1


@pytest.mark.slow
async def test_what_is_refused_and_why(home: Home) -> None:
    they, letter = home.neighbour, await node_neighbour.a_signed_letter()
    place = letter.rfind(b"/Contents <") + 4000
    spoilt = letter[:place] + bytes([letter[place] ^ 1]) + letter[place + 1 :]
    unsigned = await people.a_letter("Без подписи")
    base = they.manifest(letter)
    card = base.card
    cases = {
        "signature_missing": (they.manifest(unsigned), unsigned),
        "unknown_kind": (they.manifest(letter, card=_changed(card, kind="edict")), letter),
        "unknown_mark": (they.manifest(letter, card=_changed(card, mark="secret")), letter),
        "author_unknown": (they.manifest(letter, author="Z-1"), letter),
        "author_not_here": (they.manifest(letter, author="P-2"), letter),
        "not_here": (they.manifest(letter, to=("N-1", "X-9")), letter),
        "bad_character": (they.manifest(letter, card=_changed(card, title="a\x00b")), letter),
    }
    for reason, (manifest, part) in cases.items():
        told = await they.send(manifest, [part])
        assert (told.status, told.reason) == ("refused", reason)
    nul = f"{base.author}\x00"
    told = await they.send(they.manifest(letter, author=nul), [letter])
    assert (told.status, told.reason) == ("refused", "bad_character")
    told = await they.send(they.manifest(spoilt), [spoilt])
    assert told.status == "refused"
    assert await documents() == 0
    assert await db.value("SELECT count(*) FROM delivery") == 0


def _changed(card: Card, **more: str) -> Card:
    return msgspec.structs.replace(card, id=clock.new_id(), **more)


@pytest.mark.slow
async def test_who_may_not_speak_is_told_why(home: Home) -> None:
    they = home.neighbour
    stranger, late, early, gone, waiting = (keys.new_key()[0] for _ in range(5))
    await node_neighbour.give_key(they.id, late, days=(-30, -1))
    await node_neighbour.give_key(they.id, early, days=(1, 30))
    await node_neighbour.give_key(they.id, gone)
    await node_neighbour.give_key(they.id, waiting, is_confirmed=False)
    await peers.revoke_key(home.admin, gone.kid)
    note = messages.encode(Recall(uid=clock.new_id(), document=clock.new_id(), reason="нет",
                                  recalled_at=clock.now()))  # fmt: skip

    async def code(**more: object) -> tuple[int, str]:
        answer = await they.ask("POST", "/notes", note, **more)  # type: ignore[arg-type]  # reason: of several kinds
        assert "signature" not in answer.headers
        return answer.status_code, str(answer.json()["code"])

    assert await code(key=stranger) == (401, "node_key_unknown")
    assert await code(key=waiting) == (401, "node_key_unknown")
    assert await code(key=late) == (401, "node_key_expired")
    assert await code(key=early) == (401, "node_key_not_yet")
    assert await code(key=gone) == (401, "node_key_revoked")
    assert await code(**{"node-from": str(clock.new_id())}) == (401, "node_unknown")
    assert await code(**{"node-to": str(clock.new_id())}) == (401, "node_addressed_elsewhere")
    assert await code(**{"node-version": "3"}) == (422, "node_version_unsupported")
    for minutes in (-10, 10):
        they.skew = timedelta(minutes=minutes)
        answer = await they.ask("POST", "/notes", note)
        assert (answer.status_code, answer.json()["code"]) == (401, "node_clock_skew")
        assert "our_time" in answer.json()["details"]
    they.skew = timedelta(minutes=4)
    assert (await they.ask("POST", "/notes", note)).status_code == 200
    they.skew = timedelta()
    await peers.suspend(home.admin, they.id, reason="Проверка")
    assert await code() == (403, "node_not_active")
    assert await db.value("SELECT count(*) FROM node_message") == 1


@pytest.mark.slow
async def test_large_parts_come_piece_by_piece_and_are_resumed(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    they, letter = home.neighbour, await node_neighbour.a_signed_letter()
    annex = b"0123456789abcdef" * (1 << 20)
    annex = annex + b"tail"  # two whole pieces and a short one
    manifest = they.manifest(letter, annex)
    bare = container.pack(messages.encode(manifest), [])
    asked = await they.ask("POST", "/messages", bare)
    assert asked.status_code == 202
    needs = messages.decode(asked.content, Needs)
    assert {one.sha256: one.have for one in needs.needs} == {
        one.sha256: 0 for one in manifest.files
    }
    main, other = (one.sha256 for one in manifest.files)
    size = container.PIECE

    async def piece(sha256: str, offset: int, body: bytes) -> Had:
        answer = await they.ask("PUT", f"/parts/{sha256}?offset={offset}", body)
        assert answer.status_code == 200, answer.text
        return messages.decode(answer.content, Had)

    assert (await piece(main, 0, letter)).have == len(letter)
    assert (await piece(other, 0, annex[:size])).have == size
    assert (await piece(other, 0, annex[:size])).have == size, "the same piece again"
    assert (await piece(other, 2 * size, annex[2 * size :])).have == size, "one is missing"
    short = await they.ask("PUT", f"/parts/{other}?offset={size}", b"too short")
    assert (short.status_code, short.json()["code"]) == (422, "node_piece_size")
    again = messages.decode((await they.ask("POST", "/messages", bare)).content, Needs)
    assert [(one.sha256, one.have) for one in again.needs] == [(other, size)]
    assert (await piece(other, size, annex[size : 2 * size])).have == 2 * size
    assert (await piece(other, 2 * size, annex[2 * size :])).have == len(annex)
    told = messages.decode((await they.ask("POST", "/messages", bare)).content, Receipt)
    assert told.status == "accepted"
    assert await db.value("SELECT count(*) FROM document_file") == 2
    unknown = await they.ask("PUT", f"/parts/{'0' * 64}?offset=0", b"x")
    assert unknown.status_code == 404


@pytest.mark.slow
async def test_a_part_that_comes_out_wrong_begins_anew(home: Home) -> None:
    they, letter = home.neighbour, await node_neighbour.a_signed_letter()
    annex = b"abcdefgh" * (1 << 20) + b"tail"
    manifest = they.manifest(letter, annex)
    bare = container.pack(messages.encode(manifest), [])
    await they.ask("POST", "/messages", bare)
    other, size = manifest.files[1].sha256, container.PIECE
    await they.ask("PUT", f"/parts/{other}?offset=0", b"x" * size)
    wrong = await they.ask("PUT", f"/parts/{other}?offset={size}", annex[size:])
    assert (wrong.status_code, wrong.json()["code"]) == (422, "node_part_changed")
    needs = messages.decode((await they.ask("POST", "/messages", bare)).content, Needs)
    assert {one.sha256: one.have for one in needs.needs}[other] == 0
    assert await db.value("SELECT count(*) FROM document") == 0


@pytest.mark.slow
async def test_a_document_comes_twice_and_its_recipients_add_up(home: Home) -> None:
    they, letter = home.neighbour, await node_neighbour.a_signed_letter()
    first = they.manifest(letter, to=("P-0",))
    await they.send(first, [letter])
    more = they.manifest(letter, to=("P-1", "P-2"), card=first.card)
    told = await they.send(more, [letter])
    assert (told.status, len(told.delivered)) == ("accepted", 2)
    assert await documents() == 1
    changed = they.manifest(
        letter, to=("R-1",), card=msgspec.structs.replace(first.card, title="Другое")
    )
    refused = await they.send(changed, [letter])
    assert (refused.status, refused.reason) == ("refused", "document_changed")


@pytest.mark.slow
@pytest.mark.parametrize(("mark", "channel"), [("", "email"), ("dsp", "paper")])
async def test_the_mark_forbids_channels_here_as_it_did_there(
    home: Home, monkeypatch: pytest.MonkeyPatch, mark: str, channel: str
) -> None:
    monkeypatch.setenv("SMTP_HOST", "localhost")
    settings.cache_clear()
    await db.execute(
        """UPDATE organization SET channels = '{email,paper}', email = 'ppo@example.org'
           WHERE code = 'P-0'"""
    )
    they, letter = home.neighbour, await node_neighbour.a_signed_letter()
    plain = they.manifest(letter, to=("P-0",))
    card = msgspec.structs.replace(plain.card, mark=mark)
    told = await they.send(they.manifest(letter, to=("P-0",), card=card), [letter])
    assert told.status == "accepted"
    assert await db.value("SELECT channel FROM delivery") == channel


@pytest.mark.slow
async def test_a_recall_that_overtakes_its_message(home: Home) -> None:
    they, letter = home.neighbour, await node_neighbour.a_signed_letter()
    manifest = they.manifest(letter)
    recall = Recall(uid=clock.new_id(), document=manifest.card.id, reason="Ошибка",
                    recalled_at=clock.now())  # fmt: skip
    assert (await they.note(recall)).status == "accepted"
    assert (await they.note(recall)).status == "duplicate"
    told = await they.send(manifest, [letter])
    assert (told.status, told.reason) == ("refused", "document_recalled")
    assert await documents() == 0


@pytest.mark.slow
async def test_who_waits_for_a_chancery_is_set_free_by_it_and_all_is_reported(home: Home) -> None:
    they, letter = home.neighbour, await node_neighbour.a_signed_letter()
    relayed = Recipient(delivery=clock.new_id(), to="R-1")
    behind = tuple(
        Recipient(delivery=clock.new_id(), to=f"P-{one}", via=relayed.delivery, waits=True)
        for one in range(3)
    )
    manifest = they.manifest(letter, recipients=(relayed, *behind))
    told = await they.send(manifest, [letter])
    assert (set(told.delivered), len(told.waiting)) == ({relayed.delivery}, 3)
    delivery_id = await db.value(
        "SELECT id FROM delivery WHERE recipient_id = $1", home.region
    )  # fmt: skip
    document_id = await db.value("SELECT id FROM document")
    hop = await relay.pass_on(home.admin, delivery_id, resolution="Исполнить")
    assert hop.passed == 3
    clerk = await people.clerk_of(home.primaries[0])
    own_delivery = await ground.delivery_to(document_id, home.primaries[0])
    await deliveries.acknowledge(clerk, own_delivery)
    assert await reports.report(document_id) == 4
    assert await reports.report(document_id) == 0, "what was told is not told again"
    body = bytes(await db.value("SELECT body FROM node_note WHERE kind = 'report'"))
    report = messages.decode_note(body)
    assert isinstance(report, messages.Report)
    assert report.document == manifest.card.id
    said = {one.delivery: one for one in report.states}
    assert said[relayed.delivery].hop is not None
    assert said[relayed.delivery].hop.number == hop.number  # type: ignore[union-attr]  # reason: seen above
    assert sorted(one.status for one in report.states) == [
        "acknowledged", "delivered", "delivered", "delivered"]  # fmt: skip
    assert said[behind[0].delivery].acknowledged_by is not None


@pytest.mark.slow
async def test_detached_signatures_come_along(home: Home) -> None:
    they = home.neighbour
    letter = await node_neighbour.a_signed_letter()
    junk = b"0\x03\x02\x01\x05"
    (file,) = node_neighbour.files_of(letter)
    signature = Signature(sha256=hashlib.sha256(junk).hexdigest(), size=len(junk))
    signed = msgspec.structs.replace(file, signatures=(signature,))
    told = await they.send(they.manifest(letter, files=(signed,)), [letter, junk])
    assert told.status in ("accepted", "refused"), "an unreadable signature is judged, not a crash"
