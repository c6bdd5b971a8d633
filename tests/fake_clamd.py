"""A scanner for tests, written from the daemon's protocol: INSTREAM and PING, TCP or a socket."""

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

EVIL = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS" + b"-TEST-FILE!$H+H*"
"""The harmless string every scanner calls malware, in pieces here so that none eats this file."""


@dataclass
class Clamd:
    """What it was sent, and how it is to behave."""

    address: str = ""
    limit: int = 1 << 30
    answer: bytes | None = None
    """Said instead of the truth."""
    is_silent: bool = False
    scanned: list[bytes] = field(default_factory=list)
    longest_chunk: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            command = await reader.readuntil(b"\0")
            if self.is_silent:
                await reader.read()
            elif command == b"zPING\0":
                writer.write(self.answer or b"PONG\0")
            elif command == b"zINSTREAM\0":
                writer.write(await self._instream(reader))
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _instream(self, reader: asyncio.StreamReader) -> bytes:
        content = b""
        while length := struct.unpack(">I", await reader.readexactly(4))[0]:
            self.longest_chunk = max(self.longest_chunk, length)
            if len(content) + length > self.limit:
                return b"INSTREAM size limit exceeded. ERROR\0"
            content += await reader.readexactly(length)
        self.scanned.append(content)
        if self.answer is not None:
            return self.answer
        return b"stream: Eicar-Test-Signature FOUND\0" if EVIL in content else b"stream: OK\0"


@asynccontextmanager
async def running(place: Path | None = None) -> AsyncIterator[Clamd]:
    """A daemon on a free port, or on a socket in the folder `place`."""
    daemon = Clamd()
    if place is None:
        server = await asyncio.start_server(daemon.serve, "127.0.0.1", 0)
        daemon.address = f"tcp:127.0.0.1:{server.sockets[0].getsockname()[1]}"
    else:
        server = await asyncio.start_unix_server(daemon.serve, place / "clamd.ctl")
        daemon.address = f"unix:{place / 'clamd.ctl'}"
    try:
        yield daemon
    finally:
        server.close()
