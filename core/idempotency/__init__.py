"""The same key leads to the same resource, for ever (architecture rule 3)."""

import hashlib
import uuid
from collections.abc import Awaitable, Callable

from core import clock, db
from core.errors import IdempotencyMismatch, InvalidInput

MAX_KEY = 200


def request_hash(*parts: bytes | str) -> bytes:
    """What a key is bound to: the SHA-256 of the parts, each with its length."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.digest()


async def is_used(*, scope: uuid.UUID, key: str | None) -> bool:
    """Has this key led to a resource? For verbs that would refuse before they come to `once`."""
    return key is not None and bool(
        await db.value("SELECT true FROM idempotency_key WHERE scope = $1 AND key = $2", scope, key)
    )


async def once(
    *,
    scope: uuid.UUID,
    key: str | None,
    request: bytes,
    create: Callable[[], Awaitable[uuid.UUID]],
) -> tuple[uuid.UUID, bool]:
    """Run `create` unless `key` has already led to a resource; answer (resource id, is it new).

    `scope` is the organization whose key it is. Everything happens in one transaction, so a
    failed attempt leaves the key unused, and of several at once one creates and the others wait
    for it. Raises `IdempotencyMismatch` when the key was used for a different request. Without
    a key `create` simply runs.
    """
    async with db.transaction():
        if key is None:
            return await create(), True
        if not 1 <= len(key) <= MAX_KEY:
            raise InvalidInput(
                f"Idempotency-Key: от 1 до {MAX_KEY} знаков.",
                f"Idempotency-Key: 1 to {MAX_KEY} characters.",
                code="idempotency_key_length",
            )
        # The row waits for a concurrent holder of the same key: it is there, or it is gone.
        taken = await db.execute(
            """INSERT INTO idempotency_key (scope, key, request_hash, created_at)
               VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING""",
            scope, key, request, clock.now(),
        )  # fmt: skip
        if not taken:
            known = await db.row(
                """SELECT request_hash, resource_id FROM idempotency_key
                   WHERE scope = $1 AND key = $2""",
                scope, key,
            )  # fmt: skip
            if known is None or bytes(known["request_hash"]) != request:
                raise IdempotencyMismatch(key=key)
            return known["resource_id"], False
        resource_id = await create()
        await db.execute(
            "UPDATE idempotency_key SET resource_id = $3 WHERE scope = $1 AND key = $2",
            scope, key, resource_id,
        )  # fmt: skip
        return resource_id, True
