"""A client that costs next to nothing, so that two cores work for the service and not for it."""

import asyncio
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any


class Connection:
    """One HTTP/1.1 connection kept alive; one request at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, port: int) -> "Connection":
        """To the loopback address."""
        return cls(*await asyncio.open_connection("127.0.0.1", port, limit=1 << 20))

    async def send(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, Any]:
        """Status and decoded JSON of the answer."""
        lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self._writer.write("\r\n".join([*lines, "", ""]).encode("latin-1"))
        self._writer.write(body)
        await self._writer.drain()
        return await self.answer()

    async def answer(self) -> tuple[int, Any]:
        """Read one answer."""
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        status = int(head[0].split(" ", 2)[1])
        fields = dict(line.lower().split(": ", 1) for line in head[1:] if ": " in line)
        text = await self._reader.readexactly(int(fields.get("content-length", "0")))
        return status, json.loads(text) if text else None

    def close(self) -> None:
        """Hang up."""
        self._writer.close()


async def send_all(
    connections: list[Connection],
    bodies: Iterable[bytes],
    request: Callable[[int], tuple[str, str, Mapping[str, str]]],
) -> list[tuple[int, Any]]:
    """Send every body over whichever connection is free; answers in the order of arrival."""
    waiting = enumerate(bodies)
    answers: list[tuple[int, Any]] = []

    async def work(connection: Connection) -> None:
        for number, body in waiting:
            answers.append(await connection.send(*request(number), body))

    await asyncio.gather(*(work(connection) for connection in connections))
    return answers
