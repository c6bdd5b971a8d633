"""Sessions of people: from the log-in to the moment that ends it."""

import asyncio
import contextlib
import hashlib
import hmac
import secrets
import time
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from audit import events
from core import clock, db, limits
from core.actor import Actor
from core.errors import Forbidden, NotAuthenticated, TooManyRequests
from directory import lockout, passwords, second_factor

IDLE = timedelta(hours=12)
ABSOLUTE = timedelta(days=7)
KEPT = timedelta(days=30)
"""Ended sessions stay so long for questions, then the sweep takes them."""
SEEN_EVERY = timedelta(minutes=1)
"""`seen_at` is written at most so often: reading a page should not write a row."""
PER_ADDRESS = 50
WINDOW = timedelta(minutes=15)
"""So many log-ins may fail from one address in a window: a chancery behind one address mistypes
less, and who tries one password on many accounts gets no further."""
refusal_takes = 0.35
"""Seconds before a refused log-in is answered, whatever the reason, so that time tells nothing."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A new session; the two secrets are shown once and kept only as hashes."""

    id: uuid.UUID
    token: str = field(repr=False)
    csrf: str = field(repr=False)
    expires_at: datetime
    actor: Actor
    is_second_factor_due: bool
    """The roles ask for a second factor and none is set up: signing will be refused."""


@dataclass(frozen=True, slots=True)
class Access:
    """How an actor came in; answered by `resolve` here and in `tokens`."""

    actor: Actor
    id: uuid.UUID
    """Of the session or of the token."""
    csrf_hash: bytes | None = None
    """Only for sessions: what their CSRF token must hash to."""
    has_second_factor: bool = False
    """The account has an authenticator in use, whether or not this access used it."""


def fingerprint(secret: str) -> bytes:
    """What is kept of a random secret: SHA-256; 256 random bits need no salt and no slow hash."""
    return hashlib.sha256(secret.encode()).digest()


async def begin(
    *,
    login: str,
    password: str,
    code: str | None = None,
    organization_id: uuid.UUID | None = None,
    request_id: uuid.UUID | None = None,
    address: str = "",
) -> Opened:
    """Log in; belongs outside a transaction, since a refusal must stay counted.

    One answer (401, `login_failed`) and one duration for a wrong login, a wrong password, a wrong
    code, a disabled account and one that rests after failures. With a right password and no code
    where an authenticator is in use: 401 `code_required`; send all again with the code. Without
    `organization_id` the session is for the account's only organization, if it has only one.
    `address`, where it is known, may fail `PER_ADDRESS` times a window, whatever the accounts: then
    TooManyRequests, over all processes.
    """
    started = time.monotonic()
    if address:
        await limits.check("log in", address, limit=PER_ADDRESS, per=WINDOW)
    attempt = await lockout.prove(login=login.strip().lower(), password=password)
    if attempt is None:
        raise await _refused(started, address)
    if attempt.totp_secret is not None and not code:
        await lockout.forgive(attempt)
        raise NotAuthenticated(
            "Введите код из приложения.",
            "Enter the code from your authenticator.",
            code="code_required",
        )
    if attempt.totp_secret is not None and not await second_factor.accepts(
        account_id=attempt.account_id, sealed=attempt.totp_secret, code=code or ""
    ):
        await lockout.refuse(attempt)
        raise await _refused(started, address)
    fresh = None
    if passwords.is_outdated(attempt.password_hash):
        fresh = await passwords.hash_password(password)
    await lockout.succeed(attempt)
    async with db.transaction():
        if fresh is not None:
            await db.execute(
                "UPDATE account SET password_hash = $2 WHERE id = $1 AND password_hash = $3",
                attempt.account_id, fresh, attempt.password_hash,
            )  # fmt: skip
        return await _open(attempt, organization_id, request_id)


async def _open(
    attempt: lockout.Attempt, organization_id: uuid.UUID | None, request_id: uuid.UUID | None
) -> Opened:
    homes = await organizations_of(attempt.account_id)
    if organization_id is None and len(homes) == 1:
        organization_id = homes[0]
    if organization_id is not None and organization_id not in homes:
        raise _no_role()
    now = clock.now()
    session_id, token, csrf = clock.new_id(), secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    await db.execute(
        """INSERT INTO session (id, token_hash, account_id, organization_id, csrf_hash,
               second_factor, created_at, seen_at, expires_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8)""",
        session_id, fingerprint(token), attempt.account_id, organization_id, fingerprint(csrf),
        attempt.totp_secret is not None, now, now + ABSOLUTE,
    )  # fmt: skip
    access = await resolve(token, request_id=request_id)
    if access is None:
        raise NotAuthenticated  # the account was closed in this very moment
    actor = access.actor
    await events.record(
        actor, "session.begun", subject=("account", attempt.account_id),
        data={"session_id": str(session_id), "second_factor": actor.second_factor},
    )  # fmt: skip
    return Opened(
        id=session_id, token=token, csrf=csrf, expires_at=now + ABSOLUTE, actor=actor,
        is_second_factor_due=is_due(access),
    )  # fmt: skip


def is_due(access: Access) -> bool:
    """Do the roles ask for a second factor that the account has not set up?"""
    asked = bool(access.actor.roles & second_factor.OBLIGATORY_FOR)
    return asked and not access.has_second_factor


_RESOLVE = """
SELECT s.id, s.account_id, s.csrf_hash, s.second_factor, s.seen_at, a.person_id, a.language,
       a.totp_confirmed_at IS NOT NULL AS has_second_factor,
       CASE WHEN g.roles IS NOT NULL THEN s.organization_id END AS organization_id,
       coalesce(g.roles, '{}') AS roles
FROM session s
JOIN account a ON a.id = s.account_id AND a.status = 'active'
CROSS JOIN LATERAL (
    SELECT array_agg(role) AS roles FROM role_grant
    WHERE account_id = s.account_id AND organization_id = s.organization_id AND revoked_at IS NULL
) g
WHERE s.token_hash = $1 AND s.ended_at IS NULL AND s.expires_at > $2 AND s.seen_at > $3
"""


async def resolve(token: str, *, request_id: uuid.UUID | None = None) -> Access | None:
    """Who holds this session token now, by the grants of this very moment; None when nobody.

    An actor whose roles in the chosen organization are gone acts for no organization.
    """
    now = clock.now()
    found = await db.row(_RESOLVE, fingerprint(token), now, now - IDLE)
    if found is None:
        return None
    if found["seen_at"] < now - SEEN_EVERY:
        await db.execute("UPDATE session SET seen_at = $2 WHERE id = $1", found["id"], now)
    actor = Actor(
        kind="user",
        id=found["account_id"],
        organization_id=found["organization_id"],
        roles=frozenset(found["roles"]),
        person_id=found["person_id"],
        second_factor=found["second_factor"],
        request_id=request_id,
        language="en" if found["language"] == "en" else "ru",
    )
    return Access(
        actor=actor,
        id=found["id"],
        csrf_hash=found["csrf_hash"],
        has_second_factor=found["has_second_factor"],
    )


def check_csrf(access: Access, sent: str | None) -> None:
    """Refuse (403, `csrf_failed`) a change from a page that does not know the session's token."""
    kept = access.csrf_hash
    if kept is not None and not (sent and hmac.compare_digest(fingerprint(sent), kept)):
        raise csrf_failed()


def csrf_failed() -> Forbidden:
    """The refusal of a request that another site may have made a browser send."""
    return Forbidden(
        "Запрос отправлен не со страницы сервиса или страница устарела. Обновите её и повторите.",
        "The request did not come from a page of this service, or the page is stale. Reload it.",
        code="csrf_failed",
    )


async def choose_organization(
    actor: Actor, *, session_id: uuid.UUID, organization_id: uuid.UUID
) -> None:
    """Act for another of the actor's organizations from the next request on."""
    second_factor.only_a_person(actor)
    async with db.transaction():
        if organization_id not in await organizations_of(actor.account_id):
            raise _no_role()
        await db.execute(
            "UPDATE session SET organization_id = $3 WHERE id = $1 AND account_id = $2",
            session_id, actor.account_id, organization_id,
        )  # fmt: skip
        await events.record(
            actor, "session.organization_chosen", subject=("account", actor.account_id),
            data={"session_id": str(session_id), "organization_id": str(organization_id)},
        )  # fmt: skip


async def organizations_of(account_id: uuid.UUID) -> list[uuid.UUID]:
    """The organizations in which the account holds a role now."""
    found = await db.rows(
        """SELECT DISTINCT organization_id FROM role_grant
           WHERE account_id = $1 AND revoked_at IS NULL ORDER BY organization_id""",
        account_id,
    )
    return [one["organization_id"] for one in found]


async def end(actor: Actor, *, session_id: uuid.UUID) -> None:
    """Log out; ending what has ended already is no error."""
    async with db.transaction():
        ended = await db.execute(
            """UPDATE session SET ended_at = $3
               WHERE id = $1 AND account_id = $2 AND ended_at IS NULL""",
            session_id, actor.account_id, clock.now(),
        )  # fmt: skip
        if ended:
            await events.record(
                actor, "session.ended", subject=("account", actor.account_id),
                data={"session_id": str(session_id)},
            )  # fmt: skip


async def end_all(
    *,
    account_id: uuid.UUID,
    organization_id: uuid.UUID | None = None,
    except_id: uuid.UUID | None = None,
) -> int:
    """End the account's sessions (those for one organization, if given); answers how many.

    Part of a larger change that writes the event.
    """
    return await db.execute(
        """UPDATE session SET ended_at = $2
           WHERE account_id = $1 AND ended_at IS NULL
             AND ($3::uuid IS NULL OR organization_id = $3) AND id IS DISTINCT FROM $4""",
        account_id, clock.now(), organization_id, except_id,
    )  # fmt: skip


async def sweep() -> int:
    """Delete sessions that ended, expired or fell asleep more than 30 days ago; a periodic job."""
    return await db.execute(
        "DELETE FROM session WHERE least(ended_at, expires_at, seen_at + $2::interval) < $1",
        clock.now() - KEPT, IDLE,
    )  # fmt: skip


async def _refused(started: float, address: str) -> NotAuthenticated:
    if address:
        with contextlib.suppress(TooManyRequests):  # the next one is told
            await limits.take("log in", address, limit=PER_ADDRESS, per=WINDOW)
    await asyncio.sleep(max(0.0, refusal_takes - (time.monotonic() - started)))
    return NotAuthenticated(
        "Войти не удалось. Проверьте логин, раскладку, пароль и код; после нескольких неудач"
        " подождите несколько минут.",
        "Log-in failed. Check login, keyboard layout, password and code; after several failures"
        " wait some minutes.",
        code="login_failed",
    )


def _no_role() -> Forbidden:
    return Forbidden(
        "У вас нет роли в этой организации. Выберите другую или обратитесь к её администратору.",
        "You hold no role in this organization. Choose another or ask its administrator.",
        code="no_role",
    )
