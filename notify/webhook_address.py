"""Which addresses a webhook may have, against requests forged through us (OWASP SSRF).

The host is resolved once, every address it has is checked, and the connection is made to a
checked address: a name that answers otherwise the second time (DNS rebinding) gains nothing.
"""

import asyncio
import socket
from dataclasses import dataclass

import httpx

from core.errors import InvalidInput
from core.outbound import MAX_ADDRESSES, MAX_URL, PORTS, is_public


class ForbiddenUrl(InvalidInput):
    """The service does not send to this address."""

    code = "webhook_url_forbidden"
    ru = (
        "На этот адрес сообщения не отправляются. Нужен общедоступный адрес https:// без имени и"
        " пароля, порт 443, 8443, 80 или 8080."
    )
    en = (
        "Messages are not sent to this address. Give a public https:// address without user and"
        " password, port 443, 8443, 80 or 8080."
    )


class UnknownHost(InvalidInput):
    """The name of the host has no address."""

    code = "webhook_host_unknown"
    ru = "Имя узла не найдено в DNS. Проверьте адрес вебхука."
    en = "The host's name has no address in DNS. Check the webhook's address."


@dataclass(frozen=True, slots=True)
class Target:
    """An address that was checked: where to connect, and as whom to speak to it."""

    url: httpx.URL
    host: str
    """For the Host header, TLS server name and certificate check (ASCII)."""
    addresses: tuple[str, ...]
    """Checked IP addresses, to be tried in this order."""


def parsed(url: str, *, allow_private: bool) -> httpx.URL:
    """The address in its parts, if its form is allowed; touches no network."""
    try:
        found = httpx.URL(url)
        host, port = found.raw_host, found.port
    except (httpx.InvalidURL, ValueError, UnicodeError) as problem:
        raise ForbiddenUrl(reason="form") from problem
    if len(url) > MAX_URL or not host or found.userinfo or found.fragment:
        raise ForbiddenUrl(reason="form")
    if found.scheme != "https" and not (allow_private and found.scheme == "http"):
        raise ForbiddenUrl(reason="scheme")
    if not allow_private and port is not None and port not in PORTS:
        raise ForbiddenUrl(reason="port")
    return found


async def resolve(url: str, *, allow_private: bool) -> Target:
    """Resolve the host once and check every address; raises `ForbiddenUrl` or `UnknownHost`.

    One forbidden address among several forbids the name: such a name was made to deceive.
    """
    found = parsed(url, allow_private=allow_private)
    host = found.raw_host.decode("ascii")
    loop = asyncio.get_running_loop()
    try:
        answers = await loop.getaddrinfo(host.strip("[]"), None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as problem:
        raise UnknownHost from problem
    addresses = tuple(dict.fromkeys(str(answer[4][0]) for answer in answers))
    if not addresses:
        raise UnknownHost
    if not allow_private and not all(map(is_public, addresses)):
        raise ForbiddenUrl(reason="address")
    return Target(url=found, host=host, addresses=addresses[:MAX_ADDRESSES])
