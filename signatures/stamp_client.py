"""Asking time-stamp authorities over HTTP (RFC 3161 section 3.4), one after another.

Addresses are data (`stamp_service`), put in by an administrator; the answer is read and judged in
the sandbox before anybody relies on it.
"""

import uuid
from secrets import randbits
from typing import Any

from asn1crypto import tsp

from audit import events
from core import clock, db, outbound
from core.actor import Actor
from core.errors import ServiceError, Unavailable
from core.sandbox import pool
from signatures import anchors, switching
from signatures.states import SourceStatus

SECONDS = 15.0
"""For one authority; then the next is asked."""
LARGEST = 256 * 1024
_TABLE = "stamp_service"


async def stamp(digest: bytes, *, algorithm: str = "sha256") -> bytes:
    """A trusted token over the digest, as DER, from the first authority that gives one.

    Raises `timestamp_unavailable` when none does, or none is named. Belongs outside a transaction.
    """
    services = await db.rows(
        "SELECT id, url FROM stamp_service WHERE status = 'active' ORDER BY position, id"
    )
    for service in services:
        try:
            token = await ask(service["url"], digest, algorithm=algorithm)
        except ServiceError as problem:
            await _record(service["id"], problem)
            continue
        await _record(service["id"], None)
        return token
    raise Unavailable(
        "Ни одна служба отметок времени не выдала отметку. Повторите позже; службы — в настройках.",
        "No time-stamp authority gave a usable stamp. Try again later; the settings name them.",
        code="timestamp_unavailable",
        asked=len(services),
    )


async def ask(url: str, digest: bytes, *, algorithm: str = "sha256") -> bytes:
    """The token of one authority; raises `no_answer`, `address_forbidden`, `timestamp_unusable`."""
    nonce = randbits(63)
    request = tsp.TimeStampReq(
        {
            "version": 1,
            "message_imprint": {
                "hash_algorithm": {"algorithm": algorithm},
                "hashed_message": digest,
            },
            "nonce": nonce,
            "cert_req": True,
        }
    )
    answer = await outbound.ask(
        url, limit=LARGEST, seconds=SECONDS, body=request.dump(),
        headers={"content-type": "application/timestamp-query"},
    )  # fmt: skip
    kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    if answer.status != 200 or kind != "application/timestamp-reply":
        raise outbound.NoAnswer(reason=f"HTTP {answer.status} {kind[:60]}")
    token: bytes = await pool().run(
        "signatures.stamp_reading:read_response", answer.body, digest=digest, algorithm=algorithm,
        nonce=nonce, at=clock.now().isoformat(), trust=await anchors.request(),
    )  # fmt: skip
    return token


async def _record(service_id: uuid.UUID, problem: ServiceError | None) -> None:
    moment = clock.now()
    if problem is None:
        await db.execute(
            """UPDATE stamp_service SET last_success_at = $2, last_error = NULL, updated_at = $2
               WHERE id = $1""",
            service_id, moment,
        )  # fmt: skip
        return
    told = f"{problem.error_code}: {problem.details.get('reason', '')}".rstrip(": ")[:300]
    await db.execute(
        """UPDATE stamp_service SET last_error = $2, last_error_at = $3, updated_at = $3
           WHERE id = $1""",
        service_id, told, moment,
    )  # fmt: skip


async def add_service(actor: Actor, *, name: str, url: str, position: int = 0) -> uuid.UUID:
    """Ask this authority too, in the order of `position`; raises `address_forbidden`."""
    await anchors.require_keeper(actor)
    outbound.checked(url)
    service_id, moment = clock.new_id(), clock.now()
    async with db.transaction():
        is_new = await db.execute(
            """INSERT INTO stamp_service (id, name, url, position, status, added_by, added_at,
                                          updated_at)
               VALUES ($1, $2, $3, $4, 'active', $5, $6, $6) ON CONFLICT (url) DO NOTHING""",
            service_id, name[:200], url, position, actor.id, moment,
        )  # fmt: skip
        if not is_new:
            known = await db.value("SELECT id FROM stamp_service WHERE url = $1", url)
            return uuid.UUID(str(known))
        await events.record(actor, "trust.stamp_service_added", subject=(_TABLE, service_id))
    return service_id


async def set_status(actor: Actor, service_id: uuid.UUID, target: SourceStatus) -> None:
    """Ask an authority no more, or again."""
    await switching.set_status(
        actor, _TABLE, service_id, target, verb="trust.stamp_service",
    )  # fmt: skip


async def services(actor: Actor) -> list[dict[str, Any]]:
    """The authorities in the order they are asked, with their last error."""
    actor.require("administrator")
    return await db.rows(
        """SELECT id, name, url, position, status, last_success_at, last_error, last_error_at
           FROM stamp_service ORDER BY position, id LIMIT 200"""
    )
