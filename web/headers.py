"""Headers that every answer carries: what a browser may load, guess and tell."""

from urllib.parse import urlsplit

from litestar.datastructures import MutableScopeHeaders
from litestar.types import Message, Scope

from core.settings import settings

POLICY = "; ".join(
    (
        "default-src 'self'",
        # Swagger UI's own style sheet draws its icons from data: addresses.
        "img-src 'self' data:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=()",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


async def security_headers(message: Message, scope: Scope) -> None:
    """Set the headers on every answer; for the application's ``before_send``."""
    if message["type"] != "http.response.start":
        return
    headers = MutableScopeHeaders.from_message(message)
    for name, text in HEADERS.items():
        headers.setdefault(name, text)
    if urlsplit(settings().public_url).scheme == "https":
        headers.setdefault("strict-transport-security", "max-age=31536000")
