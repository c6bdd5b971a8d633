"""The kit's line to a node: proper requests, and every way to spoil one."""

import asyncio
import contextlib
import ssl
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import certifi
import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from core import clock
from core.errors import ServiceError
from docflow.gateways.node import keys, messages, signing
from docflow.gateways.node.container import MEDIA_TYPE
from docflow.gateways.node.keys import SigningKey
from docflow.gateways.node.kit.standing import Standing
from docflow.gateways.node.messages import Identity
from docflow.gateways.node.problems import BadSignature, KeyRefused
from docflow.gateways.node.signing import REQUEST, Message
from docflow.gateways.node.transport import BASE

_WIDE = timedelta(days=36500)
"""Answers are held to their signature here; clocks are a check of their own."""


@dataclass(frozen=True, slots=True)
class Twist:
    """What is wrong with a request; nothing by default."""

    key: SigningKey | None = None
    skew: timedelta = timedelta()
    """How far the kit's clock is ahead."""
    covered: tuple[str, ...] = REQUEST
    headers: Mapping[str, str] = field(default_factory=dict)
    """Said in place of the right ones, and signed."""
    target: str | None = None
    """What is signed in place of the path that is asked for."""
    body: bytes | None = None
    """What is sent in place of the body that was signed."""
    is_flipped: bool = False
    """One bit of the signature is another."""
    is_unsigned: bool = False


STRAIGHT = Twist()


@dataclass(frozen=True, slots=True)
class Reply:
    """What a node answered."""

    status: int
    headers: Mapping[str, str]
    content: bytes
    is_signed: bool = False
    """Its signature holds, is over this request, and is for us."""
    flaw: str = ""
    """Why not."""

    @property
    def code(self) -> str:
        """The stable code of a problem; empty for anything else."""
        with contextlib.suppress(ServiceError):
            return str(messages.decode(self.content, dict).get("code", ""))
        return ""

    def __str__(self) -> str:
        """For people: status and the beginning of what was said."""
        told = self.content[:200].decode("utf-8", "replace")
        return f"HTTP {self.status} {told}" + (f" [{self.flaw}]" if self.flaw else "")


@dataclass
class Line:
    """The way to one node, and who it says it is."""

    url: str
    standing: Standing
    seconds: float
    ca_file: Path | None = None
    peer: Identity | None = None
    _client: httpx.AsyncClient | None = None

    @property
    def tls(self) -> ssl.SSLContext | None:
        """None for plain HTTP."""
        if urlsplit(self.url).scheme != "https":
            return None
        return ssl.create_default_context(cafile=str(self.ca_file or certifi.where()))

    @property
    def peer_id(self) -> uuid.UUID:
        """The node at the other end; known after the first question."""
        if self.peer is None:
            raise RuntimeError("the node was not asked who it is")
        return self.peer.node

    @asynccontextmanager
    async def opened(self) -> AsyncIterator["Line"]:
        """Connections stay open meanwhile."""
        async with httpx.AsyncClient(
            verify=self.tls or True, trust_env=False, follow_redirects=False,
            timeout=self.seconds, limits=httpx.Limits(max_connections=100),
        ) as client:  # fmt: skip
            self._client = client
            yield self
        self._client = None

    def path(self, path: str) -> str:
        """Path and query as they go over the wire."""
        return urlsplit(self.url).path.rstrip("/") + BASE + path

    def drafted(self, method: str, path: str, body: bytes, twist: Twist = STRAIGHT) -> Message:
        """A request with its headers, signed as `twist` wants it."""
        version = max(set(messages.VERSIONS) & set(self.peer.versions if self.peer else (1,)))
        told = {
            "node-from": str(self.standing.node), "node-to": str(self.peer_id),
            "node-version": str(version), **twist.headers,
        }  # fmt: skip
        message = Message(told, method=method, target=self.path(twist.target or path))
        with clock.frozen(clock.now() + twist.skew):
            signing.sign_request(
                message, body, key=twist.key or self.standing.key, covered=twist.covered
            )
        if twist.is_flipped:
            message.headers["signature"] = _flipped(message.headers["signature"])
        if twist.is_unsigned:
            for name in ("signature", "signature-input"):
                del message.headers[name]
        return message

    async def ask(
        self, method: str, path: str, body: bytes, twist: Twist = STRAIGHT
    ) -> Reply:  # fmt: skip
        """Send a request; raises httpx.HTTPError when nothing comes back."""
        return await self.put_through(self.drafted(method, path, body, twist), path, (
            body if twist.body is None else twist.body))  # fmt: skip

    async def put_through(self, message: Message, path: str, body: bytes) -> Reply:
        """Send a request as it was drafted, whenever that was."""
        if self._client is None:
            raise RuntimeError("the line is not open")
        origin = urlsplit(self.url)
        media_type = MEDIA_TYPE if path == "/messages" else "application/json"
        answer = await self._client.request(
            message.method, f"{origin.scheme}://{origin.netloc}{self.path(path)}", content=body,
            headers={**message.headers, "content-type": media_type},
        )  # fmt: skip
        return self._judged(answer, message)

    async def asked_identity(self, nonce: str) -> Reply:
        """Who the node says it is, held to a key it names itself."""
        if self._client is None:
            raise RuntimeError("the line is not open")
        origin, target = urlsplit(self.url), self.path(f"/identity?nonce={nonce}")
        answer = await self._client.get(f"{origin.scheme}://{origin.netloc}{target}")
        request = Message({}, method="GET", target=target)
        if answer.status_code != 200:
            return Reply(answer.status_code, answer.headers, answer.content)
        try:
            self.peer = messages.decode(answer.content, Identity)
        except ServiceError as problem:
            return Reply(answer.status_code, answer.headers, answer.content, flaw=str(problem))
        return self._judged(answer, request, to_anybody=True)

    def _judged(
        self, answer: httpx.Response, request: Message, *, to_anybody: bool = False
    ) -> Reply:
        back = Message(
            signing.plain_headers(answer.headers), status_code=answer.status_code, request=request
        )
        told = (answer.status_code, answer.headers, answer.content)
        if "signature" not in answer.headers:
            return Reply(*told, flaw="unsigned")
        try:
            signed = signing.verify_answer(
                back, answer.content, key_of=self._key, window=_WIDE, to_anybody=to_anybody
            )
        except (BadSignature, KeyRefused) as problem:
            return Reply(*told, flaw=str(problem.details.get("reason") or problem.error_code))
        whose = str(self.standing.node)
        if signed.sender != str(self.peer_id) or not (to_anybody or signed.recipient == whose):
            return Reply(*told, flaw="signed for somebody else")
        return Reply(*told, is_signed=True)

    def _key(self, kid: str) -> Ed25519PublicKey:
        for one in self.peer.keys if self.peer else ():
            if one.kid == kid and one.valid_from <= clock.now() < one.valid_to:
                return keys.public_key(keys.public_bytes(one))
        raise KeyRefused(kid=kid[:100])

    async def broken_off(
        self, method: str, path: str, body: bytes, *, sent: int, twist: Twist = STRAIGHT,
        pause: float = 0.05,
    ) -> None:  # fmt: skip
        """Send so many bytes of the body and cut the connection, the answer unread."""
        reader, writer = await self.connected()
        try:
            message = self.drafted(method, path, body, twist)
            writer.write(self.head(message, path, len(body)) + body[:sent])
            await writer.drain()
            if sent == len(body):
                with contextlib.suppress(TimeoutError, OSError):
                    await asyncio.wait_for(reader.read(1), self.seconds)
            await asyncio.sleep(pause)
        finally:
            writer.transport.abort()

    async def connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A bare connection."""
        origin = urlsplit(self.url)
        port = origin.port or (443 if origin.scheme == "https" else 80)
        return await asyncio.open_connection(origin.hostname, port, ssl=self.tls)

    def head(self, message: Message, path: str, size: int) -> bytes:
        """Request line and headers, as text."""
        lines = [
            f"{message.method} {self.path(path)} HTTP/1.1", f"host: {urlsplit(self.url).netloc}",
            f"content-length: {size}", f"content-type: {MEDIA_TYPE}",
            *(f"{name}: {text}" for name, text in message.headers.items()),
        ]  # fmt: skip
        return ("\r\n".join(lines) + "\r\n\r\n").encode("ascii")


def _flipped(signature: str) -> str:
    place = signature.index(":") + 5
    other = "A" if signature[place] != "A" else "B"
    return signature[:place] + other + signature[place + 1 :]
