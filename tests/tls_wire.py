"""A TLS wire in front of a server, which can be cut, or lose what comes back."""

import asyncio
import contextlib
import ssl
from dataclasses import dataclass, field


@dataclass
class Wire:
    """The TLS wire to a node: lets everything through, nothing, or requests but no answers."""

    port: int
    context: ssl.SSLContext
    target: int = 0
    mode: str = "open"
    """open, cut (no connection), deaf (the request arrives, the answer is lost), once (deaf for
    the next request only)."""
    delay: float = 0.0
    lost: int = 0
    _server: asyncio.Server | None = None
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)

    async def start(self) -> None:
        self._server = await asyncio.start_server(
            self._serve, "127.0.0.1", self.port, ssl=self.context
        )

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        self.drop()

    def drop(self) -> None:
        """Cut every connection that is open."""
        for writer in list(self._writers):
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            if self.mode == "cut":
                writer.transport.abort()
                return
            there, back = await asyncio.open_connection("127.0.0.1", self.target)
            self._writers.add(back)
            try:
                await asyncio.gather(self._pump(reader, back), self._answers(there, writer))
            finally:
                self._writers.discard(back)
                back.close()
        except (OSError, ssl.SSLError, asyncio.IncompleteReadError):
            pass
        finally:
            self._writers.discard(writer)
            with contextlib.suppress(OSError, ssl.SSLError):
                writer.close()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while chunk := await reader.read(65536):
            if self.mode == "cut":
                writer.transport.abort()
                return
            writer.write(chunk)
            await writer.drain()
        writer.close()

    async def _answers(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while chunk := await reader.read(65536):
            if self.delay:
                await asyncio.sleep(self.delay)
            if self.mode in ("deaf", "once", "cut"):
                self.lost += 1
                self.mode = "open" if self.mode == "once" else self.mode
                writer.transport.abort()
                return
            writer.write(chunk)
            await writer.drain()
        writer.close()
