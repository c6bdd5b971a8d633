"""A mail relay on loopback that remembers what it took and refuses whom it is told to."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import pytest

from core.settings import settings

LIMIT = 64 * 1024 * 1024


@dataclass
class Relay:
    """What the relay was told, and how it answers."""

    port: int = 0
    refuses: dict[str, str] = field(default_factory=dict)
    took: list[tuple[str, str, bytes]] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    connections: int = 0
    speaks_dsn: bool = False
    seconds: float = 0.0
    """How long it thinks about each letter."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection (RFC 5321), as much of it as a client of ours speaks."""
        self.connections += 1
        writer.write(b"220 relay\r\n")
        sender = recipient = ""
        with suppress(OSError, asyncio.IncompleteReadError):
            while line := (await reader.readline()).decode().rstrip("\r\n"):
                self.lines.append(line)
                verb, answer = line.split()[0].upper(), "250 OK"
                if verb == "EHLO" and self.speaks_dsn:
                    answer = "250-relay\r\n250 DSN"
                elif verb == "MAIL":
                    sender = line
                elif verb == "RCPT":
                    recipient = line.partition("<")[2].partition(">")[0]
                    answer = self.refuses.get(recipient, answer)
                elif verb == "DATA":
                    writer.write(b"354 go on\r\n")
                    body = await reader.readuntil(b"\r\n.\r\n")
                    await asyncio.sleep(self.seconds)
                    self.took.append((sender, recipient, body.removesuffix(b".\r\n")))
                elif verb == "QUIT":
                    answer = "221 bye"
                writer.write(f"{answer}\r\n".encode())
                if verb == "QUIT" or answer.startswith("421"):
                    break
            await writer.drain()
        writer.close()


@asynccontextmanager
async def relaying(*, speaks_dsn: bool = False, seconds: float = 0.0) -> AsyncIterator[Relay]:
    """A running relay on a free port."""
    made = Relay(speaks_dsn=speaks_dsn, seconds=seconds)
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0, limit=LIMIT)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        await server.wait_closed()


@asynccontextmanager
async def relayed(
    monkeypatch: pytest.MonkeyPatch, *, speaks_dsn: bool = False, **more: str
) -> AsyncIterator[Relay]:
    """A running relay that the settings lead to, at any hour of the day; `more` is set beside."""
    async with relaying(speaks_dsn=speaks_dsn) as made:
        given = {"SMTP_HOST": "127.0.0.1", "SMTP_PORT": str(made.port), "QUIET_HOURS": "none"}
        for name, value in (given | more).items():
            monkeypatch.setenv(name, value)
        settings.cache_clear()
        yield made
    settings.cache_clear()
