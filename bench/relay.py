"""A mail relay that takes everything and notes when: what a letter by e-mail is measured at."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from time import perf_counter


@dataclass
class Relay:
    """When each address got its first letter, and how many letters came."""

    port: int = 0
    number: int = 0
    seen: dict[str, float] = field(default_factory=dict)
    waited_for: dict[str, asyncio.Event] = field(default_factory=dict)

    async def reaches(self, address: str, *, within: float) -> float:
        """The moment at which a letter for this address came (``perf_counter``)."""
        event = self.waited_for.setdefault(address, asyncio.Event())
        if address not in self.seen:
            await asyncio.wait_for(event.wait(), within)
        return self.seen[address]

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """As much of RFC 5321 as a client of ours speaks."""
        writer.write(b"220 relay\r\n")
        to = ""
        with suppress(OSError, asyncio.IncompleteReadError):
            while line := (await reader.readline()).decode().rstrip("\r\n"):
                verb, answer = line.split()[0].upper(), "250 OK"
                if verb == "RCPT":
                    to = line.partition("<")[2].partition(">")[0]
                elif verb == "DATA":
                    writer.write(b"354 go on\r\n")
                    await reader.readuntil(b"\r\n.\r\n")
                    self._note(to)
                elif verb == "QUIT":
                    answer = "221 bye"
                writer.write(f"{answer}\r\n".encode())
                if verb == "QUIT":
                    break
            await writer.drain()
        writer.close()

    def _note(self, to: str) -> None:
        self.number += 1
        self.seen.setdefault(to, perf_counter())
        if (event := self.waited_for.pop(to, None)) is not None:
            event.set()


@asynccontextmanager
async def relaying() -> AsyncIterator[Relay]:
    """A running relay on a free port of the loopback address."""
    made = Relay()
    async with await asyncio.start_server(made.talk, "127.0.0.1", 0, limit=1 << 24) as server:
        made.port = server.sockets[0].getsockname()[1]
        yield made
