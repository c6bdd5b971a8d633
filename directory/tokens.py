"""Tokens of programs: limited in scope and time, shown once."""

import secrets
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from audit import events
from core import clock, db
from core.actor import Actor
from core.errors import InvalidInput, NotFound
from directory import second_factor
from directory.sessions import SEEN_EVERY, Access, fingerprint

PREFIX = "dfl_"
"""Lets scanners of leaked secrets know a token of ours."""
LONGEST_DAYS = 365

SCOPES: dict[str, tuple[str, str]] = {
    "documents:read": ("Читать документы и сведения о доставке", "Read documents and deliveries"),
    "documents:write": ("Создавать и рассылать документы", "Create and dispatch documents"),
    "documents:sign": ("Подписывать ключом организации", "Sign with the organization's key"),
    "directory:read": ("Читать справочник", "Read the directory"),
    "directory:write": ("Изменять справочник", "Change the directory"),
    "pictures:read": ("Читать реестр изображений и проверки", "Read pictures and their checks"),
    "pictures:write": ("Проверять и публиковать изображения", "Check and publish pictures"),
    "notify:write": ("Настраивать уведомления", "Set up webhooks and notices"),
    "audit:read": ("Читать журнал событий", "Read the log of events"),
}
"""What a token may be limited to; one line each, in Russian and English."""

WITH_SECOND_FACTOR = frozenset({"documents:sign"})
"""Scopes that only a session with a second factor can give; the token then counts as having one."""


@dataclass(frozen=True, slots=True)
class Issued:
    """A new token; the secret is shown once and kept only as a hash."""

    id: uuid.UUID
    token: str = field(repr=False)
    expires_at: datetime


async def create(actor: Actor, *, name: str, scopes: frozenset[str], days: int) -> Issued:
    """Give a program the actor's roles in the actor's organization, within `scopes`.

    It lives `days` (1 to 365) and never longer than the roles. Raises `InvalidInput`
    (`token_name`, `token_scopes`, `token_days`), `Forbidden` (`person_only`,
    `second_factor_required` for scopes that sign).
    """
    second_factor.only_a_person(actor)
    _check(name, scopes, days)
    if scopes & WITH_SECOND_FACTOR:
        second_factor.demand(actor)
    organization_id = actor.home_id
    token = PREFIX + secrets.token_urlsafe(32)
    token_id, now = clock.new_id(), clock.now()
    expires_at = now + timedelta(days=days)
    async with db.transaction():
        await db.execute(
            """INSERT INTO api_token (id, token_hash, name, account_id, organization_id, scopes,
                   created_at, expires_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8)""",
            token_id, fingerprint(token), name.strip(), actor.account_id,
            organization_id, sorted(scopes), now, expires_at,
        )  # fmt: skip
        await events.record(
            actor, "token.created", subject=("token", token_id),
            data={"scopes": sorted(scopes), "days": days}, detail={"name": name.strip()},
        )  # fmt: skip
    return Issued(id=token_id, token=token, expires_at=expires_at)


async def mine(actor: Actor) -> list[db.Row]:
    """The actor's tokens that still hold, newest first; never the secret."""
    return await db.rows(
        """SELECT id, name, organization_id, scopes, created_at, expires_at, used_at
           FROM api_token WHERE account_id = $1 AND revoked_at IS NULL AND expires_at > $2
           ORDER BY id DESC LIMIT 200""",
        actor.account_id, clock.now(),
    )  # fmt: skip


async def revoke(actor: Actor, *, token_id: uuid.UUID) -> None:
    """End a token of one's own, or of the organization one administers; `NotFound` otherwise."""
    administered = actor.organization_id if "administrator" in actor.roles else None
    async with db.transaction():
        ended = await db.execute(
            """UPDATE api_token SET revoked_at = $2
               WHERE id = $1 AND revoked_at IS NULL
                 AND (account_id = $3 OR organization_id = $4)""",
            token_id, clock.now(), actor.account_id, administered,
        )  # fmt: skip
        if not ended:
            raise NotFound
        await events.record(actor, "token.revoked", subject=("token", token_id))


async def revoke_all(*, account_id: uuid.UUID, organization_id: uuid.UUID | None = None) -> int:
    """End the account's tokens (those for one organization, if given); answers how many.

    Part of a larger change that writes the event.
    """
    return await db.execute(
        """UPDATE api_token SET revoked_at = $2
           WHERE account_id = $1 AND revoked_at IS NULL
             AND ($3::uuid IS NULL OR organization_id = $3)""",
        account_id, clock.now(), organization_id,
    )  # fmt: skip


_RESOLVE = """
SELECT t.id, t.account_id, t.organization_id, t.scopes, t.used_at, a.person_id, a.language,
       a.totp_confirmed_at IS NOT NULL AS has_second_factor, g.roles
FROM api_token t
JOIN account a ON a.id = t.account_id AND a.status = 'active'
CROSS JOIN LATERAL (
    SELECT array_agg(role) AS roles FROM role_grant
    WHERE account_id = t.account_id AND organization_id = t.organization_id AND revoked_at IS NULL
) g
WHERE t.token_hash = $1 AND t.revoked_at IS NULL AND t.expires_at > $2 AND g.roles IS NOT NULL
"""


async def resolve(token: str, *, request_id: uuid.UUID | None = None) -> Access | None:
    """What this token may do now, by the grants of this very moment; None when nothing."""
    now = clock.now()
    found = await db.row(_RESOLVE, fingerprint(token), now)
    if found is None:
        return None
    if found["used_at"] is None or found["used_at"] < now - SEEN_EVERY:
        await db.execute("UPDATE api_token SET used_at = $2 WHERE id = $1", found["id"], now)
    scopes = frozenset(found["scopes"])
    actor = Actor(
        kind="integration",
        id=found["account_id"],
        organization_id=found["organization_id"],
        roles=frozenset(found["roles"]),
        person_id=found["person_id"],
        scopes=scopes,
        second_factor=bool(scopes & WITH_SECOND_FACTOR),
        request_id=request_id,
        language="en" if found["language"] == "en" else "ru",
    )
    return Access(actor=actor, id=found["id"], has_second_factor=found["has_second_factor"])


def _check(name: str, scopes: frozenset[str], days: int) -> None:
    if not 1 <= len(name.strip()) <= 100:
        raise InvalidInput(
            "Назовите токен: от 1 до 100 знаков, например имя программы.",
            "Name the token: 1 to 100 characters, the program's name say.",
            code="token_name",
        )
    if not scopes or scopes - SCOPES.keys():
        raise InvalidInput(
            "Выберите хотя бы одну область доступа из списка.",
            "Choose at least one scope from the list.",
            code="token_scopes",
            known=sorted(SCOPES),
        )
    if not 1 <= days <= LONGEST_DAYS:
        raise InvalidInput(
            f"Срок токена — от 1 до {LONGEST_DAYS} дней.",
            f"A token lives 1 to {LONGEST_DAYS} days.",
            code="token_days",
        )
