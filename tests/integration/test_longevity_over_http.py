"""The job of each minute against a real time-stamp authority that goes away and comes back."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
from test_longevity import receive

from core import clock, db
from core.actor import RULE
from core.errors import Unavailable
from core.settings import settings
from docflow.documents import jobs
from docflow.documents.longevity import due, proofs
from signatures import anchors
from signatures.authority import create_authority, trust_of
from signatures.stamping import StampAuthority

pytestmark = pytest.mark.slow


@dataclass
class Server:
    """RFC 3161 over HTTP on loopback."""

    authority: StampAuthority
    url: str = ""
    is_down: bool = False
    asked: int = 0

    def answer(self, body: bytes) -> bytes:
        self.asked += 1
        if self.is_down:
            return b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n"
        made = self.authority.answer(body)
        head = (
            "HTTP/1.1 200 OK\r\ncontent-type: application/timestamp-reply\r\n"
            f"content-length: {len(made)}\r\nconnection: close\r\n\r\n"
        )
        return head.encode() + made


@asynccontextmanager
async def serving(server: Server) -> AsyncIterator[None]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        size = int(head.split("content-length:")[1].split("\r\n")[0])
        writer.write(server.answer(await reader.readexactly(size)))
        await writer.drain()
        writer.close()

    opened = await asyncio.start_server(serve, "127.0.0.1", 0)
    server.url = f"http://127.0.0.1:{opened.sockets[0].getsockname()[1]}/tsa"
    try:
        yield
    finally:
        opened.close()
        await opened.wait_closed()


async def test_what_waited_is_stamped_when_the_authority_comes_back(
    database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEBHOOK_ALLOW_PRIVATE", "yes")
    settings.cache_clear()
    root = create_authority("Stamps")
    await anchors.add(RULE, trust_of(root), is_test=True)
    server = Server(StampAuthority(root.stamping_key()))
    ids = await receive(3, detached=True)
    await jobs.stamp_received()  # no authority is named: it waits and is seen
    assert [(one.reason, one.number) for one in await due.counts()] == [("unstamped", 3)]
    async with serving(server):
        await db.execute(
            """INSERT INTO stamp_service (id, name, url, position, status, added_at, updated_at)
               VALUES ($1, 'TSA', $2, 0, 'active', $3, $3)""",
            clock.new_id(), server.url, clock.now(),
        )  # fmt: skip
        server.is_down = True
        with pytest.raises(Unavailable):
            await jobs.stamp_received()
        assert [one.number for one in await due.counts()] == [3]
        server.is_down = False
        await jobs.stamp_received()
        assert await due.counts() == []
        assert server.asked == 2
    for blob_id in ids:
        assert (await proofs.proof_of(blob_id))["verdict"] == "valid"
