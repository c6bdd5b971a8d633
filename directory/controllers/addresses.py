"""Whose address a request comes from, for limits; headers count from our own proxies only."""

import ipaddress
from typing import Any

from litestar.connection import ASGIConnection

from core.settings import settings

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def client_of(request: ASGIConnection[Any, Any, Any, Any]) -> str:
    """The address to count by: the peer's, or what a trusted proxy says of who asked it.

    X-Forwarded-For is read from the right, as long as the speaker is one of `TRUSTED_PROXIES`:
    what stands further left anybody can write (MDN, RFC 7239 section 8.1). IPv6 counts by its /64,
    since one customer has that many addresses.
    """
    peer = request.client.host if request.client else ""
    trusted = [ipaddress.ip_network(one) for one in settings().trusted_proxies]
    told = [one.strip() for one in request.headers.get("x-forwarded-for", "").split(",")]
    found = _parsed(peer)
    while found is not None and told and any(found in network for network in trusted):
        nearer = _parsed(told.pop())
        if nearer is None:
            break
        found = nearer
    if isinstance(found, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((found, 64), strict=False))
    return peer if found is None else str(found)


def _parsed(text: str) -> Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None
