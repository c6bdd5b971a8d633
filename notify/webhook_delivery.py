"""Sending webhook messages: claim (transaction), call (none), record (transaction)."""

import asyncio
import ssl
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache

import certifi
import httpx

from core import clock, db, sealing
from core.actor import RULE
from core.errors import ServiceError
from notify import notices, webhook_address, webhooks
from notify.webhook_signature import headers_of

TIMEOUT_SECONDS = 15.0
"""For one attempt as a whole: name, connection, sending and answer."""
ANSWER_BYTES = 1024
"""So much of an answer is read; a part of it is kept as the error."""
ERROR_CHARACTERS = 200
DISABLE_AFTER = timedelta(days=5)
"""A webhook without a success for so long is disabled, with a notice to the organization."""
EARLY = timedelta(minutes=1)
"""How much before its time a message may be sent: clocks of two machines differ."""
FORGOTTEN = timedelta(minutes=10)
KEPT = timedelta(days=30)
"""Messages that were sent or have failed stay so long for questions."""


@dataclass(frozen=True, slots=True)
class _Claim:
    """What one attempt needs, read in its first transaction."""

    message_id: uuid.UUID
    webhook_id: uuid.UUID
    organization_id: uuid.UUID
    url: str
    sealed: bytes = field(repr=False)
    body: bytes = field(repr=False)
    attempt: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt ended; `error` is None exactly when the receiver took the message."""

    error: str | None = None
    is_gone: bool = False
    """The receiver answered 410: it wants no more messages."""


async def send(message_id: uuid.UUID) -> None:
    """Make one attempt, if the message is still waiting and due; queue the next where it failed.

    At least once: a process killed between call and record makes the same attempt again, with
    the same id and body.
    """
    claim = await _claim(message_id)
    if claim is None:
        return
    outcome = await _attempt(claim)
    async with db.transaction():
        if outcome.error is None:
            await _record_success(claim)
        else:
            await _record_failure(claim, outcome)


async def _claim(message_id: uuid.UUID) -> _Claim | None:
    """Count the attempt; None when there is nothing to do."""
    async with db.transaction():
        found = await db.row(
            """UPDATE webhook_message AS m SET attempts = m.attempts + 1 FROM webhook AS w
               WHERE m.id = $1 AND w.id = m.webhook_id AND m.status = 'waiting'
               AND m.next_attempt_at <= $2
               RETURNING m.webhook_id, w.organization_id, w.url, w.secret, w.status, m.body,
                   m.attempts""",
            message_id, clock.now() + EARLY,
        )  # fmt: skip
        if found is None:
            return None
        if found["status"] != "active":
            # Announced in the moment of the disabling: it ends like the others.
            await _fail(message_id, "webhook_disabled")
            return None
    return _Claim(
        message_id=message_id, webhook_id=found["webhook_id"],
        organization_id=found["organization_id"], url=found["url"], sealed=found["secret"],
        body=found["body"], attempt=found["attempts"],
    )  # fmt: skip


async def _attempt(claim: _Claim) -> Outcome:
    try:
        key = sealing.unseal(claim.sealed, purpose=webhooks.SEAL, bound_to=claim.webhook_id.bytes)
        headers = headers_of(
            key=key, message_id=str(claim.message_id), at=clock.now(), body=claim.body
        )
        return await post(claim.url, headers, claim.body)
    except ServiceError as refused:
        return Outcome(error=refused.error_code)


async def post(url: str, headers: Mapping[str, str], body: bytes) -> Outcome:
    """Post to a checked and pinned address; network errors are outcomes, not exceptions.

    Follows no redirect and uses no proxy: both would lead around the check. Raises only the
    `InvalidInput` of an address that must not be spoken to.
    """
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            target = await webhook_address.resolve(url, allow_private=webhooks.ALLOW_PRIVATE)
            return await _post_to_first(target, headers, body)
    except (TimeoutError, httpx.TimeoutException):
        return Outcome(error=f"timeout: no answer in {TIMEOUT_SECONDS:.0f} s")
    except httpx.HTTPError as problem:
        return Outcome(error=f"connection: {type(problem).__name__}: {problem}"[:ERROR_CHARACTERS])


async def _post_to_first(
    target: webhook_address.Target, headers: Mapping[str, str], body: bytes
) -> Outcome:
    """Try the addresses in turn until one lets us connect."""
    transport = httpx.AsyncHTTPTransport(verify=tls_context(), trust_env=False)
    async with httpx.AsyncClient(
        transport=transport, follow_redirects=False, trust_env=False, timeout=TIMEOUT_SECONDS
    ) as client:
        for place, address in enumerate(target.addresses, start=1):
            try:
                return await _post_to(client, target, address, headers, body)
            except httpx.ConnectError:
                if place == len(target.addresses):
                    raise
    return Outcome(error="connection: no address")


async def _post_to(
    client: httpx.AsyncClient,
    target: webhook_address.Target,
    address: str,
    headers: Mapping[str, str],
    body: bytes,
) -> Outcome:
    request = client.build_request(
        "POST",
        target.url.copy_with(host=address),
        content=body,
        headers={
            **headers,
            "host": target.url.netloc.decode("ascii"),
            "content-type": "application/json",
            "user-agent": "docflow-webhooks/1",
            "accept-encoding": "identity",
        },
        extensions={"sni_hostname": target.host},
    )
    response = await client.send(request, stream=True)
    try:
        return await _outcome(response)
    finally:
        await response.aclose()


async def _outcome(response: httpx.Response) -> Outcome:
    if response.is_success:
        return Outcome()
    start = b""
    async for part in response.aiter_raw():
        start += part
        if len(start) >= ANSWER_BYTES:
            break
    said = start[:ANSWER_BYTES].decode("utf-8", "replace")
    said = " ".join("".join(c if c.isprintable() else " " for c in said).split())
    error = f"HTTP {response.status_code}: {said}"[:ERROR_CHARACTERS].rstrip(": ")
    return Outcome(error=error, is_gone=response.status_code == 410)


@lru_cache(maxsize=1)
def tls_context() -> ssl.SSLContext:
    """The system's authorities (SSL_CERT_FILE included) and the public ones of `certifi`."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context


async def _record_success(claim: _Claim) -> None:
    await db.execute(
        """UPDATE webhook_message SET status = 'sent', sent_at = $3, next_attempt_at = NULL,
               last_error = NULL
           WHERE id = $1 AND status = 'waiting' AND attempts = $2""",
        claim.message_id, claim.attempt, clock.now(),
    )  # fmt: skip
    await db.execute(
        "UPDATE webhook SET failing_since = NULL WHERE id = $1 AND failing_since IS NOT NULL",
        claim.webhook_id,
    )


async def _record_failure(claim: _Claim, outcome: Outcome) -> None:
    now, following = clock.now(), _next_attempt(claim.attempt)
    if following is None:
        await _fail(claim.message_id, outcome.error)
    else:
        waiting = await db.execute(
            """UPDATE webhook_message SET next_attempt_at = $3, last_error = $4
               WHERE id = $1 AND status = 'waiting' AND attempts = $2""",
            claim.message_id, claim.attempt, following, outcome.error,
        )  # fmt: skip
        if waiting:
            await webhooks.queue(claim.webhook_id, [claim.message_id], at=following)
    since = await db.value(
        """UPDATE webhook SET failing_since = coalesce(failing_since, $2)
           WHERE id = $1 AND status = 'active' RETURNING failing_since""",
        claim.webhook_id, now,
    )  # fmt: skip
    if since is not None and (outcome.is_gone or now - since >= DISABLE_AFTER):
        await _disable(claim, "gone" if outcome.is_gone else "failing")


def _next_attempt(attempt: int) -> datetime | None:
    """When to try again after failed attempt number `attempt` (from 1); None after the last."""
    if attempt > len(webhooks.RETRIES):
        return None
    return clock.now() + webhooks.RETRIES[attempt - 1]


async def _fail(message_id: uuid.UUID, error: str | None) -> None:
    await db.execute(
        """UPDATE webhook_message SET status = 'failed', next_attempt_at = NULL, last_error = $2
           WHERE id = $1 AND status = 'waiting'""",
        message_id, error,
    )  # fmt: skip


async def _disable(claim: _Claim, reason: str) -> None:
    actor = RULE.acting_for(claim.organization_id)
    if await webhooks.end(actor, claim.webhook_id, reason=reason):
        await notices.post(
            claim.organization_id, "webhook_disabled", ("webhook", claim.webhook_id),
            clock.today(), {"reason": reason, "host": httpx.URL(claim.url).host},
        )  # fmt: skip


async def requeue_forgotten() -> int:
    """Queue messages again whose attempt is overdue, whatever became of their jobs."""
    async with db.transaction():
        found = await db.rows(
            """SELECT id, webhook_id FROM webhook_message
               WHERE status = 'waiting' AND next_attempt_at < $1
               ORDER BY next_attempt_at LIMIT 1000""",
            clock.now() - FORGOTTEN,
        )
        for row in found:
            await webhooks.queue(row["webhook_id"], [row["id"]])
    return len(found)


async def prune() -> int:
    """Forget messages that ended long ago; answers how many."""
    return await db.execute(
        "DELETE FROM webhook_message WHERE status <> 'waiting' AND created_at < $1",
        clock.now() - KEPT,
    )
