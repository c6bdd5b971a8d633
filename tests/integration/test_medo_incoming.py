"""What comes by МЭДО over real folders: entered once, whatever it is, and never lost."""

import asyncio
import dataclasses
import hashlib
import os
import shutil
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from core import db
from core.errors import Conflict, InvalidInput, NotFound
from docflow.documents import signed
from docflow.gateways.medo import messages as wire
from docflow.gateways.medo.messages import Event, Kind
from docflow.routing import inbox
from docflow.routing.medo import folders, incoming, journal, outgoing, quarantine
from tests import ground, medo_stage, people
from tests.medo_stage import Stage


@pytest.fixture
async def stage(database: str, tmp_path: Path) -> AsyncIterator[Stage]:
    with medo_stage.transport(tmp_path):
        yield await medo_stage.a_stage(tmp_path)


async def the_message() -> db.Row:
    found = await db.rows("SELECT * FROM medo_message WHERE direction = 'in' ORDER BY id")
    return found[-1]


async def number_of(table: str) -> int:
    return int(await db.value(f"SELECT count(*) FROM {table}"))


async def test_everything_received_is_kept_byte_for_byte(stage: Stage) -> None:
    message, sources = stage.they.letter(await people.a_letter())
    folder = stage.they.put(message, sources)
    names = sorted(one.name for one in folder.iterdir())
    bytes_of = {one.name: one.read_bytes() for one in folder.iterdir()}
    assert await incoming.poll() == {"taken": 1}
    row = await the_message()
    parts = await db.rows(
        """SELECT p.name, p.sha256, p.content, b.sha256 AS kept FROM medo_part AS p
           LEFT JOIN blob AS b ON b.id = p.blob_id WHERE p.message_id = $1 ORDER BY name""",
        row["id"],
    )
    assert [one["name"] for one in parts] == names
    for one in parts:
        assert one["sha256"] == hashlib.sha256(bytes_of[one["name"]]).digest()
        in_row = None if one["content"] is None else hashlib.sha256(one["content"]).digest()
        assert [one["kept"], in_row].count(one["sha256"]) == 1, "in the store or in its row"
    moved = next((stage.folder / "in.taken").glob(f"*/{folder.name}"))
    assert {one.name: one.read_bytes() for one in moved.iterdir()} == bytes_of
    assert await incoming.poll() == {}


async def test_the_samples_of_every_kind_are_entered(stage: Stage, corpora: Path) -> None:
    uid = uuid.UUID("a0000001-0000-4000-8000-000000000001")
    sender = await ground.an_organization("outside")
    await medo_stage.a_partner(sender, uid, "TESTOBL_P~MEDOGU")
    samples = sorted((corpora / "medo").iterdir())
    for folder in samples:
        shutil.copytree(folder, stage.inbox / folder.name)
    counts = await incoming.poll()
    assert sum(counts.values()) == len(samples)
    assert await number_of("medo_message WHERE direction = 'in'") == len(samples)
    assert not list(stage.inbox.iterdir())


async def test_a_repeat_is_known_by_its_uid_and_receipted_again(stage: Stage) -> None:
    message, sources = stage.they.letter(await people.a_letter())
    stage.they.put(message, sources)
    assert await incoming.poll() == {"taken": 1}
    copied = next((stage.folder / "in.taken").glob(f"*/{message.header_uid}"))
    shutil.copytree(copied, stage.inbox / "the same again")
    assert await incoming.poll() == {"duplicate": 1}
    assert await number_of("document WHERE origin = 'external'") == 1
    assert await number_of("medo_message WHERE kind = 'receipt'") == 2
    other, more = stage.they.letter(await people.a_letter("Другое"))
    stage.they.put(dataclasses.replace(other, header_uid=message.header_uid), more, "x")
    assert await incoming.poll() == {"quarantined": 1}
    assert (await the_message())["reason"] == "uid_reused"


async def test_a_message_without_a_uid_is_known_by_its_content(stage: Stage) -> None:
    message, sources = stage.they.letter(await people.a_letter())
    folder = stage.they.put(message, sources, "first")
    xml = next(folder.glob("*.xml"))
    text = xml.read_text("utf-8").replace(message.header_uid, str(uuid.UUID(int=0)))
    xml.write_text(text, "utf-8")
    shutil.copytree(folder, stage.inbox / "second")
    os.utime(stage.inbox / "second", ns=(2**61, 2**61))
    assert await incoming.poll() == {"taken": 1, "duplicate": 1}
    assert await number_of("document WHERE origin = 'external'") == 1


async def test_restricted_is_put_apart_unread(stage: Stage) -> None:
    facts = {"classification": "Информация ограниченного распространения",
             "classification_id": "DC00000001", "is_restricted": True}  # fmt: skip
    message, sources = stage.they.letter(await people.a_letter(), document=facts)
    folder = stage.they.put(message, sources)
    assert await incoming.poll() == {"restricted": 1}
    row = await the_message()
    kept = "medo_part WHERE blob_id IS NOT NULL OR content IS NOT NULL"
    assert await number_of(kept) == 0
    assert row["document_id"] is None
    assert "subject" not in row["facts"]
    assert next((stage.folder / "in.restricted").glob(f"*/{folder.name}")).is_dir()
    assert await number_of("document WHERE origin = 'external'") == 0


@pytest.mark.parametrize("what", ["xml", "text", "bomb of entities", "empty"])
async def test_broken_messages_are_received_all_the_same(stage: Stage, what: str) -> None:
    message, sources = stage.they.letter(await people.a_letter())
    folder = stage.they.put(message, sources)
    xml = next(folder.glob("*.xml"))
    broken = {
        "xml": xml.read_bytes()[:200], "text": "не XML".encode(), "empty": b"",
        "bomb of entities": b'<!DOCTYPE a [<!ENTITY b "bbbb">]><a>&b;</a>',
    }  # fmt: skip
    xml.write_bytes(broken[what])
    for one in folder.iterdir():
        os.utime(one, (1, 1))
    os.utime(folder, (1, 1))
    assert await incoming.poll() == {"quarantined": 1}
    row = await the_message()
    assert row["reason"]
    assert await number_of(f"medo_part WHERE message_id = '{row['id']}'") == 3
    assert [one["id"] for one in await journal.listed(stage.clerk, statuses=("quarantined",))] == [
        row["id"]]  # fmt: skip


async def test_a_half_written_folder_waits_until_it_is_whole(stage: Stage) -> None:
    message, sources = stage.they.letter(await people.a_letter())
    folder = stage.they.put(message, sources)
    aside = stage.folder / "aside.zip"
    (folder / "document.edc.zip").rename(aside)
    assert await incoming.poll() == {"incomplete": 1}
    assert await number_of("medo_message") == 0
    aside.rename(folder / "document.edc.zip")
    assert await incoming.poll() == {"taken": 1}


async def test_a_folder_that_vanishes_is_no_error(stage: Stage) -> None:
    assert await incoming.take_in(stage.inbox / "gone") == "vanished"
    with pytest.raises(folders.Vanished):
        await folders.look(stage.inbox / "gone")
    (stage.inbox / "link").symlink_to(stage.folder)
    assert await incoming.poll() == {}


async def test_a_bad_signature_waits_for_a_person(stage: Stage) -> None:
    pdf = await people.a_letter()
    wrong = stage.world.sign(b"other bytes")
    message, sources = stage.they.letter(pdf, signature=wrong)
    stage.they.put(message, sources)
    assert await incoming.poll() == {"quarantined": 1}
    row = await the_message()
    assert row["reason"] == "signature_invalid"
    with pytest.raises(NotFound):
        await quarantine.look_again(
            await people.clerk_of(stage.ministry.organization_id), row["id"], reason="чужой"
        )
    assert await quarantine.look_again(stage.clerk, row["id"]) == "quarantined"
    done = await quarantine.look_again(stage.clerk, row["id"], reason="Подлинность подтверждена")
    assert done == "taken"
    row = await the_message()
    (one,) = await signed.signatures_of(row["document_id"])
    assert one["verdict"] == "invalid", "what was found of it stays on the card"
    with pytest.raises(Conflict):
        await quarantine.look_again(stage.clerk, row["id"])


async def test_an_unsigned_container_is_returned(stage: Stage) -> None:
    message, sources = stage.they.letter(await people.a_letter())
    folder = stage.they.put(message, sources)
    moved = stage.folder / "making"
    folder.rename(moved)
    stranger = dataclasses.replace(
        message, source=wire.Party(uid=str(uuid.uuid4()), organization="Неизвестный"),
        header_uid=str(uuid.uuid4()),
    )  # fmt: skip
    stage.they.put(stranger, sources)
    assert await incoming.poll() == {"quarantined": 1}
    row = await the_message()
    assert row["reason"] == "sender_unknown"
    with pytest.raises(InvalidInput) as refused:
        await quarantine.return_to_sender(stage.clerk, row["id"], reason="просто так")
    assert refused.value.error_code == "refusal_unknown"
    await quarantine.return_to_sender(
        stage.clerk, row["id"], reason="Ошибка адресации", comment="Нет в справочнике"
    )
    await outgoing.send_waiting()
    (told,) = stage.they.collected(Kind.NOTIFICATION)
    assert told.notification.event is Event.REFUSED
    assert told.envelope.addresses == ("MINTRUD~MEDOGU",), "by the envelope it came in"


async def test_a_sender_entered_later_gets_its_message_in(stage: Stage) -> None:
    uid = uuid.uuid4()
    message, sources = stage.they.letter(await people.a_letter())
    stage.they.put(dataclasses.replace(
        message, source=wire.Party(uid=str(uid), organization="Минздрав")), sources)  # fmt: skip
    assert await incoming.poll() == {"quarantined": 1}
    row = await the_message()
    organization_id = await ground.an_organization("outside")
    await medo_stage.a_partner(organization_id, uid, "MINZDRAV~MEDOGU")
    assert await quarantine.look_again(stage.clerk, row["id"]) == "taken"
    assert (await the_message())["document_id"] is not None


async def test_for_somebody_else_it_is_not_opened(stage: Stage) -> None:
    other = wire.Party(uid=str(uuid.uuid4()), organization="Другой адресат")
    message, sources = stage.they.letter(
        await people.a_letter(), document={"addressees": (other,)}, destinations=(other,)
    )
    stage.they.put(message, sources)
    assert await incoming.poll() == {"quarantined": 1}
    assert (await the_message())["reason"] == "addressee_unknown"


async def test_two_takers_of_one_folder_enter_it_once(stage: Stage) -> None:
    message, sources = stage.they.letter(await people.a_letter())
    folder = stage.they.put(message, sources)
    found = await asyncio.gather(
        incoming.take_in(folder), incoming.take_in(folder), return_exceptions=True
    )
    assert await number_of("document WHERE origin = 'external'") == 1, found
    assert "taken" in found


async def test_names_in_no_known_encoding_keep_nobody_out(stage: Stage) -> None:
    message, sources = stage.they.letter(await people.a_letter())
    folder = stage.they.put(message, sources)
    named = Path(os.fsdecode(os.fsencode(stage.inbox) + b"/\xcf\xe8\xf1\xfc\xec\xee"))
    folder.rename(named)
    other, more = stage.they.letter(await people.a_letter("Второе"))
    second = stage.they.put(other, more)
    with open(os.fsencode(second) + b"/\xcf\xf0\xe8\xeb.txt", "wb") as strange:  # noqa: ASYNC230
        strange.write(b"text")
    counts = await incoming.poll()
    assert sum(counts.values()) == 2, counts
    assert counts["taken"] >= 1
    assert "postponed" not in counts
    assert not list(stage.inbox.iterdir())
    assert await number_of("medo_message WHERE direction = 'in'") == 2


async def test_two_of_ours_each_get_it_in_their_inbox(stage: Stage) -> None:
    uid, union = uuid.uuid4(), await ground.an_organization("union")
    await medo_stage.a_partner(union, uid, "UNION~MEDOGU", is_own=True)
    both = (wire.Party(uid=str(medo_stage.OURS), organization="Федерация"),
            wire.Party(uid=str(uid).upper(), organization="Профсоюз"))  # fmt: skip
    lower = tuple(dataclasses.replace(one, uid=one.uid.lower()) for one in both)
    message, sources = stage.they.letter(await people.a_letter(), destinations=lower)
    stage.they.put(message, sources)
    assert await incoming.poll() == {"taken": 1}
    for clerk in (stage.clerk, await people.clerk_of(union)):
        (line,) = await inbox.inbox(clerk)
        assert (line["status"], line["sender"], line["number"]) == (
            "delivered", "Минтруд", "14-2/В-100")  # fmt: skip
    assert await number_of("document WHERE origin = 'external'") == 1
