"""Addresses inside the service: where a browser may be sent."""

from urllib.parse import urlsplit

HOME = "/"
"""Leads on to the page a person works on most."""


def inside(address: str | None, *, otherwise: str = HOME) -> str:
    """`address` if it is a path of this service, else `otherwise`; never leads to another host.

    Browsers read a backslash as a slash and drop control characters, so neither is let through.
    """
    if not address or not address.startswith("/") or address.startswith("//"):
        return otherwise
    if "\\" in address or any(ord(sign) < 33 for sign in address):
        return otherwise
    parts = urlsplit(address)
    return otherwise if parts.scheme or parts.netloc else address
