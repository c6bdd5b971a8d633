"""Asking somebody else's server: to checked addresses only, with limits of time and size.

The host is resolved once, every address it has is checked, and the connection is made to a
checked address: a name that answers otherwise the second time (DNS rebinding) gains nothing.
No redirect is followed and no proxy used: both would lead around the check (OWASP SSRF).
"""

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import certifi
import httpx

from core.errors import InvalidInput, Unavailable
from core.settings import settings

PORTS = frozenset({80, 443, 8080, 8443})
"""Ports an address may have; everything else is somebody's internal service."""
WEB = frozenset({"http", "https"})
MAX_URL = 2000
MAX_ADDRESSES = 4

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_FORBIDDEN = tuple(
    ipaddress.ip_network(text)
    for text in (
        "168.63.129.16/32",  # a cloud's metadata at a public address
        "192.0.0.0/24",  # protocol assignments (RFC 6890), metadata in some clouds
        "192.88.99.0/24",  # 6to4 relays (RFC 7526)
        "::/96", "64:ff9b::/96", "64:ff9b:1::/48", "2001::/32", "2002::/16",
    )  # IPv6 that carries an IPv4 address inside: compatible, NAT64, Teredo, 6to4
)  # fmt: skip


class ForbiddenAddress(InvalidInput):
    """The service does not speak to this address (422)."""

    code = "address_forbidden"
    ru = (
        "К этому адресу сервис не обращается. Нужен общедоступный адрес http:// или https:// без"
        " имени и пароля, порт 443, 8443, 80 или 8080."
    )
    en = (
        "The service does not speak to this address. Give a public http:// or https:// address"
        " without user and password, port 443, 8443, 80 or 8080."
    )


class NoAnswer(Unavailable):
    """The other side did not answer, or not as it should (503); `reason` says how."""

    code = "no_answer"
    ru = "Чужой сервер не ответил как следует. Повторите позже."
    en = "The other side's server gave no proper answer. Try again later."


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; header names in lower case."""

    status: int
    body: bytes
    headers: Mapping[str, str]


class NoAddress(NoAnswer):
    """The host's name has no address in DNS."""


@dataclass(frozen=True, slots=True)
class Target:
    """An address that was checked: where to connect, and as whom to speak to it."""

    url: httpx.URL
    host: str
    """For the Host header, TLS server name and certificate check (ASCII)."""
    addresses: tuple[str, ...]
    """Checked IP addresses, to be tried in this order."""


def checked(url: str) -> httpx.URL:
    """The address in its parts, if its form is allowed; touches no network."""
    return parsed(url, schemes=WEB, allow_private=settings().webhook_allow_private)


def parsed(url: str, *, schemes: frozenset[str], allow_private: bool) -> httpx.URL:
    """The same for given schemes; `allow_private` lets addresses of one's own network through."""
    try:
        found = httpx.URL(url)
        host, port = found.raw_host, found.port
    except (httpx.InvalidURL, ValueError, UnicodeError) as problem:
        raise ForbiddenAddress(reason="form") from problem
    if len(url) > MAX_URL or not host or found.userinfo or found.fragment:
        raise ForbiddenAddress(reason="form")
    if found.scheme not in schemes:
        raise ForbiddenAddress(reason="scheme")
    if not allow_private and port is not None and port not in PORTS:
        raise ForbiddenAddress(reason="port")
    if not allow_private and _is_literal(host) and not is_public(host.decode().strip("[]")):
        raise ForbiddenAddress(reason="address")
    return found


def _is_literal(host: bytes) -> bool:
    try:
        ipaddress.ip_address(host.decode("ascii").strip("[]"))
    except ValueError:
        return False
    return True


def is_public(address: str) -> bool:
    """May a stranger's words make us connect to this IP address?

    No to loopback, private, link-local (cloud metadata), shared, multicast, reserved and
    unspecified addresses, and to IPv6 forms that carry an IPv4 address.
    """
    try:
        found: Address = ipaddress.ip_address(address)
    except ValueError:  # also a scoped one, fe80::1%eth0
        return False
    if isinstance(found, ipaddress.IPv6Address):
        if found.scope_id is not None:
            return False
        found = found.ipv4_mapped or found
    if any(found in network for network in _FORBIDDEN if network.version == found.version):
        return False
    return found.is_global and not (
        found.is_multicast or found.is_reserved or found.is_loopback or found.is_link_local
    )


async def ask(
    url: str,
    *,
    limit: int,
    seconds: float,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """GET an address, or POST `body` to it; at most `limit` bytes within `seconds` as a whole.

    Raises `ForbiddenAddress`, and `NoAnswer` with a `reason` of a few words; an HTTP error is an
    answer. Belongs outside a transaction.
    """
    try:
        async with asyncio.timeout(seconds):
            target = await resolve(url, schemes=WEB, allow_private=settings().webhook_allow_private)
            return await _ask_first(target, body, dict(headers or {}), limit, seconds)
    except (TimeoutError, httpx.TimeoutException) as problem:
        raise NoAnswer(reason=f"timeout: no answer in {seconds:.0f} s") from problem
    except httpx.HTTPError as problem:
        told = f"connection: {type(problem).__name__}: {problem}"[:200]
        raise NoAnswer(reason=told) from problem


async def resolve(url: str, *, schemes: frozenset[str], allow_private: bool) -> Target:
    """Resolve the host once and check every address; raises `ForbiddenAddress` or `NoAddress`.

    One forbidden address among several forbids the name: such a name was made to deceive.
    """
    found = parsed(url, schemes=schemes, allow_private=allow_private)
    host = found.raw_host.decode("ascii")
    loop = asyncio.get_running_loop()
    try:
        answers = await loop.getaddrinfo(host.strip("[]"), None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as problem:
        raise NoAddress(reason="the host has no address in DNS") from problem
    addresses = tuple(dict.fromkeys(str(answer[4][0]) for answer in answers))
    if not addresses:
        raise NoAddress(reason="the host has no address in DNS")
    if not allow_private and not all(map(is_public, addresses)):
        raise ForbiddenAddress(reason="address")
    return Target(found, host, addresses[:MAX_ADDRESSES])


async def _ask_first(
    target: Target, body: bytes | None, headers: dict[str, str], limit: int, seconds: float
) -> Answer:
    transport = httpx.AsyncHTTPTransport(verify=_tls_context(), trust_env=False)
    async with httpx.AsyncClient(
        transport=transport, follow_redirects=False, trust_env=False, timeout=seconds
    ) as client:
        for address in target.addresses[:-1]:
            try:
                return await _ask(client, target, address, body, headers, limit)
            except httpx.ConnectError:
                continue
        return await _ask(client, target, target.addresses[-1], body, headers, limit)


async def _ask(
    client: httpx.AsyncClient,
    target: Target,
    address: str,
    body: bytes | None,
    headers: dict[str, str],
    limit: int,
) -> Answer:
    request = client.build_request(
        "GET" if body is None else "POST",
        target.url.copy_with(host=address),
        content=body,
        headers={
            "user-agent": "docflow/1",
            "accept-encoding": "identity",
            **headers,
            "host": target.url.netloc.decode("ascii"),
        },
        extensions={"sni_hostname": target.host},
    )
    response = await client.send(request, stream=True)
    try:
        got = bytearray()
        async for part in response.aiter_raw():
            got += part
            if len(got) > limit:
                raise NoAnswer(reason=f"more than {limit} bytes")
        return Answer(response.status_code, bytes(got), dict(response.headers))
    finally:
        await response.aclose()


@lru_cache(maxsize=1)
def _tls_context() -> ssl.SSLContext:
    """The system's authorities (SSL_CERT_FILE included) and the public ones of `certifi`."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context
