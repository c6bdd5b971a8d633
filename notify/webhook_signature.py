"""Signatures of webhook messages after the Standard Webhooks specification 1.0; pure.

``v1,base64(HMAC-SHA256(secret, "{webhook-id}.{webhook-timestamp}.{body}"))``; a secret is
``whsec_`` and the base64 of 24 to 64 random bytes (standardwebhooks.com).
"""

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from datetime import datetime

from core import clock
from core.errors import InvalidInput

PREFIX = "whsec_"
SECRET_BYTES = 32
TOLERANCE_SECONDS = 300
"""How far a message's time may lie from the receiver's clock, against replays."""


class BadWebhookSignature(InvalidInput):
    """The message was not signed with this secret, was changed, or is too old."""

    code = "webhook_signature_invalid"
    ru = "Подпись сообщения не подтверждена. Проверьте секрет вебхука и часы сервера."
    en = "The message's signature does not hold. Check the webhook's secret and the clock."


def new_secret() -> str:
    """A fresh secret in the form in which it is shown, once."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def key_of(secret: str) -> bytes:
    """The HMAC key that a shown secret stands for; raises ValueError when it is none."""
    try:
        return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error as problem:
        raise ValueError("not a webhook secret") from problem


def signature(*, key: bytes, message_id: str, timestamp: int, body: bytes) -> str:
    """The value of `webhook-signature` for one message at one moment (Unix seconds)."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def headers_of(*, key: bytes, message_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """The three headers of one attempt."""
    timestamp = int(at.timestamp())
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signature(
            key=key, message_id=message_id, timestamp=timestamp, body=body
        ),
    }


def verify(secret: str, headers: Mapping[str, str], body: bytes) -> None:
    """Raise `BadWebhookSignature` unless `body`, exactly as received, was signed with `secret`.

    For receivers: any of several space-separated `v1` signatures may match (secret rotation),
    and the time must lie within `TOLERANCE_SECONDS` of the clock.
    """
    found = {name.lower(): text for name, text in headers.items()}
    try:
        message_id, sent = found["webhook-id"], int(found["webhook-timestamp"])
        given = found["webhook-signature"].split()
    except (KeyError, ValueError) as problem:
        raise BadWebhookSignature(reason="headers") from problem
    if abs(clock.now().timestamp() - sent) > TOLERANCE_SECONDS:
        raise BadWebhookSignature(reason="time")
    due = signature(key=key_of(secret), message_id=message_id, timestamp=sent, body=body).encode()
    if not any(hmac.compare_digest(due, one.encode()) for one in given):
        raise BadWebhookSignature(reason="signature")
