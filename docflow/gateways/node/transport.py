"""Speaking to another node over HTTPS: signed there, signed back, to checked addresses only.

Connections stay open between requests, one pool for each event loop and set of authorities.
"""

import asyncio
import hashlib
import ssl
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import certifi
import httpx
import msgspec

from core import outbound
from docflow.gateways.node import signing
from docflow.gateways.node.keys import SigningKey, public_bytes, public_key
from docflow.gateways.node.messages import Identity, decode
from docflow.gateways.node.problems import BadSignature, PeerSilent
from docflow.gateways.node.signing import KeyFinder, Message, Signed

BASE = "/api/v1/exchange"
ANSWER_LIMIT = 16 * 1024 * 1024
CONNECT = 5.0


class Declined(PeerSilent):
    """The other node answered with a refusal nobody signed; `their_code` says which.

    Never taken for a receipt: whoever stands between could have written it.
    """

    code = "node_declined"
    ru = "Другой узел отклонил запрос. Причина указана в подробностях."
    en = "The other node declined the request. The details say why."

    @property
    def their_code(self) -> str:
        """The stable code of their problem."""
        return str(self.details.get("their_code", ""))


@dataclass(frozen=True, slots=True)
class Way:
    """Where a node is and under which rules we go there."""

    base_url: str
    allow_private: bool = False
    """An administrator lets this node have an address of one's own network."""
    allow_http: bool = False
    """Plain HTTP is let through: for closed networks and tests, by a setting."""
    ca_file: Path | None = None
    """Authorities to trust for TLS; None for the public ones."""


@dataclass(frozen=True, slots=True)
class Speaker:
    """Who speaks to whom, in which version."""

    key: SigningKey
    our_id: str
    their_id: str
    version: int
    window: timedelta


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer whose signature holds."""

    status: int
    body: bytes
    signed: Signed


async def ask(
    method: str, path: str, body: bytes, *, way: Way, speaker: Speaker, key_of: KeyFinder,
    seconds: float, media_type: str = "application/json",
) -> Answer:  # fmt: skip
    """Send a signed request and verify its signed answer.

    Raises `PeerSilent` (no answer, or none that is signed by the node we meant), `Declined`,
    `ForbiddenAddress`, `ClockRefused`. Belongs outside a transaction.
    """
    url = way.base_url.rstrip("/") + BASE + path
    message = Message(
        {"node-from": speaker.our_id, "node-to": speaker.their_id,
         "node-version": str(speaker.version)},
        method=method, target=_target(url),
    )  # fmt: skip
    signing.sign_request(message, body, key=speaker.key)
    status, headers, content = await _send(
        method, url, body, way, {**message.headers, "content-type": media_type}, seconds
    )
    if status >= 400 or "signature" not in headers:
        raise _declined(status, content)
    back = Message(signing.plain_headers(headers), status_code=status, request=message)
    try:
        signed = signing.verify_answer(back, content, key_of=key_of, window=speaker.window)
    except BadSignature as problem:
        raise PeerSilent(reason=f"answer: {problem.message_en}") from problem
    if (signed.sender, signed.recipient) != (speaker.their_id, speaker.our_id):
        raise PeerSilent(reason="the answer is another node's")
    return Answer(status, content, signed)


async def identity(way: Way, *, window: timedelta, seconds: float = 10.0) -> Identity:
    """Ask a node who it is; what it answers is signed by a key it names itself.

    So it proves only that it has that key: an administrator compares the fingerprint.
    """
    url = way.base_url.rstrip("/") + BASE + f"/identity?nonce={uuid.uuid4().hex}"
    request = Message({}, method="GET", target=_target(url))
    status, headers, content = await _send("GET", url, None, way, {}, seconds)
    if status != 200:
        raise _declined(status, content)
    found = decode(content, Identity)
    known = {one.kid: public_key(public_bytes(one)) for one in found.keys}
    back = Message(signing.plain_headers(headers), status_code=status, request=request)

    def key_of(kid: str) -> Any:
        if kid not in known:
            raise PeerSilent(reason="signed by a key the node does not name")
        return known[kid]

    signing.verify_answer(back, content, key_of=key_of, window=window, to_anybody=True)
    return found


def _target(url: str) -> str:
    return httpx.URL(url).raw_path.decode("ascii")


def _declined(status: int, content: bytes) -> Declined:
    try:
        told = msgspec.json.decode(content, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeError, ValueError, RecursionError):
        told = {}
    details = told.get("details")
    return Declined(
        status=status, their_code=str(told.get("code", f"http_{status}"))[:100],
        told=str(told.get("detail", ""))[:300],
        facts=details if isinstance(details, dict) else {},
    )  # fmt: skip


async def _send(
    method: str, url: str, body: bytes | None, way: Way, headers: dict[str, str], seconds: float
) -> tuple[int, Mapping[str, str], bytes]:
    schemes = outbound.WEB if way.allow_http else frozenset({"https"})
    try:
        async with asyncio.timeout(seconds):
            target = await outbound.resolve(
                url, schemes=schemes, allow_private=way.allow_private
            )  # fmt: skip
            client = _client(way.ca_file)
            for place, address in enumerate(target.addresses, start=1):
                try:
                    return await _one(client, method, target, address, body, headers)
                except (httpx.ConnectError, httpx.ConnectTimeout):
                    if place == len(target.addresses):
                        raise
    except outbound.NoAnswer as problem:
        raise PeerSilent(reason=str(problem.details.get("reason", ""))) from problem
    except (TimeoutError, httpx.TimeoutException) as problem:
        raise PeerSilent(reason=f"timeout: no answer in {seconds:.0f} s") from problem
    except httpx.HTTPError as problem:
        told = f"connection: {type(problem).__name__}: {problem}"[:200]
        raise PeerSilent(reason=told) from problem
    raise PeerSilent(reason="the host has no address in DNS")


async def _one(
    client: httpx.AsyncClient, method: str, target: outbound.Target, address: str,
    body: bytes | None, headers: dict[str, str],
) -> tuple[int, Mapping[str, str], bytes]:  # fmt: skip
    request = client.build_request(
        method, target.url.copy_with(host=address), content=body,
        headers={
            "user-agent": "docflow/1", "accept-encoding": "identity", **headers,
            "host": target.url.netloc.decode("ascii"),
        },
        extensions={"sni_hostname": target.host},
    )  # fmt: skip
    response = await client.send(request, stream=True)
    try:
        got = bytearray()
        async for part in response.aiter_raw():
            got += part
            if len(got) > ANSWER_LIMIT:
                raise PeerSilent(reason=f"more than {ANSWER_LIMIT} bytes")
        return response.status_code, response.headers, bytes(got)
    finally:
        await response.aclose()


_clients: WeakKeyDictionary[
    asyncio.AbstractEventLoop, dict[tuple[str, float], httpx.AsyncClient]
] = WeakKeyDictionary()


def _client(ca_file: Path | None) -> httpx.AsyncClient:
    """The pool of this event loop for these authorities; a changed file gets a new one."""
    mark = ("", 0.0) if ca_file is None else (str(ca_file), ca_file.stat().st_mtime)
    ours = _clients.setdefault(asyncio.get_running_loop(), {})
    if mark not in ours:
        transport = httpx.AsyncHTTPTransport(
            verify=_tls(*mark), trust_env=False,
            limits=httpx.Limits(max_connections=100, max_keepalive_connections=32,
                                keepalive_expiry=30),
        )  # fmt: skip
        ours[mark] = httpx.AsyncClient(
            transport=transport, follow_redirects=False, trust_env=False,
            timeout=httpx.Timeout(None, connect=CONNECT),
        )  # fmt: skip
    return ours[mark]


async def close() -> None:
    """Close this event loop's connections; for the end of a process or a test."""
    for client in _clients.pop(asyncio.get_running_loop(), {}).values():
        await client.aclose()


@lru_cache(maxsize=8)
def _tls(ca_file: str, changed: float) -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_verify_locations(ca_file or certifi.where())
    return context


def digest(body: bytes) -> str:
    """SHA-256 in hexadecimal: what a receipt names its note by."""
    return hashlib.sha256(body).hexdigest()
