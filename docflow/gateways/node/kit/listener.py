"""The kit's ear: says who it is, takes notes, and answers them as badly as it is told to."""

import asyncio
import contextlib
import hashlib
import ssl
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Literal

from core import clock
from core.errors import ServiceError
from docflow.gateways.node import keys, messages, signing
from docflow.gateways.node.kit.standing import Standing
from docflow.gateways.node.messages import Receipt
from docflow.gateways.node.signing import Message

Manner = Literal["good", "lost", "unsigned", "foreign", "wrong_key", "busy", "late"]
_MOST = 40 * 1024 * 1024
_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Heard:
    """A note as it came."""

    uid: str
    body: bytes = field(repr=False)
    manner: Manner
    """How it was answered."""
    sender: str = ""


@dataclass
class Listener:
    """A server for the node under test; `script` says how the next notes are answered."""

    standing: Standing
    base_url: str
    late: float = 70.0
    """Seconds for which a late answer is held back, unless the node hangs up before."""
    script: deque[Manner] = field(default_factory=deque)
    heard: list[Heard] = field(default_factory=list)
    patient: set[str] = field(default_factory=set)
    """Notes whose late answer the node has waited for."""
    came: asyncio.Condition = field(default_factory=asyncio.Condition)

    @asynccontextmanager
    async def listening(
        self, host: str, port: int, tls: ssl.SSLContext | None = None
    ) -> AsyncIterator["Listener"]:
        """Answer there meanwhile; raises OSError when the port is taken."""
        server = await asyncio.start_server(self._serve, host, port, ssl=tls)
        try:
            yield self
        finally:
            server.close()

    async def next_after(self, number: int, *, seconds: float) -> Heard | None:
        """The note that came after so many, or None when none comes in that time."""
        try:
            async with asyncio.timeout(seconds), self.came:
                await self.came.wait_for(lambda: len(self.heard) > number)
        except TimeoutError:
            return None
        return self.heard[number]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_SECONDS):
                request, body = await _read(reader)
            answer = await self._answered(request, body, reader)
            if answer is not None:
                writer.write(answer)
                await writer.drain()
        except (OSError, TimeoutError, ValueError, asyncio.IncompleteReadError,
                asyncio.LimitOverrunError):  # fmt: skip
            pass
        finally:
            writer.close()
            with contextlib.suppress(OSError, ssl.SSLError):
                await writer.wait_closed()

    async def _answered(
        self, request: Message, body: bytes, reader: asyncio.StreamReader
    ) -> bytes | None:
        path = request.target.partition("?")[0]
        if request.method == "GET" and path.endswith("/identity"):
            told = messages.encode(self.standing.identity(base_url=self.base_url))
            back = Message({"node-from": str(self.standing.node), "node-version": "2"},
                           status_code=200, request=request)  # fmt: skip
            signing.sign_answer(back, told, key=self.standing.key, to_anybody=True)
            return _response(200, told, back.headers)
        if request.method == "POST" and path.endswith("/notes"):
            return await self._noted(request, body, reader)
        return _response(503, b'{"code": "test_kit"}', {})

    async def _noted(
        self, request: Message, body: bytes, reader: asyncio.StreamReader
    ) -> bytes | None:
        try:
            note = messages.decode_note(body)
        except ServiceError:
            return _response(422, b'{"code": "node_message_malformed"}', {})
        manner: Manner = self.script.popleft() if self.script else "good"
        sender = request.headers.get("node-from", "")
        async with self.came:
            self.heard.append(Heard(str(note.uid), body, manner, sender))
            self.came.notify_all()
        if manner == "lost":
            return None
        if manner == "busy":
            return _response(503, b'{"code": "node_busy"}', {})
        if manner == "late":
            try:
                async with asyncio.timeout(self.late):
                    await reader.read(1)
            except TimeoutError:
                self.patient.add(str(note.uid))
        return self._receipt(request, body, manner)

    def _receipt(self, request: Message, body: bytes, manner: Manner) -> bytes:
        note = messages.decode_note(body)
        seen = hashlib.sha256(b"something else" if manner == "foreign" else body).hexdigest()
        told = messages.encode(Receipt(
            uid=note.uid, sha256=seen, status="accepted", time=clock.now(),
            committed_at=clock.now(),
        ))  # fmt: skip
        back = Message(
            {"node-from": str(self.standing.node), "node-to": request.headers.get("node-from", ""),
             "node-version": request.headers.get("node-version", "1")},
            status_code=200, request=request,
        )  # fmt: skip
        key = keys.new_key()[0] if manner == "wrong_key" else self.standing.key
        signing.sign_answer(back, told, key=key)
        return _response(200, told, {} if manner == "unsigned" else back.headers)


async def _read(reader: asyncio.StreamReader) -> tuple[Message, bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.split("\r\n")
    method, target, _ = first.split(" ", 2)
    headers = {
        name.strip().lower(): text.strip()
        for name, mark, text in (line.partition(":") for line in lines) if mark
    }  # fmt: skip
    size = int(headers.get("content-length", "0"))
    if not 0 <= size <= _MOST:
        raise ValueError("too much")
    body = await reader.readexactly(size)
    return Message(signing.plain_headers(headers), method=method, target=target), body


def _response(status: int, body: bytes, headers: dict[str, str]) -> bytes:
    lines = [
        f"HTTP/1.1 {status} Test kit", f"content-length: {len(body)}", "connection: close",
        "content-type: application/json", *(f"{name}: {text}" for name, text in headers.items()),
    ]  # fmt: skip
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body
