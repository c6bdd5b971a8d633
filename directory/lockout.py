"""Proof of a password, and the growing delay after failures."""

import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from audit import events
from core import clock, db
from core.actor import Actor
from directory import passwords

FAILURES = 5
"""So many wrong answers in a row, then the account rests: 1 minute, 2, 4 … at most an hour."""
FIRST_DELAY = timedelta(minutes=1)
LONGEST_DELAY = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try against an account, counted as a failure until it is settled."""

    account_id: uuid.UUID
    person_id: uuid.UUID
    login: str
    password_hash: str = field(repr=False)
    totp_secret: bytes | None = field(repr=False)
    """Sealed; None while no second factor is confirmed."""
    failed_count: int
    """Failures in a row, this one included."""
    locked_until: datetime | None
    """Set when this very failure closes the account for a while."""


async def prove(
    *, password: str, login: str = "", account_id: uuid.UUID | None = None
) -> Attempt | None:
    """Check a password; None when it is wrong, or there is no such account, or it rests.

    All three take as long and look alike. The try is counted before the hash is computed, so that
    a thousand tries at once are five tries. A good answer still has to be settled: `succeed` or
    `forgive`. Belongs outside a transaction: a refusal must not take its own count back.
    """
    if db.in_transaction():
        raise RuntimeError("a failed attempt must stay counted: prove outside a transaction")
    attempt = await _claim(login=login, account_id=account_id)
    if await passwords.matches(attempt.password_hash if attempt else None, password):
        return attempt
    if attempt is not None:
        await refuse(attempt)
    return None


async def succeed(attempt: Attempt) -> None:
    """Forget the failures: everything that was asked for was right."""
    await db.execute(
        "UPDATE account SET failed_count = 0, locked_until = NULL WHERE id = $1", attempt.account_id
    )


async def forgive(attempt: Attempt) -> None:
    """Take this one try back, earlier failures stay: right so far, but not complete."""
    await db.execute(
        """UPDATE account SET failed_count = greatest(failed_count - 1, 0),
               locked_until = CASE WHEN locked_until = $2 THEN NULL ELSE locked_until END
           WHERE id = $1""",
        attempt.account_id, attempt.locked_until,
    )  # fmt: skip


async def refuse(attempt: Attempt) -> None:
    """Let the failure stand and write its event."""
    actor = Actor(kind="user", id=attempt.account_id, organization_id=None)
    subject = ("account", attempt.account_id)
    async with db.transaction():
        await events.record(
            actor, "session.refused", subject=subject, data={"failures": attempt.failed_count}
        )
        if attempt.locked_until is not None:
            until = {"until": attempt.locked_until.isoformat()}
            await events.record(actor, "account.locked", subject=subject, data=until)


async def _claim(*, login: str, account_id: uuid.UUID | None) -> Attempt | None:
    now = clock.now()
    found = await db.row(
        """UPDATE account SET failed_count = failed_count + 1, locked_until = CASE
               WHEN failed_count + 1 >= $4 THEN $3::timestamptz
                   + least($5::interval * 2 ^ least(failed_count + 1 - $4::int, 20), $6::interval)
           END
           WHERE (id = $1 OR login = $2) AND status = 'active'
             AND (locked_until IS NULL OR locked_until <= $3)
           RETURNING id, person_id, login, password_hash, failed_count, locked_until,
                     CASE WHEN totp_confirmed_at IS NOT NULL THEN totp_secret END AS totp_secret""",
        account_id, login, now, FAILURES, FIRST_DELAY, LONGEST_DELAY,
    )  # fmt: skip
    if found is None:
        return None
    return Attempt(
        account_id=found["id"],
        person_id=found["person_id"],
        login=found["login"],
        password_hash=found["password_hash"],
        totp_secret=found["totp_secret"],
        failed_count=found["failed_count"],
        locked_until=found["locked_until"],
    )
