"""Where things come in by themselves: a mailbox by IMAP, a folder of packages, one at a time."""

import asyncio
import os
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from core import db
from core.errors import Conflict, Unavailable
from core.settings import settings
from docflow.gateways.offline import answering
from docflow.gateways.offline import reading as package_reading
from docflow.gateways.offline.manifests import Named
from docflow.routing.email import links, reading, receiving
from docflow.routing.offline import packages, polling
from tests import ways_stage
from tests.mail_relay import relayed


@dataclass
class Mailbox:
    """As much of RFC 9051 as is asked of a server here."""

    messages: dict[int, bytes] = field(default_factory=dict)
    seen: set[int] = field(default_factory=set)
    port: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"* OK ready\r\n")
        with suppress(OSError):
            while line := (await reader.readline()).decode().rstrip():
                tag, _, said = line.partition(" ")
                verb = said.upper()
                if verb.startswith("LOGIN") and "right" not in said:
                    writer.write(f"{tag} NO wrong\r\n".encode())
                    continue
                if verb.startswith("CAPABILITY"):
                    writer.write(b"* CAPABILITY IMAP4rev1\r\n")
                elif verb.startswith("SELECT"):
                    writer.write(f"* {len(self.messages)} EXISTS\r\n".encode())
                elif verb.startswith("UID SEARCH"):
                    unseen = " ".join(str(uid) for uid in self.messages if uid not in self.seen)
                    writer.write(f"* SEARCH {unseen}\r\n".encode())
                elif verb.startswith("UID FETCH"):
                    uid = int(verb.split()[2])
                    data = self.messages[uid]
                    head = f"* 1 FETCH (UID {uid} BODY[]<0> {{{len(data)}}}\r\n"
                    writer.write(head.encode() + data + b")\r\n")
                elif verb.startswith("UID STORE"):
                    found = re.match(r"UID STORE ([\d,]+)", verb)
                    self.seen |= {int(one) for one in found[1].split(",")} if found else set()
                writer.write(f"{tag} OK done\r\n".encode())
                if verb.startswith("LOGOUT"):
                    break
            await writer.drain()
        writer.close()


@asynccontextmanager
async def a_mailbox() -> AsyncIterator[Mailbox]:
    made = Mailbox()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        await server.wait_closed()


async def test_reports_in_a_mailbox_and_a_link_pressed_twice_at_once(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with a_mailbox() as box, relayed(
        monkeypatch, speaks_dsn=True, IMAP_HOST="127.0.0.1", IMAP_PORT=str(box.port),
        IMAP_USERNAME="docflow", IMAP_PASSWORD="right",
    ):  # fmt: skip
        stage = await ways_stage.a_stage()
        primary = await ways_stage.a_primary(stage, "email", email="ppo@example.org")
        document_id = await ways_stage.a_letter(stage.clerk, primary)
        await ways_stage.carry()
        uid = (await ways_stage.message_of(document_id))["id"]
        box.messages = {
            7: ways_stage.report(uid, "delivered", "2.0.0"), 9: b"From: a@b.example\r\n\r\nHello",
        }  # fmt: skip
        assert await receiving.poll() == {"delivered": 1, "letter": 1}
        assert box.seen == {7, 9}
        assert await receiving.poll() == {}
        delivery = await ways_stage.delivery_of(document_id)
        assert delivery["status"] == "delivered"
        monkeypatch.setenv("IMAP_PASSWORD", "wrong")
        settings.cache_clear()
        with pytest.raises(Unavailable) as refused:
            await receiving.poll()
        assert refused.value.error_code == "mailbox_unavailable"
        token = links.token_of(await db.value("SELECT id FROM answer_link"))
        seen = await reading.look(token)
        await reading.open_file(token, seen.contents.files[0]["id"])
        who = seen.people[0]["id"]
        pressed = await asyncio.gather(
            *(reading.acknowledge(token, person_id=who) for _ in range(4)), return_exceptions=True
        )
        assert [type(one) for one in pressed if one] == [Conflict] * 3
        assert sum(one is None for one in pressed) == 1
        told = await ways_stage.told(delivery["id"])
        assert told.count("delivery.acknowledged") == 1


async def test_packages_that_are_brought_into_a_folder(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OFFLINE_IN", str(tmp_path / "in"))
    settings.cache_clear()
    with pytest.raises(Unavailable):
        await polling.poll()
    (tmp_path / "in").mkdir()
    stage = await ways_stage.a_stage()
    primary = await ways_stage.a_primary(stage, "offline")
    await ways_stage.a_letter(stage.clerk, primary)
    made = await packages.make(stage.clerk, primary, folder=tmp_path / "out")
    package = package_reading.read(str(made.path)).parsed()[0]
    answers = tmp_path / "in" / "answers.docflow.zip"
    await answering.answer(package, answers, person=Named("Иванова"))
    (tmp_path / "in" / "broken.docflow.zip").write_bytes(b"PK\x03\x04 half a file")
    (tmp_path / "in" / "notes.txt").write_text("not ours")
    assert await polling.poll() == {}  # they may still be being copied
    before = time.time() - polling.QUIET - 1
    for one in (tmp_path / "in").iterdir():
        os.utime(one, (before, before))
    assert await polling.poll() == {"taken": 1, "refused": 1}
    assert [one.name for one in (tmp_path / "in").iterdir()] == ["notes.txt"]
    (why,) = (tmp_path / "in.refused").rglob("*.txt")
    assert why.read_text("utf-8").startswith("broken_zip\nАрхив повреждён")
    (status,) = [row["status"] for row in await db.rows("SELECT status FROM delivery")]
    assert status == "acknowledged"
    settings.cache_clear()
