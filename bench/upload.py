"""A gigabyte into a draft's annex through the API, beside the same gigabyte put by the SDK."""

import asyncio
import io
import secrets
import zlib
from time import perf_counter
from typing import Any
from uuid import UUID

from bench import actors
from bench.ground import Ground
from bench.http_client import Connection
from bench.results import Result, against
from bench.web import Web, serving
from core import db
from directory import dataset
from docflow.documents import cards
from storage import s3

SIZE = 1_000_000_000
ROUNDS = 5
BLOCK = 1 << 20


async def measure(ground: Ground) -> Result:
    """Text by its type, so that every office rule applies and nothing is parsed."""
    async with ground.database():
        made = dataset.generate("S")
        await dataset.load(made)
        clerk = await actors.clerk_of(made.health_union_id)
        token = await actors.token_of(clerk)
        card = cards.CardInput(kind="circular", title="С большим приложением")
        document_id = await cards.create(clerk, card=card)
        values, floors = [], []
        async with serving(SANDBOX_WORKERS="1") as web:
            web.forget_peak()
            for number in range(ROUNDS):
                values.append(SIZE / 1e6 / await _through_api(web, document_id, token, number))
                floors.append(SIZE / 1e6 / await asyncio.to_thread(_by_sdk, number))
            peak = web.peak_mb()
        sizes = await db.rows("SELECT size FROM document_file WHERE document_id = $1", document_id)
        if [row["size"] for row in sizes] != [SIZE] * ROUNDS:
            raise RuntimeError(f"not everything arrived: {sizes}")
    return against("upload-1g", values, floors, unit="MB/s", web_peak_mb=peak, size=SIZE)


async def _through_api(web: Web, document_id: UUID, token: str, number: int) -> float:
    reader, writer = await asyncio.open_connection("127.0.0.1", web.port)
    path = f"/api/v1/documents/{document_id}/files/annex?position={number}&file_name=a.txt"
    writer.write(
        f"PUT {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: text/plain\r\nContent-Length: {SIZE}\r\n\r\n".encode()
    )
    body = _text(number)
    began = perf_counter()
    sent = 0
    while sent < SIZE:
        part = body[: min(BLOCK, SIZE - sent)]
        writer.write(part)
        sent += len(part)
        await writer.drain()
    status, told = await Connection(reader, writer).answer()
    spent = perf_counter() - began
    writer.close()
    if status != 201:
        raise RuntimeError(f"not taken: {status} {told}")
    return spent


def _by_sdk(number: int) -> float:
    client = s3.client()
    name = f"bench/{number}-{secrets.token_hex(4)}"
    stream = io.BufferedReader(_Repeated(_text(number)), BLOCK)
    began = perf_counter()
    client.put_object(s3.bucket(), name, stream, SIZE)
    spent = perf_counter() - began
    client.remove_object(s3.bucket(), name)
    return spent


class _Repeated(io.RawIOBase):
    """A block again and again up to `SIZE`, without a copy more than reading needs."""

    def __init__(self, block: bytes) -> None:
        self._block = memoryview(block)
        self._at = 0

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any, /) -> int:
        """Fill the buffer up to the end of the block or of the stream."""
        place = self._at % BLOCK
        size = min(len(buffer), BLOCK - place, SIZE - self._at)
        buffer[:size] = self._block[place : place + size]
        self._at += size
        return size


def _text(number: int) -> bytes:
    """A mebibyte of text that is not like that of another number."""
    line = f"{number} {secrets.token_hex(28)} {zlib.crc32(bytes(number)):08x}\n".encode()
    return (line * (BLOCK // len(line) + 1))[:BLOCK]
